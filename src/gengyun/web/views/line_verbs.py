"""What is done with a line: renewed, upgraded, extended, paused, ended, corrected, voided."""

from dataclasses import replace
from decimal import Decimal

from django.utils.translation import gettext as _

from gengyun.alerts.models import RiskCause
from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import NotFound
from gengyun.revenue.actions import contracts as contract_actions
from gengyun.revenue.actions.corrections import correct_line, void_line
from gengyun.revenue.actions.ending import terminate
from gengyun.revenue.actions.lines import NewLine
from gengyun.revenue.actions.pausing import pause, resume
from gengyun.revenue.actions.renewing import (
    coterm,
    credit_of,
    extend,
    renew,
    same_again,
    upgrade,
)
from gengyun.revenue.models import Line
from gengyun.revenue.queries import contracts as queries
from gengyun.web import line_form
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.present.contracts import plain_amount
from gengyun.web.views.contract_forms import Done, handle, show
from gengyun.web.views.contracts import verb_labels, verbs_for
from gengyun.web.words import pick


@page("contract.edit", methods=("GET", "POST"))
def line_verb(request, pk, line, verb):
    customer = customer_queries.get(request.user, pk)
    state = queries.line_state(request.user, line, today=request.today)
    if state.line.customer_id != customer.pk or verb not in _DO:
        raise NotFound
    if verb not in verbs_for(state):
        raise NotFound(_("This can no longer be done with this line."))
    label = verb_labels()[verb]
    frame = {
        "heading": f"{label} · {pick(state.line.product)}",
        "parts": (verb, "line") if verb in {"renew", "correct"} else (verb,),
        "verb": verb,
        "line": state.line,
        "row": state.line.contract,
        "state": state,
        "causes": _causes(),
        "editions": [(row.pk, pick(row)) for row in state.line.product.editions.all()],
        "beside": _beside(state.line) if verb == "renew" else [],
        "credit": _credit(state.line, request.today) if verb == "upgrade" else None,
    }
    if request.method == "GET":
        return show(request, customer, Form(_FIRST[verb](request, state)), **frame)
    form = Form.of(request.POST)
    run = _DO[verb](request, state, form)
    return handle(request, customer, form, run, said=_("Done: %(what)s") % {"what": label}, **frame)


def _causes():
    rows = RiskCause.objects.filter(retired_at__isnull=True, parent__isnull=False)
    return [(row.key, pick(row)) for row in rows.order_by("position", "pk")]


def _beside(line):
    """Other lines of the customer that end on the same day: they may be renewed as they are."""
    rows = Line.objects.filter(
        customer_id=line.customer_id, ends_on=line.ends_on, voided_at__isnull=True, arr_minor__gt=0
    )
    return list(rows.exclude(pk=line.pk).select_related("product", "edition"))


def _credit(line, today):
    inside = line.ends_on is not None and line.starts_on <= today <= line.ends_on
    return credit_of(line, today) if inside else None


# ---- what the form shows first


def _first_renew(request, state):
    texts = line_form.texts(same_again(state.line), state.line.currency)
    return texts | {"signed_on": request.today.isoformat()}


def _first_upgrade(request, state):
    line = state.line
    yearly = line.arr_minor
    if line.tax_included and line.tax_rate_bp:
        yearly = round(Decimal(yearly) * (10_000 + line.tax_rate_bp) / 10_000)
    on = max(request.today, line.starts_on)
    return {
        "on": on.isoformat(),
        "signed_on": request.today.isoformat(),
        "seats": "" if line.seats is None else str(line.seats),
        "edition": str(line.edition_id or ""),
        "yearly": plain_amount(yearly, line.currency),
    }


def _first_correct(request, state):
    line = state.line
    return line_form.texts(
        NewLine(
            product=line.product,
            edition=line.edition,
            group=line.group,
            kind=line.kind,
            seats=line.seats,
            amount_minor=line.amount_minor,
            tax_included=line.tax_included,
            tax_rate_bp=line.tax_rate_bp,
            list_minor=line.list_minor,
            discount_bp=line.discount_bp,
            discount_is_forever=line.discount_is_forever,
            starts_on=line.starts_on,
            ends_on=line.ends_on,
            paid_months=line.paid_months,
            gift_days=line.gift_days,
            is_trial=line.is_trial,
            committed_minor=line.committed_minor,
            maintenance_base_minor=line.maintenance_base_minor,
            note=line.note,
        ),
        line.currency,
    )


def _first_day(request, state):
    return {"on": max(request.today, state.line.starts_on).isoformat()}


def _first_end(request, state):
    return {"cancelled_on": request.today.isoformat()}


def _first_extend(request, state):
    return {"months": "1"}


def _nothing(request, state):
    return {}


_FIRST = {
    "renew": _first_renew,
    "upgrade": _first_upgrade,
    "extend": _first_extend,
    "pause": _first_day,
    "resume": _first_day,
    "end": _first_end,
    "correct": _first_correct,
    "void": _nothing,
}

