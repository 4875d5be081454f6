"""What is said of a reason, by the input that leads it: of size the amount or the seats.

A reason adds up several inputs; the sentence names the fact of the strongest of them, never that of
a neighbour. Facts are raw numbers of the snapshot.
"""

from collections.abc import Callable, Mapping
from math import exp, expm1

from gengyun.web.present import format as plain
from gengyun.web.present.churn_names import feature_name
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh

Fact = Mapping[str, float]
Say = Callable[[Fact], str]


def N_(text: str) -> str:  # noqa: N802 - marks a text that is translated where it is said
    return text


# --- ways to say a fact; "" where it is not kept -------------------------------------------------


def counted(key: str, text: str) -> Say:
    def say(fact: Fact) -> str:
        return _(text) % {"count": plain.count(fact[key])} if key in fact else ""

    return say


def shared(key: str, text: str) -> Say:
    def say(fact: Fact) -> str:
        return _(text) % {"share": plain.percent(fact[key])} if key in fact else ""

    return say


def late(key: str, raw: str, text: str) -> Say:
    """Days, of the raw number or of its logarithm."""

    def say(fact: Fact) -> str:
        days = fact.get(raw, expm1(fact[key]) if key in fact else None)
        return "" if days is None else _(text) % {"count": plain.count(days)}

    return say


def first_of(*ways: Say) -> Say:
    def say(fact: Fact) -> str:
        return next(filter(None, (way(fact) for way in ways)), "")

    return say


# --- how much it is used -------------------------------------------------------------------------


def _of_seats(key: str, users: str, text: str) -> Say:
    """People of a day over the seats bought, as it was or as the two numbers."""

    def say(fact: Fact) -> str:
        share = fact.get(key)
        if share is None and users in fact and fact.get("seats"):
            share = fact[users] / fact["seats"]
        return "" if share is None else _(text) % {"share": plain.percent(min(1.0, share))}

    return say


util_28 = _of_seats(
    "util_28", "daily_users_28", N_("On a working day %(share)s of the bought seats were in use")
)
util_before = _of_seats(
    "util_prev90",
    "daily_users_prev90",
    N_("On a working day of the quarter before %(share)s of the bought seats were in use"),
)
people_90 = counted("users_90", N_("People who used it in 90 days: %(count)s"))
uses_28 = counted("rate_28", N_("%(count)s uses in the last 28 days, rest days apart"))


# --- where use moves to --------------------------------------------------------------------------


def moved_of(key: str, now: str, before: str) -> Say:
    """How far it moved, with the two numbers where they are kept."""

    def say(fact: Fact) -> str:
        if fact.get(before):
            is_now = fact.get(now, 0.0)
            return _("%(what)s: %(now)s, before %(before)s") % {
                "what": _moved(key, is_now / fact[before] - 1),
                "now": plain.number(is_now),
                "before": plain.number(fact[before]),
            }
        return _moved(key, exp(fact[key]) - 1) if key in fact else ""

    return say


def _moved(key: str, moved: float) -> str:
    if abs(moved) < 0.005:
        return _("Use is as in the quarter before")
    return _(_TRENDS[key][moved < 0]) % {"share": plain.percent(min(abs(moved), 9.99))}


