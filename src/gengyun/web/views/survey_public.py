"""The page behind a survey's link: no login, the signed link is the right to answer.

Fetching it keeps no answer, since mail programs look ahead at links; only a form that is sent does.
It has no cookie, so no CSRF token: whoever holds the link may answer, and nobody else can.
"""

from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from gengyun.engagement.actions import answering
from gengyun.engagement.calc import invitations as links
from gengyun.engagement.calc import questionnaire
from gengyun.engagement.calc.surveys import SCALES
from gengyun.engagement.models import Answer
from gengyun.engagement.queries.survey_links import by_token
from gengyun.web.access import public
from gengyun.web.refusals import refusal_text
from gengyun.web.render import render

TEMPLATE = "surveys/public.html"
STATUS = {links.EXPIRED: 410, links.CLOSED: 410}


@csrf_exempt
@public(methods=("GET", "POST"))
def answer(request, token):
    invitation = by_token(token)
    if invitation is None:
        return render(request, TEMPLATE, _lost(request), status=404)
    given = request.POST if request.method == "POST" else request.GET
    language = _language(invitation, given.get("lang", ""))
    with translation.override(language):
        response = _answered(request, invitation, language)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _lost(request):
    over = _("This link is not complete. Copy it once more from the message.")
    return {"view": "over", "title": _("Survey"), "over": over, "here": request.path}


def _language(invitation, wanted):
    if wanted in invitation.survey.languages and wanted != invitation.language:
        answering.speak(invitation=invitation, language=wanted)
        invitation.language = wanted
    return invitation.language


def _answered(request, invitation, language):
    state = answering.state_of(invitation, request.now)
    kept = Answer.objects.filter(invitation_id=invitation.pk).first()
    if request.method == "POST":
        return _take(request, invitation, language, kept)
    if request.method == "GET":
        answering.note_opened(now=request.now, invitation=invitation)
    context = _context(request, invitation, language, kept, state)
    return render(request, TEMPLATE, context, status=STATUS.get(state, 200))


def _take(request, invitation, language, kept):
    is_score = request.POST.get("step") == "score"
    try:
        if is_score:
            text = request.POST.get("value", "")
            answering.give_score(now=request.now, invitation=invitation, text=text)
        else:
            given = _given(request)
            answering.give_answers(now=request.now, invitation=invitation, given=given)
    except (answering.ScoreMissing, answering.AnswersInvalid) as refusal:
        context = _context(request, invitation, language, kept, links.OPEN)
        errors = getattr(refusal, "errors", {})
        context |= {
            "view": "more" if errors else "score" if invitation.survey.kind in SCALES else "more",
            "problem": refusal_text(refusal),
            "errors": {key: _(message) for key, message in errors.items()},
            "typed": _given(request),
        }
        return render(request, TEMPLATE, context, status=422)
    except answering.LinkOver as refusal:
        state = answering.state_of(invitation, request.now)
        context = _context(request, invitation, language, kept, state)
        context["problem"] = refusal_text(refusal)
        return render(request, TEMPLATE, context, status=refusal.status)
    query = {"lang": language} | ({} if is_score else {"done": "1"})
    response = HttpResponseRedirect(f"{request.path}?{urlencode(query)}")
    response.status_code = 303
    return response


def _given(request):
    """The fields of the questions: "q-KEY" -> what was sent for it."""
    return {
        name.removeprefix("q-"): request.POST.getlist(name)
        for name in request.POST
        if name.startswith("q-")
    }


def _context(request, invitation, language, kept, state):
    survey = invitation.survey
    texts = _texts(survey, language)
    score = kept.score if kept else None
    more = [
        one
        for one in questionnaire.asked(survey.questions, score)
        if one["key"] != questionnaire.SCORE
    ]
    first = survey.questions[0] if survey.kind in SCALES else None
    chosen = score
    if chosen is None:
        chosen = questionnaire.read_score(survey.kind, request.GET.get("score", ""))
    return {
        "view": _view(request, survey, kept, more, state),
        "title": questionnaire.words({"zh": survey.name_zh, "en": survey.name_en}, language),
        "intro": texts.get("intro", ""),
        "thanks": texts.get("thanks") or _("Thank you for your answer!"),
        "over": _over(state),
        "here": request.path,
        "language": language,
        "other": next((one for one in survey.languages if one != language), ""),
        "words": lambda item, name="": questionnaire.words(item, language, name),
        "question": first,
        "questions": more,
        "chosen": chosen,
        "score": score,
        "is_answered": kept is not None,
        "may_change": state == links.CHANGEABLE,
        "change_until": kept.answered_at + links.CHANGE if kept else None,
        "typed": {key: _typed(value) for key, value in kept.values.items()} if kept else {},
        "errors": {},
        "problem": "",
    }


def _view(request, survey, kept, more, state):
    """score: choose one; more: the other questions; thanks; over: the link answers no more."""
    if state == links.ANSWERED:
        return "thanks"
    if state not in answering.ANSWERABLE:
        return "over"
    again = request.GET.get("again") == "1"
    if survey.kind in SCALES and (kept is None or again):
        return "score"
    if kept is None or again:
        return "more"
    said = any(key != questionnaire.SCORE for key in kept.values)
    is_done = request.GET.get("done") == "1" or said
    return "more" if more and not is_done else "thanks"


def _typed(value):
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _texts(survey, language):
    both = survey.texts or {}
    first, second = ("zh", "en") if language.startswith("zh") else ("en", "zh")
    return both.get(second, {}) | both.get(first, {})


def _over(state):
    if state == links.CLOSED:
        return _("This survey is closed. Thank you all the same!")
    return _("This link has run out. Thank you all the same!")
