"""Notices through real sockets to stand-ins of the services: once, at the right time, in batches."""

import email
import email.policy
import json
import socket
from datetime import UTC, datetime, timedelta

import pytest
from factories import NOW, People, make_user
from message_services import (
    DINGTALK_SECRET,
    FEISHU_SECRET,
    WEBHOOK_SECRET,
    mail_server,
    services_running,
)

from gengyun.engagement.actions import channels as actions
from gengyun.engagement.actions import deliveries as sending
from gengyun.engagement.calc.messages import Item
from gengyun.engagement.channels import base
from gengyun.engagement.models import Channel, Delivery
from gengyun.kernel.errors import NotAllowed
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture
def now():
    # the services compare with their own clock
    return datetime.now(UTC)


@pytest.fixture
def services():
    with services_running() as (found, address):
        found.address = address
        yield found


def make_channel(kind, url="", sign="", **values):
    secrets = {k: v for k, v in {"url": url, "sign": sign}.items() if v}
    return Channel.objects.create(
        name=f"{kind} {Channel.objects.count()}",
        kind=kind,
        secrets=secrets,
        created_at=NOW,
        **values,
    )


def feishu(services, **values):
    return make_channel(
        "feishu", f"{services.address}/open-apis/bot/v2/hook/0a1b", FEISHU_SECRET, **values
    )


def put(channel, now, *, count=1, severity=2, due_at=None, recipient="", start=0):
    rows = [
        sending.queue(
            now=now,
            channel=channel,
            key=f"k:{channel.pk}:{n}:{recipient}",
            item=Item(
                f"客户 {n}：用量下降",
                "近 14 天的使用只有平时的 55%。",
                (("ARR", "48.6 万"),),
                f"/alerts/?open={n}",
                severity,
            ),
            due_at=due_at or now,
            recipient=recipient,
            about=f"alert:{n}",
        )
        for n in range(start, start + count)
    ]
    return sending.write(rows)


