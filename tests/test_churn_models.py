"""The ladder: members, trees in numpy, choice, refusal to learn from too little, JSON."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from gengyun.churn.calc import boost, gam, ladder, scores
from gengyun.churn.calc.calibrate import ends_if_needed
from gengyun.churn.calc.logistic import expit
from gengyun.churn.calc.model import Model
from gengyun.churn.calc.scorecard import BaseRate
from gengyun.churn.calc.table import Feature, Table, joined, plain_table

BASES = {-1: BaseRate(0.2, 20), 0: BaseRate(0.3, 20), 1: BaseRate(0.08, 20)}


def made(rows=300, *, seed=1, signal=1.0, features=6, unknown=0.1, tiers=False):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features))
    tier = rng.integers(0, 2, rows) if tiers else np.full(rows, -1)
    logit = signal * (x[:, 0] - x[:, 1]) - 1.0 - 1.5 * (tier == 1)
    y = (rng.random(rows) < expit(logit)).astype(float)
    x[rng.random(x.shape) < unknown] = np.nan
    signs = [1, -1, *[0] * (features - 2)]
    table = plain_table([Feature(f"f{k}", s) for k, s in enumerate(signs)], x, y)
    return replace(table, tier=tier)


def test_plain_logistic_is_the_minimum_of_its_own_loss():
    table = made(120, unknown=0.0)
    model = gam.plain_logistic(table)
    design = model.preparation.design(table.x)
    p = expit(model.beta[0] + design @ model.beta[1:])
    assert abs((p - table.y).sum()) < 1e-3
    assert np.abs(design.T @ (p - table.y) + model.beta[1:]).max() < 1e-4


def test_expert_prior_is_followed_with_few_rows_and_left_when_the_data_say_otherwise():
    few = gam.expert_logistic(made(60, seed=3))
    assert few.settings["k"] > 0
    wrong = made(800, seed=4, signal=-1.0)
    assert gam.expert_logistic(wrong).settings["k"] == 0.0
    told = gam.expert_logistic(wrong).logits(np.array([[2.0, -2, 0, 0, 0, 0]]))
    assert told[0] < -1.0


def test_unknown_is_not_zero_and_says_something_of_its_own():
    table = made(600, unknown=0.0)
    x = table.x.copy()
    gone = np.random.default_rng(1).random(600) < 0.3
    x[gone, 2] = np.nan
    y = np.where(gone, 1.0, table.y)  # who is not asked leaves
    model = gam.expert_logistic(replace(table, x=x, y=y))
    row = np.zeros((3, 6))
    row[1, 2], row[2, 2] = np.nan, -3.0
    zero, unknown, low = model.logits(row)
    assert unknown > zero + 1
    assert abs(low - zero) < abs(unknown - zero)


def test_an_unknown_value_is_guessed_from_the_columns_that_tell_of_it():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(800, 3))
    x[:, 1] = x[:, 0] + rng.normal(size=800) * 0.2  # the second says what the first says
    y = (rng.random(800) < expit(2 * x[:, 0] - 1)).astype(float)
    x[rng.random(800) < 0.4, 0] = np.nan
    told = gam.expert_logistic(plain_table([Feature(key) for key in "abc"], x, y))
    asked = np.array([[np.nan, 1.5, 0.0], [np.nan, -1.5, 0.0]])
    found = told.score(asked)
    assert found.logit[0] - found.logit[1] > 3
    # what is unknown adds the same to both: the rest is told of the column it was guessed from
    assert np.ptp(found.contributions[:, 0] / found.base) < 0.2
    assert found.contributions[0, 1] > 1 > -1 > found.contributions[1, 1]
    assert np.allclose(found.base + found.contributions.sum(axis=1), found.logit)


def test_where_most_is_unknown_at_once_nothing_is_guessed():
    table = made(300, unknown=0.0)
    x = table.x.copy()
    x[:60, :4] = np.nan
    preparation = gam.expert_logistic(replace(table, x=x)).preparation
    assert preparation.guesses == ()
    x[60:, :] = table.x[60:, :]
    x[:60, 1:] = table.x[:60, 1:]
    assert len(gam.expert_logistic(replace(table, x=x)).preparation.guesses) == 1


def test_a_group_the_expert_is_wrong_about_does_not_spoil_the_others():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(250, 8))
    y = (rng.random(250) < expit(x[:, :4].sum(axis=1) - 1)).astype(float)
    signs = [Feature(f"f{k}", 1, group="use" if k < 4 else "service") for k in range(8)]
    apart = gam.expert_logistic(plain_table(signs, x, y))
    alike = gam.expert_logistic(plain_table([replace(f, group="") for f in signs], x, y))
    assert apart.settings["tau_group"] > gam.GROUP_SPREADS[0]
    assert np.abs(apart.beta[5:]).mean() < np.abs(alike.beta[5:]).mean()


def test_a_line_gets_ends_where_outcomes_come_about_that_nothing_tells():
    rng = np.random.default_rng(4)
    logit = rng.normal(size=3_000) * 3
    plain = (rng.random(3_000) < expit(logit)).astype(float)
    ones, each = np.ones(3_000), np.arange(3_000)
    assert ends_if_needed(logit, plain, ones, each) is None
    stayed = np.where(rng.random(3_000) < 0.1, 0.0, plain)
    ends = ends_if_needed(logit, stayed, ones, each)
    assert ends.least == 0
    assert 0.87 < ends.most < 0.93
    assert (np.diff(ends.of(np.linspace(-9, 9, 50))) > 0).all()


@pytest.mark.parametrize(("surprises", "has_ends"), [(2, False), (12, True)])
def test_a_few_surprises_make_no_ends(surprises, has_ends):
    rng = np.random.default_rng(7)
    logit = np.concatenate([rng.normal(size=300), np.full(surprises, 8.0)])
    y = np.concatenate([rng.random(300) < expit(logit[:300]), np.zeros(surprises)]).astype(float)
    found = ends_if_needed(logit, y, np.ones(len(y)), np.arange(len(y)))
    assert (found is not None) == has_ends


@pytest.mark.parametrize("learn", [boost.monotone_trees, boost.free_trees, boost.forest])
def test_trees_in_numpy_equal_lightgbm_and_its_pred_contrib(learn, monkeypatch):
    import lightgbm

    kept = {}
    train = lightgbm.train
    monkeypatch.setattr(lightgbm, "train", lambda *a, **k: kept.setdefault("b", train(*a, **k)))
    table = made(400)
    x = table.x.copy()
    x[:, 5] = np.round(x[:, 5])
    x[np.isnan(x[:, 4]), 4] = 0.5  # known everywhere in training …
    trees = learn(replace(table, x=x))
    asked = x[:200].copy()
    asked[:5, 4] = np.nan  # … and not when scored
    part = trees.score(asked)
    filled = np.where(np.isnan(asked), trees.fill, asked)
    share = kept["b"].num_trees() if learn is boost.forest else 1
    told = kept["b"].predict(filled, pred_contrib=True) / share
    assert np.abs(part.contributions - told[:, :-1]).max() < 1e-9
    assert np.abs(part.base - told[:, -1]).max() < 1e-9
    assert np.abs(part.logit - kept["b"].predict(filled, raw_score=True) / share).max() < 1e-9
    assert np.abs(trees.logits(asked) - part.logit).max() < 1e-9


def test_monotone_trees_never_lower_the_risk_of_what_is_a_risk():
    trees = boost.monotone_trees(made(500, signal=0.3))
    x = np.zeros((50, 6))
    x[:, 0] = np.linspace(-3, 3, 50)
    assert (np.diff(trees.logits(x)) >= -1e-12).all()


def test_constant_table_gives_trees_without_a_split():
    table = plain_table([Feature("a")], np.ones((40, 1)), np.arange(40) % 4 == 0)
    trees = boost.monotone_trees(table)
    assert np.allclose(expit(trees.logits(np.array([[1.0], [np.nan]]))), 0.25, atol=0.02)
    assert np.allclose(trees.score(np.ones((2, 1))).logit, trees.logits(np.ones((2, 1))))


@pytest.mark.parametrize("rung", ["L0", "L1", "L2", "L3", "plain"])
def test_a_model_survives_json_and_its_contributions_add_up(rung):
    table = made(260, tiers=True)
    trained = ladder.fit(table, base_rates=BASES, rung=rung)
    back = Model.from_json(json.loads(json.dumps(trained.model.to_json())))
    asked = table.taken(slice(0, 80))
    found, again = trained.model.predict(asked), back.predict(asked)
    assert np.abs(found.p - again.p).max() < 1e-6
    assert np.allclose(found.base + found.contributions.sum(axis=1), found.logit)
    assert np.allclose(expit(found.logit), found.p)
    assert found.contributions.shape == (80, 6)
    assert ((found.low <= found.p) & (found.p <= found.high)).all()
    assert np.allclose(trained.model.logits(asked), found.logit)


def test_columns_are_found_by_name_and_one_that_is_gone_is_unknown():
    table = made(300)
    model = ladder.fit(table, base_rates={}, rung="L1").model
    turned = table.with_features([*reversed(table.keys)])
    assert np.allclose(model.predict(turned).p, model.predict(table).p)
    less = table.with_features([key for key in table.keys if key != "f0"])
    found = model.predict(less)
    assert not np.isnan(found.p).any()
    assert found.missing_share.mean() > model.predict(table).missing_share.mean() + 0.2


def test_few_events_stay_on_the_scorecard_and_say_so():
    table = made(200)
    few = table.taken(
        np.sort(np.r_[np.flatnonzero(table.y == 0), np.flatnonzero(table.y == 1)[:7]])
    )
    trained = ladder.fit(few, base_rates=BASES)
    assert trained.rung == "L0"
    assert [(n.key, n.params["events"]) for n in trained.notes] == [("too_few_events", 7)]
    enough = table.taken(
        np.sort(np.r_[np.flatnonzero(table.y == 0), np.flatnonzero(table.y == 1)[:8]])
    )
    assert ladder.fit(enough, base_rates=BASES).rung != "L0"


def test_scorecard_stands_on_the_base_rate_of_the_tier_and_is_unsure():
    table = replace(made(400, tiers=True), y=np.full(400, np.nan))
    found = ladder.fit(table, base_rates=BASES).model.predict(table)
    assert abs(found.p[table.tier == 0].mean() - 0.33) < 0.06
    assert found.p[table.tier == 1].mean() < 0.16
    assert (found.high - found.low).mean() > 0.15
    nothing = replace(table, x=np.full(table.x.shape, np.nan))
    empty = ladder.fit(table, base_rates=BASES).model.predict(nothing)
    assert np.allclose(empty.p[table.tier == 0], 0.30)
    assert np.allclose(empty.missing_share, 1.0)


def test_landmarks_of_one_renewal_and_one_silence_count_once():
    day = np.array(["2024-01-01"], "datetime64[D]")
    at = day + np.array([0, 90, 150, 0, 30, 400])
    due = day + np.array([180, 180, 180, 180, 210, 580])
    rows = len(at)
    table = Table(
        (Feature("a"),), np.zeros((rows, 1)), np.ones(rows), np.array([1, 1, 1, 2, 2, 2]), at, due,
        due, np.full(rows, -1), np.zeros(rows, int), np.zeros(rows, int),
    )  # fmt: skip
    assert ladder.events_of(table) == (3, 0)
    assert ladder.events_of(
        plain_table([Feature("a")], np.zeros((4, 1)), np.array([1, 1, 0, 0]))
    ) == (2, 2)


def test_noise_is_called_noise():
    table = made(500, signal=0.0)
    rng = np.random.default_rng(5)
    trained = ladder.fit(replace(table, y=rng.permutation(table.y)), base_rates={})
    assert "no_signal" in [note.key for note in trained.notes]
    assert trained.model.predict(table).p.std() < 0.06


def test_who_knows_the_tier_alone_has_found_nothing():
    """Two tiers of very different rates, all other inputs noise."""
    trained = ladder.fit(made(500, seed=5, signal=0.0, tiers=True), base_rates={}, trees=False)
    assert "no_signal" in [note.key for note in trained.notes]
    assert trained.rung == "L1"
    told = ladder.fit(made(500, seed=5, tiers=True), base_rates={}, trees=False)
    assert "no_signal" not in [note.key for note in told.notes]


def test_a_strong_interaction_is_found_and_the_race_says_by_how_much():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(700, 4))
    y = (rng.random(700) < expit(3 * np.sign(x[:, 0] * x[:, 1]) - 1)).astype(float)
    trained = ladder.fit(plain_table([Feature(f"f{k}") for k in range(4)], x, y), base_rates={})
    entries = {entry.name: entry for entry in trained.race.entries}
    assert trained.rung in ("L2", "L3")
    assert entries[trained.rung].gain > 2 * entries[trained.rung].error
    assert entries["plain"].gain == 0
    assert entries["base_rate"].auc < 0.6


def test_without_lightgbm_the_ladder_still_climbs(monkeypatch):
    monkeypatch.setattr(boost, "is_available", lambda: False)
    trained = ladder.fit(made(400), base_rates={})
    assert "without_trees" in [note.key for note in trained.notes]
    assert {member.name for member in trained.model.members} <= {"plain", "expert", "bent"}


def test_folds_never_split_an_account_and_look_ahead_in_time():
    from gengyun.churn.calc.folds import folds_for

    rng = np.random.default_rng(1)
    rows = 900
    at = np.datetime64("2020-01-01") + np.sort(rng.integers(0, 1500, rows)).astype("m8[D]")
    table = replace(
        made(rows), account=rng.integers(0, 90, rows), at=at, due=at + 90, known=at + 150
    )
    found = folds_for(table)
    assert found.in_time
    for fold in found.folds:
        assert not set(table.account[fold.train]) & set(table.account[fold.judged])
        assert table.known[fold.train].max() <= table.at[fold.judged].min()
    undated = folds_for(replace(table, at=np.full(rows, np.datetime64("NaT", "D"))))
    assert not undated.in_time
    assert sorted(undated.judged) == list(range(rows))


def test_auc_and_the_others_against_slow_and_obvious_ones():
    rng = np.random.default_rng(3)
    p = np.round(rng.random(60), 1)
    y = (rng.random(60) < p).astype(float)
    pairs = [(a > b) + 0.5 * (a == b) for a in p[y == 1] for b in p[y == 0]]
    assert scores.auc(y, p) == pytest.approx(np.mean(pairs))
    steps = []
    for mark in np.unique(p)[::-1]:
        top = p >= mark
        steps.append((y[top].sum() / y.sum(), y[top].mean()))
    area = sum(
        (r - before) * q
        for (r, q), before in zip(steps, [0.0, *[r for r, _ in steps]], strict=False)
    )
    assert scores.average_precision(y, p) == pytest.approx(area)
    assert np.isnan(scores.auc(np.ones(5), np.arange(5.0)))
    assert scores.skill(y, np.full(60, y.mean())) == pytest.approx(0.0)
    slope, shift = scores.slope_intercept(y, expit(np.log(0.3 + p)))
    assert not np.isnan(slope + shift)


def test_bootstrap_draws_whole_accounts():
    y = np.repeat([1.0, 0.0], 50)
    low, high = scores.bootstrap(lambda rows: float(y[rows].mean()), np.repeat([1, 2], 50))
    assert (low, high) == (0.0, 1.0)


def test_scoring_imports_neither_lightgbm_nor_sklearn_nor_scipy():
    code = (
        "import sys, gengyun.churn.calc.model, gengyun.churn.calc.ladder, gengyun.churn.calc.grade;"
        "print(sorted({'lightgbm', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_tables_join_and_refuse_to_mix():
    table = made(10)
    assert len(joined([table, table])) == 20
    with pytest.raises(ValueError, match="features"):
        joined([table, table.with_features(["f0"])])
    with pytest.raises(ValueError, match="rows"):
        replace(table, y=np.zeros(3))


def test_a_stack_does_not_believe_a_shift_but_a_scorecard_finds_its_base():
    from gengyun.churn.calc.stack import line, stacked

    rng = np.random.default_rng(4)
    logit = rng.normal(size=400)
    y = (rng.random(400) < expit(logit - 2)).astype(float)
    weights = stacked(np.column_stack([logit, logit]), y)
    assert abs(weights[0]) < 0.5
    assert (weights[1:] >= 0).all()
    shift, slope = line(logit, y)
    assert shift == pytest.approx(-2, abs=0.4)
    assert slope == pytest.approx(1, abs=0.4)


def test_landmarks_of_one_renewal_count_together_as_one():
    """The same rows seen three times tell a model nothing more; without a due day each counts."""
    from gengyun.churn.calc.gam import expert_logistic

    once = made(120)
    due = np.datetime64("2025-01-01") + np.arange(len(once)) % 7
    once = replace(once, due=due.astype("datetime64[D]"), account=np.arange(len(once)))
    thrice = once.taken(np.repeat(np.arange(len(once)), 3))
    assert (once.weight == 1).all()
    assert thrice.weight == pytest.approx(1 / 3)
    assert (replace(thrice, due=np.full(len(thrice), np.datetime64("NaT"))).weight == 1).all()
    one, three = expert_logistic(once), expert_logistic(thrice)
    assert three.settings == one.settings
    assert three.beta == pytest.approx(one.beta, abs=0.02)
    assert three.covariance == pytest.approx(one.covariance, abs=0.02)


def test_a_stack_learns_who_is_better_before_it_learns_that_all_are_timid():
    from gengyun.churn.calc.stack import stacked

    rng = np.random.default_rng(6)
    truth = rng.normal(scale=2, size=300)
    y = (rng.random(300) < expit(truth)).astype(float)
    timid = np.column_stack([truth / 2, rng.normal(size=300)])
    weights = stacked(timid, y)[1:]
    assert weights[0] > weights[1] + 0.3
    assert weights.sum() == pytest.approx(1, abs=0.2)
    many = np.tile(timid, (40, 1))
    assert stacked(many, np.tile(y, 40))[1:].sum() > 1.5


def test_calibration_waits_until_chance_does_not_explain_the_slope():
    from gengyun.churn.calc.calibrate import calibration_if_needed

    rng = np.random.default_rng(8)
    truth = rng.normal(size=4_000)
    y = (rng.random(4_000) < expit(truth)).astype(float)
    bold = truth * 1.6  # slope .63
    assert calibration_if_needed(bold, y) is not None
    parts = [slice(at, at + 80) for at in range(0, 3_200, 80)]
    outside = [not 0.8 <= scores.slope_intercept(y[one], expit(truth[one]))[0] <= 1.25
               for one in parts]  # fmt: skip
    assert np.mean(outside) > 0.3  # by chance alone: these are right
    mended = [calibration_if_needed(truth[one], y[one]) is not None for one in parts]
    assert np.mean(mended) < 0.12
    # three landmarks each: as many rows as 240 renewals would have, and as sure as 80
    share = np.full(240, 1 / 3)
    thrice = [calibration_if_needed(np.repeat(truth[one], 3), np.repeat(y[one], 3), share)
              for one in parts]  # fmt: skip
    assert [one is not None for one in thrice] == mended


def test_tiers_keep_an_intercept_of_their_own_where_little_else_is_learned():
    """Their distance is not drawn to nothing with the other coefficients (science.md 4.3)."""
    from gengyun.churn.calc.tiers import flagged, tiers_of

    table = made(400, seed=9, signal=0.0, tiers=True)
    rows = flagged(table, tiers_of(table))
    told = gam.expert_logistic(rows).logits(rows.x)
    apart = told[table.tier == 0].mean() - told[table.tier == 1].mean()
    assert 0.8 < apart < 2.0  # 1.5 in truth
