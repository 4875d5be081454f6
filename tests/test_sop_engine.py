"""The engine end to end: who enters, what each step does, exactly once."""

from datetime import UTC, datetime, timedelta

import pytest
from factories import make_contact, make_customer, make_user

from gengyun.kernel.days import day_of
from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.actions.evaluate import evaluate
from gengyun.sop.actions.step import run_due
from gengyun.sop.calc.check import check
from gengyun.sop.models import Decision, Run, Sop, SopVersion, StepRun
from gengyun.tasks.models import Task

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)  # 10:00 in Shanghai
LOW = {"field": "score", "op": "lt", "value": 50}


def make_sop(form, key="rescue", state=Sop.State.LIVE, **values):
    base = {
        "entry": {"kind": "condition", "when": LOW}, "identity": "customer",
        "reentry": {"kind": "never"}, "on_lost": "stay", "holdout": 0, "steps": [],
    }  # fmt: skip
    sop, _ = Sop.objects.get_or_create(
        key=key,
        defaults={"name": key, "state": state, "created_at": MONDAY, "changed_at": MONDAY},
    )
    return SopVersion.objects.create(
        sop=sop, number=sop.versions.count() + 1, state=SopVersion.State.PUBLISHED,
        form={**base, **form}, created_at=MONDAY, changed_at=MONDAY, published_at=MONDAY, **values,
    )  # fmt: skip


def make_scored(score=40.0, name=None, **values):
    owner = values.pop("owner", None)
    customer = make_customer(name, owner=owner)
    CustomerSummary.objects.create(
        customer=customer, name=customer.name, score=score, owner=owner, updated_at=MONDAY, **values
    )
    return customer


def set_score(customer, score):
    CustomerSummary.objects.filter(pk=customer.pk).update(score=score)


def day(now):
    """A day's judgement, then everything that is due."""
    evaluate(now=now, day=day_of(now))
    return run_due(now=now)


def lines(run):
    return [(one.step_key, one.state, one.reason) for one in run.steps.order_by("ordinal")]


CALL = {"key": "call", "kind": "task", "title": {"zh": "回访", "en": "Call {{ customer.name }}"},
        "role": "csm", "due_working_days": 2, "next": "wait"}  # fmt: skip
JOURNEY = {
    "steps": [
        CALL,
        {"key": "wait", "kind": "wait", "working_days": 5, "next": "still"},
        {"key": "still", "kind": "branch", "cases": [{"when": LOW, "next": "worse"}],
         "otherwise": "thank"},
        {"key": "worse", "kind": "note", "text": "仍然偏低"},
        {"key": "thank", "kind": "note", "text": {"zh": "谢谢", "en": "Thanks"}},
    ],
    "first": "call",
}  # fmt: skip


def test_a_run_goes_from_entry_to_end_with_a_task_a_wait_and_a_branch():
    make_sop(JOURNEY)
    owner = make_user()
    low, high = make_scored(40.0, owner=owner), make_scored(80.0)
    day(MONDAY)
    run = Run.objects.get()
    assert (run.customer_id, run.state, run.step_key) == (low.pk, "waiting", "wait")
    # five working days from Monday: the same hour of the next Monday
    assert run.due_at == MONDAY + timedelta(days=7)
    task = Task.objects.get()
    assert (task.title, task.owner, task.customer) == ("回访", owner, low)
    assert run_due(now=MONDAY + timedelta(days=7, seconds=-1)) == {}
    set_score(low, 70.0)
    run_due(now=MONDAY + timedelta(days=7))
    run.refresh_from_db()
    assert (run.state, run.end_reason, run.due_at) == ("done", "end", None)
    assert lines(run) == [
        ("call", "done", ""), ("wait", "done", "time"), ("still", "done", "otherwise"),
        ("thank", "done", ""),
    ]  # fmt: skip
    assert not Run.objects.filter(customer=high).exists()


