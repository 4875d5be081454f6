"""The forecast's formulas: rates, delays, quarter effect, simulation."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.revenue.calc.forecast import Book, forecast, largest_rows
from gengyun.revenue.calc.renewal_odds import (
    AMOUNT_SPREADS,
    SPREADS,
    CellRate,
    History,
    Odds,
    amount_spread,
    cell_rates,
    known_outcomes,
    learn_odds,
    quarter_of,
    quarter_spread,
    ratio_levels,
    ratio_table,
    shifted_rates,
)
from gengyun.revenue.calc.signing_delay import FIRST_DAY, learn_delays

AS_OF = np.datetime64("2026-11-22")


def days(*texts):
    return np.array(texts, "datetime64[D]")


def history(rows):
    """Rows of (cell, due_on, due, outcome, decided_on)."""
    cell, due_on, due, outcome, decided = zip(*rows, strict=True) if rows else ([],) * 5
    return History(
        np.array(cell, np.int64),
        np.array(due_on, "datetime64[D]"),
        np.array(due, np.int64),
        np.array(outcome, np.int64),
        np.array(decided, "datetime64[D]"),
    )


def certain_odds(*shares, ratios=None):
    """Odds that are sure of their rates and of hardly any quarter effect."""
    rates = tuple(CellRate(0, 0, p, p, p * 1e7, (1 - p) * 1e7) for p in shares)
    table = np.ones((len(shares), 200)) if ratios is None else np.asarray(ratios)
    weight = np.zeros(len(SPREADS))
    weight[0] = 1
    delays = learn_delays(np.zeros(0, np.int64), np.zeros(0, np.bool_), grace_days=60)
    return Odds(rates, table, weight, delays, 0, 0)


def book(rows):
    """Rows of (cell, due_on, due, settled or None, probability or None)."""
    cell, due_on, due, settled, own = zip(*rows, strict=True) if rows else ([],) * 5
    return Book(
        np.arange(len(rows)),
        np.array(cell, np.int64),
        np.array(due_on, "datetime64[D]"),
        np.array(due, np.int64),
        np.array([np.nan if one is None else one for one in settled], float),
        np.array([np.nan if one is None else one for one in own], float),
    )


# --- what outcomes teach ------------------------------------------------------------------------


def test_outcomes_within_grace_teach_nothing():
    """Of renewals due yesterday only the good ones are known: counting them would be rosy."""
    rows = history(
        [
            (0, "2026-11-20", 100, 100, "2026-11-01"),
            (0, "2026-09-01", 100, 100, "2026-08-20"),
            (0, "2026-09-02", 100, 0, "2026-11-01"),
            (0, "2026-09-03", 100, 0, "2026-11-22"),  # known today: not yet as of today
            (0, "2026-09-04", 100, 0, "NaT"),
        ]
    )
    known = known_outcomes(rows, as_of=AS_OF, grace_days=60)
    assert known.outcome_minor.tolist() == [100, 0]


def test_what_became_known_later_does_not_change_an_earlier_day():
    early = [(0, "2025-01-01", 100, 100, "2025-01-05"), (1, "2025-02-01", 100, 0, "2025-03-20")]
    late = [*early, (0, "2025-02-02", 100, 0, "2026-02-01"), (1, "2026-01-01", 1, 1, "2026-01-01")]
    at = np.datetime64("2025-12-01")
    stated = [0.8, 0.8]
    one = learn_odds(history(early), as_of=at, stated=stated, grace_days=60)
    two = learn_odds(history(late), as_of=at, stated=stated, grace_days=60)
    assert one.rates == two.rates
    assert np.array_equal(one.ratios, two.ratios)
    assert np.array_equal(one.spread_weight, two.spread_weight)


def test_nothing_decided_gives_the_stated_rate_with_its_weight():
    rates = cell_rates(history([]), [0.7, 0.9])
    assert [rate.mean for rate in rates] == pytest.approx([0.7, 0.9])
    assert [rate.alpha + rate.beta for rate in rates] == pytest.approx([10, 10])


def test_one_cell_is_pulled_by_twenty_stated_and_ten_of_the_company():
    """30 of 40 renewed, 0.8 stated: company (16 + 30) / 60; cell (10 * that + 30) / 50."""
    rows = [(0, "2025-01-01", 100, 100 if k < 30 else 0, "2025-01-01") for k in range(40)]
    (rate,) = cell_rates(history(rows), [0.8])
    company = (0.8 * 20 + 30) / 60
    assert rate.pulled_to == pytest.approx(company)
    assert rate.mean == pytest.approx((10 * company + 30) / 50)
    assert (rate.decided, rate.renewed) == (40, 30)


def test_shifted_rates_keep_their_order_and_meet_the_total():
    decided, renewed = np.array([50.0, 50.0]), np.array([40.0, 20.0])
    shifted = shifted_rates(decided, renewed, [0.6, 0.9])
    assert shifted[0] < shifted[1]
    cases = decided + 20 * decided / 100
    wanted = renewed.sum() + 20 * (0.5 * 0.6 + 0.5 * 0.9)
    assert float((cases * shifted).sum()) == pytest.approx(wanted)


def test_ratios_are_one_without_history_and_become_what_was_seen():
    assert np.unique(ratio_table(history([]), 2)).tolist() == [1.0]
    rows = [(0, "2025-01-01", 100, 50, "2025-01-01") for _ in range(500)]
    table = ratio_table(history(rows), 2)
    assert table[0].mean() == pytest.approx(0.5, abs=0.01)
    # the other cell has only the company's 20 against 5 at the old amount
    assert table[1].mean() == pytest.approx((20 * 0.5 + 5) / 25, abs=0.01)
    assert (np.diff(table) >= 0).all()


def shocked(spread, *, quarters=24, each=200, seed=3):
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(quarters):
        first = np.datetime64("2018-01-01") + np.timedelta64(91 * k, "D")
        p = 1 / (1 + np.exp(-(1.2 + rng.normal(0, spread))))
        rows += [(0, first, 100, 100 * int(rng.random() < p), first) for _ in range(each)]
    return history(rows)


def test_quarter_effect_is_told_from_chance():
    prior, none = quarter_spread(history([]), [0.8])
    assert none == 0
    calm, count = quarter_spread(shocked(0.0), [0.8])
    rough, _ = quarter_spread(shocked(0.6), [0.8])
    assert count == len(np.unique(quarter_of(shocked(0.0).due_on)))
    means = [float(SPREADS @ weight) for weight in (calm, prior, rough)]
    assert means[0] < means[1] < means[2]
    assert means[0] < 0.2
    assert means[2] == pytest.approx(0.6, abs=0.15)


def test_silence_speaks_against_a_renewal_once_others_have_signed():
    delays = learn_delays(
        np.array([-20] * 50 + [10] * 50 + [60] * 40), np.arange(140) < 100, grace_days=60
    )
    early, between, late = delays.offset([-200, 0, 30])
    assert early == pytest.approx(0, abs=0.02)
    # half the renewals were signed by then, none of the losses was known
    assert between == pytest.approx(np.log(55 / 110), abs=0.1)
    assert late < between - 1
    assert np.isfinite(delays.offset([-9_999, 9_999])).all()


def test_losses_told_early_make_silence_a_good_sign():
    delays = learn_delays(np.array([30] * 50 + [-60] * 50), np.arange(100) < 50, grace_days=60)
    assert delays.offset([-30])[0] > 1


def test_delay_curves_fall_from_one():
    delays = learn_delays(np.array([5, 9]), np.array([True, False]), grace_days=30)
    assert len(delays.renewed_open) == 30 - FIRST_DAY + 1
    for curve in (delays.renewed_open, delays.lost_open):
        assert curve[0] == 1
        assert (np.diff(curve) <= 0).all()


# --- simulation ---------------------------------------------------------------------------------


def test_two_renewals_come_out_as_enumerated():
    """Four outcomes, their probabilities by hand; the draws must agree."""
    odds = certain_odds(0.75, 0.4)
    rows = book([(0, "2027-02-01", 1_000, None, None), (1, "2027-02-01", 300, None, None)])
    made = forecast(rows, odds, as_of=np.datetime64("2026-01-01"), draws=40_000)
    exact = {
        a * 1_000 + b * 300: (0.75 if a else 0.25) * (0.4 if b else 0.6)
        for a, b in product((0, 1), repeat=2)
    }
    assert made.total.expected_minor == pytest.approx(
        sum(amount * p for amount, p in exact.items()), rel=0.01
    )
    # 0 with .15, 300 with .10: the lowest tenth ends in 0; 1,300 has .30, so P90 is 1,300
    assert made.total.p10_minor == 0
    assert made.total.p50_minor == 1_000
    assert made.total.p90_minor == 1_300


def test_decided_ones_count_with_what_they_came_to():
    rows = book(
        [
            (0, "2027-02-01", 1_000, 900, None),
            (0, "2027-02-01", 500, 0, None),
            (0, "2027-02-01", 200, None, None),
        ]
    )
    made = forecast(rows, certain_odds(0.5), as_of=AS_OF, draws=2_000)
    total = made.total
    assert (total.count, total.open_count, total.due_minor, total.settled_minor) == (
        3, 1, 1_700, 900,
    )  # fmt: skip
    assert total.p10_minor == 900
    assert total.p90_minor == 1_100
    assert made.expected_minor[0] == 900
    assert made.expected_minor[1] == 0


def test_what_a_model_learned_from_little_is_less_sure_of_its_level():
    """All its probabilities may be off together; the mean stays where the model put it."""
    rows = [(0, "2027-02-10", 1_000, None, 0.7)] * 400
    few, many = (
        Odds((CellRate(0, 0, 0.7, 0.7, 0.7 * n, 0.3 * n),), *_rest(certain_odds(0.7)))
        for n in (40, 4_000)
    )
    narrow = forecast(book(rows), many, as_of=AS_OF, draws=4_000).total
    wide = forecast(book(rows), few, as_of=AS_OF, draws=4_000).total
    # log odds of 28 against 12: standard error .345, times p (1 - p) of all that comes due
    shift = np.sqrt(1 / 28 + 1 / 12) * 0.7 * 0.3 * wide.due_minor
    assert wide.p90_minor - wide.p10_minor == pytest.approx(2 * 1.2816 * shift, rel=0.15)
    assert narrow.p90_minor - narrow.p10_minor < 0.4 * (wide.p90_minor - wide.p10_minor)
    for made in (narrow, wide):
        assert made.expected_minor == pytest.approx(0.7 * made.due_minor, rel=0.01)


def _rest(odds):
    return odds.ratios, odds.spread_weight, odds.delays, odds.decided, odds.quarters


def test_a_models_probability_replaces_the_rate():
    rows = book([(0, "2027-02-01", 1_000, None, 0.97), (0, "2027-02-01", 1_000, None, 0.03)])
    made = forecast(rows, certain_odds(0.5), as_of=AS_OF, draws=20_000)
    assert made.from_model == 2
    assert made.expected_minor[0] == pytest.approx(970, abs=10)
    assert made.expected_minor[1] == pytest.approx(30, abs=10)


@pytest.mark.parametrize("p", [0.2, 0.5, 0.93])
def test_quarter_effect_widens_but_does_not_shift(p):
    rows = book([(0, "2027-02-01", 1_000, None, p)] * 200)
    calm = certain_odds(p)
    weight = np.zeros(len(SPREADS))
    weight[np.argmin(abs(SPREADS - 0.6))] = 1
    rough = Odds(calm.rates, calm.ratios, weight, calm.delays, 0, 0)
    one, two = (forecast(rows, odds, as_of=AS_OF, draws=4_000).total for odds in (calm, rough))
    assert two.expected_minor == pytest.approx(one.expected_minor, rel=0.02)
    assert two.p90_minor - two.p10_minor > 1.3 * (one.p90_minor - one.p10_minor)


def test_an_effect_is_shared_within_a_quarter_only():
    """The same book, all in one quarter or spread over four: one quarter is the wider."""
    odds = certain_odds(0.7)
    weight = np.zeros(len(SPREADS))
    weight[-1] = 1
    odds = Odds(odds.rates, odds.ratios, weight, odds.delays, 0, 0)
    months = ("2027-01-05", "2027-04-05", "2027-07-05", "2027-10-05")
    same = book([(0, months[0], 100, None, None)] * 400)
    apart = book([(0, months[k % 4], 100, None, None) for k in range(400)])
    one, two = (
        forecast(rows, odds, as_of=np.datetime64("2026-01-01"), draws=2_000).total
        for rows in (same, apart)
    )
    assert one.p90_minor - one.p10_minor > 1.5 * (two.p90_minor - two.p10_minor)


def test_without_the_largest_five():
    rows = book([(0, "2027-02-01", 100 * k, None, None) for k in range(1, 9)])
    made = forecast(rows, certain_odds(0.8), as_of=AS_OF, draws=500)
    assert sorted(made.largest.tolist()) == [3, 4, 5, 6, 7]
    assert made.without_largest.due_minor == 100 + 200 + 300
    assert made.without_largest.count == 3
    small = forecast(book([(0, "2027-02-01", 5, None, None)]), certain_odds(0.8), as_of=AS_OF)
    assert small.without_largest.count == 0
    assert small.without_largest.expected_minor == 0


def test_of_equal_amounts_the_first_keys_are_the_largest():
    assert (
        largest_rows(book([(0, "2027-02-01", 7, None, None)] * 8)).tolist()
        == [True] * 5 + [False] * 3
    )


def test_an_empty_book_says_nothing_and_fails_nowhere():
    made = forecast(book([]), certain_odds(0.8), as_of=AS_OF)
    assert made.total.count == 0
    assert made.total.due_minor == made.total.p90_minor == 0


one_row = st.tuples(
    st.integers(0, 1),
    st.sampled_from(["2026-12-15", "2027-01-10", "2027-02-20", "2027-05-01"]),
    st.integers(1, 10_000_000),
    st.one_of(st.none(), st.integers(0, 10_000_000)),
    st.one_of(st.none(), st.floats(0, 1)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(one_row, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing_and_parts_add_up(rows, random):
    odds = certain_odds(0.7, 0.9)
    one = book(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    other = one.ordered(np.array(order))
    made, again = (
        forecast(
            it,
            odds,
            as_of=AS_OF,
            groups={
                "month": it.due_on.astype("datetime64[M]").astype(np.int64),
                "quarter": quarter_of(it.due_on),
            },
            draws=200,
        )
        for it in (one, other)
    )
    assert made.total == again.total
    assert made.groups == again.groups
    for dimension in ("month", "quarter"):
        parts = made.groups[dimension].values()
        assert sum(part.expected_minor for part in parts) == made.total.expected_minor
        assert sum(part.due_minor for part in parts) == made.total.due_minor
        assert sum(part.count for part in parts) == len(rows)
    assert sum(made.expected_minor.values()) == made.total.expected_minor
    quantiles = made.total.quantile_minor
    assert list(quantiles) == sorted(quantiles)


def test_a_part_shows_the_same_alone_as_within_the_whole():
    """A month on its own page has the figures of its row on the quarter's page."""
    odds = certain_odds(0.7, 0.9)
    rows = [
        (k % 2, "2027-01-10" if k < 6 else "2027-02-20", 1_000 * (k + 1), None, None)
        for k in range(12)
    ]
    whole = book(rows)
    months = whole.due_on.astype("datetime64[M]").astype(np.int64)
    part = whole.ordered(np.flatnonzero(months == months[0]))
    made = forecast(whole, odds, as_of=AS_OF, groups={"month": months}, draws=800)
    alone = forecast(part, odds, as_of=AS_OF, draws=800)
    assert alone.total == made.groups["month"][int(months[0])]


