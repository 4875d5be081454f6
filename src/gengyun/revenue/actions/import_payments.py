"""Import of payments (回款). Append-only: found by number, else by as many of the same content."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from gengyun.customers.actions.import_kinds import (
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
    currency_of,
    good,
    keep_record,
    known_at,
    match_counted,
    minor_of,
    money,
    needed_values,
    refuse_repeated,
    tell,
)
from gengyun.revenue.calc import import_cells
from gengyun.revenue.calc.import_columns import PAYMENT_COLUMNS
from gengyun.revenue.models import Invoice, Payment
from gengyun.revenue.queries.settings import current

PAYMENT_PARSERS: Mapping[str, Parser] = {
    "customer": plain(cells.text),
    "number": limited(80, cells.text),
    "invoice": limited(80, cells.text),
    "received_on": plain(cells.day),
    "amount": money(signed=True),
    "refund": money(signed=True),
    "currency": plain(import_cells.currency),
    "note": limited(500, cells.text),
}


class PaymentImport(WithMoney):
    name = "payments"
    columns: tuple[Column, ...] = PAYMENT_COLUMNS
    parsers = PAYMENT_PARSERS
    options: tuple[Option, ...] = (CURRENCY_OPTION, HISTORY_OPTION)
    needed: tuple[frozenset[str], ...] = (
        frozenset({"customer"}),
        frozenset({"received_on"}),
        frozenset({"amount", "refund"}),
    )

    def amounts(self, row: Planned) -> Iterable[tuple[str, str, int | None]]:
        return [*amounts_of(row, "amount"), *amounts_of(row, "refund")]

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        book, base = Book.load(context.actor), current().base_currency
        for row in planned:
            _check_payment(row, book, context)
        refuse_repeated(
            planned, lambda row: row.values.get("number"), code="number_repeated", field="number"
        )
        rows = [row for row in good(planned) if "repeats_row" not in row.facts]
        _find_invoices(rows)
        for row in good(rows):
            _settle_currency(row, context, base)
        rows = good(rows)
        _plan_numbered([row for row in rows if "number" in row.values])
        _plan_unnumbered([row for row in rows if "number" not in row.values])
        _flag_overpaid(good(rows))

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        new = [
            Payment(
                customer_id=row.values["_customer"],
                invoice=row.values.get("_invoice"),
                received_on=row.values["received_on"],
                amount_minor=row.values["_minor"],
                currency=row.values["_currency"],
                number=row.values.get("number", ""),
                note=row.values.get("note", ""),
                known_at=known_at(context, row.values["received_on"]),
            )
            for row in planned
        ]
        Payment.objects.bulk_create(new, batch_size=BATCH)
        told = [(payment, {"amount_minor": [None, payment.amount_minor]}) for payment in new]
        keep_record(context, "payment", made=told)
        tell(context, "contract.changed", (payment.customer_id for payment in new))

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""


def _check_payment(row: Planned, book: Book, context: Context) -> None:
    values = row.values
    row.label = values.get("number") or values.get("customer", "")
    needed_values(row, {"customer": "customer_missing", "received_on": "day_missing"})
    if "customer" in values:
        values["_customer"] = book.find(row, "customer")
    amount, refund = values.get("amount"), values.get("refund")
    if row.outcome == ERROR:
        return
    if amount is None and refund is None:
        row.refuse("amount_missing", "amount")
        return
    if amount and amount.value and refund and refund.value:
        row.refuse("refund_and_amount", "refund")
    if values["received_on"] > day_of(context.now):
        row.refuse("in_future", "received_on")


def _find_invoices(rows: Sequence[Planned]) -> None:
    numbers = [row.values.get("invoice") for row in rows]
    present = {row.number: row for row in by_values(Invoice.objects, "number", numbers)}
    for row in rows:
        if "invoice" not in row.values:
            continue
        invoice = present.get(row.values["invoice"])
        if invoice is None or invoice.customer_id != row.values["_customer"]:
            row.refuse("invoice_unknown", "invoice")
        else:
            row.values["_invoice"] = invoice


def _settle_currency(row: Planned, context: Context, base: str) -> None:
    invoice: Invoice | None = row.values.get("_invoice")
    default = invoice.currency if invoice else context.options.get("currency") or base
    code = currency_of(
        row, Context(context.actor, context.now), "amount", "refund", default=default
    )
    row.values["_currency"] = code
    if invoice is not None and code != invoice.currency:
        row.refuse("invoice_currency", "currency", currency=invoice.currency)
    paid = minor_of(row, "amount", code) if "amount" in row.values else 0
    back = minor_of(row, "refund", code) if "refund" in row.values else 0
    row.values["_minor"] = paid or -abs(back)
    if not row.values["_minor"]:
        row.refuse("amount_zero", "amount" if "amount" in row.values else "refund")


def _plan_numbered(rows: Sequence[Planned]) -> None:
    """Payments are append-only: one that is there with other values is never overwritten."""
    numbers = [row.values["number"] for row in rows]
    present = {row.number: row for row in by_values(Payment.objects, "number", numbers)}
    for row in rows:
        before = present.get(row.values["number"])
        if before is None:
            row.outcome = CREATED
        elif before.customer_id != row.values["_customer"]:
            row.refuse("number_of_other", "number")
        elif _content(row) == _content_of(before):
            row.outcome = SAME
        else:
            row.refuse("payment_differs", "number")
        _tell_payment(row)


def _plan_unnumbered(rows: Sequence[Planned]) -> None:
    """As many of the same customer, day, amount and invoice as are there already are the same."""
    if not rows:
        return
    customers = {row.values["_customer"] for row in rows}
    present = Counter(
        (payment.customer_id, *_content_of(payment))
        for payment in by_values(Payment.objects.filter(number=""), "customer_id", customers)
    )
    match_counted(rows, lambda row: (row.values["_customer"], *_content(row)), present)
    for row in rows:
        _tell_payment(row)


def _content(row: Planned) -> tuple[date, int, str, int | None]:
    values, invoice = row.values, row.values.get("_invoice")
    paid = invoice.pk if invoice else None
    return values["received_on"], values["_minor"], values["_currency"], paid


def _content_of(payment: Payment) -> tuple[date, int, str, int | None]:
    return payment.received_on, payment.amount_minor, payment.currency, payment.invoice_id


def _tell_payment(row: Planned) -> None:
    if row.outcome == CREATED:
        row.told = {
            "received_on": [None, row.values["received_on"].isoformat()],
            "amount_minor": [None, row.values["_minor"]],
            "currency": [None, row.values["_currency"]],
        }


def _flag_overpaid(rows: Sequence[Planned]) -> None:
    """In the order of the file, on top of what is paid already."""
    invoices = {row.values["_invoice"].pk for row in rows if "_invoice" in row.values}
    paid: Counter[int] = Counter()
    for payment in by_values(Payment.objects, "invoice_id", invoices):
        paid[payment.invoice_id] += payment.amount_minor
    for row in rows:
        invoice = row.values.get("_invoice")
        if invoice is None or row.outcome != CREATED:
            continue
        paid[invoice.pk] += row.values["_minor"]
        if row.values["_minor"] > 0 and paid[invoice.pk] > invoice.amount_minor:
            row.flag("paid_above_invoice", "amount")


register(PaymentImport())
