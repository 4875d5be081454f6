"""What an SOP would do, without doing it: who enters, who is held out, why others do not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from gengyun.kernel.days import company_zone, day_of
from gengyun.portfolio.calc.truth import Facts, truth
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.expressions import definitions_of, facts_of, to_q
from gengyun.sop.calc.check import Known, check, conditions_of
from gengyun.sop.calc.form import Form, Problem, Step, read
from gengyun.sop.calc.turns import is_snapshot_day
from gengyun.sop.calc.walk import Waiting, begin_wait, dates_of, day_of_ref
from gengyun.sop.models import Run, Sop, SopVersion
from gengyun.sop.queries.judging import Chance, Verdicts, judge
from gengyun.sop.queries.participants import Participant
from gengyun.sop.queries.reasons import failing, has_steps
from gengyun.sop.queries.turns import dated
from gengyun.team.models import User

SHOWN = 200  # participants by name; the counts are of all
EXPLAINED = 5_000  # customers outside whose first failing part is counted


@dataclass(frozen=True)
class Would:
    """One participant: `steps` until the first wait, in the order they would be done."""

    participant: Participant
    outcome: str  # enter, holdout, running, before, too_soon, other_sop, no_contact, ...
    told: dict[str, Any] = field(default_factory=dict)
    steps: list[tuple[str, str]] = field(default_factory=list)  # (step key, kind)
    until: datetime | None = None  # the first wait's end


@dataclass(frozen=True)
class DryRun:
    day: date
    problems: list[Problem]
    total: int = 0  # customers the actor sees
    counts: Counter[str] = field(default_factory=Counter)  # outcome -> participants
    rows: list[Would] = field(default_factory=list)
    fitting: int = 0  # customers that fulfil the entry
    outside: int = 0
    # (part of the entry, False or unknown) -> customers of whom it is the first that fails
    why_not: Counter[tuple[int, bool | None]] = field(default_factory=Counter)
    explained: int = 0  # of how many of the outsiders the reasons were counted
    first_day: Counter[str] = field(default_factory=Counter)  # kind of step -> how often


def dry_run(
    raw: Any, *, day: date, known: Known, actor: User | None = None, sop: Sop | None = None,
    shown: int = SHOWN,
) -> DryRun:  # fmt: skip
    """As if the form were published and evaluated on `day` for the first time, with the customers
    that the actor sees. A form with problems is judged as far as it can be read; nothing is
    written."""
    form, _ = read(raw)
    problems = check(raw, known)
    version = _as_if(raw, sop)
    visible = CustomerSummary.objects.visible_to(actor)
    ids = fitting_ids(version, form, day=day, actor=actor)
    # without backfill whoever is inside already stays out until it becomes true anew
    inside = ids if form.entry.kind == "condition" and not form.entry.backfill else []
    coming = [] if inside else ids
    verdicts = judge(version, form, coming, day=day, chance=Chance.of_book() if coming else None)
    counts = Counter("holdout" if arm == "holdout" else "enter" for _, arm, _ in verdicts.entering)
    counts.update(reason for _, reason, _, _ in verdicts.refused)
    if inside:
        counts["inside"] = len(inside)
    total = visible.count()
    outside, why_not, explained = total - len(ids), Counter[tuple[int, bool | None]](), 0
    if form.entry.when is not None and outside:
        rest = visible.exclude(to_q(form.entry.when, None, day)).order_by("pk")
        some = list(rest.values_list("pk", flat=True)[:EXPLAINED])
        why_not, explained = failing(form.entry.when, some, day=day), len(some)
    walked = _walked(form, verdicts, day)
    return DryRun(
        day=day, problems=problems, total=total, counts=counts,
        rows=list(_rows(verdicts, walked, shown)), fitting=len(ids), outside=outside,
        why_not=why_not, explained=explained,
        first_day=Counter(kind for steps, _ in walked.values() for _, kind in steps),
    )  # fmt: skip


def _as_if(raw: Any, sop: Sop | None) -> SopVersion:
    """The version that publishing would make: the same arms are drawn."""
    number = 1
    if sop is not None:
        newest = SopVersion.objects.filter(sop=sop).order_by("-number").first()
        if newest is not None:
            is_draft = newest.state == SopVersion.State.DRAFT
            number = newest.number if is_draft else newest.number + 1
    return SopVersion(sop=sop, number=number, form=raw, state=SopVersion.State.DRAFT)


def fitting_ids(
    version: SopVersion, form: Form, *, day: date, actor: User | None = None
) -> list[int]:
    """Customers whose turn it would be."""
    rows = CustomerSummary.objects.visible_to(actor).order_by("pk")
    if form.entry.kind == "date":
        found, _ = dated(version, form, day)
        seen = np.fromiter(rows.values_list("pk", flat=True), dtype=np.int64)
        return list(np.intersect1d(found, seen).tolist())
    if form.entry.when is None or has_steps(form.entry.when):
        return []
    if form.entry.kind not in {"condition", "snapshot"}:
        return []  # by an event, by hand: nobody's turn comes by itself
    if form.entry.kind == "snapshot" and not is_snapshot_day(form.entry.every, day, None):
        return []
    return list(rows.filter(to_q(form.entry.when, None, day)).values_list("pk", flat=True))


Walked = dict[str, tuple[list[tuple[str, str]], datetime | None]]


def _walked(form: Form, verdicts: Verdicts, day: date) -> Walked:
    """What each of those who enter would get at once, up to the first wait."""
    entering = [one for one, arm, _ in verdicts.entering if arm != Run.Arm.HOLDOUT]
    exprs = [expr for _, expr in conditions_of(form)]
    definitions = definitions_of(exprs)
    facts = facts_of({one.customer_id for one in entering}, exprs, today=day, also=dates_of(form))
    now = datetime.combine(day, datetime.min.time(), company_zone()).replace(hour=9)
    return {
        one.identity: _way(form, facts[one.customer_id], definitions, now)
        for one in entering
        if one.customer_id in facts
    }


def _way(
    form: Form, facts: Facts, definitions: Any, now: datetime
) -> tuple[list[tuple[str, str]], datetime | None]:
    steps: list[tuple[str, str]] = []
    key: str | None = form.first
    while key is not None and key in form.steps and len(steps) < len(form.steps):
        step = form.steps[key]
        steps.append((step.key, step.kind))
        if step.wait is not None:
            return steps, _end(step, facts, now)
        key = _next(step, facts, definitions, day_of(now))
    return steps, None


def _next(step: Step, facts: Facts, definitions: Any, today: date) -> str | None:
    if step.kind != "branch":
        return None if step.kind == "hand" else step.next
    for case in step.cases:
        if truth(case.when, facts, today=today, definitions=definitions) is True:
            return case.next
    return step.otherwise


def _end(step: Step, facts: Facts, now: datetime) -> datetime | None:
    if step.wait is None:
        return None
    on = day_of_ref(step.wait.date, facts.values, facts.custom) if step.wait.date else None
    begun: Waiting = begin_wait(step.wait, now=now, zone=company_zone(), on=on)
    return begun.until if step.wait.until else begun.look_at


def _rows(verdicts: Verdicts, walked: Walked, shown: int) -> Iterator[Would]:
    left = shown
    for one, arm, stratum in verdicts.entering[:left]:
        steps, until = walked.get(one.identity, ([], None))
        outcome = "holdout" if arm == Run.Arm.HOLDOUT else "enter"
        yield Would(one, outcome, {"stratum": stratum}, steps, until)
    left -= min(left, len(verdicts.entering))
    for one, reason, told, _ in verdicts.refused[:left]:
        yield Would(one, reason, told)
