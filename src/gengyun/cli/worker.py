"""`gengyun worker`: events to the lake, jobs, the nightly judgement."""

import os
import signal

import click

from gengyun.cli.main import setup


@click.command(name="worker")
def command() -> None:
    """Drain the inbox, run jobs and what repeats, until Ctrl-C or SIGTERM.

    Several may run at once; killed at any moment, nothing is lost or done twice.
    """
    setup()
    from gengyun.worker.loop import Worker

    worker = Worker()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: worker.stop())
    if not worker.run():
        # the job goes on in the next worker; this process must not finish it behind its back
        os._exit(0)
