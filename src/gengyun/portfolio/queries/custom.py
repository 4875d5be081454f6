"""Conditions and order by the company's own fields, within the speed of the built-in ones.

Values lie in rows of their own, each kind with an index that holds field, value and customer. Which
way is cheap depends on how many values fit, so that is counted first, along the index and capped.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from gengyun.customers.models import CustomField, FieldValue
from gengyun.customers.queries.custom_fields import fields_named
from gengyun.portfolio.calc.custom_filters import match_of
from gengyun.portfolio.calc.filters import BadFilter, Filter
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.walking import Few, Lane, Walk

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


def custom_condition(
    found: Filter,
    *,
    today: date,
    fields: Mapping[str, CustomField] | None = None,
    are_many: bool = False,
) -> Q:
    """The filter on a company's own field as a condition on summaries.

    `fields`: by name, where they were read already. `are_many`: known without counting.
    """
    fields = fields_named([found.field]) if fields is None else fields
    field = fields.get(found.field)
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
    members = _met_on_the_way(values) if are_many else _members(values)
    return ~members if match.is_not else members


def _members(values: QuerySet[FieldValue]) -> Q:
    keys = list(values.values_list("customer_id", flat=True)[: FEW + 1])
    if len(keys) <= FEW:
        return Q(pk__in=keys)
    if values.values("customer_id")[: SOME + 1].count() <= SOME:
        return Q(pk__in=values.values("customer_id"))
    return _met_on_the_way(values)


def _met_on_the_way(values: QuerySet[FieldValue]) -> Q:
    """Most fit: whoever comes next in the list is asked, and the first page is full soon."""
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


def few_by_field(keys: Sequence[int], field: CustomField, sort: str) -> Few:
    """A walk over few customers, whose values are all read."""
    held: dict[int, Any] = dict(
        FieldValue.objects.filter(field=field, place=0, customer_id__in=keys)
        .order_by()
        .values_list("customer_id", SORTED_BY[field.kind])
    )
    return Few({key: held.get(key) for key in keys}, is_down=sort.startswith("-"))


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
