"""Judging on any table: L0 follows what the table holds; equal probabilities are one bin."""

import numpy as np
import pytest

from gengyun.churn.calc import evaluate, scores
from gengyun.churn.calc.scorecard import BaseRate, scorecard
from gengyun.churn.calc.table import Feature, plain_table


def rare(rows=300, lost=5):
    x = np.random.default_rng(1).normal(size=(rows, 2))
    y = np.zeros(rows)
    y[:lost] = 1
    return plain_table([Feature("a"), Feature("b")], x, y)


def test_the_rate_of_the_first_rung_follows_the_table_where_nobody_stated_one():
    table = rare()
    found = evaluate.judge(table, evaluate.fold_splits(table, folds=5))
    assert set(found.rungs) == {"L0"}
    for rows, told in found.said:
        lost = 5 - table.y[rows].sum()
        learned = len(table) - len(rows)
        assert np.allclose(told["model"], (0.2 * 5 + lost) / (5 + learned))
        assert told["model"].max() < 0.03


def test_a_stated_rate_of_the_rest_is_not_replaced_by_the_assumption():
    card = scorecard(rare(), {-1: BaseRate(0.5, 1000), 0: BaseRate(0.1, 20)})
    assert card.bases[-1].rate == pytest.approx((0.5 * 1000 + 5) / 1300)
    assert card.bases[0].rate == pytest.approx(0.1)  # no row is of this tier
    tiers = scorecard(rare(), {0: BaseRate(0.1, 20)})
    assert tiers.base_of(np.array([7]))[0].rate == pytest.approx((0.2 * 5 + 5) / 305)


def test_calibration_of_equal_probabilities_does_not_hang_on_the_order_of_rows():
    y = np.repeat([0.0, 1.0], [210, 90])
    assert scores.ece(y, np.full(300, 0.3)) == pytest.approx(0)
    rng = np.random.default_rng(2)
    p = np.round(rng.random(300), 1)
    found = [scores.ece(y[order], p[order]) for order in (rng.permutation(300) for _ in range(5))]
    assert np.ptp(found) < 1e-12


@pytest.mark.parametrize("rows", [1, 7, 10, 53, 400])
def test_bins_without_ties_are_of_equal_size_and_the_first_take_what_is_over(rows):
    p = np.random.default_rng(rows).random(rows)
    y = (p > 0.4).astype(float)
    found = scores.reliability(y, p)
    parts = np.array_split(np.argsort(p), min(10, rows))
    assert found.rows.tolist() == [len(part) for part in parts]
    assert np.allclose(found.told, [p[part].mean() for part in parts])
    assert np.allclose(found.came, [y[part].mean() for part in parts])