def test_a_model_knows_the_level_of_few_large_customers_less_than_that_of_many_small_ones():
    """Woolf 1955, of each cell: a model's interval for a cell is as wide as its outcomes are few."""
    from types import SimpleNamespace

    from gengyun.revenue.calc.forecast import model_levels

    many, few = SimpleNamespace(alpha=210.0, beta=90.0), SimpleNamespace(alpha=14.0, beta=3.0)
    levels = model_levels(SimpleNamespace(rates=(many, few)))
    assert levels == pytest.approx([(1 / 210 + 1 / 90) ** 0.5, (1 / 14 + 1 / 3) ** 0.5])
    assert levels[1] > 4 * levels[0]


def signed(quarters, *, moved, seed=1, each=40):
    """Renewals of many quarters; the amounts of every second one move by `moved`, all together."""
    rng = np.random.default_rng(seed)
    rows = []
    for k, first in enumerate(np.arange("2022-01", "2026-01", 3, dtype="M8[M]")[:quarters]):
        factor = 1 + moved * (-1) ** k
        on = first.astype("M8[D]") + 10
        rows += [(0, on, 1_000_000, round(1_000_000 * factor * r), on)
                 for r in rng.normal(1.0, 0.05, each)]  # fmt: skip
    return history(rows)


def test_how_far_amounts_of_a_quarter_move_together_is_learned_from_quarters():
    calm, stormy = (amount_spread(signed(12, moved=moved)) for moved in (0.0, 0.10))
    nothing = amount_spread(history([]))
    mean = [float(AMOUNT_SPREADS @ weight) for weight in (calm, nothing, stormy)]
    assert mean[0] < 0.025 < mean[1] < 0.05 < mean[2]
    assert mean[2] == pytest.approx(0.11, abs=0.03)


