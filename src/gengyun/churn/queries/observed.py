"""Everything the deployment holds, read from database and lake into `calc.observed` columns.

Days are those of the company; a row is known on the company's day of `known_at`. Former and
archived customers are in: who only reads those that stayed learns that nobody leaves.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from gengyun.churn.calc.observed import (
    NEVER,
    ON_TIME,
    STATES,
    Dues,
    KeyUsers,
    Observed,
    Presence,
    States,
    Use,
    Values,
    use_of,
)
from gengyun.churn.calc.table import Days, Ints
from gengyun.churn.queries.observed_facts import facts
from gengyun.churn.queries.observed_people import key_users
from gengyun.churn.queries.observed_terms import dues
from gengyun.customers.models import Customer, FieldChange, Tier
from gengyun.customers.queries.merges import Joined, joined
from gengyun.kernel.days import day_of, start_of
from gengyun.lake.conditions import Condition
from gengyun.lake.keys import hash64
from gengyun.lake.store import Lake
from gengyun.usage.actions.defaults import DEFAULT_METRICS
from gengyun.usage.calc.plan import ANY_USE, ANY_USER, MeasureNeed
from gengyun.usage.models import Metric
from gengyun.usage.queries.metrics import judged_days

ANY_PART = MeasureNeed("features")
INDUSTRY_CUSTOMERS = 8  # from here on an industry has a calendar of its own
SIGN = {"up": -1, "down": 1}  # more of what is good is less risk
Between = tuple[int, int]  # customers by number: the first, and the one after the last
WEEK = 7  # days between the runs whose metrics are read


def observed_as_of(
    until: date, *, lake: Lake | None = None, only: Between | None = None
) -> Observed:
    """As of the start of `until`: nothing in it happened or became known on that day or later.

    `only`: of the customers whose number is in [first, end), where there are too many for once.
    """
    lake = lake or Lake.default()
    ids, seasons = _customers(only)
    merges = [pair for pair in joined() if pair.undone_on is None and pair.known_on < until]
    people = _presence(lake, ANY_USER, until, merges, only)
    metrics = _own_metrics()
    return Observed(
        accounts=ids,
        until=until,
        use=use_of(_events(lake, until, merges, only), people),
        people=people,
        parts=_presence(lake, ANY_PART, until, merges, only),
        states=_states(until),
        facts=facts(until),
        dues=_dues(until, ids),
        values=_values(lake, until, [metric.key for metric in metrics]),
        key_users=_key_users(until),
        metrics=tuple(metric.key for metric in metrics),
        metric_signs={metric.key: SIGN.get(metric.direction, 0) for metric in metrics},
        seasons=seasons,
    )


def tier_places() -> dict[int, int]:
    """Place of each tier in tables, by its id; see `queries.settings.base_rates_by_place`."""
    return {
        pk: place
        for place, pk in enumerate(Tier.objects.order_by("pk").values_list("pk", flat=True))
    }


def _dues(until: date, ids: Ints) -> Dues:
    found = dues(until)
    return found.taken(np.isin(found.account, ids))


def _of_part(
    lake: Lake,
    table: str,
    where: Sequence[Condition],
    *,
    columns: list[str],
    merges: Sequence[Joined],
    only: Between | None,
) -> pa.Table:
    """Rows of these customers, and of those that have become part of one of them."""
    if only is None:
        return lake.read(table, where=where, columns=columns)
    first, end = only
    mine = [*where, ("customer_id", ">=", first), ("customer_id", "<", end)]
    rows = lake.read(table, where=mine, columns=columns)
    joined_in = sorted(
        {pair.gone for pair in merges if first <= pair.kept < end and not first <= pair.gone < end}
    )
    if not joined_in:
        return rows
    more = lake.read(table, where=[*where, ("customer_id", "in", joined_in)], columns=columns)
    return pa.concat_tables([rows, more])


def _customers(only: Between | None = None) -> tuple[Ints, Ints]:
    every = Customer.objects.order_by("pk")
    if only is not None:
        every = every.filter(pk__gte=only[0], pk__lt=only[1])
    rows = list(every.values_list("pk", "industry"))
    ids = np.array([pk for pk, _ in rows], np.int64)
    names, place, count = np.unique(
        np.array([name for _, name in rows], dtype=np.str_), return_inverse=True, return_counts=True
    )
    large = (count >= INDUSTRY_CUSTOMERS) & (names != "")
    season = np.where(large, np.cumsum(large) - 1, -1)
    return ids, season[place] if len(ids) else np.zeros(0, np.int64)


def _events(lake: Lake, until: date, merges: Sequence[Joined], only: Between | None = None) -> Use:
    rows = _of_part(
        lake,
        "daily",
        [("measure", "=", ANY_USE.key), ("day", "<", until), ("known_day", "<", until)],
        columns=["customer_id", "day", "known_day", "n"],
        merges=merges,
        only=only,
    )
    account, day, known, count = (rows[name].to_numpy() for name in rows.column_names)
    made = Use.of(account=account, day=day, known=known, events=count, users=0.0)
    for pair in merges:
        part = made.taken(made.account == pair.gone)
        if len(part):
            made = made.and_(
                Use.of(
                    account=pair.kept,
                    day=part.day,
                    known=np.maximum(part.known, _day(pair.known_on)),
                    events=part.events,
                    users=part.users,
                )
            )
    return made


def _presence(
    lake: Lake,
    need: MeasureNeed,
    until: date,
    merges: Sequence[Joined],
    only: Between | None = None,
) -> Presence:
    rows = _of_part(
        lake,
        "presence",
        [("measure", "=", need.key), ("month", "<", until), ("known_day", "<", until)],
        columns=["customer_id", "month", "key", "known_day", "days"],
        merges=merges,
        only=only,
    )
    account, month, key, known, bits = (rows[name].to_numpy() for name in rows.column_names)
    made = Presence.of(account=account, month=month, key=key, known=known, bits=bits)
    for pair in merges:
        part = made.taken(made.account == pair.gone)
        if len(part):
            since = _day(pair.known_on)
            made = made.and_(
                Presence.of(
                    account=pair.kept,
                    month=part.month,
                    key=part.key,
                    known=np.where(part.known == ON_TIME, since, np.maximum(part.known, since)),
                    bits=part.bits,
                )
            )
    return made


def _states(until: date) -> States:
    """Seats, tier and start as they became known; a value that was taken back is unknown again."""
    fields = {"seats": "seats", "tier_id": "tier", "started_on": "started"}
    tiers = tier_places()
    rows = FieldChange.objects.filter(field__in=fields, known_at__lt=start_of(until))
    account, field, known, value = [], [], [], []
    for customer_id, name, said, at in rows.order_by("known_at", "pk").values_list(
        "customer_id", "field", "value", "known_at"
    ):
        account.append(customer_id)
        field.append(STATES.index(fields[name]))
        known.append(day_of(at))
        value.append(_number(name, said, tiers))
    return States.of(account=account, field=field, known=known, value=value)


def _number(name: str, said: Any, tiers: dict[int, int]) -> float:
    if said is None:
        return float("nan")
    if name == "tier_id":
        return float(tiers.get(int(said), -1))
    if name == "started_on":
        return float((date.fromisoformat(said) - date(1970, 1, 1)).days)
    return float(said)


def _own_metrics() -> list[Metric]:
    """What the company defined itself: the metrics of a new deployment say what FEATURES says."""
    shipped = {row[0] for row in DEFAULT_METRICS}
    rows = Metric.objects.filter(retired_at__isnull=True).order_by("position", "key")
    return [metric for metric in rows if metric.key not in shipped]


def _values(lake: Lake, until: date, keys: Sequence[str]) -> Values:
    """One run a week, the newest ones included: a value is good for a month."""
    days = [day for day in judged_days(lake) if day < until] if keys else []
    newest = days[-1:]
    chosen, last = [], None
    for day in reversed(days):
        if last is None or (last - day).days >= WEEK:
            chosen.append(day)
            last = day
    if not keys or not chosen:
        return Values.none()
    rows = lake.read(
        "metric_values",
        where=[("as_of", "in", sorted({*chosen, *newest})), ("metric", "in", list(keys))],
        columns=["customer_id", "metric", "as_of", "value"],
    )
    place = {key: number for number, key in enumerate(keys)}
    metric = np.array([place[key] for key in rows["metric"].to_pylist()], np.int64)
    value = np.asarray(rows["value"].to_numpy(zero_copy_only=False), np.float64)
    return Values.of(
        account=rows["customer_id"].to_numpy(),
        metric=metric,
        day=rows["as_of"].to_numpy(),
        value=value,
    )


def _key_users(until: date) -> KeyUsers:
    """Deciders and champions whose user of the product is known."""
    found = [row for row in key_users(until) if row[2] < until]
    return KeyUsers.of(
        account=[row[0] for row in found],
        user=[hash64(row[1]) for row in found],
        known=[row[2] for row in found],
        until=_days([None if row[3] is None or row[3] >= until else row[3] for row in found]),
    )


def _day(day: date) -> np.datetime64:
    return np.datetime64(day, "D")


def _days(days: Sequence[date | None]) -> Days:
    return np.array([NEVER if day is None else day for day in days], dtype="datetime64[D]")
