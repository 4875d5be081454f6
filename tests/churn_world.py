"""A small random company for the tests of snapshots: everything a deployment may hold, dated."""

from dataclasses import fields, replace
from datetime import date, timedelta

import numpy as np

from gengyun.churn.calc.observed import (
    KINDS,
    NEVER,
    STATES,
    Columns,
    Dues,
    Facts,
    KeyUsers,
    Observed,
    States,
    Values,
    of_user_days,
    presence_of,
)

START, DAYS = date(2024, 1, 1), 760
UNTIL = START + timedelta(days=DAYS)
ACCOUNTS = np.arange(3, 15)
DAY = np.timedelta64(1, "D")


def day(number):
    return np.datetime64(START, "D") + np.asarray(number)


def delays(rng, count):
    """Most rows are known at once, some days later, a few months later."""
    late = rng.integers(1, 90, count) * (rng.random(count) < 0.25)
    return np.where(rng.random(count) < 0.1, late * 3, late)


def world(seed: int, *, earliest: int = 0) -> Observed:
    rng = np.random.default_rng(seed)
    return Observed(
        accounts=ACCOUNTS,
        until=UNTIL,
        metrics=("logins", "exports"),
        metric_signs={"logins": -1},
        seasons=rng.integers(-1, 2, len(ACCOUNTS)),
        **rows(rng, earliest),
    )


def rows(rng, earliest: int = 0) -> dict[str, Columns]:
    """Rows of every kind that happened from day `earliest` on."""

    def some(count):
        return rng.choice(ACCOUNTS, count), rng.integers(earliest, DAYS, count)

    account, on = some(6_000)
    user = rng.integers(0, 9, 6_000) * 100 + account
    late = delays(rng, 6_000)
    use, people = of_user_days(account, user, day(on), day(on + late))
    parts = presence_of(account, rng.integers(0, 5, 6_000), day(on), day(on + late))
    account, on = some(900)
    over = rng.random(900) < 0.5
    facts = Facts.of(
        account=account,
        kind=rng.integers(0, len(KINDS) - 1, 900),  # no notice: it closes the window
        happened=day(on),
        known=day(on + delays(rng, 900)),
        until=np.where(over, day(on + rng.integers(1, 200, 900)), NEVER),
        value=rng.integers(1, 5, 900).astype(float),
    )
    account, on = some(150)
    field = rng.integers(0, len(STATES), 150)
    value = np.where(field == 0, rng.integers(5, 50, 150), np.where(field == 1, 1, 19_000.0))
    states = States.of(account=account, field=field, known=day(on), value=value)
    account, on = some(300)
    values = Values.of(
        account=account, metric=rng.integers(0, 2, 300), day=day(on), value=rng.random(300)
    )
    account, on = some(30)
    key_users = KeyUsers.of(
        account=account, user=rng.integers(0, 9, 30) * 100 + account, known=day(on)
    )
    return {
        "use": use,
        "people": people,
        "parts": parts,
        "facts": facts,
        "states": states,
        "values": values,
        "key_users": key_users,
        "dues": dues(rng),
    }


def dues(rng, count: int = 40) -> Dues:
    account = rng.choice(ACCOUNTS, count)
    due = rng.integers(200, DAYS + 100, count)
    return Dues.of(
        account=account,
        due=day(due),
        known=day(due - 365),
        starts=day(due - 364),
        renewal=np.arange(count),
        amount_minor=rng.integers(1, 90, count) * 100_000,
        nth=rng.integers(0, 4, count),
        discount=rng.random(count),
        auto_renew=rng.integers(0, 2, count).astype(float),
        decided=day(due + rng.integers(-60, 90, count)),
        kept_minor=np.where(rng.random(count) < 0.3, np.nan, 500_000.0),
        involuntary=rng.integers(0, 2, count),
    )


DATED = {
    "use": ("day", "known"),
    "people": ("month", "known"),
    "parts": ("month", "known"),
    "facts": ("happened", "known"),
    "states": ("known", "known"),
    "values": ("day", "day"),
    "key_users": ("known", "known"),
}


def with_rows(observed: Observed, more: dict[str, Columns]) -> Observed:
    return replace(
        observed,
        **{name: getattr(observed, name).and_(more[name]) for name in DATED},
    )


def parts_of(observed: Observed) -> dict[str, Columns]:
    return {
        one.name: getattr(observed, one.name)
        for one in fields(observed)
        if isinstance(getattr(observed, one.name), Columns)
    }
