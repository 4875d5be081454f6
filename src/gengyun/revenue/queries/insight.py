"""Tables of ARR and what lies behind each of their cells: customers, movements, contracts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from gengyun.customers.models import Customer, Tier
from gengyun.kernel.days import start_of
from gengyun.revenue.calc.moves import (
    I64,
    KIND_CODE,
    KINDS,
    Bools,
    Moves,
    added,
    balances,
    day_number,
)
from gengyun.revenue.calc.policies import Policy
from gengyun.revenue.calc.waterfall import COLUMNS, Rows, Waterfall, column_of, rows_of, waterfall
from gengyun.revenue.models import Movement, Product
from gengyun.revenue.queries.book import Book
from gengyun.revenue.queries.due_book import DueBook
from gengyun.team.models import User

ENDS = ("opening", "closing")
NOBODY = "-"  # a segment without a name: no tier, no owner, no product


@dataclass(frozen=True)
class Segment:
    """Some of the movements: of a tier, a CSM, a product … `key` stands in addresses."""

    key: str
    name_zh: str
    name_en: str
    rows: Bools


def segments(of: Book, by: str) -> list[Segment]:
    """In the order of the thing: tiers and products by position, others by name."""
    return _segments(_keys(of, by), by)


def _segments(keys: "_Keys", by: str) -> list[Segment]:
    names = _names(by)
    found = [key for key in names if key in keys.values]
    found = [key for key in found if key != NOBODY]
    found += sorted(set(keys.values.tolist()) - set(found) - {NOBODY})
    if NOBODY in keys.values:
        found.append(NOBODY)
    return [Segment(key, *names.get(key, (key, key)), _rows_of(keys, key)) for key in found]


def _rows_of(keys: "_Keys", key: str) -> Bools:
    places = np.flatnonzero(keys.values == key)
    found: Bools = keys.rows == places[0] if len(places) else np.zeros(len(keys.rows), bool)
    return found


def segment_rows(of: Book, by: str, key: str) -> Bools:
    """The movements of one segment; all of them where nothing is asked for."""
    if not by or not key:
        return np.ones(len(of.moves), bool)
    return _rows_of(_keys(of, by), key)


def segment_name(by: str, key: str) -> tuple[str, str]:
    """(Chinese, English)."""
    return _names(by).get(key, (key, key))


@dataclass(frozen=True)
class _Keys:
    values: np.ndarray[Any, np.dtype[np.str_]]
    rows: I64  # place in `values` of every movement


def _keys(of: Book, by: str) -> _Keys:
    if by == "product":
        texts = np.array([str(pk) if pk else NOBODY for pk in of.product.tolist()], object)
    else:
        texts = _of_customers(of.customers, by)[of.moves.unit]
    return _numbered(texts)


def _of_customers(customers: I64, by: str) -> np.ndarray[Any, np.dtype[np.object_]]:
    fields = {"tier": "tier_id", "owner": "owner_id"}
    rows = Customer.objects.values_list("pk", fields.get(by, by))
    found = {pk: str(value) if value else NOBODY for pk, value in rows}
    return np.array([found.get(pk, NOBODY) for pk in customers.tolist()], object)


def _numbered(texts: np.ndarray[Any, np.dtype[np.object_]]) -> _Keys:
    values, place = np.unique(texts.astype(str), return_inverse=True)
    return _Keys(values, place.astype(np.int64))


def due_segments(of: DueBook, by: str) -> list[Segment]:
    """As `segments`, of what came due; a product is what renews together."""
    return _segments(_due_keys(of, by), by)


def due_segment_rows(of: DueBook, by: str, key: str) -> Bools:
    return _rows_of(_due_keys(of, by), key) if by and key else np.ones(len(of.rows), bool)


def _due_keys(of: DueBook, by: str) -> _Keys:
    if by == "product":
        return _numbered(np.array(list(of.group), object))
    return _numbered(_of_customers(of.customer, by))


def _names(by: str) -> dict[str, tuple[str, str]]:
    nobody = {
        "tier": ("未分层", "no tier"),
        "owner": ("暂无负责人", "nobody yet"),
        "product": ("没有产品", "no product"),
    }.get(by, ("未填写", "not set"))
    found: dict[str, tuple[str, str]] = {}
    if by == "tier":
        found = {str(t.pk): (t.name_zh, t.name_en) for t in Tier.objects.all()}
    elif by == "owner":
        people = User.objects.filter(book__isnull=False).distinct().order_by("name", "pk")
        found = {str(one.pk): (one.name, one.name) for one in people}
    elif by == "product":
        found = {str(p.pk): (p.name_zh, p.name_en) for p in Product.objects.all()}
    return found | {NOBODY: nobody}


def arr(of: Book, ends: Sequence[int], policy: Policy) -> Waterfall:
    return waterfall(of.moves, ends, policy, reported=_reported(of, ends, policy))


def _reported(of: Book, ends: Sequence[int], policy: Policy) -> I64 | None:
    return of.reported(ends) if policy.fx == "reported" else None


@dataclass(frozen=True)
class Cell:
    """What lies behind a figure: `amount` of each customer (id), the largest first, and the
    movements that make it up."""

    customers: I64
    amount: I64
    rows: Bools  # of the book

    @property
    def total(self) -> int:
        return int(self.amount.sum())


def cell(
    of: Book,
    ends: Sequence[int],
    policy: Policy,
    column: str,
    *,
    period: int | None = None,
    is_kind: bool = False,
) -> Cell:
    """`column`: opening, closing, net, fx, or one of COLUMNS; with `is_kind` one of KINDS, whatever
    its sign. `period`: which of the steps of `ends`, None for all of them. The amounts add up to
    the figure of the table."""
    first, last = (0, len(ends) - 1) if period is None else (period, period + 1)
    moves, inside = of.moves, _between(of.moves, ends[first], ends[last])
    if column in ENDS:
        at = ends[first] if column == "opening" else ends[last]
        return _cell(of, _balance(of, at, policy), moves.day <= at)
    if column in {"net", "fx"}:
        grown = _balance(of, ends[last], policy) - _balance(of, ends[first], policy)
        if column == "fx":
            grown -= added(moves.unit[inside], moves.amount[inside], moves.units)
        return _cell(of, grown, inside)
    rows = rows_of(moves, ends, policy)
    wanted = _is_of(rows, column, is_kind) & (rows.period >= first) & (rows.period < last)
    amounts = added(rows.unit[wanted], rows.amount[wanted], moves.units)
    if policy.basis == "recorded":
        as_rows = Rows(np.zeros_like(moves.day), moves.unit, moves.kind, moves.amount)
        inside &= _is_of(as_rows, column, is_kind)
    else:
        counted = np.zeros(moves.units, bool)
        counted[rows.unit[wanted]] = True
        inside &= counted[moves.unit]
    return _cell(of, amounts, inside & (moves.amount != 0))


def _between(moves: Moves, after: int, until: int) -> Bools:
    found: Bools = (moves.day > after) & (moves.day <= until)
    return found


def _balance(of: Book, at: int, policy: Policy) -> I64:
    table = _reported(of, [at], policy)
    found: I64 = (balances(of.moves, [at]) if table is None else table)[:, 0]
    return found


def _is_of(rows: Rows, column: str, is_kind: bool) -> Bools:
    if is_kind:
        return np.asarray(rows.kind == KIND_CODE[column])
    return np.asarray(column_of(rows) == COLUMNS.index(column))


def _cell(of: Book, amounts: I64, rows: Bools) -> Cell:
    units = np.flatnonzero(amounts)
    order = np.lexsort((of.customers[units], -np.abs(amounts[units])))
    units = units[order]
    return Cell(of.customers[units], amounts[units], rows)


def shown_kinds(found: Waterfall) -> list[str]:
    """Kinds that moved anything in any period."""
    return [kind for kind in KINDS if any(found.kinds[kind])]


def movements(actor: User | None, pks: Iterable[int]) -> dict[int, list[Movement]]:
    """By customer, in the order of the ledger."""
    rows = Movement.objects.visible_to(actor).filter(pk__in=list(pks))
    found: dict[int, list[Movement]] = {}
    for row in rows.select_related("contract", "product", "line", "actor").order_by(
        "customer_id", "effective_on", "pk"
    ):
        found.setdefault(row.customer_id, []).append(row)
    return found


def ledger(
    actor: User | None, customer: Customer, *, until: date, known: date | None = None
) -> list[Movement]:
    """Every movement of a customer effective by `until`, as known at the end of `known`."""
    rows = Movement.objects.visible_to(actor).filter(customer=customer, effective_on__lte=until)
    if known is not None:
        rows = rows.filter(known_at__lt=start_of(known + timedelta(days=1)))
    related = ("contract", "product", "line", "actor")
    return list(rows.select_related(*related).order_by("effective_on", "pk"))


def largest(
    actor: User | None, of: Book, on: date, *, most: int = 30
) -> list[tuple[Customer, int]]:
    """The customers with the most ARR in force on a day."""
    if not len(of.moves):
        return []
    amounts = balances(of.moves, [day_number(on)])[:, 0]
    units = np.lexsort((of.customers, -amounts))[:most]
    pks = of.customers[units].tolist()
    rows = Customer.objects.visible_to(actor).select_related("owner", "tier").in_bulk(pks)
    held = zip(pks, amounts[units].tolist(), strict=True)
    return [(rows[pk], arr) for pk, arr in held if pk in rows and arr > 0]
