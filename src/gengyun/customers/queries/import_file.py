"""Reading an uploaded file: CSV in any of the usual encodings, XLSX, JSONL.

What a file is, is decided by its content; the name only tells JSONL from CSV.
"""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gengyun.customers.calc.encoding import NotText, decode, delimiter_of
from gengyun.customers.queries import workbook
from gengyun.customers.queries.workbook import MAX_COLUMNS, MAX_ROWS
from gengyun.kernel.errors import Refusal

MAX_UNPACKED = 1024 * 1024 * 1024  # an XLSX is a zip: a small file may hide a very large one
MAX_CELL = 100_000
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class FileBroken(Refusal):
    code = "file_broken"
    message = "The file %(name)s cannot be read: it is damaged or not what its name says."


class FileLocked(Refusal):
    code = "file_locked"
    message = "The file %(name)s is protected by a password; save it without one."


class FileNotText(Refusal):
    code = "file_not_text"
    message = "The file %(name)s is neither text in UTF-8 or GB18030 nor a spreadsheet."


class FileEmpty(Refusal):
    code = "file_empty"
    message = "The file %(name)s has no rows below its header."


class FileTooLarge(Refusal):
    code = "file_too_large"
    message = "The file %(name)s is too large: at most %(rows)s rows and %(columns)s columns."


@dataclass(frozen=True)
class Row:
    number: int  # as a spreadsheet shows it: the header is row 1
    cells: list[Any]  # in the order of the headers
    problem: str = ""  # code, when the row as a whole could not be read


@dataclass
class Table:
    headers: list[str]
    rows: list[Row]
    encoding: str  # of a text file; "xlsx" or "xls" for a spreadsheet
    delimiter: str = ","

    def samples(self, place: int, count: int = 3) -> list[str]:
        """The first texts of a column that are not empty."""
        found: list[str] = []
        for row in self.rows[:200]:
            cell = row.cells[place] if place < len(row.cells) else None
            if cell not in (None, "") and len(found) < count:
                found.append(str(cell)[:80])
        return found


def read_table(path: Path, name: str) -> Table:
    """The whole file. Raises a refusal that says what is wrong with it."""
    body = path.read_bytes()
    if not body.strip():
        raise FileEmpty(name=name)
    if body.startswith((ZIP, OLE)):
        table = _read_workbook(path, name, "xlsx" if body.startswith(ZIP) else "xls")
    elif Path(name).suffix.lower() in {".xlsx", ".xls", ".xlsm"}:
        raise FileBroken(name=name)
    else:
        try:
            text, encoding = decode(body)
        except NotText as error:
            raise FileNotText(name=name) from error
        is_jsonl = Path(name).suffix.lower() in {".jsonl", ".ndjson", ".json"}
        table = _read_jsonl(text) if is_jsonl else _read_csv(text, name)
        table.encoding = encoding
    if not table.rows:
        raise FileEmpty(name=name)
    return table


def _read_csv(text: str, name: str) -> Table:
    delimiter = delimiter_of(text)
    csv.field_size_limit(MAX_CELL * 10)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        table = _table(((place, line) for place, line in enumerate(lines, start=1)), name)
    except csv.Error as error:
        raise FileBroken(name=name) from error
    table.delimiter = delimiter
    return table


def _read_workbook(path: Path, name: str, form: str) -> Table:
    """The first sheet that holds anything."""
    if form == "xlsx":
        _check_unpacked(path, name)
    state, lines = workbook.read(path)
    if state == workbook.LOCKED:
        raise FileLocked(name=name)
    if state == workbook.LARGE:
        raise FileTooLarge(name=name, rows=MAX_ROWS, columns=MAX_COLUMNS)
    if state == workbook.BROKEN:
        raise FileBroken(name=name)
    if state == workbook.EMPTY:
        raise FileEmpty(name=name)
    table = _table(enumerate(lines, start=1), name)
    table.encoding = form
    return table


def _check_unpacked(path: Path, name: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise FileBroken(name=name) from error
    if unpacked > MAX_UNPACKED:
        raise FileTooLarge(name=name, rows=MAX_ROWS, columns=MAX_COLUMNS)


def _table(lines: Iterator[tuple[int, list[Any]]], name: str) -> Table:
    """The first line with anything in it is the header."""
    headers: list[str] = []
    rows: list[Row] = []
    for number, line in lines:
        if all(cell is None or str(cell).strip() == "" for cell in line):
            continue
        if not headers:
            headers = _headers(line)
            if len(headers) > MAX_COLUMNS:
                raise FileTooLarge(name=name, rows=MAX_ROWS, columns=MAX_COLUMNS)
            continue
        if len(rows) >= MAX_ROWS:
            raise FileTooLarge(name=name, rows=MAX_ROWS, columns=MAX_COLUMNS)
        rows.append(_row(number, line, len(headers)))
    return Table(headers, rows, "utf-8")


def _row(number: int, line: list[Any], width: int) -> Row:
    cells = [None if cell == "" else cell for cell in line]
    beyond = any(cell is not None and str(cell).strip() for cell in cells[width:])
    cells = (cells + [None] * width)[:width]
    if any(isinstance(cell, str) and len(cell) > MAX_CELL for cell in cells):
        cells = [str(cell)[:80] if cell is not None else None for cell in cells]
        return Row(number, cells, "cell_too_long")
    return Row(number, cells, "too_many_cells" if beyond else "")


def _headers(line: list[Any]) -> list[str]:
    """Each with a name of its own: a repeated or empty one gets a number."""
    cells = [" ".join(str(cell if cell is not None else "").split()) for cell in line]
    while cells and not cells[-1]:
        cells.pop()
    headers: list[str] = []
    for place, cell in enumerate(cells, start=1):
        header, again = cell or f"#{place}", 2
        while header in headers:
            header, again = f"{cell} ({again})", again + 1
        headers.append(header)
    return headers


def _read_jsonl(text: str) -> Table:
    """One object a line; the headers are the keys in the order of their first appearance."""
    places: dict[str, int] = {}
    objects: list[tuple[int, dict[str, Any] | None, str]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if isinstance(found, dict):
            for key in found:
                places.setdefault(key, len(places))
            objects.append((number, found, line))
        else:
            objects.append((number, None, line))
    rows = []
    for number, found, line in objects:
        if found is None:
            cells: list[Any] = [line[:80], *[None] * (len(places) - 1)]
            rows.append(Row(number, cells[: max(1, len(places))], "not_an_object"))
        else:
            rows.append(Row(number, [_plain(found.get(key)) for key in places]))
    return Table(list(places), rows if places else [], "utf-8")


def _plain(value: Any) -> Any:
    """A list becomes a text with commas (tags); an object its JSON."""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value
