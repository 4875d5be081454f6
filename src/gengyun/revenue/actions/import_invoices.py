"""Import of invoices. They change no ARR and are found again by their number."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gengyun.customers.actions.import_kinds import (
    CHANGED,
    CREATED,
    ERROR,
    SAME,
    Context,
    Option,
    Parser,
    Planned,
    limited,
    plain,
    register,
)
from gengyun.customers.actions.import_lookup import Book
from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import Column
from gengyun.kernel.days import day_of
from gengyun.revenue.actions.import_common import (
    BATCH,
    CURRENCY_OPTION,
    HISTORY_OPTION,
    WithMoney,
    amounts_of,
    by_values,
    choice,
    currency_of,
    differences,
    good,
    keep_record,
    known_at,
    minor_of,
    money,
    needed_values,
    refuse_repeated,
    tell,
)
from gengyun.revenue.calc import import_cells
from gengyun.revenue.calc.import_columns import INVOICE_COLUMNS
from gengyun.revenue.models import Contract, Invoice, InvoiceStatus
from gengyun.revenue.queries.settings import current

STATUSES = {
    "open": "open", "正常": "open", "有效": "open", "已开": "open", "已开票": "open",
    "未付": "open", "未付款": "open", "已付": "open", "已付款": "open", "部分付款": "open",
    "issued": "open", "sent": "open", "paid": "open", "unpaid": "open", "partly paid": "open",
    "overdue": "open", "逾期": "open", "void": "void", "voided": "void", "作废": "void",
    "已作废": "void", "红冲": "void", "已红冲": "void", "cancelled": "void", "canceled": "void",
}  # fmt: skip
INVOICE_PARSERS: Mapping[str, Parser] = {
    "customer": plain(cells.text),
    "number": limited(80, cells.text),
    "contract": limited(80, cells.text),
    "issued_on": plain(cells.day),
    "due_on": plain(cells.day),
    "amount": money(signed=True),  # a red-letter invoice (红字发票) takes back
    "tax": money(signed=True),
    "currency": plain(import_cells.currency),
    "status": choice(STATUSES, "status_unknown"),
    "disputed_since": plain(cells.day),
    "note": limited(500, cells.text),
}


class InvoiceImport(WithMoney):
    name = "invoices"
    columns: tuple[Column, ...] = INVOICE_COLUMNS
    parsers = INVOICE_PARSERS
    options: tuple[Option, ...] = (CURRENCY_OPTION, HISTORY_OPTION)
    needed: tuple[frozenset[str], ...] = tuple(
        frozenset({name}) for name in ("customer", "number", "issued_on", "amount")
    )

    def amounts(self, row: Planned) -> Iterable[tuple[str, str, int | None]]:
        return amounts_of(row, "amount")

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        book, base = Book.load(context.actor), current().base_currency
        for row in planned:
            _check_invoice(row, book, context, base)
        refuse_repeated(
            planned, lambda row: row.values["number"], code="number_repeated", field="number"
        )
        rows = [row for row in good(planned) if "repeats_row" not in row.facts]
        find_contracts(rows)
        numbers = [row.values["number"] for row in rows]
        present = {row.number: row for row in by_values(Invoice.objects, "number", numbers)}
        for row in good(rows):
            _plan_invoice(row, present.get(row.values["number"]))

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        new = [
            Invoice(
                number=row.values["number"],
                customer_id=row.values["_customer"],
                known_at=known_at(context, row.values["issued_on"]),
                **row.values["_columns"],
            )
            for row in planned
            if row.outcome == CREATED
        ]
        Invoice.objects.bulk_create(new, batch_size=BATCH)
        changed = {row.target or 0: row for row in planned if row.outcome == CHANGED}
        told = []
        rows = list(Invoice.objects.select_for_update().filter(pk__in=changed).order_by("pk"))
        for invoice in rows:
            plan = changed[invoice.pk]
            for name, value in plan.values["_columns"].items():
                setattr(invoice, name, value)
            invoice.save()
            told.append((invoice, plan.told))
        made = [(invoice, {"amount_minor": [None, invoice.amount_minor]}) for invoice in new]
        keep_record(context, "invoice", made=made, changed=told)
        tell(context, "contract.changed", (row.customer_id for row in [*new, *rows]))

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""


def _check_invoice(row: Planned, book: Book, context: Context, base: str) -> None:
    values = row.values
    row.label = values.get("number", "")
    values["_currency"] = currency_of(row, context, "amount", "tax", default=base)
    needed_values(
        row,
        {
            "customer": "customer_missing",
            "number": "number_missing",
            "issued_on": "day_missing",
            "amount": "amount_missing",
        },
    )
    if "customer" in values:
        values["_customer"] = book.find(row, "customer")
    if row.outcome == ERROR:
        return
    values["_minor"] = amount = minor_of(row, "amount", values["_currency"])
    values["_tax"] = minor_of(row, "tax", values["_currency"]) if "tax" in values else None
    if not amount:
        row.refuse("amount_zero", "amount")
    if not _fits(values["_tax"], amount):
        row.refuse("tax_above_amount", "tax")
    if values["issued_on"] > day_of(context.now):
        row.refuse("in_future", "issued_on")
    if (due := values.get("due_on")) and due < values["issued_on"]:
        row.flag("due_before_issue", "due_on")


def _fits(tax: int | None, amount: int) -> bool:
    """Tax is a part of its amount, and of its sign."""
    return not tax or (abs(tax) <= abs(amount) and (tax < 0) == (amount < 0))


def find_contracts(rows: Sequence[Planned]) -> None:
    """Contracts by their number, of the customer of the row."""
    numbers = [row.values.get("contract") for row in rows]
    present = {row.number: row for row in by_values(Contract.objects, "number", numbers)}
    for row in rows:
        if "contract" not in row.values:
            continue
        contract = present.get(row.values["contract"])
        if contract is None or contract.customer_id != row.values["_customer"]:
            row.refuse("contract_unknown", "contract")
        else:
            row.values["_contract"] = contract


def _plan_invoice(row: Planned, present: Invoice | None) -> None:
    values = row.values
    if present is not None and present.customer_id != values["_customer"]:
        row.refuse("number_of_other", "number")
        return
    columns: dict[str, Any] = {
        "issued_on": values["issued_on"],
        "amount_minor": values["_minor"],
        "currency": values["_currency"],
    }
    if values["_tax"] is not None:
        columns["tax_minor"] = values["_tax"]
    if "_contract" in values:
        columns["contract"] = values["_contract"]
    if "status" in values:
        columns["status"] = InvoiceStatus(values["status"])
    columns |= {
        name: values[name] for name in ("due_on", "disputed_since", "note") if name in values
    }
    values["_columns"] = columns
    row.told = differences(present, columns)
    row.target = present.pk if present else None
    row.outcome = CREATED if present is None else CHANGED if row.told else SAME


register(InvoiceImport())
