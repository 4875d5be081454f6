"""The day of all SOPs: who enters, who is woken by what became true, who reached the goal.

One pass over the customers answers every condition of every SOP and segment. Run twice on a day,
nothing changes; killed on the way, the next run repeats what was not finished.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef
from numpy.typing import NDArray

from gengyun.kernel import faults
from gengyun.portfolio.actions.following import Chunk, follow
from gengyun.portfolio.actions.segments import Following
from gengyun.portfolio.calc.expressions import (
    Changed,
    Expr,
    Held,
    StepIs,
    fingerprint,
    leaves_of,
)
from gengyun.portfolio.models import Watch
from gengyun.sop.actions import leases
from gengyun.sop.actions.entering import enter, retried, settle_retries
from gengyun.sop.calc.check import conditions_of
from gengyun.sop.calc.form import Form
from gengyun.sop.calc.turns import is_snapshot_day
from gengyun.sop.models import Run, Sop, SopVersion
from gengyun.sop.queries.forms import form_of
from gengyun.sop.queries.judging import Chance
from gengyun.sop.queries.turns import dated

Report = Callable[[int, int], None]
Ids = NDArray[np.int64]
LONGEST_WINDOW = timedelta(days=3_650)


@dataclass
class Plan:
    """What is asked of every customer, by name."""

    day: date
    entering: list[tuple[SopVersion, Form]] = field(default_factory=list)  # live
    forms: dict[int, Form] = field(default_factory=dict)  # of versions with runs, too
    followed: dict[str, Expr] = field(default_factory=dict)  # with "since when"
    asked: dict[str, Expr] = field(default_factory=dict)
    waiting: dict[tuple[int, str], str] = field(default_factory=dict)  # step -> name; "": any
    again: dict[int, Ids] = field(default_factory=dict)  # kept out for a time that is over

    def watch(self, version: SopVersion, form: Form, *, is_live: bool) -> None:
        """The entry of a published version; of a paused one only since when it holds."""
        if is_live:
            self.entering.append((version, form))
        when = form.entry.when
        if when is None:
            return
        if form.entry.kind == "condition":
            self.followed[f"entry:{version.pk}"] = when
            self.again[version.pk] = np.array(sorted(retried(version, day=self.day)), np.int64)
        elif form.entry.kind == "snapshot" and is_live:
            self.asked[f"entry:{version.pk}"] = when

    def remember(self, form: Form) -> None:
        """What some condition will want to know of the days before, from the first day on: a branch
        that asks "for 14 days" must not begin to count when the first run comes to it."""
        for _, expr in conditions_of(form):
            for leaf in leaves_of(expr):
                if isinstance(leaf, Held | Changed):
                    self.asked[f"watch:{fingerprint(leaf)}"] = leaf

    def ask(self, version: SopVersion, form: Form) -> None:
        """What ends or wakes the runs of a version."""
        self.forms[version.pk] = form
        for name, expr in (("goal", form.goal), ("exit", form.exit)):
            if expr is not None:
                self.asked[f"{name}:{version.pk}"] = expr
        if form.on_lost == "leave" and form.entry.when is not None:
            self.asked[f"lost:{version.pk}"] = form.entry.when
        for step in form.steps.values():
            until = step.wait.until if step.wait else None
            if until is None:
                continue
            # what asks for a step is known of the run alone: all that wait there are looked at
            of_run = any(isinstance(leaf, StepIs) for leaf in leaves_of(until))
            name = "" if of_run else f"until:{version.pk}:{step.key}"
            self.waiting[version.pk, step.key] = name
            if name:
                self.asked[name] = until


def evaluate(*, now: datetime, day: date, report: Report | None = None) -> Counter[str]:
    """Entry, goals, wake-ups and segments of a day; `step` then carries the runs on."""
    if Watch.objects.filter(followed_on__gt=day).exists():
        return Counter(skipped=1)  # a past day was judged again: it lets nobody in
    segments = Following(day)
    plan = plan_of(day)
    candidates: dict[int, list[Ids]] = defaultdict(list)
    done: Counter[str] = Counter()
    asked = {**plan.asked, **segments.exprs}
    for chunk in follow(plan.followed, day=day, asked=asked, report=report):
        for version, form in plan.entering:
            if (fitting := _fitting(plan, version, form, chunk)) is not None:
                candidates[version.pk].append(fitting)
        if len(chunk.ids):
            done += _woken(plan, chunk, now)
            done += _goals(plan, chunk)
        segments.take(chunk)
    segments.end()
    faults.point("sop.followed")
    chance: Chance | None = None
    for version, form in plan.entering:
        ids = np.concatenate(candidates[version.pk]) if candidates[version.pk] else _NOBODY
        found, marks = dated(version, form, day) if form.entry.kind == "date" else (ids, None)
        if len(found) and chance is None:
            chance = Chance.of_book()
        done += _enter(version, found, marks, chance, now=now, day=day)
    leases.forget(before=now - leases.KEPT)
    return done


_NOBODY: Ids = np.empty(0, dtype=np.int64)


def plan_of(day: date) -> Plan:
    plan = Plan(day)
    live = SopVersion.objects.filter(state=SopVersion.State.PUBLISHED).select_related("sop")
    for version in live.filter(sop__state__in=[Sop.State.LIVE, Sop.State.PAUSED]).order_by("pk"):
        form = form_of(version)
        plan.watch(version, form, is_live=version.sop.state == Sop.State.LIVE)
        plan.remember(form)
    of_version = Run.objects.filter(version=OuterRef("pk"))
    recent = of_version.filter(goal_on=None, entered_on__gte=day - LONGEST_WINDOW)
    versions = SopVersion.objects.filter(Exists(of_version.active()) | Exists(recent))
    for version in versions.order_by("pk"):
        plan.ask(version, form_of(version))
        plan.remember(form_of(version))
    return plan


def _fitting(plan: Plan, version: SopVersion, form: Form, chunk: Chunk) -> Ids | None:
    """Whose turn it is, among the customers of a chunk."""
    name, day = f"entry:{version.pk}", plan.day
    if form.entry.kind == "snapshot":
        is_day = is_snapshot_day(form.entry.every, day, version.evaluated_on)
        return chunk.ids[chunk.holds[name]] if is_day else None
    if form.entry.kind != "condition":
        return None
    if version.evaluated_on is None:
        return chunk.ids[chunk.holds[name]] if form.entry.backfill else None
    # true since the last look; a look that is repeated on the same day finds the same again
    last = min(version.evaluated_on, day - timedelta(days=1))
    if not form.entry.backfill and version.started_on is not None:
        last = max(last, version.started_on)
    fresh = chunk.holds[name] & (chunk.since[name] > last.toordinal())
    if len(plan.again[version.pk]):
        fresh = fresh | (chunk.holds[name] & np.isin(chunk.ids, plan.again[version.pk]))
    return chunk.ids[fresh]


@transaction.atomic
def _enter(
    version: SopVersion,
    ids: Ids,
    marks: dict[int, str] | None,
    chance: Chance | None,
    *,
    now: datetime,
    day: date,
) -> Counter[str]:
    """The runs, and the mark that the day was acted on, or neither."""
    again = retried(version, day=day)
    done: Counter[str] = Counter()
    if len(ids):
        done = enter(version, ids.tolist(), now=now, day=day, marks=marks, chance=chance)
    settle_retries(version, again, day=day)
    started = version.started_on or day
    SopVersion.objects.filter(pk=version.pk).update(evaluated_on=day, started_on=started)
    faults.point("sop.entered")
    return done


def _woken(plan: Plan, chunk: Chunk, now: datetime) -> Counter[str]:
    """Runs that end by what is true today, or wait for it, are looked at now."""
    if not plan.forms:
        return Counter()
    runs = (
        Run.objects.active()
        .treated()
        .filter(
            version__in=list(plan.forms),
            due_at__gt=now,
            customer_id__gte=int(chunk.ids[0]),
            customer_id__lte=int(chunk.ids[-1]),
        )
        .order_by()
    )
    wake: list[int] = []
    groups: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for pk, version_id, step_key, customer_id in runs.values_list(
        "pk", "version_id", "step_key", "customer_id"
    ):
        groups[version_id, step_key].append((pk, customer_id))
    for (version_id, step_key), found in groups.items():
        wake += _to_wake(plan, chunk, version_id, step_key, np.array(found, dtype=np.int64))
    for start in range(0, len(wake), 1_000):
        rows = Run.objects.active().filter(pk__in=wake[start : start + 1_000])
        rows.order_by().update(due_at=now)
    return Counter(woken=len(wake))


def _to_wake(plan: Plan, chunk: Chunk, version_id: int, step_key: str, rows: Ids) -> list[int]:
    place = np.searchsorted(chunk.ids, rows[:, 1])
    # a customer that is gone has no place; its run ends
    at = chunk.ids[np.minimum(place, len(chunk.ids) - 1)]
    here = at == rows[:, 1]
    found = ~here
    place = np.where(here, place, 0)
    for name in (f"goal:{version_id}", f"exit:{version_id}"):
        if name in chunk.holds:
            found = found | (here & chunk.holds[name][place])
    if (lost := f"lost:{version_id}") in chunk.holds:
        found = found | (here & ~chunk.holds[lost][place])
    until = plan.waiting.get((version_id, step_key))
    if until == "":
        found = np.ones(len(rows), dtype=np.bool_)
    elif until is not None:
        found = found | (here & chunk.holds[until][place])
    woken: list[int] = rows[found, 0].tolist()
    return woken


def _goals(plan: Plan, chunk: Chunk) -> Counter[str]:
    """The first day on which the goal held, in both arms and also after the end of a run, as long
    as its outcome is awaited: the effect counts it."""
    windows = {
        pk: form.outcome.window_days if form.outcome else 365
        for pk, form in plan.forms.items()
        if f"goal:{pk}" in chunk.holds and chunk.holds[f"goal:{pk}"].any()
    }
    if not windows:
        return Counter()
    rows = Run.objects.filter(
        version__in=list(windows),
        goal_on=None,
        entered_on__gte=plan.day - timedelta(days=max(windows.values())),
        customer_id__gte=int(chunk.ids[0]),
        customer_id__lte=int(chunk.ids[-1]),
    ).order_by()
    found = rows.values_list("pk", "version_id", "customer_id", "entered_on")
    table = np.array([(*ids, on.toordinal()) for *ids, on in found], np.int64).reshape(-1, 4)
    reached: list[int] = []
    for version_id, window in windows.items():
        mine = table[table[:, 1] == version_id]
        mine = mine[mine[:, 3] >= plan.day.toordinal() - window]
        those = chunk.ids[chunk.holds[f"goal:{version_id}"]]
        reached += mine[np.isin(mine[:, 2], those), 0].tolist()
    for start in range(0, len(reached), 1_000):
        Run.objects.filter(pk__in=reached[start : start + 1_000]).update(goal_on=plan.day)
    return Counter(goals=len(reached)) if reached else Counter()
