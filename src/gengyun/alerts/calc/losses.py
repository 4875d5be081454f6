"""What was said before a renewal was lost: the review of misses (science.md 5.3). Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

LOOKED_BACK = 270  # days before the end: what opened earlier was about something else
IN_TIME = 30  # days before the end: from here on there was time to do something


@dataclass(frozen=True)
class AlertBefore:
    """An alert, or a line of the watch-list (`alert_id` None), about the customer."""

    alert_id: int | None
    rule_id: int
    opened_on: date
    was_shown: bool  # as a ticket, not in the digest or the watch-list alone
    verdict: str = ""


@dataclass(frozen=True)
class Loss:
    """A lost renewal; `ended_on`: the due day, or the day on which we knew, if that was earlier."""

    renewal_id: int
    customer_id: int
    due_on: date
    ended_on: date
    lost_minor: int
    currency: str
    cause: str
    is_involuntary: bool
    owner_id: int | None
    probability: float | None  # of not renewing, as said about 90 days before
    warnings: Sequence[AlertBefore]  # oldest first

    @property
    def shown(self) -> list[AlertBefore]:
        return [one for one in self.warnings if one.was_shown]

    @property
    def lead_days(self) -> int | None:
        """From the first alert that somebody was shown to the end; None: nobody was warned."""
        shown = self.shown
        return (self.ended_on - shown[0].opened_on).days if shown else None

    @property
    def is_warned(self) -> bool:
        """In time to do something about it."""
        lead = self.lead_days
        return lead is not None and lead >= IN_TIME


@dataclass(frozen=True)
class Review:
    losses: int
    warned: int  # at least IN_TIME days before
    late: int  # warned, but later than that
    lead_days: float | None  # median of all that were warned
    by_rule: dict[int, int]  # rule -> losses before which it showed an alert in time

    @property
    def share(self) -> float | None:
        return self.warned / self.losses if self.losses else None


def review(losses: Sequence[Loss]) -> Review:
    leads = [one.lead_days for one in losses if one.lead_days is not None]
    by_rule: Counter[int] = Counter()
    for loss in losses:
        rules = {
            one.rule_id for one in loss.shown if (loss.ended_on - one.opened_on).days >= IN_TIME
        }
        by_rule.update(rules)
    warned = sum(one.is_warned for one in losses)
    return Review(
        losses=len(losses),
        warned=warned,
        late=len(leads) - warned,
        lead_days=float(median(leads)) if leads else None,
        by_rule=dict(by_rule.most_common()),
    )
