"""The inputs of the churn probability: the catalogue of science.md 4.1, and its hash.

A key keeps its meaning for ever: whoever changes how a feature is computed raises FEATURE_SET, and
models trained on another set are not asked any more. Signs and weights were written down before any
result was looked at; an administrator may change the weights (`ChurnSettings.weights`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

from gengyun.churn.calc.table import Feature

FEATURE_SET = "2026.2"

FEATURES: tuple[Feature, ...] = (
    # use, per effective day of the learned calendar
    Feature("util_28", -1, 2.0, "use", actionable=True),
    Feature("util_prev90", -1, 1.0, "use"),
    Feature("util_trend", -1, 2.0, "use", actionable=True),
    Feature("util_14_vs_28", -1, 1.0, "use"),
    Feature("seats_active_28", -1, 1.5, "use", actionable=True),
    Feature("rate_28", -1, 1.0, "use", actionable=True),
    Feature("rate_90", -1, 1.0, "use", actionable=True),
    Feature("rate_trend", -1, 2.0, "use", actionable=True),
    Feature("rate_trend_90", -1, 1.0, "use"),
    Feature("events_year", -1, 1.0, "use"),
    Feature("active_days_90", -1, 1.0, "use"),
    Feature("active_days_year", -1, 1.0, "use"),
    Feature("rate_year_trend", -1, 1.0, "use"),
    Feature("users_28", -1, 1.0, "use", actionable=True),
    Feature("users_90", -1, 1.0, "use", actionable=True),
    Feature("users_year", -1, 1.0, "use"),
    Feature("users_trend", -1, 1.0, "use", actionable=True),
    Feature("users_lost_90", 1, 1.0, "use"),
    Feature("depth_28", -1, 0.5, "use"),
    Feature("breadth_28", -1, 1.0, "use", actionable=True),
    Feature("breadth_trend", -1, 0.5, "use"),
    Feature("power_user_share", 1, 1.0, "use"),
    Feature("days_since_active", 1, 2.0, "use", actionable=True),
    Feature("gap_unusual", 1, 1.0, "use", actionable=True),
    Feature("active_weeks_12", -1, 1.0, "use", actionable=True),
    Feature("active_weeks_52", -1, 1.0, "use"),
    Feature("key_contact_gap", 1, 1.0, "use", actionable=True),
    # getting started
    Feature("activation", -1, 1.5, "onboarding", actionable=True),
    Feature("milestone_delay", 1, 1.0, "onboarding", actionable=True),
    # service
    Feature("tickets_90", 1, 1.0, "service"),
    Feature("severe_90", 1, 1.5, "service", actionable=True),
    Feature("reopened_90", 1, 1.0, "service"),
    Feature("answer_hours", 1, 1.0, "service", actionable=True),
    Feature("promises_overdue", 1, 1.5, "service", actionable=True),
    Feature("feedback_age", 1, 1.0, "service", actionable=True),
    # what they say
    Feature("nps_last", -1, 1.0, "sentiment"),
    Feature("nps_age", 0, 0.5, "sentiment"),
    Feature("csat_last", -1, 0.5, "sentiment"),
    Feature("sentiment", -1, 1.5, "sentiment"),
    Feature("sentiment_past", -1, 2.0, "sentiment"),
    # people
    Feature("decision_maker_change", 1, 2.0, "relationship", kind="flag"),
    Feature("champion_left", 1, 2.0, "relationship", kind="flag"),
    Feature("competitor", 1, 2.0, "relationship", kind="flag"),
    Feature("roi_doubt", 1, 2.0, "relationship", kind="flag"),
    Feature("missold", 1, 2.0, "relationship", kind="flag"),
    Feature("layoff", 1, 1.0, "relationship", kind="flag"),
    Feature("contact_refused", 1, 2.0, "relationship", kind="flag"),
    Feature("risk_noted", 1, 1.0, "relationship", kind="flag"),
    Feature("risks_fading", 1, 2.0, "relationship"),
    Feature("touch_gap", 1, 1.0, "relationship", actionable=True),
    Feature("no_reply_90", 1, 1.0, "relationship"),
    Feature("meetings_90", 0, 0.5, "relationship"),
    Feature("exec_contact_90", -1, 1.0, "relationship", actionable=True, kind="flag"),
    Feature("not_solved_90", 1, 1.0, "relationship", actionable=True),
    Feature("not_solved_share", 1, 1.5, "relationship"),
    # money and terms
    Feature("overdue_days", 1, 1.5, "commercial", actionable=True),
    Feature("disputes", 1, 1.0, "commercial", actionable=True),
    Feature("discount", 1, 0.5, "commercial"),
    Feature("price_increase", 1, 1.0, "commercial", actionable=True),
    Feature("auto_renew", -1, 1.0, "commercial", kind="flag"),
    Feature("nth", -1, 1.0, "commercial"),
    Feature("term_months", 0, 0.5, "commercial"),
    Feature("log_amount", -1, 0.5, "commercial"),
    # who they are
    Feature("seats_log", -1, 0.5, "profile"),
    Feature("tenure", 0, 0.5, "profile"),
    Feature("lag", 0, 0.5, "profile"),
)
METRIC = "metric:"  # a metric of the company is the feature "metric:<key>"


def catalogue(
    metrics: Sequence[str] = (), signs: Mapping[str, int] | None = None
) -> tuple[Feature, ...]:
    """The fixed features, then one per metric of the company; its sign is its direction's."""
    signs = signs or {}
    more = (Feature(METRIC + key, signs.get(key, 0), 0.5, "metric") for key in metrics)
    return (*FEATURES, *more)


def feature_hash(features: Sequence[Feature]) -> str:
    """Of the set and its keys, in order: two tables with one hash have the same columns."""
    content = json.dumps([FEATURE_SET, *(feature.key for feature in features)])
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
