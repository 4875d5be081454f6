"""Texts to start from, messages that people write, and the command for what came back."""

import pytest
from click.testing import CliRunner
from django.test import Client
from django.urls import reverse
from factories import NOW, make_contact, make_customer, make_user

from gengyun.engagement.actions import touch_templates, touches
from gengyun.engagement.actions.touch_sending import send_due
from gengyun.engagement.models import Channel, MailAddress, Touch, TouchTemplate
from gengyun.kernel.errors import NotAllowed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _address(settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"


@pytest.fixture
def alice():
    return make_user(name="Alice", language="en")


@pytest.fixture
def contact(alice):
    Channel.objects.create(name="log", kind="nowhere", serves="customers", created_at=NOW)
    return make_contact(make_customer("晨曦科技", owner=alice), "林岚", email="lin@example.cn")


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client


def test_a_text_is_kept_checked_and_previewed(contact):
    client = logged_in(make_user("operations", language="en"))
    path = reverse("web:settings_touch_template_new")
    form = {
        "name": "欢迎", "category": "education", "zh_subject": "{{ contact.name }}，您好",
        "zh_body": "{{ customer.name }}的第一周", "en_subject": "", "en_body": "",
    }  # fmt: skip
    preview = client.post(path, form | {"verb": "preview", "customer": "晨曦"})
    assert "林岚，您好" in preview.content.decode()
    assert "晨曦科技的第一周" in preview.content.decode()
    part = client.post(
        path, form | {"verb": "preview", "zh_body": "{{ customer.seats }}"},
        headers={"HX-Request": "true"},
    ).content.decode()  # fmt: skip
    assert "needs customer.seats" in part
    assert "<html" not in part
    assert not TouchTemplate.objects.exists()
    for wrong in (
        {"zh_body": "{{ customer.health }}"}, {"zh_body": "{{ contact.name"}, {"zh_body": ""},
        {"name": " "}, {"category": "x"}, {"en_subject": "only"}, {"name": "x" * 200},
    ):  # fmt: skip
        answer = client.post(path, form | wrong)
        assert answer.status_code == 422, wrong
    assert client.post(path, form).status_code == 303
    row = TouchTemplate.objects.get()
    assert row.texts == {"zh": {"subject": form["zh_subject"], "body": form["zh_body"]}}
    assert (
        client.post(f"/settings/touches/texts/{row.pk}/", form | {"name": "W"}).status_code == 303
    )
    assert "W" in client.get("/settings/touches/").content.decode()
    client.post(f"/settings/touches/texts/{row.pk}/retire/")
    row.refresh_from_db()
    assert row.retired_at is not None
    assert logged_in(make_user("leader")).get(path).status_code == 403
    with pytest.raises(NotAllowed):
        touch_templates.retire_template(actor=make_user(), now=NOW, template=row)


def test_a_csm_writes_from_a_text_and_a_second_click_is_the_same_message(contact, alice):
    text = touch_templates.save_template(
        actor=None, now=NOW, template=None, name="问候", category="relation",
        texts={"zh": {"subject": "{{ contact.name }}好", "body": "我是{{ csm.name }}。"}},
    )  # fmt: skip
    client, path = logged_in(alice), f"/customers/{contact.customer_id}/touches/write/"
    page = client.get(f"{path}?template={text.pk}").content.decode()
    assert "{{ contact.name }}好" in page
    assert "林岚好" in page  # the preview
    form = {
        "contact": contact.pk, "kind": "nowhere", "category": "relation", "language": "zh-hans",
        "subject": "{{ contact.name }}好", "body": "我是{{ csm.name }}。", "once": "abc",
    }  # fmt: skip
    shown = client.post(path, form | {"verb": "preview"}, headers={"HX-Request": "true"})
    assert "我是Alice。" in shown.content.decode()
    assert not Touch.objects.exists()
    for _ in range(2):
        assert client.post(path, form | {"verb": "send"}).status_code == 303
    touch = Touch.objects.get()
    assert (touch.subject, touch.body, touch.asked_by) == ("林岚好", "我是Alice。", alice)
    assert client.post(path, form | {"verb": "draft", "once": "d"}).status_code == 303
    assert Touch.objects.filter(state="draft").count() == 1


def test_what_cannot_be_written_is_told_and_nothing_is_kept(contact, alice):
    client, path = logged_in(alice), f"/customers/{contact.customer_id}/touches/write/"
    form = {
        "contact": contact.pk, "kind": "nowhere", "category": "relation", "language": "zh-hans",
        "subject": "s", "body": "b", "once": "x", "verb": "send",
    }  # fmt: skip
    for wrong in (
        {"body": ""}, {"subject": ""}, {"body": "{{ customer.seats }}"}, {"kind": "pigeon"},
        {"category": "spam"}, {"body": "{{ customer.churn }}"}, {"body": "x" * 25_000},
    ):  # fmt: skip
        answer = client.post(path, form | wrong)
        assert answer.status_code == 422, wrong
    assert not Touch.objects.exists()
    assert logged_in(make_user()).get(path).status_code == 404
    assert logged_in(make_user("viewer")).get(path).status_code == 403


REPORT = """From MAILER-DAEMON Mon Mar  2 10:00:00 2026
From: MAILER-DAEMON@mx.example.cn
To: bounce+{token}@mail.example.cn
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.cn

Final-Recipient: rfc822; lin@example.cn
Action: failed
Status: 5.1.1

--b--

"""


def test_the_command_reads_what_came_back(contact, tmp_path):
    from gengyun.cli.touches import command

    touch = touches.request(
        now=NOW, key="k", customer=contact.customer, contact=contact, channel="nowhere",
        category="service", subject="s", body="b",
    )  # fmt: skip
    send_due(now=NOW)
    Touch.objects.update(recipient="lin@example.cn")
    text = REPORT.format(token=touch.token)
    box, one = tmp_path / "box", tmp_path / "new"
    box.write_text(text + "From a@b Mon Mar  2 10:00:00 2026\nSubject: away\n\nuntil Monday\n")
    one.mkdir()
    (one / "1.eml").write_text(text.partition("\n")[2])
    found = CliRunner().invoke(command, ["bounces", str(box), str(one)])
    assert found.output.strip() == "3 read  hard 2  other 1"
    touch.refresh_from_db()
    assert touch.state == "bounced"
    assert MailAddress.objects.filter(hard_bounced_at__isnull=False).count() == 1
    again = CliRunner().invoke(command, ["bounces", "-"], input=text.partition("\n")[2])
    assert again.output.strip() == "1 read  hard 1"
    assert "trouble            1" in CliRunner().invoke(command, []).output
    assert CliRunner().invoke(command, ["bounces", str(tmp_path / "none")]).exit_code == 2
