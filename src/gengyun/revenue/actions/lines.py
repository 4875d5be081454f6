"""Lines appended to contracts, and the movements that they make."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from gengyun.customers.actions.scope import all_mine
from gengyun.kernel.days import day_of
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.contracts import all_fresh
from gengyun.revenue.actions.refusals import KnownLater, refuse
from gengyun.revenue.actions.settling import settle_book
from gengyun.revenue.actions.succeeding import Told, post_added, succeed
from gengyun.revenue.calc import rules
from gengyun.revenue.calc.normalise import Annualised, ArrPolicy, Terms, annualise
from gengyun.revenue.calc.rules import Fault
from gengyun.revenue.models import Contract, Edition, Line, LineKind, Movement, Product
from gengyun.revenue.models import RevenueSettings as Settings
from gengyun.revenue.queries.settings import arr_policy, current
from gengyun.team.models import User
from gengyun.team.queries.access import require

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class NewLine:
    """A line to be written. `amount_minor`: for `paid_months` (default: the whole term; of an
    open-ended line one billing interval), as signed. `yearly_minor`: the price of a year, where
    the amount is a part of it (co-terming)."""

    product: Product
    amount_minor: int
    starts_on: date
    ends_on: date | None = None
    edition: Edition | None = None
    group: str = ""
    kind: str = LineKind.SUBSCRIPTION
    seats: int | None = None
    tax_included: bool = False
    tax_rate_bp: int | None = None
    list_minor: int | None = None
    discount_bp: int | None = None
    discount_is_forever: bool = True
    currency: str = ""  # "": the contract's
    paid_months: Decimal | None = None
    gift_days: int = 0
    is_trial: bool = False
    committed_minor: int | None = None
    maintenance_base_minor: int | None = None
    maintenance_rate_bp: int | None = None
    yearly_minor: int | None = None
    usage_minor: tuple[int, ...] = ()
    arr_minor: int | None = None  # given by hand: the rule is then `as_given`
    note: str = ""
    external_id: str = ""


@dataclass(frozen=True)
class Posted:
    """What an action wrote. `flags`: rules that were broken but do not refuse."""

    line: Line
    movements: list[Movement]
    flags: list[Fault]


@dataclass(frozen=True)
class Checked:
    """A line that no rule refuses, with what its contract says of it and its ARR."""

    new: NewLine
    counted: Annualised
    flags: list[Fault]


@dataclass(frozen=True, kw_only=True)
class Append:
    """One line of `append_lines`. `previous`: the line it renews, or None for none; with
    `find_previous` it is looked for among the customer's lines of the group."""

    contract: Contract
    new: NewLine
    previous: Line | None = None
    find_previous: bool = False
    signed_on: date | None = None  # default: the contract's
    known_at: datetime | None = None
    price_change: bool | None = None  # the whole change is one of price
    cause: str = ""


def append_line(
    *,
    actor: User | None,
    now: datetime,
    contract: Contract,
    line: NewLine,
    previous: Line | None = None,
    find_previous: bool = False,
    signed_on: date | None = None,
    known_at: datetime | None = None,
) -> Posted:
    """Append one line. Its movements follow: new, upsell, cross-sell, win-back or, where it has a
    previous line, renewal and what changed with it."""
    one = Append(
        contract=contract,
        new=line,
        previous=previous,
        find_previous=find_previous,
        signed_on=signed_on,
        known_at=known_at,
    )
    return append_lines(actor=actor, now=now, lines=[one])[0]


@transaction.atomic
def append_lines(
    *, actor: User | None, now: datetime, lines: Sequence[Append], settle: bool = True
) -> list[Posted]:
    """Many lines at once, written in the order of their first days; answers in the order given.

    The first one that a rule refuses refuses them all. `settle`: lines that ran out long ago end.
    """
    require(actor, "contract.edit")
    contracts = all_fresh(actor, [one.contract for one in lines])
    owners = [contract.customer for contract in contracts.values()]
    book = Book(actor=actor, now=now, customers=all_mine(actor, owners))
    settings = current()
    order = sorted(range(len(lines)), key=lambda at: (lines[at].new.starts_on, at))
    done: dict[int, Posted] = {}
    for at in order:
        one = replace(lines[at], contract=contracts[lines[at].contract.pk])
        done[at] = append_to_book(book, one, settings=settings)
    if settle:
        settle_book(book, as_of=day_of(now), settings=settings)
    book.close()
    return [done[at] for at in range(len(lines))]