def test_feishu_takes_a_signed_card(services, now, settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"
    channel = feishu(services)
    put(channel, now)
    assert sending.deliver_due(now=now) == {"sent": 1, "failed": 0, "later": 0}
    (message,) = services.of("feishu")
    assert message["card"]["header"]["title"]["content"] == "【今天】客户 0：用量下降"
    assert (
        message["card"]["elements"][1]["actions"][0]["url"]
        == "https://cs.example.cn/alerts/?open=0"
    )
    row = Delivery.objects.get()
    assert (row.state, row.sent_at) == (State.SENT, now)
    channel.refresh_from_db()
    assert channel.last_sent_at == now


def test_dingtalk_and_wecom_take_markdown(services, now):
    ding = make_channel(
        "dingtalk", f"{services.address}/robot/send?access_token=T", DINGTALK_SECRET
    )
    wecom = make_channel("wecom_robot", f"{services.address}/cgi-bin/webhook/send?key=K")
    put(ding, now)
    put(wecom, now)
    assert sending.deliver_due(now=now)["sent"] == 2
    assert "55%" in services.of("dingtalk")[0]["markdown"]["text"]
    assert "55%" in services.of("wecom")[0]["markdown"]["content"]


def test_a_webhook_is_signed_and_carries_the_items(services, now):
    channel = make_channel("webhook", f"{services.address}/own", WEBHOOK_SECRET)
    put(channel, now, count=2)
    sending.deliver_due(now=now)
    (message,) = services.of("webhook")
    assert [item["title"] for item in message["data"]["items"]] == [
        "客户 0：用量下降",
        "客户 1：用量下降",
    ]


def test_mail_goes_to_each_receiver_with_its_own_things(now):
    with mail_server() as (box, port):
        channel = make_channel(
            "email",
            config={
                "host": "127.0.0.1",
                "port": port,
                "security": "none",
                "sender": "耕云 <cs@example.cn>",
            },
        )
        put(channel, now, count=2, recipient="lin@example.cn")
        put(channel, now, recipient="liang@example.cn", start=5)
        assert sending.deliver_due(now=now)["sent"] == 3
    assert sorted(to for _, to, _ in box.mails) == [["liang@example.cn"], ["lin@example.cn"]]
    raw = next(text for _, to, text in box.mails if to == ["lin@example.cn"])
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["Subject"] == "2 条预警，2 条要今天处理"
    assert mail["From"].addresses[0].display_name == "耕云"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "客户 1：用量下降" in mail.get_body(("plain",)).get_content()
    assert "客户 1：用量下降" in mail.get_body(("html",)).get_content()


def test_the_same_thing_is_written_once(services, now):
    channel = feishu(services)
    assert put(channel, now, count=3) == 3
    assert put(channel, now, count=4) == 1
    sending.deliver_due(now=now)
    assert put(channel, now, count=4) == 0
    assert sending.deliver_due(now=now) == {"sent": 0, "failed": 0, "later": 0}
    assert len(services.of("feishu")) == 1  # four notices, one message


def test_nothing_leaves_before_its_time(services, now):
    channel = make_channel("wecom_robot", f"{services.address}/cgi-bin/webhook/send?key=K")
    put(channel, now, due_at=now + timedelta(hours=3))
    assert sending.deliver_due(now=now)["sent"] == 0
    assert sending.waits_until() == now + timedelta(hours=3)
    assert sending.deliver_due(now=now + timedelta(hours=3))["sent"] == 1


def test_what_is_over_before_it_left_is_not_sent(services, now):
    channel = feishu(services)
    put(channel, now, count=2)
    assert sending.drop(about=["alert:1"]) == 1
    sending.deliver_due(now=now)
    assert "客户 1" not in json.dumps(services.of("feishu"), ensure_ascii=False)
    assert Delivery.objects.get(about="alert:1").state == State.DROPPED


@pytest.mark.parametrize(
    "kind, path, sign, code, words",
    [
        ("feishu", "/open-apis/bot/v2/hook/x", "wrong", "19021", "check the signing secret"),
        ("dingtalk", "/robot/send?access_token=T", "wrong", "310000", "signing secret"),
        ("dingtalk", "/robot/send?access_token=U", DINGTALK_SECRET, "300005", "address is wrong"),
        ("wecom_robot", "/cgi-bin/webhook/send?key=gone", "", "93000", "removed from its group"),
        ("webhook", "/own", "whsec_" + "QUJD" * 8, "http_401", "refused"),
    ],
)
def test_a_refusal_says_what_to_do(services, now, kind, path, sign, code, words):
    channel = make_channel(kind, services.address + path, sign)
    put(channel, now)
    assert sending.deliver_due(now=now)["failed"] == 1
    row = Delivery.objects.get()
    channel.refresh_from_db()
    assert (row.state, row.error_code) == (State.FAILED, code)
    assert words in channel.error_text
    assert sending.deliver_due(now=now + timedelta(days=1)) == {"sent": 0, "failed": 0, "later": 0}


def test_a_busy_service_is_asked_again_later(services, now):
    channel = make_channel(
        "dingtalk", f"{services.address}/robot/send?access_token=T", DINGTALK_SECRET
    )
    services.next = [(200, {"errcode": 130101, "errmsg": "send too fast"}, {})]
    put(channel, now)
    assert sending.deliver_due(now=now)["later"] == 1
    # DingTalk is silent for ten minutes: nothing is tried before
    put(channel, now, start=7)
    assert sending.deliver_due(now=now + timedelta(minutes=9)) == {
        "sent": 0,
        "failed": 0,
        "later": 0,
    }
    later = now + timedelta(minutes=10, seconds=1)
    sending.deliver_due(now=later)
    sending.deliver_due(now=later)
    assert Delivery.objects.filter(state=State.SENT).count() == 2
    channel.refresh_from_db()
    assert (channel.error_text, channel.paused_until) == ("", None)


def test_a_webhook_is_repeated_under_the_same_id(services, now):
    channel = make_channel("webhook", f"{services.address}/own", WEBHOOK_SECRET)
    services.next = [(503, {}, {"Retry-After": "120"})]
    put(channel, now)
    sending.deliver_due(now=now)
    first = Delivery.objects.get().batch
    assert sending.deliver_due(now=now + timedelta(seconds=121))["sent"] == 1
    assert services.got[-1][2]["webhook-id"] == first


def test_trying_ends_after_eight_attempts(now):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    channel = make_channel("webhook", f"http://127.0.0.1:{port}/", WEBHOOK_SECRET)
    put(channel, now)
    for attempt in range(12):
        sending.deliver_due(now=now + timedelta(hours=2 * attempt))
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == (State.FAILED, 8)
    assert row.error_text == "The server could not be reached."


def test_a_server_that_does_not_answer_is_left(now, monkeypatch):
    monkeypatch.setattr(base, "TIMEOUT", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        channel = make_channel(
            "webhook", f"http://127.0.0.1:{silent.getsockname()[1]}/", WEBHOOK_SECRET
        )
        put(channel, now)
        assert sending.deliver_due(now=now)["later"] == 1
    assert Delivery.objects.get().error_text == "The server did not answer in time."


def test_a_signed_message_does_not_follow_a_redirect(services, now):
    channel = feishu(services)
    services.next = [(302, {}, {"Location": f"{services.address}/open-apis/bot/v2/hook/other"})]
    put(channel, now)
    assert sending.deliver_due(now=now)["failed"] == 1
    assert services.of("feishu") == []


def test_no_more_than_the_service_takes_in_a_minute(services, now):
    with mail_server() as (box, port):
        channel = make_channel(
            "email",
            config={
                "host": "127.0.0.1",
                "port": port,
                "security": "none",
                "sender": "cs@example.cn",
            },
        )
        for n in range(35):
            put(channel, now, recipient=f"p{n}@example.cn", start=n)
        assert sending.deliver_due(now=now)["sent"] == 30
        assert sending.deliver_due(now=now + timedelta(seconds=30))["sent"] == 0
        assert sending.deliver_due(now=now + timedelta(seconds=61))["sent"] == 5
    assert len(box.mails) == 35


def test_a_mail_address_that_is_refused_fails_and_a_full_box_waits(now):
    with mail_server() as (box, port):
        box.refused = {"gone@example.cn": "550 no such user", "full@example.cn": "452 mailbox full"}
        channel = make_channel(
            "email",
            config={
                "host": "127.0.0.1",
                "port": port,
                "security": "none",
                "sender": "cs@example.cn",
            },
        )
        put(channel, now, recipient="gone@example.cn")
        assert sending.deliver_due(now=now)["failed"] == 1
        put(channel, now, recipient="full@example.cn")
        assert sending.deliver_due(now=now)["later"] == 1
    assert Delivery.objects.get(recipient="gone@example.cn").error_code == "550"


def test_a_batch_killed_before_it_left_goes_out_whole(services, now):
    channel = feishu(services)
    put(channel, now, count=3)
    Delivery.objects.update(
        state=State.TAKEN, batch="b" * 32, lease_until=now - timedelta(seconds=1)
    )
    assert sending.deliver_due(now=now)["sent"] == 3
    assert len(services.of("feishu")) == 1


def test_a_batch_killed_on_its_way_is_not_doubled(services, now):
    robot, own = (
        feishu(services),
        make_channel("webhook", f"{services.address}/own", WEBHOOK_SECRET),
    )
    put(robot, now)
    put(own, now)
    for row in Delivery.objects.all():
        Delivery.objects.filter(pk=row.pk).update(
            state=State.POSTING, batch=f"{row.pk:032d}", lease_until=now - timedelta(seconds=1)
        )
    sending.deliver_due(now=now)
    # a robot cannot drop a repeat: a person decides; the webhook's receiver knows the id
    assert services.of("feishu") == []
    assert Delivery.objects.get(channel=robot).state == State.UNSURE
    assert services.got[0][2]["webhook-id"] == Delivery.objects.get(channel=own).batch
    admin = make_user("admin")
    sending.resend(actor=admin, now=now, delivery=Delivery.objects.get(channel=robot))
    sending.deliver_due(now=now)
    assert len(services.of("feishu")) == 1
    with pytest.raises(sending.NothingToSend):
        sending.resend(actor=admin, now=now, delivery=Delivery.objects.get(channel=robot))


def test_switched_off_nothing_is_sent(services, now):
    channel = feishu(services, is_active=False)
    put(channel, now)
    assert sending.deliver_due(now=now)["sent"] == 0


# ---- setting up


def create(actor, **values):
    given = {
        "name": "一线群",
        "kind": "feishu",
        "config": {},
        "secrets": {
            "url": "https://open.feishu.cn/open-apis/bot/v2/hook/tokentoken",
            "sign": "hidden-sign",
        },
    }
    return actions.create_channel(actor=actor, now=NOW, **(given | values))


def test_who_may_set_channels_up():
    people = People()
    for role in ("csm", "leader", "viewer"):
        with pytest.raises(NotAllowed):
            create(make_user(role))
    with pytest.raises(NotAllowed):
        actions.send_test(actor=people.owner, now=NOW, channel=create(make_user("operations")))
    assert Channel.objects.count() == 1


def test_secrets_stay_out_of_the_audit():
    admin = make_user("admin")
    channel = create(admin)
    actions.edit_channel(
        actor=admin,
        now=NOW,
        channel=channel,
        changes={"at_once": 1},
        secrets={"sign": "another-sign", "url": ""},
    )
    channel.refresh_from_db()
    assert channel.secrets == {
        "url": "https://open.feishu.cn/open-apis/bot/v2/hook/tokentoken",
        "sign": "another-sign",
    }
    written = json.dumps(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert "at_once" in written
    assert "sign" in written
    for secret in ("tokentoken", "hidden-sign", "another-sign"):
        assert secret not in written


def test_a_channel_that_cannot_work_is_not_saved():
    admin = make_user("admin")
    for values, refusal in (
        ({"name": " "}, actions.ChannelNameMissing),
        ({"kind": "pigeon"}, actions.ChannelKindUnknown),
        ({"secrets": {}}, actions.ChannelInvalid),
        ({"at_once": 9}, actions.ChannelInvalid),
        ({"language": "fr"}, actions.ChannelInvalid),
    ):
        with pytest.raises(refusal):
            create(admin, **values)
    assert not Channel.objects.exists()
    create(admin)
    with pytest.raises(actions.ChannelNameTaken):
        create(admin)


def test_a_test_message_says_at_once_whether_it_works(services, now):
    admin = make_user("admin")
    channel = feishu(services)
    assert actions.send_test(actor=admin, now=now, channel=channel).status == "sent"
    assert "测试消息" in services.of("feishu")[0]["card"]["header"]["title"]["content"]
    services.next = [(500, {"oops": 1}, {})]
    outcome = actions.send_test(actor=admin, now=now, channel=channel)
    assert outcome.status == "failed"  # not tried again behind one's back
    assert Delivery.objects.filter(state=State.WAITING).count() == 0
    channel.refresh_from_db()
    assert channel.failed_at == now
