"""Was the forecast honest: bias and error by lead time, person, tier and quarter."""

from datetime import timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Tier
from gengyun.revenue.calc.accuracy import LEADS
from gengyun.revenue.queries import accuracy as queries
from gengyun.revenue.queries import renewals as renewal_queries
from gengyun.team.models import User
from gengyun.web.access import page
from gengyun.web.present import renewals as present
from gengyun.web.render import render
from gengyun.web.views.renewals import address_of, filters_of
from gengyun.web.words import pick

SPANS = {"4": 4, "8": 8, "1": 1}  # quarters that are looked at


@page()
def show(request):
    address = address_of(request, request.GET)
    lead = int(request.GET.get("lead")) if request.GET.get("lead") in {"90", "60", "30"} else 90
    span = request.GET.get("span") if request.GET.get("span") in SPANS else "4"
    convert, base = renewal_queries.converter(request.today)
    last = present.quarter_of(request.today)
    first = last.shifted(1 - SPANS[span])
    until = min(last.last, request.today - timedelta(days=1))
    filters = filters_of(request.user, address)
    found = queries.report(request.user, filters, first.first, until, convert)
    people = dict(User.objects.values_list("pk", "name"))
    tiers = {tier.pk: pick(tier) for tier in Tier.objects.all()}

    def path(**changes):
        wanted = {"scope": address.scope, "lead": str(lead), "span": span} | changes
        asked = {k: v for k, v in wanted.items() if v}
        return reverse("web:renewals_accuracy") + "?" + urlencode(asked)

    by_quarter = found.by(lead, "quarter")
    context = {
        "address": address,
        "found": found,
        "lead": lead,
        "leads": LEADS,
        "by_lead": found.by_lead(),
        "groups": [
            (_("By person"), _named(found.by(lead, "owner_id"), people, _("nobody yet"))),
            (_("By tier"), _named(found.by(lead, "tier_id"), tiers, _("no tier"))),
            (
                _("By quarter"),
                [(present.quarter_of(day).name(), by_quarter[day]) for day in sorted(by_quarter)],
            ),
        ],
        "hits": found.hits(lead),
        "category_word": present.category_word,
        "marks_of": present.MARKS,
        "first": first.first,
        "last": until,
        "base": base,
        "path": path,
        "span": span,
        "scopes": [
            (_("Mine"), path(scope="mine"), address.scope == "mine"),
            (_("All I may see"), path(scope="team"), address.scope == "team"),
        ]
        if address.scope
        else [],
    }
    return render(request, "renewals/accuracy.html", context)


def _named(groups, names, nobody):
    rows = [(names.get(key, nobody), value) for key, value in groups.items()]
    return sorted(rows, key=lambda row: (-row[1].due_minor, row[0]))
