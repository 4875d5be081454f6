"""Scorecards: making them, their order, publishing. History is never re-judged silently."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from gengyun.customers.models import Stage, Tier
from gengyun.health.calc.config import ConfigInvalid, Problem, parse_config
from gengyun.health.models import (
    HealthScore,
    Scorecard,
    ScorecardDraft,
    ScorecardOrder,
    ScorecardVersion,
)
from gengyun.health.queries.cards import known_inputs
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require


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
    message = "The last scorecard must be for every tier and every stage."


class SameScope(Refusal):
    """Two cards for exactly the same customers: only the upper one would ever judge."""

    code = "same_scope"
    status = 409
    message = "%(name)s is already for exactly these tiers and stages."


class NoDraft(Refusal):
    code = "no_draft"
    status = 409
    message = "There is no draft."


def check_config(config: Any) -> None:
    """Refuse a configuration that cannot be used, with every fault."""
    try:
        parse_config(config, known_metrics=known_inputs())
    except ConfigInvalid as error:
        raise BadScorecard(error.problems) from error


@transaction.atomic
def create_scorecard(
    *,
    actor: User | None,
    now: datetime,
    name_zh: str,
    name_en: str,
    tier: Tier | None = None,
    tiers: Collection[Tier] = (),
    stages: Collection[str] = (),
) -> Scorecard:
    """A new scorecard in the first place, so that it matches before the default. No version yet.

    It joins every order, those of the past too: without a version in force it takes no part.
    """
    require(actor, "settings.edit")
    name_zh, name_en = name_zh.strip()[:60], name_en.strip()[:60]
    if not name_zh or not name_en:
        raise ScorecardNameMissing
    scope = _scope([*tiers, *([tier] if tier else [])], stages)
    _refuse_same(scope, but=None)
    last = Scorecard.objects.aggregate(last=Max("position"))["last"] or 0
    card = Scorecard.objects.create(
        name_zh=name_zh,
        name_en=name_en,
        tier_ids=scope["tiers"],
        stage_keys=scope["stages"],
        position=last + 1,
    )
    record(actor=actor, now=now, action="scorecard.created", obj=card)
    for order in ScorecardOrder.objects.select_for_update():
        order.entries = [{"card": card.pk, **scope}, *order.entries]
        order.save(update_fields=["entries"])
    if not last:
        ScorecardOrder.objects.create(
            entries=[{"card": card.pk, **scope}], made_at=now, made_by=actor
        )
    others = list(Scorecard.objects.exclude(pk=card.pk).values_list("pk", flat=True))
    _put_in_order([card.pk, *others])
    card.refresh_from_db()
    return card


def _scope(tiers: Collection[Tier], stages: Collection[str]) -> dict[str, list[Any]]:
    known = set(Stage.objects.filter(key__in=stages).values_list("key", flat=True))
    if known != set(stages):
        raise NotFound
    return {"tiers": sorted({tier.pk for tier in tiers}), "stages": sorted(known)}


def _refuse_same(scope: dict[str, list[Any]], *, but: Scorecard | None) -> None:
    for card in present_cards():
        same = card.tier_ids == scope["tiers"] and card.stage_keys == scope["stages"]
        if same and (but is None or card.pk != but.pk):
            raise SameScope(name=str(card))


def present_cards() -> QuerySet[Scorecard]:
    return Scorecard.objects.filter(retired_at__isnull=True).order_by("position")


@transaction.atomic
def edit_scorecard(
    *,
    actor: User | None,
    now: datetime,
    scorecard: Scorecard,
    name_zh: str,
    name_en: str,
    tiers: Collection[Tier],
    stages: Collection[str],
) -> Scorecard:
    """Its names and whom it is for, from today on."""
    require(actor, "settings.edit")
    card = Scorecard.objects.select_for_update().get(pk=scorecard.pk)
    name_zh, name_en = name_zh.strip()[:60], name_en.strip()[:60]
    if not name_zh or not name_en:
        raise ScorecardNameMissing
    scope = _scope(tiers, stages)
    _refuse_same(scope, but=card)
    new = {
        "name_zh": name_zh,
        "name_en": name_en,
        "tier_ids": scope["tiers"],
        "stage_keys": scope["stages"],
    }
    told = {k: [getattr(card, k), v] for k, v in new.items() if getattr(card, k) != v}
    if not told:
        return card
    Scorecard.objects.filter(pk=card.pk).update(**new)
    record(actor=actor, now=now, action="scorecard.edited", obj=card, changes=told)
    if "tier_ids" in told or "stage_keys" in told:
        _new_order(actor, now)
    card.refresh_from_db()
    return card


@transaction.atomic
def reorder_scorecards(*, actor: User | None, now: datetime, order: Sequence[int]) -> None:
    """Set the order from today on; the first that matches judges, so the last must be for all."""
    require(actor, "settings.edit")
    cards = {
        card.pk: card
        for card in Scorecard.objects.select_for_update().filter(retired_at__isnull=True)
    }
    if sorted(order) != sorted(cards):
        raise NotFound
    if not cards[order[-1]].is_for_all:
        raise DefaultCardMissing
    before = [card.pk for card in sorted(cards.values(), key=lambda card: card.position)]
    retired = Scorecard.objects.filter(retired_at__isnull=False).values_list("pk", flat=True)
    _put_in_order([*order, *retired])
    _new_order(actor, now)
    changes = {"order": [before, list(order)]}
    record(actor=actor, now=now, action="scorecard.reordered", obj=cards[order[0]], changes=changes)


@transaction.atomic
def retire_scorecard(*, actor: User | None, now: datetime, scorecard: Scorecard) -> None:
    """It judges nobody from today on; the days it judged keep it."""
    require(actor, "settings.edit")
    card = Scorecard.objects.select_for_update().get(pk=scorecard.pk)
    others = [other for other in present_cards() if other.pk != card.pk]
    if not others or not others[-1].is_for_all or not others[-1].versions.exists():
        raise DefaultCardMissing
    Scorecard.objects.filter(pk=card.pk).update(retired_at=now)
    _new_order(actor, now)
    record(actor=actor, now=now, action="scorecard.retired", obj=card)


@transaction.atomic
def restore_scorecard(*, actor: User | None, now: datetime, scorecard: Scorecard) -> None:
    """Back in its place, from today on."""
    require(actor, "settings.edit")
    card = Scorecard.objects.select_for_update().get(pk=scorecard.pk)
    _refuse_same({"tiers": card.tier_ids, "stages": card.stage_keys}, but=card)
    Scorecard.objects.filter(pk=card.pk).update(retired_at=None)
    order = list(present_cards())
    # the one for all stays last, wherever this one stood
    order.sort(key=lambda one: (one.is_for_all, one.position))
    retired = Scorecard.objects.filter(retired_at__isnull=False).values_list("pk", flat=True)
    _put_in_order([*(one.pk for one in order), *retired])
    _new_order(actor, now)
    record(actor=actor, now=now, action="scorecard.restored", obj=card)


def _new_order(actor: User | None, now: datetime) -> None:
    """The order as the rows now say it, from today on; today's earlier one is replaced."""
    today = day_of(now)
    entries = [
        {"card": card.pk, "tiers": card.tier_ids, "stages": card.stage_keys}
        for card in present_cards()
    ]
    values = {"entries": entries, "made_at": now, "made_by": actor}
    ScorecardOrder.objects.update_or_create(effective_from=today, defaults=values)


