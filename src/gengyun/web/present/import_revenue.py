"""What the import pages call the kinds, fields and options of revenue files. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from gengyun.customers.actions.import_messages import explain, sentence_of
from gengyun.revenue.calc.import_cells import major
from gengyun.revenue.calc.normalise import RULES

KINDS: dict[str, tuple[Any, Any]] = {
    "contracts": (
        _("Contracts and lines"),
        _(
            "One row per line, with customer, contract number, product, days and amount. The dry "
            "run shows the ARR of every row and the rule that gave it."
        ),
    ),
    "invoices": (_("Invoices"), _("One row per invoice, with number, day, amount and due day.")),
    "payments": (
        _("Payments"),
        _("One row per payment or refund, with the invoice where it is known."),
    ),
    "opportunities": (
        _("Opportunities"),
        _("Open ones and what became of the others, from your CRM."),
    ),
    "budgets": (
        _("Budgets of customers"),
        _("What a customer spends a year in a category, who said so and when."),
    ),
    "spend": (
        _("Spend"),
        _("One row per month and kind: sales and marketing, customer success, salaries, delivery."),
    ),
    "rates": (_("Exchange rates"), _("One row per currency and day.")),
}

FIELDS: dict[str, Any] = {
    "number": pgettext_lazy("import field", "Number"),
    "contract": _("Contract number"),
    "contract_kind": _("Kind of contract"),
    "signed_on": _("Signed on"),
    "is_ended": _("Has ended"),
    "ended_on": _("Ended on"),
    "cause": _("Reason of the loss"),
    "auto_renew": _("Renews automatically"),
    "notice_days": _("Days of notice"),
    "billing": _("Billing interval"),
    "billing_interval_months": _("Billing interval"),
    "previous_number": _("Contract that it follows"),
    "line_id": _("Id of the line"),
    "product": _("Product"),
    "group": _("Renewal group"),
    "line_kind": _("Kind of line"),
    "amount": _("Amount"),
    "annual": _("Price of a year"),
    "monthly": _("Price of a month"),
    "list": _("List price"),
    "discount": _("Discount"),
    "discount_bp": _("Discount"),
    "discount_forever": _("Discount for ever"),
    "tax_included": _("Tax included"),
    "tax_rate": _("Tax rate"),
    "tax_rate_bp": _("Tax rate"),
    "paid_months": _("Length paid for"),
    "gift_days": _("Given free"),
    "is_trial": _("Trial"),
    "committed": _("Yearly commitment"),
    "maintenance_base": _("Licence price"),
    "renews": _("Line that it renews"),
    "issued_on": _("Issued on"),
    "due_on": _("Due on"),
    "tax": _("Tax"),
    "status": _("State"),
    "disputed_since": _("Disputed since"),
    "invoice": _("Invoice number"),
    "received_on": _("Received on"),
    "refund": _("Refund"),
    "month": _("Month"),
    "user": _("Person"),
    "key": _("Id in the other system"),
    "category": _("Category"),
    "year": _("Year"),
    "said_by": _("Said by"),
    "said_on": _("Said on"),
    "base": _("Base currency"),
    "on": _("Day"),
    "rate": _("Exchange rate"),
    "per": _("For how many units"),
    "source": pgettext_lazy("import field", "Source"),
    "opened_on": _("Opened on"),
    "expected_on": _("Expected on"),
    "closed_on": _("Closed on"),
    "loss_reason": _("Reason of the loss"),
}

# a field that means something else in files of this kind
OF_KIND: dict[str, dict[str, Any]] = {
    "contracts": {"number": _("Contract number"), "ends_on": _("Last day")},
    "invoices": {"number": _("Invoice number")},
    "payments": {"number": _("Payment number")},
}

OPTIONS: dict[str, tuple[Any, Any]] = {
    "product": (
        _("Product of every row"),
        _("Where the file has no such column, or the cell is empty."),
    ),
    "create_products": (_("Make products and editions that are new"), ""),
    "currency": (_("Currency of every row"), _("Where neither a column nor the amount names one.")),
    "tax_included": (_("Amounts hold the tax"), ""),
    "tax_rate": (_("Tax rate of every row"), _("For example 6%. ARR is without tax.")),
    "end_day": (_("The last day in the file"), ""),
    "history": (
        _("A record made at the time"),
        _("Each row counts as known since its own day, so that past days show what was known."),
    ),
}
CHOICES = {
    "last": _("is still covered"),
    "after": _("is the first that is not covered"),
}
MEASURES = {
    "amount": _("Amount"),
    "refund": _("Refunds"),
    "annual": _("Price of a year"),
    "monthly": _("Price of a month"),
    "list": _("List price"),
    "committed": _("Yearly commitment"),
    "maintenance_base": _("Licence price"),
    "arr_minor": _("ARR worked out"),
}
WORKED_OUT = {
    "end_from_term": _("last day from the length"),
    "amount_from_list": _("amount from list price and discount"),
    "amount_from_year": _("amount from the price of a year"),
    "amount_from_month": _("amount from the price of a month"),
}


def option_rows(options: Sequence[Any], given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options of a kind as form fields; the value is what was chosen before."""
    return [
        {
            "name": option.name,
            "form": option.form,
            "label": OPTIONS[option.name][0],
            "about": OPTIONS[option.name][1],
            "value": _value(option.name, given.get(option.name)),
            "choices": [
                (value, CHOICES.get(value, word)) for value, word in (option.choices or tuple)()
            ],
        }
        for option in options
    ]


def _value(name: str, value: Any) -> Any:
    """A rate is kept in basis points and written as it is spoken."""
    if name == "tax_rate" and isinstance(value, int):
        return f"{value / 100:g}%"
    return "last" if name == "end_day" and value is None else value


def grouped(minor: int, currency: str) -> str:
    """1,200,000.00: to the minor unit, for holding beside the file."""
    whole, dot, places = major(minor, currency).partition(".")
    return f"{'-' if whole == '-0' else ''}{int(whole):,}{dot}{places}"


def facts(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """ARR and rule of a row of the dry run."""
    found = row.get("facts") or {}
    if "rule" not in found:
        return None
    notes = [WORKED_OUT.get(note, note) for note in found.get("worked_out", "").split(", ") if note]
    return {
        "arr": grouped(found["arr_minor"], found["currency"]),
        "currency": found["currency"],
        "rule": gettext(RULES[found["rule"]]) if found["rule"] in RULES else found["rule"],
        "notes": notes,
    }


def flags(row: Mapping[str, Any]) -> list[str]:
    return [explain(flag) for flag in row.get("flags", [])]


def totals(outcome: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where the money of the file went; `left` is what no row accounts for and is always 0."""
    rows = []
    for total in outcome.get("totals", []):
        code = total["currency"]
        parts = {name: total[name] for name in ("created", "changed", "same", "error")}
        rows.append(
            {
                "measure": MEASURES.get(total["measure"], total["measure"]),
                "currency": code,
                "file": grouped(total["file"], code),
                "rows": total["rows"],
                "unreadable": total["unreadable"],
                "left": grouped(total["file"] - sum(parts.values()), code),
                **{name: grouped(minor, code) for name, minor in parts.items()},
            }
        )
    return rows


def reasons(counted: Sequence[Sequence[Any]]) -> list[tuple[str, int]]:
    """Each reason in general words, with the number of rows."""
    return [(sentence_of(code), count) for code, count in counted]
