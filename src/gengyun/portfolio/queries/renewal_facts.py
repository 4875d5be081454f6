"""What all packages know of customers whose renewals come up: the facts of the four questions."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from gengyun.alerts.models import Alert, AlertRule
from gengyun.customers.models import Contact, Customer
from gengyun.engagement.models import Activity
from gengyun.health.models import HealthScore
from gengyun.kernel.days import day_of, start_of
from gengyun.portfolio.models import CustomerSummary
from gengyun.revenue.calc.checkpoints import Facts
from gengyun.revenue.models import Invoice, InvoiceStatus, RenewalLine, RenewalState
from gengyun.revenue.queries.receivables import overdue_as_of

STEP = 500
HALF_YEAR = timedelta(days=182)
YEAR = timedelta(days=365)
# alerts that only repeat what is asked here (that a renewal comes up, that money is overdue), that
# come from the model which stands beside it, or that are good news
SAID_ELSEWHERE = (
    AlertRule.Kind.RENEWAL_WINDOW,
    AlertRule.Kind.PAYMENT_OVERDUE,
    AlertRule.Kind.CHURN_JUMP,
    AlertRule.Kind.SEATS_FULL,
)
Found = dict[int, dict[str, Any]]


def facts_of(customer_ids: Sequence[int], *, as_of: date, now: datetime) -> dict[int, Facts]:
    """Customer -> facts on a day, by what had happened and was known before it began or, for
    today, by now."""
    found: dict[int, Facts] = {}
    moment = min(start_of(as_of + timedelta(days=1)), now)
    for start in range(0, len(customer_ids), STEP):
        ids = list(customer_ids[start : start + STEP])
        parts: Found = {pk: {} for pk in ids}
        for read in (_customer, _health, _terms, _money, _deciders, _activities, _alerts):
            for pk, values in read(ids, as_of, moment):
                if pk in parts:
                    parts[pk] |= values
        found |= {pk: Facts(**values) for pk, values in parts.items()}
    return found


Read = Iterable[tuple[int, dict[str, Any]]]


def _customer(ids: list[int], as_of: date, moment: datetime) -> Read:
    rows = Customer.objects.filter(pk__in=ids, next_step_on__lt=as_of).exclude(next_step="")
    for pk, on in rows.values_list("pk", "next_step_on"):
        if on is not None:
            yield pk, {"step_late_days": (as_of - on).days}
    # people who used it in the week, of the seats bought
    used = CustomerSummary.objects.filter(pk__in=ids, seats__gt=0, active_users_7d__isnull=False)
    for pk, active, seats in used.values_list("pk", "active_users_7d", "seats"):
        if active is not None and seats:
            yield pk, {"used_share": active / seats}


def _health(ids: list[int], as_of: date, moment: datetime) -> Read:
    rows = HealthScore.objects.filter(pk__in=ids)
    for pk, score, band in rows.values_list("pk", "score", "band"):
        yield pk, {"band": band, "score": None if score is None else round(score, 1)}


def _terms(ids: list[int], as_of: date, moment: datetime) -> Read:
    rows = RenewalLine.objects.filter(
        renewal__customer_id__in=ids, renewal__state=RenewalState.OPEN
    ).values_list("renewal__customer_id", "line__contract__auto_renew")
    written: dict[int, bool] = {}
    for pk, auto_renew in rows.distinct():
        written[pk] = written.get(pk, True) and auto_renew
    for pk, has_terms in written.items():
        yield pk, {"has_terms": has_terms}


def _money(ids: list[int], as_of: date, moment: datetime) -> Read:
    for pk, late in overdue_as_of(as_of, moment=moment, customer_ids=ids).items():
        if late is not None:
            yield pk, {"overdue_days": late.days, "overdue_minor": late.main[1]}
    disputed = Invoice.objects.filter(
        customer_id__in=ids, status=InvoiceStatus.OPEN, disputed_since__lte=as_of
    )
    for pk, count in Counter(disputed.values_list("customer_id", flat=True)).items():
        yield pk, {"disputed": count}


def _deciders(ids: list[int], as_of: date, moment: datetime) -> Read:
    rows = Contact.objects.filter(customer_id__in=ids, part=Contact.Part.DECIDER)
    present: Counter[int] = Counter()
    left: dict[int, tuple[date, str]] = {}
    for pk, name, left_on in rows.values_list("customer_id", "name", "left_on"):
        if left_on is None or left_on >= as_of:
            present[pk] += 1
        elif left_on >= as_of - YEAR:
            left[pk] = max(left.get(pk, (date.min, "")), (left_on, name))
    for pk in {*present, *left}:
        gone = left[pk][1] if pk in left and not present[pk] else ""
        yield pk, {"deciders": present[pk], "decider_left": gone}
    talks = Activity.objects.present().filter(
        customer_id__in=ids,
        contacts__part=Contact.Part.DECIDER,
        contacts__left_on__isnull=True,
        happened_at__lt=moment,
    )
    talks = talks.exclude(kind__in=(Activity.Kind.NOTE, Activity.Kind.SYSTEM))
    newest: dict[int, datetime] = {}
    for pk, at in talks.values_list("customer_id", "happened_at"):
        newest[pk] = max(newest.get(pk, at), at)
    for pk, at in newest.items():
        yield pk, {"decider_talk_days": max(0, (as_of - day_of(at)).days)}


def _activities(ids: list[int], as_of: date, moment: datetime) -> Read:
    rows = (
        Activity.objects.present()
        .filter(customer_id__in=ids, happened_at__gte=moment - HALF_YEAR, happened_at__lt=moment)
        .exclude(outcome="")
        .order_by("happened_at", "pk")
        .values_list("customer_id", "outcome")
    )
    solved: Counter[int] = Counter()
    unsolved: Counter[int] = Counter()
    for pk, outcome in rows:
        if outcome == Activity.Outcome.SOLVED:
            solved[pk] += 1
            unsolved[pk] = 0  # what was open before counts as solved with it
        else:
            unsolved[pk] += 1
    for pk in {*solved, *unsolved}:
        yield pk, {"solved": solved[pk], "unsolved": unsolved[pk]}


def _alerts(ids: list[int], as_of: date, moment: datetime) -> Read:
    rows = Alert.objects.open().filter(customer_id__in=ids, parent__isnull=True)
    rows = rows.exclude(rule__kind__in=SAID_ELSEWHERE)
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for pk, severity, due_at in rows.values_list("customer_id", "severity", "resolve_due_at"):
        counts[pk]["alerts"] += 1
        counts[pk]["urgent_alerts"] += severity == 1
        counts[pk]["late_alerts"] += due_at is not None and due_at < moment
    for pk, found in counts.items():
        yield pk, dict(found)
