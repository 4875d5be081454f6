"""Scorecards: making them, their order, publishing. History is never re-judged silently."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from gengyun.customers.models import Tier
from gengyun.health.calc.config import ConfigInvalid, Problem, parse_config
from gengyun.health.models import Scorecard, ScorecardVersion
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require
from gengyun.usage.models import Metric


class BadScorecard(Refusal):
    """`problems` lists every fault with its path; the editor shows each beside its field."""

    code = "bad_scorecard"
    message = "The scorecard has %(count)s faults; the first: %(first)s"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        first = problems[0]
        super().__init__(count=len(problems), first=f"{first.path}: {first.message % first.params}")


class EffectiveDayPast(Refusal):
    code = "effective_day_past"
    message = "A new version takes effect today or later; past scores keep the rules of their day."


class ScorecardNameMissing(Refusal):
    code = "scorecard_name_missing"
    message = "A scorecard needs a Chinese and an English name."


class DefaultCardMissing(Refusal):
    code = "default_card_missing"
    message = "The last scorecard must be for every tier."


def check_config(config: Any) -> None:
    """Refuse a configuration that cannot be used, with every fault."""
    known = Metric.objects.filter(retired_at__isnull=True).values_list("key", flat=True)
    try:
        parse_config(config, known_metrics=known)
    except ConfigInvalid as error:
        raise BadScorecard(error.problems) from error


@transaction.atomic
def create_scorecard(
    *, actor: User | None, now: datetime, name_zh: str, name_en: str, tier: Tier | None
) -> Scorecard:
    """A new scorecard in the first place, so that it matches before the default. No version yet."""
    require(actor, "settings.edit")
    name_zh, name_en = name_zh.strip()[:60], name_en.strip()[:60]
    if not name_zh or not name_en:
        raise ScorecardNameMissing
    last = Scorecard.objects.aggregate(last=Max("position"))["last"] or 0
    card = Scorecard.objects.create(name_zh=name_zh, name_en=name_en, tier=tier, position=last + 1)
    record(actor=actor, now=now, action="scorecard.created", obj=card)
    if last:
        others = list(Scorecard.objects.exclude(pk=card.pk).values_list("pk", flat=True))
        _put_in_order([card.pk, *others])
    card.refresh_from_db()
    return card


@transaction.atomic
def reorder_scorecards(*, actor: User | None, now: datetime, order: Sequence[int]) -> None:
    """Set the order; the first that matches judges, so the last must be for every tier."""
    require(actor, "settings.edit")
    cards = {card.pk: card for card in Scorecard.objects.select_for_update()}
    if sorted(order) != sorted(cards):
        raise NotFound
    if cards[order[-1]].tier_id is not None:
        raise DefaultCardMissing
    before = [card.pk for card in sorted(cards.values(), key=lambda card: card.position)]
    _put_in_order(order)
    changes = {"order": [before, list(order)]}
    record(actor=actor, now=now, action="scorecard.reordered", obj=cards[order[0]], changes=changes)


def _put_in_order(order: Sequence[int]) -> None:
    # positions are unique: step aside first
    far = (Scorecard.objects.aggregate(last=Max("position"))["last"] or 0) + 1
    for step in (far, 1):
        for place, pk in enumerate(order):
            Scorecard.objects.filter(pk=pk).update(position=step + place)


@transaction.atomic
def publish_version(
    *,
    actor: User | None,
    now: datetime,
    scorecard: Scorecard,
    config: Any,
    effective_from: date | None,
    note: str = "",
) -> ScorecardVersion:
    """Put a configuration in force from a day on. None, "from the beginning", is only for the
    first version: days that were judged keep the rules they were judged by."""
    require(actor, "settings.edit")
    check_config(config)
    Scorecard.objects.select_for_update().get(pk=scorecard.pk)
    last = scorecard.versions.aggregate(last=Max("number"))["last"] or 0
    if last and (effective_from is None or effective_from < day_of(now)):
        raise EffectiveDayPast
    version = ScorecardVersion.objects.create(
        scorecard=scorecard,
        number=last + 1,
        config=config,
        effective_from=effective_from,
        note=note.strip()[:200],
        published_at=now,
        published_by=actor,
    )
    changes = {
        "number": last + 1,
        "effective_from": effective_from.isoformat() if effective_from else None,
        "note": version.note,
    }
    record(actor=actor, now=now, action="scorecard.published", obj=scorecard, changes=changes)
    return version
