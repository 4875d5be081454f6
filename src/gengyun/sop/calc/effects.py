"""What a step's effect is asked, what it answers, and who carries out which kind of step.

Effects are registered when the application starts, by `sop.effects`. An effect gets all runs of a
batch that stand at the same step - or, where it says `mixed`, at steps of its kind, in whichever
SOP - inside the transaction that moves them on: what it writes is there exactly when they have
moved. It must be harmless to ask again with the same key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gengyun.sop.calc.form import Form, Step

DONE, SKIPPED, SUPPRESSED, FAILED = "done", "skipped", "suppressed", "failed"


@dataclass(frozen=True)
class Due:
    """One run that stands at a step. `key` is the same however often the step is tried."""

    key: str
    run_id: int
    sop_key: str
    sop_name: str
    customer_id: int
    contact_id: int | None
    product_key: str
    form: Form
    step: Step
    entered_by_id: int | None = None


@dataclass(frozen=True)
class Told:
    state: str = DONE
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    ref: str = ""  # "task:7"


Effect = Callable[[Sequence[Due], datetime], Sequence[Told]]
_effects: dict[str, Effect] = {}
_mixed: set[str] = set()


def effect(kind: str, *, mixed: bool = False) -> Callable[[Effect], Effect]:
    """Register `perform(due, now) -> told`, one answer each, in their order."""

    def register(carry_out: Effect) -> Effect:
        _effects[kind] = carry_out
        if mixed:
            _mixed.add(kind)
        return carry_out

    return register


def is_mixed(kind: str) -> bool:
    """Takes different steps of its kind at once."""
    return kind in _mixed


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
