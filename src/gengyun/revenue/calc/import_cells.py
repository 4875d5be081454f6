"""Reading one cell of a revenue file: signed amounts, shares, terms, months, yes and no. Pure.

Like `customers.calc.cells`: `None` for an empty cell, `BadCell` with a stable code otherwise.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from gengyun.customers.calc import cells
from gengyun.customers.calc.cells import BadCell
from gengyun.kernel.currencies import DECIMALS

# A spreadsheet that computed 0.1 + 0.2 did not mean more places than it shows.
NOISE = Decimal("0.000001")
MOST = 10**13
_FULL_WIDTH = str.maketrans({code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)})
_MINUS = "−﹣－"
_MONTH = re.compile(r"^(\d{4})\s*[-/.年]?\s*(\d{1,2})\s*月?(?:份)?$")
_QUANTITY = re.compile(r"^(\d+(?:\.\d+)?)\s*(.*)$")
_MONTHS_OF = {
    "": 1, "个月": 1, "月": 1, "months": 1, "month": 1, "mo": 1, "m": 1,
    "年": 12, "years": 12, "year": 12, "yrs": 12, "yr": 12, "y": 12,
    "个季度": 3, "季度": 3, "季": 3, "quarters": 3, "quarter": 3,
}  # fmt: skip
_DAYS_OF = {"": 1, "天": 1, "日": 1, "days": 1, "day": 1, "d": 1, "周": 7, "week": 7, "weeks": 7}
INTERVALS = {
    "月": 1, "月付": 1, "按月": 1, "月结": 1, "monthly": 1, "month": 1, "m": 1,
    "季": 3, "季付": 3, "按季": 3, "季度": 3, "quarterly": 3, "quarter": 3, "q": 3,
    "半年": 6, "半年付": 6, "按半年": 6, "semiannual": 6, "semi-annual": 6, "half-yearly": 6,
    "年": 12, "年付": 12, "按年": 12, "annual": 12, "annually": 12, "yearly": 12,
    "year": 12, "y": 12, "两年付": 24, "biennial": 24, "三年付": 36,
}  # fmt: skip
ONCE = frozenset({"一次性", "一次付清", "一次性付清", "全款", "预付", "upfront", "prepaid", "once",
                  "one-time", "onetime", "single"})  # fmt: skip
CHINESE = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}


@dataclass(frozen=True)
class Amount:
    """An amount as written, and the currency that its cell names, if it does."""

    value: Decimal
    currency: str | None = None

    def minor(self, currency: str) -> int:
        """Minor units of the currency, half up, as Chinese accounting rounds (四舍五入)."""
        return int(self._exact(currency).quantize(Decimal(1), rounding=ROUND_HALF_UP))

    def is_rounded(self, currency: str) -> bool:
        """More places were written than the currency has."""
        return abs(self._exact(currency) - self.minor(currency)) > NOISE

    def _exact(self, currency: str) -> Decimal:
        return self.value.scaleb(DECIMALS.get(currency, 2))

    def __str__(self) -> str:
        return f"{self.value:f}"


def major(minor: int, currency: str) -> str:
    """Minor units as people write them: 120000 CNY is 1200.00."""
    places = DECIMALS.get(currency, 2)
    return f"{Decimal(minor).scaleb(-places):.{places}f}"


def amount(cell: Any, *, unit: int = 1, signed: bool = False) -> Amount | None:
    """48.6万, ¥1,200,000.00, 1.2亿, 300k; with `signed` also -120, −120 and (120).

    `unit` is what the header says (万元: 10,000) and holds where the cell names no unit.
    """
    if isinstance(cell, bool):
        raise BadCell("not_an_amount")
    if isinstance(cell, int | float | Decimal):
        return _amount(_finite(cell) * unit, None, signed=signed)
    found = cells.text(cell)
    if found is None:
        return None
    number, is_negative = _unsigned(found.translate(_FULL_WIDTH).lower().replace(" ", ""))
    code = cells.currency_in(found)
    number = _bare(number, code)
    for name in sorted(cells.UNITS, key=len, reverse=True):
        if number.endswith(name):
            number, unit = number.removesuffix(name), cells.UNITS[name]
            break
    if "%" in number or number[:1] in {"", "-", "+"}:
        raise BadCell("not_an_amount")
    try:
        value = cells.decimal(number)
    except BadCell as error:
        raise BadCell("not_an_amount") from error
    if value is None:
        raise BadCell("not_an_amount")
    return _amount((-value if is_negative else value) * unit, code, signed=signed)


def _unsigned(number: str) -> tuple[str, bool]:
    """-120, −120, ¥-120 and the accountant's (120) are less than nothing."""
    for mark in _MINUS:
        number = number.replace(mark, "-")
    if number.startswith("(") and number.endswith(")"):
        return number[1:-1], True
    head, minus, tail = number.partition("-")
    if minus and (not head or head in cells.CURRENCIES):
        return f"{head}{tail}", True
    return number.removeprefix("+"), False


def _bare(number: str, code: str | None) -> str:
    for sign in sorted(cells.CURRENCIES, key=len, reverse=True):
        number = number.removeprefix(sign).removesuffix(sign).removesuffix("/年")
    return number.replace(code.lower(), "") if code else number


def _finite(cell: float | Decimal) -> Decimal:
    value = Decimal(str(cell))
    if not value.is_finite():
        raise BadCell("not_an_amount")
    return value


