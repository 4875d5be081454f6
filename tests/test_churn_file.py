"""`gengyun churn evaluate`: any table; what tells the outcome is left out; hazards by period."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from gengyun.churn.calc.file_columns import Asked, NotReadable, read_table
from gengyun.churn.calc.logistic import expit
from gengyun.churn.calc.survival import concordance, hazard, integrated_brier
from gengyun.churn.calc.table import Feature, plain_table
from gengyun.cli.churn_evaluate import evaluate


def cells(rows=240, seed=1):
    rng = np.random.default_rng(seed)
    use, plan = rng.normal(size=rows), rng.integers(0, 3, rows)
    lost = rng.random(rows) < expit(-1.2 * use - 0.5)
    return {
        "customer_id": [str(1000 + k) for k in range(rows)],
        "use": [f"{v:.3f}" if k % 9 else "" for k, v in enumerate(use)],
        "plan": [("basic", "plus", "pro")[v] for v in plan],
        "seats": [str(v + 1) for v in plan],
        "price": ["7"] * rows,
        "reason": ["too dear" if one else "" for one in lost],
        "churn_score": [f"{v:.2f}" for v in rng.random(rows)],
        "flag": [("No", "Yes")[v] for v in rng.integers(0, 2, rows)],
        "left": [("No", "Yes")[int(one)] for one in lost],
    }


def test_columns_become_numbers_flags_and_words_and_empty_stays_unknown():
    found = read_table(cells(), Asked("left", risk=("plan=pro",), safe=("use",)))
    table = found.table
    assert table.keys == ("use", "plan=basic", "plan=plus", "plan=pro", "seats", "flag=Yes")
    assert {f.key: f.sign for f in table.features if f.sign} == {"use": -1, "plan=pro": 1}
    assert np.isnan(table.x[0, 0])
    assert np.isnan(table.x[:, 0]).sum() == 27


def test_what_names_rows_or_tells_the_outcome_is_left_out_with_its_reason():
    found = read_table(cells(), Asked("left"))
    assert found.left_out == {
        "customer_id": "names_the_row",
        "price": "always_the_same",
        "reason": "tells_the_outcome",
        "churn_score": "says_the_outcome",
    }
    kept = read_table(cells(), Asked("left", keep=("churn_score",)))
    assert "churn_score" in kept.table.keys


def test_a_total_of_months_times_price_is_pointed_at():
    columns = cells()
    rng = np.random.default_rng(2)
    months, price = rng.integers(1, 60, 240), rng.uniform(5, 90, 240)
    columns |= {
        "months": [str(v) for v in months],
        "monthly": [f"{v:.2f}" for v in price],
        "total": [f"{m * p:.2f}" for m, p in zip(months, price, strict=True)],
    }
    assert read_table(columns, Asked("left")).warned == {"total": "product"}


def test_an_outcome_that_is_not_clear_is_asked_for():
    columns = cells() | {"left": ["gone" if v == "Yes" else "here" for v in cells()["left"]]}
    with pytest.raises(NotReadable, match="--lost"):
        read_table(columns, Asked("left"))
    named = read_table(columns, Asked("left", lost="gone"))
    assert named.table.y.sum() == read_table(cells(), Asked("left")).table.y.sum()
    with pytest.raises(NotReadable, match="no column"):
        read_table(columns, Asked("nowhere"))


def written(tmp_path, columns):
    path = tmp_path / "customers.csv"
    rows = zip(*columns.values(), strict=True)
    path.write_text(
        "\n".join([",".join(columns), *(",".join(row) for row in rows)]), encoding="utf-8"
    )
    return str(path)


def test_evaluate_prints_the_model_beside_its_control(tmp_path):
    path = written(tmp_path, cells())
    asked = [path, "--outcome", "left", "--repeats", "1", "--folds", "3", "--json"]
    done = CliRunner().invoke(evaluate, asked)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    run = told["runs"][0]
    assert set(run["scores"]) == {"model", "plain_logistic", "base_rate"}
    assert run["scores"]["model"]["auc"]["mean"] > 0.65
    assert run["scores"]["base_rate"]["auc"]["mean"] == 0.5
    assert told["left_out"]["reason"] == "tells_the_outcome"


def test_evaluate_in_time_needs_days_and_judges_only_later_rows(tmp_path):
    columns = cells(400)
    columns["day"] = [f"2024-{1 + k // 40:02d}-01" for k in range(400)]
    path = written(tmp_path, columns)
    bad = CliRunner().invoke(evaluate, [path, "--outcome", "left", "--after", "2024-08-01"])
    assert bad.exit_code == 2
    asked = [path, "--outcome", "left", "--when", "day", "--horizon", "31", "--after", "2024-08-01"]
    done = CliRunner().invoke(evaluate, [*asked, "--json"])
    assert done.exit_code == 0, done.output
    run = json.loads(done.stdout)["runs"][0]
    # July's rows were decided on 1 August itself, so they count; August's did not
    assert run["learned_rows"] == 280
    low, high = run["intervals"]["model"]["auc"]
    assert low < run["scores"]["model"]["auc"]["mean"] < high


def test_hazard_follows_what_was_seen_and_ranks_customers():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(700, 2))
    rate = expit(x[:, 0] - 2)
    left = np.array([rng.geometric(one) for one in rate])
    time, lost = np.minimum(left, 8), (left <= 8).astype(float)
    table = plain_table([Feature("a"), Feature("b")], x, lost)
    found = hazard(table, time)
    alive = found.survival(x)
    truth = (1 - rate[:, None]) ** np.arange(9)
    assert np.abs(alive.mean(axis=0) - truth.mean(axis=0)).max() < 0.04
    assert (np.diff(alive, axis=1) <= 0).all()
    assert concordance(time.astype(float), lost, -alive.sum(axis=1)) > 0.68
    grid = np.arange(1.0, 9)
    curve = (time.astype(float), lost)
    score = integrated_brier(*curve, alive[:, 1:], grid, censored_from=curve)
    flat = np.broadcast_to(truth.mean(axis=0)[1:], (700, 8))
    assert score < integrated_brier(*curve, flat, grid, censored_from=curve)


def test_concordance_counts_pairs():
    time, lost = np.array([1.0, 2, 3, 3]), np.array([1.0, 1, 0, 1])
    assert concordance(time, lost, np.array([4.0, 3, 1, 2])) == 1.0
    assert concordance(time, lost, np.array([1.0, 2, 4, 3])) == 0.0
    assert concordance(time, lost, np.ones(4)) == 0.5
