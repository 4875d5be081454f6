"""NRR and GRR (book-based) and renewal rates (due-based), with what lies behind each figure."""

from dataclasses import replace

from django.http import JsonResponse

from gengyun.revenue.calc.moves import day_number
from gengyun.revenue.calc.retention import RETENTION_KEYS
from gengyun.revenue.calc.spans import Span
from gengyun.revenue.queries import insight as queries
from gengyun.revenue.queries import insight_retention as behind
from gengyun.revenue.queries import measures
from gengyun.revenue.queries.due_book import due_book
from gengyun.web.access import page
from gengyun.web.present import insight as present
from gengyun.web.present import insight_retention as shapes
from gengyun.web.views.insight.common import among_of, ask_of, book_of, link_of, show

BOOK_KEYS = (*RETENTION_KEYS, "pause", "fx")
DUE_KEYS = ("attribution", "early", "late", "grace_days", "count_level", "partial")
YEAR = 12


def months_of(ask):
    return None if ask.window == "period" else YEAR


def windows_of(ask):
    """(periods, their windows, the window of the whole stretch: its own, or the newest year)."""
    periods = ask.periods()
    windows = measures.windows_of(periods, months_of(ask))
    whole = windows[-1]
    if ask.window == "period" and ask.by:
        whole = (windows[0][0], windows[-1][1])
    return periods, windows, whole


def retention_board(actor, ask):
    held = book_of(actor, ask)
    if not len(held.moves):
        return present.Board()
    periods, windows, whole_window = windows_of(ask)
    link = link_of(ask, "insight_retention_cell")
    policy = ask.policy
    if ask.by:
        whole = measures.retention_of(held, [whole_window], policy)[0]
        rows = [
            (part, measures.retention_of(held.only(part.rows), [whole_window], policy)[0])
            for part in queries.segments(held, ask.by)
        ]
    else:
        found = measures.retention_of(held, windows, policy)
        whole, rows = found[-1], list(zip(periods, found, strict=True))
    board = shapes.book_board(
        whole, periods, rows, link, currency=held.currency, is_trailing=ask.window != "period"
    )
    board.head = present.by_name(ask.by)
    board.toggle = present.window_toggle(ask)
    board.warnings = present.without_rate(held.without_rate)
    return board


@page()
def retention(request):
    ask = ask_of(request)
    board = retention_board(request.user, ask)
    return show(request, "insight/retention.html", ask, {"found": board}, keys=BOOK_KEYS)


@page()
def retention_data(request):
    ask = ask_of(request)
    held = book_of(request.user, ask)
    periods, windows, _whole = windows_of(ask)
    found = measures.retention_of(held, windows, ask.policy) if len(held.moves) else []
    rows = [(p, (r.nrr, r.grr, r.logo)) for p, r in zip(periods, found, strict=False)]
    names = ("NRR", "GRR", present.logo_name())
    return JsonResponse(shapes.rates_chart(rows, names, dashed=names[2:]))


# ---- due-based


def due_of(actor, ask):
    return due_book(actor, as_of=ask.as_of, known=ask.known, among=among_of(actor, ask))


def _lost(held, spans, ask):
    cell = behind.due_cell(held, spans, day_number(ask.as_of), ask.policy, "lost")
    return int(cell.amount.sum())


def _rate(held, spans, ask):
    stretch = Span(spans[0].grain, spans[0].start, spans[-1].end)
    return measures.renewal_rates(held, [stretch], ask.as_of, ask.policy)[0]


def renewal_board(actor, ask):
    held = due_of(actor, ask)
    if not len(held.rows):
        return present.Board()
    periods = ask.periods()
    link = link_of(ask, "insight_renewals_cell")
    if ask.by:
        rows = []
        for part in queries.due_segments(held, ask.by):
            own = held.only(part.rows)
            rows.append((part, _rate(own, periods, ask), _lost(own, periods, ask)))
    else:
        found = measures.renewal_rates(held, periods, ask.as_of, ask.policy)
        rows = [
            (span, rate, _lost(held, [span], ask))
            for span, rate in zip(periods, found, strict=True)
        ]
    board = shapes.due_board(
        _rate(held, periods, ask),
        periods,
        rows,
        _lost(held, periods, ask),
        link,
        currency=held.currency,
    )
    board.head = present.by_name(ask.by)
    board.warnings = present.due_without_rate(held.without_rate)
    return board


@page()
def renewals(request):
    ask = ask_of(request)
    board = renewal_board(request.user, ask)
    return show(request, "insight/renewal_rate.html", ask, {"found": board}, keys=DUE_KEYS)


@page()
def renewals_data(request):
    ask = ask_of(request)
    held, periods = due_of(request.user, ask), ask.periods()
    found = measures.renewal_rates(held, periods, ask.as_of, ask.policy) if len(held.rows) else []
    # where nothing has been decided yet there is no rate to draw
    gap = replace(found[0].net, value=None) if found else None
    rows = [
        (
            p,
            (gap, gap, gap)
            if r.due_count and r.open_count == r.due_count
            else (r.net, r.gross, r.count),
        )
        for p, r in zip(periods, found, strict=False)
    ]
    return JsonResponse(shapes.rates_chart(rows, present.rate_names()))
