"""The renewal forecast with the churn probability in it, against what came out (science.md 8, A9).

As `forecast_score`, on whole simulated companies. The model of a quarter learned from what was
decided `LEAD` days before it began. It sees each renewal either `LAG` days before that comes due
(how science.md 6 measured it) or, harder, all of them on the day on which it learned. Beside it
stands the floor: the same forecast from the true probabilities, which no model can do better than
but by luck. All of them know the prices that customers had been told by the day on which each
renewal is seen; the control, one share of what comes due, does not.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from gengyun.churn.calc.rows import training_rows
from gengyun.churn.calc.snapshot import Reader
from gengyun.churn.calc.table import Table
from gengyun.churn.calc.target import is_undecided
from gengyun.demo.simulator.churn_score import Scorer
from gengyun.demo.simulator.company import Company
from gengyun.demo.simulator.company_config import CompanyConfig, company
from gengyun.demo.simulator.company_make import make_company, rise_on
from gengyun.demo.simulator.company_money import prices_told
from gengyun.demo.simulator.deals import DealWorld
from gengyun.demo.simulator.forecast_score import LEAD, QUARTERS, Quarter, Told, quarter
from gengyun.demo.simulator.observed import TERMS, to_observed

ACCOUNTS = 600
A_YEAR = 4  # quarters between two trainings
LAG = 90  # days before its due date on which each renewal is seen

Learn = Callable[[Table], Scorer]


@dataclass(frozen=True)
class Forecasted:
    """One quarter: with the model's probabilities, from rates of cells alone, from the truth."""

    with_model: Quarter
    with_rates: Quarter
    with_truth: Quarter
    from_model: int  # renewals that the model gave a probability


def forecasted(
    seed: int,
    learn: Learn,
    *,
    accounts: int = ACCOUNTS,
    quarters: int = QUARTERS,
    every: int = A_YEAR,
    lag: int | None = LAG,
    draws: int = 1_000,
    config: CompanyConfig | None = None,
) -> list[Forecasted]:
    """The last quarters of a company. The product learns anew each month; here once in `every`
    quarters, which is harder and quicker. `lag` None: every renewal is seen `LEAD` days before the
    quarter begins, so 90 to 180 days before it comes due."""
    chosen = config or company("smb")
    made = make_company(replace(chosen, world=replace(chosen.world, accounts=accounts)), seed=seed)
    reader = Reader.of(to_observed(made))
    truth, told = foreseeable(made.deals), told_by(made)
    found: list[Forecasted] = []
    for k, month in enumerate(_months(made, quarters)):
        as_of = month.astype("M8[D]") - np.timedelta64(LEAD, "D")
        if k % every == 0:
            model = learn(training_rows(reader, cutoff=as_of.astype(object)).table)
        renewing = _renewing(reader, model, month, as_of, lag)
        of_model, of_rates, of_truth = (
            quarter(made.deals, month, draws=draws, seed=seed, renewing=p, told=told, lag=lag)
            for p in (renewing, None, truth)
        )
        found.append(Forecasted(of_model, of_rates, of_truth, len(renewing)))
    return found


def told_by(made: Company) -> dict[tuple[int, int], Told]:
    """(account, nth) -> the price that the customer was told, as the product gets it."""
    rise = 1 + made.config.deals.price_rise
    told = prices_told(made.deals.terms, rise_on(made.config), made.config.crm.price_asked_days)
    return {(term.account, term.nth): Told(np.datetime64(day, "D"), rise) for term, day in told}


def foreseeable(world: DealWorld) -> dict[tuple[int, int], float]:
    """(account, nth) -> true probability of renewing, but for the shock that all renewals of the
    quarter share: it lies ahead, and nothing that is known beforehand tells it."""
    day = {(due.account, due.nth): due.due_on for due in world.dues}
    found = {}
    for key, lost in world.truth.not_renewing.items():
        on = day.get(key)
        if on is None:
            continue
        odds = (1 - lost) / lost * math.exp(world.truth.quarter[on.year, (on.month + 2) // 3])
        found[key] = odds / (1 + odds)
    return found


def _months(made: Company, quarters: int) -> Iterator[np.datetime64]:
    last = np.datetime64(made.start + timedelta(days=made.days), "M")
    last -= (last.astype(int) % 3).astype("timedelta64[M]")
    for back in range(quarters, 0, -1):
        yield last - np.timedelta64(3 * back, "M")


def _renewing(
    reader: Reader, model: Scorer, month: np.datetime64, as_of: np.datetime64, lag: int | None
) -> dict[tuple[int, int], float]:
    """(account, nth) -> probability of renewing, of what comes due in the quarter and is open on
    the day on which it is seen."""
    dues = reader.observed.dues
    first, end = month.astype("M8[D]"), (month + 3).astype("M8[D]")
    row = np.flatnonzero((dues.due >= first) & (dues.due < end))
    day = np.full(len(row), as_of) if lag is None else dues.due[row] - np.timedelta64(lag, "D")
    is_open = is_undecided(dues, day.astype(np.int64), row)
    row, day = row[is_open], day[is_open]
    if not len(row):
        return {}
    seen = reader.snapshot(account=dues.account[row], at=day, row=row)
    unknown = np.full(len(row), np.nan)
    table = Table(
        seen.features, seen.x, unknown, dues.account[row], day, dues.due[row],
        np.full(len(row), np.datetime64("NaT", "D")), seen.tier,
        (dues.due[row] - day).astype(np.int64), dues.amount_minor[row],
    )  # fmt: skip
    p = model.predict(table).p
    ids = dues.renewal[row].tolist()
    return {divmod(one, TERMS): 1 - float(share) for one, share in zip(ids, p, strict=True)}
