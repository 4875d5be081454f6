"""How a line as signed becomes yearly recurring revenue: each ARR rule by its name.

Amounts are minor units; inside they are `Decimal`, and rounded once at the end. ARR is without tax.
Sources: the billing-metric definitions of Stripe, ChartMogul, ProfitWell, GitLab and Kellblog, as
quoted beside the functions; where tools differ the difference is a field of `ArrPolicy`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from gengyun.revenue.calc.terms import YEAR_DAYS, rounded, term_days, whole_months

Term = Literal["paid", "service"]
Discounts = Literal["always", "forever_only"]
Usage = Literal["committed", "last_month", "t3m", "excluded"]

MAINTENANCE_LOW_BP, MAINTENANCE_HIGH_BP = 1_500, 2_200  # yearly, of the licence's price
FULL_BP = 10_000


@dataclass(frozen=True, slots=True)
class ArrPolicy:
    """What counts as recurring; the defaults are the product's."""

    term: Term = "paid"  # months given free: by what is paid for, or by what is served
    discounts: Discounts = "always"  # forever_only: a discount that ends does not lower ARR
    usage: Usage = "committed"


DEFAULT = ArrPolicy()


@dataclass(frozen=True, slots=True)
class Terms:
    """A line as signed. `amount_minor`: for `paid_months`, with tax where `tax_included`."""

    kind: str  # subscription, maintenance, licence, one_off, usage
    amount_minor: int | Decimal
    starts_on: date | None = None
    ends_on: date | None = None  # last day, gift days included
    paid_months: Decimal | None = None
    gift_days: int = 0
    service_months: Decimal | None = None  # only where no days are given
    tax_included: bool = False
    tax_rate_bp: int | None = None
    list_minor: int | None = None  # before discount, for the same months and with the same tax
    discount_is_forever: bool = True
    is_trial: bool = False
    committed_minor: int | None = None  # of a year, without tax
    usage_minor: Sequence[int] = ()  # last months, oldest first, without tax
    maintenance_base_minor: int | None = None
    maintenance_rate_bp: int | None = None
    yearly_minor: int | None = None  # the price of a year, where the amount is a part of it


@dataclass(frozen=True, slots=True)
class Annualised:
    """`arr_minor` by the rule named; `sentence` is an English msgid that says how."""

    arr_minor: int
    rule: str

    @property
    def sentence(self) -> str:
        return RULES[self.rule]


# rule -> how the ARR was found; shown beside every line and every imported row
RULES: Mapping[str, str] = {
    "by_paid_term": "Amount without tax ÷ paid months × 12.",
    "by_service_term": "Amount without tax ÷ months served, gift included × 12.",
    "by_days": "Amount without tax ÷ days × 365, as the term has no whole months.",
    "list_by_paid_term": "List price without tax ÷ paid months × 12: the discount is not for ever.",
    "list_by_service_term": "List price without tax ÷ months served × 12: the discount is not for "
    "ever.",
    "list_by_days": "List price without tax ÷ days × 365: the discount is not for ever.",
    "usage_committed": "The yearly commitment; usage beyond it does not count.",
    "usage_last_month": "Commitment and usage of the last month, × 12.",
    "usage_t3m": "Commitment and usage of the last three months, × 4.",
    "usage_excluded": "Usage does not count.",
    "maintenance_rate": "Licence price × yearly maintenance rate.",
    "licence_zero": "A bought-out licence does not recur: 0.",
    "one_off_zero": "One-off services do not recur: 0.",
    "trial_zero": "A trial does not count: 0.",
    "by_yearly_price": "The yearly price agreed, without tax; the amount is its part for the term.",
    "carried_on": "Free extension: the ARR of the line it extends.",
    "as_given": "ARR as given by hand.",
}


def annualise(terms: Terms, policy: ArrPolicy = DEFAULT) -> Annualised:
    """ARR of a line and the name of the rule that gave it."""
    if terms.is_trial:
        return Annualised(0, "trial_zero")
    if terms.kind in ("one_off", "licence"):
        return Annualised(0, f"{terms.kind}_zero")
    if terms.kind == "usage":
        return _of_usage(terms, policy)
    if terms.kind == "maintenance" and not terms.amount_minor and terms.maintenance_rate_bp:
        base = Decimal(terms.maintenance_base_minor or 0)
        return Annualised(rounded(maintenance(base, terms.maintenance_rate_bp)), "maintenance_rate")
    if terms.yearly_minor is not None:
        yearly = Decimal(terms.yearly_minor)
        yearly = without_tax(yearly, terms.tax_rate_bp) if terms.tax_included else yearly
        return Annualised(rounded(yearly), "by_yearly_price")
    amount, prefix = _counted_amount(terms, policy)
    net = without_tax(amount, terms.tax_rate_bp) if terms.tax_included else amount
    found, rule = _yearly(net, terms, policy)
    return Annualised(rounded(found), prefix + rule)


def _counted_amount(terms: Terms, policy: ArrPolicy) -> tuple[Decimal, str]:
    ends = not terms.discount_is_forever and terms.list_minor is not None
    if policy.discounts == "forever_only" and ends:
        return Decimal(terms.list_minor or 0), "list_"
    return Decimal(terms.amount_minor), ""


