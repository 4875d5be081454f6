"""Judging every customer as of a day: choose the scorecard, score, explain, keep.

Everything that goes in is what was known before the day: values of metrics, tier, the version of
the scorecard, the last band. The history goes to the lake; `HealthScore` holds the newest judged
day only, and a back-dated run never overwrites it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from django.db import transaction
from django.db.models import Max, Q

from gengyun.customers.models import Customer
from gengyun.customers.queries.as_of import field_values
from gengyun.health.actions.live import refresh_live
from gengyun.health.actions.peers import frozen_curves
from gengyun.health.calc.diff import slim
from gengyun.health.calc.score import MetricInfo, Previous, missing_of, score
from gengyun.health.calc.trend import trend
from gengyun.health.models import HealthOverride, HealthScore, Sentiment
from gengyun.health.queries.cards import (
    CardInForce,
    card_for,
    cards_in_force,
    metric_infos,
    stage_keys,
)
from gengyun.health.queries.commercial import Inputs, commercial_inputs
from gengyun.health.queries.opinions import (
    manual_inputs,
    override_part,
    overrides_as_of,
    said_since,
    sentiments_as_of,
)
from gengyun.health.queries.peers import PeerCurves
from gengyun.health.queries.scores import (
    judged_days,
    newest_judged,
    previous_of,
    read_scores,
    slots,
)
from gengyun.kernel.days import start_of
from gengyun.kernel.errors import Refusal
from gengyun.kernel.rows import put
from gengyun.lake import tables
from gengyun.lake.store import Lake
from gengyun.usage.queries.metrics import values_as_of

HISTORY_WEEKS = 26
CHUNK = 2_000
NEWEST_FIELDS = [
    "as_of",
    "version",
    "score",
    "raw_score",
    "band",
    "coverage",
    "trend",
    "explanation",
    "history",
    "week_ago",
    "marks",
    "missing",
    "is_overridden",
    "computed_at",
]
Report = Callable[[int, int], None]


class NoScorecard(Refusal):
    code = "no_scorecard"
    message = "There is no scorecard in force on %(day)s that fits every customer."


@dataclass(frozen=True)
class Judged:
    """What came of a judged day."""

    as_of: date
    customers: int
    with_number: int
    is_newest: bool


@dataclass
class _Context:
    """What the judgement of a day needs beside the values of metrics."""

    as_of: date
    cards: list[CardInForce]
    infos: Mapping[str, MetricInfo]
    tiers: Mapping[int, Any]
    stages: Mapping[int, str]  # Stage.key
    peers: PeerCurves
    sentiments: Mapping[int, Sentiment]
    overrides: Mapping[int, HealthOverride]
    previous: Mapping[int, Previous]
    commercial: Inputs
    lines: "_Lines"


class _Lines:
    """The weekly scores of all customers before the day, as one matrix."""

    def __init__(self, lake: Lake, as_of: date, customer_ids: Sequence[int]) -> None:
        self.ids = np.array(sorted(customer_ids), dtype=np.int64)
        found = slots(as_of, HISTORY_WEEKS, [day for day in judged_days(lake) if day < as_of])
        self.days = [day or end for end, day in found[:-1]]  # the last slot is the day itself
        self.scores = np.full((len(self.ids), len(self.days)), np.nan)
        self.versions = np.zeros((len(self.ids), len(self.days)), dtype=np.int64)
        columns = ["customer_id", "score", "version_id"]
        for column, (_, day) in enumerate(found[:-1]):
            if day is not None:
                self._fill(column, read_scores(day, columns, lake=lake))

    def _fill(self, column: int, rows: pa.Table) -> None:
        ids = rows["customer_id"].to_numpy()
        place = np.searchsorted(self.ids, ids)
        place[place == len(self.ids)] = 0
        known = self.ids[place] == ids if len(self.ids) else np.zeros(len(ids), dtype=bool)
        self.scores[place[known], column] = rows["score"].to_numpy()[known]
        self.versions[place[known], column] = rows["version_id"].to_numpy()[known]

    def of(self, customer_id: int) -> list[tuple[date, float | None]]:
        row = self.scores[int(np.searchsorted(self.ids, customer_id))].tolist()
        return [
            (day, None if value != value else value)  # noqa: PLR0124 - NaN stands for unknown
            for day, value in zip(self.days, row, strict=True)
        ]

    def marks(self, customer_id: int, as_of: date, version_id: int) -> list[list[Any]]:
        """[[ISO day, version]] wherever another version judged than the week before."""
        row = self.versions[int(np.searchsorted(self.ids, customer_id))].tolist()
        line = [(d, v) for d, v in zip(self.days, row, strict=True) if v]
        line.append((as_of, version_id))
        return [[day.isoformat(), now] for (_, was), (day, now) in pairwise(line) if was != now]


def judge(
    as_of: date, *, now: datetime, lake: Lake | None = None, report: Report | None = None
) -> Judged:
    """Score all customers known by then; run twice, nothing changes."""
    lake = lake or Lake.default()
    ids = list(_known_customers(as_of))
    context = _context(as_of, lake, ids, now)
    values = values_as_of(as_of, lake=lake)
    # chunks go to Arrow at once: as Python objects 100,000 explanations would take gigabytes
    chunks: list[pa.Table] = []
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        chunks.append(_arrow([_judge_one(pk, values.pop(pk, {}), context) for pk in part]))
        if report:
            report(start + len(part), 2 * len(ids))
    whole = pa.concat_tables(chunks) if chunks else _arrow([])
    lake.replace_partition("health_scores", "as_of", as_of, whole)
    newest = HealthScore.objects.aggregate(newest=Max("as_of"))["newest"]
    is_newest = newest is None or as_of >= newest
    if is_newest:
        _write_newest(chunks, context, lake, now, report)
        # the day shows what was known before it, the pages also what was said since
        refresh_live(said_since(start_of(as_of)), now=now, lake=lake)
    with_number = whole.num_rows - whole["score"].null_count
    return Judged(as_of, whole.num_rows, with_number, is_newest)


def _known_customers(as_of: date) -> Iterator[int]:
    """Customers we knew of before the day and had not put into the archive by then."""
    start = start_of(as_of)
    known = Customer.objects.filter(known_at__lt=start)
    present = known.filter(Q(archived_at__isnull=True) | Q(archived_at__gte=start))
    return present.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=10_000)


def _context(as_of: date, lake: Lake, ids: Sequence[int], now: datetime) -> _Context:
    cards = cards_in_force(as_of)
    if not any(card.is_for_all for card in cards):
        raise NoScorecard(day=as_of.isoformat())
    fields = field_values(fields=("tier_id", "stage_id"), as_of=as_of)
    keys = stage_keys()
    return _Context(
        as_of=as_of,
        cards=cards,
        infos=metric_infos(),
        tiers=fields["tier_id"],
        stages={pk: keys[stage] for pk, stage in fields["stage_id"].items() if stage in keys},
        peers=frozen_curves([card.config for card in cards], as_of, lake=lake, now=now),
        sentiments=sentiments_as_of(as_of),
        overrides=overrides_as_of(as_of),
        previous=previous_of(as_of, lake, cards),
        commercial=commercial_inputs(as_of, _metrics(cards)),
        lines=_Lines(lake, as_of, ids),
    )


def _metrics(cards: Sequence[CardInForce]) -> set[str]:
    return {metric for card in cards for metric in card.config.metrics()}


def _judge_one(
    customer_id: int, values: Mapping[str, float | None], context: _Context
) -> tuple[Any, ...]:
    """One row of the lake table, in the order of its columns."""
    tier_id, stage_key = context.tiers.get(customer_id), context.stages.get(customer_id)
    card = card_for(context.cards, tier_id, stage_key)
    assert card is not None  # noqa: S101 - _context refused a day without a card for everyone
    found = score(
        card.config,
        {
            **values,
            **context.commercial.get(customer_id, {}),
            **manual_inputs(context.sentiments, customer_id),
        },
        context.previous.get(customer_id),
        as_of=context.as_of,
        card=card.card,
        infos=context.infos,
        peers=context.peers.of(card.config, card.card.version_id, tier_id, stage_key),
        override=override_part(context.overrides.get(customer_id)),
    )
    history = [*context.lines.of(customer_id)[-8:], (context.as_of, found["score"])]
    return (
        context.as_of,
        customer_id,
        card.card.version_id,
        found["score"],
        found["raw_score"],
        found["band"],
        found["coverage"],
        trend(history, context.as_of),
        msgspec.json.encode(found),
    )


def _arrow(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in tables.HEALTH_SCORES]
    arrays = [
        pa.array(column, type=field.type)
        for column, field in zip(columns, tables.HEALTH_SCORES, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=tables.HEALTH_SCORES)


def _write_newest(
    chunks: Sequence[pa.Table],
    context: _Context,
    lake: Lake,
    now: datetime,
    report: Report | None,
) -> None:
    """Bring `HealthScore` to this day, in short transactions; repeated, it ends the same."""
    week_ago = _WeekAgo(lake, context.as_of)
    total = done = sum(chunk.num_rows for chunk in chunks)
    for chunk in chunks:
        rows = zip(*(column.to_pylist() for column in chunk.columns), strict=True)
        with transaction.atomic():
            put([_newest_row(row, context, week_ago, now) for row in rows], NEWEST_FIELDS)
        done += chunk.num_rows
        if report:
            report(done, 2 * total)
    # customers that are no longer judged (archived) have no score of today
    HealthScore.objects.exclude(as_of=context.as_of).delete()


class _WeekAgo:
    """Explanations of the judged day about a week before, found by customer."""

    def __init__(self, lake: Lake, as_of: date) -> None:
        day = newest_judged(as_of - timedelta(days=7), lake=lake, within=6)
        self.place: dict[int, int] = {}
        if day is not None:
            rows = read_scores(day, ["customer_id", "explanation"], lake=lake)
            self.place = {pk: i for i, pk in enumerate(rows["customer_id"].to_pylist())}
            self.texts = rows["explanation"]

    def of(self, customer_id: int) -> msgspec.Raw | None:
        place = self.place.get(customer_id)
        if place is None:
            return None
        kept = slim(msgspec.json.decode(self.texts[place].as_py()))
        return msgspec.Raw(msgspec.json.encode(kept))


def _newest_row(
    row: tuple[Any, ...], context: _Context, week_ago: _WeekAgo, now: datetime
) -> HealthScore:
    as_of, customer_id, version_id, value, raw, band, coverage, arrow, text = row
    line = [*context.lines.of(customer_id), (as_of, value)]
    first = next((i for i, (_, number) in enumerate(line) if number is not None), len(line) - 1)
    explanation = msgspec.json.decode(text)
    return HealthScore(
        customer_id=customer_id,
        as_of=as_of,
        version_id=version_id,
        score=value,
        raw_score=raw,
        band=band,
        coverage=coverage,
        trend=arrow,
        explanation=msgspec.Raw(text),  # as it was written: taking it apart and together is work
        history=[[day.isoformat(), number] for day, number in line[first:]],
        week_ago=week_ago.of(customer_id),
        marks=context.lines.marks(customer_id, as_of, version_id),
        missing=missing_of(explanation),
        is_overridden=explanation["override"] is not None,
        computed_at=now,
    )
