"""What is refused when an SOP is saved for publishing: with the place and the reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.customers.calc.custom import Definition
from gengyun.engagement.calc.templates import check_template
from gengyun.sop.calc.check import Known, check
from gengyun.sop.calc.form import read

LOW = {"field": "score", "op": "lt", "value": 50}
KNOWN = Known(
    effects={"note", "task", "message", "set", "alert", "survey", "webhook", "hand"},
    custom={
        "custom_segment": Definition("segment", "text"),
        "custom_due": Definition("due", "date"),
    },
    ids={"tier": {1}, "stage": {4}, "owner": {7}},
    sops={"other"},
    metrics={"active_users_7d"},
    channels={"email"},
    webhooks={"erp"},
    categories={"service"},
    surveys={"nps"},
    causes={"slow"},
    check_text=lambda text: [(one.message, one.params) for one in check_template(text)],
)
NOTE = {"key": "a", "kind": "note", "text": "x"}
MESSAGE = {
    "key": "a", "kind": "message", "channel": "email", "category": "service", "mode": "draft",
    "to": "champion", "template": {"zh": {"subject": "你好", "body": "{{ contact.name }}"}},
}  # fmt: skip
WAIT = {"key": "w", "kind": "wait", "days": 2}


def form(*steps, **values):
    return {"entry": {"kind": "condition", "when": LOW}, "steps": list(steps or [NOTE]), **values}


def problems(raw):
    return [(one.path, one.msgid % dict(one.params)) for one in check(raw, KNOWN)]


def test_a_sound_form_has_no_problems():
    steps = [
        {**MESSAGE, "next": "w"}, {**WAIT, "next": "b"},
        {"key": "b", "kind": "branch", "cases": [{"when": LOW, "next": "a"}], "otherwise": "t"},
        {"key": "t", "kind": "task", "title": "Call {{ customer.name }}", "next": "s"},
        {"key": "s", "kind": "set", "field": "custom.segment", "value": "x", "next": "l"},
        {"key": "l", "kind": "alert", "severity": 2, "cause": "slow", "title": "x", "next": "q"},
        {"key": "q", "kind": "survey", "survey": "nps", "next": "h"},
        {"key": "h", "kind": "webhook", "channel": "erp", "next": None},
    ]  # fmt: skip
    assert problems(form(*steps, not_while_in=["other"], holdout="0.2", goal=LOW,
                         outcome={"kind": "goal", "window_days": 30})) == []  # fmt: skip


@pytest.mark.parametrize(
    "raw, path, said",
    [
        (form({**NOTE, "next": "b"}, {"key": "b", "kind": "note", "text": "x", "next": "a"}),
         "steps.a", "go round without a wait"),
        (form({**NOTE, "next": "w"},
              {"key": "w", "kind": "wait", "until": LOW, "timeout_days": 2, "next": "a"}),
         "steps.a", "go round without a wait"),
        (form(NOTE, {"key": "b", "kind": "note", "text": "x"}), "steps.b", "No way leads"),
        (form({**NOTE, "next": "z"}), "steps.a.next", "no step “z”"),
        (form(NOTE, NOTE), "steps.a.key", "Two steps"),
        (form(NOTE, first="q"), "first", "no step “q”"),
        (form({**MESSAGE, "template": {"zh": {"body": "{{ contact.shoe }}"}}}),
         "steps.a.template.zh.body", "contact.shoe"),
        (form({**MESSAGE, "template": {"zh": {"body": "{{ contact.name"}}}),
         "steps.a.template.zh.body", "braces"),
        (form({**MESSAGE, "template": {}}), "steps.a.template.zh.body", "missing"),
        (form({**MESSAGE, "channel": "pigeon"}), "steps.a.channel", "pigeon"),
        (form({**MESSAGE, "category": "spam"}), "steps.a.category", "spam"),
        (form({"key": "a", "kind": "survey", "survey": "gone"}), "steps.a.survey", "gone"),
        (form({"key": "a", "kind": "set", "field": "stage", "value": 9}), "steps.a.value", "stage"),
        (form({"key": "a", "kind": "set", "field": "custom.gone", "value": 9}),
         "steps.a.field", "does not exist any more"),
        (form({"key": "a", "kind": "dance"}), "steps.a.kind", "dance"),
        (form({**WAIT, "working_days": 1}), "steps.w", "A wait is"),
        (form({**WAIT, "days": 0}), "steps.w.days", "number of days"),
        (form({"key": "w", "kind": "wait", "until": LOW}), "steps.w.timeout_days", "needs an end"),
        (form({"key": "b", "kind": "branch", "cases": []}), "steps.b.cases", "1 to 8"),
        (form({"key": "b", "kind": "branch", "cases": [
            {"when": {"step": {"key": "zz", "is": "done"}}}]}), "steps.b.cases.0.when", "“zz”"),
        (form(entry={"kind": "condition"}), "entry.when", "condition is missing"),
        (form(entry={"kind": "condition", "when": {"field": "custom.gone", "op": "known"}}),
         "entry.when", "does not exist any more"),
        (form(entry={"kind": "condition", "when": {"field": "tier", "op": "is", "value": 2}}),
         "entry.when", "does not exist any more"),
        (form(entry={"kind": "condition", "when": {"step": {"key": "a", "is": "done"}}}),
         "entry.when", "not understood"),
        (form(entry={"kind": "event"}), "entry.event", "missing"),
        (form(entry={"kind": "date", "date": {"field": "custom.segment"}}),
         "entry.date.field", "no date"),
        (form(entry={"kind": "snapshot", "when": LOW, "every": "month"}), "reentry", "re-entry"),
        (form(exit={"changed": {"field": "custom.gone"}}), "exit", "does not exist any more"),
        (form(holdout=0.2), "outcome", "declared before"),
        (form(holdout=float("nan")), "holdout", "0 to 90"),
        (form(outcome={"kind": "metric", "key": "shoes"}), "outcome.key", "shoes"),
        (form(outcome={"kind": "goal"}), "goal", "missing"),
        (form(not_while_in=["gone"]), "not_while_in.0", "gone"),
        ({"entry": {}, "steps": []}, "steps", "needs a step"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_place(raw, path, said):
    assert [told for where, told in problems(raw) if where == path and said in told], problems(raw)


def test_a_step_that_nobody_can_carry_out_is_refused():
    found = check(form(), Known())
    assert [one.path for one in found] == ["steps.a.kind"]


def test_a_way_out_of_a_timeout_may_be_the_end():
    wait = {"key": "w", "kind": "wait", "until": LOW, "timeout_days": 2, "next": "a",
            "on_timeout": "end"}  # fmt: skip
    assert problems(form(wait, NOTE)) == []
    assert read(form(wait, NOTE))[0].steps["w"].ways() == [("next", "a")]


JUNK = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
        st.sampled_from(["\x00", "\ud800", "wait", "branch", "condition", "a", "score"]),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["entry", "steps", "kind", "key", "next", "when", "field", "op", "value", "date",
                 "cases", "until", "days", "template", "zh", "title", "outcome", "all", "not"]
            ),
            below, max_size=5,
        ),
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150)
@given(JUNK, st.sampled_from(["entry", "steps", "exit", "goal", "outcome", "first", "holdout",
                              "not_while_in", "reentry", "identity"]))  # fmt: skip
def test_no_junk_breaks_the_reader(junk, place):
    for raw in (junk, form(**{place: junk}), form({**NOTE, "kind": "task", "title": junk})):
        assert isinstance(check(raw, KNOWN), list)
    for kind in ("wait", "branch", "message", "set", "alert", "webhook", "survey", "hand"):
        step = junk if isinstance(junk, dict) else {"value": junk}
        check(form({**step, "key": "a", "kind": kind}), KNOWN)
