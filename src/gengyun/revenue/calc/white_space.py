"""White space: what a customer does not have yet, and how much of its budget comes to us. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from gengyun.revenue.calc.figure import NO_BUDGET, Figure, quotient

SHARE = "Our ARR in force divided by the yearly budget that the customer named for the category."
OTHER_CURRENCY = "The budget was named in another currency than the contracts."


@dataclass(frozen=True)
class Budget:
    """What a customer spends a year in a category, as somebody said."""

    category: str
    year: int
    amount_minor: int
    currency: str
    said_by: str
    said_on: date | None
    author: str = ""


def newest(budgets: Iterable[tuple[int, Budget]]) -> dict[int, list[Budget]]:
    """Customer -> its budgets of the newest year that it named; given newest statement first.

    Of several statements for one category and year the first given holds.
    """
    found: dict[int, dict[str, Budget]] = {}
    years: dict[int, int] = {}
    for customer_id, one in budgets:
        year = years.setdefault(customer_id, one.year)
        if one.year > year:
            years[customer_id] = one.year
            found[customer_id] = {}
        if one.year == years[customer_id]:
            found.setdefault(customer_id, {}).setdefault(one.category, one)
    return {pk: list(parts.values()) for pk, parts in found.items()}


def share_of_wallet(arr: Mapping[str, int], budget: Budget | None) -> Figure:
    """ARR in force (currency -> minor unit, of the budget's category) / budget. Not capped: more
    than 100 % says that the budget was named too low, and hiding it would hide that."""
    if budget is None:
        return Figure(None, SHARE, reason=NO_BUDGET)
    others = [currency for currency, minor in arr.items() if minor and currency != budget.currency]
    if others:
        return Figure(None, SHARE, reason=OTHER_CURRENCY)
    if not budget.amount_minor:
        return Figure(None, SHARE, reason=NO_BUDGET)
    ours = Decimal(arr.get(budget.currency, 0))
    return quotient(ours, budget.amount_minor, definition=SHARE, reason=NO_BUDGET)


def headroom(arr: Mapping[str, int], budget: Budget | None) -> int | None:
    """Budget less our ARR in its currency, never below 0; None where no budget is known."""
    if budget is None:
        return None
    return max(0, budget.amount_minor - arr.get(budget.currency, 0))
