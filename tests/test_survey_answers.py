"""Asking and answering: one invitation and one answer per contact and wave, by signed links."""

from datetime import timedelta

import pytest
from factories import NOW, People, make_contact, make_customer, make_user

from gengyun.engagement.actions import answering, survey_forms, surveys
from gengyun.engagement.models import Answer, Invitation, TouchPreference, Wave
from gengyun.engagement.queries.survey_links import by_token, token_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db


def make_survey(kind="nps", **values):
    defaults = {"actor": None, "now": NOW, "kind": kind, "name_zh": "推荐意愿"}
    return survey_forms.create_survey(**(defaults | values))


def invited(survey=None, *, contact=None, wave="2026-Q1", now=NOW):
    contact = contact or make_contact(make_customer(), part="decider")
    return surveys.invite(
        now=now, survey=survey or make_survey(), wave_key=wave, contact=contact, source="test"
    )


def test_contact_is_asked_once_in_a_wave():
    survey = make_survey()
    contact = make_contact(make_customer())
    first = invited(survey, contact=contact)
    again = invited(survey, contact=contact, now=NOW + timedelta(days=1))
    assert first.pk == again.pk
    assert again.created_at == NOW
    other = invited(survey, contact=contact, wave="2026-Q2")
    assert other.pk != first.pk
    assert other.nonce != first.nonce
    assert Wave.objects.count() == 2
    assert first.expires_at == NOW + timedelta(days=30)
    assert first.sent_at is None


def test_many_are_asked_together_or_nobody_is():
    survey = make_survey()
    customer = make_customer()
    here = [make_contact(customer) for _ in range(3)]
    found = surveys.invite_many(now=NOW, survey=survey, wave_key="w", contacts=here)
    assert [one.contact_id for one in found] == [one.pk for one in here]
    gone = make_contact(customer, left_on=NOW.date())
    with pytest.raises(surveys.ContactGone):
        surveys.invite_many(now=NOW, survey=survey, wave_key="x", contacts=[*here, gone])
    assert not Wave.objects.filter(key="x").exists()


def test_nobody_to_ask_is_refused_by_name():
    survey = make_survey()
    archived = make_contact(make_customer(archived_at=NOW))
    with pytest.raises(surveys.ContactGone):
        invited(survey, contact=archived)
    with pytest.raises(surveys.WaveKeyMissing):
        invited(survey, wave="  ")
    first = invited(survey)
    surveys.close_wave(actor=None, now=NOW, wave=first.wave)
    with pytest.raises(surveys.WaveClosed):
        invited(survey)
    surveys.reopen_wave(actor=None, now=NOW, wave=first.wave)
    invited(survey)
    survey_forms.retire_survey(actor=None, now=NOW, survey=survey)
    with pytest.raises(surveys.SurveyRetired):
        invited(survey, wave="new")
    survey_forms.restore_survey(actor=None, now=NOW, survey=survey)
    invited(survey, wave="new")


def test_only_own_customers_are_asked():
    cast = People()
    survey = make_survey()
    contact = make_contact(make_customer(owner=cast.owner))
    asked = {"now": NOW, "survey": survey, "wave_key": "w", "contact": contact}
    surveys.invite(actor=cast.owner, **asked)
    with pytest.raises(NotFound):
        surveys.invite(actor=cast.stranger, **asked)
    with pytest.raises(NotAllowed):
        surveys.invite(actor=make_user("viewer"), **asked)
    invitation = Invitation.objects.get()
    with pytest.raises(NotFound):
        surveys.pass_on(actor=cast.stranger, now=NOW, invitation=invitation)
    surveys.pass_on(actor=cast.owner, now=NOW, invitation=invitation)
    invitation.refresh_from_db()
    assert (invitation.sent_at, invitation.sent_by_hand) == (NOW, True)
    assert AuditEntry.objects.filter(action="survey.pass_on").count() == 1


def test_language_is_the_contacts_then_the_customers_then_the_surveys():
    survey = make_survey()
    customer = make_customer()
    one, two = make_contact(customer), make_contact(customer)
    assert invited(survey).language == "zh-hans"
    TouchPreference.objects.create(customer=customer, language="en", updated_at=NOW)
    TouchPreference.objects.create(contact=two, language="zh-hans", updated_at=NOW)
    assert invited(survey, contact=one).language == "en"
    assert invited(survey, contact=two).language == "zh-hans"
    only_zh = make_survey(languages=["zh-hans"])
    assert invited(only_zh, contact=one).language == "zh-hans"