def test_the_same_day_twice_changes_nothing():
    make_sop(JOURNEY)
    make_scored()
    day(MONDAY)
    before = list(Run.objects.values()), list(StepRun.objects.values()), Task.objects.count()
    day(MONDAY)
    assert before == (
        list(Run.objects.values()), list(StepRun.objects.values()), Task.objects.count()
    )  # fmt: skip


def test_a_condition_enters_when_it_becomes_true_and_never_again():
    make_sop({"steps": [{"key": "n", "kind": "note", "text": "x"}]})
    customer = make_scored(80.0)
    for n, score in enumerate([80.0, 40.0, 40.0, 80.0, 40.0]):
        set_score(customer, score)
        day(MONDAY + timedelta(days=n))
    run = Run.objects.get()
    assert run.entered_on == day_of(MONDAY) + timedelta(days=1)
    refused = Decision.objects.get()
    assert (refused.on, refused.reason) == (day_of(MONDAY) + timedelta(days=4), "before")


def test_who_was_inside_already_stays_out_without_backfill():
    make_sop({"entry": {"kind": "condition", "when": LOW, "backfill": False},
              "steps": [{"key": "n", "kind": "note", "text": "x"}]})  # fmt: skip
    inside, later = make_scored(40.0), make_scored(80.0)
    day(MONDAY)
    day(MONDAY)
    set_score(later, 30.0)
    day(MONDAY + timedelta(days=1))
    assert [run.customer_id for run in Run.objects.all()] == [later.pk]
    assert inside.pk != later.pk


def test_reentry_after_days_waits_and_comes_back_if_it_still_holds():
    make_sop({"reentry": {"kind": "after", "days": 3},
              "steps": [{"key": "n", "kind": "note", "text": "x"}]})  # fmt: skip
    customer = make_scored(40.0)
    for n, score in enumerate([40.0, 80.0, 40.0, 40.0, 40.0]):
        set_score(customer, score)
        day(MONDAY + timedelta(days=n))
    first, second = Run.objects.order_by("pk")
    assert (first.entered_on, second.entered_on) == (
        day_of(MONDAY), day_of(MONDAY) + timedelta(days=3)
    )  # fmt: skip
    assert Decision.objects.get().reason == "too_soon"


@pytest.mark.parametrize(
    "form, score, expected",
    [
        ({"goal": {"field": "score", "op": "gte", "value": 60}}, 70.0, ("done", "goal")),
        ({"exit": {"field": "score", "op": "gte", "value": 60}}, 70.0, ("exited", "exit")),
        ({"on_lost": "leave"}, 55.0, ("exited", "lost")),
        ({"on_lost": "leave"}, None, ("exited", "lost")),
        ({"on_lost": "stay"}, 55.0, ("waiting", "")),
    ],
)
def test_goal_exit_and_lost_end_a_run_the_day_they_become_true(form, score, expected):
    make_sop({**JOURNEY, **form})
    customer = make_scored()
    day(MONDAY)
    set_score(customer, score)
    day(MONDAY + timedelta(days=1))
    run = Run.objects.get()
    assert (run.state, run.end_reason) == expected
    if run.ended_at:
        assert lines(run)[-1] == ("wait", "skipped", expected[1])
    assert (run.goal_on is not None) == (expected[1] == "goal")


def test_a_wait_for_a_task_ends_with_the_task_or_in_time():
    form = {
        "steps": [
            {**CALL, "next": "wait"},
            {"key": "wait", "kind": "wait", "until": {"step": {"key": "call", "is": "done"}},
             "timeout_days": 4, "next": "good", "on_timeout": "late"},
            {"key": "good", "kind": "note", "text": "x"},
            {"key": "late", "kind": "note", "text": "x"},
        ]
    }  # fmt: skip
    version = make_sop(form)
    assert check(version.form, _known()) == []
    done, open_ = make_scored(), make_scored()
    day(MONDAY)
    assert set(Run.objects.values_list("step_key", flat=True)) == {"wait"}
    Task.objects.filter(customer=done).update(state="done")
    day(MONDAY + timedelta(days=1))
    assert lines(Run.objects.get(customer=done))[1:] == [
        ("wait", "done", "condition"), ("good", "done", "")
    ]  # fmt: skip
    day(MONDAY + timedelta(days=4))
    assert lines(Run.objects.get(customer=open_))[1:] == [
        ("wait", "done", "timed_out"), ("late", "done", "")
    ]  # fmt: skip


