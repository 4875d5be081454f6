"""Links by mail: through the ledger, within its caps, once; reminders to those who stay silent."""

from datetime import timedelta

import pytest
from factories import NOW, make_contact, make_customer, make_user

from gengyun.engagement.actions import answering, survey_forms, survey_mail, surveys
from gengyun.engagement.actions.survey_defaults import install_defaults
from gengyun.engagement.models import Channel, Invitation, OptOut, Survey, Touch
from gengyun.engagement.queries.survey_links import address_of
from gengyun.kernel.jobs.schedule import repeated

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def world(settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"
    install_defaults(now=NOW)
    Channel.objects.create(
        name="mail",
        kind="email",
        serves="customers",
        created_at=NOW,
        config={
            "host": "127.0.0.1",
            "port": 25,
            "security": "none",
            "sender": "cs@mail.example.cn",
            "bounces": "bounce@mail.example.cn",
        },
    )


def someone(name="林岚", email="lin@example.cn"):
    return make_contact(make_customer("晨曦科技", owner=make_user()), name, email=email)


def invited(contact=None, *, key="nps", wave="2026-Q1", now=NOW):
    survey = Survey.objects.get(key=key)
    return surveys.invite(
        now=now,
        survey=survey,
        wave_key=wave,
        contact=contact or someone(),
        source="sop:run:1:step:a",
    )


def gone_out(invitation, at):
    """As the sender of touches leaves it."""
    rows = Touch.objects.filter(key__startswith=f"survey:{invitation.pk}:", state="queued")
    ids = list(rows.values_list("pk", flat=True))
    Touch.objects.filter(pk__in=ids).update(state="sent", sent_at=at)
    survey_mail.note_touches(ids)
    invitation.refresh_from_db()


def test_link_goes_out_once_in_the_readers_words():
    invitation = invited()
    touch = survey_mail.send(now=NOW, invitation=invitation)
    assert (touch.state, touch.category, touch.budget_class) == ("queued", "survey", "survey")
    assert touch.source == "sop:run:1:step:a"
    assert address_of(invitation) in touch.body
    assert "林岚" in touch.subject
    assert "{{" not in touch.body + touch.subject
    assert survey_mail.send(now=NOW, invitation=invitation).pk == touch.pk
    assert Touch.objects.count() == 1
    assert invitation.sent_at is None  # planned is not sent
    gone_out(invitation, NOW + DAY)
    assert invitation.sent_at == NOW + DAY
    survey_mail.note_touches([touch.pk])
    assert Touch.objects.count() == 1


def test_second_survey_in_the_week_is_over_the_cap_and_says_so():
    contact = someone()
    first, second = invited(contact), invited(contact, key="csat")
    survey_mail.send(now=NOW, invitation=first)
    touch = survey_mail.send(now=NOW, invitation=second)
    assert (touch.state, touch.reason) == ("suppressed", "cap_1d")
    second.refresh_from_db()
    assert (second.sent_at, second.unsent_reason) == (None, "cap_1d")


@pytest.mark.parametrize("email", ["", "lin@example.cn"])
def test_why_a_link_did_not_go_is_kept(email):
    contact = someone(email=email)
    if email:
        OptOut.objects.create(
            contact=contact, address=email, category="survey", source="link", at=NOW
        )
    invitation = invited(contact)
    touch = survey_mail.send(now=NOW, invitation=invitation)
    assert touch.state == "suppressed"
    invitation.refresh_from_db()
    assert invitation.unsent_reason == ("opted_out" if email else "no_address")
    # somebody passes it on instead: no reason any more
    surveys.pass_on(actor=contact.customer.owner, now=NOW, invitation=invitation)
    invitation.refresh_from_db()
    assert (invitation.sent_by_hand, invitation.unsent_reason) == (True, "")


def test_without_an_address_of_our_own_no_link_goes_out(settings):
    settings.PUBLIC_ADDRESS = ""
    touch = survey_mail.send(now=NOW, invitation=invited())
    assert (touch.state, touch.reason, touch.told) == (
        "suppressed",
        "missing_value",
        {"name": "survey.link"},
    )


def test_what_came_back_was_not_got():
    invitation = invited()
    touch = survey_mail.send(now=NOW, invitation=invitation)
    gone_out(invitation, NOW)
    Touch.objects.filter(pk=touch.pk).update(state="bounced")
    survey_mail.note_touches([touch.pk])
    invitation.refresh_from_db()
    assert (invitation.sent_at, invitation.unsent_reason) == (None, "bounced")
    assert survey_mail.remind_due(now=NOW + 10 * DAY) == {"planned": 0, "suppressed": 0}


def test_silent_ones_are_reminded_on_the_day_once():
    silent, answered = invited(), invited(someone("王女士", "wang@example.cn"))
    survey_mail.send_many(now=NOW, invitations=[silent, answered])
    for one in (silent, answered):
        gone_out(one, NOW)
    answering.give_score(now=NOW + DAY, invitation=answered, text="9")
    assert survey_mail.remind_due(now=NOW + 4 * DAY) == {"planned": 0, "suppressed": 0}
    # a cap of one survey mail in seven days: on day five it would be over, and is not made up for
    Survey.objects.update(reminder_days=[5, 9])
    assert survey_mail.remind_due(now=NOW + 5 * DAY) == {"planned": 0, "suppressed": 1}
    assert survey_mail.remind_due(now=NOW + 5 * DAY) == {"planned": 0, "suppressed": 0}
    assert survey_mail.remind_due(now=NOW + 9 * DAY) == {"planned": 1, "suppressed": 0}
    reminder = Touch.objects.get(key=f"survey:{silent.pk}:2")
    assert reminder.subject.startswith("提醒：")
    silent.refresh_from_db()
    assert silent.reminded_count == 2
    assert survey_mail.remind_due(now=NOW + 20 * DAY) == {"planned": 0, "suppressed": 0}


@pytest.mark.parametrize("end", ["closed", "retired", "expired", "by_hand"])
def test_nobody_is_reminded_of_what_is_over(end):
    invitation = invited()
    survey_mail.send(now=NOW, invitation=invitation)
    gone_out(invitation, NOW)
    at = NOW + 8 * DAY
    if end == "closed":
        surveys.close_wave(actor=None, now=NOW, wave=invitation.wave)
    elif end == "retired":
        survey_forms.retire_survey(actor=None, now=NOW, survey=invitation.survey)
    elif end == "expired":
        Invitation.objects.update(expires_at=at)
    else:
        Invitation.objects.update(sent_by_hand=True)
    assert survey_mail.remind_due(now=at) == {"planned": 0, "suppressed": 0}


def test_nothing_is_sent_about_what_is_answered_or_closed():
    answered, closed = invited(), invited(someone(), wave="w2")
    answering.give_score(now=NOW, invitation=answered, text="9")
    surveys.close_wave(actor=None, now=NOW, wave=closed.wave)
    assert survey_mail.send_many(now=NOW, invitations=[answered, closed]) == {}
    assert not Touch.objects.exists()


def test_survey_without_words_for_a_mail_is_refused():
    survey = survey_forms.create_survey(actor=None, now=NOW, kind="csat", name_zh="满意度")
    invitation = surveys.invite(now=NOW, survey=survey, wave_key="w", contact=someone())
    with pytest.raises(survey_mail.SurveyHasNoText):
        survey_mail.send(now=NOW, invitation=invitation)
    assert not Touch.objects.exists()


def test_languages_have_their_own_words():
    invitation = invited()
    Invitation.objects.update(language="en")
    assert "would you recommend us" in survey_mail.send(now=NOW, invitation=invitation).subject
    assert "remind_surveys" in {one.name for one in repeated()}
