"""What the company's own renewals teach about those to come, and how a run remembers it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from gengyun.customers.models import Tier
from gengyun.revenue.calc.renewal_odds import STATED, CellRate, History, Odds, learn_odds
from gengyun.revenue.calc.signing_delay import Delays
from gengyun.revenue.models import ForecastRun, Renewal, RenewalState
from gengyun.revenue.models.renewals import rise
from gengyun.revenue.queries.settings import current

GOOD_FOR = timedelta(days=8)  # odds are learned once a week; one late night is nothing
NO_TIER = 0


@dataclass(frozen=True)
class Cell:
    """What renewals are told apart by. `tier_id` 0: customers without one."""

    tier_id: int
    is_first: bool  # the customer never came due before


@dataclass(frozen=True)
class Learned:
    """Odds with what their rows mean."""

    as_of: date
    cells: tuple[Cell, ...]
    odds: Odds
    stated: float
    is_assumed: bool  # nobody stated a rate: the product's assumption stands in

    def place(self, tier_id: int | None, is_first: bool) -> int:
        return self.cells.index(Cell(tier_id or NO_TIER, is_first))


def learn(as_of: date) -> Learned:
    """From every renewal decided before `as_of`, whoever may see it: only rates come out of it."""
    settings = current()
    cells = cells_now()
    bp = settings.stated_renewal_bp
    stated = STATED if bp is None else bp / 10_000
    odds = learn_odds(
        history(cells),
        as_of=np.datetime64(as_of),
        stated=[stated] * len(cells),
        grace_days=settings.loss_grace_days,
    )
    return Learned(as_of, cells, odds, stated, is_assumed=bp is None)


def learned(as_of: date) -> Learned:
    """Of this week's run where there is one; else learned now."""
    run = ForecastRun.objects.filter(as_of__lte=as_of).order_by("-as_of").first()
    if run is not None and as_of - run.as_of < GOOD_FOR:
        found = remembered(run)
        if found.cells == cells_now():
            return found
    return learn(as_of)


def cells_now() -> tuple[Cell, ...]:
    tiers = [*Tier.objects.order_by("position", "pk").values_list("pk", flat=True), NO_TIER]
    return tuple(Cell(pk, is_first) for pk in tiers for is_first in (True, False))


def history(cells: Sequence[Cell]) -> History:
    """All renewals but those that became part of another. Tiers are those of today."""
    rows = list(
        Renewal.objects.exclude(state=RenewalState.MERGED)
        .order_by("pk")
        .values_list(
            "customer_id", "customer__tier_id", "due_on", "due_minor", "outcome_minor",
            "decided_on", "state", "asked_minor",
        )
    )  # fmt: skip
    if not rows:
        empty = np.zeros(0, np.int64)
        days = np.zeros(0, "datetime64[D]")
        return History(empty, days, empty, empty, days)
    customer, tier, due_on, due, outcome, decided_on, state, asked = zip(*rows, strict=True)
    due_days = np.array(due_on, "datetime64[D]")
    place = {cell: k for k, cell in enumerate(cells)}
    first = first_due(np.array(customer, np.int64), due_days)
    at = [
        place[Cell(pk or NO_TIER, bool(is_first))] for pk, is_first in zip(tier, first, strict=True)
    ]
    is_decided = np.array([one in {RenewalState.RENEWED, RenewalState.LOST} for one in state])
    days = np.array(decided_on, "datetime64[D]")
    days[~is_decided] = np.datetime64("NaT")
    return History(
        np.array(at, np.int64),
        due_days,
        np.array(due, np.int64),
        np.array([amount or 0 for amount in outcome], np.int64),
        days,
        np.array([_ratio(price, amount) for price, amount in zip(asked, due, strict=True)]),
    )


def _ratio(asked_minor: int | None, due_minor: int) -> float:
    """What was asked over what came due; nan: nobody said. Nothing is asked once it is decided."""
    more = rise(asked_minor, due_minor)
    return np.nan if more is None else 1 + more


def first_due(customer: np.ndarray, due_on: np.ndarray) -> np.ndarray:
    """Whether nothing of the same customer came due before."""
    _, place = np.unique(customer, return_inverse=True)
    earliest = np.full(place.max() + 1, np.datetime64("9999-12-31"))
    np.minimum.at(earliest, place, due_on)
    return np.asarray(due_on == earliest[place])


# --- what a run remembers -----------------------------------------------------------------------


def told(found: Learned) -> dict[str, Any]:
    """As JSON; `remembered` turns it back."""
    odds = found.odds
    return {
        "cells": [asdict(cell) for cell in found.cells],
        "stated": found.stated,
        "is_assumed": found.is_assumed,
        "rates": [asdict(rate) for rate in odds.rates],
        "ratios": np.round(odds.ratios, 4).tolist(),
        "spread": np.round(odds.spread_weight, 6).tolist(),
        "amounts": np.round(odds.amount_weight, 6).tolist(),
        "ratio_levels": np.round(odds.ratio_levels, 5).tolist(),
        "renewed_open": np.round(odds.delays.renewed_open, 5).tolist(),
        "lost_open": np.round(odds.delays.lost_open, 5).tolist(),
        "decided": odds.decided,
        "quarters": odds.quarters,
    }


def remembered(run: ForecastRun) -> Learned:
    kept = run.odds
    spread = np.array(kept["spread"])
    # a run of an earlier version knew nothing of these, and stays what it was
    amounts = np.array(kept.get("amounts", []), np.float64)
    odds = Odds(
        rates=tuple(CellRate(**rate) for rate in kept["rates"]),
        ratios=np.array(kept["ratios"]),
        spread_weight=spread / spread.sum(),
        delays=Delays(np.array(kept["renewed_open"]), np.array(kept["lost_open"])),
        decided=kept["decided"],
        quarters=kept["quarters"],
        amount_weight=amounts / amounts.sum() if len(amounts) else amounts,
        ratio_levels=np.array(kept.get("ratio_levels", []), np.float64),
    )
    cells = tuple(Cell(**cell) for cell in kept["cells"])
    return Learned(run.as_of, cells, odds, kept["stated"], kept["is_assumed"])
