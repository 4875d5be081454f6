"""The judgement of a day: steps in order, a failure recorded, a killed run taken up again."""

from datetime import date

import pytest
from factories import NOW

from gengyun.kernel import day as kernel_day
from gengyun.kernel.models import DayRun

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(kernel_day, "_steps", {})


def test_steps_run_in_their_order_and_show_progress(registry):
    ran, seen = [], []

    @kernel_day.day_step("second", order=20)
    def second(as_of, now, report):
        ran.append("second")

    @kernel_day.day_step("first", order=10)
    def first(as_of, now, report):
        report(3, 7)
        ran.append("first")

    run = kernel_day.judge_day(DAY, now=NOW, on_progress=lambda *progress: seen.append(progress))
    assert ran == ["first", "second"]
    assert ("first", 3, 7) in seen
    assert run.state == DayRun.State.DONE
    assert {step["state"] for step in run.steps.values()} == {"done"}


def test_failed_step_is_recorded_and_the_error_rises(registry):
    @kernel_day.day_step("breaks", order=1)
    def breaks(as_of, now, report):
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        kernel_day.judge_day(DAY, now=NOW)
    run = DayRun.objects.get(as_of=DAY)
    assert run.state == DayRun.State.FAILED
    assert run.steps["breaks"]["state"] == "failed"
    assert "no disk" in run.error


def test_resumed_run_skips_what_was_finished_and_repeats_what_was_not(registry):
    ran = []
    broken = [True]

    @kernel_day.day_step("metrics", order=1)
    def metrics(as_of, now, report):
        ran.append("metrics")

    @kernel_day.day_step("health", order=2)
    def health(as_of, now, report):
        ran.append("health")
        if broken.pop() if broken else False:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        kernel_day.judge_day(DAY, now=NOW)
    kernel_day.judge_day(DAY, now=NOW, resume=True)
    assert ran == ["metrics", "health", "health"]
    # a finished day asked for again is judged anew, whole
    kernel_day.judge_day(DAY, now=NOW, resume=True)
    assert ran[3:] == ["metrics", "health"]
