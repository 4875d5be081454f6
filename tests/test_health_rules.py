"""Rules that limit, lift or set a score, overrides above it, and curves from peers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.health.calc import peers
from gengyun.health.calc.config import ConfigInvalid, parse_config
from gengyun.health.calc.diff import diff, movers, slim
from gengyun.health.calc.score import Card, MetricInfo, PeerPart, curve_score, score

DAY = date(2026, 3, 2)
CARD = Card(1, 1, "卡", "Card")


def config(*rules, peers=None):
    factor = {"key": "a", "metric": "a", "weight": 1, "curve": [[0, 0], [100, 100]]}
    return parse_config(
        {
            "groups": [
                {"key": "g", "name_zh": "组", "name_en": "G", "weight": 1,
                 "factors": [factor | ({"peers": peers} if peers else {})]}
            ],
            "caps": [
                {"key": f"r{n}", "when": {"metric": m, "op": "gte", "value": 1}, field: level,
                 "reason_zh": "因为", "reason_en": "because"}
                for n, (m, field, level) in enumerate(rules)
            ],
        }
    )  # fmt: skip


def judge(found, value, *, override=None, curves=None, **facts):
    inputs = {"a": value, **facts}
    infos = {"a": MetricInfo()}
    return score(
        found, inputs, None, as_of=DAY, card=CARD, infos=infos,
        peers=curves or {}, override=override,
    )  # fmt: skip


def by_hand(mode, points):
    return {
        "id": 1, "mode": mode, "points": points, "reason": "r", "author": "林晓",
        "since": "2026-03-01", "until": "2026-03-31",
    }  # fmt: skip


@pytest.mark.parametrize(
    "rules, value, facts, expected, effect",
    [
        ([("x", "cap_at", 40)], 90, {"x": 1}, 40, "cap"),
        ([("x", "cap_at", 40)], 30, {"x": 1}, 30, None),  # a cap above the score does nothing
        ([("x", "floor_at", 60)], 30, {"x": 1}, 60, "floor"),
        ([("x", "floor_at", 60)], 90, {"x": 1}, 90, None),
        ([("x", "set_to", 55)], 90, {"x": 1}, 55, "set"),
        ([("x", "set_to", 55)], 90, {"x": 0}, 90, None),  # not met
        ([("x", "set_to", 55)], 90, {}, 90, None),  # unknown is not met
        # a bad fact beats a good one, the lowest cap and the highest floor decide
        ([("x", "floor_at", 60), ("y", "cap_at", 40)], 30, {"x": 1, "y": 1}, 40, "cap"),
        ([("x", "floor_at", 60), ("y", "cap_at", 70)], 30, {"x": 1, "y": 1}, 60, "floor"),
        ([("x", "cap_at", 60), ("y", "cap_at", 40)], 90, {"x": 1, "y": 1}, 40, "cap"),
        # the first that sets the score wins over everything
        ([("x", "cap_at", 20), ("y", "set_to", 80), ("x", "set_to", 10)], 50, {"x": 1, "y": 1}, 80,
         "set"),
    ],
)  # fmt: skip
def test_the_rules_decide_in_their_order(rules, value, facts, expected, effect):
    found = judge(config(*rules), value, **facts)
    assert found["score"] == expected
    assert found["raw_score"] == value
    assert (found["cap"] or {}).get("effect") == effect


def test_an_override_stands_above_and_the_computed_score_is_kept():
    found = judge(config(("x", "cap_at", 40)), 90, x=1, override=by_hand("set", 70))
    assert (found["score"], found["computed_score"], found["raw_score"]) == (70, 40, 90)
    assert (found["band"], found["override"]["author"]) == ("B", "林晓")
    added = judge(config(), 60, override=by_hand("add", -15))
    assert (added["score"], added["computed_score"]) == (45, 60)
    assert judge(config(), 95, override=by_hand("add", 30))["score"] == 100


def test_without_enough_data_only_a_set_score_is_a_number():
    assert judge(config(), None, override=by_hand("add", 10))["score"] is None
    found = judge(config(), None, override=by_hand("set", 70))
    assert (found["score"], found["computed_score"], found["band"]) == (70, None, "B")


values = st.one_of(st.none(), st.floats(0, 100, allow_nan=False))
overrides = st.one_of(
    st.none(),
    st.builds(by_hand, st.just("set"), st.floats(0, 100)),
    st.builds(by_hand, st.just("add"), st.floats(-50, 50)),
)
facts = st.fixed_dictionaries({"x": st.sampled_from([0, 1]), "y": st.sampled_from([0, 1])})


@given(values, values, overrides, overrides, facts, facts)
def test_a_change_is_exactly_factors_and_rules_and_overrides(a, b, before, after, old, new):
    cfg = config(("x", "cap_at", 40), ("y", "floor_at", 55))
    one, two = judge(cfg, a, override=before, **old), judge(cfg, b, override=after, **new)
    found = diff(slim(one), two)
    if one["score"] is None or two["score"] is None:
        assert found["change"] is None
        return
    parts = sum(f["change"] for f in found["factors"])
    assert parts + found["cap_change"] + found["override_change"] == found["change"]


def test_movers_name_the_override():
    found = diff(judge(config(), 80), judge(config(), 80, override=by_hand("set", 30)))
    assert [(m["name_en"], m["points"]) for m in movers(found)] == [("Override", -50)]


def test_explanations_of_the_release_before_can_still_be_compared():
    old = judge(config(), 80)
    for name in ("computed_score", "override"):
        del old[name]
    found = diff(slim(old), judge(config(), 50))
    assert (found["change"], found["override_change"], found["cap_change"]) == (-30, 0, 0)


def test_a_rule_has_one_level_and_peers_are_known():
    with pytest.raises(ConfigInvalid):
        config(("x", "cap_at", 400))
    with pytest.raises(ConfigInvalid) as caught:
        config(peers="friends")
    assert caught.value.problems[0].path == "groups.0.factors.0.peers"


@pytest.mark.parametrize(
    "day, quarter",
    [
        (date(2026, 1, 1), date(2026, 1, 1)),
        (date(2026, 3, 31), date(2026, 1, 1)),
        (date(2026, 4, 1), date(2026, 4, 1)),
        (date(2026, 12, 31), date(2026, 10, 1)),
    ],
)
def test_quarters(day, quarter):
    assert peers.quarter_of(day) == quarter


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.booleans())
def test_percentiles_lie_inside_and_make_a_curve_that_scores_in_order(found, is_rising):
    points = peers.percentiles(found)
    assert points == sorted(points)
    assert min(found) <= points[0]
    assert points[-1] <= max(found)
    curve = peers.curve(points, is_rising=is_rising)
    if curve is None:
        assert len(set(points)) == 1
        return
    scores = [curve_score(curve, x) for x in sorted(found)]
    assert all(20 <= s <= 100 for s in scores)
    assert scores == sorted(scores, reverse=not is_rising)


def test_percentiles_are_those_of_numpy():
    import numpy as np

    found = [3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0]
    assert peers.percentiles(found) == pytest.approx(np.percentile(found, [10, 35, 65, 90]))


def test_a_factor_measured_against_peers_says_so():
    curve = ((10.0, 20.0), (20.0, 50.0), (30.0, 80.0), (40.0, 100.0))
    found = judge(config(peers="tier"), 30, curves={"a": PeerPart("tier:1", 42, curve)})
    part = found["groups"][0]["factors"][0]
    assert (found["score"], part["peers"], part["peer_count"]) == (80, "tier:1", 42)
    assert judge(config(peers="tier"), 30)["score"] == 30  # too few peers: the fixed curve
