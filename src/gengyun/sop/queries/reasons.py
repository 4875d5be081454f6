"""A condition explained for one customer, and counted for many."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from gengyun.portfolio.calc.expressions import All, Expr, StepIs, leaves_of
from gengyun.portfolio.calc.truth import Facts, Said, explain, truth
from gengyun.portfolio.queries.expressions import definitions_of, facts_of


@dataclass(frozen=True)
class Judged:
    """Whether a condition holds for a customer, and each leaf of it."""

    holds: bool | None
    said: list[Said]
    facts: Facts


def judged(expr: Expr, customer_id: int, *, day: date) -> Judged | None:
    """None: the customer has no summary row (archived)."""
    facts = facts_of([customer_id], [expr], today=day).get(customer_id)
    if facts is None:
        return None
    definitions = definitions_of([expr])
    return Judged(
        truth(expr, facts, today=day, definitions=definitions),
        explain(expr, facts, today=day, definitions=definitions),
        facts,
    )


def failing(
    expr: Expr, customer_ids: Collection[int], *, day: date
) -> Counter[tuple[int, bool | None]]:
    """(place of the first part that does not hold, whether it is False or unknown) -> customers.

    Of a condition whose parts must all hold; of any other form it is the whole that fails (-1).
    """
    parts = expr.parts if isinstance(expr, All) else ()
    definitions = definitions_of([expr])
    counts: Counter[tuple[int, bool | None]] = Counter()
    for facts in facts_of(customer_ids, [expr], today=day).values():
        found: tuple[int, bool | None] = (
            -1,
            truth(expr, facts, today=day, definitions=definitions),
        )
        for place, part in enumerate(parts):
            holds = truth(part, facts, today=day, definitions=definitions)
            if holds is not True:
                found = (place, holds)
                break
        counts[found] += 1
    return counts


def has_steps(expr: Expr) -> bool:
    return any(isinstance(leaf, StepIs) for leaf in leaves_of(expr))
