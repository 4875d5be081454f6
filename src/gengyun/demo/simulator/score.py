"""What alerts were worth, against the truth of a simulated world (science.md 5.2).

Judged every seventh day; an account that was alerted stays quiet for 45 days. An alert is true when
a decline that shows in use had begun in the 45 days before it; a decline is caught when an alert
came within its first 45 days. Slow wandering of use, however real, counts as no decline: precision
is understated, for every detector alike.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gengyun.demo.simulator.shapes import World

STEP, BLOCK, WITHIN = 7, 45, 45  # days
MONTH = 365.25 / 12
WARM_UP = 56  # days of use before an account can be judged
SPRING = ((1, 15), (3, 10))  # Spring Festival with its run-down and its recovery

Flags = npt.NDArray[np.bool_]


@dataclass
class Tally:
    alerts: int = 0
    true: int = 0
    declines: int = 0
    caught: int = 0
    in_spring: int = 0
    judged: int = 0  # account-days
    judged_in_spring: int = 0
    judged_in_decline: int = 0
    delays: tuple[int, ...] = ()

    @property
    def per_100_months(self) -> float:
        return 100 * self.alerts / (self.judged / MONTH)

    @property
    def precision(self) -> float:
        return self.true / max(self.alerts, 1)

    @property
    def recall(self) -> float:
        return self.caught / max(self.declines, 1)

    @property
    def spring_share(self) -> float:
        """Share of the alerts that fell into the Spring Festival window."""
        return self.in_spring / max(self.alerts, 1)

    @property
    def spring_time(self) -> float:
        return self.judged_in_spring / max(self.judged, 1)

    @property
    def base_rate(self) -> float:
        """What an alert on a day drawn by lot would be true with."""
        return self.judged_in_decline / max(self.judged, 1)

    @property
    def delay(self) -> float:
        return float(np.median(self.delays)) if self.delays else float("nan")


def judged_days(world: World, history: int) -> list[int]:
    """The days on which a world is judged: whole history before, time to see the end after."""
    return list(range(history, world.seen.events.shape[1] - WITHIN, STEP))


def blocked(signal: Flags) -> Flags:
    """[account, evaluation] -> where an alert opens, with the quiet time after each."""
    opened = np.zeros_like(signal)
    last = np.full(signal.shape[0], -BLOCK)
    for k in range(signal.shape[1]):
        opened[:, k] = signal[:, k] & (k * STEP - last >= BLOCK)
        last[opened[:, k]] = k * STEP
    return opened


def volume(worlds: Sequence[World], opened: Sequence[Flags], history: int) -> float:
    """Alerts per 100 account-months, as in `Tally`, and nothing else."""
    alerts = judged = 0
    for world, mine in zip(worlds, opened, strict=True):
        at = np.array(judged_days(world, history))
        is_judged = at >= world.seen.first_day[:, None] + WARM_UP
        alerts += int((mine & is_judged).sum())
        judged += int(is_judged.sum()) * STEP
    return 100 * alerts / (judged / MONTH)


def tally(worlds: Sequence[World], opened: Sequence[Flags], history: int) -> Tally:
    """Figures over several worlds together."""
    total = Tally()
    for world, mine in zip(worlds, opened, strict=True):
        _add(total, world, mine, judged_days(world, history))
    return total


def declines(world: World) -> dict[int, list[int]]:
    """Account -> days from which a shock for the worse shows in use."""
    found: dict[int, list[int]] = defaultdict(list)
    for shock in world.truth.shocks:
        if shock.use < 0 and shock.shows_from is not None:
            found[shock.account].append(shock.shows_from)
    return found


def _add(total: Tally, world: World, opened: Flags, days: list[int]) -> None:
    truth = declines(world)
    spring = np.array([_is_spring(world, day) for day in days])
    at = np.array(days)
    delays = list(total.delays)
    for account in range(opened.shape[0]):
        began = np.array(sorted(truth.get(account, ())), dtype=np.int64)
        judged = at >= world.seen.first_day[account] + WARM_UP
        total.judged += int(judged.sum()) * STEP
        total.judged_in_spring += int((judged & spring).sum()) * STEP
        age = at[:, None] - began
        is_true = ((age > 0) & (age <= WITHIN)).any(axis=1)
        total.judged_in_decline += int((judged & is_true).sum()) * STEP
        mine = opened[account] & judged
        total.alerts += int(mine.sum())
        total.true += int((mine & is_true).sum())
        total.in_spring += int((mine & spring).sum())
        for day in began.tolist():
            # only those that could have been seen: a baseline before, evaluations after
            if not max(days[0], world.seen.first_day[account] + WARM_UP) <= day < days[-1]:
                continue
            total.declines += 1
            after = at[mine] - day
            hits = after[(after > 0) & (after <= WITHIN)]
            if hits.size:
                total.caught += 1
                delays.append(int(hits.min()))
    total.delays = tuple(delays)


def _is_spring(world: World, day: int) -> bool:
    on = world.seen.day(day)
    return SPRING[0] <= (on.month, on.day) <= SPRING[1]
