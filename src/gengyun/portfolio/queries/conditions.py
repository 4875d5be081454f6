"""Filters applied: each becomes a condition on `CustomerSummary`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Func, Q, QuerySet, Value
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import GreaterThan, LessThan

from gengyun.customers.models import Customer, CustomField
from gengyun.kernel.days import start_of
from gengyun.portfolio.calc.custom_filters import is_custom
from gengyun.portfolio.calc.filters import Filter
from gengyun.portfolio.calc.nesting import SEGMENT
from gengyun.portfolio.calc.search import pairs, search_key
from gengyun.portfolio.models import CustomerSummary, NamePair
from gengyun.portfolio.queries.custom import custom_condition
from gengyun.team.models import User

COLUMNS = {
    "owner": "owner_id",
    "tier": "tier_id",
    "stage": "stage_id",
    "pace": "pace",
    "band": "band",
    "trend": "trend",
    "industry": "industry",
    "region": "region",
    "arr": "arr_minor",
    "seats": "seats",
    "score": "score",
    "change": "change_week",
    "churn": "churn",
    "renews": "renews_on",
    "next_step": "next_step_on",
    "last_event": "last_event_on",
    "touch": "last_touch_at",
    "active": "active_users_7d",
    "active_change": "active_change",
}
RANGES = frozenset(
    {
        "arr", "seats", "score", "change", "churn", "renews", "next_step", "last_event", "touch",
        "active", "active_change",
    }
)  # fmt: skip
PERCENTS = frozenset({"churn"})  # conditions in percent on a column of shares
LOOSE = "loose_"
NEVER = datetime(1, 1, 2, tzinfo=UTC)  # before every touch
FEW = 1_000  # keys that are handed over one by one
RARE = 2_500  # of 100,000 names: looking them up costs what reading a thousand of them costs
TEXTS = frozenset({"industry", "region"})


class Loose(Func):
    """The column in a form that no index of SQLite serves; the value is the same, and where it is
    read it is the text that SQLite keeps, as an expression has no declared type."""

    template = "+%(expressions)s"


def is_range(found: Filter) -> bool:
    """SQLite guesses how many fit, and guesses too few."""
    return connection.vendor == "sqlite" and found.field in RANGES


def loosened(
    rows: QuerySet[CustomerSummary], filters: Sequence[Filter]
) -> QuerySet[CustomerSummary]:
    """With the columns that conditions with `is_loose` refer to."""
    columns = {COLUMNS[found.field] for found in filters if is_range(found)}
    return rows.alias(**{f"{LOOSE}{column}": Loose(F(column)) for column in columns})


def condition(
    found: Filter,
    *,
    actor: User | None,
    today: date,
    is_loose: bool = False,
    fields: Mapping[str, CustomField] | None = None,
) -> Q:
    """The filter as a condition; "me" is the actor, days are counted from `today`.

    `is_loose`: many fit, so a range serves no index, for rows that went through `loosened`, and
    whoever comes next in the list is asked for a company's own field. `fields`: of these filters,
    by name, where they were read already.
    """
    if found.field == SEGMENT:
        return _segment(found, today)
    if is_custom(found.field):
        return custom_condition(found, today=today, fields=fields, are_many=is_loose)
    if found.field in _SPECIAL:
        return _SPECIAL[found.field](found, today)
    column, value = COLUMNS[found.field], found.value
    if is_loose and is_range(found):
        column = LOOSE + column
    if found.field in _DATED:
        return _DATED[found.field](found, today, column)
    if found.field == "owner":
        value = _person(value, actor)
    elif found.field in PERCENTS and value is not None:
        value /= 100
    empty = Q(**{column: ""}) if found.field in TEXTS else Q(**{f"{column}__isnull": True})
    plain: dict[str, Q] = {
        "is": Q(**{column: value}),
        "not": ~Q(**{column: value}) | empty,
        "none": empty,
        "known": ~empty,
    }
    return plain[found.op] if found.op in plain else Q(**{f"{column}__{found.op}": value})


def _person(value: Any, actor: User | None) -> Any:
    me = actor.pk if actor else None
    if isinstance(value, list):
        return [me if one == "me" else one for one in value]
    return me if value == "me" else value


def _text(found: Filter, today: date) -> Q:
    """Few matches are looked up first, from the search index alone; many are better found on the
    way through whatever index the list is sorted by."""
    rare = inside(found.value)
    matches = contains(found.value) if rare is None else begins_with(found.value) | rare
    holding = CustomerSummary.objects.filter(matches).order_by()
    keys = list(holding.values_list("pk", flat=True)[: FEW + 1])
    return Q(pk__in=keys) if len(keys) <= FEW else contains(found.value)


def contains(text: str) -> Q:
    """The name or the external id holds the text; reads 100,000 keys in about 10 ms."""
    return Q(GreaterThan(StrIndex("search_key", Value(search_key(text))), 0))


def inside(text: str) -> Q | None:
    """The text stands behind the beginning, looked up by two characters that few names hold.

    None where it has no such pair: what many names hold, `contains` meets soon enough.
    """
    for pair in pairs(search_key(text)):
        holding = NamePair.objects.filter(pair=pair).values("customer_id")
        if holding[: RARE + 1].count() <= RARE:
            return Q(pk__in=holding) & contains(text)
    return None


def begins_with(text: str) -> Q:
    """The name begins with the text."""
    key = search_key(text)
    if connection.vendor == "sqlite":  # whose LIKE goes past the index; it compares bytes
        return Q(search_key__gte=key, search_key__lt=key + chr(0x10FFFF))
    return Q(search_key__startswith=key)


def _segment(found: Filter, today: date) -> Q:
    """In it, or known not to be; nobody is either where its condition cannot be read any more."""
    from gengyun.portfolio.queries.membership import membership

    inside = membership(found.value, today=today)
    if inside is None:
        return Q(pk__in=[])
    return inside if found.op == "is" else ~inside


def _tag(found: Filter, today: date) -> Q:
    tagged = Customer.tags.through.objects.filter(tag__name=found.value).values("customer_id")
    has = Q(customer_id__in=tagged)
    return has if found.op == "has" else ~has


def _need(found: Filter, today: date) -> Q:
    if found.op == "any":
        return Q(need_rank__gt=0)
    return Q(need_rank__gt=0, need_codes__contains=f",{found.value},")


def _touch(found: Filter, today: date, column: str) -> Q:
    never = Q(**{f"{column}__isnull": True})
    if found.op == "none":
        return never
    border = start_of(today - timedelta(days=found.value))
    if found.op == "within":
        return Q(**{f"{column}__gte": border})
    # one expression, not two joined by OR: SQLite would leave the list's own order for two indexes
    return Q(LessThan(Coalesce(F(column), Value(NEVER)), border))


def _day(found: Filter, today: date, column: str) -> Q:
    value = found.value
    if found.op == "none":
        return Q(**{f"{column}__isnull": True})
    if found.op == "between":
        first, last = (date.fromisoformat(one) for one in value)
    elif found.op == "within":
        first, last = today, today + timedelta(days=value)
    elif found.op == "today":
        first = last = today
    else:
        ends = {"overdue": lambda: today, "before": lambda: date.fromisoformat(value)}
        end = ends.get(found.op, lambda: today - timedelta(days=value))()
        return Q(**{f"{column}__lt": end})
    return Q(**{f"{column}__gte": first, f"{column}__lte": last})


_SPECIAL: dict[str, Callable[[Filter, date], Q]] = {
    "text": _text,
    "tag": _tag,
    "need": _need,
}
_DATED: dict[str, Callable[[Filter, date, str], Q]] = {
    "touch": _touch,
    "renews": _day,
    "next_step": _day,
    "last_event": _day,
}
