"""R3 and its marks, noted risks, sentiment and full seats: what opens, what ends, what is unknown."""

import numpy as np
import pytest
from alert_days import DAY, after

from gengyun.alerts.calc.churn_rules import Odds, churn_jump, logit
from gengyun.alerts.calc.customer_rules import NotedRisk, risk_noted, seats_full, sentiment_drop
from gengyun.alerts.calc.params import ParamsInvalid, clean_params
from gengyun.alerts.calc.thresholds import (
    GRID,
    Book,
    Budget,
    Terms,
    expected_monthly,
    marks,
    openings,
)

NAN = np.nan
PARAMS = clean_params("churn_jump", {})


def odds(p, *, before=NAN, mark=0.4, lag=90.0, grade="B", settled=False):
    """One customer."""
    return Odds(
        p=np.array([p]),
        before=np.array([before]),
        mark=np.array([mark]),
        lag=np.array([lag]),
        low=np.array([NAN]),
        high=np.array([NAN]),
        grade=np.array([grade], dtype="<U1"),
        settled=np.array([settled]),
        due_on=[after(90)],
        before_on=[after(-30)],
        amount_minor=[100],
        currency=["CNY"],
    )


def found(p, **rest):
    return churn_jump(np.array([7]), odds(p, **rest), PARAMS, 2)


def reading(p, *, reference=None, days_open=10, **rest):
    return found(p, **rest).reading(0, reference=reference, days_open=days_open)


# --- R3 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p", "rest", "why"),
    [
        (0.40, {}, "mark"),  # at the mark
        (0.39, {}, ""),
        (0.20, {"before": 0.11}, "jump"),  # 0.70 on the logit
        (0.20, {"before": 0.12}, ""),
        (0.45, {"before": 0.20}, "both"),
        (0.08, {"before": 0.02}, ""),  # it more than tripled, and still is small
        (0.60, {"lag": 181.0}, ""),  # nobody looks at it yet
        (0.60, {"lag": NAN}, "mark"),  # an event without a date
        (0.60, {"lag": -20.0}, "mark"),  # past due and undecided
        (0.60, {"grade": "C"}, ""),  # not sure enough to disturb somebody
        (0.60, {"settled": True}, ""),
        (NAN, {"before": 0.20}, ""),  # refused
        (0.60, {"mark": NAN}, ""),  # no mark is known, and no jump
    ],
)
def test_what_opens(p, rest, why):
    seen = reading(p, **rest)
    assert seen.entered is bool(why)
    assert seen.facts["why"] == why


def test_a_high_probability_is_one_step_more_urgent():
    assert [reading(p).severity for p in (0.45, 0.60)] == [2, 1]


@pytest.mark.parametrize(
    ("p", "rest", "is_over"),
    [
        (0.33, {}, False),  # between 0.8 of the mark and the mark: it goes on
        (0.31, {}, True),
        (NAN, {}, False),  # unknown ends nothing
        (NAN, {"settled": True}, True),  # renewed, lost or gone: nothing comes due
        (0.20, {"reference": 0.11}, False),  # below the mark, but it rose from 0.11 and stays
        (0.14, {"reference": 0.11}, True),  # half of the rise is made good
        (0.20, {"reference": 0.11, "days_open": 99}, True),  # the usual by now
        (0.36, {"reference": 0.11, "days_open": 99}, False),  # near the mark all the same
        (0.20, {"mark": NAN}, True),
    ],
)
def test_what_ends(p, rest, is_over):
    assert reading(p, **rest).cleared is is_over


def test_logit_holds_at_the_ends():
    assert logit(0.5) == pytest.approx(0)
    assert np.isfinite(logit([0.0, 1.0])).all()


# --- marks -------------------------------------------------------------------------------------


def opened_slowly(p, at, terms):
    """The oracle: one customer after the other."""
    count = 0
    for line in p:
        is_open = False
        for week, now in enumerate(line):
            before = line[max(0, week - terms.weeks_back)]
            rose = not np.isnan(now - before) and logit(now) - logit(before) >= terms.jump
            enters = now >= at or (rose and now >= terms.least)
            if not is_open and enters:
                is_open = True
                count += week > 0
            elif is_open and not enters and now < terms.exit_share * at:
                is_open = False
    return count


@pytest.mark.parametrize("seed", range(6))
def test_openings_are_those_of_one_customer_after_the_other(seed):
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.4, (40, 13)).cumsum(axis=1) + rng.normal(-1, 1, (40, 1))
    p = 1 / (1 + np.exp(-steps))
    p[rng.random(p.shape) < 0.1] = NAN
    terms = Terms()
    for at in (0.2, 0.4, 0.7):
        assert openings(p, at, terms) == opened_slowly(p, at, terms)


def book(p, *, floor=0.05, owner=None):
    p = np.asarray(p, dtype=float)
    return Book(p, floor, np.zeros(len(p), dtype=np.int64) + (1 if owner is None else owner))


def drifting(count=100, weeks=13, seed=3):
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.15, (count, weeks)).cumsum(axis=1) + rng.normal(-1, 0.8, (count, 1))
    return 1 / (1 + np.exp(-steps))


