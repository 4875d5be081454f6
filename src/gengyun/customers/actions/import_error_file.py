"""The file of refused rows: columns as they came and the reason, to be mended and sent again.

And, where rows carry money, the file of all rows with what came of each and by which rule.
"""

import csv
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from gengyun.customers.actions.import_kinds import Planned, Problem
from gengyun.customers.actions.import_messages import explain
from gengyun.customers.actions.import_outcome import plain
from gengyun.customers.models import ImportRun
from gengyun.customers.queries.import_file import Table


def write_error_file(run: ImportRun, table: Table, errors: list[Planned]) -> str:
    """Returns the path below the data folder."""
    lines = ([*_cells(planned), reasons(planned.problems)] for planned in errors)
    return _write(run, table, "errors", [gettext_noop("Error")], lines)


def write_row_file(run: ImportRun, table: Table, planned: list[Planned]) -> str:
    """Every row with its outcome, what was worked out from it, flags and reasons."""
    names = list(dict.fromkeys(name for row in planned for name in row.facts))
    added = [gettext_noop("Outcome"), *names, gettext_noop("To check"), gettext_noop("Error")]
    lines = (
        [
            *_cells(row),
            row.outcome,
            *(_figure(name, row.facts.get(name)) for name in names),
            reasons(row.flags),
            reasons(row.problems),
        ]
        for row in planned
    )
    return _write(run, table, "rows", added, lines)


def _write(
    run: ImportRun, table: Table, part: str, added: list[str], lines: Iterable[list[str]]
) -> str:
    """In the encoding of the file that came, so that the same programs open it; UTF-8 carries a
    mark so that Excel knows. In the language of who imports; `lines` is made inside it.
    """
    encoding = "gb18030" if table.encoding == "gb18030" else "utf-8-sig"
    language = run.created_by.language if run.created_by else settings.LANGUAGE_CODE
    stored = f"files/imports/{run.pk}-{part}.csv"
    path = settings.DATA_DIR / stored
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        translation.override(language),
        path.open("w", encoding=encoding, errors="replace", newline="") as file,
    ):
        writer = csv.writer(file, delimiter=table.delimiter)
        writer.writerow([*map(_safe, table.headers), *map(gettext, added)])
        writer.writerows(lines)
    return stored


def _cells(planned: Planned) -> list[str]:
    return [_safe(cell) for cell in planned.row.cells]


def _figure(name: str, value: Any) -> str:
    """Money as a number with two places, in its major unit."""
    if value is None:
        return ""
    if name.endswith("_minor"):
        return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d}"
    return _safe(value)


def reasons(problems: Iterable[Problem]) -> str:
    return gettext("; ").join(explain(plain(problem)) for problem in problems)


def _safe(cell: Any) -> str:
    """No cell of the file may run as a formula in a spreadsheet; the import takes the ' off."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell)
    is_formula = text[:1] in {"=", "@", "\t", "\r"} or (
        text[:1] in {"+", "-"} and not text[1:2].isdigit()
    )
    return f"'{text}" if is_formula and text.strip("-") else text
