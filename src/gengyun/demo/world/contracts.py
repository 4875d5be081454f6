"""Four years and more of contracts: what was signed, renewed, grown, shrunk and lost, and when.

The figures of today (`Account.seats`, `arr_yuan`) are given; the past is worked out backwards from
them and then told forwards. Year-end peak, price increases, down-sell, win-back and late signature
are those of the synthetic world (science, section 9); the constants are assumptions.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np

from gengyun.demo.world import cash
from gengyun.demo.world.accounts import add_months
from gengyun.demo.world.deals import (
    CARE,
    COLLAB,
    CONNECT,
    EDITION_KEY,
    INSIGHT,
    LICENCE,
    MAINTENANCE_BP,
    SERVICE,
    Deed,
    Part,
    in_order,
)
from gengyun.demo.world.former import CAUSE_SHARE, CAUSES
from gengyun.demo.world.shapes import Account
from gengyun.demo.world.tales import TAG as ON_STAGE

SEED_PART = 77
INSIGHT_SHARE = {"standard": 0.08, "key": 0.30, "strategic": 0.62}  # of customers who have it
CONNECT_SHARE = {"standard": 0.02, "key": 0.14, "strategic": 0.38}
DROPPED_SHARE = {"standard": 0.03, "key": 0.08, "strategic": 0.12}
LATE_SHARE = 0.3  # of renewals are signed after the old term ran out
PENDING_DAYS = 26  # past due and not signed yet; the company waits 30 days
PRICE_UP, PRICE_DOWN = 0.34, 0.10  # of renewals
WON_BACK = 0.10  # of those who stayed two terms and more had left in between
OLD_DAYS = 730  # before that, seats may change without a story
GAP_DAYS = 40  # growth so near to a renewal is part of it


@dataclass
class Cycle:
    """One term of an account: from `start` to the day before `end`."""

    start: date
    end: date
    parts: list[Part] = field(default_factory=list)  # as it begins
    grown: list[tuple[date, Part, Part]] = field(default_factory=list)  # day, before, after
    known_on: date | None = None  # when it was signed, or entered
    signed_on: date | None = None
    won_back_on: date | None = None  # nobody paid from `start` to that day
    lost_known_on: date | None = None


def plan_contracts(
    accounts: list[Account], former: list[Account], *, as_of: date, seed: int
) -> list[Deed]:
    """Every deed before `as_of`. Sets `terms`, `renews_on` and `signed` of the accounts."""
    deeds: list[Deed] = []
    for account in [*accounts, *former]:
        rng = np.random.default_rng([seed, SEED_PART, account.index])
        if account.situation == "churned":
            _move_end(account, as_of)
        cycles = _cycles(rng, account, as_of)
        _fill_backwards(rng, account, cycles, as_of)
        _sign(rng, account, cycles, as_of)
        _write_terms(account, cycles)
        account.first_ends_on = cycles[0].end - timedelta(days=1)
        told = _tell(rng, account, cycles, as_of)
        deeds += told + cash.invoices(rng, account, told, as_of=as_of)
    return in_order([deed for deed in deeds if deed.on < as_of])


def _move_end(account: Account, as_of: date) -> None:
    """Who left of late did so when the term ended; the first contract moves with it."""
    left_on = as_of - timedelta(days=12)
    left_on = left_on.replace(day=min(left_on.day, 28))
    terms = 1
    while add_months(left_on, -account.term_months * terms) > account.started_on:
        terms += 1
    account.started_on = add_months(left_on, -account.term_months * terms)
    account.renews_on = left_on
    account.terms = [(account.started_on, account.seats, account.arr_yuan)]


def _cycles(rng: np.random.Generator, account: Account, as_of: date) -> list[Cycle]:
    starts = [account.started_on]
    while (following := add_months(account.started_on, account.term_months * len(starts))) < (
        account.renews_on
    ):
        starts.append(following)
    if account.situation in {"usual", "stopped"} and ON_STAGE not in account.tags:
        late, soon = (as_of - starts[-1]).days, (account.renews_on - as_of).days
        if len(starts) > 1 and 0 < late <= PENDING_DAYS and rng.random() < 0.5:
            account.renews_on = starts.pop()  # the old term ran out, the new one is not signed
        elif account.situation == "usual" and 0 < soon <= 60 and rng.random() < 0.3:
            starts.append(account.renews_on)  # signed early
            account.renews_on = add_months(account.started_on, account.term_months * len(starts))
    ends = [*starts[1:], account.renews_on]
    return [Cycle(start, end) for start, end in zip(starts, ends, strict=True)]


# ---- what was bought in each term, from the last to the first


def _fill_backwards(
    rng: np.random.Generator, account: Account, cycles: list[Cycle], as_of: date
) -> None:
    begun = [cycle for cycle in cycles if cycle.start <= as_of]
    extra = _add_ons(rng, account, len(begun))
    core = Part(
        COLLAB,
        "subscription",
        arr_yuan=account.arr_yuan - sum(part.arr_yuan for part, _ in extra),
        edition=EDITION_KEY[account.edition],
        seats=account.seats,
    )
    during, at_renewal = _changes_of_seats(account, cycles)
    for k in reversed(range(len(cycles))):
        cycle = cycles[k]
        for day, before in reversed(during.get(k, [])):
            smaller = _scaled(core, before / (core.seats or 1), seats=before)
            cycle.grown.insert(0, (day, smaller, core))
            core = smaller
        cycle.parts = [core, *(part for part, since in extra if since <= k)]
        if k == 0:
            break
        if cycle.start > as_of:
            continue  # signed early, at the terms of today
        seats = at_renewal.get(k) or _older_seats(rng, core, cycle.start, as_of)
        core = _scaled(core, (seats / (core.seats or 1)) / _price_factor(rng), seats=seats)
        extra = [(_scaled(part, 1 / 1.04), since) for part, since in extra]
    _drop_once(rng, account, begun)


def _add_ons(rng: np.random.Generator, account: Account, count: int) -> list[tuple[Part, int]]:
    """Other products, each with the number of the term in which it was first bought."""
    found = []
    for key, kind, share, low, high in (
        (INSIGHT, "subscription", INSIGHT_SHARE, 0.08, 0.18),
        (CONNECT, "usage", CONNECT_SHARE, 0.05, 0.11),
    ):
        if rng.random() < share[account.size] and account.situation != "new":
            part = Part(key, kind, arr_yuan=_hundreds(account.arr_yuan * rng.uniform(low, high)))
            found.append((part, int(rng.integers(0, count))))
    if account.size == "strategic" and "私有化意向" in account.tags:
        care = _hundreds(account.arr_yuan * rng.uniform(0.08, 0.14))
        found.append((Part(CARE, "maintenance", arr_yuan=care), 0))
    return found


def _changes_of_seats(
    account: Account, cycles: list[Cycle]
) -> tuple[dict[int, list[tuple[date, int]]], dict[int, int]]:
    """What the world says of seats: growth where it happened, cuts at the renewal nearest to it."""
    during: dict[int, list[tuple[date, int]]] = {}
    at_renewal: dict[int, int] = {}
    steps = zip(account.terms[:-1], account.terms[1:], strict=True)
    days = sorted(day for day, _seats, _arr in account.terms[1:])
    for ((_, before, _), (_, after, _)), day in zip(steps, days, strict=True):
        k = max((n for n, cycle in enumerate(cycles) if cycle.start <= day), default=0)
        near = min(range(len(cycles)), key=lambda n: abs((cycles[n].start - day).days))
        if after > before and abs((cycles[near].start - day).days) > GAP_DAYS:
            if day < cycles[k].end:
                during.setdefault(k, []).append((day, before))
        elif near > 0:
            at_renewal[near] = before
    return during, at_renewal


def _older_seats(rng: np.random.Generator, core: Part, start: date, as_of: date) -> int:
    seats = core.seats or 1
    if (as_of - start).days < OLD_DAYS or rng.random() > 0.4:
        return seats
    return max(2, round(seats * float(rng.uniform(0.78, 1.12))))


def _price_factor(rng: np.random.Generator) -> float:
    """The new price over the old one at a renewal."""
    draw = rng.random()
    if draw < PRICE_UP:
        return float(rng.lognormal(np.log(1.055), 0.02))
    return float(rng.uniform(0.92, 0.98)) if draw < PRICE_UP + PRICE_DOWN else 1.0


def _drop_once(rng: np.random.Generator, account: Account, cycles: list[Cycle]) -> None:
    """Some had another product once and did not renew it: a loss beside a renewal."""
    held = {part.product for cycle in cycles for part in cycle.parts}
    if len(cycles) < 2 or INSIGHT in held or rng.random() > DROPPED_SHARE[account.size] * 2:
        return
    last = int(rng.integers(0, len(cycles) - 1))
    yearly = _hundreds(account.arr_yuan * rng.uniform(0.06, 0.14))
    for cycle in cycles[: last + 1]:
        cycle.parts.append(Part(INSIGHT, "subscription", arr_yuan=yearly))


# ---- when it was signed


def _sign(rng: np.random.Generator, account: Account, cycles: list[Cycle], as_of: date) -> None:
    yesterday = as_of - timedelta(days=1)
    for k, cycle in enumerate(cycles):
        if k == 0:
            before = -int(rng.integers(5, 40)) if rng.random() < 0.05 else int(rng.integers(0, 20))
            cycle.signed_on = cycle.start - timedelta(days=before)
        elif cycle.start > as_of:
            cycle.signed_on = as_of - timedelta(days=int(rng.integers(1, 20)))
        elif rng.random() < LATE_SHARE:
            cycle.signed_on = cycle.start + timedelta(days=int(rng.integers(1, 29)))
        else:
            cycle.signed_on = cycle.start - timedelta(days=int(rng.integers(0, 46)))
        if k and cycles[k - 1].grown:  # what is renewed has been bought before
            cycle.signed_on = max(cycle.signed_on, cycles[k - 1].grown[-1][0] + timedelta(days=1))
        cycle.signed_on = min(cycle.signed_on, yesterday)
        cycle.known_on = max(cycle.signed_on, account.started_on)
        account.signed[cycle.start] = cycle.signed_on
    old = [k for k, c in enumerate(cycles) if k and (as_of - c.end).days > OLD_DAYS - 365]
    if old and account.term_months == 12 and rng.random() < WON_BACK:
        _leave_and_return(rng, account, cycles[old[0]])


def _leave_and_return(rng: np.random.Generator, account: Account, cycle: Cycle) -> None:
    cycle.lost_known_on = cycle.start - timedelta(days=int(rng.integers(2, 30)))
    cycle.won_back_on = add_months(cycle.start, int(rng.integers(3, 9)))
    cycle.signed_on = cycle.won_back_on - timedelta(days=int(rng.integers(0, 15)))
    cycle.known_on = cycle.signed_on
    cycle.grown = [step for step in cycle.grown if step[0] > cycle.won_back_on]
    account.signed[cycle.start] = cycle.signed_on


def _write_terms(account: Account, cycles: list[Cycle]) -> None:
    """What notes quote: seats and yearly amount in force from each day on."""
    steps: dict[date, tuple[int, int]] = {}
    for cycle in cycles:
        yearly = sum(part.arr_yuan for part in cycle.parts)
        steps[cycle.start] = (cycle.parts[0].seats or 0, yearly)
        for day, before, after in cycle.grown:
            yearly += after.arr_yuan - before.arr_yuan
            steps[day] = (after.seats or 0, yearly)
    terms: list[tuple[date, int, int]] = []
    for day in sorted(steps):
        if not terms or terms[-1][1:] != steps[day]:
            terms.append((day, *steps[day]))
    account.terms = terms


# ---- the story, forwards


def _tell(
    rng: np.random.Generator, account: Account, cycles: list[Cycle], as_of: date
) -> list[Deed]:
    deeds: list[Deed] = []

    def add(on: date | None, verb: str, **facts: object) -> None:
        assert on is not None  # noqa: S101 - every term has been signed by now
        deeds.append(Deed(on, account.index, verb, facts))

    quarterly = account.size != "strategic" and rng.random() < 0.14
    auto = account.size == "standard" and rng.random() < 0.4
    for k, cycle in enumerate(cycles):
        start = cycle.won_back_on or cycle.start
        terms = {
            "number": f"HZ-{start.year}-{account.external_id[3:]}-{k + 1}",
            "starts": start,
            "ends": cycle.end - timedelta(days=1),
            "signed": cycle.signed_on,
            "interval": 3 if quarterly else 12,
            "auto_renew": auto,
            "parts": list(cycle.parts),
        }
        if k == 0:
            add(cycle.known_on, "sign", **terms, once=_once(rng, account, cycle))
        elif cycle.won_back_on:
            cause = str(rng.choice(CAUSES, p=CAUSE_SHARE))
            add(cycle.lost_known_on, "lose", due=cycle.start - timedelta(days=1), cause=cause)
            add(cycle.known_on, "sign", **terms, once=[])
        else:
            add(cycle.known_on, "renew", **terms)
            is_early = cycle.known_on is not None and cycle.known_on < cycle.start
            if is_early and cycle.parts != _at_end(cycles[k - 1]):
                add(cycle.start, "begin")
        for day, before, after in cycle.grown:
            add(day, "grow", before=before, after=after, ends=cycle.end - timedelta(days=1))
    last = cycles[-1].end
    if account.situation in {"former", "churned"}:
        _leave(rng, account, last, as_of, add)
    elif last < as_of and rng.random() < 0.34:
        # talks go on: the customer may use the product a month longer, at no charge
        add(last - timedelta(days=2), "extend", until=last + timedelta(days=29))
    return deeds


def _at_end(cycle: Cycle) -> list[Part]:
    """What a term holds on its last day."""
    grown = {before.product: after for _day, before, after in cycle.grown}
    return [grown.get(part.product, part) for part in cycle.parts]


def _once(rng: np.random.Generator, account: Account, first: Cycle) -> list[Part]:
    """What is paid once, beside the first contract."""
    found = []
    if account.size != "standard" or rng.random() < 0.2:
        share = 0.12 if account.size == "standard" else 0.18
        price = _hundreds(sum(part.arr_yuan for part in first.parts) * share)
        found.append(Part(SERVICE, "one_off", price_yuan=price))
    care = next((part for part in first.parts if part.product == CARE), None)
    if care:
        price = round(care.arr_yuan * 10_000 / MAINTENANCE_BP)
        found.append(Part(LICENCE, "licence", price_yuan=price))
    return found


def _leave(rng: np.random.Generator, account: Account, last: date, as_of: date, add) -> None:
    """Lost at the due date, or before it: a few do not wait for the end of the term."""
    cause = str(rng.choice(CAUSES, p=CAUSE_SHARE))
    is_forced = rng.random() < 0.09  # closed down or taken over: nobody decided against us
    facts = {"cause": "" if is_forced else cause, "involuntary": is_forced}
    gone_on = last
    if account.situation == "former" and rng.random() < 0.06:
        gone_on = last - timedelta(days=int(rng.integers(40, 200)))
        known_on = gone_on - timedelta(days=int(rng.integers(5, 30)))
        add(known_on, "end", last_day=gone_on - timedelta(days=1), **facts)
    else:
        late = 0 if account.situation == "churned" else int(rng.integers(-40, 26))
        known_on = min(last + timedelta(days=late), as_of - timedelta(days=2))
        add(known_on, "lose", due=last - timedelta(days=1), **facts)
    # known before it happened: the customer's own figures change on the day itself
    left_on = max(known_on, gone_on, account.started_on)
    add(left_on, "archive", begins=known_on < gone_on)


def _scaled(part: Part, factor: float, *, seats: int | None = None) -> Part:
    yearly = max(1_000, _hundreds(part.arr_yuan * factor))
    return replace(part, arr_yuan=yearly, seats=part.seats if seats is None else seats)


def _hundreds(yuan: float) -> int:
    """Prices are in hundreds of yuan: with 6 % tax they stay whole."""
    return max(100, round(yuan / 100) * 100)
