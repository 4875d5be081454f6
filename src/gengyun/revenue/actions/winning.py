"""Winning an opportunity with what was signed: the contract gets its line, the ledger moves."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from gengyun.kernel.errors import Refusal
from gengyun.revenue.actions.contracts import create_contract
from gengyun.revenue.actions.lines import NewLine, append_line
from gengyun.revenue.actions.opportunities import win_opportunity
from gengyun.revenue.calc.rules import Fault
from gengyun.revenue.calc.terms import coterm_amount, rounded, term_end
from gengyun.revenue.models import Contract, LineKind, Opportunity, OpportunityKind, Product
from gengyun.team.models import User


class SignedIncomplete(Refusal):
    code = "signed_incomplete"
    message = "%(field)s: say what was signed."


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What was signed. `amount_minor`: a year's price as written; of a service, all of it.

    `contract` None: a new one of that `number` ("": the next free). `ends_on` None: with the
    contract, or a year where the contract is new.
    """

    product: Product
    amount_minor: int
    starts_on: date
    ends_on: date | None = None
    seats: int | None = None
    contract: Contract | None = None
    number: str = ""
    signed_on: date | None = None
    tax_included: bool = False
    tax_rate_bp: int | None = None


@dataclass(frozen=True)
class Won:
    opportunity: Opportunity
    flags: list[Fault]  # rules that were broken but do not refuse


@transaction.atomic
def win_with_line(
    *, actor: User | None, now: datetime, opportunity: Opportunity, signed: Signed
) -> Won:
    """The line, its movement and the won opportunity: all of it or nothing."""
    contract = signed.contract
    is_service = opportunity.kind == OpportunityKind.SERVICE
    ends_on = signed.ends_on
    if contract is None:
        ends_on = ends_on or term_end(signed.starts_on, 12)
        contract = create_contract(
            actor=actor,
            now=now,
            customer=opportunity.customer,
            starts_on=signed.starts_on,
            ends_on=ends_on,
            number=signed.number,
            signed_on=signed.signed_on,
            currency=opportunity.currency,
        )
    elif contract.customer_id != opportunity.customer_id:
        raise SignedIncomplete(field="contract")
    line = new_line(signed, contract, ends_on or contract.ends_on, is_service=is_service)
    posted = append_line(
        actor=actor, now=now, contract=contract, line=line, signed_on=signed.signed_on
    )
    won = win_opportunity(
        actor=actor,
        now=now,
        opportunity=opportunity,
        line=posted.line,
        closed_on=signed.signed_on,
    )
    return Won(won, posted.flags)


def new_line(
    signed: Signed, contract: Contract, ends_on: date | None, *, is_service: bool = False
) -> NewLine:
    """The line as it is written: a part of the year costs its part of the year's price, while ARR
    counts the whole (co-terming)."""
    if is_service or ends_on is None or ends_on < signed.starts_on:
        amount, yearly = signed.amount_minor, None
    else:
        yearly = signed.amount_minor
        amount = rounded(coterm_amount(Decimal(yearly), signed.starts_on, ends_on))
    return NewLine(
        product=signed.product,
        kind=LineKind.ONE_OFF if is_service else LineKind.SUBSCRIPTION,
        amount_minor=amount,
        yearly_minor=yearly,
        starts_on=signed.starts_on,
        ends_on=ends_on,
        seats=signed.seats,
        tax_included=signed.tax_included,
        tax_rate_bp=signed.tax_rate_bp,
        currency=contract.currency,
    )
