"""Everything a deployment holds that the churn probability may look at, as columns.

Each row says when something happened and when it became known: what is known on day k may be used
from day k + 1 on. Filled from the database and the lake (`queries.observed`), from the simulator,
or from a file; `snapshot` reads nothing else.

Builders sort by account and day and turn lists into columns, so that a caller need not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from gengyun.churn.calc.table import Days, Floats, Ints

NEVER = np.datetime64("NaT", "D")
DTYPES: dict[Any, Any] = {Ints: np.int64, Floats: np.float64, Days: "datetime64[D]"}
ON_TIME = np.datetime64("1970-01-01", "D")  # of presence: each day was known on that day itself


def as_days(values: npt.ArrayLike) -> Days:
    return np.asarray(values, dtype="datetime64[D]")


@dataclass(frozen=True)
class Columns:
    """Columns of equal length, one row after the other by `order()`."""

    optional: ClassVar[dict[str, Any]] = {}  # columns that may be left out: the value of all rows

    account: Ints

    def __len__(self) -> int:
        return len(self.account)

    @classmethod
    def order(cls) -> tuple[str, ...]:
        """Names of the columns that rows are sorted by, the first first."""
        return ("account",)

    @classmethod
    def of(cls, **columns: npt.ArrayLike) -> Self:
        """Typed and sorted; one value stands for all rows; an optional column may be left out."""
        given = {**cls.optional, **columns}
        lengths = {len(np.asarray(one)) for one in given.values() if np.ndim(one)}
        count = lengths.pop() if lengths else 1
        if set(given) != {one.name for one in fields(cls)}:
            raise TypeError(f"{cls.__name__}: {sorted(given)}")
        made = {
            one.name: np.broadcast_to(np.asarray(given[one.name], DTYPES[one.type]), (count,))
            for one in fields(cls)
        }
        rows = np.lexsort([made[name] for name in reversed(cls.order())])
        return cls(**{name: values[rows] for name, values in made.items()})

    @classmethod
    def none(cls) -> Self:
        return cls.of(**{one.name: [] for one in fields(cls)})

    def taken(self, rows: npt.NDArray[Any]) -> Self:
        """Rows that a mask or rising places name: the order stays."""
        return type(self)(**{one.name: getattr(self, one.name)[rows] for one in fields(self)})

    def and_(self, other: Self) -> Self:
        """The rows of both."""
        return self.of(
            **{
                one.name: np.concatenate([getattr(self, one.name), getattr(other, one.name)])
                for one in fields(self)
            }
        )


@dataclass(frozen=True)
class Use(Columns):
    """Product use of an account on a day. Rows of one day add up: what came late is one more row.

    `users`: people whose first known event of that day became known on `known`, so that rows add up
    to the people of the day.
    """

    day: Days
    known: Days
    events: Floats
    users: Floats  # nan: events without people

    @classmethod
    def order(cls) -> tuple[str, ...]:
        return ("account", "day", "known")


@dataclass(frozen=True)
class Presence(Columns):
    """Who (or which part of the product) was there, a month a row: bit 0 of `bits` is the 1st."""

    month: Days
    key: Ints  # of a person or of a part
    known: Days  # ON_TIME, or the day on which these days became known
    bits: Ints

    @classmethod
    def order(cls) -> tuple[str, ...]:
        return ("account", "month", "key")


@dataclass(frozen=True)
class States(Columns):
    """The value of a field from `known` on until the next row; nan: it became unknown again."""

    field: Ints  # place in Observed.state_names
    known: Days
    value: Floats

    @classmethod
    def order(cls) -> tuple[str, ...]:
        return ("account", "field", "known")


@dataclass(frozen=True)
class Facts(Columns):
    """A dated fact of a kind (see KINDS), with a number where the kind has one.

    `until`: the day on which it was known to be over (a ticket answered, an invoice paid, a promise
    kept); NaT: not yet.
    """

    optional: ClassVar[dict[str, Any]] = {"until": NEVER, "value": np.nan}

    kind: Ints  # place in Observed.kind_names
    happened: Days
    known: Days
    until: Days
    value: Floats

    @classmethod
    def order(cls) -> tuple[str, ...]:
        return ("account", "kind", "happened")


@dataclass(frozen=True)
class Dues(Columns):
    """Contract terms that end: one row per renewal, and per month of what runs on by itself.

    Everything above `decided` was known from `known` on. The rest is the outcome and never an
    input.
    """

    optional: ClassVar[dict[str, Any]] = {
        "renewal": -1,
        "group": 0,
        "amount_minor": 0,
        "starts": NEVER,
        "nth": 0,
        "discount": np.nan,
        "price_rise": np.nan,
        "auto_renew": np.nan,
        "period_months": 0,
        "decided": NEVER,
        "kept_minor": np.nan,
        "ended": NEVER,
        "involuntary": 0,
    }

    due: Days  # the last day covered
    known: Days  # the day on which it was known that this comes due
    renewal: Ints  # its id; -1: a month of an open-ended contract
    group: Ints  # what renews what: rows of one account and group follow each other
    amount_minor: Ints  # a year's
    starts: Days  # first day of the term
    nth: Ints  # terms of this group before this one
    discount: Floats  # share off the list price
    price_rise: Floats  # price asked for the next term over today's, less 1
    auto_renew: Floats  # 1, 0
    period_months: Ints  # 1: runs on month by month; 0: a fixed term
    decided: Days  # signature of the successor, or the day of the loss
    kept_minor: Floats  # a year's amount afterwards; nan: nothing signed
    ended: Days  # last day, where it ended before it was due
    involuntary: Ints  # 1: bankruptcy, merger

    @classmethod
    def order(cls) -> tuple[str, ...]:
        return ("account", "due", "group", "renewal")


@dataclass(frozen=True)
class Values(Columns):
    """A metric of the company as the run of `day` found it: known before that day began."""

    metric: Ints  # place in Observed.metrics
    day: Days
    value: Floats

    @classmethod
    def order(cls) -> tuple[str, ...]:
        return ("account", "metric", "day")


@dataclass(frozen=True)
class KeyUsers(Columns):
    """The product users that belong to deciders and champions."""

    optional: ClassVar[dict[str, Any]] = {"until": NEVER}

    user: Ints  # key of Presence
    known: Days
    until: Days  # left


# What a fact may be of. Without an end: it counts for a while. With one: while it lasts.
KINDS = (
    "decider_left",  # the decision maker changed
    "champion_left",
    "competitor",
    "roi_doubt",
    "missold",
    "layoff",
    "contact_refused",
    "touch",  # a call, meeting, visit, mail with the customer
    "meeting",
    "exec_contact",  # a touch with the decider
    "not_solved",  # a touch that left the problem unsolved
    "no_reply",
    "ticket",  # value: 1 worst .. 4; until: solved
    "ticket_hours",  # value: hours to the first answer
    "ticket_reopened",
    "promise",  # happened: the day it was due; until: kept
    "feedback",  # a request; until: answered
    "nps",  # value: 0..10
    "csat",  # value: 1..5
    "sentiment",  # value: 1 alarmed .. 4 confident; until: no longer valid
    "invoice",  # happened: due; until: paid
    "dispute",
    "risk",  # any other that somebody noted
    "milestone",  # happened: planned; until: reached
    "price_rise",  # asked; value: share; until: asked otherwise, or decided
    "notice",  # of termination: the decision is made
)
STATES = ("seats", "tier", "started")  # started: days since 1970-01-01


@dataclass(frozen=True)
class Observed:
    """All that is held of some accounts. Calendar and company-wide kinds are learned from them all.

    `until`: the first day that nothing is held of any more (as of this day everything below is
    known). `seasons`: a number from 0 per account of `accounts` for industries that have a calendar
    of their own, -1 none.
    """

    accounts: Ints  # ascending
    until: date
    use: Use = field(default_factory=Use.none)
    people: Presence = field(default_factory=Presence.none)
    parts: Presence = field(default_factory=Presence.none)  # parts of the product
    states: States = field(default_factory=States.none)
    facts: Facts = field(default_factory=Facts.none)
    dues: Dues = field(default_factory=Dues.none)
    values: Values = field(default_factory=Values.none)
    key_users: KeyUsers = field(default_factory=KeyUsers.none)
    kind_names: Sequence[str] = KINDS
    state_names: Sequence[str] = STATES
    metrics: Sequence[str] = ()  # keys; each is a feature of its own
    metric_signs: Mapping[str, int] = field(default_factory=dict)  # +1: more of it is risk
    seasons: Ints | None = None

    def kind(self, name: str) -> int:
        """Place of a kind of fact; -1: the deployment does not know it."""
        return list(self.kind_names).index(name) if name in self.kind_names else -1

    def state(self, name: str) -> int:
        return list(self.state_names).index(name) if name in self.state_names else -1


def of_user_days(
    account: npt.ArrayLike,
    user: npt.ArrayLike,
    day: npt.ArrayLike,
    known: npt.ArrayLike | None = None,
    events: npt.ArrayLike | None = None,
) -> tuple[Use, Presence]:
    """Use and presence from one row per (account, person, day) or per event: repeats add up.

    `known` default: the day itself; `events` default: 1 a row. A user below 0 is nobody: the events
    count, a person does not.
    """
    who, person = np.asarray(account, np.int64), np.asarray(user, np.int64)
    on = as_days(day)
    learned = on if known is None else np.maximum(as_days(known), on)
    count = np.ones(len(who)) if events is None else np.asarray(events, np.float64)
    order = np.lexsort([learned, on, person, who])
    who, person, count = who[order], person[order], count[order]
    on, learned = on[order], learned[order]
    is_first = np.ones(len(who), np.bool_)
    is_first[1:] = (who[1:] != who[:-1]) | (person[1:] != person[:-1]) | (on[1:] != on[:-1])
    is_first &= person >= 0
    rows, place = np.unique(
        np.column_stack([who, on.astype(np.int64), learned.astype(np.int64)]),
        axis=0,
        return_inverse=True,
    )
    place = place.reshape(-1)
    use = Use.of(
        account=rows[:, 0],
        day=rows[:, 1].astype("datetime64[D]"),
        known=rows[:, 2].astype("datetime64[D]"),
        events=np.bincount(place, count, len(rows)),
        users=np.bincount(place, is_first.astype(np.float64), len(rows)),
    )
    return use, presence_of(who[is_first], person[is_first], on[is_first], learned[is_first])


def presence_of(
    account: npt.ArrayLike, key: npt.ArrayLike, day: npt.ArrayLike, known: npt.ArrayLike
) -> Presence:
    """Presence from one row per (account, person or part, day); repeats do no harm."""
    who, what = np.asarray(account, np.int64), np.asarray(key, np.int64)
    on, learned = as_days(day), as_days(known)
    month = on.astype("datetime64[M]").astype("datetime64[D]")
    bit = np.left_shift(np.int64(1), (on - month).astype(np.int64))
    late = np.where(learned <= on, ON_TIME, learned)
    rows, place = np.unique(
        np.column_stack([who, what, month.astype(np.int64), late.astype(np.int64)]),
        axis=0,
        return_inverse=True,
    )
    bits = np.zeros(len(rows), np.int64)
    np.bitwise_or.at(bits, place.reshape(-1), bit)
    return Presence.of(
        account=rows[:, 0],
        key=rows[:, 1],
        month=rows[:, 2].astype("datetime64[D]"),
        known=rows[:, 3].astype("datetime64[D]"),
        bits=bits,
    )


def use_of(events: Use, people: Presence) -> Use:
    """`events` with the people of each day beside them, counted from presence.

    A person of a day counts on the day on which the first of its events became known: what came
    late adds nobody who was known to be there already.
    """
    late = people.known != ON_TIME
    order = np.lexsort([people.known, people.month, people.key, people.account])
    same = np.ones(len(order), np.bool_)
    for name in ("account", "key", "month"):
        values = getattr(people, name)[order]
        same[1:] &= values[1:] == values[:-1]
    same[:1] = False
    start = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    bits = people.bits[order].copy()
    if len(order) and late.any():
        seen = np.zeros(len(order), np.int64)  # by the place of the first row
        rank = np.arange(len(order)) - start
        for turn in range(int(rank.max()) + 1):
            rows = np.flatnonzero(rank == turn)
            bits[rows] &= ~seen[start[rows]]
            seen[start[rows]] |= bits[rows]
    return events.and_(
        _daily_people(people.account[order], people.month[order], people.known[order], bits)
    )


def _daily_people(account: Ints, month: Days, known: Days, bits: Ints) -> Use:
    order = np.lexsort([known, month, account])
    account, month, known, bits = account[order], month[order], known[order], bits[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (account[1:] != account[:-1]) | (month[1:] != month[:-1]) | (known[1:] != known[:-1])
    first = np.flatnonzero(new)
    parts = [Use.none()]
    for day in range(31 if len(first) else 0):
        count = np.add.reduceat((bits >> day) & 1, first)
        there = first[count > 0]
        on = month[there] + np.timedelta64(day, "D")
        parts.append(
            Use(
                account[there],
                on,
                np.where(known[there] == ON_TIME, on, known[there]),
                np.zeros(len(there)),
                count[count > 0].astype(np.float64),
            )
        )
    return Use.of(
        **{
            one.name: np.concatenate([getattr(part, one.name) for part in parts])
            for one in fields(Use)
        }
    )
