"""Reading one cell of an import: text, day, instant, amount, count, as people write them.

A cell is what a reader gives: text, int, float, bool, date, datetime or None. Every function
returns `None` for an empty cell and raises `BadCell` with a stable code.
"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

EMPTY = frozenset({"", "-", "--", "—", "——", "/", "n/a", "na", "null", "none", "无", "空", "#n/a"})
YES = frozenset({"是", "有", "对", "√", "y", "yes", "true", "1", "已", "on"})
NO = frozenset({"否", "没有", "不", "×", "n", "no", "false", "0", "未", "off"})
FORMULA = frozenset("=+-@")  # what a spreadsheet would run when a cell begins with it
EXCEL_EPOCH = date(1899, 12, 30)  # serial 1 is 1900-01-01; Excel's 29 Feb 1900 never was
EXCEL_LAST = 109_574  # 2199-12-31: a larger number in a date column is no serial
UNITS = {"万亿": 10**12, "亿": 10**8, "百万": 10**6, "万": 10**4, "千": 10**3, "w": 10**4,
         "k": 10**3, "m": 10**6}  # fmt: skip
CURRENCIES = {"¥": "CNY", "￥": "CNY", "元": "CNY", "rmb": "CNY", "cny": "CNY", "人民币": "CNY",
              "$": "USD", "usd": "USD", "美元": "USD", "€": "EUR", "eur": "EUR", "欧元": "EUR",
              "hkd": "HKD", "hk$": "HKD", "港币": "HKD", "jpy": "JPY", "日元": "JPY"}  # fmt: skip
_FULL_WIDTH = str.maketrans({code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)})
_DAY = re.compile(r"^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:\s*号)?$")
_DAY_OR_MONTH = re.compile(r"^(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{2}|\d{4})$")
_COMPACT_DAY = re.compile(r"^((?:19|20)\d{2})(\d{2})(\d{2})$")
_TIME = re.compile(
    r"^(上午|下午|晚上|早上)?\s*(\d{1,2})\s*[:时点]\s*(\d{1,2})?\s*(?:[:分]\s*(\d{1,2}))?\s*[分秒]?(?:\.\d+)?$"
)
_NUMBER = re.compile(r"^([+-]?)(\d[\d,' ]*)(\.\d+)?$")


class BadCell(ValueError):
    """`code` is a key of `actions.import_messages.MESSAGES`."""

    def __init__(self, code: str, **params: Any) -> None:
        self.code, self.params = code, params
        super().__init__(code)


def text(cell: Any) -> str | None:
    """Whole numbers without ".0", full-width spaces and line ends folded."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        cell = int(cell) if cell.is_integer() else repr(cell)
    found = " ".join(str(cell).replace("\u3000", " ").replace("\ufeff", "").split())
    if found[:1] == "'" and found[1:2] in FORMULA:
        found = found[1:]  # our own error file put it there
    return None if found.lower() in EMPTY else found


def yes_or_no(cell: Any) -> bool | None:
    if isinstance(cell, bool):
        return cell
    found = text(cell)
    if found is None:
        # "无" is empty for a text and "no" for this question
        return False if isinstance(cell, str) and cell.strip() == "无" else None
    if found.casefold() in YES | NO:
        return found.casefold() in YES
    raise BadCell("not_yes_or_no")


def long_text(cell: Any) -> str | None:
    """A text that keeps its lines."""
    if not isinstance(cell, str):
        return text(cell)
    found = cell.replace("\r\n", "\n").replace("\r", "\n").strip()
    return None if found.lower() in EMPTY else found


def day(cell: Any) -> date | None:
    """2026-03-01, 2026/3/1, 2026.3.1, 2026年3月1日, 20260301, an Excel serial; a time is cut off.

    Day-month orders (01/03/2026) are refused: they cannot be told apart.
    """
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _serial_day(cell)
    found = text(cell)
    if found is None:
        return None
    found = found.translate(_FULL_WIDTH)
    head = re.split(r"[T ](?=[上下早晚\d])", found)[0] if len(found) > 10 else found
    if match := (_DAY.match(found) or _DAY.match(head) or _COMPACT_DAY.match(found)):
        return _day(found, *(int(part) for part in match.groups()))
    if re.fullmatch(r"\d{5}(\.\d+)?", found):
        return _serial_day(float(found))
    either = _DAY_OR_MONTH.match(head)
    is_unclear = either and all(1 <= int(part) <= 12 for part in either.groups()[:2])
    raise BadCell("day_unclear" if is_unclear else "not_a_day")


def _day(found: str, year: int, month: int, number: int) -> date:
    try:
        return date(year, month, number)
    except ValueError as error:
        raise BadCell("no_such_day") from error


def _serial_day(serial: float) -> date:
    if 19_000_101 <= serial <= 21_991_231:  # 20260301 in a numeric cell
        whole = int(serial)
        return _day(str(whole), whole // 10_000, whole // 100 % 100, whole % 100)
    if not 1 <= serial <= EXCEL_LAST:
        raise BadCell("not_a_day")
    return EXCEL_EPOCH + timedelta(days=int(serial))


def instant(cell: Any, zone: ZoneInfo) -> datetime | None:
    """A day with a time, in the company's zone unless an offset is written; noon without one."""
    if isinstance(cell, datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=zone)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day, 12, tzinfo=zone)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _serial_instant(cell, zone)
    found = text(cell)
    if found is None:
        return None
    found = found.translate(_FULL_WIDTH)
    try:
        moment = datetime.fromisoformat(found)
    except ValueError:
        return _spoken_instant(found, zone)
    if len(found) <= 10:
        moment = moment.replace(hour=12)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _serial_instant(serial: float, zone: ZoneInfo) -> datetime:
    base = _serial_day(serial)
    seconds = 43_200 if float(serial).is_integer() else round((serial % 1) * 86_400)
    return datetime(base.year, base.month, base.day, tzinfo=zone) + timedelta(seconds=seconds)


