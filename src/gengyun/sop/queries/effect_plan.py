"""What the hold-out of a draft could show, and when: said before it is published."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Avg, Count, StdDev

from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.calc.form import Form
from gengyun.sop.calc.measured import BASE, SPREAD_OF_HEALTH
from gengyun.sop.calc.power import (
    WORTH,
    WORTH_OF_SPREAD,
    Plan,
    When,
    concludes,
    spread_of_share,
)
from gengyun.sop.models import Run, Sop

PACE = 90  # days


@dataclass(frozen=True)
class Planned:
    """`worth`: the difference that is worth seeing, in the outcome's unit; None: in spreads of a
    metric, whose unit nobody has looked at yet."""

    worth: float | None
    per_day: float
    when: When


def planned(form: Form, *, sop: Sop | None, today: date) -> Planned | None:
    """None: nobody is held out, or no outcome is declared."""
    if form.outcome is None or not form.holdout:
        return None
    spread, worth = _spread(form)
    plan = Plan(form.holdout, spread, worth)
    entered = 0
    if sop is not None:
        recent = Run.objects.filter(sop=sop, entered_on__gt=today - timedelta(days=PACE))
        entered = recent.aggregate(many=Count("customer_id", distinct=True))["many"]
    per_day = entered / PACE
    when = concludes(
        plan,
        today=today,
        known=0,
        waiting=0,
        per_day=per_day,
        wait_days=form.outcome.window_days,
    )
    if when is None:
        return None
    return Planned(None if form.outcome.kind == "metric" else worth, per_day, when)


def _spread(form: Form) -> tuple[float, float]:
    """(standard deviation of one outcome, difference worth seeing), from the book as it is."""
    kind = form.outcome.kind if form.outcome else ""
    if kind == "renewed":
        mean = CustomerSummary.objects.aggregate(mean=Avg("churn"))["mean"]
        return spread_of_share(BASE if mean is None else float(mean)), WORTH
    if kind == "goal":
        return spread_of_share(BASE), WORTH
    if kind == "health":
        known = CustomerSummary.objects.exclude(score=None)  # SQLite's deviation stumbles over them
        found = known.aggregate(spread=StdDev("score"))["spread"]
        spread = float(found or SPREAD_OF_HEALTH)
        return spread, WORTH_OF_SPREAD * spread
    return 1.0, WORTH_OF_SPREAD
