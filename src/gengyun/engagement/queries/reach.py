"""What is known of recipients when something is to be sent to them, read at once for many."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.calc.bounces import is_dead
from gengyun.engagement.calc.budget import WINDOWS, Counted
from gengyun.engagement.calc.quiet import Quiet
from gengyun.engagement.calc.touching import Standing
from gengyun.engagement.models import (
    Channel,
    MailAddress,
    OptOut,
    Touch,
    TouchPolicy,
    TouchPreference,
)
from gengyun.kernel.days import company_zone
from gengyun.team.models import User
from gengyun.team.queries.access import team_ids_below

# what is written to a group that the customer shares with us, not to one person
GROUP_KINDS = frozenset({Channel.Kind.FEISHU, Channel.Kind.DINGTALK, Channel.Kind.WECOM_ROBOT})
LOOK_BACK = timedelta(days=max(WINDOWS))
State = Touch.State


def policy() -> TouchPolicy:
    """The one row; the defaults where nobody has changed anything."""
    return TouchPolicy.objects.order_by("pk").first() or TouchPolicy()


def quiet_of(row: TouchPolicy) -> Quiet:
    return Quiet(row.quiet_from, row.quiet_to, row.working_days_only)


def address_of(contact: Contact | None) -> str:
    return contact.email.strip().lower() if contact is not None else ""


def person_of(customer_id: int, contact: Contact | None, kind: str) -> str:
    """Whose budget a message counts in."""
    if contact is None or kind in GROUP_KINDS:
        return f"customer:{customer_id}"
    address = address_of(contact)
    return f"mail:{address}" if address else f"contact:{contact.pk}"


@dataclass
class Reach:
    """Facts about the recipients of one batch. Build it inside the transaction that decides."""

    customers: Collection[Customer]
    contacts: Collection[Contact]
    now: datetime
    leaving: bool = False  # True: only what left counts; False: plans as well
    without: Collection[int] = ()  # touches that are decided anew
    _known: dict[str, list[Counted]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.contact_ids = [contact.pk for contact in self.contacts]
        self.customer_ids = [customer.pk for customer in self.customers]
        self.addresses = sorted({address_of(contact) for contact in self.contacts} - {""})
        self._read_known()

    def _read_known(self) -> None:
        persons = [f"mail:{address}" for address in self.addresses]
        persons += [f"contact:{pk}" for pk in self.contact_ids]
        persons += [f"customer:{pk}" for pk in self.customer_ids]
        since = self.now - LOOK_BACK
        counted = Q(sent_at__gt=since)
        if not self.leaving:
            counted |= Q(sent_at__isnull=True, state=State.QUEUED, due_at__gt=since)
        rows = (
            Touch.objects.filter(due_at__gt=since)
            .filter(Q(person__among=persons) | Q(contact__among=self.contact_ids))
            .filter(counted, state__in=[State.QUEUED, State.SENT, State.BOUNCED, State.UNSURE])
            .exclude(pk__in=list(self.without))
            .values_list("person", "contact_id", "sent_at", "due_at", "budget_class")
        )
        for person, contact_id, sent_at, due_at, budget_class in rows:
            moment = sent_at or due_at
            if moment is None:
                continue
            one = Counted(moment, budget_class)
            self._known[person].append(one)
            if contact_id is not None and not person.startswith("customer:"):
                # an address that was changed meanwhile takes its history with it
                self._known[f"was:{contact_id}:{person}"].append(one)

    @cached_property
    def _former(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = defaultdict(list)
        for name in self._known:
            if name.startswith("was:"):
                _, contact_id, person = name.split(":", 2)
                found[int(contact_id)].append(person)
        return found

    def known(self, person: str, contact_id: int | None) -> list[Counted]:
        found = list(self._known.get(person, ()))
        if contact_id is not None and not person.startswith("customer:"):
            for former in self._former.get(contact_id, ()):
                if former != person:
                    found += self._known[f"was:{contact_id}:{former}"]
        return found

    def count(self, person: str, one: Counted) -> None:
        """What was decided a moment ago in this transaction counts for the next."""
        self._known[person].append(one)

    @cached_property
    def _opt_outs(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        rows = OptOut.objects.filter(ended_at__isnull=True).filter(
            Q(contact__among=self.contact_ids) | Q(address__among=self.addresses)
        )
        for contact_id, address, category in rows.values_list("contact_id", "address", "category"):
            found[f"contact:{contact_id}"].add(category)
            if address:
                found[address].add(category)
        return found

    def opted_out(self, contact: Contact | None) -> frozenset[str]:
        if contact is None:
            return frozenset()
        own = self._opt_outs.get(f"contact:{contact.pk}", set())
        return frozenset(own | self._opt_outs.get(address_of(contact), set()))

    @cached_property
    def _bounced(self) -> set[str]:
        rows = MailAddress.objects.filter(address__among=self.addresses)
        return {
            row.address
            for row in rows
            if is_dead(row.hard_bounced_at, row.soft_bounces, row.cleared_at, self.now)
        }

    @cached_property
    def _zones(self) -> dict[str, str]:
        rows = TouchPreference.objects.filter(
            Q(contact__among=self.contact_ids) | Q(customer__among=self.customer_ids)
        ).exclude(time_zone="")
        return {
            f"contact:{contact_id}" if contact_id else f"customer:{customer_id}": zone
            for contact_id, customer_id, zone in rows.values_list(
                "contact_id", "customer_id", "time_zone"
            )
        }

    def zone(self, customer_id: int, contact: Contact | None) -> ZoneInfo:
        own = self._zones.get(f"contact:{contact.pk}") if contact is not None else None
        name = own or self._zones.get(f"customer:{customer_id}")
        return ZoneInfo(name) if name else company_zone()

    def standing(
        self, customer: Customer, contact: Contact | None, kind: str, *, has_channel: bool,
        subject: str, body: str,
    ) -> Standing:  # fmt: skip
        is_group, is_mail = kind in GROUP_KINDS, kind == Channel.Kind.EMAIL
        person = None if is_group else contact
        address = address_of(person)
        return Standing(
            zone=self.zone(customer.pk, person),
            is_customer_here=customer.archived_at is None,
            has_left=person is not None and person.left_on is not None,
            needs_contact=is_mail,
            has_contact=person is not None,
            needs_address=is_mail,
            address=address,
            has_channel=has_channel,
            can_unsubscribe=not is_mail or bool(settings.PUBLIC_ADDRESS),
            is_empty=not body.strip() or (is_mail and not subject.strip()),
            opted_out=self.opted_out(person),
            has_bounced=is_mail and address in self._bounced,
            known=self.known(
                person_of(customer.pk, person, kind), person.pk if person is not None else None
            ),
        )


class Channels:
    """Which channel of a kind leads to a customer: its own, its team's, else the one for all."""

    def __init__(self) -> None:
        rows = Channel.objects.filter(is_active=True, serves=Channel.Serves.CUSTOMERS)
        self.rows = list(rows.order_by("pk"))
        self._below = {
            row.team_id: frozenset(team_ids_below(row.team_id))
            for row in self.rows
            if row.team_id is not None
        }
        self._team_of: dict[int, int | None] | None = None

    def find(self, kind: str, customer: Customer) -> Channel | None:
        of_kind = [row for row in self.rows if row.kind == kind]
        own = [row for row in of_kind if row.customer_id == customer.pk]
        if own:
            return own[0]
        free = [row for row in of_kind if row.customer_id is None]
        if kind in GROUP_KINDS:
            return None  # a group belongs to somebody: never write into another's
        team = self._team(customer.owner_id)
        of_team = [
            row for row in free if row.team_id is not None and team in self._below[row.team_id]
        ]
        return next(iter([*of_team, *(row for row in free if row.team_id is None)]), None)

    def fits(self, channel: Channel, customer: Customer) -> bool:
        """May a named channel be used for this customer?"""
        if not channel.is_active or channel.serves != Channel.Serves.CUSTOMERS:
            return False
        if channel.kind in GROUP_KINDS:
            return channel.customer_id == customer.pk
        return channel.customer_id in (None, customer.pk)

    def _team(self, owner_id: int | None) -> int | None:
        if owner_id is None or not self._below:
            return None
        if self._team_of is None:
            self._team_of = dict(User.objects.values_list("pk", "team_id"))
        return self._team_of.get(owner_id)


