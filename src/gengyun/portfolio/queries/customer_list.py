"""The customer list: one page of summary rows, filtered, sorted, counted up to a thousand.

Pages are found by walking from a row that a link names and looking one row ahead, never by counting
everything: the thousandth page costs what the first costs. A list of more than `COUNT_CAP` rows
says "1000+", and its totals are left out rather than computed slowly.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet

from gengyun.customers.models import CustomField
from gengyun.customers.queries.custom_fields import fields_named
from gengyun.portfolio.calc.cursor import BadCursor, Place, read, written
from gengyun.portfolio.calc.custom_filters import is_custom
from gengyun.portfolio.calc.filters import BadFilter, Filter, parse_filters
from gengyun.portfolio.calc.search import search_key
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.conditions import (
    Loose,
    begins_with,
    condition,
    contains,
    inside,
    is_range,
    loosened,
)
from gengyun.portfolio.queries.custom import (
    PLACED_BY as FIELD_PLACED_BY,
)
from gengyun.portfolio.queries.custom import (
    SORTED_BY,
    few_by_field,
    ordered_by_field,
    sort_field,
    walk_by_field,
)
from gengyun.portfolio.queries.list_rows import ListRow, rows_of
from gengyun.portfolio.queries.walking import Few, Lane, Stretch, Walk, stretch_of
from gengyun.team.models import User

PAGE_SIZE = 50
COUNT_CAP = 1_001
MAX_PAGE = 21  # of links with a page number; further ones are reached from row to row

# key of a sort -> column; "-" before the key turns it round; rows without a value come last
SORTS = {
    "name": "search_key",  # begins with the name; its index answers a search and its order at once
    "score": "score",
    "change": "change_week",
    "arr": "arr_minor",
    "renews": "renews_on",
    "touch": "last_touch_at",
    "need": "need_rank",
    "next_step": "next_step_on",
    "active": "active_users_7d",
    "churn": "churn",
    "ltv": "ltv_minor",
}
NEVER_NULL = frozenset({"name", "need"})
# how a link writes the value of a sort
PLACED_BY = {
    "name": "text",
    "score": "float",
    "change": "float",
    "arr": "int",
    "renews": "day",
    "touch": "instant",
    "need": "int",
    "next_step": "day",
    "active": "int",
    "churn": "float",
    "ltv": "int",
}
DEFAULT_SORT = "name"


class BadSort(BadFilter):
    code = "bad_sort"
    message = "The list cannot be sorted by %(sort)s."


@dataclass(frozen=True)
class ListQuery:
    """What a list shows; `SavedView.query` in its JSON form."""

    filters: tuple[Filter, ...] = ()
    sort: str = DEFAULT_SORT
    columns: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, raw: Any) -> "ListQuery":
        raw = raw if isinstance(raw, dict) else {}
        sort = str(raw.get("sort") or DEFAULT_SORT)
        key = sort.removeprefix("-")
        if key not in SORTS and not is_custom(key):
            raise BadSort(sort=sort[:40])
        columns = tuple(str(column)[:60] for column in raw.get("columns") or ())[:20]
        return cls(tuple(parse_filters(raw.get("filters") or [])), sort, columns)

    def as_json(self) -> dict[str, Any]:
        return {
            "filters": [found.as_json() for found in self.filters],
            "sort": self.sort,
            "columns": list(self.columns),
        }


@dataclass(frozen=True)
class ListPage:
    rows: list[ListRow]
    first_place: int | None  # of the first row, from 1; None: further than a thousand is counted
    previous_at: str  # for the link to the page before; empty: this is the first
    next_at: str  # for the link to the page behind; empty: this is the last
    count: int | None  # None: more than a thousand
    totals: "Totals | None"  # None: more than a thousand
    query: ListQuery

    @property
    def has_next(self) -> bool:
        return bool(self.next_at)


@dataclass(frozen=True)
class Totals:
    count: int
    arr_minor: int  # of the customers whose ARR is known
    arr_unknown: int
    bands: dict[str, int] = field(default_factory=dict)  # A B C D N


def matching(
    actor: User | None, filters: Sequence[Filter], *, today: date, along_sort: bool = False
) -> QuerySet[CustomerSummary]:
    """Every summary row that the actor may see and that fits, in no order.

    `along_sort`: many fit, so the index of the sort is the one to follow, see `loosened`.
    """
    rows: QuerySet[CustomerSummary] = CustomerSummary.objects.visible_to(actor)
    if along_sort:
        rows = loosened(rows, filters)
    fields = fields_named(found.field for found in filters)
    for found in filters:
        rows = rows.filter(
            condition(found, actor=actor, today=today, is_loose=along_sort, fields=fields)
        )
    return rows.order_by()


def is_guessed_badly(query: ListQuery) -> bool:
    """SQLite keeps no histogram and takes every range for rare: it would read all that fit and sort
    them, where names, which go with nothing else, fill a page after a short walk."""
    return query.sort.removeprefix("-") == "name" and any(
        is_range(found) for found in query.filters
    )


def sorted_by(rows: QuerySet[CustomerSummary], sort: str) -> QuerySet[CustomerSummary]:
    key = sort.removeprefix("-")
    if is_custom(key):
        return ordered_by_field(rows, _sort_field(sort), sort)
    if key not in SORTS:
        raise BadSort(sort=sort[:40])
    column, last = F(SORTS[key]), None if key in NEVER_NULL else True
    # the key goes the way of the column, so that the index gives the order by itself
    if sort.startswith("-"):
        return rows.order_by(column.desc(nulls_last=last), "-pk")
    return rows.order_by(column.asc(nulls_last=last), "pk")


def _sort_field(sort: str) -> CustomField:
    field = sort_field(sort)
    if field is None:
        raise BadSort(sort=sort[:40])
    return field


def list_page(
    actor: User | None,
    query: ListQuery,
    *,
    today: date,
    page: int = 1,
    after: str = "",
    before: str = "",
) -> ListPage:
    """One page of 50 rows with owner, tier and stage; count and totals up to a thousand rows.

    `after` and `before` are places that an earlier page gave out; `page` serves old links. Raises
    `BadCursor` for a place that is none in this order.
    """
    place = _place(query.sort, after or before)
    if place is None:
        page = max(1, min(page, MAX_PAGE))
        if found_by_name := _page_of_names(actor, query, page):
            return found_by_name
    rows = matching(actor, query.filters, today=today)
    walk, totals = _walking(rows, query, partial(matching, actor, query.filters, today=today))
    back = bool(before) and not after
    stretch = stretch_of(walk, place, page, is_back=back, size=PAGE_SIZE, cap=COUNT_CAP - 1)
    shown = rows_of([key for _, key in stretch.found])
    if totals is not None and not is_custom(query.sort.removeprefix("-")):
        # what is in hand is as the database keeps it; a link says it as the rows do
        column = SORTS[query.sort.removeprefix("-")]
        stretch = replace(stretch, found=[(getattr(row, column), row.pk) for row in shown])
    return _shown(query, stretch, totals, shown)


def _walking(
    rows: QuerySet[CustomerSummary], query: ListQuery, again: Callable[..., Any]
) -> tuple[Walk | Few, "Totals | None"]:
    """The list in its order, and its totals. One reading finds up to a thousand that fit: where
    they are fewer nothing else is asked, where they are more the index of the order is followed."""
    key = query.sort.removeprefix("-")
    if is_custom(key):
        return _walk_by_field(rows, query.sort)
    if key not in SORTS:
        raise BadSort(sort=query.sort[:40])
    found = _in_hand(rows, SORTS[key])
    if len(found) >= COUNT_CAP:
        has_custom = any(is_custom(one.field) for one in query.filters)
        if has_custom or is_guessed_badly(query):
            rows = again(along_sort=True)
        return _walk(rows, query.sort), None
    column: Any = CustomerSummary._meta.get_field(SORTS[key])  # noqa: SLF001 - a documented name

    def kept(value: Any) -> Any:
        return value if isinstance(value, str) else column.get_db_prep_value(value, connection)

    held = {pk: value for pk, _, _, value in found}
    few = Few(held, is_down=query.sort.startswith("-"), plain=kept)
    return few, _totals((band, arr) for _, band, arr, _ in found)


def _in_hand(
    rows: QuerySet[CustomerSummary], column: str
) -> list[tuple[int, str, int | None, Any]]:
    """(key, band, ARR, value of the column) of up to `COUNT_CAP` rows, as the database keeps them:
    they are counted and sorted, and only a page of them is shown."""
    value = Loose(F(column)) if connection.vendor == "sqlite" else F(column)
    asked = rows.values_list("pk", "band", "arr_minor", value)[:COUNT_CAP]
    try:
        sql, params = asked.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[int, str, int | None, Any]] = cursor.fetchall()
    return found


def _place(sort: str, text: str) -> Place | None:
    if not text:
        return None
    key = sort.removeprefix("-")
    if is_custom(key):
        kind = FIELD_PLACED_BY[SORTED_BY[_sort_field(sort).kind]]
    elif key in SORTS:
        kind = PLACED_BY[key]
    else:
        raise BadSort(sort=sort[:40])
    place = read(text, sort=sort, kind=kind)
    if place.value is None and key in NEVER_NULL:
        raise BadCursor
    return place


def _walk(rows: QuerySet[CustomerSummary], sort: str) -> Walk:
    key, is_down = sort.removeprefix("-"), sort.startswith("-")
    if key not in SORTS:
        raise BadSort(sort=sort[:40])
    column = SORTS[key]
    if key in NEVER_NULL:
        return Walk(Lane(rows, "customer_id", column), None, is_down)
    known = rows.filter(**{f"{column}__isnull": False})
    unknown = rows.filter(**{f"{column}__isnull": True})
    return Walk(Lane(known, "customer_id", column), Lane(unknown, "customer_id"), is_down)


def _walk_by_field(
    rows: QuerySet[CustomerSummary], sort: str
) -> tuple[Walk | Few, "Totals | None"]:
    """In the order of a company's own field; one reading gives totals and says if rows are few."""
    field = _sort_field(sort)
    found = list(rows.values_list("pk", "band", "arr_minor")[:COUNT_CAP])
    if len(found) >= COUNT_CAP:
        return walk_by_field(rows, field, sort), None
    few = few_by_field([pk for pk, _, _ in found], field, sort)
    return few, _totals((band, arr) for _, band, arr in found)


