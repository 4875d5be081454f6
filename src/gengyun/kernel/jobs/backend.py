"""django-tasks backend over the `Job` table: enqueued in the transaction of the change."""

import uuid
from datetime import datetime
from typing import Any, TypeAlias

from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskError, TaskResult, TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist

from gengyun.kernel.clock import utc_now
from gengyun.kernel.models import Job

STATUS = {
    Job.State.READY: TaskResultStatus.READY,
    Job.State.RUNNING: TaskResultStatus.RUNNING,
    Job.State.DONE: TaskResultStatus.SUCCESSFUL,
    Job.State.FAILED: TaskResultStatus.FAILED,
}


AnyTask: TypeAlias = Task[..., Any]
AnyResult: TypeAlias = TaskResult[Any]


class LeaseBackend(BaseTaskBackend):
    supports_defer = True
    supports_get_result = True
    supports_priority = True

    def enqueue(self, task: AnyTask, args: Any, kwargs: Any) -> AnyResult:
        self.validate_task(task)
        return self._result(task, add(task, *args, **kwargs))

    def get_result(self, result_id: str) -> AnyResult:
        try:
            job = Job.objects.get(pk=result_id)
        except (Job.DoesNotExist, ValidationError):
            raise TaskResultDoesNotExist(result_id) from None
        return self._result(import_string(job.task), job)

    def _result(self, task: AnyTask, job: Job) -> AnyResult:
        errors = (
            [TaskError(exception_class_path="builtins.Exception", traceback=job.error)]
            if job.error
            else []
        )
        result: AnyResult = TaskResult(
            task=task,
            id=str(job.pk),
            status=STATUS[Job.State(job.state)],
            enqueued_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            last_attempted_at=job.started_at,
            args=job.args,
            kwargs=job.kwargs,
            backend=self.alias,
            errors=errors,
            worker_ids=[job.worker] * job.attempts if job.worker else [],
        )
        # the interface has no public way to set it
        object.__setattr__(result, "_return_value", job.result)
        return result


def add(
    task: AnyTask,
    *args: Any,
    unique_key: str | None = None,
    run_after: datetime | None = None,
    **kwargs: Any,
) -> Job:
    """Put a job in the queue; with a `unique_key`, an open job of that key is returned instead."""
    now = utc_now()
    values = {
        "id": uuid.uuid4(),
        "task": task.module_path,
        "args": list(args),
        "kwargs": kwargs,
        "queue": task.queue_name,
        "priority": task.priority,
        "run_after": run_after or task.run_after or now,
        "created_at": now,
    }
    if unique_key is None:
        return Job.objects.create(**values)
    open_jobs = Job.objects.filter(state__in=[Job.State.READY, Job.State.RUNNING])
    job, _ = open_jobs.get_or_create(unique_key=unique_key, defaults=values)
    return job
