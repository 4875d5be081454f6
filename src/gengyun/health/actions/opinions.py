"""What people say about a customer's health: said, taken back, and shown at once."""

import math
from datetime import date, datetime, timedelta

from django.db import transaction

from gengyun.customers.actions.scope import mine
from gengyun.customers.models import Customer
from gengyun.health.actions.live import refresh_live
from gengyun.health.calc import manual
from gengyun.health.models import HealthOverride, HealthScore, Sentiment
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.lake.store import Lake
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

DEFAULT_DAYS, LONGEST_DAYS = 30, 90
REASON_LENGTH = 300


class ReasonMissing(Refusal):
    code = "reason_missing"
    message = "Say why: others will read it."


class LevelUnknown(Refusal):
    code = "level_unknown"
    message = "Choose one of the four levels."


class PointsOutOfRange(Refusal):
    code = "points_out_of_range"
    message = "A score lies between 0 and 100, an adjustment between -50 and 50."


class UntilOutOfRange(Refusal):
    code = "until_out_of_range"
    message = "Choose a day from today on, at most %(days)s days away."


@transaction.atomic
def set_sentiment(
    *,
    actor: User | None,
    now: datetime,
    customer: Customer,
    level: int,
    reason: str,
    lake: Lake | None = None,
) -> Sentiment:
    """How the customer stands in the eyes of the person; expires by itself, see `manual`."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    if level not in manual.LEVELS:
        raise LevelUnknown
    said = Sentiment.objects.create(
        customer=row,
        level=level,
        reason=_reason(reason),
        author=actor,
        known_at=now,
        valid_until=manual.valid_until(level, day_of(now)),
    )
    record(
        actor=actor,
        now=now,
        action="health.sentiment",
        obj=row,
        changes={"level": [None, level], "until": [None, said.valid_until]},
    )
    _show(row.pk, now, lake)
    return said


@transaction.atomic
def take_back_sentiment(
    *, actor: User | None, now: datetime, customer: Customer, sentiment_id: int
) -> None:
    """The one before it counts again, while it is valid."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    said = row.sentiments.select_for_update().filter(pk=sentiment_id, ended_at=None).first()
    if said is None:
        raise NotFound
    Sentiment.objects.filter(pk=said.pk).update(ended_at=now)
    changes = {"level": [said.level, None]}
    record(actor=actor, now=now, action="health.sentiment_taken_back", obj=row, changes=changes)
    _show(row.pk, now, None)


@transaction.atomic
def set_override(
    *,
    actor: User | None,
    now: datetime,
    customer: Customer,
    mode: str,
    points: float,
    reason: str,
    until: date | None = None,
    lake: Lake | None = None,
) -> HealthOverride:
    """Put a person's word above the computed score, for 30 days unless said otherwise (90 most)."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    low, high = (0, 100) if mode == HealthOverride.Mode.SET else (-50, 50)
    if mode not in HealthOverride.Mode.values or not math.isfinite(points):
        raise PointsOutOfRange
    if not low <= points <= high:
        raise PointsOutOfRange
    today = day_of(now)
    until = until or today + timedelta(days=DEFAULT_DAYS)
    if not today <= until <= today + timedelta(days=LONGEST_DAYS):
        raise UntilOutOfRange(days=LONGEST_DAYS)
    made = HealthOverride.objects.create(
        customer=row,
        mode=mode,
        points=points,
        reason=_reason(reason),
        author=actor,
        known_at=now,
        valid_until=until,
    )
    record(
        actor=actor,
        now=now,
        action="health.override",
        obj=row,
        changes={"mode": [None, mode], "points": [None, points], "until": [None, until]},
    )
    _show(row.pk, now, lake)
    return made


@transaction.atomic
def end_overrides(
    *, actor: User | None, now: datetime, customer: Customer, lake: Lake | None = None
) -> list[int]:
    """Back to the computed score; returns what was ended, for putting it back."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    live = row.overrides.select_for_update().filter(ended_at=None)
    ended = list(live.values_list("pk", flat=True))
    if not ended:
        raise NotFound
    live.update(ended_at=now, ended_by=actor)
    record(actor=actor, now=now, action="health.override_ended", obj=row)
    _show(row.pk, now, lake)
    return ended


@transaction.atomic
def take_back_override(
    *, actor: User | None, now: datetime, customer: Customer, override_id: int
) -> None:
    """Undo of `set_override`: the one before it counts again, while it is valid."""
    require(actor, "customer.edit")
    row = mine(actor, customer)
    done = row.overrides.filter(pk=override_id, ended_at=None).update(ended_at=now, ended_by=actor)
    if not done:
        raise NotFound
    record(actor=actor, now=now, action="health.override_ended", obj=row)
    _show(row.pk, now, None)


@transaction.atomic
def renew_override(
    *, actor: User | None, now: datetime, customer: Customer, override_id: int
) -> HealthOverride:
    """Undo of `end_overrides`: said once more, with the same reason and end. What was known on
    the days between stays what it was."""
    require(actor, "customer.edit")
    old = mine(actor, customer).overrides.filter(pk=override_id).first()
    if old is None or old.valid_until < day_of(now):
        raise NotFound
    return set_override(
        actor=actor,
        now=now,
        customer=customer,
        mode=old.mode,
        points=old.points,
        reason=old.reason,
        until=old.valid_until,
    )


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise ReasonMissing
    return text[:REASON_LENGTH]


def _show(customer_id: int, now: datetime, lake: Lake | None) -> None:
    """Pages show it at once; the instant itself counts as said before."""
    if HealthScore.objects.filter(pk=customer_id).exists():
        refresh_live([customer_id], now=now + timedelta(microseconds=1), lake=lake)