_TRENDS = {
    "util_trend": (
        N_("People a day: %(share)s more than in the quarter before"),
        N_("People a day: %(share)s less than in the quarter before"),
    ),
    "users_trend": (
        N_("%(share)s more people than in the quarter before"),
        N_("%(share)s fewer people than in the quarter before"),
    ),
    "rate_trend": (
        N_("Use is %(share)s above that of the quarter before, rest days apart"),
        N_("Use is %(share)s below that of the quarter before, rest days apart"),
    ),
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


def stopped(fact: Fact) -> str:
    """A count where the people of before are told beside it, else a share of them."""
    lost, before = fact.get("users_lost_90"), fact.get("users_prev90")
    if lost is None or (not before and lost > 1):
        return ""
    return _("%(share)s of the people of the quarter before have stopped") % {
        "share": plain.percent(lost / before if before else lost)
    }


def silent(fact: Fact) -> str:
    days = fact.get("days_since_active")
    if days is None:
        return ""
    if days >= 3:
        return _("Nobody has used it for %(days)s days") % {"days": plain.count(days)}
    return _("Last used %(days)s days ago") % {"days": plain.count(days)}


def _unusual(fact: Fact) -> str:
    days, usual = fact.get("days_since_active"), fact.get("usual_gap")
    if days is None or usual is None:
        return silent(fact)
    return _("Last used %(days)s days ago, usually every %(usual)s days") % {
        "days": plain.count(days),
        "usual": plain.number(usual),
    }


weeks_12 = counted("active_weeks_12", N_("Used in %(count)s of the last 12 weeks"))
weeks_52 = counted("active_weeks_52", N_("Used in %(count)s of the last 52 weeks"))
weeks = first_of(weeks_12, weeks_52)


def parts(fact: Fact) -> str:
    if "breadth_28" not in fact and "parts_28" not in fact:
        return ""
    count = fact["parts_28"] if "parts_28" in fact else expm1(fact["breadth_28"])
    return _("Parts of the product in use in 28 days: %(count)s") % {"count": plain.count(count)}


def _parts_of_ever(fact: Fact) -> str:
    if "parts_28" not in fact or "parts_ever" not in fact:
        return ""
    return _("Parts of the product in use in 28 days: %(count)s, ever: %(ever)s") % {
        "count": plain.count(fact["parts_28"]),
        "ever": plain.count(fact["parts_ever"]),
    }


def _depth(fact: Fact) -> str:
    if "events_28" in fact and fact.get("users_28"):
        return _("In 28 days %(count)s uses by %(people)s people") % {
            "count": plain.count(fact["events_28"]),
            "people": plain.count(fact["users_28"]),
        }
    if "depth_28" not in fact:
        return ""
    return _valued("depth_28", plain.number(expm1(fact["depth_28"])))


# --- service, what they say, contact -------------------------------------------------------------


def _valued(key: str, value: str) -> str:
    return _("%(name)s: %(value)s") % {"name": feature_name(key), "value": value}


def left_unsolved(fact: Fact) -> str:
    """Of contacts of two years, as two numbers or as the share that the model saw."""
    if "not_solved_past" in fact and "touches_past" in fact:
        return _("Contacts in two years: %(touches)s, with a problem left unsolved: %(count)s") % {
            "touches": plain.count(fact["touches_past"]),
            "count": plain.count(fact["not_solved_past"]),
        }
    if "not_solved_share" not in fact:
        return ""
    return _valued("not_solved_share", plain.percent(fact["not_solved_share"]))


def felt_long(fact: Fact) -> str:
    if "sentiment_past" not in fact:
        return ""
    return _("Sentiment of the CSM in two years: %(value)s of 4") % {
        "value": plain.number(fact["sentiment_past"], 1)
    }


def _decider_met(fact: Fact) -> str:
    if "exec_contact_90" not in fact:
        return ""
    if fact["exec_contact_90"]:
        return _("Somebody talked with the decision maker in 90 days")
    return _("Nobody talked with the decision maker in 90 days")


# --- money and terms -----------------------------------------------------------------------------


def rise(fact: Fact) -> str:
    more = fact.get("price_rise", fact.get("price_increase"))
    if more is None:
        return ""
    if not more:
        return _("No price increase is known")
    return _("Price increase of %(share)s") % {"share": plain.percent(more)}


def amount(fact: Fact) -> str:
    minor = fact.get("amount_minor")
    if minor is None:
        return ""
    return _("Amount that comes due: %(amount)s") % {
        "amount": plain.money(round(minor), zh=is_zh())
    }


def seats(fact: Fact) -> str:
    bought = fact.get("seats", expm1(fact["seats_log"]) if "seats_log" in fact else None)
    return "" if bought is None else _("Seats bought: %(count)s") % {"count": plain.count(bought)}


def renewed(fact: Fact) -> str:
    if fact.get("nth") == 0:
        return _("The first renewal")
    return counted("nth", N_("Renewed %(count)s times before"))(fact)


nps = counted("nps", N_("Last NPS answer: %(count)s"))
tickets = counted("tickets_90", N_("Tickets in 90 days: %(count)s"))
severe = counted("severe_90", N_("Severe tickets in 90 days: %(count)s"))
felt = counted("sentiment", N_("Sentiment of the CSM: %(count)s of 4"))
unsolved = counted("not_solved_90", N_("Problems left unsolved in 90 days: %(count)s"))
touched = late("touch_gap", "touch_days", N_("Last contact %(count)s days ago"))
meetings = counted("meetings_90", N_("Meetings in 90 days: %(count)s"))
discount = shared("discount", N_("Discount of %(share)s"))
term = counted("term_months", N_("A term of %(count)s months"))

# Every input of a reason of several (churn.calc.drivers.REASONS); None: as the reason is told.
LEADING: dict[str, Say | None] = {
    "util_28": util_28,
    "util_prev90": util_before,
    "seats_active_28": None,
    "rate_28": uses_28,
    "rate_90": first_of(
        late("rate_90", "", N_("%(count)s uses in the last 90 days, rest days apart")), uses_28
    ),
    "users_28": None,
    "users_90": people_90,
    "users_year": first_of(
        late("users_year", "", N_("People who used it in a year: %(count)s")), people_90
    ),
    "util_trend": moved_of("util_trend", "daily_users_28", "daily_users_prev90"),
    "util_14_vs_28": moved_of("util_14_vs_28", "", ""),
    "rate_trend": moved_of("rate_trend", "rate_28", "rate_prev90"),
    "rate_year_trend": moved_of("rate_year_trend", "", ""),
    "users_trend": moved_of("users_trend", "users_90", "users_prev90"),
    "users_lost_90": stopped,
    "days_since_active": silent,
    "gap_unusual": _unusual,
    "active_weeks_12": weeks_12,
    "active_weeks_52": weeks_52,
    "breadth_28": parts,
    "breadth_trend": _parts_of_ever,
    "depth_28": _depth,
    "tickets_90": tickets,
    "severe_90": severe,
    "reopened_90": counted("reopened_90", N_("Tickets opened again in 90 days: %(count)s")),
    "answer_hours": counted("answer_hours", N_("Hours to an answer in 90 days: %(count)s")),
    "nps_last": nps,
    "nps_age": counted("nps_days", N_("The last NPS answer is %(count)s days old")),
    "sentiment": felt,
    "sentiment_past": felt_long,
    "not_solved_90": unsolved,
    "not_solved_share": left_unsolved,
    "touch_gap": touched,
    "meetings_90": meetings,
    "exec_contact_90": _decider_met,
    "discount": discount,
    "price_increase": rise,
    "log_amount": amount,
    "seats_log": seats,
    "nth": renewed,
    "tenure": counted("tenure_days", N_("A customer for %(count)s days")),
    "term_months": term,
}
