"""What customers are worth: their open renewals, the curves of their kind, margin and costs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db.models import Count, Min, Sum

from gengyun.revenue.calc.customer_value import (
    DRAWS,
    MAX_YEARS,
    SHOWN_YEARS,
    Coming,
    Kinds,
    Terms,
    spread_of,
    spread_of_rate,
    steady,
    summed,
    values,
)
from gengyun.revenue.calc.figure import Figure
from gengyun.revenue.calc.ltv import MIN_CUSTOMERS, MIN_DATES, fit_sbg_spells, posterior
from gengyun.revenue.calc.unit_economics import cac
from gengyun.revenue.models import (
    ForecastRun,
    Movement,
    MovementKind,
    Renewal,
    RenewalLine,
    RenewalState,
    RevenueSettings,
    Spend,
    SpendKind,
)
from gengyun.revenue.queries.odds import NO_TIER, Learned, learn, remembered
from gengyun.revenue.queries.rates import rates_to
from gengyun.revenue.queries.renewals import Convert, converter
from gengyun.revenue.queries.settings import current

YEAR = 365.25
COMPANY = ""  # key of the curve of all customers together
STEP = 500
Chance = tuple[float, float | None, float | None]  # of not renewing, and its 80 % interval


# --- curves -------------------------------------------------------------------------------------


def learn_curves(as_of: date, grace_days: int) -> dict[str, Any]:
    """Key of a tier's id (COMPANY: all) -> {alpha, beta, lives, draws}, where one can be fitted.

    A life is the renewals of one customer's group in their order, up to the first that was lost.
    Only due days whose grace is over count: of later ones only the early answers are known.
    """
    rows = (
        Renewal.objects.filter(
            state__in=(RenewalState.RENEWED, RenewalState.LOST),
            due_on__lt=as_of - timedelta(days=grace_days),
            decided_on__lt=as_of,
        )
        .order_by("customer_id", "group", "due_on")
        .values_list("customer_id", "group", "state", "customer__tier_id")
    )
    lives: dict[tuple[int, str], list[bool]] = defaultdict(list)
    tier_of: dict[int, int | None] = {}
    for customer_id, group, state, tier_id in rows:
        lives[customer_id, group].append(state == RenewalState.RENEWED)
        tier_of[customer_id] = tier_id
    parts: dict[str, list[list[bool]]] = {COMPANY: list(lives.values())}
    for (customer_id, _), life in lives.items():
        parts.setdefault(str(tier_of[customer_id] or NO_TIER), []).append(life)
    found = {key: _curve(members) for key, members in parts.items()}
    return {key: curve for key, curve in found.items() if curve is not None}


def _curve(lives: Sequence[Sequence[bool]]) -> dict[str, Any] | None:
    left: dict[int, int] = {}
    staying: dict[int, int] = {}
    for life in lives:
        lost = next((at for at, renewed in enumerate(life, 1) if not renewed), None)
        into, key = (left, lost) if lost is not None else (staying, len(life))
        into[key] = into.get(key, 0) + 1
    dates = max([*left, *staying], default=0)
    if len(lives) < MIN_CUSTOMERS or dates < MIN_DATES:
        return None
    try:
        fit = fit_sbg_spells(left, staying)
    except ValueError:
        return None
    draws = posterior(fit, left, staying, DRAWS)
    return {
        # digits that count, not decimals: both may be very small
        "alpha": float(f"{fit.alpha:.6g}"),
        "beta": float(f"{fit.beta:.6g}"),
        "lives": len(lives),
        "left": [left.get(at, 0) for at in range(1, dates + 1)],
        "staying": [staying.get(at, 0) for at in range(1, dates + 1)],
        "draws": [[float(f"{alpha:.6g}"), float(f"{beta:.6g}")] for alpha, beta in draws],
    }


# --- what holds for all -------------------------------------------------------------------------


@dataclass(frozen=True)
class Inputs:
    """Everything but the customer."""

    as_of: date
    terms: Terms
    has_costs: bool  # spend of customer success is recorded
    kinds: Kinds
    place: Mapping[int, int]  # tier id -> row of the kinds
    curves: Mapping[str, Any]
    learned: Learned
    convert: Convert
    currency: str


def inputs(as_of: date, *, may_learn: bool = False) -> Inputs | None:
    """None where the margin is not known, or nothing was learned yet and may not be now."""
    settings = current()
    if settings.gross_margin_bp is None:
        return None
    run = ForecastRun.objects.filter(as_of__lte=as_of).order_by("-as_of").first()
    if run is not None and "curves" in run.odds:
        known, curves = remembered(run), run.odds["curves"]
    elif may_learn:
        known, curves = learn(as_of), learn_curves(as_of, settings.loss_grace_days)
    else:
        return None
    cost = cost_share(as_of)
    convert, currency = converter(as_of)
    kinds, place = _kinds(known, curves)
    terms = Terms(margin=settings.gross_margin_bp / 10_000, cost=cost or 0.0)
    return Inputs(as_of, terms, cost is not None, kinds, place, curves, known, convert, currency)


def cost_share(as_of: date) -> float | None:
    """What customer success cost in the last twelve months, as a share of ARR; None: not known."""
    settings: RevenueSettings = current()
    rates = rates_to(settings.base_currency)
    first = date(as_of.year - 1, as_of.month, 1)
    months: dict[date, int] = defaultdict(int)
    rows = Spend.objects.filter(kind=SpendKind.CS, month__gte=first, month__lt=as_of.replace(day=1))
    for month, minor, code in rows.values_list("month", "amount_minor", "currency"):
        months[month.replace(day=1)] += rates.converted(minor, code, month) or 0
    if not months:
        return None
    open_arr = Renewal.objects.filter(state=RenewalState.OPEN, due_on__gte=as_of).order_by()
    due = open_arr.values_list("currency").annotate(total=Sum("due_minor"))
    arr = sum(rates.converted(total, code, as_of) or 0 for code, total in due)
    if not arr:
        return None
    return min(1.0, sum(months.values()) / len(months) * 12 / arr)


def _kinds(known: Learned, curves: Mapping[str, Any]) -> tuple[Kinds, dict[int, int]]:
    """A row for each tier that the odds know; its own curve, or the company's, or its rate."""
    tiers = list(dict.fromkeys(cell.tier_id for cell in known.cells))
    alpha, beta = np.zeros((len(tiers), DRAWS)), np.zeros((len(tiers), DRAWS))
    growth = np.ones(len(tiers))
    for row, tier_id in enumerate(tiers):
        cell = known.place(tier_id, is_first=False)
        growth[row] = float(known.odds.ratios[cell].mean())
        curve = curves.get(str(tier_id)) or curves.get(COMPANY)
        if curve is not None:
            alpha[row], beta[row] = np.array(curve["draws"]).T
        else:
            alpha[row], beta[row] = steady(known.odds.rates[cell].mean)
    return Kinds(alpha, beta, growth), {tier: row for row, tier in enumerate(tiers)}


