"""Writing surveys: new, changed, retired and back. What was answered keeps its meaning."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from gengyun.engagement.calc import questionnaire
from gengyun.engagement.calc.invitations import MOST_REMINDERS
from gengyun.engagement.calc.templates import check_template, variables_in
from gengyun.engagement.models import Channel, Survey
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

LANGUAGES = ("zh-hans", "en")
LINK = "survey.link"
TEXTS = ("intro", "thanks", "subject", "body")
LENGTHS = {"intro": 500, "thanks": 500, "subject": 200, "body": 4_000}
FIELDS = (
    "name_zh", "name_en", "questions", "texts", "languages", "valid_days", "reminder_days",
    "window_days", "channel",
)  # fmt: skip
WINDOWS = {"nps": 180, "csat": 90, "ces": 90, "form": 365}  # [G30]: 180 days for NPS, 90 for CSAT


class SurveyInvalid(Refusal):
    """`errors`: field -> msgid; a question's field is "questions.<place>.<field>"."""

    code = "survey_invalid"
    message = "The survey cannot be saved like this."

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = dict(errors)


class SurveyKeyTaken(Refusal):
    code = "survey_key_taken"
    message = "There is a survey with this key already."


class SurveyKindUnknown(Refusal):
    code = "survey_kind_unknown"
    message = "This kind of survey is not offered."


@transaction.atomic
def create_survey(
    *, actor: User | None, now: datetime, kind: str, key: str = "", **given: Any
) -> Survey:
    """With the standard questions of its kind where none are given."""
    require(actor, "survey.edit")
    if kind not in Survey.Kind.values:
        raise SurveyKindUnknown
    values = {
        "questions": questionnaire.standard(kind),
        "languages": list(LANGUAGES),
        "window_days": WINDOWS[kind],
        "reminder_days": [8],  # the caps allow one survey mail in seven days
        **given,
    }
    cleaned = _clean(kind, values)
    wanted = (slugify(key) or _free_key(kind))[:40]
    if Survey.objects.filter(key=wanted).exists():
        raise SurveyKeyTaken
    row = Survey.objects.create(
        key=wanted, kind=kind, created_at=now, updated_at=now, created_by=actor, **cleaned
    )
    told = {"key": [None, row.key], "kind": [None, kind], "name_zh": [None, row.name_zh]}
    record(actor=actor, now=now, action="survey.create", obj=row, changes=told)
    return row


def _free_key(kind: str) -> str:
    taken = set(Survey.objects.filter(key__startswith=kind).values_list("key", flat=True))
    return next(key for n in range(1, len(taken) + 2) if (key := f"{kind}-{n}") not in taken)


@transaction.atomic
def edit_survey(
    *, actor: User | None, now: datetime, survey: Survey, changes: Mapping[str, Any]
) -> Survey:
    """A question that was answered may be worded anew; its key, its kind and its scale stay."""
    require(actor, "survey.edit")
    row = Survey.objects.select_for_update().filter(pk=survey.pk).first()
    if row is None:
        raise NotFound
    known = {name: getattr(row, name) for name in FIELDS}
    cleaned = _clean(row.kind, known | dict(changes))
    if row.answers.exists():
        _check_kept(row.questions, cleaned["questions"])
    told = {
        name: [_shown(known[name]), _shown(value)]
        for name, value in cleaned.items()
        if known[name] != value
    }
    if not told:
        return row
    for name, value in cleaned.items():
        setattr(row, name, value)
    row.updated_at = now
    row.save()
    record(actor=actor, now=now, action="survey.edit", obj=row, changes=told)
    return row


@transaction.atomic
def retire_survey(*, actor: User | None, now: datetime, survey: Survey) -> Survey:
    """Nobody is asked any more; links that are out there are still answered."""
    require(actor, "survey.edit")
    row = Survey.objects.select_for_update().get(pk=survey.pk)
    if row.retired_at is None:
        row.retired_at = now
        row.save(update_fields=["retired_at"])
        record(actor=actor, now=now, action="survey.retire", obj=row)
    return row


@transaction.atomic
def restore_survey(*, actor: User | None, now: datetime, survey: Survey) -> Survey:
    """Undo of `retire_survey`."""
    require(actor, "survey.edit")
    row = Survey.objects.select_for_update().get(pk=survey.pk)
    if row.retired_at is not None:
        row.retired_at = None
        row.save(update_fields=["retired_at"])
        record(actor=actor, now=now, action="survey.restore", obj=row)
    return row


def _check_kept(before: list[Any], after: list[Any]) -> None:
    gone = questionnaire.kept_questions(before, after)
    if gone:
        raise SurveyInvalid({"questions": "Questions that were answered cannot go or change kind."})


def _clean(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    errors: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name in ("name_zh", "name_en"):
        values[name] = questionnaire.CONTROL.sub("", str(given.get(name) or "")).strip()[:60]
    if not values["name_zh"]:
        values["name_zh"] = values["name_en"]
    if not values["name_zh"]:
        errors["name_zh"] = "The survey needs a name."
    values["questions"] = given.get("questions")
    for fault in questionnaire.check(kind, values["questions"]):
        place = f"questions.{fault.place}.{fault.field}" if fault.place >= 0 else "questions"
        errors.setdefault(place, fault.message)
    values["texts"] = _texts(given.get("texts") or {}, errors)
    offered = given.get("languages")
    values["languages"] = [one for one in LANGUAGES if isinstance(offered, list) and one in offered]
    if not values["languages"]:
        errors["languages"] = "Choose at least one language."
    for name, usual, least, most in (("valid_days", 30, 1, 180), ("window_days", 180, 7, 730)):
        values[name] = given.get(name, usual)
        if not isinstance(values[name], int) or not least <= values[name] <= most:
            errors[name] = "This number of days is not possible."
    values["reminder_days"] = _reminders(given.get("reminder_days", []), values, errors)
    values["channel"] = given.get("channel")
    if values["channel"] is not None and values["channel"].kind != Channel.Kind.EMAIL:
        errors["channel"] = "Links to surveys go out by mail."
    if errors:
        raise SurveyInvalid(errors)
    return values


def _texts(given: Any, errors: dict[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for language in ("zh", "en"):
        part = given.get(language) if isinstance(given, dict) else None
        if not isinstance(part, dict):
            continue
        for name in TEXTS:
            text = questionnaire.CONTROL.sub("", str(part.get(name) or "")).strip()
            if text:
                found.setdefault(language, {})[name] = text
            if message := _text_fault(name, text):
                errors[f"texts.{language}.{name}"] = message
    return found


def _text_fault(name: str, text: str) -> str:
    """A msgid; "": the text can be used."""
    if len(text) > LENGTHS[name]:
        return "This text is too long."
    if name not in {"subject", "body"} or not text:
        return ""
    if check_template(text, allow=[LINK]):
        return "A variable is written wrongly, or is none that a text may use."
    if name == "body" and LINK not in variables_in(text):
        return "The mail needs the link: {{ survey.link }}"
    return ""


def _reminders(given: Any, values: Mapping[str, Any], errors: dict[str, str]) -> list[int]:
    days = given if isinstance(given, list) else [None]
    whole = [one for one in days if isinstance(one, int) and not isinstance(one, bool) and one > 0]
    if len(whole) != len(days) or len(set(whole)) != len(whole) or len(whole) > MOST_REMINDERS:
        errors["reminder_days"] = "At most three reminders, on different days after the invitation."
    elif whole and isinstance(values["valid_days"], int) and max(whole) >= values["valid_days"]:
        errors["reminder_days"] = "A reminder comes while the link still works."
    return sorted(whole)


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, Channel) else value
