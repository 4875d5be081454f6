"""The job queue: claimed once, leased, tried again, never lost."""

import threading
from datetime import UTC, datetime, time, timedelta

import job_tasks
import pytest
from django.db import connection, transaction
from django_tasks.exceptions import TaskResultDoesNotExist

from gengyun.kernel.jobs import add, runner
from gengyun.kernel.jobs.schedule import Daily, Every, Repeated, start_due
from gengyun.kernel.models import Job

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.django_db
def test_run_next_returns_the_result_and_the_progress():
    add(job_tasks.add_up, 2, b=3)
    job = runner.run_next(worker="w1", now=LATER)
    assert (job.state, job.result, job.attempts) == (Job.State.DONE, 5, 1)
    assert (job.progress_done, job.progress_total, job.progress_note) == (1, 2, "half way")
    assert runner.run_next(worker="w1", now=LATER) is None


@pytest.mark.django_db
def test_enqueue_is_the_django_tasks_interface():
    result = job_tasks.add_up.enqueue(1, b=1)
    runner.run_next(worker="w1", now=LATER)
    result.refresh()
    assert (result.is_finished, result.return_value) == (True, 2)
    failing = job_tasks.refuse.enqueue()
    runner.run_next(worker="w1", now=LATER)
    failing.refresh()
    assert failing.errors[0].traceback == "not_found: Not found."
    for unknown in ("nonsense", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(TaskResultDoesNotExist):
            job_tasks.refuse.get_result(unknown)


@pytest.mark.django_db
def test_a_job_of_a_rolled_back_change_does_not_exist():
    with transaction.atomic():
        add(job_tasks.add_up, 1, 1)
        transaction.set_rollback(True)
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_unique_key_returns_the_open_job_and_makes_a_new_one_when_it_is_done():
    first = add(job_tasks.add_up, 1, 1, unique_key="sum")
    assert add(job_tasks.add_up, 1, 1, unique_key="sum").pk == first.pk
    runner.run_next(worker="w1", now=LATER)
    assert add(job_tasks.add_up, 1, 1, unique_key="sum").pk != first.pk


@pytest.mark.django_db
def test_claim_order_is_priority_then_due_time():
    late = add(job_tasks.add_up, 1, 1, run_after=NOW + timedelta(hours=1))
    early = add(job_tasks.add_up, 1, 1, run_after=NOW)
    urgent = add(job_tasks.add_up.using(priority=10), 1, 1, run_after=NOW + timedelta(hours=2))
    order = [runner.claim(worker="w", now=LATER).pk for _ in range(3)]
    assert order == [urgent.pk, early.pk, late.pk]


@pytest.mark.django_db
def test_a_job_is_not_claimed_before_it_is_due():
    add(job_tasks.add_up, 1, 1, run_after=NOW)
    assert runner.claim(worker="w", now=NOW - timedelta(seconds=1)) is None
    assert runner.claim(worker="w", now=NOW) is not None


@pytest.mark.django_db
def test_a_killed_workers_job_is_taken_when_its_lease_ends():
    add(job_tasks.add_up, 1, 1, run_after=NOW)
    dead = runner.claim(worker="dead", now=NOW, lease=timedelta(seconds=60))
    assert runner.claim(worker="next", now=NOW + timedelta(seconds=59)) is None
    taken = runner.claim(worker="next", now=NOW + timedelta(seconds=61))
    assert taken.pk == dead.pk
    # the old one wakes up: it has lost the job and must not write over the new holder's row
    runner._finish(dead, Job.State.DONE)
    taken.refresh_from_db()
    assert (taken.state, taken.worker) == (Job.State.RUNNING, "next")


@pytest.mark.django_db
def test_a_job_that_kills_every_worker_is_given_up():
    job = add(job_tasks.add_up, 1, 1, run_after=NOW)
    for attempt in range(job.max_attempts):
        assert runner.claim(worker="w", now=NOW + timedelta(hours=attempt)) is not None
    assert runner.claim(worker="w", now=NOW + timedelta(hours=9)) is None
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "killed" in job.error


@pytest.mark.django_db
def test_a_failing_job_waits_longer_each_time_and_then_fails():
    job = add(job_tasks.stumble)
    pauses = []
    for _ in range(job.max_attempts):
        before = datetime.now(UTC)
        runner.run_next(worker="w", now=LATER)
        job.refresh_from_db()
        pauses.append(round((job.run_after - before).total_seconds()))
    assert pauses[:4] == [5, 10, 20, 40]
    assert job.state == Job.State.FAILED
    assert "no such luck" in job.error


@pytest.mark.django_db
def test_a_refusal_is_not_tried_again():
    job = add(job_tasks.refuse)
    runner.run_next(worker="w", now=LATER)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.FAILED, 1)
    assert job.error.startswith("not_found")


@pytest.mark.django_db
def test_release_gives_the_job_back_without_counting_the_attempt():
    job = add(job_tasks.add_up, 1, 1, run_after=NOW)
    runner.claim(worker="w1", now=NOW)
    assert runner.release("w1") == 1
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.READY, 0)


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_renews_the_lease():
    job = add(job_tasks.add_up, 1, 1)
    claimed = runner.claim(worker="w", now=LATER, lease=timedelta(milliseconds=90))
    with runner._heartbeat(claimed, timedelta(milliseconds=90)):
        before = Job.objects.get(pk=job.pk).lease_until
        for _ in range(100):
            threading.Event().wait(0.02)
            if Job.objects.get(pk=job.pk).lease_until != before:
                break
    assert Job.objects.get(pk=job.pk).lease_until != before


@pytest.mark.django_db
def test_start_due_has_one_leader_a_turn():
    entry = Repeated("hourly", Every(timedelta(hours=1)), job_tasks.refuse)
    assert start_due(now=NOW, entries=[entry]) == ["hourly"]
    assert start_due(now=NOW, entries=[entry]) == []
    assert start_due(now=NOW + timedelta(minutes=59), entries=[entry]) == []
    assert start_due(now=NOW + timedelta(minutes=60), entries=[entry]) == ["hourly"]
    # the first turn has not run yet: one job, not two
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    "last, now, due",
    [
        (None, "2026-03-02T00:00+08:00", True),
        ("2026-03-01T02:10+08:00", "2026-03-02T02:09+08:00", False),
        ("2026-03-01T02:10+08:00", "2026-03-02T02:10+08:00", True),
        ("2026-03-02T02:10+08:00", "2026-03-02T23:00+08:00", False),
        ("2026-03-02T02:10+08:00", "2026-03-05T01:00+08:00", True),  # made up after a pause
    ],
)
def test_daily_is_due_once_a_company_day(last, now, due):
    at = datetime.fromisoformat
    assert Daily(time(2, 10)).is_due(at(now), last and at(last)) is due


def test_the_claim_is_one_update(db, django_assert_num_queries):
    add(job_tasks.add_up, 1, 1, run_after=NOW)
    with django_assert_num_queries(3) as queries:
        runner.claim(worker="w", now=NOW)
    assert [q["sql"].split()[0] for q in queries.captured_queries] == ["SELECT", "UPDATE", "SELECT"]
    assert connection.vendor