def append_to_book(book: Book, one: Append, *, settings: Settings) -> Posted:
    """Write the line now, its movements when the book is closed."""
    known_at = one.known_at or book.now
    if known_at > book.now:
        raise KnownLater
    grace = timedelta(days=settings.loss_grace_days)
    settle_book(
        book,
        as_of=one.new.starts_on - DAY,
        settings=settings,
        customer_ids=[one.contract.customer_id],
        known_at=known_at,
        instead_of=complete(one.new, one.contract).group,
    )
    previous = one.previous
    if previous is not None:
        previous = book.lines.get(previous.pk, previous)
    elif one.find_previous:
        whole = complete(one.new, one.contract)
        previous = _found_previous(book, one.contract.customer_id, whole, grace)
    found = checked(book, one.contract, one.new, settings=settings, previous=previous)
    line = write_line(book, one.contract, found, previous=previous, known_at=known_at)
    first = len(book.posted)
    signed_on = one.signed_on or one.contract.signed_on
    if previous is not None:
        succeed(
            book,
            old=[previous],
            new=[line],
            signed_on=signed_on,
            known_at=known_at,
            grace=grace,
            is_price=one.price_change,
            cause=one.cause,
        )
    else:
        post_added(book, line, Told(signed_on, known_at))
    told = {"contract": [None, one.contract.number], "arr_minor": [None, line.arr_minor]}
    book.tell("line.append", line, told | {"rule": [None, line.rule]})
    return Posted(line, book.posted[first:], found.flags)


def complete(new: NewLine, contract: Contract) -> NewLine:
    """What nobody wrote: the contract's days, currency, the group, the months of a bill."""
    currency = (new.currency or contract.currency).strip().upper()
    group = (new.group or new.product.family or new.product.key).strip()[:80]
    months = new.paid_months
    if months is None and new.ends_on is None and new.kind != LineKind.LICENCE:
        months = Decimal(contract.billing_interval_months or 12)
    return replace(new, currency=currency, group=group, paid_months=months)


def arr_of(new: NewLine, policy: ArrPolicy) -> Annualised:
    if new.arr_minor is not None:
        return Annualised(new.arr_minor, "as_given")
    return annualise(
        Terms(
            kind=new.kind,
            amount_minor=new.amount_minor,
            starts_on=new.starts_on,
            ends_on=new.ends_on,
            paid_months=new.paid_months,
            gift_days=new.gift_days,
            tax_included=new.tax_included,
            tax_rate_bp=new.tax_rate_bp,
            list_minor=new.list_minor,
            discount_is_forever=new.discount_is_forever,
            is_trial=new.is_trial,
            committed_minor=new.committed_minor,
            usage_minor=new.usage_minor,
            maintenance_base_minor=new.maintenance_base_minor,
            maintenance_rate_bp=new.maintenance_rate_bp,
            yearly_minor=new.yearly_minor,
        ),
        policy,
    )


def checked(
    book: Book,
    contract: Contract,
    new: NewLine,
    *,
    settings: Settings,
    previous: Line | None = None,
    replaced: Collection[int] = (),
) -> Checked:
    """The line with its ARR, unless a rule refuses it. `previous`: what it renews; `replaced`:
    lines that it takes the place of."""
    whole = complete(new, contract)
    beside = list(_beside(book, contract, {*replaced, *([previous.pk] if previous else [])}))
    _faults(contract, whole, None, previous, beside)  # days that cannot be have no ARR
    counted = arr_of(whole, arr_policy(settings))
    return Checked(whole, counted, _faults(contract, whole, counted, previous, beside))


