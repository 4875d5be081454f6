"""Metrics: what is counted, as a sentence; an editor that shows values before saving."""

from datetime import date

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Customer
from gengyun.health.queries.uses import scorecards_by_metric
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.queries.access import require
from gengyun.usage.actions import metrics as metric_actions
from gengyun.usage.calc.definition import Base, DefinitionInvalid, Total, parse_definition
from gengyun.usage.calc.sentence import describe
from gengyun.usage.models import Arrival, Metric
from gengyun.usage.queries import metrics as queries
from gengyun.web.access import page
from gengyun.web.clock import today
from gengyun.web.present import metric_form as form
from gengyun.web.render import is_htmx, warn
from gengyun.web.views.settings.common import go, refusal_text, show, translated
from gengyun.web.words import is_zh, pick

PREVIEWED = 6  # customers in the preview
# where in a definition -> which field of the form
PLACES = {
    "change": "base",
    "ratio.numerator": "numerator",
    "ratio.denominator": "denominator",
    "ratio.denominator.metric": "denominator",
    "ratio.denominator.field": "denominator",
    "aggregate": "shape",
    "days": "day",
    "days.since": "day",
    "days.until": "day",
    "total": "parts",
    "change.days": "change_days",
}
COUNTED = (Base, Total)  # what a change can be of


def _found(key):
    metric = Metric.objects.filter(key=key).first()
    if metric is None:
        raise NotFound
    return metric


def _lang():
    return "zh" if is_zh() else "en"


@page("settings.read")
def metrics(request):
    lang = _lang()
    names = queries.metric_names(lang)
    uses = scorecards_by_metric()
    rows = [
        {
            "metric": metric,
            "sentence": queries.sentence(metric, lang, names),
            "scorecards": uses.get(metric.key, []),
        }
        for metric in Metric.objects.order_by("position", "key")
    ]
    context = {
        "rows": [row for row in rows if row["metric"].retired_at is None],
        "retired": [row for row in rows if row["metric"].retired_at is not None],
    }
    return show(request, "settings/metrics.html", "metrics", context)


def _sentence(definition):
    names = queries.metric_names(_lang())
    return describe(parse_definition(definition, queries.known_parts()), _lang(), names)


def _sample(request):
    """Whom the preview shows: who was asked for, else those with most at stake."""
    present = Customer.objects.visible_to(request.user).present()
    asked = request.POST.get("customer", "").strip()[:80]
    if asked:
        return list(present.filter(name__icontains=asked).order_by("name", "pk")[:PREVIEWED])
    return list(present.order_by(F("arr_minor").desc(nulls_last=True), "pk")[:PREVIEWED])


def _preview(request, definition, shape):
    """Sentence and values of an unsaved definition; raises DefinitionInvalid."""
    as_of = _day(request.POST.get("as_of", "")) or today()
    customers = _sample(request)
    values = queries.preview(definition, as_of=as_of, customer_ids=[c.pk for c in customers])
    return {
        "sentence": _sentence(definition),
        "as_of": as_of,
        "unit": form.UNITS[shape],
        "rows": [(customer, values.get(customer.pk)) for customer in customers],
    }


