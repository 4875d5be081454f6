"""What the insight pages share: what was asked for, the tabs, the words of the choices."""

from dataclasses import dataclass, replace
from types import SimpleNamespace
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _

from gengyun.kernel.errors import NotFound
from gengyun.portfolio.queries.today import default_scope
from gengyun.revenue.queries.book import Book, book
from gengyun.revenue.queries.settings import policy as company_policy
from gengyun.team.queries.access import can
from gengyun.web.jinja import url_or_none
from gengyun.web.numbers import is_number
from gengyun.web.present import insight_ask, policies
from gengyun.web.present.insight_ask import Ask
from gengyun.web.render import render

ECONOMICS = "economics.read"


@dataclass(frozen=True)
class Tab:
    label: str
    href: str
    is_current: bool


def ask_of(request, given=None) -> Ask:
    """The address; a CSM starts with their own customers, others with all they may see."""
    found = insight_ask.read(
        given or request.GET, today=request.today, scope="team", usual=company_policy()
    )
    if default_scope(request.user) == "team":
        return replace(found, scope="team")
    return found


def among_of(actor, ask: Ask) -> Q | None:
    return Q(owner=actor) if ask.scope == "mine" else None


def book_of(actor, ask: Ask) -> Book:
    among = among_of(actor, ask)
    return book(actor, as_of=ask.as_of, known=ask.known, policy=ask.policy, among=among)


def page_number(request):
    number = request.GET.get("page", "1")
    return max(1, int(number)) if is_number(number) else 1


def period_of(periods, key):
    """The place of a period; None where all of them are asked for."""
    if not key:
        return None
    found = [place for place, span in enumerate(periods) if span.key == key]
    if not found:
        raise NotFound
    return found[0]


def link_of(ask: Ask, name: str):
    """Addresses of cells: link("churn", period="2026-03", seg="4")."""
    base, query = reverse(f"web:{name}"), ask.query()

    def link(column, **where):
        asked = urlencode({"column": column, **{k: v for k, v in where.items() if v}})
        return f"{base}?{asked}{'&' if query else ''}{query}"

    return link


def show(request, template, ask, context, *, keys=(), whole=None):
    """`keys`: the conventions this page can be asked under; `whole`: what rows are without a
    breakdown, where they are no periods."""
    full = {
        "ask": ask,
        "options": policies.options(keys, ask.policy, ask.usual),
        "words": words(request.user, whole or _("Period")),
        "tabs": tabs(request, ask),
        "asked_fields": lambda page, **more: fields(page, ask, **more),
    }
    return render(request, template, full | context)


def words(user, whole):
    scopes = []
    if default_scope(user) == "mine":
        scopes = [("team", _("All I may see")), ("mine", _("Mine"))]
    return SimpleNamespace(
        spans=[
            ("12m", _("The last 12 months")),
            ("year", _("This year")),
            ("last_year", _("Last year")),
            ("4y", _("The last 4 years")),
            ("days", _("From … to …")),
        ],
        grains=[("month", _("Month")), ("quarter", _("Quarter")), ("year", _("Year"))],
        by=[
            ("", whole),
            ("tier", _("Tier")),
            ("owner", "CSM"),
            ("product", _("Product")),
            ("industry", _("Industry")),
            ("region", _("Region")),
        ],
        scopes=scopes,
    )


def tabs(request, ask):
    found = [
        ("insight", _("ARR movements")),
        ("insight_retention", _("NRR and GRR")),
        ("insight_renewals", _("Renewal rate")),
        ("insight_cohorts", _("Cohorts")),
        ("insight_funnel", _("Bow-tie")),
        ("insight_concentration", _("Concentration")),
        ("insight_value", "LTV"),
    ]
    if can(request.user, ECONOMICS):
        found += [("insight_economics", _("Unit economics")), ("insight_capacity", _("Capacity"))]
    found += [("insight_wallet", _("Share of wallet")), ("insight_churn", _("Churn probability"))]
    found.append(("insight_sops", _("SOP effects")))
    query = ask.query(known=None, chosen={}, detail="")
    return [
        Tab(label, href + (f"?{query}" if query else ""), _is_at(request, name))
        for name, label in found
        if (href := url_or_none(name))
    ]


def _is_at(request, name):
    at = request.resolver_match.url_name
    return (
        at == name
        or (name == "insight_churn" and at.startswith(name))
        or (
            name == "insight"
            and request.resolver_match.url_name in {"insight_cell", "insight_ledger"}
        )
        or request.resolver_match.url_name == f"{name}_cell"
    )


def fields(page, ask, **more):
    """The hidden fields of an export: the page, and what it was asked for."""
    given = {"page": page, **dict(ask.pairs()), **more}
    return format_html_join(
        "", '<input type="hidden" name="{}" value="{}">', ((k, v) for k, v in given.items())
    )
