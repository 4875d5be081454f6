"""What lies behind a figure: customers, their movements, the contracts. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.kernel.currencies import DECIMALS
from gengyun.revenue.calc.moves import day_of_number
from gengyun.web.present.format import MINUS
from gengyun.web.present.insight import KIND_NAMES, amount, signed
from gengyun.web.words import pick

PER_PAGE = 50
SHOWN_LINES = 8  # movements of one customer that are shown; the others are in its ledger


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
    """The contract itself, opened among those of its customer."""
    page = reverse("web:customer_contracts", args=[customer_id])
    return f"{page}?contract={contract_id}#contract-{contract_id}"


def telling(movements: Sequence[Any]) -> Sequence[Any]:
    """Those that moved something over all of the customer's lines; the last one where none did, so
    that there is a way to its contract."""
    found = [one for one in movements if one.arr_minor and one.kind != "transfer"]
    return found or movements[-1:]


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
        moved = telling(movements.get(pk, ()))
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


def title(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def window_name(window: tuple[int, int]) -> str:
    """The day before the first movement that counts, and the last day."""
    opened, closed = (day_of_number(day).isoformat() for day in window)
    return _("%(from)s to %(to)s") % {"from": opened, "to": closed}


def _moved_part(
    customer: Any,
    amounts: list[str],
    movements: Sequence[Any],
    in_base: Mapping[int, int],
    ledger_query: str,
) -> Part:
    """A customer whose last amount is its change, which the movements below add up to."""
    moved = telling(movements)
    blanks = len(amounts) - 1
    return Part(
        name=customer.name,
        href=ledger_href(customer.pk, ledger_query),
        amounts=amounts,
        lines=[line_of(one, in_base[one.pk], blanks=blanks) for one in moved[:SHOWN_LINES]],
        more=max(0, len(moved) - SHOWN_LINES),
    )


def kept_parts(
    found: Any,
    part: slice,
    customers: Mapping[int, Any],
    movements: Mapping[int, Sequence[Any]],
    in_base: Mapping[int, int],
    *,
    ledger_query: str,
) -> list[Part]:
    """ARR at the start, kept and at the end of each customer; below, what moved it."""
    shown = []
    columns = (found.customers, found.start, found.kept, found.end)
    for pk, start, kept, end in zip(*(one[part].tolist() for one in columns), strict=True):
        if pk not in customers:
            continue
        amounts = [amount(start), amount(kept), amount(end), signed(end - start)]
        moved = movements.get(pk, ())
        shown.append(_moved_part(customers[pk], amounts, moved, in_base, ledger_query))
    return shown


def kept_totals(found: Any) -> list[str]:
    start, kept, end = (int(one.sum()) for one in (found.start, found.kept, found.end))
    return [amount(start), amount(kept), amount(end), signed(end - start)]


def due_parts(
    held: Any,
    places: Sequence[int],
    customers: Mapping[int, Any],
    renewals: Mapping[tuple[int, str, Any], Any],
    ledger_query: str,
) -> list[Part]:
    """One part per renewal; below, the contracts that came due and the one that follows."""
    shown = []
    for at in places:
        pk, due_on = int(held.customer[at]), day_of_number(int(held.rows.due_on[at]))
        if pk not in customers:
            continue
        renewal = renewals.get((pk, held.group[at], due_on))
        shown.append(
            Part(
                name=customers[pk].name,
                href=ledger_href(pk, ledger_query),
                amounts=[amount(int(held.rows.due[at])), amount(int(held.rows.renewed[at]))],
                lines=_contracts_of(renewal, pk) if renewal else [],
                note=_("due on %(day)s") % {"day": due_on.isoformat()},
            )
        )
    return shown


def _contracts_of(renewal: Any, customer_id: int) -> list[Line]:
    found = [
        _contract_line(line.contract, line.ends_on, _("came due"), customer_id)
        for line in renewal.lines.all()
    ]
    if renewal.successor is not None:
        after = renewal.successor
        found.append(_contract_line(after.contract, after.starts_on, _("renewed by"), customer_id))
    return found


def _contract_line(contract: Any, on: Any, what: str, customer_id: int) -> Line:
    return Line(
        on=on,
        what=what,
        amounts=["", ""],
        contract=contract.number,
        contract_href=contract_href(customer_id, contract.pk),
    )


def due_totals(held: Any, places: Any) -> list[str]:
    return [amount(int(column[places].sum())) for column in (held.rows.due, held.rows.renewed)]


def cohort_parts(
    members: Any,
    part: slice,
    customers: Mapping[int, Any],
    movements: Mapping[int, Sequence[Any]],
    in_base: Mapping[int, int],
    *,
    ledger_query: str,
) -> list[Part]:
    shown = []
    columns = (members.customers, members.start, members.end)
    for pk, start, end in zip(*(one[part].tolist() for one in columns), strict=True):
        if pk not in customers:
            continue
        amounts = [amount(start), amount(end), signed(end - start)]
        moved = movements.get(pk, ())
        shown.append(_moved_part(customers[pk], amounts, moved, in_base, ledger_query))
    return shown


def cohort_totals(members: Any) -> list[str]:
    start, end = int(members.start.sum()), int(members.end.sum())
    return [amount(start), amount(end), signed(end - start)]
