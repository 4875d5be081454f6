"""Values of custom fields: what a kind of field accepts, how it reads a cell, what is stored.

A value is text (text), Decimal (number), int in minor units (money), date, bool, the key of a
choice (choice) or a list of such keys (multi). `None` is unknown; an empty text is `None`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from gengyun.customers.calc import cells
from gengyun.customers.calc.columns import amount_unit

TEXT, NUMBER, MONEY, DATE, BOOL, CHOICE, MULTI = (
    "text", "number", "money", "date", "bool", "choice", "multi",
)  # fmt: skip
PREFIX = "custom_"  # before the key, where a custom field stands among the built-in ones
LONGEST_TEXT = 500
LARGEST_NUMBER = 10**11  # with 4 places behind the point 15 digits: exact in every database
LARGEST_MINOR = 10**15
PLACES = Decimal("0.0001")


class BadValue(ValueError):
    """A value that does not fit its field."""


@dataclass(frozen=True)
class Option:
    key: str
    name_zh: str
    name_en: str
    is_retired: bool = False


@dataclass(frozen=True)
class Definition:
    """A custom field, as far as its values go."""

    key: str
    kind: str
    options: tuple[Option, ...] = ()

    @property
    def name(self) -> str:
        """Among the built-in fields: in filters, columns, imports and the audit log."""
        return PREFIX + self.key

    def rank(self, option: str) -> int | None:
        """The place of an option: what a list sorts by."""
        return next((n for n, found in enumerate(self.options) if found.key == option), None)


@dataclass(frozen=True)
class Stored:
    """One row of storage: `number` and `day` are what is compared, `text` what is matched."""

    text: str | None = None
    number: Decimal | None = None
    day: date | None = None


def clean(definition: Definition, value: Any) -> Any:
    """The value in its own type, `None` for nothing; refuses what does not fit by `BadValue`."""
    if value is None or value in ("", []):
        return None
    return _CLEAN[definition.kind](definition, value)


def _clean_text(_definition: Definition, value: Any) -> str | None:
    text = " ".join(str(value).split())
    if len(text) > LONGEST_TEXT:
        raise BadValue(text[:40])
    return text or None


def _clean_number(_definition: Definition, value: Any) -> Decimal:
    if isinstance(value, bool):
        raise BadValue(value)
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise BadValue(value) from error
    if not number.is_finite() or abs(number) >= LARGEST_NUMBER:
        raise BadValue(value)
    return number.quantize(PLACES).normalize() + 0


def _clean_money(_definition: Definition, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_MINOR:
        raise BadValue(value)
    return value


def _clean_date(_definition: Definition, value: Any) -> date:
    if type(value) is not date:
        raise BadValue(value)
    return value


def _clean_bool(_definition: Definition, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue(value)
    return value


def _clean_choice(definition: Definition, value: Any) -> str:
    if definition.rank(str(value)) is None:
        raise BadValue(value)
    return str(value)


def _clean_multi(definition: Definition, value: Any) -> list[str] | None:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise BadValue(value)
    wanted = {_clean_choice(definition, one) for one in value}
    return [option.key for option in definition.options if option.key in wanted] or None


_CLEAN: Mapping[str, Callable[[Definition, Any], Any]] = {
    TEXT: _clean_text,
    NUMBER: _clean_number,
    MONEY: _clean_money,
    DATE: _clean_date,
    BOOL: _clean_bool,
    CHOICE: _clean_choice,
    MULTI: _clean_multi,
}


def stored(definition: Definition, value: Any) -> list[Stored]:
    """A cleaned value as rows: one, for a multiple choice one per option."""
    if value is None:
        return []
    kind = definition.kind
    if kind == DATE:
        return [Stored(day=value)]
    if kind in {NUMBER, MONEY, BOOL}:
        return [Stored(number=Decimal(int(value) if kind != NUMBER else value))]
    keys = value if kind == MULTI else [value]
    ranks = {key: definition.rank(key) for key in keys} if kind in {CHOICE, MULTI} else {}
    return [
        Stored(text=key, number=None if ranks.get(key) is None else Decimal(ranks[key] or 0))
        for key in keys
    ]


def value_of(definition: Definition, rows: Sequence[Stored]) -> Any:
    """What `stored` took apart."""
    if not rows:
        return None
    first, kind = rows[0], definition.kind
    if kind == DATE:
        return first.day
    if kind == MULTI:
        keys = {row.text for row in rows}
        return [option.key for option in definition.options if option.key in keys] or None
    if kind in {TEXT, CHOICE}:
        return first.text
    return None if first.number is None else _from_number(kind, first.number)


def _from_number(kind: str, number: Decimal) -> Any:
    if kind == BOOL:
        return number == 1
    return int(number) if kind == MONEY else number.normalize() + 0


def as_json(value: Any) -> Any:
    """For the history and for programs: a whole number as int, another as float, ISO days."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def from_json(kind: str, value: Any) -> Any:
    """What `as_json` wrote."""
    if value is None:
        return None
    if kind == DATE:
        return date.fromisoformat(value)
    return Decimal(str(value)) if kind == NUMBER else value


