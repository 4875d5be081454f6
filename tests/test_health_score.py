"""The health score: points add up, weights move where data is missing, bands, caps, coverage."""

import json
import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.health.calc.bands import band, plain_band
from gengyun.health.calc.config import ConfigInvalid, parse_config
from gengyun.health.calc.diff import diff, movers, slim
from gengyun.health.calc.score import Card, Previous, curve_score, score

DAY = date(2026, 3, 2)
CARD = Card(1, 1, "标准", "Standard")


def factor(key, weight=1, missing="exclude", curve=((0, 0), (100, 100))):
    points = [list(point) for point in curve]
    return {"key": key, "metric": key, "weight": weight, "curve": points, "missing": missing}


def group(key, weight, *factors):
    return {"key": key, "name_zh": key, "name_en": key, "weight": weight, "factors": list(factors)}


def cap(metric, op, value, cap_at, key="cap"):
    when = {"metric": metric, "op": op, "value": value}
    return {"key": key, "when": when, "cap_at": cap_at, "reason_zh": "因", "reason_en": "why"}


def config(*groups, **rest):
    return parse_config({"groups": list(groups), **rest})


def judge(cfg, inputs, previous=None, as_of=DAY):
    return score(cfg, inputs, previous, as_of=as_of, card=CARD, infos={})


def parts(explanation):
    return {p["key"]: p for g in explanation["groups"] for p in g["factors"]}


TWO = config(group("adoption", 60, factor("a", 2), factor("b", 1)), group("habit", 40, factor("c")))


def test_score_is_the_weighted_mean_of_weighted_means():
    found = judge(TWO, {"a": 90, "b": 30, "c": 50})
    # adoption (2x90 + 30)/3 = 70; 0.6 x 70 + 0.4 x 50 = 62
    assert found["score"] == pytest.approx(62, abs=1e-5)
    assert [g["score"] for g in found["groups"]] == pytest.approx([70, 50])
    assert parts(found)["a"]["points"] == pytest.approx(36, abs=1e-5)
    assert found["band"] == "C"
    assert found["coverage"] == 1
    assert json.loads(json.dumps(found)) == found


def test_weight_of_a_missing_factor_stays_in_its_group():
    found = judge(TWO, {"a": 90, "b": None, "c": 50})
    assert parts(found)["a"]["effective_weight"] == pytest.approx(0.6)
    assert parts(found)["c"]["effective_weight"] == pytest.approx(0.4)
    assert parts(found)["b"]["source"] == "none"
    assert found["score"] == pytest.approx(74, abs=1e-5)
    assert found["coverage"] == pytest.approx(0.8)


def test_weight_of_an_empty_group_goes_to_the_others_in_proportion():
    cfg = config(
        group("x", 50, factor("a")), group("y", 30, factor("b")), group("z", 20, factor("c")),
        min_coverage=0.5,
    )  # fmt: skip
    found = judge(cfg, {"a": 80, "b": 40})
    assert [g["effective_weight"] for g in found["groups"]] == pytest.approx([0.625, 0.375, 0])
    assert found["score"] == pytest.approx(65, abs=1e-5)
    assert found["groups"][2]["score"] is None


def test_too_little_coverage_gives_no_number():
    found = judge(TWO, {"c": 50})  # 40 % of the weight
    assert (found["score"], found["raw_score"], found["band"]) == (None, None, "N")
    assert found["reason"] == "coverage"
    assert parts(found)["c"]["points"] is None


def test_unknown_is_never_zero():
    assert judge(TWO, {})["score"] is None
    assert judge(TWO, {"a": math.nan, "b": math.inf})["coverage"] == 0
    assert judge(TWO, {"a": 0, "b": 0, "c": 0})["score"] == 0


def test_treat_as_counts_for_the_score_but_not_for_coverage():
    cfg = config(group("g", 1, factor("a", 3), factor("b", 1, {"treat_as": 20})))
    found = judge(cfg, {"a": 100})
    assert found["score"] == pytest.approx(80)
    assert found["coverage"] == pytest.approx(0.75)
    assert parts(found)["b"]["source"] == "assumed"


def test_carry_forward_takes_the_last_value_until_it_is_too_old():
    cfg = config(group("g", 1, factor("a"), factor("b", 1, {"carry_forward": 30})))
    old = Previous("C", {"b": (40.0, date(2026, 2, 10))})
    found = judge(cfg, {"a": 80}, old)
    assert parts(found)["b"]["value_as_of"] == "2026-02-10"
    assert parts(found)["b"]["missing"] == "carry_forward"
    assert found["score"] == pytest.approx(60)
    late = judge(cfg, {"a": 80}, old, as_of=date(2026, 3, 13))
    assert parts(late)["b"]["source"] == "none"


