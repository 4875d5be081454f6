"""Rules of alerts as sentences with values in them: what is typed, what is kept, what is said."""

from dataclasses import dataclass, field

from gengyun.alerts.actions.rules import RuleFieldBad
from gengyun.alerts.calc.params import SPECS, Choice, Key, Number, Several
from gengyun.alerts.models import AlertRule
from gengyun.web.numbers import is_number
from gengyun.web.present import alerts as words
from gengyun.web.present.scorecard_form import number, shown
from gengyun.web.words import gettext as _

Kind = AlertRule.Kind
# parameters that people read as a percentage, whatever the metric
SHARES = {
    Kind.USAGE_DROP: {"ratio", "exit_ratio", "urgent"},
    Kind.SEATS_REDUCED: {"share", "urgent"},
    Kind.CHURN_JUMP: {"least", "exit_share", "urgent"},
}
OF_METRIC = {"enter", "exit", "urgent", "drop"}  # in the unit of the metric
OF_METRIC_KINDS = {Kind.METRIC, Kind.ACTIVATION_LOW, Kind.SENTIMENT_DROP, Kind.SEATS_FULL}
SHARE_UNITS = {"ratio", "percent", "change"}
WHOLE = ("cool_down_days", "first_response_hours", "resolve_days")


@dataclass(frozen=True)
class Draft:
    """The form as it stands: `values` of the rule, `params` as text, `metrics` to choose from."""

    kind: str
    values: dict
    params: dict
    errors: dict = field(default_factory=dict)
    params_share: frozenset = frozenset()


def kinds():
    """(kind, name, what it is for), the free rule first."""
    return [
        (Kind.METRIC, _("Metric"), _("Any metric below or above a limit of yours.")),
        (Kind.USAGE_DROP, _("Usage drop"), _("Use clearly below the usual, holidays taken out.")),
        (Kind.DORMANT, _("Dormant"), _("Nobody uses the product any more.")),
        (Kind.SLOW_SLIDE, _("Slow slide"), _("A little less every week; a watch-list.")),
        (
            Kind.ACTIVATION_LOW,
            _("Activation low"),
            _("Some weeks after the start too few people take part."),
        ),
        (Kind.STAGE_LATE, _("Stage late"), _("Longer in a stage of the journey than planned.")),
        (Kind.BAND_CHANGE, _("Health band fell"), _("Health fell into a band that worries you.")),
        (Kind.SCORE_DROP, _("Health score fell"), _("Health lost many points in a short time.")),
        (Kind.CONTACT_LEFT, _("Contact left"), _("A decision maker or champion left.")),
        (
            Kind.RENEWAL_WINDOW,
            _("Renewal window"),
            _("A renewal comes due and something about it is not settled."),
        ),
        (Kind.PAYMENT_OVERDUE, _("Payment overdue"), _("An invoice is not paid in time.")),
        (Kind.SEATS_REDUCED, _("Seats reduced"), _("Fewer seats than before, or soon.")),
        (
            Kind.CHURN_JUMP,
            _("Churn probability rose"),
            _("The churn probability jumped, or passed the mark that the budget sets."),
        ),
        (Kind.RISK_NOTED, _("Risk noted"), _("Somebody noted a risk: a fact, no statistics.")),
        (
            Kind.SENTIMENT_DROP,
            _("Sentiment fell"),
            _("The CSM's sentiment, or a metric such as NPS, is low or fell."),
        ),
        (Kind.SEATS_FULL, _("Seats nearly full"), _("Good news: time to talk about more seats.")),
        (
            Kind.SURVEY_LOW,
            _("Low survey answer"),
            _("Somebody gave a low score: call within 48 hours."),
        ),
        (
            Kind.ASKED_FOR,
            _("Asked for by an SOP"),
            _("A step of an SOP opens it, as urgent as the step says."),
        ),
        (Kind.SOURCE_SILENT, _("Data source silent"), _("No data: a matter for operations.")),
        (Kind.OUTAGE, _("Product-wide outage"), _("All customers at once: one incident.")),
    ]


def kind_name(kind):
    return next((name for key, name, _about in kinds() if key == kind), kind)


def share_params(kind, unit):
    """Which parameters are typed as percentages."""
    if kind in OF_METRIC_KINDS and unit in SHARE_UNITS:
        return frozenset(OF_METRIC)
    return frozenset(SHARES.get(kind, ()))


