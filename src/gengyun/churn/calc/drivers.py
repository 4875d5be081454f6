"""Why a probability is what it is, and what it would be if something changed. science.md 4.3.

Contributions are exact shares of the logit, one per feature. Features that say one thing (use of
today, last week and last quarter) are added up to one reason; reasons become points of probability
by removing them one after the other, the strongest first, so that they add up as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from gengyun.churn.calc.evidence import EVIDENCE
from gengyun.churn.calc.table import Floats, Ints

MOST_DRIVERS = 5
LEAST_POINTS = 0.005  # half a point of probability is no reason
MOST_COUNTERFACTUALS = 3
LEAST_DROP = 0.01  # a change that saves less than a point is not told

# What is told as one reason. A feature that is named nowhere is a reason of its own.
REASONS: dict[str, tuple[str, ...]] = {
    "use_level": (
        "util_28", "util_prev90", "seats_active_28", "rate_28", "rate_90",
        "users_28", "users_90", "users_year",
    ),
    "use_trend": (
        "util_trend", "util_14_vs_28", "rate_trend", "rate_year_trend", "users_trend",
        "users_lost_90",
    ),
    "use_rhythm": ("days_since_active", "gap_unusual", "active_weeks_12", "active_weeks_52"),
    "use_breadth": ("breadth_28", "breadth_trend", "depth_28"),
    "tickets": ("tickets_90", "severe_90", "reopened_90", "answer_hours"),
    "nps": ("nps_last", "nps_age"),
    "mood": ("sentiment", "sentiment_past"),
    "unsolved": ("not_solved_90", "not_solved_share"),
    "contact": ("touch_gap", "meetings_90", "exec_contact_90"),
    "price": ("discount", "price_increase"),
    "size": ("log_amount", "seats_log"),
    "history": ("nth", "tenure", "term_months"),
}  # fmt: skip
REASON_OF = {key: reason for reason, keys in REASONS.items() for key in keys}


def reason_of(key: str) -> str:
    return REASON_OF.get(key, key)


def reasons_of(keys: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """The reasons that these features make up, in their order, and the place of each feature's."""
    names: dict[str, int] = {}
    place = [names.setdefault(reason_of(key), len(names)) for key in keys]
    return tuple(names), np.array(place, dtype=np.int64)


def by_reason(contributions: Floats, place: Ints, count: int) -> Floats:
    """[rows, reasons]: contributions on the logit, added up within each reason."""
    sums = np.zeros((len(contributions), count))
    np.add.at(sums.T, place, contributions.T)
    return sums


def points(logit: Floats, shares: Floats) -> Floats:
    """[rows, reasons]: points of probability (0..1) by removing reasons, the strongest first.

    They add up to the probability less that of the logit without any of them.
    """
    order = np.argsort(-np.abs(shares), axis=1, kind="stable")
    sorted_shares = np.take_along_axis(shares, order, axis=1)
    left = logit[:, None] - np.cumsum(sorted_shares, axis=1)
    with_it = np.column_stack([logit, left[:, :-1]]) if shares.shape[1] else left
    removed = expit(with_it) - expit(left)
    found = np.empty_like(removed)
    np.put_along_axis(found, order, removed, axis=1)
    return found


def expit(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -700, 700))))


def drivers(
    keys: Sequence[str],
    x: Floats,
    logit: Floats,
    contributions: Floats,
    raw: Mapping[str, Floats] | None = None,
) -> list[list[dict[str, Any]]]:
    """Of each row at most five reasons, strongest first, as JSON.

    {feature, reason, points, contribution, fact}: `feature` is the strongest of the reason,
    `points` are of probability (above 0: more risk), `fact` the numbers of `raw` (of the snapshot)
    that tell the reason's features to a person. An unknown number is left out.
    """
    names, place = reasons_of(keys)
    shares = by_reason(contributions, place, len(names))
    moved = points(logit, shares)
    order = np.argsort(-np.abs(moved), axis=1, kind="stable")[:, :MOST_DRIVERS]
    members = [np.flatnonzero(place == at).tolist() for at in range(len(names))]
    behind = _behind(keys, x, raw or {})
    found: list[list[dict[str, Any]]] = []
    # plain lists: a number at a time, an array takes several times as long
    for row, (best, points_of, shares_of, parts) in enumerate(
        zip(order.tolist(), moved.tolist(), shares.tolist(), contributions.tolist(), strict=True)
    ):
        told = []
        for at in best:
            if abs(points_of[at]) < LEAST_POINTS:
                break
            sign = 1 if shares_of[at] > 0 else -1
            ordered = sorted(members[at], key=lambda own: -parts[own] * sign)
            told.append(
                {
                    "feature": keys[ordered[0]],
                    "reason": names[at],
                    "points": round(points_of[at], 4),
                    "contribution": round(shares_of[at], 4),
                    "fact": _fact(ordered, behind, row),
                }
            )
        found.append(told)
    return found


