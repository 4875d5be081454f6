"""What moved since a judged day, and why: the data, the rules, or a person's word."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from heapq import nsmallest
from typing import Any

import msgspec
import numpy as np

from gengyun.health.calc import commercial, manual
from gengyun.health.calc.diff import Difference, diff
from gengyun.health.calc.score import Card, Explanation, score
from gengyun.health.models import HealthScore, ScorecardVersion
from gengyun.health.queries.cards import config_of, metric_infos
from gengyun.health.queries.opinions import said_since
from gengyun.health.queries.scores import newest_judged, read_scores
from gengyun.kernel.days import start_of
from gengyun.lake.store import Lake
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.today import in_scope
from gengyun.team.models import User
from gengyun.usage.queries.metrics import values_as_of

BANDS = "ABCDN"
SINCE = {"week": 7, "month": 28, "quarter": 91}
LISTED = 10
LEAST_MOVE = 1.0  # points; less is no news
CHUNK = 500  # keys bound to one query


@dataclass(frozen=True)
class Move:
    """One customer whose score moved, and why."""

    summary: CustomerSummary
    change: float
    was: float
    was_band: str
    # with the rules of then, where other rules judge now: what the data did
    difference: Difference | None
    rules_change: float | None = None  # what new rules did; None: the same rules


@dataclass
class Moves:
    """What moved between two judged days; no day before: `since` is None."""

    as_of: date | None = None
    since: date | None = None
    down: list[Move] = field(default_factory=list)
    up: list[Move] = field(default_factory=list)
    down_count: int = 0
    up_count: int = 0
    # (band before, band now) -> customers
    flows: Mapping[tuple[str, str], int] = field(default_factory=dict)
    before: Mapping[str, int] = field(default_factory=dict)  # band -> customers of then
    worse_arr: int = 0  # ARR of the customers whose band fell

    def worse(self) -> int:
        return sum(n for (was, now), n in self.flows.items() if _is_worse(was, now))

    def better(self) -> int:
        return sum(n for (was, now), n in self.flows.items() if _is_worse(now, was))


def _is_worse(was: str, now: str) -> bool:
    return "N" not in (was, now) and BANDS.index(now) > BANDS.index(was)


def moves(
    actor: User,
    *,
    scope: str,
    since: str,
    by: str = "points",
    lake: Lake | None = None,
    most: int = LISTED,
) -> Moves:
    """The biggest moves since about a week, four weeks or a quarter ago.

    `by`: "points" by the size of the change, "arr" by the ARR of those that moved by 5 points and
    more. `most`: how many of each direction are told.
    """
    lake = lake or Lake.default()
    rows = in_scope(actor, scope).filter(as_of__isnull=False)
    as_of = rows.order_by("-as_of").values_list("as_of", flat=True).first()
    if as_of is None:
        return Moves()
    then = newest_judged(as_of - timedelta(days=SINCE[since]), lake=lake, within=6)
    if then is None:
        return Moves(as_of)
    now = band_scores(as_of, lake)
    visible = np.fromiter(rows.values_list("pk", flat=True), dtype=np.int64)
    now = _with_words_of_today(now.only(visible), as_of)
    old = band_scores(then, lake).aligned(now.ids)
    was_there = old.bands != ""
    flows = Counter(zip(old.bands[was_there], now.bands[was_there], strict=True))
    change = now.scores - old.scores  # NaN where one of the two is unknown
    worse = [
        int(pk)
        for pk, was, is_now in zip(now.ids[was_there], old.bands[was_there], now.bands[was_there],
                                   strict=True)
        if was != is_now and _is_worse(was, is_now)
    ]  # fmt: skip
    falls, rises = np.flatnonzero(change <= -LEAST_MOVE), np.flatnonzero(change >= LEAST_MOVE)
    found = Moves(
        as_of,
        then,
        down_count=len(falls),
        up_count=len(rises),
        flows=flows,
        before=Counter(old.bands[was_there].tolist()),
        worse_arr=sum(_arrs(worse).values()),
    )
    for name, places in (("down", falls), ("up", rises)):
        chosen = _biggest([(float(change[i]), int(now.ids[i]), int(i)) for i in places], by, most)
        olds = {pk: (float(old.scores[i]), str(old.bands[i])) for _, pk, i in chosen}
        setattr(found, name, _told([(c, pk) for c, pk, _ in chosen], then, olds, lake))
    return found


@dataclass(frozen=True)
class BandScores:
    """Of one judged day, in the order of the ids; NaN: no number, "": not judged."""

    ids: np.ndarray
    scores: np.ndarray
    bands: np.ndarray

    def only(self, wanted: np.ndarray) -> "BandScores":
        keep = np.isin(self.ids, wanted)
        return BandScores(self.ids[keep], self.scores[keep], self.bands[keep])

    def aligned(self, ids: np.ndarray) -> "BandScores":
        """The same customers as `ids`, in their order."""
        scores, bands = np.full(len(ids), np.nan), np.full(len(ids), "", dtype="U1")
        if len(self.ids):
            place = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
            known = self.ids[place] == ids
            scores[known], bands[known] = self.scores[place[known]], self.bands[place[known]]
        return BandScores(ids, scores, bands)


def band_scores(day: date, lake: Lake) -> BandScores:
    rows = read_scores(day, ["customer_id", "score", "band"], lake=lake)
    ids = rows["customer_id"].to_numpy()
    order = np.argsort(ids, kind="stable")
    bands = np.array(rows["band"].to_pylist(), dtype="U1")
    return BandScores(ids[order], rows["score"].to_numpy()[order], bands[order])


def _with_words_of_today(now: BandScores, as_of: date) -> BandScores:
    """What people said since the day began stands on the pages already."""
    said = said_since(start_of(as_of))
    if said:
        scores, bands = now.scores.copy(), now.bands.copy()
        live = HealthScore.objects.filter(pk__in=said).values_list("pk", "score", "band")
        for pk, value, band in live:
            place = np.flatnonzero(now.ids == pk)
            scores[place], bands[place] = np.nan if value is None else value, band
        return BandScores(now.ids, scores, bands)
    return now


def _arrs(ids: Collection[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    wanted = list(ids)
    for start in range(0, len(wanted), CHUNK):
        part = CustomerSummary.objects.filter(pk__in=wanted[start : start + CHUNK])
        found.update((pk, arr or 0) for pk, arr in part.values_list("pk", "arr_minor"))
    return found


def _biggest(
    changes: Collection[tuple[float, int, int]], by: str, most: int
) -> list[tuple[float, int, int]]:
    if by == "arr":
        changes = [change for change in changes if abs(change[0]) >= 5]
        arrs = _arrs([pk for _, pk, _ in changes])
        return sorted(changes, key=lambda c: (-arrs[c[1]], -abs(c[0]), c[1]))[:most]
    return nsmallest(most, changes, key=lambda c: (-abs(c[0]), c[1]))


def _told(
    changes: Collection[tuple[float, int]],
    then: date,
    old: Mapping[int, tuple[float | None, str]],
    lake: Lake,
) -> list[Move]:
    """With names, and with the factors that moved them."""
    ids = [pk for _, pk in changes]
    summaries = CustomerSummary.objects.select_related("owner", "tier").in_bulk(ids)
    scores = HealthScore.objects.in_bulk(ids)
    texts = lake.read(
        "health_scores",
        where=[("as_of", "=", then), ("customer_id", "in", ids)],
        columns=["customer_id", "explanation"],
    )
    before = dict(
        zip(texts["customer_id"].to_pylist(), texts["explanation"].to_pylist(), strict=True)
    )
    by_old_rules = _by_old_rules(
        [row for row in scores.values() if row.pk in before],
        {pk: msgspec.json.decode(text)["version_id"] for pk, text in before.items()},
        lake,
    )
    found = []
    for change, pk in changes:
        now: Mapping[str, Any] | None = scores[pk].explanation if pk in scores else None
        told, rules = None, None
        if now is not None and pk in before:
            then_told = msgspec.json.decode(before[pk])
            old_rules = by_old_rules.get(pk)
            told = diff(then_told, old_rules or now)
            if old_rules and old_rules["score"] is not None and now["score"] is not None:
                rules = now["score"] - old_rules["score"]
        was, was_band = old[pk]
        found.append(Move(summaries[pk], change, was or 0.0, was_band, told, rules))
    return found


def _by_old_rules(
    rows: Collection[HealthScore], versions: Mapping[int, int], lake: Lake
) -> dict[int, Explanation]:
    """Today's data judged by the rules of then, for those whose rules changed in between.

    What the data did and what the rules did then add up to the whole change.
    """
    changed = [row for row in rows if versions[row.pk] != row.version_id]
    if not changed:
        return {}
    ids = [row.pk for row in changed]
    inputs = values_as_of(changed[0].as_of, customer_ids=ids, lake=lake)
    configs = {
        version.pk: config_of(version)
        for version in ScorecardVersion.objects.filter(pk__in={versions[pk] for pk in ids})
    }
    infos = metric_infos()
    found = {}
    for row in changed:
        # what people said and contracts: taken as today's explanation read them
        said = {
            part["metric"]: part["value"]
            for group in row.explanation["groups"]
            for part in group["factors"]
            if part["metric"] in manual.KEYS | commercial.KEYS
        }
        found[row.pk] = score(
            configs[versions[row.pk]],
            {**inputs.get(row.pk, {}), **said},
            None,
            as_of=row.as_of,
            card=Card(versions[row.pk], 0, "", ""),
            infos=infos,
            override=row.explanation.get("override"),
        )
    return found