def test_block_makes_the_whole_score_unknown():
    cfg = config(group("g", 1, factor("a", 9), factor("b", 1, "block")))
    assert judge(cfg, {"a": 80})["reason"] == "blocked"
    assert judge(cfg, {"a": 80, "b": 80})["score"] == pytest.approx(80)


def test_the_lowest_cap_applies_with_its_reason():
    caps = [cap("c", "gte", 50, 60, "one"), cap("c", "gt", 20, 40, "two"), cap("c", "lt", 9, 5)]
    cfg = config(group("g", 1, factor("a"), factor("c", 0.0001)), caps=caps)
    found = judge(cfg, {"a": 90, "c": 50})
    assert found["score"] == 40
    assert found["raw_score"] > 89
    assert found["cap"]["key"] == "two"
    assert found["band"] == "D"
    assert judge(cfg, {"a": 30, "c": 50})["cap"] is None  # a cap never raises
    assert judge(cfg, {"a": 90, "c": None})["cap"] is None  # unknown is no evidence


def test_a_cap_is_not_softened_by_the_margin():
    cfg = config(group("g", 1, factor("a")), caps=[cap("a", "gte", 0, 49)])
    assert judge(cfg, {"a": 90}, Previous("C", {}))["band"] == "D"


@pytest.mark.parametrize(
    ("value", "letter"),
    [
        (100, "A"),
        (80, "A"),
        (79.999, "B"),
        (65, "B"),
        (64.9, "C"),
        (50, "C"),
        (49.9, "D"),
        (0, "D"),
    ],
)
def test_bands_are_half_open(value, letter):
    assert plain_band(TWO, value) == letter


@pytest.mark.parametrize(
    ("previous", "value", "letter"),
    [
        ("A", 77, "A"), ("A", 76.9, "B"), ("B", 82.9, "B"), ("B", 83, "A"), ("B", 62, "B"),
        ("B", 61.9, "C"), ("A", 40, "D"), ("D", 52.9, "D"), ("D", 53, "C"), ("D", 100, "A"),
        ("N", 79.9, "B"), (None, 80, "A"),
    ],
)  # fmt: skip
def test_a_band_is_kept_within_three_points(previous, value, letter):
    assert band(TWO, value, previous) == letter


def test_equal_scores_of_all_factors_give_exactly_that_score():
    cfg = config(group("g", 1, factor("a"), factor("b"), factor("c")))
    for value in (80, 65, 50, 100):
        assert judge(cfg, {"a": value, "b": value, "c": value})["score"] == value


def test_curve_is_linear_between_points_and_flat_outside():
    curve = ((1.0, 10.0), (3.0, 50.0), (4.0, 100.0))
    assert [curve_score(curve, v) for v in (0, 1, 2, 3, 3.5, 9)] == [10, 10, 30, 50, 75, 100]
    falling = ((0.0, 100.0), (30.0, 0.0))
    assert curve_score(falling, 15) == 50


values = st.one_of(st.none(), st.floats(-50, 150))
weights = st.floats(0.01, 100)
policies = st.sampled_from(["exclude", {"treat_as": 33.3}, {"carry_forward": 9}])


@st.composite
def cases(draw):
    """A random scorecard, two days of inputs, sometimes with a cap."""
    groups, keys = [], []
    for g in range(draw(st.integers(1, 4))):
        factors = []
        for f in range(draw(st.integers(1, 4))):
            keys.append(f"g{g}f{f}")
            factors.append(factor(keys[-1], draw(weights), draw(policies)))
        groups.append(group(f"g{g}", draw(weights), *factors))
    caps = [cap(draw(st.sampled_from(keys)), "gt", draw(st.floats(0, 100)), draw(st.floats(0, 99)))]
    cfg = config(*groups, caps=caps if draw(st.booleans()) else [], min_coverage=draw(
        st.sampled_from([0.0, 0.3, 0.6])
    ))  # fmt: skip
    days = [{key: draw(values) for key in keys} for _ in range(2)]
    return cfg, *days


@given(cases())
def test_points_add_up_exactly_and_stay_in_range(case):
    cfg, inputs, _ = case
    found = judge(cfg, inputs)
    weights_sum = math.fsum(p["weight"] for p in parts(found).values())
    assert weights_sum == pytest.approx(1)
    assert 0 <= found["coverage"] <= 1
    if found["score"] is None:
        assert found["band"] == "N"
        return
    points = [p["points"] for p in parts(found).values()]
    assert sum(points) == found["raw_score"]  # plain float sum: exact, not approximate
    assert sum(g["points"] for g in found["groups"]) == found["raw_score"]
    assert math.fsum(p["effective_weight"] for p in parts(found).values()) == pytest.approx(1)
    assert 0 <= found["score"] <= found["raw_score"] <= 100
    assert (found["cap"] is None) == (found["score"] == found["raw_score"])
    for part in parts(found).values():
        assert (part["effective_weight"] > 0) == (part["score"] is not None)