def _amount(value: Decimal, currency: str | None, *, signed: bool) -> Amount:
    if abs(value) > MOST:
        raise BadCell("number_too_large")
    if value < 0 and not signed:
        raise BadCell("below_zero")
    return Amount(value, currency)


def currency(cell: Any) -> str | None:
    """A known currency; a word of three letters that is none is refused."""
    found = cells.text(cell)
    if found is None:
        return None
    code = cells.currency_in(cell)
    if code not in DECIMALS:
        raise BadCell("currency_unknown", currency=found[:20])
    return code


def share_bp(cell: Any) -> int | None:
    """A share in basis points: 6%, 0.06, 6 and a cell that a spreadsheet shows as 6%.

    A bare 1 may be 1 % or all of it, so it is refused.
    """
    found = cells.text(cell)
    if found is None:
        return None
    value = cells.decimal(cell)
    if value is None:
        return None
    if isinstance(cell, str) and ("%" in cell or "％" in cell):
        value /= 100
    elif value == 1:
        raise BadCell("share_unclear")
    elif value > 1:
        value /= 100
    if not 0 <= value <= 1:
        raise BadCell("not_a_share")
    return int((value * 10_000).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def discount_bp(cell: Any) -> int | None:
    """How much is taken off: 15%, 0.15, and the Chinese way, what is left: 85折, 8.5折, 八五折."""
    found = cells.text(cell)
    if found is None:
        return None
    written = found.translate(_FULL_WIDTH).replace(" ", "")
    if not written.endswith("折"):
        return share_bp(cell)
    left = "".join(str(CHINESE.get(letter, letter)) for letter in written.removesuffix("折"))
    if not re.fullmatch(r"\d{1,2}|\d\.\d+", left):
        raise BadCell("not_a_share")
    kept = Decimal(left) / (100 if len(left) == 2 and "." not in left else 10)
    return int((1 - kept) * 10_000)


def months(cell: Any) -> Decimal | None:
    """A length in months: 12, 12个月, 1年, 1.5 years, 一年."""
    return _length(cell, _MONTHS_OF, "not_a_term")


def days(cell: Any) -> int | None:
    """A number of days: 30, 30天, 2 weeks."""
    found = _length(cell, _DAYS_OF, "not_a_term")
    return None if found is None else int(found)


def _length(cell: Any, units: dict[str, int], code: str) -> Decimal | None:
    found = cells.text(cell)
    if found is None:
        return None
    written = found.translate(_FULL_WIDTH).lower()
    if written[:1] in CHINESE:
        written = f"{CHINESE[written[0]]}{written[1:]}"
    match = _QUANTITY.match(written)
    if not match or match.group(2).strip() not in units:
        raise BadCell(code)
    return Decimal(match.group(1)) * units[match.group(2).strip()]


def interval_months(cell: Any) -> int | None:
    """How often is billed: 月付, quarterly, 12; 0 means once, in advance."""
    found = cells.text(cell)
    if found is None:
        return None
    written = found.translate(_FULL_WIDTH).lower().removeprefix("每")
    if written in ONCE:
        return 0
    if written in INTERVALS:
        return INTERVALS[written]
    if written.endswith("付") and written.removesuffix("付") in INTERVALS:
        return INTERVALS[written.removesuffix("付")]
    length = _length(found, _MONTHS_OF, "not_an_interval")
    if length is None or length != int(length) or not 1 <= length <= 120:
        raise BadCell("not_an_interval")
    return int(length)


def month(cell: Any) -> date | None:
    """The first day of a month: 2026-03, 2026年3月, 202603, or any day in it."""
    if isinstance(cell, date):
        return cell.replace(day=1) if type(cell) is date else date(cell.year, cell.month, 1)
    found = cells.text(cell)
    if found is None:
        return None
    is_serial = re.fullmatch(r"\d{5}", found)  # 46054 in a cell that a spreadsheet shows as a day
    if not is_serial and (match := _MONTH.match(found.translate(_FULL_WIDTH))):
        year, number = int(match.group(1)), int(match.group(2))
        if 1 <= number <= 12 and 1900 <= year <= 2199:
            return date(year, number, 1)
        raise BadCell("not_a_month")
    try:
        day = cells.day(cell)
    except BadCell as error:
        raise BadCell("not_a_month") from error
    return None if day is None else day.replace(day=1)


def year(cell: Any) -> int | None:
    found = cells.text(cell)
    if found is None:
        return None
    match = re.fullmatch(r"((?:19|20|21)\d{2})\s*年?度?", found.translate(_FULL_WIDTH))
    if not match:
        raise BadCell("not_a_year")
    return int(match.group(1))


def rate(cell: Any) -> Decimal | None:
    """An exchange rate: more than 0, at most 8 places."""
    found = cells.decimal(cell)
    if found is None:
        return None
    if found <= 0 or found >= 10**10 or (isinstance(cell, str) and "%" in cell):
        raise BadCell("not_a_rate")
    return found.quantize(Decimal("0.00000001"), rounding=ROUND_HALF_UP)


def choice(cell: Any, names: dict[str, str], code: str) -> str | None:
    """One of a closed list, by key or by any of its usual names, without regard to case."""
    found = cells.text(cell)
    if found is None:
        return None
    key = names.get(" ".join(found.translate(_FULL_WIDTH).casefold().replace("_", " ").split()))
    if key is None:
        raise BadCell(code)
    return key
