"""The back-test: what is learned from when, who judges whom, and what its figures are."""

import json
from dataclasses import replace

import numpy as np
import pytest
from churn_worlds import LEARNERS, beside, renewals

from gengyun.churn.calc import backtest, measures, report, scores, ticket_budget, trust
from gengyun.churn.calc.backtest import BASE, HEALTH, MODEL, PLAIN, Learners, Plan
from gengyun.churn.calc.beside import nothing_beside

TODAY = np.datetime64("2026-03-01")
MONTHS = dict.fromkeys(range(600, 700), 300)


def run(table, known=None, learners=LEARNERS, **plan):
    known = known or beside(table)
    plan = Plan(**plan)
    found = backtest.out_of_time(table, known, learners, today=TODAY, plan=plan)
    asked = report.Asked("non_renewal", TODAY, plan=plan, tiers=["smb", "mid", "ka"], draws=60)
    return found, report.build(table, found, known, asked, MONTHS)


# --- figures --------------------------------------------------------------------------------------


def drawn(rows=240, seed=3):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.02, 0.9, rows)
    return (rng.random(rows) < p).astype(float), p, rng.integers(0, 80, rows)


def test_with_even_weights_the_figures_are_those_of_the_scores():
    y, p, _ = drawn()
    even = np.ones((1, len(y)))
    assert measures.auc(y, p, even)[0] == pytest.approx(scores.auc(y, p))
    assert measures.average_precision(y, p, even)[0] == pytest.approx(
        scores.average_precision(y, p)
    )
    assert measures.brier(y, p, even)[0] == pytest.approx(scores.brier(y, p))
    assert measures.log_loss(y, p, even)[0] == pytest.approx(scores.mean_log_loss(y, p))
    assert measures.ece(y, p, even)[0] == pytest.approx(scores.ece(y, p))
    slope, intercept = measures.slope_intercept(y, p, even)
    assert slope[0] == pytest.approx(scores.slope_intercept(y, p)[0], rel=1e-3)
    assert intercept[0] == pytest.approx(scores.slope_intercept(y, p)[1], abs=1e-3)
    top, caught = measures.top_share(y, p, even, 0.2)
    assert top[0] / y.mean() == pytest.approx(scores.lift(y, p, 0.2))
    assert caught[0] == pytest.approx(scores.recall_of_top(y, p, 0.2))


def test_the_slope_of_a_model_that_is_far_too_sure_is_small_and_not_lost():
    y, p, _ = drawn(400)
    sure = 1 / (1 + np.exp(-6 * np.log(p / (1 - p)) - 2))
    even = np.ones((1, len(y)))
    slope, _ = measures.slope_intercept(y, sure, even)
    assert slope[0] == pytest.approx(scores.slope_intercept(y, sure)[0], abs=0.02)
    assert 0.05 < slope[0] < 0.4


def test_a_weight_of_two_is_the_row_twice():
    y, p, _ = drawn(60)
    p = np.round(p, 1)  # ties
    times = np.random.default_rng(5).integers(0, 4, len(y))
    weights = times[None, :].astype(float)
    y2, p2 = np.repeat(y, times), np.repeat(p, times)
    assert measures.auc(y, p, weights)[0] == pytest.approx(scores.auc(y2, p2))
    assert measures.average_precision(y, p, weights)[0] == pytest.approx(
        scores.average_precision(y2, p2)
    )
    assert measures.brier(y, p, weights)[0] == pytest.approx(scores.brier(y2, p2))


def test_rows_of_an_account_are_drawn_together():
    account = np.array([7, 7, 7, 9, 9, 11])
    found = measures.resampled(account, draws=50, seed=1)
    assert found.shape == (51, 6)
    assert (found[0] == 1).all()
    assert (found[:, 0] == found[:, 2]).all()
    assert (found[:, 3] == found[:, 4]).all()
    assert (found[1:, [0, 3, 5]].sum(axis=1) == 3).all()
    assert len(np.unique(found[1:, 5])) > 1


def test_equal_probabilities_stand_in_one_bin():
    p = np.array([0.2] * 50 + [0.6] * 50)
    y = np.zeros(100)
    y[:10], y[50:80] = 1, 1
    found = measures.reliability(y, p)
    assert [(one.count, one.lost) for one in found] == [(50, 10), (50, 30)]
    assert measures.ece(y, p, np.ones((1, 100)))[0] == pytest.approx(0.0)


