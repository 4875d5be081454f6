"""Sentences for what needs a person: each holds the fact, never only a code."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import ngettext

from gengyun.kernel.days import day_of
from gengyun.web.present import churn
from gengyun.web.present import format as plain
from gengyun.web.present.churn_reasons import sentence as sentence_of
from gengyun.web.present.health import LEVELS
from gengyun.web.words import gettext as _
from gengyun.web.words import pgettext

GROUPS = {
    "alert": "alert",
    "health_drop": "health",
    "band_d": "health",
    "silent": "usage",
    "data_missing": "health",
    "no_contact": "contact",
    "next_step_overdue": "step",
    "next_step_today": "step",
    "renewal_near": "renewal",
    "renewal_unjudged": "contract",
    "renewal_late": "contract",
    "churn_likely": "churn",
    "payment_overdue": "contract",
    "sentiment_due": "health",
}


@dataclass(frozen=True)
class Fact:
    icon: str
    text: str
    anchor: str = ""  # section of the customer page that proves it


@dataclass(frozen=True)
class Action:
    label: str
    query: str  # what to add to the customer's path


def kind_name(code):
    return {
        "call": pgettext("activity", "call"),
        "meeting": pgettext("activity", "meeting"),
        "wecom": pgettext("activity", "WeCom"),
        "email": pgettext("activity", "email"),
        "visit": pgettext("activity", "visit"),
        "note": pgettext("activity", "note"),
        "system": pgettext("activity", "system"),
    }.get(code, code)


def need_word(code):
    return {
        "alert": pgettext("need", "alert"),
        "health_drop": _("health fell"),
        "band_d": _("lowest band"),
        "silent": _("use stopped"),
        "no_contact": _("no contact"),
        "data_missing": _("data missing"),
        "next_step_overdue": _("step overdue"),
        "next_step_today": _("step today"),
        "renewal_near": _("renewal near"),
        "renewal_unjudged": _("renewal not judged"),
        "renewal_late": _("renewal past due"),
        "churn_likely": _("likely to leave"),
        "payment_overdue": _("payment overdue"),
        "sentiment_due": _("sentiment ran out"),
    }.get(code, code)


def severity(need):
    """(tone, word) of the mark before a row."""
    if need["code"] == "next_step_overdue":
        return "c", _("Overdue")
    return {
        1: ("d", _("Urgent")),
        2: ("c", pgettext("need", "Today")),
        3: ("n", _("This week")),
    }.get(need["severity"], ("n", _("Any time")))


def sentence(need, *, zh):
    return _SENTENCES.get(need["code"], _unknown)(need["facts"], zh)


def _movers(movers, zh):
    names = [
        f"{m['name_zh' if zh else 'name_en'] or m['name_en']} {plain.signed(m['points'])}"
        for m in movers or []
    ]
    return ("、" if zh else ", ").join(names)


def _health_drop(facts, zh):
    points = plain.number(facts["points"], 0)
    moved = _movers(facts.get("movers"), zh)
    if moved:
        return _("Health fell %(points)s points in a week: %(moved)s.") % {
            "points": points,
            "moved": moved,
        }
    return _("Health fell %(points)s points in a week.") % {"points": points}


def _alert(facts, zh):
    lang = "zh" if zh else "en"
    return _("%(alert)s: %(fact)s") % {
        "alert": facts[f"name_{lang}"],
        "fact": facts[f"text_{lang}"],
    }


def _band_d(facts, zh):
    score = plain.score(facts.get("score"))
    name = "name_zh" if zh else "name_en"
    burdens = [
        f"{burden[name]} {plain.metric(burden['value'], burden['unit'], zh=zh)}"
        for burden in facts.get("weakest", ())
    ]
    if burdens:
        return _("Health is %(score)s, pulled down most by: %(burdens)s.") % {
            "score": score,
            "burdens": ("、" if zh else ", ").join(burdens),
        }
    return _("Health is %(score)s, in the lowest band.") % {"score": score}


def _unbroken(day):
    """A line does not end inside a date: a word joiner after each hyphen."""
    return day.replace("-", "-\u2060")


def _silent(facts, zh):
    days = facts["days"]
    return ngettext(
        "Nobody has used the product for %(days)s day; the last use was on %(day)s.",
        "Nobody has used the product for %(days)s days; the last use was on %(day)s.",
        days,
    ) % {
        "days": days,
        "day": _unbroken(plain.day_full(date.fromisoformat(facts["last_on"]), zh=zh)),
    }


def _no_contact(facts, zh):
    if not facts.get("last_on"):
        return _(
            "Nobody has talked with them yet; this touch model asks for it every %(limit)s days."
        ) % {"limit": facts["limit"]}
    return _(
        "No contact for %(days)s days (last: %(kind)s); this touch model asks for it every "
        "%(limit)s days."
    ) % {"days": facts["days"], "kind": kind_name(facts["kind"]), "limit": facts["limit"]}


def _overdue(facts, zh):
    days = facts["days"]
    return ngettext(
        "“%(text)s” was due %(days)s day ago.", "“%(text)s” was due %(days)s days ago.", days
    ) % {"text": facts["text"], "days": days}


def _step_today(facts, zh):
    return _("“%(text)s” is due today.") % {"text": facts["text"]}


def _renewal(facts, zh):
    return _("The contract renews in %(days)s days and health is only %(band)s (%(score)s).") % {
        "days": facts["days"],
        "band": facts["band"],
        "score": plain.score(facts.get("score")),
    }


def _product(facts, zh):
    return facts.get("product_zh" if zh else "product_en") or _("the contract")


def _more(facts, zh):
    others = facts.get("others")
    if not others:
        return ""
    return ngettext(" %(num)s more is like that.", " %(num)s more are like that.", others) % {
        "num": others
    }


def _renewal_unjudged(facts, zh):
    text = _("The renewal of %(product)s over %(amount)s is due in %(days)s days; nobody has said "
             "what to expect.") % {
        "product": _product(facts, zh),
        "amount": plain.money(facts["due_minor"], facts["currency"], zh=zh),
        "days": facts["days"],
    }  # fmt: skip
    return text + _more(facts, zh)


def _renewal_late(facts, zh):
    text = _("The renewal of %(product)s over %(amount)s was due %(days)s days ago; is it signed "
             "or lost?") % {
        "product": _product(facts, zh),
        "amount": plain.money(facts["due_minor"], facts["currency"], zh=zh),
        "days": facts["days"],
    }  # fmt: skip
    return text + _more(facts, zh)


def _churn_likely(facts, zh):
    said = {
        "probability": churn.probability(facts["probability"]),
        "interval": churn.interval(facts.get("low"), facts.get("high")),
        "days": facts["days"],
    }
    driver = facts.get("driver")
    if not driver:
        return _("Churn probability %(probability)s (%(interval)s), due in %(days)s days.") % said
    reason = driver.get("reason") or driver["feature"]
    said["reason"] = sentence_of(
        reason, driver.get("fact") or {}, is_worse=True, feature=driver.get("feature", "")
    )
    return (
        _(
            "Churn probability %(probability)s (%(interval)s), due in %(days)s days; most of all: "
            "%(reason)s."
        )
        % said
    )


def _payment_overdue(facts, zh):
    return ngettext(
        "%(amount)s is %(days)s days overdue: %(count)s invoice, %(number)s.",
        "%(amount)s is up to %(days)s days overdue: %(count)s invoices, the oldest is %(number)s.",
        facts["count"],
    ) % {
        "amount": plain.money(facts["amount_minor"], facts["currency"], zh=zh),
        "days": facts["days"],
        "count": facts["count"],
        "number": facts["number"],
    }


def _data_missing(facts, zh):
    return _("Too little data to judge: coverage is %(coverage)s.") % {
        "coverage": plain.percent(facts.get("coverage"))
    }


def _sentiment_due(facts, zh):
    word = next((word for level, word, _band in LEVELS if level == facts["level"]), "")
    return _("Your sentiment (%(word)s) has run out; how do you see them now?") % {"word": word}


def _unknown(facts, zh):
    return _("This customer needs you.")


_SENTENCES = {
    "alert": _alert,
    "health_drop": _health_drop,
    "band_d": _band_d,
    "silent": _silent,
    "no_contact": _no_contact,
    "next_step_overdue": _overdue,
    "next_step_today": _step_today,
    "renewal_near": _renewal,
    "renewal_unjudged": _renewal_unjudged,
    "renewal_late": _renewal_late,
    "churn_likely": _churn_likely,
    "payment_overdue": _payment_overdue,
    "data_missing": _data_missing,
    "sentiment_due": _sentiment_due,
}


def since(need, *, today, zh):
    day = date.fromisoformat(need["since"])
    days = (today - day).days
    shown = plain.day(day, today=today, zh=zh)
    if days <= 0:
        return _("since today")
    return ngettext("since %(day)s, %(days)s day", "since %(day)s, %(days)s days", days) % {
        "day": shown,
        "days": days,
    }


def action(need):
    return {
        "alert": Action(_("Work on the alert"), "#s-alerts"),
        "health_drop": Action(_("See why"), "#s-health"),
        "band_d": Action(_("Set the next step"), "?step=1#s-overview"),
        "silent": Action(_("See the usage"), "#s-usage"),
        "no_contact": Action(_("Log a contact"), "?log=1#s-timeline"),
        "next_step_overdue": Action(_("Update the step"), "?step=1#s-overview"),
        "next_step_today": Action(_("Update the step"), "?step=1#s-overview"),
        "renewal_near": Action(_("Set the next step"), "?step=1#s-overview"),
        "renewal_unjudged": Action(_("Judge the renewal"), "#s-contracts"),
        "renewal_late": Action(_("Say what came of it"), "#s-contracts"),
        "churn_likely": Action(_("See why"), "#s-churn"),
        "payment_overdue": Action(_("See the invoices"), "#s-contracts"),
        "data_missing": Action(_("See what is missing"), "#s-health"),
        "sentiment_due": Action(_("Say how it stands"), "#s-health"),
    }.get(need["code"], Action(_("Open"), ""))


def facts(summary, *, skip=(), others=(), today, zh):
    """Up to three further facts about a customer, for the row that is open."""
    found = [
        Fact(_ICONS.get(need["code"], "info-circle"), sentence(need, zh=zh)) for need in others
    ]
    told = {*skip, *(need["code"] for need in others)}
    if summary.movers and "health_drop" not in told:
        found.append(
            Fact(
                "heart-rate-monitor",
                _("Score against last week: %(moved)s") % {"moved": _movers(summary.movers, zh)},
            )
        )
    if summary.churn is not None and "churn_likely" not in told:
        found.append(_churn_fact(summary, today=today, zh=zh))
    if summary.active_users_7d is not None and "silent" not in told:
        found.append(_usage_fact(summary))
    found.append(_touch_fact(summary, today=today, zh=zh))
    if summary.next_step and not {"next_step_overdue", "next_step_today"} & set(skip):
        found.append(Fact("list-check", _("Next step: %(text)s") % {"text": summary.next_step}))
    return found[:3]


_ICONS = {
    "alert": "alert-triangle",
    "health_drop": "heart-rate-monitor",
    "band_d": "heart-rate-monitor",
    "silent": "chart-line",
    "no_contact": "phone",
    "next_step_overdue": "list-check",
    "next_step_today": "list-check",
    "renewal_near": "refresh-dot",
    "renewal_unjudged": "refresh-dot",
    "renewal_late": "refresh-dot",
    "churn_likely": "refresh-dot",
    "payment_overdue": "file-text",
    "data_missing": "plug",
}


def _churn_fact(summary, *, today, zh):
    text = churn.in_full(summary, today=today, zh=zh)
    return Fact("refresh-dot", text[:1].upper() + text[1:], "#s-churn")


def _usage_fact(summary):
    count = summary.active_users_7d
    text = ngettext(
        "%(count)s person used the product in the last 7 days",
        "%(count)s people used the product in the last 7 days",
        count,
    )
    return Fact("chart-line", text % {"count": count}, "#s-usage")


def _touch_fact(summary, *, today, zh):
    if summary.last_touch_at is None:
        return Fact("phone", _("No contact with them on record yet"), "#s-timeline")
    day = day_of(summary.last_touch_at)
    return Fact(
        "phone",
        _("Last contact %(ago)s: %(kind)s")
        % {
            "ago": plain.ago(day, today=today, zh=zh),
            "kind": kind_name(summary.last_touch_kind),
        },
        "#s-timeline",
    )


def reasons(summary, difference, *, today, zh):
    """The overview of a customer: sentences from facts, each with where it is proved."""
    if summary is None:
        return []
    anchors = {
        "alert": "#s-alerts",
        "health": "#s-health",
        "usage": "#s-usage",
        "contact": "#s-timeline",
        "contract": "#s-contracts",
        "churn": "#s-churn",
    }
    found = [
        Fact(
            _ICONS.get(need["code"], "info-circle"),
            sentence(need, zh=zh),
            anchors.get(GROUPS.get(need["code"], ""), ""),
        )
        for need in summary.needs
    ]
    codes = {need["code"] for need in summary.needs}
    if summary.movers and "health_drop" not in codes:
        moved = _movers(summary.movers, zh)
        found.append(
            Fact(
                "heart-rate-monitor",
                _("Score against last week: %(moved)s") % {"moved": moved},
                "#s-health",
            )
        )
    if summary.churn is not None and "churn_likely" not in codes:
        found.append(_churn_fact(summary, today=today, zh=zh))
    if summary.active_users_7d is not None and "silent" not in codes:
        found.append(_usage_fact(summary))
    if "no_contact" not in codes:
        found.append(_touch_fact(summary, today=today, zh=zh))
    return found
