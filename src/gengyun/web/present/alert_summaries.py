"""The condition of a rule in a few words, and the words of what it may be told."""

from django.utils.translation import ngettext

from gengyun.alerts.calc.wording import metric as metric_value
from gengyun.alerts.models import AlertRule, RiskCause
from gengyun.health.calc.manual import SENTIMENT
from gengyun.web.present.health import LEVELS
from gengyun.web.present.scorecard_form import shown
from gengyun.web.words import gettext as _

Kind = AlertRule.Kind


def summary(rule, names, zh):
    """The condition of a rule in a few words, for the list."""
    say = _SUMMARIES.get(rule.kind)
    return say(rule.params, names, zh) if say else ""


def _percent(value):
    return f"{shown(value, times=100)}%"


def _drop(p, names, zh):
    return _("below %(ratio)s of the usual, beyond chance") % {"ratio": _percent(p["ratio"])}


def _dormant(p, names, zh):
    return _("%(days)s working days without use") % {"days": shown(p["quiet_days"])}


def _slide(p, names, zh):
    return _("less and less over weeks (limit %(h)s)") % {"h": shown(p["h"])}


def _activation(p, names, zh):
    return _("%(metric)s below %(limit)s from day %(days)s on") % {
        "metric": names.metric(p["metric"], zh=zh),
        "limit": metric_value(p["enter"], names.unit(p["metric"]), zh),
        "days": p["after_days"],
    }


def _stage(p, names, zh):
    return _("%(days)s working days over the longest stay") % {"days": shown(p["grace_days"])}


def _silent(p, names, zh):
    return _("%(days)s days without an event") % {"days": shown(p["days"])}


def _outage(p, names, zh):
    return _("all customers fall together")


def _band(p, names, zh):
    bands = "、".join(p["bands"]) if zh else ", ".join(p["bands"])
    return _("fell into %(bands)s within %(days)s days") % {"bands": bands, "days": p["days"]}


def _score(p, names, zh):
    return _("%(points)s points less within %(days)s days") % {
        "points": shown(p["points"]),
        "days": p["days"],
    }


def _left(p, names, zh):
    from gengyun.alerts.calc.wording import part

    parts = ("、" if zh else ", ").join(part(one, zh=zh) for one in p["parts"])
    return _("%(parts)s left, for %(days)s days") % {"parts": parts, "days": p["days"]}


def _metric(p, names, zh):
    text = _("%(metric)s below %(limit)s") if p["op"] == "lt" else _("%(metric)s above %(limit)s")
    return text % {
        "metric": names.metric(p["metric"], zh=zh),
        "limit": metric_value(p["enter"], names.unit(p["metric"]), zh),
    }


def grade_words():
    """(key, word) of the grades of causes, the most serious first."""
    return [(key, str(word)) for key, word in RiskCause.Grade.choices]


def worry_words():
    """(key, words) of what about a renewal asks for a person."""
    return [
        ("unjudged", _("nobody has judged it")),
        ("at_risk", _("it is judged at risk")),
        ("disagreement", _("a leader has to decide its checkpoint")),
        ("band", _("health is in one of the bands")),
        ("churn", _("the churn probability is above the mark")),
        ("late", _("it is past due without an outcome")),
    ]


def _renewal(p, names, zh):
    return _("due within %(days)s days and not settled") % {"days": p["days"]}


def _overdue(p, names, zh):
    return _("an invoice %(days)s days overdue") % {"days": p["days"]}


def _seats(p, names, zh):
    return _("%(share)s fewer seats within %(days)s days") % {
        "share": _percent(p["share"]),
        "days": p["days"],
    }


def _churn(p, names, zh):
    return _("above the mark of its tier, or clearly higher than %(days)s days ago") % {
        "days": p["days"]
    }


def _noted(p, names, zh):
    grades = ("、" if zh else ", ").join(str(grade_word(one)) for one in p["grades"])
    return _("a risk of grade %(grades)s, for %(days)s days") % {
        "grades": grades,
        "days": p["days"],
    }