def _known():
    from gengyun.sop.calc.check import Known
    from gengyun.sop.calc.effects import kinds

    return Known(effects=kinds())


def test_a_hold_out_is_entered_and_nothing_is_done_with_it():
    make_sop({**JOURNEY, "holdout": 0.5, "goal": {"field": "score", "op": "gte", "value": 60},
              "outcome": {"kind": "goal", "window_days": 10}})  # fmt: skip
    customers = [make_scored() for _ in range(20)]
    day(MONDAY)
    held = Run.objects.filter(arm="holdout")
    assert held.count() == 10
    assert not StepRun.objects.filter(run__in=held).exists()
    set_score(held[0].customer, 70.0)
    day(MONDAY + timedelta(days=3))
    assert Run.objects.get(pk=held[0].pk).goal_on == day_of(MONDAY) + timedelta(days=3)
    day(MONDAY + timedelta(days=10))
    assert set(held.values_list("state", "end_reason")) == {("done", "holdout_over")}
    assert Task.objects.count() == len(customers) - 10


def test_contacts_take_part_each_and_leave_when_they_leave():
    make_sop({**JOURNEY, "identity": "contact", "contact_role": "champion"})
    customer, alone = make_scored(), make_scored()
    one = make_contact(customer, part="champion")
    two = make_contact(customer, part="champion")
    make_contact(alone, part="user")
    day(MONDAY)
    assert sorted(Run.objects.values_list("identity_key", flat=True)) == sorted(
        [f"k:{one.pk}", f"k:{two.pk}"]
    )
    assert Decision.objects.get(customer=alone).reason == "no_contact"
    two.left_on = day_of(MONDAY)
    two.save()
    run_due(now=MONDAY + timedelta(days=7))
    assert Run.objects.get(contact=two).end_reason == "contact_left"


def test_paused_sops_stand_still_and_catch_up():
    version = make_sop(JOURNEY)
    first = make_scored()
    day(MONDAY)
    Sop.objects.update(state=Sop.State.PAUSED)
    second = make_scored()
    day(MONDAY + timedelta(days=8))
    assert Run.objects.get().step_key == "wait"
    Sop.objects.update(state=Sop.State.LIVE)
    day(MONDAY + timedelta(days=9))
    assert Run.objects.get(customer=first).state == "done"
    assert Run.objects.get(customer=second).entered_on == day_of(MONDAY) + timedelta(days=9)
    assert version.sop_id == Run.objects.first().sop_id


def test_a_dry_run_says_who_enters_what_they_get_and_why_the_others_do_not():
    from gengyun.sop.queries.dry_run import dry_run

    form = {
        **JOURNEY, "holdout": 0.25, "outcome": {"kind": "goal", "window_days": 9},
        "goal": {"field": "score", "op": "gte", "value": 60},
        "entry": {"kind": "condition", "when": {"all": [LOW, {"field": "arr", "op": "gte", "value": 5}]}},
    }  # fmt: skip
    version = make_sop(form, state=Sop.State.LIVE)
    [make_scored(arr_minor=9) for _ in range(8)]
    [make_scored(80.0, arr_minor=9) for _ in range(3)]
    [make_scored(None, arr_minor=9) for _ in range(2)]
    make_scored(arr_minor=None)
    SopVersion.objects.update(state=SopVersion.State.DRAFT)
    found = dry_run(version.form, day=day_of(MONDAY), known=_known(), sop=version.sop)
    assert (found.problems, found.total, found.fitting, found.outside) == ([], 14, 8, 6)
    assert found.why_not == {(0, False): 3, (0, None): 2, (1, None): 1}
    assert found.first_day == {"task": found.counts["enter"], "wait": found.counts["enter"]}
    entering = {row.participant.identity: row for row in found.rows}
    assert (Run.objects.count(), Task.objects.count()) == (0, 0)
    SopVersion.objects.update(state=SopVersion.State.PUBLISHED)
    day(MONDAY)
    assert {
        run.identity_key: {"treat": "enter"}.get(run.arm, run.arm) for run in Run.objects.all()
    } == {key: row.outcome for key, row in entering.items()}
    one = next(row for row in found.rows if row.outcome == "enter")
    assert one.steps == [("call", "task"), ("wait", "wait")]
    assert day_of(one.until) == day_of(MONDAY) + timedelta(days=7)


