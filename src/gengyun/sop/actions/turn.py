"""One turn of a worker: events that came in, then runs that are due."""

from datetime import datetime

from gengyun.sop.actions.events import take_hits
from gengyun.sop.actions.step import step


def turn(*, now: datetime, worker: str) -> bool:
    """True: there may be more at once."""
    hits = take_hits(now=now)
    return bool(step(now=now, worker=worker)) or hits["hits"] > 0
