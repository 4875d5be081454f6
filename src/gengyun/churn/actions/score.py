"""The churn probability of everything that may be lost, as of a day, with frozen coefficients.

What goes in is what was known before the day; the model is the one that spoke then. All of it goes
to the lake under the model's id; `ChurnForecast` holds the newest day only, and a back-dated run
never overwrites it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from django.db import transaction
from django.db.models import Max

from gengyun.churn.calc.drivers import counterfactuals, drivers
from gengyun.churn.calc.grade import Standing
from gengyun.churn.calc.hazard import within
from gengyun.churn.calc.logistic import expit
from gengyun.churn.calc.model import Model, Prediction
from gengyun.churn.calc.reach import TOO_FAR, Judged, judged
from gengyun.churn.calc.table import Floats, Ints
from gengyun.churn.models import ChurnForecast, ChurnModel, Event
from gengyun.churn.queries.backtests import is_unproven
from gengyun.churn.queries.history import NO_RENEWAL, TABLE, Lines, weekly_lines
from gengyun.churn.queries.models import content_of, in_force
from gengyun.churn.queries.rows import Live, held
from gengyun.churn.queries.settings import current, event_of
from gengyun.kernel.outbox import emit
from gengyun.kernel.rows import insert
from gengyun.lake import tables
from gengyun.lake.store import Lake

CHUNK = 5_000
WRITTEN = 1_000  # rows of a transaction
HORIZONS = (30, 90, 180)
JSON_COLUMNS = ("drivers", "missing", "counterfactuals")
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Scored:
    """What came of a day. `model_id` None: nothing was there to learn from nor to say."""

    as_of: date
    event: str
    model_id: int | None
    rows: int
    with_number: int
    is_newest: bool


_Row = dict[str, Any]  # the columns of the lake table; lists are not JSON yet


def score_day(
    as_of: date,
    *,
    now: datetime,
    lake: Lake | None = None,
    live: Live | None = None,
    report: Report | None = None,
    tell: bool = False,
) -> Scored:
    """Score a day; run twice, nothing changes. `live`: its rows where they are there already.

    `tell`: announce it to those above, where it is not the night that brings them up to date.
    """
    lake = lake or Lake.default()
    settings = current()
    event = event_of(settings)
    row = in_force(event, as_of)
    rows: list[_Row] = []
    if row is not None:
        rows_of_day = live or held(as_of, settings=settings, lake=lake).live()
        model = content_of(row)
        standing = _standing(model, row, now)
        for start in range(0, len(rows_of_day.table), CHUNK):
            part = rows_of_day.taken(slice(start, start + CHUNK))
            rows += _said(part, model, row, standing, as_of=as_of)
            if report:
                report(len(rows), 2 * len(rows_of_day.table))
    lake.replace_partition(TABLE, "as_of", as_of, _arrow(rows))
    newest = ChurnForecast.objects.aggregate(newest=Max("as_of"))["newest"]
    is_newest = newest is None or as_of >= newest
    if is_newest:
        _write_newest(rows, as_of, lake=lake, now=now, tell=tell)
        if report:
            report(2 * len(rows), 2 * len(rows))
    with_number = sum(one["probability"] is not None for one in rows)
    return Scored(as_of, event, row.pk if row else None, len(rows), with_number, is_newest)


def _standing(model: Model, row: ChurnModel, now: datetime) -> Standing:
    notes = {note["key"] for note in row.metrics.get("notes", ())}
    return Standing(
        model.rung,
        row.events,
        has_signal="no_signal" not in notes,
        is_unproven=is_unproven(row.event, now),
    )


def _said(
    live: Live, model: Model, row: ChurnModel, standing: Standing, *, as_of: date
) -> list[_Row]:
    keys = [feature.key for feature in model.features]
    table = live.table.with_features(keys)
    said = model.predict(table)
    has_due = row.event == Event.NON_RENEWAL
    graded = judged(
        model,
        table.x,
        said.missing_share,
        said.high - said.low,
        lag=table.lag if has_due else None,
        standing=standing,
        data_age=live.data_age,
    )
    whys = drivers(keys, table.x, said.logit, said.contributions, live.raw)

    def predict(x: Floats, rows: Ints) -> Floats:
        return expit(model.logits(replace(table.taken(rows), x=x)))

    ifs = counterfactuals(keys, table.x, said.p, predict)
    early = {
        days: within(said.p, table.lag, live.monthly, days, period_months=live.period_months)
        for days in HORIZONS
    }
    if not has_due:
        early = dict.fromkeys(HORIZONS, np.full(len(table), np.nan))
    base = expit(said.base)
    return [
        _row(
            live,
            place,
            row,
            as_of=as_of,
            grade=graded[place],
            figures=_figures(said, base, place) if not graded[place].refused else {},
            early={f"p{days}": _number(p[place]) for days, p in early.items()},
            told={"drivers": whys[place], "counterfactuals": ifs[place]},
        )
        for place in range(len(table))
    ]


def _figures(said: Prediction, base: Floats, place: int) -> dict[str, float | None]:
    return {
        "probability": _number(said.p[place]),
        "low": _number(said.low[place]),
        "high": _number(said.high[place]),
        "base": _number(base[place]),
    }


def _row(
    live: Live,
    place: int,
    model: ChurnModel,
    *,
    as_of: date,
    grade: Judged,
    figures: dict[str, float | None],
    early: dict[str, float | None],
    told: dict[str, Any],
) -> _Row:
    table, due = live.table, live.table.due[place]
    has_due = model.event == Event.NON_RENEWAL and not np.isnat(due)
    # an end so far away says nothing of the next half year, in which only early ends count
    is_said = bool(figures) or grade.refused == TOO_FAR
    return {
        "as_of": as_of,
        "customer_id": int(table.account[place]),
        "renewal_id": int(live.renewal[place]) if live.renewal[place] > 0 else None,
        "event": model.event,
        "due_on": due.astype("datetime64[D]").item() if has_due else None,
        "lag_days": int(table.lag[place]) if has_due else None,
        **dict.fromkeys(("probability", "low", "high", "base")),
        **figures,
        **(early if is_said else dict.fromkeys(early)),
        "grade": grade.grade,
        "refused": grade.refused,
        "missing": grade.missing,
        **(told if figures else {key: [] for key in told}),
        "model_id": model.pk,
        "feature_hash": model.feature_hash,
        "amount_minor": (
            int(table.amount_minor[place]) if model.event == Event.NON_RENEWAL else None
        ),
        "currency": live.currency[place],
        "tier_id": live.tier_id[place],
    }


def _number(value: np.floating[Any]) -> float | None:
    return None if np.isnan(value) else float(value)


def _arrow(rows: Sequence[_Row]) -> pa.Table:
    schema = tables.CHURN_FORECASTS
    columns = {name: [row[name] for row in rows] for name in schema.names}
    for name in JSON_COLUMNS:
        columns[name] = [msgspec.json.encode(value).decode() for value in columns[name]]
    return pa.table(columns, schema=schema)


def _write_newest(
    rows: Sequence[_Row], as_of: date, *, lake: Lake, now: datetime, tell: bool
) -> None:
    """Bring `ChurnForecast` to this day, in short transactions; repeated, it ends the same."""
    lines = weekly_lines(as_of, lake=lake)
    for part in _by_customers(rows):
        customers = sorted({row["customer_id"] for row in part})
        renewals = [row["renewal_id"] for row in part if row["renewal_id"]]
        with transaction.atomic():
            ChurnForecast.objects.filter(customer_id__in=customers).delete()
            ChurnForecast.objects.filter(renewal_id__in=renewals).delete()
            insert([_newest_row(row, lines, now) for row in part])
            if tell:
                emit("churn.changed", {"customer_ids": customers}, now=now)
    with transaction.atomic():
        gone = ChurnForecast.objects.exclude(as_of=as_of, computed_at=now)
        left = sorted(set(gone.values_list("customer_id", flat=True)))
        gone.delete()
        if tell and left:
            emit("churn.changed", {"customer_ids": left}, now=now)


def _by_customers(rows: Sequence[_Row]) -> Iterator[list[_Row]]:
    """In parts that hold all rows of their customers."""
    ordered = sorted(rows, key=lambda row: (row["customer_id"], row["renewal_id"] or 0))
    part: list[_Row] = []
    for _, own in groupby(ordered, key=lambda row: int(row["customer_id"])):
        part += own
        if len(part) >= WRITTEN:
            yield part
            part = []
    if part:
        yield part


def _newest_row(row: _Row, lines: Lines, now: datetime) -> ChurnForecast:
    key = (row["customer_id"], row["renewal_id"] or NO_RENEWAL)
    today = [
        row["as_of"].isoformat(), row["probability"], row["low"], row["high"], row["model_id"]
    ]  # fmt: skip
    return ChurnForecast(**row, history=[*lines.of(key), today], computed_at=now)