def _shown(
    query: ListQuery, stretch: Stretch, totals: "Totals | None", rows: list[ListRow]
) -> ListPage:
    found = stretch.found
    first = None if stretch.passed is None else stretch.passed + 1
    return ListPage(
        rows,
        first,
        written(Place(query.sort, *found[0])) if found and first != 1 else "",
        written(Place(query.sort, *found[-1])) if stretch.has_next else "",
        totals.count if totals else None,
        totals,
        query,
    )


def _page_of_names(actor: User | None, query: ListQuery, page: int) -> ListPage | None:
    """What somebody types into the search field: the keys alone give page and count."""
    texts = [found.value for found in query.filters if found.field == "text"]
    if query.sort != "name" or len(texts) != 1 or len(query.filters) != 1:
        return None
    keys, totals = _found_by_name(CustomerSummary.objects.visible_to(actor), texts[0])
    start = (page - 1) * PAGE_SIZE
    if start >= len(keys) > 0 or (totals is None and start + PAGE_SIZE >= COUNT_CAP):
        return None
    rows = rows_of(keys[start : start + PAGE_SIZE])
    found = [(row.search_key, row.pk) for row in rows]
    stretch = Stretch(found, start, len(keys) > start + PAGE_SIZE)
    return _shown(query, stretch, totals, rows)


