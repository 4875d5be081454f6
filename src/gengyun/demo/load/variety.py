"""A few contracts as real books have them and the world's deeds do not: in dollars, open-ended,
with automatic renewal and notice, and a trial. Small ones, beside what their customers hold."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from gengyun.customers.models import Customer
from gengyun.demo.world.deals import CONNECT, INSIGHT
from gengyun.kernel.days import start_of
from gengyun.kernel.outbox import unheard
from gengyun.revenue.actions.contracts import create_contract
from gengyun.revenue.actions.lines import Append, NewLine, append_lines
from gengyun.revenue.actions.rates import set_rate
from gengyun.revenue.calc.terms import term_end
from gengyun.revenue.models import ContractKind, Product

OFFICE = timedelta(hours=11)
YEARS = 4
# yuan a dollar, a quarter each, oldest first: rounded, made up after the real ones
DOLLAR = ("6.87", "7.05", "7.24", "7.18", "7.10", "7.22", "7.25", "7.08", "7.24", "7.19", "7.15",
          "7.11", "7.06", "7.02", "6.98", "6.96", "6.95")  # fmt: skip


@dataclass(frozen=True)
class Extra:
    """One contract with one line. `began`: days before today."""

    number: str
    product: str
    began: int
    amount: int  # in whole units of the currency: a year, of an open-ended line one bill
    months: int | None = 12
    currency: str = "CNY"
    seats: int | None = None
    notice_days: int | None = None
    is_trial: bool = False


EXTRAS = (
    Extra("HZ-USD-1", INSIGHT, 300, 4_800, currency="USD", seats=20),
    Extra("HZ-USD-2", CONNECT, 150, 9_600, currency="USD"),
    Extra("HZ-OPEN-1", CONNECT, 420, 2_000, months=None),
    # its first year was over a month ago: the night renewed it
    Extra("HZ-AUTO-1", INSIGHT, 395, 24_000, seats=30, notice_days=60),
    Extra("HZ-AUTO-2", CONNECT, 320, 18_000, notice_days=30),
    Extra("HZ-TRY-1", INSIGHT, 20, 0, months=2, seats=10, is_trial=True),
)


def add_variety(customers: list[Customer], *, as_of: date) -> int:
    """Each for one of the last customers, who have no story of their own; returns how many."""
    products = {product.key: product for product in Product.objects.all()}
    _note_rates(as_of)
    held = [customer for customer in reversed(customers) if customer.archived_at is None]
    with unheard():
        for customer, extra in zip(held, EXTRAS, strict=False):
            _write(customer, extra, products[extra.product], as_of)
    return min(len(held), len(EXTRAS))


def _note_rates(as_of: date) -> None:
    first = date(as_of.year - YEARS, (as_of.month - 1) // 3 * 3 + 1, 1)
    for place, rate in enumerate(DOLLAR):
        months = first.month - 1 + 3 * place
        on = date(first.year + months // 12, months % 12 + 1, 1)
        set_rate(
            actor=None,
            now=_office(on),
            currency="USD",
            base="CNY",
            on=on,
            rate=Decimal(rate),
            source="示例",
        )


def _write(customer: Customer, extra: Extra, product: Product, as_of: date) -> None:
    starts = as_of - timedelta(days=extra.began)
    ends = None if extra.months is None else term_end(starts, extra.months)
    now = _office(starts)
    contract = create_contract(
        actor=None,
        now=now,
        customer=customer,
        number=extra.number,
        kind=ContractKind.OPEN if ends is None else ContractKind.FIXED,
        starts_on=starts,
        ends_on=ends,
        signed_on=starts,
        auto_renew=extra.notice_days is not None,
        notice_days=extra.notice_days,
        currency=extra.currency,
        billing_interval_months=1 if ends is None else 12,
        source="demo",
    )
    line = NewLine(
        product=product,
        group=f"{product.key}-extra",  # renews by itself, not with what else is held
        amount_minor=extra.amount * 100,
        starts_on=starts,
        ends_on=ends,
        seats=extra.seats,
        is_trial=extra.is_trial,
        currency=extra.currency,
    )
    append_lines(actor=None, now=now, lines=[Append(contract=contract, new=line)])


def _office(day: date) -> datetime:
    return start_of(day) + OFFICE
