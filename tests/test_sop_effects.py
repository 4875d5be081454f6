"""What each kind of step leaves behind, and that asking again leaves nothing more."""

import pytest
from factories import make_contact, make_tiers, make_user
from test_sop_engine import MONDAY, day, lines, make_scored, make_sop

from gengyun.customers.models import Customer, CustomField, FieldValue, Stage
from gengyun.engagement.actions.survey_defaults import install_defaults as install_surveys
from gengyun.engagement.models import Activity, Channel, Delivery, Invitation, Touch
from gengyun.kernel.days import day_of
from gengyun.sop.calc.effects import perform
from gengyun.sop.models import Run, StepRun
from gengyun.sop.queries.forms import form_of
from gengyun.sop.queries.outcomes import outcomes_of
from gengyun.tasks.models import Task
from gengyun.web.present.sop_runs import became

pytestmark = pytest.mark.django_db
MESSAGE = {
    "key": "m", "kind": "message", "channel": "email", "category": "service", "mode": "draft",
    "to": "champion",
    "template": {"zh": {"subject": "你好", "body": "{{ contact.name }}，{{ customer.seats }} 个席位"},
                 "en": {"subject": "Hi", "body": "{{ contact.name }}"}},
}  # fmt: skip


def play(*steps):
    make_sop({"steps": list(steps)})
    day(MONDAY)
    return Run.objects.get()


def test_a_message_becomes_a_draft_with_its_facts(settings):
    settings.PUBLIC_ADDRESS = "https://cs.example.com"
    Channel.objects.create(
        name="mail", kind="email", serves="customers", created_at=MONDAY,
        config={"sender": "cs@example.com", "host": "mail.example.com", "port": 25},
    )  # fmt: skip
    customer = make_scored()
    Customer.objects.filter(pk=customer.pk).update(seats=12)
    make_contact(customer, part="user", email="u@example.com")
    contact = make_contact(customer, "周敏", part="champion", email="c@example.com")
    run = play(MESSAGE)
    touch = Touch.objects.get()
    assert touch.reason == ""
    assert (touch.contact, touch.state, touch.body) == (contact, "draft", "周敏，12 个席位")
    assert run.steps.get().ref == f"touch:{touch.pk}"


@pytest.mark.parametrize(
    "contact, seats, reason",
    [
        ({"email": "c@example.com"}, None, "missing_value"),
        ({"email": ""}, 12, "no_address"),
        (None, 12, "no_contact"),
    ],
)
def test_what_is_not_sent_says_why_and_the_run_goes_on(contact, seats, reason):
    customer = make_scored()
    Customer.objects.filter(pk=customer.pk).update(seats=seats)
    step = {**MESSAGE, "next": "n"}
    if contact:
        make_contact(customer, part="champion", **contact)
    else:  # a text that needs nobody's name
        step["template"] = {"zh": {"subject": "x", "body": "x"}}
    run = play(step, {"key": "n", "kind": "note", "text": "x"})
    assert lines(run) == [("m", "suppressed", reason), ("n", "done", "")]


def test_a_field_and_a_stage_are_set_and_read_at_the_next_look():
    make_tiers()
    field = CustomField.objects.create(key="seg", kind="text", created_at=MONDAY, updated_at=MONDAY)
    stage = Stage.objects.first() or Stage.objects.create(key="s", name_zh="s", name_en="s")
    customer = make_scored()
    run = play(
        {"key": "f", "kind": "set", "field": "custom.seg", "value": "vip", "next": "b"},
        {"key": "b", "kind": "branch", "otherwise": "bad", "cases": [
            {"when": {"field": "custom.seg", "op": "is", "value": "vip"}, "next": "s"}]},
        {"key": "s", "kind": "set", "field": "stage", "value": stage.pk},
        {"key": "bad", "kind": "note", "text": "x"},
    )  # fmt: skip
    assert FieldValue.objects.get(field=field).text == "vip"
    assert [line[0] for line in lines(run)] == ["f", "b", "s"]
    state = run.steps.get(step_key="s").state
    customer.refresh_from_db()
    assert (customer.stage_id == stage.pk) == (state == "done")


