"""The ready SOPs: they can be published as they are, in both languages, and they run."""

from datetime import timedelta

import pytest
from factories import NOW, make_contact, make_customer, make_user

from gengyun.alerts.actions import defaults as alert_defaults
from gengyun.customers.actions import defaults as customer_defaults
from gengyun.engagement.actions import answering, surveys
from gengyun.engagement.models import Survey
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.sop.actions.drafts import publish
from gengyun.sop.actions.events import note_domain
from gengyun.sop.actions.library import copy_ready
from gengyun.sop.actions.turn import turn_all
from gengyun.sop.calc.check import check
from gengyun.sop.calc.form import read
from gengyun.sop.models import Run, Sop, StepRun
from gengyun.sop.queries.known import known
from gengyun.sop.queries.library import library, ready
from gengyun.tasks.models import Task
from gengyun.usage.actions import defaults as usage_defaults

WANTED = {
    "handover", "first_week", "activation_slow", "usage_drop", "renewal_90", "decider_changed",
    "nps_detractor", "feature_launch", "train_trainer", "monthly_review",
}  # fmt: skip
WITHOUT_EFFECT = {"wait", "branch"}


def texts_of(value, path=""):
    """Every pair of languages in a form, with its place."""
    if isinstance(value, dict):
        if set(value) == {"zh", "en"}:
            yield path, value
            if isinstance(value["zh"], str):
                return
        for key, part in value.items():
            yield from texts_of(part, f"{path}.{key}")
    elif isinstance(value, list):
        for n, part in enumerate(value):
            yield from texts_of(part, f"{path}.{n}")


def test_ten_situations_for_every_touch_model():
    assert {one.key for one in library()} == WANTED
    assert {one.touch_model for one in library()} == {"tech", "low", "high"}
    with pytest.raises(NotFound):
        ready("nothing")


@pytest.mark.parametrize("one", library(), ids=lambda one: one.key)
def test_every_step_says_what_it_works_on_in_both_languages(one):
    form, problems = read(one.form)
    assert problems == []
    assert all(one.name.values())
    assert all(one.about.values())
    assert one.name["zh"] != one.name["en"]
    for step in form.steps.values():
        assert step.title["zh"] != step.title["en"], step.key
        assert bool(step.bmat) is (step.kind not in WITHOUT_EFFECT), step.key
    for place, pair in texts_of(one.own_form()):
        if isinstance(pair["zh"], str):
            assert pair["zh"].strip(), place
            assert pair["en"].strip(), place
            assert not any("\u4e00" <= sign <= "\u9fff" for sign in _without_words(pair["en"])), (
                place
            )
            assert any("\u4e00" <= sign <= "\u9fff" for sign in pair["zh"]), place


def _without_words(text):
    """Variables of a letter, taken out."""
    import re

    return re.sub(r"\{\{.*?\}\}", "", text)


def test_library_is_not_changed_by_who_uses_it():
    first = ready("usage_drop").own_form()
    first["steps"].clear()
    assert ready("usage_drop").own_form()["steps"]
    assert ready("usage_drop").bmat() == ["m", "a"]


def test_usage_drop_is_the_journey_that_people_ask_for():
    form, _ = read(ready("usage_drop").form)
    kinds = [form.steps[form.first].kind]
    step = form.steps[form.first]
    while step.next:
        step = form.steps[step.next]
        kinds.append(step.kind)
    assert kinds == ["task", "wait", "branch"]
    assert form.steps["wait_week"].wait.working_days == 5
    assert form.steps[step.cases[0].next].kind == form.steps[step.otherwise].kind == "message"


@pytest.fixture
def deployment(db):
    customer_defaults.install_defaults(now=NOW)
    usage_defaults.install_defaults(now=NOW)
    alert_defaults.install_defaults(now=NOW)
    return make_user("operations")


@pytest.mark.parametrize("key", sorted(WANTED))
def test_copy_can_be_published_as_it_is(deployment, key):
    sop = copy_ready(actor=deployment, now=NOW, key=key)
    assert (sop.state, sop.library_key) == (Sop.State.DRAFT, key)
    assert sop.name == ready(key).name["zh"]
    assert check(sop.versions.get().form, known()) == []
    version = publish(actor=deployment, now=NOW, sop=sop)
    assert version.number == 1
    sop.refresh_from_db()
    assert sop.state == Sop.State.LIVE
    # twice: an SOP of its own
    again = copy_ready(actor=deployment, now=NOW, key=key, name="我的", language="en")
    assert again.pk != sop.pk
    assert again.name == "我的"


def test_library_is_copied_by_who_may_write_sops(deployment):
    for role in ("csm", "viewer"):
        with pytest.raises(NotAllowed):
            copy_ready(actor=make_user(role), now=NOW, key="handover")
    with pytest.raises(NotFound):
        copy_ready(actor=deployment, now=NOW, key="nothing")
    assert not Sop.objects.exists()


def test_low_answer_starts_the_detractor_sop_and_its_time_limit_calls_the_leader(deployment):
    from gengyun.portfolio.actions.summaries import refresh_summaries

    sop = copy_ready(actor=deployment, now=NOW, key="nps_detractor")
    publish(actor=deployment, now=NOW, sop=sop)
    owner = make_user("csm")
    contact = make_contact(make_customer(owner=owner, started_on=NOW.date()), "李先生")
    refresh_summaries(now=NOW)
    invitation = surveys.invite(
        now=NOW, survey=Survey.objects.get(key="nps"), wave_key="w", contact=contact
    )
    answer = answering.give_score(now=NOW, invitation=invitation, text="2")
    payload = {
        "customer_ids": [contact.customer_id], "survey": "nps", "kind": "nps",
        "contact_id": contact.pk, "score": answer.score,
    }  # fmt: skip
    for _twice in range(2):  # an event may be delivered twice
        note_domain("survey.answered", payload, NOW)
    later = NOW + timedelta(minutes=1)
    turn_all(now=later, worker="w")
    run = Run.objects.get(sop=sop)
    assert (run.customer_id, run.arm) == (contact.customer_id, Run.Arm.TREAT)
    task = Task.objects.get()
    assert task.owner_id == owner.pk
    assert task.title == "48 小时内打电话给打低分的人"
    assert (task.due_on - NOW.date()).days == 2
    # nobody calls: after three days the leader is asked
    turn_all(now=later + timedelta(days=3, hours=1), worker="w")
    assert list(StepRun.objects.order_by("pk").values_list("step_key", flat=True))[-1] != "call"
    assert Task.objects.filter(title__startswith="三天没联系上").count() == 1
    # a good answer starts nothing
    note_domain("survey.answered", payload | {"score": 9, "contact_id": 0}, later)
    turn_all(now=later, worker="w")
    assert Run.objects.count() == 1
