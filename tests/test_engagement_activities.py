"""The timeline: writing, undoing, paging, and the last meaningful touch."""

from datetime import timedelta

import pytest
from factories import NOW, make_activity, make_contact, make_customer, make_user

from gengyun.engagement.actions import activities as actions
from gengyun.engagement.models import Activity
from gengyun.engagement.queries import timeline
from gengyun.kernel.models import OutboxEvent
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_user("csm")


@pytest.fixture
def customer(owner):
    return make_customer("青禾科技", owner=owner)


def log(owner, customer, **values):
    given = {"kind": "call", "body": "聊了上线进度", "happened_at": NOW}
    return actions.log_activity(actor=owner, now=NOW, customer=customer, **(given | values))


def test_log_writes_activity_contacts_audit_and_event(owner, customer):
    contact = make_contact(customer, "周敏")
    activity = log(owner, customer, contact_ids=[contact.pk], outcome="partly")
    assert (activity.author, activity.recorded_at) == (owner, NOW)
    assert list(activity.contacts.all()) == [contact]
    assert AuditEntry.objects.get().action == "activity.create"
    event = OutboxEvent.objects.get()
    assert (event.name, event.payload) == ("activity.changed", {"customer_ids": [customer.pk]})


@pytest.mark.parametrize(
    "values, refusal",
    [
        ({"body": " \n"}, actions.ActivityEmpty),
        ({"body": "x" * 20_001}, actions.ActivityTooLong),
        ({"kind": "smoke"}, actions.KindUnknown),
        ({"kind": "system"}, actions.KindUnknown),
        ({"outcome": "maybe"}, actions.OutcomeUnknown),
        ({"happened_at": NOW + timedelta(hours=1)}, actions.ActivityInFuture),
    ],
)
def test_bad_activity_is_refused_and_nothing_written(owner, customer, values, refusal):
    with pytest.raises(refusal):
        log(owner, customer, **values)
    assert not Activity.objects.exists()
    assert not AuditEntry.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_deletion_can_be_undone(owner, customer):
    activity = log(owner, customer)
    actions.delete_activity(actor=owner, now=NOW, activity=activity)
    assert timeline.count(customer, owner) == 0
    actions.restore_activity(actor=owner, now=NOW, activity=activity)
    assert timeline.count(customer, owner) == 1
    actions.restore_activity(actor=owner, now=NOW, activity=activity)  # twice is harmless
    assert AuditEntry.objects.count() == 3


def test_edit_tells_old_and_new(owner, customer):
    activity = log(owner, customer)
    contact = make_contact(customer)
    later = NOW + timedelta(hours=2)
    changes = {"body": "补充：下周试用", "kind": "call", "contact_ids": [contact.pk]}
    actions.edit_activity(actor=owner, now=later, activity=activity, changes=changes)
    entry = AuditEntry.objects.get(action="activity.edit")
    assert entry.changes == {
        "body": ["聊了上线进度", "补充：下周试用"],
        "contacts": [[], [contact.pk]],
    }
    activity.refresh_from_db()
    assert activity.edited_at == later
    actions.edit_activity(actor=owner, now=later, activity=activity, changes=changes)
    assert AuditEntry.objects.filter(action="activity.edit").count() == 1


def test_timeline_pages_without_gaps_even_at_one_instant(owner, customer):
    for number in range(7):
        make_activity(customer, owner, body=str(number), kind="note" if number % 2 else "call")
    seen, before = [], ""
    while before is not None:
        page = timeline.timeline(customer, owner, before=before, limit=3)
        seen += [activity.body for activity in page.activities]
        before = page.next_before
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]
    notes = timeline.timeline(customer, owner, kinds=["note"]).activities
    assert [activity.body for activity in notes] == ["5", "3", "1"]
    assert len(timeline.timeline(customer, owner, before="nonsense").activities) == 7


def test_timeline_asks_the_same_number_of_queries_at_any_length(
    owner, customer, django_assert_num_queries
):
    for length in (1, 2):
        make_activity(customer, owner).contacts.add(make_contact(customer))
        with django_assert_num_queries(2):
            page = timeline.timeline(customer, owner)
            told = [(a.author.name, len(a.contacts.all())) for a in page.activities]
        assert told == [(owner.name, 1)] * length


def test_notes_are_no_touch_and_the_newest_touch_counts(owner, customer):
    other = make_customer()
    make_activity(customer, owner, kind="call", happened_at=NOW - timedelta(days=3))
    make_activity(customer, owner, kind="visit", happened_at=NOW - timedelta(days=5))
    make_activity(customer, owner, kind="note", happened_at=NOW)
    make_activity(customer, owner, kind="meeting", happened_at=NOW, deleted_at=NOW)
    found = timeline.last_touches([customer.pk, other.pk])
    assert found == {customer.pk: (NOW - timedelta(days=3), "call")}


def test_system_entries_are_nobodys_to_change(owner, customer):
    from gengyun.kernel.errors import NotFound

    entry = make_activity(customer, kind="system")
    with pytest.raises(NotFound):
        actions.delete_activity(actor=owner, now=NOW, activity=entry)