def test_a_field_that_refuses_fails_the_step_and_the_run_goes_on():
    CustomField.objects.create(key="n", kind="number", created_at=MONDAY, updated_at=MONDAY)
    make_scored()
    run = play(
        {"key": "f", "kind": "set", "field": "custom.n", "value": "many", "next": "g"},
        {"key": "g", "kind": "set", "field": "custom.gone", "value": "x", "next": "n"},
        {"key": "n", "kind": "note", "text": "x"},
    )
    assert lines(run) == [
        ("f", "failed", "value_unfit"), ("g", "failed", "field_gone"), ("n", "done", "")
    ]  # fmt: skip


def test_a_webhook_is_queued_once_with_keys_a_program_knows():
    Channel.objects.create(name="erp", kind="webhook", created_at=MONDAY)
    customer = make_scored()
    run = play({"key": "w", "kind": "webhook", "channel": "erp", "title": "t"})
    found = Delivery.objects.get()
    assert found.key == f"sop:{run.pk}:w:0"
    facts = dict(tuple(fact) for fact in found.item["facts"])
    assert (facts["run"], facts["step"]) == (str(run.pk), "w")
    assert facts.get("customer_id", "") == customer.external_id
    # the log of the run says what became of it, and conditions may ask
    line = run.steps.get()
    assert line.ref == f"delivery:{found.pk}"
    assert (became([line], today=day_of(MONDAY)), outcomes_of({line.ref})) == (
        {line.ref: "等待中"}, {},
    )  # fmt: skip
    Delivery.objects.update(state="failed", error_text="The service did not answer in time.")
    assert became([line], today=day_of(MONDAY))[line.ref].startswith("失败：")
    assert outcomes_of({line.ref}) == {line.ref: ["failed"]}


def test_a_task_about_a_contact_names_the_contact():
    contact = make_contact(make_scored(), part="champion")
    version = make_sop({
        "identity": "contact",
        "steps": [{"key": "t", "kind": "task", "title": "x", "next": "h"},
                  {"key": "h", "kind": "hand", "text": "y"}],
    })  # fmt: skip
    day(MONDAY)
    assert version.runs.get().contact == contact
    assert set(Task.objects.values_list("contact", flat=True)) == {contact.pk}


def test_a_survey_is_asked_of_one_contact_once_a_month():
    install_surveys(now=MONDAY)
    customer = make_scored()
    contact = make_contact(customer, part="champion", email="c@example.com")
    run = play({"key": "q", "kind": "survey", "survey": "nps", "to": "champion"})
    invitation = Invitation.objects.get()
    assert (invitation.contact, invitation.wave.key) == (contact, "rescue-2026-03")
    assert run.steps.get().ref == f"invitation:{invitation.pk}"


def test_hand_ends_the_run_with_a_task():
    make_scored(owner=make_user())
    run = play({"key": "h", "kind": "hand", "role": "csm", "text": "请接手", "next": None})
    assert (run.state, run.end_reason, Task.objects.get().body) == ("done", "handed", "请接手")


@pytest.mark.parametrize(
    "step, model",
    [
        ({"key": "t", "kind": "task", "title": "x"}, Task),
        ({"key": "n", "kind": "note", "text": "x"}, Activity),
        (MESSAGE, Touch),
        ({"key": "w", "kind": "webhook", "channel": "erp"}, Delivery),
    ],
)
def test_an_effect_that_is_asked_again_leaves_nothing_more(step, model):
    from gengyun.sop.actions.walking import _due

    Channel.objects.create(name="erp", kind="webhook", created_at=MONDAY)
    make_contact(make_scored(), part="champion", email="c@example.com")
    run = play(step)
    assert model.objects.count() == 1
    run.step_key, run.step_count = step["key"], 0
    form = form_of(run.version)
    due = _due(run, form, run.version, form.steps[step["key"]])
    again = perform(step["kind"], [due], MONDAY)
    assert model.objects.count() == 1
    assert again[0].ref == StepRun.objects.get().ref
    assert day_of(MONDAY) == run.entered_on
