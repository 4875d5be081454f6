"""The churn probability on the customer's page: what it is, why, how it moved, what is missing."""

from gengyun.churn.models import ChurnForecast
from gengyun.churn.queries.settings import current
from gengyun.customers.queries import customers as customer_queries
from gengyun.portfolio.queries.churn import chances_of, said_of
from gengyun.revenue.calc import customer_value as calc
from gengyun.revenue.calc.unit_economics import cac_payback, ltv_to_cac
from gengyun.revenue.queries import customer_value
from gengyun.revenue.queries.settings import current as revenue_settings
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.present import churn as present
from gengyun.web.present import churn_line
from gengyun.web.present.insight import reason
from gengyun.web.render import is_htmx, render
from gengyun.web.views.customer import header


@page()
def show(request, pk):
    """Comes when the page is scrolled to it; without script a page of its own."""
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | churn_context(request, customer)
    context |= value_context(request, customer)
    block = "churn" if is_htmx(request) else None
    return render(request, "customer/churn.html", context, block=block)


def churn_context(request, customer):
    rows = list(
        ChurnForecast.objects.visible_to(request.user)
        .filter(customer=customer)
        .select_related("model", "renewal__product")
        .defer("model__content", "model__race", "model__settings")
        .order_by("due_on", "pk")
    )
    newest = max((row.as_of for row in rows), default=None)
    rows = [row for row in rows if row.as_of == newest]
    main = _main(rows, newest)
    if main is None:
        return {"churn": None, "churn_rows": [], "event_word": present.event_word}
    line = main.history
    month = churn_line.value_before(line, newest, days=30)
    return {
        "churn": main,
        "churn_rows": rows,
        "same_day": sum(row.due_on == main.due_on and row.probability is not None for row in rows),
        "why": present.why(main),
        "what_if": present.counterfactuals(main.counterfactuals, main.probability or 0),
        "missing_names": present.missing_names(main.missing),
        "line": churn_line.drawn(line),
        "month_change": present.change_of_month(main.probability, month),
        "alike": churn_line.alike(main),
        "silent_days": current().silent_days,
        "words": present,
    }


def value_context(request, customer):
    """What the customer is worth; what follows from spend only to those who may read it."""
    known = customer_value.inputs(request.today)
    found = None
    if known is not None:
        said = said_of([customer.pk]).get(customer.pk, [])
        found = customer_value.values_of([customer.pk], known, chances_of(said)).get(customer.pk)
    context = {
        "value": found,
        "value_inputs": known,
        "margin_known": known is not None or revenue_settings().gross_margin_bp is not None,
        "value_years": calc.SHOWN_YEARS,
        "value_cap": calc.MAX_YEARS,
        "figure_reason": reason,
    }
    if found is not None and can(request.user, "economics.read"):
        won = customer_value.winning(request.today)
        arr = known.convert(customer.arr_minor or 0, customer.currency)
        context |= {
            "winning": won,
            "ltv_cac": ltv_to_cac(ltv=found.shown_minor, cac=won.cac),
            "payback": cac_payback(
                cac=won.cac, monthly_revenue=(arr or 0) / 12, margin=known.terms.margin
            ),
        }
    return context


def _main(rows, newest):
    """What comes due next and is largest; of days that are past, the last one."""
    if not rows:
        return None
    ahead = [row for row in rows if row.due_on is None or row.due_on >= newest]
    day = ahead[0].due_on if ahead else rows[-1].due_on
    found = [row for row in rows if row.due_on == day]
    return max(found, key=lambda row: (row.probability is not None, row.amount_minor or 0, -row.pk))