def test_a_mean_ratio_of_few_is_less_sure_than_of_many():
    few, many = (ratio_levels(signed(12, moved=0.0, each=each), 2) for each in (1, 40))
    assert few[0] > 2 * many[0]
    assert many[1] > many[0]  # no renewal of its own: only the company's


def test_amounts_that_move_together_widen_the_interval_and_not_the_middle():
    odds = certain_odds(0.8)
    whole = book([(0, "2027-01-15", 1_000_000, None, None)] * 400)
    known = replace(odds, amount_weight=(AMOUNT_SPREADS[30] == AMOUNT_SPREADS).astype(float))
    still, moved = (forecast(whole, it, as_of=AS_OF, draws=4_000).total for it in (odds, known))
    spread = float(AMOUNT_SPREADS[30])
    assert moved.expected_minor == pytest.approx(still.expected_minor, rel=0.005)
    wide = [(it.p90_minor - it.p10_minor) / it.expected_minor / 2.563 for it in (still, moved)]
    assert wide[1] == pytest.approx(np.hypot(wide[0], spread), rel=0.08)
    # and the months of a quarter move alike: their sum is as unsure as one of them
    levels = replace(odds, ratio_levels=np.array([spread]))
    unsure = forecast(whole, levels, as_of=AS_OF, draws=4_000).total
    assert unsure.p90_minor - unsure.p10_minor == pytest.approx(
        moved.p90_minor - moved.p10_minor, rel=0.1
    )


