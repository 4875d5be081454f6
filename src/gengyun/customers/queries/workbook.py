"""Reading a spreadsheet in a process of its own.

A damaged workbook can make the reader ask for terabytes, which ends the whole process; here it
ends only the child. Run as `python -m gengyun.customers.queries.workbook PATH`: a pickle of
`(state, lines)` on stdout. No Django in here: the child starts in a moment.
"""

import os
import pickle
import re
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

MAX_ROWS, MAX_COLUMNS = 1_048_575, 300  # rows: a full sheet of Excel below its header
MAX_MEMORY = 4 * 1024**3
MAX_SECONDS = 180
MARGIN = 100  # empty rows and columns around the table
# a reference beyond column ZZ or row 1,100,000
FAR_CELL = re.compile(rb"""\sr=["'](?:[A-Z]{3,}\d+|[A-Z]*(?:1[1-9]\d{5}|[2-9]\d{6}|\d{8,}))["']""")

CHILD = ("-m", "gengyun.customers.queries.workbook")
READ, EMPTY, LOCKED, LARGE, BROKEN = "read", "empty", "locked", "large", "broken"


def read(path: Path) -> tuple[str, list[list[Any]]]:
    """The state and, where it is `READ`, the lines of the first sheet that holds anything."""
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            [sys.executable, *CHILD, str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=MAX_SECONDS,
            check=False,
            env={**os.environ, "RUST_BACKTRACE": "0"},
        )
    except subprocess.TimeoutExpired:
        return LARGE, []
    if done.returncode != 0:
        return BROKEN, []
    state, lines = pickle.loads(done.stdout)  # noqa: S301 - written by our own child
    return state, lines


def _sheet(path: str) -> tuple[str, list[list[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        if _reaches_too_far(path):
            return LARGE, []
        with CalamineWorkbook.from_path(path) as book:
            for name in book.sheet_names:
                sheet = book.get_sheet_by_name(name)
                if sheet.total_height > MAX_ROWS + MARGIN or sheet.total_width > (
                    MAX_COLUMNS + MARGIN
                ):
                    return LARGE, []
                lines = sheet.to_python(skip_empty_area=False)
                if any(cell not in ("", None) for line in lines for cell in line):
                    return READ, lines
    except PasswordError:
        return LOCKED, []
    except (CalamineError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
        return BROKEN, []
    return EMPTY, []


def _reaches_too_far(path: str) -> bool:
    """One cell far out in an XLSX makes the reader fill everything before it, row by row."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if "worksheets/" not in entry.filename:
                continue
            with archive.open(entry) as sheet:
                tail = b""
                while chunk := sheet.read(1 << 20):
                    if FAR_CELL.search(tail + chunk):
                        return True
                    tail = chunk[-40:]  # a reference may lie across two chunks
    return False


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _limit_memory()
    sys.stdout.buffer.write(pickle.dumps(_sheet(sys.argv[1])))
