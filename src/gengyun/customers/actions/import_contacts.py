"""Import of contacts: a person is found again by address, product account, phone, else name."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from gengyun.customers.actions.import_kinds import (
    CHANGED,
    CREATED,
    ERROR,
    SAME,
    Context,
    Parser,
    Planned,
    limited,
    plain,
    register,
)
from gengyun.customers.actions.import_lookup import Book, folded
from gengyun.customers.calc import cells, phones
from gengyun.customers.calc.columns import CONTACT_COLUMNS, Column
from gengyun.customers.models import Contact
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record_many

FIELDS = [
    "name",
    "title",
    "part",
    "email",
    "phone",
    "wecom_id",
    "product_user_id",
    "note",
    "left_on",
]
KEYS = ("email", "product_user_id", "phone")
BATCH = 1_000
PARTS = {
    "决策人": "decider", "决策者": "decider", "关键决策人": "decider", "拍板人": "decider",
    "decision maker": "decider", "decider": "decider", "economic buyer": "decider",
    "拥护者": "champion", "支持者": "champion", "内部教练": "champion", "教练": "champion",
    "champion": "champion", "sponsor": "champion",
    "使用者": "user", "用户": "user", "最终用户": "user", "使用人": "user", "user": "user",
    "end user": "user", "采购": "procurement", "采购人": "procurement", "采购负责人": "procurement",
    "procurement": "procurement", "buyer": "procurement", "其他": "other", "其它": "other",
    "other": "other",
}  # fmt: skip


def _part(cell: Any) -> str | None:
    found = cells.text(cell)
    if found is None:
        return None
    if folded(found) not in PARTS:
        raise cells.BadCell("part_unknown")
    return PARTS[folded(found)]


def _phone(cell: Any) -> str | None:
    found = cells.text(cell)
    if found is None:
        return None
    number = phones.normal_form(found)
    if number is None:
        raise cells.BadCell("not_a_phone")
    return number


PARSERS: Mapping[str, Parser] = {
    "customer": plain(cells.text),
    "name": limited(80, cells.text),
    "title": limited(80, cells.text),
    "part": plain(_part),
    "email": plain(cells.email),
    "phone": limited(40, _phone),
    "wecom_id": limited(80, cells.text),
    "product_user_id": limited(200, cells.text),
    "note": limited(200, cells.text),
    "left_on": plain(cells.day),
}


class ContactImport:
    name = "contacts"
    columns: tuple[Column, ...] = CONTACT_COLUMNS
    parsers = PARSERS
    needed: tuple[frozenset[str], ...] = (frozenset({"customer"}), frozenset({"name"}))

    def plan(self, planned: Sequence[Planned], context: Context) -> None:
        book = Book.load(context.actor)
        for row in planned:
            row.label = row.values.get("name", "")
            _check(row, book)
        people = _People.load(row.values.get("customer_id") for row in planned)
        for row in planned:
            if row.outcome != ERROR:
                _plan_row(row, people)

    def write(self, planned: Sequence[Planned], context: Context) -> None:
        now = context.now
        new = [
            Contact(
                customer_id=row.values["customer_id"],
                created_at=now,
                updated_at=now,
                **_columns(row),
            )
            for row in planned
            if row.outcome == CREATED
        ]
        Contact.objects.bulk_create(new, batch_size=BATCH)
        changed = [row for row in planned if row.outcome == CHANGED]
        present = Contact.objects.select_for_update().in_bulk([row.target for row in changed])
        told = []
        for row in changed:
            contact = present[row.target or 0]
            for name, value in _columns(row).items():
                setattr(contact, name, value)
            contact.updated_at = now
            told.append((contact, row.told))
        Contact.objects.bulk_update(present.values(), [*FIELDS, "updated_at"], batch_size=500)
        actor = context.actor
        record_many(
            actor=actor,
            now=now,
            action="contact.create",
            changes=[(contact, {"name": [None, contact.name]}) for contact in new],
        )
        record_many(actor=actor, now=now, action="contact.import", changes=told)
        ids = sorted({contact.customer_id for contact in [*new, *present.values()]})
        if ids:
            emit("customer.changed", {"customer_ids": ids}, now=now)

    def finish(self, planned: Sequence[Planned], context: Context) -> None:
        """Nothing waits for the last row."""


class _People:
    """Contacts of the customers in the file, by what tells one from another."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[int, str, str], Contact | Planned] = {}
        self.by_name: dict[tuple[int, str], list[Contact | Planned]] = defaultdict(list)

    @classmethod
    def load(cls, customer_ids: Any) -> "_People":
        people = cls()
        ids = sorted({pk for pk in customer_ids if pk is not None})
        for start in range(0, len(ids), 5_000):
            part = ids[start : start + 5_000]
            for contact in Contact.objects.filter(customer_id__in=part).order_by("pk"):
                values = {key: getattr(contact, key) for key in (*KEYS, "name")}
                people.add(contact.customer_id, values, contact)
        return people

    def add(self, customer_id: int, values: Mapping[str, Any], who: "Contact | Planned") -> None:
        for key in KEYS:
            if values.get(key):
                self.by_key.setdefault((customer_id, key, _folded(key, values[key])), who)
        self.by_name[customer_id, folded(values["name"])].append(who)

    def find(self, customer_id: int, values: Mapping[str, Any]) -> "Contact | Planned | None":
        for key in KEYS:
            if values.get(key):
                found = self.by_key.get((customer_id, key, _folded(key, values[key])))
                if found is not None:
                    return found
        named = self.by_name.get((customer_id, folded(values["name"])), [])
        # two people may share a name: an address or account that differs means another person
        alike = [who for who in named if not _differ(who, values)]
        return alike[0] if len(alike) == 1 else None


def _folded(key: str, value: str) -> str:
    """Numbers written before they were checked are the same numbers."""
    return " ".join(sorted(phones.keys(value))) if key == "phone" else folded(value)


def _differ(who: Contact | Planned, values: Mapping[str, Any]) -> bool:
    for key in KEYS:
        known = who.values.get(key) if isinstance(who, Planned) else getattr(who, key)
        if known and values.get(key) and _folded(key, known) != _folded(key, values[key]):
            return True
    return False


def _check(row: Planned, book: Book) -> None:
    if "customer" not in row.values:
        row.refuse("customer_missing")
    elif (customer_id := book.find(row, "customer")) is not None:
        row.values["customer_id"] = customer_id
    if "name" not in row.values:
        row.refuse("name_missing")


def _plan_row(row: Planned, people: _People) -> None:
    customer_id = row.values["customer_id"]
    found = people.find(customer_id, row.values)
    columns = _columns(row)
    if found is None:
        row.outcome, row.told = CREATED, {name: [None, str(v)] for name, v in columns.items()}
        people.add(customer_id, row.values, row)
    elif isinstance(found, Planned):
        if _columns(found) == columns:
            row.outcome = SAME
        else:
            row.refuse("row_repeated", row=found.row.number)
    else:
        row.target = found.pk
        row.told = {
            name: [_shown(getattr(found, name)), _shown(value)]
            for name, value in columns.items()
            if getattr(found, name) != value
        }
        row.outcome = CHANGED if row.told else SAME


def _columns(row: Planned) -> dict[str, Any]:
    return {name: row.values[name] for name in FIELDS if name in row.values}


def _shown(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


register(ContactImport())
