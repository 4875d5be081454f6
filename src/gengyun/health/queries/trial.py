"""A configuration tried on past days, beside what is published: nothing is written.

Every past day is scored from the values that its own run wrote, with the tiers, stages and
sentiments known then; overrides are left out. Both configurations keep a band line of their own.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import Q

from gengyun.customers.models import Customer
from gengyun.customers.queries.as_of import field_values
from gengyun.health.calc import commercial, manual, silence
from gengyun.health.calc import peers as peer_calc
from gengyun.health.calc.config import Config
from gengyun.health.calc.diff import diff, movers
from gengyun.health.calc.evaluate import auc
from gengyun.health.calc.score import Card, Explanation, Previous, score
from gengyun.health.models import Scorecard
from gengyun.health.queries.cards import (
    CardInForce,
    card_for,
    cards_in_force,
    config_of,
    metric_infos,
    order_in_force,
    stage_keys,
    version_in_force,
)
from gengyun.health.queries.commercial import commercial_inputs
from gengyun.health.queries.opinions import manual_inputs, sentiments_as_of
from gengyun.health.queries.peers import PeerCurves, peer_curves
from gengyun.health.queries.scores import carried, slots
from gengyun.health.queries.trial_values import PastValues, Values
from gengyun.kernel.days import start_of
from gengyun.lake.store import Lake
from gengyun.usage.queries.metrics import judged_days

IDLE = "days_since_active"
MOST_CUSTOMERS = 2_000  # more are sampled, always the same ones; the result says so
LISTED = 200
BANDS = "ABCDN"
Report = Callable[[int, int], None]


@dataclass
class _Line:
    """What one configuration said of one customer, week by week."""

    weeks: list[silence.Week] = field(default_factory=list)
    scores: list[float | None] = field(default_factory=list)
    last: Explanation | None = None

    def add(self, found: Explanation, day: date, idle: float | None) -> None:
        self.weeks.append(silence.Week(day, idle, found["band"]))
        self.scores.append(found["score"])
        self.last = found


@dataclass
class _Trial:
    scorecard: Scorecard
    new: Config
    lake: Lake
    today: date
    infos: Mapping[str, Any] = field(default_factory=metric_infos)
    before: dict[int, _Line] = field(default_factory=lambda: defaultdict(_Line))
    after: dict[int, _Line] = field(default_factory=lambda: defaultdict(_Line))
    # factor key -> [(score or None, customer, week number)]
    parts: dict[str, list[tuple[float | None, int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    by_week: list[dict[str, Any]] = field(default_factory=list)
    _peers: dict[date, PeerCurves] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.keys = stage_keys()
        in_force = {card.scorecard_id: card for card in cards_in_force(self.today)}
        version = version_in_force(self.scorecard, self.today)
        self.target = CardInForce(
            Card(0, 0, self.scorecard.name_zh, self.scorecard.name_en),
            self.new,
            self.scorecard.pk,
            frozenset(self.scorecard.tier_ids),
            frozenset(self.scorecard.stage_keys),
        )
        self.old = config_of(version) if version else None
        # the present order with this card in its place; the others as they stand
        self.order: list[CardInForce] = []
        for entry in order_in_force(self.today):
            if entry["card"] == self.scorecard.pk:
                self.order.append(self.target)
            elif entry["card"] in in_force:
                self.order.append(in_force[entry["card"]])
        self.others = [card for card in self.order if card is not self.target]

    def peers_of(self, day: date) -> PeerCurves:
        """Once per quarter; the same for all configurations that take part."""
        quarter = peer_calc.quarter_of(day)
        if quarter not in self._peers:
            configs = [card.config for card in self.order] + ([self.old] if self.old else [])
            self._peers[quarter] = peer_curves(configs, day, lake=self.lake)
        return self._peers[quarter]

    def metrics(self) -> set[str]:
        """Everything that one of the configurations, or the finding of silence, reads."""
        return self._read() - manual.KEYS - commercial.KEYS

    def _read(self) -> set[str]:
        configs = [card.config for card in self.order] + ([self.old] if self.old else [])
        return {IDLE}.union(*(config.metrics() for config in configs))

    def week(self, day: date, values: Values, wanted: set[int] | None) -> None:
        fields = field_values(fields=("tier_id", "stage_id"), as_of=day)
        sentiments = sentiments_as_of(day)
        paid = commercial_inputs(day, self._read(), customer_ids=wanted)
        start = start_of(day)
        known = Customer.objects.filter(known_at__lt=start).filter(
            Q(archived_at__isnull=True) | Q(archived_at__gte=start)
        )
        counts = {"before": Counter[str](), "after": Counter[str]()}
        for pk in known.order_by("pk").values_list("pk", flat=True):
            if wanted is not None and pk not in wanted:
                continue
            tier, stage = fields["tier_id"].get(pk), self.keys.get(fields["stage_id"].get(pk))
            if card_for(self.order, tier, stage) is not self.target:
                continue
            inputs = {
                **values.get(pk, {}),
                **paid.get(pk, {}),
                **manual_inputs(sentiments, pk),
            }
            self._one(pk, day, inputs, (tier, stage), counts)
        self.by_week.append(
            {"day": day.isoformat()}
            | {name: [found[band] for band in BANDS] for name, found in counts.items()}
        )

    def _one(
        self,
        pk: int,
        day: date,
        inputs: Mapping[str, float | None],
        place: tuple[int | None, str | None],
        counts: Mapping[str, Counter[str]],
    ) -> None:
        other = None if self.old else card_for(self.others, *place)
        old = self.old or (other.config if other else None)
        idle = inputs.get(IDLE)
        for name, config, lines in (("before", old, self.before), ("after", self.new, self.after)):
            if config is None:
                continue
            found = self._score(config, lines[pk].last, day, inputs, place)
            lines[pk].add(found, day, idle)
            counts[name][found["band"]] += 1
        last = self.after[pk].last
        for group in last["groups"] if last else ():
            for part in group["factors"]:
                live = part["score"] if part["source"] in {"live", "carried"} else None
                self.parts[part["key"]].append((live, pk, len(self.after[pk].weeks) - 1))

    def _score(
        self,
        config: Config,
        last: Explanation | None,
        day: date,
        inputs: Mapping[str, float | None],
        place: tuple[int | None, str | None],
    ) -> Explanation:
        previous = Previous(last["band"], carried(last)) if last else None
        return score(
            config,
            inputs,
            previous,
            as_of=day,
            card=self.target.card,
            infos=self.infos,
            peers=self.peers_of(day).of(config, id(config), *place),
        )


def try_on_history(
    scorecard: Scorecard,
    config: Config,
    *,
    weeks: int,
    today: date,
    lake: Lake | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """The result as JSON: distribution, movers, silence found and false alarms, per factor.

    Keys: days, customers, total, by_week, newest, silence, auc, factors; see the parts below.
    Customers are ids: whoever shows them looks up the names of those the reader may see.
    """
    lake = lake or Lake.default()
    all_days = [day for day in judged_days(lake) if day <= today]
    found = slots(max(all_days, default=today), weeks, all_days)
    days = [day for _, day in found if day is not None]
    trial = _Trial(scorecard, config, lake, today)
    wanted = _sample()
    past = PastValues(days, sorted(trial.metrics()), wanted, lake)
    for place, day in enumerate(days, start=1):
        trial.week(day, past.on(day), wanted)
        if report:
            report(place, len(days))
    return {
        "days": [day.isoformat() for day in days],
        "customers": len(trial.after),
        "is_sample": wanted is not None,
        "has_before": bool(trial.before),
        "by_week": trial.by_week,
        "newest": _newest(trial, days[-1] if days else None),
        **_silence(trial, days),
    }


def _sample() -> set[int] | None:
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    if len(ids) <= MOST_CUSTOMERS:
        return None
    return set(random.Random(7).sample(ids, MOST_CUSTOMERS))  # noqa: S311 - no secret: a sample


def _newest(trial: _Trial, day: date | None) -> dict[str, Any]:
    """Bands and movers of the last day: [{"customer", "before", "after", "causes"}]."""
    rows = []
    bands = {name: Counter[str]() for name in ("before", "after")}
    for pk, line in trial.after.items():
        new = line.last
        old = trial.before[pk].last if pk in trial.before else None
        if new is None or day is None or new["as_of"] != day.isoformat():
            continue
        bands["after"][new["band"]] += 1
        if old is None:
            continue
        bands["before"][old["band"]] += 1
        if old["band"] != new["band"]:
            rows.append(
                {
                    "customer": pk,
                    "before": [old["score"], old["band"]],
                    "after": [new["score"], new["band"]],
                    "causes": movers(diff(old, new), most=2),
                }
            )
    rows.sort(key=lambda row: -abs((row["after"][0] or 0) - (row["before"][0] or 0)))
    return {
        "bands": [[band, bands["before"][band], bands["after"][band]] for band in BANDS],
        "moved": len(rows),
        "rows": rows[:LISTED],
    }


def _silence(trial: _Trial, days: list[date]) -> dict[str, Any]:
    if not days or not any(w.idle_days is not None for x in trial.after.values() for w in x.weeks):
        return {"silence": None, "auc": None, "factors": _factors(trial, {})}
    sides = {"before": trial.before, "after": trial.after}
    outcomes = {
        name: {pk: silence.outcome(line.weeks) for pk, line in lines.items()}
        for name, lines in sides.items()
    }
    labels = _labels(trial, days[-1])
    tallies = {name: silence.tally(found) for name, found in outcomes.items()}
    return {
        "silence": {
            name: {
                "episodes": t.episodes,
                "caught": t.caught,
                "flagged": t.flagged,
                "false": t.false,
                "warned_days": t.warned_days,
            }
            for name, t in tallies.items()
        }
        | {"rows": _episodes(outcomes), "false_rows": _false(outcomes)},
        "auc": {name: _auc(lines, labels) for name, lines in sides.items()}
        | {"cases": sum(1 for x in labels.values() if x is not None), "silent": sum(
            1 for x in labels.values() if x
        )},
        "factors": _factors(trial, labels),
    }  # fmt: skip


def _labels(trial: _Trial, last: date) -> dict[tuple[int, int], bool | None]:
    """(customer, week number) -> silent later; weeks of known silence are not asked."""
    labels: dict[tuple[int, int], bool | None] = {}
    for pk, line in trial.after.items():
        known = silence.known_days([(week.day, week.idle_days) for week in line.weeks])
        for number, week in enumerate(line.weeks):
            if week.idle_days is not None and week.idle_days < silence.SILENT_DAYS:
                labels[pk, number] = silence.is_silent_later(week.day, known, last)
    return labels


def _auc(lines: Mapping[int, _Line], labels: Mapping[tuple[int, int], bool | None]) -> float | None:
    risks, happened = [], []
    for (pk, number), label in labels.items():
        line = lines.get(pk)
        value = line.scores[number] if line and number < len(line.scores) else None
        if label is not None and value is not None:
            risks.append(-value)
            happened.append(label)
    return auc(risks, happened)


def _factors(trial: _Trial, labels: Mapping[tuple[int, int], bool | None]) -> list[dict[str, Any]]:
    """Per factor: weight, share of weeks with data, and how well it alone ranks later silence."""
    found = []
    total = sum(group.weight for group in trial.new.groups)
    for group in trial.new.groups:
        inside = sum(factor.weight for factor in group.factors)
        for factor in group.factors:
            info = trial.infos.get(factor.metric)
            rows = trial.parts.get(factor.key, [])
            cases = [
                (-value, label)
                for value, pk, number in rows
                if value is not None and (label := labels.get((pk, number))) is not None
            ]
            found.append(
                {
                    "key": factor.key,
                    "name_zh": factor.name_zh or (info.name_zh if info else factor.metric),
                    "name_en": factor.name_en or (info.name_en if info else factor.metric),
                    "weight": group.weight / total * factor.weight / inside,
                    "coverage": (
                        sum(1 for value, _, _ in rows if value is not None) / len(rows)
                        if rows
                        else None
                    ),
                    "auc": auc([risk for risk, _ in cases], [label for _, label in cases]),
                    "cases": len(cases),
                }
            )
    return found


def _episodes(outcomes: Mapping[str, Mapping[int, silence.Outcome]]) -> list[dict[str, Any]]:
    """Each silence with how many days before it either configuration warned; newest first."""
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for name, found in outcomes.items():
        for pk, one in found.items():
            for episode in one.episodes:
                at = (pk, episode.known_on.isoformat())
                empty = {"customer": pk, "known_on": at[1], "before": None, "after": None}
                rows.setdefault(at, empty)[name] = episode.warned_days
    return sorted(rows.values(), key=lambda row: row["known_on"], reverse=True)[:LISTED]


def _false(outcomes: Mapping[str, Mapping[int, silence.Outcome]]) -> list[dict[str, Any]]:
    """Customers whom either configuration flagged in vain."""
    rows = []
    for pk in sorted({pk for found in outcomes.values() for pk in found}):
        sides = {name: pk in found and found[pk].is_false for name, found in outcomes.items()}
        if any(sides.values()):
            rows.append({"customer": pk, **sides})
    return rows[:LISTED]
