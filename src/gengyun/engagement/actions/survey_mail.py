"""Links that go out by mail: the invitation, and reminders to those who have not answered.

Every message is a touch of the category "survey": caps, quiet hours, opt-outs and bad addresses are
the ledger's to decide. What it decided comes back to the invitation by `note_touches`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.engagement.actions.touches import TouchRequest, request_many
from gengyun.engagement.calc.invitations import MOST_REMINDERS, reminder_due
from gengyun.engagement.calc.templates import ValueMissing, render_template
from gengyun.engagement.calc.touching import MISSING_VALUE
from gengyun.engagement.models import Channel, Invitation, Touch
from gengyun.engagement.queries.survey_links import address_of
from gengyun.engagement.queries.template_facts import facts_for
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import Refusal
from gengyun.team.models import User

CATEGORY = "survey"
PREFIX = "survey:"
CHUNK = 500
MOST_AT_ONCE = 2_000  # reminders of one turn; the next takes the rest
REMINDER = {"zh": "提醒：%s", "en": "Reminder: %s"}
State = Touch.State


class SurveyHasNoText(Refusal):
    code = "survey_has_no_text"
    message = "This survey has no text for a mail; write one, or pass the link on yourself."


def send(
    *, now: datetime, invitation: Invitation, actor: User | None = None, source: str = ""
) -> Touch | None:
    """One of `send_many`; None: there was nothing to send (answered, closed, customer gone)."""
    return send_many(now=now, invitations=[invitation], actor=actor, source=source).get(
        invitation.pk
    )


@transaction.atomic
def send_many(
    *,
    now: datetime,
    invitations: Sequence[Invitation],
    actor: User | None = None,
    source: str = "",
) -> dict[int, Touch]:
    """{invitation: its touch}, planned or suppressed with the reason; asked twice, sent once. Those
    that are answered or over have none."""
    rows = _whole([one.pk for one in invitations])
    live = [
        row
        for row in rows
        if row.answered_at is None and row.wave.closed_at is None and row.expires_at > now
    ]
    return _request(live, number=0, now=now, actor=actor, source=source)


def remind_due(*, now: datetime) -> dict[str, int]:
    """Remind who got the link by mail, has not answered, and is due by the survey's plan.
    {"planned", "suppressed"}: a reminder over a cap is not made up for later."""
    counts = {"planned": 0, "suppressed": 0}
    due = [row for row in _candidates(now) if _is_due(row, now)][:MOST_AT_ONCE]
    for start in range(0, len(due), CHUNK):
        for touch in _remind(due[start : start + CHUNK], now=now).values():
            counts["suppressed" if touch.state == State.SUPPRESSED else "planned"] += 1
    return counts


def _candidates(now: datetime) -> Iterable[Invitation]:
    """Links that are out and not answered; the index `invitation_silent` has them."""
    rows = Invitation.objects.select_related("survey").filter(
        answered_at__isnull=True,
        sent_at__isnull=False,
        sent_by_hand=False,
        expires_at__gt=now,
        reminded_count__lt=MOST_REMINDERS,
        wave__closed_at__isnull=True,
        survey__retired_at__isnull=True,
    )
    found: Iterable[Invitation] = rows.order_by("sent_at", "pk").iterator(chunk_size=CHUNK)
    return found


def _is_due(row: Invitation, now: datetime) -> bool:
    due = reminder_due(row.sent_at, row.survey.reminder_days, row.reminded_count)
    return due is not None and due <= now


@transaction.atomic
def _remind(rows: Sequence[Invitation], *, now: datetime) -> dict[int, Touch]:
    found: dict[int, Touch] = {}
    by_number: dict[int, list[int]] = {}
    for row in rows:
        by_number.setdefault(row.reminded_count + 1, []).append(row.pk)
    for number, pks in sorted(by_number.items()):
        whole = [row for row in _whole(pks) if row.answered_at is None]
        found |= _request(whole, number=number, now=now, actor=None, source="")
        Invitation.objects.filter(pk__in=pks, reminded_count=number - 1).update(
            reminded_count=number, reminded_at=now
        )
    return found


def _whole(pks: Collection[int]) -> list[Invitation]:
    rows: list[Invitation] = []
    ordered = list(pks)
    for start in range(0, len(ordered), CHUNK):
        part = Invitation.objects.filter(pk__in=ordered[start : start + CHUNK])
        rows += part.select_related("survey__channel", "wave", "customer__owner", "contact")
    return rows


def _request(
    rows: Sequence[Invitation], *, number: int, now: datetime, actor: User | None, source: str
) -> dict[int, Touch]:
    keys = {f"{PREFIX}{row.pk}:{number}": row for row in rows}
    wanted = [
        _wanted(row, key, number=number, now=now, source=source or row.source)
        for key, row in keys.items()
    ]
    found: dict[int, Touch] = {}
    for start in range(0, len(wanted), CHUNK):
        part = request_many(now=now, requests=wanted[start : start + CHUNK], actor=actor)
        found |= {keys[key].pk: touch for key, touch in part.items()}
    _note_suppressed(found.values())
    return found


def _wanted(row: Invitation, key: str, *, number: int, now: datetime, source: str) -> TouchRequest:
    language = "zh" if row.language.startswith("zh") else "en"
    both = row.survey.texts or {}
    ready = [both.get(one, {}) for one in (language, "en" if language == "zh" else "zh")]
    texts = next((one for one in ready if one.get("subject") and one.get("body")), None)
    if texts is None:
        raise SurveyHasNoText
    facts = facts_for(row.customer, row.contact, today=day_of(now), language=row.language) | {
        "survey.link": address_of(row) or None
    }
    told: dict[str, Any] = {}
    subject = body = ""
    try:
        subject = render_template(texts["subject"], facts)
        body = render_template(texts["body"], facts)
    except ValueMissing as missing:
        told = dict(missing.params)
    return TouchRequest(
        key=key,
        customer=row.customer,
        contact=row.contact,
        channel=row.survey.channel or Channel.Kind.EMAIL,
        category=CATEGORY,
        subject=REMINDER[language] % subject if number and subject else subject,
        body=body,
        source=source,
        template=f"survey:{row.survey.key}",
        language=row.language,
        suppress=MISSING_VALUE if told else "",
        told=told,
    )


def note_touches(touch_ids: Collection[int]) -> int:
    """What became of the messages, at their invitations: first sent, or why not. Run again, it
    changes nothing."""
    ids = list(touch_ids)
    changed = 0
    for start in range(0, len(ids), CHUNK):
        rows = Touch.objects.filter(pk__in=ids[start : start + CHUNK], key__startswith=PREFIX)
        touches = list(rows)
        for touch in touches:
            if touch.sent_at is not None and touch.state in {State.SENT, State.UNSURE}:
                waiting = Invitation.objects.filter(pk=_of(touch), sent_at__isnull=True)
                changed += waiting.update(sent_at=touch.sent_at, unsent_reason="")
        changed += _note_suppressed(touches)
    return changed


def _note_suppressed(touches: Iterable[Touch]) -> int:
    """Only of the invitation itself: a reminder that did not go leaves what went as it was."""
    changed = 0
    for touch in touches:
        if not touch.key.endswith(":0"):
            continue
        reason = touch.reason if touch.state == State.SUPPRESSED else ""
        if touch.state in {State.FAILED, State.BOUNCED}:
            reason = str(touch.state)
            back = Invitation.objects.filter(
                pk=_of(touch), answered_at__isnull=True, sent_by_hand=False
            )
            # what came back was not got: it is no silence
            changed += back.exclude(unsent_reason=reason).update(sent_at=None, unsent_reason=reason)
        elif reason:
            waiting = Invitation.objects.filter(pk=_of(touch), sent_at__isnull=True)
            changed += waiting.exclude(unsent_reason=reason).update(unsent_reason=reason)
    return changed


def _of(touch: Touch) -> int:
    return int(touch.key.split(":")[1])
