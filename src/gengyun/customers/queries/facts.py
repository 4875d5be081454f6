"""What a criterion of a journey may ask about a customer.

This package knows its own fields and contacts; packages above bring their facts (metrics, what
was done with the customer, health) by registering a source, as they do with kinds of import.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Q

from gengyun.customers.models import Contact, Customer

Values = dict[str, dict[int, Any]]  # fact -> customer -> value; absent: unknown
CHUNK = 900


@dataclass(frozen=True)
class Fact:
    """`kind`: number, days, money (minor units), share (a ratio), text, bool."""

    key: str
    zh: str
    en: str
    kind: str = "number"
    group: str = "customer"  # customer, contacts, metric, activity, health


@dataclass(frozen=True)
class FactSource:
    """`prefix`: what the keys of the source begin with, "" for fields of the customer."""

    prefix: str
    listed: Callable[[], Sequence[Fact]]
    values: Callable[[Collection[str], date, Collection[int] | None], Values]


_sources: dict[str, FactSource] = {}


def register(source: FactSource) -> None:
    _sources[source.prefix] = source


def known_facts() -> dict[str, Fact]:
    """Every fact that a criterion may name today, in the order of the menu."""
    return {fact.key: fact for source in _sources.values() for fact in source.listed()}


def fact_values(
    keys: Iterable[str], *, as_of: date, customer_ids: Collection[int] | None = None
) -> Values:
    """The facts asked for, of some customers or of all present ones; unknown keys have no values.

    As known on the day `as_of`: counts of what was done end before it, metrics are those of the
    newest judged day up to it.
    """
    wanted: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys):
        prefix = key.partition(":")[0] if ":" in key else ""
        if prefix in _sources:
            wanted.setdefault(prefix, []).append(key)
    found: Values = {}
    for prefix, part in wanted.items():
        found |= _sources[prefix].values(part, as_of, customer_ids)
    return found


def by_customer(values: Values) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for key, each in values.items():
        for customer_id, value in each.items():
            found.setdefault(customer_id, {})[key] = value
    return found


# -- the facts of this package ------------------------------------------------------------------

OWN = (
    Fact("days_since_start", "客户起始后天数", "Days since the customer began", "days"),
    Fact("days_to_renewal", "距续约天数", "Days to renewal", "days"),
    Fact("days_in_stage", "在本阶段天数", "Days in the stage", "days"),
    Fact("arr_minor", "ARR", "ARR", "money"),
    Fact("seats", "席位数", "Seats bought"),
    Fact("edition", "版本", "Edition", "text"),
    Fact("industry", "行业", "Industry", "text"),
    Fact("region", "地区", "Region", "text"),
    Fact("has_owner", "已有客户成功经理", "Has a CSM", "bool"),
    Fact("decider_count", "在职决策人数", "Decision makers known", group="contacts"),
    Fact("champion_count", "在职拥护者数", "Champions known", group="contacts"),
    Fact("contact_count", "在职联系人数", "Contacts known", group="contacts"),
)
PARTS = {
    "decider_count": Contact.Part.DECIDER,
    "champion_count": Contact.Part.CHAMPION,
    "contact_count": None,
}
_COLUMN: Mapping[str, str] = {
    "days_since_start": "started_on",
    "days_to_renewal": "renews_on",
    "days_in_stage": "stage_since",
    "has_owner": "owner_id",
}


def _own_values(keys: Collection[str], as_of: date, customer_ids: Collection[int] | None) -> Values:
    found: Values = {}
    fields = [key for key in keys if key not in PARTS and key in _OWN_KEYS]
    if fields:
        found |= _field_values(fields, as_of, customer_ids)
    counted = [key for key in keys if key in PARTS]
    if counted:
        found |= _contact_values(counted, customer_ids)
    return found


def _field_values(keys: Sequence[str], as_of: date, customer_ids: Collection[int] | None) -> Values:
    found: Values = {key: {} for key in keys}
    columns = [_COLUMN.get(key, key) for key in keys]
    for rows in _chunks(Customer.objects.present().order_by(), "pk", customer_ids):
        for pk, *values in rows.values_list("pk", *columns):
            for key, value in zip(keys, values, strict=True):
                if key == "has_owner":
                    found[key][pk] = value is not None
                elif value not in (None, ""):
                    found[key][pk] = _told(key, value, as_of)
    return found


def _told(key: str, value: Any, as_of: date) -> Any:
    if key == "days_to_renewal":
        return (value - as_of).days
    return (as_of - value).days if isinstance(value, date) else value


def _contact_values(keys: Sequence[str], customer_ids: Collection[int] | None) -> Values:
    """A customer without contacts has none: 0 is known here."""
    found: Values = {key: {} for key in keys}
    here = Q(left_on__isnull=True)
    counts = {
        key: Count("pk", filter=here if (part := PARTS[key]) is None else here & Q(part=part))
        for key in keys
    }
    for ids in _chunks(Customer.objects.present().order_by(), "pk", customer_ids):
        for pk in ids.values_list("pk", flat=True):
            for key in keys:
                found[key][pk] = 0
    present = Contact.objects.filter(customer__archived_at__isnull=True).order_by()
    for rows in _chunks(present, "customer_id", customer_ids):
        for row in rows.values("customer_id").annotate(**counts):
            for key in keys:
                found[key][row["customer_id"]] = row[key]
    return found


def _chunks(rows: Any, column: str, customer_ids: Collection[int] | None) -> Iterable[Any]:
    if customer_ids is None:
        yield rows
        return
    ids = sorted(customer_ids)
    for start in range(0, len(ids), CHUNK):
        yield rows.filter(**{f"{column}__in": ids[start : start + CHUNK]})


_OWN_KEYS = frozenset(fact.key for fact in OWN)
register(FactSource("", lambda: OWN, _own_values))
