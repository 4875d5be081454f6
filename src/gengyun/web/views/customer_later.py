"""Parts of the customer's page that come when they are scrolled to; each is a page of its own too,
which a browser without script opens by its link."""

from gengyun.alerts.queries import queue as alert_queries
from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import NotFound
from gengyun.web.access import page
from gengyun.web.present import alerts as present_alerts
from gengyun.web.render import is_htmx, render
from gengyun.web.views import definitions_of, risk_card
from gengyun.web.views.company import company_context
from gengyun.web.views.customer import header, health_context
from gengyun.web.words import is_zh

CLOSED = 5  # of the alerts that are over


def _part(request, template, block, context):
    return render(request, template, context, block=block if is_htmx(request) else None)


@page()
def alerts(request, pk):
    customer = customer_queries.get(request.user, pk)
    context = alerts_context(request, customer)
    return _part(request, "customer/alerts.html", "alerts", context)


def alerts_context(request, customer):
    """Alerts of the customer, and the risks that people noted."""
    found = alert_queries.of_customer(request.user, customer.pk, closed=CLOSED)
    rows = present_alerts.of_customer(found, now=request.now, today=request.today, zh=is_zh())
    context = header(request, customer) | {"alert_rows": rows}
    return context | risk_card.card(request, customer)


@page()
def group(request, pk):
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | company_context(request, customer)
    return _part(request, "customer/group.html", "group", context)


@page()
def definition(request, pk, factor):
    """What one factor of the score is and how it counts."""
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | health_context(request, customer)
    rows = (row for group in context["groups"] for row in group.factors)
    row = next((row for row in rows if row.key == factor), None)
    if row is None:
        raise NotFound
    known = definitions_of.factors(context["health"], zh=is_zh())
    context |= {"row": row, "def": known.get(factor)}
    return _part(request, "customer/definition.html", "definition", context)
