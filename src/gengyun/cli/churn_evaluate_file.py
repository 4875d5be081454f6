"""A table in a file, as cells: CSV of any usual encoding and separator, may be .gz."""

import csv
import gzip
import io
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click

HEAD = 65_536  # characters in which the first line is looked for
MOST_CELL = 10_000_000  # characters of one cell; Python's own limit is 131072


@dataclass(frozen=True)
class Cells:
    """`columns`: name -> cells; `ragged`: rows left out, which have more or fewer cells than the
    first line."""

    columns: dict[str, list[str]]
    ragged: int


def read_cells(file: Path) -> Cells:
    from gengyun.customers.calc.encoding import NotText, decode, delimiter_of

    try:
        raw = file.read_bytes()
        text, _ = decode(gzip.decompress(raw) if file.suffix == ".gz" else raw)
    except NotText as error:
        raise click.ClickException(
            f"{file.name} is no text in UTF-8, UTF-16 or GB18030 (GBK); "
            "save a workbook as CSV (comma delimited) first"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise click.ClickException(f"{file.name} is no whole .gz file: {error}") from error
    csv.field_size_limit(MOST_CELL)
    try:
        marks = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text[:HEAD]))
        rows = [row for row in marks if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise click.ClickException(f"{file.name} is no CSV file: {error}") from error
    if len(rows) < 2:
        raise click.ClickException("the file holds no rows")
    return _columns([name.strip() for name in rows[0]], rows[1:])


def _columns(head: list[str], rows: list[list[str]]) -> Cells:
    body = [row for row in rows if len(row) == len(head)]
    if not body:
        raise click.ClickException(
            f"the first line names {len(head)} columns and no row has as many cells: "
            "the first line must name the columns"
        )
    # commas at the end of every line make columns that have no name and hold nothing
    held = [
        (name, cells)
        for name, cells in zip(head, map(list, zip(*body, strict=True)), strict=True)
        if name or any(cell.strip() for cell in cells)
    ]
    twice = [name or "(no name)" for name, n in Counter(name for name, _ in held).items() if n > 1]
    if twice:
        raise click.ClickException(f"columns must have names of their own: {', '.join(twice)}")
    return Cells(dict(held), len(rows) - len(body))
