"""What became of tasks that somebody else made: for SOPs that wait for them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gengyun.tasks.models import Task


@dataclass(frozen=True)
class Outcome:
    task_id: int
    state: str  # open, done, dropped
    done_at: datetime | None
    result: str


def outcomes_of(sources: Collection[str]) -> dict[str, Outcome]:
    """Source -> what became of its task; absent: there is none."""
    names = sorted({source for source in sources if source})
    found: dict[str, Outcome] = {}
    for start in range(0, len(names), 500):
        rows = Task.objects.filter(source__in=names[start : start + 500])
        for row in rows.values_list("source", "pk", "state", "done_at", "result"):
            found[row[0]] = Outcome(row[1], row[2], row[3], row[4])
    return found