def test_a_perfect_probability_stays_under_the_error_of_chance():
    even = np.ones((1, 400))
    under = []
    for seed in range(40):
        y, p, _ = drawn(400, seed=seed)
        chance = measures.ece_by_chance(p)
        under.append(measures.ece(y, p, even)[0] < chance)
        assert measures.ece(y, np.clip(p + 0.2, 0, 1), even)[0] > chance
    assert 33 <= sum(under) <= 40


def test_a_figure_that_is_not_there_is_unknown_and_not_zero():
    y, p = np.zeros(20), np.linspace(0.1, 0.5, 20)
    weights = measures.resampled(np.arange(20), draws=10, seed=1)
    found = measures.figure(measures.auc(y, p, weights))
    assert found.to_json() == {"value": None, "low": None, "high": None}


# --- who learns from what ------------------------------------------------------------------------


def spying(seen):
    def learn(table, _rung):
        seen.append(("learn", table))
        return LEARNERS.plain(table)

    def choose(table):
        seen.append(("choose", table))
        return "L1"

    return Learners(choose, learn, LEARNERS.plain)


def test_nothing_is_learned_from_that_was_not_known_at_the_cutoff():
    table, _ = renewals(120)
    seen = []
    found, _ = run(table, learners=spying(seen))
    grace = np.timedelta64(60, "D")
    learned = [part for what, part in seen if what == "learn"]
    on = [one.on for one in found.cutoffs for _ in range(3)]
    assert len(learned) == len(on) == 24
    assert sum(what == "choose" for what, _ in seen) == 2  # once a year
    for cutoff, part in zip(on, learned, strict=True):
        assert (part.known < cutoff).all()
        # a renewal signed early is known, but its neighbours that were lost are not yet
        assert (part.due + grace < cutoff).all()


def test_a_later_past_changes_nothing_that_was_said_before_it():
    """Outcomes after the last cut-off are turned round: what was said stays as it was."""
    table, _ = renewals(120)
    before, _ = run(table)
    last = before.cutoffs[-1].on
    turned = replace(table, y=np.where(table.known >= last, 1 - table.y, table.y))
    after, _ = run(turned)
    old = before.cutoff == len(before.cutoffs) - 1
    assert old.any()
    assert (before.said[MODEL][old] == after.said[MODEL][old]).all()
    assert (before.said[HEALTH][old] == after.said[HEALTH][old]).all()


def test_an_account_is_never_judged_by_a_model_that_saw_it():
    table, _ = renewals(60)
    judged = []

    def learn(part, _rung):
        own = set(part.account.tolist())

        class Spy:
            def predict(self, asked):
                judged.append(not own & set(asked.account.tolist()))
                return LEARNERS.plain(part).predict(asked)

        return Spy()

    run(table, learners=Learners(lambda _: "L1", learn, LEARNERS.plain))
    assert judged
    assert all(judged)


def test_every_tested_row_is_judged_once_and_only_when_all_of_its_day_are_decided():
    table, _ = renewals(100)
    found, told = run(table)
    assert len(np.unique(found.rows)) == len(found.rows)
    tested = table.taken(found.rows)
    assert (tested.due + np.timedelta64(60, "D") < TODAY).all()
    assert (tested.at < tested.known).all()
    assert sum(one["test_rows"] for one in told["cutoffs"]) == len(found.rows)
    assert told["counts"]["open"] > 0


def test_a_row_looked_at_after_the_signature_is_left_out():
    table, _ = renewals(40)
    signed_before = table.known <= table.at
    late = replace(table, known=np.where(table.lag == 30, table.at, table.known))
    assert not signed_before.all()
    found, told = run(late)
    assert 30 not in told["lags"]
    assert (table.lag[found.rows] != 30).all()


# --- the report ----------------------------------------------------------------------------------


