"""Who an event is of and which customer they belong to; what identify, group and alias say.

Read in bulk before a turn, changed in memory, written in bulk after: the rows are the truth, no
cache outlives a turn. Writing twice gives the same rows.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
from django.db import connection

from gengyun.customers.models import Customer
from gengyun.usage.actions.deliveries import Delivery, instant_of, micros
from gengyun.usage.calc.decode import DecodedEvent
from gengyun.usage.models import ProductUser, UserAlias

CHUNK = 900  # parameters of one IN (...)
# first and last seen are good to the hour: writing every user on every turn would cost more
# than all the rest
SEEN_STEP_US = 3_600_000_000
MAX_HOPS = 5  # aliases of aliases
MAX_TRAITS_CHARS = 8_000


class Person(msgspec.Struct, gc=False):
    """A product user in memory; `dirty` when the row has to be written."""

    customer_id: int | None
    first_seen: int
    last_seen: int
    name: str = ""
    email: str = ""
    traits: dict[str, Any] | None = None
    dirty: bool = False  # the times or the customer
    described: bool = False  # name, email or traits

    def seen(self, at: int) -> None:
        if at < self.first_seen:
            if self.first_seen - at > SEEN_STEP_US:
                self.dirty = True
            self.first_seen = at
        elif at > self.last_seen:
            if at - self.last_seen > SEEN_STEP_US:
                self.dirty = True
            self.last_seen = at


class People:
    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        groups: set[str] = set()
        ids: set[str] = set()
        identified: list[DecodedEvent] = []
        for delivery in deliveries:  # request by request: its events are near in memory
            events = delivery.events
            groups.update([event.group_id for event in events])
            ids.update([event.user_id for event in events])
            ids.update([event.anonymous_id for event in events])
            identified += [event for event in events if event.kind in {"identify", "alias"}]
        groups.update(map(company_of, identified))
        # a merge has to know which of its two ids is somebody already
        ids.update([event.previous_id for event in identified if event.event == "merge"])
        self.aliases = _load_aliases(ids - {""})
        ids.update(self.aliases.values())
        self.customers = load_customers(groups - {""})
        described = {self.user_of(event) for event in identified}
        self.persons = _load_persons(ids - {""}, described)
        self.new_aliases: dict[str, str] = {}
        self.mapped: set[str] = set()  # users whose customer became known in this turn

    def user_of(self, event: DecodedEvent) -> str:
        """The user's id after aliases; "" for a visitor who never said who they are."""
        user_id = event.user_id
        if not self.aliases:
            return user_id
        if not user_id:
            user_id = self.aliases.get(event.anonymous_id, "")
        for _ in range(MAX_HOPS):
            user_id, before = self.aliases.get(user_id, user_id), user_id
            if user_id == before:
                break
        return user_id

    def note(self, user_id: str, at: int, customer_id: int | None, *, move: bool = False) -> Person:
        """The user was active; `move` puts them under the customer even if they had another."""
        person = self.persons.get(user_id)
        if person is None:
            person = self.persons[user_id] = Person(customer_id, at, at, dirty=True)
            if customer_id is not None:
                self.mapped.add(user_id)
            return person
        person.seen(at)
        if customer_id is not None and (
            person.customer_id is None or (move and person.customer_id != customer_id)
        ):
            person.customer_id = customer_id
            person.dirty = True
            self.mapped.add(user_id)
        return person

    def add_alias(self, previous_id: str, user_id: str) -> None:
        if previous_id and user_id and previous_id != user_id:
            if self.aliases.get(previous_id) == user_id:
                return
            if self.aliases.get(user_id) == previous_id:
                return  # the other way round is known: a circle says nothing
            self.aliases[previous_id] = self.new_aliases[previous_id] = user_id

    def merge(self, other: str, user_id: str) -> None:
        """Two ids of one person: the one that is somebody already stays, else the second."""
        if other in self.persons and user_id not in self.persons:
            other, user_id = user_id, other
        self.add_alias(other, user_id)

    def identify(self, person: Person, event: DecodedEvent) -> None:
        """Keep what identify says of the user; later words win, silence deletes nothing."""
        traits = _traits(event)
        if not traits:
            return
        once = traits.pop("$set_once", None)  # PostHog: what replaces nothing that is there
        if isinstance(once, dict):
            already = (person.traits or {}) | {"name": person.name, "email": person.email}
            traits = {key: value for key, value in once.items() if not already.get(key)} | traits
        name = traits.get("name") or " ".join(
            str(traits[part]) for part in ("firstName", "lastName") if traits.get(part)
        )
        person.name = str(name)[:120] if name else person.name
        person.email = str(traits["email"])[:254] if traits.get("email") else person.email
        if len(event.properties) <= MAX_TRAITS_CHARS:
            person.traits = (person.traits or {}) | traits
        person.described = True

    def save(self, *, now: datetime) -> None:
        """Write what changed; call it inside the turn's transaction."""
        UserAlias.objects.bulk_create(
            [
                UserAlias(previous_id=previous, user_id=user_id, created_at=now)
                for previous, user_id in self.new_aliases.items()
            ],
            update_conflicts=True,
            unique_fields=["previous_id"],
            update_fields=["user_id"],
        )
        _write_persons((pk, person) for pk, person in self.persons.items() if person.dirty)
        ProductUser.objects.bulk_create(
            [
                ProductUser(
                    external_id=user_id,
                    customer_id=person.customer_id,
                    name=person.name,
                    email=person.email,
                    traits=person.traits or {},
                    first_seen_at=instant_of(person.first_seen),
                    last_seen_at=instant_of(person.last_seen),
                )
                for user_id, person in self.persons.items()
                if person.described
            ],
            batch_size=100,
            update_conflicts=True,
            unique_fields=["external_id"],
            update_fields=["name", "email", "traits"],
        )


