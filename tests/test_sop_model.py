"""Random SOPs and histories: the engine leaves the trace that the slow interpreter tells."""

from datetime import date, datetime, time, timedelta

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from sop_model import ZONE, Interpreter, Person
from test_sop_engine import make_scored, make_sop

from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.actions.evaluate import evaluate
from gengyun.sop.actions.step import run_due
from gengyun.sop.models import Decision, Run
from gengyun.tasks.models import Task

pytestmark = pytest.mark.django_db
FIRST = date(2026, 3, 2)  # a Monday; no holiday until April
DAYS = 10
PEOPLE = 4
SCORE = st.fixed_dictionaries(
    {"field": st.just("score"), "op": st.sampled_from(["lt", "gte"]),
     "value": st.sampled_from([30, 50, 70])}
)  # fmt: skip
HELD = st.builds(
    lambda border, days: {
        "held": {"of": {"field": "score", "op": "lt", "value": border}, "days": days}
    },
    st.sampled_from([30, 50, 70]),
    st.integers(1, 4),
)
CHANGED = st.builds(
    lambda before, after: {"changed": {"field": "band", "from": before, "to": after}},
    st.sampled_from([None, "A", "D"]),
    st.sampled_from([None, "A", "D"]),
)
LEAF = st.one_of(SCORE, SCORE, HELD, CHANGED)


def trees(leaf):
    return st.one_of(
        leaf,
        leaf.map(lambda one: {"not": one}),
        st.lists(leaf, min_size=1, max_size=2).map(lambda found: {"all": found}),
        st.lists(leaf, min_size=1, max_size=2).map(lambda found: {"any": found}),
    )


@st.composite
def forms(draw):
    keys = [f"s{n}" for n in range(draw(st.integers(1, 6)))]
    asked = st.builds(
        lambda key, state: {"step": {"key": key, "is": state}},
        st.sampled_from(keys),
        st.sampled_from(["done", "open"]),
    )
    in_run = trees(st.one_of(LEAF, asked))
    steps = [draw(_step(keys, place, in_run)) for place in range(len(keys))]
    form = {
        "entry": {"kind": "condition", "when": draw(trees(LEAF)), "backfill": draw(st.booleans())},
        "reentry": draw(
            st.sampled_from([{"kind": "never"}, {"kind": "after", "days": 2}, {"kind": "always"}])
        ),
        "on_lost": draw(st.sampled_from(["stay", "stay", "leave"])),
        "steps": steps,
        "first": keys[0],
    }
    for name in ("goal", "exit"):
        if draw(st.integers(0, 2)) == 0:
            form[name] = draw(trees(LEAF))
    return form


@st.composite
def _step(draw, keys, place, in_run):
    later = st.sampled_from([*keys[place + 1 :], None])
    kind = draw(st.sampled_from(["note", "task", "branch", "wait", "wait", "wait", "hand"]))
    step = {"key": keys[place], "kind": kind, "title": "t", "text": "t", "next": draw(later)}
    if kind == "branch":
        cases = draw(st.lists(st.tuples(in_run, later), min_size=1, max_size=2))
        step["cases"] = [{"when": when, "next": way} for when, way in cases]
        step["otherwise"] = draw(later)
    if kind == "wait":
        _wait(draw, step, keys, in_run, later)
    return step


def _wait(draw, step, keys, in_run, later):
    wait = draw(st.sampled_from(["days", "working_days", "until", "date"]))
    if wait in ("days", "working_days"):
        step[wait] = draw(st.integers(1, 4))
        step["next"] = draw(st.sampled_from([*keys, None]))  # also back: days pass
        return
    step["timeout_days"] = draw(st.integers(1, 4))
    if late := draw(st.one_of(later, st.just("end"))):
        step["on_timeout"] = late
    if wait == "until":
        step["until"] = draw(in_run)
    else:
        step["date"] = {"field": "renews_on", "offset_days": draw(st.integers(-3, 3))}


def _days(of):
    return st.lists(of, min_size=DAYS, max_size=DAYS)


@st.composite
def people(draw):
    renews = draw(st.one_of(st.none(), st.integers(-2, DAYS)))
    return Person(
        scores=draw(_days(st.sampled_from([None, 20, 40, 60, 80]))),
        bands=draw(_days(st.sampled_from(["A", "B", "D"]))),
        renews_on=None if renews is None else FIRST + timedelta(days=renews),
        task_done_on=draw(st.one_of(st.none(), st.integers(1, DAYS - 1))),
    )


def _at(index, hour):
    return datetime.combine(FIRST + timedelta(days=index), time(hour), ZONE)


def _play(form, crowd):
    """The engine's trace of each person."""
    version = make_sop(form)
    rows = [make_scored(None, renews_on=person.renews_on) for person in crowd]
    for index in range(DAYS):
        for row, person in zip(rows, crowd, strict=True):
            CustomerSummary.objects.filter(pk=row.pk).update(
                score=person.scores[index], band=person.bands[index]
            )
            if person.task_done_on == index:
                Task.objects.filter(customer=row).update(state="done")
        now = _at(index, 10)
        evaluate(now=now, day=now.date())
        run_due(now=now)
        run_due(now=_at(index, 18))
    return [_trace(row, version) for row in rows]


def _trace(row, version):
    runs = []
    for run in Run.objects.filter(customer=row).order_by("pk"):
        lines = [
            (one.step_key, one.state, f"{one.reason}{one.told.get('case', '')}", one.at)
            for one in run.steps.order_by("ordinal")
        ]
        end = run.wait_until
        runs.append((run.entered_on, run.state, run.end_reason, lines, end))
    refused = Decision.objects.filter(customer=row, version=version).order_by("on")
    return runs, list(refused.values_list("on", "reason"))


def _told(form, person):
    model = Interpreter(form, person, FIRST, DAYS).play()
    runs = [
        (run.entered_on, run.state, run.reason, run.trace,
         run.waits_until if run.state == "waiting" else None)
        for run in model.runs
    ]  # fmt: skip
    return runs, model.refused


def _compare(form, crowd):
    with transaction.atomic():
        found = _play(form, crowd)
        transaction.set_rollback(True)
    assert found == [_told(form, person) for person in crowd]
    return found


def test_the_engine_leaves_the_trace_that_the_interpreter_tells():
    met = set()

    @settings(max_examples=12)
    @given(forms(), st.lists(people(), min_size=PEOPLE, max_size=PEOPLE))
    def check(form, crowd):
        for runs, refused in _compare(form, crowd):
            met.update(line[2] for run in runs for line in run[3])
            met.update(reason for _, reason in refused)

    check()
    assert met  # else it compared nothing with nothing


@pytest.mark.slow
def test_many_sops_and_histories():
    met = set()

    @settings(max_examples=160, derandomize=True)
    @given(forms(), st.lists(people(), min_size=PEOPLE, max_size=PEOPLE))
    def check(form, crowd):
        for runs, refused in _compare(form, crowd):
            met.update(line[2] for run in runs for line in run[3])
            met.update(reason for _, reason in refused)

    check()
    wanted = {"time", "condition", "date", "timed_out", "case0", "otherwise", "goal", "exit",
              "lost", "running", "before", "too_soon"}  # fmt: skip
    assert wanted <= met
