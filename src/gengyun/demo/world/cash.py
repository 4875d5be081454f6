"""Invoices and payments of the demo company: most are paid in time, some late, a few are not."""

from datetime import date, timedelta

import numpy as np

from gengyun.demo.world.accounts import add_months
from gengyun.demo.world.deals import Deed, Part, with_tax
from gengyun.demo.world.shapes import Account

DUE_DAYS = 30
IN_TIME, LATE = 0.84, 0.135  # the rest is paid very late
LEAVING_IN_TIME, LEAVING_LATE = 0.6, 0.2  # of the last year of those who left
IN_TWO = 0.05  # paid in two halves
STUCK = 0.035  # of customers have stopped paying: what fell due of late is open
STUCK_DAYS = 95
DISPUTED = 0.3  # of those say why: they dispute the invoice


def invoices(
    rng: np.random.Generator, account: Account, told: list[Deed], *, as_of: date
) -> list[Deed]:
    """Invoices with their payments for the contracts of an account."""
    is_stuck = account.situation in {"usual", "stopped"} and rng.random() < STUCK
    deeds: list[Deed] = []
    left_on = next((deed.on for deed in told if deed.verb == "archive"), None)
    for deed in told:
        for issued, fen, number, contract in _bills(deed, told, left_on):
            due = issued + timedelta(days=DUE_DAYS)
            facts = {"number": number, "issued": issued, "due": due, "fen": fen}
            deeds.append(Deed(issued, account.index, "invoice", facts | {"contract": contract}))
            is_open = is_stuck and due >= as_of - timedelta(days=STUCK_DAYS)
            if not is_open:
                is_leaving = left_on is not None and (left_on - due).days < 365
                deeds += _payments(rng, account, number, due, fen, is_leaving=is_leaving)
            elif rng.random() < DISPUTED and issued < as_of:
                on = min(due + timedelta(days=4), as_of - timedelta(days=1))
                deeds.append(Deed(on, account.index, "dispute", {"number": number}))
    return deeds


def _bills(deed: Deed, told: list[Deed], left_on: date | None):
    """(day, fen, number, contract) of what a deed lets us invoice."""
    if deed.verb in {"sign", "renew"}:
        facts = deed.facts
        months, number = facts["interval"], facts["number"]
        yearly = sum(part.arr_yuan for part in facts["parts"])
        for n, start in enumerate(_starts(facts["starts"], facts["ends"], months)):
            fen = with_tax(yearly) * _months(start, facts["ends"], months) // 12
            once = [part.price_yuan for part in facts.get("once", ())] if n == 0 else []
            issued = max(start, deed.on)
            if left_on is None or issued <= left_on:
                yield issued, fen + with_tax(sum(once)), f"{number}-{n + 1}", number
    elif deed.verb == "grow":
        contract = next(
            other.facts["number"]
            for other in reversed(told)
            if other.verb in {"sign", "renew"} and other.facts["starts"] <= deed.on
        )
        days = (deed.facts["ends"] - deed.on).days + 1
        before: Part = deed.facts["before"]
        after: Part = deed.facts["after"]
        more = with_tax(after.arr_yuan - before.arr_yuan) * days // 365
        yield deed.on, more, f"{contract}-A{deed.on:%y%m%d}", contract


def _starts(first: date, last: date, months: int) -> list[date]:
    found = [first]
    while (following := add_months(first, months * len(found))) <= last:
        found.append(following)
    return found


def _months(start: date, last: date, most: int) -> int:
    """Whole months from `start` to the end of the term, at most one interval."""
    left = (last.year - start.year) * 12 + last.month - start.month
    left += 1 if last.day >= start.day else 0
    return max(1, min(most, left))


def _payments(
    rng: np.random.Generator,
    account: Account,
    number: str,
    due: date,
    fen: int,
    *,
    is_leaving: bool,
) -> list[Deed]:
    draw = rng.random()
    in_time, late = (LEAVING_IN_TIME, LEAVING_LATE) if is_leaving else (IN_TIME, LATE)
    if draw < in_time:
        on = due - timedelta(days=int(rng.integers(0, 26)))
    elif draw < in_time + late:
        on = due + timedelta(days=int(rng.integers(2, 40)))
    else:
        on = due + timedelta(days=int(rng.integers(40, 250 if is_leaving else 110)))
    parts = [fen]
    if rng.random() < IN_TWO:
        parts = [fen // 2, fen - fen // 2]
    return [
        Deed(
            on + timedelta(days=21 * n),
            account.index,
            "pay",
            {"invoice": number, "number": f"P-{number}-{n + 1}", "fen": part},
        )
        for n, part in enumerate(parts)
    ]