# --- what was asked, and what is kept ------------------------------------------------------------


def past_and_coming():
    """A past with luck in it and a book, partly decided, partly with a model's probability."""
    rng, count = np.random.default_rng(3), 300
    due = rng.lognormal(14, 1, count).astype(np.int64)
    on = np.datetime64("2024-01-01") + rng.integers(0, 900, count)
    renews = rng.random(count) < 0.8
    came = np.where(renews, (due * rng.normal(1.05, 0.1, count)).astype(np.int64), 0)
    past = History(rng.integers(0, 2, count), on, due, came, on + rng.integers(-20, 20, count))
    size = 40
    coming = Book(
        np.arange(size),
        rng.integers(0, 2, size),
        np.datetime64("2027-01-01") + rng.integers(0, 90, size),
        rng.lognormal(14, 1, size).astype(np.int64),
        np.where(rng.random(size) < 0.2, 1e6, np.nan),
        np.where(rng.random(size) < 0.5, rng.random(size), np.nan),
    )
    return past, coming


def learned_from(past):
    return learn_odds(past, as_of=AS_OF, stated=[0.8, 0.9], grace_days=60)


def test_a_company_that_never_says_what_it_asks_gets_what_it_always_got():
    """Figures of the version that knew nothing of prices asked, to the last minor unit."""
    past, coming = past_and_coming()
    silent = replace(past, asked=np.full(300, np.nan)), replace(coming, asked=np.full(40, np.nan))
    for rows, whole in ((past, coming), silent):
        total = forecast(whole, learned_from(rows), as_of=AS_OF, draws=500).total
        assert total.expected_minor == 48_568_013
        assert total.quantile_minor == (31_454_535, 36_402_025, 50_601_459, 56_988_588, 60_264_362)


