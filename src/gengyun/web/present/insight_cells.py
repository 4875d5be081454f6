"""What lies behind a figure: customers, their movements, the contracts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.revenue.calc.currencies import DECIMALS
from gengyun.web.present.format import MINUS
from gengyun.web.present.insight import KIND_NAMES, amount, signed
from gengyun.web.words import pick

PER_PAGE = 50
SHOWN_LINES = 12  # movements of one customer that are shown; the others are in its ledger


@dataclass(frozen=True)
class Line:
    on: Any
    what: str
    amounts: Sequence[str]
    contract: str = ""
    contract_href: str = ""
    note: str = ""
    known: str = ""


@dataclass(frozen=True)
class Part:
    """A customer's share of a figure."""

    name: str
    href: str
    amounts: Sequence[str]
    lines: Sequence[Line] = ()
    more: int = 0
    note: str = ""


@dataclass
class CellPage:
    title: str
    lead: str
    back: str
    unit: str = ""
    definition: str = ""
    columns: Sequence[str] = ()
    parts: list[Part] = field(default_factory=list)
    totals: Sequence[str] = ()
    count: int = 0
    page: int = 1
    pages: int = 1
    at: str = ""


def contract_href(customer_id: int, contract_id: int) -> str:
    return f"{reverse('web:customer', args=[customer_id])}#contract-{contract_id}"


def line_of(movement: Any, in_base: int, *, blanks: int = 0) -> Line:
    """`blanks`: columns of the table that say nothing of a single movement."""
    contract = movement.contract
    return Line(
        on=movement.effective_on,
        what=str(KIND_NAMES[movement.kind]),
        amounts=[*[""] * blanks, signed(in_base)],
        contract=contract.number if contract else "",
        contract_href=contract_href(movement.customer_id, contract.pk) if contract else "",
        note=movement.note,
    )


def parts(
    amounts: Iterable[tuple[int, int]],
    customers: Mapping[int, Any],
    movements: Mapping[int, Sequence[Any]],
    in_base: Mapping[int, int],
    *,
    ledger_query: str,
    is_level: bool,
) -> list[Part]:
    """`amounts`: (customer id, amount); `in_base`: amount of each movement. `is_level`: ARR on a
    day rather than a change."""
    found = []
    for pk, value in amounts:
        customer = customers.get(pk)
        if customer is None:
            continue
        moved = movements.get(pk, ())
        found.append(
            Part(
                name=customer.name,
                href=ledger_href(pk, ledger_query),
                amounts=[amount(value) if is_level else signed(value)],
                lines=[line_of(one, in_base[one.pk]) for one in moved[:SHOWN_LINES]],
                more=max(0, len(moved) - SHOWN_LINES),
            )
        )
    return found


def ledger_href(pk: int, query: str) -> str:
    return reverse("web:insight_ledger", args=[pk]) + (f"?{query}" if query else "")


def lead(total: str, count: int) -> str:
    return _("%(total)s from %(count)s customers; their parts add up to the figure.") % {
        "total": total,
        "count": count,
    }


@dataclass(frozen=True)
class LedgerRow:
    on: Any
    what: str
    note: str
    contract: str
    contract_href: str
    product: str
    amount: str
    balance: str
    known_at: Any
    who: str


def ledger_rows(movements: Sequence[Any]) -> list[LedgerRow]:
    """With the balance after each, by currency; exact amounts, to be added up by hand."""
    balance: dict[str, int] = {}
    found = []
    for one in movements:
        balance[one.currency] = balance.get(one.currency, 0) + one.arr_minor
        contract = one.contract
        found.append(
            LedgerRow(
                on=one.effective_on,
                what=str(KIND_NAMES[one.kind]),
                note=one.note,
                contract=contract.number if contract else "",
                contract_href=contract_href(one.customer_id, contract.pk) if contract else "",
                product=pick(one.product) if one.product else "",
                amount=exact(one.arr_minor, one.currency, is_signed=True),
                balance=exact(balance[one.currency], one.currency),
                known_at=one.known_at,
                who=one.actor.name if one.actor else _("by itself"),
            )
        )
    return found


def exact(minor: int, currency: str, *, is_signed: bool = False) -> str:
    """To the minor unit: 12,345.67."""
    digits = DECIMALS.get(currency, 2)
    text = f"{abs(minor) / 10**digits:,.{digits}f}"
    sign = MINUS if minor < 0 else "+" if is_signed and minor else ""
    return f"{sign}{text}" if currency == "CNY" else f"{sign}{text} {currency}"
