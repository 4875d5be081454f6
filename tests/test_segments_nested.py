"""Segments in conditions: asked in SQL, live, two-valued; no circle, no gap under what asks."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from factories import make_user
from test_sop_engine import MONDAY, day, make_scored, make_sop, set_score

from gengyun.kernel.days import day_of
from gengyun.portfolio.actions import segments as actions
from gengyun.portfolio.calc.expressions import Held, Leaf, parse
from gengyun.portfolio.calc.filters import Filter, parse_filters
from gengyun.portfolio.calc.nesting import depth_of, segments_in, way_back
from gengyun.portfolio.calc.truth import truth
from gengyun.portfolio.models import CustomerSummary, Segment, SegmentStay
from gengyun.portfolio.queries import segments as queries
from gengyun.portfolio.queries.expressions import facts_of, to_q
from gengyun.sop.calc.check import check
from gengyun.sop.models import Run
from gengyun.sop.queries.known import known
from gengyun.sop.queries.reasons import judged

pytestmark = pytest.mark.django_db
TODAY = day_of(MONDAY)
LOW = {"field": "score", "op": "lt", "value": 50}


@pytest.fixture
def admin():
    return make_user("admin", name="Root", language="en")


def make(admin, name, expression, **values):
    return actions.create_segment(
        actor=admin, now=MONDAY, name=name, expression=expression, is_shared=True, **values
    )


def edit(admin, segment, expression):
    return actions.edit_segment(
        actor=admin, now=MONDAY, segment=segment, name=segment.name, expression=expression,
        is_shared=True,
    )  # fmt: skip


def inside(segment, op="is"):
    return {"field": "segment", "op": op, "value": segment.pk}


def who(raw):
    return set(
        CustomerSummary.objects.filter(to_q(parse(raw), None, TODAY)).values_list("pk", flat=True)
    )


def test_sql_and_rows_say_the_same_of_nested_segments_with_pins(admin):
    low, high, unknown, pinned = (make_scored(score) for score in (40.0, 80.0, None, 90.0))
    weak = make(admin, "weak", LOW)
    actions.pin(actor=admin, now=MONDAY, segment=weak, customer=pinned, is_in=True)
    outer = make(
        admin, "outer", {"all": [inside(weak), {"field": "score", "op": "lt", "value": 85}]}
    )
    everybody = {one.pk for one in (low, high, unknown, pinned)}
    assert who(inside(weak)) == {low.pk, pinned.pk}
    assert who(inside(outer)) == {low.pk}
    conditions = (
        inside(weak), inside(weak, "not"), {"not": inside(weak)}, {"not": inside(weak, "not")},
        inside(outer), {"not": {"any": [inside(outer), inside(weak)]}},
    )  # fmt: skip
    for raw in conditions:
        expr = parse(raw)
        facts = facts_of(everybody, [expr], today=TODAY)
        rows = {
            pk for pk, known_of in facts.items()
            if truth(expr, known_of, today=TODAY, definitions={}) is True
        }  # fmt: skip
        assert rows == who(raw), raw
    assert who(inside(weak, "not")) == who({"not": inside(weak)}) == {high.pk, unknown.pk}
    assert queries.count(outer, actor=None, today=TODAY) == 1
    edit(admin, weak, {"field": "score", "op": "gte", "value": 50})  # live: the outer one follows
    assert who(inside(outer)) == {high.pk}


def test_a_circle_is_refused_with_its_way(admin):
    first = make(admin, "first", LOW)
    second = make(admin, "second", inside(first))
    third = make(admin, "third", {"not": inside(second)})
    with pytest.raises(actions.SegmentCycle) as refused:
        edit(admin, first, {"any": [LOW, inside(third)]})
    assert refused.value.params["way"] == "first → third → second → first"
    with pytest.raises(actions.SegmentCycle):
        edit(admin, first, inside(first))
    first.refresh_from_db()
    assert first.expression == LOW
    chain = third
    for number in range(2):
        chain = make(admin, f"more {number}", inside(chain))
    with pytest.raises(actions.SegmentsTooDeep):
        make(admin, "too deep", inside(chain))
    # what a retired one names may have changed meanwhile
    assert way_back({1: {2, 3}, 2: {4}, 3: set(), 4: {1}}, 1) == [1, 2, 4, 1]
    assert way_back({1: {2}, 2: {3}, 3: {2}}, 1) == []
    assert depth_of({1: {2, 3}, 2: {3}, 3: set()}) == 3


def test_what_is_not_there_is_refused_and_what_is_asked_for_is_not_retired(admin):
    weak = make(admin, "weak", LOW)
    contacts = make(admin, "people", LOW, of="contact")
    for pk in (contacts.pk, 999_999):
        with pytest.raises(actions.SegmentGone):
            make(admin, "x", {"field": "segment", "op": "is", "value": pk})
    outer = make(admin, "outer", inside(weak))
    with pytest.raises(actions.SegmentInUse) as refused:
        actions.retire_segment(actor=admin, now=MONDAY, segment=weak)
    assert refused.value.params["name"] == "outer"
    actions.retire_segment(actor=admin, now=MONDAY, segment=outer)
    version = make_sop({"entry": {"kind": "condition", "when": inside(weak)},
                        "steps": [{"key": "n", "kind": "note", "text": "x"}]}, key="asks")  # fmt: skip
    with pytest.raises(actions.SegmentInUse) as refused:
        actions.retire_segment(actor=admin, now=MONDAY, segment=weak)
    assert refused.value.params["name"] == "asks"
    problems = check({**version.form, "exit": inside(outer)}, known())
    assert [one.path for one in problems] == ["exit"]
    with pytest.raises(actions.SegmentGone):
        edit(admin, weak, inside(outer))


def test_a_segment_that_cannot_be_read_holds_for_nobody_either_way(admin):
    customer = make_scored(40.0)
    gone = make(admin, "gone", LOW)
    Segment.objects.filter(pk=gone.pk).update(
        expression={"field": "custom_gone", "op": "known", "value": None}
    )
    for op in ("is", "not"):
        expr = parse(inside(gone, op))
        assert who(inside(gone, op)) == who({"not": inside(gone, op)}) == set()
        facts = facts_of([customer.pk], [expr], today=TODAY)[customer.pk]
        assert truth(expr, facts, today=TODAY, definitions={}) is None


def test_an_sop_is_entered_and_left_by_a_segment(admin):
    weak = make(admin, "weak", LOW)
    outer = make(admin, "outer", inside(weak))
    make_sop({
        "entry": {"kind": "condition", "when": inside(outer)}, "exit": inside(weak, "not"),
        "steps": [{"key": "w", "kind": "wait", "days": 9, "next": None}],
    })  # fmt: skip
    customer, well = make_scored(40.0), make_scored(80.0)
    day(MONDAY)
    assert set(Run.objects.values_list("customer", "state")) == {(customer.pk, "waiting")}
    assert set(SegmentStay.objects.values_list("segment", "customer")) == {
        (weak.pk, customer.pk), (outer.pk, customer.pk)
    }  # fmt: skip
    set_score(customer, 90.0)
    set_score(well, 10.0)
    day(MONDAY + timedelta(days=1))
    run = Run.objects.get(customer=customer)
    assert (run.state, run.end_reason) == ("exited", "exit")
    assert Run.objects.filter(customer=well, state="waiting").count() == 1
    said = judged(parse(inside(weak)), customer.pk, day=TODAY)
    assert (said.holds, said.said[0].value) == (False, False)


def test_the_names_of_segments_are_read_from_any_leaf():
    one = Leaf(Filter("segment", "is", 3))
    assert segments_in(Held(one, 5)) == segments_in(one) == {3}
    assert parse_filters([inside(Segment(pk=7), "not")]) == [Filter("segment", "not", 7)]


def test_the_editor_offers_segments_and_says_the_circle(admin):
    weak = make(admin, "Weak ones", LOW)
    outer = make(admin, "Outer ring", {"all": [inside(weak)]})
    client = Client()
    client.force_login(admin)
    page = client.get(reverse("web:segment", args=[outer.pk])).content.decode()
    assert "is in “Weak ones”" in page
    address = reverse("web:segment_edit", args=[weak.pk])
    page = client.get(address).content.decode()
    assert 'value="segment"' in page
    posted = {
        "name": "Weak ones", "do": "save", "when.join": "all", "when.parts.0.field": "segment",
        "when.parts.0.op": "is", "when.parts.0.values": str(outer.pk), "when.parts.0.how": "now",
    }  # fmt: skip
    refused = client.post(address, posted)
    assert refused.status_code == 422
    assert "A segment cannot be part of itself: Weak ones → Outer ring → Weak ones." in (
        refused.content.decode()
    )
    retire = reverse("web:segment_retire", args=[weak.pk])
    assert client.post(retire).status_code == 409
