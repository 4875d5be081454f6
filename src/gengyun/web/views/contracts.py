"""Contracts, movements, invoices and payments of a customer: what stands in the books."""

from datetime import date, timedelta

from django.http import JsonResponse
from django.utils.translation import gettext as _

from gengyun.alerts.models import RiskCause
from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.days import start_of
from gengyun.kernel.errors import NotFound
from gengyun.revenue.queries import contracts as queries
from gengyun.revenue.queries import ledger
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.numbers import is_number
from gengyun.web.present import contracts as present
from gengyun.web.render import is_htmx, render
from gengyun.web.views.customer import header
from gengyun.web.words import is_zh, pick

FIRST = date(1970, 1, 1)


@page()
def contracts(request, pk):
    """The card of the customer's page, and a page of its own without script."""
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | contracts_context(request, customer)
    block = "contracts" if is_htmx(request) else None
    return render(request, "customer/contracts.html", context, block=block)


@page()
def arr_data(request, pk):
    customer = customer_queries.get(request.user, pk)
    rows = list(ledger.movements_of(request.user, customer.pk))
    return JsonResponse(present.chart(rows, today=request.today, zh=is_zh()))


@page()
def movements(request, pk):
    """The ledger, as known now or on a past day."""
    customer = customer_queries.get(request.user, pk)
    form = Form.of(request.GET)
    form.day("known")
    known_by = form.values.get("known")
    # the end of that day; days at the ends of the calendar have none
    until = None
    if known_by is not None and known_by < request.today:
        until = start_of(known_by + timedelta(days=1)) if known_by.year > 1 else start_of(FIRST)
    rows = ledger.movements_of(request.user, customer.pk, known_by=until).select_related("corrects")
    context = header(request, customer) | present_context()
    context |= {"rows": present.ledger(rows), "known_by": known_by, "causes": cause_names()}
    return render(request, "customer/movements.html", context)


@page()
def invoices(request, pk):
    customer = customer_queries.get(request.user, pk)
    cash = queries.cash_of(request.user, customer.pk, today=request.today)
    context = header(request, customer) | present_context() | {"cash": cash}
    return render(request, "customer/invoices.html", context | may(request, customer))


@page()
def line(request, pk, line):
    """One line: as signed, its ARR and the rule, its movements, what can be done with it."""
    customer = customer_queries.get(request.user, pk)
    state = queries.line_state(request.user, line, today=request.today)
    if state.line.customer_id != customer.pk:
        raise NotFound
    rows = ledger.movements_of(request.user, customer.pk).filter(line_id=line)
    context = header(request, customer) | present_context() | may(request, customer)
    context |= {
        "line": state.line,
        "state": state,
        "rows": [row for row in rows if row.kind != "transfer"],
        "successors": list(state.line.successors.filter(voided_at__isnull=True)),
        "kinds": present.KINDS,
        "causes": cause_names(),
    }
    labels = verb_labels()
    allowed = verbs_for(state) if context["may_contract"] else []
    context["verbs"] = [(verb, labels[verb]) for verb in allowed]
    return render(request, "customer/line.html", context)


def contracts_context(request, customer):
    today = request.today
    rows = queries.contract_states(request.user, customer.pk, today=today)
    value: dict[str, int] = {}
    for row in rows:
        currency = row.contract.currency
        value[currency] = value.get(currency, 0) + row.value_minor
    wanted = request.GET.get("contract", "")
    return (
        present_context()
        | may(request, customer)
        | {
            "contracts": rows,
            "value": value,
            "arr": ledger.arr_of(customer.pk, today),
            "next_due": customer.renews_on if rows else None,
            "cash": queries.cash_of(request.user, customer.pk, today=today),
            "open_contract": int(wanted) if is_number(wanted) else None,
        }
    )


def present_context():
    zh = is_zh()
    return {
        "states": present.STATES,
        "invoice_states": present.INVOICE_STATES,
        "exact": present.exact,
        "billing": present.billing,
        "rule_sentence": present.rule_sentence,
        "term": lambda row: present.term(row, zh=zh),
    }


def may(request, customer):
    is_here = customer.archived_at is None
    return {"may_contract": is_here and can(request.user, "contract.edit")}


def cause_names():
    return {cause.key: pick(cause) for cause in RiskCause.objects.all()}


def verb_labels():
    return {
        "renew": _("Renew"),
        "upgrade": _("Upgrade or change"),
        "extend": _("Extend free"),
        "pause": _("Pause"),
        "resume": _("Resume"),
        "end": _("End"),
        "correct": _("Correct"),
        "void": _("Void"),
    }


def verbs_for(state):
    """What can be done with a line as it stands."""
    line = state.line
    if state.state == "voided":
        return []
    if line.arr_minor and not state.later_minor and not state.paused_minor:
        return []  # renewed, replaced or ended: what follows it can be changed
    verbs = {
        "running": ["renew", "upgrade", "extend", "pause", "end"],
        "coming": ["renew", "extend", "pause", "end"],
        "paused": ["resume", "end"],
        "over": ["renew"],
        "once": ["renew", "extend"] if line.is_trial else [],
    }[state.state]
    if line.ends_on is None:
        verbs = [verb for verb in verbs if verb not in {"renew", "extend"}]
    return [*verbs, "correct", "void"]
