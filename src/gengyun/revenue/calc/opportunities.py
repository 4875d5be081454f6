"""Opportunities: what a form may say, and what a set of them is worth. Pure.

Amounts are a year's (service: in all), integer minor units, without tax. Amounts of different
currencies are never added up.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

KINDS = ("new", "upsell", "cross_sell", "service")
LENGTHS = {"name": 200, "next_step": 200, "source": 60, "note": 1000, "loss_reason": 200}
MOST_MINOR = 10**15
CURRENCY = re.compile(r"[A-Z]{3}")


class ValueBad(ValueError):
    """`field` of the opportunity, `reason`: missing, long, number, choice, day."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.field, self.reason = name, reason


def clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """The plain fields of an opportunity, checked; others pass through (rows of the database)."""
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        if name in LENGTHS:
            cleaned[name] = _text(name, value)
        elif name == "kind":
            cleaned[name] = _one_of(name, value, KINDS)
        elif name == "amount_minor":
            cleaned[name] = _amount(name, value)
        elif name == "currency":
            text = str(value or "").strip().upper()
            if not CURRENCY.fullmatch(text):
                raise ValueBad(name, "choice")
            cleaned[name] = text
        elif name in {"expected_on", "next_step_on"}:
            if value is not None and not isinstance(value, date):
                raise ValueBad(name, "day")
            cleaned[name] = value
        else:
            cleaned[name] = value
    return cleaned


def _text(name: str, value: Any) -> str:
    text = " ".join(str(value or "").split())
    if name == "name" and not text:
        raise ValueBad(name, "missing")
    if len(text) > LENGTHS[name]:
        raise ValueBad(name, "long")
    return text


def _one_of(name: str, value: Any, among: tuple[str, ...]) -> str:
    if value not in among:
        raise ValueBad(name, "choice")
    return str(value)


def _amount(name: str, value: Any) -> int | None:
    """None is unknown; 0 is refused: something that is worth nothing is no opportunity."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_MINOR:
        raise ValueBad(name, "number")
    return value


@dataclass(frozen=True)
class Worth:
    """A set of opportunities. `amounts`, `weighted`: currency -> minor unit."""

    count: int = 0
    unknown: int = 0  # without an amount: in the count, in no sum
    amounts: Mapping[str, int] = field(default_factory=dict)
    weighted: Mapping[str, int] = field(default_factory=dict)


def worth(rows: Iterable[tuple[str, int | None, int]]) -> Worth:
    """Of (currency, amount, probability in basis points): Σ amount, and Σ amount x probability.

    The weighted sum is rounded once, half to even, not row by row.
    """
    count = unknown = 0
    amounts: dict[str, int] = defaultdict(int)
    weighted: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount, probability_bp in rows:
        count += 1
        if amount is None:
            unknown += 1
            continue
        amounts[currency] += amount
        weighted[currency] += Decimal(amount) * probability_bp
    return Worth(
        count,
        unknown,
        dict(amounts),
        {
            currency: int((total / 10_000).quantize(Decimal(1), ROUND_HALF_EVEN))
            for currency, total in weighted.items()
        },
    )


@dataclass(frozen=True)
class Warnings:
    """What about an open opportunity is not as it should be; each word says one thing."""

    late: bool = False  # the expected day has passed
    no_day: bool = False
    no_amount: bool = False
    no_step: bool = False
    step_late: bool = False
    stuck_days: int | None = None  # days in its stage, where they are too many


STUCK_DAYS = 45


def warnings(
    *,
    today: date,
    expected_on: date | None,
    amount_minor: int | None,
    next_step: str,
    next_step_on: date | None,
    stage_since: date | None,
) -> Warnings:
    days = (today - stage_since).days if stage_since else None
    return Warnings(
        late=expected_on is not None and expected_on < today,
        no_day=expected_on is None,
        no_amount=amount_minor is None,
        no_step=not next_step,
        step_late=bool(next_step) and next_step_on is not None and next_step_on < today,
        stuck_days=days if days is not None and days >= STUCK_DAYS else None,
    )
