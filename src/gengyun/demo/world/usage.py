"""From engagement to tracked events: who works when, on what."""

import json
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from gengyun.demo.world import calendar
from gengyun.demo.world.names import INDUSTRIES, person_names
from gengyun.demo.world.product import (
    CLIENT_SHARE,
    CLIENTS,
    DEEDS,
    JOB_BEND,
    JOBS,
    MODULE_WEIGHT,
    MODULES,
)
from gengyun.demo.world.shapes import Account, Events, Users

FAR = 10_000
DAY_US = 86_400_000_000
LATE_SHARE = 0.004  # of the events: phones that were offline
PHONE, SILENT_DAYS = "手机", 2.6  # the source that sends nothing any more, and for how long
ROW_STEPS = (0.4, 0.7, 1.0, 1.4, 2.2)  # how many rows, as multiples of the typical number


def make_users(rng: np.random.Generator, accounts: list[Account], day_count: int) -> Users:
    """One row per activated seat. The champions among the contacts are eager users."""
    parts: list[np.ndarray] = []
    jobs, weights, joined = [], [], []
    start = 0
    for account in accounts:
        if account.situation == "no_data":
            continue
        activated = float(np.clip(rng.beta(4, 2.2) + 0.10 * account.fit, 0.3, 1.0))
        count = max(2, round(account.seats * activated))
        parts.append(np.full(count, account.index))
        job = rng.choice(3, size=count, p=(0.78, 0.19, 0.03))
        job[0], job[1] = 2, 1
        weight = rng.gamma(0.8, 1 / 0.8, count)
        weight[0] = max(weight[0], 0.8)
        eager = _link_persons(account, start, count)
        weight[eager] = np.maximum(weight[eager], 1.6)
        # most join in the first weeks, some later, all along
        wait = np.where(rng.random(count) < 0.7, rng.exponential(14, count), 0)
        later = rng.integers(0, max(day_count - max(account.first_day, 0), 30), count)
        wait = np.where((wait == 0) & (rng.random(count) < 0.6), later, wait)
        wait[[0, *eager]] = 0
        jobs.append(job)
        weights.append(weight)
        joined.append(account.first_day + wait.astype(int))
        start += count
    users = Users(
        account=np.concatenate(parts),
        job=np.concatenate(jobs),
        weight=np.concatenate(weights),
        joined=np.concatenate(joined),
        left=np.full(start, FAR),
    )
    users.names = person_names(rng, start)
    # people change jobs: about one in twelve a year
    leaves = rng.random(start) < 0.08
    users.left[leaves] = rng.integers(20, day_count, int(leaves.sum()))
    for account in accounts:
        _name_persons(account, users)
    return users


def _link_persons(account: Account, start: int, count: int) -> list[int]:
    """Places of the champions among the customer's users: whoever follows one used the product
    before, as one of many."""
    first = [p for p in account.persons if p.part == "champion" and p.came_on is None][:1]
    later = [p for p in account.persons if p.part == "champion" and p.came_on is not None]
    champions = [*first, *later][: count - 1]
    for place, person in enumerate(champions, start=1):
        person.user = start + place
    administrator = next((p for p in account.persons if p.part == "user"), None)
    if administrator:
        administrator.user = start
    return list(range(1, max(len(champions), 1) + 1))


def _name_persons(account: Account, users: Users) -> None:
    for person in account.persons:
        if person.user is not None:
            users.names[person.user] = person.name
            users.left[person.user] = FAR if person.gone is None else max(person.gone, 0)


def levels(latent: np.ndarray, accounts: list[Account]) -> np.ndarray:
    """Engagement -> share of users at work on an ordinary day, with the ramp of new customers."""
    days = np.arange(latent.shape[1])
    level = 1 / (1 + np.exp(-(np.log(0.24 / 0.76) + 1.3 * latent)))
    for account in accounts:
        since = days - account.first_day
        ramp = np.clip(0.25 + since / 60, 0, 1)
        level[account.index] *= np.where(since >= 0, ramp, 0)
        if account.last_day is not None:
            level[account.index, max(account.last_day, 0) :] = 0
            if account.situation == "churned":  # use collapses in the last weeks
                fade = np.clip((account.last_day - days) / 25, 0.15, 1)
                level[account.index] *= fade
    return level


def make_events(
    rng: np.random.Generator,
    *,
    accounts: list[Account],
    users: Users,
    level: np.ndarray,
    days: list[date],
    zone: str,
) -> Events:
    user_of, day_of = _events_of_days(rng, accounts, users, level, days)
    account_of = users.account[user_of]
    deeds = _deeds(rng, accounts, users, user_of, day_of)
    texts, properties = _properties(rng, deeds)
    midnight = np.array([midnight_us(day, zone) for day in days])
    happened = midnight[day_of] + _time_of_day(rng, len(user_of))
    known = happened.copy()
    late = rng.random(len(known)) < LATE_SHARE
    known[late] += rng.integers(DAY_US // 3, 3 * DAY_US, int(late.sum()))
    arrived = known < midnight[-1] + DAY_US  # what is still on its way is not there yet
    # and the telephones' own source fell silent: nobody noticed that its key had been taken out
    fell_silent = midnight[-1] + DAY_US - round(SILENT_DAYS * DAY_US)
    arrived &= (client_of(properties) != CLIENTS.index(PHONE)) | (known < fell_silent)
    order = np.argsort(known[arrived], kind="stable")

    def column(values: np.ndarray) -> np.ndarray:
        return values[arrived][order]

    return Events(
        account=column(account_of),
        user=column(user_of),
        deed=column(deeds),
        properties=column(properties),
        happened=column(happened),
        known=column(known),
        property_texts=texts,
    )


def midnight_us(day: date, zone: str) -> int:
    start = datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)
    return int(start.timestamp()) * 1_000_000


