"""What came of a won opportunity: something was signed, a line of a contract that is there already,
or a contract still to come."""

from django.db.models import Q

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.revenue.actions import opportunities as actions
from gengyun.revenue.actions.trying import would
from gengyun.revenue.actions.winning import Signed, win_with_line
from gengyun.revenue.models import Contract, OpportunityKind, Product
from gengyun.revenue.queries import opportunities as queries
from gengyun.web.forms import Form
from gengyun.web.numbers import is_number
from gengyun.web.present.contracts import plain_amount
from gengyun.web.refusals import refusal_text
from gengyun.web.words import gettext as _
from gengyun.web.words import pick

HOW = ("sign", "link", "later")


def blank(row, today):
    contract = contracts(row, today).first()
    return Form(
        {
            "how": "sign",
            "contract": str(contract.pk) if contract else "",
            "product": str(row.product_id or ""),
            "signed_amount": plain_amount(row.amount_minor, row.currency),
            "starts_on": today.isoformat(),
            "signed_on": today.isoformat(),
        }
    )


def contracts(row, today):
    """Contracts of the customer that a line may still come to, in its currency."""
    rows = Contract.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=today),
        customer=row.customer_id,
        currency=row.currency,
        ended_on__isnull=True,
    )
    return rows.order_by("-starts_on", "-pk")


def choices(row, today):
    """What the form of winning offers."""
    if row.won_line_id or row.stage.is_lost:
        return {"lines": [], "contracts": [], "all_products": []}
    return {
        "lines": queries.free_lines(row),
        "contracts": list(contracts(row, today)[:20]),
        "all_products": [(one.pk, pick(one)) for one in Product.objects.filter(is_active=True)],
        "is_service": row.kind == OpportunityKind.SERVICE,
    }


def line_of(row, wanted):
    if not is_number(wanted):
        raise NotFound
    found = next((line for line in queries.free_lines(row) if line.pk == int(wanted)), None)
    if found is None:
        raise NotFound
    return found


def read(request, row):
    """(the form, the won opportunity, rules that were only flagged); no opportunity where the form
    has errors."""
    form = Form.of(request.POST)
    if form.get("how") not in HOW:
        form.errors["how"] = _("Choose one of the list.")
        return form, None, []
    arguments = {"actor": request.user, "now": request.now, "opportunity": row}
    try:
        if form.get("how") == "sign":
            signed = _signed(form, row, request.today)
            if signed is None:
                return form, None, []
            won = win_with_line(signed=signed, **arguments)
            return form, won.opportunity, won.flags
        line = line_of(row, form.get("line")) if form.get("how") == "link" else None
        return form, actions.win_opportunity(line=line, **arguments), []
    except NotFound:
        form.errors["line"] = _("Choose one of the list.")
    except Refusal as refusal:
        form.errors["how"] = refusal_text(refusal)
    return form, None, []


def preview(request, row):
    """(what the form as it stands would do to ARR, or None; then why not)"""
    form = Form.of(request.POST)
    if form.get("how") == "later":
        return None, _("No ARR moves until the contract is entered.")
    if form.get("how") == "link":
        return None, _("This line counts already: no ARR moves.")
    signed = _signed(form, row, request.today)
    if signed is None:
        return None, _("When price and first day can be read, the new ARR stands here.")

    def run():
        arguments = {"actor": request.user, "now": request.now, "opportunity": row}
        return win_with_line(signed=signed, **arguments).flags

    try:
        return would(row.customer_id, run, today=request.today), ""
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        return None, refusal_text(refusal)


def _signed(form, row, today):
    form.choice("contract", contracts(row, today))
    form.choice("product", Product.objects.filter(is_active=True), required=True)
    form.amount("signed_amount", into="amount_minor", currency=row.currency)
    form.whole("seats")
    for name in ("starts_on", "ends_on", "signed_on"):
        form.day(name)
    form.whole("tax")
    values = form.values
    if values.get("amount_minor") is None and "signed_amount" not in form.errors:
        form.errors["signed_amount"] = _("This is needed.")
    if values.get("starts_on") is None and "starts_on" not in form.errors:
        form.errors["starts_on"] = _("This is needed.")
    if form.errors:
        return None
    tax = values["tax"]
    return Signed(
        product=values["product"],
        amount_minor=values["amount_minor"],
        starts_on=values["starts_on"],
        ends_on=values["ends_on"],
        seats=values["seats"],
        contract=values["contract"],
        number=form.get("number"),
        signed_on=values["signed_on"],
        tax_included=tax is not None and tax > 0,
        tax_rate_bp=None if tax is None else tax * 100,
    )
