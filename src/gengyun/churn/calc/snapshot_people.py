"""Inputs from who uses the product, and which parts of it (science.md 4.1).

Only counts of people per account: nobody is judged by name, and nothing here tells one person from
another but by a key.
"""

from dataclasses import dataclass, replace

import numpy as np

from gengyun.churn.calc.asked import Asked
from gengyun.churn.calc.observed import ON_TIME, Observed, Presence
from gengyun.churn.calc.table import Floats, Ints
from gengyun.churn.calc.windows import (
    DAY_BITS,
    NO_DAY,
    expand,
    latest,
    numbers,
    places,
    ratio,
    total,
    window_bits,
)

HALF = 180
TOP = 0.2  # share of the people whose share of the use is the key-person risk
FEWEST_FOR_TOP = 3


@dataclass(frozen=True)
class PresenceReader:
    """Months with their days as bits, by account and month."""

    key: Ints  # place << DAY_BITS | month
    month: Ints
    known: Ints  # NO_DAY: on time
    bits: Ints
    code: Ints  # of the person or part, from 0
    codes: int
    begun: Ints  # place << DAY_BITS | first day on which a person was known to have been there

    @classmethod
    def of(cls, rows: Presence, place: Ints) -> "PresenceReader":
        month = numbers(rows.month)
        known = np.where(rows.known == ON_TIME, NO_DAY, numbers(rows.known))
        names, code = np.unique(rows.key, return_inverse=True)
        first = month + _lowest_bit(rows.bits)
        # the day after which this row's first day counts
        counts_from = np.maximum(first, known)
        who = place * np.int64(max(1, len(names))) + code
        order = np.lexsort([counts_from, who])
        is_first = np.ones(len(who), np.bool_)
        is_first[1:] = who[order][1:] != who[order][:-1]
        chosen = order[is_first]
        begun = np.sort((place[chosen] << DAY_BITS) + counts_from[chosen])
        return cls(
            (place << DAY_BITS) + month, month, known, rows.bits, code, max(1, len(names)), begun
        )

    def ever(self, asked: Asked) -> Floats:
        """People (or parts) seen at any time before `end`, known before `at`."""
        base = asked.place << DAY_BITS
        found = np.searchsorted(self.begun, base + asked.end) - np.searchsorted(self.begun, base)
        return np.where(asked.place < 0, 0, found).astype(np.float64)

    def read(self, asked: Asked, days: int) -> "PresenceSeen":
        """One row per (window, person, month): which days of [end - days, end) they were there."""
        base = asked.place << DAY_BITS
        begin = np.searchsorted(self.key, base + np.maximum(asked.end - days - 31, 0))
        stop = np.searchsorted(self.key, base + np.maximum(asked.end, 0))
        window, row = expand(begin, np.where(asked.place < 0, begin, stop))
        seen = self.known[row] < asked.at[window]
        window, row = window[seen], row[seen]
        bits = self.bits[row] & window_bits(
            self.month[row], asked.end[window] - days, asked.end[window]
        )
        some = bits != 0
        window, row, bits = window[some], row[some], bits[some]
        who = window * np.int64(self.codes) + self.code[row]
        return _united(who, window, self.month[row], bits, asked)


@dataclass(frozen=True)
class PresenceSeen:
    asked: Asked
    person: Ints  # from 0, per (window, person)
    owner: Ints  # window of each person
    window: Ints
    month: Ints
    bits: Ints

    def days(self, old: int, new: int) -> Floats:
        """Days each person was there in [end - old, end - new)."""
        end = self.asked.end[self.window]
        bits = self.bits & window_bits(self.month, end - old, end - new)
        return total(self.person, np.bitwise_count(bits), len(self.owner))

    def people(self, old: int, new: int) -> Floats:
        """How many were there at all."""
        return total(self.owner[self.days(old, new) > 0], None, len(self.asked.at))


def _united(who: Ints, window: Ints, month: Ints, bits: Ints, asked: Asked) -> PresenceSeen:
    """Bits of one person and month in several rows (some days came late) as one."""
    order = np.lexsort([month, who])
    who, window, month, bits = who[order], window[order], month[order], bits[order]
    new_person = np.ones(len(who), np.bool_)
    new_person[1:] = who[1:] != who[:-1]
    new_row = new_person.copy()
    new_row[1:] |= month[1:] != month[:-1]
    starts = np.flatnonzero(new_row)
    joined = np.bitwise_or.reduceat(bits, starts) if len(starts) else bits
    person = np.cumsum(new_person) - 1
    return PresenceSeen(
        asked, person[starts], window[new_person], window[starts], month[starts], joined
    )


def _lowest_bit(bits: Ints) -> Ints:
    low = bits & -bits
    return np.asarray(np.bitwise_count(np.maximum(low, 1) - 1), np.int64)


