"""The whole world in one call."""

from datetime import date, timedelta

import numpy as np

from gengyun.demo.world import accounts as accounts_
from gengyun.demo.world import contracts, former_life, shocks, stories, survivors, tales, usage
from gengyun.demo.world import former as former_
from gengyun.demo.world.shapes import Account, Shock, World

DAY_COUNT = 730  # two years: a Spring Festival and the same weeks of the year before
DEFAULT_SEED = 20_261


def make_world(
    *,
    as_of: date,
    seed: int = DEFAULT_SEED,
    count: int = 300,
    zone: str = "Asia/Shanghai",
) -> World:
    """`count` customers, 24 months of use ending the day before `as_of`."""
    rng = np.random.default_rng(seed)
    days = [as_of - timedelta(days=DAY_COUNT - k) for k in range(DAY_COUNT)]
    accounts = accounts_.make_accounts(rng, as_of=as_of, count=count, day_count=DAY_COUNT)
    shocks.draw_shocks(rng, accounts, DAY_COUNT)
    latent = shocks.engagement(rng, accounts, DAY_COUNT)
    survivors.settle(accounts, latent, days=days, seed=seed)
    cast = tales.choose(accounts, DAY_COUNT)
    if cast:
        tales.clear_stage(cast, DAY_COUNT)
        tales.bend(cast, latent)
    stories.note_departures(rng, accounts, days)
    users = usage.make_users(rng, accounts, DAY_COUNT)
    level = usage.levels(latent, accounts)
    events = usage.make_events(
        rng, accounts=accounts, users=users, level=level, days=days, zone=zone
    )
    first_us = usage.midnight_us(days[0], zone)
    active = usage.active_users(events, users, count, DAY_COUNT, first_us)
    change_terms(rng, accounts, days)
    past = np.random.default_rng([seed, former_.SEED_PART])
    former = former_.make_former(past, accounts, as_of=as_of, day_count=DAY_COUNT)
    deeds = contracts.plan_contracts(accounts, former, as_of=as_of, seed=seed)
    teller = stories.Teller(rng, days=days, active=active, zone=zone)
    for account in accounts:
        teller.tell(account)
    if cast:
        tales.tell(cast, teller)
    stories.plan_next_steps(rng, accounts, teller)
    gone = former_life.live(
        former, deeds, days=days, seed=seed, zone=zone, first_user=len(users.account)
    )
    notes = sorted(teller.notes, key=lambda note: (note.happened_at, note.account))
    return World(
        seed=seed,
        as_of=as_of,
        days=days,
        accounts=accounts,
        users=users.and_(gone.users) if gone.users else users,
        events=events.and_(gone.events) if gone.events else events,
        notes=notes,
        level=level,
        active=active,
        cast=cast,
        former=former,
        deeds=deeds,
        former_notes=gone.notes,
    )


def change_terms(rng: np.random.Generator, accounts: list[Account], days: list[date]) -> None:
    """Seats grow after good news and shrink at the renewal after lay-offs.

    `Account.seats` is what is bought now; what was bought before is worked out backwards, so that
    the users drawn for those seats stay right.
    """
    for account in accounts:
        for shock in reversed(account.shocks):
            change = _change(rng, account, shock, days)
            if change is not None:
                day, earlier = change
                seats, arr = account.terms[0][1:]
                account.terms[0] = (day, seats, arr)
                before = max(1_000, round(arr * earlier / seats / 100) * 100)
                account.terms.insert(0, (account.started_on, earlier, before))


def _change(
    rng: np.random.Generator, account: Account, shock: Shock, days: list[date]
) -> tuple[date, int] | None:
    """(day of the change, seats before it), or None when the terms stay."""
    day = shock.day + int(rng.integers(20, 60))
    if not 0 <= day < len(days) or len(account.terms) > 2:
        return None
    if account.terms[0][0] != account.started_on and account.terms[0][0] <= days[day]:
        return None
    seats = account.terms[0][1]
    if shock.kind == "win" and rng.random() < 0.5:
        earlier = max(2, round(seats / float(rng.uniform(1.1, 1.35))))
    elif shock.kind == "layoff" and rng.random() < 0.5:
        earlier = round(seats * float(rng.uniform(1.15, 1.5)))
    else:
        return None
    if earlier == seats or days[day] <= account.started_on:
        return None
    return days[day], earlier
