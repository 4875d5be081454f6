"""What can be imported, and the shapes that pass between reading, planning and writing.

A package above registers its own kind (activities, contracts) in its `jobs.py`. A kind plans the
whole file first (what comes of each row), so that the dry run and the run are the same computation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol, runtime_checkable

from gengyun.customers.calc.cells import BadCell
from gengyun.customers.calc.columns import Column
from gengyun.customers.queries.import_file import Row, Table
from gengyun.team.models import User

CREATED, CHANGED, SAME, ERROR = "created", "changed", "same", "error"
Parser = Callable[[Any, str], Any]  # cell, header -> value; None is "nothing written here"


@dataclass(frozen=True)
class Problem:
    """Why a row is refused; `code` is a key of `import_messages.MESSAGES`."""

    code: str
    column: str = ""  # header
    value: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Planned:
    """A row and what will come of it."""

    row: Row
    values: dict[str, Any]
    outcome: str = SAME
    problems: list[Problem] = field(default_factory=list)
    target: int | None = None  # the object that is changed
    label: str = ""
    told: dict[str, list[Any]] = field(default_factory=dict)  # field -> [old, new], to show
    unread: set[str] = field(default_factory=set)  # fields whose cells could not be read
    # what somebody should look at; the row goes in all the same
    flags: list[Problem] = field(default_factory=list)
    # what was worked out from the row, fit for JSON: {"arr_minor", "currency", "rule", ...}
    facts: dict[str, Any] = field(default_factory=dict)

    def refuse(self, code: str, field_name: str = "", /, **params: Any) -> None:
        """`field_name` is replaced by the header it came from when the plan is finished."""
        value = str(self.values.get(field_name, ""))[:80]
        self.problems.append(Problem(code, field_name, value, params))
        self.outcome = ERROR

    def flag(self, code: str, field_name: str = "", /, **params: Any) -> None:
        """Like `refuse`, but the row goes in."""
        value = str(self.values.get(field_name, ""))[:80]
        self.flags.append(Problem(code, field_name, value, params))


@dataclass(frozen=True)
class Context:
    actor: User | None
    now: datetime
    known_from: date | None = None
    file_name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)  # those of the kind, cleaned


@dataclass(frozen=True)
class Option:
    """What holds for a whole file. `parse` gives a value fit for JSON or raises `BadCell`."""

    name: str
    form: str  # text, flag, choice, day: how a page asks for it
    parse: Callable[[Any], Any]
    choices: Callable[[], Sequence[tuple[str, str]]] | None = None  # value, its name


class ImportKind(Protocol):
    name: str

    @property
    def columns(self) -> tuple[Column, ...]: ...

    @property
    def parsers(self) -> Mapping[str, Parser]: ...

    # at least one field of each group must be mapped
    needed: tuple[frozenset[str], ...]

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        """Set outcome, target, told and problems of every row that could be read."""

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        """Write rows to be created or changed, inside the caller's transaction, in bulk."""

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """What needs all rows to be there. Harmless when repeated."""


@runtime_checkable
class Reckoned(Protocol):
    """A kind whose rows carry money: every row can be had with what came of it, and totals."""

    def amounts(self, row: Planned) -> Iterable[tuple[str, str, int | None]]:
        """(measure, currency or "", minor units); `None`: a cell is filled but cannot be read."""

    def default_currency(self, context: Context) -> str:
        """Of amounts that neither a cell nor a column says it of."""


@runtime_checkable
class Batched(Protocol):
    """A kind that writes in an order of its own, and keeps together what must not be parted."""

    def ordered(self, planned: Sequence[Planned]) -> list[Planned]:
        """All rows, the same order for the same file and the same database."""

    def together(self, row: Planned) -> object:
        """Rows that follow each other with the same answer go into one transaction."""


def options_of(kind: ImportKind) -> tuple[Option, ...]:
    found: tuple[Option, ...] = getattr(kind, "options", ())
    return found


def capability_of(kind: ImportKind) -> str:
    """Who may import it; most kinds: who may import customers."""
    found: str = getattr(kind, "capability", "customer.import")
    return found


_kinds: dict[str, ImportKind] = {}


def register(kind: ImportKind) -> None:
    _kinds[kind.name] = kind


def kind_named(name: str) -> ImportKind | None:
    return _kinds.get(name)


def parse_rows(table: Table, mapping: Mapping[str, str | None], kind: ImportKind) -> list[Planned]:
    """Every row with its cells read; what cannot be read is a problem of the row."""
    parsers = kind.parsers
    wanted = [
        (place, header, field_name, parsers[field_name])
        for place, header in enumerate(table.headers)
        # a custom field may have been retired since the mapping was made
        if (field_name := mapping.get(header)) and field_name in parsers
    ]
    return [_parse_row(row, wanted) for row in table.rows]


def _parse_row(row: Row, wanted: list[tuple[int, str, str, Parser]]) -> Planned:
    planned = Planned(row, {})
    if row.problem:
        planned.problems.append(Problem(row.problem))
        planned.outcome = ERROR
        return planned
    for place, header, field_name, parse in wanted:
        cell = row.cells[place]
        if cell is None:
            continue
        try:
            value = parse(cell, header)
        except BadCell as bad:
            planned.problems.append(Problem(bad.code, header, str(cell)[:80], bad.params))
            planned.outcome = ERROR
            planned.unread.add(field_name)
            continue
        if value is not None:
            planned.values[field_name] = value
    return planned


def limited(longest: int, parse: Callable[[Any], str | None]) -> Parser:
    """A text parser that refuses what the column of the database would not hold."""

    def parsed(cell: Any, header: str) -> str | None:
        found = parse(cell)
        if found is not None and len(found) > longest:
            raise BadCell("too_long", limit=longest)
        return found

    return parsed


def plain(parse: Callable[[Any], Any]) -> Parser:
    """A parser that does not care about the header."""
    return lambda cell, _header: parse(cell)
