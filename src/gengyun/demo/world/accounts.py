"""The customers of the demo company: who they are, what they bought, who looks after them."""

from datetime import date, timedelta

import numpy as np

from gengyun.demo.world.names import (
    BUYER_TITLES,
    CHAMPION_TITLES,
    CITIES,
    DECIDER_TITLES,
    INDUSTRIES,
    USER_TITLES,
    company_names,
    person_names,
)
from gengyun.demo.world.product import EDITION_MODULES, EDITIONS, SEAT_PRICE_YUAN
from gengyun.demo.world.shapes import Account, Person

SIZES = ("standard", "key", "strategic")
SIZE_SHARE = (0.60, 0.30, 0.10)
SEATS_MEDIAN = {"standard": 8, "key": 25, "strategic": 88}
SEATS_SPREAD = {"standard": 0.45, "key": 0.40, "strategic": 0.45}
EDITION_SHARE = {
    "standard": (0.62, 0.33, 0.05),
    "key": (0.15, 0.58, 0.27),
    "strategic": (0.0, 0.30, 0.70),
}
# yearly fee for platform and service, on top of the seats; median in yuan
PLATFORM_FEE_YUAN = {"standard": 3_500, "key": 34_000, "strategic": 245_000}
TERMS, TERM_SHARE = (12, 24, 36), (0.86, 0.09, 0.05)
# contracts start in December (2.2), June (1.4), March and September (1.2), rarely in February
MONTH_WEIGHT = np.array([1, 0.4, 1.2, 1, 1, 1.4, 0.9, 0.9, 1.2, 0.9, 1, 2.2])
# how many of 300 customers are unusual in their data; the rest is usual
SITUATIONS = {"no_data": 5, "stopped": 4, "new": 9, "churned": 4}
OWNERS = {
    "strategic": (("linxiao", 0.34), ("hejia", 0.33), ("zhoumu", 0.33)),
    "key": (("linxiao", 0.2), ("hejia", 0.2), ("zhoumu", 0.2), ("chenyuan", 0.4)),
    "standard": (("xuzhixia", 0.42), ("shenyifan", 0.42), ("chenyuan", 0.16)),
}


def add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, 28))


def make_accounts(
    rng: np.random.Generator, *, as_of: date, count: int, day_count: int
) -> list[Account]:
    shares = np.array([industry.share for industry in INDUSTRIES])
    drawn = rng.choice(len(INDUSTRIES), size=count, p=shares / shares.sum())
    industries = [INDUSTRIES[k] for k in drawn]
    city_share = np.array([weight for _, weight in CITIES], float)
    drawn = rng.choice(len(CITIES), size=count, p=city_share / city_share.sum())
    cities = [CITIES[k][0] for k in drawn]
    names = company_names(rng, industries, cities)
    sizes = rng.choice(SIZES, size=count, p=SIZE_SHARE)
    situations = _situations(rng, count)
    accounts = []
    for k in range(count):
        size, situation = str(sizes[k]), situations[k]
        if situation in {"no_data", "churned"}:
            size = "standard" if size == "strategic" else size
        edition = str(rng.choice(EDITIONS, p=EDITION_SHARE[size]))
        seats = max(3, round(float(rng.lognormal(np.log(SEATS_MEDIAN[size]), SEATS_SPREAD[size]))))
        if size == "strategic":
            seats = max(seats, 55)
        started_on, term = _start(rng, as_of, situation)
        renews_on = _next_renewal(started_on, term, as_of)
        modules = _modules(rng, edition, size)
        account = Account(
            index=k,
            external_id=f"hz-{10_001 + k}",
            name=names[k],
            industry=industries[k],
            city=cities[k],
            size=size,
            edition=edition,
            seats=seats,
            arr_yuan=_arr(rng, edition, seats, size),
            started_on=started_on,
            term_months=term,
            renews_on=renews_on,
            owner=_owner(rng, size, situation),
            situation=situation,
            first_day=(started_on - as_of).days + day_count + int(rng.integers(2, 12)),
            last_day=None,
            fit=float(rng.normal()),
            modules=modules,
        )
        _end_of_data(rng, account, day_count)
        account.terms = [(started_on, seats, account.arr_yuan)]
        account.persons = _persons(rng, account)
        account.tags = _tags(rng, account)
        accounts.append(account)
    return accounts


