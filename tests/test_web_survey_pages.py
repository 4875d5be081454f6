"""Pages of surveys: numbers and answers in one's own scope, asking, writing, the customer's part."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from factories import People, make_contact, make_customer, make_user

from gengyun.engagement.actions import answering, survey_forms, surveys
from gengyun.engagement.actions.survey_defaults import install_defaults
from gengyun.engagement.models import Channel, Invitation, Survey, Touch, Wave

pytestmark = pytest.mark.django_db


def browser(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def nps(now, settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"
    install_defaults(now=now)
    return Survey.objects.get(key="nps")


def answered(survey, score, now, *, owner=None, part="user", why="", name="李先生"):
    customer = make_customer(f"客户 {name}", owner=owner)
    contact = make_contact(customer, name, part=part, email=f"p{customer.pk}@example.cn")
    invitation = surveys.invite(now=now, survey=survey, wave_key="w1", contact=contact)
    answering.give_score(now=now, invitation=invitation, text=str(score))
    if why:
        key = "why_low" if score < 7 else "why_middle" if score < 9 else "why_high"
        answering.give_answers(now=now, invitation=invitation, given={key: [why]})
    return contact


def mail_channel(now):
    return Channel.objects.create(
        name="mail",
        kind="email",
        serves="customers",
        created_at=now,
        config={
            "host": "127.0.0.1",
            "port": 25,
            "security": "none",
            "sender": "cs@mail.example.cn",
            "bounces": "b@mail.example.cn",
        },
    )


def test_list_shows_numbers_with_their_interval_or_that_there_are_too_few(now):
    client = browser(make_user("operations"))
    html = client.get("/surveys/").content.decode()  # comes with the standard surveys
    assert html.count('scope="row"') == 3
    survey = Survey.objects.get(key="nps")
    for n, score in enumerate([10, 10, 9, 9, 9, 8, 8, 7, 7, 4, 2]):
        answered(survey, score, now, name=f"N{n}")
    html = client.get("/surveys/").content.decode()
    assert "+27" in html
    assert "−20" in html
    assert "+63" in html
    assert "推荐者 5，中立者 4，贬损者 2" in html


def test_few_answers_give_no_number_but_the_answers(nps, now):
    admin = browser(make_user("admin", language="en"))
    for n, score in enumerate([10, 9, 3, 7]):
        answered(nps, score, now, name=f"N{n}", why=f"reason {n}")
    html = admin.get(f"/surveys/{nps.pk}/").content.decode()
    assert "only 4 answers: too few for a number" in html
    assert all(f"reason {n}" in html for n in range(4))
    answered(nps, 1, now, name="N5")
    html = admin.get(f"/surveys/{nps.pk}/").content.decode()
    assert "too few for a number" not in html
    assert "no reason given" in html


def test_everybody_sees_the_answers_of_their_own_customers(nps, now):
    cast = People()
    answered(nps, 3, now, owner=cast.owner, name="我的客户的人", why="秘密的理由")
    for person, sees in ((cast.owner, True), (cast.leader, True), (cast.stranger, False)):
        html = browser(person).get(f"/surveys/{nps.pk}/").content.decode()
        assert ("秘密的理由" in html) is sees, person.role
    assert "秘密的理由" not in browser(cast.stranger).get("/surveys/").content.decode()


def test_answers_are_filtered_and_paged(nps, now):
    admin = browser(make_user("admin"))
    for n in range(55):
        answered(
            nps, 3 if n % 2 else 10, now, name=f"人{n:02d}", part="decider" if n < 5 else "user"
        )
    first = admin.get(f"/surveys/{nps.pk}/").content.decode()
    assert first.count('class="gy-svs') == 50
    assert 'rel="next"' in first
    second = admin.get(f"/surveys/{nps.pk}/?page=2").content.decode()
    assert second.count('class="gy-svs') == 5
    low = admin.get(f"/surveys/{nps.pk}/?group=detractor").content.decode()
    assert low.count('class="gy-svs d"') == 27
    decider = admin.get(f"/surveys/{nps.pk}/?who=decider").content.decode()
    assert decider.count('class="gy-svs') == 5
    assert admin.get(f"/surveys/{nps.pk}/?words=1").content.decode().count('class="gy-svs') == 0
    odd = f"/surveys/{nps.pk}/?page={'9' * 30}&days=x&who=%00&group=[]&words=2"
    assert admin.get(odd).status_code == 200


def test_old_answers_leave_the_window(nps, now):
    contact = answered(nps, 3, now - timedelta(days=100), name="旧的")
    admin = browser(make_user("admin"))
    assert contact.name in admin.get(f"/surveys/{nps.pk}/").content.decode()
    assert contact.name not in admin.get(f"/surveys/{nps.pk}/?days=30").content.decode()


def test_people_are_counted_before_they_are_asked(nps, now):
    mail_channel(now)
    owner = make_user("csm")
    customer = make_customer(owner=owner)
    for n in range(3):
        make_contact(customer, f"U{n}", part="user", email=f"u{n}@example.cn")
    make_contact(customer, "gone", part="user", left_on=now.date())
    make_contact(make_customer(), "of others", part="user", email="o@example.cn")
    client = browser(owner)
    form = {"wave": "2026-Q9", "part": ["user"], "verb": "preview"}
    shown = client.post(f"/surveys/{nps.pk}/ask/", form, HTTP_HX_REQUEST="true")
    assert shown.status_code == 200
    assert 'value="send"' in shown.content.decode()
    assert not Invitation.objects.exists()
    sent = client.post(f"/surveys/{nps.pk}/ask/", form | {"verb": "send"})
    assert sent.status_code == 303
    assert Invitation.objects.count() == 3
    assert Touch.objects.filter(category="survey", state="queued").count() == 3
    client.post(f"/surveys/{nps.pk}/ask/", form | {"verb": "send"})
    assert Invitation.objects.count() == 3
    assert Touch.objects.count() == 3


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"part": ["x"], "verb": "send"},
        {"part": ["user"], "verb": "send", "wave": " "},
        {"part": ["user"], "verb": "send", "wave": "w", "tier": "9" * 40},
        {"part": ["user"], "verb": "send", "wave": "w\x00" * 50, "tier": "-1"},
    ],
)
def test_odd_asking_is_refused_or_asks_nobody(nps, form):
    client = browser(make_user("csm"))
    for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
        answer = client.post(f"/surveys/{nps.pk}/ask/", form, **headers)
        assert answer.status_code in {303, 422}
    assert not Invitation.objects.exists()


def test_waves_and_surveys_end_and_come_back(nps, now):
    client = browser(make_user("operations"))
    wave = surveys.open_wave(now=now, survey=nps, key="w")
    assert client.post(f"/surveys/{nps.pk}/waves/{wave.pk}/close/").status_code == 303
    assert Wave.objects.get().closed_at is not None
    client.post(f"/surveys/{nps.pk}/waves/{wave.pk}/reopen/")
    assert Wave.objects.get().closed_at is None
    client.post(f"/surveys/{nps.pk}/retire/")
    nps.refresh_from_db()
    assert nps.retired_at is not None
    client.post(f"/surveys/{nps.pk}/restore/")
    nps.refresh_from_db()
    assert nps.retired_at is None
    assert client.post(f"/surveys/{nps.pk}/burn/").status_code == 404
    assert client.post(f"/surveys/{nps.pk}/waves/{wave.pk}/burn/").status_code == 404
    other = Survey.objects.get(key="csat")
    assert client.post(f"/surveys/{other.pk}/waves/{wave.pk}/close/").status_code == 404


def test_roles_write_and_ask_as_they_may(nps):
    for role, writes, asks in (
        ("admin", True, True),
        ("operations", True, True),
        ("leader", True, True),
        ("csm", False, True),
        ("viewer", False, False),
    ):
        client = browser(make_user(role))
        assert client.get("/surveys/").status_code == 200
        assert client.get(f"/surveys/{nps.pk}/").status_code == 200
        assert client.get("/surveys/new/").status_code == (200 if writes else 403)
        assert client.get(f"/surveys/{nps.pk}/edit/").status_code == (200 if writes else 403)
        assert client.post(f"/surveys/{nps.pk}/retire/").status_code == (303 if writes else 403)
        assert client.post(f"/surveys/{nps.pk}/ask/", {}).status_code == (422 if asks else 403)
        Survey.objects.update(retired_at=None)
    assert Client().get("/surveys/").status_code == 302


def test_survey_is_written_and_changed(now):
    client = browser(make_user("operations", language="en"))
    made = client.post("/surveys/new/", {"kind": "csat", "name_zh": "工单满意度", "key": "tickets"})
    survey = Survey.objects.get(key="tickets")
    assert made["Location"] == f"/surveys/{survey.pk}/edit/"
    assert "{{" not in client.get(made["Location"]).content.decode()
    form = {
        "name_zh": "工单满意度",
        "name_en": "Tickets",
        "languages": ["zh-hans", "en"],
        "valid_days": "14",
        "window_days": "60",
        "reminder_days": "8、10",
        "channel": "",
        "q0-key": "score",
        "q0-zh": "满意吗？",
        "q0-en": "Satisfied?",
        "q0-low_zh": "不",
        "q1-key": "why",
        "q1-zh": "",
        "q1-en": "",
        "q2-key": "",
        "q2-zh": "哪里不好？",
        "q2-kind": "choices",
        "q2-when": "low",
        "q2-options": "速度 | Speed\n态度 | Manner",
        "q2-required": "1",
        "zh-intro": "你好",
        "zh-body": "点这里 {{ survey.link }}",
        "zh-subject": "请打分",
    }
    saved = client.post(f"/surveys/{survey.pk}/edit/", form)
    assert saved.status_code == 303, saved.content.decode()
    survey.refresh_from_db()
    assert (survey.valid_days, survey.window_days, survey.reminder_days) == (14, 60, [8, 10])
    assert survey.questions == [
        {
            "key": "score", "kind": "scale", "least": 1, "most": 5, "required": True,
            "zh": "满意吗？", "en": "Satisfied?", "low_zh": "不",
        },
        {
            "key": "q1", "kind": "choices", "zh": "哪里不好？", "required": True,
            "when": {"most": 2},
            "options": [{"key": "o1", "zh": "速度", "en": "Speed"}, {"key": "o2", "zh": "态度", "en": "Manner"}],
        },
    ]  # fmt: skip
    # opened and saved again, nothing changes
    html = client.get(f"/surveys/{survey.pk}/edit/").content.decode()
    assert "速度 | Speed" in html
    before = survey.questions
    again = form | {
        "q1-key": "q1", "q1-zh": "哪里不好？", "q1-when": "low", "q1-required": "1",
        "q1-options": "速度 | Speed\n态度 | Manner", "q2-zh": "",
    }  # fmt: skip
    client.post(f"/surveys/{survey.pk}/edit/", again)
    survey.refresh_from_db()
    assert survey.questions == before


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"name_zh": "x", "valid_days": "NaN"},
        {"name_zh": "x", "valid_days": "9" * 400, "reminder_days": "1,-2,nan"},
        {"name_zh": "\x00", "languages": ["zh-hans"], "valid_days": "30", "window_days": "30"},
        {"name_zh": "x", "q0-zh": "?" * 9_000, "q0-kind": "file", "languages": "en"},
        {"name_zh": "x", "languages": ["en"], "valid_days": "30", "window_days": "30",
         "q0-zh": "问", "q0-key": "score", "zh-body": "{{ customer.arr }}"},
        {"name_zh": "x", "channel": "9" * 30},
    ],
)  # fmt: skip
def test_odd_forms_are_refused_beside_the_field(nps, form):
    client = browser(make_user("operations"))
    for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
        answer = client.post(f"/surveys/{nps.pk}/edit/", form, **headers)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
        assert client.post("/surveys/new/", {"kind": "x"} | form, **headers).status_code == 422
    nps.refresh_from_db()
    assert nps.name_zh == "NPS 推荐意愿"


def test_customers_page_tells_who_said_what_and_who_nothing(nps, now):
    owner = make_user("csm")
    contact = answered(nps, 3, now, owner=owner, why="太慢")
    silent = make_contact(contact.customer, "沉默的人", part="decider")
    asked = surveys.invite(now=now - timedelta(days=20), survey=nps, wave_key="w0", contact=silent)
    Invitation.objects.filter(pk=asked.pk).update(sent_at=now - timedelta(days=20))
    pk = contact.customer_id
    client = browser(owner)
    html = client.get(f"/customers/{pk}/surveys/").content.decode()
    assert "太慢" in html
    assert "20 天没有回答" in html
    assert "/s/" in html
    assert 'id="s-surveys"' in client.get(f"/customers/{pk}/").content.decode()
    # a viewer sees it all, but gets no link to answer for others
    viewer = browser(make_user("viewer")).get(f"/customers/{pk}/surveys/").content.decode()
    assert "太慢" in viewer
    assert "/s/" not in viewer
    assert browser(make_user("csm")).get(f"/customers/{pk}/surveys/").status_code == 404


def test_one_person_is_asked_by_hand_or_mail(nps, now):
    mail_channel(now)
    owner = make_user("csm")
    customer = make_customer(owner=owner)
    one = make_contact(customer, "林岚", email="lin@example.cn")
    two = make_contact(customer, "王女士")
    client = browser(owner)
    path = f"/customers/{customer.pk}/surveys/"
    by_mail = {"contact": one.pk, "survey": nps.pk, "by": "mail"}
    shown = client.post(f"{path}ask/", by_mail, HTTP_HX_REQUEST="true")
    assert shown.status_code == 200
    assert Touch.objects.get().state == "queued"
    # no address: said why, and still a link to pass on
    client.post(f"{path}ask/", by_mail | {"contact": two.pk})
    invitation = Invitation.objects.get(contact=two)
    assert invitation.unsent_reason == "no_address"
    passed = client.post(f"{path}passed/", {"invitation": invitation.pk}, HTTP_HX_REQUEST="true")
    assert passed.status_code == 200
    invitation.refresh_from_db()
    assert invitation.sent_by_hand
    of_others = make_contact(make_customer(), "别人的人")
    for form in (
        {}, {"contact": "x", "survey": nps.pk}, {"contact": of_others.pk, "survey": nps.pk},
        {"contact": one.pk, "survey": "9" * 30}, {"contact": one.pk, "survey": "٣x"},
    ):  # fmt: skip
        assert client.post(f"{path}ask/", form).status_code == 404
    for form in ({}, {"invitation": "x"}, {"invitation": 10**14}):
        assert client.post(f"{path}passed/", form).status_code == 404
    survey_forms.retire_survey(actor=None, now=now, survey=nps)
    refused = client.post(f"{path}ask/", by_mail, HTTP_HX_REQUEST="true")
    assert refused.status_code == 409
    assert 'role="alert"' in refused.content.decode()


def test_list_asks_the_database_the_same_however_many_answered(
    nps, now, django_assert_max_num_queries
):
    client = browser(make_user("admin"))
    client.get("/surveys/")
    for n in range(3):
        answered(nps, 9, now, name=f"A{n}")
    with django_assert_max_num_queries(26):
        client.get(f"/surveys/{nps.pk}/")


def test_answers_go_out_as_a_file_of_ones_own_customers(nps, now):
    from gengyun.customers.models import ExportRun

    cast = People()
    answered(nps, 3, now, owner=cast.owner, why="太慢", name="我的人")
    answered(nps, 9, now, owner=cast.stranger, why="不是我的", name="别人")
    client = browser(cast.owner)
    asked = {"listing": "answers", "form": "csv", "survey": nps.pk, "days": "180"}
    done = client.post("/exports/", asked)
    assert done.status_code in {302, 303}
    run = ExportRun.objects.get()
    text = b"".join(client.get(f"/exports/{run.pk}/file/").streaming_content).decode("utf-8-sig")
    assert "太慢" in text
    assert "不是我的" not in text
    assert "您有多大可能" in text.splitlines()[0]
    for odd in ({}, {"survey": "x"}, {"survey": "9" * 14}):
        assert (
            client.post("/exports/", {"listing": "answers", "form": "csv"} | odd).status_code == 404
        )
