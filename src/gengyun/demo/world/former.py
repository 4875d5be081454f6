"""Customers who left before the usage data begin to be judged: without them nobody would ever have
been lost, and every retention figure of the demo would flatter."""

from datetime import date, timedelta

import numpy as np

from gengyun.demo.world import accounts as drawn
from gengyun.demo.world.names import CITIES, INDUSTRIES, Industry, company_names
from gengyun.demo.world.shapes import Account

SEED_PART = 76
SHARE = 0.28  # for each customer of today, so many left during the four years
LATEST_DAYS, OLDEST_DAYS = 5, 1_430  # before today
TERMS_BACK = 10
KNOWN_DAYS, PEAK = 700, 2.0
SIZE_SHARE = (0.74, 0.21, 0.05)
CAUSES = (
    "use_low", "roi_wrong", "decider_changed", "sold_wrong", "slow_answers", "need_unmet",
    "champion_changed", "cause_unknown",
)  # fmt: skip
CAUSE_SHARE = (0.22, 0.2, 0.17, 0.11, 0.1, 0.08, 0.06, 0.06)


def make_former(
    rng: np.random.Generator, accounts: list[Account], *, as_of: date, day_count: int
) -> list[Account]:
    """Accounts whose `renews_on` is the due date at which they left."""
    count = round(len(accounts) * SHARE)
    brands = {account.name[2:4] for account in accounts}
    shares = np.array([industry.share for industry in INDUSTRIES])
    drawn_industry = rng.choice(len(INDUSTRIES), size=count * 6, p=shares / shares.sum())
    industries = [INDUSTRIES[k] for k in drawn_industry]
    weights = np.array([weight for _, weight in CITIES], float)
    cities = [
        CITIES[k][0] for k in rng.choice(len(CITIES), size=count * 6, p=weights / weights.sum())
    ]
    names = company_names(rng, industries, cities)
    free = [k for k, name in enumerate(names) if name[2:4] not in brands][:count]
    return [
        _former(
            rng,
            name=names[k],
            industry=industries[k],
            city=cities[k],
            index=len(accounts) + n,
            left_on=left_on,
            day_count=day_count,
        )
        for n, (k, left_on) in enumerate(
            zip(free, _left_on(rng, accounts, len(free), as_of), strict=True)
        )
    ]


def _left_on(
    rng: np.random.Generator, accounts: list[Account], count: int, as_of: date
) -> list[date]:
    """Days on which customers left, in step with what came due of those who are still here: about
    the same share of every quarter is lost. A quarter with a third of its renewals lost, before
    others with a tenth, would be a change of the world that no model can have learned."""
    newest, oldest = as_of - timedelta(days=LATEST_DAYS), as_of - timedelta(days=OLDEST_DAYS)
    dues = sorted(
        due
        for account in accounts
        for n in range(1, TERMS_BACK)
        if oldest <= (due := drawn.add_months(account.started_on, account.term_months * n))
        and due < min(account.renews_on, newest)
    ) or [oldest + timedelta(days=k) for k in range(OLDEST_DAYS - LATEST_DAYS)]
    reached = np.cumsum(_peaks(dues, as_of))
    found = []
    for place in rng.permutation(count):
        share = (place + float(rng.random())) / count
        due = dues[int(np.searchsorted(reached, share * reached[-1]))]
        day = min(due.replace(day=int(rng.integers(1, 29))), newest)
        found.append(day.replace(day=min(day.day, 28)))
    return found


def _peaks(dues: list[date], as_of: date) -> np.ndarray:
    """How often each due date is one at which somebody left. Budgets end with the year; in the
    days of which use is known, though, no quarter loses more than others."""
    is_old = np.array([due < as_of - timedelta(days=KNOWN_DAYS) for due in dues])
    weight = np.where(is_old, drawn.MONTH_WEIGHT[[due.month - 1 for due in dues]] ** PEAK, 1.0)
    year = np.unique([due.year for due in dues], return_inverse=True)[1]
    mean = np.bincount(year, weight) / np.bincount(year)
    return np.asarray(weight / mean[year])


def _former(
    rng: np.random.Generator,
    *,
    name: str,
    industry: Industry,
    city: str,
    index: int,
    left_on: date,
    day_count: int,
) -> Account:
    size = str(rng.choice(drawn.SIZES, p=SIZE_SHARE))
    edition = str(rng.choice(drawn.EDITIONS, p=drawn.EDITION_SHARE[size]))
    seats = max(
        3, round(float(rng.lognormal(np.log(drawn.SEATS_MEDIAN[size]), drawn.SEATS_SPREAD[size])))
    )
    term = int(rng.choice(drawn.TERMS, p=drawn.TERM_SHARE))
    cycles = min(int(rng.geometric(0.55)), 4)
    started_on = drawn.add_months(left_on, -term * cycles)
    account = Account(
        index=index,
        external_id=f"hz-{9_001 + index}",
        name=name,
        industry=industry,
        city=city,
        size=size,
        edition=edition,
        seats=seats,
        arr_yuan=drawn._arr(rng, edition, seats, size),  # noqa: SLF001 - one price list
        started_on=started_on,
        term_months=term,
        renews_on=left_on,
        owner=drawn._owner(rng, size, "usual"),  # noqa: SLF001
        situation="former",
        first_day=day_count,
        last_day=None,
        fit=0.0,
        modules=[],
    )
    account.terms = [(started_on, seats, account.arr_yuan)]
    return account
