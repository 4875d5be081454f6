"""Which raw numbers of a snapshot tell an input to a person (`Snapshot.fact`)."""

from collections.abc import Sequence

import numpy as np

from gengyun.churn.calc.table import Floats

EVIDENCE: dict[str, tuple[str, ...]] = {
    "util_28": ("daily_users_28", "seats", "users_28"),
    "util_prev90": ("daily_users_prev90", "seats"),
    "util_trend": ("daily_users_28", "daily_users_prev90", "seats"),
    "util_14_vs_28": (),  # the ratio itself: no raw number of two weeks is kept
    "seats_active_28": ("users_28", "seats"),
    "rate_28": ("events_28", "rate_28"),
    "rate_90": ("rate_28", "rate_prev90"),
    "rate_trend": ("rate_28", "rate_prev90"),
    "rate_trend_90": ("rate_28", "rate_prev90"),
    "events_year": ("events_year",),
    "active_days_90": ("active_days_90",),
    "active_days_year": ("active_days_year",),
    "rate_year_trend": (),  # itself: the rates kept are of other spans
    "users_28": ("users_28", "users_prev90"),
    "users_90": ("users_90", "users_prev90"),
    "users_year": ("users_90",),
    "users_trend": ("users_90", "users_prev90"),
    "users_lost_90": ("users_lost_90", "users_prev90"),
    "depth_28": ("events_28", "users_28"),
    "breadth_28": ("parts_28", "parts_ever"),
    "breadth_trend": ("parts_28", "parts_ever"),
    "power_user_share": ("power_user_share", "users_90"),
    "days_since_active": ("days_since_active", "usual_gap"),
    "gap_unusual": ("days_since_active", "usual_gap"),
    "active_weeks_12": ("active_weeks_12",),
    "active_weeks_52": ("active_weeks_52",),
    "key_contact_gap": ("key_contact_days",),
    "activation": ("users_ever", "seats"),
    "milestone_delay": ("milestone_days",),
    "tickets_90": ("tickets_90",),
    "severe_90": ("severe_90",),
    "reopened_90": ("reopened_90",),
    "answer_hours": ("answer_hours",),
    "promises_overdue": ("promises_overdue",),
    "feedback_age": ("feedback_days",),
    "nps_last": ("nps", "nps_days"),
    "nps_age": ("nps_days",),
    "csat_last": ("csat",),
    "sentiment": ("sentiment",),
    "sentiment_past": ("sentiment_past",),
    "decision_maker_change": ("decision_maker_change_days",),
    "champion_left": ("champion_left_days",),
    "competitor": ("competitor_days",),
    "roi_doubt": ("roi_doubt_days",),
    "missold": ("missold_days",),
    "layoff": ("layoff_days",),
    "contact_refused": ("contact_refused_days",),
    "risk_noted": ("risk_noted_days",),
    "risks_fading": ("risks_noted",),
    "touch_gap": ("touch_days",),
    "no_reply_90": ("no_reply_90",),
    "meetings_90": ("meetings_90",),
    "exec_contact_90": (),
    "not_solved_90": ("not_solved_90",),
    "not_solved_share": ("not_solved_past", "touches_past"),
    "overdue_days": ("overdue_days",),
    "disputes": ("disputes",),
    "discount": ("discount",),
    "price_increase": ("price_rise",),
    "auto_renew": (),
    "nth": ("nth",),
    "term_months": ("term_months",),
    "log_amount": ("amount_minor",),
    "seats_log": ("seats",),
    "tenure": ("tenure_days",),
    "lag": ("lag_days",),
}

# Inputs that one count or number of days stands behind, as snapshots scale them.
LOGARITHMS = (
    "events_year", "active_days_90", "active_days_year", "days_since_active", "not_solved_90",
    "meetings_90", "no_reply_90", "overdue_days", "disputes", "nth", "rate_28", "users_28",
    "users_90",
)  # fmt: skip
WEEKS = {"active_weeks_12": 12, "active_weeks_52": 52}


def scaled_back(keys: Sequence[str], x: Floats) -> dict[str, Floats]:
    """What can be told of rows that were kept without their raw numbers: counts and days again."""
    place = {key: at for at, key in enumerate(keys)}
    found = {key: np.expm1(x[:, place[key]]).round(6) for key in LOGARITHMS if key in place}
    found |= {key: (x[:, place[key]] * n).round(6) for key, n in WEEKS.items() if key in place}
    return found
