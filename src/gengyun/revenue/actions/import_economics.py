"""Import of spend and of the budgets that customers told us of. Both are append-only."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from gengyun.customers.actions.import_lookup import Book, People
from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import Column
from gengyun.kernel.days import day_of
from gengyun.revenue.actions.import_common import (
    BATCH,
    CURRENCY_OPTION,
    HISTORY_OPTION,
    WithMoney,
    amounts_of,
    by_values,
    choice,
    currency_of,
    good,
    keep_record,
    known_at,
    match_counted,
    minor_of,
    money,
    needed_values,
    refuse_repeated,
    tell,
)
from gengyun.revenue.calc import import_cells
from gengyun.revenue.calc.import_columns import BUDGET_COLUMNS, SPEND_COLUMNS
from gengyun.revenue.models import Spend, SpendKind, WalletBudget
from gengyun.revenue.queries.settings import current

SPEND_KINDS = {
    "sales_marketing": "sales_marketing", "销售与市场": "sales_marketing",
    "市场": "sales_marketing", "销售": "sales_marketing", "市场费用": "sales_marketing",
    "销售费用": "sales_marketing",
    "获客": "sales_marketing", "sales and marketing": "sales_marketing", "s&m": "sales_marketing",
    "sales": "sales_marketing", "marketing": "sales_marketing", "cs": "cs", "客户成功": "cs",
    "客户成功费用": "cs", "customer success": "cs", "salary": "salary", "工资": "salary",
    "薪资": "salary", "薪酬": "salary", "人力成本": "salary", "wage": "salary", "cogs": "cogs",
    "交付成本": "cogs", "服务成本": "cogs", "营业成本": "cogs", "云资源": "cogs",
    "cost of delivery": "cogs", "delivery": "cogs", "hosting": "cogs",
}  # fmt: skip
SPEND_PARSERS: Mapping[str, Parser] = {
    "month": plain(import_cells.month),
    "kind": choice(SPEND_KINDS, "spend_kind_unknown"),
    "amount": money(signed=True),
    "currency": plain(import_cells.currency),
    "user": plain(cells.text),
    "key": limited(200, cells.text),
    "note": limited(200, cells.text),
}
BUDGET_PARSERS: Mapping[str, Parser] = {
    "customer": plain(cells.text),
    "category": limited(80, cells.text),
    "year": plain(import_cells.year),
    "amount": money(),
    "currency": plain(import_cells.currency),
    "said_by": limited(120, cells.text),
    "said_on": plain(cells.day),
}


class SpendImport(WithMoney):
    """Rows add up within a month. One with a key that is there already writes the difference."""

    name = "spend"
    capability = "settings.edit"  # salaries
    columns: tuple[Column, ...] = SPEND_COLUMNS
    parsers = SPEND_PARSERS
    options: tuple[Option, ...] = (CURRENCY_OPTION, HISTORY_OPTION)
    needed: tuple[frozenset[str], ...] = tuple(
        frozenset({name}) for name in ("month", "kind", "amount")
    )

    def amounts(self, row: Planned) -> Iterable[tuple[str, str, int | None]]:
        return amounts_of(row, "amount")

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        people, base = People.load(), current().base_currency
        for row in planned:
            _check_spend(row, people, context, base)
        refuse_repeated(planned, lambda row: row.values.get("key"), code="number_repeated")
        rows = [row for row in good(planned) if "repeats_row" not in row.facts]
        _plan_keyed([row for row in rows if "key" in row.values])
        _plan_bare([row for row in rows if "key" not in row.values])

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        made = Spend.objects.bulk_create(
            [
                Spend(
                    **{
                        name: value for name, value in _spend(row).items() if name != "amount_minor"
                    },
                    amount_minor=row.values["_difference"],
                    note=row.values.get("note", ""),
                    external_id=row.values.get("key", ""),
                    known_at=(
                        known_at(context, row.values["month"])
                        if row.outcome == CREATED
                        else context.now
                    ),
                )
                for row in planned
            ],
            batch_size=BATCH,
        )
        told = [(spend, {"amount_minor": [None, spend.amount_minor]}) for spend in made]
        keep_record(context, "spend", made=told)

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""


def _check_spend(row: Planned, people: People, context: Context, base: str) -> None:
    values = row.values
    row.label = " ".join(str(values[name]) for name in ("month", "kind") if name in values)
    values["_currency"] = currency_of(row, context, "amount", default=base)
    wanted = {"month": "month_missing", "kind": "kind_missing", "amount": "amount_missing"}
    needed_values(row, wanted)
    if row.outcome == ERROR:
        return
    values["_minor"] = minor_of(row, "amount", values["_currency"])
    if not values["_minor"]:
        row.refuse("amount_zero", "amount")
    values["_user"] = None
    if values["kind"] == SpendKind.SALARY:
        if "user" not in values:
            row.refuse("salary_of_nobody", "user")
        else:
            values["_user"] = people.find(row, "user")


def _spend(row: Planned) -> dict[str, Any]:
    values = row.values
    return {
        "kind": values["kind"],
        "month": values["month"],
        "amount_minor": values["_minor"],
        "currency": values["_currency"],
        "user_id": values["_user"].pk if values["_user"] else None,
    }


def _new_spend(row: Planned, context: Context) -> Spend:
    """What corrects a month is news of today; what is new may be as old as its month."""
    is_new = row.outcome == CREATED
    return Spend(
        **_spend(row) | {"amount_minor": row.values["_difference"]},
        note=row.values.get("note", ""),
        external_id=row.values.get("key", ""),
        known_at=known_at(context, row.values["month"]) if is_new else context.now,
    )


def _tell_spend(row: Planned, before: int | None) -> None:
    row.told = {"amount_minor": [before, row.values["_minor"]]}


def _plan_keyed(rows: Sequence[Planned]) -> None:
    """The rows of a key add up to what its last file said."""
    present: dict[str, list[Spend]] = {}
    for spend in by_values(Spend.objects, "external_id", [row.values["key"] for row in rows]):
        present.setdefault(spend.external_id, []).append(spend)
    for row in rows:
        before, says = present.get(row.values["key"], []), _spend(row)
        fixed = {name: value for name, value in says.items() if name != "amount_minor"}
        if any(getattr(spend, name) != fixed[name] for spend in before for name in fixed):
            row.refuse("spend_differs", "key")
            continue
        held = sum(spend.amount_minor for spend in before)
        row.values["_difference"] = says["amount_minor"] - held
        if not before:
            row.outcome = CREATED
        else:
            row.outcome = CHANGED if row.values["_difference"] else SAME
        if row.outcome != SAME:
            _tell_spend(row, held if before else None)


def _plan_bare(rows: Sequence[Planned]) -> None:
    """As many of the same kind, month, amount and person as are there already are the same."""
    months = {row.values["month"] for row in rows}
    present = Counter(
        (spend.kind, spend.month, spend.amount_minor, spend.currency, spend.user_id)
        for spend in by_values(Spend.objects.filter(external_id=""), "month", months)
    )
    match_counted(rows, lambda row: tuple(_spend(row).values()), present)
    for row in rows:
        row.values["_difference"] = row.values["_minor"]
        if row.outcome == CREATED:
            _tell_spend(row, None)


class BudgetImport(WithMoney):
    name = "budgets"
    columns: tuple[Column, ...] = BUDGET_COLUMNS
    parsers = BUDGET_PARSERS
    options: tuple[Option, ...] = (CURRENCY_OPTION, HISTORY_OPTION)
    needed: tuple[frozenset[str], ...] = tuple(
        frozenset({name}) for name in ("customer", "category", "year", "amount")
    )

    def amounts(self, row: Planned) -> Iterable[tuple[str, str, int | None]]:
        return amounts_of(row, "amount")

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        book, base = Book.load(context.actor), current().base_currency
        for row in planned:
            _check_budget(row, book, context, base)
        refuse_repeated(planned, _budget_key)
        rows = [row for row in good(planned) if "repeats_row" not in row.facts]
        present = _budgets(rows)
        for row in rows:
            before = present.get(_budget_key(row))
            says = (row.values["_minor"], row.values["_currency"])
            held = (before.amount_minor, before.currency) if before else None
            row.outcome = CREATED if before is None else SAME if held == says else CHANGED
            if row.outcome != SAME:
                row.told = {"amount_minor": [before and before.amount_minor, says[0]]}

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        made = WalletBudget.objects.bulk_create(
            [_budget(row, context) for row in planned], batch_size=BATCH
        )
        told = [(budget, {"amount_minor": [None, budget.amount_minor]}) for budget in made]
        keep_record(context, "budget", made=told)
        tell(context, "opportunity.changed", (budget.customer_id for budget in made))

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""


def _check_budget(row: Planned, book: Book, context: Context, base: str) -> None:
    values = row.values
    row.label = f"{values.get('customer', '')} {values.get('year', '')}".strip()
    values["_currency"] = currency_of(row, context, "amount", default=base)
    needed_values(
        row,
        {
            "customer": "customer_missing",
            "category": "category_missing",
            "year": "year_missing",
            "amount": "amount_missing",
        },
    )
    if "customer" in values:
        values["_customer"] = book.find(row, "customer")
    if row.outcome == ERROR:
        return
    values["_minor"] = minor_of(row, "amount", values["_currency"])
    if (said_on := values.get("said_on")) and said_on > day_of(context.now):
        row.refuse("in_future", "said_on")


def _budget_key(row: Planned) -> tuple[int, str, int]:
    values = row.values
    return values["_customer"], values["category"], values["year"]


def _budgets(rows: Sequence[Planned]) -> dict[tuple[int, str, int], WalletBudget]:
    """The statement of each customer, category and year that holds now."""
    found = by_values(
        WalletBudget.objects, "customer_id", (row.values["_customer"] for row in rows)
    )
    found.sort(key=lambda budget: (budget.known_at, budget.pk))
    return {(budget.customer_id, budget.category, budget.year): budget for budget in found}


def _budget(row: Planned, context: Context) -> WalletBudget:
    values = row.values
    said_on = values.get("said_on")
    return WalletBudget(
        customer_id=values["_customer"],
        category=values["category"],
        year=values["year"],
        amount_minor=values["_minor"],
        currency=values["_currency"],
        said_by=values.get("said_by", ""),
        said_on=said_on,
        author=context.actor,
        known_at=(
            known_at(context, said_on) if said_on and row.outcome == CREATED else context.now
        ),
    )


register(SpendImport())
register(BudgetImport())
