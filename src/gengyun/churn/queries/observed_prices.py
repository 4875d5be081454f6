"""What customers were asked for their next term, as it was known on each day."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from gengyun.kernel.days import day_of
from gengyun.revenue.models import Renewal, RenewalChange, RenewalState
from gengyun.revenue.models.renewals import rise

Row = tuple[int, date, date | None, float]  # customer, since, until, share asked
FIELDS = ("asked_minor", "due_minor", "state")


def prices(until: date) -> Iterator[Row]:
    """A row for each share that was asked of a renewal, from the day on which it was told until
    another was, or the renewal was decided.

    What changed on `until` or later is not known: it neither begins nor ends a row, and what came
    due is what it was then.
    """
    asked = RenewalChange.objects.filter(field="asked_minor").values("renewal_id")
    rows = Renewal.objects.filter(pk__in=asked).values_list("pk", *_Standing.COLUMNS)
    now = {pk: _Standing(*values) for pk, *values in rows}
    changes = RenewalChange.objects.filter(renewal__in=asked, field__in=FIELDS)
    found = changes.order_by("renewal_id", "at", "pk").values_list(
        "renewal_id", "at", "field", "old", "new"
    )
    for pk, mine in groupby(found, key=itemgetter(0)):
        yield from _of(now[pk], list(mine), until)


@dataclass
class _Standing:
    """A renewal at a moment."""

    customer_id: int
    asked_minor: int | None
    due_minor: int
    state: str

    COLUMNS = ("customer_id", *FIELDS)

    @property
    def rise(self) -> float | None:
        is_open = self.state == RenewalState.OPEN
        return rise(self.asked_minor, self.due_minor) if is_open else None


Change = tuple[int, Any, str, Any, Any]  # renewal, at, field, old, new


def _of(now: _Standing, changes: list[Change], until: date) -> Iterator[Row]:
    standing = _began(now, changes)
    share: float | None = None
    since = until
    for day, part in groupby(changes, key=lambda one: day_of(one[1])):
        if day >= until:
            break
        _apply(standing, part)
        if standing.rise != share:
            if share is not None:
                yield now.customer_id, since, day, share
            share, since = standing.rise, day
    if share is not None:
        yield now.customer_id, since, None, share


def _began(now: _Standing, changes: list[Change]) -> _Standing:
    """Before the first change: what it found, of what never changed what is there now."""
    standing = _Standing(now.customer_id, now.asked_minor, now.due_minor, now.state)
    for _renewal, _at, name, old, _new in reversed(changes):
        setattr(standing, name, old)
    return standing


def _apply(standing: _Standing, changes: Iterable[Change]) -> None:
    for _renewal, _at, name, _old, new in changes:
        setattr(standing, name, new)
