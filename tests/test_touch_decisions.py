"""Drafts, opt-outs, bounces and settings: success, and each refusal leaves everything as it was."""

from datetime import UTC, datetime, time, timedelta

import pytest
from factories import NOW, make_contact, make_customer, make_user

from gengyun.engagement.actions import bounces, opt_outs, touch_decisions, touch_settings, touches
from gengyun.engagement.actions.touch_sending import send_due
from gengyun.engagement.models import Channel, Delivery, MailAddress, OptOut, Touch, TouchPolicy
from gengyun.engagement.queries.reach import policy
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
State = Touch.State


@pytest.fixture(autouse=True)
def _address(settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"


@pytest.fixture
def alice():
    return make_user(name="Alice")


@pytest.fixture
def contact(alice):
    Channel.objects.create(name="mail", kind="email", serves="customers", created_at=NOW)
    Channel.objects.create(name="log", kind="nowhere", serves="customers", created_at=NOW)
    return make_contact(make_customer(owner=alice), email="lin@example.cn")


def ask(contact, key="k1", *, now=NOW, **values):
    defaults = {
        "customer": contact.customer, "contact": contact, "channel": "nowhere",
        "category": "education", "subject": "你好", "body": "正文",
    }  # fmt: skip
    return touches.request(now=now, key=key, **(defaults | values))


def test_a_draft_is_changed_approved_and_goes(contact, alice):
    draft = ask(contact, draft=True)
    touch = touch_decisions.approve(
        actor=alice, now=NOW, touch=draft, subject="您好", body="另一段正文"
    )
    assert (touch.state, touch.decided_by, touch.asked_by) == (State.QUEUED, alice, None)
    assert send_due(now=NOW)["sent"] == 1
    touch.refresh_from_db()
    assert (touch.subject, touch.body, touch.state) == ("您好", "另一段正文", State.SENT)
    assert AuditEntry.objects.get(action="touch.approve").actor == alice
    with pytest.raises(touch_decisions.NotADraft):
        touch_decisions.approve(actor=alice, now=NOW, touch=draft)


def test_an_approved_draft_still_keeps_the_caps(contact, alice):
    drafts = [ask(contact, key, draft=True) for key in "abc"]
    found = touch_decisions.approve_many(
        actor=alice, now=NOW, touch_ids=[one.pk for one in drafts] + [10**9]
    )
    assert [one.state for one in found] == [State.QUEUED, State.SUPPRESSED, State.SUPPRESSED]
    assert Delivery.objects.count() == 1


def test_a_refused_draft_can_come_back(contact, alice):
    draft = ask(contact, draft=True)
    touch = touch_decisions.reject(actor=alice, now=NOW, touch=draft)
    assert (touch.state, touch.reason) == (State.SUPPRESSED, "rejected")
    assert touch_decisions.restore(actor=alice, now=NOW, touch=touch).state == State.DRAFT
    sent = ask(contact, "b")
    with pytest.raises(touch_decisions.NotADraft):
        touch_decisions.restore(actor=alice, now=NOW, touch=sent)


def test_a_draft_without_text_is_refused(contact, alice):
    draft = ask(contact, draft=True)
    for subject, body in (("", "x"), ("x", " ")):
        with pytest.raises(touch_decisions.TextEmpty):
            touch_decisions.approve(actor=alice, now=NOW, touch=draft, subject=subject, body=body)
    draft.refresh_from_db()
    assert (draft.state, draft.subject) == (State.DRAFT, "你好")


def test_a_plan_is_taken_back_until_it_is_on_its_way(contact, alice):
    night = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
    touch = ask(contact, now=night)
    back = touch_decisions.withdraw(actor=alice, now=night, touch=touch)
    assert (back.state, back.reason) == (State.SUPPRESSED, "withdrawn")
    assert send_due(now=night + timedelta(days=1))["sent"] == 0
    # it does not count any more
    second = ask(contact, "b", now=night)
    assert second.state == State.QUEUED
    Delivery.objects.filter(about=f"touch:{second.token}").update(state="posting")
    with pytest.raises(touch_decisions.NotPlanned):
        touch_decisions.withdraw(actor=alice, now=night, touch=second)
    second.refresh_from_db()
    assert second.state == State.QUEUED


def test_strangers_find_nothing_and_viewers_may_do_nothing(contact, alice):
    draft, planned = ask(contact, draft=True), ask(contact, "b")
    stranger, viewer = make_user(), make_user(role="viewer")
    for verb in (touch_decisions.approve, touch_decisions.reject):
        with pytest.raises(NotFound):
            verb(actor=stranger, now=NOW, touch=draft)
        with pytest.raises(NotAllowed):
            verb(actor=viewer, now=NOW, touch=draft)
    with pytest.raises(NotFound):
        touch_decisions.withdraw(actor=stranger, now=NOW, touch=planned)
    assert touch_decisions.approve_many(actor=stranger, now=NOW, touch_ids=[draft.pk]) == []
    with pytest.raises(NotFound):
        opt_outs.opt_out(actor=stranger, now=NOW, contact=contact, category="all")
    with pytest.raises(NotAllowed):
        touch_settings.edit_policy(
            actor=alice, now=NOW, caps={}, quiet_from=time(0), quiet_to=time(0),
            working_days_only=False,
        )  # fmt: skip
    assert Touch.objects.filter(state=State.DRAFT).count() == 1


def test_the_link_ends_the_category_and_twice_is_once(contact):
    touch = ask(contact)
    first = opt_outs.unsubscribe(now=NOW, token=touch.token, source="one_click")
    assert opt_outs.unsubscribe(now=NOW, token=touch.token).pk == first.pk
    assert (first.category, first.address, first.source) == (
        "education", "lin@example.cn", "one_click",
    )  # fmt: skip
    # what was planned before is stopped, too
    assert send_due(now=NOW)["suppressed"] == 1
    assert ask(contact, "b").reason == "opted_out"
    assert ask(contact, "c", category="service").state == State.QUEUED
    opt_outs.unsubscribe(now=NOW, token=touch.token, category="all")
    assert ask(contact, "d", category="survey", now=NOW + timedelta(days=9)).reason == "opted_out"
    assert opt_outs.subscribe_again(now=NOW, token=touch.token) == 2
    assert ask(contact, "e", now=NOW + timedelta(days=9)).state == State.QUEUED


def test_a_link_that_is_not_known_or_a_kind_that_is_none_changes_nothing(contact):
    touch = ask(contact)
    for token in ("", "0" * 32, touch.token[:31]):
        with pytest.raises(opt_outs.LinkUnknown):
            opt_outs.unsubscribe(now=NOW, token=token)
    with pytest.raises(opt_outs.OptOutUnknown):
        opt_outs.unsubscribe(now=NOW, token=touch.token, category="spam")
    asked_for = ask(contact, "b", budget_class="operational")
    with pytest.raises(opt_outs.LinkUnknown):
        opt_outs.unsubscribe(now=NOW, token=asked_for.token)
    assert not OptOut.objects.exists()


def test_a_colleague_notes_and_ends_an_opt_out(contact, alice):
    opt_outs.opt_out(actor=alice, now=NOW, contact=contact, category="marketing")
    twin = make_contact(make_customer(), email="lin@example.cn")
    assert ask(twin, category="marketing").reason == "opted_out"
    assert opt_outs.opt_in(actor=alice, now=NOW, contact=contact, category="marketing") == 1
    assert ask(twin, "b", category="marketing").state == State.QUEUED
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "contact.opt_out", "contact.opt_in",
    }  # fmt: skip


