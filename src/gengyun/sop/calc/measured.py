"""From the outcomes of both arms to what may be said: one result, with "cannot conclude yet" as a
first-class answer (science.md 7)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gengyun.sop.calc.cuped import Difference, difference
from gengyun.sop.calc.effect import (
    ROPE,
    ROPE_OF_SPREAD,
    Chances,
    Counted,
    Interval,
    chances,
    money,
    newcombe,
    normal_chances,
    normal_interval,
)
from gengyun.sop.calc.power import (
    WORTH,
    WORTH_OF_SPREAD,
    Plan,
    concludes,
    detectable,
    spread_of_share,
)
from gengyun.sop.calc.sequential import LEAST_PER_ARM, always_valid

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Verdict = Literal["helps", "harms", "no_difference", "cannot_yet", "not_randomised", "no_outcome"]
SHARES = ("renewed", "goal")  # outcomes that are yes or no
BASE = 0.5  # share of yes where nothing is known: the most people that could be needed
SPREAD_OF_HEALTH = 15.0  # points; where nobody has an outcome yet


@dataclass(frozen=True)
class Declared:
    """What the version said before it started."""

    kind: str
    share: float
    higher_is_better: bool = True
    wait_days: int = 90  # from entering to the outcome
    cost_minor: int | None = None


@dataclass(frozen=True)
class Rows:
    """Randomised runs whose outcome is known, one per identity. `before`: what was known when they
    entered, [row, covariate], nan unknown. `amount_minor`: what came due; nan: not about money."""

    treated: Flags
    y: Floats
    before: Floats
    amount_minor: Floats
    currency: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Flow:
    """How many of both arms; `waiting`: their day has not come; `unknown`: it came, nothing was
    known; `per_day`: entries a day of late."""

    waiting: tuple[int, int]
    unknown: tuple[int, int]
    per_day: float


@dataclass(frozen=True)
class ArmTold:
    known: int
    hits: int | None  # of yes-or-no outcomes
    mean: float | None
    waiting: int
    unknown: int


@dataclass(frozen=True)
class MoneyTold:
    currency: str
    due_minor: int
    kept: tuple[float, float, float]
    cost: int | None  # None: nobody said what a run costs
    net: tuple[float, float, float] | None


@dataclass(frozen=True)
class Told:
    """All that the page says. Differences are worked on less held out, in the outcome's unit."""

    verdict: Verdict
    treat: ArmTold
    holdout: ArmTold
    worth: float
    rope: float
    plain: tuple[float, float, float] | None = None
    exact: tuple[float, float, float] | None = None
    daily: tuple[float, float, float] | None = None
    reduction: float = 0.0
    better: float | None = None
    same: float | None = None
    worse: float | None = None
    detectable: float | None = None
    needed: int | None = None
    missing: int | None = None
    concludes_on: date | None = None
    money: tuple[MoneyTold, ...] = ()

    def to_json(self) -> dict[str, Any]:
        raw = asdict(self)
        raw["concludes_on"] = self.concludes_on and self.concludes_on.isoformat()
        return raw


def from_json(raw: Mapping[str, Any]) -> Told:
    def three(values: Any) -> tuple[float, float, float] | None:
        return None if values is None else (values[0], values[1], values[2])

    found = Told(**{**raw, "treat": ArmTold(**raw["treat"]), "holdout": ArmTold(**raw["holdout"])})
    on = raw["concludes_on"]
    return replace(
        found,
        plain=three(raw["plain"]),
        exact=three(raw["exact"]),
        daily=three(raw["daily"]),
        concludes_on=date.fromisoformat(on) if on else None,
        money=tuple(
            MoneyTold(**{**one, "kept": three(one["kept"]), "net": three(one["net"])})
            for one in raw["money"]
        ),
    )


def measured(rows: Rows, declared: Declared, flow: Flow, *, today: date) -> Told:
    is_share = declared.kind in SHARES
    treat = _arm(rows, rows.treated, flow, 0, is_share)
    holdout = _arm(rows, ~rows.treated, flow, 1, is_share)
    spread = _spread(rows, is_share)
    worth = WORTH if is_share else WORTH_OF_SPREAD * spread
    rope = ROPE if is_share else ROPE_OF_SPREAD * spread
    told = Told("cannot_yet", treat, holdout, worth, rope)
    if not declared.share and not holdout.known + holdout.waiting:
        return replace(told, verdict="not_randomised")
    found = difference(rows.y, rows.treated, rows.before) if len(rows) else None
    plan = Plan(declared.share, spread, worth, found.reduction if found else 0.0)
    told = _when(told, plan, declared, flow, today)
    if found is None:
        return told
    told = _compared(told, found, declared, is_share)
    told = replace(told, verdict=_verdict(told, declared))
    if declared.kind == "renewed" and told.exact is not None:
        told = replace(told, money=_money(rows, Interval(*told.exact), declared))
    return told


