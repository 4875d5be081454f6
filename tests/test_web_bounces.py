"""A mail server hands in what came back, with a token that opens nothing else."""

import re

import pytest
from django.test import Client
from factories import NOW, make_contact, make_customer, make_user

from gengyun.engagement.actions import touches
from gengyun.engagement.actions.touch_sending import send_due
from gengyun.engagement.models import Channel, MailAddress, Touch
from gengyun.team.actions import tokens
from gengyun.team.models import ApiToken

pytestmark = pytest.mark.django_db
REPORT = """From: MAILER-DAEMON@mail.example.com
To: bounce+{token}@mail.example.com
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com

Final-Recipient: rfc822; lin@example.cn
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b--
"""


@pytest.fixture
def touch(settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"
    settings.SENDING = "null"
    Channel.objects.create(name="log", kind="nowhere", serves="customers", created_at=NOW)
    contact = make_contact(make_customer(), email="lin@example.cn")
    found = touches.request(
        now=NOW, key="k", customer=contact.customer, contact=contact, channel="nowhere",
        category="service", subject="x", body="y",
    )  # fmt: skip
    send_due(now=NOW)
    Touch.objects.update(recipient="lin@example.cn")
    return found


@pytest.fixture
def token():
    return tokens.create_token(actor=None, now=NOW, scope="touches.bounces", name="Postfix")[1]


def hand_in(token, body, kind="message/rfc822"):
    client = Client(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {token}"}
    return client.post("/v1/bounces", body, content_type=kind, headers=headers)


def test_a_report_about_a_message_of_ours_stops_the_address(touch, token):
    report = REPORT.format(token=touch.token)
    for _ in range(2):  # the second time it changes nothing
        answer = hand_in(token, report)
        assert (answer.status_code, answer.json()) == (200, {"kind": "hard"})
    touch.refresh_from_db()
    assert touch.state == "bounced"
    assert MailAddress.objects.get(address="lin@example.cn").hard_bounced_at is not None


def test_what_is_none_of_ours_is_told_and_changes_nothing(touch, token):
    for body in (REPORT.format(token="0" * 32), "Subject: hello\n\nhello", "", b"\xff\x00\xfe"):
        assert hand_in(token, body).json() == {"kind": "other"}
    assert hand_in(token, "x" * (1024 * 1024 + 1)).status_code == 413
    assert hand_in(token, "{}", "application/json").status_code == 415
    assert hand_in("gy_x", REPORT.format(token=touch.token)).status_code == 401
    touch.refresh_from_db()
    assert touch.state == "sent"


def test_tokens_are_made_and_revoked_by_operations(client, touch):
    client.force_login(make_user("operations"))
    path = "/settings/touches/bounces/"
    assert path in client.get("/settings/touches/").content.decode()
    page = client.post(path, {"name": "Postfix"})
    token = re.search(r'<pre id="token"[^>]*>(gy_[\w-]+)</pre>', page.content.decode())[1]
    assert page["Cache-Control"] == "no-store"
    assert hand_in(token, "x").status_code == 200
    assert client.post(f"{path}{ApiToken.objects.get().pk}/revoke/").status_code == 303
    assert hand_in(token, "x").status_code == 401
    for role in ("leader", "csm", "viewer"):
        client.force_login(make_user(role))
        assert client.get(path).status_code == 403
        assert client.post(path, {"name": "x"}).status_code == 403
