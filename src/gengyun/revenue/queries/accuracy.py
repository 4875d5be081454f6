"""Forecast against outcome: what was said 90, 60 and 30 days before the due date, and what came.

What was said is found by going back through the changes, to the day; the weekly snapshot tells
whose renewal it was and in which tier the customer stood then.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from gengyun.kernel.days import start_of
from gengyun.revenue.calc.accuracy import LEADS, Accuracy, HitRate, Outcome, by_key, hit_rates
from gengyun.revenue.models import (
    Category,
    Renewal,
    RenewalChange,
    RenewalSnapshot,
    RenewalState,
)
from gengyun.revenue.queries.renewals import Convert, Filters, scoped
from gengyun.team.models import User

CHUNK = 500
FIELDS = ("category", "forecast_minor")
Said = tuple[str, int | None]


@dataclass(frozen=True)
class Judged:
    """A decided renewal at one lead time."""

    pk: int
    customer_id: int
    due_on: date
    owner_id: int | None
    tier_id: int | None
    outcome: Outcome


@dataclass
class Report:
    rows: dict[int, list[Judged]] = field(default_factory=dict)  # lead -> rows
    early: dict[int, int] = field(default_factory=dict)  # decided before the lead time
    unknown: dict[int, int] = field(default_factory=dict)  # made after it
    decided: int = 0
    without_rate: int = 0

    def by_lead(self) -> dict[int, Accuracy]:
        found = by_key((lead, row.outcome) for lead, rows in self.rows.items() for row in rows)
        return {lead: found[lead] for lead in LEADS if lead in found}

    def by(self, lead: int, name: str) -> dict[Any, Accuracy]:
        """`name`: owner_id, tier_id or quarter."""
        rows = self.rows.get(lead, [])
        if name == "quarter":
            return by_key((_quarter(row.due_on), row.outcome) for row in rows)
        return by_key((getattr(row, name), row.outcome) for row in rows)

    def hits(self, lead: int) -> dict[str, HitRate]:
        return hit_rates(row.outcome for row in self.rows.get(lead, []))


def _quarter(day: date) -> date:
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def report(
    actor: User | None, filters: Filters, first: date, last: date, convert: Convert
) -> Report:
    """Renewals due first..last that are decided. Amounts in the base currency."""
    rows = list(
        scoped(actor, filters)
        .filter(due_on__gte=first, due_on__lte=last)
        .filter(state__in=(RenewalState.RENEWED, RenewalState.LOST))
        .select_related("customer")
        .order_by("pk")
    )
    ids = [row.pk for row in rows]
    changes, snapshots = _changes(ids), _snapshots(ids)
    found = Report(decided=len(rows))
    for row in rows:
        due = convert(row.due_minor, row.currency)
        if due is None:
            found.without_rate += 1
            continue
        for lead in LEADS:
            day = row.due_on - timedelta(days=lead)
            moment = start_of(day)
            if row.created_at >= moment:
                found.unknown[lead] = found.unknown.get(lead, 0) + 1
                continue
            if row.decided_on is not None and row.decided_on < day:
                found.early[lead] = found.early.get(lead, 0) + 1
                continue
            now = (row.category, row.forecast_minor)
            category, forecast = _said(changes.get(row.pk, []), moment, now)
            owner_id, tier_id = _whose(
                snapshots.get(row.pk, []), day, (row.owner_id, row.customer.tier_id)
            )
            said = None if category == Category.UNJUDGED or forecast is None else forecast
            found.rows.setdefault(lead, []).append(
                Judged(
                    row.pk,
                    row.customer_id,
                    row.due_on,
                    owner_id,
                    tier_id,
                    Outcome(
                        due_minor=due,
                        forecast_minor=None if said is None else convert(said, row.currency) or 0,
                        actual_minor=convert(row.outcome_minor or 0, row.currency) or 0,
                        category=category,
                        renewed=row.state == RenewalState.RENEWED,
                    ),
                )
            )
    return found


def _changes(ids: Sequence[int]) -> dict[int, list[tuple[datetime, str, Any]]]:
    """Renewal -> (when, field, value before), oldest first."""
    found: dict[int, list[tuple[datetime, str, Any]]] = defaultdict(list)
    for start in range(0, len(ids), CHUNK):
        rows = RenewalChange.objects.filter(
            renewal_id__in=ids[start : start + CHUNK], field__in=FIELDS
        )
        for pk, at, name, old in rows.order_by("at", "pk").values_list(
            "renewal_id", "at", "field", "old"
        ):
            found[pk].append((at, name, old))
    return found


def _said(changes: Sequence[tuple[datetime, str, Any]], moment: datetime, now: Said) -> Said:
    """Category and forecast in force before `moment`."""
    then: dict[str, Any] = dict(zip(FIELDS, now, strict=True))
    for at, name, old in reversed(changes):
        if at < moment:
            break
        then[name] = old
    return then["category"], then["forecast_minor"]


Whose = tuple[int | None, int | None]


def _snapshots(ids: Sequence[int]) -> dict[int, list[tuple[date, Whose]]]:
    found: dict[int, list[tuple[date, Whose]]] = defaultdict(list)
    for start in range(0, len(ids), CHUNK):
        rows = RenewalSnapshot.objects.filter(renewal_id__in=ids[start : start + CHUNK])
        for pk, on, owner_id, tier_id in rows.order_by("as_of").values_list(
            "renewal_id", "as_of", "owner_id", "tier_id"
        ):
            found[pk].append((on, (owner_id, tier_id)))
    return found


def _whose(snapshots: Sequence[tuple[date, Whose]], day: date, now: Whose) -> Whose:
    """Owner and tier on the last Monday before `day`; without a snapshot those of now."""
    held = [whose for on, whose in snapshots if on <= day]
    return held[-1] if held else now


MOST_CALLS = 20_000  # decided renewals, the newest first: enough for four shares
CALL_LEAD = 90  # days before the due date at which a category counts as a call


def outcomes_of_calls(as_of: date, *, days: int = 730) -> dict[str, tuple[int, int]]:
    """Category 90 days before -> (not renewed, decided), of what came due in the two years before
    `as_of` and was decided by then. What was signed or lost earlier was no call any more."""
    rows = list(
        Renewal.objects.filter(
            state__in=(RenewalState.RENEWED, RenewalState.LOST),
            due_on__gte=as_of - timedelta(days=days),
            due_on__lt=as_of,
            decided_on__lt=as_of,
        )
        .order_by("-due_on", "-pk")
        .values_list("pk", "due_on", "created_at", "decided_on", "category", "state")[:MOST_CALLS]
    )
    changes = _changes([row[0] for row in rows])
    found: dict[str, tuple[int, int]] = {}
    for pk, due_on, created_at, decided_on, now, state in rows:
        day = due_on - timedelta(days=CALL_LEAD)
        if created_at >= start_of(day) or decided_on < day:
            continue
        category, _ = _said(changes.get(pk, []), start_of(day), (now, None))
        lost, decided = found.get(category, (0, 0))
        found[category] = (lost + (state == RenewalState.LOST), decided + 1)
    return found
