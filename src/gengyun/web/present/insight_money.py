"""Bow-tie, concentration, unit economics and share of wallet, ready to be drawn. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from gengyun.revenue.calc import ltv, unit_economics
from gengyun.revenue.calc.figure import Figure
from gengyun.web.present import format as plain
from gengyun.web.present.insight import (
    Board,
    Column,
    Row,
    TableCell,
    Tile,
    money,
    money_cell,
    period_name,
    reason,
    segment_name,
    share,
    share_cell,
    tile,
    unit_of,
)
from gengyun.web.present.policies import told
from gengyun.web.words import gettext, is_zh, pick

STEP_NAMES = {
    "created": gettext_lazy("Opportunities for new business"),
    "won": gettext_lazy("won"),
    "new": gettext_lazy("Customers signed"),
    "onboarded": gettext_lazy("past kick-off"),
    "healthy": gettext_lazy("healthy or steady today"),
    "due": gettext_lazy("Renewals due"),
    "renewed": gettext_lazy("of them renewed"),
    "paying": gettext_lazy("Paying customers"),
    "expanded": gettext_lazy("of them grew"),
}
BEFORE = ("created", "won")
HEIGHT = 64.0  # half of the drawing


@dataclass(frozen=True)
class BowStep:
    label: str
    count: str
    amount: str
    href: str
    share: str  # of the step it is a part of
    is_after: bool
    path: str  # from the height of this step to the next


def bow_tie(
    steps: Sequence[Any], links: Mapping[str, str], *, first: date, last: date, currency: str
) -> Board:
    board = Board(currency=currency, first=first, last=last, title=_("Bow-tie"))
    counts = {step.key: step.count for step in steps}
    heights = [_height(step.count, steps) for step in steps]
    for at, step in enumerate(steps):
        following = heights[at + 1] if at + 1 < len(steps) else heights[at]
        part = counts.get(step.of)
        board.rows.append(
            BowStep(  # type: ignore[arg-type]
                label=str(STEP_NAMES[step.key]),
                count=plain.count(step.count),
                amount=money(step.amount_minor, currency) if step.amount_minor is not None else "",
                href=links[step.key],
                share=_("%(share)s of %(name)s")
                % {"share": share(step.count / part, 0), "name": STEP_NAMES[step.of]}
                if part
                else "",
                is_after=step.key not in BEFORE,
                path=_path(heights[at], following),
            )
        )
    board.definitions = [
        (
            _("Bow-tie"),
            _(
                "Left: opportunities for new business that were created in the time. Middle: "
                "customers whose first ARR began in it. Right: of these, who has left handover and "
                "kick-off, and who is in band A or B today; renewals that came due in the time; "
                "customers who pay at its end, and those of them whose ARR grew in it."
            ),
            [],
        )
    ]
    return board


def _height(count: int, steps: Sequence[Any]) -> float:
    most = max((step.count for step in steps), default=0) or 1
    return max(2.0, HEIGHT * count / most)


def _path(here: float, following: float) -> str:
    """A piece of the tie, 100 wide, mirrored about its middle line."""
    middle = HEIGHT
    return (
        f"M0 {middle - here:.1f}L100 {middle - following:.1f}"
        f"L100 {middle + following:.1f}L0 {middle + here:.1f}Z"
    )


# ---- concentration


def concentration(
    amounts: Sequence[int],
    largest: Sequence[tuple[Any, int]],
    parts: Sequence[tuple[Any, int]],
    *,
    currency: str,
    query: str,
) -> Board:
    total = sum(value for value in amounts if value > 0)
    board = Board(title=_("The largest customers"), currency=currency, unit=unit_of(currency))
    if not total:
        return board
    found = (
        ("top_1", _("The largest"), unit_economics.top_share(amounts, count=1)),
        (
            "top_5",
            pgettext("customers", "The five largest"),
            unit_economics.top_share(amounts, count=5),
        ),
        ("top_10", _("The ten largest"), unit_economics.top_share(amounts, count=10)),
        ("tenth", _("The largest tenth"), unit_economics.top_share(amounts, part=Decimal("0.1"))),
    )
    board.figures = [
        tile(figure, key=key, label=label, written=share, of=currency)
        for key, label, figure in found
    ]
    index = unit_economics.herfindahl(amounts)
    board.figures.append(
        tile(index, key="hhi", label=_("Concentration index"), written=lambda v: f"{v:.3f}")
    )
    board.lead = _(
        "%(total)s of ARR from %(count)s customers; the five largest hold %(share)s."
    ) % {
        "total": money(total, currency),
        "count": sum(1 for value in amounts if value > 0),
        "share": share(found[1][2].value),
    }
    board.head = _("Customer")
    board.columns = [
        Column("arr", "ARR"),
        Column("share", _("Share")),
        Column("sum", _("Share so far"), edge=True),
    ]
    board.rows = _parts(parts, total) if parts else _largest(largest, total, query)
    board.definitions = [
        (_("Concentration"), gettext(unit_economics.TOP_SHARE), []),
        (_("Concentration index"), gettext(unit_economics.HERFINDAHL), []),
    ]
    return board


def _largest(rows: Sequence[tuple[Any, int]], total: int, query: str) -> list[Row]:
    found, so_far = [], 0
    for customer, arr in rows:
        so_far += arr
        href = reverse("web:insight_ledger", args=[customer.pk]) + (f"?{query}" if query else "")
        found.append(Row(customer.name, _share_cells(arr, so_far, total, href)))
    return found


def _parts(rows: Sequence[tuple[Any, int]], total: int) -> list[Row]:
    found, so_far = [], 0
    for part, arr in sorted(rows, key=lambda row: -row[1]):
        so_far += arr
        found.append(Row(segment_name(part), _share_cells(arr, so_far, total, "")))
    return found


def _share_cells(arr: int, so_far: int, total: int, href: str) -> list[TableCell]:
    return [
        money_cell(arr, href),
        TableCell(share(arr / total), value=arr / total),
        TableCell(share(so_far / total), value=so_far / total),
    ]


# ---- unit economics

Link = Callable[..., str]
ECONOMICS = (
    ("arpa", "ARPA", unit_economics.ARPA),
    ("quick_ratio", gettext_lazy("Quick ratio"), unit_economics.QUICK_RATIO),
    ("cac", "CAC", unit_economics.CAC),
    ("cac_ratio", gettext_lazy("CAC ratio"), unit_economics.CAC_RATIO),
    ("magic_number", gettext_lazy("Magic number"), unit_economics.MAGIC),
    ("payback", gettext_lazy("CAC payback"), unit_economics.PAYBACK),
    ("ltv", gettext_lazy("Simple LTV"), unit_economics.LTV),
    ("ltv_cac", "LTV:CAC", unit_economics.LTV_CAC),
)


def economics(
    rows: Sequence[tuple[Any, Mapping[str, Figure]]],
    together: Mapping[str, Figure],
    curve: Mapping[str, Any],
    *,
    currency: str,
    link: Link,
) -> Board:
    """`rows`: (period, its figures); `together`: those of the whole stretch."""
    board = Board(
        title=_("By period"),
        lead=_("ARPA, what winning a customer costs, how soon it is paid back, what it is worth."),
        head=_("Period"),
        currency=currency,
        unit=_("money in the currency below"),
        first=rows[0][0].start,
        last=rows[-1][0].end,
        columns=[
            Column(key, str(name), meaning=gettext(meaning)) for key, name, meaning in ECONOMICS
        ],
    )
    board.figures = [
        tile(
            together[key],
            key=key,
            label=str(name),
            written=_writer(together[key], currency),
            of=_parts_of(key, currency),
            href=link("new") if key == "cac" else link("closing") if key == "arpa" else "",
        )
        for key, name, _meaning in ECONOMICS
    ]
    board.figures.append(_curve_tile(curve, currency))
    for span, found in rows:
        cells = [_cell(found[key], currency) for key, _name, _meaning in ECONOMICS]
        board.rows.append(Row(period_name(span), cells, note=_("so far") if span.is_open else ""))
    board.definitions = [
        (str(name), gettext(meaning), told(together[key].policy))
        for key, name, meaning in ECONOMICS
    ]
    board.definitions.append((_("LTV by the curve"), gettext(ltv.DEFINITION), _curve_lines(curve)))
    return board


def signed(worth: Any, repeat: Figure, *, currency: str) -> list[Tile]:
    """What was signed in the stretch for its whole term, and who bought more than once."""
    return [
        Tile(
            key="tcv",
            label="TCV",
            text=money(worth.amount, currency),
            definition=gettext(
                "TCV: everything signed in the period for its whole term, one-off services too, "
                "without tax."
            ),
            note=_("%(count)s contracts") % {"count": worth.contracts},
        ),
        tile(repeat, key="repeat", label=_("Repeat-purchase rate"), written=share),
    ]


def _parts_of(key: str, currency: str) -> str:
    return currency if key in {"arpa", "quick_ratio", "cac", "cac_ratio", "magic_number"} else ""


def _writer(figure: Figure, currency: str) -> Callable[[Decimal], str]:
    if figure.unit == "money":
        return lambda value: money(int(value), currency)
    if figure.unit == "months":
        return lambda value: _("%(count)s months") % {"count": plain.number(float(value))}
    return lambda value: plain.number(float(value), 2)


def _cell(figure: Figure, currency: str) -> TableCell:
    if figure.value is None:
        return TableCell(reason=reason(figure))
    value = float(figure.value) / (100 if figure.unit == "money" else 1)
    return TableCell(_writer(figure, currency)(figure.value), value=value)


def _curve_tile(curve: Mapping[str, Any], currency: str) -> Tile:
    figure = curve["ltv"]
    note = ""
    if figure.value is not None:
        note = _("of 3 years; of 10 years %(amount)s") % {
            "amount": money(int(curve["ltv_10_years"].value), currency)
        }
    return tile(
        figure,
        key="curve",
        label=_("LTV by the curve"),
        written=lambda value: money(int(value), currency),
        note=note,
    )


def _curve_lines(curve: Mapping[str, Any]) -> list[str]:
    if "alpha" not in curve:
        return [reason(curve["ltv"])]
    return [
        _(
            "Fitted to %(lives)s lives: alpha %(alpha)s, beta %(beta)s; the first renewal succeeds "
            "in %(first)s, the third in %(third)s."
        )
        % {
            "lives": curve["lives"],
            "alpha": curve["alpha"],
            "beta": curve["beta"],
            "first": share(curve["retention_1"]),
            "third": share(curve["retention_3"]),
        }
    ]


ONLY_PART = (
    "You see a part of the customers; spend is of the whole company, so nothing is divided by it."
)


def unspent(months: Sequence[date], is_whole: bool) -> list[str]:
    if not months or not is_whole:
        return []
    told = _(
        "No spend is entered for %(months)s; CAC and payback of the whole stretch count the "
        "customers won then all the same."
    )
    return [told % {"months": ("、" if is_zh() else ", ").join(f"{one:%Y-%m}" for one in months)}]


def only_part() -> str:
    return _(ONLY_PART)


# ---- share of wallet


@dataclass(frozen=True)
class WalletRow:
    name: str
    href: str
    tier: str
    owner: str
    category: str
    year: int
    budget: str
    ours: str
    share: TableCell
    width: float  # of the bar, 0 to 100
    left: str
    said_by: str
    said_on: Any


@dataclass
class WalletBoard:
    rows: list[WalletRow]
    lead: str
    customers: int
    named: int
    figures: Sequence[Tile] = ()
    definition: str = ""


def wallet(found: Any) -> WalletBoard:
    rows = [_wallet_row(one) for one in found.rows]
    return WalletBoard(
        rows=rows,
        lead=_("%(named)s of %(customers)s customers have named a budget.")
        % {"named": plain.count(found.named), "customers": plain.count(found.customers)},
        customers=found.customers,
        named=found.named,
        definition=gettext(unit_economics.WALLET),
    )


def _wallet_row(one: Any) -> WalletRow:
    customer, budget, figure = one.customer, one.wallet.budget, one.wallet.share
    numerator = None if figure.numerator is None else int(figure.numerator)
    return WalletRow(
        name=customer.name,
        href=reverse("web:customer", args=[customer.pk]),
        tier=pick(customer.tier) if customer.tier else "",
        owner=customer.owner.name if customer.owner else "",
        category=budget.category or pgettext("budget", "everything"),
        year=budget.year,
        budget=plain.money(budget.amount_minor, budget.currency, zh=is_zh()),
        ours=plain.money(numerator, budget.currency, zh=is_zh()),
        share=share_cell(figure),
        width=0.0 if figure.value is None else min(100.0, round(float(figure.value) * 100, 1)),
        left=plain.money(one.wallet.headroom_minor, budget.currency, zh=is_zh()),
        said_by=budget.said_by,
        said_on=budget.said_on,
    )