def blank(kind, units):
    """A new rule of the kind, with its defaults."""
    key = next(iter(units), "") if any(isinstance(s, Key) for s in SPECS[kind].values()) else ""
    params = {}
    for name, spec in SPECS[kind].items():
        if isinstance(spec, Key):
            params[name] = key
        elif isinstance(spec, Several):
            params[name] = list(spec.default)
        else:
            params[name] = spec.default
    values = {
        "name_zh": "",
        "name_en": "",
        "severity": 2,
        "cause": None,
        "scope": {},
        "cool_down_days": 14,
        "first_response_hours": 9,
        "resolve_days": 10,
        "routes": [],
    }
    return of_values(kind, values, params, units)


def of_rule(rule, units):
    names = ("name_zh", "name_en", "severity", "scope", *WHOLE, "routes")
    values = {name: getattr(rule, name) for name in names} | {"cause": rule.cause_id}
    return of_values(rule.kind, values, rule.params, units)


def of_values(kind, values, params, units):
    share = share_params(kind, units.get(params.get("metric", ""), ""))
    told = {}
    for name, spec in SPECS[kind].items():
        value = params.get(name)
        if isinstance(spec, Number):
            times = 100 if name in share else 1
            told[name] = "" if value is None else shown(value, times=times)
        else:
            told[name] = value if value is not None else ""
    return Draft(kind, values, told, {}, share)


def read(post, kind, causes, channels, units):
    """(draft as typed, values for the action). What cannot be read is in draft.errors."""
    errors, params, typed = {}, {}, {}
    share = share_params(kind, units.get(post.get("p-metric", ""), ""))
    for name, spec in SPECS[kind].items():
        if isinstance(spec, Several):
            typed[name] = params[name] = post.getlist(f"p-{name}")
        elif isinstance(spec, Key | Choice):
            typed[name] = params[name] = post.get(f"p-{name}", "")
        else:
            text = typed[name] = post.get(f"p-{name}", "").strip()
            value = number(text)
            if text and value is None:
                errors[name] = _("This is no number.")
            elif text:
                params[name] = round(value / 100, 9) if name in share else value
            else:
                params[name] = None
    values = {
        "name_zh": post.get("name_zh", "").strip(),
        "name_en": post.get("name_en", "").strip(),
        "severity": post.get("severity", ""),
        "params": params,
        "scope": _scope(post),
        **{name: post.get(name, "").strip() for name in WHOLE},
        "routes": _routes(post, channels),
    }
    cause = next((one for one in causes if str(one.pk) == post.get("cause", "")), None)
    if cause is None:
        errors["cause"] = _("Which cause is suspected behind it?")
    else:
        values["cause"] = cause
    shown_values = values | {
        "cause": cause.pk if cause else None,
        "severity": int(values["severity"]) if values["severity"] in {"1", "2", "3", "4"} else 2,
    }
    return Draft(kind, shown_values, typed, errors, share), values


def _scope(post):
    found = {
        "tiers": [int(pk) for pk in post.getlist("tiers") if is_number(pk)],
        "stages": [int(pk) for pk in post.getlist("stages") if is_number(pk)],
        "touch_models": post.getlist("touch_models"),
    }
    return {name: chosen for name, chosen in found.items() if chosen}


def _routes(post, channels):
    how = post.get("how", "own")
    if how == "none":
        return [{"mode": "none"}]
    if how != "named":
        return []
    modes = [(channel.pk, post.get(f"route-{channel.pk}", "")) for channel in channels]
    named = [{"channel": pk, "mode": mode} for pk, mode in modes if mode in {"at_once", "digest"}]
    return named or [{"mode": "none"}]


def refusal_errors(refusal):
    """{field: sentence} of what the action refused."""
    if isinstance(refusal, RuleFieldBad):
        reason = {
            "missing": _("This is needed."),
            "number": _("This is no number."),
            "range": _("This is outside what makes sense here."),
            "choice": _("This cannot be chosen."),
            "order": _("This lies on the wrong side of the limit: an alert would open and close."),
        }.get(refusal.params["reason"], _("This cannot be used."))
        return {refusal.params["field"]: reason}
    return None


def how_of(routes):
    if not routes:
        return "own"
    return "none" if all(route.get("mode") == "none" for route in routes) else "named"


def severities():
    return [(level, words.severity_word(level)) for level in (1, 2, 3, 4)]


def bars(weeks):
    """Columns of the weekly openings: [(x, y, height, count, day)] in a box of 240 x 60."""
    most = max((week.opened or 0 for week in weeks), default=0) or 1
    step = 240 / max(len(weeks), 1)
    found = []
    for place, week in enumerate(weeks):
        height = 0 if week.opened is None else 34 * week.opened / most
        found.append(
            {
                "x": round(place * step + 2, 1),
                "y": round(48 - height, 1),
                "width": round(step - 4, 1),
                "height": round(height, 1),
                "count": week.opened,
                "day": week.as_of,
                "middle": round(place * step + step / 2, 1),
            }
        )
    return found
