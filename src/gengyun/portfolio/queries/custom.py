"""Conditions and order by the company's own fields, within the speed of the built-in ones.

Values lie in rows of their own, each kind with an index that holds field, value and customer. Which
way is cheap depends on how many values fit, so that is counted first, along the index and capped.
"""

from datetime import date
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from gengyun.customers.models import CustomField, FieldValue
from gengyun.customers.queries.custom_fields import fields_named
from gengyun.portfolio.calc.custom_filters import match_of
from gengyun.portfolio.calc.filters import BadFilter, Filter
from gengyun.portfolio.models import CustomerSummary

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


def sorted_keys(
    rows: QuerySet[CustomerSummary],
    field: CustomField,
    sort: str,
    *,
    start: int,
    count: int,
    few: list[int] | None,
) -> list[int]:
    """Keys of one stretch of the list in the order of the field; who has no value comes last.

    Few rows (all their keys, in `few`) are sorted here. Of many, the values are walked along their
    index, and only the customers met on the way are looked at.
    """
    if few is not None:
        return _sort_few(few, field, sort)[start : start + count]
    column, is_down = SORTED_BY[field.kind], sort.startswith("-")
    values = FieldValue.objects.filter(field=field, place=0, **{f"{column}__isnull": False})
    fitting = values.filter(Exists(rows.filter(pk=OuterRef("customer_id"))))
    order = [f"-{column}", "-customer_id"] if is_down else [column, "customer_id"]
    keys = fitting.order_by(*order).values_list("customer_id", flat=True)
    found = list(keys[start : start + count])
    if len(found) == count:
        return found
    before = start + len(found) if found else fitting.order_by().count()
    rest = rows.filter(~Exists(values.filter(customer_id=OuterRef("pk")))).order_by(
        "search_key", "pk"
    )
    skipped = max(0, start - before)
    wanted = rest.values_list("pk", flat=True)[skipped : skipped + count - len(found)]
    return found + list(wanted)


def _sort_few(keys: list[int], field: CustomField, sort: str) -> list[int]:
    column = SORTED_BY[field.kind]
    held: dict[int, Any] = dict(
        FieldValue.objects.filter(field=field, place=0, customer_id__in=keys)
        .order_by()
        .values_list("customer_id", column)
    )
    known = [key for key in keys if held.get(key) is not None]
    known.sort(key=lambda key: (held[key], key), reverse=sort.startswith("-"))
    names = CustomerSummary.objects.filter(pk__in=[k for k in keys if held.get(k) is None])
    return known + list(names.order_by("search_key", "pk").values_list("pk", flat=True))


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