def test_link_is_signed_and_names_nobody():
    invitation = invited()
    token = token_of(invitation)
    assert by_token(token).pk == invitation.pk
    nonce, _dot, signature = token.partition(".")
    assert str(invitation.pk) != nonce
    for forged in (
        nonce,
        f"{nonce}.",
        f"{nonce}.{signature[:-1]}",
        f"x{token}",
        f"{invitation.pk}.{signature}",
        "令牌.签名",
        "x" * 5_000,
        "",
    ):
        assert by_token(forged) is None
    Invitation.objects.all().delete()
    assert by_token(token) is None


def test_score_is_kept_at_once_and_words_follow():
    invitation = invited()
    answering.give_score(now=NOW, invitation=invitation, text="3")
    answer = Answer.objects.get()
    assert (answer.score, answer.values, answer.comment) == (3, {"score": 3}, "")
    assert answer.part == "decider"
    invitation.refresh_from_db()
    assert invitation.answered_at == NOW
    assert invitation.sent_at == NOW  # somebody had got it
    answering.give_answers(
        now=NOW, invitation=invitation, given={"why_low": ["上线太慢"], "why_high": ["不问这个"]}
    )
    answer.refresh_from_db()
    assert answer.values == {"score": 3, "why_low": "上线太慢"}
    assert answer.comment == "上线太慢"


def test_second_answer_in_the_wave_replaces_the_first():
    invitation = invited()
    answering.give_score(now=NOW, invitation=invitation, text="3")
    answering.give_answers(now=NOW, invitation=invitation, given={"why_low": ["慢"]})
    later = NOW + timedelta(hours=2)
    answering.give_score(now=later, invitation=invitation, text="9")
    answer = Answer.objects.get()
    assert (answer.score, answer.values) == (9, {"score": 9})
    assert answer.comment == ""  # what belonged to the low score's question is not put in its mouth
    assert (answer.answered_at, answer.changed_at) == (NOW, later)
    # the same again is no change
    answering.give_score(now=later + timedelta(hours=1), invitation=invitation, text="9")
    assert Answer.objects.get().changed_at == later


def test_answer_stands_after_a_day_and_closed_links_take_none():
    invitation = invited()
    answering.give_score(now=NOW, invitation=invitation, text="3")
    with pytest.raises(answering.LinkOver):
        answering.give_score(now=NOW + timedelta(hours=24), invitation=invitation, text="9")
    assert Answer.objects.get().score == 3
    late = invited()
    with pytest.raises(answering.LinkOver):
        answering.give_score(now=NOW + timedelta(days=30), invitation=late, text="9")
    surveys.close_wave(actor=None, now=NOW, wave=late.wave)
    with pytest.raises(answering.LinkOver):
        answering.give_score(now=NOW, invitation=late, text="9")
    assert Answer.objects.count() == 1


@pytest.mark.parametrize("text", ["", "11", "-1", "9.5", "nan", "9" * 400])
def test_odd_score_is_refused_and_nothing_is_kept(text):
    invitation = invited()
    with pytest.raises(answering.ScoreMissing):
        answering.give_score(now=NOW, invitation=invitation, text=text)
    assert not Answer.objects.exists()
    invitation.refresh_from_db()
    assert invitation.answered_at is None


def test_words_without_a_score_are_refused():
    invitation = invited()
    with pytest.raises(answering.ScoreMissing):
        answering.give_answers(now=NOW, invitation=invitation, given={"why_low": ["慢"]})
    assert not Answer.objects.exists()


def test_short_form_has_no_score():
    questions = [
        {"key": "goal", "kind": "text", "zh": "目标？", "required": True},
        {"key": "more", "kind": "text", "zh": "还有？"},
    ]
    invitation = invited(make_survey("form", questions=questions))
    with pytest.raises(answering.AnswersInvalid) as refused:
        answering.give_answers(now=NOW, invitation=invitation, given={"more": ["没有"]})
    assert refused.value.errors == {"goal": "Please answer this."}
    assert not Answer.objects.exists()
    answering.give_answers(now=NOW, invitation=invitation, given={"goal": ["降本"], "more": [" "]})
    answer = Answer.objects.get()
    assert (answer.score, answer.values, answer.comment) == (None, {"goal": "降本"}, "降本")


def test_opening_is_noted_once():
    invitation = invited()
    assert answering.note_opened(now=NOW, invitation=invitation)
    assert not answering.note_opened(now=NOW + timedelta(days=1), invitation=invitation)
    invitation.refresh_from_db()
    assert invitation.opened_at == NOW


