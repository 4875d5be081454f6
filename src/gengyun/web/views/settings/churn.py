"""The churn probability: its event, the weights, rates and thresholds, each with its source."""

from math import log

from gengyun.churn.actions import settings as actions
from gengyun.churn.calc.features import FEATURES
from gengyun.churn.calc.standards import base_rates
from gengyun.churn.calc.table import Feature
from gengyun.churn.models import ChurnForecast, ChurnSettings, EventChoice
from gengyun.churn.queries import settings as queries
from gengyun.churn.queries.models import champion
from gengyun.customers.models import Tier
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import Refusal
from gengyun.team.queries.access import require
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.present import churn_settings as form
from gengyun.web.present.churn_typed import read, typed
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx
from gengyun.web.undo import remember
from gengyun.web.views.settings.common import field_of, go, show
from gengyun.web.words import gettext as _
from gengyun.web.words import pick

TEMPLATE = "settings/churn.html"
PLAIN = ("event", "grace_days", "silent_days")
ERRORS = {"churn_days_bad": "grace_days", "churn_event_bad": "event"}
KINDS = ("base_rates", "thresholds", "weights")


@page("settings.read", methods=("GET", "POST"))
def churn(request):
    row = queries.current()
    now = _rows(row)
    if request.method == "GET":
        return _page(request, row, now, {name: str(getattr(row, name)) for name in PLAIN})
    require(request.user, "settings.edit")
    given = Form.of(request.POST)
    mark = _("%(name)s, %(day)s") % {"name": request.user.name, "day": day_of(request.now)}
    after = {kind: typed(now[kind], given.raw, kind, mark) for kind in KINDS}
    changes, errors, told = _read(given, row, now, after)
    if request.POST.get("step") == "save" and not errors:
        try:
            actions.edit_settings(actor=request.user, now=request.now, changes=changes)
        except Refusal as refusal:
            errors = field_of(refusal, ERRORS)
        else:
            return _saved(request, row)
    plain = {name: given.get(name, str(getattr(row, name))) for name in PLAIN}
    more = {
        "errors": errors,
        "told": [] if errors else told,
        "is_changed": bool(told or errors),
        "effects": [] if errors else _effects(row, changes),
        "does": form.effects_of(_changed(row, changes), _learned(row)),
        "block": "editor" if is_htmx(request) else None,
    }
    return _page(request, row, after, plain, status=422 if errors else 200, **more)


def _saved(request, row):
    """The numbers as they were wait in the session: one click puts them back."""
    before = {name: getattr(row, name) for name in actions.FIELDS}
    is_new = queries.current().version != row.version
    undo = remember(request, "churn_settings", before) if is_new else ""
    said = _("Saved; the next night speaks under it.")
    return go(request, "settings_churn", said=said, undo=undo)


def _changed(row, changes):
    """Fields that would hold something else; "as there are contracts" may mean the same event."""
    found = [name for name, value in changes.items() if getattr(row, name) != value]
    if "event" in found and changes["event"] in EventChoice.values:
        then = queries.event_of(ChurnSettings(event=changes["event"]))
        if then == queries.event_of(row):
            found.remove("event")
    return found


def _learned(row):
    """Lost renewals that the model in use has learned from; None: it is an estimate, or none."""
    model = champion(queries.event_of(row))
    return model.events if model and model.rung != "L0" else None


def _tiers():
    return [(tier.key, pick(tier)) for tier in Tier.objects.all()]


def features_in_use():
    """The catalogue, and the company's metrics that the model in use reads."""
    found = {feature.key: feature for feature in FEATURES}
    model = champion(queries.event_of(queries.current()))
    for one in model.content.get("features", []) if model else []:
        found.setdefault(one["key"], Feature(**one))
    return list(found.values())


def _rows(row):
    """kind -> rows of the form as they hold now; weights are flat here, in groups on the page."""
    features, tiers = features_in_use(), _tiers()
    weights = form.weight_groups(features, queries.weights_in_force(row, features))
    return {
        "base_rates": form.rate_entries(tiers, queries.base_rates_in_force(row)),
        "thresholds": form.threshold_entries(tiers, queries.thresholds_in_force(row)),
        "weights": [one for group in weights for one in group.entries],
    }


