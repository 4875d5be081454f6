"""What the editor of an SOP offers to choose from."""

from django.utils.translation import gettext as _

from gengyun.alerts.models import RiskCause
from gengyun.customers.models import Stage, TouchModel
from gengyun.customers.queries.custom_fields import fields_in_use
from gengyun.engagement.calc.templates import VARIABLES
from gengyun.engagement.models import Channel, Survey
from gengyun.engagement.models.touch import Category
from gengyun.sop.calc.form import read
from gengyun.sop.models import Sop, SopVersion
from gengyun.sop.queries.effect_plan import planned
from gengyun.sop.queries.forms import form_of
from gengyun.usage.models import Arrival
from gengyun.usage.queries.metrics import active_metrics
from gengyun.web.jinja import url_or_none
from gengyun.web.present import alerts, custom, sop_effect_power
from gengyun.web.words import gettext, pick


def channels(known):
    """Ways to reach a customer, by kind: those that there are."""
    return [(str(kind), str(name)) for kind, name in Channel.Kind.choices if kind in known.channels]


def webhooks(known):
    return [(name, name) for name in sorted(known.webhooks)]


def surveys():
    return [
        (survey.key, pick(survey) or survey.key)
        for survey in Survey.objects.filter(retired_at__isnull=True)
    ]


def dates():
    own = [(field.name, pick(field)) for field in fields_in_use() if field.kind == "date"]
    return [("renews_on", _("the renewal")), ("next_step_on", _("the next step")), *own]


def settable():
    """[(field, name)] and {field: [(value, name)]} of what a step may set."""
    stages = [
        (str(stage.pk), f"{pick(stage)} ({stage.get_touch_model_display()})")
        for stage in Stage.objects.all()
    ]
    fields = fields_in_use()
    values = {"stage": stages}
    for field in fields:
        if field.kind in {"choice", "multi"}:
            values[field.name] = list(custom.options(field))
        elif field.kind == "bool":
            values[field.name] = [("yes", _("yes")), ("no", _("no"))]
    return [("stage", _("Stage")), *((one.name, pick(one)) for one in fields)], values


def causes():
    rows = RiskCause.objects.filter(retired_at__isnull=True, parent__isnull=False)
    return [(cause.key, pick(cause)) for cause in rows]


def severities():
    return [(str(level), alerts.severity_word(level)) for level in (1, 2, 3, 4)]


def metrics():
    return [(metric.key, pick(metric)) for metric in active_metrics()]


def variables():
    return [(f"{{{{ {name} }}}}", gettext(about)) for name, about in VARIABLES.items()]


def categories():
    return [(key, str(name)) for key, name in Category.choices]


def touch_models():
    return [(key, str(name)) for key, name in TouchModel.choices]


def events():
    """What lets a customer in: what happens here, and what their product sends."""
    own = [
        ("customer.created", _("a customer is new")),
        ("survey.answered", _("a survey is answered")),
        ("survey.low", _("a survey is answered badly")),
    ]
    seen = Arrival.objects.exclude(event="").order_by("event").values_list("event", flat=True)
    sent = [
        (name, _("the event “%(name)s” arrives") % {"name": name}) for name in seen.distinct()[:60]
    ]
    return own + sent


def other_sops(sop):
    rows = Sop.objects.exclude(pk=sop.pk).exclude(state=Sop.State.STOPPED)
    return list(rows.values_list("key", "name"))


def measured_beside(raw, sop):
    """Names of running SOPs that hold customers out, too, and that this one does not keep apart
    from: customers may be in both, and each then disturbs what the other shows."""
    form, _problems = read(raw)
    if form.holdout <= 0:
        return []
    live = SopVersion.objects.filter(state=SopVersion.State.PUBLISHED, sop__state=Sop.State.LIVE)
    found = []
    for version in live.exclude(sop=sop).select_related("sop").order_by("sop__name"):
        other = form_of(version)
        is_apart = version.sop.key in form.not_while_in and sop.key in other.not_while_in
        if other.holdout > 0 and not is_apart:
            found.append(version.sop.name)
    return found


def caps():
    """What keeps messages within bounds, under the steps."""
    return _(
        "Messages keep to the caps and quiet hours of each contact; what is not sent is told with "
        "its reason in the run log."
    )


def effect_href(sop, published):
    return url_or_none("sop_effect", sop.pk) if published else None


def power(raw, sop, today):
    """What the hold-out could show; nothing while the form cannot be read."""
    form, _problems = read(raw)
    return sop_effect_power.power(form, planned(form, sop=sop, today=today))
