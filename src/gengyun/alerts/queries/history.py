"""The usage rules replayed over the past as it was known, to see what they would have said."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from gengyun.alerts.calc.detect import DAYS_NEEDED, dormant, slow_slide, usage_drop
from gengyun.alerts.calc.outcomes import Opened, openings
from gengyun.lake.store import Lake
from gengyun.usage.calc.calendar import learn
from gengyun.usage.calc.plan import ANY_USE

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
RULES = ("usage_drop", "dormant", "slow_slide")
COOL_DOWN_DAYS = 14
SETTLED_DAYS = 98  # a lower level that lasted through both windows is the new usual


@dataclass(frozen=True)
class Replay:
    """Days are counted from 1970-01-01, as numpy does."""

    days: list[int]  # judged
    opened: dict[str, list[Opened]]  # by rule, and "any": R1 and R2 as one work item
    use_days: dict[int, Ints]
    until: int  # the first day of which nothing is known
    able: dict[int, list[int]]  # judged days on which a customer had enough use for R1 or R2


def replay(
    *,
    first: date | None = None,
    last: date | None = None,
    every: int = 7,
    lake: Lake | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Replay:
    """Every `every` days from half a year after the first use on; all rows in memory at once."""
    rows, ids = _rows(lake or Lake.default())
    until = int(rows.day.max(initial=0)) + 1
    begin = int(rows.day.min(initial=until)) + DAYS_NEEDED
    start = begin if first is None else max(begin, _number(first))
    stop = until if last is None else min(until, _number(last))
    judged = list(range(start, stop + 1, every)) if len(ids) else []
    entered, over, enough = _judge(judged, rows, len(ids), report)
    able = {
        int(ids[k]): [judged[int(d)] for d in np.nonzero(enough[k])[0]] for k in range(len(ids))
    }
    opened = {
        rule: _opened(entered[rule], over[rule], judged, ids, every) for rule in RULES if judged
    }
    if judged:
        # one work item per customer for R1 and R2, as their causes are of one family
        both = entered["usage_drop"] | entered["dormant"]
        neither = over["usage_drop"] & over["dormant"]
        opened["any"] = _opened(both, neither, judged, ids, every)
    use_days = {int(ids[k]): np.unique(rows.day[rows.row == k]) for k in range(len(ids))}
    return Replay(judged, opened, use_days, until, able)


def _number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))


@dataclass(frozen=True)
class _Rows:
    """Use by customer (row of `ids`) and day, with the day it became known; ordered by day."""

    row: Ints
    day: Ints
    known: Ints
    n: npt.NDArray[np.float64]


def _rows(lake: Lake) -> tuple[_Rows, Ints]:
    found = lake.read(
        "daily",
        where=[("measure", "=", ANY_USE.key)],
        columns=["customer_id", "day", "known_day", "n"],
    )
    customer = np.asarray(found["customer_id"].to_numpy(), dtype=np.int64)
    day, known = (
        np.asarray(found[name].to_numpy()).astype("datetime64[D]").astype(np.int64)
        for name in ("day", "known_day")
    )
    n = np.asarray(found["n"].to_numpy(), dtype=np.float64)
    ids, row = np.unique(customer, return_inverse=True)
    order = np.argsort(day, kind="stable")
    return _Rows(row[order], day[order], known[order], n[order]), ids


def _windows(
    judged: Sequence[int], rows: _Rows, count: int
) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    """What was known before each judged day of the days before it."""
    for as_of in judged:
        low, high = np.searchsorted(rows.day, [as_of - DAYS_NEEDED, as_of])
        part = slice(int(low), int(high))
        heard = rows.known[part] < as_of
        place = rows.row[part] * DAYS_NEEDED + rows.day[part] - (as_of - DAYS_NEEDED)
        use = np.zeros(count * DAYS_NEEDED)
        np.add.at(use, place[heard], rows.n[part][heard])
        yield as_of, use.reshape(count, DAYS_NEEDED)


def _judge(
    judged: Sequence[int], rows: _Rows, count: int, report: Callable[[int, int], None] | None
) -> tuple[dict[str, Flags], dict[str, Flags], Flags]:
    entered = {rule: np.zeros((count, len(judged)), dtype=np.bool_) for rule in RULES}
    over = {rule: np.zeros((count, len(judged)), dtype=np.bool_) for rule in RULES}
    enough = np.zeros((count, len(judged)), dtype=np.bool_)
    level = np.full(count, np.nan)  # rate before the open episode of R1
    since = np.full(count, -1)
    for k, (as_of, use) in enumerate(_windows(judged, rows, count)):
        start = date(1970, 1, 1) + timedelta(days=as_of - DAYS_NEEDED)
        calendar = learn(use, start=start)
        drops = usage_drop(use, calendar.factor)
        quiet = dormant(use, calendar.factor)
        slides = slow_slide(use, calendar.factor)
        entered["usage_drop"][:, k] = drops.is_confirmed
        new = drops.is_confirmed & (since < 0)
        level[new], since[new] = drops.rate_before[new], as_of
        is_back = drops.rate_now >= 0.9 * level
        is_usual = (as_of - since > SETTLED_DAYS) & (drops.rate_now > 0)
        ended = (since >= 0) & (is_back | is_usual)
        over["usage_drop"][:, k] = ended | (since < 0)
        since[ended] = -1
        entered["dormant"][:, k] = quiet.is_dormant
        over["dormant"][:, k] = quiet.effective_days < 5
        entered["slow_slide"][:, k] = slides.is_sliding
        over["slow_slide"][:, k] = ~(slides.height >= 2)
        enough[:, k] = (drops.expected >= 5) | (quiet.active_days_before >= 20)
        if report:
            report(k + 1, len(judged))
    return entered, over, enough


def _opened(
    entered: Flags, over: Flags, judged: Sequence[int], ids: Ints, every: int
) -> list[Opened]:
    quiet = -(-COOL_DOWN_DAYS // every)
    rows, places = np.nonzero(openings(entered, over, quiet=quiet))
    return [Opened(int(ids[r]), judged[int(k)]) for r, k in zip(rows, places, strict=True)]
