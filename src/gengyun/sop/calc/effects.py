"""What a step's effect is asked, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gengyun.sop.calc.form import Form, Step

DONE, SKIPPED, SUPPRESSED, FAILED = "done", "skipped", "suppressed", "failed"


@dataclass(frozen=True)
class Due:
    """One run that stands at a step. `key` is the same however often the step is tried."""

    key: str
    run_id: int
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
