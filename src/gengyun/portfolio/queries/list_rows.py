"""The rows of a page of the customer list, with owner, tier and stage beside them.

One query and plain tuples: fifty models of four kinds took a third of the page's time, most of it
for columns that no list shows.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast

from gengyun.portfolio.models import CustomerSummary


class Named(NamedTuple):
    """Of a tier or a stage, what a cell says."""

    position: int
    name_zh: str
    name_en: str


class Person(NamedTuple):
    pk: int
    name: str


class ListRow(NamedTuple):
    """`CustomerSummary` as far as a list shows it."""

    pk: int
    name: str
    search_key: str
    industry: str
    region: str
    stage_since: date | None
    pace: str
    arr_minor: int | None
    currency: str
    seats: int | None
    renews_on: date | None
    score: float | None
    band: str
    coverage: float | None
    change_week: float | None
    active_users_7d: int | None
    last_touch_at: datetime | None
    last_touch_kind: str
    next_step: str
    next_step_on: date | None
    churn: float | None
    churn_low: float | None
    churn_high: float | None
    churn_on: date | None
    churn_grade: str
    churn_refused: str
    churn_is_estimate: bool
    churn_change: float | None
    ltv_minor: int | None
    ltv_low_minor: int | None
    ltv_high_minor: int | None
    need_rank: int
    line: list[float | None]
    tag_names: list[str]
    needs: list[dict[str, Any]]
    owner: Person | None
    tier: Named | None
    stage: Named | None


_JSON = ("line", "tag_names", "needs")
_BESIDE = ("owner", "tier", "stage")
_PLAIN = tuple(name for name in ListRow._fields if name not in {*_JSON, *_BESIDE})
# as text: Django's way of reading JSON takes several times as long
_TEXTS = [Cast(F(name), TextField()) for name in _JSON]
_NAMES = ("position", "name_zh", "name_en")
_OTHERS = (
    "owner_id", "owner__name",
    "tier_id", *(f"tier__{name}" for name in _NAMES),
    "stage_id", *(f"stage__{name}" for name in _NAMES),
)  # fmt: skip
_END, _OWNER = len(_PLAIN), len(_PLAIN) + len(_JSON)


@cache
def _listed() -> QuerySet[CustomerSummary, tuple[Any, ...]]:
    """What is asked for, put together once: naming fifty columns takes as long as reading them."""
    return CustomerSummary.objects.order_by().values_list(*_PLAIN, *_TEXTS, *_OTHERS)


def rows_of(keys: Sequence[int]) -> list[ListRow]:
    """In the order of the keys; those that have gone are left out."""
    rows = {row[0]: _row(row) for row in _listed().filter(pk__in=keys)}
    return [rows[key] for key in keys if key in rows]


def _row(row: tuple[Any, ...]) -> ListRow:
    owner_id, owner, tier_id, *beside = row[_OWNER:]
    stage_id = beside[3]
    return ListRow._make(
        (
            *row[:_END],
            *(msgspec.json.decode(text) for text in row[_END:_OWNER]),
            None if owner_id is None else Person(owner_id, owner),
            None if tier_id is None else Named(*beside[:3]),
            None if stage_id is None else Named(*beside[4:]),
        )
    )
