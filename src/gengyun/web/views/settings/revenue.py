"""Conventions of revenue: currency, grace, how metrics count, capacity, gross margin; spend."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from gengyun.customers.models import Tier
from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions import economics
from gengyun.revenue.actions import settings as actions
from gengyun.revenue.calc import policies as calc
from gengyun.revenue.models import SpendKind
from gengyun.revenue.queries import settings as queries
from gengyun.team.queries.access import require
from gengyun.team.queries.people import possible_owners
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.present import policies as present
from gengyun.web.present import spend as present_spend
from gengyun.web.present.ledger_policies import options as ledger_options
from gengyun.web.render import is_htmx
from gengyun.web.views.settings.common import field_of, go, show
from gengyun.web.words import pick

TEMPLATE = "settings/revenue.html"
ERRORS = {
    "base_currency_bad": "base_currency",
    "base_currency_places": "base_currency",
    "grace_bad": "loss_grace_days",
    "capacity_bad": "capacity_low",
    "margin_bad": "gross_margin",
    "stated_renewal_bad": "stated_renewal",
}
SPEND_ERRORS = {"salary_of_nobody": "user", "spend_kind_unknown": "kind"}
MONTHS = 12  # shown; the whole of it comes by export


@page("settings.read", methods=("GET", "POST"))
def revenue(request):
    if request.method == "GET":
        row = queries.current()
        return _form(request, _texts(row), queries.policy(), {})
    require(request.user, "settings.edit")
    form = Form.of(request.POST)
    changes, errors = _read(form)
    if not errors:
        try:
            actions.edit_settings(actor=request.user, now=request.now, changes=changes)
        except Refusal as refusal:
            errors = field_of(refusal, ERRORS)
        else:
            return go(request, "settings_revenue", said=_("Saved."))
    return _form(request, form.raw, _as_chosen(form), errors, 422)


@page("settings.edit", methods=("POST",))
def spend_add(request):
    """One amount of one month, added to what the month holds."""
    form = Form.of(request.POST)
    form.text("kind", required=True)
    form.text("month", required=True)
    form.signed_amount("amount", into="amount_minor", currency=queries.current().base_currency)
    form.choice("user", possible_owners())
    month = present_spend.month(form.get("month"))
    if month is None:
        form.errors["month"] = _("A month is written 2026-03.")
    if form.values.get("amount_minor") is None and "amount" not in form.errors:
        form.errors["amount"] = _("This is needed.")
    if not form.errors:
        try:
            economics.record_spend(
                actor=request.user,
                now=request.now,
                kind=form.values["kind"],
                month=month,
                amount_minor=form.values["amount_minor"],
                user=form.values["user"],
                note=form.get("note"),
            )
        except Refusal as refusal:
            form.errors |= field_of(refusal, SPEND_ERRORS)
        else:
            return go(request, "settings_revenue", said=_("Noted."))
    row = queries.current()
    return _form(request, _texts(row), queries.policy(), {}, 422, spend_form=form)


def _texts(row):
    margin, stated = row.gross_margin_bp, row.stated_renewal_bp
    return {
        "base_currency": row.base_currency,
        "loss_grace_days": str(row.loss_grace_days),
        "capacity_low": _plain(row.capacity_low),
        "capacity_high": _plain(row.capacity_high),
        "gross_margin": "" if margin is None else _plain(Decimal(margin) / 100),
        "stated_renewal": "" if stated is None else _plain(Decimal(stated) / 100),
        **{f"weight.{key}": str(weight) for key, weight in row.tier_weights.items()},
        **{key: row.policies.get(key, "") for key in actions.LEDGER_POLICIES},
    }


def _plain(number):
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _read(form):
    """(changes, errors)"""
    form.whole("loss_grace_days")
    policies = {
        key: form.get(key) for key in (*calc.options(), *actions.LEDGER_POLICIES) if form.get(key)
    }
    if policies.get("grace_days") == str(queries.policy().grace_days):
        # it was not touched: whoever moves the ledger's days moves these along
        said = queries.current().policies.get("grace_days")
        policies = {key: value for key, value in policies.items() if key != "grace_days"}
        policies |= {"grace_days": said} if said is not None else {}
    changes = {
        "base_currency": form.get("base_currency"),
        "loss_grace_days": form.values.get("loss_grace_days") or 0,
        "policies": policies,
    }
    for name in ("capacity_low", "capacity_high"):
        changes[name] = _number(form, name, required=True)
    margin = _number(form, "gross_margin")
    changes["gross_margin_bp"] = None if margin is None else int(margin * 100)
    stated = _number(form, "stated_renewal")
    changes["stated_renewal_bp"] = None if stated is None else int(stated * 100)
    weights = {tier.key: _number(form, f"weight.{tier.key}") for tier in Tier.objects.all()}
    changes["tier_weights"] = {
        key: float(weight) for key, weight in weights.items() if weight is not None
    }
    return changes, dict(form.errors)


def _number(form, name, *, required=False):
    text = form.get(name).replace(",", "").replace("，", "").removesuffix("%")
    if not text:
        if required:
            form.errors[name] = _("This is needed.")
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or abs(found) > 1_000_000:
        form.errors[name] = _("A number is needed here.")
        return None
    return found


def _as_chosen(form):
    """What was typed, as far as it can be read, so that a refused form keeps it."""
    chosen = queries.policy()
    for key in calc.options():
        try:
            chosen = calc.choose({key: form.get(key)}, chosen) if form.get(key) else chosen
        except calc.PolicyUnknown:
            continue
    return chosen


def _form(request, values, policy, errors, status=200, *, spend_form=None):
    usual = replace(calc.DEFAULT, grace_days=queries.current().loss_grace_days)
    context = {
        "values": values,
        "errors": errors,
        "options": present.options(calc.options(), policy, usual),
        "ledger": ledger_options(values),
        "tiers": [(tier.key, pick(tier)) for tier in Tier.objects.all()],
        "months": present_spend.table(queries.spend_rows(), most=MONTHS),
        "spend_kinds": SpendKind.choices,
        "owners": [(owner.pk, owner.name) for owner in possible_owners()],
        "spend_form": spend_form or Form({"month": f"{request.today:%Y-%m}"}),
        "currency": queries.current().base_currency,
    }
    block = "editor" if is_htmx(request) and request.method == "POST" else None
    return show(request, TEMPLATE, "revenue", context, block=block, status=status)
