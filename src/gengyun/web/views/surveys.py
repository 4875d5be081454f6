"""Surveys: their numbers, waves and answers, and asking people."""

from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.customers.models import Tier
from gengyun.engagement.actions import survey_defaults, survey_forms, survey_mail
from gengyun.engagement.actions import surveys as actions
from gengyun.engagement.calc import questionnaire
from gengyun.engagement.calc.invitations import quarter_key
from gengyun.engagement.models import Survey, Wave
from gengyun.engagement.queries import surveys as queries
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.texts import keepable
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import surveys as present
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx, render, toast
from gengyun.web.words import language, pick

VERBS = {
    "retire": (survey_forms.retire_survey, "restore"),
    "restore": (survey_forms.restore_survey, "retire"),
}
WAVE_VERBS = {"close": actions.close_wave, "reopen": actions.reopen_wave}
FARTHEST = 200  # pages


@page()
def listing(request):
    if not Survey.objects.exists():
        survey_defaults.install_defaults(now=request.now)
    rows = []
    for survey in Survey.objects.all():
        found = queries.results(request.user, survey, now=request.now, days=survey.window_days)
        rows.append((survey, present.figure(survey.kind, found.number), found))
    context = {
        "live": [row for row in rows if row[0].retired_at is None],
        "retired": [row for row in rows if row[0].retired_at is not None],
        "may_survey": can(request.user, "survey.edit"),
        "response_text": present.response_text,
    }
    return render(request, "surveys/list.html", context)


@page()
def show(request, pk):
    survey = queries.get(pk)
    return render(request, "surveys/show.html", _context(request, survey))


def _context(request, survey):
    days = _days(request, survey)
    part = request.GET.get("who", "")
    part = part if part in queries.PART_GROUPS else ""
    found = queries.results(request.user, survey, now=request.now, days=days, part=part)
    return {
        "survey": survey,
        "days": days,
        "part": part,
        "chosen_windows": [
            (
                ngettext("%(num)s day", "%(num)s days", one) % {"num": one},
                _here(survey, days=one, who=part),
                one == days,
            )
            for one in _windows(survey)
        ],
        "chosen_whos": [
            (word, _here(survey, days=days, who=key), key == part)
            for key, word in [("", _("Everybody")), *_parts()]
        ],
        "found": found,
        "figure": present.figure(survey.kind, found.number),
        "per_customer": present.figure("nps", found.per_customer),
        "by_part": [
            (key, present.part_words()[key], present.figure(survey.kind, number))
            for key, number in found.by_part
        ],
        "definition": present.definition(survey.kind, days),
        "response_text": present.response_text,
        "most": max((count for _score, count in found.spread), default=0),
        "tone": lambda score: present.tone(survey.kind, score),
        "waves": [
            (row, present.figure(survey.kind, row.number))
            for row in queries.waves(request.user, survey)
        ],
        "may_survey": can(request.user, "survey.edit"),
        "may_ask": can(request.user, "survey.send") and survey.retired_at is None,
        "tiers": Tier.objects.all(),
        "wave_key": quarter_key(request.today),
        "parts": _parts(),
        "asking": {},
        "ask_error": "",
        **_answers(request, survey, found, days=days, part=part),
    }


def _answers(request, survey, found, *, days, part):
    groups = present.group_words(survey.kind)
    group = request.GET.get("group", "")
    group = group if group in dict(groups) else ""
    with_words = request.GET.get("words") == "1"
    rows = queries.answers(
        request.user, survey, since=found.since, group=group, part=part, with_words=with_words
    )
    at = request.GET.get("page", "")
    number = min(max(int(at), 1), FARTHEST) if is_number(at) else 1
    start = (number - 1) * queries.PAGE
    shown = list(rows[start : start + queries.PAGE + 1])
    said = {"days": days, "who": part, "group": group, "words": "1" if with_words else ""}
    return {
        "group": group,
        "groups": groups,
        "group_choices": [
            (word, _here(survey, **(said | {"group": key})), key == group)
            for key, word in [("", _("All")), *groups]
        ],
        "with_words": with_words,
        "words_href": _here(survey, **(said | {"words": "" if with_words else "1"})),
        "answers": [(one, _said(survey, one)) for one in shown[: queries.PAGE]],
        "answer_count": rows.count(),
        "page": number,
        "has_next": len(shown) > queries.PAGE,
        "before_href": _here(survey, **(said | {"page": number - 1})),
        "next_href": _here(survey, **(said | {"page": number + 1})),
        "first_place": start + 1,
        "part_word": present.part_words(),
    }