def _sentiment(p, names, zh):
    metric = names.metric(p["metric"], zh=zh)
    drop = level_or_value(p["drop"], names.unit(p["metric"]), zh)
    if p["enter"] is None:
        return _("%(metric)s %(drop)s less within %(days)s days") % {
            "metric": metric,
            "drop": drop,
            "days": p["days"],
        }
    limit = level_word(p["enter"]) if names.unit(p["metric"]) == SENTIMENT else None
    limit = limit or metric_value(p["enter"], names.unit(p["metric"]), zh)
    return _("%(metric)s at most %(limit)s, or %(drop)s less within %(days)s days") % {
        "metric": metric,
        "limit": limit,
        "drop": drop,
        "days": p["days"],
    }


def _full(p, names, zh):
    return _("%(metric)s at least %(limit)s, %(weeks)s weeks in a row") % {
        "metric": names.metric(p["metric"], zh=zh),
        "limit": metric_value(p["enter"], names.unit(p["metric"]), zh),
        "weeks": p["weeks"],
    }


def survey_kinds():
    return [("nps", "NPS"), ("csat", "CSAT"), ("ces", "CES")]


def _asked(p, names, zh):
    return _("a step of an SOP asked for it, for %(days)s days") % {"days": p["days"]}


def _answer(p, names, zh):
    kinds = ("、" if zh else ", ").join(word for key, word in survey_kinds() if key in p["kinds"])
    return _("a low score to %(kinds)s, for %(days)s days") % {"kinds": kinds, "days": p["days"]}


def grade_word(grade):
    return dict(RiskCause.Grade.choices).get(grade, grade)


def level_word(level):
    """The word of a level of sentiment; "" for none."""
    return next((str(word) for key, word, _tone in LEVELS if key == level), "")


def level_or_value(value, unit, zh):
    if unit == SENTIMENT:
        text = ngettext("%(num)s level", "%(num)s levels", int(value))
        return text % {"num": shown(value)}
    return metric_value(value, unit, zh)


_SUMMARIES = {
    Kind.CHURN_JUMP: _churn,
    Kind.RISK_NOTED: _noted,
    Kind.SENTIMENT_DROP: _sentiment,
    Kind.SEATS_FULL: _full,
    Kind.RENEWAL_WINDOW: _renewal,
    Kind.PAYMENT_OVERDUE: _overdue,
    Kind.SEATS_REDUCED: _seats,
    Kind.USAGE_DROP: _drop,
    Kind.DORMANT: _dormant,
    Kind.SLOW_SLIDE: _slide,
    Kind.ACTIVATION_LOW: _activation,
    Kind.STAGE_LATE: _stage,
    Kind.SOURCE_SILENT: _silent,
    Kind.OUTAGE: _outage,
    Kind.BAND_CHANGE: _band,
    Kind.SCORE_DROP: _score,
    Kind.CONTACT_LEFT: _left,
    Kind.SURVEY_LOW: _answer,
    Kind.ASKED_FOR: _asked,
    Kind.METRIC: _metric,
}


def basis_words():
    """Where a mark comes from."""
    return {
        "history": _("the weeks behind us"),
        "stock": _("who stands above it today: there are few weeks yet"),
        "floor": _("the base rate of the tier: the budget would bear more"),
    }


def waiting(keys):
    """(what, why) of what no rule can judge for want of data."""
    said = {
        "churn": (
            _("Churn probability"),
            _("No forecast is sure enough yet. Until then marks and jumps are silent."),
        ),
        "service": (
            _("Service: urgent or many tickets"),
            _(
                "No metric counts tickets. Send them as events, make a metric of them, and a rule "
                "of the kind “Metric” judges it."
            ),
        ),
        "nps": (
            _("NPS"),
            _("No metric holds answers of surveys; a rule “Sentiment fell” can take one."),
        ),
    }
    return [said[key] for key in keys]
