"""Forms of contracts and lines. Each shows what it would do to ARR before it is saved."""

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.revenue.actions import contracts as actions
from gengyun.revenue.actions.lines import append_line
from gengyun.revenue.actions.trying import would
from gengyun.revenue.calc.rules import FIELD_OF
from gengyun.revenue.calc.terms import term_end
from gengyun.revenue.models import ContractKind
from gengyun.revenue.queries import ledger
from gengyun.web import line_form, undo
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.numbers import is_number
from gengyun.web.present import contracts as present
from gengyun.web.render import is_htmx, render, toast
from gengyun.web.views.contracts import present_context
from gengyun.web.views.customer import header
from gengyun.web.views.settings.common import refusal_text
from gengyun.web.words import pick

# code of a refusal -> the field it is about
FIELDS = {
    **FIELD_OF,
    "currency_unknown": "currency",
    "renewal_overlaps": "starts_on",
    "day_outside_line": "on",
    "reason_needed": "why",
}


@dataclass
class Done:
    """What a form did: lines that undo takes back, rules that were broken but do not refuse."""

    lines: list[Any] = field(default_factory=list)
    flags: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, *posted):
        return cls([one.line for one in posted], [flag for one in posted for flag in one.flags])


@page("contract.edit", methods=("GET", "POST"))
def contract_new(request, pk):
    """A contract with its first line."""
    customer = customer_queries.get(request.user, pk)
    frame = {"heading": _("New contract"), "parts": ("contract", "line")}
    if request.method == "GET":
        return show(request, customer, Form(_first_contract(request, customer)), **frame)
    form = Form.of(request.POST)
    values = contract_values(form)
    new = line_form.read(form, values["currency"])

    @transaction.atomic
    def run():
        contract = actions.create_contract(
            actor=request.user, now=request.now, customer=customer, **values
        )
        return Done.of(
            append_line(
                actor=request.user,
                now=request.now,
                contract=contract,
                line=new,
                find_previous=form.get("renews") == "1",
            )
        )

    return handle(request, customer, form, run, said=_("Contract written down"), **frame)


@page("contract.edit", methods=("GET", "POST"))
def contract_edit(request, pk, contract):
    """Number, name, signature, notice, billing: nothing that changes ARR."""
    customer, row = _contract(request, pk, contract)
    frame = {
        "heading": _("Edit contract %(number)s") % {"number": row.number},
        "parts": ("contract",),
        "row": row,
    }
    if request.method == "GET":
        return show(request, customer, Form(_contract_texts(row)), **frame)
    form = Form.of(request.POST)
    values = contract_values(form)
    if not form.get("number"):
        form.errors["number"] = _("This is needed.")
    days = ("kind", "starts_on", "ends_on", "currency")
    changes = {name: value for name, value in values.items() if name not in days}

    def run():
        actions.edit_contract(actor=request.user, now=request.now, contract=row, changes=changes)
        return Done()

    return handle(request, customer, form, run, said=_("Saved"), **frame)


@page("contract.edit", methods=("GET", "POST"))
def line_new(request, pk, contract):
    """Another line: an add-on that ends with the contract, a service, a trial."""
    customer, row = _contract(request, pk, contract)
    frame = {
        "heading": _("New line of %(number)s") % {"number": row.number},
        "parts": ("line",),
        "row": row,
    }
    if request.method == "GET":
        return show(request, customer, Form(_first_line(request, row)), **frame)
    form = Form.of(request.POST)
    new = line_form.read(form, row.currency)
    form.day("signed_on")

    def run():
        return Done.of(
            append_line(
                actor=request.user,
                now=request.now,
                contract=row,
                line=new,
                find_previous=form.get("renews") == "1",
                signed_on=form.values["signed_on"],
            )
        )

    return handle(request, customer, form, run, said=_("Line written down"), **frame)


# ---- what every form does


def handle(request, customer, form, run, *, said, **frame):
    """Preview, refusal beside its field, or done. `run` does the deed and returns a `Done`."""
    is_preview = request.POST.get("step") == "preview"
    if form.errors:
        return show(request, customer, form, status=422, is_preview=is_preview, **frame)
    try:
        if is_preview:
            found = would(customer.pk, lambda: run().flags, today=request.today)
            return show(request, customer, form, is_preview=True, would=found, **frame)
        done = run()
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        _refused(form, refusal)
        return show(request, customer, form, status=422, is_preview=is_preview, **frame)
    path = ""
    if done.lines:
        path = undo.remember(request, "lines", [line.pk for line in done.lines])
    toast(request, said, undo=path)
    for flag in done.flags:
        toast(request, fault_text(flag))
    return HttpResponseRedirect(reverse("web:customer", args=[customer.pk]) + "#s-contracts")


