"""Segments: written by people, followed from day to day so that "was in it then" can be said."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from gengyun.customers.models import Contact, Customer
from gengyun.kernel.errors import NotAllowed, NotFound, Refusal
from gengyun.portfolio.actions.following import Chunk
from gengyun.portfolio.calc.expressions import Expr, fields_of, parse
from gengyun.portfolio.calc.filters import BadFilter
from gengyun.portfolio.calc.nesting import DEEPEST, depth_of, segments_in, way_back
from gengyun.portfolio.models import CustomerSummary, Segment, SegmentPin, SegmentStay
from gengyun.portfolio.queries.expressions import known_definitions, to_q
from gengyun.portfolio.queries.segments import identities
from gengyun.revenue.models import Product
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import can, require

LONGEST_NAME, LONGEST_REASON = 60, 200


class SegmentNameMissing(Refusal):
    code = "segment_name_missing"
    message = "A segment needs a name of at most 60 characters."


class SegmentFieldGone(Refusal):
    code = "segment_field_gone"
    message = "The field “%(field)s” does not exist any more."


class SegmentGone(Refusal):
    code = "segment_gone"
    message = "A condition asks for a segment of customers that is not there any more."


class SegmentCycle(Refusal):
    code = "segment_cycle"
    message = "A segment cannot be part of itself: %(way)s."


class SegmentsTooDeep(Refusal):
    code = "segments_too_deep"
    message = "At most %(most)s segments may stand inside each other."


class SegmentInUse(Refusal):
    code = "segment_in_use"
    status = 409
    message = "“%(name)s” asks for this segment. Take that condition out first."


class SegmentNarrowing(Refusal):
    code = "segment_narrowing"
    message = "“%(value)s” cannot be chosen here."


@transaction.atomic
def create_segment(
    *, actor: User, now: datetime, name: str, expression: Any, of: str = "customer",
    narrowed_to: Sequence[str] = (), is_shared: bool = False,
) -> Segment:  # fmt: skip
    require(actor, "segments.edit")
    _hold_all()
    row = Segment(owner=actor, created_at=now, updated_at=now)
    _fill(row, actor, name=name, expression=expression, of=of, narrowed_to=narrowed_to,
          is_shared=is_shared)  # fmt: skip
    row.key = _free_key(row.name)
    row.save(force_insert=True)
    record(actor=actor, now=now, action="segment.created", obj=row,
           changes={"expression": [None, row.expression]})  # fmt: skip
    return row


@transaction.atomic
def edit_segment(
    *, actor: User, now: datetime, segment: Segment, name: str, expression: Any,
    narrowed_to: Sequence[str] = (), is_shared: bool = False,
) -> Segment:  # fmt: skip
    _hold_all()
    row = mine(actor, segment.pk)
    before = {"name": row.name, "expression": row.expression, "is_shared": row.is_shared,
              "narrowed_to": row.narrowed_to}  # fmt: skip
    _fill(row, actor, name=name, expression=expression, of=row.of, narrowed_to=narrowed_to,
          is_shared=is_shared)  # fmt: skip
    row.updated_at = now
    row.save()
    changes = {
        key: [old, getattr(row, key)] for key, old in before.items() if old != getattr(row, key)
    }
    record(actor=actor, now=now, action="segment.edited", obj=row, changes=changes)
    return row


@transaction.atomic
def retire_segment(*, actor: User, now: datetime, segment: Segment) -> Segment:
    """It is offered nowhere any more; who was in it when stays readable. Not while a condition asks
    for it."""
    _hold_all()
    for name in (name for find in _uses for name in find(segment.pk)):
        raise SegmentInUse(name=name)
    return _set_retired(actor, now, segment, now)


@transaction.atomic
def restore_segment(*, actor: User, now: datetime, segment: Segment) -> Segment:
    _hold_all()
    return _set_retired(actor, now, segment, None)


def _set_retired(actor: User, now: datetime, segment: Segment, value: datetime | None) -> Segment:
    row = mine(actor, segment.pk)
    row.retired_at, row.updated_at = value, now
    row.save(update_fields=["retired_at", "updated_at"])
    action = "segment.retired" if value else "segment.restored"
    record(actor=actor, now=now, action=action, obj=row)
    return row


@transaction.atomic
def pin(
    *, actor: User, now: datetime, segment: Segment, customer: Customer, is_in: bool | None,
    reason: str = "",
) -> None:  # fmt: skip
    """In or out whatever the condition says; None takes the pin away."""
    row = mine(actor, segment.pk)
    if not Customer.objects.visible_to(actor).filter(pk=customer.pk).exists():
        raise NotFound
    pins = SegmentPin.objects.filter(segment=row, customer=customer)
    old = pins.values_list("is_in", flat=True).first()
    if is_in is None:
        pins.delete()
    else:
        SegmentPin.objects.update_or_create(
            segment=row, customer=customer,
            defaults={"is_in": is_in, "reason": reason.strip()[:LONGEST_REASON], "author": actor,
                      "created_at": now},
        )  # fmt: skip
    if old != is_in:
        record(actor=actor, now=now, action="segment.pinned", obj=row,
               changes={f"customer {customer.pk}": [old, is_in]})  # fmt: skip


Uses = Callable[[int], Iterable[str]]
_uses: list[Uses] = []


def used_by(find: Uses) -> Uses:
    """Register who names a segment: its key -> names of what does. Packages above have more."""
    _uses.append(find)
    return find


@used_by
def _segments_that_name(pk: int) -> Iterator[str]:
    names = dict(Segment.objects.filter(retired_at=None).values_list("pk", "name"))
    yield from (names[one] for one, named in _graph().items() if pk in named and one in names)


def _graph() -> dict[int, set[int]]:
    found = {}
    for row in Segment.objects.filter(retired_at=None):
        try:
            found[row.pk] = segments_in(parse(row.expression))
        except BadFilter:
            found[row.pk] = set()
    return found


def _hold_all() -> None:
    """Segments may name each other: their conditions are changed one after the other."""
    list(Segment.objects.order_by("pk").select_for_update().values_list("pk", flat=True))


def _check_named(row: Segment, expr: Expr) -> None:
    named = segments_in(expr)
    there = Segment.objects.filter(pk__in=named, retired_at=None, of=Segment.Of.CUSTOMER)
    if there.count() < len(named):
        raise SegmentGone
    own = row.pk or 0
    graph = _graph() | {own: named}
    if way := way_back(graph, own):
        names = {one.pk: one.name for one in Segment.objects.filter(pk__in=way)}
        raise SegmentCycle(way=" → ".join(names.get(one, row.name) for one in way))
    if depth_of(graph) > DEEPEST:
        raise SegmentsTooDeep(most=DEEPEST)


def mine(actor: User, pk: int) -> Segment:
    """One's own; a shared one of somebody else only for who writes SOPs."""
    require(actor, "segments.edit")
    row = Segment.objects.visible_to(actor).filter(pk=pk).select_for_update().first()
    if row is None:
        raise NotFound
    if row.owner_id != actor.pk and not can(actor, "sops.edit"):
        raise NotAllowed
    return row


