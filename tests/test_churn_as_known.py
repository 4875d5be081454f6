"""Snapshots of past days are what those days knew, whatever was changed in the rows since.

Through the real actions and the real queries: the snapshot of a past day is built, something is
changed today, and it is built again.
"""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from factories import make_customer, make_user

from gengyun.churn.calc.observed import KINDS
from gengyun.churn.calc.snapshot import Reader
from gengyun.churn.queries.observed import observed_as_of
from gengyun.customers.actions.contacts import create_contact, edit_contact, mark_left
from gengyun.engagement.actions.activities import (
    delete_activity,
    edit_activity,
    log_activity,
    restore_activity,
)
from gengyun.engagement.actions.risks import end_risk, note_risk, resume_risk
from gengyun.lake.store import Lake
from gengyun.revenue.actions.billing import (
    create_invoice,
    dispute_invoice,
    record_payment,
    restore_invoice,
    void_invoice,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def ago(count):
    return TODAY - timedelta(days=count)


def at(count):
    day = ago(count)
    return datetime(day.year, day.month, day.day, 2, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture
def one():
    return make_customer("一", known_at=LONG_AGO, created_at=LONG_AGO)


def rows(lake, count):
    """All that a past day knew: dated facts and key users."""
    found = observed_as_of(ago(count), lake=lake)
    return [
        [list(map(str, column)) for column in vars(columns).values()]
        for columns in (found.facts, found.key_users)
    ]


def facts(lake, kind, count=-1):
    """(happened, known, until) in days ago."""
    found = observed_as_of(ago(count), lake=lake).facts

    def back(days):
        return [None if np.isnat(day) else (TODAY - day.astype(date)).days for day in days]

    mine = found.taken(found.kind == KINDS.index(kind))
    return list(zip(back(mine.happened), back(mine.known), back(mine.until), strict=True))


def seen(lake, one, key, counts):
    """A raw number of snapshots of past days, all read from what is held today."""
    reader = Reader.of(observed_as_of(ago(-1), lake=lake))
    found = reader.snapshot(account=[one.pk] * len(counts), at=[ago(count) for count in counts])
    return found.raw[key].tolist() if key in found.raw else found.column(key).tolist()


def bill(one, number="1", due=60, known=90, amount=100, **values):
    return create_invoice(
        actor=None, now=at(known), customer=one, number=number, issued_on=ago(90),
        due_on=ago(due), amount_minor=amount, **values,
    )  # fmt: skip


def pay(one, count, amount=100, invoice=None, **values):
    return record_payment(
        actor=None, now=at(count), customer=one, received_on=ago(count), amount_minor=amount,
        invoice=invoice, **values,
    )  # fmt: skip


def dispute(row, count, since):
    since = None if since is None else ago(since)
    return dispute_invoice(actor=None, now=at(count), invoice=row, since=since)


# --- invoices -------------------------------------------------------------------------------------


def test_a_dispute_settled_today_stays_in_the_snapshots_of_the_days_it_lasted(lake, one):
    row = bill(one)
    dispute(row, 40, 40)
    before = {count: rows(lake, count) for count in (50, 40, 39, 10, 0)}
    assert facts(lake, "dispute") == [(40, 40, None)]
    dispute(row, 0, None)
    assert {count: rows(lake, count) for count in before} == before
    assert facts(lake, "dispute") == [(40, 40, 0)]
    assert seen(lake, one, "disputes", [40, 39, 0, -1]) == [
        pytest.approx(np.nan, nan_ok=True), 1, 1, 0,
    ]  # fmt: skip


def test_a_dispute_does_not_erase_that_it_was_overdue_and_settled_it_is_again(lake, one):
    row = bill(one)
    before = {count: rows(lake, count) for count in (50, 40)}
    dispute(row, 40, 40)
    assert {count: rows(lake, count) for count in before} == before
    dispute(row, 20, None)
    pay(one, 5, invoice=row)
    assert facts(lake, "invoice") == [(60, 90, 40), (60, 20, 5)]
    assert seen(lake, one, "overdue_days", [50, 40, 39, 20, 19, 5, 4]) == [
        10, 20, 0, 0, 41, 55, 0,
    ]  # fmt: skip


def test_a_dispute_dated_back_is_known_since_it_was_entered(lake, one):
    row = bill(one)
    before = rows(lake, 30)
    dispute(row, 30, 55)
    assert rows(lake, 30) == before
    dispute(row, 20, 50)  # another day: the same dispute
    dispute(row, 10, None)
    assert facts(lake, "dispute", count=15) == [(55, 30, 20), (50, 20, None)]
    assert seen(lake, one, "overdue_days", [54, 30, 29, 10, 9])[:3] == [6, 30, 0]
    assert seen(lake, one, "disputes", [29, 20, 19, 10, 9]) == [1, 1, 1, 1, 0]


def test_a_dispute_said_in_advance_begins_on_its_day(lake, one):
    row = bill(one)
    dispute(row, 40, 30)
    assert facts(lake, "invoice") == [(60, 90, 30)]
    assert facts(lake, "dispute") == [(30, 30, None)]
    dispute(row, 35, None)  # it never came to that
    assert facts(lake, "invoice") == [(60, 90, None)]
    assert facts(lake, "dispute") == []


def test_a_voided_invoice_was_overdue_until_then(lake, one):
    row = bill(one)
    before = {count: rows(lake, count) for count in (59, 30, 0)}
    void_invoice(actor=None, now=at(0), invoice=row)
    assert {count: rows(lake, count) for count in before} == before
    assert facts(lake, "invoice") == [(60, 90, 0)]
    restore_invoice(actor=None, now=at(-3), invoice=row)
    assert facts(lake, "invoice", count=-4) == [(60, 90, 0), (60, -3, None)]


def test_money_that_names_no_invoice_paid_what_was_the_oldest_then(lake, one):
    first, second = bill(one, "1", due=60), bill(one, "2", due=50)
    pay(one, 40)
    pay(one, 39, amount=1_000, currency="USD")  # another currency pays neither
    before = {count: rows(lake, count) for count in (41, 30, 0)}
    assert facts(lake, "invoice") == [(60, 90, 40), (50, 90, None)]
    void_invoice(actor=None, now=at(0), invoice=first)
    bill(one, "3", due=70, known=0)  # entered late, due before both
    assert {count: rows(lake, count) for count in before} == before
    # the money of then paid what was entered late and is the oldest now
    assert [row for row in facts(lake, "invoice") if row[2] is None] == [(50, 90, None)]
    void_invoice(actor=None, now=at(-2), invoice=second)
    assert (50, 90, -2) in facts(lake, "invoice", count=-3)


def test_payments_that_name_their_invoice_add_up_and_refunds_owe_nothing_again(lake, one):
    row = bill(one)
    pay(one, 50, amount=60, invoice=row)
    pay(one, 30, amount=40, invoice=row)
    pay(one, 20, amount=-100, invoice=row)
    assert facts(lake, "invoice") == [(60, 90, 30)]


# --- risks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", ["competitor", "no_feedback", "need_unmet"])
def test_a_risk_ended_as_a_mistake_stands_on_the_days_before(lake, one, cause):
    row = note_risk(actor=None, now=at(30), customer=one, cause=cause, happened_on=ago(35))
    before = {count: rows(lake, count) for count in (30, 29, 0)}
    assert len(before[0][0][0]) == 1
    end_risk(actor=None, now=at(0), risk=row, mistaken=True)
    assert {count: rows(lake, count) for count in before} == before
    key = {"competitor": "competitor", "no_feedback": "no_reply_90"}.get(cause, "risk_noted")
    assert seen(lake, one, key, [29, 0, -1]) == [1, 1, 0]
    resume_risk(actor=None, now=at(-5), risk=row)
    assert {count: rows(lake, count) for count in before} == before
    reader = Reader.of(observed_as_of(ago(-7), lake=lake))
    again = reader.snapshot(account=[one.pk] * 3, at=[ago(0), ago(-5), ago(-6)])
    found = again.raw[key] if key in again.raw else again.column(key)
    assert found.tolist() == [1, 0, 1]


# --- people and touches ---------------------------------------------------------------------------


def person(one, count=100, **values):
    given = {"name": "王", "part": "decider", "product_user_id": "u1"} | values
    return create_contact(actor=None, now=at(count), customer=one, values=given)


@pytest.mark.parametrize(
    "changes", [{"part": "user"}, {"part": "champion"}, {"product_user_id": "u2"}]
)
def test_a_part_changed_today_changes_no_past_snapshot(lake, one, changes):
    boss = person(one)
    said(one, boss)
    mark_left(actor=None, now=at(20), contact=boss, left_on=ago(25))
    before = {count: rows(lake, count) for count in (40, 20, 19, 0)}
    edit_contact(actor=None, now=at(0), contact=boss, changes=changes)
    assert {count: rows(lake, count) for count in before} == before


def test_who_became_a_decider_later_was_none_before(lake, one):
    boss = person(one, part="user")
    said(one, boss)
    before = {count: rows(lake, count) for count in (40, 10)}
    edit_contact(actor=None, now=at(10), contact=boss, changes={"part": "decider"})
    assert {count: rows(lake, count) for count in before} == before
    assert facts(lake, "exec_contact") == [(50, 10, None)]


def test_a_departure_taken_back_was_held_to_be_one(lake, one):
    boss = person(one)
    mark_left(actor=None, now=at(20), contact=boss, left_on=ago(25))
    before = {count: rows(lake, count) for count in (21, 20, 19, 0)}
    assert before[21][1] != before[19][1]  # a key user who is there, and one who is not
    mark_left(actor=None, now=at(0), contact=boss, left_on=None)
    assert {count: rows(lake, count) for count in before} == before
    assert facts(lake, "decider_left") == [(25, 20, 0)]
    edit_contact(actor=None, now=at(-1), contact=boss, changes={"title": "CTO"})
    assert facts(lake, "decider_left", count=-3) == [(25, 20, 0)]


def said(one, *people, kind="meeting", outcome="not"):
    return log_activity(
        actor=None, now=at(49), customer=one, kind=kind, body="聊了", happened_at=at(50),
        contact_ids=[person.pk for person in people], outcome=outcome,
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "solved"},
        {"kind": "note"},
        {"kind": "call"},
        {"happened_at": at(80)},
        {"contact_ids": []},
        {"body": "另一句"},
    ],
)
def test_a_touch_edited_today_changes_no_past_snapshot(lake, one, changes):
    row = said(one, person(one))
    before = {count: rows(lake, count) for count in (49, 48, 0)}
    assert len(before[0][0][0]) == 4
    edit_activity(actor=make_user("admin"), now=at(0), activity=row, changes=changes)
    assert {count: rows(lake, count) for count in before} == before
    assert (rows(lake, -1) == before[0]) is ("body" in changes)


def test_a_touch_deleted_today_was_there_and_restored_it_is_again(lake, one):
    row = said(one, person(one))
    before = {count: rows(lake, count) for count in (48, 0)}
    admin = make_user("admin")
    delete_activity(actor=admin, now=at(0), activity=row)
    assert {count: rows(lake, count) for count in before} == before
    assert facts(lake, "touch") == [(50, 49, 0)]
    keys = ("touches_past", "meetings_90", "exec_contact_90", "not_solved_90")
    assert [seen(lake, one, key, [0, -1]) for key in keys] == [[1, 0]] * 4
    restore_activity(actor=admin, now=at(-4), activity=row)
    assert facts(lake, "exec_contact", count=-6) == [(50, 49, 0), (50, -4, None)]
