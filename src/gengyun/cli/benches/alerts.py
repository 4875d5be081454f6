"""What alerts are worth, on simulated worlds whose truth is known, and what an outage does.

Every detector gets the same budget: 3 alerts per 100 accounts and month. Its threshold is found on
worlds of other seeds than those it is reported on. The outage and the replay run through the
product itself: database, lake, day after day.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

BUDGET = 3.0  # alerts per 100 account-months
LEARNING_SEEDS, REPORTED_SEEDS = (101, 102), (1, 2, 3, 4)
PRECISION, RECALL, SPRING = 0.28, 0.18, 1.3

Floats = npt.NDArray[np.float64]
Scores = dict[str, list[Floats]]  # detector -> per world [account, evaluation]; small: alert


def run(report) -> None:
    from gengyun.cli.benches import alerts_days

    _detectors(report)
    alerts_days.run(report)


def _detectors(report) -> None:
    from gengyun.alerts.calc.detect import DAYS_NEEDED, DropRule
    from gengyun.demo.simulator.config import preset
    from gengyun.demo.simulator.make import make_world
    from gengyun.demo.simulator.score import blocked, tally, volume

    report.say("alerts: simulating 4 worlds of 500 accounts over 4.5 years, and two to learn from")
    learning = [make_world(preset("smb", days=1_100), seed=seed) for seed in LEARNING_SEEDS]
    reported = [make_world(preset("smb"), seed=seed) for seed in REPORTED_SEEDS]
    report.say("alerts: judging every week of them")
    before, after = _scores(learning), _scores(reported)
    for name in before:
        edge = _threshold(
            lambda at, name=name: volume(
                learning, [blocked(s < at) for s in before[name]], DAYS_NEEDED
            ),
            *(_EDGES[name]),
        )
        found = tally(reported, [blocked(s < edge) for s in after[name]], DAYS_NEEDED)
        _add(report, name, found, edge)
    shipped = [blocked(s < DropRule.z) for s in after["usage_drop"]]
    _add(report, "as_shipped", tally(reported, shipped, DAYS_NEEDED), DropRule.z)
    report.note(
        f"alerts: 4 worlds x 500 accounts x 4.5 years (seeds {REPORTED_SEEDS}); thresholds for "
        f"{BUDGET:g} alerts per 100 account-months found on seeds {LEARNING_SEEDS}; true: a "
        "decline that shows in use began within the 45 days before; weekly, 45 days quiet after"
    )
    report.note(
        "alerts: controls of the same budget: this week against the last; 7 days against 28; "
        "no_learning: our rule with the published holidays alone; as_shipped: our default marks"
    )
    report.note("alerts: constants of the simulated world are assumptions (docs/alerts.md)")


# where each detector's mark may lie; the first is the product's, the others are controls
_EDGES = {
    "usage_drop": (-12.0, 0.0),
    "week_on_week": (0.0, 1.0),
    "7_over_28": (0.0, 1.0),
    "no_learning": (-12.0, 0.0),  # the product's rule with the published holidays alone
}


def _add(report, name: str, found, edge: float) -> None:
    ours = name == "usage_drop"
    unit = "ratio" if name in _EDGES and _EDGES[name][1] else "z"
    report.add(name=f"alerts.{name}.threshold", value=edge, unit=unit)
    report.add(name=f"alerts.{name}.volume", value=found.per_100_months, unit="/100 months")
    report.add(
        name=f"alerts.{name}.precision",
        value=found.precision,
        unit=f"of {found.alerts} alerts",
        target=PRECISION if ours else None,
    )
    report.add(
        name=f"alerts.{name}.recall",
        value=found.recall,
        unit=f"of {found.declines} declines",
        target=RECALL if ours else None,
    )
    report.add(
        name=f"alerts.{name}.spring",
        value=found.spring_share / found.spring_time,
        unit="x its time",
        target=SPRING if ours else None,
        higher_is_better=False,
    )
    if ours:
        report.add(name=f"alerts.{name}.delay", value=found.delay, unit="days, middle")
        report.add(name="alerts.by_lot.precision", value=found.base_rate, unit="chance")


def _threshold(volume: Callable[[float], float], low: float, high: float) -> float:
    """The mark below which as many alerts come as the budget allows."""
    for _ in range(16):
        middle = (low + high) / 2
        if volume(middle) > BUDGET:
            high = middle
        else:
            low = middle
    return low


def _scores(worlds) -> Scores:
    from gengyun.demo.simulator.score import judged_days

    found: Scores = {name: [] for name in _EDGES}
    for world in worlds:
        rows: dict[str, list[Floats]] = {name: [] for name in _EDGES}
        for use, start in _windows(world):
            for name, values in _evaluation(use, start, world.seen.season).items():
                rows[name].append(values)
        for name, values in rows.items():
            found[name].append(np.array(values).T)
        assert found["usage_drop"][-1].shape[1] == len(judged_days(world, 182))  # noqa: S101
    return found


def _windows(world) -> Iterator[tuple[npt.NDArray[np.int32], object]]:
    """What the product would have read on each judged day."""
    from gengyun.alerts.calc.detect import DAYS_NEEDED
    from gengyun.demo.simulator.score import judged_days

    for day in judged_days(world, DAYS_NEEDED):
        start = day - DAYS_NEEDED
        yield world.seen.events[:, start:day], world.seen.day(start)


def _evaluation(use, start, industry) -> dict[str, Floats]:
    """One number per account and detector, the smaller the more alarming; inf: says nothing."""
    from gengyun.kernel.calc.workdays import workdays
    from gengyun.usage.calc.calendar import learn

    base = workdays(start, use.shape[1])
    calendar = learn(use, start=start, base=base, groups=industry)
    week, before = use[:, -7:].sum(axis=1), use[:, -14:-7].sum(axis=1)
    month = use[:, -35:-7].sum(axis=1) / 4
    return {
        "usage_drop": _drop(use, calendar.by_group, calendar.groups),
        "week_on_week": _ratio(week, before),
        "7_over_28": _ratio(week, month),
        "no_learning": _drop(use, base.base, None),
    }


def _ratio(now, before) -> Floats:
    """Rules as people write them; like ours they say nothing where hardly any use is due. Plus one,
    so that of those who stopped altogether the larger come first."""
    return np.where(before >= 5, (now + 1) / (before + 1), np.inf)


def _drop(use, factor, groups) -> Floats:
    """The z at which the product's rule would just open: the second of two weeks' values, or one
    alone two below the mark."""
    from gengyun.alerts.calc.detect import DropRule, compare, is_low

    rule = replace(DropRule(), z=np.inf)
    apart = DropRule.z - DropRule.strong_z
    now, before = compare(use, factor, groups), compare(use[:, :-7], factor[..., :-7], groups)
    alone = np.where(is_low(now, rule), now.z, np.inf)
    both = np.where(is_low(before, rule), np.maximum(alone, before.z), np.inf)
    return np.minimum(both, alone + apart)
