"""Writing the rows of an export to a file: CSV that Excel opens in Chinese, or a workbook."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gengyun.customers.calc.spreadsheet import csv_cell, sheet_value
from gengyun.kernel.errors import Refusal

MAX_SHEET_ROWS = 1_048_575  # of Excel, without the header
STEP = 1_000
Rows = Iterable[Sequence[Any]]
Report = Callable[[int], None]


class TooManyRows(Refusal):
    code = "too_many_rows"
    message = "A workbook holds at most %(rows)s rows; choose CSV."


def write(path: Path, form: str, headers: Sequence[str], rows: Rows, report: Report) -> int:
    """Write the file whole or not at all; returns how many rows it holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    try:
        counted = _Counted(rows, report)
        if form == "xlsx":
            _write_workbook(part, headers, counted)
        else:
            _write_csv(part, headers, counted)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return counted.count


class _Counted:
    """Rows on their way through, counted; every thousand is told."""

    def __init__(self, rows: Rows, report: Report) -> None:
        self.rows, self.report, self.count = rows, report, 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for row in self.rows:
            self.count += 1
            yield row
            if self.count % STEP == 0:
                self.report(self.count)


def _write_csv(path: Path, headers: Sequence[str], rows: _Counted) -> None:
    # the byte order mark tells Excel that this is UTF-8
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([csv_cell(header) for header in headers])
        for row in rows:
            writer.writerow([csv_cell(value) for value in row])


def _write_workbook(path: Path, headers: Sequence[str], rows: _Counted) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "B2"

    def cell(value: Any, *, is_header: bool = False) -> Any:
        value = sheet_value(value)
        if isinstance(value, str) and value:
            made = WriteOnlyCell(sheet, value)
            made.data_type = "s"  # "=1+1" is a text here and no formula
            if is_header:
                made.font = Font(bold=True)
            return made
        if isinstance(value, datetime | date):
            made = WriteOnlyCell(sheet, value)
            is_instant = isinstance(value, datetime)
            made.number_format = "yyyy-mm-dd hh:mm" if is_instant else "yyyy-mm-dd"
            return made
        return value

    sheet.append([cell(header, is_header=True) for header in headers])
    for row in rows:
        if rows.count > MAX_SHEET_ROWS:
            raise TooManyRows(rows=MAX_SHEET_ROWS)
        sheet.append([cell(value) for value in row])
    book.save(path)
