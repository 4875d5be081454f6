"""Taking back what was just written into contracts: lines are voided, payments reversed."""

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound
from gengyun.revenue.actions import billing
from gengyun.revenue.actions.corrections import void_line
from gengyun.revenue.models import Payment
from gengyun.revenue.queries import contracts as queries
from gengyun.revenue.queries import ledger

WHY = "taken back"  # kept in the books, so it is the same in every language


@transaction.atomic
def _lines(actor, now, payload):
    """payload: ids of the lines in the order they were written."""
    for pk in reversed(payload):
        void_line(actor=actor, now=now, line=ledger.get_line(actor, pk), why=WHY)


def _invoice(actor, now, payload):
    row = queries.get_invoice(actor, payload)
    billing.void_invoice(actor=actor, now=now, invoice=row, why=WHY)


def _invoice_void(actor, now, payload):
    billing.restore_invoice(actor=actor, now=now, invoice=queries.get_invoice(actor, payload))


def _invoice_dispute(actor, now, payload):
    """payload: [invoice, ISO day or null]"""
    pk, since = payload
    billing.dispute_invoice(
        actor=actor,
        now=now,
        invoice=queries.get_invoice(actor, pk),
        since=date.fromisoformat(since) if since else None,
    )


def _payment(actor, now, payload):
    """Payments are append-only: the opposite one is written down."""
    rows = Payment.objects.visible_to(actor).select_related("customer", "invoice")
    row = rows.filter(pk=payload).first()
    if row is None:
        raise NotFound(_("This can no longer be taken back."))
    billing.record_payment(
        actor=actor,
        now=now,
        customer=row.customer,
        invoice=row.invoice,
        received_on=day_of(now),
        amount_minor=-row.amount_minor,
        currency=row.currency,
        note=WHY,
    )


VERBS = {
    "lines": _lines,
    "invoice": _invoice,
    "invoice_void": _invoice_void,
    "invoice_dispute": _invoice_dispute,
    "payment": _payment,
}
