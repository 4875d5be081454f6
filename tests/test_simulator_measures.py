"""How the churn probability is measured on simulated companies: by measures that can tell."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from gengyun.churn.calc.ladder import plain_logistic
from gengyun.churn.calc.table import Floats, Table
from gengyun.demo.simulator.churn_forecast import forecasted, foreseeable
from gengyun.demo.simulator.churn_score import (
    CUTOFF,
    caught,
    foreseen,
    measured,
    permuted,
    pooled,
    renewal_world,
)
from gengyun.demo.simulator.company_config import company
from gengyun.demo.simulator.deals_make import make_deals


@dataclass
class Told:
    """A model that says what it was given."""

    p: Floats

    def predict(self, table: Table) -> "Told":
        return self


@pytest.fixture(scope="module")
def world():
    return renewal_world(2, accounts=260, learned_from=130)


def test_who_is_learned_from_is_not_foreseen_and_time_does_not_run_back(world):
    assert not set(world.learned.account) & set(world.later.account)
    assert (world.learned.known < np.datetime64(CUTOFF)).all()
    assert (world.later.due >= np.datetime64(CUTOFF)).all()
    assert set(world.of(40).account) <= set(world.order[:40].tolist())
    assert len(world.of(40)) < len(world.learned)
    assert not np.isnan(world.p_true).all()
    assert len(world.p_learned) == len(world.learned)


def test_the_truth_itself_scores_best_and_one_rate_worst(world):
    table, p_true = world.at(90)
    truth = measured(foreseen(world, Told(p_true), 90))
    assert truth.truth == 0
    assert truth.auc == truth.ceiling > 0.65
    rate = np.full(len(table), world.learned.y.mean())
    flat = measured(foreseen(world, Told(rate), 90))
    assert flat.auc == pytest.approx(0.5)
    assert flat.truth == pytest.approx(flat.base_truth)
    assert flat.brier > truth.brier
    best = caught(foreseen(world, Told(table.y + 0.0), 90))
    assert best.recall == pytest.approx(min(1.0, best.flagged / best.losses))
    turned = caught(foreseen(world, Told(1 - table.y), 90))
    assert turned.recall < 0.05


def test_worlds_are_pooled_renewal_by_renewal(world):
    table, p_true = world.at(30)
    one = foreseen(world, Told(p_true), 30)
    both = pooled([one, one])
    assert measured(both).rows == 2 * len(table)
    assert measured(both).auc == pytest.approx(measured(one).auc)


def test_a_model_learned_here_knows_more_than_a_rate_and_less_than_the_truth(world):
    model = plain_logistic(world.learned.with_features(("util_28", "nps_last", "nth", "discount")))
    keys = ("util_28", "nps_last", "nth", "discount")
    narrow = replace(world, later=world.later.with_features(keys))
    found = measured(foreseen(narrow, model, 90))
    assert found.ceiling > found.auc > 0.6
    assert found.truth < found.base_truth


def test_permuted_outcomes_belong_to_renewals_not_to_landmarks(world):
    table = permuted(world.learned, seed=1)
    keys = [tuple(row) for row in zip(table.account, table.due.astype(int), strict=True)]
    by_renewal = {}
    for key, y in zip(keys, table.y, strict=True):
        assert by_renewal.setdefault(key, y) == y
    assert not np.array_equal(table.y, world.learned.y)
    before = dict(zip(keys, world.learned.y, strict=True))
    assert sum(by_renewal.values()) == sum(before.values())


def test_the_forecast_takes_the_probability_of_what_is_open():
    def never(table: Table) -> Told:
        return Rate(0.999)

    def always(table: Table) -> Told:
        return Rate(0.001)

    class Rate(Told):
        def __init__(self, rate: float) -> None:
            self.rate = rate

        def predict(self, table: Table) -> Told:
            return Told(np.full(len(table), self.rate))

    low, high = (
        forecasted(1, learn, accounts=120, quarters=2, draws=100) for learn in (never, always)
    )
    for bad, good in zip(low, high, strict=True):
        assert bad.from_model == good.from_model > 5
        assert bad.with_model.expected < 0.4 * good.with_model.expected
        assert bad.with_rates == good.with_rates
        assert bad.with_truth == good.with_truth  # has nothing to do with the model


def test_the_floor_knows_every_probability_but_not_the_shock_that_lies_ahead():
    config = company("smb", accounts=120)
    calm = make_deals(config.world, seed=3, deal_config=replace(config.deals, quarter_spread=0.0))
    known = foreseeable(calm)
    truth = calm.truth.not_renewing
    assert len(known) > 100
    assert all(known[key] == pytest.approx(1 - truth[key]) for key in known)
    stormy = make_deals(config.world, seed=3, deal_config=config.deals)
    due = stormy.dues[0]
    shock = stormy.truth.quarter[due.due_on.year, (due.due_on.month + 2) // 3]
    lost = stormy.truth.not_renewing[due.account, due.nth]
    without = foreseeable(stormy)[due.account, due.nth]
    assert abs(shock) > 0.01
    assert np.log(without / (1 - without)) == pytest.approx(np.log((1 - lost) / lost) + shock)
