"""Lists beside the queue: what slides slowly, and what was said before renewals were lost."""

from datetime import timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.alerts.calc.losses import IN_TIME, LOOKED_BACK, review
from gengyun.alerts.models import AlertRule, RiskCause
from gengyun.alerts.queries.losses import losses
from gengyun.alerts.queries.telling import names_of, tell
from gengyun.alerts.queries.watching import watch_list
from gengyun.customers.models import Customer
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.today import default_scope
from gengyun.revenue.queries.renewals import converter
from gengyun.team.models import Role
from gengyun.team.queries.access import SEES_ALL
from gengyun.web.access import page
from gengyun.web.present import alerts as present
from gengyun.web.present.churn import probability
from gengyun.web.render import render
from gengyun.web.words import is_zh, pick

SPANS = {"90": 90, "365": 365, "730": 730}  # days that are looked back on
SHOWN = 200
PAGE = 50


def watched(user, address, filters, today):
    """Rows of the tab: a page of the watch-list, how many there are, and whether more follow."""
    found = watch_list(user, filters)
    first = (address.page - 1) * PAGE
    episodes = list(found[first : first + PAGE + 1])
    names = names_of(one.rule for one in episodes)
    summaries = CustomerSummary.objects.in_bulk([one.customer_id for one in episodes[:PAGE]])
    rows = [
        {
            "episode": one,
            "customer": one.customer,
            "summary": summaries.get(one.customer_id),
            "sentence": tell(one, names=names, zh=is_zh(), today=today),
            "churn": _churn(summaries.get(one.customer_id)),
        }
        for one in episodes[:PAGE]
    ]
    return rows, found.order_by().count(), len(episodes) > PAGE


def _churn(summary):
    """The probability in words; "" where none is said."""
    return "" if summary is None or summary.churn is None else probability(summary.churn)


@page()
def lost(request):
    """Every lost renewal with the alerts before it: what we saw coming, and what we missed."""
    span = request.GET.get("span") if request.GET.get("span") in SPANS else "365"
    scope = _scope(request)
    since = request.today - timedelta(days=SPANS[span])
    owner_id = request.user.pk if scope == "mine" else None
    found = losses(request.user, since=since, until=request.today, owner_id=owner_id)
    total = review(found)
    rules = AlertRule.objects.in_bulk()

    def path(**changes):
        asked = {"span": span, "scope": scope} | changes
        return reverse("web:alerts_lost") + "?" + urlencode({k: v for k, v in asked.items() if v})

    context = {
        "rows": _rows(found[:SHOWN], rules),
        "review": total,
        "more": max(0, len(found) - SHOWN),
        "since": since,
        "until": request.today,
        "amounts": _amounts(found, request.today),
        "by_rule": [(rules[pk], n) for pk, n in total.by_rule.items() if pk in rules],
        "in_time": IN_TIME,
        "looked_back": LOOKED_BACK,
        "spans": [
            (
                ngettext("%(num)s day", "%(num)s days", 90) % {"num": 90},
                path(span="90"),
                span == "90",
            ),
            (_("12 months"), path(span="365"), span == "365"),
            (_("24 months"), path(span="730"), span == "730"),
        ],
        "scopes": _scopes(request.user, scope, path),
    }
    return render(request, "alerts/lost.html", context)


def _scope(request):
    if request.user.role == Role.CSM:
        return ""
    wanted = request.GET.get("scope", "")
    return wanted if wanted in {"mine", "team"} else default_scope(request.user)


def _scopes(user, scope, path):
    if user.role == Role.CSM:
        return []
    everyone = _("Everybody") if user.role in SEES_ALL else _("My team")
    return [
        (label, path(scope=key), key == scope)
        for key, label in (("mine", _("Mine")), ("team", everyone))
    ]


def _rows(found, rules):
    customers = Customer.objects.select_related("owner", "tier").in_bulk(
        {one.customer_id for one in found}
    )
    causes = {one.key: one for one in RiskCause.objects.all()}
    return [
        {
            "loss": one,
            "customer": customers[one.customer_id],
            "probability": "" if one.probability is None else probability(one.probability),
            "cause": pick(causes[one.cause]) if one.cause in causes else one.cause,
            "alerts": [
                {
                    "alert": told,
                    "rule": rules.get(told.rule_id),
                    "days": (one.ended_on - told.opened_on).days,
                    "verdict": present.verdict_word(told.verdict),
                }
                for told in one.warnings
            ],
        }
        for one in found
    ]


def _amounts(found, today):
    """Lost, and of it with an alert in time, in the base currency; amounts without a rate apart."""
    convert, base = converter(today)
    known = [(convert(one.lost_minor, one.currency), one) for one in found]
    return {
        "base": base,
        "lost": sum(minor for minor, _one in known if minor is not None),
        "warned": sum(minor for minor, one in known if minor is not None and one.is_warned),
        "unknown": sum(minor is None for minor, _one in known),
    }
