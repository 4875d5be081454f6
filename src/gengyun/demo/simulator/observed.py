"""A simulated company as the churn probability sees a deployment: what was recorded and no more."""

from datetime import timedelta

import numpy as np

from gengyun.churn.calc.observed import (
    KINDS,
    NEVER,
    ON_TIME,
    STATES,
    Dues,
    Facts,
    KeyUsers,
    Observed,
    Presence,
    States,
    Use,
)
from gengyun.demo.simulator.company import Columns, Company, Ints, taken
from gengyun.demo.simulator.company_people import KEY_PARTS, SUCCESSOR, people_of
from gengyun.demo.simulator.deals import months_later
from gengyun.demo.world.product import MODULES

TERMS = 1_000  # the id of a renewal is the account's place times this, and its number
USERS = 1_000_000  # user numbers of one customer stay below it
SENTIMENT_DAYS = 90
SLOW_DAYS = 100
SEVERE, ORDINARY = 1.0, 3.0


def to_observed(company: Company) -> Observed:
    """Everything its systems hold at the end of the world."""
    months = _months(company)
    people, users = _people(company, months)
    account, day = np.nonzero(company.use.events)
    on = company.day(day)
    use = Use.of(
        account=account,
        day=on,
        known=on,
        events=company.use.events[account, day],
        users=users[account, day],
    )
    return Observed(
        accounts=np.arange(len(company.tier)),
        until=company.end,
        use=use,
        people=people,
        parts=_parts(company, months),
        states=_states(company),
        facts=_facts(company),
        dues=_dues(company),
        key_users=_key_users(company),
        seasons=company.season,
    )


def _months(company: Company) -> tuple[Ints, np.ndarray, np.ndarray]:
    """(place of each month's first day, the months, day of the month of each day)."""
    days = company.day(np.arange(company.days))
    month = days.astype("datetime64[M]")
    first = np.flatnonzero(np.append(True, month[1:] != month[:-1]))
    return first, month[first].astype("datetime64[D]"), (days - month.astype("M8[D]")).astype(int)


def _bits(was: np.ndarray, first: Ints, day_of_month: np.ndarray, axis: int) -> np.ndarray:
    shape = [1] * was.ndim
    shape[axis] = len(day_of_month)
    shifted = was.astype(np.int64) << day_of_month.reshape(shape)
    return np.add.reduceat(shifted, first, axis=axis)


def _people(company: Company, months) -> tuple[Presence, np.ndarray]:
    """Presence of people, and how many there were, [account, day]."""
    first, names, day_of_month = months
    contacts = company.tables["contacts"]
    order = np.argsort(contacts["account"], kind="stable")
    edges = np.searchsorted(contacts["account"][order], np.arange(len(company.tier) + 1))
    users = np.zeros(company.use.active.shape, np.int32)
    found: list[tuple[Ints, ...]] = []
    for account in range(len(company.tier)):
        if not company.use.active[account].any():
            continue
        mine = taken(contacts, order[edges[account] : edges[account + 1]])
        there = people_of(company, account, mine)
        users[account] = there.was_there.sum(axis=1)
        bits = _bits(there.was_there, first, day_of_month, 0)
        month, column = np.nonzero(bits)
        key = account * USERS + there.user[column]
        found.append((np.full(len(month), account), month, key, bits[month, column]))
    account, month, key, bits = (np.concatenate(part) for part in zip(*found, strict=True))
    made = Presence.of(account=account, month=names[month], key=key, known=ON_TIME, bits=bits)
    return made, users


def _parts(company: Company, months) -> Presence:
    first, names, day_of_month = months
    found = []
    for k in range(len(MODULES)):
        bits = _bits((company.use.modules >> k) & 1, first, day_of_month, 1)
        account, month = np.nonzero(bits)
        found.append((account, month, np.full(len(account), k), bits[account, month]))
    account, month, key, bits = (np.concatenate(part) for part in zip(*found, strict=True))
    return Presence.of(account=account, month=names[month], key=key, known=ON_TIME, bits=bits)


