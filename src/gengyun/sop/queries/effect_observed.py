"""Those worked on beside customers who looked alike, for SOPs without a hold-out: from the health
scores (or the metric) and churn probabilities of past days."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from itertools import islice
from typing import Any

import numpy as np

from gengyun.churn.queries.history import newest_day, probabilities_on
from gengyun.health.queries.scores import judged_days as scored_days
from gengyun.lake.store import Lake
from gengyun.sop.calc.assign import number
from gengyun.sop.calc.form import Form, Outcome
from gengyun.sop.calc.observational import compared
from gengyun.sop.models import Run, SopVersion
from gengyun.sop.queries.effect_outcomes import levels, newest
from gengyun.usage.queries.metrics import judged_days as measured_days

BEFORE, AFTER, APART = 8, 8, 2  # weeks
ENTRIES = 26  # weeks of entries, the newest that have an end
MOST_BESIDE = 20_000  # customers of one week that are looked at


def observed(versions: Sequence[SopVersion], form: Form, *, as_of: date) -> dict[str, Any]:
    """{} where there is too little; what was compared otherwise."""
    lake, outcome = Lake.default(), _compared_by(form)
    weeks = np.arange(-BEFORE, AFTER + 1, APART)
    entered = _entered(versions, as_of - timedelta(weeks=AFTER))
    if not entered:
        return {}
    days = scored_days(lake) if outcome.kind == "health" else measured_days(lake)
    seen = _Levels(outcome, lake, sorted(days))
    ever = set(
        Run.objects.filter(sop=versions[0].sop_id).order_by().values_list("customer_id", flat=True)
    )
    table, churn, worked_on = [], [], []
    for place, (monday, customers) in enumerate(entered.items()):
        others = _others(seen.on(monday), ever, place, len(entered))
        rows = _week(seen, monday, weeks, [*sorted(customers), *others])
        probability = _churn(monday, lake)
        for customer, row in rows.items():
            table.append(row)
            churn.append(probability.get(customer, np.nan))
            worked_on.append(customer in customers)
    if not table:
        return {}
    found = compared(
        np.array(table, np.float64),
        weeks=weeks,
        churn=np.array(churn, np.float64),
        worked_on=np.array(worked_on, np.bool_),
    )
    if found is None:
        return {}
    return {**asdict(found), "went_alike": found.went_alike, "by": outcome.kind,
            "key": outcome.key, "weeks": AFTER}  # fmt: skip


def _compared_by(form: Form) -> Outcome:
    """What has a level before and after; renewals and goals have none, the health score does."""
    if form.outcome is not None and form.outcome.kind in {"health", "metric"}:
        return form.outcome
    return Outcome("health")


def _entered(versions: Sequence[SopVersion], until: date) -> dict[date, set[int]]:
    """Monday -> customers whose run began in that week, the newest weeks."""
    runs = Run.objects.filter(
        version__in=versions,
        entered_on__lte=until,
        entered_on__gt=until - timedelta(weeks=ENTRIES),
        arm=Run.Arm.TREAT,
    )
    found: dict[date, set[int]] = {}
    for day, customer in runs.order_by("entered_on").values_list("entered_on", "customer_id"):
        found.setdefault(day - timedelta(days=day.weekday()), set()).add(customer)
    return found


class _Levels:
    """The levels of a day, each read once."""

    def __init__(self, outcome: Outcome, lake: Lake, judged: Sequence[date]) -> None:
        self.outcome, self.lake, self.judged = outcome, lake, judged
        self._read: dict[date, Mapping[int, float | None]] = {}

    def on(self, day: date) -> Mapping[int, float | None]:
        found = newest(self.judged, day)
        if found is None:
            return {}
        if found not in self._read:
            self._read[found] = levels(self.outcome, found, None, self.lake)
        return self._read[found]


def _others(levels: Collection[int], ever: set[int], place: int, many: int) -> list[int]:
    """Customers who never were in this SOP: each stands beside one week, or it would count many
    times over."""
    found = (one for one in sorted(levels) if one not in ever)
    return list(
        islice((one for one in found if number("beside", one) % many == place), MOST_BESIDE)
    )


def _week(
    seen: _Levels, monday: date, weeks: Any, customers: Collection[int]
) -> dict[int, list[float]]:
    """Levels around one Monday."""
    columns = [seen.on(monday + timedelta(weeks=int(week))) for week in weeks]
    rows: dict[int, list[float]] = {}
    for customer in customers:
        row = [column.get(customer) for column in columns]
        rows[customer] = [np.nan if value is None else value for value in row]
    return rows


def _churn(monday: date, lake: Lake) -> dict[int, float]:
    """Customer -> the highest probability said of it on or shortly before that day."""
    day = newest_day(monday, lake=lake, within=6)
    if day is None:
        return {}
    found: dict[int, float] = {}
    for (customer, _), p in probabilities_on(day, lake=lake).items():
        found[customer] = max(p, found.get(customer, 0.0))
    return found
