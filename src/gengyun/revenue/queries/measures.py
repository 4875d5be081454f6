"""The figures of revenue over the book of movements: retention, renewal rates, unit economics.

Each function takes a `Book` (whose movements are those an actor sees, as known on a day, in one
currency) and answers for many periods at once. The formulas are in `calc`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from gengyun.kernel.days import start_of
from gengyun.revenue.calc import cohorts, retention
from gengyun.revenue.calc.conversion import converted
from gengyun.revenue.calc.ltv import MIN_CUSTOMERS, MIN_DATES, Fit, fit_sbg_spells
from gengyun.revenue.calc.moves import I64, KIND_CODE, Bools, Moves, added, balances, day_number
from gengyun.revenue.calc.policies import DEFAULT, Policy
from gengyun.revenue.calc.renewal_rates import (
    UNSIGNED,
    DueRows,
    RenewalRate,
    credit_days,
    renewal_rate,
)
from gengyun.revenue.calc.retention import Retention
from gengyun.revenue.calc.spans import Span
from gengyun.revenue.models import Renewal, RenewalState
from gengyun.revenue.queries.book import Book, finer, wanted_customers
from gengyun.revenue.queries.frames import NO_DAY, Columns, Frame, movement_frame
from gengyun.revenue.queries.rates import rates_to
from gengyun.revenue.queries.settings import current
from gengyun.team.models import User

ONE_DAY = timedelta(days=1)
Texts = npt.NDArray[np.object_]
ANSWERS = ("renew", "upsell", "downsell", "price_change", "churn", "win_back", "new", "cross_sell")
GAINED = ("renew", "win_back", "new", "upsell", "cross_sell", "price_change")


# ---- book-based


def windows_of(spans: Sequence[Span], months: int | None = None) -> list[tuple[int, int]]:
    """Day numbers (open, close) of each span by itself, or of the `months` up to its end."""
    found = []
    for span in spans:
        close = day_number(span.end)
        opened = day_number(span.start) - 1
        if months is not None:
            opened = day_number(_months_before(span.end, months))
        found.append((opened, close))
    return found


def _months_before(day: date, months: int) -> date:
    """The same day of an earlier month; the last day of a month stays one."""
    after = day + ONE_DAY
    at = after.year * 12 + after.month - 1 - months
    first = date(at // 12, at % 12 + 1, 1)
    following = date((at + 1) // 12, (at + 1) % 12 + 1, 1)
    return first + timedelta(days=min(after.day, (following - first).days) - 1) - ONE_DAY


def retention_of(
    of: Book, windows: Sequence[tuple[int, int]], policy: Policy = DEFAULT
) -> list[Retention]:
    """NRR, GRR and customers of each window, at the policy's level and rates."""
    moves, more = _book_based(of, windows, policy)
    return retention.retention_series(moves, windows, policy, **more)


def retention_ends_of(
    of: Book, windows: Sequence[tuple[int, int]], policy: Policy = DEFAULT
) -> list[retention.Ends]:
    """What `retention_of` sums up, in the order of `of.customers`."""
    moves, more = _book_based(of, windows, policy)
    return retention.retention_ends(moves, windows, policy, **more)


def _book_based(
    of: Book, windows: Sequence[tuple[int, int]], policy: Policy
) -> tuple[Moves, dict[str, I64 | None]]:
    reported = None
    if policy.fx == "reported":
        days = sorted({day for window in windows for day in window})
        reported = of.reported(days)
    if policy.level == "customer" or reported is not None:
        return of.moves, {"table": reported}
    moves, customer_of = finer(of, policy.level)
    return moves, {"customer_of": customer_of}


# ---- due-based


@dataclass(frozen=True)
class DueBook:
    """Everything that came or comes due: `rows` for the formulas, the rest says whose it is."""

    currency: str
    rows: DueRows
    customer: I64  # ids; `rows.customer` counts from 0
    product: I64  # id; one of them where several came due together, 0 for none
    group: Texts

    def only(self, kept: Bools) -> "DueBook":
        return DueBook(
            self.currency,
            self.rows.only(kept),
            self.customer[kept],
            self.product[kept],
            self.group[kept],
        )


