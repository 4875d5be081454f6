"""What silence says: the longer a renewal stays open, the less likely it is to be signed.

Renewals are signed around the due date, losses are often known only when the grace period has run
out. So a renewal that is still open says something by being open. The shares of renewed and of lost
renewals that were still open `d` days after the due date (negative: before it) give, by Bayes'
rule, what is added to the logit of renewing.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIRST_DAY = -365
PRIOR_WEIGHT = 10.0  # renewals that the assumed curves count for
SIGNED_FROM = -30  # assumed: signatures spread evenly from here to the end of the grace period
FLOOR = 0.5  # of a case: nothing is ever quite impossible


@dataclass(frozen=True)
class Delays:
    """Shares still open by day; index 0 is FIRST_DAY, the last is the end of the grace period."""

    renewed_open: Floats
    lost_open: Floats

    def offset(self, days_after_due: npt.ArrayLike) -> Floats:
        """What being open so many days after the due date adds to the logit of renewing."""
        last = len(self.renewed_open) - 2  # the last day on which an open one may still be signed
        at = np.clip(np.asarray(days_after_due, dtype=np.int64) - FIRST_DAY, 0, last)
        return np.asarray(np.log(self.renewed_open[at]) - np.log(self.lost_open[at]))


def learn_delays(
    days_after_due: Ints, is_renewed: npt.NDArray[np.bool_], *, grace_days: int
) -> Delays:
    """Curves from decided renewals, starting from the assumed ones."""
    days = np.arange(FIRST_DAY, grace_days + 1)
    span = grace_days - SIGNED_FROM
    assumed = np.asarray(np.clip((grace_days - days) / span, 0, 1), dtype=np.float64)
    return Delays(
        renewed_open=_still_open(days_after_due[is_renewed], days, assumed),
        lost_open=_still_open(
            np.minimum(days_after_due[~is_renewed], grace_days),
            days,
            (days < grace_days).astype(np.float64),
        ),
    )


def _still_open(delays: Ints, days: Ints, assumed: Floats) -> Floats:
    ordered = np.sort(delays)
    later = len(ordered) - np.searchsorted(ordered, days, side="right")
    total = len(ordered) + PRIOR_WEIGHT
    return np.asarray(np.maximum(later + PRIOR_WEIGHT * assumed, FLOOR) / total)
