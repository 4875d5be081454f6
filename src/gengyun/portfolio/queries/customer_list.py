"""The customer list: one page of summary rows, filtered, sorted, counted up to a thousand.

Pages are found by looking one row ahead and never by counting everything; a list of more than
`COUNT_CAP` rows says "1000+", and its totals are left out rather than computed slowly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Coalesce

from gengyun.portfolio.calc.filters import BadFilter, Filter, parse_filters
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.conditions import condition
from gengyun.team.models import User

PAGE_SIZE = 50
COUNT_CAP = 1_001
MAX_PAGE = 2_000

# key of a sort -> column; "-" before the key turns it round; rows without a value come last
SORTS = {
    "name": "name",
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
        if sort.removeprefix("-") not in SORTS:
            raise BadSort(sort=sort[:40])
        columns = tuple(str(column)[:30] for column in raw.get("columns") or ())[:20]
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
    if key not in SORTS:
        raise BadSort(sort=sort[:40])
    column, last = F(SORTS[key]), None if key in NEVER_NULL else True
    order = column.desc(nulls_last=last) if sort.startswith("-") else column.asc(nulls_last=last)
    return rows.order_by(order, "pk")


def list_page(
    actor: User | None,
    query: ListQuery,
    *,
    today: date,
    page: int = 1,
    with_totals: bool = True,
) -> ListPage:
    """One page of 50 rows with owner, tier and stage; count and totals up to a thousand rows."""
    page = max(1, min(page, MAX_PAGE))
    rows = matching(actor, query.filters, today=today)
    start = (page - 1) * PAGE_SIZE
    shown = sorted_by(rows, query.sort).select_related("owner", "tier", "stage")
    found = list(shown[start : start + PAGE_SIZE + 1])
    has_next = len(found) > PAGE_SIZE
    if page == 1 and not has_next:
        count: int | None = len(found)
    else:
        count = capped_count(rows)
    totals = totals_of(rows) if with_totals and count is not None else None
    return ListPage(found[:PAGE_SIZE], page, has_next, count, totals, query)


def capped_count(rows: QuerySet[CustomerSummary]) -> int | None:
    """How many, None for more than a thousand: counting stops there."""
    count = rows.values("pk")[:COUNT_CAP].count()
    return None if count >= COUNT_CAP else count


def totals_of(rows: QuerySet[CustomerSummary]) -> Totals:
    groups = rows.values("band").annotate(
        n=Count("pk"), known=Count("arr_minor"), arr=Coalesce(Sum("arr_minor"), 0)
    )
    count = arr = known = 0
    bands = dict.fromkeys("ABCDN", 0)
    for group in groups:
        bands[group["band"]] = group["n"]
        count, known, arr = count + group["n"], known + group["known"], arr + group["arr"]
    return Totals(count, arr, count - known, bands)


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
    rows = CustomerSummary.objects.visible_to(actor).select_related("tier", "owner")
    head = list(rows.filter(name__istartswith=text).order_by("name", "pk")[:limit])
    if len(head) < limit:
        known = {row.pk for row in head}
        more = rows.filter(name__icontains=text).order_by("name", "pk")[: limit + len(head)]
        head += [row for row in more if row.pk not in known]
    return head[:limit]


def rank_in_tier(actor: User | None, row: CustomerSummary) -> tuple[int, int] | None:
    """(place, of how many) by score among the customers of the tier that the actor sees."""
    if row.score is None or row.tier_id is None:
        return None
    peers = CustomerSummary.objects.visible_to(actor).filter(
        tier_id=row.tier_id, score__isnull=False
    )
    return peers.filter(score__gt=row.score).count() + 1, peers.count()
