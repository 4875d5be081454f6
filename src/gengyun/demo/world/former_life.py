"""How those who left used the product and what was written about them, in the days that the world
has use of: a customer without any use before it left would tell every model that silence is loss.

Who they are is drawn given that they left: of several histories each could have had, one is taken
by the chance that it gives of leaving then and not before.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from gengyun.demo.world import accounts as drawn
from gengyun.demo.world import shocks, stories, texts, usage
from gengyun.demo.world.deals import Deed
from gengyun.demo.world.outcome import chance_of_leaving
from gengyun.demo.world.shapes import Account, Events, Note, Shock, Users
from gengyun.demo.world.survivors import dues_passed, stays

SEED_PART = 78
HISTORIES = 8  # tried for each
LEAST_DAYS = 45  # of use before it left, or nothing can be told
OPEN_DAYS, OPEN_AFTER = 240, (18, 45, 80, 130)  # what is not solved, and when it is asked about
COLLAPSES, COLLAPSE_DAYS, RESIDUE = 0.6, (5, 30), 0.05


@dataclass
class FormerLife:
    """Columns continue those of the world: users after its last, accounts as they are numbered."""

    accounts: list[Account] = field(default_factory=list)  # those with use
    users: Users | None = None
    events: Events | None = None
    notes: list[Note] = field(default_factory=list)


def live(
    former: list[Account],
    deeds: list[Deed],
    *,
    days: list[date],
    seed: int,
    zone: str,
    first_user: int,
) -> FormerLife:
    rng = np.random.default_rng([seed, SEED_PART])
    left = _last_days(former, deeds, days)
    there = [account for account in former if left.get(account.index, 0) >= LEAST_DAYS]
    if not there:
        return FormerLife()
    as_of = days[-1] + timedelta(days=1)
    for account in there:
        account.last_day = left[account.index]
        account.first_day = (account.started_on - as_of).days + len(days) + int(rng.integers(2, 12))
        account.modules = drawn._modules(rng, account.edition, account.size)  # noqa: SLF001
        account.persons = drawn._persons(rng, account)  # noqa: SLF001 - as the others are
    latent = _histories(rng, there, days)
    # numbered from 0 while they are drawn: the world's functions read rows by number
    mine = [replace(account, index=k) for k, account in enumerate(there)]
    stories.note_departures(rng, mine, days)
    users = usage.make_users(rng, mine, len(days))
    level = usage.levels(latent, mine)
    _collapse(rng, mine, level)
    events = usage.make_events(rng, accounts=mine, users=users, level=level, days=days, zone=zone)
    first_us = usage.midnight_us(days[0], zone)
    active = usage.active_users(events, users, len(mine), len(days), first_us)
    teller = stories.Teller(rng, days=days, active=active, zone=zone)
    told = {deed.account: deed.on for deed in deeds if deed.verb in {"lose", "end"}}
    for account, one in zip(there, mine, strict=True):
        teller.tell(one)
        _left_open(rng, one, teller)
        known = (told[account.index] - days[0]).days
        if one.owner is not None and known >= 0:
            teller.write(one, known, texts.CHURNED)
    return _numbered(there, users, events, teller.notes, first_user)


def _last_days(former: list[Account], deeds: list[Deed], days: list[date]) -> dict[int, int]:
    """Account -> place of the first day without the product; the last loss counts."""
    found = {}
    for deed in deeds:
        if deed.verb == "lose":
            found[deed.account] = deed.facts["due"]
        elif deed.verb == "end":
            found[deed.account] = deed.facts["last_day"]
    ours = {account.index for account in former}
    return {
        index: min((day - days[0]).days + 1, len(days))
        for index, day in found.items()
        if index in ours
    }


def _histories(rng: np.random.Generator, there: list[Account], days: list[date]) -> np.ndarray:
    """Sets fit and shocks of each; returns engagement, [account, day]."""
    tried = [
        replace(account, index=k * HISTORIES + n, fit=float(rng.normal()), shocks=[])
        for k, account in enumerate(there)
        for n in range(HISTORIES)
    ]
    shocks.draw_shocks(rng, tried, len(days))
    for one in tried:
        one.shocks = [shock for shock in one.shocks if shock.day < (one.last_day or 0)]
    latent = shocks.engagement(rng, tried, len(days))
    chance = np.array([_left_then(one, latent[k], days) for k, one in enumerate(tried)])
    chosen = []
    for k, account in enumerate(there):
        own = chance[k * HISTORIES : (k + 1) * HISTORIES]
        place = k * HISTORIES + int(rng.choice(HISTORIES, p=own / own.sum()))
        account.fit, account.shocks = tried[place].fit, tried[place].shocks
        chosen.append(place)
    return latent[chosen]


def _left_then(account: Account, latent: np.ndarray, days: list[date]) -> float:
    """Chance that such a customer renewed until then, and not when it left."""
    last = account.last_day or 0
    earlier = dues_passed(account, days, before=account.renews_on)
    stayed = stays(account, latent, [due for due in earlier if due < last])
    return stayed * chance_of_leaving(account, latent, last)


def _left_open(rng: np.random.Generator, account: Account, teller: stories.Teller) -> None:
    """What was wrong in the last months was not put right: it is why they left."""
    last = account.last_day or 0
    for shock in account.shocks:
        if account.owner is None or shock.recorded is None or shock.kind == "win":
            continue
        if last - OPEN_DAYS <= shock.recorded < last:
            for wait in OPEN_AFTER:
                day = shock.recorded + wait + int(rng.integers(0, 12))
                if day < last:
                    teller.write(account, day, texts.OPEN_END)


def _collapse(rng: np.random.Generator, accounts: list[Account], level: np.ndarray) -> None:
    """Many stop in the last days, once they have decided: a trap for whoever learns from them."""
    for account in accounts:
        last = account.last_day or 0
        if rng.random() < COLLAPSES:
            level[account.index, max(last - int(rng.integers(*COLLAPSE_DAYS)), 0) : last] *= RESIDUE


def _numbered(
    there: list[Account], users: Users, events: Events, notes: list[Note], first_user: int
) -> FormerLife:
    number = np.array([account.index for account in there])
    users.account = number[users.account]
    events.account = number[events.account]
    events.user += first_user
    for note in notes:
        note.account = int(number[note.account])
    for account in there:
        for person in account.persons:
            if person.user is not None:
                person.user += first_user
    return FormerLife(there, users, events, sorted(notes, key=lambda note: note.happened_at))


def heard(accounts: list[Account]) -> list[tuple[Account, Shock]]:
    """What CSMs noted as a risk, oldest first."""
    found = [
        (account, shock)
        for account in accounts
        for shock in account.shocks
        if shock.recorded is not None and shock.kind in {"competitor", "roi_doubt", "layoff"}
    ]
    return sorted(found, key=lambda pair: (pair[1].recorded or 0, pair[0].index))
