"""Invoices and payments of the demo company, written in bulk with the audit rows of each."""

from datetime import datetime
from typing import Any

from gengyun.customers.models import Customer
from gengyun.demo.world.deals import TAX_BP, Deed
from gengyun.revenue.actions.billing import dispute_invoice
from gengyun.revenue.models import Contract, Invoice, Payment
from gengyun.team.models import AuditEntry

BATCH = 1_000


class Cash:
    """Collects what is invoiced and paid; `write` puts it into the books."""

    def __init__(self) -> None:
        self.contracts: dict[str, Contract] = {}
        self.invoices: dict[str, Invoice] = {}
        self._new: list[Invoice] = []
        self._paid: list[Payment] = []
        self._disputed: list[tuple[datetime, Deed]] = []

    def note(self, deed: Deed, customer: Customer, now: datetime) -> None:
        facts = deed.facts
        if deed.verb == "invoice":
            invoice = Invoice(
                customer=customer,
                contract=self.contracts[facts["contract"]],
                number=facts["number"],
                issued_on=facts["issued"],
                due_on=facts["due"],
                amount_minor=facts["fen"],
                tax_minor=facts["fen"] - facts["fen"] * 10_000 // (10_000 + TAX_BP),
                known_at=now,
            )
            self.invoices[invoice.number] = invoice
            self._new.append(invoice)
        elif deed.verb == "pay":
            payment = Payment(
                customer=customer,
                invoice=self.invoices[facts["invoice"]],
                received_on=deed.on,
                amount_minor=facts["fen"],
                number=facts["number"],
                known_at=now,
            )
            self._paid.append(payment)
        else:
            self._disputed.append((now, deed))

    def write(self) -> None:
        Invoice.objects.bulk_create(self._new, batch_size=BATCH)
        for payment in self._paid:
            payment.invoice_id = payment.invoice.pk if payment.invoice else None
        Payment.objects.bulk_create(self._paid, batch_size=BATCH)
        entries = [_entry("invoice.create", row) for row in self._new]
        entries += [_entry("payment.record", row) for row in self._paid]
        AuditEntry.objects.bulk_create(entries, batch_size=BATCH)
        for now, deed in self._disputed:
            invoice = self.invoices[deed.facts["number"]]
            dispute_invoice(actor=None, now=now, invoice=invoice, since=deed.on)
        self._new, self._paid, self._disputed = [], [], []


def _entry(action: str, row: Any) -> AuditEntry:
    return AuditEntry(
        at=row.known_at,
        action=action,
        object_type=row._meta.label_lower,  # noqa: SLF001 - Django's documented name
        object_id=str(row.pk),
        object_label=str(row),
        changes={"amount_minor": [None, row.amount_minor]},
    )
