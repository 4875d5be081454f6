"""May the challenger take the champion's place? science.md 4.3, "Guard".

Both are asked about renewals that neither had learned from, and only what came out counts.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from gengyun.churn.calc.table import NO_TIER, Days, Floats, Ints

FEWEST_OUTCOMES, FEWEST_EVENTS = 20, 5  # below it nothing can be shown
TIER_OUTCOMES = 20  # a tier with fewer says nothing about itself
TIER_POINTS = 0.05
INSIDE = 1e-6


@dataclass(frozen=True)
class Verdict:
    """`gain` of mean log-loss (above 0: the challenger is better) with its standard error."""

    takes_over: bool
    reason: str  # better, too_few, not_better, tier_off
    outcomes: int
    events: int
    gain: float | None = None
    error: float | None = None
    champion_loss: float | None = None
    challenger_loss: float | None = None
    tiers: Mapping[str, Any] = field(default_factory=dict)  # index -> what was off by how much

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def enough(y: Floats, account: Ints) -> bool:
    """Whether these outcomes can show anything."""
    lost = len(np.unique(account[y == 1]))
    return len(np.unique(account)) >= FEWEST_OUTCOMES and lost >= FEWEST_EVENTS


def compare(
    y: Floats, *, champion: Floats, challenger: Floats, account: Ints, tier: Ints
) -> Verdict:
    """Probabilities of both for the same decided rows; rows of one account stand together.

    The challenger takes over when its log-loss is lower by more than one standard error (clustered
    by account) and in no tier the mean of its probabilities lies more than 5 points further from
    what happened than the champion's.
    """
    accounts, place = np.unique(account, return_inverse=True)
    events = len(np.unique(account[y == 1]))
    few = Verdict(takes_over=False, reason="too_few", outcomes=len(accounts), events=events)
    if not enough(y, account):
        return few
    old, new = log_loss(y, champion), log_loss(y, challenger)
    difference = old - new
    gain = float(difference.mean())
    sums = np.bincount(place, weights=difference - gain, minlength=len(accounts))
    error = float(np.sqrt((sums**2).sum() * len(accounts) / (len(accounts) - 1)) / len(y))
    tiers = _tiers(y, champion, challenger, tier)
    reason = "better"
    if gain <= error:
        reason = "not_better"
    elif any(row["further"] > TIER_POINTS for row in tiers.values()):
        reason = "tier_off"
    return Verdict(
        takes_over=reason == "better",
        reason=reason,
        outcomes=len(accounts),
        events=events,
        gain=gain,
        error=error,
        champion_loss=float(old.mean()),
        challenger_loss=float(new.mean()),
        tiers=tiers,
    )


def log_loss(y: Floats, p: Floats) -> Floats:
    """Of each row: −ln of the probability given to what happened."""
    inside = np.clip(p, INSIDE, 1 - INSIDE)
    return np.asarray(-np.where(y == 1, np.log(inside), np.log(1 - inside)))


def _tiers(y: Floats, champion: Floats, challenger: Floats, tier: Ints) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index in np.unique(tier[tier != NO_TIER]):
        here = tier == index
        if here.sum() < TIER_OUTCOMES:
            continue
        was = abs(float((champion[here] - y[here]).mean()))
        now = abs(float((challenger[here] - y[here]).mean()))
        found[str(int(index))] = {"champion": was, "challenger": now, "further": now - was}
    return found


def origins(since: np.datetime64, until: np.datetime64, count: int) -> Days:
    """`count` days between the two at equal distances, the first after `since`: from each of them a
    challenger is made that knows nothing later, and asked about what came until the next."""
    span = (until - since).astype("timedelta64[D]").astype(np.int64)
    steps = (np.arange(1, count + 1) * span) // (count + 1)
    days = np.unique(since.astype("datetime64[D]") + steps.astype("timedelta64[D]"))
    return np.asarray(days[(days > since) & (days < until)])
