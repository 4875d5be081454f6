"""Tasks that the tests of the job queue put in it."""

import time
from pathlib import Path

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


@task()
def leave_mark(folder, name):
    """Takes a moment and may run twice: one file per job."""
    time.sleep(0.05)
    (Path(folder) / name).touch()


@task()
def sleep_for(seconds):
    time.sleep(seconds)