def _events_of_days(
    rng: np.random.Generator,
    accounts: list[Account],
    users: Users,
    level: np.ndarray,
    days: list[date],
) -> tuple[np.ndarray, np.ndarray]:
    """Who did something on which day, repeated once per event."""
    seasons = list(dict.fromkeys(industry.season for industry in INDUSTRIES))
    factor = calendar.factors(days, seasons)
    season_of = np.array([seasons.index(account.industry.season) for account in accounts])
    noise = np.exp(rng.normal(0, 0.10, level.shape))
    rate = (level * factor[season_of] * noise).astype(np.float32)
    hazard = users.weight[:, None].astype(np.float32) * rate[users.account] * 1.25
    days_index = np.arange(len(days))
    there = (days_index >= users.joined[:, None]) & (days_index < users.left[:, None])
    is_active = rng.random(hazard.shape, dtype=np.float32) < -np.expm1(-hazard)
    user, day = np.nonzero(is_active & there)
    count = 1 + rng.poisson(1.7 * np.sqrt(users.weight[user]))
    return np.repeat(user, count), np.repeat(day, count)


def _deeds(
    rng: np.random.Generator,
    accounts: list[Account],
    users: Users,
    user_of: np.ndarray,
    day_of: np.ndarray,
) -> np.ndarray:
    """What each event was: by what the customer uses and the person's job."""
    taste = np.zeros((len(accounts), len(MODULES)))
    for account in accounts:
        for module in account.modules:
            bend = float(rng.lognormal(0, 0.5))
            taste[account.index, MODULES.index(module)] = MODULE_WEIGHT[module] * bend
    bends = np.array([[JOB_BEND[job].get(module, 1.0) for module in MODULES] for job in JOBS])
    mix = taste[:, None, :] * bends[None]  # [account, job, module]
    module_of_deed = np.array([MODULES.index(deed.module) for deed in DEEDS])
    weight = np.array([deed.weight for deed in DEEDS])
    total = np.bincount(module_of_deed, weight, minlength=len(MODULES))
    share = weight / total[module_of_deed]
    by_deed = mix[:, :, module_of_deed] * share
    heaped = np.cumsum(by_deed, axis=2)
    heaped /= heaped[:, :, -1:]
    account_of = users.account[user_of]
    job_of = users.job[user_of]
    draw = rng.random(len(user_of))
    deeds = np.zeros(len(user_of), dtype=np.int16)
    for k in range(len(DEEDS) - 1):
        deeds += draw > heaped[account_of, job_of, k]
    return _drop_modules(accounts, account_of, day_of, deeds, module_of_deed)


def _drop_modules(
    accounts: list[Account],
    account_of: np.ndarray,
    day_of: np.ndarray,
    deeds: np.ndarray,
    module_of_deed: np.ndarray,
) -> np.ndarray:
    """After the shock "module dropped" the last optional module is not used any more."""
    for account in accounts:
        for shock in account.shocks:
            optional = [m for m in account.modules if m not in {"任务协作", "系统管理"}]
            if shock.kind != "module_dropped" or shock.shows_from is None or not optional:
                continue
            gone = MODULES.index(optional[-1])
            hit = (account_of == account.index) & (day_of >= shock.shows_from)
            deeds[hit & (module_of_deed[deeds] == gone)] = 1  # 完成任务
    return deeds


def _properties(rng: np.random.Generator, deeds: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Property texts are few and shared: deed x client x number of rows."""
    texts = []
    for deed in DEEDS:
        for client in CLIENTS:
            for step in ROW_STEPS:
                values = {"module": deed.module, "feature": deed.event, "client": client}
                rows = {"rows": round(deed.rows * step)} if deed.rows else {}
                texts.append(json.dumps(values | rows, ensure_ascii=False, separators=(",", ":")))
    clients = rng.choice(len(CLIENTS), size=len(deeds), p=CLIENT_SHARE)
    steps = rng.integers(len(ROW_STEPS), size=len(deeds))
    index = (deeds.astype(np.int64) * len(CLIENTS) + clients) * len(ROW_STEPS) + steps
    return texts, index


def client_of(properties: np.ndarray) -> np.ndarray:
    """Index into CLIENTS of each event, from its index into the property texts."""
    return properties // len(ROW_STEPS) % len(CLIENTS)


def _time_of_day(rng: np.random.Generator, count: int) -> np.ndarray:
    """Microseconds after midnight: a morning and an afternoon peak, some evening work."""
    part = rng.choice(3, size=count, p=(0.46, 0.44, 0.10))
    centre = np.array([10.2, 15.4, 20.3])[part]
    spread = np.array([1.1, 1.4, 1.2])[part]
    hours = np.clip(rng.normal(centre, spread), 6.0, 23.9)
    return (hours * 3_600_000).astype(np.int64) * 1000


def active_users(events: Events, users: Users, accounts: int, day_count: int, first_us: int):
    """[account, day] -> distinct users, by the company's day of the event."""
    day = (events.happened - first_us) // DAY_US
    seen = np.unique(events.user.astype(np.int64) * day_count + day)
    user, day = np.divmod(seen, day_count)
    grid = np.zeros((accounts, day_count), dtype=np.int32)
    np.add.at(grid, (users.account[user], day), 1)
    return grid
