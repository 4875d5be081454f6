"""Bow-tie, concentration, unit economics and share of wallet."""

from dataclasses import replace

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.portfolio.queries.bow_tie import bow_tie
from gengyun.revenue.calc.figure import NO_SPEND, Figure
from gengyun.revenue.calc.spans import Span
from gengyun.revenue.calc.unit_economics import repeat_purchase_rate
from gengyun.revenue.queries import economics, measures, wallets
from gengyun.revenue.queries import insight as queries
from gengyun.team.queries.access import customer_scope
from gengyun.web.access import page
from gengyun.web.present import insight as present
from gengyun.web.present import insight_money as shapes
from gengyun.web.views.insight.common import (
    ECONOMICS,
    among_of,
    ask_of,
    book_of,
    link_of,
    show,
)
from gengyun.web.views.insight.retention import due_of

FALL_KEYS = ("basis", "win_back_days", "pause", "fx")
ECONOMICS_KEYS = ("ltv", "zero_churn", "churn_floor_bp", "quick_ratio", *FALL_KEYS)


@page()
def funnel(request):
    ask = ask_of(request)
    held, due = book_of(request.user, ask), due_of(request.user, ask)
    first, last = ask.days()
    steps = []
    if len(held.moves):
        steps = bow_tie(
            request.user,
            held,
            due,
            first=first,
            last=last,
            as_of=ask.as_of,
            policy=ask.policy,
            among=among_of(request.user, ask) or Q(),
        )
    links = {
        "created": reverse("web:opportunities"),
        "won": reverse("web:opportunities"),
        "new": link_of(ask, "insight_cell")("new"),
        "onboarded": reverse("web:customers"),
        "healthy": reverse("web:customers") + "?f=band.in.A,B",
        "due": link_of(ask, "insight_renewals_cell")("due"),
        "renewed": link_of(ask, "insight_renewals_cell")("renewed"),
        "paying": link_of(ask, "insight_cell")("closing"),
        "expanded": link_of(ask, "insight_cell")("expansion"),
    }
    board = shapes.bow_tie(steps, links, first=first, last=last, currency=held.currency)
    return show(request, "insight/funnel.html", ask, {"found": board})


def concentration_board(actor, ask):
    held = book_of(actor, ask)
    amounts = measures.arr_by_customer(held, ask.as_of) if len(held.moves) else []
    parts = [
        (part, int(measures.arr_by_customer(held.only(part.rows), ask.as_of).sum()))
        for part in (queries.segments(held, ask.by) if ask.by else ())
    ]
    board = shapes.concentration(
        list(map(int, amounts)),
        queries.largest(actor, held, ask.as_of),
        parts,
        currency=held.currency,
        query=ask.query(),
    )
    if ask.by:
        board.head = present.by_name(ask.by)
    board.warnings = present.without_rate(held.without_rate)
    return board


@page()
def concentration(request):
    ask = ask_of(request)
    return show(
        request,
        "insight/concentration.html",
        ask,
        {"found": concentration_board(request.user, ask)},
        keys=("pause", "fx"),
        whole=_("Customer"),
    )


@page(ECONOMICS)
def unit_economics(request):
    """Spend is the company's, so these figures are of all that the reader may see and spend."""
    ask = ask_of(request)
    board = economics_board(request.user, ask)
    return show(request, "insight/economics.html", ask, {"found": board}, keys=ECONOMICS_KEYS)


def economics_board(actor, ask):
    held = book_of(actor, ask)
    if not len(held.moves):
        return present.Board()
    spans, complete = ask.periods(), is_whole(actor, ask)
    periods = economics.periods(held, spans, ask.policy, with_spend=complete)
    stretch = Span(spans[-1].grain, spans[0].start, spans[-1].end)
    whole = economics.periods(held, [stretch], ask.policy, with_spend=complete)[0]
    curve = economics.curve(whole, measures.spells(due_of(actor, ask), ask.as_of))
    board = shapes.economics(
        [(one.span, values_of(one, is_whole=complete)) for one in periods],
        values_of(whole, is_whole=complete),
        curve,
        currency=held.currency,
        link=link_of(ask, "insight_cell"),
    )
    signed = economics.signed_value(actor, [stretch], ask.as_of, ask.known)[0]
    board.figures += shapes.signed(
        signed,
        repeat_purchase_rate(economics.purchase_days(actor, [stretch], ask.known)[0]),
        currency=held.currency,
    )
    board.warnings = present.without_rate(dict(signed.without_rate) | held.without_rate)
    board.warnings += shapes.unspent(economics.months_unspent(stretch), complete)
    if not complete:
        board.warnings.append(shapes.only_part())
    return board


def values_of(period, *, is_whole):
    found = {}
    for part in (
        economics.arpa,
        economics.quick_ratio,
        economics.cac,
        economics.payback,
        economics.ltv,
        economics.ltv_cac,
    ):
        found |= part(period)
    if is_whole:
        return found
    # there may well be spend; it is not set against a part of the customers
    return {
        key: replace(value, reason=shapes.ONLY_PART)
        if isinstance(value, Figure) and value.reason == NO_SPEND
        else value
        for key, value in found.items()
    }


def is_whole(actor, ask):
    """Spend belongs to the whole company: beside the ARR of a part it would say nothing."""
    return ask.scope != "mine" and not customer_scope(actor)


@page()
def wallet(request):
    ask = ask_of(request)
    found = wallets.wallets(request.user, among=among_of(request.user, ask), today=request.today)
    board = shapes.wallet(found)
    return show(request, "insight/wallet.html", ask, {"found": board})
