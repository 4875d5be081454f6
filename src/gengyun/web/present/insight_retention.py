"""NRR, GRR and renewal rates as tables, charts and figures. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from gengyun.revenue.calc import renewal_rates, retention
from gengyun.revenue.calc.renewal_rates import RenewalRate
from gengyun.revenue.calc.retention import Retention
from gengyun.revenue.calc.spans import Span
from gengyun.web.present.insight import (
    Board,
    Column,
    Row,
    TableCell,
    Tile,
    count_cell,
    money,
    money_cell,
    period_name,
    segment_name,
    share,
    share_cell,
    tile,
    unit_of,
)
from gengyun.web.present.policies import told
from gengyun.web.words import gettext

Link = Callable[..., str]
BOOK_NAMES = {
    "start": gettext_lazy("ARR at the start"),
    "churned": gettext_lazy("Churn"),
    "contracted": gettext_lazy("Contraction"),
    "expanded": gettext_lazy("Expansion"),
    "end": gettext_lazy("what became of it"),
    "customers": gettext_lazy("Customers at the start"),
    "left": gettext_lazy("who left"),
}
DUE_NAMES = {
    "due": gettext_lazy("ARR due"),
    "renewed": gettext_lazy("Renewed"),
    "capped": gettext_lazy("Renewed, at most what was due"),
    "lost": pgettext_lazy("renewals", "Lost"),
    "open": pgettext_lazy("renewals", "Open"),
}


def _money(
    name: str, value: int, link: Link, *, is_change: bool = False, **where: Any
) -> TableCell:
    return money_cell(value, link(name, **where) if value else "", is_change=is_change)


def _count(name: str, value: int, link: Link, **where: Any) -> TableCell:
    return count_cell(value, link(name, **where) if value else "")


def book_row(found: Retention, link: Link, **where: Any) -> list[TableCell]:
    return [
        _money("start", found.start, link, **where),
        _money("churned", -found.churned, link, is_change=True, **where),
        _money("contracted", -found.contracted, link, is_change=True, **where),
        _money("expanded", found.expanded, link, is_change=True, **where),
        _money("end", found.end, link, **where),
        share_cell(found.nrr, link("end", **where)),
        share_cell(found.grr, link("start", **where)),
        _count("customers", found.start_count, link, **where),
        _count("left", found.left_count, link, **where),
        share_cell(found.logo, link("customers", **where)),
    ]


def book_board(
    whole: Retention,
    periods: Sequence[Span],
    rows: Sequence[tuple[Any, Retention]],
    link: Link,
    *,
    currency: str,
    is_trailing: bool,
) -> Board:
    """`rows`: (period or segment, its retention)."""
    names = BOOK_NAMES
    lead = _("Of the ARR of %(start)s at the start, %(end)s is there: NRR %(nrr)s, GRR %(grr)s.")
    if whole.nrr.value is None:
        lead = _("No retention can be computed: nothing was there at the start.")
    chosen = told(whole.nrr.policy)
    return Board(
        title=_("Book-based, over 12 months each") if is_trailing else _("Book-based, by period"),
        lead=lead
        % {
            "start": money(whole.start, currency),
            "end": money(whole.end, currency),
            "nrr": share(whole.nrr.value),
            "grr": share(whole.grr.value),
        },
        unit=unit_of(currency),
        currency=currency,
        first=periods[0].start,
        last=periods[-1].end,
        columns=[
            *(Column(key, str(names[key])) for key in list(names)[:5]),
            Column("nrr", "NRR", edge=True, meaning=gettext(retention.NRR)),
            Column("grr", "GRR", meaning=gettext(retention.GRR)),
            Column("customers", str(names["customers"]), edge=True),
            Column("left", str(names["left"])),
            Column("logo", _("Customer retention"), meaning=gettext(retention.LOGO)),
        ],
        rows=[
            Row(_name(part), book_row(found, link, **_where(part)), note=_so_far(part))
            for part, found in rows
        ],
        figures=_book_tiles(whole, currency, link, _last(rows)),
        definitions=[
            ("NRR", gettext(retention.NRR), chosen),
            ("GRR", gettext(retention.GRR), chosen),
            (_("Customer retention"), gettext(retention.LOGO), []),
        ],
    )


def _book_tiles(whole: Retention, currency: str, link: Link, where: dict[str, str]) -> list[Tile]:
    found = (
        ("nrr", "NRR", whole.nrr, currency, "end"),
        ("grr", "GRR", whole.grr, currency, "start"),
        ("logo", _("Customer retention"), whole.logo, "", "customers"),
    )
    return [
        tile(figure, key=key, label=label, written=share, of=of, href=link(column, **where))
        for key, label, figure, of, column in found
    ]


def _last(rows: Sequence[tuple[Any, Any]]) -> dict[str, str]:
    """Figures at the head are those of the newest period; of a breakdown, of all of it."""
    part = rows[-1][0] if rows else None
    return {"period": part.key} if isinstance(part, Span) else {}


def _name(part: Any) -> str:
    return period_name(part) if isinstance(part, Span) else segment_name(part)


def _where(part: Any) -> dict[str, str]:
    return {"period": part.key} if isinstance(part, Span) else {"seg": part.key}


def _so_far(part: Any) -> str:
    return _("so far") if isinstance(part, Span) and part.is_open else ""


def rates_chart(
    rows: Sequence[tuple[Span, Sequence[Any]]], names: Sequence[str], *, dashed: Sequence[str] = ()
) -> dict[str, Any]:
    """`rows`: (period, one figure per name)."""
    lines = []
    for place, name in enumerate(names):
        values = [found[place].value for _span, found in rows]
        lines.append(
            {
                "name": name,
                "values": [None if v is None else round(float(v) * 100, 1) for v in values],
                "dashed": name in dashed,
            }
        )
    known = [v for line in lines for v in line["values"] if v is not None]
    floor = max(0, int((min(known) - 5) / 10) * 10) if known else 0
    return {
        "labels": [period_name(span) for span, _found in rows],
        "lines": lines,
        "values": known,
        "level": 100,
        "floor": floor,
        "finding": rates_finding(lines),
        "note": _("The axis does not begin at 0.") if floor else "",
    }


def rates_finding(lines: Sequence[dict[str, Any]]) -> str:
    told_lines = []
    for line in lines:
        known = [value for value in line["values"] if value is not None]
        if known:
            told_lines.append(
                _("%(name)s from %(first)s%% to %(last)s%%")
                % {"name": line["name"], "first": known[0], "last": known[-1]}
            )
    return "; ".join(told_lines)


# ---- due-based


def due_row(found: RenewalRate, lost: int, link: Link, **where: Any) -> list[TableCell]:
    return [
        _money("due", found.due, link, **where),
        _money("renewed", found.renewed, link, **where),
        _money("capped", found.renewed_capped, link, **where),
        _money("lost", lost, link, **where),
        _money("open", found.open_due, link, **where),
        share_cell(found.net, link("renewed", **where)),
        share_cell(found.gross, link("capped", **where)),
        _count("due", found.due_count, link, **where),
        _count("renewed", found.renewed_count, link, **where),
        share_cell(found.count, link("renewed", **where)),
    ]


def due_board(
    whole: RenewalRate,
    periods: Sequence[Span],
    rows: Sequence[tuple[Any, RenewalRate, int]],
    whole_lost: int,
    link: Link,
    *,
    currency: str,
) -> Board:
    """`rows`: (period or segment, its rate, ARR known to be lost of what was due)."""
    names = DUE_NAMES
    chosen = told(whole.net.policy)
    return Board(
        title=_("Due-based: what came due, and what of it renewed"),
        lead=_due_lead(whole, currency),
        unit=unit_of(currency),
        currency=currency,
        first=periods[0].start,
        last=periods[-1].end,
        columns=[
            *(Column(key, str(names[key])) for key in ("due", "renewed", "capped", "lost", "open")),
            Column("net", pgettext("renewal rate", "by amount"), True, gettext(renewal_rates.NET)),
            Column("gross", _("by amount, gross"), meaning=gettext(renewal_rates.GROSS)),
            Column("due_count", _("Renewals due"), edge=True),
            Column("renewed_count", _("of them renewed")),
            Column("count", _("by count"), meaning=gettext(renewal_rates.COUNT)),
        ],
        rows=[
            Row(
                _name(part),
                due_row(found, lost, link, **_where(part)),
                note=_so_far(part) or _not_final(found),
            )
            for part, found, lost in rows
        ],
        total=Row(_("Together"), due_row(whole, whole_lost, link)),
        figures=_due_tiles(whole, currency, link),
        definitions=[
            (_("Renewal rate by amount"), gettext(renewal_rates.NET), chosen),
            (_("Gross renewal rate by amount"), gettext(renewal_rates.GROSS), chosen),
            (_("Renewal rate by count"), gettext(renewal_rates.COUNT), chosen),
            (
                _("not final"),
                _("Something that came due in the period is still open, or its grace runs."),
                [],
            ),
        ],
    )


def _not_final(found: RenewalRate) -> str:
    return "" if found.is_mature or not found.due_count else _("not final")


def _due_tiles(whole: RenewalRate, currency: str, link: Link) -> list[Tile]:
    found = (
        ("net", _("Renewal rate by amount"), whole.net, currency, "renewed"),
        ("gross", _("Gross renewal rate by amount"), whole.gross, currency, "capped"),
        ("count", _("Renewal rate by count"), whole.count, "", "due"),
    )
    return [
        tile(figure, key=key, label=label, written=share, of=of, href=link(column))
        for key, label, figure, of, column in found
    ]


def _due_lead(whole: RenewalRate, currency: str) -> str:
    if not whole.due_count:
        return gettext(renewal_rates.NOTHING_DUE)
    text = _("%(due)s came due in %(count)s renewals; %(renewed)s was renewed.") % {
        "due": money(whole.due, currency),
        "count": whole.due_count,
        "renewed": money(whole.renewed, currency),
    }
    if whole.open_count:
        text += " " + _("%(count)s renewals of %(due)s are still open.") % {
            "count": whole.open_count,
            "due": money(whole.open_due, currency),
        }
    if whole.late_count:
        text += " " + _("%(count)s were signed late.") % {"count": whole.late_count}
    return text
