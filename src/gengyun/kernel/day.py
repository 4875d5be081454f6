"""The judgement of a day: steps that packages register, run in order, idempotent, resumable.

A step is `step(as_of, now, report)`; `report(done, total)` shows progress. Run twice, nothing
changes; killed, the next run repeats the step that was not finished and skips none of the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from gengyun.kernel.clock import utc_now
from gengyun.kernel.models import DayRun

Report = Callable[[int, int], None]
Step = Callable[[date, datetime, Report], None]


@dataclass(frozen=True)
class DayStep:
    name: str
    order: int
    run: Step


_steps: dict[str, DayStep] = {}


def day_step(name: str, *, order: int) -> Callable[[Step], Step]:
    """Register a step in a package's `jobs.py`: metrics 100, health 200, portfolio 900."""

    def register(run: Step) -> Step:
        _steps[name] = DayStep(name, order, run)
        return run

    return register


def steps() -> list[DayStep]:
    return sorted(_steps.values(), key=lambda step: (step.order, step.name))


def judge_day(
    as_of: date,
    *,
    now: datetime,
    data_until: datetime | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
    resume: bool = False,
) -> DayRun:
    """Run every step for `as_of`. `resume=True` skips steps a killed run had finished."""
    run, _ = DayRun.objects.get_or_create(as_of=as_of, defaults={"started_at": now})
    finished = (
        {name for name, step in run.steps.items() if step.get("state") == "done"}
        if resume and run.state != DayRun.State.DONE
        else set()
    )
    run.steps = {name: run.steps[name] for name in finished}
    run.state, run.started_at, run.finished_at, run.error = DayRun.State.RUNNING, now, None, ""
    run.data_until = data_until
    run.save()
    for step in steps():
        if step.name not in finished:
            _run_step(run, step, now, on_progress)
    run.state, run.finished_at = DayRun.State.DONE, utc_now()
    run.save()
    return run


def _run_step(run: DayRun, step: DayStep, now: datetime, on_progress) -> None:
    def report(done: int, total: int) -> None:
        run.steps[step.name] = {"state": "running", "done": done, "total": total}
        DayRun.objects.filter(pk=run.pk).update(steps=run.steps)
        if on_progress:
            on_progress(step.name, done, total)

    report(0, 0)
    try:
        step.run(run.as_of, now, report)
    except Exception as error:
        run.steps[step.name]["state"] = "failed"
        run.state, run.error, run.finished_at = DayRun.State.FAILED, repr(error)[:1000], utc_now()
        run.save()
        raise
    run.steps[step.name]["state"] = "done"
    DayRun.objects.filter(pk=run.pk).update(steps=run.steps)
