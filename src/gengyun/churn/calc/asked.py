"""Of whom and as of which days snapshots are asked."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from gengyun.churn.calc.observed import Dues, Facts, Observed
from gengyun.churn.calc.table import Ints
from gengyun.churn.calc.windows import NO_DAY, Index, latest, numbers, places

NO_ROW = -1


@dataclass(frozen=True)
class Asked:
    """Days are numbers since 1970-01-01. Nothing of `at` itself or later is looked at.

    `end`: the first day whose use does not count. It is `at`, but no later than the day after the
    due date (without a contract the product is closed) and than the day on which the customer gave
    notice: what it does after that follows from the decision (science.md 4.4).
    """

    account: Ints
    place: Ints  # of the account in Observed.accounts, -1: unknown
    at: Ints
    due: Ints  # NO_DAY: none
    end: Ints
    row: Ints  # of Observed.dues; NO_ROW: no terms

    def taken(self, rows: Ints | slice) -> "Asked":
        return Asked(*(getattr(self, one.name)[rows] for one in fields(self)))


def asked(
    observed: Observed,
    *,
    account: npt.ArrayLike,
    at: npt.ArrayLike,
    due: npt.ArrayLike | None = None,
    row: npt.ArrayLike | None = None,
) -> Asked:
    """`due` default: that of the row; without a row, none."""
    who = np.asarray(account, np.int64)
    days = np.broadcast_to(numbers(np.asarray(at, "datetime64[D]")), who.shape)
    rows = np.full(len(who), NO_ROW) if row is None else np.asarray(row, np.int64)
    dues = np.append(numbers(observed.dues.due), NO_DAY)  # NO_ROW is its last
    ends = dues[rows] if due is None else numbers(np.asarray(due, "datetime64[D]"))
    ends = np.broadcast_to(ends, who.shape)
    place = places(observed.accounts, who)
    stop = np.minimum(days, np.where(ends == NO_DAY, days, ends + 1))
    return Asked(
        who, place, days, ends, np.minimum(stop, _notice(observed, place, days, rows)), rows
    )


def term_starts(dues: Dues, row: Ints) -> Ints:
    """First day of the term of a row of dues; NO_DAY where it is unknown."""
    return np.asarray(np.append(numbers(dues.starts), NO_DAY)[row])


def fact_index(observed: Observed) -> Index:
    """Facts by account and kind: the number is place x kinds + kind."""
    facts: Facts = observed.facts
    place = places(observed.accounts, facts.account)
    number = place * len(observed.kind_names) + facts.kind
    return Index.of(number, numbers(facts.happened), numbers(facts.known))


def _notice(observed: Observed, place: Ints, at: Ints, row: Ints) -> Ints:
    """The day after the first known notice of this term, at most a year ago; else `at`."""
    kind = observed.kind("notice")
    if kind < 0 or not len(observed.facts):
        return at
    index = fact_index(observed)
    number = np.where(place < 0, -1, place * len(observed.kind_names) + kind)
    window, row = index.spans(number, np.maximum(at - 365, term_starts(observed.dues, row)), at, at)
    first = latest(window, -index.day[row], len(at))
    return np.where(first == NO_DAY, at, -first + 1)
