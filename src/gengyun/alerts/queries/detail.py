"""One work item with everything behind it: episodes, evidence, parts, the log."""

from dataclasses import dataclass
from datetime import date, timedelta

from gengyun.alerts.models import Alert, AlertEvent, Episode, Suppression
from gengyun.kernel.calc.workdays import workdays
from gengyun.kernel.days import day_of
from gengyun.lake.store import Lake
from gengyun.team.models import User
from gengyun.usage.queries.usage_days import usage_days


@dataclass(frozen=True)
class Detail:
    """`parts` are tickets of other families joined to this one; `log` is oldest first."""

    alert: Alert
    episodes: list[Episode]
    parts: list[Alert]
    log: list[AlertEvent]
    silent: list[Suppression]  # what was not opened for this customer in the last 60 days
    earlier: list[Alert]  # closed ones of the same family, newest first


@dataclass(frozen=True)
class UsageLine:
    """Events per day, beside what the day is usually worth."""

    days: list[date]
    events: list[int]
    factor: list[float]  # share of an ordinary working day, by the published calendar


def detail(actor: User | None, alert: Alert) -> Detail:
    """The caller has found the alert as the actor."""
    customer_id = alert.customer_id
    silent: list[Suppression] = []
    earlier: list[Alert] = []
    if customer_id is not None:
        since = alert.opened_on - timedelta(days=60)
        rows = Suppression.objects.filter(customer_id=customer_id, as_of__gte=since)
        silent = list(rows.select_related("rule").order_by("-as_of", "-pk")[:20])
        same = Alert.objects.filter(key=alert.key, state=Alert.State.CLOSED).exclude(pk=alert.pk)
        earlier = list(same.select_related("rule", "cause").order_by("-closed_at", "-pk")[:5])
    return Detail(
        alert=alert,
        episodes=list(alert.episodes.select_related("rule__cause").order_by("severity", "pk")),
        parts=list(alert.parts.select_related("rule__cause").order_by("severity", "pk")),
        log=list(alert.events.select_related("actor").order_by("at", "pk")),
        silent=silent,
        earlier=earlier,
    )


def usage_line(alert: Alert, *, days: int = 120, lake: Lake | None = None) -> UsageLine | None:
    """Use of the alert's customer up to its last reading; None for a company-wide one."""
    if alert.customer_id is None:
        return None
    until = max(alert.last_seen_on, day_of(alert.closed_at) if alert.closed_at else date.min)
    found = usage_days(until, customer_ids=[alert.customer_id], days=days, lake=lake)
    return UsageLine(
        days=[found.start + timedelta(days=k) for k in range(days)],
        events=found.use[0].tolist(),
        factor=workdays(found.start, days).base.tolist(),
    )
