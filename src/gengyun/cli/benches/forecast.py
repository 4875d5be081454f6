"""The renewal forecast: what it is worth on simulated worlds, and what 10,000 renewals cost.

Truth is known in a simulated world, so coverage can be counted. The time has a ceiling measured in
the same run: one random number and one comparison for each renewal and draw, and nothing else.
"""

import resource
import sys
import time

import numpy as np

SEEDS, ACCOUNTS = range(1, 17), 600
RENEWALS, DRAWS, REPEATS = 10_000, 3_000, 3
SECONDS = 3.0
COVER_80, COVER_95 = (0.72, 0.88), 0.90


def run(report) -> None:
    _worth(report)
    _cost(report)


def _worth(report) -> None:
    from gengyun.demo.simulator.config import preset
    from gengyun.demo.simulator.forecast_score import LEAD, outcomes, score

    report.say(f"forecast: {len(SEEDS)} worlds of {ACCOUNTS} accounts, 12 quarters each")
    found = score(outcomes(preset("smb", accounts=ACCOUNTS), SEEDS))
    unit = f"of {found.quarters} quarters"
    report.add(name="forecast.cover_80", value=found.cover_80, unit=unit, target=COVER_80[0])
    report.add(
        name="forecast.cover_80.most",
        value=found.cover_80,
        unit=unit,
        target=COVER_80[1],
        higher_is_better=False,
    )
    report.add(name="forecast.cover_95", value=found.cover_95, unit=unit, target=COVER_95)
    report.add(name="forecast.width_80", value=found.width, unit="of what is due")
    report.add(
        name="forecast.error",
        value=found.error,
        unit="MAPE",
        ceiling=found.share_error,
        target=round(min(found.share_error, found.base_error), 4),
        higher_is_better=False,
    )
    report.add(name="forecast.money_share.error", value=found.share_error, unit="MAPE")
    report.add(name="forecast.base_rate.error", value=found.base_error, unit="MAPE")
    report.add(name="forecast.all_renew.error", value=found.all_error, unit="MAPE")
    report.add(name="forecast.bias", value=found.bias, unit="of what is due")
    report.note(
        f"forecast: seeds {SEEDS.start}-{SEEDS.stop - 1}, each quarter forecast {LEAD} days before "
        "it began from what was decided by then; controls: the money share (of all money due so "
        "far what came back; harder, the ceiling) and the base rate (of all renewals so far)"
    )
    report.note("forecast: constants of the simulated world are assumptions (docs/forecast.md)")


def _cost(report) -> None:
    from gengyun.revenue.calc.forecast import forecast
    from gengyun.revenue.calc.renewal_odds import learn_odds, quarter_of

    report.say(f"forecast: {RENEWALS:,} renewals with {DRAWS:,} draws")
    rng = np.random.default_rng(7)
    past, book = _history(rng), _book(rng)
    as_of = np.datetime64("2026-11-22")
    odds = learn_odds(past, as_of=as_of, stated=[0.8] * 6, grace_days=30)
    groups = {
        "month": book.due_on.astype("datetime64[M]").astype(np.int64),
        "quarter": quarter_of(book.due_on),
        "owner": rng.integers(0, 80, RENEWALS),
        "tier": book.cell // 2,
    }
    took = min(
        _timed(lambda: forecast(book, odds, as_of=as_of, groups=groups, draws=DRAWS))
        for _ in range(REPEATS)
    )
    least = min(_timed(lambda: _bare(book)) for _ in range(REPEATS))
    report.add(
        name="forecast.10k.seconds",
        value=took,
        unit="s",
        ceiling=least,
        target=SECONDS,
        higher_is_better=False,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = peak / (1_048_576 if sys.platform == "darwin" else 1_024)
    report.add(name="forecast.memory", value=megabytes, unit="MiB, whole process")
    report.note(
        f"forecast: {RENEWALS:,} open renewals x {DRAWS:,} draws, sums by 12 months, quarters, 80 "
        "CSMs, 3 tiers, with and without the five largest; ceiling: one random number, one "
        "comparison and one sum for each renewal and draw"
    )


def _bare(book) -> None:
    """The least any simulation does."""
    rng = np.random.default_rng(1)
    total = np.zeros(DRAWS)
    for start in range(0, RENEWALS, 256):
        due = book.due_minor[start : start + 256].astype(np.float32)
        total += due @ (rng.random((len(due), DRAWS), dtype=np.float32) < np.float32(0.8))


def _timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _history(rng):
    from gengyun.revenue.calc.renewal_odds import History

    count = 40_000
    due = rng.lognormal(14, 1, count).astype(np.int64)
    comes = rng.random(count) < 0.8
    on = np.datetime64("2022-01-01") + rng.integers(0, 1_700, count).astype("timedelta64[D]")
    late = rng.integers(-30, 30, count).astype("timedelta64[D]")
    kept = (due * rng.lognormal(0, 0.15, count)).astype(np.int64)
    return History(rng.integers(0, 6, count), on, due, np.where(comes, kept, 0), on + late)


def _book(rng):
    from gengyun.revenue.calc.forecast import Book

    on = np.datetime64("2026-12-01") + rng.integers(0, 365, RENEWALS).astype("timedelta64[D]")
    due = rng.lognormal(14, 1, RENEWALS).astype(np.int64)
    unknown = np.full(RENEWALS, np.nan)
    return Book(np.arange(RENEWALS), rng.integers(0, 6, RENEWALS), on, due, unknown, unknown)