@dataclass(frozen=True)
class Winning:
    """What winning a customer cost the company in the last twelve months, on average."""

    cac: Figure
    spend_minor: int | None
    won: int


def winning(as_of: date) -> Winning:
    """Spend on sales and marketing over customers whose first ARR began, of the whole company."""
    base = current().base_currency
    rates = rates_to(base)
    last = as_of.replace(day=1)
    first = date(last.year - 1, last.month, 1)
    rows = Spend.objects.filter(
        kind=SpendKind.SALES_MARKETING, month__gte=first, month__lt=last
    ).values_list("month", "amount_minor", "currency")
    amounts = [rates.converted(minor, code, month) or 0 for month, minor, code in rows]
    spend = sum(amounts) if amounts else None
    won = (
        Movement.objects.filter(
            kind=MovementKind.NEW, effective_on__gte=first, effective_on__lt=last
        )
        .order_by()
        .values("customer_id")
        .distinct()
        .count()
    )
    return Winning(cac(spend=spend, new_customers=won), spend, won)


# --- customers ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class CustomerValue:
    """Amounts in minor units of the base currency."""

    shown_minor: int  # of 3 years
    low_minor: int  # 80 % interval of the expectation
    high_minor: int
    capped_minor: int  # of 10 years
    renewals: int
    from_model: int  # renewals with a probability of the churn model
    has_curve: bool  # a curve could be fitted: of the tier or of the company


def values_of(
    customer_ids: Sequence[int], known: Inputs, chances: Mapping[int, Chance]
) -> dict[int, CustomerValue]:
    """`chances`: renewal -> (chance of not renewing, low, high); others have the rate of their
    kind. Customers without an open renewal, or in a currency without a rate, are left out."""
    found: dict[int, CustomerValue] = {}
    for start in range(0, len(customer_ids), STEP):
        found |= _values(customer_ids[start : start + STEP], known, chances)
    return found


