"""Contracts: written down, changed where they may change, their numbers."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from gengyun.customers.actions.scope import mine
from gengyun.customers.models import Customer
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound
from gengyun.kernel.outbox import emit
from gengyun.revenue.actions.refusals import KnownLater, refuse
from gengyun.revenue.calc.rules import Fault, check_contract
from gengyun.revenue.models import Contract, ContractKind
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

FEW = 2_000
EDITABLE = frozenset(
    {
        "name",
        "number",
        "signed_on",
        "auto_renew",
        "notice_days",
        "billing_interval_months",
        "is_prepaid",
        "note",
        "external_id",
    }
)


@transaction.atomic
def create_contract(
    *,
    actor: User | None,
    now: datetime,
    customer: Customer,
    starts_on: date,
    ends_on: date | None = None,
    number: str = "",
    name: str = "",
    kind: str = ContractKind.FIXED,
    signed_on: date | None = None,
    auto_renew: bool = False,
    notice_days: int | None = None,
    currency: str = "CNY",
    billing_interval_months: int | None = None,
    is_prepaid: bool = True,
    previous: Contract | None = None,
    note: str = "",
    source: str = "",
    external_id: str = "",
    known_at: datetime | None = None,
) -> Contract:
    """A contract without lines; `append_line` gives it some. Without a number it gets the next."""
    require(actor, "contract.edit")
    row = mine(actor, customer)
    if known_at is not None and known_at > now:
        raise KnownLater
    currency = currency.strip().upper()
    refuse(check_contract(kind=kind, currency=currency, starts_on=starts_on, ends_on=ends_on))
    number = number.strip()[:80] or next_number(signed_on or day_of(now))
    if Contract.objects.filter(number=number).exists():
        refuse([Fault("number_taken", {"number": number})])
    contract = Contract.objects.create(
        customer=row,
        number=number,
        name=name.strip()[:200],
        kind=kind,
        signed_on=signed_on,
        starts_on=starts_on,
        ends_on=ends_on,
        auto_renew=auto_renew,
        notice_days=notice_days,
        currency=currency,
        billing_interval_months=billing_interval_months,
        is_prepaid=is_prepaid,
        previous=previous,
        note=note.strip()[:1000],
        source=source,
        external_id=external_id,
        known_at=known_at or now,
        created_by=actor,
        created_at=now,
    )
    told = {
        "customer": [None, row.name],
        "starts_on": [None, starts_on],
        "ends_on": [None, ends_on],
    }
    record(actor=actor, now=now, action="contract.create", obj=contract, changes=told)
    emit("contract.changed", {"customer_ids": [row.pk]}, now=now)
    return contract


@transaction.atomic
def edit_contract(
    *, actor: User | None, now: datetime, contract: Contract, changes: Mapping[str, Any]
) -> Contract:
    """What says nothing about ARR: number, name, signature, notice, billing. Days and amounts are
    changed by the verbs of lines."""
    require(actor, "contract.edit")
    row = fresh(actor, contract)
    told: dict[str, list[Any]] = {}
    for name, value in changes.items():
        if name not in EDITABLE:
            raise KeyError(name)
        if getattr(row, name) != value:
            told[name] = [getattr(row, name), value]
            setattr(row, name, value)
    if not told:
        return row
    try:
        with transaction.atomic():
            row.save(update_fields=list(told))
    except IntegrityError:
        refuse([Fault("number_taken", {"number": row.number})])
    record(actor=actor, now=now, action="contract.edit", obj=row, changes=told)
    emit("contract.changed", {"customer_ids": [row.customer_id]}, now=now)
    return row


def fresh(actor: User | None, contract: Contract) -> Contract:
    """The row as it is now, locked; not found for who does not see its customer."""
    return all_fresh(actor, [contract])[contract.pk]


def all_fresh(actor: User | None, contracts: Iterable[Contract]) -> dict[int, Contract]:
    """Many at once, with their customers; one that the actor does not see refuses them all."""
    ids = sorted({contract.pk for contract in contracts})
    found: dict[int, Contract] = {}
    for start in range(0, len(ids), FEW):
        rows = Contract.objects.visible_to(actor).select_for_update(of=("self",))
        part = rows.select_related("customer").filter(pk__in=ids[start : start + FEW])
        found.update((row.pk, row) for row in part)
    if len(found) != len(ids):
        raise NotFound
    return found


def next_number(day: date) -> str:
    """HT-2026-0001, counted within the year."""
    head = f"HT-{day.year}-"
    taken = Contract.objects.filter(number__startswith=head).values_list("number", flat=True)
    counted = [int(tail) for number in taken if (tail := number.removeprefix(head)).isdigit()]
    return f"{head}{max(counted, default=0) + 1:04d}"
