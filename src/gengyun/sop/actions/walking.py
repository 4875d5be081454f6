"""A batch of runs on its way: round after round, all runs at the same step do it together."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from gengyun.customers.calc.custom import Definition
from gengyun.customers.models import Contact
from gengyun.kernel import rows
from gengyun.kernel.days import company_zone, day_of
from gengyun.portfolio.calc.expressions import Expr
from gengyun.portfolio.calc.truth import Facts, truth
from gengyun.portfolio.queries.expressions import definitions_of, facts_of
from gengyun.sop.calc.check import conditions_of
from gengyun.sop.calc.effects import DONE, SKIPPED, Due, Told, is_mixed, perform
from gengyun.sop.calc.form import Form, Step, Wait
from gengyun.sop.calc.walk import (
    CONTACT_GONE,
    MOST_STEPS,
    Ending,
    Look,
    Over,
    begin_wait,
    dates_of,
    day_of_ref,
    ending,
    look_at_wait,
)
from gengyun.sop.models import Run, SopVersion, StepRun, step_key_of
from gengyun.sop.queries.forms import form_of, versions_in
from gengyun.sop.queries.going import Going
from gengyun.sop.queries.outcomes import asking, outcomes_of, said_of, step_states

# what a line of a step says
LINE = ("run_id", "step_key", "ordinal", "kind", "at", "state", "reason", "told", "ref")
# columns of a run that a batch changes
MOVED = ("state", "step_key", "step_count", "step_since", "wait_until", "due_at", "ended_at",
         "end_reason")  # fmt: skip
# the facts that were read are not true any more behind these: the run is looked at again
CHANGING = frozenset({"set"})


class Walk:
    def __init__(self, runs: Sequence[Going], now: datetime) -> None:
        self.runs, self.now, self.today, self.zone = runs, now, day_of(now), company_zone()
        self.versions = versions_in(run.version_id for run in runs)
        self.forms: dict[int, Form] = {pk: form_of(one) for pk, one in self.versions.items()}
        self.asked: dict[int, list[tuple[str, Expr]]] = {
            pk: list(conditions_of(form)) for pk, form in self.forms.items()
        }
        exprs = [expr for found in self.asked.values() for _, expr in found]
        self.definitions: dict[str, Definition] = definitions_of(exprs)
        dates = {name for form in self.forms.values() for name in dates_of(form)}
        self.facts = facts_of(
            {run.customer_id for run in runs}, exprs, today=self.today, also=dates
        )
        self.left = _contacts_gone(runs)
        self.asking = asking(self.asked)
        self.states = step_states([run.pk for run in runs if run.version_id in self.asking])
        self.said: dict[str, Collection[str]] = {}  # what became of things made in this look
        self.lines: list[tuple[Any, ...]] = []
        self.done: Counter[str] = Counter()

    def go(self) -> Counter[str]:
        """Everything up to the next wait of every run, then written down."""
        going = [run for run in self.runs if not self._ends(run)]
        while going:
            going = self._round(going)
        rows.insert_values(StepRun, LINE, self.lines)
        rows.update(Run, self.runs, MOVED)
        self.done["runs"] = len(self.runs)
        return self.done

    def _ends(self, run: Going) -> bool:
        """Before anything is done: hold-outs whose time is over, and everybody's reasons to end."""
        if run.arm == Run.Arm.HOLDOUT:
            self._end(run, Ending("done", "holdout_over"))
            return True
        form, facts = self.forms[run.version_id], self.facts.get(run.customer_id)
        look = Look(is_there=facts is not None, contact_is_there=run.pk not in self.left)
        if facts is not None:
            look = Look(
                contact_is_there=run.pk not in self.left,
                goal=self._holds(form.goal, run),
                exit=self._holds(form.exit, run),
                entry=self._holds(form.entry.when, run) if form.on_lost == "leave" else None,
            )
        found = ending(form, look)
        if found is not None:
            self._end(run, found)
        return found is not None

    def _holds(self, expr: Expr | None, run: Going) -> bool | None:
        if expr is None:
            return None
        known = self.facts[run.customer_id]
        states = self.states.get(run.pk)
        facts = Facts(**{**known.__dict__, "steps": states}) if states else known
        return truth(expr, facts, today=self.today, definitions=self.definitions)

    def _round(self, going: list[Going]) -> list[Going]:
        """One step of every run that goes on; returns those that go on behind it."""
        groups: dict[tuple[int, str], list[Going]] = defaultdict(list)
        for run in going:
            if not self._is_stuck(run):
                groups[run.version_id, run.step_key].append(run)
        rest = []
        acting: dict[str, list[tuple[Going, Step]]] = defaultdict(list)
        for (version_id, key), runs in groups.items():
            found = self.forms[version_id].steps[key]
            if found.wait is not None:
                rest += [run for run in runs if self._wait(run, found, found.wait)]
            elif found.kind == "branch":
                rest += [run for run in runs if self._branch(run, found)]
            else:
                # what takes any step of its kind gets all of them: a few statements for the batch
                group = found.kind if is_mixed(found.kind) else f"{version_id}:{key}"
                acting[group] += [(run, found) for run in runs]
        for pairs in acting.values():
            rest += self._effect(pairs)
        return rest

    def _is_stuck(self, run: Going) -> bool:
        is_there = run.step_key in self.forms[run.version_id].steps
        if is_there and run.step_count < MOST_STEPS:
            return False
        self._end(run, Ending("failed", "too_many_steps" if is_there else "no_step"))
        return True

    def _wait(self, run: Going, found: Step, wait: Wait) -> bool:
        """True: it is over and the run goes on in this look."""
        on = self._date(wait, run)
        if run.state != Run.State.WAITING or run.wait_until is None:
            begun = begin_wait(wait, now=self.now, zone=self.zone, on=on)
            run.state, run.wait_until, run.step_since = Run.State.WAITING, begun.until, self.now
            if begun.look_at > self.now:
                run.due_at = begun.look_at
                return False
        over = look_at_wait(
            wait, found.next, end=run.wait_until, now=self.now, zone=self.zone,
            holds=self._holds(wait.until, run), on=on,
        )  # fmt: skip
        if not isinstance(over, Over):
            run.due_at = over
            return False
        told = Told(DONE, over.reason, {"since": _iso(run.step_since)})
        run.state, run.wait_until = Run.State.RUNNING, None
        return self._on(run, found, told, over.next)

    def _date(self, wait: Wait, run: Going) -> date | None:
        if wait.date is None:
            return None
        facts = self.facts[run.customer_id]
        return day_of_ref(wait.date, facts.values, facts.custom)

    def _branch(self, run: Going, found: Step) -> bool:
        """The first case that is True; what is not known is not True."""
        for number, case in enumerate(found.cases):
            if self._holds(case.when, run) is True:
                return self._on(run, found, Told(DONE, "case", {"case": number}), case.next)
        return self._on(run, found, Told(DONE, "otherwise"), found.otherwise)

    def _effect(self, pairs: Sequence[tuple[Going, Step]]) -> list[Going]:
        due = [
            _due(run, self.forms[run.version_id], self.versions[run.version_id], found)
            for run, found in pairs
        ]
        told = perform(pairs[0][1].kind, due, self.now)
        refs = {
            one.ref
            for (run, _), one in zip(pairs, told, strict=True)
            if one.ref and run.version_id in self.asking
        }
        self.said.update(outcomes_of(refs))
        rest = []
        for (run, found), one in zip(pairs, told, strict=True):
            self.done[f"{found.kind}:{one.state}"] += 1
            goes = self._on(run, found, one, None if found.kind == "hand" else found.next)
            if goes and found.kind in CHANGING:
                run.due_at = self.now
            elif goes:
                rest.append(run)
        return rest

    def _on(self, run: Going, found: Step, told: Told, way: str | None) -> bool:
        """Write the line of a step and move on; True: there is a step to move on to."""
        self.lines.append(
            (run.pk, found.key, run.step_count, found.kind, self.now, told.state,
             told.reason, dict(told.facts), told.ref)
        )  # fmt: skip
        if run.version_id in self.asking:
            states = said_of(told.state, self.said.get(told.ref, ()))
            self.states.setdefault(run.pk, {})[found.key] = states
        self.done["steps"] += 1
        run.step_count += 1
        if way is None:
            self._end(run, Ending("done", "handed" if found.kind == "hand" else "end"))
            return False
        run.step_key, run.step_since = way, self.now
        return True

    def _end(self, run: Going, found: Ending) -> None:
        """Where it stood stays readable: the step it did not get to do is skipped."""
        form = self.forms[run.version_id]
        if found.reason not in {"end", "handed", "holdout_over"} and run.step_key in form.steps:
            self.lines.append(
                (run.pk, run.step_key, run.step_count, form.steps[run.step_key].kind,
                 self.now, SKIPPED, found.reason, {}, "")
            )  # fmt: skip
            run.step_count += 1
        run.state, run.end_reason, run.ended_at = found.state, found.reason, self.now
        run.due_at = run.wait_until = None
        self.done["ended"] += 1


def key_of(run: Going) -> str:
    return step_key_of(run.pk, run.step_key, run.step_count)


def _due(run: Going, form: Form, version: SopVersion, found: Step) -> Due:
    return Due(
        key=key_of(run),
        run_id=run.pk,
        sop_key=version.sop.key,
        sop_name=version.sop.name,
        customer_id=run.customer_id,
        contact_id=run.contact_id,
        product_key=run.product_key,
        form=form,
        step=found,
        entered_by_id=run.entered_by_id,
    )


def _contacts_gone(runs: Iterable[Going]) -> set[int]:
    """Runs of contacts that have left, or were deleted."""
    about = {run.pk: run.contact_id for run in runs if run.identity_key.startswith("k:")}
    there = set(
        Contact.objects.filter(
            pk__among=[pk for pk in about.values() if pk], left_on__isnull=True
        ).values_list("pk", flat=True)
    )
    return {run for run, contact in about.items() if contact not in there}


def _iso(found: datetime | None) -> str | None:
    return None if found is None else found.isoformat()


__all__ = ["CONTACT_GONE", "Walk", "key_of"]