def due_book(
    actor: User | None,
    *,
    as_of: date,
    known: date | None = None,
    among: Q | None = None,
    until: date | None = None,
    frame: Frame | None = None,
) -> DueBook:
    """One row per customer, group and due day, in the base currency at the rates of `as_of`.

    `until`: what is open and due later is left out.
    What was answered is found in the movements, as known at the end of `known`; what is still open
    in the renewals. A renewal signed without a date counts on the day it was due.
    """
    frame = movement_frame() if frame is None else frame
    rows = frame.rows
    wanted = wanted_customers(actor, among)
    kept = (rows["due_on"] != NO_DAY) & np.isin(rows["kind"], [KIND_CODE[k] for k in ANSWERS])
    if wanted is not None:
        kept &= np.isin(rows["customer"], wanted)
    is_known = np.ones(len(rows), bool)
    if known is not None:
        is_known = rows["known"] < int(start_of(known + ONE_DAY).timestamp())
    taken_back = rows["corrects"][is_known & (rows["corrects"] > 0)]
    kept &= ~np.isin(rows["pk"], taken_back)
    answers = frame.only(kept)
    open_rows = _open_renewals(wanted, known, until)
    return _joined(answers, is_known[kept], open_rows, as_of)


@dataclass(frozen=True)
class _Open:
    customer: I64
    due_on: I64
    due: I64
    product: I64
    group: list[str]
    code: list[str]


def _open_renewals(wanted: I64 | None, known: date | None, until: date | None) -> _Open:
    found = Renewal.objects.filter(state=RenewalState.OPEN)
    if until is not None:
        found = found.filter(due_on__lte=until)
    if known is not None:
        found = found.filter(created_at__lt=start_of(known + ONE_DAY))
    listed = list(
        found.order_by("pk").values_list(
            "customer_id", "due_on", "due_minor", "group", "currency", "product_id"
        )
    )
    if wanted is not None:
        held = set(wanted.tolist())
        listed = [row for row in listed if row[0] in held]
    return _Open(
        np.array([row[0] for row in listed], np.int64),
        np.array([day_number(row[1]) for row in listed], np.int64),
        np.array([row[2] for row in listed], np.int64),
        np.array([row[5] or 0 for row in listed], np.int64),
        [row[3] for row in listed],
        [row[4] for row in listed],
    )


def _joined(answers: Frame, is_known: Bools, still: _Open, as_of: date) -> DueBook:
    """Answers and open renewals by (customer, group, due day)."""
    rates = rates_to(current().base_currency)
    rows = answers.rows

    def in_base(amount: I64, code: I64, codes: Sequence[str]) -> I64:
        found = amount.copy()
        for place, name in enumerate(codes):
            if name != rates.base and bool((at := code == place).any()):
                rate = rates.on(name, as_of)
                found[at] = 0 if rate is None else converted(amount[at], rate, name, rates.base)
        return found

    code = rows["code"].astype(np.int64)
    arr = in_base(rows["arr"].astype(np.int64), code, answers.codes)
    due = in_base(rows["due"].astype(np.int64), code, answers.codes)
    codes = sorted(set(still.code))
    places = np.array([codes.index(name) for name in still.code], np.int64)
    open_due = in_base(still.due, places, codes)
    names = list(answers.groups)
    number = {name: place for place, name in enumerate(names)}
    for name in still.group:
        if name not in number:
            number[name] = len(names)
            names.append(name)
    group = np.concatenate([rows["group"], np.array([number[g] for g in still.group], np.int64)])
    customer = np.concatenate([rows["customer"].astype(np.int64), still.customer])
    due_on = np.concatenate([rows["due_on"].astype(np.int64), still.due_on])
    keys, place = _keyed(customer, group, due_on, len(names))
    own, other = place[: len(rows)], place[len(rows) :]
    size = len(keys[0])
    gained = np.isin(rows["kind"], [KIND_CODE[kind] for kind in GAINED]) & is_known
    renewed = added(own[is_known], (arr + due)[is_known], size)
    signed = np.full(size, UNSIGNED, np.int64)
    np.maximum.at(signed, own[gained], _signed(rows)[gained])
    lost_on = np.full(size, UNSIGNED, np.int64)
    churned = is_known & (rows["arr"] < 0) & (rows["has_due"] == 1)
    np.maximum.at(lost_on, own[churned], rows["day"][churned].astype(np.int64) - 1)
    product = np.zeros(size, np.int64)
    np.maximum.at(product, own, rows["product"].astype(np.int64))
    np.maximum.at(product, other, still.product)
    is_won = (renewed > 0) & (signed != UNSIGNED)
    units, unit = np.unique(keys[0], return_inverse=True)
    return DueBook(
        currency=rates.base,
        rows=DueRows(
            customer=unit.astype(np.int64),
            due_on=keys[2],
            due=added(own, due, size) + added(other, open_due, size),
            signed=np.where(is_won, signed, UNSIGNED),
            renewed=np.where(is_won, renewed, 0),
            lost_on=np.where(is_won, UNSIGNED, lost_on),
        ),
        customer=units[unit],
        product=product,
        group=np.array([*names, ""], object)[keys[1]],
    )