def locked(
    contact_ids: Collection[int], customer_ids: Collection[int], groups_of: Collection[int]
) -> tuple[dict[int, Contact], dict[int, Customer]]:
    """The recipients, held until the end of the transaction so that their budgets are counted one
    after the other; addresses as well, since two contacts may share one. Fixed order: no deadlock.

    `groups_of`: the customers to whose groups something goes; the others are only read.
    """
    found = Contact.objects.select_for_update().filter(pk__among=list(contact_ids)).order_by("pk")
    contacts = {row.pk: row for row in found}
    _hold({address_of(contact) for contact in contacts.values()} - {""})
    held = Customer.objects.select_for_update().filter(pk__among=list(groups_of)).order_by("pk")
    customers = {row.pk: row for row in held}
    others = Customer.objects.filter(pk__among=list(set(customer_ids) - set(customers)))
    others = others.only("owner", "archived_at").order_by()
    return contacts, customers | {row.pk: row for row in others}


def _hold(addresses: Collection[str]) -> None:
    wanted: Sequence[str] = sorted(addresses)
    known = set(MailAddress.objects.filter(address__among=wanted).values_list("address", flat=True))
    MailAddress.objects.bulk_create(
        [MailAddress(address=one) for one in wanted if one not in known],
        ignore_conflicts=True,
        batch_size=500,
    )
    list(
        MailAddress.objects.select_for_update()
        .filter(address__among=wanted)
        .order_by("address")
        .values_list("pk", flat=True)
    )
