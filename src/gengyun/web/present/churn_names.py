"""What the reasons and inputs of a churn probability are called: never "feature 17"."""

from gengyun.web.words import gettext as _
from gengyun.web.words import pick

METRIC = "metric:"


def reason_name(reason: str) -> str:
    """A short name; a reason of one input has the name of that input."""
    names = {
        "use_level": _("level of use"),
        "use_trend": _("trend of use"),
        "use_rhythm": _("regularity of use"),
        "use_breadth": _("breadth of use"),
        "tickets": _("tickets"),
        "nps": "NPS",
        "mood": _("sentiment of the CSM"),
        "unsolved": _("unsolved problems"),
        "contact": _("contact with us"),
        "price": _("price"),
        "size": _("size"),
        "history": _("history with us"),
        "tier": _("tier"),
        "health": _("health"),
        "scorecard": _("the company's weights together"),
    }
    return names.get(reason) or feature_name(reason)


def feature_name(key: str) -> str:
    if key.startswith(METRIC):
        return metric_name(key.removeprefix(METRIC))
    names = {
        "util_28": _("share of seats in use a day"),
        "util_prev90": _("share of seats in use a day, quarter before"),
        "util_trend": _("use of seats against the quarter before"),
        "util_14_vs_28": _("use of seats in two weeks against four"),
        "seats_active_28": _("share of seats used in 28 days"),
        "rate_28": _("use in 28 days"),
        "rate_90": _("use in 90 days"),
        "rate_trend": _("use against the quarter before"),
        "rate_year_trend": _("use against the year before"),
        "users_28": _("people in 28 days"),
        "users_90": _("people in 90 days"),
        "users_year": _("people in a year"),
        "users_trend": _("people against the quarter before"),
        "users_lost_90": _("people who stopped"),
        "depth_28": _("use per person"),
        "breadth_28": _("parts of the product in use"),
        "breadth_trend": _("parts of the product against before"),
        "power_user_share": _("dependence on a few people"),
        "days_since_active": _("days without use"),
        "gap_unusual": _("silence longer than usual"),
        "active_weeks_12": _("weeks with use, of 12"),
        "active_weeks_52": _("weeks with use, of 52"),
        "key_contact_gap": _("days since deciders and champions used it"),
        "activation": _("seats ever activated"),
        "milestone_delay": _("late milestones"),
        "tickets_90": _("tickets in 90 days"),
        "severe_90": _("severe tickets in 90 days"),
        "reopened_90": _("reopened tickets"),
        "answer_hours": _("hours to an answer"),
        "promises_overdue": _("overdue promises"),
        "feedback_age": _("unanswered feedback"),
        "nps_last": "NPS",
        "nps_age": _("age of the last NPS"),
        "csat_last": "CSAT",
        "sentiment": _("sentiment of the CSM"),
        "sentiment_past": _("sentiment of the CSM over time"),
        "decision_maker_change": _("decision maker changed"),
        "champion_left": _("champion left"),
        "competitor": _("a competitor is in play"),
        "roi_doubt": _("doubts about ROI"),
        "missold": _("sold wrong"),
        "risk_noted": _("noted risks"),
        "risks_fading": _("risks noted in three years, older ones counted less"),
        "rate_trend_90": _("use in 90 days against before"),
        "events_year": _("uses in a year"),
        "active_days_90": _("days with use in 90"),
        "active_days_year": _("days with use in a year"),
        "layoff": _("layoffs"),
        "contact_refused": _("refused contact"),
        "touch_gap": _("days without contact"),
        "no_reply_90": _("no reply"),
        "meetings_90": _("meetings in 90 days"),
        "exec_contact_90": _("talk with the decision maker"),
        "not_solved_90": _("unsolved problems"),
        "not_solved_share": _("share of contacts with an unsolved problem"),
        "overdue_days": _("overdue invoices"),
        "disputes": _("disputed invoices"),
        "discount": _("discount"),
        "price_increase": _("price increase"),
        "auto_renew": _("automatic renewal"),
        "nth": _("number of renewals so far"),
        "term_months": _("length of the term"),
        "log_amount": _("amount"),
        "seats_log": _("seats bought"),
        "tenure": _("time as a customer"),
        "lag": _("days to the due day"),
        "tier": _("tier"),
        "health": _("health"),
    }
    return names.get(key, key)


def metric_name(key: str) -> str:
    """A metric of the company has the name that they gave it."""
    from gengyun.usage.models import Metric

    found = Metric.objects.filter(key=key).first()
    return pick(found) if found is not None else key
