"""Tiers, the table of rules that fills them, and the stages of each touch model."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nlargest
from typing import Any

from django.db import transaction

from gengyun.customers.actions.customers import back_to_rules
from gengyun.customers.actions.history import Change, Frame, write_changes
from gengyun.customers.calc.tiering import FIELDS, Rule, parse_conditions, problems, tier_for
from gengyun.customers.models import Customer, Tier, TierRule, TouchModel
from gengyun.customers.queries.tiers import active_rules
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

SHOWN = 6  # customers named per move
RuleData = Mapping[str, Any]  # {"tier": Tier | tier id, "conditions": [{"field", "op", "value"}]}


class RulesInvalid(Refusal):
    """`problem` is one of the codes of `calc.tiering`; `rule` counts from 1."""

    code = "rules_invalid"
    message = "Rule %(rule)s is not valid: %(problem)s."


class TierInvalid(Refusal):
    code = "tier_invalid"
    message = "A tier needs a name in both languages and a touch model."


class TierInUse(Refusal):
    code = "tier_in_use"
    status = 409
    message = "Customers or rules still use this tier."


@dataclass(frozen=True)
class Move:
    """How many customers would go from one tier to another (`None`: none yet)."""

    from_tier: Tier | None
    to_tier: Tier
    customer_count: int
    arr_minor: int = 0  # of those whose ARR is known
    largest: tuple["Moved", ...] = ()

    @property
    def is_up(self) -> bool | None:
        """To a more valuable tier (position 1 is the most valuable); None from no tier."""
        if self.from_tier is None:
            return None
        return self.to_tier.position < self.from_tier.position


@dataclass(frozen=True)
class Moved:
    """A customer that would change tier."""

    pk: int
    name: str
    arr_minor: int | None
    currency: str


@dataclass(frozen=True)
class Preview:
    moves: list[Move]
    counts: dict[int, int]  # tier id -> customers it would then hold
    moved_count: int
    manual_count: int  # customers whose tier was set by hand and stays


def preview_rules(rules: Sequence[RuleData], *, actor: User | None = None) -> Preview:
    """What saving these rules would move; nothing is written."""
    if actor is not None:
        require(actor, "settings.read")
    parsed = _parse(rules)
    tiers = {tier.pk: tier for tier in Tier.objects.all()}
    moves: dict[tuple[int | None, int], list[Moved]] = defaultdict(list)
    counts: Counter[int] = Counter()
    manual = 0
    for values in _placed().iterator(chunk_size=20_000):
        by_hand = values["tier_set_by_id"] is not None
        old = values["tier_id"]
        new = old if by_hand else tier_for(values, parsed)
        manual += by_hand
        if new is not None:
            counts[new] += 1
            if new != old:
                shown = (values[name] for name in ("pk", "name", "arr_minor", "currency"))
                moves[old, new].append(Moved(*shown))
    found = [_move(tiers.get(old or 0), tiers[new], rows) for (old, new), rows in moves.items()]
    return Preview(
        moves=sorted(found, key=lambda move: (-move.arr_minor, -move.customer_count)),
        counts=dict(counts),
        moved_count=sum(move.customer_count for move in found),
        manual_count=manual,
    )


def _move(old: Tier | None, new: Tier, rows: list[Moved]) -> Move:
    def amount(row: Moved) -> int:
        return row.arr_minor or 0

    largest = nlargest(SHOWN, rows, key=lambda row: (amount(row), -row.pk))
    return Move(old, new, len(rows), sum(map(amount, rows)), tuple(largest))


@transaction.atomic
def save_rules(*, actor: User | None, now: datetime, rules: Sequence[RuleData]) -> int:
    """Replace the table and move customers accordingly; returns how many moved."""
    require(actor, "settings.edit")
    parsed = _parse(rules)
    before = [_plain(rule) for rule in active_rules()]
    TierRule.objects.all().delete()
    TierRule.objects.bulk_create(
        [
            TierRule(tier_id=rule.tier_id, position=place, conditions=_plain(rule)["conditions"])
            for place, rule in enumerate(parsed, start=1)
        ]
    )
    last = TierRule.objects.get(position=len(parsed))
    after = [_plain(rule) for rule in parsed]
    record(
        actor=actor, now=now, action="tier.save_rules", obj=last, changes={"rules": [before, after]}
    )
    return apply_rules(actor=actor, now=now)


@transaction.atomic
def apply_rules(*, actor: User | None, now: datetime) -> int:
    """Place every customer whose tier was not set by hand; returns how many moved."""
    require(actor, "settings.edit")
    frame = Frame.load()
    ids = []
    for values in _placed().filter(tier_set_by__isnull=True).iterator(chunk_size=20_000):
        placed = tier_for(values, frame.rules)
        if placed is not None and placed != values["tier_id"]:
            ids.append((values["pk"], placed))
    moved = 0
    for start in range(0, len(ids), 5_000):
        wanted = dict(ids[start : start + 5_000])
        rows = Customer.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
        changes = [Change(row, {"tier_id": wanted[row.pk]}) for row in rows]
        moved += len(
            write_changes(changes, actor=actor, now=now, action="customer.set_tier", frame=frame)
        )
    return moved


@transaction.atomic
def expire_manual_tiers(*, now: datetime) -> int:
    """Give customers back to the rules whose manual tier has run out; part of the day's work."""
    frame = Frame.load()
    rows = Customer.objects.select_for_update().filter(
        tier_set_by__isnull=False, tier_until__lte=day_of(now)
    )
    done = write_changes(
        [back_to_rules(row, frame) for row in rows.order_by("pk")],
        actor=None,
        now=now,
        action="customer.clear_tier",
        frame=frame,
    )
    return len(done)


