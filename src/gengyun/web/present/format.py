"""How figures and dates look, in Chinese and in English. Pure: no settings, no clock.

Every function takes `zh` (bool) and returns text; unknown is "—", never 0.
"""

from datetime import date, datetime

from gengyun.kernel.currencies import minor_of_one

UNKNOWN = "—"
WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS_EN = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
SYMBOLS = {"CNY": "", "USD": "US$", "EUR": "€", "HKD": "HK$", "JPY": "JP¥", "GBP": "£"}
MINUS = "−"


def _sign(value: float) -> str:
    return MINUS if value < 0 else ""


def money(minor: int | None, currency: str = "CNY", *, zh: bool) -> str:  # noqa: PLR0911
    """Minor units to 48.6 万 / 1.2 亿, or 486k / 1.2M; one decimal."""
    if minor is None:
        return UNKNOWN
    major, sign = abs(minor) / minor_of_one(currency), _sign(minor)
    mark = SYMBOLS.get(currency, currency + " ")
    if zh:
        if major >= 99_995_000:
            return f"{sign}{mark}{major / 1e8:,.1f} 亿"
        if major >= 9_995:
            return f"{sign}{mark}{major / 1e4:,.1f} 万"
        return f"{sign}{mark}{major:,.0f} 元" if currency == "CNY" else f"{sign}{mark}{major:,.0f}"
    if major >= 999_500:
        return f"{sign}{mark}{major / 1e6:,.2f}M"
    if major >= 9_995:
        return f"{sign}{mark}{major / 1e3:,.0f}k"
    return f"{sign}{mark}{major:,.0f}"


def money_parts(minor: int | None, currency: str = "CNY", *, zh: bool) -> tuple[str, str]:
    """Figure and unit apart, for counters: ("1,286", "万元")."""
    if minor is None:
        return UNKNOWN, ""
    major, sign = abs(minor) / minor_of_one(currency), _sign(minor)
    if zh:
        word = "元" if currency == "CNY" else f" {currency}"
        if major >= 1e8:
            return f"{sign}{major / 1e8:,.2f}", f"亿{word}"
        figure = major / 1e4
        return f"{sign}{figure:,.0f}" if figure >= 1000 else f"{sign}{figure:,.1f}", f"万{word}"
    if major >= 1e6:
        return f"{sign}{major / 1e6:,.2f}", f"M {currency}"
    return f"{sign}{major / 1e3:,.0f}", f"k {currency}"


def wan(minor: int | None, currency: str = "CNY", *, zh: bool) -> str:
    """A cell under a header that names the unit: 万元 in Chinese, thousands in English."""
    if minor is None:
        return UNKNOWN
    major = minor / minor_of_one(currency)
    return f"{major / 1e4:,.1f}" if zh else f"{major / 1e3:,.0f}"


def count(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.0f}"


def score(value: float | None) -> str:
    """A health score as a whole number, rounded down: 49.6 is D and must not read 50."""
    return UNKNOWN if value is None else f"{int(value)}"


def number(value: float | None, digits: int = 1) -> str:
    if value is None:
        return UNKNOWN
    text = f"{abs(value):,.{digits}f}"
    if digits and text.endswith("." + "0" * digits):
        text = text[: -digits - 1]
    return ("" if text == "0" else _sign(value)) + text


def percent(ratio: float | None, digits: int = 0) -> str:
    """0.31 to 31%."""
    if ratio is None:
        return UNKNOWN
    return f"{_sign(ratio)}{abs(ratio) * 100:,.{digits}f}%"


def signed(value: float | None, digits: int = 1) -> str:
    """+4.2, −6.6, 0."""
    if value is None:
        return UNKNOWN
    text = number(abs(value), digits)
    if text == "0":
        return text
    return ("+" if value > 0 else MINUS) + text


def metric(value: float | None, unit: str, *, zh: bool) -> str:  # noqa: PLR0911
    """A metric's value in its unit: count, users, days, ratio, amount, change."""
    if value is None:
        return UNKNOWN
    if unit in {"ratio", "percent"}:
        return percent(value, 0)
    if unit == "change":
        return ("+" if value > 0 else "") + percent(value, 0)
    if unit == "amount":
        return number(value, 1)
    figure = number(value, 1)
    if unit == "users":
        return f"{figure} 人" if zh else f"{figure} {'user' if value == 1 else 'users'}"
    if unit == "days":
        return f"{figure} 天" if zh else f"{figure} {'day' if value == 1 else 'days'}"
    return f"{figure} 次" if zh and unit == "events" else figure


def day(value: date | None, *, today: date, zh: bool) -> str:
    """11-24, another year 2027-02-18; English 24 Nov, 18 Feb 2027."""
    if value is None:
        return UNKNOWN
    if zh:
        return f"{value:%m-%d}" if value.year == today.year else f"{value:%Y-%m-%d}"
    text = f"{value.day} {MONTHS_EN[value.month - 1]}"
    return text if value.year == today.year else f"{text} {value.year}"


def day_full(value: date | None, *, zh: bool) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:%Y-%m-%d}" if zh else f"{value.day} {MONTHS_EN[value.month - 1]} {value.year}"


def day_title(value: date, *, zh: bool) -> str:
    """11 月 24 日 周二 / Tue 24 Nov."""
    if zh:
        return f"{value.month} 月 {value.day} 日 周{WEEKDAYS_ZH[value.weekday()]}"
    return f"{WEEKDAYS_EN[value.weekday()]} {value.day} {MONTHS_EN[value.month - 1]}"


def weekday(value: date, *, zh: bool) -> str:
    return "周" + WEEKDAYS_ZH[value.weekday()] if zh else WEEKDAYS_EN[value.weekday()]


def due(value: date | None, *, today: date, zh: bool) -> str:
    """A deadline: 逾期 3 天, 今天, 明天, then the date."""
    if value is None:
        return UNKNOWN
    left = (value - today).days
    if left < 0:
        return f"逾期 {-left} 天" if zh else f"{-left} {'day' if left == -1 else 'days'} overdue"
    if left == 0:
        return "今天" if zh else "today"
    if left == 1:
        return "明天" if zh else "tomorrow"
    return day(value, today=today, zh=zh)


def ago(value: date | None, *, today: date, zh: bool) -> str:
    """今天, 昨天, 24 天前."""
    if value is None:
        return UNKNOWN
    gone = (today - value).days
    if gone <= 0:
        return "今天" if zh else "today"
    if gone == 1:
        return "昨天" if zh else "yesterday"
    if gone >= 730:
        years = gone // 365
        return f"{years} 年前" if zh else f"{years} years ago"
    return f"{gone} 天前" if zh else f"{gone} days ago"


def days_left(value: date | None, *, today: date, zh: bool) -> str:
    """86 天, or 过期 3 天 where the date has passed."""
    if value is None:
        return UNKNOWN
    left = (value - today).days
    if left < 0:
        return f"过期 {-left} 天" if zh else f"{-left} d past"
    if left == 0:
        return "今天" if zh else "today"
    return f"{left} 天" if zh else f"{left} d"


def moment(value: datetime | None, *, today: date, zh: bool) -> str:
    """11-24 06:10 / 24 Nov, 06:10; `value` is already in the company's zone."""
    if value is None:
        return UNKNOWN
    return f"{day(value.date(), today=today, zh=zh)}{' ' if zh else ', '}{value:%H:%M}"
