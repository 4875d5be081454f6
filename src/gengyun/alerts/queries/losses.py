"""Lost renewals with the alerts before them, as the actor may see them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from gengyun.alerts.calc.losses import LOOKED_BACK, AlertBefore, Loss
from gengyun.alerts.models import Alert, AlertRule, Episode
from gengyun.revenue.models import Renewal, RenewalSnapshot, RenewalState
from gengyun.team.models import User

NO_RISK = ("growth", "data")  # families that say nothing of the customer leaving
CHUNK = 500
BEFORE, AROUND = timedelta(days=90), timedelta(days=14)  # the snapshot that is looked at


def losses(
    actor: User | None, *, since: date, until: date, owner_id: int | None = None
) -> list[Loss]:
    """Renewals lost that ended from `since` up to `until` (both included), the newest first.

    `owner_id`: of the customers of this person."""
    rows = Renewal.objects.visible_to(actor).filter(
        state=RenewalState.LOST, due_on__gte=since, due_on__lte=until + timedelta(days=LOOKED_BACK)
    )
    if owner_id is not None:
        rows = rows.filter(customer__owner_id=owner_id)
    ordered = rows.select_related("customer").order_by("-due_on", "-pk")
    found = [row for row in ordered if since <= _ended(row) <= until]
    warnings = _warnings([row.customer_id for row in found])
    said = _said(found)
    return sorted(
        (_loss(row, warnings.get(row.customer_id, []), said.get(row.pk)) for row in found),
        key=lambda one: (one.ended_on, one.renewal_id),
        reverse=True,
    )


def _ended(row: Renewal) -> date:
    return min(row.due_on, row.decided_on or row.due_on)


def _loss(row: Renewal, warnings: Sequence[AlertBefore], probability: float | None) -> Loss:
    ended = _ended(row)
    first = ended - timedelta(days=LOOKED_BACK)
    mine = [one for one in warnings if first <= one.opened_on <= ended]
    return Loss(
        renewal_id=row.pk,
        customer_id=row.customer_id,
        due_on=row.due_on,
        ended_on=ended,
        lost_minor=row.due_minor - (row.outcome_minor or 0),
        currency=row.currency,
        cause=row.cause,
        is_involuntary=row.involuntary,
        owner_id=row.customer.owner_id,
        probability=probability,
        warnings=sorted(mine, key=lambda one: (one.opened_on, one.alert_id or 0)),
    )


def _warnings(customer_ids: Sequence[int]) -> dict[int, list[AlertBefore]]:
    """Of each alert its oldest episode says the rule; the watch-list stands beside it."""
    found: dict[int, list[AlertBefore]] = defaultdict(list)
    ids = sorted(set(customer_ids))
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        alerts = Alert.objects.filter(customer_id__in=part).exclude(family__in=NO_RISK)
        for alert in alerts.select_related("parent").order_by("opened_on", "pk"):
            top = alert.parent or alert  # a part is seen where its ticket is
            shown = top.ticket_on is not None and not top.in_digest
            assert alert.customer_id is not None  # noqa: S101 - filtered
            found[alert.customer_id].append(
                AlertBefore(alert.pk, alert.rule_id, alert.opened_on, shown, alert.verdict)
            )
        lines = Episode.objects.filter(
            customer_id__in=part,
            alert__isnull=True,
            rule__kind=AlertRule.Kind.SLOW_SLIDE,
        ).exclude(state=Episode.State.WATCHING)
        for pk, rule_id, on in lines.values_list("customer_id", "rule_id", "opened_on"):
            if pk is not None:
                found[pk].append(AlertBefore(None, rule_id, on, was_shown=False))
    return found


def _said(rows: Sequence[Renewal]) -> dict[int, float]:
    """Renewal -> the probability that the weekly snapshots kept about 90 days before it was due."""
    due = {row.pk: row.due_on for row in rows}
    found: dict[int, tuple[timedelta, float]] = {}
    ids = sorted(due)
    for start in range(0, len(ids), CHUNK):
        kept = RenewalSnapshot.objects.filter(
            renewal_id__in=ids[start : start + CHUNK], probability__isnull=False
        )
        for pk, on, p in kept.values_list("renewal_id", "as_of", "probability"):
            off = abs(due[pk] - BEFORE - on)
            if off <= AROUND and p is not None and (pk not in found or off < found[pk][0]):
                found[pk] = (off, p)
    return {pk: p for pk, (_, p) in found.items()}
