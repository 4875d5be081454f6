"""The queue of work items as an actor sees it: tabs, filters, order, counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import Coalesce

from gengyun.alerts.models import Alert, AlertDay
from gengyun.alerts.models.alert import AlertQuerySet
from gengyun.kernel.errors import NotFound
from gengyun.team.models import User

TABS = ("open", "digest", "snoozed", "asked", "watch", "closed")
SORTS = ("urgent", "due", "amount", "newest")
NONE_YET = Q(pk__in=[])


@dataclass(frozen=True)
class Filters:
    """Empty lists stand for everything."""

    owner_id: int | None = None  # None: everybody's; 0: nobody's
    severities: Sequence[int] = ()
    rules: Sequence[int] = ()
    families: Sequence[str] = ()
    tiers: Sequence[int] = ()
    is_late: bool = False  # a time limit has passed
    is_escalated: bool = False
    text: str = ""  # in the name of the customer


@dataclass(frozen=True)
class Counts:
    tabs: dict[str, int] = field(default_factory=dict)
    urgent: int = 0  # severity 1 among the open tickets
    late: int = 0
    escalated: int = 0


def queue(
    actor: User | None,
    *,
    tab: str = "open",
    filters: Filters | None = None,
    sort: str = "urgent",
    now: datetime,
) -> QuerySet[Alert]:
    """Tickets of the tab, parts of a ticket left out (`parts_of`). Company-wide ones stand in
    `incidents` while they are open."""
    rows = _filtered(_tab(_tickets(actor), tab), filters or Filters(), now)
    rows = rows.select_related("customer__tier", "rule__cause", "owner", "cause", "escalated_to")
    return _sorted(rows, "newest" if tab in {"closed", "asked"} and sort == "urgent" else sort)


def _tickets(actor: User | None) -> AlertQuerySet:
    return Alert.objects.visible_to(actor).tickets()


def _tab(rows: AlertQuerySet, tab: str) -> AlertQuerySet:
    live = Q(state=Alert.State.OPEN, customer__isnull=False)
    wanted = {
        "open": live & Q(in_digest=False),
        "digest": live & Q(in_digest=True),
        "snoozed": Q(state=Alert.State.SNOOZED),
        "asked": Q(
            state=Alert.State.CLOSED,
            close_reason=Alert.CloseReason.CLEARED,
            was_it_us__isnull=True,
            verdict="",
            in_digest=False,
            customer__isnull=False,
        ),
        "closed": Q(state=Alert.State.CLOSED),
    }
    return rows.filter(wanted.get(tab, NONE_YET))


def _late(now: datetime) -> Q:
    return Q(resolve_due_at__lt=now) | Q(response_due_at__lt=now, responded_at__isnull=True)


def _filtered(rows: AlertQuerySet, wanted: Filters, now: datetime) -> AlertQuerySet:
    if wanted.owner_id is not None:
        rows = rows.filter(owner_id=wanted.owner_id or None)
    if wanted.severities:
        rows = rows.filter(severity__in=wanted.severities)
    if wanted.rules:
        # an episode of the rule, whichever rule opened it
        rows = rows.filter(pk__in=Alert.objects.filter(episodes__rule_id__in=wanted.rules))
    if wanted.families:
        rows = rows.filter(family__in=wanted.families)
    if wanted.tiers:
        rows = rows.filter(customer__tier_id__in=wanted.tiers)
    if wanted.is_late:
        rows = rows.filter(_late(now))
    if wanted.is_escalated:
        rows = rows.filter(escalation_level__gt=0)
    if wanted.text:
        rows = rows.filter(customer__name__icontains=wanted.text)
    return rows


def _sorted(rows: AlertQuerySet, sort: str) -> QuerySet[Alert]:
    amount = Coalesce(F("customer__arr_minor"), 0).desc()
    due = F("response_due_at").asc(nulls_last=True)
    if sort == "due":
        return rows.order_by(F("resolve_due_at").asc(nulls_last=True), "severity", "pk")
    if sort == "amount":
        return rows.order_by(amount, "severity", "pk")
    if sort == "newest":
        return rows.order_by(Coalesce(F("closed_at"), F("opened_at")).desc(), "-pk")
    return rows.order_by("severity", due, amount, "pk")


def counts(actor: User | None, *, now: datetime, filters: Filters | None = None) -> Counts:
    """How many tickets each tab holds, and what of the open ones presses; the watch-list, which is
    no work, is counted where it is shown."""
    rows = _filtered(_tickets(actor), filters or Filters(), now)
    tabs = {tab: _tab(rows, tab).count() for tab in TABS if tab not in {"closed", "watch"}}
    open_ = _tab(rows, "open").aggregate(
        urgent=Count("pk", filter=Q(severity=1)),
        late=Count("pk", filter=_late(now)),
        escalated=Count("pk", filter=Q(escalation_level__gt=0)),
    )
    return Counts(tabs, open_["urgent"], open_["late"], open_["escalated"])


def incidents(actor: User | None) -> list[Alert]:
    """What is wrong with the company's own data or product: seen by everybody."""
    rows = Alert.objects.visible_to(actor).open().filter(customer__isnull=True)
    return list(rows.select_related("rule__cause", "owner").order_by("severity", "opened_at", "pk"))


def get(actor: User | None, pk: int) -> Alert:
    found = (
        Alert.objects.visible_to(actor)
        .select_related(
            "customer__tier", "customer__owner", "rule__cause", "owner", "cause", "closed_by",
            "responded_by", "escalated_to", "parent", "previous",
        )
        .filter(pk=pk)
        .first()
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


def of_customer(actor: User | None, customer_id: int, *, closed: int = 20) -> list[Alert]:
    """Open ones by urgency, then the newest closed ones."""
    rows = (
        Alert.objects.visible_to(actor)
        .filter(customer_id=customer_id)
        .select_related("rule__cause", "owner", "cause", "closed_by")
    )
    return [
        *rows.open().order_by("severity", "opened_at", "pk"),
        *rows.filter(state=Alert.State.CLOSED).order_by("-closed_at", "-pk")[:closed],
    ]


def live_count(actor: User | None, customer_id: int) -> int:
    """How many of a customer are not closed."""
    rows = Alert.objects.visible_to(actor).open()
    return rows.filter(customer_id=customer_id).order_by().count()


def newest_day() -> AlertDay | None:
    """The newest day that was judged for alerts: 数据截至, outages, counts."""
    return AlertDay.objects.order_by("-as_of").first()


def judged_on() -> date | None:
    day = newest_day()
    return day.as_of if day else None
