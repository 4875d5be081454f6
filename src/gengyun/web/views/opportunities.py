"""Opportunities: a board by stage, and the same as a list."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.portfolio.queries.today import default_scope
from gengyun.revenue.actions.opportunity_stages import install_defaults
from gengyun.revenue.models import OpportunityKind, OpportunityStage, Product
from gengyun.revenue.queries import opportunities as queries
from gengyun.team.models import Role
from gengyun.team.queries.access import can
from gengyun.team.queries.people import members_below, possible_owners
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import opportunities as present
from gengyun.web.render import is_htmx, render
from gengyun.web.scopes import scope_links
from gengyun.web.words import is_zh, pick

TEMPLATE = "opportunities/page.html"
PAGE = 50


@dataclass(frozen=True)
class Address:
    """What the address says: board or list, filters, order, page."""

    view: str = "board"
    scope: str = ""
    state: str = "open"
    kind: str = ""
    product: str = ""
    stage: str = ""
    owner: str = ""
    period: str = ""
    text: str = ""
    sort: str = "expected"
    page: int = 1

    def path(self, **changes):
        wanted = replace(self, **({"page": 1} | changes))
        plain = Address()
        names = {"text": "q", "product": "p"}
        found = [
            (names.get(name, name), str(value))
            for name, value in vars(wanted).items()
            if value != getattr(plain, name)
        ]
        query = urlencode(found)
        return reverse("web:opportunities") + (f"?{query}" if query else "")


def address_of(request, params):
    def among(name, allowed, default=""):
        return params.get(name, "") if params.get(name, "") in allowed else default

    def number(name):
        return params.get(name, "") if is_number(params.get(name, "")) else ""

    at = number("page")
    return Address(
        view=among("view", ("board", "list"), "board"),
        scope=_scope(request.user, params.get("scope", "")),
        state=among("state", queries.STATES, "open"),
        kind=among("kind", OpportunityKind.values),
        product=number("p"),
        stage=number("stage"),
        owner=number("owner"),
        period=among("period", queries.PERIODS),
        text=params.get("q", "").strip()[:60],
        sort=among("sort", queries.SORTS, "expected"),
        page=min(int(at), 10_000) if at and int(at) > 0 else 1,
    )


def _scope(user, wanted):
    if user.role == Role.CSM:
        return ""
    return wanted if wanted in {"mine", "team"} else default_scope(user)


def filters_of(user, address):
    owner = int(address.owner) if address.owner else None
    if owner is None and address.scope == "mine":
        owner = user.pk
    return queries.Filters(
        owner_id=owner,
        kind=address.kind,
        product_id=int(address.product) if address.product else None,
        stage_id=int(address.stage) if address.stage else None,
        period=address.period,
        text=address.text,
        state=address.state,
    )


@page()
def show(request):
    return render(
        request,
        TEMPLATE,
        page_context(request, address_of(request, request.GET)),
        block="work" if is_htmx(request) else None,
    )


def page_context(request, address):
    user, today, zh = request.user, request.today, is_zh()
    if not OpportunityStage.objects.exists():  # a deployment from before there were opportunities
        install_defaults(now=request.now)
    filters = filters_of(user, address)
    context = {
        "address": address,
        "may_edit": can(user, "opportunity.edit"),
        "stages": queries.stages(),
        "chips": _chips(address),
        "adders": _adders(user, address),
        "scopes": scope_links(user, address),
        "kind_word": present.kind_word,
    }
    if address.view == "board":
        return context | _board(user, filters, today, zh)
    return context | _list(user, filters, address, today, zh)


def _board(user, filters, today, zh):
    columns = queries.board(user, filters, today=today)
    is_open = [c for c in columns if not (c.stage.is_won or c.stage.is_lost)]
    rows = queries.in_state(queries.found(user, filters, today=today), "open")
    return {
        "columns": [
            {
                "stage": column.stage,
                "worth": present.worth(column.worth, zh=zh),
                "cards": [_card(card, today, zh) for card in column.cards],
                "more": column.more,
            }
            for column in columns
        ],
        "total": present.worth(queries.worth_of(rows), zh=zh),
        "is_empty": not any(column.cards for column in is_open),
    }


def _card(card, today, zh):
    return {"row": card.opportunity, "marks": present.marks(card, today=today, zh=zh)}


def _list(user, filters, address, today, zh):
    found = queries.listing(user, filters, today=today, sort=address.sort)
    first = (address.page - 1) * PAGE
    rows = list(found[first : first + PAGE + 1])
    return {
        "rows": [_card(card, today, zh) for card in queries.cards(rows[:PAGE], today=today)],
        "has_next": len(rows) > PAGE,
        "first_place": first + 1,
        "total": present.worth(queries.worth_of(found), zh=zh),
        "states": [
            (word, address.path(state=key), key == address.state) for key, word in present.states()
        ],
        "sorts": [
            (word, address.path(sort=key), key == address.sort) for key, word in present.sorts()
        ],
    }


def _chips(address):
    """The filters in force, each with the address without it."""
    chips = []
    if address.kind:
        chips.append((_("Kind"), present.kind_word(address.kind), address.path(kind="")))
    if address.product:
        row = Product.objects.filter(pk=int(address.product)).first()
        chips.append((_("Product"), pick(row) if row else "?", address.path(product="")))
    if address.stage:
        row = OpportunityStage.objects.filter(pk=int(address.stage)).first()
        chips.append((_("Stage"), pick(row) if row else "?", address.path(stage="")))
    if address.owner:
        row = possible_owners().filter(pk=int(address.owner)).first()
        chips.append((_("Owner"), row.name if row else "?", address.path(owner="")))
    if address.period:
        word = dict(present.periods())[address.period]
        chips.append((_("Expected on"), word, address.path(period="")))
    return chips


def _adders(user, address):
    """What can be filtered by: (label, [(text, address)])."""
    adders = [
        (_("Kind"), [(word, address.path(kind=key)) for key, word in present.kinds()]),
        (
            _("Expected on"),
            [(word, address.path(period=key)) for key, word in present.periods()],
        ),
        (
            _("Product"),
            [
                (pick(row), address.path(product=str(row.pk)))
                for row in Product.objects.filter(is_active=True)
            ],
        ),
    ]
    if address.view == "list":
        stages = [
            (pick(row), address.path(stage=str(row.pk), state="all")) for row in queries.stages()
        ]
        adders.append((_("Stage"), stages))
    if user.role != Role.CSM:
        people = members_below(user).only("name")
        adders.append(
            (
                _("Owner"),
                [(row.name, address.path(owner=str(row.pk), scope="team")) for row in people],
            )
        )
    return adders
