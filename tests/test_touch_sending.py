"""Messages to customers over real sockets: once, within the rules at the moment they leave."""

import email
import email.policy
import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from factories import NOW, make_contact, make_customer, make_user
from message_services import DINGTALK_SECRET, FEISHU_SECRET, WEBHOOK_SECRET, services_running
from smtp_server import postman

from gengyun.engagement.actions import touch_sending as sending
from gengyun.engagement.actions import touches
from gengyun.engagement.channels import base
from gengyun.engagement.channels.email import smtp
from gengyun.engagement.models import Channel, Delivery, MailAddress, OptOut, Touch

pytestmark = pytest.mark.django_db
State = Touch.State
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _address(settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"


@pytest.fixture
def man():
    with postman() as (found, port):
        Channel.objects.create(
            name="mail", kind="email", serves="customers", created_at=NOW,
            config={
                "host": "127.0.0.1", "port": port, "security": "none",
                "sender": "耕云服务 <cs@mail.example.cn>", "bounces": "bounce@mail.example.cn",
            },
        )  # fmt: skip
        yield found


@pytest.fixture
def contact():
    owner = make_user(name="苏敏", email="su@example.cn")
    return make_contact(make_customer("晨曦科技", owner=owner), "林岚", email="lin@example.cn")


def ask(contact, key="k1", *, now=NOW, **values):
    defaults = {
        "customer": contact.customer, "contact": contact, "channel": "email",
        "category": "education", "subject": "三个小技巧", "body": "林女士：\n\n.点号开头的一行\n见 https://e.cn/a?b=1&c=2。",
    }  # fmt: skip
    return touches.request(now=now, key=key, **(defaults | values))


def parsed(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_a_letter_carries_what_mail_programs_ask_for(man, contact):
    touch = ask(contact)
    assert sending.send_due(now=NOW)["sent"] == 1
    ((sender, to, raw),) = man.mails
    mail = parsed(raw)
    assert sender == f"bounce+{touch.token}@mail.example.cn"
    assert to == ["lin@example.cn"]
    line = f"List-Unsubscribe: <https://cs.example.cn/u/{touch.token}/>\r\n"
    assert line.encode() in raw
    assert mail["List-Unsubscribe"] == f"<https://cs.example.cn/u/{touch.token}/>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Message-ID"] == f"<{touch.token}@mail.example.cn>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Reply-To"] == "苏敏 <su@example.cn>"
    assert (mail["Subject"], mail["To"]) == ("三个小技巧", "林岚 <lin@example.cn>")
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert "\n.点号开头的一行\n" in text
    assert f"退订：https://cs.example.cn/u/{touch.token}/" in text
    html = mail.get_body(("html",)).get_content()
    assert '<a href="https://e.cn/a?b=1&amp;c=2">' in html
    assert raw.isascii()
    touch.refresh_from_db()
    assert (touch.state, touch.sent_at) == (State.SENT, NOW)
    assert sending.send_due(now=NOW + HOUR)["sent"] == 0
    assert len(man.mails) == 1


def test_a_long_address_of_ours_stays_in_one_piece(man, contact, settings):
    settings.PUBLIC_ADDRESS = f"https://customer-success.{'long-' * 12}company.example.cn"
    touch = ask(contact)
    sending.send_due(now=NOW)
    line = f"List-Unsubscribe: <{settings.PUBLIC_ADDRESS}/u/{touch.token}/>\r\n"
    assert line.encode() in man.mails[0][2]


def test_a_subject_cannot_bring_headers_of_its_own(man, contact):
    contact.name = "林\r\nBcc: x@evil.example"
    contact.save()
    ask(contact, subject="a\r\nBcc: y@evil.example")
    sending.send_due(now=NOW)
    mail = parsed(man.mails[0][2])
    assert mail["Bcc"] is None
    assert man.mails[0][1] == ["lin@example.cn"]


@pytest.mark.parametrize("mood", ["closed", "busy", "drop_before", "no_sender", "full"])
def test_what_the_server_cannot_have_taken_goes_again_once(man, contact, mood):
    man.moods = [mood]
    touch = ask(contact)
    assert sending.send_due(now=NOW)["later"] == 1
    touch.refresh_from_db()
    assert (touch.state, touch.sent_at) == (State.QUEUED, None)
    assert touch.due_at > NOW
    assert sending.send_due(now=touch.due_at)["sent"] == 1
    assert len(man.mails) == 1


