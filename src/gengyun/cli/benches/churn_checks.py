"""Leakage, alerts, lifetime and speed of the churn probability (A6, A7, A11, A12)."""

import subprocess
import sys
import time
from dataclasses import replace

import numpy as np

FROM_DAYS = (60, 400, 900)  # before the end of the world: days of the snapshots
ROWS, FEATURES, SCORED = 2_000, 40, 5_000
L1_SECONDS, L2_SECONDS, SCORE_SECONDS = 5.0, 30.0, 10.0
SBG = ((1_000, 631, 468, 382, 326, 289, 262, 241), (1_000, 869, 743, 653, 593, 551, 517, 491))
SBG_PUBLISHED = ((0.704, 1.182), (0.668, 3.806))


def leakage(report) -> None:
    """A6: what came to be known on a day or later must not change a snapshot of that day; with the
    filter aside the check must see it."""
    from gengyun.churn.calc.snapshot import Reader
    from gengyun.demo.simulator.company_config import company
    from gengyun.demo.simulator.company_make import make_company
    from gengyun.demo.simulator.observed import to_observed

    report.say("churn: leakage, snapshots with and without what came later")
    observed = to_observed(make_company(company("tiny"), seed=1))
    changed = seen = 0
    for days in FROM_DAYS:
        at = np.datetime64(observed.until) - days
        accounts = observed.accounts
        asked = {"account": accounts, "at": np.full(len(accounts), at)}
        with_later = Reader.of(observed).snapshot(**asked).x
        without = Reader.of(_known_before(observed, at)).snapshot(**asked).x
        changed += int((~_same(with_later, without)).sum())
        later = Reader.of(_known_before(observed, at - 90)).snapshot(**asked).x
        seen += int((~_same(with_later, later)).sum())
    report.add(
        name="churn.leakage.changed_inputs",
        value=changed,
        unit=f"{len(observed.accounts)} customers, {len(FROM_DAYS)} days; cut 90 d early: {seen}",
        target=0,
        higher_is_better=False,
    )
    report.add(
        name="churn.leakage.check_can_fail", value=float(seen > 0), unit="1: yes", target=1.0
    )
    report.note("churn: leakage: the whole list is tests/test_churn_leakage.py")


def _known_before(observed, at):
    """As the deployment was on the morning of the day."""
    found = {}
    for name in ("use", "facts", "states", "key_users"):
        columns = getattr(observed, name)
        keep = columns.known < at
        for event in ("day", "happened"):
            if hasattr(columns, event):
                keep &= getattr(columns, event) < at
        columns = columns.taken(keep)
        if hasattr(columns, "until"):
            never = np.datetime64("NaT", "D")
            until = np.where(columns.until < at, columns.until, never)
            columns = replace(columns, until=until.astype("datetime64[D]"))
        found[name] = columns
    for name in ("people", "parts"):
        columns = getattr(observed, name)
        left = np.clip((at - columns.month).astype(np.int64), 0, 31)
        columns = replace(columns, bits=columns.bits & ((np.int64(1) << left) - 1))
        found[name] = columns.taken((columns.bits != 0) & (columns.known < at))
    return replace(observed, **found)


def _same(one, other):
    return (one == other) | (np.isnan(one) & np.isnan(other))


def alerts(report) -> None:
    """A7: as `gengyun bench alerts`."""
    from gengyun.cli.benches import alerts as bench

    bench.run(report)


def lifetime(report) -> None:
    """A11: sBG on the two textbook cohorts (Fader & Hardie 2007), LTV against the closed form."""
    from gengyun.revenue.calc.ltv import fit_sbg

    for survivors, published in zip(SBG, SBG_PUBLISHED, strict=True):
        fit = fit_sbg(survivors)
        off = max(abs(fit.alpha - published[0]), abs(fit.beta - published[1]))
        report.add(
            name=f"churn.sbg.{published[0]}",
            value=off,
            unit=f"off; {fit.alpha:.3f}, {fit.beta:.3f}",
            target=0.01,
            higher_is_better=False,
        )
    report.add(
        name="churn.ltv.closed_form",
        value=_ltv_gap(),
        unit="share; constant hazard",
        target=0.01,
        higher_is_better=False,
    )


def _ltv_gap() -> float:
    """A world in which a fifth leaves each year: 10 years of payments against the formula."""
    from gengyun.revenue.calc.ltv import fit_sbg, ltv_of

    retention, rate, years = 0.8, 0.1, 10
    survivors = [round(100_000 * retention**year) for year in range(8)]
    told = ltv_of(fit_sbg(survivors), arr=1.0, margin=1.0, discount=rate, years=years)
    ratio = retention / (1 + rate)
    return abs(told / ((1 - ratio**years) / (1 - ratio)) - 1)


SCORE_PROCESS = """
import json, sys, time
import numpy as np
from gengyun.churn.calc.model import Model
from gengyun.churn.calc.table import plain_table
model = Model.from_json(json.load(sys.stdin))
rng = np.random.default_rng(1)
x = rng.normal(size=({rows}, {features}))
x[rng.random(x.shape) < 0.1] = np.nan
table = plain_table(model.features, x)
start = time.process_time()
model.predict(table)
print(time.process_time() - start, sorted({{"sklearn", "lightgbm", "scipy"}} & set(sys.modules)))
"""


def speed(report) -> None:
    """A12, in processor seconds: the targets are for one core."""
    import json

    from gengyun.churn.calc.ladder import fit

    table = _made()
    models = {}
    for rung, limit in (("L1", L1_SECONDS), ("L2", L2_SECONDS), ("L3", None)):
        report.say(f"churn: speed, {rung} of {ROWS:,} renewals x {FEATURES}")
        start = time.process_time()
        models[rung] = fit(table, base_rates={}, rung=rung).model
        spent = time.process_time() - start
        report.add(
            name=f"churn.train.{rung}",
            value=spent,
            unit="s of processor",
            target=limit,
            higher_is_better=False,
        )
    start = time.process_time()
    taken = fit(table, base_rates={}).rung
    report.add(
        name="churn.train.whole_race",
        value=time.process_time() - start,
        unit=f"s of processor; takes {taken}",
    )
    for rung in ("L2", "L3"):
        code = SCORE_PROCESS.format(rows=SCORED, features=FEATURES)
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", code],
            input=json.dumps(models[rung].to_json()),
            capture_output=True,
            text=True,
            check=True,
        )
        seconds, loaded = done.stdout.strip().split(" ", 1)
        report.add(
            name=f"churn.score.{rung}",
            value=float(seconds),
            unit=f"s for {SCORED:,}; heavy modules loaded: {loaded}",
            target=SCORE_SECONDS,
            higher_is_better=False,
        )
        if rung == "L3":
            report.add(
                name="churn.score.heavy_modules",
                value=0.0 if loaded == "[]" else 1.0,
                unit="sklearn, lightgbm, scipy",
                target=0.0,
                higher_is_better=False,
            )


def _made():
    from gengyun.churn.calc.logistic import expit
    from gengyun.churn.calc.table import Feature, plain_table

    rng = np.random.default_rng(1)
    x = rng.normal(size=(ROWS, FEATURES))
    y = (rng.random(ROWS) < expit(x[:, :8].sum(axis=1) * 0.4 - 1)).astype(np.float64)
    x[rng.random(x.shape) < 0.1] = np.nan
    features = [Feature(f"f{at}", int(at < 8)) for at in range(FEATURES)]
    return plain_table(features, x, y)
