"""How right each rule is, and how much it opens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from gengyun.alerts.calc.precision import Precision
from gengyun.alerts.models import Alert, AlertRule, Episode


@dataclass(frozen=True)
class RuleQuality:
    rule: AlertRule
    precision: Precision
    open: int  # episodes that run
    opened_28d: int
    unasked: int  # closed without a verdict: nobody said what it was
    was_us: int  # closed by themselves, and a person says it was our doing

    @property
    def is_demotion_proposed(self) -> bool:
        """Most of what it says is wrong: tell it less loudly, or switch it off."""
        return self.rule.is_active and self.precision.is_demotion_due


def quality(*, now: datetime, since: datetime | None = None) -> list[RuleQuality]:
    """Every rule that is not retired, in their order. A verdict on an alert counts for each rule
    that had an episode in it; `since`: only alerts closed after that instant."""
    judged = _verdicts(since)
    recent = now - timedelta(days=28)
    rows = Episode.objects.exclude(state=Episode.State.WATCHING).order_by().values("rule_id")
    numbers = {
        row["rule_id"]: row
        for row in rows.annotate(
            running=Count("pk", filter=Q(closed_on__isnull=True)),
            opened=Count("pk", filter=Q(created_at__gte=recent)),
            unasked=Count(
                "alert_id",
                filter=Q(alert__state=Alert.State.CLOSED, alert__verdict=""),
                distinct=True,
            ),
            was_us=Count("alert_id", filter=Q(alert__was_it_us=True), distinct=True),
        )
    }
    return [
        RuleQuality(
            rule,
            precision_of(judged.get(rule.pk, {})),
            numbers.get(rule.pk, {}).get("running", 0),
            numbers.get(rule.pk, {}).get("opened", 0),
            numbers.get(rule.pk, {}).get("unasked", 0),
            numbers.get(rule.pk, {}).get("was_us", 0),
        )
        for rule in AlertRule.objects.filter(retired_at__isnull=True).select_related("cause")
    ]


def precision_of(counts: Mapping[str, int]) -> Precision:
    return Precision(
        true=counts.get(Alert.Verdict.TRUE, 0),
        false=counts.get(Alert.Verdict.FALSE, 0),
        known=counts.get(Alert.Verdict.KNOWN, 0),
    )


def _verdicts(since: datetime | None) -> dict[int, dict[str, int]]:
    rows = Episode.objects.filter(alert__isnull=False).exclude(alert__verdict="")
    if since is not None:
        rows = rows.filter(alert__closed_at__gte=since)
    found: dict[int, dict[str, int]] = {}
    counted = rows.order_by().values_list("rule_id", "alert__verdict")
    for rule_id, verdict, n in counted.annotate(n=Count("alert_id", distinct=True)):
        found.setdefault(rule_id, {})[verdict] = n
    return found
