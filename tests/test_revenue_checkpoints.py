"""The four questions, the automatic signal, the checkpoints at 180 and 90 days."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.revenue.calc import checkpoints as calc
from gengyun.revenue.calc.checkpoints import RENEW, RISK, UNKNOWN, WATCH, Facts

GOOD = Facts(
    has_terms=True, band="B", score=72.0, used_share=0.8, deciders=1, decider_talk_days=20, solved=2
)


def answers(facts):
    return {q: a.value for q, a in calc.self_check(facts).items()}


def judged(facts):
    return calc.signal(facts, answers(facts)).kind


def test_facts_that_are_all_good_answer_four_times_yes():
    assert answers(GOOD) == {1: True, 2: True, 3: True, 4: True}
    assert judged(GOOD) == RENEW


def test_nothing_known_answers_nothing():
    assert answers(Facts()) == dict.fromkeys((1, 2, 3, 4))
    assert judged(Facts()) == UNKNOWN


@pytest.mark.parametrize(
    ("change", "question", "value"),
    [
        ({"disputed": 1}, 1, False),
        ({"overdue_days": 31}, 1, False),
        ({"overdue_days": 30}, 1, True),
        ({"has_terms": False}, 1, None),
        ({"band": "D"}, 2, False),
        ({"band": "C"}, 2, None),
        ({"band": "N"}, 2, None),
        ({"band": "C", "used_share": 0.3}, 2, False),
        ({"used_share": 0.3}, 2, None),
        ({"deciders": 0, "decider_left": "周敏"}, 3, False),
        ({"deciders": 0}, 3, None),
        ({"decider_talk_days": 61}, 3, None),
        ({"decider_talk_days": 121}, 3, False),
        ({"decider_talk_days": None}, 3, None),
        ({"unsolved": 1}, 4, False),
        ({"step_late_days": 7}, 4, True),
        ({"step_late_days": 8}, 4, False),
        ({"late_alerts": 1}, 4, False),
        ({"solved": 0}, 4, None),
    ],
)
def test_each_question_follows_its_facts(change, question, value):
    found = calc.self_check(replace(GOOD, **change))
    assert found[question].value is value
    others = {q: a.value for q, a in found.items() if q != question}
    assert set(others.values()) == {True}
    if value is False:
        assert found[question].why, "a no names its facts"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"notice_given": True}, RISK),
        ({"band": "D"}, RISK),
        ({"deciders": 0, "decider_left": "周敏"}, RISK),
        ({"overdue_days": 61}, RISK),
        ({"urgent_alerts": 1}, RISK),
        ({"unsolved": 1, "disputed": 1}, RISK),  # two times no
        ({"overdue_days": 31}, WATCH),
        ({"unsolved": 1}, WATCH),
        ({"band": "C"}, WATCH),
        ({"alerts": 1}, WATCH),
        ({"used_share": 0.2}, WATCH),
        ({"band": "N"}, UNKNOWN),
    ],
)
def test_the_signal_says_why(change, expected):
    facts = replace(GOOD, **change)
    found = calc.signal(facts, answers(facts))
    assert found.kind == expected
    assert found.why or expected == UNKNOWN


def test_a_persons_no_counts_in_the_signal():
    assert calc.signal(GOOD, {1: True, 2: True, 3: False, 4: True}).kind == WATCH
    assert calc.signal(GOOD, {1: False, 2: True, 3: False, 4: True}).kind == RISK


def test_at_90_days_watch_is_no_longer_an_answer():
    assert calc.views_at(180) == (RENEW, WATCH, RISK)
    assert calc.views_at(90) == (RENEW, RISK)
    assert calc.signal_at(WATCH, 90) == RISK
    assert calc.signal_at(WATCH, 180) == WATCH


def test_only_two_known_opinions_can_disagree():
    assert calc.disagree(RISK, RENEW)
    assert calc.disagree(WATCH, RENEW)
    assert not calc.disagree(RISK, RISK)
    assert not calc.disagree(UNKNOWN, RISK)
    assert not calc.disagree(RISK, "")


def test_the_gap_is_widest_where_a_promise_meets_a_risk():
    assert calc.gap("commit", RISK) > calc.gap("expected", RISK) > calc.gap("commit", WATCH) > 0
    assert calc.gap("signed", RISK) == 0
    assert calc.gap("unjudged", RISK) == 0
    assert calc.gap("at_risk", RISK) == 0


@pytest.mark.parametrize(
    ("left", "done", "expected"),
    [(181, [], []), (180, [], [180]), (100, [180], []), (90, [180], [90]), (90, [], [90]),
     (40, [180, 90], []), (-1, [], [])],
)  # fmt: skip
def test_checkpoints_open_once_at_180_and_90_days(left, done, expected):
    assert calc.opens_on(left, done) == expected


facts = st.builds(
    Facts,
    has_terms=st.none() | st.booleans(),
    notice_given=st.booleans(),
    disputed=st.integers(0, 2),
    overdue_days=st.none() | st.integers(1, 200),
    band=st.none() | st.sampled_from("ABCDN"),
    used_share=st.none() | st.floats(0, 2),
    deciders=st.integers(0, 2),
    decider_left=st.sampled_from(["", "周敏"]),
    decider_talk_days=st.none() | st.integers(0, 400),
    solved=st.integers(0, 2),
    unsolved=st.integers(0, 2),
    step_late_days=st.none() | st.integers(0, 30),
    late_alerts=st.integers(0, 2),
    urgent_alerts=st.integers(0, 1),
    alerts=st.integers(0, 2),
)
ORDER = [RENEW, UNKNOWN, WATCH, RISK]


@given(facts)
def test_one_more_bad_fact_never_makes_the_signal_better(found):
    before = ORDER.index(judged(found))
    for worse in (
        {"notice_given": True}, {"band": "D"}, {"urgent_alerts": 1},
        {"disputed": found.disputed + 1}, {"unsolved": found.unsolved + 1},
    ):  # fmt: skip
        assert ORDER.index(judged(replace(found, **worse))) >= before
