"""Two rows that are one company become one; taking it back gives both their own again.

Packages above say what hangs on a customer and moves with it by registering a `Part`. Events stay
where they are (`queries.merges`): the old id goes on receiving them, and they count for the
customer that stayed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction

from gengyun.customers.actions import fields
from gengyun.customers.actions.governed import FieldGoverned, governed_fields
from gengyun.customers.actions.history import Change, readable, write_changes
from gengyun.customers.actions.scope import all_mine
from gengyun.customers.actions.tags import write_tags
from gengyun.customers.models import Contact, Customer, CustomerMerge, FieldValue, NotDuplicate
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.outbox import emit
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

KEPT, GONE, SUM = "kept", "gone", "sum"
# what may be chosen per field; amounts and seats of two books may add up
CHOICES: dict[str, tuple[str, ...]] = {
    "name": (KEPT, GONE),
    "uscc": (KEPT, GONE),
    "industry": (KEPT, GONE),
    "region": (KEPT, GONE),
    "owner": (KEPT, GONE),
    "arr_minor": (KEPT, GONE, SUM),
    "seats": (KEPT, GONE, SUM),
    "edition": (KEPT, GONE),
    "started_on": (KEPT, GONE),
    "renews_on": (KEPT, GONE),
    "next_step": (KEPT, GONE),
}
WITH = {"arr_minor": ("currency",), "next_step": ("next_step_on",)}  # fields that go together


class MergeOfOne(Refusal):
    code = "merge_of_one"
    message = "Choose two different customers."


class MergeOfGone(Refusal):
    code = "merge_of_gone"
    status = 409
    message = "%(name)s is archived or already part of another customer."


class SumOfCurrencies(Refusal):
    code = "sum_of_currencies"
    message = "Amounts in different currencies cannot be added."


class ChoiceUnknown(Refusal):
    code = "choice_unknown"
    message = "Choose one of the two values."


class MergeBuried(Refusal):
    code = "merge_buried"
    status = 409
    message = "%(name)s has become part of another customer since; take that back first."


@dataclass(frozen=True)
class Part:
    """Something that hangs on a customer. `move(gone, kept)` returns the ids that went over."""

    name: str
    count: Callable[[int], int]
    move: Callable[[int, int], list[int]]
    move_back: Callable[[Sequence[int], int], None]  # ids, gone


_parts: dict[str, Part] = {}
# told when two became one or two again, in the transaction: (kept id, gone id, actor, now)
Follower = Callable[[int, int, User | None, datetime], None]
_followers: list[Follower] = []


def follow_merges(follower: Follower) -> None:
    if follower not in _followers:
        _followers.append(follower)


def register(part: Part) -> None:
    _parts[part.name] = part


def rows_part(name: str, model: Any) -> Part:
    """Rows of a model with a foreign key `customer`, moved as they are."""

    def move(gone: int, kept: int) -> list[int]:
        ids = list(
            model.objects.filter(customer_id=gone).order_by("pk").values_list("pk", flat=True)
        )
        _repoint(model, ids, kept)
        return ids

    return Part(
        name,
        count=lambda gone: model.objects.filter(customer_id=gone).count(),
        move=move,
        move_back=lambda ids, gone: _repoint(model, ids, gone),
    )


def _repoint(model: Any, ids: Sequence[int], customer_id: int) -> None:
    for start in range(0, len(ids), 900):
        model.objects.filter(pk__in=ids[start : start + 900]).update(customer_id=customer_id)


def _move_values(gone: int, kept: int) -> list[int]:
    """Own fields that the customer which stays has no value for."""
    filled = FieldValue.objects.filter(customer_id=kept).values("field_id")
    rows = FieldValue.objects.filter(customer_id=gone).exclude(field_id__in=filled)
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    _repoint(FieldValue, ids, kept)
    return ids


register(rows_part("contacts", Contact))
register(
    Part(
        "field_values",
        count=lambda gone: (
            FieldValue.objects.filter(customer_id=gone).values("field").distinct().count()
        ),
        move=_move_values,
        move_back=lambda ids, gone: _repoint(FieldValue, ids, gone),
    )
)


@dataclass(frozen=True)
class FieldPreview:
    name: str
    kept: Any
    gone: Any
    suggested: str  # kept, gone
    allowed: tuple[str, ...]
    is_governed: bool = False  # follows from what goes over; nothing can be chosen

    @property
    def differs(self) -> bool:
        return bool(self.kept != self.gone)


@dataclass(frozen=True)
class MergePreview:
    fields: list[FieldPreview]
    moves: dict[str, int]  # part -> how many
    children: int
    tags: list[str]  # that the kept one has not


def preview_merge(*, actor: User | None, kept: Customer, gone: Customer) -> MergePreview:
    """What the two hold and what would go over. Nothing is written."""
    require(actor, "customer.merge")
    stays, goes = _both(actor, kept, gone)
    ruled = _governed(stays, goes)
    shown = [
        replace(found, is_governed=found.name in ruled)
        for found in (_field(name, allowed, stays, goes) for name, allowed in CHOICES.items())
    ]
    tags = set(goes.tags.values_list("name", flat=True)) - set(
        stays.tags.values_list("name", flat=True)
    )
    return MergePreview(
        fields=shown,
        moves={name: count for name, part in _parts.items() if (count := part.count(goes.pk))},
        children=Customer.objects.filter(parent=goes).exclude(pk=stays.pk).count(),
        tags=sorted(tags),
    )


def _governed(kept: Customer, gone: Customer) -> frozenset[str]:
    """What governs one of the two goes over, and then governs both."""
    return governed_fields(kept.pk) | governed_fields(gone.pk)


def _field(name: str, allowed: tuple[str, ...], kept: Customer, gone: Customer) -> FieldPreview:
    mine, theirs = getattr(kept, name), getattr(gone, name)
    is_empty = mine in (None, "") and theirs not in (None, "")
    both_known = mine is not None and theirs is not None
    if SUM in allowed and not (both_known and kept.currency == gone.currency):
        allowed = (KEPT, GONE)
    return FieldPreview(name, mine, theirs, GONE if is_empty else KEPT, allowed)


@transaction.atomic
def merge_customers(
    *,
    actor: User | None,
    now: datetime,
    kept: Customer,
    gone: Customer,
    choices: Mapping[str, str] | None = None,
) -> CustomerMerge:
    """`gone` becomes part of `kept`. `choices`: field -> kept, gone or sum; else as suggested."""
    require(actor, "customer.merge")
    stays, goes = _both(actor, kept, gone)
    values = _chosen(stays, goes, choices or {})
    if goes.pk == stays.parent_id:
        values["parent_id"] = goes.parent_id
    children = list(Customer.objects.select_for_update().filter(parent=goes).exclude(pk=stays.pk))
    told = {name: [_plain(getattr(stays, name)), _plain(value)] for name, value in values.items()}
    before = {
        "fields": {name: pair for name, pair in told.items() if pair[0] != pair[1]},
        "tags": _union_of_tags(stays, goes, actor, now),
        "children": [child.pk for child in children],
        "archived_at": None,
    }
    merge = CustomerMerge.objects.create(
        gone=goes, kept=stays, merged_at=now, merged_by=actor, before=before
    )
    merge.moved = {name: part.move(goes.pk, stays.pk) for name, part in _parts.items()}
    merge.save(update_fields=["moved"])
    common: dict[str, Any] = {"actor": actor, "now": now, "quiet": True}
    write_changes([Change(stays, values)], action="customer.merge", **common)
    write_changes([Change(goes, {"archived_at": now})], action="customer.merge_away", **common)
    moved = [Change(child, {"parent_id": stays.pk}) for child in children]
    write_changes(moved, action="customer.edit", **common)
    record(actor=actor, now=now, action="customer.merged", obj=merge, changes=readable(told))
    _tell(merge, children, actor, now)
    return merge


@transaction.atomic
def undo_merge(*, actor: User | None, now: datetime, merge: CustomerMerge) -> list[str]:
    """Two customers again. Returns the fields that were changed since and stay as they are."""
    require(actor, "customer.merge")
    row = CustomerMerge.objects.select_for_update().filter(pk=merge.pk, undone_at=None).first()
    if row is None:
        raise NotFound
    kept, gone = row.kept, row.gone
    if not Customer.objects.visible_to(actor).filter(pk=kept.pk).exists():
        raise NotFound
    if CustomerMerge.objects.filter(gone=kept, undone_at=None).exists():
        raise MergeBuried(name=kept.name)
    ruled = governed_fields(kept.pk)
    for name, ids in row.moved.items():
        if name in _parts:
            _parts[name].move_back(ids, gone.pk)
    values, stays_changed = {}, []
    for name, (old, new) in row.before["fields"].items():
        if name in ruled:
            continue  # follows from what went back
        if _plain(getattr(kept, name)) == new:
            values[name] = _typed(name, old)
        else:
            stays_changed.append(name.removesuffix("_id"))
    common: dict[str, Any] = {"actor": actor, "now": now, "action": "customer.undo_merge"}
    write_changes([Change(kept, values)], quiet=True, **common)
    write_changes([Change(gone, {"archived_at": None})], quiet=True, **common)
    children = list(Customer.objects.filter(pk__in=row.before["children"], parent=kept))
    write_changes(
        [Change(child, {"parent_id": gone.pk}) for child in children], quiet=True, **common
    )
    write_tags([kept], remove=row.before["tags"], actor=actor, now=now, quiet=True)
    row.undone_at, row.undone_by = now, actor
    row.save(update_fields=["undone_at", "undone_by"])
    record(actor=actor, now=now, action="customer.merge_undone", obj=row)
    _tell(row, children, actor, now)
    return stays_changed


@transaction.atomic
def say_not_duplicate(
    *, actor: User | None, now: datetime, one: Customer, other: Customer
) -> NotDuplicate:
    """The pair is not proposed again."""
    require(actor, "customer.merge")
    if one.pk == other.pk:
        raise MergeOfOne
    first, second = sorted(all_mine(actor, [one, other]), key=lambda row: row.pk)
    found, is_new = NotDuplicate.objects.get_or_create(
        first=first, second=second, defaults={"said_by": actor, "said_at": now}
    )
    if is_new:
        told = {"other": [None, second.name]}
        record(actor=actor, now=now, action="customer.not_duplicate", obj=first, changes=told)
    return found


@transaction.atomic
def forget_not_duplicate(
    *, actor: User | None, now: datetime, one: Customer, other: Customer
) -> None:
    require(actor, "customer.merge")
    first, second = sorted((one, other), key=lambda row: row.pk)
    all_mine(actor, [one, other])
    NotDuplicate.objects.filter(first=first, second=second).delete()
    record(actor=actor, now=now, action="customer.maybe_duplicate", obj=first)


def _both(actor: User | None, kept: Customer, gone: Customer) -> tuple[Customer, Customer]:
    if kept.pk == gone.pk:
        raise MergeOfOne
    rows = {row.pk: row for row in all_mine(actor, [kept, gone])}
    for row in rows.values():
        if row.archived_at is not None:
            raise MergeOfGone(name=row.name)
    return rows[kept.pk], rows[gone.pk]


def _chosen(kept: Customer, gone: Customer, choices: Mapping[str, str]) -> dict[str, Any]:
    """Columns of `kept` that change."""
    values: dict[str, Any] = {}
    ruled = _governed(kept, gone)
    for name, allowed in CHOICES.items():
        if name in ruled:
            if name in choices:
                raise FieldGoverned(field=name)
            continue  # written when the contracts have gone over
        shown = _field(name, allowed, kept, gone)
        choice = choices.get(name) or shown.suggested
        if choice == SUM and SUM in allowed and SUM not in shown.allowed:
            raise SumOfCurrencies
        if choice not in shown.allowed:
            raise ChoiceUnknown(field=name)
        if choice == SUM:
            values[name] = getattr(kept, name) + getattr(gone, name)
        elif choice == GONE:
            for column in (name, *WITH.get(name, ())):
                values[f"{column}_id" if column == "owner" else column] = (
                    gone.owner_id if column == "owner" else getattr(gone, column)
                )
    return fields_in_bounds(values)


def fields_in_bounds(values: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in values.items() if not name.endswith("_id")}
    return values | fields.clean(plain)


def _union_of_tags(kept: Customer, gone: Customer, actor: User | None, now: datetime) -> list[str]:
    mine = set(kept.tags.values_list("name", flat=True))
    new = sorted(set(gone.tags.values_list("name", flat=True)) - mine)
    if new:
        write_tags([kept], add=new, actor=actor, now=now, quiet=True)
    return new


def _tell(
    merge: CustomerMerge, children: Sequence[Customer], actor: User | None, now: datetime
) -> None:
    for follower in _followers:
        follower(merge.kept_id, merge.gone_id, actor, now)
    ids = [merge.kept_id, merge.gone_id, *(child.pk for child in children)]
    emit("customer.changed", {"customer_ids": ids}, now=now)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _typed(name: str, value: Any) -> Any:
    is_day = name.endswith("_on") and value is not None
    return date.fromisoformat(value) if is_day else value
