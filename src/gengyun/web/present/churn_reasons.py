"""What drives a churn probability, each with the raw fact: never "feature 17".

Facts arrive as the model saw them. Where an input is the logarithm of a count or of days, it is
turned back here, so that a person reads 26 days and not 3.3.
"""

from collections.abc import Callable, Mapping
from datetime import date
from math import exp, expm1

from gengyun.web.present import format as plain
from gengyun.web.present.churn_names import METRIC, reason_name
from gengyun.web.words import gettext as _

Fact = Mapping[str, float]
AS_OF = "as_of"  # among the facts: the ordinal of the day of the snapshot
USE = (
    "use_level", "use_trend", "use_rhythm", "use_breadth", "power_user_share", "events_year",
    "active_days_90", "active_days_year", "rate_trend_90",
)  # fmt: skip


def N_(text: str) -> str:  # noqa: N802 - marks a text that is translated where it is said
    return text


def sentence(reason: str, fact: Fact, is_worse: bool, as_of: date | None = None) -> str:
    """The fact behind a reason; the name alone where the fact is not kept. `as_of`: the day of the
    snapshot, so that what happened has its date."""
    say = _SENTENCES.get(reason)
    told = say({**fact, AS_OF: as_of.toordinal()} if as_of and fact else fact) if say else ""
    if told:
        return told
    if reason in USE and not fact:
        return _("No use has been received of this customer")
    if reason.startswith(METRIC) and reason in fact:
        value = plain.number(fact[reason])
        return _("%(name)s: %(value)s") % {"name": reason_name(reason), "value": value}
    name = reason_name(reason)
    if is_worse:
        return _("%(name)s speaks for leaving") % {"name": name}
    return _("%(name)s speaks for staying") % {"name": name}


def _use_level(fact: Fact) -> str:
    if "users_28" in fact and fact.get("seats"):
        return _("%(count)s people used it in the last 28 days, for %(seats)s seats bought") % {
            "count": plain.count(fact["users_28"]),
            "seats": plain.count(fact["seats"]),
        }
    if "seats_active_28" in fact:
        return _("%(share)s of the bought seats were in use in the last 28 days") % {
            "share": plain.percent(min(1.0, fact["seats_active_28"]))
        }
    if "users_28" in fact:
        return _("People who used it in the last 28 days: %(count)s") % {
            "count": plain.count(fact["users_28"])
        }
    if "rate_28" in fact:
        return _("%(count)s uses in the last 28 days, rest days apart") % {
            "count": plain.count(fact["rate_28"])
        }
    for key in ("util_28", "util_prev90"):
        if key in fact:
            share = plain.percent(min(1.0, fact[key]))
            return _("On a working day %(share)s of the bought seats were in use") % {
                "share": share
            }
    return _people(fact)


def _people(fact: Fact) -> str:
    if "users_90" not in fact:
        return ""
    return _("People who used it in 90 days: %(count)s") % {"count": plain.count(fact["users_90"])}


# the raw pair, or the logarithm of their ratio: now, before, input
TRENDS = (
    ("daily_users_28", "daily_users_prev90", "util_trend"),
    ("rate_28", "rate_prev90", "rate_trend"),
    ("users_90", "users_prev90", "users_trend"),
    ("", "", "rate_trend_90"),
    ("", "", "rate_year_trend"),
    ("", "", "util_14_vs_28"),
)


def _use_trend(fact: Fact) -> str:
    """How far use moved, with the two numbers where they are kept."""
    for now, before, key in TRENDS:
        if fact.get(before):
            is_now = fact.get(now, 0.0)
            told = _moved(key, is_now / fact[before] - 1)
            return _("%(what)s: %(now)s, before %(before)s") % {
                "what": told,
                "now": plain.number(is_now),
                "before": plain.number(fact[before]),
            }
        if key in fact:
            return _moved(key, exp(fact[key]) - 1)
    if "users_lost_90" in fact and fact["users_lost_90"] <= 1:
        return _("%(share)s of the people of the quarter before have stopped") % {
            "share": plain.percent(fact["users_lost_90"])
        }
    return ""


def _moved(key: str, moved: float) -> str:  # noqa: PLR0911 - one sentence each
    if abs(moved) < 0.005:
        return _("Use is as in the quarter before")
    share = {"share": plain.percent(min(abs(moved), 9.99))}
    is_more = moved > 0
    if key == "util_trend":
        if is_more:
            return _("People a day: %(share)s more than in the quarter before") % share
        return _("People a day: %(share)s less than in the quarter before") % share
    if key == "users_trend":
        if is_more:
            return _("%(share)s more people than in the quarter before") % share
        return _("%(share)s fewer people than in the quarter before") % share
    if key in _OTHER_TRENDS:
        return _(_OTHER_TRENDS[key][not is_more]) % share
    if is_more:
        return _("Use is %(share)s above that of the quarter before, rest days apart") % share
    return _("Use is %(share)s below that of the quarter before, rest days apart") % share


