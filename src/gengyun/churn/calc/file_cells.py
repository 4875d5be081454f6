"""One cell of any table of customers: unknown, a number as offices write it, or a day."""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np

MARKERS = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-", "--", "—"})
UNITS = {"%": 0.01, "％": 0.01, "元": 1.0, "万": 1e4, "万元": 1e4}
WRITTEN = re.compile(
    r"(?P<sign>[+-]?)\s*(?:[¥￥$€£]|CNY|RMB|USD|EUR)?\s*"
    r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\s*(?P<unit>%|％|元|万元|万)?",
    re.IGNORECASE,
)


def is_unknown(cell: str) -> bool:
    """Empty, or one of the words that programs write for "nothing here"."""
    return cell.strip().lower() in MARKERS


def cleaned(cells: Sequence[str]) -> list[str]:
    """Without spaces around; what says that it is unknown is empty."""
    return ["" if is_unknown(cell) else cell.strip() for cell in cells]


def number(cell: str) -> float:
    """Also ¥36, 1,234, 36% (0.36) and 3.6万; nan for everything else. A comma only parts
    thousands: 3,5 may be a decimal or a list, and is no number."""
    try:
        value = float(cell) if cell else np.nan
    except ValueError:
        found = WRITTEN.fullmatch(cell.strip())
        if not found:
            return np.nan
        value = float(found["number"].replace(",", "")) * UNITS.get(found["unit"] or "", 1.0)
        value = -value if found["sign"] == "-" else value
    return value if np.isfinite(value) else np.nan


def day(cell: str) -> date | None:
    try:
        return date.fromisoformat(cell[:10].replace("/", "-"))
    except ValueError:
        return None
