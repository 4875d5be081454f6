"""Tags on customers, one or many at a time."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.customers.actions.scope import all_mine
from gengyun.customers.models import Customer, Tag
from gengyun.kernel.errors import Refusal
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User
from gengyun.team.queries.access import require

LONGEST = 40
BATCH = 5_000


class TagMissing(Refusal):
    code = "tag_missing"
    message = "A tag needs a name of at most 40 characters."


@transaction.atomic
def tag(
    *, actor: User | None, now: datetime, customers: Iterable[Customer], names: Iterable[str]
) -> int:
    """Put tags on customers; unknown tags are made. Returns how many customers changed."""
    require(actor, "customer.edit")
    return write_tags(all_mine(actor, customers), add=names, actor=actor, now=now)


@transaction.atomic
def untag(
    *, actor: User | None, now: datetime, customers: Iterable[Customer], names: Iterable[str]
) -> int:
    """Take tags off customers; a tag that nobody bears any more goes away."""
    require(actor, "customer.edit")
    return write_tags(all_mine(actor, customers), remove=names, actor=actor, now=now)


def write_tags(
    customers: Sequence[Customer],
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    actor: User | None,
    now: datetime,
    quiet: bool = False,
) -> int:
    """The same tags for all; inside the caller's transaction, on rows the actor may change."""
    added, removed = clean_names(add), clean_names(remove)
    wanted = {customer.pk: (added, removed) for customer in customers}
    return write_tags_each(customers, wanted, actor=actor, now=now, quiet=quiet)


def write_tags_each(
    customers: Sequence[Customer],
    wanted: dict[int, tuple[list[str], list[str]]],
    *,
    actor: User | None,
    now: datetime,
    quiet: bool = False,
) -> int:
    """`wanted`: customer id -> (names to add, names to remove). Bulk: no query per customer."""
    tags = _tags(
        {name for added, _ in wanted.values() for name in added},
        {name for _, removed in wanted.values() for name in removed},
    )
    borne = _borne([customer.pk for customer in customers])
    link = Customer.tags.through
    links: list[Any] = []
    loose: dict[int, list[int]] = defaultdict(list)  # tag id -> customers to take it off
    told: list[tuple[Customer, dict[str, Any]]] = []
    for customer in customers:
        added, removed = wanted[customer.pk]
        before = borne[customer.pk]
        after = (before | set(added)) - set(removed)
        if before == after:
            continue
        told.append((customer, {"tags": [sorted(before), sorted(after)]}))
        links.extend(link(customer_id=customer.pk, tag_id=tags[name].pk) for name in after - before)
        for name in before - after:
            loose[tags[name].pk].append(customer.pk)
    link.objects.bulk_create(links, batch_size=BATCH, ignore_conflicts=True)
    for tag_id, ids in loose.items():
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            link.objects.filter(tag_id=tag_id, customer_id__in=part).delete()
    if loose:
        Tag.objects.filter(pk__in=loose, customer__isnull=True).delete()
    if told:
        record_many(actor=actor, now=now, action="customer.tag", changes=told)
        if not quiet:
            emit("customer.changed", {"customer_ids": [c.pk for c, _ in told]}, now=now)
    return len(told)


def clean_names(names: Iterable[str]) -> list[str]:
    cleaned = [" ".join(name.split()) for name in names]
    if any(not name or len(name) > LONGEST for name in cleaned):
        raise TagMissing
    return list(dict.fromkeys(cleaned))


def _tags(added: set[str], removed: set[str]) -> dict[str, Tag]:
    found = {tag.name: tag for tag in Tag.objects.filter(name__in=added | removed)}
    for name in sorted(added - found.keys()):
        found[name], _ = Tag.objects.get_or_create(name=name)
    return found


def _borne(ids: Sequence[int]) -> dict[int, set[str]]:
    borne: dict[int, set[str]] = defaultdict(set)
    for start in range(0, len(ids), BATCH):
        rows = Customer.tags.through.objects.filter(customer_id__in=ids[start : start + BATCH])
        for customer_id, name in rows.values_list("customer_id", "tag__name"):
            borne[customer_id].add(name)
    return borne
