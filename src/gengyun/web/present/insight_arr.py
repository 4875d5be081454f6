"""ARR movements as a table, a chart and figures. Pure: amounts in, texts and addresses out."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from gengyun.revenue.calc.spans import Span
from gengyun.revenue.calc.unit_economics import NET_CHANGE
from gengyun.revenue.calc.waterfall import DEFINITION, Waterfall
from gengyun.web.present import format as plain
from gengyun.web.present.insight import (
    COLUMN_NAMES,
    KIND_NAMES,
    Board,
    Column,
    Row,
    TableCell,
    Tile,
    amount,
    listed,
    money,
    money_cell,
    period_name,
    segment_name,
    signed,
    unit_of,
)
from gengyun.web.words import gettext, is_zh

ALWAYS = ("new", "expansion", "contraction", "churn")
RARE = ("win_back", "pause", "resume", "correction", "transfer", "fx")
ORDER = (
    "new",
    "win_back",
    "expansion",
    "resume",
    "contraction",
    "pause",
    "churn",
    "transfer",
    "correction",
)
Link = Callable[..., str]  # of a cell: link(column, period=…, seg=…)


def steps_of(found: Waterfall, *, by_kind: bool) -> list[str]:
    """The columns between start and end: those people know, and others only where they moved."""
    if by_kind:
        kinds = [kind for kind in KIND_NAMES if any(found.kinds.get(kind, ()))]
        return [*kinds, *(["fx"] if any(found.fx) else [])]
    rare = [name for name in RARE if any(found.fx if name == "fx" else found.columns[name])]
    return [name for name in (*ORDER, "fx") if name in ALWAYS or name in rare]


def value_of(found: Waterfall, name: str, at: int, *, by_kind: bool) -> int:
    if name == "opening":
        return found.opening[at]
    if name == "closing":
        return found.closing[at]
    if name == "fx":
        return found.fx[at]
    return (found.kinds if by_kind else found.columns)[name][at]


def columns(steps: Sequence[str], *, by_kind: bool) -> list[Column]:
    names = KIND_NAMES if by_kind else COLUMN_NAMES
    return [
        Column("opening", str(COLUMN_NAMES["opening"])),
        *(Column(s, str(names.get(s, COLUMN_NAMES["fx"])), not n) for n, s in enumerate(steps)),
        Column("net", str(COLUMN_NAMES["net"]), edge=True, meaning=gettext(NET_CHANGE)),
        Column("closing", str(COLUMN_NAMES["closing"]), edge=True),
    ]  # fmt: skip


def row_cells(
    found: Waterfall, at: int, steps: Sequence[str], link: Link, *, by_kind: bool, **where: Any
) -> list[TableCell]:
    cells = [money_cell(found.opening[at], link("opening", **where))]
    for name in steps:
        value = value_of(found, name, at, by_kind=by_kind)
        cells.append(money_cell(value, link(name, **where) if value else "", is_change=True))
    net = found.closing[at] - found.opening[at]
    cells.append(money_cell(net, link("net", **where) if net else "", is_change=True))
    cells.append(money_cell(found.closing[at], link("closing", **where)))
    return cells


def board(
    whole: Waterfall,
    periods: Sequence[Span],
    by_period: Waterfall,
    parts: Sequence[tuple[Any, Waterfall]],
    link: Link,
    *,
    currency: str,
    by_kind: bool,
) -> Board:
    """`whole`: the stretch as one period. Rows are the periods, or `parts`: (segment, its
    waterfall of the whole stretch)."""
    steps = steps_of(whole, by_kind=by_kind)
    for name in steps_of(by_period, by_kind=by_kind):
        if name not in steps:
            steps.append(name)
    rows = _segment_rows(parts, steps, link, by_kind=by_kind) if parts else []
    if not parts:
        rows = _period_rows(by_period, periods, steps, link, by_kind=by_kind)
    adds_up = not any(whole.remainder()) and not any(by_period.remainder())
    said = _("Start, movements and end add up in every row.")
    if not adds_up:
        said = _("This table does not add up; please report it.")
    return Board(
        title=_("ARR by what moved it"),
        lead=lead(whole, currency),
        unit=unit_of(currency),
        currency=currency,
        first=periods[0].start,
        last=periods[-1].end,
        columns=columns(steps, by_kind=by_kind),
        rows=rows,
        total=Row(_("Together"), _totals(whole, by_period, steps, link, by_kind=by_kind)),
        check=(adds_up, said),
        definitions=[(_("ARR movements"), gettext(DEFINITION), [])],
    )  # fmt: skip


def _period_rows(
    found: Waterfall, periods: Sequence[Span], steps: Sequence[str], link: Link, *, by_kind: bool
) -> list[Row]:
    return [
        Row(
            period_name(span),
            row_cells(found, at, steps, link, by_kind=by_kind, period=span.key),
            note=_("so far") if span.is_open else "",
        )
        for at, span in enumerate(periods)
    ]


def _segment_rows(
    parts: Sequence[tuple[Any, Waterfall]], steps: Sequence[str], link: Link, *, by_kind: bool
) -> list[Row]:
    return [
        Row(
            segment_name(segment),
            row_cells(found, 0, steps, link, by_kind=by_kind, seg=segment.key),
        )
        for segment, found in parts
    ]


def _totals(
    whole: Waterfall, by_period: Waterfall, steps: Sequence[str], link: Link, *, by_kind: bool
) -> list[TableCell]:
    """The sums of the rows: of periods where compared end with end, not of the whole stretch."""
    cells = [money_cell(whole.opening[0], link("opening"))]
    for name in steps:
        value = sum(
            value_of(by_period, name, at, by_kind=by_kind) for at in range(len(by_period.opening))
        )
        cells.append(money_cell(value, link(name) if value else "", is_change=True))
    net = whole.closing[0] - whole.opening[0]
    cells.append(money_cell(net, link("net") if net else "", is_change=True))
    cells.append(money_cell(whole.closing[0], link("closing")))
    return cells


def lead(whole: Waterfall, currency: str) -> str:
    start, end = whole.opening[0], whole.closing[0]
    net = end - start
    said = _("ARR went from %(start)s to %(end)s, %(net)s.") if net else _("ARR stayed at %(end)s.")
    moved = {name: value[0] for name, value in whole.columns.items() if value[0]}
    if whole.fx[0]:
        moved["fx"] = whole.fx[0]
    # all of them, so that the sentence adds up
    largest = sorted(moved.items(), key=lambda item: -abs(item[1]))
    told = listed([f"{COLUMN_NAMES[name]} {_moved(value, currency)}" for name, value in largest])
    text = said % {
        "start": money(start, currency),
        "end": money(end, currency),
        "net": _moved(net, currency),
    }
    return f"{text} {told}" if told else text


def _moved(value: int, currency: str) -> str:
    return f"{'+' if value > 0 else plain.MINUS if value else ''}{money(abs(value), currency)}"


def tiles(whole: Waterfall, currency: str, link: Link) -> list[Tile]:
    net = whole.closing[0] - whole.opening[0]
    return [
        Tile(
            key="arr",
            label=str(COLUMN_NAMES["closing"]),
            text=money(whole.closing[0], currency),
            definition=gettext(DEFINITION),
            href=link("closing"),
            note=_("%(count)s customers") % {"count": whole.customers[0]},
        ),
        Tile(
            key="net",
            label=str(COLUMN_NAMES["net"]),
            text=_moved(net, currency),
            definition=gettext(NET_CHANGE),
            href=link("net"),
        ),
    ]


def chart(whole: Waterfall, currency: str, *, by_kind: bool) -> dict[str, Any]:
    """Bars that hang where the one before ended; in the unit of the table."""
    names = KIND_NAMES if by_kind else COLUMN_NAMES
    level = whole.opening[0]
    found = [_bar(COLUMN_NAMES["opening"], 0, level, "start", amount(level))]
    for name in steps_of(whole, by_kind=by_kind):
        value = value_of(whole, name, 0, by_kind=by_kind)
        kind = "up" if value > 0 else "down" if value < 0 else "flat"
        label = COLUMN_NAMES["fx"] if name == "fx" else names[name]
        found.append(_bar(label, level, level + value, kind, signed(value)))
        level += value
    found.append(_bar(COLUMN_NAMES["closing"], 0, whole.closing[0], "end", amount(level)))
    return {
        "steps": found,
        "values": [step["to"] for step in found],
        "floor": _floor(found),
        "finding": lead(whole, currency),
        "note": _("The axis does not begin at 0.") if _floor(found) else "",
    }


def _bar(name: Any, start: int, end: int, kind: str, label: str) -> dict[str, Any]:
    unit = 1e6 if is_zh() else 1e5  # as `amount` writes them
    return {"name": str(name), "from": start / unit, "to": end / unit, "kind": kind, "label": label}


def _floor(steps: Sequence[dict[str, Any]]) -> float:
    """Where the axis begins: 0, or below what moves when that is small beside what stays."""
    levels = [step["to"] for step in steps] + [step["from"] for step in steps[1:-1]]
    low, high = min(levels), max(levels)
    if low <= 0 or high - low > low * 0.35:
        return min(0.0, low)
    room = (high - low) or high
    return float(max(0, int((low - room) / 10) * 10))
