"""Where the churn probability and the CSM's category are far apart, in the database's terms."""

from collections.abc import Mapping

from django.db.models import Case, Expression, F, FloatField, Q, Value, When
from django.db.models.functions import Abs

from gengyun.revenue.calc.chances import APART, lost_of_calls
from gengyun.revenue.models import ForecastRun, RenewalState

ALMOST = 1e-9  # see calc.chances.is_apart
Calls = Mapping[str, float]


def calls() -> Calls:
    """Category -> chance of not renewing, as this week's forecast learned it."""
    run = ForecastRun.objects.order_by("-as_of").values_list("odds__calls", flat=True).first()
    return lost_of_calls({name: (lost, decided) for name, (lost, decided) in (run or {}).items()})


def apart_of(known: Calls) -> Expression:
    """|model - call| where it is a disagreement, else 0: what a list is ordered by."""
    differences = [
        When(category=category, then=Abs(F("churn_probability") - Value(chance)))
        for category, chance in known.items()
    ]
    difference = Case(*differences, default=Value(0.0), output_field=FloatField())
    return Case(
        When(is_apart(known), then=difference), default=Value(0.0), output_field=FloatField()
    )


def is_apart(known: Calls) -> Q:
    """Condition: open, and the two are APART or more from each other."""
    found = Q(pk__in=[])
    for category, chance in known.items():
        high, low = chance + APART - ALMOST, chance - APART + ALMOST
        far = Q(churn_probability__gte=high) | Q(churn_probability__lte=low)
        found |= Q(category=category) & far
    return Q(state=RenewalState.OPEN) & found
