"""The file of refused rows: columns as they came and the reason, to be mended and sent again.

And, where rows carry money, the file of all rows with what came of each and by which rule.
"""

import csv
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop, pgettext_lazy

from gengyun.customers.actions.import_kinds import (
    CHANGED,
    CREATED,
    ERROR,
    SAME,
    Planned,
    Problem,
)
from gengyun.customers.actions.import_messages import explain
from gengyun.customers.actions.import_outcome import plain
from gengyun.customers.models import ImportRun
from gengyun.customers.queries.import_file import Table


def write_error_file(run: ImportRun, table: Table, errors: list[Planned]) -> str:
    """Returns the path below the data folder."""
    lines = ([*_cells(planned), reasons(planned.problems)] for planned in errors)
    return _write(run, table, "errors", [gettext_noop("Error")], lines)


def write_row_file(run: ImportRun, table: Table, planned: list[Planned]) -> str:
    """Every row with its outcome, what was worked out from it, flags, reasons and their codes.

    Facts in minor units (`*_minor`) are left out: the kind says them in words beside.
    """
    facts = dict.fromkeys(name for row in planned for name in row.facts)
    names = [name for name in facts if not name.endswith("_minor")]
    told = [gettext_noop("To check"), gettext_noop("Error"), gettext_noop("Codes")]
    added = [gettext_noop("Outcome"), *names, *told]
    lines = (
        [
            *_cells(row),
            str(_OUTCOMES[row.outcome]),
            *(_figure(name, row.facts.get(name)) for name in names),
            reasons(row.flags),
            reasons(row.problems),
            " ".join(problem.code for problem in [*row.problems, *row.flags]),
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


_OUTCOMES = {
    CREATED: pgettext_lazy("import row", "new"),
    CHANGED: pgettext_lazy("import row", "changes"),
    SAME: pgettext_lazy("import row", "unchanged"),
    ERROR: pgettext_lazy("import row", "refused"),
}


def _figure(name: str, value: Any) -> str:
    """`how` is a sentence of the product; everything else is a figure or comes from the file."""
    if value is None:
        return ""
    return gettext(value) if name == "how" else _safe(value)


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
