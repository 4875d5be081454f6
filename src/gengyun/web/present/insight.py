"""The tables and figures of the insight pages, ready to be drawn. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import floor, log10
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from gengyun.revenue.calc.figure import Figure
from gengyun.revenue.calc.spans import Span
from gengyun.web.present import format as plain
from gengyun.web.present.policies import told
from gengyun.web.words import gettext, is_zh

COLUMN_NAMES = {
    "opening": gettext_lazy("ARR at the start"),
    "new": pgettext_lazy("ARR", "New"),
    "win_back": gettext_lazy("Win-back"),
    "expansion": gettext_lazy("Expansion"),
    "contraction": gettext_lazy("Contraction"),
    "pause": gettext_lazy("Pause"),
    "resume": gettext_lazy("Resumed"),
    "churn": gettext_lazy("Churn"),
    "correction": gettext_lazy("Correction"),
    "transfer": gettext_lazy("Carried over"),
    "fx": gettext_lazy("Exchange effect"),
    "net": gettext_lazy("Net change"),
    "closing": gettext_lazy("ARR at the end"),
}
KIND_NAMES = {
    "new": pgettext_lazy("ARR", "New"),
    "renew": gettext_lazy("Renewal"),
    "upsell": gettext_lazy("Upsell"),
    "cross_sell": gettext_lazy("Cross-sell"),
    "price_change": gettext_lazy("Price change"),
    "downsell": gettext_lazy("Downsell"),
    "pause": gettext_lazy("Pause"),
    "resume": gettext_lazy("Resumed"),
    "churn": gettext_lazy("Churn"),
    "win_back": gettext_lazy("Win-back"),
    "correction": gettext_lazy("Correction"),
    "transfer": gettext_lazy("Carried over"),
    "expansion": gettext_lazy("Expansion"),
    "contraction": gettext_lazy("Contraction"),
}


@dataclass(frozen=True)
class TableCell:
    """`text` with a way to what lies behind it, or the `reason` why there is no figure."""

    text: str = ""
    href: str = ""
    reason: str = ""
    heat: int = 0  # 0 to 5: how full the ground of a cell of a heat table is
    value: Any = None  # for exports; the text where there is none


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    edge: bool = False
    meaning: str = ""


@dataclass(frozen=True)
class Row:
    label: str
    cells: list[TableCell]
    href: str = ""
    note: str = ""


@dataclass(frozen=True)
class Tile:
    """A figure as the head of a page shows it."""

    key: str
    label: str
    text: str
    definition: str
    reason: str = ""
    href: str = ""
    note: str = ""
    sum: str = ""
    policy: Sequence[str] = ()


@dataclass
class Board:
    """Everything a page of figures shows."""

    title: str = ""
    lead: str = ""
    head: str = ""
    unit: str = ""
    currency: str = "CNY"
    first: date | None = None
    last: date | None = None
    figures: list[Tile] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    total: Row | None = None
    toggle: tuple[str, list[tuple[str, str, bool]]] | None = None
    check: tuple[bool, str] | None = None
    definitions: list[tuple[str, str, Sequence[str]]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def unit_of(currency: str) -> str:
    """What the amounts of a table are written in."""
    if currency == "CNY":
        return _("10,000 yuan") if is_zh() else _("thousand yuan")
    return _("%(unit)s %(currency)s") % {
        "unit": _("ten thousand") if is_zh() else _("thousand"),
        "currency": currency,
    }


def amount(minor: int | None) -> str:
    """A cell under the unit in the head of its table."""
    if minor == 0:
        return "0"
    text = plain.wan(minor, zh=is_zh())
    if minor is not None and not text.strip("-0.,"):  # so small that only its sign would be left
        figure = minor / (1e6 if is_zh() else 1e5)
        text = f"{figure:.{-floor(log10(abs(figure)))}f}"  # one digit that counts
    return text.replace("-", plain.MINUS)


def signed(minor: int) -> str:
    return ("+" if minor > 0 else "") + amount(minor)


def money_cell(minor: int, href: str = "", *, is_change: bool = False) -> TableCell:
    """An amount under the unit of its table; exported in whole units of the currency."""
    text = signed(minor) if is_change else amount(minor)
    return TableCell(text, href, value=Decimal(minor) / 100)


def count_cell(count: int, href: str = "") -> TableCell:
    return TableCell(plain.count(count), href, value=count)


def money(minor: int | None, currency: str) -> str:
    return plain.money(minor, currency, zh=is_zh())


def share(value: Decimal | float | None, digits: int = 1) -> str:
    return plain.percent(None if value is None else float(value), digits)


def period_name(span: Span) -> str:
    """2026 年 3 月, 2026 一季度, 2026 年; in English Mar 2026, Q1 2026, 2026."""
    year, month = span.start.year, span.start.month
    if span.grain == "year":
        return f"{year} 年" if is_zh() else f"{year}"
    if span.grain == "quarter":
        number = (month - 1) // 3
        return f"{year} {'一二三四'[number]}季度" if is_zh() else f"Q{number + 1} {year}"
    return f"{year}-{month:02d}" if is_zh() else f"{plain.MONTHS_EN[month - 1]} {year}"


def reason(figure: Figure) -> str:
    return gettext(figure.reason) % figure.params if figure.reason else ""


def share_cell(figure: Figure, href: str = "", *, digits: int = 1) -> TableCell:
    if figure.value is None:
        return TableCell(reason=reason(figure))
    heat = min(5, max(0, int(float(figure.value) * 5 + 0.5)))
    return TableCell(share(figure.value, digits), href, heat=heat, value=float(figure.value))


def tile(
    figure: Figure,
    *,
    key: str,
    label: str,
    written: Callable[[Decimal], str],
    of: str = "",
    **more: Any,
) -> Tile:
    """`of`: the currency of what was divided by what, "" where customers were counted."""
    return Tile(
        key=key,
        label=label,
        text="" if figure.value is None else written(figure.value),
        definition=gettext(figure.definition),
        reason=reason(figure),
        sum=_sum(figure, of),
        policy=told(figure.policy),
        **more,
    )


def _sum(figure: Figure, currency: str) -> str:
    """The division behind a share, as people write it."""
    if figure.numerator is None or figure.denominator is None or figure.value is None:
        return ""
    parts = [_part(number, currency) for number in (figure.numerator, figure.denominator)]
    return f"{parts[0]} ÷ {parts[1]}"


def _part(number: Decimal, currency: str) -> str:
    return money(int(number), currency) if currency else plain.number(float(number), 2)


def segment_name(segment: Any) -> str:
    return str(segment.name_zh if is_zh() else segment.name_en)


def listed(parts: Sequence[str]) -> str:
    return pgettext("list", ", ").join(parts)


BY_NAMES = {
    "": gettext_lazy("Period"),
    "tier": gettext_lazy("Tier"),
    "owner": pgettext_lazy("column", "CSM"),
    "product": gettext_lazy("Product"),
    "industry": gettext_lazy("Industry"),
    "region": gettext_lazy("Region"),
}


def by_name(by: str) -> str:
    return str(BY_NAMES[by])


def detail_toggle(ask: Any) -> tuple[str, list[tuple[str, str, bool]]]:
    """Switch between the columns people know and the kinds as they were recorded."""
    return (
        _("Columns"),
        [
            (_("summed up"), "?" + ask.query(detail=""), not ask.detail),
            (_("as recorded"), "?" + ask.query(detail="kinds"), bool(ask.detail)),
        ],
    )


def without_rate(missing: dict[str, int]) -> list[str]:
    return [
        _("%(count)s movements in %(currency)s are left out: no exchange rate is known.")
        % {"count": count, "currency": code}
        for code, count in sorted(missing.items())
    ]


def due_without_rate(missing: dict[str, int]) -> list[str]:
    return [
        _(
            "%(count)s due rows in %(currency)s count, but without their amount: "
            "no exchange rate is known."
        )
        % {"count": count, "currency": code}
        for code, count in sorted(missing.items())
    ]


def window_toggle(ask: Any) -> tuple[str, list[tuple[str, str, bool]]]:
    return (
        _("Over"),
        [
            (_("12 months each"), "?" + ask.query(window=""), not ask.window),
            (_("the period"), "?" + ask.query(window="period"), bool(ask.window)),
        ],
    )


def logo_name() -> str:
    return _("Customer retention")


def rate_names() -> tuple[str, str, str]:
    return (
        _("Renewal rate by amount"),
        _("Gross renewal rate by amount"),
        _("Renewal rate by count"),
    )
