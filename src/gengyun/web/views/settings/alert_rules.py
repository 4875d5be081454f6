"""Rules of alerts: the list with how right each is, the editor with its dry run, causes, policy."""

from django.utils.translation import gettext as _

from gengyun.alerts.actions import causes as cause_actions
from gengyun.alerts.actions import rules as actions
from gengyun.alerts.actions.defaults import install_defaults
from gengyun.alerts.calc.params import BANDS, CONFIDENCE, PARTS, SPECS
from gengyun.alerts.calc.sentences import sentence
from gengyun.alerts.calc.wording import Told, part
from gengyun.alerts.models import AlertRule, RiskCause
from gengyun.alerts.queries.marks import mark_rows
from gengyun.alerts.queries.policy import policy
from gengyun.alerts.queries.preview import preview_rule
from gengyun.alerts.queries.quality import quality
from gengyun.alerts.queries.telling import names_of
from gengyun.alerts.queries.waiting import waiting_for
from gengyun.customers.models import Stage, Tier, TouchModel
from gengyun.engagement.models import Channel
from gengyun.health.calc.manual import NAMES, SENTIMENT
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.usage.models import Metric
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import alert_rules as present
from gengyun.web.present import alert_summaries
from gengyun.web.render import toast
from gengyun.web.views.alert_work import cause_groups
from gengyun.web.views.settings.common import field_of, go, refusal_text, show
from gengyun.web.words import is_zh, pick

POLICY = tuple(cause_actions.POLICY_LIMITS)
SHOWN = 12  # customers listed in a dry run
FEWEST = 5  # verdicts before a precision is shown as a number


@page("settings.read")
def rules(request):
    if not AlertRule.objects.exists():
        install_defaults(now=request.now)  # a deployment whose first day is not judged yet
    return _list(request, policy())


def _list(request, kept, *, status=200, **more):
    found = quality(now=request.now)
    names = names_of(one.rule for one in found)
    rows = [
        {
            "quality": one,
            "rule": one.rule,
            "says": alert_summaries.summary(one.rule, names, is_zh()),
            "is_known": one.precision.judged >= FEWEST,
        }
        for one in found
    ]
    retired = AlertRule.objects.filter(retired_at__isnull=False)
    levels = dict(present.severities())
    context = {
        "rows": rows,
        "policy": kept,
        "retired": retired,
        "levels": levels,
        "marks": mark_rows(),
        "basis_words": alert_summaries.basis_words(),
        "waiting": alert_summaries.waiting(waiting_for()),
        **more,
    }
    return show(request, "settings/alerts.html", "alerts", context, status=status)


@page("settings.edit", methods=("GET", "POST"))
def rule_new(request):
    kind = request.GET.get("kind", "")
    if kind not in SPECS:
        return show(request, "settings/alert_kinds.html", "alerts", {"kinds": present.kinds()})
    if request.method == "GET":
        return _form(request, None, present.blank(kind, _units()))
    return _save(request, None, kind)


@page("settings.read", methods=("GET", "POST"))
def rule(request, pk):
    found = _rule(pk)
    if request.method == "GET":
        return _form(request, found, present.of_rule(found, _units()))
    return _save(request, found, found.kind)


def _save(request, rule, kind):
    draft, values = present.read(request.POST, kind, _causes(), _channels(), _units())
    if request.POST.get("step") == "preview":
        return _form(request, rule, draft, values=values, block="editor")
    errors = dict(draft.errors)
    if not errors:
        try:
            if rule is None:
                rule = actions.create_rule(
                    actor=request.user, now=request.now, kind=kind, values=values
                )
            else:
                actions.edit_rule(actor=request.user, now=request.now, rule=rule, changes=values)
        except Refusal as refusal:
            errors = present.refusal_errors(refusal) or field_of(
                refusal, {"rule_name_missing": "name_zh"}
            )
        else:
            return go(request, "settings_alerts", said=_("Saved; judged by it from now on."))
    draft.errors.update(errors)
    return _form(request, rule, draft, values=values, status=422)


def _form(request, rule, draft, *, values=None, status=200, block=None):
    context = {
        "rule": rule,
        "draft": draft,
        "errors": draft.errors,
        "kind_name": present.kind_name(draft.kind),
        "how": present.how_of(draft.values["routes"]),
        "metrics": _metric_choices(draft.kind),
        "severities": present.severities(),
        "cause_groups": cause_groups(),
        "tiers": list(Tier.objects.all()),
        "stages": list(Stage.objects.all()),
        "touch_models": TouchModel.choices,
        "channels": _channels(),
        "modes": {route.get("channel"): route.get("mode") for route in draft.values["routes"]},
        "bands": BANDS[1:],
        "parts": [(one, part(one, zh=is_zh())) for one in PARTS],
        "worries": alert_summaries.worry_words(),
        "grades": alert_summaries.grade_words(),
        "survey_kinds": alert_summaries.survey_kinds(),
        "confidence": CONFIDENCE,
        **_trial(request, rule, draft, values),
    }
    return show(request, "settings/alert_rule.html", "alerts", context, block=block, status=status)


