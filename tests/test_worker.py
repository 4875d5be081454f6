"""The worker as a process: starts what is due, stops when it is told to, hands over its job."""

import signal
import time
from datetime import timedelta

import pytest
from deployment import Deployment

from gengyun.kernel.jobs.schedule import Daily, Every, repeated
from gengyun.worker import tasks


def test_what_repeats_is_registered():
    tasks.register()
    table = {entry.name: entry.when for entry in repeated()}
    assert str(table["judge_today"].at) == "02:10:00"
    assert isinstance(table["judge_today"], Daily)
    assert table["compact_lake"] == Every(timedelta(hours=1))


@pytest.mark.django_db
def test_after_a_drain_customers_are_measured_and_judged_only_if_the_past_changed():
    from gengyun.kernel.models import Job

    tasks.after_drain(changes_past=False)
    tasks.after_drain(changes_past=False)
    assert list(Job.objects.values_list("task", flat=True)) == ["gengyun.worker.tasks.measure_live"]
    tasks.after_drain(changes_past=True)
    assert Job.objects.filter(task="gengyun.worker.tasks.judge_today").count() == 1


@pytest.fixture
def deployment(tmp_path):
    deployment = Deployment(tmp_path)
    deployment.python(
        "from django.utils.timezone import now\n"
        "from gengyun.kernel.models import Schedule\n"
        "from gengyun.worker import tasks\n"
        "from gengyun.kernel.jobs.schedule import repeated\n"
        "tasks.register()\n"
        # nothing is due: the queue holds what the test puts there
        "Schedule.objects.bulk_create("
        "Schedule(name=entry.name, last_run_at=now()) for entry in repeated())"
    )
    yield deployment
    deployment.stop_all()


def put(deployment, call):
    deployment.python(
        f"import job_tasks; from gengyun.kernel.jobs import add; add(job_tasks.{call})"
    )


def wait_for_state(deployment, state):
    until = time.monotonic() + 60
    while deployment.rows("SELECT state FROM kernel_job") != [(state,)]:
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.slow
def test_sigterm_lets_a_short_job_end(deployment):
    put(deployment, "sleep_for, 3")
    deployment.start_worker()
    wait_for_state(deployment, "running")
    deployment.worker.send_signal(signal.SIGTERM)
    assert deployment.worker.wait(30) == 0
    assert deployment.rows("SELECT state, attempts FROM kernel_job") == [("done", 1)]


@pytest.mark.slow
def test_sigterm_gives_a_long_job_back_to_the_queue(deployment):
    put(deployment, "sleep_for, 600")
    deployment.start_worker()
    wait_for_state(deployment, "running")
    deployment.worker.send_signal(signal.SIGTERM)
    assert deployment.worker.wait(60) == 0
    assert deployment.rows("SELECT state, attempts, worker FROM kernel_job") == [("ready", 0, "")]


@pytest.mark.slow
def test_two_workers_share_the_jobs_and_run_each_once(deployment, tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    put(deployment, f"leave_mark, {str(marks)!r}, 'x'")
    deployment.python(
        "import job_tasks; from gengyun.kernel.jobs import add\n"
        f"for n in range(60): add(job_tasks.leave_mark, {str(marks)!r}, str(n))"
    )
    deployment.start_worker()
    first = deployment.worker
    deployment.start_worker()
    try:
        until = time.monotonic() + 90
        while deployment.rows("SELECT 1 FROM kernel_job WHERE state != 'done'"):
            assert time.monotonic() < until
            time.sleep(0.2)
    finally:
        first.terminate()
        first.wait(40)
    assert deployment.rows("SELECT DISTINCT attempts FROM kernel_job") == [(1,)]
    assert len(list(marks.iterdir())) == 61