def _states(company: Company) -> States:
    """Seats as they change, the tier, the day the customer came."""
    place = {name: k for k, name in enumerate(STATES)}
    seats = company.seats
    changed = np.ones(seats.shape, np.bool_)
    changed[:, 1:] = seats[:, 1:] != seats[:, :-1]
    account, day = np.nonzero(changed)
    value = np.where(seats[account, day] > 0, seats[account, day], np.nan)
    made = States.of(account=account, field=place["seats"], known=company.day(day), value=value)
    contracts = company.tables["contracts"]
    firsts, at = np.unique(contracts["account"], return_index=True)
    known = contracts["known"][at]
    began = contracts["starts"][at] - 365 * contracts["nth"][at]
    started = began.astype(np.int64).astype(np.float64)
    tier = States.of(account=firsts, field=place["tier"], known=known, value=company.tier[firsts])
    return made.and_(tier).and_(
        States.of(account=firsts, field=place["started"], known=known, value=started)
    )


def _facts(company: Company) -> Facts:
    made = [_one(name, columns) for name, columns in fact_columns(company)]
    found = made[0]
    for more in made[1:]:
        found = found.and_(more)
    return found


def _one(kind: str, columns: Columns) -> Facts:
    known = {"until", "value"} & set(columns)
    return Facts.of(
        account=columns["account"],
        kind=KINDS.index(kind),
        happened=columns["happened"],
        known=columns["known"],
        **{name: columns[name] for name in known},
    )


def fact_columns(company: Company):
    """(kind, columns) of every fact of the company, in the words of the product."""
    tables = company.tables
    contacts = tables["contacts"]
    for kind, part in (("decider_left", "decider"), ("champion_left", "champion")):
        gone = taken(contacts, (contacts["part"] == part) & ~np.isnat(contacts["left"]))
        yield kind, _renamed(gone, happened="left", known="left_known")
    facts = tables["facts"]
    for kind in ("competitor", "roi_doubt", "layoff", "missold"):
        yield kind, taken(facts, facts["kind"] == kind)
    slow = taken(facts, facts["kind"] == "slow_feedback")
    yield "feedback", slow | {"until": _past(company, slow["happened"] + SLOW_DAYS)}
    raised = taken(facts, facts["kind"] == "price_increase")
    rise = np.full(len(raised["account"]), company.config.deals.price_rise)
    yield "price_rise", raised | {"value": rise}
    yield from _touches(tables["touches"])
    yield from _service(company)
    yield "nps", tables["nps"] | {"value": tables["nps"]["score"].astype(np.float64)}
    felt = tables["sentiments"]
    level = np.clip(felt["level"], 1, 4).astype(np.float64)
    until = _past(company, felt["happened"] + SENTIMENT_DAYS)
    yield "sentiment", felt | {"value": level, "until": until}
    yield from _money(tables["invoices"])
    lost = tables["outcomes"]
    told = taken(lost, (lost["outcome_minor"] == 0) & (lost["known"] <= lost["due"]))
    yield "notice", _renamed(told, happened="known", known="known")


def _touches(touches: Columns):
    answered = ~(touches["refused"] | touches["no_reply"])
    yield "touch", taken(touches, answered)
    yield "contact_refused", taken(touches, touches["refused"])
    yield "no_reply", taken(touches, touches["no_reply"])
    yield "meeting", taken(touches, answered & np.isin(touches["kind"], ("meeting", "visit")))
    yield "exec_contact", taken(touches, answered & (touches["part"] == "decider"))
    yield "not_solved", taken(touches, answered & (touches["outcome"] == "not"))


def _service(company: Company):
    tickets, promises = company.tables["tickets"], company.tables["promises"]
    level = np.where(tickets["severe"], SEVERE, ORDINARY)
    yield "ticket", tickets | {"value": level, "until": tickets["closed"]}
    hours = tickets["response_hours"]
    answered = tickets["happened"] + np.ceil(hours / 24).astype(np.int64)
    told = tickets | {"known": answered, "value": hours}
    yield "ticket_hours", taken(told, answered < np.datetime64(company.end))
    again = tickets["reopened"] & ~np.isnat(tickets["closed"])
    yield "ticket_reopened", _renamed(taken(tickets, again), happened="closed", known="closed")
    yield "promise", promises | {"happened": promises["due"], "until": promises["kept"]}
    steps = company.tables["milestones"]
    yield "milestone", steps | {"happened": steps["planned"], "until": steps["reached"]}


