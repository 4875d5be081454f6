"""Complete messages that wait for a yes: who may say it, a no with its reason, no answer in time."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from factories import NOW, make_contact, make_customer, make_user
from test_sop_engine import MONDAY, lines, make_scored, make_sop

from gengyun.engagement.actions import touch_approvals, touch_decisions, touches
from gengyun.engagement.actions.touch_sending import send_due
from gengyun.engagement.models import Channel, Delivery, Touch
from gengyun.engagement.queries.touches import awaiting
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.sop.actions.evaluate import evaluate
from gengyun.sop.actions.step import run_due
from gengyun.sop.calc.check import check
from gengyun.sop.models import Run
from gengyun.sop.queries.known import known
from gengyun.team.models import AuditEntry, Role, Team
from gengyun.web.present import sop_runs

pytestmark = pytest.mark.django_db
State = Touch.State


@pytest.fixture(autouse=True)
def _address(settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.cn"


@pytest.fixture
def team():
    return Team.objects.create(name="East")


@pytest.fixture
def csm(team):
    return make_user(name="Alice", team=team, language="en")


@pytest.fixture
def leader(team):
    return make_user(name="Bob", role=Role.LEADER, team=team, language="en")


@pytest.fixture
def contact(csm):
    Channel.objects.create(name="log", kind="nowhere", serves="customers", created_at=NOW)
    return make_contact(make_customer(owner=csm), email="lin@example.cn")


def ask(contact, key="k1", approver="leader", days=7, **values):
    defaults = {
        "customer": contact.customer, "contact": contact, "channel": "nowhere",
        "category": "education", "subject": "你好", "body": "正文", "approver": approver,
        "answer_by": NOW + timedelta(days=days),
    }  # fmt: skip
    wanted = touches.TouchRequest(key=key, **(defaults | values))
    return touches.request_many(now=NOW, requests=[wanted])[key]


def test_the_named_role_says_yes_and_it_goes_by_itself(contact, csm, leader):
    touch = ask(contact)
    assert touch.state == State.APPROVAL
    assert send_due(now=NOW)["sent"] == 0
    assert (list(awaiting(csm, NOW)), list(awaiting(leader, NOW))) == ([], [touch])
    with pytest.raises(touch_approvals.NotYoursToDecide):
        touch_approvals.approve(actor=csm, now=NOW, touch=touch)
    with pytest.raises(touch_decisions.NotADraft):
        touch_decisions.approve(actor=csm, now=NOW, touch=touch, body="another")
    viewer = make_user(role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        touch_approvals.approve(actor=viewer, now=NOW, touch=touch)
    stranger = make_user(name="Eve", role=Role.LEADER)
    with pytest.raises(NotFound):
        touch_approvals.approve(actor=stranger, now=NOW, touch=touch)
    touch_approvals.approve(actor=leader, now=NOW, touch=touch)
    assert send_due(now=NOW)["sent"] == 1
    touch.refresh_from_db()
    assert (touch.state, touch.decided_by, touch.body) == (State.SENT, leader, "正文")
    assert AuditEntry.objects.get(action="touch.approve").actor == leader
    with pytest.raises(touch_approvals.NotWaiting):
        touch_approvals.refuse(actor=leader, now=NOW, touch=touch, why="late")


def test_after_the_yes_quiet_hours_and_caps_hold(contact, leader):
    first, second = ask(contact, "a"), ask(contact, "b")
    night = NOW.replace(hour=15)  # 23:00 in Shanghai
    found = touch_approvals.approve_many(
        actor=leader, now=night, touch_ids=[first.pk, second.pk, 999]
    )
    assert [row.state for row in found] == [State.QUEUED, State.SUPPRESSED]
    assert (found[0].due_at > night, found[1].reason) == (True, "cap_1d")
    assert Delivery.objects.count() == 1


def test_a_no_needs_a_reason_and_can_be_taken_back(contact, leader):
    touch = ask(contact)
    with pytest.raises(touch_approvals.WhyMissing):
        touch_approvals.refuse(actor=leader, now=NOW, touch=touch, why="  ")
    touch_approvals.refuse(actor=leader, now=NOW, touch=touch, why="他们 刚投诉过")
    touch.refresh_from_db()
    assert (touch.state, touch.reason) == (State.SUPPRESSED, "refused")
    assert touch.told == {"by": "Bob", "why": "他们 刚投诉过"}
    touch_approvals.ask_again(actor=leader, now=NOW, touch=touch)
    assert touch_approvals.approve(actor=leader, now=NOW, touch=touch).state == State.QUEUED


def test_nobody_answers_in_time(contact, csm):
    touch, other = ask(contact, "a", "csm", 1), ask(contact, "b", "csm", 3)
    assert set(awaiting(csm, NOW)) == {touch, other}
    late = NOW + timedelta(days=1)
    with pytest.raises(touch_approvals.NotWaiting):
        touch_approvals.approve(actor=csm, now=late, touch=touch)
    send_due(now=late)
    touch.refresh_from_db()
    assert (touch.state, touch.reason, touch.told["approver"]) == (
        "suppressed",
        "unanswered",
        "csm",
    )
    assert list(awaiting(csm, late)) == [other]


MAIL = {
    "key": "mail", "kind": "message", "channel": "email", "category": "service", "to": "any",
    "template": {"zh": {"subject": "您好", "body": "{{ customer.name }} 本周聊聊？"}}, "next": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "state"), [("draft", "draft"), ("approve", "approval"), ("send", "queued")]
)
def test_the_modes_of_a_message_step(csm, leader, mode, state):
    Channel.objects.create(name="mail", kind="email", serves="customers", created_at=NOW)
    make_sop({"steps": [{**MAIL, "mode": mode, "approver": "leader", "answer_days": 2}]})
    customer = make_scored(40.0, owner=csm)
    make_contact(customer, email="lin@example.cn")
    evaluate(now=MONDAY, day=day_of(MONDAY))
    run_due(now=MONDAY)
    run, touch = Run.objects.get(), Touch.objects.get()
    assert (lines(run), touch.state) == ([("mail", "done", state)], state)
    assert touch.approver == ("leader" if mode == "approve" else "")
    if mode == "approve":
        assert touch.answer_by == MONDAY + timedelta(days=2)
        ref = run.steps.get()
        with translation.override("en"):
            said = sop_runs.became([ref], today=day_of(MONDAY))[ref.ref]
        assert said.startswith("awaits approval (a leader, until ")
        touch_approvals.refuse(actor=leader, now=MONDAY, touch=touch, why="not now")
        with translation.override("en"):
            said = sop_runs.became([ref], today=day_of(MONDAY))[ref.ref]
        assert said == "Not sent: refused (by Bob: not now)"
        client = Client()
        client.force_login(leader)
        for which in ("", "?which=suppressed"):
            page = client.get(reverse("web:sop_log", args=[run.sop_id]) + which).content.decode()
            assert "refused (by Bob: not now)" in page
        other = client.get(reverse("web:sop_log", args=[run.sop_id]) + "?which=failed")
        assert "refused" not in other.content.decode()


@pytest.mark.parametrize(("ended", "state"), [("exited", "suppressed"), ("done", "queued")])
def test_a_yes_comes_too_late_for_a_customer_who_left_the_sop(csm, leader, ended, state):
    Channel.objects.create(name="mail", kind="email", serves="customers", created_at=NOW)
    make_sop({"steps": [{**MAIL, "mode": "approve", "approver": "leader", "answer_days": 2}]})
    make_contact(make_scored(40.0, owner=csm), email="lin@example.cn")
    evaluate(now=MONDAY, day=day_of(MONDAY))
    run_due(now=MONDAY)
    Run.objects.update(state=ended, ended_at=MONDAY)
    row = touch_approvals.approve(actor=leader, now=MONDAY, touch=Touch.objects.get())
    assert (row.state, row.reason) == (state, "asker_ended" if state == "suppressed" else "")
    assert Delivery.objects.count() == (state == "queued")
    assert AuditEntry.objects.get(action="touch.approve").object_id == str(row.pk)


def test_a_step_that_asks_nobody_or_for_ever_is_refused():
    form = {"entry": {"kind": "hand"}, "steps": [
        {**MAIL, "mode": "approve", "approver": "viewer", "answer_days": 61}]}  # fmt: skip
    problems = check(form, known())
    assert {one.path for one in problems} >= {"steps.mail.approver", "steps.mail.answer_days"}


def test_pages_of_a_yes(contact, csm, leader):
    touch = ask(contact, answer_by=utc_now() + timedelta(days=2))
    address = reverse("web:touch", args=[touch.pk])
    client = Client()
    client.force_login(csm)
    page = client.get(address).content.decode()
    assert "It goes out once a leader approves" in page
    assert "Approve and send" not in page
    yes = reverse("web:touch_act", args=[touch.pk, "yes"])
    assert client.post(yes).status_code == 403
    client.force_login(leader)
    assert "1 message awaits your approval" in client.get("/").content.decode()
    page = client.get(reverse("web:touches")).content.decode()
    assert "a leader, until" in page
    assert "Approve selected" in page
    assert "Approve and send" in client.get(address).content.decode()
    refuse = reverse("web:touch_act", args=[touch.pk, "refuse"])
    refused = client.post(refuse, {"why": ""})
    assert (refused.status_code, "Say why" in refused.content.decode()) == (422, True)
    assert client.post(refuse, {"why": "not now"}).status_code == 302
    assert "Refused by Bob: not now" in client.get(address).content.decode()
    assert client.post(reverse("web:touch_act", args=[touch.pk, "ask_again"])).status_code == 302
    bulk = reverse("web:touches_bulk")
    assert client.post(bulk, {"verb": "yes", "ids": [touch.pk, "x"]}).status_code == 302
    touch.refresh_from_db()
    assert touch.state == State.QUEUED
