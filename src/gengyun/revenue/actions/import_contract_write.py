"""Writing the rows of a contract file into the ledger, whole customers at a time.

What is new goes through one book of the ledger in the order in which it happened, so that a later
line finds what it renews and a loss is one only if nothing follows. What is there already is
corrected or ended by the same actions as on the page.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from django.db import transaction

from gengyun.customers.actions.import_kinds import CHANGED, CREATED, Context, Planned
from gengyun.customers.actions.import_lookup import customers_by_id
from gengyun.customers.actions.scope import all_mine
from gengyun.kernel.days import day_of, start_of
from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.contracts import edit_contract
from gengyun.revenue.actions.corrections import correct_line
from gengyun.revenue.actions.ending import terminate
from gengyun.revenue.actions.import_catalogue import made_edition, made_product
from gengyun.revenue.actions.import_common import by_values, keep_record, known_at
from gengyun.revenue.actions.import_corrections import corrected
from gengyun.revenue.actions.lines import Append, NewLine, append_to_book
from gengyun.revenue.actions.settling import settle_book
from gengyun.revenue.actions.succeeding import end
from gengyun.revenue.models import Contract, Edition, Line, Product, RevenueSettings
from gengyun.revenue.queries.settings import current
from gengyun.team.queries.access import require

DAY = timedelta(days=1)
LOSSES = frozenset({"churn", "downsell"})


def write_contracts(planned: Sequence[Planned], context: Context) -> None:
    """Rows of whole customers, in the order of `ContractImport.ordered`.

    A row that an action refuses after all (somebody changed the ledger since the plan) is left out
    with its reason; the others go in.
    """
    require(context.actor, "contract.edit")
    created = [row for row in planned if row.outcome == CREATED]
    _make_products(created, context)
    while created:
        try:
            with transaction.atomic():
                _append(created, context)
            break
        except _RowRefused as refused:
            _refuse(refused.row, refused.why)
            created.remove(refused.row)
    for row in planned:
        if row.outcome == CHANGED or "_edit" in row.values:
            try:
                with transaction.atomic():
                    _change(row, context)
            except Refusal as refusal:
                _refuse(row, refusal)


class _RowRefused(Exception):
    def __init__(self, row: Planned, why: Refusal) -> None:
        super().__init__(why.code)
        self.row, self.why = row, why


def _refuse(row: Planned, why: Refusal) -> None:
    row.refuse(why.code, "", **why.params)


def _make_products(rows: Sequence[Planned], context: Context) -> None:
    """Products and editions that come with the file, made once."""
    products: dict[int, Product] = {}
    editions: dict[int, Edition] = {}
    for row in rows:
        new: NewLine = row.values["_new"]
        product, edition = new.product, new.edition
        if product.pk < 0:
            if product.pk not in products:
                made = made_product(product, actor=context.actor, now=context.now)
                products[product.pk] = made
            product = products[product.pk]
        if edition is not None and edition.pk < 0:
            if edition.pk not in editions:
                editions[edition.pk] = made_edition(
                    edition, product, actor=context.actor, now=context.now
                )
            edition = editions[edition.pk]
        row.values["_new"] = replace(new, product=product, edition=edition)


def _append(rows: Sequence[Planned], context: Context) -> None:
    customers = customers_by_id({row.values["_customer"] for row in rows})
    contracts = _contracts(rows, context)
    book = Book(
        actor=context.actor, now=context.now, customers=all_mine(context.actor, customers.values())
    )
    writer = _Writer(book, context, current(), contracts)
    for row in rows:
        try:
            writer.append(row)
        except Refusal as refusal:
            raise _RowRefused(row, refusal) from refusal
    for customer in customers:
        writer.close(customer)
    book.close()


def _contracts(rows: Sequence[Planned], context: Context) -> dict[str, Contract]:
    """By number: those that are there, and the new ones, each with the one it follows."""
    planned = {row.values["number"]: row.values["_contract"] for row in rows}
    present = {row.number: row for row in by_values(Contract.objects, "number", planned)}
    new = [contract for number, contract in planned.items() if number not in present]
    for contract in new:
        contract.pk = None  # of an attempt that was rolled back
        contract._state.adding = True  # noqa: SLF001 - likewise
    Contract.objects.bulk_create(new)
    present |= {contract.number: contract for contract in new}
    _link_previous(rows, present)
    told = [(contract, {"starts_on": [None, contract.starts_on]}) for contract in new]
    keep_record(context, "contract", made=told)
    return present


def _link_previous(rows: Sequence[Planned], present: dict[str, Contract]) -> None:
    named = {
        row.values["number"]: row.values["previous_number"]
        for row in rows
        if "previous_number" in row.values
    }
    before = {row.number: row for row in by_values(Contract.objects, "number", named.values())}
    linked = []
    for number, previous in named.items():
        contract, found = present[number], before.get(previous)
        if found is not None and found.customer_id == contract.customer_id:
            contract.previous = found
            linked.append(contract)
    Contract.objects.bulk_update(linked, ["previous"])


@dataclass
class _Writer:
    book: Book
    context: Context
    settings: RevenueSettings
    contracts: dict[str, Contract]
    # lines that have ended, waiting for their day to come in the order of the file's days
    ending: dict[int, dict[date, list[tuple[Line, str]]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    by_name: dict[tuple[int, str], Line] = field(default_factory=dict)

    def append(self, row: Planned) -> None:
        new: NewLine = row.values["_new"]
        customer: int = row.values["_customer"]
        self._end(customer, until=new.starts_on)
        contract = self.contracts[row.values["number"]]
        signed_on = row.values.get("signed_on") or contract.signed_on
        posted = append_to_book(
            self.book,
            Append(
                contract=contract,
                new=new,
                previous=self._renewed(row),
                find_previous="renews" not in row.values,
                signed_on=signed_on,
                known_at=known_at(self.context, signed_on or new.starts_on),
            ),
            settings=self.settings,
        )
        line = posted.line
        for name in (row.values.get("line_id"), row.values["number"]):
            if name:
                self.by_name[customer, name] = line
        if row.values.get("is_ended") and line.ends_on is not None:
            waiting = self.ending[customer].setdefault(line.ends_on + DAY, [])
            waiting.append((line, row.values.get("cause", "")))

    def _renewed(self, row: Planned) -> Line | None:
        """By the id of the line or the number of its contract."""
        name, customer = row.values.get("renews"), row.values["_customer"]
        if name is None:
            return self._lost(row) if row.values["_counted"].arr_minor else None
        if (customer, name) in self.by_name:
            return self.by_name[customer, name]
        lines = [
            line
            for line in self.book.of_customer[customer]
            if name in (line.external_id, line.contract.number)
        ]
        return lines[-1] if lines else None

    def _lost(self, row: Planned) -> Line | None:
        """Who comes back after the grace days answers the last due date of the group, if that was
        lost and nothing has answered it yet; which of them count as renewed is for the figures."""
        new: NewLine = row.values["_new"]
        customer, on = row.values["_customer"], new.starts_on
        mine = [
            line
            for line in self.book.of_customer[customer]
            if (line.group, line.currency) == (new.group, new.currency) and line.arr_minor
        ]
        due = max((line.ends_on for line in mine if line.ends_on), default=None)
        still = any(line.ends_on is None and self.book.balance(line) > 0 for line in mine)
        grace = timedelta(days=self.settings.loss_grace_days)
        if due is None or still or on <= due + grace + DAY:
            return None  # beside what is there, or renewed: `find_previous` looks for that
        told = [
            other
            for other in self.book.rows[customer]
            if (other.group, other.due_on) == (new.group, due)
        ]
        if any(other.kind not in LOSSES and other.effective_on < on for other in told):
            return None
        lost = {other.line_id for other in told}
        for line in mine:
            # what has ARR left ends when its successor is written
            if line.ends_on == due and (line.pk in lost or self.book.balance(line) > 0):
                return line
        return None

    def _end(self, customer: int, *, until: date) -> None:
        """Losses up to a day: a line that starts then is judged by what is left."""
        waiting = self.ending.get(customer, {})
        for on in sorted(day for day in waiting if day <= until):
            by_cause: dict[str, list[Line]] = defaultdict(list)
            for line, cause in waiting.pop(on):
                if self.book.balance(line) > 0:
                    by_cause[cause].append(line)
            for cause, lines in by_cause.items():
                end(
                    self.book,
                    lines,
                    on=on,
                    answers_due=True,
                    cause=cause,
                    known_at=known_at(self.context, on),
                )

    def close(self, customer: int) -> None:
        """Everything that has ended, and what ran out and was not renewed within the grace days."""
        self._end(customer, until=date.max)
        today = day_of(self.context.now)
        grace = timedelta(days=self.settings.loss_grace_days)
        days = {line.ends_on + grace for line in self.book.of_customer[customer] if line.ends_on}
        for day in sorted(day for day in days if day <= today):
            settle_book(
                self.book,
                as_of=day,
                settings=self.settings,
                customer_ids=[customer],
                known_at=known_at(self.context, day + DAY),
            )


def _change(row: Planned, context: Context) -> None:
    """A contract that says more, a line that has ended, a line that should have read otherwise."""
    actor, now = context.actor, context.now
    if "_edit" in row.values:
        edit_contract(
            actor=actor, now=now, contract=row.values["_contract"], changes=row.values["_edit"]
        )
    line: Line | None = row.values.get("_line")
    if line is None:
        return
    if "_last_day" in row.values:
        last_day: date = row.values["_last_day"]
        is_history = context.options.get("history")
        terminate(
            actor=actor,
            now=now,
            lines=[line],
            last_day=last_day,
            cause=row.values.get("cause", ""),
            known_at=min(now, start_of(last_day + DAY)) if is_history else None,
        )
    elif "_changes" in row.values:
        correct_line(
            actor=actor,
            now=now,
            line=line,
            new=corrected(row, line),
            why=context.file_name or "import",
        )
