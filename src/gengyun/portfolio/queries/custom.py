"""Conditions and order by the company's own fields, within the speed of the built-in ones.

Values lie in rows of their own, each kind with an index that holds field, value and customer. Which
way is cheap depends on how many values fit, so that is counted first, along the index and capped.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from gengyun.customers.models import CustomField, FieldValue
from gengyun.customers.queries.custom_fields import fields_named
from gengyun.portfolio.calc.cursor import Place
from gengyun.portfolio.calc.custom_filters import match_of
from gengyun.portfolio.calc.filters import BadFilter, Filter
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.walking import Found, Lane, Walk

FEW = 1_000  # keys that are handed over one by one
SOME = 10_000  # keys that are written into a list before they are looked up
SORTED_BY = {
    "text": "text",
    "number": "number",
    "money": "number",
    "date": "day",
    "bool": "number",
    "choice": "number",  # the place of the choice
}
# column -> how a link writes its values
PLACED_BY = {"text": "text", "number": "decimal", "day": "day"}


def custom_condition(found: Filter, *, today: date) -> Q:
    """The filter on a company's own field as a condition on summaries."""
    field = fields_named([found.field]).get(found.field)
    told = f"{found.field} {found.op}"[:60]
    if field is None:
        raise BadFilter(condition=told)
    try:
        match = match_of(field.definition, found.op, found.value, today=today)
    except (TypeError, ValueError, OverflowError):
        raise BadFilter(condition=told) from None
    values = FieldValue.objects.filter(field=field, **match.lookups).order_by()
    if not match.lookups:
        values = values.filter(place=0)
    members = _members(values)
    return ~members if match.is_not else members


def _members(values: QuerySet[FieldValue]) -> Q:
    keys = list(values.values_list("customer_id", flat=True)[: FEW + 1])
    if len(keys) <= FEW:
        return Q(pk__in=keys)
    if values.values("customer_id")[: SOME + 1].count() <= SOME:
        return Q(pk__in=values.values("customer_id"))
    # most fit: whoever comes next in the list is asked, and the first page is full soon
    return Q(Exists(values.filter(customer_id=OuterRef("pk"))))


def sort_field(sort: str) -> CustomField | None:
    """The field of a sort; None where there is none, or it has no order (several choices)."""
    name = sort.removeprefix("-")
    field = fields_named([name]).get(name)
    return field if field is not None and field.kind in SORTED_BY else None


def walk_by_field(rows: QuerySet[CustomerSummary], field: CustomField, sort: str) -> Walk:
    """The list in the order of the field; who has no value comes last.

    The values are walked along their index, and only the customers met on the way are looked at.
    """
    column = SORTED_BY[field.kind]
    values = FieldValue.objects.filter(field=field, place=0, **{f"{column}__isnull": False})
    fitting = values.filter(Exists(rows.filter(pk=OuterRef("customer_id"))))
    without = rows.filter(~Exists(values.filter(customer_id=OuterRef("pk"))))
    return Walk(
        Lane(fitting, "customer_id", column), Lane(without, "customer_id"), sort.startswith("-")
    )


class FewByField:
    """A walk over few customers, whose values are all read and sorted here."""

    def __init__(self, keys: Sequence[int], field: CustomField, sort: str) -> None:
        column = SORTED_BY[field.kind]
        held: dict[int, Any] = dict(
            FieldValue.objects.filter(field=field, place=0, customer_id__in=keys)
            .order_by()
            .values_list("customer_id", column)
        )
        self._is_down = sort.startswith("-")
        known = sorted((held[key], key) for key in keys if held.get(key) is not None)
        unknown = sorted(key for key in keys if held.get(key) is None)
        if self._is_down:
            known.reverse()
            unknown.reverse()
        self._known, self._all = len(known), [*known, *((None, key) for key in unknown)]

    def keys(self, place: Place | None, *, count: int, is_back: bool = False) -> Found:
        if place is None:
            return self._all[-count:] if is_back else self._all[:count]
        before, behind = self._around(place)
        if is_back:
            return self._all[max(0, before - count) : before]
        return self._all[behind : behind + count]

    def before(self, place: Place, *, cap: int) -> int:
        return min(cap, self._around(place)[0])

    def _around(self, place: Place) -> tuple[int, int]:
        """How many stand before the place, and the index of the first behind it."""
        at: tuple[Any, int] = (place.value, place.key)
        if place.value is None:
            first, last = self._known, len(self._all)
        else:
            first, last = 0, self._known
        before = sum(self._precedes(one, at) for one in self._all[first:last]) + first
        is_here = before < last and self._all[before] == at
        return before, before + is_here

    def _precedes(self, one: tuple[Any, int], at: tuple[Any, int]) -> bool:
        if at[0] is None:
            return one[1] > at[1] if self._is_down else one[1] < at[1]
        return one > at if self._is_down else one < at


def ordered_by_field(
    rows: QuerySet[CustomerSummary], field: CustomField, sort: str
) -> QuerySet[CustomerSummary]:
    """The whole list in the order of the field: for exports and bulk work, which read it all."""
    column = SORTED_BY[field.kind]
    held = FieldValue.objects.filter(field=field, place=0, customer_id=OuterRef("pk"))
    whole = rows.annotate(custom_value=Subquery(held.values(column)[:1]))
    value = F("custom_value")
    if sort.startswith("-"):
        return whole.order_by(value.desc(nulls_last=True), "-pk")
    return whole.order_by(value.asc(nulls_last=True), "pk")
