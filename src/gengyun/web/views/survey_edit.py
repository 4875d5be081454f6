"""Writing surveys: a new one of a kind, and all that may be changed of one."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.engagement.actions import survey_forms as actions
from gengyun.engagement.calc.templates import VARIABLES
from gengyun.engagement.models import Channel, Survey
from gengyun.engagement.queries import surveys as queries
from gengyun.kernel.errors import Refusal
from gengyun.web.access import page
from gengyun.web.present import survey_form as present
from gengyun.web.refusals import refusal_text
from gengyun.web.render import render, toast
from gengyun.web.words import pick

OF_FIELD = {"survey_key_taken": "key", "survey_kind_unknown": "kind"}


@page("survey.edit", methods=("GET", "POST"))
def new(request):
    """A name and a kind; the questions of the kind come with it, and the rest is edited after."""
    if request.method == "GET":
        return _new(request, {"kind": "nps"}, {})
    names = ("kind", "key", "name_zh", "name_en")
    typed = {name: request.POST.get(name, "").strip() for name in names}
    try:
        survey = actions.create_survey(actor=request.user, now=request.now, **typed)
    except Refusal as refusal:
        errors = {key: _(text) for key, text in getattr(refusal, "errors", {}).items()}
        if not errors:
            errors = {OF_FIELD.get(refusal.code, ""): refusal_text(refusal)}
        return _new(request, typed, errors, refusal.status)
    toast(request, _("“%(name)s” made; look at its questions and its mail.") % {"name": survey})
    return _to("web:survey_edit", survey)


def _new(request, typed, errors, status=200):
    kinds = [(kind.value, kind.label) for kind in Survey.Kind]
    context = {"typed": typed, "errors": errors, "kinds": kinds}
    return render(request, "surveys/new.html", context, status=status)


@page("survey.edit", methods=("GET", "POST"))
def edit(request, pk):
    survey = queries.get(pk)
    if request.method == "GET":
        return _edit(request, survey, present.shown(survey), {})
    typed, changes = present.read(request.POST, survey)
    try:
        actions.edit_survey(actor=request.user, now=request.now, survey=survey, changes=changes)
    except actions.SurveyInvalid as refusal:
        errors = {key: _(text) for key, text in refusal.errors.items()}
        return _edit(request, survey, typed, errors, refusal.status)
    toast(request, _("“%(name)s” saved.") % {"name": pick(survey)})
    return _to("web:survey", survey)


def _edit(request, survey, typed, errors, status=200):
    context = {
        "survey": survey,
        "typed": typed,
        "errors": errors,
        "problems": sorted(set(errors.values())),
        "kind_words": present.kind_words(),
        "when_words": present.when_words(survey.kind),
        "fault_of": present.fault_of,
        "channels": [
            (one.pk, one.name)
            for one in Channel.objects.filter(kind="email", is_active=True).order_by("name")
        ],
        "variables": [f"{{ {name} }}" for name in VARIABLES],
        "is_answered": survey.answers.exists(),
    }
    return render(request, "surveys/edit.html", context, status=status)


def _to(name, survey):
    response = HttpResponseRedirect(reverse(name, args=[survey.pk]))
    response.status_code = 303
    return response