def _faults(
    contract: Contract,
    new: NewLine,
    counted: Annualised | None,
    previous: Line | None,
    beside: Sequence[rules.Present],
) -> list[Fault]:
    written = as_written(new, None if counted is None else counted.arr_minor)
    frame = rules.Frame(
        contract.kind, contract.currency, contract.starts_on, contract.ends_on, contract.signed_on
    )
    faults = rules.check_line(written, frame)
    if previous is not None and previous.ends_on and new.starts_on <= previous.ends_on:
        params = {"start": new.starts_on.isoformat(), "end": previous.ends_on.isoformat()}
        faults.insert(0, Fault("renewal_overlaps", params))
    return refuse(faults + rules.check_beside(written, beside))


def as_written(new: NewLine, arr_minor: int | None) -> rules.Written:
    return rules.Written(
        kind=new.kind,
        product=new.product.pk,
        amount_minor=new.amount_minor,
        currency=new.currency,
        starts_on=new.starts_on,
        ends_on=new.ends_on,
        seats=new.seats,
        paid_months=new.paid_months,
        gift_days=new.gift_days,
        is_trial=new.is_trial,
        tax_rate_bp=new.tax_rate_bp,
        list_minor=new.list_minor,
        discount_bp=new.discount_bp,
        maintenance_base_minor=new.maintenance_base_minor,
        arr_minor=arr_minor,
        edition=None if new.edition is None else new.edition.pk,
        external_id=new.external_id,
    )


def _beside(book: Book, contract: Contract, replaced: Collection[int]) -> Iterable[rules.Present]:
    for line in book.of_customer[contract.customer_id]:
        is_over = line.arr_minor and not book.balance(line)  # replaced or ended before its last day
        if line.pk in replaced or is_over:
            continue
        yield as_present(line)


def as_present(line: Line) -> rules.Present:
    """A line that is there, as the rules about lines beside each other read it."""
    return rules.Present(
        number=line.contract.number,
        product=line.product_id,
        amount_minor=line.amount_minor,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
        seats=line.seats,
        kind=line.kind,
        edition=line.edition_id,
        external_id=line.external_id,
    )


def _found_previous(book: Book, customer_id: int, new: NewLine, grace: timedelta) -> Line | None:
    """The line of the group that ended just before (within the grace days) and that nothing
    answers: of the same product first, then the one that ended last."""
    found = [
        line
        for line in book.of_customer[customer_id]
        if line.group == new.group
        and line.currency == new.currency
        and line.ends_on is not None
        and line.ends_on < new.starts_on <= line.ends_on + grace + DAY
        and book.balance(line) > 0
    ]
    same = [line for line in found if line.product_id == new.product.pk]
    return max(same or found, key=lambda line: (line.ends_on or date.min, line.pk), default=None)


def write_line(
    book: Book,
    contract: Contract,
    found: Checked,
    *,
    previous: Line | None = None,
    corrects: Line | None = None,
    known_at: datetime | None = None,
) -> Line:
    new, counted = found.new, found.counted
    line = Line.objects.create(
        contract=contract,
        customer_id=contract.customer_id,
        product=new.product,
        edition=new.edition,
        group=new.group,
        kind=new.kind,
        seats=new.seats,
        amount_minor=new.amount_minor,
        tax_included=new.tax_included,
        tax_rate_bp=new.tax_rate_bp,
        list_minor=new.list_minor,
        discount_bp=new.discount_bp,
        discount_is_forever=new.discount_is_forever,
        currency=new.currency,
        starts_on=new.starts_on,
        ends_on=new.ends_on,
        paid_months=new.paid_months,
        gift_days=new.gift_days,
        is_trial=new.is_trial,
        committed_minor=new.committed_minor,
        maintenance_base_minor=new.maintenance_base_minor,
        rule=counted.rule,
        arr_minor=counted.arr_minor,
        previous=previous,
        corrects=corrects,
        note=new.note[:500],
        external_id=new.external_id[:200],
        known_at=known_at or book.known_at,
        created_at=book.now,
        created_by=book.actor,
    )
    book.add(line)
    return line
