"""Import of contracts with their lines: which contract a row means, what is there, what it makes.

The ARR of every row is worked out by the rules of the ledger, and the dry run shows which.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gengyun.customers.actions.import_kinds import (
    CHANGED,
    ERROR,
    SAME,
    Context,
    Option,
    Parser,
    Planned,
    register,
)
from gengyun.customers.actions.import_lookup import Book as Customers
from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import Column
from gengyun.revenue.actions.import_catalogue import Catalogue
from gengyun.revenue.actions.import_causes import read_causes
from gengyun.revenue.actions.import_common import (
    CURRENCY_OPTION,
    HISTORY_OPTION,
    WithMoney,
    amounts_of,
    by_values,
    good,
    known_at,
    refuse_repeated,
    shown,
)
from gengyun.revenue.actions.import_contract_rows import (
    MONEY,
    PARSERS,
    check_row,
    note_faults,
    reckon,
)
from gengyun.revenue.actions.import_contract_write import write_contracts
from gengyun.revenue.actions.import_corrections import refuse_settled
from gengyun.revenue.actions.import_held import Held, plan_line
from gengyun.revenue.calc import import_cells
from gengyun.revenue.calc.import_columns import CONTRACT_COLUMNS
from gengyun.revenue.calc.rules import Fault, check_contract
from gengyun.revenue.models import Contract, Product
from gengyun.revenue.queries.settings import arr_policy, current

# what rows of one contract must agree on, and what a later file may change of it
OF_CONTRACT = {
    "name": "name",
    "contract_kind": "kind",
    "signed_on": "signed_on",
    "auto_renew": "auto_renew",
    "notice_days": "notice_days",
    "billing": "billing_interval_months",
}


def _products() -> list[tuple[str, str]]:
    return [(row.key, row.name_zh) for row in Product.objects.filter(is_active=True)]


def _end_day(value: Any) -> str:
    if value not in {"last", "after"}:
        raise cells.BadCell("not_a_choice", choices="last, after")
    return str(value)


OPTIONS = (
    Option("product", "text", cells.text, _products),
    Option("create_products", "flag", cells.yes_or_no),
    CURRENCY_OPTION,
    Option("tax_included", "flag", cells.yes_or_no),
    Option("tax_rate", "text", import_cells.share_bp),
    Option("end_day", "choice", _end_day, lambda: [("last", "last"), ("after", "after")]),
    HISTORY_OPTION,
)


class ContractImport(WithMoney):
    name = "contracts"
    columns: tuple[Column, ...] = CONTRACT_COLUMNS
    parsers: Mapping[str, Parser] = PARSERS
    options: tuple[Option, ...] = OPTIONS
    needed: tuple[frozenset[str], ...] = tuple(
        frozenset({name}) for name in ("customer", "number", "starts_on")
    )

    def amounts(self, row: Planned) -> Iterable[tuple[str, str, int | None]]:
        """Every column of money, and the ARR that came of it."""
        for field in MONEY:
            yield from amounts_of(row, field)
        if "arr_minor" in row.facts and row.outcome != ERROR:
            yield "arr_minor", row.facts["currency"], row.facts["arr_minor"]

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        settings = current()
        customers = Customers.load(context.actor)
        catalogue = Catalogue.load(
            context.actor, create=bool(context.options.get("create_products"))
        )
        for row in planned:
            check_row(
                row,
                book=customers,
                catalogue=catalogue,
                context=context,
                base=settings.base_currency,
            )
        read_causes(planned, context)
        refuse_repeated(planned, _line_key, code="number_repeated", field="line_id")
        _plan_contracts([row for row in good(planned) if not _repeats(row)], context)
        policy = arr_policy(settings)
        rows = [row for row in good(planned) if not _repeats(row)]
        for row in rows:
            reckon(row, row.values["_contract"], policy)
        held = Held.load({row.values["_customer"] for row in rows}, rows)
        for row in self.ordered(good(rows)):
            plan_line(row, held)
        refuse_settled(good(rows), context)
        _tell_contracts(good(rows))

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        write_contracts(planned, context)

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""

    def ordered(self, planned: Sequence[Planned]) -> list[Planned]:
        """Customer by customer, as it happened: what is new, what renews, hangs on the order."""
        return sorted(
            planned,
            key=lambda row: (
                row.values.get("_customer") or 0,
                row.values["_new"].starts_on.toordinal() if "_new" in row.values else 0,
                row.row.number,
            ),
        )

    def together(self, row: Planned) -> object:
        return row.values.get("_customer") or 0


def _repeats(row: Planned) -> bool:
    return "repeats_row" in row.facts


def _line_key(row: Planned) -> tuple[str, str] | None:
    line_id = row.values.get("line_id")
    return (row.values["number"], line_id) if line_id else None


def _plan_contracts(rows: Sequence[Planned], context: Context) -> None:
    """Each row gets its contract: the one that is there, or one that is not saved yet."""
    by_number: dict[str, list[Planned]] = defaultdict(list)
    for row in rows:
        by_number[row.values["number"]].append(row)
    present = {row.number: row for row in by_values(Contract.objects, "number", by_number)}
    for number, mine in by_number.items():
        contract = present.get(number)
        first = mine[0]
        owner = contract.customer_id if contract else first.values["_customer"]
        for row in mine:
            if row.values["_customer"] != owner:
                row.refuse("number_taken", "number", number=number)
            elif differing := _differing(first, row):
                fields = ", ".join(differing)
                row.refuse("contract_differs", "number", row=first.row.number, fields=fields)
        agreed = good(mine)
        if contract is None and agreed:
            contract = _new_contract(agreed, context)
            note_contract_faults(agreed, contract)
        for row in agreed:
            row.values["_contract"] = contract
    _find_previous_contracts(good(rows), by_number)


def _differing(first: Planned, row: Planned) -> list[str]:
    """A cell that is empty says nothing."""
    both = [name for name in OF_CONTRACT if name in first.values and name in row.values]
    return [name for name in both if name != "name" and first.values[name] != row.values[name]]


def _new_contract(rows: Sequence[Planned], context: Context) -> Contract:
    """From the earliest day to the latest; open-ended if nothing says when it ends."""
    first, news = rows[0].values, [row.values["_new"] for row in rows]
    said: dict[str, Any] = {}
    for row in rows:
        for name in OF_CONTRACT:
            if name in row.values:
                said.setdefault(name, row.values[name])
    ends = [new.ends_on for new in news]
    is_open = any(new.ends_on is None and new.kind not in {"licence", "one_off"} for new in news)
    starts_on = min(new.starts_on for new in news)
    kind = said.get("contract_kind")
    if kind is None:
        only_bought = all(new.kind in {"licence", "one_off"} for new in news)
        kind = "perpetual" if only_bought and news[0].kind == "licence" else "fixed"
        kind = "open" if is_open else kind
    ended = [row.values["is_ended"] for row in rows if "is_ended" in row.values]
    last = max((day for day in ends if day is not None), default=None)
    return Contract(
        customer_id=first["_customer"],
        number=first["number"],
        name=said.get("name", ""),
        kind=kind,
        signed_on=said.get("signed_on"),
        starts_on=starts_on,
        ends_on=None if kind == "open" else last,
        auto_renew=said.get("auto_renew", False),
        notice_days=said.get("notice_days"),
        currency=first["_currency"],
        billing_interval_months=said.get("billing") or None,
        is_prepaid=True,
        ended_on=last if ended and all(ended) and len(ended) == len(rows) else None,
        source="import",
        external_id=first["number"],
        known_at=known_at(context, said.get("signed_on") or starts_on),
        created_by=context.actor,
        created_at=context.now,
    )


def note_contract_faults(rows: Sequence[Planned], contract: Contract) -> None:
    """Days are asked row by row; what remains is the contract as a whole."""
    faults = [
        fault
        for fault in check_contract(
            kind=contract.kind,
            currency=contract.currency,
            starts_on=contract.starts_on,
            ends_on=None,
        )
        if fault.rule != "end_before_start"
    ]
    for row in rows:
        is_odd = contract.kind == "open" and row.values["_new"].ends_on is not None
        note_faults(row, [*faults, *([Fault("open_with_end")] if is_odd else [])])


def _find_previous_contracts(
    rows: Sequence[Planned], coming: Mapping[str, Sequence[Planned]]
) -> None:
    """The contract that this one follows is there, or comes with the file."""
    named = [row.values.get("previous_number") for row in rows]
    present = {row.number: row for row in by_values(Contract.objects, "number", named)}
    for row in rows:
        number = row.values.get("previous_number")
        if number is None:
            continue
        before = present.get(number)
        owner = before.customer_id if before else None
        if owner is None and (others := good(coming.get(number, ()))):
            owner = others[0].values["_customer"]
        if owner != row.values["_customer"] or number == row.values["number"]:
            row.refuse("contract_unknown", "previous_number")


def _tell_contracts(rows: Sequence[Planned]) -> None:
    """What a file says newly of a contract that is there: on the first of its rows."""
    seen: set[int] = set()
    for row in rows:
        contract: Contract = row.values["_contract"]
        if contract.pk is None or contract.pk in seen:
            continue
        seen.add(contract.pk)
        changes = {
            column: row.values[name]
            for name, column in OF_CONTRACT.items()
            if name in row.values and name != "contract_kind"
        }
        if changes.get("billing_interval_months") == 0:
            del changes["billing_interval_months"]
        changes = {
            column: value for column, value in changes.items() if getattr(contract, column) != value
        }
        if changes:
            row.values["_edit"] = changes
            row.told |= {
                column: [shown(getattr(contract, column)), shown(value)]
                for column, value in changes.items()
            }
            row.outcome = CHANGED if row.outcome == SAME else row.outcome


register(ContractImport())
