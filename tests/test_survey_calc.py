"""Numbers and questions of surveys: the oracle's figures, the interval, reading of answers."""

from datetime import UTC, date, datetime, timedelta
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.engagement.calc import invitations as i
from gengyun.engagement.calc import questionnaire as q
from gengyun.engagement.calc import surveys as s

yaml = pytest.importorskip("yaml")
KEYS = {  # what the oracle calls it -> how it is computed here
    "S06": {
        "per_response": lambda rows: s.nps(row.score for row in rows).value,
        "latest_per_contact": lambda rows: (
            s.nps(row.score for row in s.latest_per_contact(rows)).value
        ),
        "per_account_mean": lambda rows: s.nps(s.mean_per_customer(rows).values()).value,
    }
}


def _oracle(shared):
    path = shared / "oracles" / "survey.yaml"
    return {case["id"]: case for case in yaml.safe_load(path.read_text())}


def _given(rows):
    return [
        s.Given(customer, contact, datetime.fromisoformat(day).replace(tzinfo=UTC), score)
        for customer, contact, day, score in rows
    ]


def test_survey_numbers_are_the_oracles(shared):
    cases = _oracle(shared)
    assert set(cases) == {"S01", "S02", "S04", "S06", "S08", "S10", "S12"}
    seen = {}
    one = cases["S01"]["input"]
    share = one["promoters_pct"], one["detractors_pct"]
    seen["S01"] = {"nps": s.nps_of_counts(share[0], 100 - sum(share), share[1]).value}
    found = s.nps(cases["S02"]["input"]["scores"])
    seen["S02"] = {
        "promoters": found.promoters,
        "passives": found.passives,
        "detractors": found.detractors,
        "nps": found.value,
        "nps_rounded": round(found.value),
    }
    seen["S04"] = {"nps": s.nps(cases["S04"]["input"]["scores"])}
    rows = _given(cases["S06"]["input"]["responses"])
    seen["S06"] = {name: compute(rows) for name, compute in KEYS["S06"].items()}
    counts = cases["S08"]["input"]["counts"]
    satisfied = s.csat([score for score, times in counts.items() for _ in range(times)])
    seen["S08"] = {"csat_top2": satisfied.value, "csat_mean": satisfied.mean}
    easy = s.ces(cases["S10"]["input"]["scores"])
    seen["S10"] = {"ces_mean": easy.mean, "ces_top3": easy.value}
    seen["S12"] = {"mean_nps_score": s.mean_score(cases["S12"]["input"]["scores"])}
    for name, case in cases.items():
        assert set(seen[name]) == set(case["expected"]), name
        for key, expected in case["expected"].items():
            got = seen[name][key]
            if expected is None:
                assert got is None, (name, key)
            else:
                assert got == pytest.approx(expected, abs=case["tolerance"]), (name, key)


def test_no_answer_has_no_number():
    assert s.nps([]) is None
    assert s.csat([]) is None
    assert s.ces([]) is None
    assert s.mean_score([]) is None
    assert s.response(0, 0).value is None


def test_few_answers_are_no_number_to_print():
    assert not s.nps([10, 10, 9, 2]).is_enough
    assert s.nps([10, 10, 9, 2, 8]).is_enough


def _likeliest(b, c, n, difference):
    """The share of detractors of greatest likelihood under the difference, by looking at many."""
    best, found = -1.0, 0.0
    for step in range(1, 20_000):
        low = max(0.0, -difference)
        value = low + (1 - abs(difference)) / 2 * step / 20_000
        rest = 1 - 2 * value - difference
        if rest < 0 or value + difference < 0:
            continue
        chance = (value + difference) ** b * value**c * rest ** (n - b - c)
        if chance > best:
            best, found = chance, value
    return found


