"""Import of exchange rates: one day, one pair, one rate. A correction is a row known later."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

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
from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import Column
from gengyun.kernel.days import day_of
from gengyun.revenue.actions.import_common import (
    BATCH,
    HISTORY_OPTION,
    good,
    keep_record,
    known_at,
    needed_values,
    refuse_repeated,
)
from gengyun.revenue.calc import import_cells
from gengyun.revenue.calc.import_columns import RATE_COLUMNS
from gengyun.revenue.models import ExchangeRate
from gengyun.revenue.queries.settings import current

PARSERS: Mapping[str, Parser] = {
    "currency": plain(import_cells.currency),
    "base": plain(import_cells.currency),
    "on": plain(cells.day),
    "rate": plain(import_cells.rate),
    "per": plain(cells.count),
    "source": limited(80, cells.text),
}
PLACES = Decimal("0.00000001")


class RateImport:
    name = "rates"
    capability = "settings.edit"
    columns: tuple[Column, ...] = RATE_COLUMNS
    parsers = PARSERS
    options: tuple[Option, ...] = (HISTORY_OPTION,)
    needed: tuple[frozenset[str], ...] = (
        frozenset({"currency"}),
        frozenset({"on"}),
        frozenset({"rate"}),
    )

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        base = current().base_currency
        for row in planned:
            _check(row, base, day_of(context.now))
        refuse_repeated(planned, _key)
        rows = [row for row in good(planned) if "repeats_row" not in row.facts]
        present = _latest([row.values["on"] for row in rows])
        for row in rows:
            before = present.get(_key(row))
            row.outcome = (
                CREATED if before is None else SAME if before == row.values["_rate"] else CHANGED
            )
            if row.outcome != SAME:
                row.told = {"rate": [before and str(before), str(row.values["_rate"])]}

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        made = ExchangeRate.objects.bulk_create(
            [_rate(row, context) for row in planned], batch_size=BATCH
        )
        told = [(rate, {"rate": [None, str(rate.rate)]}) for rate in made]
        keep_record(context, "rate", made=told)

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""


def _rate(row: Planned, context: Context) -> ExchangeRate:
    """What corrects a rate is news of today; what is new may be as old as its day."""
    is_new = row.outcome == CREATED
    return ExchangeRate(
        currency=row.values["currency"],
        base=row.values["_base"],
        on=row.values["on"],
        rate=row.values["_rate"],
        source=row.values.get("source", context.file_name[:80]),
        known_at=known_at(context, row.values["on"]) if is_new else context.now,
    )


def _check(row: Planned, base: str, today: date) -> None:
    if row.outcome == ERROR:
        return
    values = row.values
    row.label = f"{values.get('currency', '')} {values.get('on', '')}".strip()
    wanted = {"currency": "currency_missing", "on": "day_missing", "rate": "exchange_rate_missing"}
    needed_values(row, wanted)
    if row.outcome == ERROR:
        return
    values["_base"] = values.get("base", base)
    # banks quote 100 dollars or 100 yen
    values["_rate"] = (values["rate"] / (values.get("per") or 1)).quantize(PLACES)
    if values["_base"] == values["currency"]:
        row.refuse("currency_of_itself", "currency")
    if values["on"] > today:
        row.refuse("in_future", "on")
    if not values["_rate"]:
        row.refuse("not_a_rate", "rate")


def _key(row: Planned) -> tuple[str, str, date]:
    return row.values["currency"], row.values["_base"], row.values["on"]


def _latest(days: list[date]) -> dict[tuple[str, str, date], Decimal]:
    """The rate of each pair and day as it is known now."""
    if not days:
        return {}
    rows = ExchangeRate.objects.filter(on__gte=min(days), on__lte=max(days))
    return {(row.currency, row.base, row.on): row.rate for row in rows.order_by("known_at", "pk")}


register(RateImport())
