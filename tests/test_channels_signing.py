"""Signatures and wording of notices against recorded vectors, and the limits of the services."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.engagement.calc import signing
from gengyun.engagement.calc.messages import Item, compose, markdown, plain_text, size
from gengyun.engagement.channels import KINDS, dingtalk, feishu, wecom_robot
from gengyun.engagement.channels.webhook import is_secret

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_signatures_as_published():
    # vectors checked against DingtalkChatbot 1.5.7 and standardwebhooks 1.1.0
    assert signing.feishu("gengyunFeishuSecret01", "1767225600") == (
        "2fy8GJEbzWXXoOSsQgWMfgcWFy3CPpTb7ghPvmMoJrA="
    )
    secret = "SECgengyun0000000000000000000000000000000000000000000000000000000"
    assert (
        signing.dingtalk(secret, "1767225600000") == "Hy+5JK+Jtkbbod/t64HE7QVFcFDpiYJ2ctFrt3q+fR0="
    )
    assert signing.dingtalk_query(secret, "1767225600000") == (
        "timestamp=1767225600000&sign=Hy%2B5JK%2BJtkbbod%2Ft64HE7QVFcFDpiYJ2ctFrt3q%2BfR0%3D"
    )


def test_signatures_of_the_shared_vectors(shared):
    path = shared / "reference" / "vectors" / "im.json"
    if not path.exists():
        pytest.skip("the vectors of the message services are not beside this checkout")
    found = json.loads(path.read_text())
    ding, bird, hook = found["dingtalk"], found["feishu_bot"], found["standard_webhooks"]
    assert signing.dingtalk(ding["secret"], ding["timestamp_ms"]) == ding["sign_base64"]
    assert signing.feishu(bird["secret"], bird["timestamp_s"]) == bird["sign"]
    assert (
        signing.webhook(
            hook["secret"], hook["webhook-id"], hook["webhook-timestamp"], hook["payload"].encode()
        )
        == hook["webhook-signature"]
    )


def make_items(count):
    return [
        Item(
            f"杭州云启科技 {n}：用量下降",
            "近 14 天的使用只有平时的 55%。" * 3,
            (("ARR", "48.6 万"),),
            f"https://cs.example.cn/alerts/?open={n}",
            2,
        )
        for n in range(count)
    ]


def test_one_item_is_a_card_of_its_own_several_are_a_list():
    one = compose(make_items(1), language="zh-hans", queue_url="https://cs.example.cn/alerts/")
    assert one.title == "【今天】杭州云启科技 0：用量下降"
    assert one.url.endswith("open=0")
    many = compose(make_items(24), language="en", queue_url="https://cs.example.cn/alerts/")
    assert many.title == "24 alerts, 24 for today"
    assert (len(many.items), many.more) == (20, 4)
    assert "and 4 more" in plain_text(many, limit=100_000)


def test_the_pressing_comes_first():
    items = [
        Item("later", "x", severity=4),
        Item("urgent", "x", severity=1),
        Item("today", "x", severity=2),
    ]
    found = compose(items, language="en", queue_url="")
    assert [item.title for item in found.items] == ["urgent", "today", "later"]
    assert found.severity == 1


def test_names_cannot_become_markup():
    item = Item("[点我](https://evil.example) *x* `y`\n# z", "<font color=red>|", severity=1)
    text = markdown(compose([item], language="zh-hans", queue_url=""), limit=4000)
    # no link, no emphasis, no code, no heading but ours, no tag
    assert not set("[]*`<>|") & set(text)
    assert "](" not in text
    assert text.count("#") == 3
    assert text.splitlines()[0].startswith("### ")


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(200, 5000), st.text(max_size=300))
def test_a_text_never_exceeds_its_limit(count, limit, words):
    items = [Item(f"{n} {words}", words * 2, severity=n % 4 + 1) for n in range(count)]
    message = compose(items, language="zh-hans", queue_url="https://cs.example.cn/alerts/")
    assert size(markdown(message, limit=limit)) <= limit
    assert size(plain_text(message, limit=limit)) <= limit


def test_bodies_stay_within_what_the_services_take():
    message = compose(make_items(45), language="zh-hans", queue_url="https://cs.example.cn/alerts/")
    wecom = wecom_robot.body(message)["markdown"]["content"]
    assert size(wecom) <= 4096
    assert "另有" in wecom
    ding = dingtalk.body(message)
    assert size(json.dumps(ding, ensure_ascii=False)) <= 20_000
    card = feishu.body(message, secret="s", now=NOW)
    assert size(json.dumps(card, ensure_ascii=False)) <= 20 * 1024
    assert card["timestamp"] == "1767225600"
    assert card["card"]["elements"][-1]["actions"][0]["url"] == "https://cs.example.cn/alerts/"


@pytest.mark.parametrize(
    "kind, secrets, field",
    [
        ("feishu", {}, "url"),
        ("feishu", {"url": "https://open.feishu.cn/elsewhere"}, "url"),
        ("feishu", {"url": "http://open.feishu.cn/open-apis/bot/v2/hook/abc"}, "url"),
        ("feishu", {"url": "file:///open-apis/bot/v2/hook/abc"}, "url"),
        ("dingtalk", {"url": "https://oapi.dingtalk.com/robot/send"}, "url"),
        ("wecom_robot", {"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?debug=1"}, "url"),
        ("webhook", {"url": "https://example.cn/hook", "sign": "whsec_c2hvcnQ="}, "sign"),
        ("webhook", {"url": "https://example.cn:99999/", "sign": ""}, "url"),
    ],
)
def test_an_address_that_cannot_work_is_refused(kind, secrets, field):
    assert field in KINDS[kind].clean({}, secrets)


def test_addresses_that_work():
    ok = {
        "feishu": {"url": "https://open.feishu.cn/open-apis/bot/v2/hook/0a1b"},
        "dingtalk": {"url": "https://oapi.dingtalk.com/robot/send?access_token=T"},
        "wecom_robot": {"url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=K"},
        "webhook": {"url": "http://10.0.0.5:8080/in", "sign": "whsec_" + "QUJD" * 8},
    }
    for kind, secrets in ok.items():
        assert KINDS[kind].clean({}, secrets) == {}, kind
    assert is_secret("whsec_" + "QUJD" * 8)
    mail = {
        "host": "mail.example.cn",
        "port": 465,
        "security": "tls",
        "sender": "耕云 <cs@example.cn>",
        "recipients": ["a@b.cn"],
    }
    assert KINDS["email"].clean(mail, {}) == {}
    assert set(
        KINDS["email"].clean(
            {"security": "none", "sender": "x", "recipients": ["y"]}, {"password": "p"}
        )
    ) == {"host", "port", "security", "sender", "recipients"}