def _found_by_name(seen: QuerySet[CustomerSummary], text: str) -> tuple[list[int], "Totals | None"]:
    """Up to `COUNT_CAP` keys of those that hold the text, in the order of their names."""
    rows = seen.order_by("search_key", "pk")
    if (rare := inside(text)) is None:
        # keys alone lie in the index; totals need the rows, and a capped list has none
        keys = list(rows.filter(contains(text)).values_list("pk", flat=True)[:COUNT_CAP])
        return keys, totals_of(seen.filter(pk__in=keys)) if len(keys) < COUNT_CAP else None
    start, key = begins_with(text), search_key(text)
    # what begins with the text stands together; the rest stands before it or after it. As a value
    # and not as a condition: SQLite would take the half of the names for the better index
    is_before = ExpressionWrapper(Q(search_key__lt=key), output_field=BooleanField())
    rest = list(rows.filter(rare).exclude(start).values_list("pk", is_before, "band", "arr_minor"))
    first = list(rows.filter(start).values_list("pk", flat=True)[:COUNT_CAP])
    before, after = ([one[0] for one in rest if one[1] == wanted] for wanted in (True, False))
    found = [*before, *first, *after][:COUNT_CAP]
    if len(found) == COUNT_CAP:
        return found, None
    figures = [one[2:] for one in rest]
    if first:
        figures += rows.filter(start).values_list("band", "arr_minor")
    return found, _totals(figures)


def capped_count(rows: QuerySet[CustomerSummary]) -> int | None:
    """How many, None for more than a thousand: counting stops there."""
    count = rows.values("pk")[:COUNT_CAP].count()
    return None if count >= COUNT_CAP else count


def totals_of(rows: QuerySet[CustomerSummary]) -> Totals | None:
    """Count, ARR and bands; None for more than a thousand rows."""
    found = list(rows.values_list("band", "arr_minor")[:COUNT_CAP])
    if len(found) >= COUNT_CAP:
        return None
    return _totals(found)


def _totals(rows: Iterable[tuple[str, int | None]]) -> Totals:
    found = list(rows)
    known = [arr for _, arr in found if arr is not None]
    bands = dict.fromkeys("ABCDN", 0)
    for band, _ in found:
        bands[band] += 1
    return Totals(len(found), sum(known), len(found) - len(known), bands)


def all_ids(
    actor: User | None, query: ListQuery, *, today: date, limit: int = COUNT_CAP - 1
) -> list[int]:
    """Customers of the whole list in its order, for bulk actions and export."""
    rows = sorted_by(matching(actor, query.filters, today=today), query.sort)
    return list(rows.values_list("pk", flat=True)[:limit])


def search(actor: User | None, text: str, *, limit: int = 8) -> list[CustomerSummary]:
    """Customers whose name holds the text, for the palette; those that begin with it come first."""
    text = text.strip()
    if not text:
        return []
    seen = CustomerSummary.objects.visible_to(actor).order_by("search_key", "pk")
    # two walks along the index that stop when they have enough, instead of one over all names
    keys = list(seen.filter(begins_with(text)).values_list("pk", flat=True)[:limit])
    if len(keys) < limit:
        holding = seen.filter(inside(text) or contains(text)).exclude(pk__in=keys)
        keys += holding.values_list("pk", flat=True)[: limit - len(keys)]
    found = CustomerSummary.objects.select_related("tier", "owner").in_bulk(keys)
    return [found[key] for key in keys if key in found]
