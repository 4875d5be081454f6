"""The health page: where the customers stand, week by week, and where data is missing.

Everything is of the newest judged day and of the customers the reader may see. What was before
comes from the judged days in the lake, so that any number of weeks can be compared.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from gengyun.customers.models import Tier
from gengyun.health.calc import manual
from gengyun.health.models import HealthScore, ScorecardVersion
from gengyun.health.queries.cards import cards_in_force, metric_infos
from gengyun.health.queries.scores import judged_days, slots
from gengyun.lake.store import Lake
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.health_moves import BANDS, band_scores
from gengyun.portfolio.queries.today import in_scope
from gengyun.team.models import User

WAN = 1_000_000  # fen
# lower bounds of the bands of ARR, falling; the rows between them are half-open
ARR_STEPS = (100 * WAN, 30 * WAN, 5 * WAN, 0)
WEEKS = 26


@dataclass(frozen=True)
class Cell:
    customers: int = 0
    arr_minor: int = 0


@dataclass(frozen=True)
class Line:
    """One row of the matrix; `tier` or the half-open range of ARR says which."""

    cells: tuple[Cell, ...]  # in the order of BANDS
    tier: Tier | None = None
    low: int | None = None
    high: int | None = None

    @property
    def total(self) -> Cell:
        return _sum(self.cells)


@dataclass(frozen=True)
class Matrix:
    lines: list[Line]

    def bands(self) -> list[Cell]:
        """The column sums, in the order of BANDS."""
        columns = [[line.cells[i] for line in self.lines] for i in range(len(BANDS))]
        return [_sum(column) for column in columns]

    @property
    def total(self) -> Cell:
        return _sum(self.bands())


def _sum(cells: Iterable[Cell]) -> Cell:
    found = list(cells)
    return Cell(sum(c.customers for c in found), sum(c.arr_minor for c in found))


def matrix(actor: User, *, scope: str, by: str) -> Matrix:
    """Customers and ARR by band and by tier ("tier") or band of ARR ("arr")."""
    rows = in_scope(actor, scope)
    if by == "arr":
        return Matrix(_by_arr(rows))
    found = _cells(rows, F("tier_id"))
    tiers: list[Tier | None] = list(Tier.objects.all())
    if None in found:
        tiers.append(None)
    return Matrix([Line(found.get(t.pk if t else None, _EMPTY), tier=t) for t in tiers])


_EMPTY = tuple(Cell() for _ in BANDS)


def _by_arr(rows: QuerySet[CustomerSummary]) -> list[Line]:
    steps = [When(arr_minor__gte=low, then=Value(low)) for low in ARR_STEPS]
    found = _cells(rows, Case(*steps, default=None, output_field=IntegerField()))
    highs = (None, *ARR_STEPS[:-1])
    lines = [
        Line(found.get(low, _EMPTY), low=low, high=high)
        for low, high in zip(ARR_STEPS, highs, strict=True)
    ]
    return [*lines, Line(found[None])] if None in found else lines


def _cells(rows: QuerySet[CustomerSummary], key: Any) -> dict[Any, tuple[Cell, ...]]:
    counted: dict[Any, dict[str, Cell]] = defaultdict(dict)
    grouped = rows.annotate(key=key).values("key", "band").order_by()
    for row in grouped.annotate(n=Count("pk"), arr=Sum("arr_minor")):
        counted[row["key"]][row["band"]] = Cell(row["n"], row["arr"] or 0)
    return {key: tuple(cells.get(band, Cell()) for band in BANDS) for key, cells in counted.items()}


@dataclass(frozen=True)
class Gap:
    """A metric that some customers' scores lack."""

    metric: str
    name_zh: str
    name_en: str
    customers: int
    arr_minor: int


@dataclass(frozen=True)
class Coverage:
    """How much of the weight has data, over the customers of the newest judged day."""

    full: int  # 80 % and more
    partial: int
    none: int  # no number
    gaps: list[Gap]
    overridden: int


def coverage(actor: User, *, scope: str) -> Coverage:
    scores = scored(actor, scope=scope)
    has_number = ~Q(band="N")
    keys = sorted({key for card in _cards() for key in card.config.metrics()})
    found = scores.aggregate(
        full=Count("pk", filter=has_number & Q(coverage__gte=0.8)),
        partial=Count("pk", filter=has_number & Q(coverage__lt=0.8)),
        none=Count("pk", filter=Q(band="N")),
        overridden=Count("pk", filter=Q(is_overridden=True)),
        **{f"n_{i}": Count("pk", filter=lacks(key)) for i, key in enumerate(keys)},
        **{f"a_{i}": Sum("customer__arr_minor", filter=lacks(key)) for i, key in enumerate(keys)},
    )
    infos = metric_infos()
    gaps = [
        Gap(key, infos[key].name_zh, infos[key].name_en, found[f"n_{i}"], found[f"a_{i}"] or 0)
        for i, key in enumerate(keys)
        if found[f"n_{i}"] and key in infos and key not in manual.KEYS
    ]
    gaps.sort(key=lambda gap: -gap.customers)
    return Coverage(found["full"], found["partial"], found["none"], gaps, found["overridden"])


def _cards() -> list[Any]:
    newest = HealthScore.objects.order_by("-as_of").values_list("as_of", flat=True).first()
    return cards_in_force(newest) if newest else []


def lacks(metric: str) -> Q:
    return Q(missing__contains=f",{metric},")


def scored(actor: User, *, scope: str) -> QuerySet[HealthScore]:
    """Today's scores of the customers in scope."""
    return HealthScore.objects.filter(customer__in=in_scope(actor, scope).values("pk"))


@dataclass(frozen=True)
class Week:
    day: date
    counts: tuple[int, ...]  # customers by band, in the order of BANDS


def weeks(actor: User, *, scope: str, lake: Lake | None = None) -> list[Week]:
    """Customers by band, week by week; weeks that were not judged are left out."""
    lake = lake or Lake.default()
    days = judged_days(lake)
    if not days:
        return []
    visible = np.fromiter(in_scope(actor, scope).values_list("pk", flat=True), dtype=np.int64)
    found = []
    for _end, day in slots(days[-1], WEEKS, days):
        if day is not None:
            counts = Counter(band_scores(day, lake).only(visible).bands.tolist())
            found.append(Week(day, tuple(counts[band] for band in BANDS)))
    return found


def published_between(first: date, last: date) -> list[ScorecardVersion]:
    """Versions whose day lies in (first, last]: marks for charts. Of several of one scorecard and
    day only the last ever judged."""
    found = ScorecardVersion.objects.filter(effective_from__gt=first, effective_from__lte=last)
    last_of_day = {
        (version.scorecard_id, version.effective_from): version
        for version in found.select_related("scorecard").order_by("effective_from", "number", "pk")
    }
    return list(last_of_day.values())
