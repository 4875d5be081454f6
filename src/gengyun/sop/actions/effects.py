"""Who carries out which kind of step. Registered when the application starts, by `sop.effects`.

An effect gets all runs of a batch that stand at the same step, inside the transaction that moves
them on: what it writes is there exactly when they have moved. It must be harmless to ask again
with the same key.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from gengyun.sop.calc.effects import FAILED, Due, Told

Effect = Callable[[Sequence[Due], datetime], Sequence[Told]]
_effects: dict[str, Effect] = {}


def effect(kind: str) -> Callable[[Effect], Effect]:
    """Register `perform(due, now) -> told`, one answer each, in their order."""

    def register(perform: Effect) -> Effect:
        _effects[kind] = perform
        return perform

    return register


def kinds() -> frozenset[str]:
    return frozenset(_effects)


def perform(kind: str, due: Sequence[Due], now: datetime) -> list[Told]:
    """A kind that is not there any more fails the step, and says so; the run goes on."""
    found = _effects.get(kind)
    if found is None:
        return [Told(FAILED, "no_effect", {"kind": kind}) for _ in due]
    told = list(found(due, now))
    if len(told) != len(due):
        raise ValueError(f"{kind} answered {len(told)} of {len(due)}")
    return told