@pytest.mark.parametrize(("mood", "taken"), [("drop_untaken", 0), ("drop_taken", 1)])
def test_silence_after_the_dot_is_perhaps_sent_and_never_repeated(man, contact, mood, taken):
    man.moods = [mood]
    touch = ask(contact)
    assert sending.send_due(now=NOW)["unsure"] == 1
    touch.refresh_from_db()
    assert touch.state == State.UNSURE
    for days in range(4):
        sending.send_due(now=NOW + timedelta(days=days))
    assert len(man.mails) == taken
    # it counts: perhaps they have it
    assert ask(contact, "k2", now=NOW + HOUR).reason == "cap_1d"


def test_a_server_that_answers_late_is_waited_for_then_unsure(man, contact, monkeypatch):
    monkeypatch.setattr(base, "TIMEOUT", 0.2)
    monkeypatch.setattr(smtp, "TAKE_SECONDS", 0.2)
    man.moods, man.late = ["late"], 0.6
    touch = ask(contact)
    assert sending.send_due(now=NOW)["unsure"] == 1
    touch.refresh_from_db()
    assert touch.state == State.UNSURE
    assert len(man.mails) == 1


def test_a_slow_server_is_left_and_asked_again(man, contact, monkeypatch):
    monkeypatch.setattr(base, "TIMEOUT", 0.2)
    man.moods, man.late = ["slow"], 0.6
    touch = ask(contact)
    assert sending.send_due(now=NOW)["later"] == 1
    touch.refresh_from_db()
    sending.send_due(now=touch.due_at)
    assert len(man.mails) == 1


def test_an_unknown_mailbox_is_remembered_and_a_refused_text_is_not(man, contact):
    man.refused["lin@example.cn"] = "550 5.1.1 User unknown"
    touch = ask(contact)
    assert sending.send_due(now=NOW)["failed"] == 1
    touch.refresh_from_db()
    assert (touch.state, touch.told["code"], touch.sent_at) == (State.FAILED, "550", None)
    assert MailAddress.objects.get(address="lin@example.cn").hard_bounced_at == NOW
    assert ask(contact, "k2", now=NOW + HOUR).reason == "bounced"
    other = make_contact(contact.customer, email="he@example.cn")
    man.moods = ["content"]
    ask(other, "k3")
    sending.send_due(now=NOW)
    assert MailAddress.objects.get(address="he@example.cn").hard_bounced_at is None
    # one refused mailbox is no reason to pause the channel
    assert Channel.objects.get().paused_until is None


def test_one_full_mailbox_does_not_hold_up_the_others(man, contact):
    man.refused["lin@example.cn"] = "452 4.2.2 mailbox full"
    ask(contact)
    other = make_contact(contact.customer, email="he@example.cn")
    ask(other, "k2")
    counts = sending.send_due(now=NOW)
    assert (counts["later"], counts["sent"]) == (1, 1)


def test_a_service_that_is_down_keeps_the_rest_of_the_batch_untouched(man, contact):
    for n in range(5):
        ask(make_contact(contact.customer, email=f"p{n}@example.cn"), f"p{n}")
    man.moods = ["busy"]
    assert sending.send_due(now=NOW)["later"] == 5
    assert set(Delivery.objects.values_list("state", "attempts")) == {
        ("waiting", 1),
        ("waiting", 0),
    }
    assert not Touch.objects.filter(sent_at__isnull=False).exists()
    assert sending.send_due(now=NOW + HOUR)["sent"] == 5
    assert len(man.mails) == 5


def test_everything_is_looked_at_again_before_it_leaves(man, contact):
    customer = contact.customer
    left, out, gone = (make_contact(customer, email=f"{n}@example.cn") for n in "abc")
    asked = [ask(one, str(one.pk)) for one in (left, out, gone, contact)]
    left.left_on = date(2026, 3, 2)
    left.save()
    OptOut.objects.create(contact=out, address="", category="all", source="link", at=NOW)
    MailAddress.objects.filter(address="c@example.cn").update(hard_bounced_at=NOW)
    counts = sending.send_due(now=NOW)
    assert (counts["sent"], counts["suppressed"]) == (1, 3)
    for touch in asked:
        touch.refresh_from_db()
    assert [touch.reason for touch in asked] == ["contact_left", "opted_out", "bounced", ""]
    assert len(man.mails) == 1


