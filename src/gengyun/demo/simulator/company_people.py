"""Which user of a customer was in the product on which day: for whatever needs people, not counts.

Drawn when asked for, customer by customer, from a stream of its own: the same people every time.
"""

from dataclasses import dataclass

import numpy as np

from gengyun.demo.simulator.company import Columns, Company, Counts, Flags, Ints, taken

STREAM = 45
KEY_PARTS = {"decider": 0, "champion": 1}  # the places of those who are contacts too
KEY_WEIGHT = {"decider": 0.5, "champion": 2.0}
SUCCESSOR = 10_000  # a new person at a place has the place's number and this for each before


@dataclass(frozen=True)
class There:
    """One customer: `user` is the number of the person of each column of `was_there`."""

    user: Ints
    was_there: Flags  # [day, column]
    weight: np.ndarray  # how much each does


def people_of(company: Company, account: int, contacts: Columns | None = None) -> There:
    """`contacts`: the rows of this customer, if they were looked up already."""
    rng = np.random.default_rng([company.seed, STREAM, account])
    room = company.activated[account]
    count = int(room[-1])
    weight = rng.gamma(0.8, 1 / 0.8, count) + 0.02
    for part, place in KEY_PARTS.items():
        if place < count:
            weight[place] = max(weight[place], KEY_WEIGHT[part])
    mine = contacts_of(company, account) if contacts is None else contacts
    place, user, window = _persons(company, room, mine)
    race = rng.exponential(1, (company.days, count)) / weight
    available = np.zeros((company.days, count), np.bool_)
    for at, (first, last) in zip(place, window, strict=True):
        available[first:last, at] = True
    race[~available] = np.inf
    rank = race.argsort(axis=1).argsort(axis=1)
    active = (rank < company.use.active[account][:, None]) & available
    days = np.arange(company.days)
    was = np.stack(
        [
            active[:, at] & (days >= first) & (days < last)
            for at, (first, last) in zip(place, window, strict=True)
        ],
        axis=1,
    )
    return There(user, was, weight[place])


def contacts_of(company: Company, account: int) -> Columns:
    contacts = company.tables["contacts"]
    return taken(contacts, contacts["account"] == account)


def _persons(
    company: Company, room: Counts, contacts: Columns
) -> tuple[list[int], Ints, list[tuple[int, int]]]:
    """Places 0 and 1 are held by one decider and one champion after the other; a place is there
    from the day on which there is `room` for it."""
    place, user, window = [], [], []
    count = int(room[-1])
    opens = np.searchsorted(room, np.arange(count), side="right").tolist()
    zero = np.datetime64(company.start, "D")
    for part, at in KEY_PARTS.items():
        if at >= count:
            continue
        rows = np.flatnonzero(contacts["part"] == part)
        for n, row in enumerate(rows):
            left = contacts["left"][row]
            last = company.days if np.isnat(left) else int((left - zero).astype(int))
            first = int((contacts["came"][row] - zero).astype(int)) if n else 0
            place.append(at)
            user.append(at + n * SUCCESSOR)
            window.append((first, last))
    rest = list(range(len(KEY_PARTS), count))
    return (
        place + rest,
        np.array(user + rest, np.int64),
        window + [(opens[at], company.days) for at in rest],
    )
