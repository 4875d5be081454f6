"""What is said of a reason: the fact of the input that leads it, and of no neighbour."""

from math import log1p

import numpy as np
import pytest
from django.utils.translation import override

from gengyun.churn.calc.drivers import REASONS, drivers
from gengyun.churn.calc.features import FEATURES
from gengyun.web.present.churn import why
from gengyun.web.present.churn_facts import LEADING
from gengyun.web.present.churn_inputs import from_inputs
from gengyun.web.present.churn_names import feature_name
from gengyun.web.present.churn_reasons import sentence

SIZE = {"amount_minor": 12_340_000.0, "seats": 9.0}
USE = {"users_28": 7.0, "seats": 10.0, "daily_users_28": 3.0, "daily_users_prev90": 6.0,
       "rate_28": 90.0, "rate_prev90": 80.0, "users_90": 8.0, "users_prev90": 16.0,
       "users_lost_90": 4.0, "days_since_active": 12.0, "usual_gap": 2.5,
       "active_weeks_12": 11.0, "active_weeks_52": 20.0, "parts_28": 3.0, "parts_ever": 7.0,
       "events_28": 88.0}  # fmt: skip
OTHERS = {"tickets_90": 5.0, "severe_90": 2.0, "reopened_90": 1.0, "answer_hours": 30.0,
          "nps": 4.0, "nps_days": 77.0, "sentiment": 3.0, "sentiment_past": 1.5,
          "not_solved_90": 2.0, "not_solved_past": 6.0, "touches_past": 19.0, "touch_days": 41.0,
          "meetings_90": 0.0, "exec_contact_90": 0.0, "discount": 0.2, "price_rise": 0.08,
          "nth": 3.0, "tenure_days": 900.0, "term_months": 24.0}  # fmt: skip


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ("log_amount", "Amount that comes due: 123k"),
        ("seats_log", "Seats bought: 9"),
        ("util_28", "On a working day 30% of the bought seats"),
        ("util_prev90", "of the quarter before 60% of the bought seats"),
        ("seats_active_28", "7 people used it in the last 28 days, for 10 seats"),
        ("rate_28", "90 uses in the last 28 days"),
        ("users_90", "People who used it in 90 days: 8"),
        ("util_trend", "People a day: 50% less"),
        ("rate_trend", "Use is 12% above that of the quarter before"),
        ("users_trend", "50% fewer people"),
        ("users_lost_90", "25% of the people of the quarter before have stopped"),
        ("rate_year_trend", "use against the year before: speaks for leaving"),
        ("days_since_active", "Nobody has used it for 12 days"),
        ("gap_unusual", "Last used 12 days ago, usually every 2.5 days"),
        ("active_weeks_12", "Used in 11 of the last 12 weeks"),
        ("active_weeks_52", "Used in 20 of the last 52 weeks"),
        ("breadth_28", "Parts of the product in use in 28 days: 3"),
        ("breadth_trend", "in use in 28 days: 3, ever: 7"),
        ("depth_28", "In 28 days 88 uses by 7 people"),
        ("tickets_90", "Tickets in 90 days: 5"),
        ("severe_90", "Severe tickets in 90 days: 2"),
        ("reopened_90", "Tickets opened again in 90 days: 1"),
        ("answer_hours", "Hours to an answer in 90 days: 30"),
        ("nps_last", "Last NPS answer: 4"),
        ("nps_age", "The last NPS answer is 77 days old"),
        ("sentiment", "Sentiment of the CSM: 3 of 4"),
        ("sentiment_past", "in two years: 1.5 of 4"),
        ("not_solved_90", "Problems left unsolved in 90 days: 2"),
        ("not_solved_share", "Contacts in two years: 19, with a problem left unsolved: 6"),
        ("touch_gap", "Last contact 41 days ago"),
        ("meetings_90", "Meetings in 90 days: 0"),
        ("exec_contact_90", "Nobody talked with the decision maker in 90 days"),
        ("discount", "Discount of 20%"),
        ("price_increase", "Price increase of 8%"),
        ("nth", "Renewed 3 times before"),
        ("tenure", "A customer for 900 days"),
        ("term_months", "A term of 24 months"),
    ],
)
def test_the_sentence_tells_the_input_that_leads_the_reason(feature, said):
    """The demo said "9 seats bought" of 215 forecasts that the amount drove."""
    reason = next(reason for reason, keys in REASONS.items() if feature in keys)
    facts = USE if reason.startswith("use_") else SIZE | OTHERS
    with override("en"):
        assert said in sentence(reason, facts, is_worse=True, feature=feature)


