"""What is unknown of a row, guessed from what is known of it.

A linear model that reads an unknown as the common value forgets what the other columns say of it:
who uses little and was never asked is not as content as the middle of all. What a source leaves
unknown together is guessed from the columns of other sources, by ridge regression over the rows
where it is known. Whether being unknown means something by itself stays with the flag of its own.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from gengyun.churn.calc.table import Flags, Floats, Ints

RIDGE = 30.0  # as many rows in which a column tells nothing of another
LEAST_KNOWN = 20


@dataclass(frozen=True)
class Guess:
    """The terms `of`, each `start` + `weights` [of, sources] on the terms `sources`."""

    of: tuple[int, ...]
    sources: tuple[int, ...]
    start: tuple[float, ...]
    weights: tuple[tuple[float, ...], ...]

    def values(self, design: Floats) -> Floats:
        """Of all rows, known or not."""
        told = np.array(self.start) + design[:, self.sources] @ np.array(self.weights).T
        return np.asarray(told, dtype=np.float64)

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        weights = tuple(tuple(row) for row in told["weights"])
        return cls(tuple(told["of"]), tuple(told["sources"]), tuple(told["start"]), weights)


def guesses_of(design: Floats, unknown: Flags, values: Ints, sources: Ints) -> tuple[Guess, ...]:
    """`unknown` [rows, terms]; `values`: terms that may be guessed; `sources`: terms to guess from.

    Terms that are unknown in the same rows are guessed together. Where most of the rest is unknown
    then too, nothing is guessed.
    """
    patterns: dict[bytes, list[int]] = {}
    for term in values:
        if LEAST_KNOWN <= (~unknown[:, term]).sum() < len(unknown):
            patterns.setdefault(unknown[:, term].tobytes(), []).append(int(term))
    found = []
    for of in patterns.values():
        missing = unknown[:, of[0]]
        # what is mostly unknown at the same time cannot tell
        there = sources[unknown[missing][:, sources].mean(axis=0) < 0.5]
        if 2 * len(there) >= len(sources):
            found.append(_regressed(design[~missing], of, there))
    return tuple(found)


def _regressed(known: Floats, of: list[int], sources: Ints) -> Guess:
    x, y = known[:, sources], known[:, of]
    at, to = x.mean(axis=0), y.mean(axis=0)
    square = (x - at).T @ (x - at) + RIDGE * np.eye(len(sources))
    weights = np.linalg.solve(square, (x - at).T @ (y - to)).T
    start = to - weights @ at
    return Guess(
        tuple(of),
        tuple(sources.tolist()),
        tuple(start.tolist()),
        tuple(tuple(row) for row in weights.tolist()),
    )
