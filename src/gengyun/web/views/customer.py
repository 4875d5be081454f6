"""Customer 360: one scroll with everything about a customer."""

from datetime import timedelta

from django.http import JsonResponse
from django.utils.translation import gettext as _

from gengyun.alerts.queries.queue import live_count
from gengyun.customers.models import Contact
from gengyun.customers.queries import custom_fields as custom_queries
from gengyun.customers.queries import customers as customer_queries
from gengyun.customers.queries.merges import merged_into
from gengyun.engagement.models import Activity
from gengyun.engagement.queries.timeline import PAGE, timeline
from gengyun.engagement.queries.timeline import count as activity_count
from gengyun.health.queries import opinions, scores
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.rank import rank_in_tier
from gengyun.tasks.queries.lists import open_count
from gengyun.team.queries.access import can
from gengyun.usage.queries import usage_line
from gengyun.web.access import page
from gengyun.web.present import charts, needs
from gengyun.web.present import health as present_health
from gengyun.web.render import is_htmx, render
from gengyun.web.views.journey import journey_context
from gengyun.web.words import is_zh

TEMPLATE = "customer/show.html"
FIRST = 6  # activities on the page itself; the others come when one scrolls to them
RANGES = {"30": 30, "90": 90, "365": 365}


@page()
def show(request, pk):
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer)
    context |= health_context(request, customer)
    context |= usage_context(request, customer)
    context |= people_context(request, customer)
    context |= timeline_context(request, customer, limit=FIRST) | {"goes_on": True}
    context |= journey_context(request, customer)
    # alerts and group come when they are scrolled to: views/customer_later.py
    context["alert_count"] = live_count(request.user, customer.pk)
    context["task_count"] = open_count(request.user, customer.pk)
    context["part_of"] = merged_into(customer.pk) if customer.archived_at else None
    context["custom_values"] = custom_values(customer)
    context["reasons"] = needs.reasons(
        context["summary"], context["difference"], today=request.today, zh=is_zh()
    )
    context["rank"] = rank_in_tier(request.user, context["summary"]) if context["summary"] else None
    context["step_open"] = request.GET.get("step") == "1" and context["may_edit"]
    return render(request, TEMPLATE, context)


@page()
def panel(request, pk):
    """The side panel beside a list; without script, the customer's page."""
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | health_context(request, customer)
    context["last"] = timeline(customer, request.user, limit=2).activities
    context["reasons"] = needs.reasons(
        context["summary"], context["difference"], today=request.today, zh=is_zh()
    )
    context["kinds"] = kinds()
    return render(
        request, "customer/panel.html", context, block="panel" if is_htmx(request) else None
    )


@page()
def health(request, pk):
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | health_context(request, customer)
    return render(
        request, "customer/health.html", context, block="health" if is_htmx(request) else None
    )


@page()
def usage(request, pk):
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | usage_context(request, customer)
    start, end = _range(request, context["days"])
    context["rows"] = usage_line.daily_line(customer.pk, start=start, end=end)[::-1]
    return render(
        request, "customer/usage.html", context, block="usage" if is_htmx(request) else None
    )


@page()
def usage_data(request, pk):
    customer = customer_queries.get(request.user, pk)
    days = RANGES.get(request.GET.get("range", ""), 90)
    start, end = _range(request, days)
    line = usage_line.daily_line(customer.pk, start=start, end=end)
    return JsonResponse(charts.usage(line, start, end, today=request.today, zh=is_zh()))


@page()
def score_data(request, pk):
    customer = customer_queries.get(request.user, pk)
    row = scores.latest(customer.pk)
    versions = scores.versions_of(row) if row else []
    return JsonResponse(charts.score(row, versions, today=request.today, zh=is_zh()))


@page()
def events(request, pk):
    """The newest events behind the figures."""
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer)
    context["events"] = usage_line.recent_events(customer.pk, 200)
    return render(request, "customer/events.html", context)


def header(request, customer):
    return {
        "customer": customer,  # with owner, tier and stage, which the summary repeats
        "summary": CustomerSummary.objects.in_bulk([customer.pk]).get(customer.pk),
        "tags": list(customer.tags.all()),
        "may_edit": can(request.user, "customer.edit") and customer.archived_at is None,
        "may_write": can(request.user, "activity.write"),
    }


def custom_values(customer):
    """The company's own fields with what this customer holds, in their order."""
    fields = custom_queries.fields_in_use()
    held = custom_queries.values_for(customer, fields)
    return [(field, held.get(field.key)) for field in fields]


def health_context(request, customer):
    row = scores.latest(customer.pk)
    against = "month" if request.GET.get("against") == "month" else "week"
    difference = None
    if row is not None:
        if against == "week":
            difference = scores.change_since_week(row)
        else:
            day = row.as_of - timedelta(days=30)
            difference = scores.compare(customer.pk, day, row.as_of)
    explanation = row.explanation if row else None
    zh = is_zh()
    return {
        "health": row,
        "explanation": explanation,
        "difference": difference,
        "against": against,
        "groups": present_health.factor_table(explanation, difference, zh=zh) if row else [],
        "moves": present_health.biggest_moves(difference, zh=zh),
        "missing": present_health.missing_factors(explanation, zh=zh) if row else [],
        "defined": present_health.defined(row),
        "counts_sentiment": present_health.counts_sentiment(explanation),
        **_said_of(customer, request, row),
    }


def _said_of(customer, request, row):
    """Sentiment and override as they count now, and everything that was said before."""
    history = opinions.history_of(customer.pk) if row else []
    sentiment, override = opinions.counting(history, request.today)
    return {
        "sentiment": sentiment,
        "override": override,
        "said_before": present_health.said(history, today=request.today),
        "levels": present_health.LEVELS,
        "until_default": request.today + timedelta(days=30),
        "until_most": request.today + timedelta(days=90),
        "errors": {},
        "typed": {},
        "open_form": "",
    }


def usage_context(request, customer):
    wanted = request.GET.get("range", "")
    days = RANGES.get(wanted, 90)
    return {
        "days": days,
        "ranges": [("30", _("30 days")), ("90", _("90 days")), ("365", _("12 months"))],
    }


def people_context(request, customer):
    return {
        "contacts": list(customer_queries.contacts_of(request.user, customer)),
        "parts": contact_parts(),
    }


def contact_parts():
    return [
        (Contact.Part.DECIDER, _("Decision maker")),
        (Contact.Part.CHAMPION, _("Champion")),
        (Contact.Part.USER, _("User")),
        (Contact.Part.PROCUREMENT, _("Procurement")),
        (Contact.Part.OTHER, _("Other")),
    ]


def kinds():
    return [kind for kind in Activity.Kind if kind != Activity.Kind.SYSTEM]


def timeline_context(request, customer, limit=PAGE):
    chosen = request.GET.get("who", "")
    wanted = {"people": set(Activity.Kind.values) - {"system"}, "system": {"system"}}.get(
        chosen, ()
    )
    before = request.GET.get("before", "")
    found = timeline(customer, request.user, kinds=wanted, before=before, limit=limit)
    is_whole = not (wanted or before or found.next_before)
    return {
        "activities": found.activities,
        "next_before": found.next_before,
        "activity_count": len(found.activities)
        if is_whole
        else activity_count(customer, request.user),
        "who": chosen,
        "kinds": kinds(),
        "outcomes": Activity.Outcome,
        "form_errors": "",
        "log_open": request.GET.get("log") == "1",
        "draft": {},
    }


def _range(request, days):
    """Whole days up to yesterday: today is not over."""
    return request.today - timedelta(days=days), request.today
