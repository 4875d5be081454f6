"""Pure parts of alerts: the life of an episode, budget, time limits, precision, parameters."""

from datetime import date, datetime, timedelta
from math import isclose
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.alerts.calc import rules
from gengyun.alerts.calc.budget import Waiting, allot
from gengyun.alerts.calc.deadlines import after_working_days, after_working_hours
from gengyun.alerts.calc.dry_run import dry_run
from gengyun.alerts.calc.episodes import Do, Ended, Running, Terms, is_worse, may_raise, step
from gengyun.alerts.calc.found import Found, Reading
from gengyun.alerts.calc.params import SPECS, Key, ParamsInvalid, clean_params
from gengyun.alerts.calc.precision import Precision, beta_cdf, quantile

DAY = date(2026, 3, 2)
SHANGHAI = ZoneInfo("Asia/Shanghai")
ENTER = Reading(entered=True, cleared=False, severity=2, value=5.0)
BETWEEN = Reading(entered=False, cleared=False, severity=2, value=15.0)
CLEAR = Reading(entered=False, cleared=True, severity=2, value=30.0)


def after(count):
    return DAY + timedelta(days=count)


def running(*, is_open=True, judged_on=DAY, enter=1, exits=0):
    return Running(is_open, DAY, judged_on, enter, exits)


def ended(*, severity=2, value=5.0, cleared_on=None):
    return Ended(DAY, is_manual=True, cleared_on=cleared_on, severity=severity, value=value)


def do(reading, as_of, *, run=None, end=None, terms=None):
    return step(
        reading=reading, running=run, ended=end, terms=terms or Terms(worse="lower"), as_of=as_of
    )


# --- the life of an episode ---------------------------------------------------------------------


def test_it_opens_at_once_or_after_the_evaluations_the_rule_asks_for():
    assert do(ENTER, DAY).do is Do.OPEN
    twice = Terms(evaluations=2)
    assert do(ENTER, DAY, terms=twice).do is Do.WATCH
    watched = running(is_open=False)
    assert do(ENTER, DAY, run=watched, terms=twice).do is Do.WATCH  # the same day again
    assert do(ENTER, after(1), run=watched, terms=twice).do is Do.OPEN
    assert do(CLEAR, after(1), run=watched, terms=twice).do is Do.FORGET


def test_between_the_thresholds_it_neither_opens_nor_closes():
    assert do(BETWEEN, DAY).do is Do.NOTHING
    assert do(BETWEEN, after(1), run=running()).do is Do.GO_ON


def test_it_ends_beyond_exit_for_two_days_and_a_day_judged_again_counts_once():
    first = do(CLEAR, after(1), run=running())
    assert (first.do, first.exit_count) == (Do.GO_ON, 1)
    again = do(CLEAR, after(1), run=running(judged_on=after(1), exits=1))
    assert (again.do, again.exit_count) == (Do.GO_ON, 1)
    assert do(CLEAR, after(2), run=running(judged_on=after(1), exits=1)).do is Do.CLOSE
    back = do(BETWEEN, after(2), run=running(judged_on=after(1), exits=1))
    assert (back.do, back.exit_count) == (Do.GO_ON, 0)


def test_after_a_close_by_hand_it_cools_down_unless_it_became_more_urgent():
    worse = Reading(entered=True, cleared=False, severity=1, value=5.0)
    assert do(ENTER, after(1), end=ended()).do is Do.COOL_DOWN
    assert do(ENTER, after(13), end=ended()).do is Do.COOL_DOWN
    assert do(worse, after(1), end=ended()).do is Do.OPEN


def test_up_to_a_month_it_opens_only_if_worse_than_at_the_close():
    lower = Reading(entered=True, cleared=False, severity=2, value=4.0)
    assert do(ENTER, after(14), end=ended()).do is Do.NOT_WORSE
    assert do(lower, after(14), end=ended()).do is Do.OPEN
    assert do(ENTER, after(30), end=ended()).do is Do.OPEN
    # what had gone in between and is back is new, once the cool-down is over
    assert do(CLEAR, after(2), end=ended()).do is Do.MARK_CLEARED
    assert do(ENTER, after(13), end=ended(cleared_on=after(2))).do is Do.COOL_DOWN
    assert do(ENTER, after(14), end=ended(cleared_on=after(2))).do is Do.OPEN


def test_worse_is_a_tenth_beyond_and_needs_a_direction():
    assert is_worse(4.4, 5.0, "lower")
    assert not is_worse(4.6, 5.0, "lower")
    assert is_worse(5.6, 5.0, "higher")
    assert not is_worse(99.0, 5.0, "")
    assert not is_worse(None, 5.0, "lower")


def test_severity_rises_once_a_week():
    assert may_raise(None, DAY, 7)
    assert not may_raise(DAY, after(6), 7)
    assert may_raise(DAY, after(7), 7)


READINGS = st.sampled_from([ENTER, BETWEEN, CLEAR])


