"""Who has the product when, and how much of it they use: the ramp after the start, the collapse of
many who have decided to leave, and what became of the data on the way."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from gengyun.demo.simulator.company import Counts, Floats, Ints, Use
from gengyun.demo.simulator.company_config import CompanyConfig
from gengyun.demo.simulator.deals import DealWorld
from gengyun.demo.simulator.make import RAMP, Latent, calendar_of, outages_of
from gengyun.demo.world.product import EDITION_MODULES, EDITIONS, MODULE_WEIGHT, MODULES

EDITION_OF_TIER = ((0.62, 0.33, 0.05), (0.15, 0.58, 0.27), (0.0, 0.30, 0.70))
RESIDUE = 0.05  # of the use is left after a collapse
BLOCK = 200  # accounts at once: memory


@dataclass(frozen=True)
class Held:
    """What every account holds on every day."""

    seats: Counts
    since: Counts  # days since the first start; negative before
    level: np.ndarray  # share of the ordinary use left, 1 but for a collapse
    collapsed: dict[tuple[int, int], int]


def held(rng: np.random.Generator, config: CompanyConfig, deals: DealWorld) -> Held:
    count, days = config.world.accounts, config.world.days
    start = config.world.start
    seats = np.zeros((count, days), np.int32)
    first = np.full(count, days, np.int64)
    lost = {(due.account, due.nth) for due in deals.dues if due.outcome_minor == 0}
    left = {(one.account, one.nth): one.on for one in deals.changes if one.kind == "exit"}
    level = np.ones((count, days), np.float32)
    collapsed = {}
    for term in deals.terms:
        ends = left.get((term.account, term.nth), term.ends_on + timedelta(days=1))
        a, b = (term.starts_on - start).days, (ends - start).days
        seats[term.account, max(a, 0) : max(b, 0)] = term.seats
        first[term.account] = min(first[term.account], a)
        leaves = (term.account, term.nth) in lost
        share, before = rng.random(), int(rng.integers(*config.crm.collapse_days))
        if leaves and share < config.crm.collapse and b > 0:
            collapsed[term.account, term.nth] = b - before
            level[term.account, max(b - before, 0) : b] *= RESIDUE
    ends_on = {(term.account, term.nth): term.ends_on for term in deals.terms}
    for one in deals.changes:
        if one.kind == "add_on":
            at = (one.on - start).days
            last = ends_on[one.account, one.nth]
            part = seats[one.account, max(at, 0) : (last - start).days + 1]
            part[part > 0] += one.seats
    since = (np.arange(days) - first[:, None]).astype(np.int32)
    return Held(seats, since, level, collapsed)


def bought(rng: np.random.Generator, tier: Ints) -> np.ndarray:
    """Bits of the modules in each customer's edition."""
    bits = np.array(
        [sum(1 << MODULES.index(name) for name in EDITION_MODULES[one]) for one in EDITIONS]
    )
    shares = np.array(EDITION_OF_TIER)[tier]
    edition = (rng.random(len(tier))[:, None] > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1)
    return bits[edition].astype(np.int16)


def activated(
    rng: np.random.Generator, config: CompanyConfig, fit: Floats, seats: Counts
) -> Counts:
    """[account, day]: users there have been room for up to a day; never more than the most seats
    held so far. A day must not know of seats that are bought later: who buys more has renewed."""
    share = rng.beta(*config.crm.activated, len(fit)) + config.crm.activated_fit * fit
    most = np.maximum.accumulate(seats, axis=1)
    wanted = np.maximum(2, np.round(most * np.clip(share, 0.25, 1)[:, None]))
    return np.minimum(wanted, most).astype(np.int32)


def use(
    rng: np.random.Generator,
    config: CompanyConfig,
    latent: Latent,
    mine: Held,
    *,
    users: Counts,
    modules: np.ndarray,
) -> tuple[Use, Floats, tuple[tuple[int, int], ...]]:
    """(use, calendar truth, outages)."""
    world = config.world
    share = calendar_of(world)
    outages = outages_of(rng, world)
    usual = np.log(world.usual_share / (1 - world.usual_share))
    active = np.zeros(mine.seats.shape, np.int32)
    events = np.zeros_like(active)
    touched = np.zeros(active.shape, np.int16)
    for first in range(0, len(active), BLOCK):
        part = slice(first, first + BLOCK)
        level = 1 / (1 + np.exp(-(usual + latent.engagement[part])))
        level *= np.clip(0.25 + mine.since[part] / RAMP, 0, 1) * (mine.since[part] >= 0)
        level *= mine.level[part] * share[latent.season[part]]
        level *= np.exp(rng.normal(0, world.day_noise, level.shape))
        drawn = rng.binomial(mine.seats[part], np.clip(level, 0, 1))
        drawn = np.minimum(drawn, users[part])
        active[part] = drawn
        events[part] = drawn + rng.poisson(world.events_per_user * drawn)
        touched[part] = _touched(rng, events[part], modules[part], latent.fit[part])
    made = Use(active, events, touched)
    for day, count in outages:
        _silence(made, day, count, world.outage_use)
    _spoil(made, config)
    return made, share, outages


def _touched(
    rng: np.random.Generator, events: np.ndarray, modules: np.ndarray, fit: Floats
) -> np.ndarray:
    """Modules touched on each day. What does not suit a customer is left aside for good."""
    weight = np.array([MODULE_WEIGHT[name] for name in MODULES])
    has = (modules[:, None] >> np.arange(len(MODULES))) & 1
    keeps = rng.random(has.shape) < 1 / (1 + np.exp(-(1.4 + 0.8 * fit)))[:, None]
    taste = has * weight * np.where(keeps | (np.arange(len(MODULES)) == 0), 1, 0.004)
    taste /= taste.sum(axis=1, keepdims=True)
    found = np.zeros(events.shape, np.int16)
    for k in range(len(MODULES)):
        chance = -np.expm1(-events * taste[:, k : k + 1]).astype(np.float32)
        found |= (rng.random(events.shape, np.float32) < chance).astype(np.int16) << k
    return found


def _silence(made: Use, first: int, count: int, left: float) -> None:
    for counted in (made.active, made.events):
        part = counted[:, first : first + count]
        part[...] = np.floor(part * left).astype(np.int32)
    made.modules[:, first : first + count][made.events[:, first : first + count] == 0] = 0


def _spoil(made: Use, config: CompanyConfig) -> None:
    """Days that tracking lost, and a stretch whose clock was eight hours behind: what was done in
    the morning counts for the day before."""
    days, spoiled = made.active.shape[1], config.spoiled
    for k in range(spoiled.missing_days):
        _silence(made, days * (2 * k + 1) // (2 * spoiled.missing_days), 1, 0.0)
    first = int(days * spoiled.shifted_from)
    last = min(first + spoiled.shifted_days, days)
    if first < 1 or last <= first:
        return
    for counted in (made.active, made.events):
        early = (counted[:, first:last] * EARLY).astype(np.int32)
        counted[:, first:last] -= early
        counted[:, first - 1 : last - 1] += early


EARLY = 0.06  # of a day's events happen before eight in the morning
