"""Where the churn probability and the CSM's category are far apart, in the database's terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Expression, F, FloatField, Func, Q, Value, When
from django.db.models.lookups import GreaterThanOrEqual

from gengyun.revenue.calc.chances import APART, MOST_DOUBTFUL, MOST_HOPEFUL, lost_of_calls
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
    """How far the two differ where it is a disagreement, else 0: what a list is ordered by."""
    found = When(is_apart(known), then=_difference(known))
    return Case(found, default=Value(0.0), output_field=FloatField())


class _Difference(Func):
    """How far model and call differ; null where one of the two is unknown. One piece of SQL and not
    a tree of conditions: a page uses it up to six times, and building the trees took as long as
    reading."""

    output_field = FloatField()

    def __init__(self, lost: tuple[tuple[str, float], ...]) -> None:
        super().__init__(F("churn_probability"), F("category"))
        self.lost = lost

    def as_sql(  # type: ignore[override]
        self, compiler: Any, connection: Any, **_context: Any
    ) -> tuple[str, list[str | float]]:
        model, category = (compiler.compile(one)[0] for one in self.get_source_expressions())
        whens, params = [], list[str | float]()
        for name, lost in self.lost:
            whens.append(f"WHEN %s THEN {_sql_of(name).format(model=model)}")
            params += [name, lost]
        return f"CASE {category} {' '.join(whens)} END", params


def _sql_of(category: str) -> str:
    """As `calc.chances.apart`; below 0 they are of one mind."""
    if category in MOST_HOPEFUL:
        return "{model} - %s"
    return "-({model} - %s)" if category in MOST_DOUBTFUL else "ABS({model} - %s)"


def _difference(known: Calls) -> Expression:
    return _Difference(tuple(known.lost.items()))


def disagree(known: Calls, *, least_gap: int = 1) -> Q:
    """Condition: the category is far from the probability, or differs from the signal of facts."""
    return Q(gap__gte=least_gap) | is_apart(known)


def is_apart(known: Calls) -> Q:
    """Condition: open, and the two are `apart` or more from each other."""
    is_far = GreaterThanOrEqual(_difference(known), known.apart - ALMOST)
    return Q(is_far, state=RenewalState.OPEN)
