"""A world from a seed: engagement wanders, shocks hit it, people use the product accordingly."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from gengyun.demo.simulator.config import WorldConfig
from gengyun.demo.simulator.shapes import Seen, Shock, Truth, World
from gengyun.demo.world import calendar
from gengyun.demo.world.names import INDUSTRIES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BEFORE = 200  # shocks up to this many days before the first day still act
RAMP = 60  # days until a new customer uses the product fully
SHOW_DAYS = 7  # days from the first sign to the full size of a shock


@dataclass(frozen=True)
class Latent:
    """Who the customers are and what moves them, without what they do in the product."""

    tier: Ints
    seats: Ints
    shocks: tuple[Shock, ...]
    engagement: Floats  # [account, day]
    season: Ints
    fit: Floats  # how well the product suits the customer, for good


def make_latent(config: WorldConfig, *, seed: int) -> Latent:
    """The same customers, shocks and engagement that `make_world` gives for this seed."""
    accounts, shocks, latent = (np.random.default_rng([seed, part]) for part in range(3))
    tier, seats, season, fit, first_day = _accounts(accounts, config)
    drawn = _shocks(shocks, config, first_day)
    engagement = _engagement(latent, config, fit, drawn)
    return Latent(tier, seats, tuple(drawn), engagement, season, fit)


def make_world(config: WorldConfig, *, seed: int) -> World:
    """Same config and seed, same world. Drawn part by part, so that a change of one part (the
    outages, say) leaves the draws of the others as they were."""
    accounts, shocks, latent, use, lost = (np.random.default_rng([seed, part]) for part in range(5))
    tier, seats, season, fit, first_day = _accounts(accounts, config)
    drawn = _shocks(shocks, config, first_day)
    engagement = _engagement(latent, config, fit, drawn)
    outages = outages_of(lost, config)
    share = calendar_of(config)
    active, events = _use(
        use, config, engagement, share[season], seats=seats, first_day=first_day, outages=outages
    )
    seasons = tuple(dict.fromkeys(industry.season for industry in INDUSTRIES))
    seen = Seen(config.start, seats, tier, season, seasons, first_day, active, events)
    truth = Truth(tuple(drawn), share, outages, engagement.astype(np.float32))
    return World(seed, seen, truth)


def _accounts(
    rng: np.random.Generator, config: WorldConfig
) -> tuple[Ints, Ints, Ints, Floats, Ints]:
    count = config.accounts
    tier = rng.choice(3, size=count, p=config.tier_share)
    median = np.array(config.seats_median)[tier]
    seats = np.maximum(3, np.round(median * rng.lognormal(0, config.seats_spread, count)))
    seasons = list(dict.fromkeys(industry.season for industry in INDUSTRIES))
    weight = np.array([industry.share for industry in INDUSTRIES])
    industry = rng.choice(len(INDUSTRIES), size=count, p=weight / weight.sum())
    season = np.array([seasons.index(INDUSTRIES[k].season) for k in industry])
    fit = rng.normal(0, 1, count)
    # half were there from the start, the others come all along
    joined = rng.integers(0, max(config.days * 2 // 3, 1), count)
    first_day = np.where(rng.random(count) < 0.5, -RAMP, joined)
    return tier, seats.astype(np.int64), season, fit, first_day


def _shocks(rng: np.random.Generator, config: WorldConfig, first_day: Ints) -> list[Shock]:
    found = []
    for account in range(config.accounts):
        first = max(-BEFORE, int(first_day[account]))
        if config.shocks_before is not None:
            first = -config.shocks_before
        for kind in config.shocks:
            years = (config.days - first) / 365
            for _ in range(rng.poisson(kind.yearly_rate * years)):
                day = int(rng.integers(first, config.days))
                size = float(rng.lognormal(0, 0.25))
                lag = int(rng.integers(*kind.lag))
                shows = rng.random() < kind.visible
                found.append(
                    Shock(
                        account=account,
                        kind=kind.name,
                        day=day,
                        use=kind.use * size,
                        risk=kind.risk * size,
                        shows_from=day + lag if shows else None,
                        half_life=kind.half_life,
                    )
                )
    return sorted(found, key=lambda shock: (shock.day, shock.account, shock.kind))


def _engagement(
    rng: np.random.Generator, config: WorldConfig, fit: Floats, shocks: list[Shock]
) -> Floats:
    count, phi, spread = config.accounts, config.memory, config.wandering
    latent = np.empty((count, config.days))
    wandering = rng.normal(0, spread, count)
    kicks = rng.normal(0, spread * np.sqrt(1 - phi**2), (config.days, count))
    for day in range(config.days):
        wandering = phi * wandering + kicks[day]
        latent[:, day] = wandering
    latent += config.fit_weight * fit[:, None]
    days = np.arange(config.days)
    for shock in shocks:
        if shock.shows_from is None:
            continue
        first = max(0, shock.shows_from)
        since = days[first:] - shock.shows_from
        shape = np.minimum(since / SHOW_DAYS, 1) * 0.5 ** (since / shock.half_life)
        latent[shock.account, first:] += shock.use * shape
    return latent


def calendar_of(config: WorldConfig) -> Floats:
    seasons = list(dict.fromkeys(industry.season for industry in INDUSTRIES))
    days = [config.start + timedelta(days=k) for k in range(config.days)]
    return calendar.factors(days, seasons)


def outages_of(rng: np.random.Generator, config: WorldConfig) -> tuple[tuple[int, int], ...]:
    drawn = [
        (int(rng.integers(0, config.days)), int(rng.integers(1, 4))) for _ in range(config.outages)
    ]
    return tuple(sorted([*drawn, *config.fixed_outages]))


def _use(
    rng: np.random.Generator,
    config: WorldConfig,
    engagement: Floats,
    share: Floats,
    *,
    seats: Ints,
    first_day: Ints,
    outages: tuple[tuple[int, int], ...],
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    usual = np.log(config.usual_share / (1 - config.usual_share))
    level = 1 / (1 + np.exp(-(usual + engagement)))
    since = np.arange(config.days) - first_day[:, None]
    level *= np.where(since >= 0, np.clip(0.25 + since / RAMP, 0, 1), 0)
    level *= share * np.exp(rng.normal(0, config.day_noise, level.shape))
    # the same draws whatever was lost, so that worlds with and without an outage are a pair
    active = rng.binomial(seats[:, None], np.clip(level, 0, 1)).astype(np.int32)
    events = (active + rng.poisson(config.events_per_user * active)).astype(np.int32)
    for first, count in outages:
        for counted in (active, events):
            part = counted[:, first : first + count]
            part[...] = np.floor(part * config.outage_use).astype(np.int32)
    return active, events
