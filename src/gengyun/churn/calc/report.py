"""The back-test report: every figure of it, as JSON that is stored and never computed again. Pure.

Science.md 4.3, "Backtest report". The headline is one row per renewal, at the landmark asked for
(90 days): pooling the landmarks would count each renewal up to three times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from gengyun.churn.calc import measures, ticket_budget
from gengyun.churn.calc.backtest import (
    BASE,
    CSM,
    HEALTH,
    METHODS,
    MODEL,
    Cutoff,
    OutOfTime,
    Plan,
    renewal_of,
    ripe,
)
from gengyun.churn.calc.beside import UNSAID, Beside
from gengyun.churn.calc.drivers import drivers
from gengyun.churn.calc.evidence import scaled_back
from gengyun.churn.calc.measures import Figure, figure, shortened
from gengyun.churn.calc.table import Flags, Floats, Ints, Table
from gengyun.revenue.calc.accuracy import wilson

FORMAT = 1
LEAD = 90
LANDMARKS = (180, 90, 30)
DRAWS = 300
LESS = 0.4  # of the draws are enough for a part
LEAST_EVENTS = 8  # fewer losses than this are not judged
WORST = 10


@dataclass(frozen=True)
class Asked:
    """What the report is about, beside the table: said on its first lines."""

    event: str  # non_renewal, silent
    today: np.datetime64
    plan: Plan = field(default_factory=Plan)
    lead: int = LEAD
    per_100: float = ticket_budget.PER_100
    silent_days: int = 180
    draws: int = DRAWS
    tiers: Sequence[str] = ()  # key of each tier index


def build(
    table: Table, found: OutOfTime, known: Beside, asked: Asked, accounts: Mapping[int, int]
) -> dict[str, Any]:
    """The whole report. `accounts`: month -> customers there were, for the budget."""
    tested, beside = table.taken(found.rows), known.taken(found.rows)
    seen = landmark_of(tested.lag)
    lags = sorted({int(lag) for lag in seen})
    lead = min(lags, key=lambda lag: abs(lag - asked.lead)) if lags else asked.lead
    head = seen == lead
    renewal = renewal_of(table)
    report: dict[str, Any] = {
        "format": FORMAT,
        "event": asked.event,
        "as_of": str(asked.today),
        "settings": asdict(asked.plan) | {"per_100": asked.per_100, "lead": lead},
        "silent_days": asked.silent_days,
        "lags": lags,
        "cutoffs": [_cutoff(one) for one in found.cutoffs],
        "counts": _counts(table, renewal, head, found, asked),
    }
    if int(tested.y[head].sum()) < LEAST_EVENTS or tested.y[head].all():
        return report | {"refused": "few_outcomes", "least": LEAST_EVENTS}
    said = {name: p[head] for name, p in found.said.items()}
    report["methods"] = _methods(tested.taken(head), said, beside.taken(head), asked)
    report["by_amount"] = _by_amount(tested.taken(head), said, asked)
    report["reliability"] = [
        one.to_json() for one in measures.reliability(tested.y[head], said[MODEL])
    ]
    report |= _parts(tested, found.said, head, asked)
    told = _told(tested, renewal[found.rows], found, beside, (accounts, asked))
    report["budget"] = {name: caught.to_json() for name, caught in told.items()}
    report["worst"] = _worst(table, found, head, beside)
    report["unknown"] = _unknown(tested)
    report["rows"] = _rows(tested, found.said[MODEL], head, told[MODEL].rows, asked)
    return report


def landmark_of(lag: Ints) -> Ints:
    """The landmark a row belongs to; terms too short for any are looked at on their first day."""
    marks = np.array(LANDMARKS)
    return np.asarray(marks[np.abs(lag[:, None] - marks).argmin(axis=1)])


def _cutoff(one: Cutoff) -> dict[str, Any]:
    return asdict(one) | {"on": str(one.on), "until": str(one.until)}


def _counts(
    table: Table, renewal: Ints, head: Flags, found: OutOfTime, asked: Asked
) -> dict[str, Any]:
    tested = table.taken(found.rows)
    due = tested.due[head][~np.isnat(tested.due[head])]
    open_rows = ~ripe(table, asked.today, asked.plan.grace_days)
    return {
        "outcomes": int(head.sum()),
        "events": int(tested.y[head].sum()),
        "accounts": len(np.unique(tested.account[head])),
        "rate": shortened(float(tested.y[head].mean()) if head.any() else float("nan")),
        "due_from": str(due.min()) if len(due) else None,
        "due_to": str(due.max()) if len(due) else None,
        "open": len(np.unique(renewal[open_rows])),
        "decided": len(np.unique(renewal[~open_rows])),
        "amount_minor": int(tested.amount_minor[head].sum()),
        "lost_minor": int(tested.amount_minor[head][tested.y[head] == 1].sum()),
    }


def _figures(
    y: Floats, p: Floats, base: Floats, weights: Floats, *, is_counted: bool = True
) -> dict[str, Figure]:
    """All figures of one method; `base` is what skill is over."""
    rate = weights @ y / np.maximum(weights.sum(axis=1), 1e-12)
    top10, _ = measures.top_share(y, p, weights, 0.1)
    top20, caught20 = measures.top_share(y, p, weights, 0.2)
    brier = measures.brier(y, p, weights)
    slope, intercept = measures.slope_intercept(y, p, weights)
    found = {
        "auc": measures.auc(y, p, weights),
        "average_precision": measures.average_precision(y, p, weights),
        "brier": brier,
        "skill": 1 - brier / measures.brier(y, base, weights),
        "precision20": top20,
        "recall20": caught20,
        "slope": slope,
        "intercept": intercept,
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        found |= {"lift10": top10 / rate, "lift20": top20 / rate}
    figures = {name: figure(values) for name, values in found.items()}
    # resampling makes calibration look worse than it is: the figure stands alone, and beside it
    # what chance alone would show
    plain = measures.ece(y, p, weights[:1])
    chance = measures.ece_by_chance(p) if is_counted else float("nan")
    return figures | {"ece": Figure(float(plain[0])), "ece_by_chance": Figure(chance)}


def _methods(
    head: Table, said: Mapping[str, Floats], beside: Beside, asked: Asked
) -> dict[str, Any]:
    """Model and controls on the same renewals and the same samples, and the differences."""
    weights = measures.resampled(head.account, draws=asked.draws, seed=asked.plan.seed)
    y, model = head.y, said[MODEL]
    auc = {name: measures.auc(y, said[name], weights) for name in METHODS}
    loss = {name: measures.log_loss(y, said[name], weights) for name in METHODS}
    share = {
        HEALTH: float(np.isfinite(beside.health).mean()),
        CSM: float((beside.category != UNSAID).mean()),
    }
    found: dict[str, Any] = {}
    for name in METHODS:
        if share.get(name) == 0:  # nothing was known then: not a comparison but its absence
            found[name] = None
            continue
        own = _figures(y, said[name], said[BASE], weights)
        found[name] = {key: value.to_json() for key, value in own.items()}
        found[name]["share"] = round(share.get(name, 1.0), 4)
        if name != MODEL:
            found[name]["auc_behind"] = figure(auc[MODEL] - auc[name]).to_json()
            found[name]["loss_behind"] = figure(loss[name] - loss[MODEL]).to_json()
    found[MODEL]["said"] = shortened(float(model.mean()))
    return found


def _by_amount(head: Table, said: Mapping[str, Floats], asked: Asked) -> dict[str, Any] | None:
    """The same weighted by amount: what is right of the money, not of the number of customers."""
    amount = head.amount_minor.astype(np.float64)
    if amount.sum() <= 0:
        return None
    weights = measures.resampled(
        head.account, draws=asked.draws, seed=asked.plan.seed, weight=amount / amount.mean()
    )
    own = _figures(head.y, said[MODEL], said[BASE], weights, is_counted=False)
    return {
        "said": shortened(float(amount @ said[MODEL] / amount.sum())),
        "came": shortened(float(amount @ head.y / amount.sum())),
        "said_minor": round(float(amount @ said[MODEL])),
        **{name: value.to_json() for name, value in own.items() if name != "ece_by_chance"},
    }


def _parts(
    tested: Table, said: Mapping[str, Floats], head: Flags, asked: Asked
) -> dict[str, list[dict[str, Any]]]:
    """By tier and by quarter of the due date at the headline's lag; by lag over all rows."""
    at_head = tested.taken(head)
    quarter = at_head.due.astype("datetime64[M]").astype(np.int64) // 3
    names = dict(enumerate(asked.tiers))
    whole = {name: p[head] for name, p in said.items()}

    def split(rows: Table, p: Mapping[str, Floats], by: Ints, name: Any) -> list[dict[str, Any]]:
        return [
            {"key": name(int(one))} | _part(rows.taken(by == one), p, by == one, asked)
            for one in np.unique(by)
        ]

    return {
        "by_tier": split(at_head, whole, at_head.tier, lambda one: names.get(one, "")),
        "by_lag": split(tested, said, landmark_of(tested.lag), int),
        "by_quarter": []
        if np.isnat(at_head.due).all()
        else split(at_head, whole, quarter, lambda one: f"{1970 + one // 4}-Q{one % 4 + 1}"),
    }


