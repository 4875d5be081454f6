"""Import of opportunities from another system: open ones and what became of the others.

A won one makes no movement: what was signed comes with the contracts, and may be linked to it.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from gengyun.customers.actions.import_kinds import (
    CHANGED,
    CREATED,
    ERROR,
    SAME,
    Context,
    Option,
    Parser,
    Planned,
    limited,
    plain,
    register,
)
from gengyun.customers.actions.import_lookup import Book, People, customers_by_id, folded
from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import Column
from gengyun.kernel.days import day_of, start_of
from gengyun.revenue.actions.import_catalogue import Catalogue, made_product
from gengyun.revenue.actions.import_common import (
    BATCH,
    CURRENCY_OPTION,
    WithMoney,
    amounts_of,
    by_values,
    choice,
    currency_of,
    differences,
    good,
    keep_record,
    minor_of,
    money,
    needed_values,
    refuse_repeated,
    tell,
)
from gengyun.revenue.calc import import_cells
from gengyun.revenue.calc.import_columns import OPPORTUNITY_COLUMNS
from gengyun.revenue.models import (
    Line,
    Opportunity,
    OpportunityChange,
    OpportunityStage,
    Product,
)
from gengyun.revenue.queries.settings import current

KINDS = {
    "new": "new", "新签": "new", "新购": "new", "新客户": "new", "new business": "new",
    "upsell": "upsell", "增购": "upsell", "扩容": "upsell", "加购": "upsell",
    "expansion": "upsell", "existing business": "upsell", "cross_sell": "cross_sell",
    "cross-sell": "cross_sell", "交叉销售": "cross_sell", "交叉购买": "cross_sell",
    "service": "service", "服务": "service", "实施": "service", "services": "service",
}  # fmt: skip
# stages of other systems: 0 is the first open stage, 1 the next, and so on
STAGE_WORDS: Mapping[str, int | str] = {
    "赢单": "won", "成交": "won", "已签约": "won", "closed won": "won", "win": "won",
    "输单": "lost", "丢单": "lost", "失败": "lost", "关闭": "lost", "closed lost": "lost",
    "lose": "lost", "prospecting": 0, "prospect": 0, "lead": 0, "线索": 0, "初步接触": 0,
    "初步沟通": 0, "engaging": 1, "qualification": 1, "qualified": 1, "discovery": 1,
    "需求分析": 1, "需求沟通": 1, "proposal/price quote": 2, "quote": 2, "报价": 2,
    "方案": 2, "demo": 2, "negotiation/review": 3, "contract": 3, "谈判": 3, "合同谈判": 3,
}  # fmt: skip
PARSERS: Mapping[str, Parser] = {
    "customer": plain(cells.text),
    "key": limited(200, cells.text),
    "name": limited(200, cells.text),
    "kind": choice(KINDS, "opportunity_kind_unknown"),
    "product": plain(cells.text),
    "stage": plain(cells.text),
    "amount": money(),
    "currency": plain(import_cells.currency),
    "opened_on": plain(cells.day),
    "expected_on": plain(cells.day),
    "closed_on": plain(cells.day),
    "next_step": limited(200, cells.text),
    "next_step_on": plain(cells.day),
    "owner": plain(cells.text),
    "source": limited(60, cells.text),
    "loss_reason": limited(200, cells.text),
    "note": limited(1000, cells.text),
}
PLAIN = ("name", "kind", "next_step", "next_step_on", "source", "loss_reason", "note")


class OpportunityImport(WithMoney):
    name = "opportunities"
    columns: tuple[Column, ...] = OPPORTUNITY_COLUMNS
    parsers = PARSERS
    options: tuple[Option, ...] = (
        CURRENCY_OPTION,
        Option("create_products", "flag", cells.yes_or_no),
    )
    needed: tuple[frozenset[str], ...] = (
        frozenset({"customer"}),
        frozenset({"stage"}),
        frozenset({"key", "name"}),
    )

    def amounts(self, row: Planned) -> Iterable[tuple[str, str, int | None]]:
        return amounts_of(row, "amount")

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        finder = _Finder.load(context)
        for row in planned:
            finder.check(row)
        refuse_repeated(planned, _key)
        rows = [row for row in good(planned) if "repeats_row" not in row.facts]
        present = _present(rows)
        customers = customers_by_id(
            {row.values["_customer"] for row in rows if _key(row) not in present}
        )
        with_lines = _with_lines(customers)
        for row in rows:
            before = present.get(_key(row))
            columns = _columns(row)
            if before is None:
                customer = customers[row.values["_customer"]]
                columns.setdefault("name", _name(row))
                columns.setdefault("kind", "upsell" if customer.pk in with_lines else "new")
                columns.setdefault("owner_id", customer.owner_id)
            row.values["_columns"] = columns
            row.told = _told(before, columns)
            if row.told.pop("product_id", None):  # one that is new has no key yet
                row.told["product"] = [None, row.values["_product"].name_zh]
            row.target = before.pk if before else None
            row.outcome = CREATED if before is None else CHANGED if row.told else SAME

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        made_of: dict[int, Product] = {}
        for row in planned:
            product = row.values.get("_product")
            if product is not None and product.pk < 0 and product.pk not in made_of:
                made_of[product.pk] = made_product(product, actor=context.actor, now=context.now)
            if product is not None:
                row.values["_columns"]["product_id"] = made_of.get(product.pk, product).pk
        new = [_opportunity(row, context) for row in planned if row.outcome == CREATED]
        Opportunity.objects.bulk_create(new, batch_size=BATCH)
        changed = {row.target or 0: row for row in planned if row.outcome == CHANGED}
        rows = list(
            Opportunity.objects.select_for_update(of=("self",))
            .select_related("stage")
            .filter(pk__in=changed)
            .order_by("pk")
        )
        changes = [_change(opp, None, opp.stage.key, context, opp.created_at) for opp in new]
        for opp in rows:
            before = opp.stage.key
            for name, value in changed[opp.pk].values["_columns"].items():
                setattr(opp, name, value)
            opp.updated_at = context.now
            opp.save()
            if opp.stage.key != before:
                changes.append(_change(opp, before, opp.stage.key, context, context.now))
        OpportunityChange.objects.bulk_create(changes, batch_size=BATCH)
        keep_record(
            context,
            "opportunity",
            made=[(opp, {"name": [None, opp.name]}) for opp in new],
            changed=[(opp, changed[opp.pk].told) for opp in rows],
        )
        tell(context, "opportunity.changed", (opp.customer_id for opp in [*new, *rows]))

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""


@dataclass
class _Finder:
    """Everything that the rows of a file are looked up in."""

    context: Context
    book: Book
    people: People
    catalogue: Catalogue
    stages: dict[str, OpportunityStage]
    ordered: list[OpportunityStage]
    base: str
    unknown: set[str] = field(default_factory=set)  # of people and products: said once each

    @classmethod
    def load(cls, context: Context) -> "_Finder":
        ordered = list(OpportunityStage.objects.order_by("position", "pk"))
        return cls(
            context=context,
            book=Book.load(context.actor),
            people=People.load(),
            catalogue=Catalogue.load(
                context.actor, create=bool(context.options.get("create_products"))
            ),
            stages={
                folded(name): stage
                for stage in ordered
                for name in (stage.key, stage.name_zh, stage.name_en)
            },
            ordered=ordered,
            base=current().base_currency,
        )

    def check(self, row: Planned) -> None:
        values = row.values
        row.label = values.get("name") or values.get("key", "")
        values["_currency"] = currency_of(row, self.context, "amount", default=self.base)
        needed_values(row, {"customer": "customer_missing", "stage": "stage_missing"})
        if not row.problems and not {"key", "name"} & set(values):
            row.refuse("name_missing", "name")
        if "customer" in values:
            values["_customer"] = self.book.find(row, "customer")
        if "stage" in values:
            values["_stage"] = self._stage(row)
        if row.outcome == ERROR:
            return
        if "amount" in values:
            values["_minor"] = minor_of(row, "amount", values["_currency"])
        self._days(row)
        self._owner(row)
        self._product(row)

    def _stage(self, row: Planned) -> OpportunityStage | None:
        """By its own name, else by what other systems call it; that is said once a word."""
        written = row.values["stage"]
        found = self.stages.get(folded(written))
        if found is not None:
            return found
        word = STAGE_WORDS.get(folded(written))
        open_ones = [stage for stage in self.ordered if not (stage.is_won or stage.is_lost)]
        if isinstance(word, int) and open_ones:
            found = open_ones[min(word, len(open_ones) - 1)]
        elif word is not None:
            won = word == "won"
            found = next((s for s in self.ordered if (s.is_won if won else s.is_lost)), None)
        if found is None:
            names = ", ".join(stage.name_zh for stage in self.ordered)
            row.refuse("opportunity_stage_unknown", "stage", stages=names)
            return None
        self.stages[folded(written)] = found
        row.flag("opportunity_stage_taken", "stage", written=written, stage=found.name_zh)
        return found

    def _days(self, row: Planned) -> None:
        """The day on which an open one is to be closed is the one that is expected."""
        values, stage = row.values, row.values["_stage"]
        closed: date | None = values.get("closed_on")
        if stage.is_won or stage.is_lost:
            if closed is not None and closed > day_of(self.context.now):
                row.refuse("in_future", "closed_on")
            values["_closed_on"] = closed or values.get("expected_on")
        elif closed is not None:
            values.setdefault("expected_on", closed)
        opened = values.get("opened_on")
        if opened and values.get("_closed_on") and values["_closed_on"] < opened:
            row.flag("closed_before_opened", "closed_on")

    def _owner(self, row: Planned) -> None:
        if "owner" not in row.values:
            return
        probe = Planned(row.row, {"owner": row.values["owner"]})
        found = self.people.find(probe, "owner")
        if found is not None and self.people.can_own(found):
            row.values["_owner"] = found
        else:
            self._once(row, "owner_left_out", "owner")

    def _once(self, row: Planned, code: str, field_name: str) -> None:
        written = folded(row.values[field_name])
        if (token := f"{code} {written}") not in self.unknown:
            self.unknown.add(token)
            row.flag(code, field_name)

    def _product(self, row: Planned) -> None:
        name = row.values.get("product")
        if name is None:
            return
        probe = Planned(row.row, {"product": name})
        found = self.catalogue.product(probe, name)
        row.flags += probe.flags
        if found is None:
            self._once(row, "product_left_out", "product")
        else:
            row.values["_product"] = found


def _name(row: Planned) -> str:
    """Of an opportunity that had only an id: what it is about, and that id."""
    product = row.values.get("_product")
    return " ".join(filter(None, (product and product.name_zh, row.values["key"])))[:200]


def _key(row: Planned) -> Hashable:
    """By the id of the other system, else by name within the customer."""
    values = row.values
    return values["key"] if "key" in values else (values["_customer"], folded(values["name"]))


def _present(rows: Sequence[Planned]) -> dict[Hashable, Opportunity]:
    keys = [row.values["key"] for row in rows if "key" in row.values]
    bare = {row.values["_customer"] for row in rows if "key" not in row.values}
    found: dict[Hashable, Opportunity] = {}
    mine = {row.values["key"]: row.values["_customer"] for row in rows if "key" in row.values}
    for opp in by_values(Opportunity.objects, "external_id", keys):
        if mine[opp.external_id] == opp.customer_id:
            found[opp.external_id] = opp
    for opp in by_values(Opportunity.objects, "customer_id", bare):
        found.setdefault((opp.customer_id, folded(opp.name)), opp)
    return found


def _with_lines(customers: Mapping[int, Any]) -> set[int]:
    rows = Line.objects.filter(voided_at__isnull=True)
    return {line.customer_id for line in by_values(rows, "customer_id", customers)}


def _columns(row: Planned) -> dict[str, Any]:
    """What the row says; an empty cell says nothing."""
    values = row.values
    columns = {name: values[name] for name in PLAIN if name in values}
    columns["stage_id"] = values["_stage"].pk
    if "_minor" in values:
        columns |= {"amount_minor": values["_minor"], "currency": values["_currency"]}
    if "_product" in values:
        columns["product_id"] = values["_product"].pk
    if "_owner" in values:
        columns["owner_id"] = values["_owner"].pk
    if "expected_on" in values:
        columns["expected_on"] = values["expected_on"]
    is_closed = values["_stage"].is_won or values["_stage"].is_lost
    if is_closed and values.get("_closed_on"):
        columns["closed_on"] = values["_closed_on"]
    if not is_closed:
        columns["closed_on"] = None
    return columns


def _told(before: Opportunity | None, columns: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {
        name: change
        for name, change in differences(before, columns).items()
        if before is not None or change[1] is not None
    }


def _opportunity(row: Planned, context: Context) -> Opportunity:
    values = row.values
    columns = dict(values["_columns"])
    opened: date | None = values.get("opened_on")
    closed: date | None = columns.get("closed_on")
    day = opened or closed
    created_at = min(context.now, start_of(day)) if day else context.now
    columns.setdefault("currency", values["_currency"])
    return Opportunity(
        customer_id=values["_customer"],
        external_id=values.get("key", ""),
        created_by=context.actor,
        created_at=created_at,
        updated_at=context.now,
        stage=values["_stage"],
        **{name: value for name, value in columns.items() if name != "stage_id"},
    )


def _change(
    opp: Opportunity, old: str | None, new: str, context: Context, at: datetime
) -> OpportunityChange:
    return OpportunityChange(
        opportunity=opp,
        at=at,
        actor=context.actor,
        field="stage",
        old=old,
        new=new,
        why=context.file_name[:500],
    )


register(OpportunityImport())