DSN = """From: MAILER-DAEMON@mx.example.cn
To: <bounce+{token}@mail.example.cn>
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system. Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.cn

Final-Recipient: rfc822; lin@example.cn
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} no such user

--b
Content-Type: message/rfc822

Message-ID: <{inner}@mail.example.cn>
Subject: x

x
--b--
"""

ARF = """From: fbl@provider.example
To: abuse@mail.example.cn
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

An email abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SomeGenerator/1.0
Version: 1

--b
Content-Type: message/rfc822

Message-ID: <{inner}@mail.example.cn>
List-Unsubscribe: <https://cs.example.cn/u/{inner}/>
Subject: x

x
--b--
"""


def report(token, *, action="failed", status="5.1.1", inner=""):
    return DSN.format(token=token, action=action, status=status, inner=inner or token).encode()


@pytest.fixture
def sent(contact):
    touch = ask(contact, channel="nowhere")
    send_due(now=NOW)
    Touch.objects.update(recipient="lin@example.cn", channel_kind="email")
    touch.refresh_from_db()
    return touch


def test_a_hard_bounce_ends_the_address_once(sent, contact, alice):
    for _ in range(2):
        bounce, touch = bounces.take_bounce(now=NOW, raw=report(sent.token))
    assert (bounce.kind, touch.pk) == ("hard", sent.pk)
    sent.refresh_from_db()
    assert (sent.state, sent.bounced_at) == (State.BOUNCED, NOW)
    later = NOW + timedelta(days=2)
    assert ask(contact, "b", channel="email", now=later).reason == "bounced"
    bounces.clear_address(actor=alice, now=later, contact=contact)
    assert ask(contact, "c", channel="email", now=later + timedelta(days=9)).state == State.QUEUED


