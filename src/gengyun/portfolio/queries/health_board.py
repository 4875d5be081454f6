"""The health page: where the customers stand, what moved since a day, and where data is missing.

Everything is of the newest judged day and of the customers the reader may see. What was before
comes from the judged days in the lake, so that any number of weeks can be compared.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import msgspec
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from gengyun.customers.models import Tier
from gengyun.health.calc import manual
from gengyun.health.calc.diff import Difference, diff
from gengyun.health.calc.score import Card, Explanation, score
from gengyun.health.models import HealthScore, ScorecardVersion
from gengyun.health.queries.cards import cards_in_force, config_of, metric_infos
from gengyun.health.queries.scores import judged_days, newest_judged, read_scores, slots
from gengyun.lake.store import Lake
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.today import in_scope
from gengyun.team.models import User
from gengyun.usage.queries.metrics import values_as_of

BANDS = "ABCDN"
WAN = 1_000_000  # fen
# lower bounds of the bands of ARR, falling; the rows between them are half-open
ARR_STEPS = (100 * WAN, 30 * WAN, 5 * WAN, 0)
SINCE = {"week": 7, "month": 28, "quarter": 91}
LISTED = 10
LEAST_MOVE = 1.0  # points; less is no news
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
class Move:
    """One customer whose score moved, and why."""

    summary: CustomerSummary
    change: float
    was: float
    was_band: str
    # with the rules of then, where other rules judge now: what the data did
    difference: Difference | None
    rules_change: float | None = None  # what new rules did; None: the same rules


@dataclass
class Moves:
    """What moved between two judged days; no day before: `since` is None."""

    as_of: date | None = None
    since: date | None = None
    down: list[Move] = field(default_factory=list)
    up: list[Move] = field(default_factory=list)
    down_count: int = 0
    up_count: int = 0
    # (band before, band now) -> customers
    flows: Mapping[tuple[str, str], int] = field(default_factory=dict)
    before: Mapping[str, int] = field(default_factory=dict)  # band -> customers of then
    worse_arr: int = 0  # ARR of the customers whose band fell

    def worse(self) -> int:
        return sum(n for (was, now), n in self.flows.items() if _is_worse(was, now))

    def better(self) -> int:
        return sum(n for (was, now), n in self.flows.items() if _is_worse(now, was))


def _is_worse(was: str, now: str) -> bool:
    return "N" not in (was, now) and BANDS.index(now) > BANDS.index(was)


def moves(
    actor: User, *, scope: str, since: str, by: str = "points", lake: Lake | None = None
) -> Moves:
    """The biggest moves since about a week, four weeks or a quarter ago.

    `by`: "points" by the size of the change, "arr" by the ARR of those that moved by 5 points and
    more.
    """
    lake = lake or Lake.default()
    rows = in_scope(actor, scope).filter(as_of__isnull=False)
    as_of = rows.order_by("-as_of").values_list("as_of", flat=True).first()
    if as_of is None:
        return Moves()
    then = newest_judged(as_of - timedelta(days=SINCE[since]), lake=lake, within=6)
    if then is None:
        return Moves(as_of)
    now = {
        pk: (value, band, arr or 0)
        for pk, value, band, arr in rows.values_list("pk", "score", "band", "arr_minor")
    }
    old = _scores_of(then, now, lake)
    flows = Counter((old[pk][1], band) for pk, (_, band, _) in now.items() if pk in old)
    changes = [
        (value - before, pk)
        for pk, (value, _, _) in now.items()
        if value is not None and (before := old.get(pk, (None, ""))[0]) is not None
    ]
    falls = [change for change in changes if change[0] <= -LEAST_MOVE]
    rises = [change for change in changes if change[0] >= LEAST_MOVE]
    found = Moves(
        as_of,
        then,
        down_count=len(falls),
        up_count=len(rises),
        flows=flows,
        before=Counter(band for _, band in old.values()),
        worse_arr=sum(
            arr for pk, (_, band, arr) in now.items() if pk in old and _is_worse(old[pk][1], band)
        ),
    )
    arrs = {pk: arr for pk, (_, _, arr) in now.items()}
    chosen_down, chosen_up = (_biggest(some, arrs, by) for some in (falls, rises))
    found.down = _told(chosen_down, then, old, lake)
    found.up = _told(chosen_up, then, old, lake)
    return found


def _biggest(
    changes: Collection[tuple[float, int]], arrs: Mapping[int, int], by: str
) -> list[tuple[float, int]]:
    if by == "arr":
        changes = [change for change in changes if abs(change[0]) >= 5]
        return sorted(changes, key=lambda c: (-arrs[c[1]], -abs(c[0]), c[1]))[:LISTED]
    return sorted(changes, key=lambda c: (-abs(c[0]), c[1]))[:LISTED]


def _scores_of(
    day: date, wanted: Collection[int], lake: Lake
) -> dict[int, tuple[float | None, str]]:
    rows = read_scores(day, ["customer_id", "score", "band"], lake=lake)
    columns = (rows[name].to_pylist() for name in ("customer_id", "score", "band"))
    return {pk: (value, band) for pk, value, band in zip(*columns, strict=True) if pk in wanted}


def _told(
    changes: Collection[tuple[float, int]],
    then: date,
    old: Mapping[int, tuple[float | None, str]],
    lake: Lake,
) -> list[Move]:
    """With names, and with the factors that moved them."""
    ids = [pk for _, pk in changes]
    summaries = CustomerSummary.objects.select_related("owner", "tier").in_bulk(ids)
    scores = HealthScore.objects.in_bulk(ids)
    texts = lake.read(
        "health_scores",
        where=[("as_of", "=", then), ("customer_id", "in", ids)],
        columns=["customer_id", "explanation"],
    )
    before = dict(
        zip(texts["customer_id"].to_pylist(), texts["explanation"].to_pylist(), strict=True)
    )
    by_old_rules = _by_old_rules(
        [row for row in scores.values() if row.pk in before],
        {pk: msgspec.json.decode(text)["version_id"] for pk, text in before.items()},
        lake,
    )
    found = []
    for change, pk in changes:
        now: Mapping[str, Any] | None = scores[pk].explanation if pk in scores else None
        told, rules = None, None
        if now is not None and pk in before:
            then_told = msgspec.json.decode(before[pk])
            old_rules = by_old_rules.get(pk)
            told = diff(then_told, old_rules or now)
            if old_rules and old_rules["score"] is not None and now["score"] is not None:
                rules = now["score"] - old_rules["score"]
        was, was_band = old[pk]
        found.append(Move(summaries[pk], change, was or 0.0, was_band, told, rules))
    return found


def _by_old_rules(
    rows: Collection[HealthScore], versions: Mapping[int, int], lake: Lake
) -> dict[int, Explanation]:
    """Today's data judged by the rules of then, for those whose rules changed in between.

    What the data did and what the rules did then add up to the whole change.
    """
    changed = [row for row in rows if versions[row.pk] != row.version_id]
    if not changed:
        return {}
    ids = [row.pk for row in changed]
    inputs = values_as_of(changed[0].as_of, customer_ids=ids, lake=lake)
    configs = {
        version.pk: config_of(version)
        for version in ScorecardVersion.objects.filter(pk__in={versions[pk] for pk in ids})
    }
    infos = metric_infos()
    found = {}
    for row in changed:
        # what people said is part of the data: taken as today's explanation read it
        said = {
            part["metric"]: part["value"]
            for group in row.explanation["groups"]
            for part in group["factors"]
            if part["metric"] in manual.KEYS
        }
        found[row.pk] = score(
            configs[versions[row.pk]],
            {**inputs.get(row.pk, {}), **said},
            None,
            as_of=row.as_of,
            card=Card(versions[row.pk], 0, "", ""),
            infos=infos,
            override=row.explanation.get("override"),
        )
    return found


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
    wanted = set(in_scope(actor, scope).values_list("pk", flat=True))
    found = []
    for _end, day in slots(days[-1], WEEKS, days):
        if day is not None:
            rows = read_scores(day, ["customer_id", "band"], lake=lake)
            pairs = zip(rows["customer_id"].to_pylist(), rows["band"].to_pylist(), strict=True)
            counts = Counter(band for pk, band in pairs if pk in wanted)
            found.append(Week(day, tuple(counts[band] for band in BANDS)))
    return found


def published_between(first: date, last: date) -> list[ScorecardVersion]:
    """Versions whose day lies in (first, last]: marks for charts."""
    return list(
        ScorecardVersion.objects.filter(effective_from__gt=first, effective_from__lte=last)
        .select_related("scorecard")
        .order_by("effective_from", "pk")
    )
