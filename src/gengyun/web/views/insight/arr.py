"""ARR movements: the waterfall, and what lies behind each of its cells."""

from django.http import JsonResponse

from gengyun.revenue.calc.spans import ends as ends_of
from gengyun.revenue.queries import insight as queries
from gengyun.web.access import page
from gengyun.web.present import insight as present
from gengyun.web.present import insight_arr
from gengyun.web.views.insight.common import ask_of, book_of, link_of, show

KEYS = ("basis", "grouping_days", "win_back_days", "same_period", "pause", "fx")


def table(actor, ask):
    """(board, waterfall of the whole stretch) or (an empty board, None) without movements."""
    held = book_of(actor, ask)
    if not len(held.moves):
        return present.Board(), None
    periods, link = ask.periods(), link_of(ask, "insight_cell")
    boundaries = ends_of(periods)
    outer = [boundaries[0], boundaries[-1]]
    whole = queries.arr(held, outer, ask.policy)
    by_period = queries.arr(held, boundaries, ask.policy)
    parts = []
    if ask.by:
        parts = [
            (part, queries.arr(held.only(part.rows), outer, ask.policy))
            for part in queries.segments(held, ask.by)
        ]
        by_period = whole
    board = insight_arr.board(
        whole,
        periods,
        by_period,
        parts,
        link,
        currency=held.currency,
        by_kind=bool(ask.detail),
    )
    board.figures = insight_arr.tiles(whole, held.currency, link)
    board.warnings = present.without_rate(held.without_rate)
    return board, whole


@page()
def arr(request):
    ask = ask_of(request)
    board, _whole = table(request.user, ask)
    board.head = present.by_name(ask.by)
    board.toggle = present.detail_toggle(ask)
    return show(request, "insight/waterfall.html", ask, {"found": board}, keys=KEYS)


@page()
def arr_data(request):
    ask = ask_of(request)
    held = book_of(request.user, ask)
    boundaries = ends_of(ask.periods())
    whole = queries.arr(held, [boundaries[0], boundaries[-1]], ask.policy)
    return JsonResponse(
        insight_arr.chart(whole, held.currency, by_kind=bool(ask.detail))
        if len(held.moves)
        else {"values": []}
    )
