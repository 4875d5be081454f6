"""The deeds of the world entered in the books through the actions that people use, day by day."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from gengyun.customers.actions.customers import archive_customer
from gengyun.customers.models import Customer
from gengyun.demo.load.cash import Cash
from gengyun.demo.world.deals import (
    CARE,
    CATALOGUE,
    LICENCE,
    MAINTENANCE_BP,
    SERVICE,
    TAX_BP,
    Deed,
    Part,
    with_tax,
)
from gengyun.demo.world.shapes import World
from gengyun.kernel.days import start_of
from gengyun.kernel.outbox import unheard
from gengyun.revenue.actions.book import Book
from gengyun.revenue.actions.catalogue import create_product, put_editions
from gengyun.revenue.actions.contracts import create_contract
from gengyun.revenue.actions.ending import terminate
from gengyun.revenue.actions.lines import Append, NewLine, append_lines
from gengyun.revenue.actions.renewing import coterm, extend, renew, upgrade
from gengyun.revenue.calc.terms import whole_months
from gengyun.revenue.models import Contract, ContractKind, Edition, Line, Product

OFFICE = timedelta(hours=10, minutes=20)
SERVICE_DAYS = timedelta(days=89)
MONEY = frozenset({"invoice", "pay", "dispute"})
CARRIED = frozenset({"subscription", "usage", "maintenance"})  # kinds that renew


def make_catalogue(*, now: datetime) -> None:
    """The products of the demo company with their editions."""
    for sold in CATALOGUE:
        names = {"name_zh": sold.name_zh, "name_en": sold.name_en, "family": sold.family}
        product = create_product(actor=None, now=now, key=sold.key, values=names)
        editions = [{"key": key, "name_zh": zh, "name_en": en} for key, zh, en in sold.editions]
        put_editions(actor=None, now=now, product=product, editions=editions)


def _months(starts: date, ends: date) -> int:
    """What is paid for; a start on the 29th and later makes no whole months."""
    return whole_months(starts, ends) or round(((ends - starts).days + 1) / 30.4)


class Books:
    """What is entered so far; `until` goes on from there."""

    def __init__(self, world: World, customers: list[Customer]) -> None:
        """`customers`: those of the world's accounts and then of those who left, in their order."""
        self.customers = customers
        self.todo = list(world.deeds)
        self.products = {product.key: product for product in Product.objects.all()}
        self.editions = {(e.product_id, e.key): e for e in Edition.objects.all()}
        self.held: dict[int, dict[str, Line]] = {}  # account -> product -> the line that runs
        self.price: dict[int, int] = {}  # account -> price of its bought-out licence, fen
        self.cash = Cash()

    def until(self, day: date) -> int:
        """Enter everything that became known before `day`; returns how many deeds.

        Nobody is told: what hangs on contracts is judged after the history stands.
        """
        count = 0
        with unheard(), transaction.atomic():
            while self.todo and self.todo[0].on < day:
                self._do(self.todo.pop(0))
                count += 1
            self.cash.write()
        return count

    def _do(self, deed: Deed) -> None:
        customer = self.customers[deed.account]
        now = start_of(deed.on) + OFFICE
        if deed.verb in MONEY:
            self.cash.note(deed, customer, now)
            return
        getattr(self, f"_{deed.verb}")(deed, customer, now)

    # ---- contracts

    def _sign(self, deed: Deed, customer: Customer, now: datetime) -> None:
        facts = deed.facts
        contract = self._contract(facts, customer, now)
        parts = [*facts["parts"], *(part for part in facts["once"] if part.product == SERVICE)]
        self._note_price(deed.account, facts)
        lines = [
            Append(contract=contract, new=self._line(deed.account, part, facts)) for part in parts
        ]
        lines += self._licence(deed, customer, now)
        posted = append_lines(actor=None, now=now, lines=lines)
        self._hold(deed.account, [one.line for one in posted])

    def _renew(self, deed: Deed, customer: Customer, now: datetime) -> None:
        facts = deed.facts
        old = [line for line in self.held[deed.account].values() if line.kind in CARRIED]
        contract = self._contract(facts, customer, now, previous=old[0].contract)
        posted = renew(
            actor=None,
            now=now,
            lines=old,
            new=[self._line(deed.account, part, facts) for part in facts["parts"]],
            contract=contract,
            signed_on=facts["signed"],
            cause="need_unmet" if len(old) > len(facts["parts"]) else "",
        )
        self.held[deed.account] = {}
        self._hold(deed.account, [one.line for one in posted])

    def _grow(self, deed: Deed, customer: Customer, now: datetime) -> None:
        after: Part = deed.facts["after"]
        line = self.held[deed.account][after.product]
        yearly = with_tax(after.arr_yuan)
        new = coterm(line, on=deed.on, yearly_minor=yearly, seats=after.seats)
        posted = upgrade(actor=None, now=now, line=line, new=new, signed_on=deed.on)
        self._hold(deed.account, [posted.line])

    def _extend(self, deed: Deed, customer: Customer, now: datetime) -> None:
        note = "续约谈判中，先免费延期一个月"
        for product, line in list(self.held[deed.account].items()):
            if line.kind in CARRIED and line.ends_on is not None:
                days = (deed.facts["until"] - line.ends_on).days
                made = extend(actor=None, now=now, line=line, days=days, note=note)
                self.held[deed.account][product] = made

    def _lose(self, deed: Deed, customer: Customer, now: datetime) -> None:
        self._end_all(deed, now, last_day=deed.facts["due"])

    def _end(self, deed: Deed, customer: Customer, now: datetime) -> None:
        self._end_all(deed, now, last_day=deed.facts["last_day"])

    def _end_all(self, deed: Deed, now: datetime, *, last_day: date) -> None:
        lines = [line for line in self.held.pop(deed.account).values() if line.kind in CARRIED]
        terminate(
            actor=None,
            now=now,
            lines=lines,
            cancelled_on=deed.on,
            last_day=last_day,
            cause=deed.facts["cause"],
            involuntary=deed.facts.get("involuntary", False),
            note="公司停业或被收购" if deed.facts.get("involuntary") else "",
        )

    def _begin(self, deed: Deed, customer: Customer, now: datetime) -> None:
        """What the night of that day did: the customer's own fields follow what takes effect."""
        with transaction.atomic():
            rows = Customer.objects.select_for_update().filter(pk=customer.pk)
            Book(actor=None, now=now, customers=rows).close()

    def _archive(self, deed: Deed, customer: Customer, now: datetime) -> None:
        if deed.facts["begins"]:
            self._begin(deed, customer, now)
        archive_customer(actor=None, now=now + timedelta(hours=6), customer=customer)

    def _contract(
        self, facts: dict[str, Any], customer: Customer, now: datetime, **more: Any
    ) -> Contract:
        signed = facts["signed"]
        contract = create_contract(
            actor=None,
            now=now,
            customer=customer,
            number=facts["number"],
            starts_on=facts["starts"],
            ends_on=facts["ends"],
            signed_on=signed,
            auto_renew=False,
            billing_interval_months=facts["interval"],
            source="demo",
            **more,
        )
        self.cash.contracts[contract.number] = contract
        return contract

    def _licence(self, deed: Deed, customer: Customer, now: datetime) -> list[Append]:
        """A bought-out licence stands in a contract of its own that does not end."""
        part = next((part for part in deed.facts["once"] if part.product == LICENCE), None)
        if part is None:
            return []
        contract = create_contract(
            actor=None,
            now=now,
            customer=customer,
            number=f"{deed.facts['number']}-L",
            kind=ContractKind.PERPETUAL,
            starts_on=deed.facts["starts"],
            signed_on=deed.facts["signed"],
            source="demo",
        )
        return [Append(contract=contract, new=self._line(deed.account, part, deed.facts))]

    def _line(self, account: int, part: Part, facts: dict[str, Any]) -> NewLine:
        product = self.products[part.product]
        starts: date = facts["starts"]
        ends: date | None = facts["ends"]
        if part.kind == "licence":
            ends = None
        elif part.kind == "one_off":
            ends = min(starts + SERVICE_DAYS, facts["ends"])
        months = _months(starts, ends) if ends else None
        amount = with_tax(part.price_yuan)
        if part.kind in CARRIED:
            amount = with_tax(part.arr_yuan) * (months or 12) // 12
        return NewLine(
            product=product,
            edition=self.editions.get((product.pk, part.edition)),
            kind=part.kind,
            seats=part.seats,
            amount_minor=amount,
            tax_included=True,
            tax_rate_bp=TAX_BP,
            starts_on=starts,
            ends_on=ends,
            paid_months=Decimal(months) if months and part.kind in CARRIED else None,
            committed_minor=part.arr_yuan * 100 if part.kind == "usage" else None,
            maintenance_base_minor=self.price.get(account) if part.product == CARE else None,
        )

    def _note_price(self, account: int, facts: dict[str, Any]) -> None:
        care = next((part for part in facts["parts"] if part.product == CARE), None)
        if care is not None:
            self.price[account] = round(care.arr_yuan * 100 * 10_000 / MAINTENANCE_BP)

    def _hold(self, account: int, lines: list[Line]) -> None:
        held = self.held.setdefault(account, {})
        for line in lines:
            if line.kind in CARRIED:
                held[line.product.key] = line