def _arm(rows: Rows, arm: Flags, flow: Flow, place: int, is_share: bool) -> ArmTold:
    y = rows.y[arm]
    return ArmTold(
        known=len(y),
        hits=round(float(y.sum())) if is_share else None,
        mean=float(y.mean()) if len(y) else None,
        waiting=flow.waiting[place],
        unknown=flow.unknown[place],
    )


def _spread(rows: Rows, is_share: bool) -> float:
    """Of the outcome of one customer, from those held out; before there are any, a cautious one."""
    held = rows.y[~rows.treated]
    known = held if len(held) >= LEAST_PER_ARM else rows.y
    if is_share:
        return spread_of_share(float(known.mean()) if len(known) >= LEAST_PER_ARM else BASE)
    spread = float(known.std()) if len(known) >= 2 else 0.0
    return spread or SPREAD_OF_HEALTH


def _when(told: Told, plan: Plan, declared: Declared, flow: Flow, today: date) -> Told:
    known = told.treat.known + told.holdout.known
    when = concludes(
        plan,
        today=today,
        known=known,
        waiting=sum(flow.waiting),
        per_day=flow.per_day,
        wait_days=declared.wait_days,
    )
    told = replace(
        told,
        detectable=detectable(
            plan, treat=max(told.treat.known, 1), holdout=max(told.holdout.known, 1)
        ),
    )
    if when is None:
        return told
    return replace(told, needed=when.needed, missing=when.missing, concludes_on=when.on)


def _compared(told: Told, found: Difference, declared: Declared, is_share: bool) -> Told:
    exact = normal_interval(found.value, found.variance)
    plain: Interval | None = normal_interval(found.plain, found.plain_variance)
    chance: Chances | None = normal_chances(
        found.value,
        found.variance,
        rope=told.rope,
        higher_is_better=declared.higher_is_better,
    )
    if is_share:
        counted = Counted(told.treat.hits or 0, told.treat.known)
        held = Counted(told.holdout.hits or 0, told.holdout.known)
        plain = newcombe(counted, held)
        chance = chances(counted, held, rope=told.rope, higher_is_better=declared.higher_is_better)
    told = replace(told, exact=_three(exact), plain=_three(plain), reduction=found.reduction)
    if chance is not None:
        told = replace(told, better=chance.better, same=chance.same, worse=chance.worse)
    if min(told.treat.known, told.holdout.known) >= LEAST_PER_ARM:
        daily = always_valid(found.value, found.variance, worth=told.worth)
        told = replace(told, daily=_three(daily))
    return told


def _three(interval: Interval | None) -> tuple[float, float, float] | None:
    return None if interval is None else (interval.value, interval.low, interval.high)


def _verdict(told: Told, declared: Declared) -> Verdict:
    """From the interval that may be looked at daily, and from nothing else."""
    if told.daily is None:
        return "cannot_yet"
    daily = Interval(*told.daily)
    good = daily if declared.higher_is_better else daily.turned()
    if good.low > 0:
        return "helps"
    if good.high < 0:
        return "harms"
    if -told.rope <= good.low and good.high <= told.rope:
        return "no_difference"
    return "cannot_yet"


def _money(rows: Rows, exact: Interval, declared: Declared) -> tuple[MoneyTold, ...]:
    """By currency, largest first: the one difference on what came due among those worked on."""
    effect = exact if declared.higher_is_better else exact.turned()
    told = []
    for currency in sorted(set(rows.currency[rows.treated].tolist()) - {""}):
        mine = rows.treated & (rows.currency == currency) & ~np.isnan(rows.amount_minor)
        due = round(float(rows.amount_minor[mine].sum()))
        if not due:
            continue
        found = money(
            effect,
            amount_minor=due,
            cost_minor=declared.cost_minor or 0,
            worked_on=int(mine.sum()),
        )
        has_cost = declared.cost_minor is not None
        told.append(
            MoneyTold(
                currency=currency,
                due_minor=due,
                kept=(found.kept.value, found.kept.low, found.kept.high),
                cost=found.cost if has_cost else None,
                net=(found.net.value, found.net.low, found.net.high) if has_cost else None,
            )
        )
    return tuple(sorted(told, key=lambda one: -one.due_minor))
