"""Invoices with their payments, new prices named before a renewal, the product that runs month by
month, and why customers left."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import numpy as np

from gengyun.demo.simulator.company import NEVER, Columns, rows
from gengyun.demo.simulator.company_crm import Scene, chance
from gengyun.demo.simulator.deals import Term, months_later

DUE_DAYS = 30
CAUSES = ("roi_wrong", "decider_changed", "slow_answers", "need_unmet", "use_low")
CAUSE_OF = {
    "decision_maker_change": "decider_changed",
    "champion_left": "champion_changed",
    "slow_feedback": "slow_answers",
    "roi_doubt": "roi_wrong",
    "competitor": "roi_wrong",
    "layoff": "use_low",
}


def invoices(rng: np.random.Generator, scene: Scene) -> Columns:
    """One a year in advance. Payment is late more often where things are bad; what fell due of
    late, of customers who left, is often never paid."""
    crm, made = scene.config.crm, []
    left = {(due.account, due.nth) for due in scene.deals.dues if due.outcome_minor == 0}
    for term in scene.deals.terms:
        for year in range(0, term.months, 12):
            issued = max(months_later(term.starts_on, year), term.signed_on)
            due = issued + timedelta(days=DUE_DAYS)
            at = np.int64(scene.index(due))
            value = scene.valued(np.int64(term.account), at)
            late = rng.random() < chance(crm.late_payment, crm.late_weight, value)
            days = int(rng.exponential(35)) + 3 if late else -int(rng.integers(0, 26))
            disputed = rng.random() < chance(crm.disputed, crm.late_weight, value)
            gone = (term.account, term.nth) in left and due > term.ends_on - timedelta(days=60)
            paid = NEVER if gone and rng.random() < 0.5 else np.datetime64(due, "D") + days
            since = np.datetime64(due, "D") + 4 if disputed else NEVER
            made.append(
                (term.account, term.nth, year // 12, issued, due,
                 term.arr_minor * min(12, term.months - year) // 12, paid, since)
            )  # fmt: skip
    found = rows(
        made, account="i8", nth="i8", part="i8", happened="M8[D]", due="M8[D]",
        amount_minor="i8", paid="M8[D]", disputed="M8[D]",
    )  # fmt: skip
    return found | {"known": found["happened"].copy()}


def price_asked(scene: Scene, rise_on: date) -> Columns:
    """The day a customer was told the new price: all whose term ends in the year of the rise."""
    told = prices_told(scene.deals.terms, rise_on, scene.config.crm.price_asked_days)
    made = rows(
        [(term.account, "price_increase", on) for term, on in told],
        account="i8", kind="U24", happened="M8[D]",
    )  # fmt: skip
    return made | {"known": made["happened"].copy()}


def prices_told(
    terms: Iterable[Term], rise_on: date, days_before: int
) -> Iterator[tuple[Term, date]]:
    """Terms that end in the year of the rise, with the day on which the customer was told."""
    for term in terms:
        if rise_on <= term.ends_on < rise_on + timedelta(days=365):
            yield term, max(term.ends_on - timedelta(days=days_before), term.starts_on)


def monthly(rng: np.random.Generator, scene: Scene) -> Columns:
    """A small second product, renewed by itself every month until it is ended: one row a customer.
    The hazard rises as value falls."""
    crm, made = scene.config.crm, []
    for account in np.flatnonzero(rng.random(len(scene.value)) < crm.monthly_share).tolist():
        there = np.flatnonzero(scene.held.seats[account])
        if len(there) < 60:
            continue
        start = int(there[0] + rng.integers(0, max(1, len(there) // 2)))
        price = round(float(rng.lognormal(np.log(60_000), 0.4)) / 100) * 100
        starts = scene.config.world.start + timedelta(days=start)
        ended, month = NEVER, 0
        while True:
            month += 1
            last = months_later(starts, month) - timedelta(days=1)
            at = scene.index(last)
            if at >= scene.days:
                break
            is_there = scene.held.seats[account, at] > 0
            hazard = chance(crm.monthly_hazard, 0.5, scene.valued(account, at))
            if not is_there or rng.random() < hazard:
                ended = np.datetime64(last, "D")
                break
        made.append((account, starts, price, ended, ended))
    return rows(
        made, account="i8", starts="M8[D]", monthly_minor="i8", ended="M8[D]", known="M8[D]"
    )


def outcomes(rng: np.random.Generator, scene: Scene) -> Columns:
    """What became of every term that came due, with the day it was known and why. The cause a loss
    is given is the worst of what happened in the year before it."""
    crm, made = scene.config.crm, []
    worst: dict[int, list] = {}
    for shock in scene.latent.shocks:
        if shock.kind in CAUSE_OF:
            worst.setdefault(shock.account, []).append(shock)
    for due in scene.deals.dues:
        forced = due.outcome_minor == 0 and rng.random() < crm.involuntary
        guess = str(rng.choice(CAUSES))
        at = scene.index(due.due_on)
        recent = [one for one in worst.get(due.account, []) if at - 365 <= one.day <= at]
        cause = ""
        if due.outcome_minor == 0 and not forced:
            found = max(recent, key=lambda one: one.risk, default=None)
            cause = CAUSE_OF[found.kind] if found else guess
        made.append(
            (due.account, due.nth, due.due_on, due.decided_on, due.due_minor, due.outcome_minor,
             cause, forced)
        )  # fmt: skip
    return rows(
        made, account="i8", nth="i8", due="M8[D]", known="M8[D]", due_minor="i8",
        outcome_minor="i8", cause="U24", involuntary="?",
    )  # fmt: skip