Behind = Sequence[Mapping[str, Sequence[float]]]


def _behind(keys: Sequence[str], x: Floats, raw: Mapping[str, Floats]) -> Behind:
    """Of each input the numbers behind it; one without any stands for itself."""
    lists: dict[str, list[float]] = {}
    found = []
    for at, key in enumerate(keys):
        names = [name for name in EVIDENCE.get(key, ()) if name in raw]
        for name in names:
            if name not in lists:
                lists[name] = np.asarray(raw[name], dtype=float).tolist()
        found.append({name: lists[name] for name in names} if names else {key: x[:, at].tolist()})
    return found


def _fact(inputs: Sequence[int], behind: Behind, row: int) -> dict[str, float]:
    """The numbers behind these inputs, in their order."""
    found: dict[str, float] = {}
    for at in inputs:
        for name, numbers in behind[at].items():
            number = numbers[row]
            if not isnan(number):
                found[name] = float(f"{number:.6g}")
    return found


@dataclass(frozen=True)
class Change:
    """One thing that a person can bring about: the inputs it would set, where it is an improvement.

    `to`: feature -> its new value, or the feature that it takes its value from. It is told of a row
    whose `when` lies on the worse side of what it would become.
    """

    key: str
    when: str
    to: Mapping[str, float | str]


CHANGES = (
    Change(
        "use_back",  # to what it was in the quarter before
        "util_28",
        {"util_28": "util_prev90", "util_trend": 0.0, "util_14_vs_28": 0.0, "users_trend": 0.0,
         "rate_trend": 0.0},
    ),
    Change("use_back", "rate_trend", {"rate_trend": 0.0, "users_trend": 0.0}),  # seats unknown
    Change("overdue_paid", "overdue_days", {"overdue_days": 0.0}),
    Change("disputes_settled", "disputes", {"disputes": 0.0}),
    Change("promises_kept", "promises_overdue", {"promises_overdue": 0.0}),
    Change("feedback_answered", "feedback_age", {"feedback_age": 0.0}),
    Change("problem_solved", "not_solved_90", {"not_solved_90": 0.0}),
    Change("met_decider", "exec_contact_90", {"exec_contact_90": 1.0}),
    Change("in_touch", "touch_gap", {"touch_gap": 0.0}),
    Change("milestone_reached", "milestone_delay", {"milestone_delay": 0.0}),
)  # fmt: skip
HIGHER_IS_BETTER = {"util_28", "rate_trend", "exec_contact_90"}


def changed(keys: Sequence[str], x: Floats, change: Change) -> tuple[Floats, Ints]:
    """Inputs after the change, and the rows that it would improve (whose input is known)."""
    place = {key: at for at, key in enumerate(keys)}
    if change.when not in place:
        return x[:0], np.zeros(0, dtype=np.int64)
    after = x.copy()
    for key, to in change.to.items():
        if key not in place:
            continue
        if isinstance(to, str):
            if to in place:
                known = ~np.isnan(x[:, place[to]])
                after[known, place[key]] = x[known, place[to]]
        else:
            known = ~np.isnan(x[:, place[key]])
            after[known, place[key]] = to
    was, becomes = x[:, place[change.when]], after[:, place[change.when]]
    better = becomes > was if change.when in HIGHER_IS_BETTER else becomes < was
    rows = np.flatnonzero(better)
    return after[rows], rows


def counterfactuals(
    keys: Sequence[str], x: Floats, p: Floats, predict: Callable[[Floats, Ints], Floats]
) -> list[list[dict[str, Any]]]:
    """Of each row what single changes would make of the probability, the greatest drop first.

    {key, probability, drop}. An association in the data, not an effect: nobody was made to change.
    `predict(x, rows)`: probabilities of changed inputs of these rows.
    """
    best: list[dict[str, dict[str, Any]]] = [{} for _ in range(len(x))]
    for change in CHANGES:
        after, rows = changed(keys, x, change)
        if not len(rows):
            continue
        for row, becomes in zip(rows.tolist(), predict(after, rows).tolist(), strict=True):
            drop = float(p[row]) - becomes
            if drop >= LEAST_DROP and change.key not in best[row]:
                best[row][change.key] = {
                    "key": change.key,
                    "probability": round(becomes, 4),
                    "drop": round(drop, 4),
                }
    return [
        sorted(one.values(), key=lambda told: (-told["drop"], told["key"]))[:MOST_COUNTERFACTUALS]
        for one in best
    ]
