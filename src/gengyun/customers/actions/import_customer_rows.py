"""Planning the import of customers: which customer a row means, and what it would change."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gengyun.customers.actions import governed
from gengyun.customers.actions.history import Frame
from gengyun.customers.actions.import_kinds import (
    CHANGED,
    CREATED,
    ERROR,
    SAME,
    Context,
    Parser,
    Planned,
    limited,
    plain,
)
from gengyun.customers.actions.import_lookup import Book, People, customers_by_id, folded
from gengyun.customers.actions.tags import LONGEST
from gengyun.customers.calc import cells, uscc
from gengyun.customers.calc.columns import amount_unit
from gengyun.customers.calc.tiering import FIELDS as TIERING_FIELDS
from gengyun.customers.calc.tiering import tier_for
from gengyun.customers.models import Customer, Stage, Tier
from gengyun.kernel.currencies import minor_of_one

# fields that go into a column of the same name as they are
PLAIN = [
    "name",
    "uscc",
    "industry",
    "region",
    "currency",
    "seats",
    "edition",
    "started_on",
    "renews_on",
    "next_step",
    "next_step_on",
]


def _currency(cell: Any) -> str | None:
    found = cells.currency_in(cell)
    if found is None and cells.text(cell) is not None:
        raise cells.BadCell("not_a_currency")
    return found


def _uscc(cell: Any) -> str | None:
    found = cells.text(cell)
    if found is None:
        return None
    code = uscc.normal_form(found)
    if (fault := uscc.fault(code)) is not None:
        raise cells.BadCell(fault)
    return code


def _tags(cell: Any) -> list[str] | None:
    names = cells.words(cell)
    if names and max(map(len, names)) > LONGEST:
        raise cells.BadCell("too_long", limit=LONGEST)
    return names


PARSERS: Mapping[str, Parser] = {
    "external_id": limited(200, cells.text),
    "name": limited(200, cells.text),
    "uscc": plain(_uscc),
    "industry": limited(60, cells.text),
    "region": limited(60, cells.text),
    "parent": limited(200, cells.text),
    "owner": plain(cells.text),
    "tier": plain(cells.text),
    "stage": plain(cells.text),
    # the currency of an amount is kept beside it, for files without a currency column
    "arr": lambda cell, header: (
        None
        if (minor := cells.amount_minor(cell, unit=amount_unit(header))) is None
        else (minor, cells.currency_in(cell))
    ),
    "currency": plain(_currency),
    "seats": plain(cells.count),
    "edition": limited(60, cells.text),
    "started_on": plain(cells.day),
    "renews_on": plain(cells.day),
    "tags": plain(_tags),
    "next_step": limited(200, cells.text),
    "next_step_on": plain(cells.day),
}


@dataclass
class _Planner:
    """Everything a plan looks things up in, read once for the whole file."""

    context: Context
    frame: Frame
    book: Book
    people: People
    tiers: dict[str, int]
    stage_names: dict[tuple[str, str], Stage]  # touch model, name

    @classmethod
    def load(cls, context: Context) -> "_Planner":
        frame = Frame.load()
        return cls(
            context=context,
            frame=frame,
            book=Book.load(context.actor),
            people=People.load(),
            tiers={
                folded(name): tier.pk
                for tier in Tier.objects.all()
                for name in (tier.key, tier.name_zh, tier.name_en)
            },
            stage_names={
                (stage.touch_model, folded(name)): stage
                for stage in frame.stages.values()
                for name in (stage.key, stage.name_zh, stage.name_en)
            },
        )

    def match(self, row: Planned) -> int | None:
        """The customer a row means, or None for a new one; problems are noted on the row."""
        external_id, name = row.values.get("external_id"), row.values.get("name")
        found = self.book.by_external_id.get(external_id) if external_id else None
        if found is None and name and not external_id:
            named = self.book.of_name(name)
            if len(named) > 1:
                row.refuse("customer_ambiguous", "name")
                return None
            found = named[0] if named else None
        if found is not None and not self.book.may_see(found):
            row.refuse("customer_elsewhere", "external_id" if external_id else "name")
            return None
        if found is None and not name:
            row.refuse("name_missing")
        return found

    def columns(self, row: Planned, customer: Customer | None) -> dict[str, Any]:
        """The values of a row as columns of the customer; problems are noted on the row."""
        given = row.values
        values = {name: given[name] for name in PLAIN if name in given}
        if "arr" in given:
            fen, currency = given["arr"]
            if currency and "currency" not in values:
                values["currency"] = currency
            kept = customer.currency if customer else "CNY"
            code = values.get("currency") or kept
            # read in hundredths before the currency was known
            values["arr_minor"] = fen * minor_of_one(code) // 100
        if "owner" in given:
            owner = self.people.find(row, "owner")
            if owner is not None and not self.people.can_own(owner):
                row.refuse("owner_cannot_own", "owner")
            values["owner_id"] = owner.pk if owner else None
        self._place(row, customer, values)
        return values

    def _place(self, row: Planned, customer: Customer | None, values: dict[str, Any]) -> None:
        """Tier as written (then it is set by hand, unless the rules say the same), and stage."""
        facts = {name: values.get(name, getattr(customer, name, None)) for name in TIERING_FIELDS}
        tier_id = tier_for(facts, self.frame.rules)
        if customer is not None and (customer.tier_set_by_id is not None or tier_id is None):
            tier_id = customer.tier_id
        if "tier" in row.values:
            written = self.tiers.get(folded(row.values["tier"]))
            if written is None:
                row.refuse("tier_unknown", "tier")
            elif written != tier_id:
                actor = self.context.actor
                values |= {
                    "tier_id": written,
                    "tier_set_by_id": actor.pk if actor else None,
                    "tier_reason": self.context.file_name[:200],
                    "tier_until": None,
                }
                tier_id = written
        if "stage" in row.values:
            stage = self._stage(folded(row.values["stage"]), tier_id)
            if stage is None:
                row.refuse("stage_unknown", "stage")
            else:
                values["stage_id"] = stage.pk

    def _stage(self, name: str, tier_id: int | None) -> Stage | None:
        touch = self.frame.touch_of_tier.get(tier_id or 0)
        if touch is not None:
            return self.stage_names.get((touch, name))
        return next((s for (_, known), s in self.stage_names.items() if known == name), None)


def plan_customers(planned: Sequence[Planned], context: Context) -> None:
    planner = _Planner.load(context)
    for row in planned:
        row.label = row.values.get("name") or row.values.get("external_id", "")
        row.target = planner.match(row)
    present = customers_by_id(row.target for row in planned if row.target is not None)
    borne = _tags_borne(planned)
    found = {id(row): planner.columns(row, present.get(row.target or 0)) for row in planned}
    ruled = governed.touched({row.target: found[id(row)] for row in planned if row.target})
    for row in planned:
        customer = present.get(row.target or 0)
        columns = _without(row, customer, found[id(row)], ruled.get(row.target or 0, set()))
        row.told = _told(customer, columns)
        new_tags = set(row.values.get("tags", ())) - borne.get(row.target or 0, set())
        if new_tags:
            row.told["tags"] = [None, sorted(new_tags)]
        row.values["columns"] = columns
        if row.outcome != ERROR:
            row.outcome = CREATED if customer is None else CHANGED if row.told else SAME
        row.label = customer.name if customer else row.label
    _refuse_repeated(planned)
    _plan_parents(planned, planner.book, present)


def _without(
    row: Planned, customer: Customer | None, columns: dict[str, Any], ruled: set[str]
) -> dict[str, Any]:
    """Fields that follow from contracts stay as they are; who sends others is told so."""
    for name in sorted(ruled & columns.keys()):
        if getattr(customer, name, None) != columns[name]:
            row.flag("field_governed", name)
    return {name: value for name, value in columns.items() if name not in ruled}


def _told(customer: Customer | None, columns: Mapping[str, Any]) -> dict[str, list[Any]]:
    """field -> [old, new] of what differs, fit for JSON; what only marks a tier is not shown."""
    hidden = {"tier_set_by_id", "tier_reason", "tier_until"}
    return {
        name: [_shown(getattr(customer, name, None)), _shown(value)]
        for name, value in columns.items()
        if name not in hidden and (customer is None or getattr(customer, name) != value)
    }


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _tags_borne(planned: Sequence[Planned]) -> dict[int, set[str]]:
    ids = [row.target for row in planned if row.target is not None and "tags" in row.values]
    borne: dict[int, set[str]] = defaultdict(set)
    link = Customer.tags.through
    for start in range(0, len(ids), 5_000):
        pairs = link.objects.filter(customer_id__in=ids[start : start + 5_000])
        for customer_id, name in pairs.values_list("customer_id", "tag__name"):
            borne[customer_id].add(name)
    return borne


def _refuse_repeated(planned: Sequence[Planned]) -> None:
    """Two rows for one customer: the same again is harmless, other values are a question."""
    first: dict[Any, Planned] = {}
    for row in planned:
        external_id, name = row.values.get("external_id"), row.values.get("name")
        token = row.target or ("id", external_id) if external_id else row.target
        token = token or ("name", folded(name or ""))
        before = first.setdefault(token, row)
        if before is row or row.outcome == ERROR:
            continue
        if _written(before) == _written(row):
            row.outcome, row.told = SAME, {}
        else:
            row.refuse("row_repeated", row=before.row.number)


def _written(row: Planned) -> dict[str, Any]:
    return {name: value for name, value in row.values.items() if name != "columns"}


def _plan_parents(planned: Sequence[Planned], book: Book, present: Mapping[int, Customer]) -> None:
    """Check that every parent is there, or comes with the file, and that no circle arises."""
    rows = [row for row in planned if "parent" in row.values]
    if not rows:
        return
    coming: dict[str, Any] = {}
    for row in planned:
        if row.outcome != ERROR:
            for key in (row.values.get("external_id"), row.values.get("name")):
                if key and row.target is None:
                    coming.setdefault(folded(key), ("new", row.row.number))
    above: dict[Any, Any] = dict(
        Customer.objects.filter(parent__isnull=False).values_list("pk", "parent_id")
    )
    for row in rows:
        key = row.values["parent"]
        parent = find_one(book, key, key) or coming.get(folded(key))
        if parent is None:
            row.refuse("parent_unknown", "parent")
            continue
        child = row.target or ("new", row.row.number)
        if _leads_back(child, parent, above):
            row.refuse("parent_in_circle", "parent")
            continue
        above[child] = parent
        customer = present.get(row.target or 0)
        if customer is not None and customer.parent_id != parent and row.outcome != ERROR:
            row.told["parent"] = [customer.parent_id, key]
            row.outcome = CHANGED


def _leads_back(child: Any, parent: Any, above: Mapping[Any, Any]) -> bool:
    seen = set()
    while parent is not None and parent not in seen:
        if parent == child:
            return True
        seen.add(parent)
        parent = above.get(parent)
    return False


def find_one(book: Book, external_id: str | None, name: str | None) -> int | None:
    """By id, else by a name that only one visible customer has."""
    found = book.by_external_id.get(external_id or "")
    if found is None and name:
        named = book.of_name(name)
        found = named[0] if len(named) == 1 else None
    return found if found is not None and book.may_see(found) else None
