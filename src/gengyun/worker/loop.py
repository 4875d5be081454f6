"""The worker: four loops in threads (drain, tend, jobs, sops) until it is told to stop.

Any number of workers may run: one drains at a time (a file lock), jobs are claimed by lease,
repeated tasks have one leader a turn. Killed at any moment, the next one goes on.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import close_old_connections, connections

from gengyun.kernel import outbox
from gengyun.kernel.clock import utc_now
from gengyun.kernel.jobs import runner, schedule
from gengyun.lake.inbox import open_inbox
from gengyun.lake.store import Lake
from gengyun.sop.actions.turn import turn as sop_turn
from gengyun.usage.actions.drain import drain_once
from gengyun.usage.actions.replay import replay_known
from gengyun.worker import tasks

log = logging.getLogger(__name__)

DRAIN_PAUSE = 1.0  # seconds between turns when the inbox is empty
TEND_PAUSE = 2.0
JOBS_PAUSE = 1.0
SOPS_PAUSE = 0.5
SWEEP_PAUSE = 20.0  # between looks for quarantined events whose customer is there by now
TROUBLE_PAUSE = 5.0  # after an error that nobody handled
GRACE = 25.0  # a running job may end by itself this long after SIGTERM


class Worker:
    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self.stopping = threading.Event()
        self.inbox = open_inbox(settings.INBOX_PATH)
        self.lake = Lake(settings.LAKE_DIR)
        self.held = True  # perhaps, by another worker
        self.swept_at = float("-inf")
        tasks.register()

    def run(self) -> bool:
        """Work until `stop`. False: a job was still running and was given back to the queue."""
        threads = [
            threading.Thread(target=self._keep, args=(turn, pause), name=turn.__name__, daemon=True)
            for turn, pause in (
                (self.drain, DRAIN_PAUSE),
                (self.tend, TEND_PAUSE),
                (self.jobs, JOBS_PAUSE),
                (self.sops, SOPS_PAUSE),
            )
        ]
        for thread in threads:
            thread.start()
        # a wait with a limit: signals are handled between the waits
        while not self.stopping.wait(0.5):
            pass
        for thread in threads:
            thread.join(GRACE)
        ended = not any(thread.is_alive() for thread in threads)
        if not ended:
            runner.release(self.name)
        return ended

    def stop(self) -> None:
        self.stopping.set()

    def drain(self) -> bool:
        """One turn from the inbox to the lake; True: there may be more."""
        now = utc_now()
        if self.held and time.monotonic() - self.swept_at > SWEEP_PAUSE:
            # what went into quarantine, here or in a worker that was killed, while its customer
            # was being made
            self.held, self.swept_at = False, time.monotonic()
            replay_known(now=now)
        report = drain_once(inbox=self.inbox, lake=self.lake, now=now)
        self.held = self.held or report.quarantined > 0
        if report.rows:
            tasks.after_drain(changes_past=report.changes_past)
        return bool(report.through_id) and self.inbox.depth() > 0

    def tend(self) -> bool:
        """Deliver what killed processes left in the outbox, start what is due by the clock."""
        now = utc_now()
        schedule.start_due(now=now)
        return outbox.deliver_pending() > 0

    def jobs(self) -> bool:
        return runner.run_next(worker=self.name, now=utc_now()) is not None

    def sops(self) -> bool:
        """Who enters an SOP by an event, and the runs whose time has come."""
        return sop_turn(now=utc_now(), worker=self.name)

    def _keep(self, turn: Callable[[], bool], pause: float) -> None:
        try:
            while not self.stopping.is_set():
                try:
                    again = turn()
                except Exception:
                    log.exception("the worker's %s went wrong; again in a moment", turn.__name__)
                    close_old_connections()
                    self.stopping.wait(TROUBLE_PAUSE)
                else:
                    if not again:
                        self.stopping.wait(pause)
        finally:
            connections.close_all()
