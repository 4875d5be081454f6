"""The money and the days of an imported line: what is written, and what follows from it. Pure.

A file says an amount for the whole term, or a price of a year or a month; a last day, or a length.
What was worked out is named in `notes`, so that the dry run can show it.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from gengyun.revenue.calc.normalise import discounted
from gengyun.revenue.calc.terms import add_months, rounded, term_days, whole_months

DAY = timedelta(days=1)
YEAR_DAYS = 365
RECURRING = frozenset({"subscription", "maintenance", "usage"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """Cells of a row; money in minor units, as written (with tax where the row says so)."""

    kind: str
    starts_on: date
    ends_on: date | None = None
    amount: int | None = None
    annual: int | None = None
    monthly: int | None = None
    list_price: int | None = None
    discount_bp: int | None = None
    committed: int | None = None
    paid_months: Decimal | None = None
    gift_days: int = 0
    gift_months: int = 0
    interval_months: int | None = None  # None: not said; 0: once, in advance
    is_open: bool = False  # the contract has no last day, whatever its length says
    is_trial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """`amount` for `paid_months`, where that is known; `yearly`: the price of a year as stated."""

    ends_on: date | None
    amount: int | None  # None: the row holds no money at all
    paid_months: Decimal | None
    gift_days: int
    yearly: int | None = None
    notes: list[str] = field(default_factory=list)


def settled(row: Stated) -> Settled:
    """Days first, then the amount: stated, else from list price and discount, else from a price of
    a year or a month over the term (of an open-ended line: over one billing interval)."""
    notes: list[str] = []
    ends_on, gift_days, months = _term(row, notes)
    amount, yearly = row.amount, None
    if amount is None and row.list_price is not None:
        amount = row.list_price
        if row.discount_bp:
            amount = rounded(discounted(Decimal(row.list_price), row.discount_bp))
            notes.append("amount_from_list")
    price = _price_of_year(row)
    if amount is None and price is not None:
        amount, months = _from_year(row, price, ends_on, gift_days, months)
        yearly = price if row.kind in RECURRING and not row.is_trial else None
        notes.append("amount_from_year" if row.annual is not None else "amount_from_month")
    if amount is None and (row.is_trial or row.committed is not None):
        amount = 0
    return Settled(
        ends_on=ends_on,
        amount=amount,
        paid_months=months,
        gift_days=gift_days,
        yearly=yearly,
        notes=notes,
    )


def _term(row: Stated, notes: list[str]) -> tuple[date | None, int, Decimal | None]:
    """Last day, days given free, months paid for."""
    months, ends_on = row.paid_months, row.ends_on
    if ends_on is not None and ends_on < row.starts_on:
        return ends_on, row.gift_days, months  # the rules refuse it
    if ends_on is None and months is not None and not row.is_open:
        if months != int(months) or months < 1:
            return None, row.gift_days, months
        paid_end = add_months(row.starts_on, int(months)) - DAY
        ends_on = add_months(paid_end + DAY, row.gift_months) - DAY + timedelta(days=row.gift_days)
        notes.append("end_from_term")
        return ends_on, (ends_on - paid_end).days, months
    if ends_on is None:
        return None, row.gift_days, months
    gift_days = row.gift_days
    if row.gift_months:
        gift_days += (ends_on - (add_months(ends_on + DAY, -row.gift_months) - DAY)).days
    if months is None and 0 < gift_days < term_days(row.starts_on, ends_on):
        whole = whole_months(row.starts_on, ends_on - timedelta(days=gift_days))
        months = None if whole is None else Decimal(whole)
    return ends_on, gift_days, months


def _price_of_year(row: Stated) -> int | None:
    if row.annual is not None:
        return row.annual
    return None if row.monthly is None else row.monthly * 12


def _from_year(
    row: Stated, price: int, ends_on: date | None, gift_days: int, months: Decimal | None
) -> tuple[int, Decimal | None]:
    """What is paid over the term, and for how many months."""
    if ends_on is None:
        usual = 1 if row.annual is None else 12
        months = Decimal(row.interval_months or usual)
        return rounded(price * months / 12), months
    if months is None and ends_on >= row.starts_on:
        whole = whole_months(row.starts_on, ends_on)
        months = None if whole is None else Decimal(whole)
    if months is not None:
        return rounded(price * months / 12), months
    days = max(0, (ends_on - row.starts_on).days + 1 - gift_days)
    return rounded(Decimal(price) * days / YEAR_DAYS), None


def disagrees(arr: int, net_of_year: int, *, share: Decimal = Decimal("0.005")) -> bool:
    """Is the ARR that a file states another one than that of the rule? Roundings to whole units of
    money and half a percent are let pass."""
    return abs(arr - net_of_year) > max(100, int(abs(arr) * share))
