"""What drives a churn probability, each with the raw fact: never "feature 17".

Facts arrive as the model saw them. Where an input is the logarithm of a count or of days, it is
turned back here, so that a person reads 26 days and not 3.3.
"""

from datetime import date

from gengyun.web.present import churn_facts as facts
from gengyun.web.present import format as plain
from gengyun.web.present.churn_facts import N_, Fact, Say, counted, late, shared
from gengyun.web.present.churn_names import METRIC, feature_name, reason_name
from gengyun.web.words import gettext as _

AS_OF = "as_of"  # among the facts: the ordinal of the day of the snapshot
USE = (
    "use_level", "use_trend", "use_rhythm", "use_breadth", "power_user_share", "events_year",
    "active_days_90", "active_days_year", "rate_trend_90",
)  # fmt: skip


def sentence(
    reason: str, fact: Fact, is_worse: bool, as_of: date | None = None, feature: str = ""
) -> str:
    """The fact behind a reason; the name alone where the fact is not kept. `as_of`: the day of the
    snapshot, so that what happened has its date. `feature`: the input that leads the reason, whose
    fact is told; without it the reason's first fact."""
    told = _told(reason, fact, as_of, feature)
    if told:
        return told
    if reason in USE and not fact:
        return _("No use has been received of this customer")
    if reason.startswith(METRIC) and reason in fact:
        value = plain.number(fact[reason])
        return _("%(name)s: %(value)s") % {"name": reason_name(reason), "value": value}
    # a reason of several inputs by the one that leads it: its neighbours' facts are not the cause
    name = feature_name(feature) if facts.LEADING.get(feature) else reason_name(reason)
    if is_worse:
        return _("%(name)s: speaks for leaving") % {"name": name}
    return _("%(name)s: speaks for staying") % {"name": name}


def _told(reason: str, fact: Fact, as_of: date | None, feature: str) -> str:
    say = facts.LEADING.get(feature) or _SENTENCES.get(reason)
    if say is None:
        return ""
    return say({**fact, AS_OF: as_of.toordinal()} if as_of and fact else fact)


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
    return _OTHER_USE(fact)


_OTHER_USE = facts.first_of(facts.uses_28, facts.util_28, facts.util_before, facts.people_90)


# the raw pair, or the logarithm of their ratio: input, now, before
_TRENDS = [
    facts.moved_of(*names)
    for names in (
        ("util_trend", "daily_users_28", "daily_users_prev90"),
        ("rate_trend", "rate_28", "rate_prev90"),
        ("users_trend", "users_90", "users_prev90"),
        ("rate_trend_90", "", ""),
        ("rate_year_trend", "", ""),
        ("util_14_vs_28", "", ""),
    )
]


def _use_rhythm(fact: Fact) -> str:
    if fact.get("days_since_active", 0) >= 3:
        return facts.silent(fact)
    return facts.weeks(fact)


def _tickets(fact: Fact) -> str:
    return facts.severe(fact) if fact.get("severe_90") else facts.tickets(fact)


def _unsolved(fact: Fact) -> str:
    if not fact.get("not_solved_90") and (told := facts.left_unsolved(fact)):
        return told
    return facts.unsolved(fact)


def _risks(fact: Fact) -> str:
    count = fact.get("risks_noted")
    if count is None:
        return ""
    if count < 1:
        return _("No risk is noted")
    return _("Risks noted in three years: %(count)s") % {"count": plain.count(count)}


def _price(fact: Fact) -> str:
    has_rise = fact.get("price_rise") or fact.get("price_increase")
    return facts.rise(fact) if has_rise else facts.discount(fact)


def _activation(fact: Fact) -> str:
    if "users_ever" in fact and fact.get("seats"):
        return _("%(count)s people ever used it, for %(seats)s seats bought") % {
            "count": plain.count(fact["users_ever"]),
            "seats": plain.count(fact["seats"]),
        }
    return shared("activation", N_("%(share)s of the bought seats were ever used"))(fact)


def _key_people(fact: Fact) -> str:
    days = fact.get("key_contact_days")
    if days is None:
        return ""
    return _("Deciders and champions have not used it for %(count)s days") % {
        "count": plain.count(days)
    }


def _flag(key: str, yes: str, no: str) -> Say:
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
    share = shared("power_user_share", N_("A fifth of the people does %(share)s of it"))(fact)
    return share or facts.people_90(fact)


def _overdue(fact: Fact) -> str:
    days = fact.get("overdue_days")
    if days is None:
        return ""
    if days < 1:
        return _("Nothing is overdue")
    return _("An invoice is %(days)s days overdue") % {"days": plain.count(days)}


_SENTENCES: dict[str, Say] = {
    "use_level": _use_level,
    "use_trend": facts.first_of(*_TRENDS, facts.stopped),
    "use_rhythm": _use_rhythm,
    "use_breadth": facts.parts,
    "tickets": _tickets,
    "nps": facts.nps,
    "contact": facts.first_of(facts.touched, facts.meetings),
    "price": _price,
    "size": facts.first_of(facts.seats, facts.amount),
    "history": facts.first_of(facts.renewed, facts.term),
    "overdue_days": _overdue,
    "power_user_share": _powerful,
    "activation": _activation,
    "events_year": counted("events_year", N_("Uses in a year: %(count)s")),
    "active_days_90": counted("active_days_90", N_("Days with use in 90: %(count)s")),
    "active_days_year": counted("active_days_year", N_("Days with use in a year: %(count)s")),
    "rate_trend_90": facts.first_of(*_TRENDS),
    "csat_last": counted("csat", N_("CSAT of %(count)s")),
    "mood": facts.first_of(facts.felt, facts.felt_long),
    "unsolved": _unsolved,
    "risks_fading": _risks,
    "key_contact_gap": _key_people,
    "milestone_delay": late(
        "milestone_delay", "milestone_days", N_("A milestone is %(count)s days late")
    ),
    "promises_overdue": counted("promises_overdue", N_("Promises overdue: %(count)s")),
    "feedback_age": late(
        "feedback_age", "feedback_days", N_("Feedback unanswered for %(count)s days")
    ),
    "no_reply_90": counted("no_reply_90", N_("Times without a reply in 90 days: %(count)s")),
    "disputes": counted("disputes", N_("Disputed invoices: %(count)s")),
    "lag": counted("lag_days", N_("%(count)s days to the due day")),
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
