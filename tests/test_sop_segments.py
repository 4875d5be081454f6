"""Segments: who is in now, who was when, pins, and whose business they are."""

from datetime import UTC, datetime, timedelta

import pytest
from factories import make_contact, make_user
from test_sop_engine import MONDAY, day, make_scored, set_score

from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.portfolio.actions.segments import (
    SegmentFieldGone,
    SegmentNameMissing,
    create_segment,
    edit_segment,
    pin,
    restore_segment,
    retire_segment,
)
from gengyun.portfolio.calc.filters import BadFilter
from gengyun.portfolio.models import SegmentStay
from gengyun.portfolio.queries.segments import count, members, segments_of

pytestmark = pytest.mark.django_db
LOW = {"field": "score", "op": "lt", "value": 50}
NOW = datetime(2026, 3, 2, 2, tzinfo=UTC)
TODAY = day_of(MONDAY)


def make_segment(actor=None, **values):
    actor = actor or make_user("operations")
    given = {"name": "低分", "expression": LOW, "is_shared": True, **values}
    return create_segment(actor=actor, now=NOW, **given)


def stays(customer):
    return list(
        SegmentStay.objects.filter(customer=customer).order_by("pk").values_list("from_on", "to_on")
    )


def test_stays_say_who_was_in_on_which_day_and_a_second_run_changes_nothing():
    segment, customer = make_segment(), make_scored(40.0)
    for n, score in enumerate([40.0, 40.0, 60.0, 40.0]):
        set_score(customer, score)
        day(MONDAY + timedelta(days=n))
        day(MONDAY + timedelta(days=n))
    assert stays(customer) == [
        (TODAY, TODAY + timedelta(days=2)), (TODAY + timedelta(days=3), None)
    ]  # fmt: skip
    inside = [
        SegmentStay.objects.on(TODAY + timedelta(days=n)).filter(segment=segment).count()
        for n in range(4)
    ]
    assert inside == [1, 1, 0, 1]
    assert segments_of(customer.pk, actor=None) == [segment]


def test_a_pin_beats_the_condition_in_the_count_and_in_the_history():
    author = make_user("operations")
    segment = make_segment(author)
    low, high = make_scored(40.0), make_scored(80.0)
    pin(actor=author, now=NOW, segment=segment, customer=low, is_in=False, reason="谈过")
    pin(actor=author, now=NOW, segment=segment, customer=high, is_in=True)
    assert [row.pk for row in members(segment, actor=None, today=TODAY)] == [high.pk]
    day(MONDAY)
    assert (len(stays(low)), len(stays(high))) == (0, 1)
    pin(actor=author, now=NOW, segment=segment, customer=high, is_in=None)
    day(MONDAY + timedelta(days=1))
    assert stays(high) == [(TODAY, TODAY + timedelta(days=1))]


def test_pins_of_a_segment_of_everybody():
    author = make_user("operations")
    segment = make_segment(author, expression={"all": []})
    one, two = make_scored(), make_scored()
    pin(actor=author, now=NOW, segment=segment, customer=one, is_in=False)
    pin(actor=author, now=NOW, segment=segment, customer=two, is_in=True)
    assert [row.pk for row in members(segment, actor=None, today=TODAY)] == [two.pk]


def test_contacts_are_counted_by_the_part_they_play():
    segment = make_segment(of="contact", narrowed_to=["champion"])
    customer = make_scored()
    make_contact(customer, part="champion")
    make_contact(customer, part="champion", left_on=TODAY)
    make_contact(customer, part="user")
    assert count(segment, actor=None, today=TODAY) == 1
    day(MONDAY)
    assert SegmentStay.objects.get().identity.startswith("k:")


def test_a_csm_sees_own_customers_in_a_shared_segment_and_cannot_share():
    segment, csm = make_segment(), make_user()
    make_scored(40.0)
    own = make_scored(40.0, owner=csm)
    assert [row.pk for row in members(segment, actor=csm, today=TODAY)] == [own.pk]
    assert count(segment, actor=csm, today=TODAY) == 1
    with pytest.raises(NotAllowed):
        make_segment(csm)
    private = make_segment(csm, is_shared=False)
    with pytest.raises(NotFound):
        edit_segment(actor=make_user(), now=NOW, segment=private, name="x", expression=LOW)
    with pytest.raises(NotAllowed):  # shared, but of somebody else
        edit_segment(actor=csm, now=NOW, segment=segment, name="x", expression=LOW)
    with pytest.raises(NotAllowed):
        make_segment(make_user("viewer"), is_shared=False)


@pytest.mark.parametrize(
    "values, refusal",
    [
        ({"name": " "}, SegmentNameMissing),
        ({"name": "x" * 61}, SegmentNameMissing),
        ({"expression": {"field": "gone", "op": "is", "value": 1}}, BadFilter),
        ({"expression": {"field": "custom.gone", "op": "known"}}, SegmentFieldGone),
        ({"expression": {"step": {"key": "a", "is": "done"}}}, BadFilter),
    ],
)
def test_what_a_segment_cannot_be_is_refused(values, refusal):
    with pytest.raises(refusal):
        make_segment(**values)


def test_a_retired_segment_is_not_followed_and_comes_back():
    author = make_user("operations")
    segment = make_segment(author)
    customer = make_scored(40.0)
    retire_segment(actor=author, now=NOW, segment=segment)
    day(MONDAY)
    assert stays(customer) == []
    restore_segment(actor=author, now=NOW, segment=segment)
    day(MONDAY + timedelta(days=1))
    assert stays(customer) == [(TODAY + timedelta(days=1), None)]
