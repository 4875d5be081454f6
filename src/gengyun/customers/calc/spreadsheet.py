"""Values as cells of a spreadsheet: nothing that was typed anywhere may run as a formula.

Source: OWASP, "CSV Injection": a text that begins with = + - @ (also in full width), a tab or a
line end is a formula, or becomes one, when a spreadsheet program opens the file.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

STARTS_FORMULA = frozenset("=+-@＝＋－＠\t\r\n")
MAX_CELL = 32_767  # characters, of Excel
# what XML cannot hold
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def csv_cell(value: Any) -> str:
    """The text of a cell; a quote before what would be a formula, which an import takes off."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    text = str(value).replace("\x00", "")
    return "'" + text if text[:1] in STARTS_FORMULA else text


def sheet_value(value: Any) -> Any:
    """A value that a workbook holds in its own type; texts are marked as text by the writer."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return value
    return _FORBIDDEN.sub("", str(value))[:MAX_CELL]
