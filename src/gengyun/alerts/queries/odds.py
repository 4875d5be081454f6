"""The churn probability as rules look at it: per customer, of what comes due next."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from gengyun.alerts.calc.churn_rules import Odds
from gengyun.alerts.calc.found import Floats, Ints
from gengyun.alerts.queries.day import FEW, Day
from gengyun.alerts.queries.marks import marks_in_force
from gengyun.churn.models import ChurnForecast, ChurnModel
from gengyun.churn.queries.history import (
    NO_RENEWAL,
    Key,
    forecast_days,
    newest_day,
    read_forecasts,
    said_on,
)
from gengyun.lake.store import Lake
from gengyun.revenue.models import Renewal, RenewalState

WITHIN = 6  # days: an older forecast says nothing of today
COLUMNS = [
    "customer_id", "renewal_id", "due_on", "lag_days", "probability", "low", "high", "grade",
    "model_id", "amount_minor", "currency",
]  # fmt: skip


@dataclass(frozen=True)
class Forecast:
    """One row of a day's forecasts."""

    customer_id: int
    renewal_id: int  # NO_RENEWAL: the event is about the customer
    due_on: date | None
    lag_days: int | None
    probability: float | None
    low: float | None
    high: float | None
    grade: str
    model_id: int | None
    amount_minor: int | None
    currency: str
    line: Sequence[Sequence[Any]] = ()  # today's alone: [[ISO day, p, low, high, model id]], weekly

    @property
    def key(self) -> Key:
        return self.customer_id, self.renewal_id


@dataclass(frozen=True)
class Next:
    """What comes due next of a customer: one renewal, or several on one day."""

    rows: Sequence[Forecast]

    @property
    def lead(self) -> Forecast:
        return self.rows[0]

    def mean(self, values: Mapping[Key, float | None]) -> float | None:
        """Weighted by amount; None as soon as one of them is unknown."""
        known = [(values.get(row.key), max(1, row.amount_minor or 0)) for row in self.rows]
        if any(value is None for value, _ in known):
            return None
        whole = sum(weight for _, weight in known)
        return sum((value or 0.0) * weight for value, weight in known) / whole

    def of(self, name: str) -> float | None:
        return self.mean({row.key: getattr(row, name) for row in self.rows})

    @property
    def probability(self) -> float | None:
        return self.of("probability")

    @property
    def grade(self) -> str:
        """The least sure one."""
        return max((row.grade for row in self.rows), default="")

    @property
    def amount_minor(self) -> int | None:
        """Of the lead's currency."""
        mine = [row.amount_minor for row in self.rows if row.currency == self.lead.currency]
        return None if None in mine else sum(one or 0 for one in mine)


def next_due(rows: Iterable[Forecast]) -> dict[int, Next]:
    """Customer -> the forecasts of its earliest due date."""
    of_customer: dict[int, list[Forecast]] = defaultdict(list)
    for row in rows:
        of_customer[row.customer_id].append(row)
    found = {}
    for pk, mine in of_customer.items():
        first = min(row.due_on or date.max for row in mine)
        same = [row for row in mine if (row.due_on or date.max) == first]
        found[pk] = Next(sorted(same, key=lambda row: (-(row.amount_minor or 0), row.renewal_id)))
    return found


def forecasts_on(day: date, *, lake: Lake) -> list[Forecast]:
    """Of exactly this day, from the lake."""
    table = read_forecasts(day, COLUMNS, lake=lake)
    lists = [table[name].to_pylist() for name in COLUMNS]
    return [_forecast(values) for values in zip(*lists, strict=True)]


def forecasts_now(customer_ids: Collection[int] | None = None) -> list[Forecast]:
    """Today's, without renewals that have had their outcome since."""
    rows = ChurnForecast.objects.order_by("pk")
    if customer_ids is not None and len(customer_ids) <= FEW:
        rows = rows.filter(customer_id__in=list(customer_ids))
    found = [
        replace(_forecast(values), line=line)
        for *values, line in rows.values_list(*COLUMNS, "history")
    ]
    asked = {row.renewal_id for row in found if row.renewal_id != NO_RENEWAL}
    over: set[int] = set()
    decided = Renewal.objects.exclude(state=RenewalState.OPEN).order_by()
    if len(asked) <= FEW:
        decided = decided.filter(pk__in=asked)
    over.update(decided.values_list("pk", flat=True))
    return [row for row in found if row.renewal_id not in over]


