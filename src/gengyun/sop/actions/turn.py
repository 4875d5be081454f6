"""One turn of a worker: events that came in, then runs that are due."""

from collections import Counter
from datetime import datetime

from gengyun.sop.actions.events import take_hits
from gengyun.sop.actions.step import run_due, step


def turn(*, now: datetime, worker: str) -> bool:
    """True: there may be more at once."""
    hits = take_hits(now=now)
    return bool(step(now=now, worker=worker)) or hits["hits"] > 0


def turn_all(*, now: datetime, worker: str) -> Counter[str]:
    """Until nothing is left to do at `now`."""
    total: Counter[str] = Counter()
    while (done := take_hits(now=now))["hits"]:
        total += done
    return total + run_due(now=now, worker=worker)