def _trial(request, rule, draft, values):
    """Who would be told of now, and how many each week: from what is on the screen."""
    try:
        if values is None:
            tried = rule
        else:
            if draft.errors:
                return {"trial": None}
            wanted = values | {
                "name_zh": values["name_zh"] or "—",
                "name_en": values["name_en"] or "—",
            }
            tried = actions.build_rule(kind=draft.kind, values=wanted, now=request.now)
        if tried is None:
            return {"trial": None}
        found = preview_rule(tried, actor=request.user, now=request.now)
    except Refusal as refusal:
        draft.errors.update(present.refusal_errors(refusal) or {})
        return {"trial": None}
    names = names_of([tried])
    return {
        "trial": found,
        "bars": present.bars(found.weeks[1:]),
        "flagged": [
            {"customer": row.customer, "text": _say(tried, row, names, request.today)}
            for row in found.rows[:SHOWN]
        ],
    }


def _say(rule, row, names, today):
    reading = row.flagged.reading
    told = Told(
        rule.kind,
        rule.params,
        reading.value,
        reading.reference,
        reading.facts,
        names,
        is_zh(),
        today,
    )
    return sentence(told)


@page("settings.edit", methods=("POST",))
def rule_do(request, pk, verb):
    """On, off, one step less urgent, up, retired, back."""
    found = _rule(pk)
    arguments = {"actor": request.user, "now": request.now, "rule": found}
    if verb in {"on", "off"}:
        actions.switch_rule(on=verb == "on", **arguments)
        said = _("%(name)s: switched on") if verb == "on" else _("%(name)s: switched off")
    elif verb == "demote":
        actions.demote_rule(**arguments)
        said = _("%(name)s: one step less urgent")
    elif verb == "up":
        _up(request, found)
        said = _("%(name)s: one place up")
    elif verb == "retire":
        actions.retire_rule(**arguments)
        said = _("%(name)s: retired")
    elif verb == "restore":
        actions.restore_rule(**arguments)
        said = _("%(name)s: back in the list")
    else:
        raise NotFound
    return go(request, "settings_alerts", said=said % {"name": pick(found)})


def _up(request, rule):
    order = list(AlertRule.objects.filter(retired_at__isnull=True).values_list("pk", flat=True))
    place = order.index(rule.pk) if rule.pk in order else 0
    if place:
        order[place - 1], order[place] = order[place], order[place - 1]
        actions.reorder_rules(actor=request.user, now=request.now, order=order)


@page("settings.edit", methods=("POST",))
def policy_edit(request):
    changes = {name: request.POST[name] for name in POLICY if name in request.POST}
    try:
        cause_actions.edit_policy(actor=request.user, now=request.now, changes=changes)
    except Refusal as refusal:
        kept = policy()
        for name, value in changes.items():
            setattr(kept, name, value)
        return _list(request, kept, status=422, policy_error=refusal_text(refusal))
    return go(request, "settings_alerts", said=_("Saved; in force from the next judged day on."))


@page("settings.read")
def causes(request):
    """The tree: families and their graded causes."""
    everything = list(RiskCause.objects.all())
    tree = [
        (family, [one for one in everything if one.parent_id == family.pk])
        for family in everything
        if family.parent_id is None
    ]
    context = {"tree": tree, "grades": RiskCause.Grade.choices}
    return show(request, "settings/causes.html", "alerts", context)


@page("settings.edit", methods=("POST",))
def cause_new(request):
    wanted = request.POST.get("parent", "")
    parent = RiskCause.objects.filter(pk=int(wanted)).first() if is_number(wanted) else None
    cause = cause_actions.create_cause(
        actor=request.user,
        now=request.now,
        name_zh=request.POST.get("name_zh", ""),
        name_en=request.POST.get("name_en", ""),
        grade=request.POST.get("grade", ""),
        parent=parent,
    )
    return go(request, "settings_causes", said=_("%(name)s: added") % {"name": pick(cause)})


@page("settings.edit", methods=("POST",))
def cause_do(request, pk, verb):
    cause = RiskCause.objects.filter(pk=pk).first()
    if cause is None:
        raise NotFound
    arguments = {"actor": request.user, "now": request.now, "cause": cause}
    if verb == "edit":
        given = {n: request.POST[n] for n in ("name_zh", "name_en", "grade") if n in request.POST}
        cause_actions.edit_cause(changes=given, **arguments)
    elif verb == "retire":
        cause_actions.retire_cause(**arguments)
    elif verb == "restore":
        cause_actions.restore_cause(**arguments)
    else:
        raise NotFound
    toast(request, _("Saved."))
    return go(request, "settings_causes")


def _rule(pk):
    found = AlertRule.objects.select_related("cause").filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def _causes():
    return list(RiskCause.objects.filter(retired_at__isnull=True))


def _channels():
    return list(Channel.objects.filter(is_active=True))


def _metrics():
    return Metric.objects.filter(retired_at__isnull=True)


def _metric_choices(kind):
    """Metrics; for the rule about sentiment what the CSM says as well, first."""
    found = [(one.key, pick(one)) for one in _metrics()]
    if kind != AlertRule.Kind.SENTIMENT_DROP:
        return found
    return [(SENTIMENT, NAMES[SENTIMENT][0 if is_zh() else 1]), *found]


def _units():
    return {SENTIMENT: SENTIMENT} | dict(_metrics().values_list("key", "unit"))
