"""A number that can be argued about: its value, what it was divided by what, and how it is defined.

A figure that cannot be computed carries the reason instead of a value; it is never 0 and never
infinity. Texts are English msgids; the faces translate them and fill in `params`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Number = int | float | Decimal
Unit = Literal["share", "ratio", "money", "months", "years", "count"]

NOTHING_AT_START = "There was nothing at the start of the period."
NOTHING_DUE = "Nothing came due in the period."
NOTHING_LOST = "Nothing was lost in the period, so there is nothing to divide by."
NO_CHURN = "Nobody left in the period; a lifetime cannot be computed from no churn."
NO_CUSTOMERS = "There were no paying customers."
NO_NEW_CUSTOMERS = "No customer was won in the period."
NO_NEW_ARR = "No new ARR was won in the period."
NO_SPEND = "No spend on sales and marketing is recorded for the period."
NO_MARGIN = "The gross margin is not known; enter it in the settings."
NO_PROFIT = "The gross margin is not above 0, so there is no profit to pay anything back."
NO_LTV = "The lifetime value is not known."
NO_BUDGET = "Nobody has said what the customer's yearly budget is."
NO_SALARY = "No salary cost is recorded for this person."
NO_REVENUE = "There is no revenue in the period."
NO_BASE = "The base of the comparison is not known or nothing."
TOO_SMALL = "A cohort of %(count)s is too small; at least %(needed)s are needed."
TOO_FEW_DATES = "Only %(count)s renewal dates have been observed; at least %(needed)s are needed."
NET_GAIN = "Expansion outweighs what is lost, so this formula gives no lifetime."
SHRINKING = "Revenue falls too fast among those who stay, so this formula gives no value above 0."
ALL_LEFT = "Everybody left at the first renewal; one date is no curve."
NOT_SURVIVORS = "Each number must be what is left of the one before: 0 or more, and never rising."
OVER_ALL = "More was lost than there was at the start; that does not compound."
NO_LENGTH = "The length of a period must be more than 0 days."


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is None exactly when `reason` says why. A share is a fraction: 0.8 is 80 %."""

    value: Decimal | None
    definition: str
    unit: Unit = "share"
    numerator: Decimal | None = None
    denominator: Decimal | None = None
    policy: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        return self.value is not None


def exact(number: Number) -> Decimal:
    """As a decimal, the way it is written: 0.1 is a tenth and not its nearest binary fraction."""
    return number if isinstance(number, Decimal) else Decimal(str(number))


def quotient(
    numerator: Number,
    denominator: Number,
    *,
    definition: str,
    reason: str,
    unit: Unit = "share",
    policy: Mapping[str, str] | None = None,
) -> Figure:
    """numerator / denominator; without a positive denominator the figure says `reason`."""
    top, bottom = exact(numerator), exact(denominator)
    return Figure(
        value=top / bottom if bottom > 0 else None,
        definition=definition,
        unit=unit,
        numerator=top,
        denominator=bottom,
        policy=policy or {},
        reason="" if bottom > 0 else reason,
    )


def unknown(
    reason: str,
    *,
    definition: str,
    unit: Unit = "share",
    policy: Mapping[str, str] | None = None,
    params: Mapping[str, object] | None = None,
) -> Figure:
    return Figure(
        value=None,
        definition=definition,
        unit=unit,
        policy=policy or {},
        reason=reason,
        params=params or {},
    )


def known(
    value: Number,
    *,
    definition: str,
    unit: Unit,
    policy: Mapping[str, str] | None = None,
) -> Figure:
    return Figure(value=exact(value), definition=definition, unit=unit, policy=policy or {})
