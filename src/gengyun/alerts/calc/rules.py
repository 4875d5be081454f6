"""The rules that are not detectors of use (`detect`): from arrays to what was found. Pure.

Every rule says when it enters, when it is over, and how urgent it is. A value that is unknown
(nan) neither opens nor closes anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from gengyun.alerts.calc.found import Flags, Floats, Found, Ints
from gengyun.alerts.calc.params import BANDS

Params = Mapping[str, Any]
MOST_URGENT = 1
SETTLED_DAYS = 98  # both windows of the usage rule: by then a new level is the usual one


def severities(count: int, severity: int, urgent: Flags | None = None) -> Ints:
    """The rule's severity for everybody, one step more urgent where `urgent` says so."""
    found = np.full(count, severity, dtype=np.int64)
    if urgent is not None:
        found[urgent] = max(MOST_URGENT, severity - 1)
    return found


def metric(ids: Ints, value: Floats, params: Params, severity: int) -> Found:
    """A free rule: below (or above) `enter`; over once on the good side of `exit`.

    Without an exit threshold it is over as soon as it no longer holds.
    """
    sign = 1.0 if params["op"] == "lt" else -1.0
    seen, enter = sign * value, sign * params["enter"]
    leave = enter if params["exit"] is None else sign * params["exit"]
    with np.errstate(invalid="ignore"):
        entered = seen < enter
        cleared = seen >= leave
        urgent = seen < sign * params["urgent"] if params["urgent"] is not None else None
    return Found(
        ids,
        entered,
        cleared,
        severities(len(ids), severity, urgent),
        value,
        worse="lower" if params["op"] == "lt" else "higher",
        evaluations=params["evaluations"],
    )


def activation_low(
    ids: Ints, value: Floats, days_since_start: Floats, params: Params, severity: int
) -> Found:
    """R8: activation under `enter` from day `after_days` on; old customers are no newcomers."""
    with np.errstate(invalid="ignore"):
        is_due = (days_since_start >= params["after_days"]) & (
            days_since_start <= params["until_days"]
        )
        entered = is_due & (value < params["enter"])
        cleared = (value >= params["exit"]) | (days_since_start > params["until_days"])
    return Found(
        ids,
        entered,
        cleared,
        severities(len(ids), severity),
        value,
        facts={"days": days_since_start},
        worse="lower",
    )


@dataclass(frozen=True)
class Lateness:
    """Per customer: effective days beyond the longest stay (nan: no limit), stage, its start."""

    days_over: Floats
    stage: Sequence[int | None]
    since: Sequence[date | None]


def stage_late(ids: Ints, late: Lateness, params: Params, severity: int) -> Found:
    """R8: effective days beyond the longest stay that the stage allows; over when it moved on."""
    days_over = late.days_over
    with np.errstate(invalid="ignore"):
        entered = days_over > params["grace_days"]
        cleared = ~(days_over > 0)  # a stage without a limit, or a new one, is not late
        urgent = days_over > params["urgent"] if params["urgent"] is not None else None
    return Found(
        ids,
        entered,
        cleared,
        severities(len(ids), severity, urgent),
        days_over,
        facts={"stage": late.stage, "since": late.since},
    )


@dataclass(frozen=True)
class Health:
    """Score (nan: none) and band ("": not judged) per customer on one day."""

    score: Floats
    band: npt.NDArray[np.str_]


def band_change(ids: Ints, now: Health, then: Health, params: Params, severity: int) -> Found:
    """Fell into one of `bands` from a better one `days` before; over when it left them upwards.

    "" and N (not enough data) are unknown on either side.
    """
    bands = list(params["bands"])
    is_in = np.isin(now.band, bands)
    place_now, place_then = _places(now.band), _places(then.band)
    entered = is_in & (place_then >= 0) & (place_then < place_now)
    cleared = (place_now >= 0) & ~is_in
    return Found(
        ids,
        entered,
        cleared,
        severities(len(ids), severity),
        now.score,
        reference=then.score,
        facts={"band": now.band, "band_before": then.band, "score_before": then.score},
        worse="lower",
    )


def _places(band: npt.NDArray[np.str_]) -> Ints:
    """0 for the best band; -1 where there is none."""
    found = np.full(len(band), -1, dtype=np.int64)
    for index, name in enumerate(BANDS):
        found[band == name] = index
    return found


def score_drop(ids: Ints, score: Floats, before: Floats, params: Params, severity: int) -> Found:
    """Lost `points` within `days`; over when it is within `exit_points` of where it came from, or
    when the new level has lasted so long that it is the usual one."""
    change = score - before
    exit_points = float(params["exit_points"])
    with np.errstate(invalid="ignore"):
        entered = change <= -params["points"]
        cleared = change > -exit_points
        urgent = change <= -params["urgent"] if params["urgent"] is not None else None
    return Found(
        ids,
        entered,
        cleared,
        severities(len(ids), severity, urgent),
        score,
        reference=before,
        facts={"change": change, "score_before": before},
        worse="lower",
        back=lambda value, reference, days: value > reference - exit_points or days > SETTLED_DAYS,
    )


@dataclass(frozen=True)
class Departure:
    """A contact who left, and whether somebody has taken the part since."""

    customer_id: int
    contact_id: int
    name: str
    title: str
    part: str
    left_on: date
    has_successor: bool


def contact_left(
    departures: Sequence[Departure], as_of: date, params: Params, severity: int
) -> Found:
    """R5: a person of one of `parts` left in the last `days`; over when somebody took the part."""
    rows = [one for one in departures if one.part in params["parts"]]
    since = np.array([(as_of - one.left_on).days for one in rows], dtype=np.float64)
    replaced = np.array([one.has_successor for one in rows], dtype=np.bool_)
    return Found(
        np.array([one.customer_id for one in rows], dtype=np.int64),
        (since >= 0) & (since <= params["days"]) & ~replaced,
        replaced,
        severities(len(rows), severity),
        since,
        facts={
            "contact": [one.contact_id for one in rows],
            "name": [one.name for one in rows],
            "title": [one.title for one in rows],
            "part": [one.part for one in rows],
            "left_on": [one.left_on for one in rows],
        },
        keys=[f"c:{one.customer_id}:contact:{one.contact_id}" for one in rows],
        missing_is_cleared=True,
    )


@dataclass(frozen=True)
class SourceState:
    source_id: int
    name: str
    last_event_on: date
    days: float  # since the last event
    effective_days: float  # the same without weekends and holidays


def source_silent(sources: Sequence[SourceState], params: Params, severity: int) -> Found:
    """R10: nothing for `days` days, of which half must be working time; over with the next event.

    Half: a source that rests over a weekend is told of on Monday, not on Sunday.
    """
    days = np.array([one.days for one in sources], dtype=np.float64)
    effective = np.array([one.effective_days for one in sources], dtype=np.float64)
    urgent = effective >= params["urgent"] if params["urgent"] is not None else None
    return Found(
        np.full(len(sources), -1, dtype=np.int64),
        (days >= params["days"]) & (effective >= params["days"] / 2),
        days < 1,
        severities(len(sources), severity, urgent),
        days,
        facts={
            "source": [one.source_id for one in sources],
            "name": [one.name for one in sources],
            "last_event_on": [one.last_event_on for one in sources],
        },
        keys=[f"source:{one.source_id}" for one in sources],
        missing_is_cleared=True,
    )
