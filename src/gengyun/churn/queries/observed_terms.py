"""Contract terms that end and what became of them: renewals, early ends, months that run on."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from gengyun.churn.calc.observed import NEVER, Dues
from gengyun.churn.calc.target import monthly
from gengyun.kernel.days import day_of, start_of
from gengyun.revenue.models import (
    ContractKind,
    Line,
    LineKind,
    Movement,
    MovementKind,
    Renewal,
    RenewalLine,
    RenewalState,
)

DAY = timedelta(days=1)
RECURRING = (LineKind.SUBSCRIPTION, LineKind.MAINTENANCE, LineKind.USAGE)


@dataclass
class Due:
    """One row of `calc.observed.Dues`."""

    account: int
    due: date
    known: date
    amount_minor: int
    starts: date | None
    group: int
    renewal: int = -1
    nth: int = 0
    discount: float = float("nan")
    auto_renew: float = float("nan")
    period_months: int = 0
    decided: date | None = None
    kept_minor: float = float("nan")
    ended: date | None = None
    involuntary: int = 0


def dues(until: date) -> Dues:
    """Known before `until`; an outcome that came later is not in it."""
    groups: dict[str, int] = {}
    found = [*_renewals(until, groups), *_early(until, groups), *_months(until, groups)]
    if not found:
        return Dues.none()
    columns: dict[str, Any] = {
        name: [getattr(one, name) for one in found] for name in asdict(found[0])
    }
    for name in ("due", "known", "starts", "decided", "ended"):
        columns[name] = np.array(
            [NEVER if day is None else day for day in columns[name]], dtype="datetime64[D]"
        )
    return Dues.of(**columns)


def _renewals(until: date, groups: dict[str, int]) -> list[Due]:
    terms = _terms()
    rows = (
        Renewal.objects.filter(created_at__lt=start_of(until))
        .exclude(state=RenewalState.MERGED)
        .order_by("customer_id", "group", "due_on", "pk")
    )
    seen: dict[tuple[int, str], int] = defaultdict(int)
    found = []
    for row in rows:
        term = terms.get(row.pk, _Term())
        decided = row.decided_on if row.state != RenewalState.OPEN else None
        is_told = decided is not None and decided < until
        kept = row.outcome_minor if row.state == RenewalState.RENEWED and is_told else None
        found.append(
            Due(
                account=row.customer_id,
                due=row.due_on,
                known=day_of(row.created_at),
                amount_minor=row.due_minor,
                starts=term.starts,
                group=groups.setdefault(row.group, len(groups)),
                renewal=row.pk,
                nth=seen[row.customer_id, row.group],
                discount=term.discount,
                auto_renew=term.auto_renew,
                decided=decided if is_told else None,
                kept_minor=float("nan") if kept is None else float(kept),
                involuntary=int(row.involuntary and is_told),
            )
        )
        seen[row.customer_id, row.group] += 1
    return found


@dataclass
class _Term:
    starts: date | None = None
    discount: float = float("nan")
    auto_renew: float = float("nan")


def _terms() -> dict[int, _Term]:
    """Of the lines that come due together: the earliest start, the largest discount."""
    found: dict[int, _Term] = {}
    rows = RenewalLine.objects.filter(line__voided_at__isnull=True).order_by("pk")
    for pk, starts, discount, auto in rows.values_list(
        "renewal_id", "line__starts_on", "line__discount_bp", "line__contract__auto_renew"
    ):
        term = found.setdefault(pk, _Term(starts, auto_renew=0.0))
        term.starts = starts if term.starts is None else min(term.starts, starts)
        if discount is not None:
            term.discount = np.fmax(term.discount, discount / 10_000).item()
        term.auto_renew = max(term.auto_renew, float(auto))
    return found


def _early(until: date, groups: dict[str, int]) -> list[Due]:
    """Fixed terms that were ended before they came due: such a term has no renewal."""
    rows = Movement.objects.filter(
        kind=MovementKind.CHURN,
        due_on__isnull=True,
        known_at__lt=start_of(until),
        line__isnull=False,
        line__ends_on__isnull=False,
        line__contract__ended_on__isnull=False,
        corrections__isnull=True,
    )
    found = []
    for row in rows.select_related("line").order_by("pk"):
        line = row.line
        if line is None or line.ends_on is None:
            continue
        found.append(
            Due(
                account=row.customer_id,
                due=line.ends_on,
                known=day_of(line.known_at),
                amount_minor=-row.arr_minor,
                starts=line.starts_on,
                group=groups.setdefault(line.group, len(groups)),
                decided=day_of(row.known_at),
                ended=row.effective_on - DAY,
                involuntary=int(row.involuntary),
            )
        )
    return found


def _months(until: date, groups: dict[str, int]) -> list[Due]:
    """Each month of what runs on by itself is a renewal of its own (science.md 4.2)."""
    runs: dict[tuple[int, str], _Run] = {}
    lines = Line.objects.filter(
        contract__kind=ContractKind.OPEN,
        kind__in=RECURRING,
        voided_at__isnull=True,
        known_at__lt=start_of(until),
        ends_on__isnull=True,
    ).select_related("contract")
    for line in lines.order_by("pk"):
        run = runs.setdefault((line.customer_id, line.group), _Run())
        run.arr_minor += line.arr_minor
        run.starts.append(line.contract.starts_on)
        run.known.append(day_of(line.contract.known_at))
        run.ended.append(line.contract.ended_on)
    found = []
    for (customer_id, group), run in runs.items():
        ended = run.end(until)
        known = min(run.known)
        months = monthly(starts=min(run.starts), ended=ended, until=until)
        for nth, (first, last, goes_on) in enumerate(months):
            is_over = goes_on and last < until
            found.append(
                Due(
                    account=customer_id,
                    due=last,
                    known=max(known, first - DAY),
                    amount_minor=run.arr_minor,
                    starts=first,
                    group=groups.setdefault(group, len(groups)),
                    nth=nth,
                    auto_renew=1.0,
                    period_months=1,
                    decided=last if is_over else None,
                    kept_minor=float(run.arr_minor) if is_over else float("nan"),
                    ended=None if goes_on else ended,
                )
            )
    return found


@dataclass
class _Run:
    """Open-ended contracts of one customer and group: it is gone when the last of them is."""

    arr_minor: int = 0
    starts: list[date] = field(default_factory=list)
    known: list[date] = field(default_factory=list)
    ended: list[date | None] = field(default_factory=list)

    def end(self, until: date) -> date | None:
        days = [day for day in self.ended if day is not None and day < until]
        return max(days) if len(days) == len(self.ended) else None