# ---- what the form does: each reads what was typed and returns the deed


def _renew(request, state, form):
    new = line_form.read(form, state.line.currency)
    form.day("signed_on")
    also = [line for line in _beside(state.line) if form.get(f"also.{line.pk}") == "1"]

    def run():
        contract = None
        if number := form.get("new_number"):
            contract = contract_actions.create_contract(
                actor=request.user,
                now=request.now,
                customer=state.line.customer,
                number=number,
                starts_on=new.starts_on,
                ends_on=new.ends_on,
                signed_on=form.values["signed_on"],
                currency=state.line.currency,
                billing_interval_months=state.line.contract.billing_interval_months,
                previous=state.line.contract,
            )
        posted = renew(
            actor=request.user,
            now=request.now,
            lines=[state.line, *also],
            new=[replace(new, group=state.line.group), *(same_again(line) for line in also)],
            contract=contract,
            signed_on=form.values["signed_on"],
            price_change=True if form.get("is_price") == "1" else None,
        )
        return Done.of(*posted)

    return run


def _upgrade(request, state, form):
    form.day("on")
    form.day("signed_on")
    form.whole("seats")
    form.amount("yearly", into="yearly_minor", currency=state.line.currency)
    form.choice("edition", state.line.product.editions.all())
    for name in ("on", "yearly"):
        if not form.get(name):
            form.errors[name] = _("This is needed.")

    def run():
        on, yearly = form.values["on"], form.values["yearly_minor"]
        if state.line.ends_on is None:
            new = _open_ended(state.line, on, yearly)
        else:
            new = coterm(state.line, on=on, yearly_minor=yearly)
        new = replace(
            new, seats=form.values["seats"], edition=form.values["edition"], note=form.get("note")
        )
        return Done.of(
            upgrade(
                actor=request.user,
                now=request.now,
                line=state.line,
                new=new,
                price_change=True if form.get("is_price") == "1" else None,
                signed_on=form.values["signed_on"],
            )
        )

    return run


def _open_ended(line, on, yearly):
    months = line.contract.billing_interval_months or 12
    return NewLine(
        product=line.product,
        group=line.group,
        kind=line.kind,
        amount_minor=round(Decimal(yearly) * months / 12),
        yearly_minor=yearly,
        starts_on=on,
        tax_included=line.tax_included,
        tax_rate_bp=line.tax_rate_bp,
        currency=line.currency,
        paid_months=Decimal(months),
    )


def _extend(request, state, form):
    form.whole("months")
    form.whole("days")

    def run():
        made = extend(
            actor=request.user,
            now=request.now,
            line=state.line,
            months=form.values["months"] or 0,
            days=form.values["days"] or 0,
            note=form.get("note"),
        )
        return Done([made])

    return run


def _pause(request, state, form):
    form.day("on")
    form.day("until")
    _need(form, "on")

    def run():
        pause(
            actor=request.user,
            now=request.now,
            line=state.line,
            on=form.values["on"],
            until=form.values["until"],
            note=form.get("note"),
        )
        return Done()

    return run


def _resume(request, state, form):
    form.day("on")
    _need(form, "on")

    def run():
        resume(
            actor=request.user,
            now=request.now,
            line=state.line,
            on=form.values["on"],
            note=form.get("note"),
        )
        return Done()

    return run


def _end(request, state, form):
    form.day("cancelled_on")
    form.day("last_day")
    known = {key for key, _name in _causes()}
    if form.get("cause") and form.get("cause") not in known:
        form.errors["cause"] = _("Choose one of the list.")
    if not form.get("cause") and form.get("involuntary") != "1":
        form.errors["cause"] = _("A loss needs its cause.")

    def run():
        terminate(
            actor=request.user,
            now=request.now,
            lines=[state.line],
            cancelled_on=form.values["cancelled_on"],
            last_day=form.values["last_day"],
            cause=form.get("cause"),
            involuntary=form.get("involuntary") == "1",
            note=form.get("note"),
        )
        return Done()

    return run


def _correct(request, state, form):
    new = line_form.read(form, state.line.currency)
    _need(form, "why")

    def run():
        wanted = replace(new, group=state.line.group, currency=state.line.currency)
        posted = correct_line(
            actor=request.user,
            now=request.now,
            line=state.line,
            new=wanted,
            why=form.get("why"),
        )
        return Done([], posted.flags)

    return run


def _void(request, state, form):
    _need(form, "why")

    def run():
        void_line(actor=request.user, now=request.now, line=state.line, why=form.get("why"))
        return Done()

    return run


def _need(form, *names):
    for name in names:
        if not form.get(name):
            form.errors.setdefault(name, _("This is needed."))


_DO = {
    "renew": _renew,
    "upgrade": _upgrade,
    "extend": _extend,
    "pause": _pause,
    "resume": _resume,
    "end": _end,
    "correct": _correct,
    "void": _void,
}