def test_why_tells_each_leaf_the_run_and_the_refusal():
    from gengyun.sop.queries.why import why

    version = make_sop({"steps": [{"key": "n", "kind": "note", "text": "x"}]})
    low, high, none = make_scored(40.0), make_scored(61.0), make_scored(None)

    def told(customer):
        return why(version.sop, customer, day=day_of(MONDAY), actor=None)

    assert [told(one).outcome for one in (low, high, none)] == [
        "would_enter", "not_fitting", "unknown"
    ]  # fmt: skip
    assert [(one.holds, one.value) for one in told(high).said] == [(False, 61.0)]
    day(MONDAY)
    ran = told(low)
    assert (ran.outcome, ran.runs[0].end_reason) == ("before", "end")
    assert [line.step_key for line in ran.lines[ran.runs[0].pk]] == ["n"]
    assert ran.since == day_of(MONDAY)
    Sop.objects.update(state=Sop.State.PAUSED)
    version.sop.refresh_from_db()
    assert told(high).outcome == "not_live"


def test_a_csm_starts_by_hand_for_own_customers_only():
    from gengyun.kernel.errors import NotAllowed, NotFound
    from gengyun.sop.actions.by_hand import SopDoesNotRun, enter_by_hand

    version = make_sop({**JOURNEY, "holdout": 0.9, "outcome": {"kind": "health"}})
    csm = make_user()
    own, other = make_scored(80.0, owner=csm), make_scored(80.0)
    ask = {"now": MONDAY, "sop": version.sop}
    assert enter_by_hand(actor=csm, customers=[own], **ask) == {own.pk: "entered"}
    assert enter_by_hand(actor=csm, customers=[own], **ask) == {own.pk: "running"}
    run = Run.objects.get()
    assert (run.arm, run.stratum, run.entered_by) == ("treat", "", csm)
    with pytest.raises(NotFound):
        enter_by_hand(actor=csm, customers=[own, other], **ask)
    with pytest.raises(NotAllowed):
        enter_by_hand(actor=make_user("viewer"), customers=[own], **ask)
    Sop.objects.update(state=Sop.State.PAUSED)
    with pytest.raises(SopDoesNotRun):
        enter_by_hand(actor=csm, customers=[own], **ask)
    assert Run.objects.count() == 1


def test_a_run_that_goes_round_for_ever_ends_alone():
    from gengyun.sop.calc.walk import MOST_STEPS

    make_sop(JOURNEY)
    first, second = make_scored(40.0), make_scored(41.0)
    evaluate(now=MONDAY, day=day_of(MONDAY))
    Run.objects.filter(customer=first).update(step_count=MOST_STEPS)
    run_due(now=MONDAY)
    ended, other = (Run.objects.get(customer=one) for one in (first, second))
    assert (ended.state, ended.end_reason) == ("failed", "too_many_steps")
    assert (other.state, other.step_key) == ("waiting", "wait")


def test_who_was_let_in_by_another_worker_at_the_same_moment_is_in_once():
    from gengyun.sop.actions.entering import _write

    make_sop(JOURNEY)
    first, second = make_scored(40.0), make_scored(41.0)
    evaluate(now=MONDAY, day=day_of(MONDAY))
    one, two = Run.objects.order_by("customer_id")
    two.delete()
    again = [Run.objects.get(pk=one.pk), two]
    for row in again:
        row.pk = None
    _write(again)
    assert [run.customer_id for run in Run.objects.order_by("pk")] == [first.pk, second.pk]
    assert Run.objects.get(customer=first).pk == one.pk
