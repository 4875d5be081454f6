"""Where the churn probability and the CSM's category are far apart, in the database's terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db.models import Case, Expression, F, FloatField, Q, Value, When
from django.db.models.functions import Abs

from gengyun.revenue.calc.chances import APART, lost_of_calls
from gengyun.revenue.models import ForecastRun, RenewalState

ALMOST = 1e-9  # see calc.chances.is_apart
_chosen: list[Callable[[], float]] = []


def register_threshold(source: Callable[[], float]) -> None:
    """Where the difference that counts is chosen, if a package above lets people choose it."""
    _chosen[:] = [source]


@dataclass(frozen=True)
class Calls:
    """What categories are worth: chance of not renewing, and the difference that counts."""

    lost: Mapping[str, float]
    apart: float = APART


def calls() -> Calls:
    """As this week's forecast learned them."""
    run = ForecastRun.objects.order_by("-as_of").values_list("odds__calls", flat=True).first()
    learned = lost_of_calls(
        {name: (lost, decided) for name, (lost, decided) in (run or {}).items()}
    )
    return Calls(learned, _chosen[0]() if _chosen else APART)


def apart_of(known: Calls) -> Expression:
    """|model - call| where it is a disagreement, else 0: what a list is ordered by."""
    differences = [
        When(category=category, then=Abs(F("churn_probability") - Value(chance)))
        for category, chance in known.lost.items()
    ]
    difference = Case(*differences, default=Value(0.0), output_field=FloatField())
    return Case(
        When(is_apart(known), then=difference), default=Value(0.0), output_field=FloatField()
    )


def disagree(known: Calls, *, least_gap: int = 1) -> Q:
    """Condition: the category is far from the probability, or differs from the signal of facts."""
    return Q(gap__gte=least_gap) | is_apart(known)


def is_apart(known: Calls) -> Q:
    """Condition: open, and the two are `apart` or more from each other."""
    found = Q(pk__in=[])
    for category, chance in known.lost.items():
        high, low = chance + known.apart - ALMOST, chance - known.apart + ALMOST
        far = Q(churn_probability__gte=high) | Q(churn_probability__lte=low)
        found |= Q(category=category) & far
    return Q(state=RenewalState.OPEN) & found