def _forecast(values: Sequence[Any]) -> Forecast:
    customer, renewal, *rest = values
    grade, currency = rest[5] or "", rest[8] or ""
    return Forecast(customer, renewal or NO_RENEWAL, *rest[:5], grade, *rest[6:8], currency)


def odds(day: Day, *, days: int) -> Odds:
    """Aligned with `day.ids`. Where the day has no forecasts nothing is known of anybody."""
    found, as_of = _current(day)
    count = len(day.ids)
    rows = [found.get(pk) for pk in day.ids.tolist()]
    before, before_on = (
        _before_by_line(rows, as_of, days) if day.is_now else _before(rows, as_of, days, day.lake)
    )
    known = as_of is not None
    return Odds(
        p=_floats([one.probability if one else None for one in rows]),
        before=before,
        mark=_marks(day.tier_ids),
        lag=_floats(
            [
                float((one.lead.due_on - day.today).days) if one and one.lead.due_on else None
                for one in rows
            ]
        ),
        low=_floats([one.of("low") if one else None for one in rows]),
        high=_floats([one.of("high") if one else None for one in rows]),
        grade=np.array([one.grade if one else "" for one in rows], dtype="<U1"),
        settled=np.array([known and one is None for one in rows], dtype=np.bool_).reshape(count),
        due_on=[one.lead.due_on if one else None for one in rows],
        before_on=before_on,
        amount_minor=[one.amount_minor if one else None for one in rows],
        currency=[one.lead.currency if one else "" for one in rows],
    )


def _current(day: Day) -> tuple[dict[int, Next], date | None]:
    """What is said of the day's customers, and of which day that is."""
    if day.is_now:
        rows = forecasts_now(day.ids.tolist())
        newest = ChurnForecast.objects.order_by("-as_of").values_list("as_of", flat=True).first()
        return next_due(rows), newest
    newest = newest_day(day.as_of, lake=day.lake, within=WITHIN)
    if newest is None:
        return {}, None
    return next_due(forecasts_on(newest, lake=day.lake)), newest


def _before(
    rows: Sequence[Next | None], as_of: date | None, days: int, lake: Lake
) -> tuple[Floats, list[date | None]]:
    """What the same model said of the same renewals `days` before, or as early as it can tell."""
    models = {one.lead.model_id for one in rows if one is not None} - {None}
    if as_of is None or not models:
        return _floats([None] * len(rows)), [None] * len(rows)
    cutoffs = dict(ChurnModel.objects.filter(pk__in=models).values_list("pk", "cutoff"))
    said: dict[int | None, tuple[date | None, dict[Key, float | None]]] = {}
    past = [one for one in forecast_days(lake) if one < as_of]
    for pk in models:
        wanted = max(as_of - timedelta(days=days), cutoffs.get(pk or 0, date.min))
        on = _nearest(past, wanted)
        then = said_on(on, lake=lake) if on else {}
        said[pk] = (on, {key: s.probability for key, s in then.items() if s.model_id == pk})
    values: list[float | None] = []
    dates: list[date | None] = []
    for one in rows:
        on, earlier = said.get(one.lead.model_id, (None, {})) if one else (None, {})
        value = one.mean(earlier) if one and earlier else None
        values.append(value)
        dates.append(on if value is not None else None)
    return _floats(values), dates


def _before_by_line(
    rows: Sequence[Next | None], as_of: date | None, days: int
) -> tuple[Floats, list[date | None]]:
    """The same from the weekly lines that today's forecasts carry: nothing is read for it."""
    values: list[float | None] = []
    dates: list[date | None] = []
    for one in rows:
        value = on = None
        if one is not None and as_of is not None:
            mine = [p for p in one.lead.line if p[4] == one.lead.model_id]
            past = [date.fromisoformat(p[0]) for p in mine]
            on = _nearest(past, as_of - timedelta(days=days))
            said = {
                row.key: next((p[1] for p in row.line if on and p[0] == on.isoformat()), None)
                for row in one.rows
            }
            value = one.mean(said) if on else None
        values.append(value)
        dates.append(on if value is not None else None)
    return _floats(values), dates


def _nearest(past: Sequence[date], wanted: date) -> date | None:
    """The newest day up to `wanted` (at most a week before it), else the first one after it."""
    upto = [one for one in past if wanted - timedelta(days=WITHIN) <= one <= wanted]
    after = [one for one in past if one > wanted]
    return max(upto) if upto else min(after, default=None)


def _marks(tier_ids: Ints) -> Floats:
    marks = marks_in_force()
    return np.array([marks.get(pk, np.nan) for pk in tier_ids.tolist()], dtype=np.float64)


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if one is None else one for one in values], dtype=np.float64)
