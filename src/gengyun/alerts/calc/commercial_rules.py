"""The rules about contracts and money (R4, R7 of science.md 5.3): from rows to what was found.

Pure. A renewal and an invoice are facts, not statistics: they open at once and end at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from gengyun.alerts.calc.found import Floats, Found, Ints
from gengyun.alerts.calc.rules import MOST_URGENT, severities

Params = Mapping[str, Any]
HUNDRED = 100  # minor units in a unit of the currencies this is asked for


@dataclass(frozen=True)
class DueRenewal:
    """A renewal that is open on the day; amounts in the currency's minor unit."""

    customer_id: int
    renewal_id: int
    group: str
    due_on: date
    due_minor: int
    currency: str
    category: str  # signed, commit, expected, at_risk, lost, unjudged
    band: str = ""  # of the customer's health; "": not judged
    disagreement_days: int | None = None  # checkpoint (180, 90) that waits for a leader
    product_zh: str = ""
    product_en: str = ""
    churn: float | None = None  # probability that it is not renewed
    churn_mark: float | None = None  # from which on there is an alert in its tier

    @property
    def is_likely_lost(self) -> bool:
        return (
            self.churn is not None and self.churn_mark is not None and self.churn >= self.churn_mark
        )


def worries(one: DueRenewal, today: date, params: Params) -> list[str]:
    """Which of the rule's worries hold, in their order."""
    held = {
        "unjudged": one.category == "unjudged",
        "at_risk": one.category == "at_risk",
        "disagreement": one.disagreement_days is not None,
        "band": one.band in params["bands"],
        "churn": one.is_likely_lost,
        "late": one.due_on < today,
    }
    return [name for name in params["worries"] if held[name]]


def renewal_window(rows: Sequence[DueRenewal], today: date, params: Params, severity: int) -> Found:
    """R4: due within `days` (or past due) and open, and one of `worries` holds.

    Over when the renewal has its outcome or no worry is left. One step more urgent within `urgent`
    days, and as soon as the churn probability is one of the worries (at D-90 with p > T: high).
    """
    left = np.array([(one.due_on - today).days for one in rows], dtype=np.float64)
    found = [worries(one, today, params) for one in rows]
    worried = np.array([bool(one) for one in found], dtype=np.bool_)
    urgent = np.array(["churn" in one for one in found], dtype=np.bool_)
    if params["urgent"] is not None:
        urgent |= left <= params["urgent"]
    return Found(
        np.array([one.customer_id for one in rows], dtype=np.int64),
        (left <= params["days"]) & worried,
        ~worried,
        severities(len(rows), severity, urgent),
        left,
        facts={
            "renewal": [one.renewal_id for one in rows],
            "group": [one.group for one in rows],
            "product_zh": [one.product_zh for one in rows],
            "product_en": [one.product_en for one in rows],
            "due_on": [one.due_on for one in rows],
            "due_minor": [one.due_minor for one in rows],
            "currency": [one.currency for one in rows],
            "category": [one.category for one in rows],
            "band": [one.band for one in rows],
            "churn": [one.churn for one in rows],
            "checkpoint": [one.disagreement_days for one in rows],
            "worries": found,
        },
        keys=[f"c:{one.customer_id}:renewal:{one.renewal_id}" for one in rows],
        worse="lower",
        missing_is_cleared=True,  # it has its outcome, or was merged away
    )


@dataclass(frozen=True)
class OverduePayment:
    """What a customer has not paid in time: undisputed invoices past their due day."""

    customer_id: int
    days: int  # of the oldest
    number: str  # of the oldest
    due_on: date
    count: int
    amount_minor: int  # in the currency in which most is owed
    currency: str


def payment_overdue(
    ids: Ints, rows: Mapping[int, OverduePayment | None], params: Params, severity: int
) -> Found:
    """R7: the oldest unpaid invoice is `days` past its due day; over when nothing is overdue.

    `rows`: None for a customer with invoices and nothing overdue; one that is not among them has
    no invoices, and nothing is known. One step more urgent from `raise_days`, one more from
    `urgent`.
    """
    owed = [rows.get(pk) for pk in ids.tolist()]
    days = np.array(
        [
            float(one.days) if one else (0.0 if pk in rows else np.nan)
            for pk, one in zip(ids.tolist(), owed, strict=True)
        ],
        dtype=np.float64,
    )
    enough = np.array(
        [one is not None and one.amount_minor >= params["least"] * HUNDRED for one in owed],
        dtype=np.bool_,
    )
    with np.errstate(invalid="ignore"):
        level = severities(len(ids), severity)
        for name in ("raise_days", "urgent"):
            if params[name] is not None:
                level = np.where(days >= params[name], np.maximum(MOST_URGENT, level - 1), level)
        entered = (days >= params["days"]) & enough
        cleared = days <= 0
    return Found(
        ids,
        entered,
        cleared,
        level,
        days,
        facts={
            "number": [one.number if one else None for one in owed],
            "due_on": [one.due_on if one else None for one in owed],
            "count": [one.count if one else None for one in owed],
            "amount_minor": [one.amount_minor if one else None for one in owed],
            "currency": [one.currency if one else None for one in owed],
        },
        worse="higher",
    )


@dataclass(frozen=True)
class Seats:
    """Seats per customer (nan: unknown): now, `days` before, and what is agreed to go later."""

    now: Floats
    before: Floats
    leaving: Floats  # 0 where nothing is agreed
    leaves_on: Sequence[date | None]


def seats_reduced(ids: Ints, seats: Seats, params: Params, severity: int) -> Found:
    """R7: at least `share` of the seats of `days` ago are gone, or are agreed to go.

    Over when the lower number has stood for the whole window, or seats came back.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        base = np.fmax(seats.before, np.where(seats.leaving > 0, seats.now, np.nan))
        remaining = seats.now - seats.leaving
        gone = np.where(base > 0, (base - remaining) / base, np.nan)
        entered = gone >= params["share"]
        cleared = gone < params["share"]
        urgent = gone >= params["urgent"] if params["urgent"] is not None else None
    return Found(
        ids,
        entered,
        cleared,
        severities(len(ids), severity, urgent),
        gone,
        facts={
            "seats": remaining,
            "seats_before": base,
            "leaves_on": list(seats.leaves_on),
        },
        worse="higher",
    )
