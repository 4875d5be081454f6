"""What customers are worth: LTV by segment, the most valuable ones, the curves behind it."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Tier
from gengyun.portfolio.queries import value as queries
from gengyun.revenue.queries.customer_value import inputs
from gengyun.revenue.queries.settings import current
from gengyun.team.models import User
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.present import churn as present_churn
from gengyun.web.render import render
from gengyun.web.views.insight.common import ask_of, tabs
from gengyun.web.words import pick

LIKELY = 0.5  # from here a customer is more likely lost than kept


@page()
def value(request):
    ask = ask_of(request)
    by = request.GET.get("by", "")
    by = by if by in queries.SEGMENTS else "tier"
    rows = queries.in_scope(request.user, is_mine=ask.scope == "mine")
    known = inputs(request.today)
    context = {
        "tabs": tabs(request, ask),
        "by": by,
        "choices": _choices(by, ask.scope),
        "scopes": _scopes(request.user, by, ask.scope),
        "currency": current().base_currency,
        "known": known,
        "margin_known": current().gross_margin_bp is not None,
        "may_economics": can(request.user, "economics.read"),
        "whole": queries.together(rows),
        "at_risk_minor": queries.at_risk_minor(rows, LIKELY),
        "likely": LIKELY,
        "segments": _named(queries.segments(rows, by), by),
        "top": queries.most_valuable(rows),
        "curves": _curves(),
        "words": present_churn,
    }
    return render(request, "insight/value.html", context)


def _path(**asked):
    query = urlencode({key: text for key, text in asked.items() if text})
    return reverse("web:insight_value") + (f"?{query}" if query else "")


def _choices(by, scope):
    names = {
        "tier": _("Tier"),
        "owner": "CSM",
        "industry": _("Industry"),
        "region": _("Region"),
    }
    return [(label, _path(by=key, scope=scope), key == by) for key, label in names.items()]


def _scopes(user, by, scope):
    if user.role == "csm":
        return []
    found = [("mine", _("Mine")), ("team", _("All I may see"))]
    return [(label, _path(by=by, scope=key), key == scope) for key, label in found]


def _named(rows, by):
    """(label, address of its customers, segment)."""
    if by in {"tier", "owner"}:
        model = Tier if by == "tier" else User
        things = model.objects.in_bulk([row.key for row in rows if row.key])
    found = []
    for row in rows:
        if by == "tier":
            label = pick(things[row.key]) if row.key in things else _("no tier")
        elif by == "owner":
            label = things[row.key].name if row.key in things else _("nobody yet")
        else:
            label = row.key or _("not set")
        condition = f"{by}.is.{row.key}" if row.key else f"{by}.none"
        href = f"{reverse('web:customers')}?{urlencode({'f': condition, 'sort': '-ltv'})}"
        found.append((label, href, row))
    return found


def _curves():
    tiers = Tier.objects.in_bulk()
    return [
        (_("The whole company") if one.tier_id is None else pick(tiers[one.tier_id]), one)
        for one in queries.curves()
        if one.tier_id is None or one.tier_id in tiers
    ]
