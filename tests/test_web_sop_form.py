"""The editor keeps an SOP as it is, and reads back what a browser sends of it."""

import re

import pytest
from django.http import QueryDict

from gengyun.sop.calc.check import Known, check
from gengyun.web.present import condition_form as conditions
from gengyun.web.present import form_steps, sop_changes, sop_form, sop_tree
from gengyun.web.present.sop_writing import form_of

FIELDS = {
    one.key: one
    for one in [
        conditions.Field("score", "Score", "number", [("gte", ""), ("lt", "")]),
        conditions.Field("band", "Band", "choice", [("in", ""), (conditions.OUT, "")],
                         [(band, band) for band in "ABCD"], can_change=True),
    ]
}  # fmt: skip
KNOWN = Known(
    effects=("task", "message", "survey", "set", "alert", "webhook", "note", "hand"),
    channels=("email",), categories=("service",), surveys=("nps",), causes=("low_use",),
    ids={"stage": [3]}, webhooks=("7",), sops=("other",), metrics=("logins",),
)  # fmt: skip
LOW = {"field": "score", "op": "lt", "value": 50}
FORM = {
    "entry": {"kind": "condition", "when": {"all": [LOW]}, "backfill": False},
    "identity": "customer",
    "contact_role": "champion",
    "reentry": {"kind": "after", "days": 60},
    "exit": {"any": [{"held": {"of": {"field": "score", "op": "gte", "value": 65}, "days": 21}}]},
    "on_lost": "leave",
    "goal": {"all": [{"field": "band", "op": "in", "value": ["A"]}]},
    "not_while_in": ["other"],
    "outcome": {"kind": "metric", "key": "logins", "window_days": 28, "higher_is_better": True},
    "holdout": 0.2,
    "cost_minor": 12_050,
    "first": "call",
    "steps": [
        {"key": "call", "kind": "task", "title": {"zh": "打电话", "en": "Call"}, "role": "csm",
         "body": "问原因", "due_working_days": 2, "bmat": "m,t", "next": "wait"},
        {"key": "wait", "kind": "wait", "working_days": 5, "next": "still"},
        {"key": "still", "kind": "branch", "title": "Still low?", "otherwise": "thank",
         "cases": [{"when": {"all": [LOW]}, "next": "mail"}]},
        {"key": "mail", "kind": "message", "title": "Mail", "channel": "email", "mode": "approve",
         "category": "service", "to": "champion", "next": "seen",
         "template": {"zh": {"subject": "你好", "body": "好久不见"}}},
        {"key": "seen", "kind": "wait", "timeout_days": 7, "next": "ask", "on_timeout": "sad",
         "until": {"all": [{"step": {"key": "mail", "is": "answered"}}]}},
        {"key": "sad", "kind": "alert", "title": "No answer", "severity": 2, "cause": "low_use",
         "next": "ask"},
        {"key": "ask", "kind": "survey", "title": "", "survey": "nps", "to": "any", "next": "hand"},
        {"key": "hand", "kind": "hand", "title": "", "role": "leader", "text": "look", "next": None},
        {"key": "thank", "kind": "note", "title": "", "text": "fine", "next": "stage"},
        {"key": "stage", "kind": "set", "title": "", "field": "stage", "value": 3, "next": "tell"},
        {"key": "tell", "kind": "webhook", "title": "", "channel": "7", "next": "until"},
        {"key": "until", "kind": "wait", "date": {"field": "renews_on", "offset_days": -30},
         "timeout_days": 90, "next": None},
    ],
}  # fmt: skip


def meaning(form):
    """What counts of a form, however it is ordered."""
    steps = {}
    for step in form["steps"]:
        kept = {n: v for n, v in step.items() if v not in ("", None, [], {}) or n == "next"}
        steps[step["key"]] = kept | {"ways": sop_tree.ways(step)}
    return {n: v for n, v in form.items() if n != "steps"} | {"steps": steps}


def test_an_sop_opens_and_is_kept_as_it_was():
    assert check(FORM, KNOWN) == []
    again, errors = form_of(sop_form.draft_of(FORM, FIELDS), FIELDS)
    assert errors == {}
    assert check(again, KNOWN) == []
    was, now = meaning(FORM), meaning(again)
    for key, step in was["steps"].items():
        assert {n: now["steps"][key].get(n) for n in step} == step
    del was["steps"], now["steps"]
    assert now == was


