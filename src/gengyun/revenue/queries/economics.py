"""The sums of a period that unit economics divides: what was won and lost, spent and signed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from django.db.models import Q

from gengyun.kernel.days import start_of
from gengyun.revenue.calc import ltv as curves
from gengyun.revenue.calc import unit_economics
from gengyun.revenue.calc.figure import (
    ALL_LEFT,
    NO_CHURN,
    NO_MARGIN,
    TOO_FEW_DATES,
    TOO_SMALL,
    Figure,
    unknown,
)
from gengyun.revenue.calc.figure import known as given
from gengyun.revenue.calc.moves import KIND_CODE
from gengyun.revenue.calc.normalise import Terms, net_amount
from gengyun.revenue.calc.policies import Policy
from gengyun.revenue.calc.retention import logo_churn_of_totals
from gengyun.revenue.calc.spans import MONTHS, Span, ends
from gengyun.revenue.calc.waterfall import Rows, rows_of, waterfall
from gengyun.revenue.models import Contract, Line, Spend, SpendKind
from gengyun.revenue.queries.book import Book
from gengyun.revenue.queries.measures import Spells, retention_of, windows_of
from gengyun.revenue.queries.rates import rates_known, rates_to
from gengyun.revenue.queries.settings import current
from gengyun.team.models import User

TCV = "TCV: everything signed in the period for its whole term, one-off services too, without tax."
YEAR = 12
DISCOUNT = 0.1  # a year, of the lifetime value from a curve
ONE_DAY = timedelta(days=1)
Values = Mapping[str, Figure | int | float | str | None]


@dataclass(frozen=True)
class Period:
    """Amounts in minor units of the base currency; ARR is yearly. None: not known."""

    span: Span
    policy: Policy
    arr: int
    customers: int
    won_customers: int
    gains: Mapping[str, int]  # column of the waterfall -> amount, losses positive
    spend: int | None  # sales and marketing, in the period
    spend_before: int | None  # in the period before
    margin: Decimal | None
    yearly_churn: Figure  # of customers, over the twelve months to the end
    yearly_expansion: Decimal  # share of ARR that customers of a year ago added net of losses

    @property
    def won_arr(self) -> int:
        return self.gains["new"]


def periods(
    of: Book, spans: Sequence[Span], policy: Policy, *, with_spend: bool = True
) -> list[Period]:
    """`with_spend`: what was spent is known for the company only, not for its parts."""
    boundaries = ends(spans)
    reported = of.reported(boundaries) if policy.fx == "reported" else None
    table = waterfall(of.moves, boundaries, policy, reported=reported)
    rows = rows_of(of.moves, boundaries, policy)
    settings = current()
    margin = None
    if settings.gross_margin_bp is not None:
        margin = Decimal(settings.gross_margin_bp) / 10_000
    spent = _spend(of.currency) if with_spend else None
    years = retention_of(of, windows_of(spans, YEAR), policy)
    won = _won(rows, len(spans))
    found = []
    for at, span in enumerate(spans):
        year = years[at]
        start = Decimal(year.start) or Decimal(1)
        found.append(
            Period(
                span=span,
                policy=policy,
                arr=table.closing[at],
                customers=table.customers[at],
                won_customers=won[at],
                gains={name: abs(cells[at]) for name, cells in table.columns.items()},
                spend=_between(spent, span.start, span.end),
                spend_before=_between(spent, *_before(span)),
                margin=margin,
                yearly_churn=logo_churn_of_totals(start=year.start_count, left=year.left_count),
                yearly_expansion=Decimal(year.expanded - year.contracted) / start,
            )
        )
    return found


def _won(rows: Rows, size: int) -> list[int]:
    """Different customers that were new in each period."""
    new = rows.kind == KIND_CODE["new"]
    pairs = np.unique(rows.unit[new] * size + rows.period[new])
    return [int(count) for count in np.bincount(pairs % size, minlength=size)]


def _before(span: Span) -> tuple[date, date]:
    last = span.start - ONE_DAY
    # a stretch of several periods is compared with one as long as itself
    touched = 12 * (span.end.year - span.start.year) + span.end.month - span.start.month + 1
    months = max(MONTHS[span.grain], touched)
    at = span.start.year * 12 + span.start.month - 1 - months
    return date(at // 12, at % 12 + 1, 1), last


def _spend(base: str) -> dict[date, int]:
    """Sales and marketing by month; the newest statement of a month holds as one of several rows:
    rows of one month add up, a correction is a row of its own."""
    rates = rates_to(base)
    found: dict[date, int] = defaultdict(int)
    rows = Spend.objects.filter(kind=SpendKind.SALES_MARKETING)
    for month, amount, code in rows.values_list("month", "amount_minor", "currency"):
        value = rates.converted(amount, code, month)
        if value is not None:
            found[month.replace(day=1)] += value
    return dict(found)


def months_unspent(span: Span) -> list[date]:
    """First days of the months of a stretch that no spend is entered for, where others have some:
    what was won in them counts, what it cost does not."""
    held = {month for month in _spend(current().base_currency) if span.start <= month <= span.end}
    months, at = [], span.start.replace(day=1)
    while at <= span.end:
        months.append(at)
        at = (at + timedelta(days=31)).replace(day=1)
    return [month for month in months if month not in held] if held else []


def _between(spent: dict[date, int] | None, first: date, last: date) -> int | None:
    """None where no month of the stretch has an entry: unknown is not nothing."""
    if spent is None:
        return None
    held = [amount for month, amount in spent.items() if first <= month <= last]
    return sum(held) if held else None


# ---- the metrics


def quick_ratio(of: Period) -> Values:
    gains = of.gains
    figure = unit_economics.quick_ratio(
        new=gains["new"],
        expansion=gains["expansion"],
        contraction=gains["contraction"],
        churn=gains["churn"],
        win_back=gains["win_back"],
        policy=of.policy,
    )
    return {"quick_ratio": figure}


def arpa(of: Period) -> Values:
    return {"arpa": unit_economics.arpa(arr=of.arr, customers=of.customers)}


def ltv(of: Period) -> Values:
    """Yearly ARPA and yearly churn of customers."""
    return {"ltv": _ltv(of), "churn": of.yearly_churn}


def _ltv(of: Period) -> Figure:
    each = unit_economics.arpa(arr=of.arr, customers=of.customers)
    churn = of.yearly_churn
    if each.value is None or churn.value is None:
        reason = each.reason or churn.reason
        return unknown(reason, definition=unit_economics.LTV, unit="money")
    return unit_economics.ltv(
        arpa=each.value,
        churn=churn.value,
        margin=of.margin,
        growth=each.value * of.yearly_expansion,
        expansion=of.yearly_expansion,
        policy=of.policy,
    )


def cac(of: Period) -> Values:
    return {
        "cac": unit_economics.cac(spend=of.spend, new_customers=of.won_customers),
        "cac_ratio": unit_economics.cac_ratio(spend=of.spend_before, new_arr=of.won_arr),
        "magic_number": unit_economics.magic_number(new_arr=of.won_arr, spend=of.spend_before),
        "spend": of.spend,
        "won_customers": of.won_customers,
        "won_arr": of.won_arr,
    }


def payback(of: Period) -> Values:
    """Of all that was won in the period together."""
    figure = unit_economics.cac_payback(
        cac=of.spend, monthly_revenue=Decimal(of.won_arr) / YEAR, margin=of.margin
    )
    return {"payback": figure}


def ltv_cac(of: Period) -> Values:
    cost = unit_economics.cac(spend=of.spend, new_customers=of.won_customers)
    return {"ltv_cac": unit_economics.ltv_to_cac(ltv=_ltv(of), cac=cost)}


def curve(of: Period, spells: Spells) -> Values:
    """The lifetime value of an average customer at its beginning, and the fitted curve."""
    definition = curves.DEFINITION
    if spells.count < curves.MIN_CUSTOMERS:
        params = {"count": spells.count, "needed": curves.MIN_CUSTOMERS}
        return {"ltv": unknown(TOO_SMALL, definition=definition, unit="money", params=params)}
    if spells.dates < curves.MIN_DATES:
        params = {"count": spells.dates, "needed": curves.MIN_DATES}
        return {"ltv": unknown(TOO_FEW_DATES, definition=definition, unit="money", params=params)}
    fit = spells.fit()
    if fit is None:
        reason = NO_CHURN if spells.staying else ALL_LEFT
        return {"ltv": unknown(reason, definition=definition, unit="money")}
    if of.margin is None or not of.customers:
        return {"ltv": unknown(NO_MARGIN, definition=definition, unit="money")}
    worth = {
        name: curves.ltv_of(
            fit,
            arr=of.arr / of.customers,
            margin=float(of.margin),
            discount=DISCOUNT,
            years=years,
        )
        for name, years in (("ltv", curves.SHOWN_YEARS), ("ltv_10_years", curves.MAX_YEARS))
    }
    return {
        **{
            name: given(round(value), definition=definition, unit="money")
            for name, value in worth.items()
        },
        "alpha": float(f"{fit.alpha:.6g}"),
        "beta": float(f"{fit.beta:.6g}"),
        "retention_1": round(fit.retention(1), 4),
        "retention_3": round(fit.retention(3), 4),
        "lives": spells.count,
    }


# ---- what was signed


@dataclass(frozen=True)
class Signed:
    span: Span
    amount: int
    contracts: int
    without_rate: Mapping[str, int]  # currency -> lines left out


def signed_value(
    actor: User | None, spans: Sequence[Span], as_of: date, known: date | None
) -> list[Signed]:
    """Contracts by the day they were signed (unsigned ones by their first day)."""
    lines = Line.objects.visible_to(actor)
    if known is None:
        lines = lines.filter(voided_at__isnull=True)
    else:
        after = start_of(known + ONE_DAY)  # what was corrected later stood then
        lines = lines.filter(
            Q(voided_at__isnull=True) | Q(voided_at__gte=after), known_at__lt=after
        )
    rates = rates_known(known)
    found: dict[int, tuple[int, set[int]]] = {at: (0, set()) for at in range(len(spans))}
    missing: list[dict[str, int]] = [{} for _ in spans]
    for line in lines.select_related("contract").iterator():
        on = line.contract.signed_on or line.contract.starts_on
        place = next((at for at, one in enumerate(spans) if one.start <= on <= one.end), None)
        if place is None:
            continue
        net = net_amount(
            Terms(
                kind=line.kind,
                amount_minor=line.amount_minor,
                tax_included=line.tax_included,
                tax_rate_bp=line.tax_rate_bp,
            )
        )
        amount = rates.converted(net, line.currency, as_of)
        if amount is None:
            missing[place][line.currency] = missing[place].get(line.currency, 0) + 1
        total, contracts = found[place]
        found[place] = (total + (amount or 0), contracts | {line.contract_id})
    return [
        Signed(span, found[at][0], len(found[at][1]), missing[at]) for at, span in enumerate(spans)
    ]


def purchase_days(actor: User | None, spans: Sequence[Span], known: date | None) -> list[list[int]]:
    """Per span and customer: on how many different days contracts were signed up to its end."""
    rows = Contract.objects.visible_to(actor)
    if known is not None:
        rows = rows.filter(known_at__lt=start_of(known + ONE_DAY))
    days: dict[int, set[date]] = defaultdict(set)
    for customer, signed, starts in rows.values_list("customer_id", "signed_on", "starts_on"):
        days[customer].add(signed or starts)
    return [
        [sum(1 for day in bought if day <= span.end) for bought in days.values()] for span in spans
    ]