@transaction.atomic
def edit_tier(
    *, actor: User | None, now: datetime, tier: Tier, name_zh: str, name_en: str, touch_model: str
) -> Tier:
    require(actor, "settings.edit")
    row = Tier.objects.select_for_update().filter(pk=tier.pk).first()
    if row is None:
        raise NotFound
    values = _clean_tier(name_zh, name_en, touch_model)
    told = {
        name: [getattr(row, name), value]
        for name, value in values.items()
        if getattr(row, name) != value
    }
    if told:
        Tier.objects.filter(pk=row.pk).update(**values)
        record(actor=actor, now=now, action="tier.edit", obj=row, changes=told)
        row.refresh_from_db()
    return row


@transaction.atomic
def create_tier(
    *, actor: User | None, now: datetime, key: str, name_zh: str, name_en: str, touch_model: str
) -> Tier:
    """The new tier stands last; a rule must put customers into it."""
    require(actor, "settings.edit")
    if not key or Tier.objects.filter(key=key).exists():
        raise TierInvalid
    last = Tier.objects.order_by("-position").values_list("position", flat=True).first() or 0
    values = _clean_tier(name_zh, name_en, touch_model)
    tier = Tier.objects.create(key=key, position=last + 1, **values)
    record(actor=actor, now=now, action="tier.create", obj=tier)
    return tier


@transaction.atomic
def delete_tier(*, actor: User | None, now: datetime, tier: Tier) -> None:
    require(actor, "settings.edit")
    if tier.rules.exists() or Customer.objects.filter(tier=tier).exists():
        raise TierInUse
    record(actor=actor, now=now, action="tier.delete", obj=tier)
    tier.delete()


def _parse(rules: Sequence[RuleData]) -> list[Rule]:
    known = set(Tier.objects.values_list("pk", flat=True))
    parsed = []
    for place, data in enumerate(rules, start=1):
        tier = data.get("tier")
        tier_id = tier.pk if isinstance(tier, Tier) else tier
        if tier_id not in known:
            raise RulesInvalid(rule=place, problem="tier_unknown")
        try:
            conditions = parse_conditions(data.get("conditions") or ())
        except ValueError as error:
            raise RulesInvalid(rule=place, problem=str(error)) from error
        parsed.append(Rule(int(tier_id or 0), conditions))
    for problem in problems(parsed):
        raise RulesInvalid(rule=problem.rule, problem=problem.code)
    return parsed


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "tier": rule.tier_id,
        "conditions": [
            {
                "field": c.field,
                "op": c.op,
                "value": list(c.value) if isinstance(c.value, tuple) else c.value,
            }
            for c in rule.conditions
        ],
    }


def _placed() -> Any:
    """Values that rules read, of every present customer."""
    present = Customer.objects.present().order_by("pk")
    return present.values("pk", "name", "currency", "tier_id", "tier_set_by_id", *FIELDS)


def _clean_tier(name_zh: str, name_en: str, touch_model: str) -> dict[str, str]:
    values = {"name_zh": name_zh.strip(), "name_en": name_en.strip(), "touch_model": touch_model}
    names_fit = all(0 < len(values[name]) <= 40 for name in ("name_zh", "name_en"))
    if not names_fit or touch_model not in TouchModel.values:
        raise TierInvalid
    return values
