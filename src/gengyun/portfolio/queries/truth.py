"""Which of many conditions hold of whom: one reading of the summaries for all of them together.

Fifty questions asked one after the other read a million rows fifty times. Here each row is read
once and says yes or no to every literal in the bits of a number; what a literal means stays where
it is said once (`queries.expressions`).
"""

from collections.abc import Sequence
from datetime import date
from functools import reduce
from operator import add

import numpy as np
from django.db.models import BigIntegerField, Case, Max, Q, Value, When
from django.db.models.expressions import Combinable
from numpy.typing import NDArray

from gengyun.portfolio.calc.blocks import block_of, keys_of
from gengyun.portfolio.calc.expressions import Literal
from gengyun.portfolio.calc.vector import WORD, Answers
from gengyun.portfolio.models import CustomerSummary, WatchBlock
from gengyun.portfolio.queries.expressions import literal_q


def last_block() -> int:
    """Of the customers that are there, and of those that were."""
    key = CustomerSummary.objects.aggregate(last=Max("pk"))["last"] or 0
    stored = WatchBlock.objects.aggregate(last=Max("block"))["last"] or 0
    return max(block_of(key), stored)


def within(keys: tuple[int, int], name: str = "customer_id") -> dict[str, int]:
    """The rows about customers with these keys, both ends included."""
    return {f"{name}__gte": keys[0], f"{name}__lte": keys[1]}


class Questions:
    """The literals as one select; asked of one block of customers after the other."""

    def __init__(self, literals: Sequence[Literal], *, today: date) -> None:
        self._literals = list(literals)
        each = [literal_q(literal, today=today) for literal in self._literals]
        self._words = {
            f"word_{n // WORD}": _packed(each[n : n + WORD]) for n in range(0, len(each), WORD)
        }

    def ask(self, block: int) -> tuple[NDArray[np.int64], Answers]:
        """The customers of the block, in the order of their keys, and their answers."""
        rows = CustomerSummary.objects.filter(**within(keys_of(block), "pk")).order_by()
        found = list(rows.annotate(**self._words).values_list("pk", *self._words))
        table = np.array(found, dtype=np.int64).reshape(len(found), 1 + len(self._words)).T
        table = table[:, np.argsort(table[0], kind="stable")]
        return table[0], Answers(self._literals, table[1:])


def _packed(conditions: Sequence[Q]) -> Combinable:
    bits: list[Combinable] = [
        Case(When(one, then=Value(1 << n)), default=Value(0), output_field=BigIntegerField())
        for n, one in enumerate(conditions)
    ]
    return reduce(add, bits)