def _spoken_instant(found: str, zone: ZoneInfo) -> datetime:
    head, _, tail = found.partition("日")
    if not tail and " " in found:
        head, _, tail = found.partition(" ")
    base = day(head)
    if base is None:
        raise BadCell("not_an_instant")
    if not tail.strip():
        return datetime(base.year, base.month, base.day, 12, tzinfo=zone)
    match = _TIME.match(tail.strip())
    if not match:
        raise BadCell("not_an_instant")
    half, hour, minute, second = match.groups()
    hours = int(hour) + (12 if half in {"下午", "晚上"} and int(hour) < 12 else 0)
    try:
        return datetime(
            base.year, base.month, base.day, hours, int(minute or 0), int(second or 0), tzinfo=zone
        )
    except ValueError as error:
        raise BadCell("not_an_instant") from error


def amount_minor(cell: Any, *, unit: int = 1) -> int | None:
    """An amount in the currency's minor unit (fen): 48.6万, ¥1,200,000.00, 1.2亿, 300k, (120).

    `unit` is what the column header says (万元: 10,000) and holds where the cell names no unit.
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _minor(Decimal(str(cell)), unit)
    found = text(cell)
    if found is None:
        return None
    number = found.translate(_FULL_WIDTH).lower().replace(" ", "")
    for sign in sorted(CURRENCIES, key=len, reverse=True):
        number = number.removeprefix(sign).removesuffix(sign).removesuffix("/年")
    for name in sorted(UNITS, key=len, reverse=True):
        if number.endswith(name):
            number, unit = number.removesuffix(name), UNITS[name]
            break
    return _minor(_number(number, "not_an_amount"), unit)


def _minor(value: Decimal, unit: int) -> int:
    minor = value * unit * 100
    if not minor.is_finite() or minor < 0:
        raise BadCell("not_an_amount")
    if minor > 10**15:
        raise BadCell("number_too_large")
    return int(minor.quantize(Decimal(1)))


def currency_in(cell: Any) -> str | None:
    """The currency that an amount or a currency cell names, if it does."""
    found = text(cell)
    if found is None:
        return None
    lowered = found.translate(_FULL_WIDTH).lower()
    for sign in sorted(CURRENCIES, key=len, reverse=True):  # 美元 before 元
        if sign in lowered:
            return CURRENCIES[sign]
    if re.fullmatch(r"[a-z]{3}", lowered):
        return lowered.upper()
    return None


def count(cell: Any) -> int | None:
    """A whole number of things: 200, "1,200", "200 人", 1.5万."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        value = Decimal(str(cell))
    else:
        found = text(cell)
        if found is None:
            return None
        number = re.sub(r"(人|个|席|席位|账号|seats?|users?)$", "", found.translate(_FULL_WIDTH))
        number, unit = number.strip(), 1
        if number.endswith("万"):
            number, unit = number[:-1], 10_000
        value = _number(number, "not_a_count") * unit
    if value != value.to_integral_value() or value < 0:
        raise BadCell("not_a_count")
    if value > 2_000_000_000:
        raise BadCell("number_too_large")
    return int(value)


def decimal(cell: Any) -> Decimal | None:
    """A number that may have places and a sign: -12.5, "1,200.5", 85%."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        value = Decimal(str(cell))
        if not value.is_finite():
            raise BadCell("not_a_number")
        return value
    found = text(cell)
    if found is None:
        return None
    written = found.translate(_FULL_WIDTH).lower().replace(" ", "")
    for name in sorted(UNITS, key=len, reverse=True):
        if written.endswith(name):
            return _number(written.removesuffix(name), "not_a_number") * UNITS[name]
    return _number(written.removesuffix("%"), "not_a_number")


def _number(written: str, code: str) -> Decimal:
    match = _NUMBER.match(written.strip())
    if not match or not _grouped(match.group(2)):
        raise BadCell(code)
    try:
        return Decimal(re.sub(r"[,' ]", "", written))
    except InvalidOperation as error:
        raise BadCell(code) from error


def _grouped(digits: str) -> bool:
    """Commas only where thousands (or ten thousands) end: "1,5" may be a decimal comma."""
    parts = re.split(r"[,' ]", digits)
    return len(parts) == 1 or all(len(part) in {3, 4} for part in parts[1:])


def email(cell: Any) -> str | None:
    found = text(cell)
    if found is None:
        return None
    found = found.translate(_FULL_WIDTH).removeprefix("mailto:").lower()
    if len(found) > 254 or not re.fullmatch(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+", found):
        raise BadCell("not_an_email")
    return found


def words(cell: Any) -> list[str] | None:
    """Several texts in one cell: "重点, 已培训；试点"."""
    found = text(cell)
    if found is None:
        return None
    parts = [part.strip() for part in re.split(r"[,，、;；|]", found)]
    return list(dict.fromkeys(part for part in parts if part)) or None
