"""Rules about what people said and noted (R5, R9) and about seats that run out (R11). Pure.

science.md 5.3. A value that is unknown (nan) neither opens nor closes anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from gengyun.alerts.calc.found import Floats, Found, Ints
from gengyun.alerts.calc.rules import SETTLED_DAYS, severities

Params = Mapping[str, Any]
MOST_SERIOUS = "high"
WEIGHTY_PARTS = ("decider", "champion")


@dataclass(frozen=True)
class NotedRisk:
    """A risk that somebody noted and that is not over; `grade` is its cause's."""

    customer_id: int
    risk_id: int
    cause: str
    cause_zh: str
    cause_en: str
    grade: str
    happened_on: date
    note: str = ""


def risk_noted(risks: Sequence[NotedRisk], today: date, params: Params, severity: int) -> Found:
    """R5: a risk with a cause of one of `grades` happened in the last `days`. No statistics: it
    opens at once; over when it is settled, or old. A cause of high grade: one step more urgent."""
    rows = [one for one in risks if one.grade in params["grades"]]
    since = np.array([(today - one.happened_on).days for one in rows], dtype=np.float64)
    is_serious = np.array([one.grade == MOST_SERIOUS for one in rows], dtype=np.bool_)
    return Found(
        np.array([one.customer_id for one in rows], dtype=np.int64),
        (since >= 0) & (since <= params["days"]),
        since > params["days"],
        severities(len(rows), severity, is_serious),
        since,
        facts={
            "risk": [one.risk_id for one in rows],
            "cause": [one.cause for one in rows],
            "cause_zh": [one.cause_zh for one in rows],
            "cause_en": [one.cause_en for one in rows],
            "happened_on": [one.happened_on for one in rows],
            "note": [one.note for one in rows],
        },
        keys=[f"c:{one.customer_id}:risk:{one.risk_id}" for one in rows],
        missing_is_cleared=True,
    )


@dataclass(frozen=True)
class LowAnswer:
    """Somebody's low answer to a survey that they have not made good since."""

    customer_id: int
    answer_id: int
    contact: str
    part: str
    kind: str
    score: int
    comment: str
    answered_on: date


def survey_low(answers: Sequence[LowAnswer], today: date, params: Params, severity: int) -> Found:
    """A low score to a survey of one of `kinds` in the last `days`: it opens at once; over when the
    same person gives a better one, or it is old. One who decides: one step more urgent."""
    rows = [one for one in answers if one.kind in params["kinds"]]
    since = np.array([(today - one.answered_on).days for one in rows], dtype=np.float64)
    weighs = np.array([one.part in WEIGHTY_PARTS for one in rows], dtype=np.bool_)
    return Found(
        np.array([one.customer_id for one in rows], dtype=np.int64),
        (since >= 0) & (since <= params["days"]),
        since > params["days"],
        severities(len(rows), severity, weighs),
        np.array([one.score for one in rows], dtype=np.float64),
        facts={
            "answer": [one.answer_id for one in rows],
            "contact": [one.contact for one in rows],
            "part": [one.part for one in rows],
            "kind": [one.kind for one in rows],
            "comment": [one.comment for one in rows],
            "answered_on": [one.answered_on for one in rows],
        },
        keys=[f"c:{one.customer_id}:answer:{one.answer_id}" for one in rows],
        missing_is_cleared=True,
    )


@dataclass(frozen=True)
class Asked:
    """A work item that a step of an SOP asked for."""

    customer_id: int
    key: str  # of the step, once
    severity: int
    title_zh: str
    title_en: str
    asked_on: date


def asked_for(rows: Sequence[Asked], today: date, params: Params) -> Found:
    """Opens at once, as urgent as the step says; over after `days`, if nobody closed it before."""
    since = np.array([(today - one.asked_on).days for one in rows], dtype=np.float64)
    return Found(
        np.array([one.customer_id for one in rows], dtype=np.int64),
        (since >= 0) & (since <= params["days"]),
        since > params["days"],
        np.array([one.severity for one in rows], dtype=np.int64),
        since,
        facts={
            "title_zh": [one.title_zh for one in rows],
            "title_en": [one.title_en for one in rows],
            "asked_on": [one.asked_on for one in rows],
        },
        keys=[f"c:{one.customer_id}:{one.key}" for one in rows],
        missing_is_cleared=True,
    )


def sentiment_drop(
    ids: Ints, value: Floats, before: Floats, params: Params, severity: int
) -> Found:
    """R9: at or below `enter`, or `drop` less than within `days` before. Over when it is above
    `enter` and has made good what it lost, or the lower level has lasted so long that it is the
    usual one."""
    drop = float(params["drop"])
    with np.errstate(invalid="ignore"):
        is_low = (
            value <= params["enter"]
            if params["enter"] is not None
            else np.zeros(len(ids), dtype=np.bool_)
        )
        fell = before - value >= drop
        cleared = np.isfinite(value) & ~is_low
    return Found(
        ids,
        is_low | fell,
        cleared,
        severities(len(ids), severity),
        value,
        reference=before,
        facts={"before": before, "fell": fell},
        worse="lower",
        back=lambda now, then, days: now > then - drop or days > SETTLED_DAYS,
        back_and_cleared=True,
    )


def seats_full(ids: Ints, weekly: Sequence[Floats], params: Params, severity: int) -> Found:
    """R11: seats used at or above `enter` on every one of the weekly days (the newest first); over
    when the newest falls below `exit`. Good news: more seats, or a talk about them."""
    shares = np.stack(weekly, axis=1)
    now = shares[:, 0]
    with np.errstate(invalid="ignore"):
        is_full = (shares >= params["enter"]).all(axis=1)
        cleared = now < params["exit"]
        least = shares.min(axis=1)
    return Found(
        ids,
        is_full,
        cleared,
        severities(len(ids), severity),
        now,
        facts={"weeks": [shares.shape[1]] * len(ids), "least": least},
        worse="higher",
    )