def test_every_input_of_a_shared_reason_has_its_own_sentence():
    assert set(LEADING) == {key for keys in REASONS.values() for key in keys}


def test_the_card_asks_by_the_leading_input_in_both_languages():
    class Forecast:
        probability, base = 0.2, 0.29
        drivers = ({"feature": "log_amount", "reason": "size", "points": -0.09, "fact": SIZE},)

    with override("zh-hans"):
        assert why(Forecast).drivers[0].text == "到期金额 12.3 万"
    with override("en"):
        assert why(Forecast).drivers[0].text == "Amount that comes due: 123k"


@pytest.mark.parametrize(
    ("reason", "feature", "value", "said"),
    [
        ("size", "log_amount", log1p(123_400), "Amount that comes due: 123k"),
        ("history", "tenure", log1p(900), "A customer for 900 days"),
        ("tickets", "answer_hours", log1p(30), "Hours to an answer in 90 days: 30"),
        ("unsolved", "not_solved_share", 0.4, "with an unsolved problem: 40%"),
        ("key_contact_gap", "key_contact_gap", log1p(26), "have not used it for 26 days"),
        ("csat_last", "csat_last", 4.0, "CSAT of 4"),
        ("promises_overdue", "promises_overdue", log1p(2), "Promises overdue: 2"),
        ("lag", "lag", 90.0, "90 days to the due day"),
        ("risks_fading", "risks_fading", 0.0, "No risk is noted"),
        # a count per seat, or fading, is no count: the name alone
        ("tickets", "tickets_90", 0.7, "tickets in 90 days: speaks for leaving"),
        ("risks_fading", "risks_fading", 1.4, "older ones counted less: speaks for leaving"),
    ],
)
def test_a_stored_miss_is_told_in_raw_numbers(reason, feature, value, said):
    fact = from_inputs({feature: value})
    with override("en"):
        assert said in sentence(reason, fact, is_worse=True, feature=feature)


def test_more_of_what_a_name_says_is_more_risk_where_the_sign_says_so():
    """The settings say "more is more risk" beside the name of an input."""
    with override("en"):
        names = {one.key: feature_name(one.key) for one in FEATURES}
    assert names["key_contact_gap"] == "days since deciders and champions used it"
    assert not {key for key, name in names.items() if key == name and "_" in key}
    rising = {one.key for one in FEATURES if one.sign > 0}
    assert not {key for key in rising if names[key].startswith(("use", "share of seats"))}
    with override("zh-hans"):
        assert feature_name("key_contact_gap") == "决策人和拥护者多少天没用"


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ("util_14_vs_28", "Use in two weeks is 39% below that of four weeks"),
        ("rate_year_trend", "Use in 90 days is 39% below that of the year before"),
    ],
)
def test_a_ratio_without_raw_numbers_is_kept_and_told_itself(feature, said):
    x, shares = np.array([[-0.5]]), np.array([[0.8]])
    raw = {"daily_users_28": np.array([3.0]), "seats": np.array([9.0]), "rate_28": np.array([3.0])}
    [[driver]] = drivers([feature], x, np.array([0.0]), shares, raw)
    with override("en"):
        assert said in sentence("use_trend", driver["fact"], is_worse=True, feature=feature)