def exported(definition: Definition, value: Any, *, zh: bool) -> Any:
    """For a spreadsheet: numbers, amounts and days in their own type, choices by name."""
    if value is None:
        return None
    if definition.kind == MONEY:
        return (Decimal(value) / 100).quantize(Decimal("0.01"))
    return value if definition.kind in {NUMBER, DATE} else label(definition, value, zh=zh)


def label(definition: Definition, value: Any, *, zh: bool = True) -> str:
    """A value in words, for logs and exports; "" for unknown."""
    if value is None:
        return ""
    if definition.kind == BOOL:
        return ("是" if value else "否") if zh else ("yes" if value else "no")
    if definition.kind == MONEY:
        return f"{Decimal(value) / 100:.2f}"
    if definition.kind == NUMBER:
        return f"{value:f}"
    if definition.kind in {CHOICE, MULTI}:
        keys = value if isinstance(value, list) else [value]
        return ("、" if zh else ", ").join(option_name(definition, key, zh=zh) for key in keys)
    return value.isoformat() if isinstance(value, date) else str(value)


def option_name(definition: Definition, key: str, *, zh: bool = True) -> str:
    place = definition.rank(key)
    if place is None:
        return key
    option = definition.options[place]
    return (option.name_zh or option.name_en) if zh else (option.name_en or option.name_zh)


def read_cell(definition: Definition, cell: Any, header: str = "") -> Any:
    """A cell of an import or a typed text as a value; raises `cells.BadCell`."""
    return _READ[definition.kind](definition, cell, header)


def _read_text(_definition: Definition, cell: Any, _header: str) -> str | None:
    found = cells.text(cell)
    if found is not None and len(found) > LONGEST_TEXT:
        raise cells.BadCell("too_long", limit=LONGEST_TEXT)
    return found


def _read_number(_definition: Definition, cell: Any, _header: str) -> Decimal | None:
    number = cells.decimal(cell)
    if number is not None and abs(number) >= LARGEST_NUMBER:
        raise cells.BadCell("not_a_number")
    return None if number is None else number.quantize(PLACES).normalize() + 0


def _read_money(_definition: Definition, cell: Any, header: str) -> int | None:
    return cells.amount_minor(cell, unit=amount_unit(header))


def _read_date(_definition: Definition, cell: Any, _header: str) -> date | None:
    return cells.day(cell)


def _read_bool(_definition: Definition, cell: Any, _header: str) -> bool | None:
    return cells.yes_or_no(cell)


def _read_choice(definition: Definition, cell: Any, _header: str) -> str | None:
    found = cells.text(cell)
    return None if found is None else _option_named(definition, found)


def _read_multi(definition: Definition, cell: Any, _header: str) -> list[str] | None:
    names = cells.words(cell)
    if names is None:
        return None
    wanted = {_option_named(definition, name) for name in names}
    return [option.key for option in definition.options if option.key in wanted]


def _option_named(definition: Definition, written: str) -> str:
    """By name in either language, else by key; a retired option is not taken any more."""
    folded = written.casefold()
    open_options = [option for option in definition.options if not option.is_retired]
    for option in open_options:
        if folded in {option.name_zh.casefold(), option.name_en.casefold()}:
            return option.key
    for option in open_options:
        if folded == option.key:
            return option.key
    names = [option.name_zh or option.name_en for option in open_options]
    raise cells.BadCell("not_a_choice", choices="、".join(names)[:120])


_READ: Mapping[str, Callable[[Definition, Any, str], Any]] = {
    TEXT: _read_text,
    NUMBER: _read_number,
    MONEY: _read_money,
    DATE: _read_date,
    BOOL: _read_bool,
    CHOICE: _read_choice,
    MULTI: _read_multi,
}
