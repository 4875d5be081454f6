"""Invoices and payments written by hand."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import NotFound
from gengyun.revenue.actions import billing as actions
from gengyun.revenue.models import Contract, Invoice, InvoiceStatus
from gengyun.revenue.queries import contracts as queries
from gengyun.web import line_form, undo
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.present.contracts import plain_amount
from gengyun.web.refusals import attempt
from gengyun.web.render import render, toast
from gengyun.web.views.contracts import present_context
from gengyun.web.views.customer import header

FIELDS = {
    "invoice_number_taken": "number",
    "payment_number_taken": "number",
    "number_missing": "number",
    "amount_zero": "amount",
    "due_before_issued": "due_on",
    "tax_larger_than_amount": "tax",
    "currency_of_invoice": "currency",
    "invoice_void": "invoice",
}


@page("contract.edit", methods=("GET", "POST"))
def invoice_new(request, pk):
    customer = customer_queries.get(request.user, pk)
    if request.method == "GET":
        first = {"issued_on": request.today.isoformat(), "currency": customer.currency}
        return _form(request, "invoice_form", customer, Form(first))
    form = Form.of(request.POST)
    for name in ("issued_on", "due_on"):
        form.day(name)
    currency = line_form.currency(form)
    form.signed_amount("amount", into="amount_minor", currency=currency)
    form.signed_amount("tax", into="tax_minor", currency=currency)
    form.choice("contract", Contract.objects.filter(customer=customer))
    _need(form, "number", "issued_on", "amount")

    def write():
        return actions.create_invoice(
            actor=request.user,
            now=request.now,
            customer=customer,
            number=form.get("number"),
            issued_on=form.values["issued_on"],
            due_on=form.values["due_on"],
            amount_minor=form.values["amount_minor"],
            tax_minor=form.values["tax_minor"],
            currency=currency,
            contract=form.values["contract"],
            note=form.get("note"),
        )

    made = _try(form, write)
    if made is None:
        return _form(request, "invoice_form", customer, form, 422)
    path = undo.remember(request, "invoice", made.pk)
    toast(request, _("Invoice %(number)s written down") % {"number": made.number}, undo=path)
    return _back(customer)


@page("contract.edit", methods=("GET", "POST"))
def payment_new(request, pk):
    """Money received; with a minus, money given back."""
    customer = customer_queries.get(request.user, pk)
    cash = queries.cash_of(request.user, customer.pk, today=request.today)
    owed = [row for row in cash.invoices if row.unpaid_minor]
    if request.method == "GET":
        wanted = request.GET.get("invoice", "")
        row = next((row for row in owed if str(row.invoice.pk) == wanted), None)
        first = {"received_on": request.today.isoformat(), "currency": customer.currency}
        if row is not None:
            first |= {
                "invoice": wanted,
                "amount": plain_amount(row.unpaid_minor, row.invoice.currency),
            }
            first["currency"] = row.invoice.currency
        return _form(request, "payment_form", customer, Form(first), owed=owed)
    form = Form.of(request.POST)
    form.day("received_on")
    currency = line_form.currency(form)
    form.signed_amount("amount", into="amount_minor", currency=currency)
    form.choice("invoice", Invoice.objects.filter(customer=customer))
    _need(form, "received_on", "amount")

    def write():
        return actions.record_payment(
            actor=request.user,
            now=request.now,
            customer=customer,
            invoice=form.values["invoice"],
            received_on=form.values["received_on"],
            amount_minor=form.values["amount_minor"],
            currency=currency,
            number=form.get("number"),
            note=form.get("note"),
        )

    made = _try(form, write)
    if made is None:
        return _form(request, "payment_form", customer, form, 422, owed=owed)
    toast(request, _("Payment noted"), undo=undo.remember(request, "payment", made.pk))
    return _back(customer)


@page("contract.edit", methods=("GET", "POST"))
def invoice(request, pk, invoice):
    """One invoice with its payments; it can be disputed and voided, never rewritten."""
    customer = customer_queries.get(request.user, pk)
    row = queries.get_invoice(request.user, invoice)
    if row.customer_id != customer.pk:
        raise NotFound
    if request.method == "POST":
        return _change(request, customer, row)
    cash = queries.cash_of(request.user, customer.pk, today=request.today)
    state = next(item for item in cash.invoices if item.invoice.pk == row.pk)
    context = header(request, customer) | present_context()
    context |= {
        "state": state,
        "payments": [p for p in cash.payments if p.invoice_id == row.pk],
        "plain_page": True,
    }
    return render(request, "customer/invoice.html", context)


def _change(request, customer, row):
    who = {"actor": request.user, "now": request.now, "invoice": row}
    why = request.POST.get("why", "").strip()
    step = request.POST.get("step", "")
    if step == "void":
        actions.void_invoice(**who, why=why)
        path = undo.remember(request, "invoice_void", row.pk)
        toast(request, _("Invoice %(number)s is void") % {"number": row.number}, undo=path)
    elif step == "restore":
        actions.restore_invoice(**who)
        toast(request, _("Invoice %(number)s stands again") % {"number": row.number})
    elif step == "dispute":
        actions.dispute_invoice(**who, since=request.today, why=why)
        path = undo.remember(request, "invoice_dispute", [row.pk, None])
        toast(request, _("Noted: the customer disputes it"), undo=path)
    elif step == "settle":
        since = row.disputed_since.isoformat() if row.disputed_since else None
        actions.dispute_invoice(**who, since=None, why=why)
        path = undo.remember(request, "invoice_dispute", [row.pk, since])
        toast(request, _("Noted: it is no longer disputed"), undo=path)
    else:
        raise NotFound
    return HttpResponseRedirect(reverse("web:invoice", args=[customer.pk, row.pk]))


def _need(form, *names):
    for name in names:
        if not form.get(name):
            form.errors.setdefault(name, _("This is needed."))


def _try(form, write):
    def field_of(refusal):
        name = FIELDS.get(refusal.code, "")
        return name if name in form.raw else ""

    return attempt(form, write, field_of)


def _back(customer):
    return HttpResponseRedirect(reverse("web:customer", args=[customer.pk]) + "#s-contracts")


def _form(request, name, customer, form, status=200, **more):
    context = header(request, customer) | present_context() | more
    context |= {
        "form": form,
        "contracts": list(Contract.objects.filter(customer=customer)),
        "void": InvoiceStatus.VOID,
        "plain_page": True,
    }
    return render(request, f"customer/{name}.html", context, status=status)
