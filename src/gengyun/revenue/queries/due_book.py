"""Everything that came or comes due, as columns in one currency: what due-based figures count."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from gengyun.kernel.days import start_of
from gengyun.revenue.calc.conversion import converted
from gengyun.revenue.calc.fx import Rates
from gengyun.revenue.calc.moves import I64, KIND_CODE, Bools, added, day_number
from gengyun.revenue.calc.renewal_rates import UNSIGNED, DueRows
from gengyun.revenue.models import Renewal, RenewalState
from gengyun.revenue.queries.book import wanted_customers
from gengyun.revenue.queries.frames import NO_DAY, Columns, Frame, movement_frame
from gengyun.revenue.queries.rates import rates_known
from gengyun.team.models import User

ONE_DAY = timedelta(days=1)
Texts = npt.NDArray[np.object_]
ANSWERS = ("renew", "upsell", "downsell", "price_change", "churn", "win_back", "new", "cross_sell")
GAINED = ("renew", "win_back", "new", "upsell", "cross_sell", "price_change")


@dataclass(frozen=True)
class DueBook:
    """Everything that came or comes due: `rows` for the formulas, the rest says whose it is."""

    currency: str
    rows: DueRows
    customer: I64  # ids; `rows.customer` counts from 0
    product: I64  # id; one of them where several came due together, 0 for none
    group: Texts
    # currency -> what came due in it and could not be converted: counted, with an amount of 0
    without_rate: dict[str, int] = field(default_factory=dict)

    def only(self, kept: Bools) -> "DueBook":
        return DueBook(
            self.currency,
            self.rows.only(kept),
            self.customer[kept],
            self.product[kept],
            self.group[kept],
            self.without_rate,
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
    return _joined(answers, is_known[kept], open_rows, rates_known(known), as_of)


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


def _joined(answers: Frame, is_known: Bools, still: _Open, rates: Rates, as_of: date) -> DueBook:
    """Answers and open renewals by (customer, group, due day)."""
    rows = answers.rows
    missing: dict[str, int] = {}

    def in_base(amount: I64, code: I64, codes: Sequence[str]) -> I64:
        found = amount.copy()
        for place, name in enumerate(codes):
            if name != rates.base and bool((at := code == place).any()):
                rate = rates.on(name, as_of)
                found[at] = 0 if rate is None else converted(amount[at], rate, name, rates.base)
        return found

    def without_rate(code: I64, codes: Sequence[str]) -> None:
        for place, name in enumerate(codes):
            if name != rates.base and rates.on(name, as_of) is None:
                count = int((code == place).sum())
                if count:
                    missing[name] = missing.get(name, 0) + count

    code, own_arr = rows["code"].astype(np.int64), rows["arr"].astype(np.int64)
    own_due = rows["due"].astype(np.int64)
    arr, due = (in_base(amount, code, answers.codes) for amount in (own_arr, own_due))
    codes = sorted(set(still.code))
    places = np.array([codes.index(name) for name in still.code], np.int64)
    open_due = in_base(still.due, places, codes)
    without_rate(code[rows["has_due"] == 1], answers.codes)
    without_rate(places, codes)
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
    # whether it was renewed is known without any exchange rate
    kept = added(own[is_known], (own_arr + own_due)[is_known], size) > 0
    signed = np.full(size, UNSIGNED, np.int64)
    np.maximum.at(signed, own[gained], _signed(rows)[gained])
    lost_on = np.full(size, UNSIGNED, np.int64)
    churned = is_known & (rows["arr"] < 0) & (rows["has_due"] == 1)
    np.maximum.at(lost_on, own[churned], rows["day"][churned].astype(np.int64) - 1)
    product = np.zeros(size, np.int64)
    np.maximum.at(product, own, rows["product"].astype(np.int64))
    np.maximum.at(product, other, still.product)
    is_won = kept & (signed != UNSIGNED)
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
        without_rate=missing,
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
