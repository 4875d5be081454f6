"""Invoices and payments written by hand. Neither changes ARR."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from gengyun.customers.actions.scope import mine
from gengyun.customers.models import Customer
from gengyun.kernel.currencies import is_known
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.outbox import emit
from gengyun.revenue.actions.refusals import KnownLater, refuse
from gengyun.revenue.calc.rules import Fault
from gengyun.revenue.models import Contract, Invoice, InvoiceStatus, Payment
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require


class InvoiceNumberTaken(Refusal):
    code = "invoice_number_taken"
    status = 409
    message = "There is already an invoice with the number %(number)s."


class PaymentNumberTaken(Refusal):
    code = "payment_number_taken"
    status = 409
    message = "There is already a payment with the number %(number)s."


class NumberMissing(Refusal):
    code = "number_missing"
    message = "An invoice needs a number."


class AmountZero(Refusal):
    code = "amount_zero"
    message = "An amount of 0 is no payment."


class DueBeforeIssued(Refusal):
    code = "due_before_issued"
    message = "It is due on %(due)s, before it was issued on %(issued)s."


class TaxLargerThanAmount(Refusal):
    code = "tax_larger_than_amount"
    message = "The tax is larger than the amount."


class OfAnotherCustomer(Refusal):
    code = "of_another_customer"
    message = "This belongs to another customer."


class CurrencyOfInvoice(Refusal):
    code = "currency_of_invoice"
    message = "The invoice is in %(expected)s, the payment in %(currency)s."


class InvoiceVoid(Refusal):
    code = "invoice_void"
    status = 409
    message = "This invoice is void."


@transaction.atomic
def create_invoice(
    *,
    actor: User | None,
    now: datetime,
    customer: Customer,
    number: str,
    issued_on: date,
    amount_minor: int,
    due_on: date | None = None,
    tax_minor: int | None = None,
    currency: str = "CNY",
    contract: Contract | None = None,
    note: str = "",
    external_id: str = "",
    known_at: datetime | None = None,
) -> Invoice:
    """`amount_minor` with tax; below zero it takes an invoice back (红字发票)."""
    require(actor, "contract.edit")
    row = mine(actor, customer)
    number, currency = number.strip()[:80], _currency(currency)
    if not number:
        raise NumberMissing
    if Invoice.objects.filter(number=number).exists():
        raise InvoiceNumberTaken(number=number)
    if contract is not None and contract.customer_id != row.pk:
        raise OfAnotherCustomer
    if due_on is not None and due_on < issued_on:
        raise DueBeforeIssued(due=due_on.isoformat(), issued=issued_on.isoformat())
    if tax_minor is not None and abs(tax_minor) > abs(amount_minor):
        raise TaxLargerThanAmount
    invoice = Invoice.objects.create(
        customer=row,
        contract=contract,
        number=number,
        issued_on=issued_on,
        due_on=due_on,
        amount_minor=amount_minor,
        tax_minor=tax_minor,
        currency=currency,
        note=note.strip()[:500],
        external_id=external_id,
        known_at=_known(known_at, now),
    )
    told = {"amount_minor": [None, amount_minor], "due_on": [None, due_on]}
    _tell(actor, now, "invoice.create", invoice, told)
    return invoice


@transaction.atomic
def record_payment(
    *,
    actor: User | None,
    now: datetime,
    customer: Customer,
    received_on: date,
    amount_minor: int,
    currency: str = "CNY",
    invoice: Invoice | None = None,
    number: str = "",
    note: str = "",
    external_id: str = "",
    known_at: datetime | None = None,
) -> Payment:
    """Money that came; a refund or a slip is a payment below zero. Without an invoice it counts for
    the customer's oldest."""
    require(actor, "contract.edit")
    row = mine(actor, customer)
    currency, number = _currency(currency), number.strip()[:80]
    if not amount_minor:
        raise AmountZero
    if number and Payment.objects.filter(number=number).exists():
        raise PaymentNumberTaken(number=number)
    if invoice is not None:
        _check_invoice(invoice, row, currency)
    payment = Payment.objects.create(
        customer=row,
        invoice=invoice,
        received_on=received_on,
        amount_minor=amount_minor,
        currency=currency,
        number=number,
        note=note.strip()[:500],
        external_id=external_id,
        known_at=_known(known_at, now),
    )
    _tell(actor, now, "payment.record", payment, {"amount_minor": [None, amount_minor]})
    return payment


def _check_invoice(invoice: Invoice, customer: Customer, currency: str) -> None:
    if invoice.customer_id != customer.pk:
        raise OfAnotherCustomer
    if invoice.status == InvoiceStatus.VOID:
        raise InvoiceVoid
    if invoice.currency != currency:
        raise CurrencyOfInvoice(expected=invoice.currency, currency=currency)


@transaction.atomic
def void_invoice(*, actor: User | None, now: datetime, invoice: Invoice, why: str = "") -> Invoice:
    """It never stood. Payments for it stay and count for the customer."""
    return _set(actor, now, "invoice.void", invoice, {"status": InvoiceStatus.VOID.value}, why=why)


@transaction.atomic
def restore_invoice(*, actor: User | None, now: datetime, invoice: Invoice) -> Invoice:
    return _set(actor, now, "invoice.restore", invoice, {"status": InvoiceStatus.OPEN.value})


@transaction.atomic
def dispute_invoice(
    *, actor: User | None, now: datetime, invoice: Invoice, since: date | None, why: str = ""
) -> Invoice:
    """The customer argues about it from a day on; `None`: that is settled."""
    return _set(actor, now, "invoice.dispute", invoice, {"disputed_since": since}, why=why)


def _set(
    actor: User | None,
    now: datetime,
    action: str,
    invoice: Invoice,
    values: Mapping[str, Any],
    *,
    why: str = "",
) -> Invoice:
    require(actor, "contract.edit")
    visible = Invoice.objects.visible_to(actor).select_for_update(of=("self",))
    row: Invoice | None = visible.filter(pk=invoice.pk).first()
    if row is None:
        raise NotFound
    told: dict[str, Any] = {}
    for name, value in values.items():
        if getattr(row, name) != value:
            told[name] = [getattr(row, name), value]
            setattr(row, name, value)
    if told:
        row.save(update_fields=list(values))
        _tell(actor, now, action, row, told | ({"why": [None, why]} if why else {}))
    return row


def _tell(
    actor: User | None,
    now: datetime,
    action: str,
    row: Invoice | Payment,
    told: Mapping[str, Any],
) -> None:
    record(actor=actor, now=now, action=action, obj=row, changes=told)
    emit("contract.changed", {"customer_ids": [row.customer_id]}, now=now)


def _currency(code: str) -> str:
    code = code.strip().upper()
    if not is_known(code):
        refuse([Fault("currency_unknown", {"currency": code})])
    return code


def _known(known_at: datetime | None, now: datetime) -> datetime:
    if known_at is not None and known_at > now:
        raise KnownLater
    return known_at or now
