"""White space and budgets: across customers, and on the page of one."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Tier
from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import Refusal
from gengyun.portfolio.queries.today import default_scope
from gengyun.revenue.actions import wallet
from gengyun.revenue.queries import opportunities as opportunity_queries
from gengyun.revenue.queries import white_space as queries
from gengyun.team.models import Role
from gengyun.team.queries.access import SEES_ALL, can
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.numbers import is_number
from gengyun.web.present import opportunities as present
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx, render, toast
from gengyun.web.views.customer import header
from gengyun.web.words import is_zh, pick

PAGE = 50


@dataclass(frozen=True)
class Address:
    scope: str = ""
    tier: str = ""
    without: str = ""
    budget: str = ""
    text: str = ""
    sort: str = "arr"
    page: int = 1

    def path(self, **changes):
        wanted = replace(self, **({"page": 1} | changes))
        plain = Address()
        found = [
            ("q" if name == "text" else name, str(value))
            for name, value in vars(wanted).items()
            if value != getattr(plain, name)
        ]
        query = urlencode(found)
        return reverse("web:white_space") + (f"?{query}" if query else "")


def address_of(request, params):
    def number(name):
        return params.get(name, "") if is_number(params.get(name, "")) else ""

    scope = params.get("scope", "")
    if request.user.role == Role.CSM:
        scope = ""
    elif scope not in {"mine", "team"}:
        scope = default_scope(request.user)
    at, sort = number("page"), params.get("sort", "")
    return Address(
        scope=scope,
        tier=number("tier"),
        without=number("without"),
        budget="1" if params.get("budget") == "1" else "",
        text=params.get("q", "").strip()[:60],
        sort=sort if sort in queries.SORTS else "arr",
        page=min(int(at), 10_000) if at and int(at) > 0 else 1,
    )


def filters_of(user, address):
    return queries.Filters(
        owner_id=user.pk if address.scope == "mine" else None,
        tier_id=int(address.tier) if address.tier else None,
        without_product=int(address.without) if address.without else None,
        with_budget=bool(address.budget),
        text=address.text,
    )


@page()
def show(request):
    address = address_of(request, request.GET)
    first = (address.page - 1) * PAGE
    rows, has_next = queries.page_of(
        request.user,
        filters_of(request.user, address),
        today=request.today,
        sort=address.sort,
        first=first,
        count=PAGE,
    )
    products = queries.products()
    context = {
        "address": address,
        "rows": rows,
        "has_next": has_next,
        "first_place": first + 1,
        "products": products,
        "chips": _chips(address, products),
        "adders": _adders(address, products),
        "scopes": _scopes(request.user, address),
        "sorts": [
            (_("by ARR"), address.path(sort="arr"), address.sort == "arr"),
            (_("by name"), address.path(sort="name"), address.sort == "name"),
            (_("by what is left of the budget"), address.path(sort="headroom"),
             address.sort == "headroom"),
        ],
        "may_edit": can(request.user, "opportunity.edit"),
        "amounts": lambda sums: present.amounts(sums, zh=is_zh()),
    }  # fmt: skip
    block = "work" if is_htmx(request) else None
    return render(request, "opportunities/white_space.html", context, block=block)


def _scopes(user, address):
    if user.role == Role.CSM:
        return []
    everyone = _("Everybody") if user.role in SEES_ALL else _("My team")
    return [
        (label, address.path(scope=key), key == address.scope)
        for key, label in (("mine", _("Mine")), ("team", everyone))
    ]


def _chips(address, products):
    chips = []
    if address.without:
        row = next((one for one in products if one.pk == int(address.without)), None)
        chips.append((_("without"), pick(row) if row else "?", address.path(without="")))
    if address.tier:
        row = Tier.objects.filter(pk=int(address.tier)).first()
        chips.append((_("Tier"), pick(row) if row else "?", address.path(tier="")))
    if address.budget:
        chips.append(("", _("budget known"), address.path(budget="")))
    return chips


def _adders(address, products):
    return [
        (_("Without the product"), [(pick(p), address.path(without=str(p.pk))) for p in products]),
        (_("Tier"), [(pick(t), address.path(tier=str(t.pk))) for t in Tier.objects.all()]),
        (_("Budget"), [(_("budget known"), address.path(budget="1"))]),
    ]


@page()
def of_customer(request, pk):
    """Opportunities, white space and budgets of one customer; comes when it is scrolled to."""
    customer = customer_queries.get(request.user, pk)
    return _card(request, customer)


def _card(request, customer, *, form=None, status=200):
    zh, today = is_zh(), request.today
    row = queries.rows_for(request.user, [customer], today=today)[0]
    found = opportunity_queries.of_customer(request.user, customer.pk, today=today)
    context = header(request, customer) | {
        "cards": [
            {"row": card.opportunity, "marks": present.marks(card, today=today, zh=zh)}
            for card in found
        ],
        "space": row,
        "said": queries.budgets_said(request.user, customer.pk),
        "amounts": lambda sums: present.amounts(sums, zh=zh),
        "kind_word": present.kind_word,
        "may_opportunity": can(request.user, "opportunity.edit") and customer.archived_at is None,
        "form": form or Form({"year": str(today.year), "currency": customer.currency}),
        "form_open": form is not None,
        "categories": sorted({one.family for one in queries.products() if one.family}),
    }
    block = "opportunities" if is_htmx(request) else None
    return render(request, "customer/opportunities.html", context, block=block, status=status)


@page("opportunity.edit", methods=("POST",))
def budget(request, pk):
    """What the customer says it spends a year, and who said so."""
    customer = customer_queries.get(request.user, pk)
    form = Form.of(request.POST)
    form.text("category")
    form.whole("year")
    currency = form.get("currency").upper() or customer.currency
    form.amount("amount", into="amount_minor", currency=currency)
    form.text("said_by", required=True)
    form.day("said_on")
    if form.values.get("amount_minor") is None and "amount" not in form.errors:
        form.errors["amount"] = _("This is needed.")
    if form.values.get("year") is None and "year" not in form.errors:
        form.errors["year"] = _("This is needed.")
    if form.errors:
        return _card(request, customer, form=form, status=422)
    try:
        wallet.record_budget(
            actor=request.user,
            now=request.now,
            customer=customer,
            currency=currency,
            **form.values,
        )
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        field = str(refusal.params.get("field", "said_by"))
        form.errors["amount" if field == "amount_minor" else field] = refusal_text(refusal)
        return _card(request, customer, form=form, status=422)
    toast(request, _("The budget is written down"))
    if is_htmx(request):
        return _card(request, customer)
    return HttpResponseRedirect(reverse("web:customer", args=[pk]) + "#s-opportunities")
