"""What became of runs, read on the day that was declared before."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta

from gengyun.churn.calc.target import GONE
from gengyun.health.queries.scores import judged_days as scored_days
from gengyun.health.queries.scores import read_scores
from gengyun.lake.store import Lake
from gengyun.revenue.models import Renewal, RenewalState
from gengyun.sop.calc.form import Form, Outcome
from gengyun.sop.models import RunOutcome
from gengyun.usage.queries.metrics import judged_days as measured_days
from gengyun.usage.queries.metrics import values_as_of

Read = float | None
WITHIN = 6  # days before its day on which a value may have been judged
MERGES = 10
FEW = 500


def values_of(form: Form, rows: Sequence[RunOutcome]) -> dict[int, Read]:
    """run -> value; None: nothing was known on its day."""
    outcome = form.outcome
    if outcome is None:
        return {row.run_id: None for row in rows}
    if outcome.kind == "goal":
        return {row.run_id: _goal(row) for row in rows}
    if outcome.kind == "renewed":
        return _renewed(rows)
    return _on_day(outcome, rows)


def _goal(row: RunOutcome) -> Read:
    reached = row.run.goal_on
    return float(reached is not None and reached <= row.mature_on)


def _renewed(rows: Sequence[RunOutcome]) -> dict[int, Read]:
    """1 where a renewal was signed by its day, due + grace, and not for next to nothing; a renewal
    that became part of another shares its fate (`churn.calc.target`)."""
    found = renewals_with_merged({row.renewal_id for row in rows if row.renewal_id})
    return {row.run_id: _kept(row, found) for row in rows}


def _kept(row: RunOutcome, found: Mapping[int, Renewal]) -> Read:
    renewal = found.get(row.renewal_id or 0)
    for _ in range(MERGES):
        if renewal is None or renewal.merged_into_id is None:
            break
        renewal = found.get(renewal.merged_into_id)
    if renewal is None:
        return None
    is_signed = renewal.state == RenewalState.RENEWED and (
        renewal.decided_on is None or renewal.decided_on <= row.mature_on
    )
    kept = renewal.outcome_minor
    is_gone = kept is not None and renewal.due_minor > 0 and kept <= GONE * renewal.due_minor
    return float(is_signed and not is_gone)


def renewals_with_merged(ids: Collection[int]) -> dict[int, Renewal]:
    found: dict[int, Renewal] = {}
    wanted = set(ids)
    for _ in range(MERGES):
        if not wanted:
            break
        found.update(Renewal.objects.in_bulk(wanted))
        into = {one.merged_into_id for one in found.values() if one.merged_into_id}
        wanted = into - set(found)
    return found


def _on_day(outcome: Outcome, rows: Sequence[RunOutcome]) -> dict[int, Read]:
    """Health or a metric on its day, or as judged at most six days before."""
    lake = Lake.default()
    judged = sorted(
        scored_days(lake) if outcome.kind == "health" else map(_day, measured_days(lake))
    )
    by_day: dict[date, list[RunOutcome]] = {}
    found: dict[int, Read] = dict.fromkeys(row.run_id for row in rows)
    for row in rows:
        day = newest(judged, row.mature_on)
        if day is not None:
            by_day.setdefault(day, []).append(row)
    for day, mine in by_day.items():
        values = levels(outcome, day, {row.run.customer_id for row in mine}, lake)
        found.update({row.run_id: values.get(row.run.customer_id) for row in mine})
    return found


def newest(judged: Iterable[date], until: date) -> date | None:
    return max((day for day in judged if until - timedelta(days=WITHIN) <= day <= until),
               default=None)  # fmt: skip


def levels(
    outcome: Outcome, day: date, customers: Collection[int] | None, lake: Lake
) -> dict[int, float | None]:
    """Customer -> health score or metric on exactly this judged day."""
    if outcome.kind != "health":
        values = values_as_of(day, [outcome.key], customers, lake)
        return {customer: mine.get(outcome.key) for customer, mine in values.items()}
    rows = read_scores(day, ["customer_id", "score"], lake=lake)
    pairs = zip(rows["customer_id"].to_pylist(), rows["score"].to_pylist(), strict=True)
    return {pk: score for pk, score in pairs if customers is None or pk in customers}


def _day(day: date | str) -> date:
    return day if isinstance(day, date) else date.fromisoformat(day)