def _said(survey, answer):
    return present.said(survey, answer, lambda item: questionnaire.words(item, language()))


def _parts():
    return [(key, present.part_words()[key]) for key in queries.PART_GROUPS]


def _days(request, survey):
    wanted = request.GET.get("days", "")
    windows = _windows(survey)
    return int(wanted) if is_number(wanted) and int(wanted) in windows else survey.window_days


def _windows(survey):
    return sorted({*present.WINDOWS, survey.window_days})


def _here(survey, **asked):
    query = urlencode({name: value for name, value in asked.items() if value not in ("", None)})
    return reverse("web:survey", args=[survey.pk]) + (f"?{query}" if query else "")


@page("survey.send", methods=("POST",))
def ask(request, pk):
    """Invite people by mail: first how many it would be, then for good."""
    survey = queries.get(pk)
    parts = [one for one in request.POST.getlist("part") if one in queries.PART_GROUPS]
    tier = request.POST.get("tier", "")
    tier_id = int(tier) if is_number(tier) else None
    wave = " ".join(keepable(request.POST.get("wave", "")).split())[: actions.KEY_LENGTH]
    asking = {"parts": parts, "tier": tier_id, "wave": wave}
    found = queries.people(request.user, parts=parts, tier_id=tier_id)
    try:
        if not parts:
            raise actions.NobodyChosen
        asking["count"] = found.count()
        if request.POST.get("verb") != "send":
            return _asked(request, survey, asking)
        return _send(request, survey, asking, found)
    except Refusal as refusal:
        return _asked(request, survey, asking, refusal_text(refusal), refusal.status)


def _send(request, survey, asking, found):
    people = list(found[: queries.MOST_ASKED])
    source = f"user:{request.user.pk}"
    invitations = actions.invite_many(
        actor=request.user,
        now=request.now,
        survey=survey,
        wave_key=asking["wave"],
        contacts=people,
        source=source,
    )
    sent = survey_mail.send_many(now=request.now, invitations=invitations, actor=request.user)
    planned = sum(touch.state == "queued" for touch in sent.values())
    said = ngettext("%(num)s person is asked", "%(num)s people are asked", planned)
    text = said % {"num": planned}
    if (left := len(invitations) - planned) > 0:
        text += _("; %(num)s not, see why in the ledger of touches") % {"num": left}
    toast(request, text)
    return _back(survey)


def _asked(request, survey, asking, error="", status=200):
    context = _context(request, survey) | {"asking": asking, "ask_error": error}
    block = "ask" if is_htmx(request) else None
    return render(request, "surveys/show.html", context, block=block, status=status)


@page("survey.edit", methods=("POST",))
def act(request, pk, verb):
    survey = queries.get(pk)
    if verb not in VERBS:
        raise NotFound
    action, back_verb = VERBS[verb]
    action(actor=request.user, now=request.now, survey=survey)
    said = _("“%(name)s” is asked no more.") if verb == "retire" else _("“%(name)s” is back.")
    toast(
        request,
        said % {"name": pick(survey)},
        undo=reverse("web:survey_act", args=[survey.pk, back_verb]),
    )
    return _back(survey)


@page("survey.edit", methods=("POST",))
def wave_act(request, pk, wave, verb):
    survey = queries.get(pk)
    found = Wave.objects.filter(pk=wave, survey=survey).first()
    if found is None or verb not in WAVE_VERBS:
        raise NotFound
    WAVE_VERBS[verb](actor=request.user, now=request.now, wave=found)
    said = _("The wave is closed.") if verb == "close" else _("The wave is open again.")
    back = "reopen" if verb == "close" else "close"
    undo = reverse("web:survey_wave", args=[survey.pk, found.pk, back])
    toast(request, said, undo=undo)
    return _back(survey)


def _back(survey):
    response = HttpResponseRedirect(reverse("web:survey", args=[survey.pk]))
    response.status_code = 303
    return response
