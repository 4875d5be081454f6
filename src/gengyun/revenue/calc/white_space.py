"""White space: what a customer does not have yet, and how much of its budget comes to us. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from gengyun.revenue.calc.figure import Figure, unknown
from gengyun.revenue.calc.unit_economics import WALLET, share_of_wallet

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


def share_of(arr: Mapping[str, int], budget: Budget | None) -> Figure:
    """`unit_economics.share_of_wallet` of the ARR in force (currency -> minor unit) in the budget's
    category. Not capped: more than 100 % says that the budget was named too low, and hiding it
    would hide that. Contracts in another currency than the budget: it cannot be said."""
    if budget is None:
        return share_of_wallet(paid=0, budget=None)
    if any(minor for currency, minor in arr.items() if currency != budget.currency):
        return unknown(OTHER_CURRENCY, definition=WALLET)
    return share_of_wallet(paid=arr.get(budget.currency, 0), budget=budget.amount_minor)


def headroom(arr: Mapping[str, int], budget: Budget | None) -> int | None:
    """Budget less our ARR in its currency, never below 0; None where no budget is known."""
    if budget is None:
        return None
    return max(0, budget.amount_minor - arr.get(budget.currency, 0))