def test_a_delay_into_the_night_waits_for_the_morning(man, contact):
    evening = datetime(2026, 3, 2, 11, 58, tzinfo=UTC)  # 19:58
    man.moods = ["busy"]
    touch = ask(contact, now=evening)
    sending.send_due(now=evening)
    for minutes in (5, 30, 120, 600):
        assert sending.send_due(now=evening + timedelta(minutes=minutes))["sent"] == 0
    assert not man.mails
    touch.refresh_from_db()
    morning = datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
    assert touch.due_at == morning
    assert sending.send_due(now=morning)["sent"] == 1


def test_the_clock_is_read_before_every_message(man, contact):
    """A slow batch must not carry its last messages into the quiet hours."""
    for n in range(4):
        ask(make_contact(contact.customer, email=f"p{n}@example.cn"), f"p{n}")
    moment = [datetime(2026, 3, 2, 11, 58, tzinfo=UTC)]

    def clock():
        moment[0] += timedelta(seconds=18)
        return moment[0]

    sending.send_due(now=moment[0], clock=clock)
    assert 0 < len(man.mails) < 4
    last = Touch.objects.filter(sent_at__isnull=False).order_by("-sent_at").first().sent_at
    assert last < datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_a_delayed_message_and_the_next_days_keep_the_cap(man, contact):
    """One that waited over night must not leave within a day of another's."""
    man.moods = ["busy"]
    evening = datetime(2026, 3, 2, 11, 58, tzinfo=UTC)
    ask(contact, "a", now=evening)
    sending.send_due(now=evening)  # goes on Tuesday 9:00
    ask(contact, "b", now=evening + timedelta(days=1))
    for hours in range(60):
        sending.send_due(now=evening + hours * HOUR)
    times = sorted(Touch.objects.filter(state="sent").values_list("sent_at", flat=True))
    assert len(times) == len(man.mails) >= 1
    assert all(b - a >= timedelta(days=1) for a, b in pairwise(times))


def test_last_weeks_news_is_not_sent(man, contact):
    touch = ask(contact)
    later = NOW + timedelta(days=4)
    assert sending.send_due(now=later)["suppressed"] == 1
    touch.refresh_from_db()
    assert touch.reason == "too_late"


def test_a_worker_killed_before_or_while_posting(man, contact):
    touch = ask(contact)
    channel = Channel.objects.get()
    sending._claim(channel, NOW, 10)  # killed here: nothing has left
    touch.refresh_from_db()
    assert touch.sent_at == NOW  # it holds its place in the budget meanwhile
    assert sending.send_due(now=NOW + timedelta(minutes=1))["sent"] == 0
    assert sending.send_due(now=NOW + timedelta(minutes=6))["sent"] == 1
    other = make_contact(contact.customer, email="he@example.cn")
    second = ask(other, "k2")
    sending._claim(channel, NOW, 10)
    Delivery.objects.filter(about=f"touch:{second.token}").update(state="posting")
    sending.send_due(now=NOW + timedelta(minutes=6))
    second.refresh_from_db()
    assert second.state == State.UNSURE
    assert len(man.mails) == 1


def test_two_workers_do_not_send_the_same(man, contact):
    ask(contact)
    channel = Channel.objects.get()
    first = sending._claim(channel, NOW, 10)
    assert len(first[0]) == 1
    assert sending._claim(channel, NOW, 10) is None


def test_a_slow_worker_whose_lease_ran_out_tells_what_it_knows(man, contact, monkeypatch):
    touch = ask(contact)
    real = sending._post

    def slow(channel, one, now):
        outcome = real(channel, one, now)
        sending._recover(now + timedelta(minutes=6))  # another worker gives it up
        return outcome

    monkeypatch.setattr(sending, "_post", slow)
    sending.send_due(now=NOW)
    touch.refresh_from_db()
    assert touch.state == State.SENT


