"""What a rule would have opened, week by week. Pure: the same steps as the daily judgement."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from math import ceil

import numpy as np

from gengyun.alerts.calc.episodes import Do, Running, Terms, step
from gengyun.alerts.calc.found import Found, Reading


@dataclass(frozen=True)
class Week:
    """One judged day a week; `opened` is None where nothing was known of the inputs."""

    as_of: date
    opened: int | None
    running: int


@dataclass(frozen=True)
class Flagged:
    key: str
    customer_id: int | None
    since: date
    reading: Reading


@dataclass
class _Run:
    opened_on: date
    is_open: bool
    judged_on: date
    enter_count: int
    exit_count: int
    reference: float | None
    reading: Reading
    row_customer: int | None


def dry_run(days: Iterable[tuple[date, Found]]) -> tuple[list[Week], list[Flagged]]:
    """Judge the days in order, oldest first; the weeks, and who is flagged on the last of them.

    Nobody closes anything by hand in it, so nothing cools down. A rule that asks for several days
    in a row is asked for as many weeks as they make.
    """
    runs: dict[str, _Run] = {}
    weeks = []
    for place, (as_of, found) in enumerate(days):
        is_known = bool(np.isfinite(found.value).any()) or found.keys is not None
        opened = sum(_judge(runs, found, key, row, as_of) for key, row in _todo(runs, found))
        running = sum(run.is_open for run in runs.values())
        # the first day finds what has been going on for long: that is not what a week opens
        is_first = place == 0
        weeks.append(Week(as_of, opened if is_known and not is_first else None, running))
    flagged = [
        Flagged(key, run.row_customer, run.opened_on, run.reading)
        for key, run in runs.items()
        if run.is_open
    ]
    return weeks, flagged


def _todo(runs: dict[str, _Run], found: Found) -> list[tuple[str, int | None]]:
    places = {key: row for row, key in enumerate(found.keys or ())}
    todo: dict[str, int | None] = {
        found.key(row): row for row in np.nonzero(found.entered)[0].tolist()
    }
    for key, run in runs.items():
        if key not in todo:
            known = places.get(key) if found.keys is not None else found.row_of(run.row_customer)
            todo[key] = known
    return list(todo.items())


def _judge(runs: dict[str, _Run], found: Found, key: str, row: int | None, as_of: date) -> bool:
    """True: an episode opened."""
    run = runs.get(key)
    if row is None or (found.outside is not None and bool(found.outside[row])):
        runs.pop(key, None)
        return False
    days = (as_of - run.opened_on).days if run else 0
    reading = found.reading(row, reference=run.reference if run else None, days_open=days)
    decided = step(
        reading=reading,
        running=_running(run),
        ended=None,
        terms=Terms(evaluations=ceil(found.evaluations / 7), exit_evaluations=1),
        as_of=as_of,
    )
    if decided.do in {Do.CLOSE, Do.FORGET}:
        runs.pop(key, None)
        return False
    if decided.do not in {Do.OPEN, Do.WATCH, Do.GO_ON}:
        return False
    customer_id = int(found.ids[row])
    if run is None:
        run = _Run(
            opened_on=as_of,
            is_open=False,
            judged_on=as_of,
            enter_count=0,
            exit_count=0,
            reference=reading.reference,
            reading=reading,
            row_customer=None if customer_id < 0 else customer_id,
        )
        runs[key] = run
    run.judged_on, run.reading = as_of, reading
    run.enter_count, run.exit_count = decided.enter_count, decided.exit_count
    if decided.do is Do.OPEN:
        run.is_open, run.opened_on = True, as_of
        return True
    return False


def _running(run: _Run | None) -> Running | None:
    if run is None:
        return None
    return Running(run.is_open, run.opened_on, run.judged_on, run.enter_count, run.exit_count)