def _day(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _context(request, metric, draft, errors):
    definition, found = form.definition_from_draft(draft)
    preview = None
    # the first sight of the page does not wait for the engine: the panel asks for its values
    later = request.method == "GET" and "preview" not in request.GET and not found
    if not found and not later:
        try:
            preview = _preview(request, definition, draft["shape"])
        except DefinitionInvalid as refusal:
            found = {_field(refusal.path): refusal_text(refusal)}
    names = queries.metric_names(_lang())
    known = {
        key: part for key, part in queries.known_parts().items() if not metric or key != metric.key
    }
    parts = [(key, names[key]) for key in known]
    return {
        "metric": metric,
        "draft": draft,
        "errors": (translated(found) if request.method == "POST" else {}) | errors,
        "preview": preview,
        "later": later,
        "parts": parts,
        "bases": [(key, name) for key, name in parts if isinstance(known[key], COUNTED)],
        "counted": [(key, name) for key, name in parts if isinstance(known[key], Base)],
        "denominators": [(f"metric:{key}", name) for key, name in parts],
        "seen": sorted(
            Arrival.objects.exclude(event="")
            .order_by("event")
            .values_list("event", flat=True)
            .distinct()[:40]
        ),
        "asked": {"customer": request.POST.get("customer", "")},
        "uses": scorecards_by_metric().get(metric.key, []) if metric else [],
    }


def _field(path):
    return PLACES.get(path, path)


def _show(request, metric, draft, errors, status=200):
    context = _context(request, metric, draft, errors)
    block = "editor" if is_htmx(request) else None
    return show(
        request, "settings/metric_form.html", "metrics", context, block=block, status=status
    )


def _save(request, metric, draft):
    """The saved metric, or the errors by field."""
    definition, errors = form.definition_from_draft(draft)
    if errors:
        return None, translated(errors)
    texts = ("name_zh", "name_en", "description_zh", "description_en", "direction")
    values = {name: draft[name] for name in texts} | {"unit": form.UNITS[draft["shape"]]}
    common = {"actor": request.user, "now": utc_now(), "values": values, "definition": definition}
    try:
        if metric is None:
            return metric_actions.create_metric(key=form.key_from(draft), **common), {}
        return metric_actions.edit_metric(metric=metric, **common), {}
    except (DefinitionInvalid, metric_actions.MetricInvalid) as refusal:
        return None, {_field(refusal.path): refusal_text(refusal)}
    except Refusal as refusal:
        place = "key" if refusal.code == "metric_key_taken" else ""
        return None, {place: refusal_text(refusal)}


@page("settings.edit", methods=("GET", "POST"))
def metric_new(request):
    if request.method == "GET":
        return _show(request, None, form.blank(), {})
    draft = form.draft_from_post(request.POST)
    if request.POST.get("step") != "save":
        return _show(request, None, draft, {})
    metric, errors = _save(request, None, draft)
    if errors:
        return _show(request, None, draft, errors, 422)
    said = _("Created. Its values exist from the next judgement on, for any day.")
    return go(request, "settings_metrics", said=f"{pick(metric)}: {said}")


@page("settings.read", methods=("GET", "POST"))
def metric_edit(request, key):
    metric = _found(key)
    if request.method == "GET":
        return _show(request, metric, form.draft_from_metric(metric), {})
    require(request.user, "settings.edit")
    draft = form.draft_from_post(request.POST) | {"key": metric.key}
    if request.POST.get("step") != "save":
        return _show(request, metric, draft, {})
    before = metric.version
    saved, errors = _save(request, metric, draft)
    if errors:
        return _show(request, metric, draft, errors, 422)
    said = (
        _("Saved as version %(number)s. Values of days already judged keep the version before.")
        if saved.version != before
        else _("Saved.")
    )
    return go(request, "settings_metrics", said=said % {"number": saved.version})


@page("settings.edit", methods=("POST",))
def metric_retire(request, key):
    metric = _found(key)
    used_by = scorecards_by_metric().get(key, [])
    if used_by:
        names = ", ".join(pick(card) for card in used_by)
        text = _("Scorecards still read this metric: %(names)s. Take it out there first.")
        warn(request, text % {"names": names})
        return go(request, "settings_metric", key)
    try:
        metric_actions.retire_metric(actor=request.user, now=utc_now(), metric=metric)
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
        return go(request, "settings_metric", key)
    return go(
        request,
        "settings_metrics",
        said=_("%(name)s is retired; what was computed stays readable.") % {"name": pick(metric)},
        undo=reverse("web:settings_metric_restore", args=[key]),
    )


@page("settings.edit", methods=("POST",))
def metric_restore(request, key):
    metric = _found(key)
    metric_actions.restore_metric(actor=request.user, now=utc_now(), metric=metric)
    return go(request, "settings_metrics", said=_("%(name)s is back.") % {"name": pick(metric)})
