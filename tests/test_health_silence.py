"""Silence, warnings before it and false alarms: examples, and rules that hold for any history."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gengyun.health.calc import silence
from gengyun.health.calc.silence import Week, known_days, outcome, tally

START = date(2026, 1, 4)


def weeks(*pairs):
    """(idle days, band) week by week."""
    return [Week(START + timedelta(weeks=n), idle, band) for n, (idle, band) in enumerate(pairs)]


def test_a_silence_is_known_on_the_first_day_that_sees_it():
    line = weeks((1, "A"), (8, "A"), (29, "B"), (30, "C"), (37, "D"), (2, "A"), (31, "D"))
    days = known_days([(week.day, week.idle_days) for week in line])
    assert days == [START + timedelta(weeks=3), START + timedelta(weeks=6)]


def test_a_silence_that_stood_at_the_beginning_is_no_finding():
    assert known_days([(START, 50), (START + timedelta(weeks=1), 57)]) == []
    assert known_days([(START, None), (START + timedelta(weeks=1), 57)]) == []


def test_a_warning_counts_from_the_first_flag_before_the_silence():
    found = outcome(weeks((1, "B"), (8, "C"), (15, "C"), (22, "D"), (36, "D")))
    assert [episode.warned_days for episode in found.episodes] == [21]
    assert (found.was_flagged, found.is_false) == (True, False)


def test_a_flag_after_the_silence_is_known_is_no_warning():
    found = outcome(weeks((1, "A"), (20, "A"), (34, "D"), (41, "D")))
    assert [episode.warned_days for episode in found.episodes] == [None]
    assert not found.was_flagged


def test_a_flag_that_nothing_followed_is_false_once_ninety_days_have_passed():
    fourteen = [(1, "A")] * 13
    assert outcome(weeks((1, "C"), *fourteen)).is_false
    young = outcome(weeks((1, "C"), *fourteen[:5]))
    assert (young.was_flagged, young.is_false) == (False, False)  # too young to be judged


def test_a_tally_counts_customers_and_episodes():
    caught = outcome(weeks((1, "B"), (8, "C"), (22, "D"), (36, "D")))
    missed = outcome(weeks((1, "A"), (8, "A"), (36, "D")))
    false = outcome(weeks((1, "D"), *[(1, "A")] * 14))
    found = tally({1: caught, 2: missed, 3: false})
    assert (found.episodes, found.caught, found.flagged, found.false) == (2, 1, 2, 1)
    assert (found.warned_days, found.precision) == (14, 0.5)


histories = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 80)), st.sampled_from("ABCDN")), max_size=30
)


@given(histories)
def test_nothing_is_both_caught_and_false_and_counts_agree(pairs):
    found = outcome(weeks(*pairs))
    assert not (found.is_false and any(e.warned_days for e in found.episodes))
    assert all(e.warned_days is None or 0 < e.warned_days <= 90 for e in found.episodes)
    all_calm = outcome([Week(w.day, w.idle_days, "A") for w in weeks(*pairs)])
    assert len(all_calm.episodes) == len(found.episodes)  # silence does not hang on the score
    assert not all_calm.was_flagged


def test_later_silence_is_unknown_while_it_is_too_young():
    last = START + timedelta(days=89)
    assert silence.is_silent_later(START, [], last) is None
    assert silence.is_silent_later(START, [], last + timedelta(days=1)) is False
    assert silence.is_silent_later(START, [START + timedelta(days=7)], last) is True