@given(st.lists(st.tuples(READINGS, st.integers(1, 3)), max_size=40), st.integers(1, 3))
def test_judging_days_several_times_makes_the_same_episodes_as_once(days, evaluations):
    def life(times):
        run, opened, log = None, 0, []
        for place, (reading, repeats) in enumerate(days):
            for _ in range(repeats if times else 1):
                found = step(
                    reading=reading,
                    running=run,
                    ended=None,
                    terms=Terms(evaluations=evaluations),
                    as_of=after(place),
                )
                if found.do in {Do.OPEN, Do.WATCH, Do.GO_ON}:
                    is_open = found.do is not Do.WATCH
                    opened += found.do is Do.OPEN
                    run = Running(
                        is_open, after(place), after(place), found.enter_count, found.exit_count
                    )
                elif found.do in {Do.CLOSE, Do.FORGET}:
                    run = None
            log.append(run is not None and run.is_open)
        return opened, log

    # a day that is judged again with the same reading changes nothing
    assert life(times=True) == life(times=False)


# --- rules ---------------------------------------------------------------------------------------


def test_an_unknown_value_neither_opens_nor_closes():
    params = clean_params("metric", {"metric": "m", "op": "lt", "enter": 10, "exit": 20})
    found = rules.metric(np.array([1, 2, 3]), np.array([np.nan, 5.0, 25.0]), params, 2)
    assert found.entered.tolist() == [False, True, False]
    assert found.cleared.tolist() == [False, False, True]
    assert found.reading(0).value is None


def test_above_is_below_the_other_way_round():
    params = clean_params(
        "metric", {"metric": "m", "op": "gt", "enter": 10, "exit": 8, "urgent": 20}
    )
    found = rules.metric(np.array([1, 2, 3]), np.array([11.0, 30.0, 7.0]), params, 3)
    assert found.entered.tolist() == [True, True, False]
    assert found.severity.tolist() == [3, 2, 3]
    assert found.cleared.tolist() == [False, False, True]


def health(scores, bands):
    return rules.Health(np.array(scores, dtype=float), np.array(bands, dtype="<U1"))


def test_a_band_counts_only_when_it_fell_there_from_a_better_one():
    ids = np.array([1, 2, 3, 4, 5])
    now = health([40, 45, 60, np.nan, 45], ["D", "D", "C", "N", "D"])
    then = health([70, 45, 70, 70, np.nan], ["B", "D", "B", "B", "N"])
    params = clean_params("band_change", {})
    found = rules.band_change(ids, now, then, params, 2)
    assert found.entered.tolist() == [True, False, False, False, False]
    assert found.cleared.tolist() == [False, False, True, False, False]


def test_a_fall_of_the_score_is_over_when_it_is_nearly_back():
    params = clean_params("score_drop", {})
    found = rules.score_drop(np.array([1]), np.array([50.0]), np.array([70.0]), params, 3)
    assert found.reading(0).entered
    later = rules.score_drop(np.array([1]), np.array([63.0]), np.array([60.0]), params, 3)
    assert later.reading(0, reference=70.0, days_open=20).cleared
    still = rules.score_drop(np.array([1]), np.array([61.0]), np.array([60.0]), params, 3)
    assert not still.reading(0, reference=70.0, days_open=20).cleared
    assert still.reading(0, reference=70.0, days_open=120).cleared  # the new usual


def test_activation_is_asked_of_newcomers_only():
    params = clean_params("activation_low", {"metric": "m"})
    days = np.array([44.0, 45.0, 200.0, np.nan])
    found = rules.activation_low(np.arange(4), np.full(4, 0.1), days, params, 2)
    assert found.entered.tolist() == [False, True, False, False]
    assert found.cleared.tolist() == [False, False, True, False]


def test_a_dry_run_counts_what_the_weeks_open():
    def week(*values):
        params = clean_params("metric", {"metric": "m", "op": "lt", "enter": 10, "exit": 20})
        return rules.metric(np.arange(3), np.array(values, dtype=float), params, 2)

    days = [week(5, 50, 50), week(5, 5, 50), week(25, 5, np.nan), week(5, 5, 5)]
    weeks, flagged = dry_run((after(7 * k), found) for k, found in enumerate(days))
    assert [one.opened for one in weeks] == [None, 1, 0, 2]
    assert [one.running for one in weeks] == [1, 2, 1, 3]
    assert {one.customer_id: one.since for one in flagged} == {
        0: after(21),
        1: after(7),
        2: after(21),
    }


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in SPECS if kind != "metric"])
def test_every_kind_has_defaults_that_hold(kind):
    given_ = {name: "m" for name, spec in SPECS[kind].items() if isinstance(spec, Key)}
    found = clean_params(kind, given_)
    assert clean_params(kind, found) == found


