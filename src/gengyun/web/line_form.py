"""A line of a contract as a form: what was typed becomes a `NewLine`, and back."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from gengyun.kernel.currencies import is_known
from gengyun.revenue.actions.lines import NewLine
from gengyun.revenue.models import Edition, LineKind, Product
from gengyun.web.forms import Form
from gengyun.web.present.contracts import plain_amount

MOST_MONTHS = 1_200


@dataclass(frozen=True)
class Choices:
    """What the selects of the form offer."""

    products: list[tuple[int, str]]
    editions: list[tuple[int, str]]
    kinds: list[tuple[str, str]]


def choices(pick) -> Choices:
    products = Product.objects.filter(is_active=True)
    editions = Edition.objects.filter(product__is_active=True).select_related("product")
    return Choices(
        [(row.pk, pick(row)) for row in products],
        [(row.pk, f"{pick(row.product)} {pick(row)}") for row in editions],
        list(LineKind.choices),
    )


def read(form: Form, currency: str) -> NewLine | None:
    """The line as typed, in the currency of its contract, or None with the form's errors."""
    form.choice("product", Product.objects.filter(is_active=True), required=True)
    form.choice("edition", Edition.objects.all())
    form.whole("seats")
    for name in ("amount", "list", "committed", "maintenance_base"):
        form.amount(name, into=f"{name}_minor", currency=currency)
    form.day("starts_on")
    form.day("ends_on")
    form.whole("gift_days")
    tax = _decimal(form, "tax_rate", most=100)
    discount = _decimal(form, "discount", most=100)
    months = _decimal(form, "paid_months", most=MOST_MONTHS)
    kind = form.get("kind") or LineKind.SUBSCRIPTION
    _needed(form, kind)
    edition, product = form.values.get("edition"), form.values.get("product")
    if edition and product and edition.product_id != product.pk:
        form.errors["edition"] = _("This edition belongs to another product.")
    if form.errors:
        return None
    return NewLine(
        product=product,
        edition=edition,
        kind=kind,
        seats=form.values["seats"],
        amount_minor=form.values["amount_minor"] or 0,
        tax_included=form.get("tax_included") == "1",
        tax_rate_bp=None if tax is None else int(tax * 100),
        list_minor=form.values["list_minor"],
        discount_bp=None if discount is None else int(discount * 100),
        discount_is_forever=form.get("discount_ends") != "1",
        starts_on=form.values["starts_on"],
        ends_on=form.values["ends_on"],
        paid_months=months,
        gift_days=form.values["gift_days"] or 0,
        is_trial=form.get("is_trial") == "1",
        committed_minor=form.values["committed_minor"],
        maintenance_base_minor=form.values["maintenance_base_minor"],
        note=form.get("note"),
    )


def _needed(form: Form, kind: str) -> None:
    if kind not in LineKind.values:
        form.errors["kind"] = _("Choose one of the list.")
    if form.values.get("starts_on") is None and "starts_on" not in form.errors:
        form.errors["starts_on"] = _("This is needed.")
    free = form.get("is_trial") == "1"
    if form.values.get("amount_minor") is None and "amount" not in form.errors and not free:
        form.errors["amount"] = _("This is needed.")


def _decimal(form: Form, name: str, *, most: int) -> Decimal | None:
    text = form.get(name).replace(",", "").replace("，", "").removesuffix("%").strip()
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 <= found <= most:
        form.errors[name] = _("A number from 0 to %(most)s is needed here.") % {"most": most}
        return None
    return found


def currency(form: Form, name: str = "currency") -> str:
    code = (form.get(name) or "CNY").strip().upper()
    if not is_known(code):
        form.errors[name] = _("“%(currency)s” is no currency of ISO 4217.") % {"currency": code}
    return code


def texts(new: NewLine, currency: str) -> dict[str, str]:
    """What the form shows for a line."""

    def number(value: Decimal | int | None) -> str:
        if value is None:
            return ""
        text = f"{Decimal(value):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def day(value: date | None) -> str:
        return "" if value is None else value.isoformat()

    return {
        "product": str(new.product.pk),
        "edition": "" if new.edition is None else str(new.edition.pk),
        "kind": new.kind,
        "seats": number(new.seats),
        "amount": plain_amount(new.amount_minor, currency),
        "tax_included": "1" if new.tax_included else "",
        "tax_rate": "" if new.tax_rate_bp is None else number(Decimal(new.tax_rate_bp) / 100),
        "list": plain_amount(new.list_minor, currency),
        "discount": "" if new.discount_bp is None else number(Decimal(new.discount_bp) / 100),
        "discount_ends": "" if new.discount_is_forever else "1",
        "starts_on": day(new.starts_on),
        "ends_on": day(new.ends_on),
        "paid_months": number(new.paid_months),
        "gift_days": number(new.gift_days) if new.gift_days else "",
        "is_trial": "1" if new.is_trial else "",
        "committed": plain_amount(new.committed_minor, currency),
        "maintenance_base": plain_amount(new.maintenance_base_minor, currency),
        "note": new.note,
    }
