"""What is wrong with a contract or line: each rule with its name, refused or only flagged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from gengyun.kernel.currencies import is_known
from gengyun.revenue.calc.normalise import (
    FULL_BP,
    discounted,
    is_usual_maintenance,
    maintenance_rate_bp,
)
from gengyun.revenue.calc.terms import term_days

LONGEST_DAYS = 3_660  # ten years: more is flagged, it is mostly a slip
SHORTEST_DAYS = 28  # of the shortest month: a year is not known from fewer
LARGEST_MINOR = 10**15
YEARS = range(1900, 2200)  # of any day of a contract; others are slips, and days are added to them

# rule -> (is it refused, what it says); %(name)s are the parameters of the fault
RULES: Mapping[str, tuple[bool, str]] = {
    "end_before_start": (True, "It ends on %(end)s, before it starts on %(start)s."),
    "day_out_of_range": (True, "%(day)s cannot be: the years go from 1900 to 2199."),
    "currency_unknown": (True, "“%(currency)s” is no currency of ISO 4217."),
    "seats_negative": (True, "%(seats)s seats: a number of seats is never negative."),
    "amount_negative": (True, "A line is never negative; a refund is a correction."),
    "amount_too_large": (True, "This amount is larger than any contract."),
    "discount_too_large": (True, "A discount is at most 100 %%."),
    "tax_too_large": (True, "A tax rate is at most 100 %%."),
    "months_not_positive": (True, "Paid months must be more than 0."),
    "gift_too_long": (True, "More days are given free (%(days)s) than the line has."),
    "line_twice": (True, "The same line is already in contract %(number)s."),
    "renewal_overlaps": (
        True,
        "It starts on %(start)s, before the line it renews has ended on %(end)s. Use an upgrade.",
    ),
    "number_taken": (True, "There is already a contract with the number %(number)s."),
    "open_with_end": (True, "An open-ended contract has no last day."),
    "fixed_without_end": (True, "A fixed-term line needs a last day."),
    "currency_of_contract": (True, "The contract is in %(expected)s, the line in %(currency)s."),
    "overlaps": (False, "It overlaps a line of the same product, %(start)s to %(end)s."),
    "outside_contract": (False, "The line is not inside the days of its contract."),
    "seats_zero": (False, "0 seats are sold for money."),
    "trial_with_amount": (False, "A trial has an amount; it does not count as ARR."),
    "discount_mismatch": (False, "List price less discount is not the amount."),
    "maintenance_unusual": (False, "Maintenance is %(percent)s %% a year; 15-22 %% is usual."),
    "term_very_long": (False, "The term is longer than ten years."),
    "term_very_short": (
        False,
        "The line has only %(days)s days; its ARR is worked out as if they went on for a year.",
    ),
    "signed_after_start": (False, "Used before it was signed: ARR starts with the line."),
    "months_beyond_term": (False, "More months are paid for than the term has."),
    "rounded": (False, "The amount was rounded to the minor unit of %(currency)s."),
}


# rule -> the field of a form, and the column of a file, that it is about
FIELD_OF: Mapping[str, str] = {
    "end_before_start": "ends_on",
    "day_out_of_range": "ends_on",
    "seats_negative": "seats",
    "seats_zero": "seats",
    "amount_negative": "amount",
    "amount_too_large": "amount",
    "discount_too_large": "discount",
    "tax_too_large": "tax_rate",
    "months_not_positive": "paid_months",
    "gift_too_long": "gift_days",
    "number_taken": "number",
    "line_twice": "number",
    "fixed_without_end": "ends_on",
    "open_with_end": "ends_on",
    "signed_after_start": "signed_on",
    "term_very_short": "ends_on",
}


@dataclass(frozen=True, slots=True)
class Fault:
    rule: str
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_refused(self) -> bool:
        return RULES[self.rule][0]

    @property
    def message(self) -> str:
        """English msgid with slots."""
        return RULES[self.rule][1]


@dataclass(frozen=True, slots=True)
class Written:
    """A line as somebody wants to write it."""

    kind: str
    product: int
    amount_minor: int
    currency: str
    starts_on: date
    ends_on: date | None
    seats: int | None = None
    paid_months: Decimal | None = None
    gift_days: int = 0
    is_trial: bool = False
    tax_rate_bp: int | None = None
    list_minor: int | None = None
    discount_bp: int | None = None
    maintenance_base_minor: int | None = None
    arr_minor: int | None = None
    edition: int | None = None
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """The contract around it."""

    kind: str
    currency: str
    starts_on: date
    ends_on: date | None
    signed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """A line that is there already."""

    number: str  # of its contract
    product: int
    amount_minor: int
    starts_on: date
    ends_on: date | None
    seats: int | None
    kind: str
    edition: int | None = None
    external_id: str = ""
    is_over: bool = False  # it has ended or was taken over: nothing overlaps it any more


def check_contract(
    *, kind: str, currency: str, starts_on: date, ends_on: date | None
) -> list[Fault]:
    faults = list(_out_of_range(starts_on, ends_on))
    if ends_on is not None and ends_on < starts_on:
        faults.append(_backwards(starts_on, ends_on))
    if not is_known(currency):
        faults.append(Fault("currency_unknown", {"currency": currency}))
    if kind == "open" and ends_on is not None:
        faults.append(Fault("open_with_end"))
    return faults


def check_line(line: Written, contract: Frame) -> list[Fault]:
    """Refused ones first; a line whose days are wrong is not looked at further."""
    if out := list(_out_of_range(line.starts_on, line.ends_on)):
        return out
    if line.ends_on is not None and line.ends_on < line.starts_on:
        return [_backwards(line.starts_on, line.ends_on)]
    faults = [*_amounts(line), *_days(line, contract), *_unusual(line)]
    return sorted(faults, key=lambda fault: not fault.is_refused)


def _backwards(start: date, end: date) -> Fault:
    return Fault("end_before_start", {"start": start.isoformat(), "end": end.isoformat()})


def _out_of_range(*days: date | None) -> Iterable[Fault]:
    for day in days:
        if day is not None and day.year not in YEARS:
            yield Fault("day_out_of_range", {"day": day.isoformat()})


def _amounts(line: Written) -> Iterable[Fault]:
    if not is_known(line.currency):
        yield Fault("currency_unknown", {"currency": line.currency})
    if line.seats is not None and line.seats < 0:
        yield Fault("seats_negative", {"seats": line.seats})
    minors = (line.amount_minor, line.list_minor, line.maintenance_base_minor, line.arr_minor)
    if any(minor is not None and minor < 0 for minor in minors):
        yield Fault("amount_negative")
    if any(minor is not None and minor > LARGEST_MINOR for minor in minors):
        yield Fault("amount_too_large")
    if line.discount_bp is not None and not 0 <= line.discount_bp <= FULL_BP:
        yield Fault("discount_too_large")
    if line.tax_rate_bp is not None and not 0 <= line.tax_rate_bp <= FULL_BP:
        yield Fault("tax_too_large")
    if line.paid_months is not None and line.paid_months <= 0:
        yield Fault("months_not_positive")


def _days(line: Written, contract: Frame) -> Iterable[Fault]:
    if line.currency != contract.currency:
        params = {"expected": contract.currency, "currency": line.currency}
        yield Fault("currency_of_contract", params)
    recurs = line.kind in ("subscription", "maintenance", "usage")
    if line.ends_on is None and contract.kind == "fixed" and recurs:
        yield Fault("fixed_without_end")
    if line.ends_on is not None and line.gift_days >= term_days(line.starts_on, line.ends_on):
        yield Fault("gift_too_long", {"days": line.gift_days})
    is_after = contract.ends_on is not None and (line.ends_on or line.starts_on) > contract.ends_on
    if line.starts_on < contract.starts_on or is_after:
        yield Fault("outside_contract")
    if contract.signed_on is not None and contract.signed_on > line.starts_on:
        yield Fault("signed_after_start")
    if line.ends_on is not None:
        days = term_days(line.starts_on, line.ends_on)
        if days > LONGEST_DAYS:
            yield Fault("term_very_long")
        if line.paid_months is not None and line.paid_months * 28 > days:
            yield Fault("months_beyond_term")


def check_length(
    rule: str, starts_on: date, ends_on: date | None, *, gift_days: int
) -> list[Fault]:
    """ARR worked out from a few days (`rule` of `calc.normalise`): the amount is mostly no price of
    so short a time. A part of a price of a year is no such line, its rule is another one."""
    if ends_on is None or not rule.endswith("by_days"):
        return []
    days = term_days(starts_on, ends_on) - gift_days
    return [Fault("term_very_short", {"days": days})] if days < SHORTEST_DAYS else []


def _unusual(line: Written) -> Iterable[Fault]:
    if line.seats == 0 and line.amount_minor > 0:
        yield Fault("seats_zero")
    if line.is_trial and line.amount_minor > 0:
        yield Fault("trial_with_amount")
    if line.list_minor is not None and line.discount_bp is not None:
        after = discounted(Decimal(line.list_minor), line.discount_bp)
        if abs(after - line.amount_minor) > 1:
            yield Fault("discount_mismatch")
    if line.kind == "maintenance" and line.maintenance_base_minor and line.arr_minor is not None:
        rate = maintenance_rate_bp(Decimal(line.arr_minor), Decimal(line.maintenance_base_minor))
        if rate is not None and not is_usual_maintenance(rate):
            yield Fault("maintenance_unusual", {"percent": Decimal(rate) / 100})


def check_beside(line: Written, others: Iterable[Present]) -> list[Fault]:
    """The line beside those of the same customer that it does not renew.

    Two lines that another system names differently are two lines, however alike. A line that is
    over is still the same line: who writes it again writes it twice.
    """
    faults = []
    for other in others:
        if other.product != line.product or not _overlap(line, other):
            continue
        same = (
            (other.starts_on, other.ends_on) == (line.starts_on, line.ends_on)
            and (other.amount_minor, other.seats) == (line.amount_minor, line.seats)
            and (other.kind, other.edition) == (line.kind, line.edition)
            and (other.external_id == line.external_id or not other.external_id)
        )
        if same:
            return [Fault("line_twice", {"number": other.number})]
        if other.kind == line.kind and not other.is_over:
            faults.append(
                Fault(
                    "overlaps",
                    {
                        "start": other.starts_on.isoformat(),
                        "end": other.ends_on.isoformat() if other.ends_on else "…",
                    },
                )
            )
    return faults[:1]


def _overlap(line: Written, other: Present) -> bool:
    starts_late = other.ends_on is not None and line.starts_on > other.ends_on
    ends_early = line.ends_on is not None and line.ends_on < other.starts_on
    return not (starts_late or ends_early)