def _yearly(net: Decimal, terms: Terms, policy: ArrPolicy) -> tuple[Decimal, str]:
    if policy.term == "service" and (months := _service_months(terms)) is not None:
        return per_year(net, months), "by_service_term"
    months = terms.paid_months
    if months is None and terms.starts_on and terms.ends_on and policy.term == "paid":
        paid_until = terms.ends_on - timedelta(days=terms.gift_days)
        count = whole_months(terms.starts_on, paid_until)
        months = None if count is None else Decimal(count)
    if months is not None:
        return per_year(net, months), "by_paid_term"
    if terms.starts_on is None or terms.ends_on is None:
        return per_year(net, Decimal(12)), "by_paid_term"
    free = terms.gift_days if policy.term == "paid" else 0
    return by_days(net, term_days(terms.starts_on, terms.ends_on) - free), "by_days"


def _service_months(terms: Terms) -> Decimal | None:
    if terms.service_months is not None:
        return terms.service_months
    if terms.starts_on is None or terms.ends_on is None:
        return None
    count = whole_months(terms.starts_on, terms.ends_on)
    return None if count is None else Decimal(count)


def _of_usage(terms: Terms, policy: ArrPolicy) -> Annualised:
    committed = Decimal(terms.committed_minor or 0)
    if policy.usage == "excluded":
        return Annualised(0, "usage_excluded")
    found, rule = committed, "usage_committed"
    if policy.usage == "last_month" and terms.usage_minor:
        found, rule = usage_last_month(committed / 12, terms.usage_minor), "usage_last_month"
    if policy.usage == "t3m" and len(terms.usage_minor) >= 3:
        found, rule = usage_trailing(committed / 12, terms.usage_minor), "usage_t3m"
    return Annualised(rounded(found), rule)


def per_year(amount: Decimal, months: Decimal) -> Decimal:
    """Amount for some months, as a yearly amount. Source: ChartMogul, Stripe (billing analytics)"""
    return amount * 12 / months


def per_month(amount: Decimal, months: Decimal) -> Decimal:
    """MRR of an amount paid for some months."""
    return amount / months


def by_days(amount: Decimal, days: int, *, year_days: int = YEAR_DAYS) -> Decimal:
    """Yearly amount of a term that has no whole months."""
    return amount * year_days / days


def month_of_part(amount: Decimal, service_days: int, full_period_days: int) -> Decimal:
    """MRR of a prorated invoice. Source: ChartMogul (MRR from prorated invoices)."""
    return amount * full_period_days / service_days


def without_tax(amount: Decimal, rate_bp: int | None) -> Decimal:
    """Source: Stripe and ChartMogul exclude tax. An unknown rate leaves the amount as it is."""
    return amount if not rate_bp else amount * FULL_BP / (FULL_BP + rate_bp)


def discounted(amount: Decimal, discount_bp: int) -> Decimal:
    """Price after a discount of so many hundredths of a percent."""
    return amount * (FULL_BP - discount_bp) / FULL_BP


def counted_price(
    list_price: Decimal, discount_bp: int, *, is_forever: bool, policy: Discounts = "always"
) -> Decimal:
    """What counts of a discounted price. ProfitWell always subtracts, Stripe can leave out
    discounts that end."""
    if policy == "forever_only" and not is_forever:
        return list_price
    return discounted(list_price, discount_bp)


def usage_last_month(committed_month: Decimal, usage: Sequence[int | Decimal]) -> Decimal:
    """(commitment + usage of the last month) × 12. Source: Ordway (ARR for usage pricing)."""
    return (committed_month + Decimal(usage[-1])) * 12


def usage_trailing(committed_month: Decimal, usage: Sequence[int | Decimal]) -> Decimal:
    """(commitment + usage) of the last three months × 4. Source: Ordway, Herod CPA."""
    last = [Decimal(month) for month in usage[-3:]]
    return (committed_month * 3 + sum(last, Decimal(0))) * 4


def maintenance(licence: Decimal, rate_bp: int) -> Decimal:
    """Yearly maintenance of a bought-out licence; 15-22 % of its price is usual."""
    return licence * rate_bp / FULL_BP


def maintenance_rate_bp(annual: Decimal, licence: Decimal) -> int | None:
    """None: without a price there is no rate."""
    return None if not licence else rounded(annual * FULL_BP / licence)


def net_amount(terms: Terms) -> int:
    """Amount of the whole line without tax: its part of TCV."""
    amount = Decimal(terms.amount_minor)
    return rounded(without_tax(amount, terms.tax_rate_bp) if terms.tax_included else amount)


def tcv(lines: Sequence[Terms]) -> int:
    """Total contract value: everything signed, one-off services included, without tax."""
    return sum(net_amount(terms) for terms in lines)


def is_usual_maintenance(rate_bp: int) -> bool:
    return MAINTENANCE_LOW_BP <= rate_bp <= MAINTENANCE_HIGH_BP