def _put_in_order(order: Sequence[int]) -> None:
    # positions are unique: step aside first
    far = (Scorecard.objects.aggregate(last=Max("position"))["last"] or 0) + 1
    for step in (far, 1):
        for place, pk in enumerate(order):
            Scorecard.objects.filter(pk=pk).update(position=step + place)


@transaction.atomic
def save_draft(
    *, actor: User | None, now: datetime, scorecard: Scorecard, config: Any
) -> ScorecardDraft:
    """Keep unpublished work; it may hold faults, publishing refuses them."""
    require(actor, "settings.edit")
    base = scorecard.versions.aggregate(last=Max("number"))["last"] or 0
    values = {"config": config, "base_number": base, "saved_at": now, "saved_by": actor}
    draft, created = ScorecardDraft.objects.update_or_create(
        scorecard=scorecard, defaults=values, create_defaults=values
    )
    if created:
        record(actor=actor, now=now, action="scorecard.draft", obj=scorecard)
    return draft


@transaction.atomic
def discard_draft(*, actor: User | None, now: datetime, scorecard: Scorecard) -> ScorecardDraft:
    """Throw the draft away; returns it, so that it can be put back."""
    require(actor, "settings.edit")
    draft = ScorecardDraft.objects.select_for_update().filter(scorecard=scorecard).first()
    if draft is None:
        raise NoDraft
    draft.delete()
    record(actor=actor, now=now, action="scorecard.draft_discarded", obj=scorecard)
    return draft


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
    """Put a configuration in force from a day on; the draft has done its work. None, "from the
    beginning", is only for a first version before any day was judged: past days keep the rules
    they were judged by."""
    require(actor, "settings.edit")
    check_config(config)
    Scorecard.objects.select_for_update().get(pk=scorecard.pk)
    last = scorecard.versions.aggregate(last=Max("number"))["last"] or 0
    is_past = effective_from is not None and effective_from < day_of(now)
    reaches_back = effective_from is None and (last or HealthScore.objects.exists())
    if is_past or reaches_back:
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
    ScorecardDraft.objects.filter(scorecard=scorecard).delete()
    return version