def test_a_rise_that_all_were_told_of_moves_the_amounts_and_teaches_nothing_of_its_own():
    """Told of 10 % and signed at 10 %: the next 10 % are expected once, not twice, and surely."""
    rows = [(0, f"2025-{1 + k % 12:02}-10", 1_000_000, 1_100_000, "2025-12-20") for k in range(60)]
    untold = history(rows)
    told = replace(untold, asked=np.full(60, 1.1))
    coming = book([(0, "2027-01-10", 1_000_000, None, 1.0)] * 50)
    raised = replace(coming, asked=np.full(50, 1.1))
    by_asked, by_due = learned_from(told), learned_from(untold)
    assert by_asked.ratios.mean() == pytest.approx(1.0, abs=0.001)
    assert by_due.ratios.mean() > 1.08
    share = {
        name: forecast(it, odds, as_of=AS_OF, draws=2_000).total.expected_minor / 50_000_000
        for name, it, odds in (
            ("told again", raised, by_asked),
            ("not told", coming, by_asked),
            ("never told", coming, by_due),
        )
    }
    assert share["told again"] == pytest.approx(1.1, rel=0.01)
    assert share["not told"] == pytest.approx(1.0, rel=0.01)
    assert share["never told"] == pytest.approx(1.09, rel=0.02)


