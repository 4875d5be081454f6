"""What happens at customers: decision makers change, champions leave, things go well.

Yearly rates, sizes and half-lives are the project's own assumptions. About half of the serious
shocks do not show in use for weeks: health built on use alone must miss them.
"""

from dataclasses import dataclass

import numpy as np

from gengyun.demo.world.shapes import Account, Shock


@dataclass(frozen=True)
class Kind:
    name: str
    yearly_rate: float
    jump: float
    visible: float  # probability of showing in use
    lag: tuple[int, int]  # days until it shows
    half_life: float


KINDS = (
    Kind("decision_maker_change", 0.20, -1.6, 0.5, (10, 60), 400),
    Kind("champion_left", 0.26, -1.8, 0.7, (3, 30), 300),
    Kind("competitor", 0.14, -0.9, 0.4, (20, 90), 250),
    Kind("slow_feedback", 0.32, -1.0, 0.6, (5, 30), 120),
    Kind("roi_doubt", 0.13, -0.8, 0.4, (10, 60), 250),
    Kind("layoff", 0.12, -1.9, 0.95, (2, 20), 500),
    Kind("module_dropped", 0.22, -0.4, 1.0, (1, 5), 400),
    Kind("win", 0.40, 0.9, 0.9, (2, 20), 260),
)
RECORDED_SHARE = 0.75  # of the shocks, a CSM hears about
BEFORE = 1_000  # days before the first: what happened then still acts, as it does on any later day
KNOWN_BEFORE = 300  # of these: what a CSM heard then is on file on the first day


def draw_shocks(rng: np.random.Generator, accounts: list[Account], day_count: int) -> None:
    """As often on one day as on any other: the first days of the world are not its best ones, and
    no customer has more happen to it for being young."""
    for account in accounts:
        if account.situation in {"no_data", "new"}:
            continue
        first = max(-BEFORE, account.first_day + 30)
        for kind in KINDS:
            for _ in range(rng.poisson(kind.yearly_rate * (day_count - first) / 365)):
                day = int(rng.integers(first, day_count))
                account.shocks.append(_shock(rng, kind, day, day_count))
        if account.situation == "churned" and account.last_day is not None:
            kind = KINDS[int(rng.choice([2, 4]))]
            account.shocks.append(_shock(rng, kind, account.last_day - 60, day_count, sure=True))
        account.shocks.sort(key=lambda shock: shock.day)


def _shock(
    rng: np.random.Generator, kind: Kind, day: int, day_count: int, *, sure: bool = False
) -> Shock:
    lag = int(rng.integers(*kind.lag))
    shows = sure or rng.random() < kind.visible
    heard = day + int(rng.integers(0, 30))
    is_recorded = sure or rng.random() < RECORDED_SHARE
    return Shock(
        kind=kind.name,
        day=day,
        jump=kind.jump * float(rng.lognormal(0, 0.25)),
        shows_from=day + lag if shows else None,
        half_life=kind.half_life,
        recorded=heard if is_recorded and -KNOWN_BEFORE <= heard < day_count else None,
    )


def engagement(rng: np.random.Generator, accounts: list[Account], day_count: int) -> np.ndarray:
    """[account, day]: .45 fit, a slow wandering (OU, phi .985, sd .45) and the visible shocks."""
    count, phi, spread = len(accounts), 0.985, 0.45
    latent = np.empty((count, day_count))
    wandering = rng.normal(0, spread, count)
    kicks = rng.normal(0, spread * np.sqrt(1 - phi**2), (day_count, count))
    for day in range(day_count):
        wandering = phi * wandering + kicks[day]
        latent[:, day] = wandering
    latent += 0.45 * np.array([account.fit for account in accounts])[:, None]
    days = np.arange(day_count)
    for account in accounts:
        for shock in account.shocks:
            if shock.shows_from is None:
                continue
            since = days - shock.shows_from
            # full size after a week, then halving every half-life
            shape = np.clip(since / 7, 0, 1) * 0.5 ** (np.maximum(since, 0) / shock.half_life)
            latent[account.index] += shock.jump * shape
    return latent