def _read(given, row, now, after):
    """(changes for the action, errors, [(what, before, after)])"""
    changes, errors = _plain(given, row)
    names = {"event": _("Event"), "grace_days": _("Days of grace"),
             "silent_days": _("Days of silence")}  # fmt: skip
    told = [
        (names[name], _of(name, getattr(row, name)), _of(name, changes[name]))
        for name in PLAIN
        if name in changes and changes[name] != getattr(row, name)
    ]
    for kind in KINDS:
        found = read(now[kind], after[kind], getattr(row, kind), kind, _check_of(kind))
        changes[kind] = found.kept
        errors |= found.errors
        told += found.changes
    return changes, errors, told


def _plain(given, row):
    """(event and days as typed, errors by field): refused before saving by what saving refuses."""
    changes = {"event": given.get("event", row.event)}
    given.whole("grace_days")
    given.whole("silent_days")
    errors = dict(given.errors)
    for name in ("grace_days", "silent_days"):
        if given.values.get(name) is not None:
            changes[name] = given.values[name]
        elif name not in errors and name in given.raw:
            errors[name] = _("A number is needed here.")
    asked = {
        "event": lambda: actions.check_event(changes["event"]),
        "grace_days": lambda: actions.check_days(changes["grace_days"], row.silent_days),
        "silent_days": lambda: actions.check_days(row.grace_days, changes["silent_days"]),
    }
    for name in PLAIN:
        if name in changes and name not in errors:
            try:
                asked[name]()
            except Refusal as refusal:
                errors[name] = refusal_text(refusal)
    return changes, errors


def _check_of(kind):
    """What the action says against an entry, by the name that the page shows and in its unit."""

    def check(entry, row):
        try:
            actions.CHECKED[kind](entry.key, row)
        except Refusal as refusal:
            refusal.params |= {"key": entry.label}
            if entry.key.startswith(form.TIER) and "most" in refusal.params:
                bounds = {name: 100 * refusal.params[name] for name in ("least", "most")}
                refusal.params |= {name: form.number_text(own) for name, own in bounds.items()}
            return refusal_text(refusal)
        return ""

    return check


def _of(name, value):
    return str(dict(EventChoice.choices).get(value, value)) if name == "event" else str(value)


def _effects(row, changes):
    """What other base rates do at once: to an estimate that has learned nothing, exactly that."""
    model = champion(queries.event_of(row))
    if model is None or model.rung != "L0" or changes["base_rates"] == row.base_rates:
        return []
    before = queries.base_rates_in_force(row)
    bp = queries.revenue_settings().stated_renewal_bp
    after = base_rates(changes["base_rates"], None if bp is None else 1 - bp / 10_000)
    said = {}
    open_now = ChurnForecast.objects.filter(probability__isnull=False).select_related("tier")
    for one in open_now.only("probability", "tier__key"):
        said.setdefault(one.tier.key if one.tier else "", []).append(one.probability)
    rows = []
    for key, name in [*_tiers(), ("", _("all others"))]:
        was, then = before.get(key, before[""]), after.get(key, after[""])
        shift = log(then.rate / (1 - then.rate)) - log(was.rate / (1 - was.rate))
        rows.append((key, name, shift, then.worth, said.get(key, [])))
    return form.moved(rows)


def _page(request, row, rows, plain, *, status=200, block=None, **more):
    groups = {}
    by_key = {feature.key: feature.group for feature in features_in_use()}
    for one in rows["weights"]:
        groups.setdefault(by_key[one.key], []).append(one)
    model = champion(queries.event_of(row))
    context = {
        "row": row,
        "plain": plain,
        "events": EventChoice.choices,
        "event_now": queries.event_of(row),
        "rates": rows["base_rates"],
        "thresholds": rows["thresholds"],
        "weights": [form.Group(key, form.group_name(key), own) for key, own in groups.items()],
        "model": model,
        "errors": {},
        "told": [],
        "is_changed": False,
        "effects": [],
        "does": [],
        **more,
    }
    return show(request, TEMPLATE, "churn", context, block=block, status=status)
