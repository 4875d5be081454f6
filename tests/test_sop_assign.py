"""Who is held out: by hash, evenly within strata, the same at every evaluation."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.sop.calc.assign import (
    BLOCK,
    HOLDOUT,
    NOT_RANDOMISED,
    TREAT,
    Entrant,
    assign,
    is_held,
    number,
    stratum_of,
    terciles,
)


def entrants(count: int, stratum: str = "1:ka") -> list[Entrant]:
    return [Entrant(f"customer:{k}", stratum) for k in range(count)]


def test_the_hash_is_the_same_on_every_machine():
    assert number("12:3", "who", "customer:7") == 2398318410110464361


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.25, 0.5, 0.9])
def test_each_stratum_holds_its_share_to_within_a_block(share):
    for count in (1, 7, 40, 333):
        arms = assign(entrants(count), salt="1:1", share=share)
        assert abs(arms.count(HOLDOUT) - share * count) < BLOCK * share * (1 - share) + 2


def test_every_place_has_the_chance_of_the_share():
    """Over many versions: the first place of a stratum is held out as often as the tenth."""
    for share in (0.13, 0.2):
        for place in (0, 1, 4, 9, 10):
            held = sum(is_held(f"s:{k}", "2:smb", place, share) for k in range(3_000))
            # 4 standard errors
            assert held / 3_000 == pytest.approx(
                share, abs=4 * (share * (1 - share) / 3_000) ** 0.5
            )


def test_who_is_held_out_does_not_depend_on_the_order_in_which_they_come():
    given_order = entrants(50)
    arms = dict(zip(given_order, assign(given_order, salt="1:1", share=0.2), strict=True))
    turned = given_order[::-1]
    assert dict(zip(turned, assign(turned, salt="1:1", share=0.2), strict=True)) == arms


def test_another_version_draws_anew():
    first = assign(entrants(200), salt="1:1", share=0.5)
    second = assign(entrants(200), salt="1:2", share=0.5)
    same = sum(a == b for a, b in zip(first, second, strict=True))
    assert 70 < same < 130


def test_one_a_day_is_as_even_as_all_at_once():
    placed, arms = Counter(), []
    for one in entrants(100):
        arms += assign([one], salt="1:1", share=0.2, placed=placed)
        placed[one.stratum] += 1
    assert arms.count(HOLDOUT) == 20
    assert all(arms[k : k + BLOCK].count(HOLDOUT) == 2 for k in range(0, 100, BLOCK))
    # not every fifth: nobody can foresee who is next
    assert len({tuple(arms[k : k + BLOCK]) for k in range(0, 100, BLOCK)}) > 3


def test_an_identity_keeps_its_arm_when_it_enters_again():
    everybody = entrants(60)
    arms = assign(everybody, salt="1:1", share=0.3)
    before = {one.key: arm for one, arm in zip(everybody, arms, strict=True)}
    again = assign(everybody, salt="1:1", share=0.3, placed={"1:ka": 60}, before=before)
    assert again == arms


def test_one_identity_twice_in_a_batch_has_one_arm():
    twice = [one for one in entrants(40) for _ in range(2)]
    arms = assign(twice, salt="1:1", share=0.5)
    assert arms[::2] == arms[1::2]
    assert arms.count(HOLDOUT) == 40


def test_started_by_hand_is_never_held_out():
    arms = assign(entrants(100, NOT_RANDOMISED), salt="1:1", share=0.9)
    assert set(arms) == {TREAT}


def test_no_share_no_hold_out_and_an_odd_share_is_refused():
    assert set(assign(entrants(100), salt="1:1", share=0.0)) == {TREAT}
    for share in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match="share"):
            assign(entrants(1), salt="1:1", share=share)


@given(
    st.lists(st.tuples(st.text(max_size=5), st.sampled_from(["1:a", "2:a", ""])), max_size=60),
    st.floats(0, 0.95),
    st.integers(0, 500),
)
def test_a_repeated_evaluation_says_the_same(found, share, already):
    batch = [Entrant(key, stratum) for key, stratum in dict(found).items()]
    placed = {"1:a": already}
    arms = assign(batch, salt="9:1", share=share, placed=placed)
    assert arms == assign(batch, salt="9:1", share=share, placed=placed)
    assert set(arms) <= {TREAT, HOLDOUT}


def test_strata_are_thirds_of_the_probability_by_tier():
    cuts = terciles([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, None])
    assert cuts == (0.2, 0.4)
    thirds = [stratum_of(p, cuts=cuts, tier="ka") for p in (0.1, 0.2, 0.3, 0.41, None)]
    assert thirds == ["1:ka", "1:ka", "2:ka", "3:ka", "-:ka"]
    assert stratum_of(0.1, cuts=None, tier=None) == "-:-"
    assert terciles([0.1, 0.2]) is None


@given(st.lists(st.floats(0, 1), min_size=3, max_size=80, unique=True))
def test_thirds_are_even(probabilities):
    cuts = terciles(probabilities)
    counted = Counter(stratum_of(p, cuts=cuts, tier="x") for p in probabilities)
    assert max(counted.values()) - min(counted.values()) <= 1