def fields_of(draft, name=""):
    """What a browser would send of a draft."""
    if isinstance(draft, dict):
        for key, value in draft.items():
            yield from fields_of(value, f"{name}.{key}" if name else key)
    elif isinstance(draft, list) and draft and not isinstance(draft[0], str):
        for place, value in enumerate(draft):
            yield from fields_of(value, f"{name}.{place}")
    elif isinstance(draft, list):
        yield name, draft
    else:
        yield name, ["1" if draft is True else "" if draft is False else draft]


def test_what_a_browser_sends_is_what_it_was_given():
    draft = sop_form.draft_of(FORM, FIELDS)
    query = QueryDict(mutable=True)
    for name, values in fields_of(draft):
        if match := re.match(r"(.*)\.step$", name):  # the page sends it in the place of the field
            if values != [""]:
                query.setlist(f"{match[1]}.field", [f"step:{values[0]}"])
        elif not (name.endswith(".field") and name in query):
            query.setlist(name, values)
    assert form_of(sop_form.draft_of_post(query), FIELDS) == form_of(draft, FIELDS)


def press(draft, verb):
    def new_item(kind):
        return sop_form.new_item(kind, sop_form.free_key(draft, kind))

    return form_steps.act(draft, verb, FIELDS, new_item)


def test_steps_are_added_moved_and_taken_away():
    draft = sop_form.blank(FIELDS)
    assert press(draft, "add.task@block") == "block.items.0"
    press(draft, "add.branch@block")
    press(draft, "add.note@block.items.1.cases.0.block")
    press(draft, "add.task@block.items.0")
    keys = [item["key"] for item in sop_tree.items_of(draft["block"])]
    assert keys == ["task_1", "task_2", "branch_1", "note_1"]
    press(draft, "up@block.items.1")
    assert draft["block"]["items"][0]["key"] == "task_2"
    draft["block"]["items"][2]["otherwise"]["end"] = "task_1"
    press(draft, "remove@block.items.1")
    assert draft["block"]["items"][1]["otherwise"]["end"] == ""
    press(draft, "case@block.items.1")
    press(draft, "uncase@block.items.1.cases.0")
    press(draft, "uncase@block.items.1.cases.0")
    assert len(draft["block"]["items"][1]["cases"]) == 1


@pytest.mark.parametrize(
    "verb",
    ["", "row@", "row@nowhere", "add.task@block.items.9", "up@block.items.-1", "drop@block",
     "remove@entry", "uncase@block.items.0", "add.x@", "row@block", "group@holdout", "drop@a.b.c"],
)  # fmt: skip
def test_a_button_for_what_is_not_there_does_nothing(verb):
    draft = sop_form.draft_of(FORM, FIELDS)
    before = form_of(draft, FIELDS)
    press(draft, verb)
    assert form_of(draft, FIELDS) == before


def test_what_cannot_be_read_is_marked_and_the_rest_is_kept():
    draft = sop_form.draft_of(FORM, FIELDS)
    draft["holdout"], draft["cost"], draft["reentry"]["days"] = "half", "1e99", "²"
    draft["block"]["items"][0]["due_working_days"] = ""
    _form, errors = form_of(draft, FIELDS)
    assert set(errors) == {"holdout", "cost", "reentry.days", "block.items.0.due_working_days"}


def test_a_draft_that_was_only_opened_changes_nothing():
    class Words:
        def sentence(self, raw):
            return str(raw)

    base = FORM | {"entry": FORM["entry"] | {"when": LOW}}
    again = form_of(sop_form.draft_of(base, FIELDS), FIELDS)[0]
    found = sop_changes.changes(base, again, Words(), FIELDS)
    assert (found.was, found.gone) == ({}, [])
    wait = {**again, "steps": [dict(step) for step in again["steps"]]}
    wait["steps"][1]["working_days"] = 4
    assert set(sop_changes.changes(base, wait, Words(), FIELDS).was) == {"wait"}