@pytest.mark.parametrize(
    ("kind", "params", "field", "reason"),
    [
        ("metric", {"op": "lt", "enter": 1}, "metric", "missing"),
        ("metric", {"metric": "m", "op": "lt"}, "enter", "missing"),
        ("metric", {"metric": "m", "op": "lt", "enter": "x"}, "enter", "number"),
        ("metric", {"metric": "m", "op": "lt", "enter": float("nan")}, "enter", "range"),
        ("metric", {"metric": "m", "op": "lt", "enter": 5, "exit": 4}, "exit", "order"),
        ("metric", {"metric": "m", "op": "gt", "enter": 5, "exit": 6}, "exit", "order"),
        ("metric", {"metric": "m", "op": "is", "enter": 5}, "op", "choice"),
        ("usage_drop", {"ratio": 0.95}, "exit_ratio", "order"),
        ("usage_drop", {"sql": "x"}, "sql", "unknown"),
        ("band_change", {"bands": []}, "bands", "missing"),
        ("band_change", {"bands": ["A"]}, "bands", "choice"),
        ("dormant", {"active_days": 2.5}, "active_days", "range"),
    ],
)
def test_parameters_that_cannot_be_are_refused_by_name(kind, params, field, reason):
    with pytest.raises(ParamsInvalid) as caught:
        clean_params(kind, params)
    assert (caught.value.field, caught.value.reason) == (field, reason)


# --- budget ---------------------------------------------------------------------------------------


def waiting(key, severity, amount=0, owner=1):
    return Waiting(key, owner, severity, amount)


def test_the_budget_shows_the_most_urgent_and_largest_first():
    ones = [waiting("a", 2, 10), waiting("b", 2, 50), waiting("c", 3, 99), waiting("d", 2, 20)]
    assert allot(ones, taken={}, daily_budget=2) == {"b", "d"}
    assert allot(ones, taken={1: 1}, daily_budget=2) == {"b"}
    assert allot(ones, taken={}, daily_budget=9) == {"a", "b", "c", "d"}


def test_the_most_urgent_always_pass_and_the_least_never():
    ones = [waiting("a", 1), waiting("b", 1), waiting("c", 2), waiting("d", 4)]
    assert allot(ones, taken={1: 5}, daily_budget=1) == {"a", "b"}
    assert allot([waiting("d", 4)], taken={}, daily_budget=9) == set()


def test_each_person_has_a_budget_of_their_own():
    ones = [waiting("a", 2, owner=1), waiting("b", 2, owner=2), waiting("c", 2, owner=None)]
    assert allot(ones, taken={}, daily_budget=1) == {"a", "b", "c"}


# --- time limits ---------------------------------------------------------------------------------


def local(*parts):
    return datetime(*parts, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        (local(2026, 3, 2, 10), 4, local(2026, 3, 2, 14)),
        (local(2026, 3, 2, 16), 4, local(2026, 3, 3, 11)),
        (local(2026, 3, 2, 2, 10), 9, local(2026, 3, 2, 18)),  # the night counts for nothing
        (local(2026, 3, 6, 17), 2, local(2026, 3, 9, 10)),  # Friday to Monday
        (local(2026, 2, 14, 17), 2, local(2026, 2, 24, 10)),  # a worked Saturday, then 春节
        (local(2026, 2, 28, 9), 4, local(2026, 2, 28, 13)),  # 调休: this Saturday is worked
    ],
)
def test_hours_are_working_hours_of_the_chinese_calendar(start, hours, due):
    assert after_working_hours(start, hours) == due


def test_days_end_at_the_close_of_the_working_day():
    assert after_working_days(local(2026, 3, 2, 10), 2) == local(2026, 3, 4, 18)
    assert after_working_days(local(2026, 2, 13, 10), 2) == local(2026, 2, 24, 18)  # over 春节
    assert after_working_days(local(2026, 3, 2, 10), 1, closes=24) == local(2026, 3, 4, 0)


# --- precision -----------------------------------------------------------------------------------


@given(st.floats(0.01, 0.99), st.integers(1, 60), st.integers(1, 60))
def test_the_beta_distribution_equals_its_integral(x, a, b):
    grid = (np.arange(20_000) + 0.5) / 20_000
    log = (a - 1) * np.log(grid) + (b - 1) * np.log1p(-grid)
    density = np.exp(log - log.max())
    slow = float(density[grid < x].sum() / density.sum())
    assert isclose(beta_cdf(x, a, b), slow, abs_tol=2e-3)


def test_many_verdicts_are_no_problem():
    assert beta_cdf(0.3, 1001, 3001) > 0.99
    assert isclose(quantile(0.5, 2000, 2000), 0.5, abs_tol=1e-3)


def test_a_rule_is_proposed_for_demotion_when_it_is_surely_poor():
    assert not Precision(true=0, false=19, known=0).is_demotion_due  # too few
    assert Precision(true=2, false=18, known=0).is_demotion_due
    assert not Precision(true=5, false=15, known=0).is_demotion_due  # a quarter: not sure
    assert not Precision(true=1, false=15, known=8).is_demotion_due  # known was right, too
    assert Precision(0, 0, 0).share is None
    assert Precision(0, 0, 0).interval is None
    low, high = Precision(true=8, false=2, known=0).interval
    assert 0.4 < low < 0.8 < high < 1


def test_a_found_row_is_found_by_customer():
    found = Found(
        np.array([3, 7]),
        np.zeros(2, bool),
        np.zeros(2, bool),
        np.full(2, 2),
        np.array([1.0, np.nan]),
    )
    assert (found.row_of(7), found.row_of(5), found.row_of(None)) == (1, None, None)
    assert found.reading(1).value is None
