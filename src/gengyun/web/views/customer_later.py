"""Parts of the customer's page that come when they are scrolled to; each is a page of its own too,
which a browser without script opens by its link."""

from gengyun.alerts.queries import queue as alert_queries
from gengyun.customers.queries import customers as customer_queries
from gengyun.web.access import page
from gengyun.web.present import alerts as present_alerts
from gengyun.web.render import is_htmx, render
from gengyun.web.views.company import company_context
from gengyun.web.views.customer import header
from gengyun.web.words import is_zh

CLOSED = 5  # of the alerts that are over


def _part(request, template, block, context):
    return render(request, template, context, block=block if is_htmx(request) else None)


@page()
def alerts(request, pk):
    customer = customer_queries.get(request.user, pk)
    found = alert_queries.of_customer(request.user, customer.pk, closed=CLOSED)
    rows = present_alerts.of_customer(found, now=request.now, today=request.today, zh=is_zh())
    context = header(request, customer) | {"alert_rows": rows}
    return _part(request, "customer/alerts.html", "alerts", context)


@page()
def group(request, pk):
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | company_context(request, customer)
    return _part(request, "customer/group.html", "group", context)
