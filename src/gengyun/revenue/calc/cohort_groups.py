"""Cohorts of a quarter or a year, put together from those of its months. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gengyun.revenue.calc.cohorts import CohortRow, last_day
from gengyun.revenue.calc.figure import NO_CUSTOMERS, Figure, quotient
from gengyun.revenue.calc.unit_economics import INDEX


@dataclass(frozen=True, slots=True)
class Cohort:
    """Customers who began in the months `first` to `last`; age n is the end of the n-th period
    after the one they began in. What there was is what each had at the end of its first month."""

    first: int
    last: int
    size: int
    arr: int
    counts: tuple[int, ...]
    amounts: tuple[int, ...]

    def share(self, age: int, *, by_count: bool) -> Figure:
        """Of what there was in the first months. Only ages that have been seen."""
        top = (self.counts if by_count else self.amounts)[age]
        bottom = self.size if by_count else self.arr
        return quotient(Decimal(top), bottom, definition=INDEX, reason=NO_CUSTOMERS)

    def day_number(self, age: int, step: int) -> int:
        return last_day(self.last + age * step)


def grouped(rows: Sequence[CohortRow], step: int, until: int) -> list[Cohort]:
    """`step`: months of a period (1, 3, 12); `until`: the last month that has been seen.

    A period that is not over is seen up to its last complete month only at the next age.
    """
    found: dict[int, list[CohortRow]] = {}
    for row in rows:
        found.setdefault(row.month // step, []).append(row)
    return [_cohort(place * step, part, step, until) for place, part in sorted(found.items())]


def _cohort(first: int, part: Sequence[CohortRow], step: int, until: int) -> Cohort:
    last = first + step - 1
    ages = (until - last) // step + 1 if until >= last else 0
    months = [last + age * step for age in range(ages)]
    return Cohort(
        first=first,
        last=last,
        size=sum(row.size for row in part),
        arr=sum(row.amounts[0] or 0 for row in part),
        counts=tuple(sum(row.counts[m - row.month] or 0 for row in part) for m in months),
        amounts=tuple(sum(row.amounts[m - row.month] or 0 for row in part) for m in months),
    )
