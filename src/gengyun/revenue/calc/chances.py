"""The churn probability of a renewal beside what its CSM says of it.

A category is a chance too: of those once put into it, so many did not renew. Where the two are far
apart somebody must look, and nothing is averaged (science.md 6: a difference of 25 points).
"""

from collections.abc import Mapping
from datetime import date

APART = 0.25  # difference of two chances that is shown to a leader
# share of a category that does not renew, before a company has outcomes of its own: assumptions
ASSUMED = {"commit": 0.05, "expected": 0.20, "at_risk": 0.55, "lost": 1.0}
# the ends of the scale: nobody can say more than commit, so a model that sees even less risk than
# commits came to is of one mind with it
MOST_HOPEFUL, MOST_DOUBTFUL = frozenset({"commit"}), frozenset({"at_risk", "lost"})
WEIGHT = 10.0  # outcomes that an assumption counts for
FRESH_DAYS = 8  # a probability is worked out every night; one late night is nothing


def lost_of_calls(outcomes: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    """Category -> chance of not renewing. `outcomes`: category -> (lost, decided).

    Beta prior at the assumption, weighing WEIGHT outcomes; "lost" is a statement and stays 1.
    """
    found = {}
    for category, assumed in ASSUMED.items():
        lost, decided = outcomes.get(category, (0, 0))
        is_learned = category != "lost"
        found[category] = (WEIGHT * assumed + lost) / (WEIGHT + decided) if is_learned else assumed
    return found


def apart(category: str, call: float | None, probability: float | None) -> float | None:
    """Model less call, where both are known: above 0 the model sees more risk than the CSM. 0 where
    it is surer of what the CSM says, too, than such calls turned out to be."""
    if call is None or probability is None:
        return None
    if category in MOST_HOPEFUL:
        return max(probability - call, 0.0)
    if category in MOST_DOUBTFUL:
        return min(probability - call, 0.0)
    return probability - call


def is_apart(difference: float | None, least: float = APART) -> bool:
    # differences of rounded chances: 0.30 - 0.05 is 25 points, whatever its last bit
    return difference is not None and abs(difference) >= least - 1e-9


def is_fresh(worked_out_for: date | None, as_of: date, due_on: date) -> bool:
    """Whether a probability speaks for a forecast of `as_of`: known then, not old, and the due day
    not past, after which silence says more than the model does."""
    if worked_out_for is None or due_on < as_of:
        return False
    return 0 <= (as_of - worked_out_for).days < FRESH_DAYS
