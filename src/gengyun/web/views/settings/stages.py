"""The stages of each touch model's journey: what is aimed for, and when customers move on."""

import re

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gengyun.customers.actions import stages as stage_actions
from gengyun.customers.actions.journey_preview import preview_stage
from gengyun.customers.models import Stage, TouchModel
from gengyun.customers.queries.facts import known_facts
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.web.access import page
from gengyun.web.present import journeys as present
from gengyun.web.present import stage_form
from gengyun.web.present.scorecard_form import NOT_A_NUMBER, number
from gengyun.web.render import is_htmx
from gengyun.web.views.settings.common import field_of, go, refusal_text, show, translated
from gengyun.web.words import is_zh, pick

TEMPLATE = "settings/stage_form.html"
TEXTS = stage_actions.TEXTS
NUMBERS = stage_actions.NUMBERS
FLAGS = stage_actions.FLAGS
FIELDS = {
    "stage_invalid": "name_zh",
    "stage_days_invalid": "longest_days",
    "exit_unknown": "exit_to",
}
PROBLEMS = {
    "fact_unknown": gettext_noop("A condition asks for something that is not known any more."),
    "too_many": gettext_noop("A list holds at most 8 conditions."),
    "check_twice": gettext_noop("Two things to tick are the same."),
}
GROUPS = {
    "customer": gettext_noop("Customer"),
    "contacts": gettext_noop("Contacts"),
    "activity": gettext_noop("Activities"),
    "survey": gettext_noop("Surveys"),
    "metric": gettext_noop("Metrics"),
    "health": gettext_noop("Health"),
}


@page("settings.read")
def stages(request):
    """Each journey with its stages in order, and how many customers are in each now."""
    facts, zh = known_facts(), is_zh()
    by_model = [
        (model, label, [_shown(row, facts, zh=zh) for row in _with_counts(model)])
        for model, label in reversed(TouchModel.choices)
    ]
    return show(request, "settings/stages.html", "stages", {"journeys": by_model})


def _with_counts(model):
    present_ = Q(customer__archived_at__isnull=True)
    rows = Stage.objects.filter(touch_model=model)
    return rows.annotate(customer_count=Count("customer", filter=present_)).order_by(
        "position", "pk"
    )


def _shown(stage, facts, *, zh):
    """The stage with its lists as sentences."""
    lists = {
        name: [
            present.sentence(item, facts, zh=zh)
            for item in stage_form.parse_items(getattr(stage, name))
        ]
        for name in stage_form.LISTS
    }
    return stage, lists


def _read(request):
    values = {name: request.POST.get(name, "").strip() for name in (*TEXTS, *NUMBERS, "exit_to")}
    changes, errors = dict(values), {}
    for name in NUMBERS:
        days = number(values[name])
        if values[name] and (days is None or days != int(days)):
            errors[name] = _(NOT_A_NUMBER)
        changes[name] = int(days) if days is not None else None
    for name in FLAGS:
        values[name] = changes[name] = request.POST.get(name) == "1"
    return values, changes, errors


def _form(request, stage, values, draft, *, errors=None, status=200, changed=False):
    """The page: what was typed, and what the criteria would do today."""
    errors, zh, facts = errors or {}, is_zh(), known_facts()
    found = stage_form.read(draft, facts, zh=zh)
    if changed:
        errors = {**translated(found.errors), **errors}
    model = stage.touch_model if stage else values["touch_model"]
    others = Stage.objects.filter(touch_model=model).order_by("position", "pk")
    here = stage or Stage(touch_model=model, position=others.count() + 1)
    preview = None
    if not found.errors:
        preview = preview_stage(
            actor=request.user, stage=here, lists=found.items(), as_of=request.today
        )
    context = {
        "stage": stage,
        "values": values,
        "draft": draft,
        "errors": errors,
        "changed": changed,
        "touch_models": TouchModel.choices,
        "menu": _menu(facts, zh=zh),
        "facts": facts,
        "ops_of": stage_form.ops_of,
        "exits": [(row.key, pick(row)) for row in others if not stage or row.pk != stage.pk],
        "preview": preview,
        "zh": zh,
    }
    block = "editor" if is_htmx(request) and request.method == "POST" else None
    return show(request, TEMPLATE, "stages", context, block=block, status=status)


def _menu(facts, *, zh):
    """(group, [(key, name)]) in the order of the groups."""
    return [
        (_(label), [(f.key, f.zh if zh else f.en) for f in facts.values() if f.group == group])
        for group, label in GROUPS.items()
    ]


@page("settings.edit", methods=("GET", "POST"))
def stage_new(request):
    model = request.POST.get("touch_model") or request.GET.get("touch_model") or TouchModel.HIGH
    if model not in TouchModel.values:
        raise NotFound
    empty = {name: [] for name in stage_form.LISTS}
    if request.method == "GET":
        return _form(request, None, {"touch_model": model}, empty)
    return _posted(request, None, model)


def _found(pk):
    stage = Stage.objects.filter(pk=pk).first()
    if stage is None:
        raise NotFound
    return stage


@page("settings.edit", methods=("GET", "POST"))
def stage_edit(request, pk):
    stage = _found(pk)
    if request.method == "GET":
        values = {name: getattr(stage, name) for name in (*TEXTS, *NUMBERS, *FLAGS, "exit_to")}
        return _form(request, stage, values, stage_form.draft_of(stage, known_facts(), zh=is_zh()))
    return _posted(request, stage, stage.touch_model)


def _posted(request, stage, model):
    """A step of the editor, or saving, or deleting."""
    facts = known_facts()
    values, changes, errors = _read(request)
    values["touch_model"] = model
    draft = stage_form.draft_of_post(request.POST, facts)
    step = request.POST.get("step", "save")
    if step not in {"save", "delete"}:
        draft = stage_form.apply_step(draft, step, facts)
        return _form(request, stage, values, draft, changed=True)
    found = stage_form.read(draft, facts, zh=is_zh())
    if not errors and (step == "delete" or not found.errors):
        try:
            _write(request, stage, model, changes | found.raw, step)
        except stage_actions.CriterionInvalid as refusal:
            text = PROBLEMS.get(refusal.params["problem"])
            errors = {"": _(text) if text else refusal_text(refusal)}
        except stage_actions.RuleWithoutCriteria as refusal:
            errors = {refusal.params["list"]: refusal_text(refusal)}
        except Refusal as refusal:
            errors = field_of(refusal, FIELDS)
        else:
            return go(request, "settings_stages", said=_("Saved."))
    return _form(request, stage, values, draft, errors=errors, status=422, changed=True)


def _write(request, stage, model, changes, step):
    common = {"actor": request.user, "now": utc_now()}
    if step == "delete":
        stage_actions.delete_stage(**common, stage=stage or _found(0))
    elif stage is not None:
        stage_actions.edit_stage(**common, stage=stage, changes=changes)
    else:
        key = re.sub(r"[^a-z0-9]+", "-", changes["name_en"].lower()).strip("-")[:40]
        stage_actions.create_stage(**common, touch_model=model, key=key, values=changes)


@page("settings.edit", methods=("POST",))
def stage_up(request, pk):
    """One place earlier in its journey."""
    stage = _found(pk)
    rows = list(Stage.objects.filter(touch_model=stage.touch_model).order_by("position", "pk"))
    place = next(n for n, row in enumerate(rows) if row.pk == stage.pk)
    if place:
        rows[place - 1], rows[place] = rows[place], rows[place - 1]
        stage_actions.reorder_stages(
            actor=request.user, now=utc_now(), touch_model=stage.touch_model, stages=rows
        )
    return go(request, "settings_stages")
