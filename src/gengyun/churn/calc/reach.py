"""Of what a model can speak at all: which rows it is asked about, and how sure each answer is.

`calc.grade` weighs what is known of a row; the day it is about counts here. Limits are ours: an
assumption, the same for everybody.
"""

from dataclasses import dataclass

from gengyun.churn.calc import grade as known
from gengyun.churn.calc.grade import Standing
from gengyun.churn.calc.model import Model
from gengyun.churn.calc.table import Floats, Ints

FAR_DAYS = 220  # the furthest landmark and a month: from there on no outcome has taught anything
TOO_FAR_DAYS = 400
PAST_DUE, TOO_FAR = "past_due", "too_far"


@dataclass(frozen=True)
class Judged:
    """`grade` "" where `refused` says why; `missing`: unknown inputs, the weightiest first."""

    grade: str
    refused: str
    missing: list[str]


def judged(
    model: Model,
    x: Floats,
    missing_share: Floats,
    width: Floats,
    *,
    lag: Ints | None,
    standing: Standing,
    data_age: int,
) -> list[Judged]:
    """One for each row. `lag` None: no due day; `data_age`: days since the newest data.
    `width`: of each interval."""
    found = []
    missing = known.missing(model.features, x, model)
    for row in range(len(x)):
        days = 0 if lag is None else int(lag[row])
        share = float(missing_share[row])
        refused = out_of_reach(days) or known.refusal(x[row], share, data_age)
        sure: str = ""
        if not refused:
            sure = known.grade(
                standing, missing_share=share, age_days=data_age, width=float(width[row])
            )
        if sure and days > FAR_DAYS:
            sure = "C"
        found.append(Judged(sure, refused, missing[row]))
    return found


def out_of_reach(lag: int) -> str:
    """Overdue: somebody knows what came of it, and no model ever saw such a row. Years ahead: what
    is seen today says nothing of that day."""
    if lag < 0:
        return PAST_DUE
    return TOO_FAR if lag > TOO_FAR_DAYS else ""
