"""Tasks that the tests of the job queue put in it."""

from django_tasks import task

from gengyun.kernel.errors import NotFound
from gengyun.kernel.jobs import report_progress


@task()
def add_up(a, b):
    report_progress(1, 2, "half way")
    return a + b


@task()
def refuse():
    raise NotFound


@task()
def stumble():
    raise ValueError("no such luck")