_OTHER_TRENDS = {
    "rate_trend_90": (
        N_("Use in 90 days is %(share)s above that of the 90 days before"),
        N_("Use in 90 days is %(share)s below that of the 90 days before"),
    ),
    "rate_year_trend": (
        N_("Use in 90 days is %(share)s above that of the year before"),
        N_("Use in 90 days is %(share)s below that of the year before"),
    ),
    "util_14_vs_28": (
        N_("Use in two weeks is %(share)s above that of four weeks"),
        N_("Use in two weeks is %(share)s below that of four weeks"),
    ),
}


def _use_rhythm(fact: Fact) -> str:
    if fact.get("days_since_active", 0) >= 3:
        return _("Nobody has used it for %(days)s days") % {
            "days": plain.count(fact["days_since_active"])
        }
    for key, text in (
        ("active_weeks_12", N_("Used in %(count)s of the last 12 weeks")),
        ("active_weeks_52", N_("Used in %(count)s of the last 52 weeks")),
    ):
        if key in fact:
            return _(text) % {"count": plain.count(fact[key])}
    return ""


def _use_breadth(fact: Fact) -> str:
    if "breadth_28" not in fact and "parts_28" not in fact:
        return ""
    count = fact["parts_28"] if "parts_28" in fact else expm1(fact["breadth_28"])
    return _("Parts of the product in use in 28 days: %(count)s") % {"count": plain.count(count)}


def _tickets(fact: Fact) -> str:
    if fact.get("severe_90"):
        return _("Severe tickets in 90 days: %(count)s") % {"count": plain.count(fact["severe_90"])}
    if "tickets_90" in fact:
        return _("Tickets in 90 days: %(count)s") % {"count": plain.count(fact["tickets_90"])}
    return ""


def _nps(fact: Fact) -> str:
    value = fact.get("nps_last", fact.get("nps"))
    return "" if value is None else _("Last NPS answer: %(value)s") % {"value": plain.count(value)}


def _mood(fact: Fact) -> str:
    now, past = fact.get("sentiment"), fact.get("sentiment_past")
    if now is not None:
        return _("Sentiment of the CSM: %(count)s of 4") % {"count": plain.count(now)}
    if past is not None:
        return _("Sentiment of the CSM in two years: %(value)s of 4") % {
            "value": plain.number(past, 1)
        }
    return ""


def _unsolved(fact: Fact) -> str:
    if not fact.get("not_solved_90") and "not_solved_past" in fact and "touches_past" in fact:
        return _("Contacts in two years: %(touches)s, with a problem left unsolved: %(count)s") % {
            "touches": plain.count(fact["touches_past"]),
            "count": plain.count(fact["not_solved_past"]),
        }
    return _counted("not_solved_90", N_("Problems left unsolved in 90 days: %(count)s"))(fact)


def _risks(fact: Fact) -> str:
    count = fact.get("risks_noted")
    if count is None:
        return ""
    if count < 1:
        return _("No risk is noted")
    return _("Risks noted in three years: %(count)s") % {"count": plain.count(count)}


def _contact(fact: Fact) -> str:
    days = fact.get("touch_days")
    if days is None and "touch_gap" in fact:
        days = expm1(fact["touch_gap"])
    if days is not None:
        return _("Last contact %(days)s days ago") % {"days": plain.count(days)}
    if "meetings_90" in fact:
        return _("Meetings in 90 days: %(count)s") % {"count": plain.count(fact["meetings_90"])}
    return ""


def _price(fact: Fact) -> str:
    if fact.get("price_increase"):
        return _("Price increase of %(share)s") % {"share": plain.percent(fact["price_increase"])}
    if "discount" in fact:
        return _("Discount of %(share)s") % {"share": plain.percent(fact["discount"])}
    return ""


def _size(fact: Fact) -> str:
    seats = fact.get("seats")
    if seats is None and "seats_log" in fact:
        seats = expm1(fact["seats_log"])
    return "" if seats is None else _("Seats bought: %(count)s") % {"count": plain.count(seats)}


def _history(fact: Fact) -> str:
    if fact.get("nth") == 0:
        return _("The first renewal")
    if "nth" in fact:
        return _("Renewed %(count)s times before") % {"count": plain.count(fact["nth"])}
    if "term_months" in fact:
        return _("A term of %(count)s months") % {"count": plain.count(fact["term_months"])}
    return ""


def _activation(fact: Fact) -> str:
    if "users_ever" in fact and fact.get("seats"):
        return _("%(count)s people ever used it, for %(seats)s seats bought") % {
            "count": plain.count(fact["users_ever"]),
            "seats": plain.count(fact["seats"]),
        }
    return _share("activation", N_("%(share)s of the bought seats were ever used"))(fact)


