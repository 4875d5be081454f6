"""What the imports of revenue share: parsers of cells, currencies, options, what was there before.

A kind reads the whole file first and knows what comes of every row; see `import_kinds`.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from django.db.models import Model

from gengyun.customers.actions.import_kinds import (
    CREATED,
    ERROR,
    SAME,
    Context,
    Option,
    Parser,
    Planned,
)
from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import amount_unit
from gengyun.kernel.days import start_of
from gengyun.kernel.outbox import emit
from gengyun.revenue.calc import import_cells
from gengyun.revenue.calc.import_cells import Amount
from gengyun.revenue.queries.settings import current
from gengyun.team.actions.audit import record_many

BATCH = 1_000
CHUNK = 5_000  # ids in one query
Key = TypeVar("Key", bound=Hashable)


def money(*, signed: bool = False) -> Parser:
    """An amount in the unit that its header names."""
    return lambda cell, header: import_cells.amount(cell, unit=amount_unit(header), signed=signed)


def choice(names: Mapping[str, str], code: str) -> Parser:
    """Keys and their usual names, compared without case, width and underscores."""
    known = {key.replace("_", " ").casefold(): value for key, value in names.items()}
    return lambda cell, _header: import_cells.choice(cell, known, code)


def _currencies() -> list[tuple[str, str]]:
    usual = dict.fromkeys(
        (current().base_currency, "CNY", "USD", "EUR", "HKD", "JPY", "GBP", "SGD")
    )
    return [(code, code) for code in usual]


# what the files of most systems leave unsaid
CURRENCY_OPTION = Option("currency", "choice", import_cells.currency, _currencies)
HISTORY_OPTION = Option("history", "flag", cells.yes_or_no)


class WithMoney:
    """What the kinds of this package have in common."""

    def default_currency(self, context: Context) -> str:
        code: str = context.options.get("currency") or current().base_currency
        return code


def currency_of(row: Planned, context: Context, *fields: str, default: str) -> str:
    """By its column, else the amount's cell, else the option. A contradiction is refused."""
    named = [found.currency for field in fields if (found := row.values.get(field)) is not None]
    said = [code for code in (row.values.get("currency"), *named) if code]
    if len(set(said)) > 1:
        row.refuse("currency_differs", "currency", currencies=", ".join(dict.fromkeys(said)))
    code: str = (said or [context.options.get("currency") or default])[0]
    return code


def minor_of(row: Planned, field: str, currency: str) -> int:
    """Minor units of an amount. The rule is half up; a row that was rounded goes in and says so."""
    found: Amount = row.values[field]
    minor = found.minor(currency)
    if found.is_rounded(currency):
        row.flag("rounded", field, currency=currency)
    return minor


def amounts_of(row: Planned, field: str) -> Iterable[tuple[str, str, int | None]]:
    """For the totals of a file: the sum of its cells, those of refused rows too."""
    found: Amount | None = row.values.get(field)
    if found is not None:
        code = row.values.get("_currency") or row.values.get("currency") or found.currency or ""
        yield field, code, found.minor(code)  # without a code: two places, as the default
    elif field in row.unread:
        yield field, row.values.get("currency", ""), None


def known_at(context: Context, day: date) -> datetime:
    """Now; or with `known_from` since that day, with `history` since the day itself — no fact is
    known before it happened, and none in the future."""
    if context.options.get("history"):
        return min(context.now, start_of(day))
    if context.known_from is not None:
        return min(context.now, start_of(max(day, context.known_from)))
    return context.now


def chunks(ids: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    wanted = list(ids)
    for start in range(0, len(wanted), size):
        yield wanted[start : start + size]


def by_values(rows: Any, field: str, values: Iterable[Any]) -> list[Any]:
    """Rows whose field is one of many values, without a query that is too long."""
    wanted = dict.fromkeys(value for value in values if value is not None)
    return [row for part in chunks(wanted) for row in rows.filter(**{f"{field}__in": part})]


def good(planned: Sequence[Planned]) -> list[Planned]:
    return [row for row in planned if row.outcome != ERROR]


def refuse_repeated(
    planned: Sequence[Planned],
    key_of: Callable[[Planned], Hashable | None],
    *,
    code: str = "row_repeated",
    field: str = "",
) -> None:
    """Two rows of one key: the same again is left out as unchanged, other values are refused.

    Of refused rows the first good one counts, so that mending it does not bring in both.
    """
    first: dict[Hashable, Planned] = {}
    for row in planned:
        key = None if row.outcome == ERROR else key_of(row)
        if key is None:
            continue
        before = first.setdefault(key, row)
        if before is row:
            continue
        if written(before) == written(row):
            row.outcome, row.told, row.target = SAME, {}, before.target
            row.facts["repeats_row"] = before.row.number
        else:
            row.refuse(code, field, row=before.row.number)


def written(row: Planned) -> dict[str, Any]:
    """What the file says, without what the plan has put beside it."""
    return {name: value for name, value in row.values.items() if not name.startswith("_")}


def match_counted(
    planned: Sequence[Planned], key_of: Callable[[Planned], Key], present: Counter[Key]
) -> None:
    """For rows without a key of their own: as many as are there already count as unchanged."""
    left = present.copy()
    for row in planned:
        key = key_of(row)
        if left[key] > 0:
            left[key] -= 1
            row.outcome = SAME
        else:
            row.outcome = CREATED


def shown(value: Any) -> Any:
    """Fit for JSON and for the page."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Model):
        return str(value)
    return value


def differences(
    present: Model | None, columns: Mapping[str, Any], *, hidden: Iterable[str] = ()
) -> dict[str, list[Any]]:
    """field -> [old, new] of what the row would change; all of it where nothing is there."""
    left_out = set(hidden)
    return {
        name: [shown(getattr(present, name, None)), shown(value)]
        for name, value in columns.items()
        if name not in left_out and (present is None or getattr(present, name) != value)
    }


def needed_values(row: Planned, wanted: Mapping[str, str]) -> None:
    """Each must be filled; what is filled and cannot be read has said so already."""
    for name, code in wanted.items():
        if name not in row.values and not row.problems:
            row.refuse(code, name)


def keep_record(
    context: Context,
    noun: str,
    *,
    made: Iterable[tuple[Model, Mapping[str, Any]]],
    changed: Iterable[tuple[Model, Mapping[str, Any]]] = (),
) -> None:
    """Audit rows, as the forms write them; a change says that it came by a file."""
    actor, now = context.actor, context.now
    record_many(actor=actor, now=now, action=f"{noun}.create", changes=made)
    record_many(actor=actor, now=now, action=f"{noun}.import", changes=changed)


def tell(context: Context, event: str, customer_ids: Iterable[int]) -> None:
    if ids := sorted(set(customer_ids)):
        emit(event, {"customer_ids": ids}, now=context.now)
