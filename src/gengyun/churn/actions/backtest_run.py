"""Works a back-test off: the report, from what the deployment holds today about its past."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np

from gengyun.churn.actions.train import SEED, bases_of, weighed
from gengyun.churn.calc import report as calc
from gengyun.churn.calc.backtest import Learners, Plan, out_of_time
from gengyun.churn.calc.ladder import fit, plain_logistic
from gengyun.churn.calc.table import Table
from gengyun.churn.models import Backtest
from gengyun.churn.queries.backtests import beside_of, customers_by_month
from gengyun.churn.queries.rows import held
from gengyun.churn.queries.settings import current
from gengyun.customers.models import Tier
from gengyun.kernel.days import day_of
from gengyun.lake.store import Lake

Report = Callable[[int, int], None]


def run_backtest(
    backtest_id: int,
    *,
    now: datetime,
    lake: Lake | None = None,
    report: Report | None = None,
) -> Backtest | None:
    """Work it off; run twice, the result is the same. None: it was forgotten meanwhile."""
    asked = Backtest.objects.filter(pk=backtest_id).first()
    if asked is None or asked.state != Backtest.State.RUNNING:
        return asked
    found = tried(asked, now=now, lake=lake, report=report)
    rows = found.pop("rows", None)
    Backtest.objects.filter(pk=backtest_id, state=Backtest.State.RUNNING).update(
        result=found, rows=rows, state=Backtest.State.DONE, finished_at=now
    )
    asked.refresh_from_db()
    return asked


def tried(
    asked: Backtest, *, now: datetime, lake: Lake | None = None, report: Report | None = None
) -> dict[str, Any]:
    """The report, from what the deployment holds today about its past."""
    settings, day = current(), day_of(now)
    lake = lake or Lake.default()
    table = weighed(held(day, settings=settings, lake=lake).training(), settings)
    known = beside_of(table, lake=lake)
    plan = Plan(grace_days=asked.settings["grace_days"], seed=SEED)
    bases = bases_of(settings)
    today = np.datetime64(day, "D")
    found = out_of_time(
        table,
        known,
        learners_of(bases),
        today=today,
        plan=plan,
        prior=bases[-1].rate,
        report=report,
    )
    about = calc.Asked(
        event=asked.event,
        today=today,
        plan=plan,
        per_100=asked.settings["per_100"],
        silent_days=asked.settings["silent_days"],
        tiers=list(Tier.objects.order_by("pk").values_list("key", flat=True)),
    )
    return calc.build(table, found, known, about, customers_by_month(table))


def learners_of(bases: Any) -> Learners:
    """The ladder as it trains for real; at each cut-off the rung is chosen once, by all that was
    known then, and refitted for every fold."""

    def choose(table: Table) -> str:
        return fit(table, base_rates=bases, seed=SEED).rung

    def learn(table: Table, rung: str) -> Any:
        return fit(table, base_rates=bases, seed=SEED, rung=rung).model  # type: ignore[arg-type]

    return Learners(choose, learn, plain_logistic)