def test_the_mark_is_the_lowest_that_the_month_bears():
    p = drifting()
    mark = marks({1: book(p)})[1]
    assert mark.basis == "history"
    assert mark.monthly <= 4
    one_lower = GRID[GRID.index(mark.value) - 1]
    assert expected_monthly(book(p), one_lower, Terms()) > 4
    # far below nobody crosses it any more, because all stand above: no reason to put it there
    assert openings(p, GRID[0], Terms()) < openings(p, one_lower, Terms())
    more = marks({1: book(p)}, budget=Budget(monthly_per_hundred=8))[1]
    assert more.value < mark.value


def test_no_mark_below_the_base_rate():
    quiet = np.full((100, 13), 0.1)
    mark = marks({1: book(quiet, floor=0.3)})[1]
    assert (mark.value, mark.basis, mark.monthly) == (0.3, "floor", 0)


def test_with_few_weeks_the_stock_decides():
    """Whoever stands above it today comes up once in half a year."""
    p = np.linspace(0.01, 0.99, 99).reshape(-1, 1)
    mark = marks({1: book(p)})[1]
    assert mark.basis == "stock"
    # 4 per 100 a month: 23 customers in six months
    assert int((p >= mark.value).sum()) <= 23 < int((p >= mark.value - 0.011).sum())


def test_a_full_week_raises_all_marks():
    """One CSM with everything: 3 a week are 13 a month, whatever the tiers would allow."""
    p = drifting(900, seed=5)
    terms = Terms(jump=5)  # jumps open whatever the mark is
    one = marks({1: book(p[:450]), 2: book(p[450:])}, terms=terms)
    own = np.arange(450)
    many = marks({1: book(p[:450], owner=own), 2: book(p[450:], owner=own)}, terms=terms)
    assert sum(mark.monthly for mark in one.values()) <= 3 * 365.25 / 84
    assert sum(mark.monthly for mark in many.values()) > 3 * 365.25 / 84
    assert all(one[tier].value > many[tier].value for tier in (1, 2))


def test_a_tier_nobody_is_known_of_has_no_mark():
    assert marks({1: book(np.full((5, 13), NAN)), 2: book(np.empty((0, 0)))}) == {}


# --- R5, R9, R11 -------------------------------------------------------------------------------


def risk(days_ago=3, grade="medium", **rest):
    given = {"cause": "layoff", "cause_zh": "裁员", "cause_en": "Layoffs", "note": "两个部门"}
    return NotedRisk(7, 1, grade=grade, happened_on=after(-days_ago), **(given | rest))


def test_a_noted_risk_opens_at_once_and_ages():
    params = clean_params("risk_noted", {})
    rows = [risk(), risk(grade="high"), risk(90), risk(91), risk(grade="low")]
    seen = risk_noted(rows, DAY, params, 2)
    assert seen.entered.tolist() == [True, True, True, False]  # the low one is not asked for
    assert seen.severity.tolist() == [2, 1, 2, 2]
    assert seen.cleared.tolist() == [False, False, False, True]
    assert seen.missing_is_cleared  # a settled one is no row any more


@pytest.mark.parametrize(
    ("value", "before", "entered", "cleared"),
    [
        (1, NAN, True, False),  # alarmed
        (2, 4, True, False),  # two levels down
        (3, 4, False, True),
        (2, NAN, False, True),
        (NAN, 4, False, False),  # it ran out: nobody knows
    ],
)
def test_sentiment_falls_or_is_low(value, before, entered, cleared):
    params = clean_params("sentiment_drop", {"metric": "csm_sentiment", "enter": 1})
    seen = sentiment_drop(
        np.array([7]), np.array([float(value)]), np.array([float(before)]), params, 3
    ).reading(0)
    assert (seen.entered, seen.cleared) == (entered, cleared)


def test_nps_by_the_same_rule():
    """Science: an answer of 6 or less, or 3 less than before; over when it is made good."""
    params = clean_params("sentiment_drop", {"metric": "nps_answer", "enter": 6, "drop": 3})
    now, before = np.array([7.0, 7.0, 6.0]), np.array([9.0, 10.0, NAN])
    seen = sentiment_drop(np.arange(3), now, before, params, 3)
    assert seen.entered.tolist() == [False, True, True]
    assert not seen.reading(0, reference=10.0, days_open=20).cleared
    assert seen.reading(0, reference=9.0, days_open=20).cleared
    assert seen.reading(0, reference=10.0, days_open=99).cleared


def test_seats_are_full_only_when_every_week_says_so():
    params = clean_params("seats_full", {"metric": "seat_use_30d"})
    weeks = [
        np.array([0.95, 0.95, 0.95, 0.85, 0.70]),
        np.array([0.90, 0.89, NAN, 0.95, 0.95]),
        np.array([0.92, 0.95, 0.95, 0.95, 0.95]),
        np.array([0.91, 0.95, 0.95, 0.95, 0.95]),
    ]
    seen = seats_full(np.arange(5), weeks, params, 3)
    assert seen.entered.tolist() == [True, False, False, False, False]
    assert seen.cleared.tolist() == [False, False, False, False, True]
    with pytest.raises(ParamsInvalid):
        clean_params("seats_full", {"metric": "seat_use_30d", "enter": 0.8, "exit": 0.9})
