"""What the person with the link does: opens it, gives a score, says more, thinks better of it.

There is no actor: the signed link is the right to answer, and it answers for one contact in one
wave. The score is kept as soon as it is given; words may follow.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from gengyun.engagement.calc import invitations as links
from gengyun.engagement.calc import questionnaire
from gengyun.engagement.calc.surveys import SCALES
from gengyun.engagement.models import Answer, Invitation
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.outbox import emit

ANSWERABLE = (links.OPEN, links.CHANGEABLE)


class LinkOver(Refusal):
    code = "link_over"
    status = 409
    message = "This survey can no longer be answered."


class ScoreMissing(Refusal):
    code = "score_missing"
    message = "Please choose one of the scores."


class AnswersInvalid(Refusal):
    """`errors`: question key -> msgid."""

    code = "answers_invalid"
    message = "Please look at the questions that are marked."

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = dict(errors)


def state_of(invitation: Invitation, now: datetime) -> str:
    return links.link_state(
        now=now,
        expires_at=invitation.expires_at,
        closed_at=invitation.wave.closed_at,
        answered_at=invitation.answered_at,
    )


def note_opened(*, now: datetime, invitation: Invitation) -> bool:
    """The page was fetched for the first time, by the person or by a mail program's look ahead."""
    fresh = Invitation.objects.filter(pk=invitation.pk, opened_at__isnull=True)
    return bool(fresh.update(opened_at=now))


@transaction.atomic
def give_score(*, now: datetime, invitation: Invitation, text: str) -> Answer:
    """Keep the score at once. A new score drops the words that belonged to the old one's questions;
    those that are asked either way stay."""
    row = _answerable(now, invitation)
    score = questionnaire.read_score(row.survey.kind, text)
    if score is None:
        raise ScoreMissing
    answer = _answer_of(row, now)
    if answer.pk is not None and answer.score == score:
        return answer
    asked = questionnaire.asked(row.survey.questions, score)
    kept = {one["key"] for one in asked}
    values = {key: value for key, value in answer.values.items() if key in kept}
    answer.score = score
    answer.values = values | {questionnaire.SCORE: score}
    answer.comment = questionnaire.comment_of(asked, answer.values)
    return _keep(row, answer, now)


@transaction.atomic
def give_answers(
    *, now: datetime, invitation: Invitation, given: Mapping[str, Sequence[str]]
) -> Answer:
    """The other questions, all of a short form. What is left open is not answered; what was
    answered before and is now left open is taken back."""
    row = _answerable(now, invitation)
    answer = _answer_of(row, now)
    if row.survey.kind in SCALES and answer.pk is None:
        raise ScoreMissing
    asked = [
        one
        for one in questionnaire.asked(row.survey.questions, answer.score)
        if one["key"] != questionnaire.SCORE
    ]
    found = questionnaire.read(asked, given)
    if found.errors:
        raise AnswersInvalid(found.errors)
    score = {} if answer.score is None else {questionnaire.SCORE: answer.score}
    answer.values = score | found.values
    answer.comment = questionnaire.comment_of(asked, answer.values)
    return _keep(row, answer, now)


def _answerable(now: datetime, invitation: Invitation) -> Invitation:
    rows = Invitation.objects.select_related("survey", "wave", "contact")
    row: Invitation | None = rows.select_for_update(of=("self",)).filter(pk=invitation.pk).first()
    if row is None:
        raise NotFound
    if state_of(row, now) not in ANSWERABLE:
        raise LinkOver
    return row


def _answer_of(row: Invitation, now: datetime) -> Answer:
    """The answer of this invitation, or a new one that is not stored yet."""
    found: Answer | None = Answer.objects.filter(invitation_id=row.pk).first()
    if found is not None:
        return found
    return Answer(
        survey_id=row.survey_id,
        wave_id=row.wave_id,
        invitation=row,
        customer_id=row.customer_id,
        contact_id=row.contact_id,
        part=row.contact.part,
        language=row.language,
        answered_at=now,
        values={},
    )


def _keep(row: Invitation, answer: Answer, now: datetime) -> Answer:
    if answer.pk is not None:
        answer.changed_at = now
    answer.save()
    if row.answered_at is None:
        # a link nobody noted as passed on was answered all the same: somebody had got it
        row.answered_at, row.sent_at = now, row.sent_at or row.created_at
        row.save(update_fields=["answered_at", "sent_at"])
    payload = {
        "customer_ids": [row.customer_id],
        "survey": row.survey.key,
        "kind": row.survey.kind,
        "contact_id": row.contact_id,
        "score": answer.score,
    }
    emit("survey.answered", payload, now=now)
    return answer


@transaction.atomic
def speak(*, invitation: Invitation, language: str) -> None:
    """The reader chose another language: the rest, and reminders, come in it."""
    if language in invitation.survey.languages:
        Invitation.objects.filter(pk=invitation.pk).update(language=language)
