"""From decoded events to rows of the lake: who, which customer, since when known; or quarantine."""

from collections.abc import Iterable

from gengyun.lake.keys import message_key
from gengyun.usage.actions.deliveries import Delivery, Held, Rows
from gengyun.usage.actions.people import People, company_of
from gengyun.usage.calc.decode import DecodedEvent
from gengyun.usage.models import QuarantinedEvent

Reason = QuarantinedEvent.Reason


class Resolver:
    """One turn: `resolve` fills rows, held events and, in `people`, what is to be written."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.rows = Rows()
        self.held: list[Held] = []
        # alias, and identify of a user without customer: kept in people, no row of the lake
        self.told: list[tuple[Delivery, DecodedEvent]] = []

    def resolve(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            for event in delivery.events:
                if event.kind == "alias":
                    self._alias(delivery, event)
                    continue
                user_id = self.people.user_of(event)
                customer_id, reason = self._customer(event, user_id)
                if customer_id is not None:
                    self._accept(delivery, event, user_id, customer_id)
                elif event.kind == "identify" and reason == Reason.NO_CUSTOMER:
                    self._remember(event, user_id, None)
                    self.told.append((delivery, event))
                else:
                    self.held.append(Held(delivery, event, reason, user_id=user_id))

    def _customer(self, event: DecodedEvent, user_id: str) -> tuple[int | None, str]:
        """The customer the event names, else the user's; with the reason when there is none."""
        group_id = event.group_id
        if not group_id and event.kind == "identify":
            group_id = company_of(event)
        if group_id:
            return self.people.customers.get(group_id), Reason.UNKNOWN_CUSTOMER
        person = self.people.persons.get(user_id)
        return (None if person is None else person.customer_id), Reason.NO_CUSTOMER

    def _accept(
        self, delivery: Delivery, event: DecodedEvent, user_id: str, customer_id: int
    ) -> None:
        self._remember(event, user_id, customer_id)
        rows, source = self.rows, delivery.source
        if delivery.known_at is not None:
            known_at = delivery.known_at
        else:
            known_at = event.happened_at if source.is_history else delivery.received_at
        rows.customer_id.append(customer_id)
        rows.user_id.append(user_id)
        rows.kind.append(event.kind)
        rows.event.append(event.event)
        rows.happened_at.append(event.happened_at)
        rows.known_at.append(known_at)
        rows.received_at.append(delivery.received_at)
        rows.source_id.append(source.pk)
        rows.message_key.append(message_key(source.pk, event.message_id))
        rows.properties.append(event.properties)
        rows.origin.append((delivery, event))

    def _remember(self, event: DecodedEvent, user_id: str, customer_id: int | None) -> None:
        if not user_id:
            return
        move = event.kind == "group"
        person = self.people.note(user_id, event.happened_at, customer_id, move=move)
        if event.kind == "identify":
            self.people.identify(person, event)
            self.people.add_alias(event.anonymous_id, user_id)

    def _alias(self, delivery: Delivery, event: DecodedEvent) -> None:
        self.people.add_alias(event.previous_id, event.user_id)
        self.told.append((delivery, event))
