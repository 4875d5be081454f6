"""What a plan comes to: counts, first rows, reasons, and totals to hold beside the file's own."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from gengyun.customers.actions.import_kinds import (
    CHANGED,
    CREATED,
    ERROR,
    SAME,
    Context,
    ImportKind,
    Option,
    Planned,
    Problem,
    Reckoned,
    options_of,
)
from gengyun.customers.calc.cells import BadCell
from gengyun.kernel.errors import Refusal

OUTCOMES = (CREATED, CHANGED, SAME, ERROR)
SHOWN_ROWS = 20
SHOWN_RECKONED = 100  # where every row carries a figure that somebody wants to check
SHOWN_ERRORS = 100


class OptionInvalid(Refusal):
    code = "option_invalid"
    message = "%(value)s is no valid value for the option %(option)s."


def clean_options(given: Mapping[str, Any], importer: ImportKind) -> dict[str, Any]:
    """Those that are filled, fit for JSON; `known_from` is an option of every kind."""
    known = {option.name: option for option in (KNOWN_FROM, *options_of(importer))}
    cleaned: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or value == "":
            continue
        if name not in known:
            raise OptionInvalid(option=name, value=value)
        try:
            parsed = known[name].parse(value)
        except (BadCell, ValueError) as error:
            raise OptionInvalid(option=name, value=value) from error
        if parsed is not None:
            cleaned[name] = parsed
    return cleaned


def _day(value: Any) -> str:
    return (value if isinstance(value, date) else date.fromisoformat(str(value))).isoformat()


KNOWN_FROM = Option("known_from", "day", _day)


def plain(problem: Problem) -> dict[str, Any]:
    """As it is stored and as `import_messages.explain` takes it."""
    return {
        "column": problem.column,
        "value": problem.value,
        "code": problem.code,
        "params": dict(problem.params),
    }


def outcome_of(
    planned: Sequence[Planned], importer: ImportKind, context: Context
) -> dict[str, Any]:
    """The content of `ImportRun.outcome`."""
    counts = Counter(row.outcome for row in planned)
    shown = SHOWN_RECKONED if isinstance(importer, Reckoned) else SHOWN_ROWS
    found: dict[str, Any] = {
        **{name: counts[name] for name in OUTCOMES},
        "rows": [_shown(row) for row in planned[:shown]],
        "errors": _listed((row, row.problems) for row in planned if row.outcome == ERROR),
        "reasons": _counted(row.problems for row in planned if row.outcome == ERROR),
    }
    if any(row.flags for row in planned):
        found["flags"] = _listed((row, row.flags) for row in planned if row.outcome != ERROR)
        found["flagged"] = _counted(row.flags for row in planned if row.outcome != ERROR)
    if isinstance(importer, Reckoned):
        found["totals"] = totals_of(planned, importer, context)
    return found


def _shown(row: Planned) -> dict[str, Any]:
    told: dict[str, Any] = {
        "row": row.row.number,
        "outcome": row.outcome,
        "label": row.label or _first_cell(row),
        "changes": row.told,
    }
    if row.facts:
        told["facts"] = row.facts
    if row.flags:
        told["flags"] = [plain(problem) for problem in row.flags]
    return told


def _first_cell(row: Planned) -> str:
    """What names a row that could not be read as a whole."""
    return next((str(cell)[:80] for cell in row.row.cells if cell not in (None, "")), "")


def _listed(rows: Iterable[tuple[Planned, list[Problem]]]) -> list[dict[str, Any]]:
    found = [{"row": row.row.number} | plain(p) for row, problems in rows for p in problems]
    return found[:SHOWN_ERRORS]


def _counted(rows: Iterable[list[Problem]]) -> list[list[Any]]:
    """[code, rows] by how many rows bear it; a row with two reasons counts under both."""
    counts = Counter(code for problems in rows for code in {p.code for p in problems})
    return [[code, count] for code, count in sorted(counts.items(), key=lambda it: (-it[1], it[0]))]


def totals_of(
    planned: Sequence[Planned], importer: Reckoned, context: Context
) -> list[dict[str, Any]]:
    """For each measure and currency the sum of the file, and where each part of it went.

    The file's sum is made from its cells and equals the sum of the parts; cells that cannot be
    read as an amount are counted as `unreadable`, for no sum can hold them.
    """
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(
        lambda: dict.fromkeys(("file", *OUTCOMES, "rows", "unreadable"), 0)
    )
    default = importer.default_currency(context)
    for row in planned:
        for measure, currency, minor in importer.amounts(row):
            total = sums[measure, currency or default]
            if minor is None:
                total["unreadable"] += 1
                continue
            total["rows"] += 1
            total["file"] += minor
            total[row.outcome] += minor
    return [
        {"measure": measure, "currency": currency, **total}
        for (measure, currency), total in sums.items()
    ]