def people_features(
    reader: PresenceReader, asked: Asked, seats: Floats, is_known: Floats
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """(inputs, raw numbers). `is_known`: 1 where there ever was use, nan elsewhere."""
    seen = reader.read(asked, 2 * HALF)
    now, ninety = seen.people(28, 0), seen.people(90, 0)
    before = seen.people(HALF, 90)
    was, still = seen.days(HALF, 90) > 0, seen.days(90, 0) > 0
    lost = total(seen.owner[was & ~still], None, len(asked.at))
    ever = reader.ever(asked) * is_known
    inputs = {
        "users_28": np.log1p(now) * is_known,
        "users_90": np.log1p(ninety) * is_known,
        "users_year": np.log1p(seen.people(2 * HALF, 0)) * is_known,
        "users_trend": np.log((ninety + 0.5) / (before + 0.5)) * is_known,
        "users_lost_90": ratio(lost, before),
        "power_user_share": _top_share(seen),
        "seats_active_28": ratio(now * is_known, seats),
        "activation": np.minimum(ratio(ever, seats), 1.5),
    }
    raw = {
        "users_28": now * is_known,
        "users_90": ninety * is_known,
        "users_prev90": before * is_known,
        "users_lost_90": np.where(before > 0, lost, np.nan),
        "users_ever": ever,
        "power_user_share": inputs["power_user_share"],
        "seats": seats,
    }
    return inputs, raw


def _top_share(seen: PresenceSeen) -> Floats:
    """Share of the person-days of 84 days by the busiest fifth of the people; nan below three."""
    days, count = seen.days(84, 0), len(seen.asked.at)
    there = days > 0
    days, owner = days[there], seen.owner[there]
    order = np.lexsort([-days, owner])
    days, owner = days[order], owner[order]
    people = total(owner, None, count)
    begin = np.cumsum(people) - people
    rank = np.arange(len(owner)) - begin[owner]
    top = rank < np.ceil(TOP * people)[owner]
    share = ratio(total(owner[top], days[top], count), total(owner, days, count))
    return np.where(people >= FEWEST_FOR_TOP, share, np.nan)


def part_features(
    reader: PresenceReader, asked: Asked, is_known: Floats
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """How many parts of the product are used. Unknown where no parts are told apart at all."""
    if not len(reader.key):
        return {}, {}
    seen = reader.read(asked, HALF)
    now, ninety, before = seen.people(28, 0), seen.people(90, 0), seen.people(HALF, 90)
    inputs = {
        "breadth_28": np.log1p(now) * is_known,
        "breadth_trend": np.log((ninety + 0.5) / (before + 0.5)) * is_known,
    }
    return inputs, {"parts_28": now * is_known, "parts_ever": reader.ever(asked) * is_known}


@dataclass(frozen=True)
class KeyPeople:
    """Deciders and champions who have a user of the product."""

    key: Ints  # place << DAY_BITS
    known: Ints
    until: Ints
    pair: Ints  # of account and user: the place of its rows in `days`
    days: PresenceReader

    @classmethod
    def of(cls, observed: Observed, people: Presence, place: Ints) -> "KeyPeople":
        users = observed.key_users
        mine = places(observed.accounts, users.account)
        names = np.unique(users.user)
        pairs, pair = np.unique(
            mine * np.int64(max(1, len(names))) + places(names, users.user), return_inverse=True
        )
        name = places(names, people.key)
        of_row = places(pairs, place * np.int64(max(1, len(names))) + name)
        rows = np.flatnonzero((name >= 0) & (of_row >= 0))
        rows = rows[np.lexsort([people.month[rows], of_row[rows]])]
        return cls(
            mine << DAY_BITS,
            numbers(users.known),
            np.where(np.isnat(users.until), np.iinfo(np.int64).max, numbers(users.until)),
            pair.reshape(-1).astype(np.int64),
            PresenceReader.of(people.taken(rows), of_row[rows]),
        )

    def gap(self, asked: Asked, since: Ints) -> Floats:
        """Days since one of them was there, a year at most; nan: nobody known by then.

        `since`: first use of the account; who never came is counted from there.
        """
        base = asked.place << DAY_BITS
        begin = np.searchsorted(self.key, base)
        stop = np.searchsorted(self.key, base + 1)
        owner, row = expand(begin, np.where(asked.place < 0, begin, stop))
        # who was known as such on the day; whoever became it later says nothing yet
        present = (self.known[row] < asked.at[owner]) & (self.until[row] >= asked.at[owner])
        owner, row = owner[present], row[present]
        one = replace(asked.taken(owner), place=self.pair[row])
        seen = self.days.read(one, 2 * HALF)
        top = np.floor(np.log2(np.maximum(seen.bits, 1).astype(np.float64))).astype(np.int64)
        last = latest(owner[seen.window], seen.month + top, len(asked.at))
        has = total(owner, None, len(asked.at)) > 0
        begun = np.maximum(since, asked.end - 2 * HALF)
        gap = np.where(last == NO_DAY, asked.end - begun, asked.end - 1 - last)
        return np.where(has & (since != NO_DAY), gap, np.nan).astype(np.float64)
