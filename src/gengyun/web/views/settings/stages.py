"""The stages of each touch model's journey."""

import re

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from gengyun.customers.actions import stages as stage_actions
from gengyun.customers.models import Stage, TouchModel
from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.web.access import page
from gengyun.web.present.scorecard_form import NOT_A_NUMBER, number
from gengyun.web.views.settings.common import field_of, go, show

TEXTS = stage_actions.TEXTS
NUMBERS = stage_actions.NUMBERS
FIELDS = {"stage_invalid": "name_zh", "stage_days_invalid": "longest_days"}


@page("settings.read")
def stages(request):
    """Each journey with its stages in order, and how many customers are in each now."""
    by_model = [
        (model, label, _with_counts(model)) for model, label in reversed(TouchModel.choices)
    ]
    return show(request, "settings/stages.html", "stages", {"journeys": by_model})


def _with_counts(model):
    present = Q(customer__archived_at__isnull=True)
    rows = Stage.objects.filter(touch_model=model)
    return rows.annotate(customer_count=Count("customer", filter=present)).order_by(
        "position", "pk"
    )


def _read(request):
    values = {name: request.POST.get(name, "").strip() for name in (*TEXTS, *NUMBERS)}
    changes, errors = dict(values), {}
    for name in NUMBERS:
        days = number(values[name])
        if values[name] and (days is None or days != int(days)):
            errors[name] = _(NOT_A_NUMBER)
        changes[name] = int(days) if days is not None else None
    return values, changes, errors


def _form(request, stage, values, errors, status=200):
    context = {
        "stage": stage,
        "values": values,
        "errors": errors,
        "touch_models": TouchModel.choices,
    }
    return show(request, "settings/stage_form.html", "stages", context, status=status)


@page("settings.edit", methods=("GET", "POST"))
def stage_new(request):
    model = request.POST.get("touch_model") or request.GET.get("touch_model") or TouchModel.HIGH
    if request.method == "GET":
        return _form(request, None, {"touch_model": model}, {})
    values, changes, errors = _read(request)
    if not errors:
        key = re.sub(r"[^a-z0-9]+", "-", values["name_en"].lower()).strip("-")[:40]
        try:
            stage_actions.create_stage(
                actor=request.user, now=utc_now(), touch_model=model, key=key, values=changes
            )
        except Refusal as refusal:
            errors = field_of(refusal, FIELDS)
        else:
            return go(request, "settings_stages", said=_("Saved."))
    return _form(request, None, values | {"touch_model": model}, errors, 422)


def _found(pk):
    stage = Stage.objects.filter(pk=pk).first()
    if stage is None:
        raise NotFound
    return stage


@page("settings.edit", methods=("GET", "POST"))
def stage_edit(request, pk):
    stage = _found(pk)
    if request.method == "GET":
        values = {name: getattr(stage, name) for name in (*TEXTS, *NUMBERS)}
        return _form(request, stage, values, {})
    values, changes, errors = _read(request)
    if not errors:
        try:
            if request.POST.get("step") == "delete":
                stage_actions.delete_stage(actor=request.user, now=utc_now(), stage=stage)
            else:
                stage_actions.edit_stage(
                    actor=request.user, now=utc_now(), stage=stage, changes=changes
                )
        except Refusal as refusal:
            errors = field_of(refusal, FIELDS)
        else:
            return go(request, "settings_stages", said=_("Saved."))
    return _form(request, stage, values, errors, 422)


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
