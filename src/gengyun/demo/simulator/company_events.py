"""Tracked events of a simulated company, user by user, with the faults of real tracking."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from gengyun.demo.simulator.company import Company
from gengyun.demo.simulator.company_people import people_of
from gengyun.demo.world.product import DEEDS, MODULES

STREAM = 47
DAY_MS = 86_400_000
MERGED_UNTIL = 0.5  # share of the time until somebody noticed that two ids are one customer
OLD = "-old"


@dataclass(frozen=True)
class Batch:
    """One customer; `at` in milliseconds since 1970 UTC."""

    at: np.ndarray
    customers: np.ndarray
    users: np.ndarray
    deed: np.ndarray
    messages: np.ndarray


def event_batches(company: Company, *, first: int, zone: ZoneInfo) -> Iterator[Batch]:
    from gengyun.demo.simulator.company_files import external_id

    days = [company.start + timedelta(days=k) for k in range(company.days)]
    midnight = np.array(
        [
            int(datetime.combine(day, time.min, zone).astimezone(UTC).timestamp() * 1000)
            for day in days
        ]
    )
    spoiled = company.config.spoiled
    common = np.random.default_rng([company.seed, STREAM])
    count = len(company.tier)
    merged = common.random(count) < spoiled.merged
    twice = common.integers(first, company.days, spoiled.repeated_loads)
    for account in range(count):
        made = _of(company, account, midnight, first)
        if made is None:
            continue
        day, user, deed, at = made
        name = external_id(account)
        number = np.arange(len(day))
        customers = np.full(len(day), name, dtype="U24")
        if merged[account]:  # half of what was sent early came under another id
            early = (day < company.days * MERGED_UNTIL) & (user % 2 == 1)
            customers[early] = name + OLD
        # a load that was sent twice carries the same message ids
        again = np.flatnonzero(np.isin(day, twice))
        rows = np.concatenate([number, again])
        rows = rows[np.argsort(at[rows], kind="stable")]
        yield Batch(
            at[rows],
            customers[rows],
            np.char.add(f"{name}-", user[rows].astype("U12")),
            deed[rows],
            np.char.add(f"{name}-m", number[rows].astype("U12")),
        )


def _of(company: Company, account: int, midnight: np.ndarray, first: int):
    """(day, user, deed, instant) of each event of a customer; None: it has none."""
    rng = np.random.default_rng([company.seed, STREAM, account])
    there = people_of(company, account)
    day, column = np.nonzero(there.was_there)
    keep = day >= first
    day, column = day[keep], column[keep]
    if not len(day):
        return None
    # one event each, the others of the day by how much each does
    more = company.use.events[account] - there.was_there.sum(axis=1)
    share = there.weight[column]
    total = np.bincount(day, share, company.days)[day]
    extra = rng.poisson(np.maximum(more[day], 0) * share / total)
    row = np.repeat(np.arange(len(day)), 1 + extra)
    day, user = day[row], there.user[column[row]]
    deed = _deeds(rng, company, account, day)
    hours = np.clip(rng.normal(*_office(rng, len(day))), 6.0, 23.9)
    return day, user, deed, midnight[day] + (hours * 3_600_000).astype(np.int64)


def _office(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """A morning and an afternoon peak, some evening work."""
    part = rng.choice(3, size=count, p=(0.46, 0.44, 0.10))
    return np.array([10.2, 15.4, 20.3])[part], np.array([1.1, 1.4, 1.2])[part]


def _deeds(rng: np.random.Generator, company: Company, account: int, day: np.ndarray) -> np.ndarray:
    """What each event was: of the modules that were touched on its day, and of each at least one
    where there are events enough."""
    bits = company.use.modules[account][day]
    weight = np.array([deed.weight for deed in DEEDS])
    module = np.array([MODULES.index(deed.module) for deed in DEEDS])
    open_ = ((bits[:, None] >> module) & 1) * weight
    open_[open_.sum(axis=1) == 0] = weight * (module == 0)
    heaped = np.cumsum(open_, axis=1)
    draw = rng.random(len(day)) * heaped[:, -1]
    deed = (heaped <= draw[:, None]).sum(axis=1)
    return np.minimum(deed, len(DEEDS) - 1)