def _fill(row: Segment, actor: User, **given: Any) -> None:
    name = " ".join(str(given["name"]).split())
    if not name or len(name) > LONGEST_NAME or "\x00" in name:
        raise SegmentNameMissing
    expr = parse(given["expression"])
    gone = _gone(expr)
    if gone:
        raise SegmentFieldGone(field=gone)
    _check_named(row, expr)
    to_q(expr, None, date(2026, 1, 1))  # an operand that does not belong to its field is refused
    if given["of"] not in Segment.Of.values:
        raise SegmentNarrowing(value=str(given["of"])[:40])
    narrowed = list(dict.fromkeys(given["narrowed_to"]))
    allowed = _narrowings(given["of"])
    for value in narrowed:
        if value not in allowed:
            raise SegmentNarrowing(value=str(value)[:40])
    if given["is_shared"] and not can(actor, "view.share"):
        raise NotAllowed
    row.name, row.expression, row.of = name, expr.as_json(), given["of"]
    row.narrowed_to, row.is_shared = narrowed, bool(given["is_shared"])


def _narrowings(of: str) -> set[str]:
    if of == Segment.Of.CONTACT:
        return set(Contact.Part.values)
    if of == Segment.Of.PRODUCT:
        return set(Product.objects.values_list("key", flat=True))
    return set()


