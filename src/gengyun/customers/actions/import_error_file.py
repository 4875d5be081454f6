"""The file of refused rows: columns as they came and the reason, to be mended and sent again."""

import csv
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from gengyun.customers.actions.import_kinds import Planned
from gengyun.customers.actions.import_messages import explain
from gengyun.customers.models import ImportRun
from gengyun.customers.queries.import_file import Table


def write_error_file(run: ImportRun, table: Table, errors: list[Planned]) -> str:
    """Returns the path below the data folder.

    In the encoding of the file that came, so that the same programs open it; UTF-8 carries a mark
    so that Excel knows.
    """
    encoding = "gb18030" if table.encoding == "gb18030" else "utf-8-sig"
    language = run.created_by.language if run.created_by else settings.LANGUAGE_CODE
    stored = f"files/imports/{run.pk}-errors.csv"
    path = settings.DATA_DIR / stored
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        translation.override(language),
        path.open("w", encoding=encoding, errors="replace", newline="") as file,
    ):
        writer = csv.writer(file, delimiter=table.delimiter)
        writer.writerow([*map(_safe, table.headers), gettext("Error")])
        for planned in errors:
            cells = [_safe(cell) for cell in planned.row.cells]
            writer.writerow([*cells, reasons(planned)])
    return stored


def reasons(planned: Planned) -> str:
    return gettext("; ").join(
        explain(
            {
                "code": problem.code,
                "column": problem.column,
                "value": problem.value,
                "params": problem.params,
            }
        )
        for problem in planned.problems
    )


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