def test_the_report_finds_the_signal_and_holds_it_against_the_simple_ways():
    table, chance = renewals(300)
    found, told = run(table)
    model, health = told["methods"][MODEL], told["methods"][HEALTH]
    assert told["settings"]["lead"] == 90
    assert told["counts"]["outcomes"] == (table.lag[found.rows] == 90).sum()
    ceiling = scores.auc(table.y[found.rows], chance[found.rows])
    assert ceiling - 0.08 < model["auc"]["value"] <= ceiling + 0.03
    assert model["auc"]["low"] < model["auc"]["value"] < model["auc"]["high"]
    assert told["methods"][BASE]["skill"]["value"] == 0
    assert health["auc_behind"]["low"] > 0
    assert health["loss_behind"]["low"] > 0
    assert told["methods"][PLAIN]["auc_behind"]["value"] == 0  # here the model is the plain one
    assert sum(one["count"] for one in told["reliability"]) == told["counts"]["outcomes"]
    assert sum(one["outcomes"] for one in told["by_tier"]) == told["counts"]["outcomes"]
    assert sum(one["events"] for one in told["by_quarter"]) == told["counts"]["events"]
    assert [one["key"] for one in told["by_lag"]] == [30, 90, 180]
    assert len(told["worst"]) == 10
    rows = told["rows"]
    assert {len(column) for column in rows.values()} == {len(found.rows)}
    for place, one in enumerate(told["reliability"]):
        inside = [at for at, own in enumerate(rows["bin"]) if own == place]
        assert len(inside) == one["count"]
        assert sum(rows["lost"][at] for at in inside) == one["lost"]
    assert sum(rows["told"]) == told["budget"][MODEL]["told"]
    assert told["worst"][0]["reasons"][0]["feature"] in {"use", "overdue", "noise"}
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_the_worst_are_those_that_surprised_most():
    table, _ = renewals(200)
    found, told = run(table)
    head = table.lag[found.rows] == 90
    losses = measures.losses(table.y[found.rows][head], found.said[MODEL][head])
    shown = [-np.log(one["p"] if one["lost"] else 1 - one["p"]) for one in told["worst"]]
    assert shown == sorted(shown, reverse=True)
    assert shown[0] == pytest.approx(losses.max(), abs=0.01)


def test_without_a_signal_the_report_says_that_it_is_unproven():
    table, _ = renewals(200, strength=0.0, seed=5)
    shuffled = np.random.default_rng(2).permutation(len(table))
    blind = replace(table, x=table.x[shuffled])
    _, told = run(blind)
    assert 0.44 < told["methods"][MODEL]["auc"]["value"] < 0.56
    assert trust.verdict(told) == trust.UNPROVEN
    assert trust.reservations(told)[0]["kind"] in {"ranks_like_chance", "no_skill"}


def test_what_nobody_knew_is_not_compared_with():
    table, _ = renewals(100)
    _, told = run(table, known=nothing_beside(len(table)))
    assert told["methods"]["health"] is None
    assert told["methods"]["csm"] is None
    assert "health" not in told["budget"]


def test_too_few_losses_are_not_judged():
    table, _ = renewals(12, years=3)
    few = replace(table, y=np.where(table.account < 2, table.y, 0.0))
    _, told = run(few)
    assert told["refused"] == "few_outcomes"
    assert told["counts"]["events"] < report.LEAST_EVENTS
    assert trust.verdict(told) == trust.REFUSED
    assert trust.reservations(told)[0]["kind"] == "refused"
    assert "methods" not in told


def test_no_history_at_all_is_a_report_too():
    table, _ = renewals(5, years=1)
    _, told = run(replace(table, y=np.full(len(table), np.nan)))
    assert told["cutoffs"] == []
    assert told["refused"] == "few_outcomes"
    assert told["counts"]["decided"] == 0


def test_a_probability_that_is_far_too_high_is_said_to_be():
    table, _ = renewals(300)

    def bold(part, _rung):
        line = LEARNERS.plain(part)
        line.beta = line.beta + np.array([1.2, 0, 0, 0])
        return line

    _, told = run(table, learners=Learners(lambda _: "L1", bold, LEARNERS.plain))
    kinds = {one["kind"] for one in trust.reservations(told)}
    assert trust.verdict(told) in {trust.RANKS, trust.UNPROVEN}
    assert "too_high" in kinds


# --- budget --------------------------------------------------------------------------------------


def test_the_budget_holds_and_a_renewal_is_told_once():
    table, _ = renewals(300)
    found, told = run(table)
    budget = told["budget"][MODEL]
    months = len(np.unique(ticket_budget.months_of(table.taken(found.rows))))
    assert budget["months"] == months
    assert 0 < budget["told"] <= 300 * 4 / 100 * months
    assert budget["right"] <= min(budget["told"], budget["lost"])
    assert budget["precision"] > told["budget"][BASE]["precision"]
    assert budget["lead_days"] in {30.0, 90.0, 180.0, 60.0, 135.0}


def test_no_customers_no_budget_no_tickets():
    table, _ = renewals(50)
    found = np.full(len(table), 0.9)
    caught = ticket_budget.tell(
        table, backtest.renewal_of(table), (found, found - 0.5), {}, per_100=4.0
    )
    assert caught.told == 0
    assert caught.to_json()["precision"] is None
