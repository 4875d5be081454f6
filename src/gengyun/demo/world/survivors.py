"""Histories of the customers who are still here, drawn given that they renewed what came due.

Those who left are drawn given that they left. Were those of today drawn without a condition, or as
whoever would never leave, every model would learn to tell the two kinds apart instead of what makes
a customer leave. What comes due next has not been decided: nothing is asked of it.
"""

from dataclasses import replace
from datetime import date

import numpy as np

from gengyun.demo.world import shocks
from gengyun.demo.world.accounts import add_months
from gengyun.demo.world.outcome import chance_of_leaving
from gengyun.demo.world.shapes import Account

SEED_PART = 79
HISTORIES = 8  # tried for each


def dues_passed(account: Account, days: list[date], *, before: date) -> list[int]:
    """Places of the days on which a term ended and the next one began, within `days`."""
    found, count = [], 1
    while (due := add_months(account.started_on, account.term_months * count)) < before:
        if due > days[0]:
            found.append((due - days[0]).days)
        count += 1
    return found


def settle(accounts: list[Account], latent: np.ndarray, *, days: list[date], seed: int) -> None:
    """Sets fit, shocks and `latent`, [account, day], of usual customers who passed a renewal."""
    rng = np.random.default_rng([seed, SEED_PART])
    passed = {
        account.index: dues
        for account in accounts
        if account.situation == "usual"
        and (dues := dues_passed(account, days, before=account.renews_on))
    }
    there = [account for account in accounts if account.index in passed]
    if not there:
        return
    tried = [
        replace(account, index=k * HISTORIES + n, fit=float(rng.normal()), shocks=[])
        for k, account in enumerate(there)
        for n in range(HISTORIES)
    ]
    shocks.draw_shocks(rng, tried, len(days))
    engagement = shocks.engagement(rng, tried, len(days))
    for k, account in enumerate(there):
        places = range(k * HISTORIES, (k + 1) * HISTORIES)
        weight = np.array(
            [stays(tried[at], engagement[at], passed[account.index]) for at in places]
        )
        chosen = places[int(rng.choice(HISTORIES, p=weight / weight.sum()))]
        account.fit, account.shocks = tried[chosen].fit, tried[chosen].shocks
        latent[account.index] = engagement[chosen]


def stays(account: Account, latent: np.ndarray, dues: list[int]) -> float:
    """Chance that such a customer renewed each time."""
    return float(np.prod([1 - chance_of_leaving(account, latent, due) for due in dues]))