@pytest.mark.parametrize("cells", [(5, 2, 11), (3, 1, 8), (2, 4, 9)])
def test_interval_ends_are_where_the_score_test_turns(cells):
    """The closed form of the likeliest share agrees with a search, and the ends with the test."""
    b, c, n = cells
    for end, sign in zip(s.nps_interval(b, c, n), (1, -1), strict=True):
        difference = end / 100
        share = _likeliest(b, c, n, difference)
        variance = n * (2 * share + difference * (1 - difference))
        score = (b - c - n * difference) / variance**0.5
        assert score == pytest.approx(sign * s.Z95, abs=0.01)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_interval_holds_the_value_and_stays_on_the_scale(promoters, passives, detractors):
    found = s.nps_of_counts(promoters, passives, detractors)
    if found is None:
        assert promoters + passives + detractors == 0
        return
    assert -100.0001 <= found.low <= found.value + 1e-6
    assert found.value - 1e-6 <= found.high <= 100.0001
    assert found.high - found.low > 1  # never a point, also where everybody agrees
    mirrored = s.nps_of_counts(detractors, passives, promoters)
    assert mirrored.low == pytest.approx(-found.high, abs=1e-6)


def test_interval_covers_the_truth_as_often_as_it_says():
    """All outcomes of 20 answers, weighed by their chance: 93 to 98 % of intervals hold the truth
    (a score interval of a discrete thing cannot be exact)."""
    n = 20
    ends = {(b, c): s.nps_interval(b, c, n) for b in range(n + 1) for c in range(n + 1 - b)}
    for share_b, share_c in [(0.5, 0.2), (0.3, 0.3), (0.7, 0.1), (0.2, 0.5)]:
        truth = 100 * (share_b - share_c)
        covered = sum(
            comb(n, b)
            * comb(n - b, c)
            * share_b**b
            * share_c**c
            * (1 - share_b - share_c) ** (n - b - c)
            for (b, c), (low, high) in ends.items()
            if low <= truth <= high
        )
        assert 0.93 <= covered <= 0.98, (share_b, share_c, covered)


def test_t_is_that_of_the_tables():
    tables = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 9: 2.262, 30: 2.042, 200: 1.972}
    for freedom, value in tables.items():
        assert s.t95(freedom) == pytest.approx(value, abs=0.005)


def test_detractors_of_each_scale():
    assert s.is_low("nps", 6)
    assert not s.is_low("nps", 7)
    assert s.is_low("csat", 2)
    assert not s.is_low("ces", 4)
    assert not s.is_low("form", 1)
    assert not s.is_low("nps", None)


def _asked(round_, sent, answered=None):
    day = datetime(2026, 3, 1, tzinfo=UTC)
    at = None if answered is None else day + timedelta(days=answered)
    return i.Asked(7, round_, day + timedelta(days=sent), at)


def test_silence_counts_waves_without_any_answer_from_the_newest():
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=400)
    quiet = [_asked(1, 0, 5), _asked(2, 90), _asked(2, 95), _asked(3, 180)]
    assert i.silence(quiet, at) == {7: 2}
    assert i.silence([*quiet, _asked(3, 181, 183)], at) == {7: 0}
    # a wave that has just gone out says nothing yet
    assert i.silence([*quiet, _asked(4, 395)], at) == {7: 2}
    # what came after the day was not known on it
    assert i.silence([_asked(1, 0, 399)], at - timedelta(days=2)) == {7: 1}
    assert i.silence([_asked(4, 395)], at) == {}
    assert i.silence([], at) == {}


def test_links_end():
    now = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    day = timedelta(days=1)

    def state(**changes):
        asked = {"now": now, "expires_at": now + day, "closed_at": None, "answered_at": None}
        return i.link_state(**(asked | changes))

    assert state() == "open"
    assert state(expires_at=now) == "expired"
    assert state(closed_at=now - day) == "closed"
    assert state(answered_at=now - day + timedelta(minutes=1)) == "changeable"
    assert state(answered_at=now - day) == "answered"
    assert state(answered_at=now, closed_at=now) == "answered"
    assert state(answered_at=now, expires_at=now) == "answered"


def test_reminders_are_counted_from_the_invitation():
    sent = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
    assert i.reminder_due(sent, [10, 4], 0) == sent + timedelta(days=4)
    assert i.reminder_due(sent, [10, 4], 1) == sent + timedelta(days=10)
    assert i.reminder_due(sent, [10, 4], 2) is None
    assert i.reminder_due(sent, [], 0) is None
    assert i.reminder_due(None, [4], 0) is None


def test_quarters_name_waves():
    assert i.quarter_key(date(2026, 1, 1)) == "2026-Q1"
    assert i.quarter_key(date(2026, 12, 31)) == "2026-Q4"