def _part(rows: Table, said: Mapping[str, Floats], own: Flags, asked: Asked) -> dict[str, Any]:
    y, p, base = rows.y, said[MODEL][own], said[BASE][own]
    weights = measures.resampled(rows.account, draws=int(LESS * asked.draws), seed=asked.plan.seed)
    interval = wilson(int(y.sum()), len(y)) or (float("nan"), float("nan"))
    with np.errstate(invalid="ignore", divide="ignore"):
        skill = 1 - measures.brier(y, p, weights) / measures.brier(y, base, weights)
    return {
        "outcomes": len(y),
        "events": int(y.sum()),
        "said": shortened(float(p.mean())),
        "came": shortened(float(y.mean())),
        "came_interval": [shortened(end) for end in interval],
        "auc": figure(measures.auc(y, p, weights)).to_json(),
        "skill": figure(skill).to_json(),
        "ece": shortened(float(measures.ece(y, p, weights[:1])[0])),
    }


def _told(
    tested: Table,
    renewal: Ints,
    found: OutOfTime,
    beside: Beside,
    asking: tuple[Mapping[int, int], Asked],
) -> dict[str, ticket_budget.Caught]:
    """The same budget spent by the model, by health alone and by the size of the amount."""
    accounts, asked = dict(asking[0]), asking[1]
    floor = found.said[BASE]
    ways = {MODEL: found.said[MODEL], BASE: floor + 1e-9}
    if np.isfinite(beside.health).any():
        ways[HEALTH] = found.said[HEALTH]
    return {
        name: ticket_budget.tell(tested, renewal, (p, floor), accounts, asked.per_100)
        for name, p in ways.items()
    }


