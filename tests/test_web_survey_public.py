"""The page behind a survey's link: no login, both languages, one answer."""

from datetime import timedelta

import pytest
from django.utils import timezone
from factories import NOW, make_contact, make_customer

from gengyun.engagement.actions import answering, survey_forms, surveys
from gengyun.engagement.models import Answer
from gengyun.engagement.queries.survey_links import path_of

pytestmark = pytest.mark.django_db


def invited(kind="nps", **values):
    now = timezone.now()
    texts = {"zh": {"thanks": "多谢！", "intro": "一个问题"}, "en": {"thanks": "Many thanks!"}}
    defaults = {"name_zh": "推荐意愿", "name_en": "Would you recommend us", "texts": texts}
    survey = survey_forms.create_survey(actor=None, now=now, kind=kind, **(defaults | values))
    contact = make_contact(make_customer(), "李先生")
    return surveys.invite(now=now, survey=survey, wave_key="w", contact=contact)


def test_one_tap_keeps_the_score_and_asks_why(client):
    invitation = invited()
    path = path_of(invitation)
    asked = client.get(path)
    assert asked.status_code == 200
    html = asked.content.decode()
    assert html.count('<button class="sv-step') == 11
    assert "您有多大可能向同行或朋友推荐我们？" in html
    assert 'lang="zh-CN"' in html
    assert not Answer.objects.exists()  # looking at a page answers nothing
    assert (asked["Cache-Control"], asked["X-Robots-Tag"]) == ("no-store", "noindex")
    assert not asked.cookies
    given = client.post(path, {"step": "score", "value": "2", "lang": "zh-hans"})
    assert given.status_code == 303
    more = client.get(given["Location"]).content.decode()
    assert "最需要我们改进的是什么" in more
    assert "我们做得最好的是什么" not in more
    said = client.post(path, {"step": "more", "q-why_low": "太慢", "lang": "zh-hans"})
    assert said.status_code == 303
    assert "多谢！" in client.get(said["Location"]).content.decode()
    answer = Answer.objects.get()
    assert (answer.score, answer.comment) == (2, "太慢")
    # opened once more later: thanks, and a way to change it
    again = client.get(path).content.decode()
    assert "多谢！" in again
    assert "again=1" in again
    changed = client.get(f"{path}?again=1").content.decode()
    assert 'class="sv-step on" name="value" value="2"' in changed


def test_words_may_be_left_out(client):
    invitation = invited()
    path = path_of(invitation)
    client.post(path, {"step": "score", "value": "10"})
    done = client.post(path, {"step": "more", "q-why_high": ""})
    assert "多谢！" in client.get(done["Location"]).content.decode()
    assert Answer.objects.get().values == {"score": 10}


def test_page_speaks_the_language_asked_for_and_keeps_it(client):
    invitation = invited()
    path = path_of(invitation)
    html = client.get(f"{path}?lang=en").content.decode()
    assert "How likely are you to recommend us" in html
    assert 'lang="en"' in html
    assert "您有多大可能" not in html
    invitation.refresh_from_db()
    assert invitation.language == "en"
    assert "How likely" in client.get(path).content.decode()
    client.post(path, {"step": "score", "value": "9"})
    assert "Many thanks!" in client.get(f"{path}?done=1").content.decode()
    assert "您有多大可能" in client.get(f"{path}?lang=zh-hans&again=1").content.decode()
    assert "How likely" in client.get(f"{path}?lang=fr&again=1&lang=en").content.decode()


def test_survey_in_one_language_offers_no_other(client):
    html = client.get(path_of(invited(languages=["zh-hans"]))).content.decode()
    assert ">English<" not in html
    assert "?lang=" not in html


