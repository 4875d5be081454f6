"""A condition of many customers at once: a column of yes and no per literal, put together."""

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from gengyun.portfolio.calc.expressions import Literal, Normal

Yes = NDArray[np.bool_]
WORD = 62  # answers that fit into one whole number of a database


def holds(condition: Normal, column: Callable[[Literal], Yes], size: int) -> Yes:
    """`column` answers a literal for the same customers in the same order."""
    if isinstance(condition, Literal):
        return column(condition)
    kind, parts = condition
    is_all = kind == "all"
    together = np.logical_and if is_all else np.logical_or
    columns = (holds(part, column, size) for part in parts)
    return reduce(together, columns, np.full(size, is_all, dtype=np.bool_))


class Answers:
    """The columns of the literals, found by literal."""

    def __init__(self, literals: Sequence[Literal], words: NDArray[np.int64]) -> None:
        """`words[k]` holds the answers to `WORD` literals each, the first in the lowest bit."""
        self._words = words
        self._place = {key(literal): n for n, literal in enumerate(literals)}

    def of(self, literal: Literal) -> Yes:
        word, bit = divmod(self._place[key(literal)], WORD)
        answers: Yes = (self._words[word] >> bit & 1).astype(np.bool_)
        return answers


def key(literal: Literal) -> str:
    """Operands may be lists, which no dictionary takes as a key."""
    return repr(literal)