def test_answer_is_told_to_whoever_listens():
    from gengyun.kernel.outbox import _handlers, on

    heard = []

    def listen(payload, now):
        heard.append(payload)

    on("survey.answered")(listen)
    try:
        invitation = invited()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("django.db.transaction.on_commit", lambda func, robust=False: func())
            answering.give_score(now=NOW, invitation=invitation, text="2")
    finally:
        _handlers["survey.answered"].remove(listen)
    assert heard == [
        {
            "customer_ids": [invitation.customer_id],
            "survey": invitation.survey.key,
            "kind": "nps",
            "contact_id": invitation.contact_id,
            "score": 2,
        }
    ]


# --- writing surveys ---------------------------------------------------------------------------


def test_survey_begins_with_the_questions_of_its_kind():
    survey = make_survey("csat")
    assert survey.key == "csat-1"
    assert survey.questions[0]["most"] == 5
    assert survey.window_days == 90
    assert make_survey("csat").key == "csat-2"
    assert make_survey("csat", key="After a Ticket").key == "after-a-ticket"
    with pytest.raises(survey_forms.SurveyKeyTaken):
        make_survey("csat", key="csat-1")
    with pytest.raises(survey_forms.SurveyKindUnknown):
        make_survey("quiz")


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("name_zh", " ", "name_zh"),
        ("questions", [], "questions"),
        ("questions", "score", "questions"),
        ("questions", [{"key": "score"}], "questions.0.zh"),
        ("languages", ["fr"], "languages"),
        ("languages", "zh-hans", "languages"),
        ("valid_days", 0, "valid_days"),
        ("valid_days", "30", "valid_days"),
        ("window_days", 10**9, "window_days"),
        ("reminder_days", [5, 5], "reminder_days"),
        ("reminder_days", [1, 2, 3, 4], "reminder_days"),
        ("reminder_days", [True], "reminder_days"),
        ("reminder_days", [30], "reminder_days"),
        ("reminder_days", 5, "reminder_days"),
        ("texts", {"zh": {"intro": "长" * 501}}, "texts.zh.intro"),
        ("texts", {"zh": {"body": "{{ health.score }} {{ survey.link }}"}}, "texts.zh.body"),
        ("texts", {"en": {"body": "no link"}}, "texts.en.body"),
        ("texts", {"en": {"subject": "{{ contact.name"}}, "texts.en.subject"),
    ],
)
def test_what_is_wrong_with_a_survey_is_named(field, value, error):
    survey = make_survey()
    with pytest.raises(survey_forms.SurveyInvalid) as refused:
        survey_forms.edit_survey(actor=None, now=NOW, survey=survey, changes={field: value})
    assert error in refused.value.errors
    survey.refresh_from_db()
    assert survey.name_zh == "推荐意愿"


def test_answered_questions_cannot_change_what_they_measure():
    survey = make_survey("form", questions=[{"key": "goal", "kind": "text", "zh": "目标？"}])
    change = {"questions": [{"key": "other", "kind": "text", "zh": "别的？"}]}
    survey_forms.edit_survey(actor=None, now=NOW, survey=survey, changes=change)
    survey.refresh_from_db()
    invitation = invited(survey)
    answering.give_answers(now=NOW, invitation=invitation, given={"other": ["有"]})
    back = {"questions": [{"key": "goal", "kind": "text", "zh": "目标？"}]}
    with pytest.raises(survey_forms.SurveyInvalid):
        survey_forms.edit_survey(actor=None, now=NOW, survey=survey, changes=back)
    reworded = {
        "questions": [{"key": "other", "kind": "text", "zh": "还有呢？"}, *back["questions"]]
    }
    survey_forms.edit_survey(actor=None, now=NOW, survey=survey, changes=reworded)
    survey.refresh_from_db()
    assert [one["zh"] for one in survey.questions] == ["还有呢？", "目标？"]


def test_surveys_are_written_by_few():
    for role in ("csm", "viewer"):
        with pytest.raises(NotAllowed):
            make_survey(actor=make_user(role))
    make_survey(actor=make_user("operations"))


def test_default_surveys_come_once():
    from gengyun.engagement.actions.survey_defaults import install_defaults
    from gengyun.engagement.models import Survey

    assert install_defaults(now=NOW) == 3
    survey = Survey.objects.get(key="ces")
    survey_forms.retire_survey(actor=None, now=NOW, survey=survey)
    assert install_defaults(now=NOW) == 0
    assert Survey.objects.count() == 3
