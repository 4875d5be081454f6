"""What alerts were worth on real history: who fell silent, how long before, how many were false.

Silent: no use for `silent_days` after a last day of use. An alert of day D is true when such a
silence begins between `silent_days` before D and `silent_days` after it, false when that is known
not to be so, and undecided while the history is too short to tell. Days are numbers, in order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

MONTH = 30
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Opened:
    customer: int
    day: int  # judged day


@dataclass
class Outcome:
    alerts: int = 0
    true: int = 0
    false: int = 0
    undecided: int = 0
    silences: int = 0  # known ones of customers that had enough use for the rules
    caught: int = 0  # with at least one alert of theirs
    before: int = 0  # of them: alerted on or before the last day of use
    leads: list[int] = field(default_factory=list)  # last day of use - first alert; of the caught

    @property
    def precision(self) -> float | None:
        decided = self.true + self.false
        return self.true / decided if decided else None

    @property
    def recall(self) -> float | None:
        return self.caught / self.silences if self.silences else None


def openings(entered: Flags, over: Flags, *, quiet: int) -> Flags:
    """[customer, evaluation] -> where an episode opens: entered, none open, and none that ended
    less than `quiet` evaluations ago."""
    opened = np.zeros_like(entered)
    customers, count = entered.shape
    is_open = np.zeros(customers, dtype=np.bool_)
    ended = np.full(customers, -quiet - 1)
    for k in range(count):
        ends = is_open & over[:, k]
        ended[ends] = k
        is_open &= ~ends
        opened[:, k] = entered[:, k] & ~is_open & (k - ended > quiet)
        is_open |= opened[:, k]
    return opened


def silences(used: Ints, *, silent_days: int, until: int) -> list[int]:
    """The last days of use before each silence; `used`: days with use, ascending; `until`: the
    first day of which nothing is known."""
    if not len(used):
        return []
    following = np.append(used[1:], until)
    return [int(day) for day in used[following - used > silent_days]]


def is_decided(day: int, last_days: Sequence[int], *, silent_days: int, until: int) -> bool | None:
    """Whether an alert of `day` was true; None: not known yet."""
    if any(last - silent_days <= day <= last + silent_days for last in last_days):
        return True
    # a silence that begins up to silent_days later is known silent_days after that
    return False if day + 2 * silent_days < until else None


def judge(
    alerts: Sequence[Opened],
    use_days: Mapping[int, Ints],
    able: Mapping[int, Sequence[int]],
    *,
    silent_days: int,
    until: int,
) -> Outcome:
    """`use_days`: per customer, ascending. `able`: judged days on which it had enough use for the
    rules; silences count that begin within MONTH days after one of them."""
    found = Outcome(alerts=len(alerts))
    ends = {
        customer: silences(days, silent_days=silent_days, until=until)
        for customer, days in use_days.items()
    }
    of_customer: dict[int, list[int]] = {}
    for alert in alerts:
        of_customer.setdefault(alert.customer, []).append(alert.day)
        verdict = is_decided(
            alert.day, ends.get(alert.customer, []), silent_days=silent_days, until=until
        )
        found.true += verdict is True
        found.false += verdict is False
        found.undecided += verdict is None
    for customer, days in ends.items():
        for end in days:
            if not any(end - MONTH <= day <= end for day in able.get(customer, ())):
                continue
            found.silences += 1
            mine = [
                day
                for day in of_customer.get(customer, ())
                if end - silent_days <= day <= end + silent_days
            ]
            if mine:
                found.caught += 1
                found.leads.append(end - min(mine))
                found.before += min(mine) <= end
    return found


def by_lot(
    use_days: Mapping[int, Ints],
    able: Mapping[int, Sequence[int]],
    *,
    silent_days: int,
    until: int,
) -> float | None:
    """What an alert would have been true with on a customer and day drawn by lot, among those of
    which the rules could speak."""
    true = decided = 0
    for customer, days in able.items():
        ends = silences(use_days[customer], silent_days=silent_days, until=until)
        for day in days:
            verdict = is_decided(day, ends, silent_days=silent_days, until=until)
            true += verdict is True
            decided += verdict is not None
    return true / decided if decided else None
