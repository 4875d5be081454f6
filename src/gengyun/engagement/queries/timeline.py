"""The timeline of a customer: what people wrote and what the system recorded, newest first."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from gengyun.customers.models import Customer
from gengyun.engagement.models import Activity
from gengyun.kernel.errors import NotFound
from gengyun.team.models import User

PAGE = 30
BATCH = 5_000


@dataclass(frozen=True)
class TimelinePage:
    activities: list[Activity]
    next_before: str | None  # hand it back as `before` for the page after; None: the end


def timeline(
    customer: Customer,
    actor: User | None,
    *,
    kinds: Collection[str] = (),
    before: str = "",
    limit: int = PAGE,
) -> TimelinePage:
    """`kinds` empty: all. `before` is the cursor of the page above; a broken one is the start."""
    found = (
        Activity.objects.visible_to(actor)
        .present()
        .filter(customer=customer)
        .select_related("author")
        .prefetch_related("contacts")
    )
    if kinds:
        found = found.filter(kind__in=kinds)
    if (place := _place(before)) is not None:
        at, pk = place
        found = found.filter(Q(happened_at__lt=at) | Q(happened_at=at, pk__lt=pk))
    rows = list(found.order_by("-happened_at", "-pk")[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    cursor = f"{rows[-1].happened_at.isoformat()}_{rows[-1].pk}" if more else None
    return TimelinePage(rows, cursor)


def count(customer: Customer, actor: User | None) -> int:
    return Activity.objects.visible_to(actor).present().filter(customer=customer).count()


def get_activity(actor: User | None, pk: int) -> Activity:
    """Deleted ones too, so that a deletion can be undone."""
    found = Activity.objects.visible_to(actor).select_related("customer", "author")
    activity = found.filter(pk=pk).first()
    if activity is None:
        raise NotFound
    return activity


def last_touches(customer_ids: Iterable[int]) -> dict[int, tuple[datetime, str]]:
    """customer -> instant and kind of the last meaningful activity; for the summary rows."""
    ids = list(customer_ids)
    found: dict[int, tuple[datetime, str]] = {}
    for start in range(0, len(ids), BATCH):
        touches = (
            Activity.objects.present()
            .exclude(kind__in=[Activity.Kind.NOTE, Activity.Kind.SYSTEM])
            .filter(customer_id__in=ids[start : start + BATCH])
            .order_by("happened_at", "pk")
            .values_list("customer_id", "happened_at", "kind")
        )
        for customer_id, at, kind in touches.iterator(chunk_size=20_000):
            found[customer_id] = (at, kind)  # the last one wins
    return found


def _place(before: str) -> tuple[datetime, int] | None:
    at, _, pk = before.rpartition("_")
    try:
        return datetime.fromisoformat(at), int(pk)
    except ValueError:
        return None
