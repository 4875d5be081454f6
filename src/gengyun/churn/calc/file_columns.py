"""Columns of any table of customers, as text, turned into a Table: numbers, flags, one flag a word.

Columns that name a row are left out, and so are columns that tell the outcome (science.md 4.4);
each with its reason, so that a person may put it back.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import numpy as np

from gengyun.churn.calc.file_cells import cleaned, day, is_unknown, number
from gengyun.churn.calc.scores import auc
from gengyun.churn.calc.table import Days, Feature, Floats, Ints, Table

NUMERIC_FROM = 0.95  # share of the filled cells that must be numbers
MOST_WORDS = 40
LEAST_ROWS = 10  # of a word to be a column of its own
TELLS_FROM = 0.98  # AUC of one column alone
LIKELY_FROM = 0.90
LOST_WORDS = ("1", "1.0", "yes", "true", "y", "t", "lost", "churn", "churned", "left", "cancelled",
              "canceled", "closed", "inactive", "exited", "attrited", "attrited customer", "是",
              "流失", "已流失", "断约", "未续约")  # fmt: skip
SAYS_SO = re.compile(r"churn|attrit|流失|断约|退订|cltv|leaving|exit.?reason", re.IGNORECASE)
STATUS = re.compile(r"status|stage|cancel|状态", re.IGNORECASE)
CALLED_ID = re.compile(
    r"(^|[_\s])(id|no|number|index|编号)$|id$|^$|unnamed|^rownumber$", re.IGNORECASE
)


class NotReadable(ValueError):
    """The file cannot be evaluated as asked; the text says why."""


@dataclass(frozen=True)
class Asked:
    """`risk`, `safe`: columns (or column=word) of which more means more, or less, risk."""

    outcome: str
    entity: str | None = None
    when: str | None = None
    horizon_days: int = 0
    exclude: Sequence[str] = ()
    keep: Sequence[str] = ()
    risk: Sequence[str] = ()
    safe: Sequence[str] = ()
    lost: str | None = None


@dataclass
class Reading:
    """`left_out`, `warned`: column -> reason key."""

    table: Table
    left_out: dict[str, str] = field(default_factory=dict)
    warned: dict[str, str] = field(default_factory=dict)


def read_table(columns: Mapping[str, Sequence[str]], asked: Asked) -> Reading:
    """`columns`: name -> cells, all of one length; an empty cell is unknown, and so are NA, null
    and the like."""
    for name in filter(None, (asked.outcome, asked.entity, asked.when)):
        if name not in columns:
            raise no_column(name, columns)
    y = outcome_of(columns[asked.outcome], asked.lost)
    decided = ~np.isnan(y)
    account = _places(columns[asked.entity]) if asked.entity else np.arange(len(y))
    at = _days(columns[asked.when]) if asked.when else np.full(len(y), _no_day())
    taken = {asked.outcome, asked.entity, asked.when, *asked.exclude}
    found: list[tuple[Feature, Floats]] = []
    reading = Reading(_table([], y, account, at, asked.horizon_days))
    for name, cells in columns.items():
        if name in taken:
            continue
        made, reason = _columns(name, cleaned(cells), at, asked)
        if not reason and name not in asked.keep:
            reason, warning = tells(name, made, y, decided)
            if warning:
                reading.warned[name] = warning
        if reason:
            reading.left_out[name] = reason
        else:
            found += made
    reading.warned |= dict.fromkeys(_products(found), "product")
    if not found:
        raise NotReadable("no column is left to learn from")
    reading.table = _table(found, y, account, at, asked.horizon_days)
    return reading


def no_column(name: str, columns: Mapping[str, object], option: str = "") -> NotReadable:
    """Names the columns that are called something like it, or else all."""
    by_small = {one.lower(): one for one in columns}
    near = [by_small[one] for one in get_close_matches(name.lower(), by_small, n=3, cutoff=0.5)]
    told = f"closest: {', '.join(near)}" if near else f"there are: {', '.join(columns)}"
    return NotReadable(f"there is no column {name}{option and f' ({option})'}; {told}")


def check_names(columns: Mapping[str, Sequence[str]], asked: Asked) -> None:
    """Refuse options that name no column: a wish that is silently dropped looks like one that was
    followed. Apart from `read_table`, because benches ask the same of tables that differ."""
    for option, names in (("--exclude", asked.exclude), ("--keep", asked.keep)):
        for name in names:
            if name not in columns:
                raise no_column(name, columns, option)
    for option, names in (("--risk", asked.risk), ("--safe", asked.safe)):
        for name in names:
            if name not in columns and _column_of(name, columns) is None:
                raise no_column(name.split("=")[0], columns, option)


def check_directions(reading: Reading, columns: Mapping[str, Sequence[str]], asked: Asked) -> None:
    """Refuse a direction of a column that is read as words, or of a word that is not there."""
    for option, names in (("--risk", asked.risk), ("--safe", asked.safe)):
        for name in names:
            column = name if name in columns else _column_of(name, columns)
            keys = [one.key for one in reading.table.features if one.group == column]
            if keys and name not in keys:  # no keys: left out, which is told with its reason
                there = ", ".join(keys[:12])
                raise NotReadable(f"{name} ({option}) is no input; of {column} there are: {there}")


def _column_of(name: str, columns: Mapping[str, object]) -> str | None:
    """Of column=word, where both may hold the sign, and of "column: days before"."""
    cuts = [at for at, sign in enumerate(name) if sign in "=:"]
    return next((name[:at] for at in cuts if name[:at] in columns), None)


def outcome_of(cells: Sequence[str], lost: str | None = None) -> Floats:
    """1 lost, 0 kept, nan where it is not known. A word such as - that was named as lost counts."""
    cells = [cell.strip() for cell in cells]
    words = sorted({cell for cell in cells if cell == lost or not is_unknown(cell)})
    if lost is None:
        hits = [word for word in words if word.lower() in LOST_WORDS]
        if len(words) != 2 or len(hits) != 1:
            told = ", ".join(words[:6])
            raise NotReadable(f"say which value means lost (--lost): the outcome holds {told}")
        lost = hits[0]
    elif lost not in words:
        raise NotReadable(f"no row has the outcome {lost}")
    known = set(words)
    return np.array([float(cell == lost) if cell in known else np.nan for cell in cells])


def tells(
    name: str, made: list[tuple[Feature, Floats]], y: Floats, decided: np.ndarray
) -> tuple[str, str]:
    """(reason to leave the column out, warning); each may be empty."""
    if SAYS_SO.search(name):
        return "says_the_outcome", ""
    best = 0.5
    for _, values in made:
        known = ~np.isnan(values[decided])
        seen = auc(y[decided], known.astype(np.float64))
        if 0 < known.sum() < len(known):
            best = max(best, seen, 1 - seen)
        if known.sum() > 20:
            one = auc(y[decided][known], values[decided][known])
            best = max(best, *(v for v in (one, 1 - one) if not np.isnan(v)), 0.5)
    if best >= TELLS_FROM:
        return "tells_the_outcome", ""
    if best >= LIKELY_FROM:
        return "", "nearly_tells_the_outcome"
    return "", "status" if STATUS.search(name) else ""


def _columns(
    name: str, cells: list[str], at: Days, asked: Asked
) -> tuple[list[tuple[Feature, Floats]], str]:
    filled = [cell for cell in cells if cell]
    if len(set(filled)) < 2 and len(filled) in (0, len(cells)):
        return [], "always_the_same"
    numbers = np.array([number(cell) for cell in cells])
    known = ~np.isnan(numbers)
    if filled and known.sum() >= NUMERIC_FROM * len(filled):
        if _is_name(name, numbers[known], len(cells)):
            return [], "names_the_row"
        kind = "flag" if set(np.unique(numbers[known])) <= {0.0, 1.0} else "number"
        return [(_feature(name, name, asked, kind), numbers)], ""
    days = _maybe_days(cells)
    if days is not None:
        if np.isnat(at).all():
            return [], "a_day"
        age = (at - days).astype(np.float64)
        age[np.isnat(days) | np.isnat(at)] = np.nan
        return [(_feature(f"{name}: days before", name, asked, "number"), age)], ""
    return _words(name, cells, asked)


def _words(name: str, cells: list[str], asked: Asked) -> tuple[list[tuple[Feature, Floats]], str]:
    words, place, counts = np.unique(np.array(cells), return_inverse=True, return_counts=True)
    if len(words) > MOST_WORDS and counts.max() < len(cells) * 0.02:
        return [], "names_the_row"
    order = [k for k in np.argsort(-counts, kind="stable") if words[k] and counts[k] >= LEAST_ROWS]
    order = order[:MOST_WORDS]
    if len(order) == 2 and counts[order].sum() == len(cells):
        order = [max(order, key=lambda k: str(words[k]))]  # yes of yes and no
    made = []
    unknown = np.array([not cell for cell in cells])
    for k in sorted(order, key=lambda k: str(words[k])):
        flag = np.where(unknown, np.nan, (place == k).astype(np.float64))
        made.append((_feature(f"{name}={words[k]}", name, asked, "flag"), flag))
    return made, "" if made else "too_many_words"


def _feature(key: str, group: str, asked: Asked, kind: str) -> Feature:
    sign = int(key in asked.risk) - int(key in asked.safe)
    return Feature(key, sign, group=group, kind="flag" if kind == "flag" else "number")


def _is_name(name: str, known: Floats, rows: int) -> bool:
    """Whole numbers, all different, called something like an id."""
    whole = bool(np.all(known == np.round(known)))
    differ = len(np.unique(known)) >= 0.98 * rows
    return whole and differ and bool(CALLED_ID.search(name))


def _products(found: list[tuple[Feature, Floats]]) -> list[str]:
    """Columns that are the product of two others, as total = months x price: they were added up
    until the row was written."""
    numbers = [(one.key, values) for one, values in found if one.kind == "number"][:16]
    told = []
    for name, values in numbers:
        known = ~np.isnan(values)
        if known.sum() < 30 or values[known].std() == 0:
            continue
        others = [other for key, other in numbers if key != name]
        for at, first in enumerate(others):
            if any(_same(values, first * second) for second in others[at + 1 :]):
                told.append(name)
                break
    return told


def _same(values: Floats, product: Floats) -> bool:
    both = ~np.isnan(values) & ~np.isnan(product)
    if both.sum() < 30 or product[both].std() == 0:
        return False
    return float(np.corrcoef(values[both], product[both])[0, 1]) > 0.998


def _table(
    found: list[tuple[Feature, Floats]], y: Floats, account: Ints, at: Days, horizon: int
) -> Table:
    x = np.column_stack([values for _, values in found]) if found else np.empty((len(y), 0))
    day = at + np.timedelta64(horizon, "D")
    none = np.full(len(y), 0, dtype=np.int64)
    due = day if horizon else np.full(len(y), _no_day())
    features = tuple(one for one, _ in found)
    return Table(features, x, y, account, at, due, day, none - 1, none + horizon, none)


def _places(cells: Sequence[str]) -> Ints:
    """A row that does not name its customer is a customer of its own."""
    names = cleaned(cells)
    _, place = np.unique(np.array(names), return_inverse=True)
    unknown = np.array([not name for name in names])
    place[unknown] = len(names) + np.arange(unknown.sum())
    return np.asarray(place, dtype=np.int64)


def _days(cells: Sequence[str]) -> Days:
    found = [day(cell.strip()) for cell in cells]
    if any(one is None for one in found):
        raise NotReadable("the column of days must hold a day (2026-11-22) in every row")
    return np.array(found, dtype="datetime64[D]")


def _maybe_days(cells: Sequence[str]) -> Days | None:
    filled = [cell for cell in cells if cell]
    if not filled or any(day(cell) is None for cell in filled[:50]):
        return None
    return np.array([day(cell) or "NaT" for cell in cells], dtype="datetime64[D]")


def _no_day() -> np.datetime64:
    return np.datetime64("NaT", "D")
