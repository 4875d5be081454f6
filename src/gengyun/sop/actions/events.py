"""Entry by an event: noted while it is drained, acted on within seconds.

What a product sends is noted in the drain's own transaction (`note_usage`), what happens inside is
noted by handlers of the outbox (`note_domain`); the worker's loop takes the hits in the order they
came and lets their customers in.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from gengyun.kernel import faults
from gengyun.kernel.days import day_of
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.expressions import to_q
from gengyun.sop.actions.entering import enter
from gengyun.sop.calc.form import Form
from gengyun.sop.models import EventHit, Sop, SopVersion
from gengyun.sop.queries.event_people import contacts_of
from gengyun.sop.queries.forms import form_of
from gengyun.sop.queries.judging import Chance
from gengyun.usage.actions.deliveries import Row

LIMIT = 1_000
# an import of the past starts nothing: what it tells of is long over
FRESH = timedelta(days=2)
NEWCOMER = timedelta(minutes=10)
# what happens inside, under the names that an SOP's form uses
CUSTOMER_CREATED, SURVEY_ANSWERED, SURVEY_LOW = (
    "customer.created", "survey.answered", "survey.low",
)  # fmt: skip
# the highest score that is a low one
LOW = {"nps": 6, "csat": 2, "ces": 3}


def listening() -> dict[str, list[tuple[SopVersion, Form]]]:
    """Event -> the published versions of running SOPs that start on it."""
    rows = SopVersion.objects.filter(
        state=SopVersion.State.PUBLISHED, sop__state=Sop.State.LIVE
    ).select_related("sop")
    found: dict[str, list[tuple[SopVersion, Form]]] = {}
    for version in rows.order_by("pk"):
        form = form_of(version)
        if form.entry.kind == "event":
            found.setdefault(form.entry.event, []).append((version, form))
    return found


def note_usage(rows: Sequence[Row], keys: Sequence[int], now: datetime) -> None:
    """Called by the drain with every batch, several times for one that was killed."""
    wanted = set(listening())
    if not wanted:
        return
    border = int((now - FRESH).timestamp() * 1_000_000)
    hits = [
        EventHit(
            key=f"u:{key}",
            name=row.event.event[:200],
            customer_id=row.customer_id,
            user_id=row.user_id[:200],
            happened_at=datetime.fromtimestamp(row.event.happened_at / 1_000_000, UTC),
            created_at=now,
        )
        for row, key in zip(rows, keys, strict=True)
        if row.event.event in wanted and row.event.happened_at >= border
    ]
    EventHit.objects.bulk_create(hits, batch_size=500, ignore_conflicts=True)


def note_domain(name: str, payload: Mapping[str, Any], now: datetime) -> None:
    """An event of the outbox, which may be delivered twice: its content is its key."""
    names = {name}
    score = payload.get("score")
    if name == SURVEY_ANSWERED and score is not None and score <= LOW.get(str(payload["kind"]), -1):
        names.add(SURVEY_LOW)
    wanted = names & set(listening())
    written = json.dumps(dict(payload), sort_keys=True, default=str)
    mark = hashlib.sha256(f"{day_of(now)}{written}".encode()).hexdigest()[:32]
    hits = [
        EventHit(key=f"d:{one}:{pk}:{mark}"[:80], name=one, customer_id=pk, happened_at=now,
                 contact_id=payload.get("contact_id"), created_at=now)
        for one in sorted(wanted)
        for pk in payload.get("customer_ids") or ()
    ]  # fmt: skip
    EventHit.objects.bulk_create(hits, batch_size=500, ignore_conflicts=True)


@transaction.atomic
def take_hits(*, now: datetime, limit: int = LIMIT) -> Counter[str]:
    """Let in whom the oldest hits speak of; the hits go in the same transaction."""
    hits = list(EventHit.objects.order_by("pk").select_for_update(skip_locked=True)[:limit])
    if not hits:
        return Counter()
    wanted = listening()
    hits = _ready(hits, now)
    done: Counter[str] = Counter(hits=len(hits))
    chance = Chance.of_book() if any(hit.name in wanted for hit in hits) else None
    for name in dict.fromkeys(hit.name for hit in hits):
        of_name = [hit for hit in hits if hit.name == name]
        for version, form in wanted.get(name, ()):
            done += _enter(version, form, of_name, chance, now)
    EventHit.objects.filter(pk__in=[hit.pk for hit in hits]).delete()
    faults.point("sop.hits_taken")
    return done


def _ready(hits: Sequence[EventHit], now: datetime) -> list[EventHit]:
    """Without those of customers that are so new that nothing is known of them yet."""
    there: set[int] = set()
    ids = sorted({hit.customer_id for hit in hits})
    for start in range(0, len(ids), 500):
        rows = CustomerSummary.objects.filter(pk__in=ids[start : start + 500])
        there.update(rows.values_list("pk", flat=True))
    return [hit for hit in hits if hit.customer_id in there or now - hit.created_at > NEWCOMER]


def _enter(
    version: SopVersion, form: Form, hits: Sequence[EventHit], chance: Chance | None, now: datetime
) -> Counter[str]:
    """The first event of a customer in the batch; for the others the run is there already. Where
    contacts go through it, the first of each contact that an event is known to be of."""
    first: dict[int | str, str] = {}
    of = contacts_of(hits) if form.identity == "contact" else {}
    only: dict[int, set[int]] = {}
    for hit in hits:
        first.setdefault(hit.customer_id, hit.key)
        if (contact := of.get(hit.pk)) is not None:
            first.setdefault(f"k:{contact}", hit.key)
            only.setdefault(hit.customer_id, set()).add(contact)
    for hit in hits:
        if hit.pk not in of:
            only.pop(hit.customer_id, None)  # of nobody we know: it speaks to all of the role
    ids = sorted({hit.customer_id for hit in hits})
    rows = CustomerSummary.objects.order_by("pk")
    if form.entry.when is not None:
        rows = rows.filter(to_q(form.entry.when, None, day_of(now)))
    fitting: list[int] = []
    for start in range(0, len(ids), 500):
        fitting += rows.filter(pk__in=ids[start : start + 500]).values_list("pk", flat=True)
    done = Counter(unfit=len(ids) - len(fitting))
    if fitting:
        done += enter(
            version, fitting, now=now, day=day_of(now), marks=first, chance=chance, only=only
        )
    return done