def _keyed(customer: I64, group: I64, due_on: I64, groups: int) -> tuple[tuple[I64, I64, I64], I64]:
    """The different keys, and the place of each row's."""
    mixed = (customer * max(groups, 1) + group) * 2**20 + (due_on + 2**19)
    found, place = np.unique(mixed, return_inverse=True)
    day, rest = found % 2**20 - 2**19, found // 2**20
    return (rest // max(groups, 1), rest % max(groups, 1), day), place


def _signed(rows: Columns) -> I64:
    """When it was signed; without a date on the due day, what was won back when it began."""
    missing = rows["signed_on"] == NO_DAY
    back = rows["kind"] != KIND_CODE["renew"]
    unsaid = np.where(back & (rows["has_due"] == 0), rows["day"], rows["due_on"])
    found: I64 = np.where(missing, np.minimum(unsaid, rows["day"]), rows["signed_on"])
    return found.astype(np.int64)


def renewal_rates(
    of: DueBook, spans: Sequence[Span], as_of: date, policy: Policy = DEFAULT
) -> list[RenewalRate]:
    """Of each span, as signed by the end of `as_of`."""
    rows = of.rows
    # only what is due in a span, or counts in it, is looked at again
    credit = credit_days(rows, policy)
    by_due, by_credit = np.argsort(rows.due_on), np.argsort(credit)
    due_on, counts_on = rows.due_on[by_due], credit[by_credit]
    found = []
    for span in spans:
        first, after = day_number(span.start), day_number(span.end) + 1
        due = by_due[slice(*np.searchsorted(due_on, (first, after)))]
        won = by_credit[slice(*np.searchsorted(counts_on, (first, after)))]
        elsewhere = (rows.due_on[won] < first) | (rows.due_on[won] >= after)
        part = rows.at(np.concatenate([due, won[elsewhere]]))
        found.append(renewal_rate(part, first, after, day_number(as_of), policy))
    return found


# ---- lifetimes


@dataclass(frozen=True)
class Spells:
    """How many customers' renewals were lost at their t-th due date, and how many passed t."""

    left: dict[int, int]
    staying: dict[int, int]

    @property
    def count(self) -> int:
        return sum(self.left.values()) + sum(self.staying.values())

    @property
    def dates(self) -> int:
        return max([*self.left, *self.staying], default=0)

    def fit(self) -> Fit | None:
        """None where there are too few customers or renewal dates, or nobody left or stayed."""
        if self.count < MIN_CUSTOMERS or self.dates < MIN_DATES:
            return None
        try:
            return fit_sbg_spells(self.left, {t: n for t, n in self.staying.items() if t})
        except ValueError:
            return None


def spells(of: DueBook, as_of: date) -> Spells:
    """Each customer's group is a life of its own: its due dates up to `as_of`, in order, until the
    first that was lost. What is open says nothing yet."""
    rows = of.rows
    until = day_number(as_of)
    decided = (rows.due_on <= until) & ((rows.signed != UNSIGNED) | (rows.lost_on != UNSIGNED))
    lives: dict[tuple[int, str], list[tuple[int, bool]]] = {}
    for at in np.flatnonzero(decided).tolist():
        key = (int(of.customer[at]), of.group[at])
        won = bool(rows.signed[at] != UNSIGNED)
        lives.setdefault(key, []).append((int(rows.due_on[at]), won))
    left: dict[int, int] = {}
    staying: dict[int, int] = {}
    for dates in lives.values():
        outcomes = [won for _, won in sorted(dates)]
        lost = next((at for at, won in enumerate(outcomes, 1) if not won), None)
        if lost is not None:
            left[lost] = left.get(lost, 0) + 1
        else:
            staying[len(outcomes)] = staying.get(len(outcomes), 0) + 1
    return Spells(left, staying)


# ---- others


def cohort_rows(of: Book, first: date, last: date) -> list[cohorts.CohortRow]:
    """By the month of the first ARR, with what is left of each at every month's end."""
    return cohorts.cohorts_of_moves(
        of.moves, cohorts.month_number(first), cohorts.month_number(last)
    )


def arr_by_customer(of: Book, on: date) -> I64:
    """In the order of `of.customers`."""
    return balances(of.moves, [day_number(on)])[:, 0]
