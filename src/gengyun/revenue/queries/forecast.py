"""The forecast of the renewals an actor sees, in one currency, with what it rests on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet

from gengyun.revenue.calc.chances import is_fresh
from gengyun.revenue.calc.forecast import DRAWS, Book, Forecast, forecast
from gengyun.revenue.calc.forecast_sums import Sums
from gengyun.revenue.calc.renewal_odds import Ints
from gengyun.revenue.models import (
    Category,
    ForecastFigure,
    ForecastRun,
    ForecastScope,
    ForecastSpan,
    Renewal,
    RenewalState,
)
from gengyun.revenue.models.renewals import rise
from gengyun.revenue.queries.odds import Learned, learned
from gengyun.revenue.queries.renewals import before, converter
from gengyun.team.models import Role, User
from gengyun.team.queries.access import SEES_ALL

MOST_DRAWN = 15_000_000  # renewals x draws of a page: about a quarter of a second
FEWEST_DRAWS = 500
FEW_DECIDED = 30  # below it the rates are mostly what was stated


@dataclass(frozen=True)
class Said:
    """What the CSMs forecast: decided renewals as they came out, lost ones as nothing."""

    minor: int
    unjudged: int
    unjudged_minor: int  # what comes due of those


@dataclass(frozen=True)
class Row:
    """A renewal of the book, amounts in the base currency."""

    pk: int
    tier_id: int | None
    owner_id: int | None
    due_on: date
    is_first: bool
    is_open: bool
    due_minor: int
    outcome_minor: int
    said_minor: int | None
    renewing: float | None = None  # chance of renewing, of a churn model; None: it says nothing
    asked: float | None = None  # ARR asked for the next term over what comes due; None: not said


@dataclass(frozen=True)
class Expected:
    """A forecast with what one must know to read it."""

    forecast: Forecast
    rows: tuple[Row, ...]
    learned: Learned
    currency: str
    draws: int
    without_rate: dict[str, int]  # currency -> renewals left out
    owner_codes: tuple[int, ...]  # user ids, 0 nobody
    tier_codes: tuple[int, ...]

    @property
    def said(self) -> Said:
        return said(self.rows)

    @property
    def is_thin(self) -> bool:
        return self.learned.odds.decided < FEW_DECIDED

    @property
    def asked(self) -> int:
        """Open renewals whose price for the next term was told."""
        return sum(row.is_open and row.asked is not None for row in self.rows)

    @property
    def from_model(self) -> int:
        """Open renewals that the churn model speaks for."""
        return self.forecast.from_model

    @property
    def from_rates(self) -> int:
        """Open renewals that only the rate of their kind speaks for."""
        return self.forecast.total.open_count - self.forecast.from_model


def expect(
    renewals: QuerySet[Renewal],
    *,
    as_of: date,
    using: Learned | None = None,
    probabilities: Mapping[int, float] | None = None,
    draws: int | None = None,
    teams: Mapping[int, Sequence[int]] | None = None,
    moment: datetime | None = None,
) -> Expected:
    """Simulate these renewals as of a day.

    A renewal comes out with the chance that the churn model gave it, and without one with the rate
    of its kind in `using` (this week's by default). `probabilities`: renewal -> chance of renewing
    to use instead of what the churn model said; {} for rates alone. `teams`: owner -> the teams
    they count in, from the top. `moment`: as they stood then; default now.
    """
    known = using or learned(as_of)
    rows, currency, without_rate = book_rows(renewals, as_of, moment)
    own = probabilities
    if own is None:
        own = {row.pk: row.renewing for row in rows if row.renewing is not None}
    book = Book(
        key=_ints(row.pk for row in rows),
        cell=_ints(known.place(row.tier_id, row.is_first) for row in rows),
        due_on=np.array([row.due_on for row in rows], "datetime64[D]"),
        due_minor=_ints(row.due_minor for row in rows),
        settled_minor=np.array([np.nan if row.is_open else row.outcome_minor for row in rows]),
        probability=np.array([own.get(row.pk, np.nan) for row in rows]),
        asked=np.array([np.nan if row.asked is None else row.asked for row in rows]),
    )
    count = draws or max(FEWEST_DRAWS, min(DRAWS, MOST_DRAWN // max(len(rows), 1)))
    owners, owner_codes = _coded([row.owner_id or 0 for row in rows])
    tiers, tier_codes = _coded([row.tier_id or 0 for row in rows])
    months = book.due_on.astype("datetime64[M]").astype(np.int64)
    groups = {
        "month": months,
        "quarter": months // 3,
        "owner": owners,
        "tier": tiers,
        **_by_quarter(rows, months // 3, owners, tiers, teams),
    }
    made = forecast(book, known.odds, as_of=np.datetime64(as_of), groups=groups, draws=count)
    return Expected(
        made, tuple(rows), known, currency, count, without_rate, owner_codes, tier_codes
    )


def _by_quarter(
    rows: Sequence[Row],
    quarters: Ints,
    owners: Ints,
    tiers: Ints,
    teams: Mapping[int, Sequence[int]] | None,
) -> dict[str, Ints]:
    """Dimensions of the weekly run: key * SPAN + quarter, one for each level of teams."""
    if teams is None:
        return {}
    found = {"owner_quarter": owners * SPAN + quarters, "tier_quarter": tiers * SPAN + quarters}
    depth = max((len(path) for path in teams.values()), default=0)
    for level in range(depth):
        at = [_level(teams.get(row.owner_id or 0, ()), level) for row in rows]
        codes = _ints(at)
        found[f"team_quarter:{level}"] = np.where(codes < 0, -1, codes * SPAN + quarters)
    return found


SPAN = 10_000  # more quarters than any calendar holds


def _level(path: Sequence[int], level: int) -> int:
    return path[level] if level < len(path) else -1


COLUMNS = (
    "pk", "due_on", "due_minor", "state", "outcome_minor", "category", "forecast_minor",
    "currency", "customer__tier_id", "customer__owner_id", "has_before", "churn_probability",
    "churn_on", "asked_minor",
)  # fmt: skip
REPLAYED = (*COLUMNS[1:7], "asked_minor")


def book_rows(
    renewals: QuerySet[Renewal], as_of: date, moment: datetime | None = None
) -> tuple[list[Row], str, dict[str, int]]:
    """Rows in the base currency; those in a currency without a rate are counted, not guessed."""
    convert, currency = converter(as_of)
    found: list[Row] = []
    without_rate: dict[str, int] = {}
    for values in _values(renewals, moment):
        code = values["currency"]
        due, outcome, opinion = (
            None if minor is None else convert(minor, code)
            for minor in (
                values["due_minor"],
                values["outcome_minor"] or 0,
                values["forecast_minor"],
            )
        )
        if due is None or outcome is None:
            without_rate[code] = without_rate.get(code, 0) + 1
            continue
        is_open = values["state"] == RenewalState.OPEN
        found.append(
            Row(
                pk=values["pk"],
                tier_id=values["customer__tier_id"],
                owner_id=values["customer__owner_id"],
                due_on=values["due_on"],
                is_first=not values["has_before"],
                is_open=is_open,
                due_minor=due,
                outcome_minor=outcome,
                said_minor=_opinion(values["category"], opinion) if is_open else outcome,
                renewing=_renewing(values, as_of) if is_open else None,
                asked=_asked(values),
            )
        )
    return found, currency, without_rate


def _values(renewals: QuerySet[Renewal], moment: datetime | None) -> Iterator[dict[str, Any]]:
    earlier = Renewal.objects.filter(
        customer_id=OuterRef("customer_id"), due_on__lt=OuterRef("due_on")
    ).exclude(state=RenewalState.MERGED)
    rows = renewals.exclude(state=RenewalState.MERGED).annotate(has_before=Exists(earlier))
    if moment is not None:
        rows = rows.filter(created_at__lte=moment)
    found = list(rows.order_by("pk").values(*COLUMNS))
    then = before([row["pk"] for row in found], moment) if moment is not None else {}
    for row in found:
        was = then.get(row["pk"])
        if was is not None:
            for name in REPLAYED:
                row[name] = was.get(name, row[name])
            if isinstance(row["due_on"], str):
                row["due_on"] = date.fromisoformat(row["due_on"])
        yield row


def _renewing(values: Mapping[str, Any], as_of: date) -> float | None:
    lost = values["churn_probability"]
    if lost is None or not is_fresh(values["churn_on"], as_of, values["due_on"]):
        return None
    return 1.0 - float(lost)


def _asked(values: Mapping[str, Any]) -> float | None:
    more = rise(values["asked_minor"], values["due_minor"])
    return None if more is None else 1 + more


def _opinion(category: str, forecast_minor: int | None) -> int | None:
    """What counts as the CSM's forecast of an open renewal; None: not judged."""
    if category == Category.UNJUDGED:
        return None
    return 0 if category == Category.LOST else forecast_minor


def said(rows: Sequence[Row]) -> Said:
    silent = [row for row in rows if row.said_minor is None]
    return Said(
        sum(row.said_minor or 0 for row in rows),
        len(silent),
        sum(row.due_minor for row in silent),
    )


def _ints(values: Iterable[int]) -> Ints:
    return np.array(list(values), dtype=np.int64)


def _coded(keys: Sequence[int]) -> tuple[Ints, tuple[int, ...]]:
    codes = sorted(set(keys))
    place = {key: k for k, key in enumerate(codes)}
    return _ints(place[key] for key in keys), tuple(codes)


# --- what was said in the weeks before ----------------------------------------------------------


@dataclass(frozen=True)
class Week:
    as_of: date
    due_minor: int
    p10_minor: int
    p50_minor: int
    p90_minor: int
    expected_minor: int
    said_minor: int
    unjudged_count: int


def weeks(
    *, scope: str, key: int, span: str, period_on: date, until: date, count: int = 13
) -> list[Week]:
    """The weekly runs up to `until`, oldest first, of one scope and one month or quarter."""
    rows = ForecastFigure.objects.filter(
        scope=scope, key=key, span=span, period_on=period_on, run__as_of__lte=until
    )
    found = rows.order_by("-run__as_of").values_list(
        "run__as_of", "due_minor", "p10_minor", "p50_minor", "p90_minor", "expected_minor",
        "said_minor", "unjudged_count",
    )[:count]  # fmt: skip
    return [Week(*row) for row in reversed(found)]


def used_a_model(as_of: date) -> bool:
    """Whether the run of that day took probabilities of a churn model for any renewal."""
    runs = ForecastRun.objects.filter(as_of=as_of).values_list("odds__from_model", flat=True)
    return bool(runs.first())


def scope_of(actor: User | None, owner_id: int | None) -> tuple[str, int]:
    """The recorded scope that shows what this actor sees: company, team, or own book."""
    if owner_id is not None:
        return ForecastScope.OWNER, owner_id
    if actor is None or actor.role in SEES_ALL:
        return ForecastScope.ALL, 0
    if actor.role == Role.LEADER and actor.team_id is not None:
        return ForecastScope.TEAM, actor.team_id
    return ForecastScope.OWNER, actor.pk


def quarter_start(day: date) -> date:
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def next_period(first: date, span: str) -> date:
    """The first day after the month or quarter that begins on `first`."""
    days = 31 if span == ForecastSpan.MONTH else 31 * 3
    return (first + timedelta(days=days)).replace(day=1)


def period_code(code: int, span: str) -> date:
    """First day of a month or quarter counted from 1970, as the groups of a forecast are."""
    month = code * 3 if span == ForecastSpan.QUARTER else code
    return date(1970 + month // 12, month % 12 + 1, 1)


def figures(sums: Sums) -> dict[str, int]:
    """As the columns of `ForecastFigure`."""
    return {
        "count": sums.count,
        "open_count": sums.open_count,
        "due_minor": sums.due_minor,
        "settled_minor": sums.settled_minor,
        "expected_minor": sums.expected_minor,
        "p10_minor": sums.p10_minor,
        "p50_minor": sums.p50_minor,
        "p90_minor": sums.p90_minor,
        "gross_expected_minor": sums.gross.expected_minor,
        "gross_p10_minor": sums.gross.p10_minor,
        "gross_p50_minor": sums.gross.p50_minor,
        "gross_p90_minor": sums.gross.p90_minor,
    }
