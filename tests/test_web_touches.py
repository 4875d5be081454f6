"""Pages of messages to customers: ledger, drafts, opt-outs, settings, the link to unsubscribe."""

import pytest
from django.test import Client
from django.urls import reverse
from factories import NOW, make_contact, make_customer, make_user

from gengyun.engagement.actions import touches
from gengyun.engagement.actions.touch_sending import send_due
from gengyun.engagement.models import (
    Channel,
    Delivery,
    MailAddress,
    OptOut,
    Touch,
    TouchPolicy,
    TouchPreference,
)
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.models import CustomerSummary
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
State = Touch.State


@pytest.fixture(autouse=True)
def _address(settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"


@pytest.fixture
def alice():
    return make_user(name="Alice", language="en")


@pytest.fixture
def contact(alice):
    Channel.objects.create(name="mail", kind="email", serves="customers", created_at=NOW)
    Channel.objects.create(name="log", kind="nowhere", serves="customers", created_at=NOW)
    return make_contact(make_customer("晨曦科技", owner=alice), "林岚", email="lin@example.cn")


def ask(contact, key="k1", **values):
    defaults = {
        "customer": contact.customer, "contact": contact, "channel": "nowhere",
        "category": "education", "subject": "三个小技巧", "body": "正文第一段",
    }  # fmt: skip
    return touches.request(now=NOW, key=key, **(defaults | values))


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client


def test_the_ledger_shows_what_was_sent_and_what_not_and_why(contact, alice):
    ask(contact)
    send_due(now=NOW)
    ask(contact, "b", subject="第二封")
    ask(make_contact(contact.customer, "何先生"), "c", channel="email", subject="第三封")
    client = logged_in(alice)
    page = client.get("/touches/?tab=all").content.decode()
    for text in ("三个小技巧", "第二封", "第三封", "at most 1 in one day", "has no mail address"):
        assert text in page
    sent = client.get("/touches/?tab=sent").content.decode()
    assert "三个小技巧" in sent
    assert "第二封" not in sent
    held = client.get("/touches/?tab=not_sent&reason=no_address").content.decode()
    assert "第三封" in held
    assert "第二封" not in held
    assert "No message fits" in client.get("/touches/?q=nothing").content.decode()
    part = client.get("/touches/?tab=sent", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="ledger">')
    assert "<html" not in part


def test_the_ledger_costs_the_same_number_of_queries_at_one_row_and_at_three(
    contact, alice, django_assert_num_queries
):
    client = logged_in(alice)
    ask(contact)
    client.get("/touches/?tab=all")
    with django_assert_num_queries(7):
        client.get("/touches/?tab=all")
    for n in range(2):
        ask(make_contact(make_customer(owner=alice), email=f"{n}@example.cn"), f"n{n}")
    with django_assert_num_queries(7):
        client.get("/touches/?tab=all")


def test_the_customers_messages_as_a_page_of_their_own(contact, alice):
    ask(contact)
    refresh_summaries(now=NOW)
    CustomerSummary.objects.update(churn=0.31)
    page = logged_in(alice).get(f"/customers/{contact.customer_id}/touches/").content.decode()
    assert "三个小技巧" in page
    assert "31%" in page


def test_a_stranger_sees_and_changes_nothing(contact):
    touch = ask(contact, draft=True)
    bob, viewer = logged_in(make_user()), logged_in(make_user("viewer"))
    assert "三个小技巧" not in bob.get("/touches/?tab=all").content.decode()
    paths = [
        f"/touches/{touch.pk}/approve/",
        f"/customers/{contact.customer_id}/contacts/{contact.pk}/opt/out/",
        f"/customers/{contact.customer_id}/contacts/{contact.pk}/mail-works/",
        f"/customers/{contact.customer_id}/touches/prefer/",
    ]
    assert bob.get(f"/touches/{touch.pk}/").status_code == 404
    assert bob.get(f"/customers/{contact.customer_id}/touches/").status_code == 404
    for path in paths:
        assert bob.post(path, {"category": "all"}).status_code == 404, path
        assert viewer.post(path, {"category": "all"}).status_code == 403, path
        assert Client().post(path).status_code == 302, path
    assert viewer.get(f"/touches/{touch.pk}/").status_code == 200
    assert not OptOut.objects.exists()
    assert Touch.objects.get().state == State.DRAFT


def test_a_draft_is_changed_and_approved_on_its_page(contact, alice):
    touch = ask(contact, draft=True)
    client = logged_in(alice)
    page = client.get(f"/touches/{touch.pk}/").content.decode()
    assert f"/touches/{touch.pk}/approve/" in page
    assert "正文第一段" in page
    saved = {"subject": "新题", "body": "新的正文"}
    assert client.post(f"/touches/{touch.pk}/save/", saved).status_code == 302
    empty = client.post(f"/touches/{touch.pk}/approve/", {"subject": "", "body": ""})
    assert empty.status_code == 422
    assert "A message needs a subject and a text." in empty.content.decode()
    client.post(f"/touches/{touch.pk}/approve/", saved | {"subject": "终稿"})
    touch.refresh_from_db()
    assert (touch.state, touch.subject, touch.body) == (State.QUEUED, "终稿", "新的正文")
    assert client.post(f"/touches/{touch.pk}/approve/", saved).status_code == 409
    client.post(f"/touches/{touch.pk}/withdraw/")
    touch.refresh_from_db()
    assert touch.reason == "withdrawn"


def test_a_refused_draft_comes_back_by_undo(contact, alice):
    touch = ask(contact, draft=True)
    client = logged_in(alice)
    client.post(f"/touches/{touch.pk}/reject/")
    assert f"/touches/{touch.pk}/restore/" in client.get("/touches/").content.decode()
    client.post(f"/touches/{touch.pk}/restore/")
    touch.refresh_from_db()
    assert touch.state == State.DRAFT


def test_several_drafts_are_approved_at_once(contact, alice):
    other = make_contact(contact.customer, "何先生", email="he@example.cn")
    drafts = [ask(contact, "a", draft=True), ask(other, "b", draft=True)]
    client = logged_in(alice)
    assert client.post("/touches/bulk/", {}).status_code == 422
    client.post("/touches/bulk/", {"ids": [one.pk for one in drafts] + ["x", "9" * 30]})
    assert Touch.objects.filter(state=State.QUEUED).count() == 2
    assert "2 messages go out" in client.get("/touches/").content.decode()


def test_opt_outs_and_dead_addresses_on_the_customers_page(contact, alice):
    MailAddress.objects.filter(address="lin@example.cn").delete()
    MailAddress.objects.create(
        address="lin@example.cn", hard_bounced_at=NOW, said="550 no such user"
    )
    client, base = logged_in(alice), f"/customers/{contact.customer_id}"
    page = client.get(f"{base}/touches/").content.decode()
    assert "mail comes back" in page
    assert "550 no such user" in page
    client.post(f"{base}/contacts/{contact.pk}/mail-works/")
    assert "mail comes back" not in client.get(f"{base}/touches/").content.decode()
    client.post(f"{base}/contacts/{contact.pk}/opt/out/", {"category": "marketing"})
    page = client.get(f"{base}/touches/").content.decode()
    assert "no: Offers and news" in page
    part = client.post(
        f"{base}/contacts/{contact.pk}/opt/in/",
        {"category": "marketing"},
        headers={"HX-Request": "true"},
    ).content.decode()
    assert "no: Offers and news" not in part
    assert 'id="s-touches"' in part
    assert client.post(f"{base}/contacts/{contact.pk}/opt/out/", {}).status_code == 422
    assert client.post(f"{base}/contacts/{contact.pk}/opt/up/", {}).status_code == 404


def test_time_zone_and_language_are_set_for_one_and_for_all(contact, alice):
    client, path = logged_in(alice), f"/customers/{contact.customer_id}/touches/prefer/"
    client.post(path, {"time_zone": "Asia/Tokyo", "language": "en"})
    client.post(path, {"contact": contact.pk, "time_zone": "America/New_York", "language": ""})
    assert list(TouchPreference.objects.order_by("pk").values_list("time_zone", "language")) == [
        ("Asia/Tokyo", "en"),
        ("America/New_York", ""),
    ]
    assert client.post(path, {"time_zone": "Moon", "language": ""}).status_code == 422
    assert client.post(path, {"contact": "x"}).status_code == 404
    assert client.post(path, {"contact": "9" * 40}).status_code == 404


def test_caps_and_hours_are_set_by_operations(contact):
    client = logged_in(make_user("operations", language="en"))
    path = reverse("web:settings_touches")
    assert "in 30 days" in client.get(path).content.decode()
    form = {"quiet_from": "19:30", "quiet_to": "09:00", "cap_all_1": "2", "cap_survey_30": "0"}
    assert client.post(path, form).status_code == 303
    row = TouchPolicy.objects.get()
    assert row.caps == {"all": {"1": 2}, "service": {}, "campaign": {}, "survey": {"30": 0}}
    assert (row.working_days_only, f"{row.quiet_from:%H:%M}") == (False, "19:30")
    for wrong in (
        {"cap_all_1": "-1"}, {"cap_all_1": "NaN"}, {"cap_all_7": "9" * 12}, {"quiet_from": "25:00"},
        {"quiet_to": ""}, {"quiet_to": "\0"},
    ):  # fmt: skip
        answer = client.post(path, form | wrong)
        assert answer.status_code == 422, wrong
    assert TouchPolicy.objects.get().caps["all"] == {"1": 2}
    assert logged_in(make_user("csm")).get(path).status_code == 403
    leader = logged_in(make_user("leader"))
    assert leader.get(path).status_code == 200
    assert leader.post(path, form).status_code == 403


def test_opening_the_link_changes_nothing_and_a_click_does(contact):
    touch = ask(contact, language="en")
    client = Client(enforce_csrf_checks=True)
    page = client.get(f"/u/{touch.token}/")
    assert page.status_code == 200
    assert "Unsubscribe from: Training and tips?" in page.content.decode()
    assert not OptOut.objects.exists()
    done = client.post(f"/u/{touch.token}/", {"lang": "en"}).content.decode()
    assert "Done: no more of these: Training and tips." in done
    assert OptOut.objects.get().category == "education"
    zh = client.post(f"/u/{touch.token}/", {"category": "all", "lang": "zh-hans"})
    assert '<html lang="zh' in zh.content.decode()
    assert set(OptOut.objects.values_list("category", flat=True)) == {"education", "all"}
    client.post(f"/u/{touch.token}/", {"verb": "again"})
    assert not OptOut.objects.filter(ended_at__isnull=True).exists()


def test_one_click_of_a_mail_program(contact):
    """RFC 8058: a POST with this body and nothing else; no cookie, no login, 200."""
    touch = ask(contact)
    answer = Client(enforce_csrf_checks=True).post(
        f"/u/{touch.token}/",
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert OptOut.objects.get().source == "one_click"
    assert "sessionid" not in answer.cookies


@pytest.mark.parametrize("token", ["x", "0" * 32, "%00", "a" * 500])
def test_a_link_that_is_not_known(contact, token):
    assert Client().get(f"/u/{token}/").status_code == 404
    assert Client().post(f"/u/{token}/", {}).status_code == 404


def test_a_channel_to_customers_is_set_up(contact):
    client = logged_in(make_user("operations", language="en"))
    form = {
        "name": "outgoing", "host": "smtp.example.cn", "port": "465", "security": "tls",
        "sender": "cs@example.cn", "serves": "customers", "bounces": "bounce@example.cn",
        "per_minute": "600", "at_once": "2", "digest": "4", "digest_at": "09:00",
        "quiet_from": "21:00", "quiet_to": "08:30", "language": "zh-hans",
    }  # fmt: skip
    path = reverse("web:settings_channel_new")
    assert client.post(f"{path}?kind=email", form).status_code == 303
    channel = Channel.objects.get(name="outgoing")
    assert (channel.serves, channel.config["per_minute"]) == ("customers", 600)
    for wrong in ({"per_minute": "0"}, {"bounces": "x"}, {"customer": "nobody"}):
        assert client.post(f"{path}?kind=email", form | {"name": "n2"} | wrong).status_code == 422
    group = {
        **form, "name": "group", "url": "https://open.feishu.cn/open-apis/bot/v2/hook/x",
    }  # fmt: skip
    assert client.post(f"{path}?kind=feishu", group).status_code == 422
    named = group | {"customer": contact.customer.external_id}
    assert client.post(f"{path}?kind=feishu", named).status_code == 303
    assert Channel.objects.get(name="group").customer == contact.customer


@pytest.mark.parametrize(("verb", "state"), [("was_sent", "sent"), ("was_not_sent", "failed")])
def test_perhaps_sent_is_settled_on_its_page_and_taken_back(contact, alice, verb, state):
    touch = ask(contact)
    Touch.objects.filter(pk=touch.pk).update(state="unsure", sent_at=NOW, told={"text": "?"})
    Delivery.objects.update(state="unsure")
    client = logged_in(alice)
    path = f"/touches/{touch.pk}/"
    assert f"{path}{verb}/" in client.get(path).content.decode()
    assert client.post(f"{path}{verb}/").status_code == 302
    touch.refresh_from_db()
    # what did not leave counts in no cap: nothing stands as sent
    assert (touch.state, touch.sent_at) == (state, NOW if state == "sent" else None)
    assert Delivery.objects.get().state == state
    assert AuditEntry.objects.get(action="touch.settle").actor == alice
    page = client.get(path)
    assert alice.name in page.content.decode()
    assert client.post(f"{path}{verb}/").status_code == 409
    client.post(f"{path}unsettle/")
    touch.refresh_from_db()
    assert (touch.state, touch.sent_at, touch.told) == ("unsure", NOW, {"text": "?"})
    assert client.post(f"{path}unsettle/").status_code == 409


def test_who_may_not_write_settles_nothing(contact):
    touch = ask(contact)
    Touch.objects.filter(pk=touch.pk).update(state="unsure")
    for role, status in (("viewer", 403), ("csm", 404)):
        answer = logged_in(make_user(role)).post(f"/touches/{touch.pk}/was_sent/")
        assert answer.status_code == status
    touch.refresh_from_db()
    assert touch.state == "unsure"


def test_drafts_that_wait_are_told_in_the_morning_to_who_may_send_them(contact, alice):
    ask(contact, draft=True)
    ask(contact, "b", draft=True)
    said = "2 drafted messages are yours to edit and send"
    assert said in logged_in(alice).get("/").content.decode()
    other = make_user(name="Bob", language="en")
    assert "yours to edit" not in logged_in(other).get("/").content.decode()
    viewer = make_user("viewer", language="en")
    assert "yours to edit" not in logged_in(viewer).get("/").content.decode()