def _situations(rng: np.random.Generator, count: int) -> list[str]:
    names = [name for name, n in SITUATIONS.items() for _ in range(max(1, n * count // 300))]
    names += ["usual"] * (count - len(names))
    return [str(name) for name in rng.permutation(names)]


def _start(rng: np.random.Generator, as_of: date, situation: str) -> tuple[date, int]:
    if situation == "new":
        return as_of - timedelta(days=int(rng.integers(14, 48))), 12
    if situation == "no_data":
        return as_of - timedelta(days=int(rng.integers(6, 120))), 12
    term = int(rng.choice(TERMS, p=TERM_SHARE))
    age_years = min(float(rng.exponential(1.6)) + 0.17, 7.0)
    rough = as_of - timedelta(days=round(age_years * 365))
    month = int(rng.choice(12, p=MONTH_WEIGHT / MONTH_WEIGHT.sum())) + 1
    start = date(rough.year, month, int(rng.integers(1, 29)))
    if start > as_of - timedelta(days=60):
        start = add_months(start, -12)
    return start, term


def _next_renewal(started_on: date, term: int, as_of: date) -> date:
    renews_on, n = started_on, 0
    while renews_on <= as_of:
        n += 1
        renews_on = add_months(started_on, term * n)
    return renews_on


def _modules(rng: np.random.Generator, edition: str, size: str) -> list[str]:
    """The modules this customer took into use; small ones leave more of what they bought idle."""
    used = {"standard": 0.78, "key": 0.88, "strategic": 0.94}[size]
    bought = EDITION_MODULES[edition]
    kept = [module for module in bought if rng.random() < used]
    return list(dict.fromkeys(["任务协作", *kept, "系统管理"]))


def _arr(rng: np.random.Generator, edition: str, seats: int, size: str) -> int:
    """List price less a discount of Beta(2, 6), and the platform fee, in hundreds of yuan."""
    price = SEAT_PRICE_YUAN[edition] * seats * (1 - float(rng.beta(2, 6)))
    price += PLATFORM_FEE_YUAN[size] * float(rng.lognormal(0, 0.25))
    return max(1_000, round(price / 100) * 100)


def _owner(rng: np.random.Generator, size: str, situation: str) -> str | None:
    if situation == "new" and rng.random() < 0.25:
        return None  # nobody has been assigned yet
    keys, weights = zip(*OWNERS[size], strict=True)
    return str(rng.choice(keys, p=np.array(weights) / sum(weights)))


def _end_of_data(rng: np.random.Generator, account: Account, day_count: int) -> None:
    if account.situation == "stopped":
        account.last_day = day_count - int(rng.integers(11, 60))
    elif account.situation == "churned":
        account.last_day = day_count - int(rng.integers(40, 140))
    elif account.situation == "no_data":
        account.first_day = 10_000  # the customer's system is not connected yet


def _persons(rng: np.random.Generator, account: Account) -> list[Person]:
    parts = ["decider", "champion", "user"]
    if account.size != "standard":
        parts += ["champion"] if rng.random() < 0.5 else ["user"]
    if account.size == "strategic" or rng.random() < 0.25:
        parts.append("procurement")
    if account.size == "standard" and rng.random() < 0.4:
        parts.remove("user")
    titles = {
        "decider": DECIDER_TITLES,
        "champion": CHAMPION_TITLES,
        "user": USER_TITLES,
        "procurement": BUYER_TITLES,
    }
    persons = []
    for n, (part, name) in enumerate(zip(parts, person_names(rng, len(parts)), strict=True)):
        title = titles[part][int(rng.integers(len(titles[part])))]
        email = f"{part}{n + 1}@{account.external_id}.example"
        # 199 numbers with 0000 in the middle are not handed out
        phone = f"199 0000 {int(rng.integers(10_000)):04d}"
        persons.append(Person(name, title, part, email, phone))
    return persons


def _tags(rng: np.random.Generator, account: Account) -> list[str]:
    tags = []
    if account.size == "strategic" and rng.random() < 0.4:
        tags.append("标杆客户")
    if account.term_months > 12:
        tags.append("多年合同")
    if rng.random() < 0.08:
        tags.append("私有化意向")
    if rng.random() < 0.06:
        tags.append("集团采购")
    if account.situation == "new":
        tags.append("新客户")
    return tags
