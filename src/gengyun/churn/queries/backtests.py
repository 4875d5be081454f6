"""Back-tests that were made, and what one needs beside the snapshots: what health and the CSM had
said by then, and how many customers there were."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from django.db.models import Q, QuerySet

from gengyun.churn.calc.beside import UNSAID, Beside
from gengyun.churn.calc.table import Floats, Ints, Table
from gengyun.churn.calc.trust import REFUSED, UNPROVEN, verdict
from gengyun.churn.models import Backtest, Event
from gengyun.customers.models import Customer
from gengyun.health.queries.scores import judged_days, read_scores
from gengyun.kernel.days import start_of
from gengyun.lake.store import Lake
from gengyun.revenue.models import Category, Line, Renewal, RenewalChange, RenewalState

STALE_DAYS = 31  # a score older than that is not what health says
CHUNK = 500
CATEGORIES = (Category.COMMIT, Category.EXPECTED, Category.AT_RISK, Category.SIGNED, Category.LOST)


def made(event: Event | str | None = None) -> QuerySet[Backtest]:
    """Newest first, without the rows they tested."""
    found = Backtest.objects.defer("rows").select_related("model", "requested_by")
    return found if event is None else found.filter(event=event)


def newest_done(event: Event | str, *, by: datetime | None = None) -> Backtest | None:
    """`by`: of those that were there at that moment."""
    done = made(event).filter(state=Backtest.State.DONE)
    return (done if by is None else done.filter(finished_at__lte=by)).first()


def is_unproven(event: Event | str, now: datetime) -> bool:
    """Whether the newest back-test that was there at `now` found no more than the tier's rate."""
    newest = newest_done(event, by=now)
    return newest is not None and verdict(newest.result) in {UNPROVEN, REFUSED}


def beside_of(table: Table, *, lake: Lake | None = None) -> Beside:
    """What health and the CSM had said of each row on its day."""
    return Beside(
        health=health_then(table, lake=lake),
        category=category_then(table),
        categories=tuple(str(one) for one in CATEGORIES),
    )


def health_then(table: Table, *, lake: Lake | None = None) -> Floats:
    """The score of the newest judged day up to the row's, at most a month older; nan: none."""
    found = np.full(len(table), np.nan)
    lake = lake or Lake.default()
    days = np.array(sorted(judged_days(lake)), dtype="datetime64[D]")
    if not len(days) or not len(table):
        return found
    place = np.searchsorted(days, table.at, side="right") - 1
    fresh = (place >= 0) & (table.at - days[place] <= np.timedelta64(STALE_DAYS, "D"))
    for one in np.unique(place[fresh]):
        rows = np.flatnonzero(fresh & (place == one))
        scores = read_scores(days[one].item(), ["customer_id", "score"], lake=lake)
        ids = scores["customer_id"].to_numpy()
        values = scores["score"].to_numpy(zero_copy_only=False).astype(np.float64)
        found[rows] = _looked_up(table.account[rows], ids, values)
    return found


def _looked_up(wanted: Ints, ids: Ints, values: Floats) -> Floats:
    order = np.argsort(ids, kind="stable")
    ids, values = ids[order], values[order]
    if not len(ids):
        return np.full(len(wanted), np.nan)
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[place] == wanted, values[place], np.nan)


@dataclass(frozen=True)
class _Judged:
    """A renewal, and the changes of its category: (when, value before), oldest first."""

    created_at: datetime
    now: str
    changes: Sequence[tuple[datetime, str]]

    def said(self, moment: datetime) -> str:
        """The category that stood just before `moment`; "" where the renewal was not there yet."""
        if self.created_at >= moment:
            return ""
        then = self.now
        for at, before in reversed(self.changes):
            if at < moment:
                break
            then = before
        return then


def category_then(table: Table) -> Ints:
    """Place in CATEGORIES, -1: nobody had judged. Of renewals that share a customer and a due date
    the largest speaks."""
    found = np.full(len(table), UNSAID)
    judged = _judged(table)
    places = {str(one): place for place, one in enumerate(CATEGORIES)}
    moments: dict[date, datetime] = {}
    for row in range(len(table)):
        if np.isnat(table.due[row]):
            continue
        one = judged.get((int(table.account[row]), table.due[row].item()))
        if one is None:
            continue
        day = table.at[row].item()
        moment = moments.setdefault(day, start_of(day))
        found[row] = places.get(one.said(moment), UNSAID)
    return found


def _judged(table: Table) -> dict[tuple[int, date], _Judged]:
    dues = table.due[~np.isnat(table.due)]
    if not len(dues):
        return {}
    rows = list(
        Renewal.objects.filter(due_on__gte=dues.min().item(), due_on__lte=dues.max().item())
        .exclude(state=RenewalState.MERGED)
        .order_by("due_minor", "pk")  # the largest comes last and stays
        .values_list("pk", "customer_id", "due_on", "created_at", "category")
    )
    changes = _changes([row[0] for row in rows])
    return {
        (customer, due): _Judged(created, category, changes.get(pk, []))
        for pk, customer, due, created, category in rows
    }


def _changes(ids: Sequence[int]) -> dict[int, list[tuple[datetime, str]]]:
    found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for start in range(0, len(ids), CHUNK):
        rows = RenewalChange.objects.filter(
            renewal_id__in=ids[start : start + CHUNK], field="category"
        )
        for pk, at, old in rows.order_by("at", "pk").values_list("renewal_id", "at", "old"):
            found[pk].append((at, str(old)))
    return found


def customers_by_month(table: Table) -> dict[int, int]:
    """Months since 1970-01 -> customers with a running contract on the month's first day; where
    there are no contracts, customers that were known."""
    if not len(table):
        return {}
    months = np.unique(table.at.astype("datetime64[M]"))
    lines = Line.objects.filter(voided_at__isnull=True)
    spans = list(lines.values_list("customer_id", "starts_on", "ends_on"))
    if not spans:
        return _known_by_month(months)
    customer = np.array([span[0] for span in spans], dtype=np.int64)
    starts = np.array([span[1] for span in spans], dtype="datetime64[D]")
    far = date(9999, 1, 1)
    ends = np.array([span[2] or far for span in spans], dtype="datetime64[D]")
    found = {}
    for month in months:
        day = month.astype("datetime64[D]")
        running = (starts <= day) & (day <= ends)
        found[int(month.astype(np.int64))] = len(np.unique(customer[running]))
    return found


def _known_by_month(months: np.ndarray) -> dict[int, int]:
    found = {}
    for month in months:
        start = start_of(month.astype("datetime64[D]").item())
        present = Customer.objects.filter(known_at__lt=start).filter(
            Q(archived_at__isnull=True) | Q(archived_at__gte=start)
        )
        found[int(month.astype(np.int64))] = present.count()
    return found


def is_abandoned(backtest: Backtest, now: datetime) -> bool:
    """Still "running" long after it was asked for: nobody works on it any more."""
    return backtest.state == Backtest.State.RUNNING and now - backtest.created_at > timedelta(
        days=1
    )
