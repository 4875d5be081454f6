"""A customer's contracts with their lines, what they are worth today, and what was invoiced."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Prefetch, Sum

from gengyun.kernel.errors import NotFound
from gengyun.revenue.calc.receivables import Owed, spread
from gengyun.revenue.models import Contract, Invoice, InvoiceStatus, Line, Movement, Payment
from gengyun.team.models import User


@dataclass(frozen=True)
class LineState:
    """A line as it stands on a day. `arr_minor`: in force, 0 before, after and while paused."""

    line: Line
    arr_minor: int
    later_minor: int  # when everything scheduled has happened
    paused_minor: int
    state: str  # coming, running, paused, over, voided, once

    @property
    def is_open(self) -> bool:
        return self.state in {"coming", "running", "paused"}


@dataclass(frozen=True)
class ContractState:
    contract: Contract
    lines: list[LineState]
    arr_minor: int
    value_minor: int  # TCV: everything signed, with tax; of an open-ended line one interval
    state: str  # coming, running, over


@dataclass(frozen=True)
class InvoiceState:
    invoice: Invoice
    paid_minor: int
    unpaid_minor: int
    days_late: int  # 0: not late
    state: str  # void, disputed, paid, overdue, open


@dataclass(frozen=True)
class Cash:
    invoices: list[InvoiceState]
    payments: list[Payment]
    overdue: dict[str, int] = field(default_factory=dict)  # currency -> minor unit
    days_late: int = 0


def contract_states(actor: User | None, customer_id: int, *, today: date) -> list[ContractState]:
    """Newest first; voided lines are left out where nothing hangs on them."""
    lines = Line.objects.select_related("product", "edition", "previous", "created_by")
    contracts = list(
        Contract.objects.visible_to(actor)
        .filter(customer_id=customer_id)
        .prefetch_related(Prefetch("lines", queryset=lines.order_by("starts_on", "pk")))
        .order_by("-starts_on", "-pk")
    )
    sums = _sums(customer_id, today)
    return [_contract_state(contract, sums, today) for contract in contracts]


def line_state(actor: User | None, pk: int, *, today: date) -> LineState:
    lines = Line.objects.visible_to(actor).select_related(
        "contract", "customer", "product", "edition"
    )
    line = lines.filter(pk=pk).first()
    if line is None:
        raise NotFound
    return _line_state(line, _sums(line.customer_id, today), today)


def _contract_state(
    contract: Contract, sums: dict[int, tuple[int, int, int]], today: date
) -> ContractState:
    states = [_line_state(line, sums, today) for line in contract.lines.all()]
    arr = sum(state.arr_minor for state in states)
    value = sum(state.line.amount_minor for state in states if state.state != "voided")
    last = contract.ended_on or contract.ends_on
    if contract.starts_on > today:
        state = "coming"
    else:
        state = "over" if last is not None and last < today and not arr else "running"
    return ContractState(contract, states, arr, value, state)


def _sums(customer_id: int, today: date) -> dict[int, tuple[int, int, int]]:
    """line -> (in force today, at last, taken out by a pause that holds)"""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    rows = Movement.objects.filter(customer_id=customer_id, line__isnull=False).order_by()
    for line_id, on, kind, minor in rows.values_list(
        "line_id", "effective_on", "kind", "arr_minor"
    ):
        found[line_id][1] += minor
        if on <= today:
            found[line_id][0] += minor
            if kind in {"pause", "resume"}:
                found[line_id][2] -= minor
    return {line: (now, last, paused) for line, (now, last, paused) in found.items()}


def _line_state(line: Line, sums: dict[int, tuple[int, int, int]], today: date) -> LineState:
    now, last, paused = sums.get(line.pk, (0, 0, 0))
    if line.voided_at is not None:
        state = "voided"
    elif paused > 0 and now == 0:
        state = "paused"
    elif now:
        state = "running"
    elif line.starts_on > today:
        state = "coming"
    elif line.ends_on is None or line.ends_on >= today:
        state = "once" if line.arr_minor == 0 else "over"
    else:
        state = "over"
    return LineState(line, now, last, paused, state)


def movements_count(actor: User | None, customer_id: int) -> int:
    return Movement.objects.visible_to(actor).filter(customer_id=customer_id).count()


def cash_of(actor: User | None, customer_id: int, *, today: date) -> Cash:
    """Invoices with what is paid of each. Money that names no invoice pays the oldest due first."""
    invoices = list(
        Invoice.objects.visible_to(actor)
        .filter(customer_id=customer_id)
        .select_related("contract")
        .order_by("-issued_on", "-pk")
    )
    payments = list(
        Payment.objects.visible_to(actor)
        .filter(customer_id=customer_id)
        .select_related("invoice")
        .order_by("-received_on", "-pk")
    )
    paid: dict[int, int] = defaultdict(int)
    free: dict[tuple[int, str], int] = defaultdict(int)
    for payment in payments:
        if payment.amount_minor <= 0:
            continue  # a refund gives money back; it makes no invoice owed again
        if payment.invoice_id is not None:
            paid[payment.invoice_id] += payment.amount_minor
        else:
            free[customer_id, payment.currency] += payment.amount_minor
    left = {row.invoice_id: row.unpaid_minor for row in _left(invoices, paid, free)}
    states = [_invoice_state(invoice, left.get(invoice.pk, 0), today) for invoice in invoices]
    overdue: dict[str, int] = defaultdict(int)
    for state in states:
        if state.state == "overdue":
            overdue[state.invoice.currency] += state.unpaid_minor
    worst = max((s.days_late for s in states if s.state == "overdue"), default=0)
    return Cash(states, payments, dict(overdue), worst)


def _left(
    invoices: list[Invoice], paid: dict[int, int], free: dict[tuple[int, str], int]
) -> list[Owed]:
    owed = [
        Owed(
            invoice.pk,
            invoice.customer_id,
            invoice.number,
            invoice.due_on or date.max,
            invoice.amount_minor - paid[invoice.pk],
            invoice.currency,
        )
        for invoice in invoices
        if invoice.status == InvoiceStatus.OPEN and invoice.amount_minor > paid[invoice.pk]
    ]
    return spread(owed, free)


def _invoice_state(invoice: Invoice, unpaid: int, today: date) -> InvoiceState:
    late = (today - invoice.due_on).days if invoice.due_on else 0
    if invoice.status == InvoiceStatus.VOID:
        return InvoiceState(invoice, 0, 0, 0, "void")
    paid = invoice.amount_minor - unpaid
    if not unpaid:
        return InvoiceState(invoice, paid, 0, 0, "paid")
    if invoice.disputed_since is not None and invoice.disputed_since <= today:
        return InvoiceState(invoice, paid, unpaid, max(late, 0), "disputed")
    if late > 0:
        return InvoiceState(invoice, paid, unpaid, late, "overdue")
    return InvoiceState(invoice, paid, unpaid, 0, "open")


def get_invoice(actor: User | None, pk: int) -> Invoice:
    found = (
        Invoice.objects.visible_to(actor)
        .select_related("customer", "contract")
        .annotate(paid_minor=Sum("payments__amount_minor"))
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise NotFound
    return found
