"""Walking a sorted list from a place, forward or back: what it costs does not depend on how deep.

A list is two walks, one behind the other: rows that have a value, along the index of value and key,
and rows that have none, along their keys. So both databases follow a plain index either way, which
"nulls last" would not allow PostgreSQL, and rows of equal value are never skipped or doubled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import BooleanField, F, Func, QuerySet, Value

from gengyun.portfolio.calc.cursor import BadCursor, Place

Found = list[tuple[Any, int]]  # (value of the sort, key of the customer)


@dataclass(frozen=True)
class Lane:
    """One of the two walks; `column` None: by the key alone."""

    rows: QuerySet[Any]
    key: str
    column: str | None = None


class _Beyond(Func):
    """(column, key) > (value, key) as one comparison of rows: the border of a walk in an index."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, *expressions: Any, sign: str) -> None:
        super().__init__(*expressions)
        self.sign = sign

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        parts = [compiler.compile(part) for part in self.get_source_expressions()]
        left, right = (", ".join(sql for sql, _ in pair) for pair in (parts[:2], parts[2:]))
        return f"({left}) {self.sign} ({right})", [one for _, params in parts for one in params]


@dataclass(frozen=True)
class Walk:
    """The whole order: `known` rows, then `unknown` ones; `is_down` turns round both."""

    known: Lane
    unknown: Lane | None  # None: every row has a value
    is_down: bool

    def keys(self, place: Place | None, *, count: int, is_back: bool = False) -> Found:
        """Up to `count` rows behind the place, or in front of it, in the order of the list.

        Without a place: the first rows, or the last ones.
        """
        found: Found = []
        for lane, at in self._way(place, is_back=is_back):
            found += self._read(lane, at, is_back=is_back, count=count - len(found))
            if len(found) >= count:
                break
        return found[::-1] if is_back else found

    def before(self, place: Place, *, cap: int) -> int:
        """How many rows stand in front of the place, counted up to `cap`."""
        counted = 0
        for lane, at in self._way(place, is_back=True):
            rows = self._beyond(lane, at, is_back=True).order_by().values(lane.key)
            counted += rows[: cap - counted].count()
            if counted >= cap:
                break
        return counted

    def _way(self, place: Place | None, *, is_back: bool) -> list[tuple[Lane, Place | None]]:
        """The lanes still to be walked, and where to begin in each (None: at its end)."""
        lanes = [self.known] if self.unknown is None else [self.known, self.unknown]
        if is_back:
            lanes.reverse()
        if place is None:
            return [(lane, None) for lane in lanes]
        here = self.known if place.value is not None else self.unknown
        if here is None:
            raise BadCursor
        return [(lane, place if lane is here else None) for lane in lanes[lanes.index(here) :]]

    def _read(self, lane: Lane, at: Place | None, *, is_back: bool, count: int) -> Found:
        way = "-" if self.is_down != is_back else ""
        rows = self._beyond(lane, at, is_back=is_back)
        if lane.column is None:
            keys = rows.order_by(way + lane.key).values_list(lane.key, flat=True)
            return [(None, key) for key in keys[:count]]
        ordered = rows.order_by(way + lane.column, way + lane.key)
        return list(ordered.values_list(lane.column, lane.key)[:count])

    def _beyond(self, lane: Lane, at: Place | None, *, is_back: bool) -> QuerySet[Any]:
        if at is None:
            return lane.rows
        is_less = self.is_down != is_back
        if lane.column is None:
            return lane.rows.filter(**{f"{lane.key}__{'lt' if is_less else 'gt'}": at.key})
        meta = lane.rows.model._meta  # noqa: SLF001 - Django's documented name
        border = (Value(at.value, meta.get_field(lane.column)), Value(at.key))
        return lane.rows.filter(
            _Beyond(F(lane.column), F(lane.key), *border, sign="<" if is_less else ">")
        )


class Few:
    """A walk over few rows that are all in hand, sorted here: one reading and no second query.

    `held`: key -> value; `plain`: the value of a place as `held` has it.
    """

    def __init__(
        self, held: Mapping[int, Any], *, is_down: bool, plain: Callable[[Any], Any] | None = None
    ) -> None:
        self._is_down, self._plain = is_down, plain
        known = sorted((value, key) for key, value in held.items() if value is not None)
        unknown = sorted(key for key, value in held.items() if value is None)
        if is_down:
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
            at = (self._plain(place.value) if self._plain else place.value, place.key)
        before = sum(self._precedes(one, at) for one in self._all[first:last]) + first
        is_here = before < last and self._all[before] == at
        return before, before + is_here

    def _precedes(self, one: tuple[Any, int], at: tuple[Any, int]) -> bool:
        if at[0] is None:
            return one[1] > at[1] if self._is_down else one[1] < at[1]
        return one > at if self._is_down else one < at


class Walking(Protocol):
    """A list that can be walked, wherever its order is made."""

    def keys(self, place: Place | None, *, count: int, is_back: bool = False) -> Found: ...

    def before(self, place: Place, *, cap: int) -> int: ...


@dataclass(frozen=True)
class Stretch:
    """The rows of one page, and what lies around them."""

    found: Found
    passed: int | None  # rows in front of it; None: more than were counted
    has_next: bool


def stretch_of(
    walk: Walking, place: Place | None, page: int, *, is_back: bool, size: int, cap: int
) -> Stretch:
    """A page of `size` rows behind the place, or in front of it; without one, the page by number.

    Rows in front of it are counted up to `cap`. A page that is no longer there is the last one.
    """
    if place is None:
        skip = (page - 1) * size
        found = walk.keys(None, count=skip + size + 1)
        if len(found) <= skip:  # an old link to a list that has become shorter
            skip = max(0, len(found) - 1) // size * size
        return Stretch(found[skip : skip + size], skip, len(found) > skip + size)
    if is_back:
        found = walk.keys(place, count=size, is_back=True)
        if len(found) < size:  # the beginning: a whole page rather than its rest
            return stretch_of(walk, None, 1, is_back=False, size=size, cap=cap)
        has_next = bool(walk.keys(_of(found[-1], place), count=1))
    else:
        found = walk.keys(place, count=size + 1)
        has_next = len(found) > size
        # what stood behind the place has gone: the last rows that there are
        found = found or walk.keys(None, count=size, is_back=True)
    found = found[:size]
    passed = walk.before(_of(found[0], place), cap=cap) if found else 0
    return Stretch(found, passed if passed < cap else None, has_next)


def _of(found: tuple[Any, int], place: Place) -> Place:
    return Place(place.sort, *found)
