"""What a customer costs and brings: ARPA, CAC, payback, LTV by simple formulas, quick ratio.

Amounts may be in any one unit; times are in the unit of the churn that is put in (monthly churn
gives months). A simple LTV is labelled as such; `calc.ltv` has the one from a fitted curve.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from gengyun.revenue.calc.figure import (
    NET_GAIN,
    NO_BASE,
    NO_BUDGET,
    NO_CHURN,
    NO_CUSTOMERS,
    NO_LTV,
    NO_MARGIN,
    NO_NEW_ARR,
    NO_NEW_CUSTOMERS,
    NO_PROFIT,
    NO_REVENUE,
    NO_SALARY,
    NO_SPEND,
    NOTHING_LOST,
    SHRINKING,
    Figure,
    Number,
    Unit,
    exact,
    known,
    quotient,
    unknown,
)
from gengyun.revenue.calc.policies import DEFAULT, Policy

ARPA = "ARPA: ARR at the end of the period divided by paying customers."
LIFETIME = "Lifetime: 1 divided by churn, in the period of the churn."
LTV = "LTV by a simple formula, which assumes that churn never changes."
CAC = "CAC: spend on sales and marketing divided by customers won."
CAC_RATIO = "CAC ratio: spend on sales and marketing of the period before, divided by new ARR."
PAYBACK = "CAC payback in months: CAC divided by monthly revenue times gross margin."
LTV_CAC = "LTV:CAC: lifetime value divided by the cost of winning a customer."
QUICK_RATIO = "Quick ratio: gained ARR divided by lost ARR."
NET_CHANGE = "Net change: gained less lost ARR, with the exchange effect."
MAGIC = "Magic number: new ARR divided by the spend on sales and marketing of the period before."
WALLET = "Share of wallet: what the customer pays us a year, divided by its yearly budget for it."
CAPACITY = "Contract value of a CSM divided by the yearly salary cost."
REPEAT = "Repeat-purchase rate: customers who bought on two or more days, by all who bought."
TOP_SHARE = (
    "Concentration: share of ARR of the largest customers; the largest tenth is rounded down to "
    "whole customers, but is at least one."
)
HERFINDAHL = "Concentration index: sum of the squared shares of all customers, 1 for a single one."


def arpa(*, arr: Number, customers: Number) -> Figure:
    return quotient(arr, customers, definition=ARPA, reason=NO_CUSTOMERS, unit="money")


def lifetime(*, churn: Number, policy: Policy = DEFAULT) -> Figure:
    """1 / churn. Source: ChartMogul, customer lifetime."""
    used, reason = _usable_churn(churn, policy)
    if reason:
        return unknown(reason, definition=LIFETIME, unit="months", policy=_ltv_keys(policy))
    return quotient(
        1, used, definition=LIFETIME, reason=NO_CHURN, unit="months", policy=_ltv_keys(policy)
    )


def ltv(
    *,
    arpa: Number,
    churn: Number,
    margin: Number | None = None,
    growth: Number = 0,
    expansion: Number = 0,
    policy: Policy = DEFAULT,
) -> Figure:
    """The policy `ltv` chooses; all figures of one period.

    revenue: ARPA / churn (ChartMogul). margin: ARPA x margin / churn (Skok).
    margin_expansion: ARPA x m / churn + growth x m / churn^2, where `growth` is the amount by which
    ARPA grows a period (Skok). margin_net_churn: ARPA x m / (churn - expansion), where the floor of
    churn, if there is one, is that of churn before expansion is taken off. None of them says 0 or
    less: that is a limit of the formula and not what a customer is worth.
    """
    chosen = _ltv_keys(policy)
    used, reason = _usable_churn(churn, policy)
    if policy.ltv == "margin_net_churn" and not reason:
        used -= exact(expansion)
        reason = NET_GAIN if used <= 0 else ""
    share, no_share = _kept_share(margin, policy)
    if reason := no_share or reason:
        return unknown(reason, definition=LTV, unit="money", policy=chosen)
    value = exact(arpa) * share / used
    if policy.ltv == "margin_expansion":
        value += exact(growth) * share / used**2
    if value <= 0:
        reason = SHRINKING if exact(arpa) > 0 else NO_REVENUE
        return unknown(reason, definition=LTV, unit="money", policy=chosen)
    return known(value, definition=LTV, unit="money", policy=chosen)


def _usable_churn(churn: Number, policy: Policy) -> tuple[Decimal, str]:
    used = exact(churn)
    if policy.zero_churn == "floor":
        used = max(used, exact(policy.churn_floor_bp) / 10_000)
    if used < 0:
        return used, NET_GAIN
    return used, "" if used else NO_CHURN


def _kept_share(margin: Number | None, policy: Policy) -> tuple[Decimal, str]:
    """What of revenue counts as value, or why it is not known."""
    if policy.ltv == "revenue":
        return exact(1), ""
    if margin is None:
        return exact(0), NO_MARGIN
    return exact(margin), "" if exact(margin) > 0 else NO_PROFIT


def _ltv_keys(policy: Policy) -> dict[str, str]:
    keys = ("ltv", "zero_churn", "churn_floor_bp")
    return policy.chosen(*(keys if policy.zero_churn == "floor" else keys[:2]))


def cac(*, spend: Number | None, new_customers: Number) -> Figure:
    if spend is None:
        return unknown(NO_SPEND, definition=CAC, unit="money")
    return quotient(spend, new_customers, definition=CAC, reason=NO_NEW_CUSTOMERS, unit="money")


def cac_ratio(*, spend: Number | None, new_arr: Number) -> Figure:
    """Spend per unit of new ARR, the spend usually of the period before. Source: Kellblog."""
    if spend is None:
        return unknown(NO_SPEND, definition=CAC_RATIO, unit="ratio")
    return quotient(spend, new_arr, definition=CAC_RATIO, reason=NO_NEW_ARR, unit="ratio")


def magic_number(*, new_arr: Number, spend: Number | None) -> Figure:
    """Net new ARR / spend of the period before. Source: Scale Venture Partners."""
    if spend is None:
        return unknown(NO_SPEND, definition=MAGIC, unit="ratio")
    return quotient(new_arr, spend, definition=MAGIC, reason=NO_SPEND, unit="ratio")


def cac_payback(
    *, cac: Number | Figure | None, monthly_revenue: Number, margin: Number | None
) -> Figure:
    """CAC / (monthly revenue x margin), in months. Source: Bessemer, Cloud Computing Law 6.

    `cac` may be of one customer or of all that were won, with the revenue of the same; given as a
    figure, what it says against itself is said here too.
    """
    spent = _given(cac, NO_SPEND, definition=PAYBACK, unit="months")
    if spent.value is None:
        return spent
    if margin is None:
        return unknown(NO_MARGIN, definition=PAYBACK, unit="months")
    revenue, share = exact(monthly_revenue), exact(margin)
    return quotient(
        spent.value,
        revenue * max(share, exact(0)),
        definition=PAYBACK,
        reason=NO_PROFIT if revenue > 0 else NO_NEW_ARR,
        unit="months",
    )


def ltv_to_cac(*, ltv: Number | Figure | None, cac: Number | Figure | None) -> Figure:
    """Given as figures, what they say against themselves is said here too."""
    worth = _given(ltv, NO_LTV, definition=LTV_CAC, unit="ratio")
    cost = _given(cac, NO_SPEND, definition=LTV_CAC, unit="ratio")
    for part in (worth, cost):
        if part.value is None:
            return part
    return quotient(
        worth.value or 0,
        cost.value or 0,
        definition=LTV_CAC,
        reason=NO_SPEND,
        unit="ratio",
        policy=worth.policy,
    )


def _given(part: Number | Figure | None, missing: str, *, definition: str, unit: Unit) -> Figure:
    """A part of a figure: known, or why the whole is not."""
    if isinstance(part, Figure):
        return replace(part, definition=definition, unit=unit, numerator=None, denominator=None)
    if part is None:
        return unknown(missing, definition=definition, unit=unit)
    return known(part, definition=definition, unit=unit)


def quick_ratio(
    *,
    new: Number = 0,
    expansion: Number = 0,
    contraction: Number = 0,
    churn: Number = 0,
    win_back: Number = 0,
    policy: Policy = DEFAULT,
) -> Figure:
    """(new + expansion [+ win-back]) / (contraction + churn). Source: Baremetrics, ChartMogul."""
    back = exact(win_back) if policy.quick_ratio == "with_win_back" else exact(0)
    return quotient(
        exact(new) + exact(expansion) + back,
        exact(contraction) + exact(churn),
        definition=QUICK_RATIO,
        reason=NOTHING_LOST,
        unit="ratio",
        policy=policy.chosen("quick_ratio"),
    )


def net_change(
    *,
    new: Number = 0,
    expansion: Number = 0,
    contraction: Number = 0,
    churn: Number = 0,
    win_back: Number = 0,
    fx: Number = 0,
) -> Figure:
    """Losses are positive numbers; the exchange effect has its sign."""
    gained = exact(new) + exact(win_back) + exact(expansion)
    value = gained - exact(contraction) - exact(churn) + exact(fx)
    return known(value, definition=NET_CHANGE, unit="money")


def share_of_wallet(*, paid: Number, budget: Number | None) -> Figure:
    if budget is None:
        return unknown(NO_BUDGET, definition=WALLET)
    return quotient(paid, budget, definition=WALLET, reason=NO_BUDGET)


def capacity_band(
    *, salary: Number | None, low: Number = 20, high: Number = 30
) -> tuple[Figure, Figure]:
    """Contract value between which a CSM is neither under- nor overloaded: 20 to 30 salaries."""
    if salary is None or exact(salary) <= 0:
        nothing = unknown(NO_SALARY, definition=CAPACITY, unit="money")
        return nothing, nothing
    return (
        known(exact(salary) * exact(low), definition=CAPACITY, unit="money"),
        known(exact(salary) * exact(high), definition=CAPACITY, unit="money"),
    )


def capacity_multiple(*, contract_value: Number, salary: Number | None) -> Figure:
    if salary is None:
        return unknown(NO_SALARY, definition=CAPACITY, unit="ratio")
    return quotient(contract_value, salary, definition=CAPACITY, reason=NO_SALARY, unit="ratio")


def repeat_purchase_rate(days_bought: Sequence[int]) -> Figure:
    """One item per customer: on how many different days they bought."""
    bought = [days for days in days_bought if days > 0]
    again = sum(1 for days in bought if days > 1)
    return quotient(again, len(bought), definition=REPEAT, reason=NO_CUSTOMERS)


def top_share(amounts: Sequence[Number], *, count: int | None = None, part: Number = 0) -> Figure:
    """Share of the `count` largest, or of the largest `part` (0.1 = a tenth): rounded down, as in
    the published tables, but at least one customer."""
    held = sorted((exact(value) for value in amounts if exact(value) > 0), reverse=True)
    most = max(int(len(held) * exact(part)), 1) if count is None else count
    return quotient(
        sum(held[:most], exact(0)), sum(held, exact(0)), definition=TOP_SHARE, reason=NO_REVENUE
    )


def herfindahl(amounts: Sequence[Number]) -> Figure:
    """Sum of squared shares: 1 for one customer, 1/n for n equal ones."""
    held = [exact(value) for value in amounts if exact(value) > 0]
    total = sum(held, exact(0))
    squares = sum((value * value for value in held), exact(0))
    return quotient(squares, total * total, definition=HERFINDAHL, reason=NO_REVENUE, unit="ratio")


def index_to_base(values: Sequence[Number | None], base: int) -> list[Figure]:
    """Each value divided by the one at `base`; nothing before it. Source: SaaSGrid baselines."""
    found = []
    bottom = values[base] if base < len(values) else None
    for place, value in enumerate(values):
        if place < base or value is None or bottom is None:
            found.append(unknown(NO_BASE, definition=INDEX))
        else:
            found.append(quotient(value, bottom, definition=INDEX, reason=NO_BASE))
    return found


INDEX = "Cohort retention: amount of the month divided by the amount of the month that is 100 %."