# plain SQL: the ORM takes ten times as long for the same rows, and a turn may bring thousands
_UPSERT = """
INSERT INTO usage_productuser
    (external_id, customer_id, name, email, traits, first_seen_at, last_seen_at)
VALUES (%s, %s, '', '', '{}', %s, %s)
ON CONFLICT (external_id) DO UPDATE SET customer_id = excluded.customer_id,
    first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at
"""


def _write_persons(persons: Iterable[tuple[str, Person]]) -> None:
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.executemany(
            _UPSERT,
            [
                (
                    user_id,
                    person.customer_id,
                    adapt(instant_of(person.first_seen)),
                    adapt(instant_of(person.last_seen)),
                )
                for user_id, person in persons
            ],
        )


def company_of(event: DecodedEvent) -> str:
    """traits.company.id of an identify call: how clients without group name the customer."""
    if event.kind != "identify" or '"company"' not in event.properties:
        return ""
    company = (_traits(event)).get("company")
    if isinstance(company, dict) and company.get("id") not in (None, ""):
        return str(company["id"])[:200]
    return ""


def load_customers(external_ids: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in _chunks(external_ids):
        found.update(
            Customer.objects.filter(external_id__in=chunk).values_list("external_id", "pk")
        )
    return found


def _load_aliases(ids: set[str]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    if not UserAlias.objects.exists():  # nobody writes them but the drain itself
        return aliases
    todo = ids
    for _ in range(MAX_HOPS):
        found: dict[str, str] = {}
        for chunk in _chunks(todo):
            rows = UserAlias.objects.filter(previous_id__in=chunk)
            found.update(rows.values_list("previous_id", "user_id"))
        todo = set(found.values()) - aliases.keys() - found.keys()
        aliases.update(found)
        if not todo:
            break
    return aliases


def _load_persons(ids: set[str], described: set[str]) -> dict[str, Person]:
    """The users that are known; name, email and traits only of the `described` ones."""
    persons: dict[str, Person] = {}
    with connection.cursor() as cursor:
        for chunk in _chunks(ids):
            slots = ",".join(["%s"] * len(chunk))
            # as text: the drivers' own way from column to datetime takes longer than all the rest
            cursor.execute(
                "SELECT external_id, customer_id, first_seen_at || '', last_seen_at || ''"  # noqa: S608
                f" FROM usage_productuser WHERE external_id IN ({slots})",
                chunk,
            )
            rows = cursor.fetchall()
            if rows:
                pks, customers, first, last = zip(*rows, strict=True)
                found = map(Person, customers, _micros(first), _micros(last))
                persons.update(zip(pks, found, strict=True))
    for chunk in _chunks(described & persons.keys()):
        for user in ProductUser.objects.filter(external_id__in=chunk):
            person = persons[user.external_id]
            person.name, person.email, person.traits = user.name, user.email, user.traits
    return persons


def _micros(texts: Sequence[str]) -> list[int]:
    """SQLite's text has no zone (it is UTC): Arrow reads all at once. PostgreSQL's has one."""
    try:
        instants = pa.array(texts, pa.string()).cast(pa.timestamp("us"))
        found: list[int] = instants.cast(pa.int64()).to_pylist()
    except pa.ArrowInvalid:
        return [_micros_of(text) for text in texts]
    return found


def _micros_of(text: str) -> int:
    instant = datetime.fromisoformat(text)
    return micros(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)


def _traits(event: DecodedEvent) -> dict[str, Any]:
    if not event.properties:
        return {}
    try:
        traits = msgspec.json.decode(event.properties)
    except msgspec.DecodeError:
        return {}
    return traits if isinstance(traits, dict) else {}


def _chunks(values: Iterable[str]) -> Iterable[list[str]]:
    listed = sorted(values)
    return (listed[at : at + CHUNK] for at in range(0, len(listed), CHUNK))