# --- questions --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["nps", "csat", "ces", "form"])
def test_standard_questions_can_be_asked(kind):
    assert q.check(kind, q.standard(kind)) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda one: one | {"key": "1st"}, "key"),
        (lambda one: one | {"kind": "file"}, "kind"),
        (lambda one: one | {"zh": "", "en": ""}, "zh"),
        (lambda one: one | {"zh": "x" * 301}, "zh"),
        (lambda one: one | {"zh": "a\x00b"}, "zh"),
        (lambda one: one | {"kind": "scale"}, "least"),
        (lambda one: one | {"kind": "scale", "least": 0, "most": 99}, "least"),
        (lambda one: one | {"kind": "scale", "least": True, "most": 5}, "least"),
        (lambda one: one | {"kind": "choice", "options": [{"key": "a", "zh": "甲"}]}, "options"),
        (
            lambda one: one | {"kind": "choices", "options": [{"key": "a", "zh": "甲"}] * 2},
            "options",
        ),
        (lambda one: one | {"when": {"over": 3}}, "when"),
        (lambda one: one | {"when": {"most": float("nan")}}, "when"),
    ],
)
def test_bad_questions_are_named(change, where):
    question = {"key": "said", "kind": "text", "zh": "说点什么", "en": "Say something"}
    assert q.check("form", [question]) == []
    assert [fault.field for fault in q.check("form", [change(question)])] == [where]


def test_score_comes_first_and_keeps_its_scale():
    questions = q.standard("nps")
    assert q.check("nps", questions[1:])
    assert q.check("nps", [questions[1], questions[0]])
    assert q.check("nps", [questions[0] | {"most": 5}])
    assert q.check("form", questions)
    assert q.check("nps", [])
    assert q.check("nps", questions * 4)
    assert q.check("nps", "score")
    assert q.check("nps", ["score"])


def test_follow_up_depends_on_the_score():
    questions = q.standard("nps")
    keys = {score: [one["key"] for one in q.asked(questions, score)] for score in (3, 7, 10)}
    assert keys == {3: ["score", "why_low"], 7: ["score", "why_middle"], 10: ["score", "why_high"]}
    assert [one["key"] for one in q.asked(questions, None)] == ["score"]


@pytest.mark.parametrize("text", ["", "11", "-1", "9.5", "٩", "9" * 40, "nan", "9\x00", "²"])
def test_odd_scores_are_none(text):
    assert q.read_score("nps", text) is None


def test_scores_are_read_on_their_scale():
    assert q.read_score("nps", "0") == 0
    assert q.read_score("csat", "0") is None
    assert q.read_score("ces", "7") == 7
    assert q.read_score("form", "1") is None


def test_answers_are_read_by_what_was_offered():
    options = [{"key": "a", "zh": "甲"}, {"key": "b", "zh": "乙"}]
    questions = [
        {"key": "said", "kind": "text", "zh": "?"},
        {"key": "one", "kind": "choice", "zh": "?", "options": options},
        {"key": "some", "kind": "choices", "zh": "?", "options": options},
        {"key": "step", "kind": "scale", "least": 1, "most": 3, "zh": "?", "required": True},
    ]
    found = q.read(
        questions, {"said": ["  好\x00\ud800 "], "one": ["b"], "some": ["b", "a"], "step": ["3"]}
    )
    assert found == q.Read({"said": "好", "one": "b", "some": ["a", "b"], "step": 3}, {})
    assert q.comment_of(questions, found.values) == "好"
    bad = q.read(questions, {"one": ["c"], "some": ["a", "z"], "step": ["4"], "other": ["x"]})
    assert bad.values == {}
    assert set(bad.errors) == {"one", "some", "step"}
    assert set(q.read(questions, {}).errors) == {"step"}
    assert len(q.read(questions, {"said": ["长" * 9_000]}).values["said"]) == q.TEXT_LENGTH


def test_answered_questions_keep_what_they_measure():
    before = q.standard("nps")
    assert q.kept_questions(before, before) == []
    reworded = [before[0] | {"zh": "换个说法"}, *before[1:]]
    assert q.kept_questions(before, reworded) == []
    assert q.kept_questions(before, before[:2]) == ["why_middle", "why_high"]
    assert q.kept_questions(before, [before[0] | {"most": 5}, *before[1:]]) == ["score"]
