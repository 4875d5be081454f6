"""Durable jobs: `backend` puts them in the queue, `runner` claims and runs them.

A job is a row. A worker claims it by one conditional UPDATE that sets a lease, and renews the
lease while the job runs; a killed worker's lease runs out and the next worker takes the job.
A job may therefore run twice: make its effects idempotent.
"""

from gengyun.kernel.jobs.backend import add
from gengyun.kernel.jobs.progress import report_progress

__all__ = ["add", "report_progress"]
