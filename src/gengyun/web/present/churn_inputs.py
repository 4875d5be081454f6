"""Raw numbers of rows that kept what the model saw only: the ten worst misses of a report."""

from collections.abc import Callable
from math import expm1

from gengyun.web.present.churn_facts import Fact

# input -> (raw number, how it is turned back)
_BACK: dict[str, tuple[str, Callable[[float], float]]] = {
    "log_amount": ("amount_minor", lambda value: 100 * expm1(value)),
    "seats_log": ("seats", expm1),
    "tenure": ("tenure_days", expm1),
    "answer_hours": ("answer_hours", expm1),
    "promises_overdue": ("promises_overdue", expm1),
    "nps_age": ("nps_days", expm1),
    "nps_last": ("nps", float),
    "csat_last": ("csat", float),
    "key_contact_gap": ("key_contact_days", expm1),
    "lag": ("lag_days", float),
}
# inputs of which only "none" can be told: a count per seat, or one in which older ones fade
_NONE_ONLY = {"tickets_90": "tickets_90", "severe_90": "severe_90", "risks_fading": "risks_noted"}


def from_inputs(fact: Fact) -> dict[str, float]:
    """Raw numbers of a stored miss, which kept what the model saw (`evidence.scaled_back`)."""
    found: dict[str, float] = {}
    for key, value in fact.items():
        if key in _BACK:
            name, back = _BACK[key]
            found[name] = back(value)
        elif key in _NONE_ONLY:
            if value == 0:
                found[_NONE_ONLY[key]] = 0.0
        else:
            found[key] = value
    return found
