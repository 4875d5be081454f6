"""Who stands in for whom while people are on leave. Pure; first and last day are both included."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

LONGEST_CHAIN = 5  # a deputy's deputy's deputy …: further nobody follows


@dataclass(frozen=True)
class Leave:
    user_id: int
    first: date
    last: date
    deputy_id: int | None


def stand_in(user_id: int, leaves: Sequence[Leave], day: date) -> int | None:
    """Who does the work of `user_id` on the day: themselves where they are not away; else the
    deputy, or theirs where that one is away too; None: everybody in the chain is away."""
    away = {one.user_id: one for one in leaves if one.first <= day <= one.last}
    here: int | None = user_id
    for _ in range(LONGEST_CHAIN + 1):
        if here is None or here not in away:
            return here
        here = away[here].deputy_id
    return None


def covers(leaves: Sequence[Leave]) -> dict[int, list[tuple[int, date, date]]]:
    """Deputy -> [(whom, first, last)]: whose work each may see and when, deputies of deputies
    included for the days on which both are away."""
    by_user = {one.user_id: one for one in leaves}
    found: dict[int, list[tuple[int, date, date]]] = {}
    for one in leaves:
        first, last, here = one.first, one.last, one.deputy_id
        for _ in range(LONGEST_CHAIN):
            if here is None or here == one.user_id or first > last:
                break
            found.setdefault(here, []).append((one.user_id, first, last))
            further = by_user.get(here)
            if further is None:
                break
            first, last = max(first, further.first), min(last, further.last)
            here = further.deputy_id
    return {pk: sorted(rows) for pk, rows in found.items()}
