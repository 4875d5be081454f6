"""What holds of revenue metrics whatever the ledger: held against a slow, obvious second way."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.revenue.calc import cohorts, ltv, retention
from gengyun.revenue.calc.conversion import converted, converted_steps
from gengyun.revenue.calc.fx import converted as converted_one
from gengyun.revenue.calc.moves import KIND_CODE, KINDS, Moves, added, balances, moves_of_periods
from gengyun.revenue.calc.policies import (
    DEFAULT,
    SENTENCES,
    PolicyUnknown,
    choices,
    choose,
    options,
    sentence,
)
from gengyun.revenue.calc.renewal_rates import due_rows, renewal_rate
from gengyun.revenue.calc.waterfall import COLUMNS, column_of, rows_of, waterfall

QUICK = settings(max_examples=60, deadline=None)
DAYS = st.integers(18_000, 18_400)
ENDS = [17_999, 18_060, 18_061, 18_150, 18_300, 18_400]
POLICIES = [
    {"basis": basis, "same_period": same, "win_back_days": back, "grouping_days": group}
    for basis in ("recorded", "events", "snapshot")
    for same in ("count", "ignore")
    for back in ("any", "30")
    for group in (0, 1, 20)
]


@st.composite
def periods(draw):
    """A ledger as people have it: spans of amounts, overlapping as they like."""
    found = []
    for _ in range(draw(st.integers(0, 14))):
        start = draw(DAYS)
        length = draw(st.one_of(st.none(), st.integers(0, 200)))
        end = None if length is None else date.fromordinal(719_163 + start + length)
        amount = draw(st.integers(1, 100_000))
        found.append((draw(st.integers(0, 4)), date.fromordinal(719_163 + start), end, amount))
    return found


def ledger(rows) -> Moves:
    return moves_of_periods(rows, 5)


@QUICK
@given(periods())
def test_balances_are_what_is_in_force(rows):
    table = balances(ledger(rows), ENDS)
    for unit in range(5):
        for column, day in enumerate(ENDS):
            on = date.fromordinal(719_163 + day)
            held = sum(
                amount
                for who, start, end, amount in rows
                if who == unit and start <= on and (end is None or end > on)
            )
            assert table[unit, column] == held


@QUICK
@given(periods(), st.sampled_from(POLICIES))
def test_waterfall_closes_and_every_cell_is_its_rows(rows, chosen):
    moves, policy = ledger(rows), choose(chosen)
    found = waterfall(moves, ENDS, policy)
    behind = rows_of(moves, ENDS, policy)
    # those who came and left in between add nothing up: leaving them out still closes
    assert not any(found.remainder())
    assert not any(found.fx)
    for code, name in enumerate(KINDS):
        for period in range(len(ENDS) - 1):
            at = (behind.kind == code) & (behind.period == period)
            assert found.kinds[name][period] == behind.amount[at].sum()
    for place, name in enumerate(COLUMNS):
        assert sum(found.columns[name]) == behind.amount[column_of(behind) == place].sum()
    for name in ("new", "win_back", "expansion"):
        assert min(found.columns[name]) >= 0
    for name in ("churn", "contraction"):
        assert max(found.columns[name]) <= 0
    table = balances(moves, ENDS)
    assert found.closing == tuple(table.sum(axis=0)[1:].tolist())


@QUICK
@given(periods(), st.randoms(use_true_random=False), st.sampled_from(POLICIES))
def test_order_and_names_change_nothing(rows, chance, chosen):
    policy = choose(chosen)
    names = list(range(5))
    chance.shuffle(names)
    shuffled = [(names[who], *rest) for who, *rest in rows]
    chance.shuffle(shuffled)
    one, other = ledger(rows), ledger(shuffled)
    assert waterfall(one, ENDS, policy) == waterfall(other, ENDS, policy)
    windows = [(ENDS[0], ENDS[3]), (ENDS[1], ENDS[5])]
    for method in ("snapshot", "movements"):
        for returned in ("count", "exclude"):
            way = choose({"method": method, "returned": returned})
            assert retention.retention_series(one, windows, way) == retention.retention_series(
                other, windows, way
            )


@QUICK
@given(periods(), st.sampled_from(["recorded", "events"]))
def test_splitting_a_period_gives_the_same_total(rows, basis):
    moves, policy = ledger(rows), choose({"basis": basis})
    whole = waterfall(moves, [ENDS[0], ENDS[-1]], policy)
    parts = waterfall(moves, ENDS, policy)
    for name in KINDS:
        assert sum(parts.kinds[name]) == whole.kinds[name][0]
    # by snapshot the columns may differ, but never the net of them
    seen = waterfall(moves, ENDS, choose({"basis": "snapshot"}))
    net = sum(sum(cells) for cells in seen.columns.values())
    assert net == whole.closing[0] - whole.opening[0]


@QUICK
@given(periods(), st.sampled_from(["snapshot", "movements"]), st.sampled_from(["count", "exclude"]))
def test_grr_is_at_most_one_and_at_most_nrr(rows, method, returned):
    policy = choose({"method": method, "returned": returned})
    moves = ledger(rows)
    windows = [(a, b) for a in ENDS for b in ENDS if a < b]
    fine, customer_of = finer(rows)
    for found in (
        *retention.retention_series(moves, windows, policy),
        *retention.retention_series(fine, windows, policy, customer_of=customer_of),
    ):
        assert (found.nrr.value is None) == (found.start == 0)
        if found.nrr.value is not None:
            assert 0 <= found.grr.value <= 1
            assert found.grr.value <= found.nrr.value
            assert found.start - found.churned - found.contracted == found.gross_end
            assert found.gross_end + found.expanded == found.end


def finer(rows):
    """Every row is a line of its own."""
    moves = moves_of_periods([(at, *rest) for at, (_, *rest) in enumerate(rows)], len(rows))
    return moves, np.array([row[0] for row in rows], np.int64)


@QUICK
@given(periods())
def test_retention_agrees_with_the_slow_way(rows):
    moves = ledger(rows)
    for opened, closed in ((ENDS[0], ENDS[5]), (ENDS[1], ENDS[4])):
        table = balances(moves, [opened, closed])
        found = retention.retention_between(moves, opened, closed)
        strict = retention.retention_between(moves, opened, closed, choose({"returned": "exclude"}))
        start = end = gross = stayed = unbroken = 0
        for unit in range(5):
            before, after = int(table[unit, 0]), int(table[unit, 1])
            if before <= 0:
                continue
            start, end, stayed = start + before, end + after, stayed + (after > 0)
            gross += min(before, after)
            every = balances(moves, list(range(opened, closed + 1)))[unit]
            unbroken += int(after) if every.min() > 0 else 0
        assert (found.start, found.end, found.gross_end) == (start, end, gross)
        assert found.start_count - found.left_count == stayed
        assert strict.end == unbroken


dues = st.lists(
    st.tuples(
        st.integers(0, 3),
        DAYS,
        st.integers(1, 1_000),
        st.one_of(st.none(), st.integers(-90, 120)),
        st.integers(1, 2_000),
    ),
    max_size=12,
)


@QUICK
@given(dues, st.sampled_from(["restate", "windfall", "lost"]), st.sampled_from(["-1", "0", "30"]))
def test_renewals_of_the_parts_are_those_of_the_whole(rows, late, grace):
    policy = choose({"late": late, "grace_days": grace})
    of = due_rows(
        [
            (
                who,
                date.fromordinal(719_163 + due),
                was,
                None if lag is None else date.fromordinal(719_163 + due + lag),
                0 if lag is None else got,
            )
            for who, due, was, lag, got in rows
        ]
    )
    steps = [17_500, 18_100, 18_200, 18_900]
    whole = renewal_rate(of, steps[0], steps[-1], 19_000, policy)
    parts = [renewal_rate(of, first, after, 19_000, policy) for first, after in pairwise(steps)]
    for name in ("due_count", "due", "renewed_count", "renewed", "renewed_capped", "open_count"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)
    if late == "restate":
        for part in parts:
            assert part.renewed_count <= part.due_count
            assert part.gross.value is None or part.gross.value <= 1
    early = renewal_rate(of, steps[0], steps[-1], 18_050, policy)
    assert early.renewed_count <= whole.renewed_count


@QUICK
@given(periods())
def test_cohorts_add_up_to_the_balances(rows):
    moves = ledger(rows)
    first = cohorts.month_number(date(2018, 1, 1))
    last = cohorts.month_number(date(2020, 6, 1))
    table = cohorts.cohorts_of_moves(moves, first, last)
    for month in range(first, last + 1):
        held = balances(moves, [cohorts.last_day(month)])
        shown = [row.amounts[month - row.month] for row in table if month - row.month >= 0]
        assert sum(amount for amount in shown if amount is not None) == held.sum()
    for row in table:
        assert row.counts[0] == row.size
        shares = [share.value for share in row.count_shares() if share.value is not None]
        assert shares[0] == 1


@QUICK
@given(st.lists(st.integers(-(10**12), 10**12), max_size=30), st.integers(1, 10**10))
def test_conversion_of_a_column_is_that_of_each(amounts, top):
    from decimal import Decimal

    rate = Decimal(top) / 10**8
    column = np.array(amounts, np.int64)
    for code in ("USD", "JPY", "KWD"):
        found = converted(column, rate, code, "CNY")
        assert found.tolist() == [converted_one(one, rate, code, "CNY") for one in amounts]


@QUICK
@given(periods(), st.integers(1, 10**9))
def test_what_has_ended_leaves_no_cent_at_any_rate(rows, top):
    from decimal import Decimal

    rate = Decimal(top) / 10**7
    moves = ledger(rows)
    amount = converted_steps(moves.unit, moves.day, moves.amount, rate, currency="USD", base="CNY")
    inside = balances(replace(moves, amount=amount), ENDS)
    native = balances(moves, ENDS)
    for unit in range(5):
        for column in range(len(ENDS)):
            want = converted_one(int(native[unit, column]), rate, "USD", "CNY")
            assert inside[unit, column] == want


def test_sums_stay_whole_where_floats_would_not():
    big = 2**60
    found = added(np.zeros(3, np.int64), np.array([big, 1, -big], np.int64), 1)
    assert found.tolist() == [1]


# ---- policies


def test_every_choice_has_its_sentence_and_every_number_its_limits():
    assert set(SENTENCES) == set(options())
    for key in options():
        for choice in choices(key):
            assert sentence(key, choice)[0]
            assert getattr(choose({key: choice}), key) == choice
        if not choices(key):
            assert getattr(choose({key: "7"}), key) == 7
            with pytest.raises(PolicyUnknown):
                choose({key: "-2"})
        with pytest.raises(PolicyUnknown):
            choose({key: "nonsense"})
    with pytest.raises(PolicyUnknown):
        choose({"no_such_convention": "1"})
    assert choose({}) == DEFAULT
    assert choose({"win_back_days": "any"}) == DEFAULT


def test_movements_close_together_count_as_one():
    rows = [
        (0, date(2025, 1, 1), date(2025, 1, 10), 100),
        (0, date(2025, 1, 12), None, 150),
    ]
    moves = moves_of_periods(rows)
    ends = [int(moves.day.min()) - 1, int(moves.day.max()) + 30]
    apart = waterfall(moves, ends, choose({"basis": "events"}))
    assert (apart.kinds["new"], apart.kinds["churn"], apart.kinds["win_back"]) == (
        (100,),
        (-100,),
        (150,),
    )
    together = waterfall(moves, ends, choose({"basis": "events", "grouping_days": 30}))
    assert {name: cells for name, cells in together.kinds.items() if any(cells)} == {"new": (150,)}


def test_transfers_stay_inside_a_customer():
    kinds = [KIND_CODE[name] for name in ("new", "transfer", "transfer", "upsell")]
    moves = Moves(
        np.array([0, 0, 0, 0]),
        np.array([10, 20, 20, 20]),
        np.array([100, -100, 100, 5]),
        np.array(kinds, np.int8),
        1,
    )
    found = waterfall(moves, [0, 15, 30])
    assert found.columns["transfer"] == (0, 0)
    assert (found.columns["new"], found.columns["expansion"]) == ((100, 0), (0, 5))
    by_line = replace(moves, unit=np.array([0, 0, 1, 1]), units=2)
    assert waterfall(by_line, [0, 15, 30]).columns["transfer"] == (0, 0)
    assert len(rows_of(by_line, [0, 15, 30]).unit) == 4


# ---- lifetimes


@pytest.mark.parametrize(
    "alpha, beta, survivors",
    [
        # Fader & Hardie 2007, table 1: both segments, 1,000 customers, fitted on years 0-7
        (0.668, 3.806, (1000, 869, 743, 653, 593, 551, 517, 491)),
        (0.704, 1.182, (1000, 631, 468, 382, 326, 289, 262, 241)),
    ],
)
def test_sbg_gives_the_published_fit(alpha, beta, survivors):
    fit = ltv.fit_sbg(survivors)
    assert fit.alpha == pytest.approx(alpha, abs=0.01)
    assert fit.beta == pytest.approx(beta, abs=0.01)
    # retention rises with every renewal
    rates = [fit.retention(number) for number in range(1, 8)]
    assert rates == sorted(rates)


def test_sbg_refuses_what_it_cannot_know():
    few = ltv.cohort_ltv((29, 20, 15, 12), arr=100.0, margin=0.8)
    assert few.shown.value is None
    assert few.shown.params == {"count": 29, "needed": 30}
    short = ltv.cohort_ltv((100, 80, 70), arr=100.0, margin=0.8)
    assert short.shown.value is None
    assert short.shown.params["needed"] == 3
    nobody_left = ltv.cohort_ltv((100, 100, 100, 100), arr=100.0, margin=0.8)
    assert nobody_left.shown.value is None
    with pytest.raises(ValueError, match="rise"):
        ltv.fit_sbg((10, 11, 5))


def test_ltv_of_constant_churn_is_near_the_closed_form():
    """A fifth leaves every year: with margin m and discount r the value is m ARR (1+r)/(1+r-s)."""
    survivors = [round(100_000 * 0.8**year) for year in range(9)]
    fit = ltv.fit_sbg(survivors)
    found = ltv.ltv_of(fit, arr=100.0, margin=0.7, discount=0.1, years=200)
    assert found == pytest.approx(0.7 * 100 * 1.1 / (1.1 - 0.8), rel=0.01)
    cohort = ltv.cohort_ltv(survivors, arr=100.0, margin=0.7)
    assert cohort.low <= float(cohort.shown.value) <= cohort.high


def test_kaplan_meier_of_a_textbook():
    """Ten customers; + were still there when last seen."""
    durations = [1, 2, 2, 3, 4, 4, 5, 6, 6, 6]
    left = [True, True, False, True, True, False, True, False, False, False]
    found = dict(ltv.kaplan_meier(durations, left))
    assert found[1] == pytest.approx(0.9)
    assert found[2] == pytest.approx(0.9 * 8 / 9)
    assert found[3] == pytest.approx(0.8 * 6 / 7)
    assert found[5] == pytest.approx(0.8 * 6 / 7 * 5 / 6 * 3 / 4)