def _key_people(fact: Fact) -> str:
    days = fact.get("key_contact_days")
    if days is None:
        return ""
    return _("Deciders and champions have not used it for %(count)s days") % {
        "count": plain.count(days)
    }


def _late(key: str, raw: str, text: str) -> Callable[[Fact], str]:
    def say(fact: Fact) -> str:
        days = fact.get(raw, expm1(fact[key]) if key in fact else None)
        return "" if days is None else _(text) % {"count": plain.count(days)}

    return say


def _counted(key: str, text: str) -> Callable[[Fact], str]:
    def say(fact: Fact) -> str:
        return _(text) % {"count": plain.count(fact[key])} if key in fact else ""

    return say


def _flag(key: str, yes: str, no: str) -> Callable[[Fact], str]:
    """It happened where its day is told; the raw fact of what did not happen is empty."""

    def say(fact: Fact) -> str:
        days = fact.get(f"{key}_days")
        if days is not None:
            what = _happened(fact, days)
            return _("%(what)s (%(days)s days ago)") % {
                "what": f"{_(yes)}{what}",
                "days": plain.count(days),
            }
        return _(yes) if fact.get(key) else _(no)

    return say


def _happened(fact: Fact, days: float) -> str:
    """The date of what happened so many days before the day of the snapshot, where that is told."""
    if AS_OF not in fact:
        return ""
    return f" {date.fromordinal(int(fact[AS_OF]) - round(days)).isoformat()}"


def _powerful(fact: Fact) -> str:
    share = _share("power_user_share", N_("A fifth of the people does %(share)s of it"))(fact)
    return share or _people(fact)


def _overdue(fact: Fact) -> str:
    days = fact.get("overdue_days")
    if days is None:
        return ""
    if days < 1:
        return _("Nothing is overdue")
    return _("An invoice is %(days)s days overdue") % {"days": plain.count(days)}


def _share(key: str, text: str) -> Callable[[Fact], str]:
    def say(fact: Fact) -> str:
        return _(text) % {"share": plain.percent(fact[key])} if key in fact else ""

    return say


_SENTENCES: dict[str, Callable[[Fact], str]] = {
    "use_level": _use_level,
    "use_trend": _use_trend,
    "use_rhythm": _use_rhythm,
    "use_breadth": _use_breadth,
    "tickets": _tickets,
    "nps": _nps,
    "contact": _contact,
    "price": _price,
    "size": _size,
    "history": _history,
    "overdue_days": _overdue,
    "power_user_share": _powerful,
    "activation": _activation,
    "events_year": _counted("events_year", N_("Uses in a year: %(count)s")),
    "active_days_90": _counted("active_days_90", N_("Days with use in 90: %(count)s")),
    "active_days_year": _counted("active_days_year", N_("Days with use in a year: %(count)s")),
    "rate_trend_90": _use_trend,
    "rate_year_trend": _use_trend,
    "depth_28": _use_breadth,
    "csat_last": _counted("csat", N_("CSAT of %(count)s")),
    "mood": _mood,
    "sentiment": _mood,
    "unsolved": _unsolved,
    "not_solved_90": _unsolved,
    "risks_fading": _risks,
    "key_contact_gap": _key_people,
    "milestone_delay": _late(
        "milestone_delay", "milestone_days", N_("A milestone is %(count)s days late")
    ),
    "promises_overdue": _counted("promises_overdue", N_("Promises overdue: %(count)s")),
    "feedback_age": _late(
        "feedback_age", "feedback_days", N_("Feedback unanswered for %(count)s days")
    ),
    "no_reply_90": _counted("no_reply_90", N_("Times without a reply in 90 days: %(count)s")),
    "disputes": _counted("disputes", N_("Disputed invoices: %(count)s")),
    "lag": _counted("lag_days", N_("%(count)s days to the due day")),
    "decision_maker_change": _flag(
        "decision_maker_change",
        N_("The decision maker changed"),
        N_("The decision maker has not changed"),
    ),
    "champion_left": _flag(
        "champion_left", N_("A champion left"), N_("The champions are there")
    ),
    "competitor": _flag(
        "competitor", N_("A competitor is in play"), N_("No competitor is known")
    ),
    "roi_doubt": _flag(
        "roi_doubt", N_("They doubt the ROI"), N_("No doubt about the ROI is known")
    ),
    "risk_noted": _flag(
        "risk_noted", N_("A risk is noted"), N_("No risk is noted")
    ),
    "missold": _flag("missold", N_("They were sold the wrong thing"), N_("Sold what they need")),
    "layoff": _flag("layoff", N_("They lay people off"), N_("No layoffs are known")),
    "contact_refused": _flag(
        "contact_refused", N_("They refuse contact"), N_("They do not refuse contact")
    ),
    "auto_renew": _flag(
        "auto_renew",
        N_("The contract renews by itself"),
        N_("The contract does not renew by itself"),
    ),
}  # fmt: skip