@dataclass(frozen=True)
class _Row:
    renewal_id: int
    customer_id: int
    tier_id: int
    due_on: date
    arr: int
    passed: int
    has_before: bool


def _values(
    ids: Sequence[int], known: Inputs, chances: Mapping[int, Chance]
) -> dict[int, CustomerValue]:
    rows = _rows(ids, known)
    if not rows:
        return {}
    terms = _terms([row.renewal_id for row in rows])
    coming = _coming(rows, terms, known, chances)
    owners = sorted({row.customer_id for row in rows})
    place = {pk: at for at, pk in enumerate(owners)}
    owner = np.array([place[row.customer_id] for row in rows])
    drawn = values(coming, known.kinds, known.terms, years=SHOWN_YEARS)
    mean, low, high = summed(drawn, owner, len(owners))
    capped, _, _ = summed(
        values(coming, known.kinds, known.terms, years=MAX_YEARS), owner, len(owners)
    )
    count = np.bincount(owner, minlength=len(owners))
    modelled = np.bincount(
        owner, [row.renewal_id in chances for row in rows], minlength=len(owners)
    )
    return {
        pk: CustomerValue(
            round(mean[at]),
            round(low[at]),
            round(high[at]),
            round(capped[at]),
            int(count[at]),
            int(modelled[at]),
            bool(known.curves),
        )
        for pk, at in place.items()
    }


def _rows(ids: Sequence[int], known: Inputs) -> list[_Row]:
    passed = {
        (customer_id, group): count
        for customer_id, group, count in Renewal.objects.filter(
            customer_id__in=ids, state=RenewalState.RENEWED
        )
        .order_by()
        .values_list("customer_id", "group")
        .annotate(count=Count("pk"))
    }
    found = []
    rows = Renewal.objects.filter(customer_id__in=ids, state=RenewalState.OPEN).order_by("pk")
    for pk, customer_id, group, tier_id, due_on, minor, code in rows.values_list(
        "pk", "customer_id", "group", "customer__tier_id", "due_on", "due_minor", "currency"
    ):
        arr = known.convert(minor, code)
        if arr is not None:
            before = passed.get((customer_id, group), 0)
            found.append(_Row(pk, customer_id, tier_id or NO_TIER, due_on, arr, before, before > 0))
    return found


def _terms(renewal_ids: Sequence[int]) -> dict[int, date]:
    """Renewal -> the first day of what comes due."""
    rows = RenewalLine.objects.filter(renewal_id__in=renewal_ids).order_by()
    return dict(rows.values_list("renewal_id").annotate(first=Min("line__starts_on")))


def _coming(
    rows: Sequence[_Row],
    terms: Mapping[int, date],
    known: Inputs,
    chances: Mapping[int, Chance],
) -> Coming:
    lost, spread = np.zeros(len(rows)), np.zeros(len(rows))
    for at, row in enumerate(rows):
        chance = chances.get(row.renewal_id)
        if chance is not None:
            low = np.nan if chance[1] is None else chance[1]
            high = np.nan if chance[2] is None else chance[2]
            lost[at], spread[at] = chance[0], spread_of(np.array(low), np.array(high))
            continue
        tier = row.tier_id if row.tier_id in known.place else NO_TIER
        rate = known.learned.odds.rates[known.learned.place(tier, not row.has_before)]
        lost[at] = 1 - rate.mean
        spread[at] = spread_of_rate(np.array(rate.alpha), np.array(rate.beta))
    return Coming(
        due_in=np.array([(row.due_on - known.as_of).days / YEAR for row in rows]),
        term=np.array([_years(terms.get(row.renewal_id), row.due_on) for row in rows]),
        arr=np.array([float(row.arr) for row in rows]),
        passed=np.array([row.passed for row in rows]),
        lost=lost,
        spread=spread,
        kind=np.array([known.place.get(row.tier_id, known.place[NO_TIER]) for row in rows]),
    )


def _years(starts_on: date | None, due_on: date) -> int:
    """Length of the term that comes due, in whole years; a shorter one counts as one."""
    if starts_on is None:
        return 1
    return max(1, round((due_on - starts_on).days / YEAR))