def test_groups_and_webhooks_get_the_text_signed(contact):
    now = datetime.now(UTC)  # the services compare with their own clock
    with services_running() as (services, address):
        ways = {
            "feishu": (f"{address}/open-apis/bot/v2/hook/0a1b", FEISHU_SECRET),
            "dingtalk": (f"{address}/robot/send?access_token=T", DINGTALK_SECRET),
            "webhook": (f"{address}/own", WEBHOOK_SECRET),
        }
        from gengyun.engagement.models import TouchPolicy

        TouchPolicy.objects.create(
            caps={}, quiet_from="00:00", quiet_to="00:00", working_days_only=False
        )
        for kind, (url, sign) in ways.items():
            Channel.objects.create(
                name=kind, kind=kind, serves="customers", created_at=NOW,
                customer=contact.customer, secrets={"url": url, "sign": sign},
            )  # fmt: skip
            ask(contact, kind, channel=kind, now=now, category="service")
        assert sending.send_due(now=now)["sent"] == 3
        (card,) = services.of("feishu")
        assert card["content"]["text"].startswith("三个小技巧\n\n林女士")
        assert services.of("dingtalk")[0]["text"]["content"].startswith("三个小技巧")
        (hook,) = services.of("webhook")
        assert hook["type"] == "touch.message"
        assert hook["data"]["contact"]["email"] == "lin@example.cn"
        assert hook["data"]["customer"]["id"] == contact.customer.external_id


def test_a_webhook_that_times_out_is_sent_again_under_the_same_id(contact, monkeypatch):
    now = datetime.now(UTC)
    from gengyun.engagement.models import TouchPolicy

    TouchPolicy.objects.create(
        caps={}, quiet_from="00:00", quiet_to="00:00", working_days_only=False
    )
    with services_running() as (services, address):
        Channel.objects.create(
            name="own", kind="webhook", serves="customers", created_at=NOW,
            secrets={"url": f"{address}/own", "sign": WEBHOOK_SECRET},
        )  # fmt: skip
        services.next = [(503, {}, {})]
        touch = ask(contact, channel="webhook", now=now)
        assert sending.send_due(now=now)["later"] == 1
        touch.refresh_from_db()
        assert sending.send_due(now=touch.due_at)["sent"] == 1
        assert services.got[0][2]["webhook-id"] == touch.token


@pytest.mark.parametrize("mode", ["null", "recorded"])
def test_a_copy_of_the_data_writes_to_nobody(man, contact, settings, tmp_path, mode):
    settings.SENDING, settings.DATA_DIR = mode, tmp_path
    touch = ask(contact)
    assert sending.send_due(now=NOW)["sent"] == 1
    assert not man.mails
    kept = list((tmp_path / "recorded").rglob("*.eml")) if mode == "recorded" else []
    if mode == "recorded":
        assert [path.stem for path in kept] == [touch.token]
        assert parsed(kept[0].read_bytes())["Subject"] == "三个小技巧"


@pytest.mark.parametrize("kind", ["feishu", "dingtalk", "wecom_robot", "webhook"])
def test_the_recorded_stand_ins_answer_as_the_services_do(contact, settings, tmp_path, kind):
    """Their words go through the reader of the real service: sent, busy and refused."""
    from gengyun.engagement.channels import Target, box
    from gengyun.engagement.queries.letters import letter_of

    settings.SENDING, settings.DATA_DIR = "recorded", tmp_path
    touch = ask(contact, channel="nowhere")
    secrets = {"url": "https://x.example/y?key=K", "sign": WEBHOOK_SECRET}
    for answer, status in (("ok", "sent"), ("busy", "later"), ("refused", "failed")):
        target = Target({"answer": answer}, secrets, "", answer * 8)
        for _ in range(2):  # a repeat is dropped
            assert box(kind).write(target, letter_of(touch), now=NOW).status == status
    kept = sorted((tmp_path / "recorded" / kind).iterdir())
    assert len(kept) == 3
    assert "三个小技巧" in json.dumps(json.loads(kept[0].read_text()), ensure_ascii=False)
    assert "key=K" not in kept[0].read_text()


def test_alerts_are_not_told_over_a_channel_to_customers(man):
    from gengyun.engagement.actions import deliveries

    assert deliveries.deliver_due(now=NOW) == {"sent": 0, "failed": 0, "later": 0}
    channel = Channel.objects.get()
    Delivery.objects.create(
        key="x", channel=channel, recipient="a@b.cn", due_at=NOW, created_at=NOW
    )
    assert deliveries.deliver_due(now=NOW)["sent"] == 0
    assert not man.mails
