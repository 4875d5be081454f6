"""From the columns of a table to the columns of a linear model: unknowns filled and flagged, long
tails drawn in, everything in units of its own spread (science.md 4.1). Unknowns take the common
value, or what the other columns let expect (`guesses`).

All of it is learned from the training rows and kept with the model; what is scored has no say.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from gengyun.churn.calc.guesses import Guess, guesses_of
from gengyun.churn.calc.table import Flags, Floats, Ints, Table

Part = Literal["value", "unknown", "bend"]
LOG_FROM_SKEW = 4.0
WINSOR = (0.01, 0.99)
FLAG_SPREAD = 0.15  # the least spread of a flag: a rare one must not get a free hand
LEAST_UNKNOWN = 5  # rows in which a column must be unknown to get a flag of its own
BENDS = (1 / 3, 2 / 3)
LEAST_DISTINCT = 6  # values a number must take to be bent


@dataclass(frozen=True)
class Column:
    """How one feature is read. `fill` stands for unknown; `is_log` signed log of 1 + |v|."""

    feature: int
    is_log: bool
    low: float
    high: float
    fill: float


@dataclass(frozen=True)
class Term:
    """One column of the design. `bend`: the part of the value above `knot`."""

    feature: int
    part: Part
    knot: float
    mean: float
    spread: float


@dataclass(frozen=True)
class Preparation:
    columns: tuple[Column, ...]
    terms: tuple[Term, ...]
    guesses: tuple[Guess, ...] = ()

    def design(self, x: Floats) -> Floats:
        """Rows by terms, in units of spread around the mean of training."""
        made = self._common(x)
        found = made.copy()
        for guess in self.guesses:
            unknown = self._unknown(x, guess.of)
            found[:, guess.of] = np.where(unknown, guess.values(made), made[:, guess.of])
        return found

    def shares(self, x: Floats, beta: Floats) -> Floats:
        """Rows by terms: what each adds to `design` @ `beta`. What is guessed adds to the terms it
        was guessed from."""
        made = self._common(x)
        each, from_others = made * beta, np.zeros_like(made)
        for guess in self.guesses:
            unknown, of, sources = self._unknown(x, guess.of), list(guess.of), list(guess.sources)
            each[:, of] = np.where(unknown, np.array(guess.start) * beta[of], each[:, of])
            carried = (unknown * beta[of]) @ np.array(guess.weights)
            from_others[:, sources] += carried * made[:, sources]
        return np.asarray(each + from_others, dtype=np.float64)

    def _common(self, x: Floats) -> Floats:
        """As `design`, with the common value for every unknown."""
        by_feature = {column.feature: read(x[:, column.feature], column) for column in self.columns}
        made = np.empty((len(x), len(self.terms)))
        for at, term in enumerate(self.terms):
            raw = _raw(term.part, term.knot, by_feature[term.feature], x[:, term.feature])
            made[:, at] = (raw - term.mean) / term.spread
        return made

    def _unknown(self, x: Floats, terms: tuple[int, ...]) -> Flags:
        return np.isnan(x[:, self.features[list(terms)]])

    @property
    def features(self) -> Ints:
        """The feature each term belongs to."""
        return np.array([term.feature for term in self.terms], dtype=np.int64)

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(term.part for term in self.terms)

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": [asdict(column) for column in self.columns],
            "terms": [asdict(term) for term in self.terms],
            "guesses": [asdict(guess) for guess in self.guesses],
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        return cls(
            tuple(Column(**column) for column in told["columns"]),
            tuple(Term(**term) for term in told["terms"]),
            tuple(Guess.from_json(one) for one in told.get("guesses", [])),
        )


def guessing(table: Table, preparation: Preparation) -> Preparation:
    """The same, with guesses of values that are unknown in some rows. Bends keep the common value:
    a guess is a sum, whose parts can be told."""
    design, unknown = preparation.design(table.x), np.isnan(table.x[:, preparation.features])
    is_value = np.array([part == "value" for part in preparation.parts], dtype=bool)
    some = is_value & (unknown.sum(axis=0) >= LEAST_UNKNOWN)
    found = guesses_of(design, unknown, np.flatnonzero(some), np.flatnonzero(is_value))
    return replace(preparation, guesses=found)


def prepare(table: Table, *, bends: bool = False) -> Preparation:
    """Learn the reading of each feature from the rows of `table`; with `bends` two hinges a number.

    A feature that is unknown in all rows or the same in all of them is left out.
    """
    columns: list[Column] = []
    terms: list[Term] = []
    for at, feature in enumerate(table.features):
        raw = table.x[:, at]
        known = raw[~np.isnan(raw)]
        unknown = len(raw) - len(known)
        says_by_absence = LEAST_UNKNOWN <= unknown <= len(raw) - LEAST_UNKNOWN
        varies = len(known) > 1 and known.min() < known.max()
        if not varies and not says_by_absence:
            continue
        is_flag = feature.kind == "flag"
        column = _column(at, known, is_flag=is_flag)
        value = read(raw, column)
        columns.append(column)
        if varies and value.min() < value.max():
            terms.append(_term(at, "value", 0.0, value, raw, is_flag=is_flag))
            if bends and not is_flag:
                terms += [_term(at, "bend", knot, value, raw) for knot in _knots(value)]
        if says_by_absence:
            terms.append(_term(at, "unknown", 0.0, value, raw, is_flag=True))
    return Preparation(tuple(columns), tuple(terms))


def _column(at: int, known: Floats, *, is_flag: bool) -> Column:
    if not len(known):
        return Column(at, False, 0.0, 0.0, 0.0)
    if is_flag:
        return Column(at, False, float(known.min()), float(known.max()), float(known.mean()))
    is_log = abs(_skew(known)) > LOG_FROM_SKEW
    read = _signed_log(known) if is_log else known
    low, high = np.quantile(read, WINSOR)
    if low == high:  # nearly always the same: the rare rest is what it tells
        low, high = read.min(), read.max()
    return Column(at, is_log, float(low), float(high), float(np.median(read)))


def read(raw: Floats, column: Column) -> Floats:
    value = _signed_log(raw) if column.is_log else raw
    value = np.where(np.isnan(value), column.fill, value)
    return np.clip(value, column.low, column.high)


def _raw(part: Part, knot: float, value: Floats, x: Floats) -> Floats:
    if part == "unknown":
        return np.isnan(x).astype(np.float64)
    return np.maximum(value - knot, 0.0) if part == "bend" else value


def _term(
    at: int, part: Part, knot: float, value: Floats, x: Floats, *, is_flag: bool = False
) -> Term:
    raw = _raw(part, knot, value, x)
    spread = float(raw.std())
    if is_flag:
        spread = max(spread, FLAG_SPREAD)
    return Term(at, part, knot, float(raw.mean()), spread)


def _knots(value: Floats) -> list[float]:
    """Thirds of the values; where a value is so common that they fall on the edge, of its kinds."""
    kinds = np.unique(value)
    if len(kinds) < LEAST_DISTINCT:
        return []
    found = np.quantile(value, BENDS)
    if found[0] <= kinds[0] or found[1] >= kinds[-1] or found[0] == found[1]:
        found = np.quantile(kinds, BENDS)
    return [float(knot) for knot in found]


def _signed_log(value: Floats) -> Floats:
    return np.sign(value) * np.log1p(np.abs(value))


def _skew(value: Floats) -> float:
    spread = value.std()
    return float(np.mean(((value - value.mean()) / spread) ** 3)) if spread > 0 else 0.0
