"""What a group of companies adds up to: amounts, the health of the whole, and its worst member."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

ORDER = "DCBA"  # the worst first; N (not enough data) is no judgement


@dataclass(frozen=True)
class Share:
    """One company of the group, as far as it counts."""

    pk: int
    arr_minor: int | None
    currency: str
    score: float | None
    band: str


@dataclass(frozen=True)
class RollUp:
    amounts: dict[str, int] = field(default_factory=dict)  # currency -> ARR of those that know it
    unknown_count: int = 0  # companies whose ARR nobody knows
    score: float | None = None
    scored_count: int = 0
    worst: int | None = None  # pk


def roll_up(shares: Sequence[Share]) -> RollUp:
    """ARR is added per currency. Health of the whole = sum(ARR * score) / sum(ARR) over companies
    with a score and a known ARR; None when there are none, or when currencies differ (amounts that
    cannot be added cannot weigh). The worst: lowest band, then lowest score, then larger amount.
    """
    amounts: dict[str, int] = defaultdict(int)
    for share in shares:
        if share.arr_minor is not None:
            amounts[share.currency] += share.arr_minor
    weighed = [s for s in shares if s.score is not None and s.arr_minor]
    total = sum(s.arr_minor or 0 for s in weighed)
    is_one = len({s.currency for s in weighed}) == 1
    score = sum((s.arr_minor or 0) * (s.score or 0.0) for s in weighed) / total if is_one else None
    judged = [s for s in shares if s.band in ORDER and s.score is not None]
    worst = min(
        judged,
        key=lambda s: (ORDER.index(s.band), s.score or 0.0, -(s.arr_minor or 0), s.pk),
        default=None,
    )
    return RollUp(
        amounts=dict(amounts),
        unknown_count=sum(share.arr_minor is None for share in shares),
        score=score,
        scored_count=len(weighed) if is_one else 0,
        worst=worst.pk if worst else None,
    )