def oracle(cfg, inputs):
    """Slow and obvious: the mean of means over what is there."""
    top = bottom = 0.0
    for g in cfg.groups:
        there = [
            (f.weight, min(100, max(0, inputs[f.key])) if inputs[f.key] is not None else 33.3)
            for f in g.factors
            if inputs[f.key] is not None or f.missing == "treat_as"
        ]
        if there:
            top += g.weight * sum(w * s for w, s in there) / sum(w for w, _ in there)
            bottom += g.weight
    return top / bottom if bottom else None


@given(cases())
def test_raw_score_agrees_with_the_slow_oracle(case):
    cfg, inputs, _ = case
    found = judge(cfg, inputs)
    if found["raw_score"] is not None:
        assert found["raw_score"] == pytest.approx(oracle(cfg, inputs), abs=1e-5)


@given(cases())
def test_difference_adds_up_exactly_to_the_change(case):
    cfg, first, second = case
    before, after = judge(cfg, first), judge(cfg, second)
    for found in (diff(before, after), diff(slim(before), after)):
        if found["change"] is None:
            assert before["score"] is None or after["score"] is None
            continue
        total = sum(f["change"] for f in found["factors"]) + found["cap_change"]
        assert total == found["change"]


def test_difference_between_two_scorecards_still_adds_up():
    other = config(group("new", 1, factor("z"), factor("a", 3)))
    before = judge(TWO, {"a": 90, "b": 30, "c": 50})
    after = score(
        other, {"z": 10, "a": 30}, None, as_of=DAY, card=Card(2, 1, "新", "New"), infos={}
    )
    found = diff(before, after)
    assert sum(f["change"] for f in found["factors"]) == found["change"]
    assert found["version_changed"]
    assert {f["key"] for f in found["factors"]} == {"a", "b", "c", "z"}


def test_movers_name_the_biggest_moves_and_the_cap():
    cfg = config(group("g", 1, factor("a"), factor("b")), caps=[cap("b", "lt", 5, 20)])
    found = diff(judge(cfg, {"a": 90, "b": 90}), judge(cfg, {"a": 80, "b": 2}))
    names = [(m["name_en"], round(m["points"])) for m in movers(found)]
    assert names == [("b", -44), ("Cap", -21), ("a", -5)]


@given(cases(), st.data())
def test_a_better_value_never_lowers_the_score(case, data):
    cfg, inputs, _ = case
    if cfg.caps:
        return
    key = data.draw(st.sampled_from([k for k in inputs if inputs[k] is not None] or ["none"]))
    if key == "none":
        return
    worse, better = judge(cfg, inputs), judge(cfg, inputs | {key: inputs[key] + 10})
    if worse["score"] is not None:
        assert better["score"] >= worse["score"] - 1e-5


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"groups": []}, "no_groups", "groups"),
        ({"bands": {"A": 60, "B": 65, "C": 50}}, "bands_order", "bands"),
        ({"bands": {"A": 60}}, "bad_bands", "bands"),
        ({"hysteresis": -1}, "out_of_range", "hysteresis"),
        ({"bands": {"A": 99, "B": 65, "C": 50}}, "margin_wide", "hysteresis"),
        ({"min_coverage": "half"}, "not_a_number", "min_coverage"),
        ({"min_coverage": math.nan}, "not_a_number", "min_coverage"),
        ({"groups": [group("g", 0, factor("a"))]}, "weight_zero", "groups.0.weight"),
        ({"groups": [group("g", 1)]}, "no_factors", "groups.0.factors"),
        ({"groups": [group("g", 1, factor("a"), factor("a"))]}, "key_twice", "groups"),
        (
            {"groups": [group("g", 1, factor("a", curve=[(0, 0), (0, 9)]))]},
            "curve_order",
            "groups.0.factors.0.curve",
        ),
        (
            {"groups": [group("g", 1, factor("a", curve=[(0, 0), (1, 9), (2, 3)]))]},
            "curve_turns",
            "groups.0.factors.0.curve",
        ),
        (
            {"groups": [group("g", 1, factor("a", missing="guess"))]},
            "bad_missing",
            "groups.0.factors.0.missing",
        ),
        ({"caps": [cap("a", "near", 1, 50)]}, "bad_operator", "caps.0.when.op"),
        ({"caps": [cap("a", "lt", 1, 150)]}, "out_of_range", "caps.0.cap_at"),
    ],
)
def test_config_says_what_is_wrong_and_where(change, code, path):
    raw = {"groups": [group("g", 1, factor("a"))]} | change
    with pytest.raises(ConfigInvalid) as caught:
        parse_config(raw)
    assert (path, code) in [(p.path, p.code) for p in caught.value.problems]


def test_config_refuses_unknown_metrics():
    with pytest.raises(ConfigInvalid) as caught:
        parse_config({"groups": [group("g", 1, factor("a"))]}, known_metrics=["b"])
    assert caught.value.problems[0].code == "no_metric"