def _worst(table: Table, found: OutOfTime, head: Flags, beside: Beside) -> list[dict[str, Any]]:
    """The ten renewals at which the model was most wrong, with what had moved it."""
    rows = found.rows[head]
    p = found.said[MODEL][head]
    order = np.argsort(-measures.losses(table.y[rows], p), kind="stable")[:WORST]
    asked = rows[order]
    held = np.clip(p[order], measures.TINY, 1 - measures.TINY)
    logit = np.log(held / (1 - held))
    x, shares = table.x[asked], found.contributions[head][order]
    why = drivers(table.keys, x, logit, shares, scaled_back(table.keys, x))
    health, category = beside.health[head], beside.category[head]
    return [
        {
            "account": int(table.account[rows[one]]),
            "at": str(table.at[rows[one]]),
            "due": None if np.isnat(table.due[rows[one]]) else str(table.due[rows[one]]),
            "amount_minor": int(table.amount_minor[rows[one]]),
            "p": shortened(float(p[one])),
            "lost": bool(table.y[rows[one]]),
            "health": shortened(float(health[one])),
            "category": beside.categories[category[one]] if category[one] != UNSAID else "",
            "unknown_share": shortened(float(np.isnan(table.x[rows[one]]).mean())),
            "reasons": why[place],
        }
        for place, one in enumerate(order)
    ]


def _unknown(tested: Table) -> list[dict[str, Any]]:
    """Inputs that most tested rows lacked: what better data would be worth collecting."""
    share = np.isnan(tested.x).mean(axis=0) if len(tested) else np.empty(0)
    order = np.argsort(-share, kind="stable")
    return [
        {"feature": tested.features[place].key, "share": shortened(float(share[place]))}
        for place in order
        if share[place] > 0.5
    ]


def _rows(
    tested: Table, p: Floats, head: Flags, told: Sequence[int], asked: Asked
) -> dict[str, list[Any]]:
    """Every tested row, as columns: what the figures are made of. `bin` only of the headline."""
    names = dict(enumerate(asked.tiers))
    bins = np.full(len(tested), -1)
    bins[head] = measures.bins_of(p[head])
    has_due = ~np.isnat(tested.due)
    return {
        "account": tested.account.tolist(),
        "at": [str(day) for day in tested.at],
        "due": [str(day) if has else None for day, has in zip(tested.due, has_due, strict=True)],
        "lag": landmark_of(tested.lag).tolist(),
        "p": np.round(p, 4).tolist(),
        "lost": tested.y.astype(int).tolist(),
        "amount_minor": tested.amount_minor.tolist(),
        "tier": [names.get(int(one), "") for one in tested.tier],
        "bin": bins.tolist(),
        "told": np.isin(np.arange(len(tested)), np.array(told, dtype=np.int64))
        .astype(int)
        .tolist(),
    }
