"""Changing a customer: cells of the list, the whole form, a new one, the archive."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.actions import customers as actions
from gengyun.customers.actions.custom_values import set_values
from gengyun.customers.actions.governed import governed_fields
from gengyun.customers.calc import uscc as credit_code
from gengyun.customers.calc.cells import BadCell as CellUnreadable
from gengyun.customers.calc.custom import PREFIX, as_json
from gengyun.customers.models import Stage, Tier
from gengyun.customers.queries import custom_fields as custom_queries
from gengyun.customers.queries import customers as queries
from gengyun.customers.queries.duplicates import alike
from gengyun.kernel.errors import NotAllowed, NotFound, Refusal
from gengyun.team.queries.access import can
from gengyun.team.queries.people import possible_owners
from gengyun.web import undo
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.present import custom as present_custom
from gengyun.web.present.contracts import plain_amount
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.views.company import REASONS
from gengyun.web.views.customer import header
from gengyun.web.words import pick

CELLS = {"next_step": "customer.edit", "owner": "customer.assign", "tier": "customer.assign"}
CELL = "customer/cell.html"


@page(methods=("GET", "POST"))
def cell(request, pk, field):
    """One value of one customer, in place. GET: the form, or the text with ?as=text."""
    capability = CELLS.get(field) or (field.startswith(PREFIX) and "customer.edit")
    if not capability:
        raise NotFound
    customer = queries.get(request.user, pk)
    if not can(request.user, capability):
        raise NotAllowed
    context = _cell_context(request, customer, field)
    block = "cell" if is_htmx(request) else None
    if request.method == "GET":
        context["editing"] = request.GET.get("as") != "text"
        return render(request, CELL, context, block=block)
    form = Form.of(request.POST)
    try:
        _SAVE.get(field, _save_custom)(request, customer, form)
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        context |= {"editing": True, "cell_error": refusal_text(refusal)}
        if context["custom_field"]:
            context["custom_raw"] = present_custom.typed(context["custom_field"], request.POST)
        return render(request, CELL, context, block=block, status=422)
    if not is_htmx(request):
        return back(request, reverse("web:customer", args=[pk]))
    fresh = _cell_context(request, queries.get(request.user, pk), field)
    return render(request, CELL, fresh | {"editing": False, "changed": True}, block=block)


def _cell_context(request, customer, field):
    return (
        header(request, customer)
        | {
            "field": field,
            "in_row": request.headers.get("HX-Target", "").startswith("c-"),
            "owners": possible_owners() if field == "owner" else (),
            "tiers": Tier.objects.all() if field == "tier" else (),
            "cell_error": "",
        }
        | _custom_context(customer, field)
    )


def _custom_context(customer, name):
    if not name.startswith(PREFIX):
        return {"custom_field": None}
    field = _custom_field(name)
    value = custom_queries.values_for(customer, [field]).get(field.key)
    return {
        "custom_field": field,
        "custom_value": value,
        "custom_raw": present_custom.as_typed(field.definition, value),
        "options_of": present_custom.options,
    }


def _custom_field(name):
    field = custom_queries.fields_named([name]).get(name)
    if field is None or field.retired_at is not None:
        raise NotFound
    return field


class BadCell(Refusal):
    code = "bad_cell"


def _read(form):
    for message in form.errors.values():
        raise BadCell(message)


def _save_next_step(request, customer, form):
    form.day("next_step_on")
    _read(form)
    old = {
        "pk": customer.pk,
        "text": customer.next_step,
        "on": customer.next_step_on.isoformat() if customer.next_step_on else "",
    }
    actions.set_next_step(
        actor=request.user,
        now=request.now,
        customer=customer,
        text=form.get("next_step"),
        on=form.values["next_step_on"],
    )
    toast(request, _("Next step saved"), undo=undo.remember(request, "next_step", old))


def _save_owner(request, customer, form):
    form.choice("owner", possible_owners())
    _read(form)
    old = [[customer.owner_id, [customer.pk]]]
    owner = form.values["owner"]
    actions.assign_owner(actor=request.user, now=request.now, customers=[customer], owner=owner)
    text = _("%(name)s now looks after it") % {"name": owner.name} if owner else _("Nobody owns it")
    toast(request, text, undo=undo.remember(request, "owner", old))


def _save_tier(request, customer, form):
    form.choice("tier", Tier.objects.all())
    _read(form)
    until = customer.tier_until
    held = {
        "tier_id": customer.tier_id,
        "tier_set_by_id": customer.tier_set_by_id,
        "tier_reason": customer.tier_reason,
        "tier_until": until.isoformat() if until else None,
    }
    old = {customer.pk: held}
    tier = form.values["tier"]
    if tier is None:
        actions.clear_manual_tier(actor=request.user, now=request.now, customer=customer)
    else:
        actions.set_tier_manually(
            actor=request.user,
            now=request.now,
            customer=customer,
            tier=tier,
            reason=form.get("reason"),
        )
    toast(request, _("Tier saved"), undo=undo.remember(request, "tier", old))


def _save_custom(request, customer, form):
    field = _custom_field(request.resolver_match.kwargs["field"])
    try:
        value = present_custom.read(field, present_custom.typed(field, request.POST))
    except CellUnreadable as bad:
        raise BadCell(present_custom.problem(bad)) from bad
    old = custom_queries.values_for(customer, [field]).get(field.key)
    set_values(actor=request.user, now=request.now, wanted={customer.pk: {field.key: value}})
    payload = [field.key, [[as_json(old), [customer.pk]]]]
    path = undo.remember(request, "custom", payload)
    toast(request, _("%(field)s saved") % {"field": pick(field)}, undo=path)


_SAVE = {"next_step": _save_next_step, "owner": _save_owner, "tier": _save_tier}


@page("customer.create", methods=("GET", "POST"))
def new(request):
    # a link may fill fields in: the id of a customer whose events wait
    form = Form.of(request.POST if request.method == "POST" else request.GET)
    custom = _custom_form(request, {})
    similar = []
    if request.method == "POST":
        values = _values(request, form) | {"custom": custom.values}
        if not form.errors and not custom.errors and not form.get("sure"):
            similar = _similar(request, values)
        if not form.errors and not custom.errors and not similar:
            customer = _try(
                form,
                lambda: actions.create_customer(actor=request.user, now=request.now, values=values),
                custom,
            )
            if customer is not None:
                toast(request, _("%(name)s was created") % {"name": customer.name})
                return HttpResponseRedirect(reverse("web:customer", args=[customer.pk]))
    return _form_page(request, "customers/new.html", form, {"custom": custom, "similar": similar})


def _similar(request, values):
    """Customers that the new one may be, of those the person sees."""
    uscc = credit_code.normal_form(values.get("uscc", ""))
    found = alike(request.user, name=values["name"], uscc=uscc)
    return [(pair.first, _(REASONS[pair.reason])) for pair in found]


@page("customer.edit", methods=("GET", "POST"))
def edit(request, pk):
    customer = queries.get(request.user, pk)
    form = Form.of(request.POST) if request.method == "POST" else Form(_texts(customer))
    fields = custom_queries.fields_in_use()
    custom = _custom_form(request, custom_queries.values_for(customer, fields), fields)
    ruled = governed_fields(customer.pk)
    if request.method == "POST":
        values = _values(request, form, ruled, customer.currency) | {"custom": custom.values}
        stage = values.pop("stage", customer.stage)
        is_right = not form.errors and not custom.errors
        if is_right and _try(form, lambda: _write(request, customer, values, stage), custom):
            toast(request, _("Saved"))
            return HttpResponseRedirect(reverse("web:customer", args=[pk]))
    context = header(request, customer) | {"custom": custom, "ruled": ruled}
    return _form_page(request, "customer/edit.html", form, context)


def _custom_form(request, held, fields=None):
    fields = custom_queries.fields_in_use() if fields is None else fields
    if request.method == "POST":
        return present_custom.CustomForm.posted(fields, request.POST)
    return present_custom.CustomForm.of(fields, held)


def _write(request, customer, values, stage):
    row = actions.edit_customer(
        actor=request.user, now=request.now, customer=customer, changes=values
    )
    if stage != customer.stage:
        actions.move_stage(actor=request.user, now=request.now, customer=row, stage=stage)
    return row


@page("customer.edit", methods=("POST",))
def archive(request, pk):
    customer = queries.get(request.user, pk)
    actions.archive_customer(actor=request.user, now=request.now, customer=customer)
    path = reverse("web:customer_restore", args=[pk])
    toast(request, _("%(name)s was archived") % {"name": customer.name}, undo=path)
    return HttpResponseRedirect(reverse("web:customers"))


@page("customer.edit", methods=("POST",))
def restore(request, pk):
    customer = queries.get(request.user, pk)
    actions.restore_customer(actor=request.user, now=request.now, customer=customer)
    toast(request, _("%(name)s is back") % {"name": customer.name})
    return HttpResponseRedirect(reverse("web:customer", args=[pk]))


@page(methods=("POST",))
def undo_it(request, token):
    undo.take_back(request, token)
    toast(request, _("Taken back"))
    if is_htmx(request):
        return render(request, "refusal.html", {}, block="nothing")
    return back(request, "/")


def _values(request, form, ruled=frozenset(), currency="CNY"):
    """What was typed; `ruled`: fields that follow from contracts and are only shown."""
    form.text("name", required=True)
    for name in ("external_id", "industry", "region", "edition"):
        form.text(name)
    if "uscc" in form.raw:
        form.text("uscc")
    form.amount("arr", into="arr_minor", currency=currency)
    form.whole("seats")
    for name in ("started_on", "renews_on"):
        form.day(name)
    if can(request.user, "customer.assign"):
        form.choice("owner", possible_owners())
    if "stage" in form.raw:
        form.choice("stage", Stage.objects.all())
    values = {name: value for name, value in form.values.items() if name not in ruled}
    if not values.get("external_id"):
        values.pop("external_id", None)
    return values


def _try(form, write, custom):
    """The result, or None with the refusal beside the field it is about."""
    try:
        return write()
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        if custom.refused(refusal, refusal_text):
            return None
        field = {"external_id_taken": "external_id"}.get(refusal.code) or refusal.params.get(
            "field"
        )
        field = {"arr_minor": "arr"}.get(field, field)
        form.errors[field if field in form.raw else ""] = refusal_text(refusal)
        return None


def _texts(customer):
    arr = customer.arr_minor
    return {
        "name": customer.name,
        "external_id": customer.external_id,
        "uscc": customer.uscc,
        "industry": customer.industry,
        "region": customer.region,
        "edition": customer.edition,
        "arr": plain_amount(arr, customer.currency),
        "seats": "" if customer.seats is None else str(customer.seats),
        "started_on": customer.started_on.isoformat() if customer.started_on else "",
        "renews_on": customer.renews_on.isoformat() if customer.renews_on else "",
        "owner": str(customer.owner_id or ""),
        "stage": str(customer.stage_id or ""),
    }


def _form_page(request, template, form, context):
    customer = context.get("customer")
    touch = customer.tier.touch_model if customer and customer.tier else None
    stages = Stage.objects.filter(touch_model=touch) if touch else Stage.objects.none()
    choices = {
        "form": form,
        "owners": [(owner.pk, owner.name) for owner in possible_owners()],
        "stages": stages,
        "options_of": present_custom.options,
        "plain_page": True,
    }
    has_errors = form.errors or context["custom"].errors or context.get("similar")
    status = 422 if has_errors else 200
    block = "form" if is_htmx(request) and request.method == "POST" else None
    return render(request, template, context | choices, block=block, status=status)