def _gone(expr: Expr) -> str:
    known = known_definitions()
    custom = (name for name in sorted(fields_of(expr)) if name.startswith("custom_"))
    return next((name.removeprefix("custom_") for name in custom if name not in known), "")


def _free_key(name: str) -> str:
    base = re.sub(r"[^a-z0-9-]", "", slugify(name))[:32] or "segment"
    taken = set(Segment.objects.filter(key__startswith=base).values_list("key", flat=True))
    number = 1
    while (key := base if number == 1 else f"{base}-{number}") in taken:
        number += 1
    return key


class Following:
    """Segments in the one pass of the night over all customers, see `actions.following`."""

    def __init__(self, day: date) -> None:
        self.day = day
        self.segments: dict[str, Segment] = {}
        self.exprs: dict[str, Expr] = {}
        for segment in Segment.objects.filter(retired_at=None):
            try:
                expr = parse(segment.expression)
                to_q(expr, None, day)
            except BadFilter:
                continue  # a field that was deleted since: its page says so, its history waits
            self.segments[f"segment:{segment.pk}"] = segment
            self.exprs[f"segment:{segment.pk}"] = expr
        self.pins: dict[int, dict[int, bool]] = {}
        for segment_id, customer_id, is_in in SegmentPin.objects.values_list(
            "segment_id", "customer_id", "is_in"
        ):
            self.pins.setdefault(segment_id, {})[customer_id] = is_in

    def take(self, chunk: Chunk) -> None:
        if not len(chunk.ids):
            return
        for name, segment in self.segments.items():
            self._stays(segment, set(chunk.ids[chunk.holds[name]].tolist()), chunk)

    @transaction.atomic
    def _stays(self, segment: Segment, inside: set[int], chunk: Chunk) -> None:
        first, last = int(chunk.ids[0]), int(chunk.ids[-1])
        there = set(chunk.ids.tolist())
        for pk, is_in in self.pins.get(segment.pk, {}).items():
            if pk in there:
                inside = inside | {pk} if is_in else inside - {pk}
        wanted = identities(segment, inside, day=self.day)
        stays = SegmentStay.objects.filter(
            segment=segment, to_on=None, customer_id__gte=first, customer_id__lte=last
        )
        open_now = dict(stays.order_by().values_list("identity", "pk"))
        gone = [pk for identity, pk in open_now.items() if identity not in wanted]
        for start in range(0, len(gone), 500):
            rows = SegmentStay.objects.filter(pk__in=gone[start : start + 500])
            rows.filter(from_on__gte=self.day).delete()  # in and out on one day: never in
            rows.update(to_on=self.day)
        new = [stay for identity, stay in wanted.items() if identity not in open_now]
        for identity, stay in wanted.items():
            stay.segment_id, stay.identity, stay.from_on = segment.pk, identity, self.day
        SegmentStay.objects.bulk_create(new, batch_size=1_000, ignore_conflicts=True)

    @transaction.atomic
    def end(self) -> None:
        """Customers that are gone left on the day; the history reaches to it."""
        ids = [segment.pk for segment in self.segments.values()]
        there = CustomerSummary.objects.values("pk")
        SegmentStay.objects.filter(segment__in=ids, to_on=None).exclude(customer__in=there).update(
            to_on=self.day
        )
        Segment.objects.filter(pk__in=ids).update(followed_on=self.day)