def test_score_in_the_address_is_only_proposed(client):
    invitation = invited()
    html = client.get(path_of(invitation) + "?score=9").content.decode()
    assert 'class="sv-step on" name="value" value="9"' in html
    assert not Answer.objects.exists()
    assert client.get(path_of(invitation) + "?score=99").status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"step": "score"},
        {"step": "score", "value": "11"},
        {"step": "score", "value": "\x00"},
        {"step": "score", "value": ["9", "x"]},
        {"step": "odd", "value": "9"},
        {"step": "more", "q-why_low": "慢"},
        {"step": "score", "value": "9" * 5_000, "lang": "fr"},
    ],
)
@pytest.mark.parametrize("headers", [{}, {"HTTP_HX_REQUEST": "true"}])
def test_odd_forms_are_refused_with_the_page(client, form, headers):
    invitation = invited()
    answer = client.post(path_of(invitation), form, **headers)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Answer.objects.exists()


def test_form_shows_what_is_missing_and_what_was_typed(client):
    options = [{"key": "a", "zh": "甲"}, {"key": "b", "zh": "乙"}]
    questions = [
        {"key": "goal", "kind": "text", "zh": "目标？", "required": True},
        {"key": "one", "kind": "choice", "zh": "哪个？", "options": options},
        {"key": "some", "kind": "choices", "zh": "哪些？", "options": options},
        {"key": "step", "kind": "scale", "zh": "多少？", "least": 1, "most": 5},
    ]
    invitation = invited("form", questions=questions)
    path = path_of(invitation)
    refused = client.post(path, {"step": "more", "q-one": "b", "q-some": ["a", "b"], "q-step": "4"})
    assert refused.status_code == 422
    html = refused.content.decode()
    assert 'id="e-goal"' in html
    assert html.count("checked") == 4
    assert not Answer.objects.exists()
    sent = client.post(
        path, {"step": "more", "q-goal": "<b>降本</b>", "q-one": "b", "q-some": ["a", "b"]}
    )
    assert sent.status_code == 303
    assert Answer.objects.get().values == {"goal": "<b>降本</b>", "one": "b", "some": ["a", "b"]}
    again = client.get(f"{path}?again=1").content.decode()
    assert "&lt;b&gt;降本&lt;/b&gt;" in again


def test_links_that_are_over_say_so(client):
    invitation = invited()
    path = path_of(invitation)
    wave = invitation.wave
    surveys.close_wave(actor=None, now=NOW, wave=wave)
    assert client.get(path).status_code == 410
    refused = client.post(path, {"step": "score", "value": "9"})
    assert refused.status_code == 409
    surveys.reopen_wave(actor=None, now=NOW, wave=wave)
    invitation.expires_at = timezone.now() - timedelta(seconds=1)
    invitation.save()
    assert client.get(path).status_code == 410
    assert client.post(path, {"step": "score", "value": "9"}).status_code == 409
    assert not Answer.objects.exists()


def test_answer_of_yesterday_can_only_be_seen_thanked_for(client):
    invitation = invited()
    answering.give_score(now=timezone.now() - timedelta(days=2), invitation=invitation, text="3")
    path = path_of(invitation)
    shown = client.get(f"{path}?again=1")
    assert shown.status_code == 200
    assert "多谢！" in shown.content.decode()
    assert "again=1" not in shown.content.decode()
    assert client.post(path, {"step": "score", "value": "9"}).status_code == 409
    assert Answer.objects.get().score == 3


@pytest.mark.parametrize("token", ["x", "a.b", "令牌", "x" * 4_000, "1.2.3", "%00"])
def test_forged_links_are_not_found_without_a_login(client, token):
    answer = client.get(f"/s/{token}/")
    assert answer.status_code == 404
    assert "/login/" not in answer.content.decode()
    assert client.post(f"/s/{token}/", {"step": "score", "value": "9"}).status_code == 404


def test_opening_is_noted_by_get_not_by_head(client):
    invitation = invited()
    client.head(path_of(invitation))
    invitation.refresh_from_db()
    assert invitation.opened_at is None
    client.get(path_of(invitation))
    invitation.refresh_from_db()
    assert invitation.opened_at is not None


def test_answering_needs_no_cookie_and_no_csrf_token():
    from django.test import Client

    invitation = invited()
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(path_of(invitation), {"step": "score", "value": "8"})
    assert answer.status_code == 303
    assert Answer.objects.get().score == 8
