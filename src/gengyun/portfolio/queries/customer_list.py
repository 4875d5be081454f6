"""The customer list: one page of summary rows, filtered, sorted, counted up to a thousand.

Pages are found by looking one row ahead and never by counting everything; a list of more than
`COUNT_CAP` rows says "1000+", and its totals are left out rather than computed slowly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet

from gengyun.customers.models import CustomField
from gengyun.portfolio.calc.custom_filters import is_custom
from gengyun.portfolio.calc.filters import BadFilter, Filter, parse_filters
from gengyun.portfolio.calc.search import search_key
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.conditions import begins_with, condition, contains, inside
from gengyun.portfolio.queries.custom import ordered_by_field, sort_field, sorted_keys
from gengyun.team.models import User

PAGE_SIZE = 50
# long texts and settings that no column shows are not read
NOT_LISTED = (
    "movers", "need_codes", "search_key", "trend",
    "owner__password", "owner__email", "owner__language", "owner__theme", "owner__density",
    "owner__delta_colours", "owner__created_at", "owner__last_login", "owner__last_visit_at",
    "owner__visit_at", "stage__expectation_zh", "stage__expectation_en", "tier__touch_model",
)  # fmt: skip
COUNT_CAP = 1_001
MAX_PAGE = 2_000

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
}
NEVER_NULL = frozenset({"name", "need"})
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
    rows: list[CustomerSummary]
    page: int  # from 1
    has_next: bool
    count: int | None  # None: more than a thousand
    totals: "Totals | None"  # None: more than a thousand
    query: ListQuery

    @property
    def first_place(self) -> int:
        return (self.page - 1) * PAGE_SIZE + 1


@dataclass(frozen=True)
class Totals:
    count: int
    arr_minor: int  # of the customers whose ARR is known
    arr_unknown: int
    bands: dict[str, int] = field(default_factory=dict)  # A B C D N


def matching(
    actor: User | None, filters: Sequence[Filter], *, today: date
) -> QuerySet[CustomerSummary]:
    """Every summary row that the actor may see and that fits, in no order."""
    rows = CustomerSummary.objects.visible_to(actor)
    for found in filters:
        rows = rows.filter(condition(found, actor=actor, today=today))
    return rows.order_by()


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
) -> ListPage:
    """One page of 50 rows with owner, tier and stage; count and totals up to a thousand rows."""
    page = max(1, min(page, MAX_PAGE))
    if found_by_name := _page_of_names(actor, query, page):
        return found_by_name
    rows = matching(actor, query.filters, today=today)
    start = (page - 1) * PAGE_SIZE
    if is_custom(query.sort.removeprefix("-")):
        return _page_by_field(rows, query, page)
    # keys first, from an index; the wide rows only of those that are shown
    keys = list(sorted_by(rows, query.sort).values_list("pk", flat=True)[start:][: PAGE_SIZE + 1])
    has_next = len(keys) > PAGE_SIZE
    shown = _rows(keys[:PAGE_SIZE])
    if page == 1 and not has_next:  # everything is in hand
        totals: Totals | None = _totals((row.band, row.arr_minor) for row in shown)
    else:
        totals = totals_of(rows)
    count = totals.count if totals else None
    return ListPage(shown, page, has_next, count, totals, query)


def _page_by_field(rows: QuerySet[CustomerSummary], query: ListQuery, page: int) -> ListPage:
    """In the order of a company's own field; one reading gives totals and says if rows are few."""
    field, start = _sort_field(query.sort), (page - 1) * PAGE_SIZE
    found = list(rows.values_list("pk", "band", "arr_minor")[:COUNT_CAP])
    is_capped = len(found) >= COUNT_CAP
    few = None if is_capped else [pk for pk, _, _ in found]
    keys = sorted_keys(rows, field, query.sort, start=start, count=PAGE_SIZE + 1, few=few)
    totals = None if is_capped else _totals((band, arr) for _, band, arr in found)
    count = totals.count if totals else None
    return ListPage(_rows(keys[:PAGE_SIZE]), page, len(keys) > PAGE_SIZE, count, totals, query)


def _rows(keys: list[int]) -> list[CustomerSummary]:
    whole = CustomerSummary.objects.select_related("owner", "tier", "stage")
    found = whole.defer(*NOT_LISTED).in_bulk(keys)
    return [found[key] for key in keys if key in found]


def _page_of_names(actor: User | None, query: ListQuery, page: int) -> ListPage | None:
    """What somebody types into the search field: the keys alone give page and count."""
    texts = [found.value for found in query.filters if found.field == "text"]
    if query.sort != "name" or len(texts) != 1 or len(query.filters) != 1:
        return None
    found, totals = _found_by_name(CustomerSummary.objects.visible_to(actor), texts[0])
    start = (page - 1) * PAGE_SIZE
    if totals is None and start + PAGE_SIZE >= COUNT_CAP:
        return None
    shown, count = _rows(found[start : start + PAGE_SIZE]), totals.count if totals else None
    return ListPage(shown, page, len(found) > start + PAGE_SIZE, count, totals, query)


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


def rank_in_tier(actor: User | None, row: CustomerSummary) -> tuple[int, int] | None:
    """(place, of how many) by score among the customers of the tier that the actor sees."""
    if row.score is None or row.tier_id is None:
        return None
    peers = CustomerSummary.objects.visible_to(actor).filter(
        tier_id=row.tier_id, score__isnull=False
    )
    # two counts along the index instead of one over the rows
    return peers.filter(score__gt=row.score).order_by().count() + 1, peers.order_by().count()
