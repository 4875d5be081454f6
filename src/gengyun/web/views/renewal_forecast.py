"""What is expected of the renewals of a period: the card on their page, and the page behind it."""

from dataclasses import replace
from datetime import date

from django.http import JsonResponse
from django.utils.translation import gettext as _

from gengyun.customers.models import Tier
from gengyun.revenue.models import ForecastRun, ForecastScope, ForecastSpan
from gengyun.revenue.queries import forecast as queries
from gengyun.revenue.queries import renewals as renewal_queries
from gengyun.revenue.queries.odds import GOOD_FOR
from gengyun.revenue.queries.settings import current
from gengyun.team.models import Role, User
from gengyun.team.queries.access import SEES_ALL, can
from gengyun.web.access import page
from gengyun.web.present import forecast as present
from gengyun.web.present import renewals as periods
from gengyun.web.render import is_htmx, render
from gengyun.web.views.renewals import address_of, filters_of, rows_of
from gengyun.web.words import pick

TEMPLATE = "renewals/forecast.html"
AHEAD = 4  # quarters after the chosen period's own
LIVE_MOST = 3_000  # renewals that a card draws anew; above it, this week's run answers


@page()
def show(request):
    """A past day is answered with what was said then, never with what would be said now."""
    address = replace(address_of(request, request.GET), page=1)
    period = periods.period_of(address.period, today=request.today, by=address.by)
    day = date.fromisoformat(address.then) if address.then else request.today
    past = _recorded(request.user, address, period, until=day)
    context = {
        "address": address,
        "period": period,
        "past": past[-1] if past else None,
        "past_from_model": bool(past) and queries.used_a_model(past[-1].as_of),
        "may_settings": can(request.user, "settings.read"),
    }
    is_card = is_htmx(request)
    if not address.then and not (is_card and _is_answered(request, address, past)):
        context |= _now(request, address, period, past)
    if is_card:
        return render(request, TEMPLATE, context, block="card")
    if not address.then:
        context |= _tables(request, address, context["found"])
    return render(request, TEMPLATE, context)


def _now(request, address, period, past):
    found = _expect(request, address)
    return {
        "found": found,
        "against": present.against(found),
        "largest_share": present.largest_share(found),
        "points": len(present.joined(past, present.now_as_week(found, request.today))),
    }


def _is_answered(request, address, past):
    """Whether this week's run says it and drawing anew would take the better part of a second."""
    if not past or request.today - past[-1].as_of >= GOOD_FOR:
        return False
    rows = rows_of(request.user, address, today=request.today, narrow=False)
    return rows.count() > LIVE_MOST


def _expect(request, address):
    rows = rows_of(request.user, address, today=request.today, narrow=False)
    return queries.expect(rows, as_of=request.today)


def _recorded(user, address, period, *, until):
    """Weekly runs of what this address shows; none where no run keeps that cut."""
    scope = _scope(user, address)
    if scope is None:
        return []
    span = ForecastSpan.MONTH if address.by == "month" else ForecastSpan.QUARTER
    return queries.weeks(
        scope=scope[0], key=scope[1], span=span, period_on=period.first, until=until
    )


def _scope(user, address):
    owner = filters_of(user, address).owner_id
    if address.tier:
        is_whole = owner is None and user.role in SEES_ALL
        return (ForecastScope.TIER, int(address.tier)) if is_whole else None
    return queries.scope_of(user, owner)


@page()
def weeks(request):
    """Data of the chart."""
    address = replace(address_of(request, request.GET), page=1)
    period = periods.period_of(address.period, today=request.today, by=address.by)
    until = date.fromisoformat(address.then) if address.then else request.today
    past = _recorded(request.user, address, period, until=until)
    now = None
    if not address.then and not _is_answered(request, address, past):
        now = present.now_as_week(_expect(request, address), request.today)
    return JsonResponse(present.band(present.joined(past, now), today=request.today))


# --- the page behind the card -------------------------------------------------------------------


def _tables(request, address, found):
    tiers = {tier.pk: tier for tier in Tier.objects.all()}
    tables = [(_("By tier"), _by_tier(found, address, tiers))]
    if request.user.role != Role.CSM and not address.owner and address.scope != "mine":
        tables.insert(0, (_("By CSM"), _by_owner(found, address)))
    if address.by == "quarter":
        tables.insert(0, (_("By month"), _by_period(found, address, "month")))
    tables.append((_("Quarter by quarter"), _ahead(request, address)))
    run = ForecastRun.objects.filter(as_of=found.learned.as_of).first()
    return {
        "tables": tables,
        "rates": present.rate_lines(found.learned, tiers),
        "odds": found.learned.odds,
        "grace": current().loss_grace_days,
        "run": run,
        "largest": _largest(request, found),
    }


def _by_period(found, address, span):
    lines = []
    for code, sums in sorted(found.forecast.groups[span].items()):
        first = queries.period_code(code, span)
        one = periods.month_of(first) if span == "month" else periods.quarter_of(first)
        lines.append(present.Line(one.name(), address.path(by=span, period=one.key), sums))
    return lines


def _by_owner(found, address):
    names = dict(User.objects.filter(pk__in=found.owner_codes).values_list("pk", "name"))
    lines = []
    for code, sums in found.forecast.groups["owner"].items():
        pk = found.owner_codes[code]
        label = names.get(pk) or _("nobody yet")
        lines.append(present.Line(label, address.path(owner=str(pk), scope="team"), sums))
    return sorted(lines, key=lambda line: (-line.sums.due_minor, line.label))


def _by_tier(found, address, tiers):
    lines = []
    for code, sums in found.forecast.groups["tier"].items():
        tier = tiers.get(found.tier_codes[code])
        place = tier.position if tier else len(tiers) + 1
        href = address.path(tier=str(tier.pk)) if tier else ""
        label = pick(tier) if tier else _("no tier")
        lines.append((place, present.Line(label, href, sums)))
    return [line for _place, line in sorted(lines, key=lambda one: one[0])]


def _ahead(request, address):
    """The present quarter and those after it, whatever period is open."""
    first = periods.quarter_of(request.today)
    rows = renewal_queries.scoped(
        request.user,
        replace(filters_of(request.user, address), only="", category="", text=""),
    ).filter(due_on__gte=first.first, due_on__lte=first.shifted(AHEAD).last)
    return _by_period(queries.expect(rows, as_of=request.today), address, "quarter")


def _largest(request, found):
    rows = {row.pk: row for row in found.rows}
    renewals = renewal_queries.shown(
        renewal_queries.scoped(request.user, renewal_queries.Filters())
    ).filter(pk__in=[int(pk) for pk in found.forecast.largest])
    listed = [(one, rows[one.pk], found.forecast.expected_minor[one.pk]) for one in renewals]
    return sorted(listed, key=lambda item: (-item[1].due_minor, item[0].pk))
