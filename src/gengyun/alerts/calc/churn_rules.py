"""The rule about the churn probability (R3 of science.md 5.3): from forecasts to what was found.

Pure. A forecast that is refused is unknown (nan): it neither opens nor closes anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from gengyun.alerts.calc.found import Flags, Floats, Found, Ints
from gengyun.alerts.calc.rules import SETTLED_DAYS, severities

Params = Mapping[str, Any]
EDGE = 1e-6  # a probability of 0 or 1 has no logit


@dataclass(frozen=True)
class Odds:
    """Per customer: the churn probability of what comes due next, of one moment and one earlier.

    `before` is of the same renewal by the same model, so that a new model or another renewal is
    no jump. `mark` is the threshold of the customer's tier. nan: unknown.
    """

    p: Floats
    before: Floats
    mark: Floats
    lag: Floats  # days to the due date; nan where the event has none
    low: Floats
    high: Floats
    grade: npt.NDArray[np.str_]  # A, B, C: how sure the forecast is; "" none
    settled: Flags  # nothing of this customer comes due any more
    due_on: Sequence[date | None] = ()
    before_on: Sequence[date | None] = ()
    amount_minor: Sequence[int | None] = ()
    currency: Sequence[str] = field(default=())


def logit(p: npt.ArrayLike) -> Floats:
    held = np.clip(np.asarray(p, dtype=np.float64), EDGE, 1 - EDGE)
    return np.asarray(np.log(held / (1 - held)))


def has_jumped(p: Floats, before: Floats, *, jump: float, least: float) -> Flags:
    """Up by `jump` on the logit, to at least `least`: from 1 % to 2 % is no news to anybody."""
    with np.errstate(invalid="ignore"):
        return np.asarray((logit(p) - logit(before) >= jump) & (p >= least))


def churn_jump(ids: Ints, odds: Odds, params: Params, severity: int) -> Found:
    """Rose by `jump` on the logit within `days`, or stands at or above the mark of its tier.

    Only where the event is at most `within_days` away (an event without a date counts always) and
    the forecast is of one of `grades`. Over below `exit_share` of the mark, once what it had risen
    by is halved or has lasted so long that it is the usual; at once when nothing comes due any
    more. One step more urgent from the probability `urgent` on.
    """
    p, jump = odds.p, float(params["jump"])
    share = float(params["exit_share"])
    with np.errstate(invalid="ignore"):
        is_near = ~(odds.lag > params["within_days"])
        crossed = p >= odds.mark
        jumped = has_jumped(p, odds.before, jump=jump, least=params["least"])
        below = (p < share * odds.mark) | (np.isfinite(p) & np.isnan(odds.mark))
        urgent = p >= params["urgent"] if params["urgent"] is not None else None
    is_sure = np.isin(odds.grade, list(params["grades"]))
    entered = (crossed | jumped) & is_near & is_sure & ~odds.settled
    why = np.where(crossed & jumped, "both", np.where(crossed, "mark", "jump"))
    return Found(
        ids,
        entered,
        below | odds.settled,
        severities(len(ids), severity, urgent),
        p,
        reference=odds.before,
        facts={
            "why": np.where(entered, why, ""),
            "low": odds.low,
            "high": odds.high,
            "mark": odds.mark,
            "before": odds.before,
            "before_on": odds.before_on,
            "due_on": odds.due_on,
            "amount_minor": odds.amount_minor,
            "currency": odds.currency,
            "grade": odds.grade,
        },
        worse="higher",
        back=lambda now, before, days: (
            bool(logit(now) - logit(before) < jump / 2) or days > SETTLED_DAYS
        ),
        back_and_cleared=True,
    )
