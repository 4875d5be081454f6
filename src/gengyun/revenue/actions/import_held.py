"""The lines that are there beside those of a file: the same, another, one that it renews."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.db.models import Max, Sum

from gengyun.customers.actions.import_kinds import CHANGED, CREATED, SAME, Planned
from gengyun.revenue.actions.import_common import by_values, chunks, good, shown
from gengyun.revenue.actions.import_contract_rows import MONEY, note_faults
from gengyun.revenue.actions.import_corrections import corrected
from gengyun.revenue.actions.lines import NewLine, as_present, as_written
from gengyun.revenue.calc import rules
from gengyun.revenue.models import Line, Movement
from gengyun.revenue.queries.settings import current

# field of the file -> column of the line; compared where the file says something
COMPARED = {
    "edition": "edition_id",
    "line_kind": "kind",
    "seats": "seats",
    "_amount": "amount_minor",
    "_ends_on": "ends_on",
    "_currency": "currency",
    "is_trial": "is_trial",
    "tax_included": "tax_included",
    "tax_rate": "tax_rate_bp",
    "discount": "discount_bp",
    "committed": "committed_minor",
}


DAY = timedelta(days=1)
PRICED = frozenset({"amount_minor", "ends_on"})


@dataclass
class Held:
    """Lines of the customers of a file, and by what their ARR stands now."""

    by_contract: dict[int, list[Line]] = field(default_factory=lambda: defaultdict(list))
    by_name: dict[tuple[int, str], "Renewable"] = field(default_factory=dict)
    coming: dict[tuple[int, str], list[Planned]] = field(default_factory=lambda: defaultdict(list))
    beside: dict[tuple[int, int], list[rules.Present]] = field(
        default_factory=lambda: defaultdict(list)
    )
    balance: dict[int, int] = field(default_factory=dict)
    grace: timedelta = timedelta()  # after a last day, in which what follows is a renewal
    taken_over: dict[int, date] = field(default_factory=dict)  # from when another line goes on

    @classmethod
    def load(cls, customers: Collection[int], rows: Sequence[Planned]) -> "Held":
        held = cls()
        lines = by_values(
            Line.objects.filter(voided_at__isnull=True).select_related("contract"),
            "customer_id",
            sorted(customers),
        )
        held.balance = _balances(customers)
        held.grace = timedelta(days=current().loss_grace_days)
        held.taken_over = _taken_over(customers)
        for line in sorted(lines, key=lambda line: line.pk):
            held._add(line)
        for row in rows:
            for name in (row.values.get("line_id"), row.values["number"]):
                if name:
                    held.coming[row.values["_customer"], name].append(row)
        return held

    def _add(self, line: Line) -> None:
        self.by_contract[line.contract_id].append(line)
        is_over = bool(line.arr_minor) and not self.balance.get(line.pk)
        taken = self.taken_over.get(line.pk) if is_over else None
        found = Renewable(line.ends_on, bool(line.arr_minor), taken)
        self.name(line.customer_id, (line.external_id, line.contract.number), found)
        self.beside[line.customer_id, line.product_id].append(self.present(line))

    def name(self, customer: int, names: Collection[str | None], line: "Renewable") -> None:
        """What a later row means by one of these names."""
        for name in names:
            if name:
                self.by_name[customer, name] = line

    def present(self, line: Line) -> rules.Present:
        is_over = bool(line.arr_minor) and not self.balance.get(line.pk)
        return replace(as_present(line), is_over=is_over)


@dataclass
class Renewable:
    """A line that a row may name as the one that it renews."""

    ends_on: date | None
    has_arr: bool = True
    taken_over: date | None = None  # from when another line goes on with its ARR

    def is_alive(self, on: date, grace: timedelta) -> bool:
        """Is there ARR that a line of this day takes over? A later one is won back."""
        return self.has_arr and (self.ends_on is None or on <= self.ends_on + grace + DAY)


def _balances(customers: Collection[int]) -> dict[int, int]:
    """ARR of each line when everything that is written has happened."""
    found: dict[int, int] = {}
    for part in chunks(sorted(customers)):
        sums = Movement.objects.filter(customer_id__in=part, line__isnull=False)
        found |= dict(sums.order_by().values_list("line_id").annotate(Sum("arr_minor")))
    return found


def _taken_over(customers: Collection[int]) -> dict[int, date]:
    """The last day on which ARR passed from a line to another one."""
    found: dict[int, date] = {}
    for part in chunks(sorted(customers)):
        out = Movement.objects.filter(customer_id__in=part, kind="transfer", arr_minor__lt=0)
        days = out.order_by().values_list("line_id").annotate(Max("effective_on"))
        found |= {line_id: day for line_id, day in days if line_id is not None}
    return found


def plan_line(row: Planned, held: Held) -> None:
    """What comes of a good row; called in the order in which things happened."""
    new: NewLine = row.values["_new"]
    line = _same_line(row, new, held)
    if line is not None:
        _plan_known(row, new, line, held)
        return
    renewed = _check_renews(row, held)
    _check_beside(row, new, held)
    if row.problems:
        return
    if renewed is not None and renewed.is_alive(new.starts_on, held.grace):
        renewed.taken_over = new.starts_on
    mine = Renewable(new.ends_on, bool(row.values["_counted"].arr_minor))
    held.name(row.values["_customer"], (row.values.get("line_id"), row.values["number"]), mine)
    row.outcome = CREATED
    row.told = {
        "product": [None, new.product.name_zh],
        "starts_on": [None, shown(new.starts_on)],
        "ends_on": [None, shown(new.ends_on)],
        "amount_minor": [None, new.amount_minor],
    }


def _plan_known(row: Planned, new: NewLine, line: Line, held: Held) -> None:
    """A line that is there: unchanged, ended, or written down wrongly and to be corrected."""
    row.target, row.outcome, row.values["_line"] = line.pk, SAME, line
    is_running = bool(held.balance.get(line.pk))
    changes = _changes(row, new, line)
    last_day = line.ends_on if row.values.get("is_ended") else None
    has_stopped = line.ends_on is None and new.ends_on is not None
    if has_stopped and line.arr_minor == row.values["_counted"].arr_minor:
        # an open-ended line got a last day: it has ended, its price has not changed
        last_day = new.ends_on
        changes = {name: changes[name] for name in changes if name not in PRICED}
    if last_day is not None and is_running:
        row.outcome, row.values["_last_day"] = CHANGED, last_day
        row.told = {"ended_on": [None, shown(last_day)]}
    elif changes:
        others = held.beside[line.customer_id, line.product_id]
        if (before := held.present(line)) in others:
            others.remove(before)  # what stands there is the corrected line
        _check_beside(row, corrected(row, line), held)
        if row.problems:
            return
        row.outcome, row.values["_changes"] = CHANGED, changes
        row.flag("line_differs", "number", fields=", ".join(changes))
        row.told = {
            name: [shown(getattr(line, name)), shown(value)] for name, value in changes.items()
        }


def _same_line(row: Planned, new: NewLine, held: Held) -> Line | None:
    """By its own id; else of the same product, kind and first day in the contract — the one that
    agrees in everything before one that differs, each for one row of the file only."""
    contract = row.values["_contract"]
    if contract.pk is None:
        return None
    mine = held.by_contract.get(contract.pk, [])
    if "line_id" in row.values:
        found = [line for line in mine if line.external_id == new.external_id]
    else:
        found = [
            line
            for line in mine
            if (line.product_id, line.kind, line.starts_on)
            == (new.product.pk, new.kind, new.starts_on)
            and (new.edition is None or line.edition_id == new.edition.pk)
        ]
        found.sort(key=lambda line: (len(_changes(row, new, line)), line.pk))
    if not found:
        return None
    mine.remove(found[0])
    return found[0]


def _changes(row: Planned, new: NewLine, line: Line) -> dict[str, Any]:
    """column -> new value, of what the file says and the line says otherwise."""
    said = {
        "edition": new.edition.pk if new.edition else None,
        "line_kind": new.kind,
        "seats": new.seats,
        "_amount": new.amount_minor,
        "_ends_on": new.ends_on,
        "_currency": new.currency,
        "is_trial": new.is_trial,
        "tax_included": new.tax_included,
        "tax_rate": new.tax_rate_bp,
        "discount": new.discount_bp,
        "committed": new.committed_minor,
    }
    written = set(row.values)
    if written & {"ends_on", "paid_months"}:
        written.add("_ends_on")
    if written & set(MONEY):
        written.add("_amount")
    return {
        column: said[name]
        for name, column in COMPARED.items()
        if name in written and getattr(line, column) != said[name]
    }


def _check_renews(row: Planned, held: Held) -> "Renewable | None":
    """A line of the customer, there already or before it in the file, that ended before this one
    starts and that nothing else has renewed."""
    name = row.values.get("renews")
    if name is None:
        return None
    key, starts_on = (row.values["_customer"], name), row.values["_new"].starts_on
    found = held.by_name.get(key)
    if found is None:
        # rows come in the order of their days: one that is still to come starts no earlier
        later = [other for other in good(held.coming.get(key, ())) if other is not row]
        ends_on = later[0].values["_new"].ends_on if later else None
        found = Renewable(ends_on) if ends_on is not None else None
    if found is None:
        row.refuse("renews_unknown", "renews")
    elif found.ends_on is not None and starts_on <= found.ends_on:
        params = {"start": starts_on.isoformat(), "end": found.ends_on.isoformat()}
        note_faults(row, [rules.Fault("renewal_overlaps", params)])
    elif found.taken_over is not None and starts_on <= found.taken_over:
        row.refuse("renews_answered", "renews")
    return found


def _check_beside(row: Planned, new: NewLine, held: Held) -> None:
    """Beside what is there and what comes with the file: twice the same, or overlapping."""
    others = held.beside[row.values["_customer"], new.product.pk]
    still = [other for other in others if other.ends_on is None or other.ends_on >= new.starts_on]
    others[:] = still  # rows come in the order of their days: what is over stays over
    counted = row.values["_counted"]
    written = as_written(new, counted.arr_minor)
    note_faults(row, rules.check_beside(written, still))
    if not row.problems:
        others.append(
            rules.Present(
                number=row.values["number"],
                product=new.product.pk,
                amount_minor=new.amount_minor,
                starts_on=new.starts_on,
                ends_on=new.ends_on,
                seats=new.seats,
                kind=new.kind,
                edition=new.edition.pk if new.edition else None,
                external_id=new.external_id,
            )
        )
