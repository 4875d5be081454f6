"""Which new work items are shown at once and which wait in the digest. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ALWAYS = 1  # severity that no budget holds back
NEVER = 4  # severity that is for the digest alone


@dataclass(frozen=True)
class Waiting:
    """A work item that asks to be shown; larger amounts go first among equals."""

    key: str
    owner_id: int | None
    severity: int
    amount: int  # minor units; unknown counts as 0


def allot(
    waiting: Iterable[Waiting], *, taken: Mapping[int | None, int], daily_budget: int
) -> set[str]:
    """Keys of those that are shown now: the most urgent, then the largest, up to each person's
    budget less what was `taken` today. Severity 1 always passes, and counts."""
    used: Counter[int | None] = Counter(taken)
    shown = set()
    for one in sorted(waiting, key=lambda one: (one.severity, -one.amount, one.key)):
        if one.severity >= NEVER:
            continue
        if one.severity <= ALWAYS or used[one.owner_id] < daily_budget:
            used[one.owner_id] += 1
            shown.add(one.key)
    return shown