def test_a_message_found_only_by_what_is_returned(sent):
    raw = report("x" * 10, inner=sent.token)
    assert bounces.take_bounce(now=NOW, raw=raw)[1].pk == sent.pk


def test_soft_bounces_and_delays(sent):
    assert bounces.take_bounce(now=NOW, raw=report(sent.token, action="delayed")) is None
    bounces.take_bounce(now=NOW, raw=report(sent.token, status="4.2.2"))
    row = MailAddress.objects.get(address="lin@example.cn")
    assert (row.hard_bounced_at, len(row.soft_bounces)) == (None, 1)


def test_a_complaint_ends_everything(sent, contact):
    bounces.take_bounce(now=NOW, raw=ARF.format(inner=sent.token).encode())
    assert OptOut.objects.get().category == "all"
    assert ask(contact, "b", category="service", now=NOW + timedelta(days=9)).reason == "opted_out"
    # not for the reader's own link to take back by mistake
    assert opt_outs.subscribe_again(now=NOW, token=sent.token) == 0


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff\xfe\x00", b"Subject: Out of office\n\nI am away until Monday.",
     report("0" * 32), report("none", inner="none"),
     b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"],
)  # fmt: skip
def test_anything_else_changes_nothing(sent, raw):
    assert bounces.take_bounce(now=NOW, raw=raw) is None
    assert not MailAddress.objects.filter(hard_bounced_at__isnull=False).exists()


def test_nobody_blocks_an_address_with_a_report_of_what_was_never_sent(contact):
    planned = ask(contact)
    assert bounces.take_bounce(now=NOW, raw=report(planned.token)) is None


def test_the_policy_is_kept_with_its_history(contact):
    operations = make_user(role="operations")
    caps = {"all": {"1": 2, "7": None, "30": 20}, "survey": {"30": 0}}
    touch_settings.edit_policy(
        actor=operations, now=NOW, caps=caps, quiet_from=time(19), quiet_to=time(10),
        working_days_only=False,
    )  # fmt: skip
    row = policy()
    assert row.caps["all"] == {"1": 2, "30": 20}
    assert row.caps["service"] == {}
    assert AuditEntry.objects.get(action="touch_policy.edit").changes["quiet_from"] == [
        "20:00:00", "19:00:00",
    ]  # fmt: skip
    with pytest.raises(touch_settings.PolicyInvalid) as refused:
        touch_settings.edit_policy(
            actor=operations, now=NOW, caps={"all": {"1": 101}}, quiet_from=time(0),
            quiet_to=time(0), working_days_only=False,
        )  # fmt: skip
    assert list(refused.value.errors) == ["cap_all_1"]
    assert TouchPolicy.objects.count() == 1


def test_time_zone_and_language_of_a_contact(contact, alice):
    kwargs = {"actor": alice, "now": NOW, "customer": contact.customer}
    touch_settings.set_preference(
        **kwargs, contact=contact, time_zone="America/New_York", language="en"
    )
    assert ask(contact).due_at == datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
    for zone, language, refused in (
        ("Mars/Base", "", touch_settings.TimeZoneUnknown),
        ("../../etc/passwd", "", touch_settings.TimeZoneUnknown),
        ("", "fr", touch_settings.LanguageUnknown),
    ):
        with pytest.raises(refused):
            touch_settings.set_preference(
                **kwargs, contact=contact, time_zone=zone, language=language
            )
    other = make_contact(make_customer())
    with pytest.raises(NotFound):
        touch_settings.set_preference(**kwargs, contact=other, time_zone="", language="")
