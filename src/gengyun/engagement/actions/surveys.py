"""Asking: who gets a link in which wave, and who passed it on.

A contact is asked once in a wave, however often this is called, by how many workers at once.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from gengyun.customers.models import Contact
from gengyun.engagement.models import Answer, Invitation, Survey, TouchPreference, Wave
from gengyun.engagement.queries.survey_links import new_nonce
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

KEY_LENGTH = 60


class SurveyRetired(Refusal):
    code = "survey_retired"
    status = 409
    message = "This survey is no longer asked."


class WaveClosed(Refusal):
    code = "wave_closed"
    status = 409
    message = "This wave is closed."


class WaveKeyMissing(Refusal):
    code = "wave_key_missing"
    message = "The wave needs a name."


class ContactGone(Refusal):
    """They have left, or their customer is archived: nobody to ask."""

    code = "contact_gone"
    status = 409
    message = "%(name)s is no longer with this customer."


class NobodyChosen(Refusal):
    code = "nobody_chosen"
    message = "Choose whom to ask."


class AnsweredAlready(Refusal):
    code = "answered_already"
    status = 409
    message = "This person has answered."


def invite(
    *,
    now: datetime,
    survey: Survey,
    wave_key: str,
    contact: Contact,
    source: str = "",
    actor: User | None = None,
) -> Invitation:
    """The contact's one invitation in the wave, made where there is none; an open wave with this
    key is opened where there is none. The link is `queries.survey_links`; sending it is apart."""
    return invite_many(
        now=now, survey=survey, wave_key=wave_key, contacts=[contact], source=source, actor=actor
    )[0]


@transaction.atomic
def invite_many(
    *,
    now: datetime,
    survey: Survey,
    wave_key: str,
    contacts: list[Contact],
    source: str = "",
    actor: User | None = None,
) -> list[Invitation]:
    """One invitation per contact, in the order given. All can be asked, or nobody is."""
    require(actor, "survey.send")
    _check_contacts(actor, contacts)
    wave = open_wave(now=now, survey=survey, key=wave_key)
    wanted = [contact.pk for contact in contacts]
    known = {one.contact_id: one for one in _of_wave(wave, wanted)}
    languages = _languages(survey, contacts)
    new = [
        Invitation(
            survey=survey,
            wave=wave,
            customer_id=contact.customer_id,
            contact=contact,
            nonce=new_nonce(),
            language=languages[contact.pk],
            source=source[:120],
            created_at=now,
            expires_at=now + timedelta(days=survey.valid_days),
        )
        for contact in contacts
        if contact.pk not in known
    ]
    # another worker may invite the same meanwhile: its row stands
    Invitation.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
    if new:
        told = {"wave": [None, wave.key], "invited": [None, len(new)], "source": [None, source]}
        record(actor=actor, now=now, action="survey.invite", obj=survey, changes=told)
    found = {one.contact_id: one for one in _of_wave(wave, wanted)}
    return [found[pk] for pk in wanted]


def _check_contacts(actor: User | None, contacts: list[Contact]) -> None:
    seen = Contact.objects.visible_to(actor).select_related("customer")
    wanted = [contact.pk for contact in contacts]
    found: dict[int, Contact] = {}
    for start in range(0, len(wanted), 500):
        found |= seen.in_bulk(wanted[start : start + 500])
    for pk in wanted:
        row = found.get(pk)
        if row is None:
            raise NotFound
        if row.left_on is not None or row.customer.archived_at is not None:
            raise ContactGone(name=row.name)


def _of_wave(wave: Wave, contact_ids: list[int]) -> list[Invitation]:
    rows: list[Invitation] = []
    for start in range(0, len(contact_ids), 500):
        part = contact_ids[start : start + 500]
        rows += wave.invitations.filter(contact_id__in=part).select_related("contact", "survey")
    return rows


def _languages(survey: Survey, contacts: list[Contact]) -> dict[int, str]:
    """The contact's own language, their customer's, else the survey's first."""
    offered = list(survey.languages) or ["zh-hans"]
    said: dict[tuple[str, int], str] = {}
    for name in ("contact", "customer"):
        ids = sorted({one.pk if name == "contact" else one.customer_id for one in contacts})
        for start in range(0, len(ids), 500):
            rows = TouchPreference.objects.filter(**{f"{name}_id__in": ids[start : start + 500]})
            for pk, language in rows.exclude(language="").values_list(f"{name}_id", "language"):
                said[name, pk] = language
    found = {}
    for one in contacts:
        asked = said.get(("contact", one.pk)) or said.get(("customer", one.customer_id), "")
        found[one.pk] = asked if asked in offered else offered[0]
    return found


@transaction.atomic
def open_wave(*, now: datetime, survey: Survey, key: str, name: str = "") -> Wave:
    """The survey's wave with this key; begun where there is none."""
    wanted = key.strip()[:KEY_LENGTH]
    if not wanted:
        raise WaveKeyMissing
    if Survey.objects.filter(pk=survey.pk, retired_at__isnull=False).exists():
        raise SurveyRetired
    wave, _ = Wave.objects.get_or_create(
        survey=survey, key=wanted, defaults={"opened_at": now, "name": name.strip()[:80]}
    )
    if wave.closed_at is not None:
        raise WaveClosed
    return wave


@transaction.atomic
def close_wave(*, actor: User | None, now: datetime, wave: Wave) -> Wave:
    """Links of the wave answer no more; nobody is reminded."""
    require(actor, "survey.edit")
    row = Wave.objects.select_for_update().get(pk=wave.pk)
    if row.closed_at is None:
        row.closed_at = now
        row.save(update_fields=["closed_at"])
        record(actor=actor, now=now, action="survey.close_wave", obj=row)
    return row


@transaction.atomic
def reopen_wave(*, actor: User | None, now: datetime, wave: Wave) -> Wave:
    """Undo of `close_wave`."""
    require(actor, "survey.edit")
    row = Wave.objects.select_for_update().get(pk=wave.pk)
    if row.closed_at is not None:
        row.closed_at = None
        row.save(update_fields=["closed_at"])
        record(actor=actor, now=now, action="survey.reopen_wave", obj=row)
    return row


@transaction.atomic
def pass_on(*, actor: User, now: datetime, invitation: Invitation) -> Invitation:
    """A colleague gave the link to the contact themselves (a chat, a call): counted as sent."""
    require(actor, "survey.send")
    row = _mine(actor, invitation)
    if Answer.objects.filter(invitation_id=row.pk).exists():
        raise AnsweredAlready
    if row.sent_at is None:
        row.sent_at, row.sent_by_hand, row.unsent_reason = now, True, ""
        row.save(update_fields=["sent_at", "sent_by_hand", "unsent_reason"])
        told: dict[str, Any] = {"sent_at": [None, now]}
        record(actor=actor, now=now, action="survey.pass_on", obj=row, changes=told)
    return row


def _mine(actor: User, invitation: Invitation) -> Invitation:
    seen = Invitation.objects.visible_to(actor).filter(pk=invitation.pk)
    row = seen.select_for_update(of=("self",)).first()
    if row is None:
        raise NotFound
    found: Invitation = row
    return found
