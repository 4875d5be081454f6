"""From decoded events to rows of the lake: who, which customer, since when known; or quarantine."""

from collections.abc import Iterable

from gengyun.usage.actions.deliveries import Delivery, Held, Row
from gengyun.usage.actions.people import People, company_of
from gengyun.usage.calc.decode import DecodedEvent
from gengyun.usage.models import QuarantinedEvent

Reason = QuarantinedEvent.Reason
TELLING = frozenset({"identify", "group", "alias"})  # kinds that say something about people


class Resolver:
    """One turn: `resolve` fills rows, held events and, in `people`, what is to be written."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.rows: list[Row] = []
        self.held: list[Held] = []
        # alias, and identify of a user without customer: kept in people, no row of the lake
        self.told: list[tuple[Delivery, DecodedEvent]] = []

    def resolve(self, deliveries: Iterable[Delivery]) -> None:
        """Events in their order: what a group call says counts for the events after it."""
        people = self.people
        persons, customers, aliases = people.persons, people.customers, people.aliases
        append, new = self.rows.append, tuple.__new__
        for delivery in deliveries:
            fixed = delivery.known_at
            if fixed is None and not delivery.source.is_history:
                fixed = delivery.received_at
            for event in delivery.events:
                user_id = event.user_id
                person = persons.get(user_id)
                at = event.happened_at
                # what nearly every event is, without a call: a known user, a named customer
                if person is not None and event.kind not in TELLING and not aliases:
                    customer_id = customers.get(event.group_id) or (
                        None if event.group_id else person.customer_id
                    )
                    if customer_id is not None and person.customer_id is not None:
                        if not person.first_seen <= at <= person.last_seen:
                            person.seen(at)
                        known_at = at if fixed is None else fixed
                        # past the named tuple's own constructor, which takes as long as all else
                        found = (delivery, event, customer_id, user_id, known_at)
                        append(new(Row, found))
                        continue
                self._carefully(delivery, event, at if fixed is None else fixed)

    def _carefully(self, delivery: Delivery, event: DecodedEvent, known_at: int) -> None:
        if event.kind == "alias":
            if event.event == "merge":
                self.people.merge(event.previous_id, event.user_id)
            else:
                self.people.add_alias(event.previous_id, event.user_id)
            self.told.append((delivery, event))
            return
        user_id = self.people.user_of(event)
        customer_id, reason = self._customer(event, user_id)
        if customer_id is not None:
            self._remember(event, user_id, customer_id)
            self.rows.append(Row(delivery, event, customer_id, user_id, known_at))
        elif event.kind == "identify" and reason == Reason.NO_CUSTOMER:
            self._remember(event, user_id, None)
            self.told.append((delivery, event))
        else:
            held = Held(delivery, event, reason, user_id=user_id, group_id=company_of(event))
            self.held.append(held)

    def _customer(self, event: DecodedEvent, user_id: str) -> tuple[int | None, str]:
        """The customer the event names, else the user's; with the reason when there is none."""
        group_id = event.group_id
        if not group_id and event.kind == "identify":
            group_id = company_of(event)
        if group_id:
            return self.people.customers.get(group_id), Reason.UNKNOWN_CUSTOMER
        person = self.people.persons.get(user_id)
        return (None if person is None else person.customer_id), Reason.NO_CUSTOMER

    def _remember(self, event: DecodedEvent, user_id: str, customer_id: int | None) -> None:
        if not user_id:
            return
        move = event.kind == "group"
        person = self.people.note(user_id, event.happened_at, customer_id, move=move)
        if event.kind == "identify":
            self.people.identify(person, event)
            self.people.add_alias(event.anonymous_id, user_id)
