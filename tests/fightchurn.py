"""The outside answer key: a subscription business and 21 metrics of it, computed elsewhere.

The metrics here say in our language what theirs mean. Their "no row" is our unknown. Their
`days_since_newfriend` of a day d sees what happened on d itself, which on d is not known yet: it is
ours as of the next day, with "full days without".
"""

import csv
import gzip
from collections import defaultdict
from datetime import date, timedelta

EVENTS = ("post", "newfriend", "like", "adview", "dislike", "unfriend", "message", "reply")


def _count(name, **more):
    counted = {"aggregate": "count", "events": [name], "window_days": 28, "if_none": "unknown"}
    return counted | more


def _ratio(above, below):
    body = {"numerator": above, "denominator": {"metric": below}, "unknown_is_zero": True}
    return {"ratio": body}


DEFINITIONS = {
    **{f"{name}_per_month": _count(name) for name in EVENTS},
    "account_tenure": {"days": {"since": "started_on"}},
    "total_opinions": {"total": ["like_per_month", "dislike_per_month"]},
    "unfriend_28day_avg_84day_obs": _count("unfriend", window_days=84, per_days=28),
    "unfriend_28avg_84obs": _count("unfriend", window_days=84, per_days=28, fewest_days=14),
    "adviw_per_post": _ratio("adview_per_month", "post_per_month"),
    "reply_per_message": _ratio("reply_per_month", "message_per_month"),
    "like_per_post": _ratio("like_per_month", "post_per_month"),
    "post_per_message": _ratio("post_per_month", "message_per_month"),
    "unfriend_per_newfriend": _ratio("unfriend_per_month", "newfriend_per_month"),
    "dislike_percent": _ratio("dislike_per_month", "total_opinions"),
    "unfriend_per_newfriend_scaled": _ratio("unfriend_28avg_84obs", "newfriend_per_month"),
    "new_friends_pcnt_change": {"change": {"metric": "newfriend_per_month", "days": 28}},
    "days_since_newfriend": {"aggregate": "days_without", "events": ["newfriend"]},
}
NEXT_DAY = {"days_since_newfriend"}


def expected(folder):
    """metric -> day -> external id -> value."""
    found = defaultdict(lambda: defaultdict(dict))
    with gzip.open(folder / "metric_expected.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["metric_time"])
            found[row["metric_name"]][day][row["account_id"]] = float(row["metric_value"])
    return found


def judged_on(metric, day):
    """The day as of which ours says what theirs says on `day`."""
    return day + timedelta(days=1) if metric in NEXT_DAY else day