def _refused(form, refusal):
    name = FIELDS.get(refusal.code, "")
    form.errors[name if name in form.raw else ""] = refusal_text(refusal)


def fault_text(fault):
    return gettext(fault.message) % fault.params


def show(request, customer, form, *, status=200, is_preview=False, would=None, **frame):
    """`frame`: heading, parts and what the parts need."""
    context = header(request, customer) | present_context()
    context |= {"row": None, "line": None, "verb": "", "cancel": _cancel(customer, frame)}
    context |= {"form": form, "would": would, "is_preview": is_preview, "plain_page": True}
    context |= {
        "choices": line_form.choices(pick),
        "contract_kinds": ContractKind.choices,
        "intervals": [(months, str(name)) for months, name in present.BILLING.items()],
        "kinds": present.KINDS,
        "fault_text": fault_text,
    }
    block = "would" if is_preview and is_htmx(request) else None
    # a preview of a half-filled form is no error: htmx shows what is still missing
    status = 200 if block else status
    template = "customer/contract_form.html"
    return render(request, template, context | frame, block=block, status=status)


def _cancel(customer, frame):
    if frame.get("line") is not None:
        return reverse("web:line", args=[customer.pk, frame["line"].pk])
    return reverse("web:customer", args=[customer.pk]) + "#s-contracts"


def _contract(request, pk, contract):
    customer = customer_queries.get(request.user, pk)
    row = ledger.get_contract(request.user, contract)
    if row.customer_id != customer.pk:
        raise NotFound
    return customer, row


def contract_values(form):
    """What `create_contract` takes; `edit_contract` takes a part of it."""
    for name in ("signed_on", "starts_on", "ends_on"):
        form.day(name)
    form.whole("notice_days")
    if "starts_on" in form.raw and not form.get("starts_on"):
        form.errors["starts_on"] = _("This is needed.")
    kind = form.get("contract_kind") or ContractKind.FIXED
    if kind not in ContractKind.values:
        form.errors["contract_kind"] = _("Choose one of the list.")
    interval = form.get("interval")
    if interval and not (is_number(interval) and int(interval) in present.BILLING):
        form.errors["interval"] = _("Choose one of the list.")
        interval = ""
    notice = form.values.get("notice_days")
    if notice is not None and notice > 3_650:
        form.errors["notice_days"] = _("This is needed.")
    return {
        "number": form.get("number"),
        "name": form.get("name"),
        "kind": kind,
        "signed_on": form.values.get("signed_on"),
        "starts_on": form.values.get("starts_on"),
        "ends_on": form.values.get("ends_on"),
        "auto_renew": form.get("auto_renew") == "1",
        "notice_days": notice,
        "currency": line_form.currency(form),
        "billing_interval_months": int(interval) if interval else None,
        "is_prepaid": form.get("afterwards") != "1",
        "note": form.get("contract_note"),
    }


def _contract_texts(row):
    return {
        "number": row.number,
        "name": row.name,
        "contract_kind": row.kind,
        "currency": row.currency,
        "signed_on": row.signed_on.isoformat() if row.signed_on else "",
        "auto_renew": "1" if row.auto_renew else "",
        "notice_days": "" if row.notice_days is None else str(row.notice_days),
        "interval": str(row.billing_interval_months or ""),
        "afterwards": "" if row.is_prepaid else "1",
        "contract_note": row.note,
    }


def _first_contract(request, customer):
    start = request.today
    return {
        "contract_kind": ContractKind.FIXED,
        "currency": customer.currency,
        "signed_on": request.today.isoformat(),
        "starts_on": start.isoformat(),
        "ends_on": term_end(start, 12).isoformat(),
        "interval": "12",
        "kind": "subscription",
        "tax_included": "1",
        "tax_rate": "6",
    }


def _first_line(request, row):
    start = max(request.today, row.starts_on)
    return {
        "currency": row.currency,
        "starts_on": start.isoformat(),
        "ends_on": row.ends_on.isoformat() if row.ends_on else "",
        "kind": "subscription",
        "tax_included": "1",
        "tax_rate": "6",
    }