def _money(invoices: Columns):
    issued = invoices["happened"]
    yield (
        "invoice",
        invoices | {"happened": invoices["due"], "known": issued, "until": invoices["paid"]},
    )
    disputed = taken(invoices, ~np.isnat(invoices["disputed"]))
    yield "dispute", _renamed(disputed, happened="disputed", known="disputed")


def _renamed(columns: Columns, **names: str) -> Columns:
    return {"account": columns["account"]} | {new: columns[old] for new, old in names.items()}


def _past(company: Company, days: np.ndarray) -> np.ndarray:
    return np.where(days < np.datetime64(company.end), days, NEVER)


def _dues(company: Company) -> Dues:
    """Every term, decided or not. What a term is worth is what was signed."""
    contracts = company.tables["contracts"]
    outcomes, changes = company.tables["outcomes"], company.tables["changes"]
    key = _key(contracts["account"], contracts["nth"])
    found = {int(one): k for k, one in enumerate(_key(outcomes["account"], outcomes["nth"]))}
    at = np.array([found.get(int(one), -1) for one in key])
    decided = np.where(at >= 0, outcomes["known"][at], NEVER)
    kept = np.where(at >= 0, outcomes["outcome_minor"][at].astype(np.float64), np.nan)
    exits = taken(changes, changes["kind"] == "exit")
    gone = dict(zip(_key(exits["account"], exits["nth"]).tolist(), exits["happened"], strict=True))
    ended = np.array([gone.get(int(one), NEVER) for one in key], "datetime64[D]")
    return Dues.of(
        account=contracts["account"],
        due=contracts["ends"],
        known=contracts["known"],
        renewal=key,
        amount_minor=contracts["arr_minor"],
        starts=contracts["starts"],
        nth=contracts["nth"],
        discount=contracts["discount"],
        auto_renew=0.0,
        decided=decided,
        kept_minor=np.where(kept > 0, kept, np.nan),
        ended=ended,
        involuntary=np.where(at >= 0, outcomes["involuntary"][at], 0).astype(np.int64),
    )


def _key(account: np.ndarray, nth: np.ndarray) -> np.ndarray:
    return account * TERMS + nth


def monthly_dues(company: Company) -> Dues:
    """The months of the product that runs on by itself: one row per month, the last one lost."""
    table, made = company.tables["monthly"], []
    for k in range(len(table["account"])):
        starts, ended = table["starts"][k].astype(object), table["ended"][k]
        month, signed = 0, starts
        while True:
            last = months_later(starts, month + 1) - timedelta(days=1)
            begins = months_later(starts, month)
            is_last = not np.isnat(ended) and np.datetime64(last) >= ended
            is_open = last >= company.end
            decided = NEVER if is_open else np.datetime64(last)
            kept = np.nan if is_open or is_last else float(table["monthly_minor"][k] * 12)
            made.append(
                (table["account"][k], last, signed, begins, month, table["monthly_minor"][k] * 12,
                 decided, kept)
            )  # fmt: skip
            if is_last or is_open:
                break
            month, signed = month + 1, last
    if not made:
        return Dues.none()
    account, due, known, begins, nth, amount, decided, kept = zip(*made, strict=True)
    return Dues.of(
        account=account, due=due, known=known, starts=begins, nth=nth, amount_minor=amount,
        decided=decided, kept_minor=kept, group=1, period_months=1, auto_renew=1.0,
    )  # fmt: skip


def _key_users(company: Company) -> KeyUsers:
    contacts, made = company.tables["contacts"], []
    for part, place in KEY_PARTS.items():
        mine = taken(contacts, contacts["part"] == part)
        seen: dict[int, int] = {}
        for account, came, left in zip(
            mine["account"].tolist(), mine["came"], mine["left_known"], strict=True
        ):
            n = seen[account] = seen.get(account, -1) + 1
            made.append((account, account * USERS + place + n * SUCCESSOR, came, left))
    account, user, known, until = zip(*made, strict=True)
    return KeyUsers.of(account=account, user=user, known=known, until=until)
