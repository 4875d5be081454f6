"""Inputs from what was heard and felt before: the newest counts most, the oldest is not forgotten
at once (`snapshot_facts`)."""

from datetime import date

import numpy as np
import pytest
from django.utils.translation import override

from gengyun.churn.calc.observed import KINDS, NEVER, Facts, Observed
from gengyun.churn.calc.snapshot import snapshot
from gengyun.web.present.churn_reasons import sentence

AT = np.datetime64("2026-01-01")
ASKED, OTHER = 7, 8


def seen(*facts):
    """The snapshot of one customer; each fact (kind, days ago, value, days ago it was over)."""
    kind, ago, value, over = zip(*facts, strict=True)
    happened = AT - np.array(ago)
    until = [NEVER if one is None else AT - one for one in over]
    who = [OTHER if name.startswith("-") else ASKED for name in kind]
    places = [KINDS.index(name.removeprefix("-")) for name in kind]
    found = Facts.of(
        account=who, kind=places, happened=happened, known=happened, value=value, until=until
    )
    observed = Observed(accounts=np.array([ASKED, OTHER]), until=date(2026, 6, 1), facts=found)
    return snapshot(observed, account=[ASKED], at=[AT])


def test_the_mood_of_half_a_year_ago_counts_half():
    made = seen(("sentiment", 1, 1.0, None), ("sentiment", 181, 4.0, 91))
    assert made.column("sentiment")[0] == 1  # the other is not valid any more
    assert made.column("sentiment_past")[0] == pytest.approx((1 + 0.5 * 4) / 1.5)
    assert np.isnan(seen(("-sentiment", 1, 1.0, None)).column("sentiment_past")[0])


def test_a_share_of_few_contacts_says_little():
    one = seen(("touch", 1, np.nan, None), ("not_solved", 1, np.nan, None))
    assert one.column("not_solved_share")[0] == pytest.approx(1 / 2)
    many = [("touch", 1, np.nan, None), ("not_solved", 1, np.nan, None)] * 9
    assert seen(*many).column("not_solved_share")[0] == pytest.approx(9 / 10)
    assert np.isnan(seen(("touch", 1, np.nan, None)).column("not_solved_share")[0])
    quiet = seen(("touch", 1, np.nan, None), ("-not_solved", 1, np.nan, None))
    assert quiet.column("not_solved_share")[0] == 0


def test_risks_fade_and_what_is_over_is_gone():
    left, rival = ("decider_left", 361, np.nan, None), ("competitor", 181, np.nan, None)
    assert seen(left, rival).column("risks_fading")[0] == pytest.approx(0.25 + 0.5)
    assert seen(left, rival).column("decision_maker_change")[0] == 0  # flags forget
    over = ("competitor", 181, np.nan, 30)
    assert seen(left, over).column("risks_fading")[0] == pytest.approx(0.25)
    assert seen(("-layoff", 5, np.nan, None)).column("risks_fading")[0] == 0
    assert np.isnan(seen(("touch", 5, np.nan, None)).column("risks_fading")[0])


@pytest.mark.parametrize(
    ("reason", "fact", "said"),
    [
        ("mood", {"sentiment": 3, "sentiment_past": 2.4}, "3 of 4"),
        ("mood", {"sentiment_past": 2.4}, "in two years: 2.4 of 4"),
        ("unsolved", {"not_solved_90": 2, "touches_past": 9, "not_solved_past": 4}, "90 days: 2"),
        ("unsolved", {"touches_past": 9, "not_solved_past": 4}, "unsolved: 4"),
        ("unsolved", {"not_solved_90": 0}, "90 days: 0"),
        ("risks_fading", {"risks_noted": 2}, "three years: 2"),
        ("risks_fading", {"risks_noted": 0}, "No risk"),
    ],
)
def test_each_has_its_sentence(reason, fact, said):
    with override("en"):
        assert said in sentence(reason, fact, is_worse=True)