def test_gross_is_of_each_renewal_at_most_what_came_due():
    table = np.full((1, 200), 1.5)
    table[0, :100] = 0.6
    odds = certain_odds(1 - 1e-7, ratios=table)
    rows = [(0, "2027-02-01", 1_000_000, None, None)] * 200
    total = forecast(book(rows), odds, as_of=AS_OF, draws=2_000).total
    assert total.expected_minor / total.due_minor == pytest.approx(1.05, abs=0.01)
    assert total.gross.expected_minor / total.due_minor == pytest.approx(0.8, abs=0.01)
    decided = [(0, "2027-02-01", 100, 150, None), (0, "2027-02-01", 100, 60, None)]
    total = forecast(book(decided), odds, as_of=AS_OF, draws=100).total
    assert (total.settled_minor, total.expected_minor) == (210, 210)
    assert (total.gross.settled_minor, total.gross.expected_minor) == (160, 160)
    assert total.gross.quantile_minor == (160,) * 5


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(one_row, st.one_of(st.none(), st.floats(0.2, 3))), min_size=1, max_size=20)
)
def test_gross_is_never_above_net_nor_above_what_comes_due(rows):
    table = np.linspace(0.3, 2.0, 400).reshape(2, 200)
    odds = replace(certain_odds(0.7, 0.9, ratios=table), ratio_levels=np.array([0.1, 0.2]))
    asked = np.array([np.nan if one is None else one for _row, one in rows])
    whole = replace(book([row for row, _one in rows]), asked=asked)
    months = whole.due_on.astype("datetime64[M]").astype(np.int64)
    made = forecast(whole, odds, as_of=AS_OF, groups={"month": months}, draws=200)
    for sums in (made.total, *made.groups["month"].values()):
        pairs = zip(sums.gross.quantile_minor, sums.quantile_minor, strict=True)
        assert all(kept <= came for kept, came in pairs)
        assert sums.gross.expected_minor <= min(sums.expected_minor, sums.due_minor)
        # a sum of single precision: within one in ten million
        assert sums.gross.quantile_minor[-1] <= sums.due_minor * (1 + 1e-6) + 1
        assert sums.gross.settled_minor <= sums.settled_minor
    parts = made.groups["month"].values()
    assert sum(one.gross.expected_minor for one in parts) == made.total.gross.expected_minor
