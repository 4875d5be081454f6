"""Clocks: leap day, summer time in a company elsewhere, clocks that are put back or run ahead."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from test_sop_engine import MONDAY, lines, make_scored, make_sop

from gengyun.customers.models import CustomField, FieldValue
from gengyun.kernel.days import day_of
from gengyun.sop.actions.control import stop_run
from gengyun.sop.actions.evaluate import evaluate
from gengyun.sop.actions.step import LEASE, claim_due, run_due, step
from gengyun.sop.calc.form import DateRef, Wait
from gengyun.sop.calc.walk import Over, begin_wait, day_of_ref, look_at_wait
from gengyun.sop.models import Run, RunLease, StepRun
from gengyun.tasks.models import Task

NEW_YORK = ZoneInfo("America/New_York")
WAIT = {
    "steps": [
        {"key": "wait", "kind": "wait", "days": 1, "next": "call"},
        {"key": "call", "kind": "task", "role": "csm", "title": "回访", "due_working_days": 1},
    ]
}


@pytest.mark.parametrize(
    ("begun", "days", "end"),
    [
        # clocks go from 2:00 to 3:00: half past two does not exist, the hour after it does
        (datetime(2024, 3, 9, 2, 30), 1, datetime(2024, 3, 10, 7, 30, tzinfo=UTC)),
        (datetime(2024, 3, 9, 9, 0), 1, datetime(2024, 3, 10, 13, 0, tzinfo=UTC)),  # 23 hours
        (datetime(2024, 11, 2, 9, 0), 1, datetime(2024, 11, 3, 14, 0, tzinfo=UTC)),  # 25 hours
        (datetime(2024, 2, 28, 9, 0), 1, datetime(2024, 2, 29, 14, 0, tzinfo=UTC)),
        (datetime(2024, 2, 29, 9, 0), 365, datetime(2025, 2, 28, 14, 0, tzinfo=UTC)),
    ],
)
def test_a_wait_of_days_ends_at_the_same_time_of_day(begun, days, end):
    begun = begun.replace(tzinfo=NEW_YORK)
    wait = begin_wait(Wait(days=days), now=begun, zone=NEW_YORK, on=None)
    assert wait.until.astimezone(UTC) == end
    before, after = (
        look_at_wait(
            Wait(days=days), "next", end=wait.until, now=end + moved, zone=NEW_YORK,
            holds=None, on=None,
        )
        for moved in (timedelta(seconds=-1), timedelta(0))
    )  # fmt: skip
    assert not isinstance(before, Over)
    assert after == Over("time", "next")


def test_working_days_pass_over_leap_day_and_spring_festival():
    shanghai = ZoneInfo("Asia/Shanghai")
    thursday = datetime(2024, 2, 8, 10, tzinfo=shanghai)
    # 10 to 17 February are free, Sunday the 18th and Friday the 9th work
    end = begin_wait(Wait(working_days=2), now=thursday, zone=shanghai, on=None).until
    assert end == datetime(2024, 2, 18, 10, tzinfo=shanghai)
    end = begin_wait(
        Wait(working_days=1), now=datetime(2024, 2, 28, 10, tzinfo=shanghai), zone=shanghai, on=None
    ).until
    assert end == datetime(2024, 2, 29, 10, tzinfo=shanghai)


def test_days_before_a_date_reach_leap_day():
    assert day_of_ref(DateRef("renews_on", -1), {"renews": date(2024, 3, 1)}, {}) == date(
        2024, 2, 29
    )


@pytest.mark.django_db
def test_a_clock_that_is_put_back_does_nothing_twice_and_nothing_early():
    make_sop(WAIT)
    make_scored(40.0)
    evaluate(now=MONDAY, day=day_of(MONDAY))
    run_due(now=MONDAY)
    later = MONDAY + timedelta(days=1)
    # put back by two hours in between: not early, and the same day again lets nobody in again
    for moment in (later - timedelta(minutes=1), later - timedelta(hours=2)):
        evaluate(now=moment, day=day_of(moment))
        run_due(now=moment)
        assert Task.objects.count() == 0
    evaluate(now=later, day=day_of(later))
    run_due(now=later)
    evaluate(now=MONDAY, day=day_of(MONDAY))  # put back by a whole day: nothing is judged again
    for moment in (MONDAY, later, later + timedelta(days=1)):
        run_due(now=moment)
    assert Task.objects.count() == 1
    run = Run.objects.get()
    assert (run.state, lines(run)) == ("done", [("wait", "done", "time"), ("call", "done", "")])


@pytest.mark.django_db
def test_a_clock_that_runs_ahead_takes_over_and_the_slow_worker_does_nothing():
    make_sop(WAIT)
    make_scored(40.0)
    evaluate(now=MONDAY, day=day_of(MONDAY))
    slow = claim_due(now=MONDAY, limit=10, worker="slow")
    assert slow.count == 1
    assert step(now=MONDAY, worker="other") == {}  # it is taken
    ahead = MONDAY + LEASE + timedelta(seconds=1)
    assert step(now=ahead, worker="other")["runs"] == 1
    # the slow one goes on: its token is on no run any more
    from gengyun.sop.actions.step import _work

    assert _work(slow, ahead)["runs"] == 0
    run = Run.objects.get()
    assert (run.step_key, run.step_count) == ("wait", 0)
    run_due(now=ahead + timedelta(days=1))
    assert Task.objects.count() == 1


@pytest.mark.django_db
def test_days_that_nobody_evaluated_lose_no_entry_and_are_not_made_up_twice():
    make_sop({"steps": WAIT["steps"][1:], "reentry": {"kind": "always"}})
    make_scored(80.0)
    evaluate(now=MONDAY, day=day_of(MONDAY))
    low = make_scored(40.0)
    after = MONDAY + timedelta(days=4)  # the worker was down
    for _ in range(2):
        evaluate(now=after, day=day_of(after))
        run_due(now=after)
    assert list(Run.objects.values_list("customer_id", "state")) == [(low.pk, "done")]


@pytest.mark.django_db
def test_a_wait_for_a_date_of_the_companys_own_that_no_condition_reads():
    field = CustomField.objects.create(
        key="training", kind="date", name_en="Training", created_at=MONDAY, updated_at=MONDAY
    )
    wait = {"key": "wait", "kind": "wait", "date": {"field": "custom_training", "offset_days": 0},
            "timeout_days": 30, "next": "n"}  # fmt: skip
    make_sop({"steps": [wait, {"key": "n", "kind": "note", "text": "x"}]})
    customer = make_scored(40.0)
    when = day_of(MONDAY) + timedelta(days=3)
    FieldValue.objects.create(field=field, customer=customer, day=when)
    evaluate(now=MONDAY, day=day_of(MONDAY))
    for days in range(5):
        run_due(now=MONDAY + timedelta(days=days))
    assert lines(Run.objects.get()) == [("wait", "done", "date"), ("n", "done", "")]
    assert StepRun.objects.get(step_key="wait").at.date() == when


@pytest.mark.django_db
def test_leases_of_runs_stopped_after_their_worker_died_do_not_stay():
    make_sop(WAIT)
    make_scored(40.0)
    evaluate(now=MONDAY, day=day_of(MONDAY))
    assert claim_due(now=MONDAY, limit=10, worker="killed").count == 1
    stop_run(actor=None, now=MONDAY, run=Run.objects.get())
    for days, left in ((1, 1), (2, 0)):
        now = MONDAY + timedelta(days=days)
        evaluate(now=now, day=day_of(now))
        run_due(now=now)
        assert RunLease.objects.count() == left
