"""Domain events: delivered after the commit, never before, and again after a failure."""

import pytest
from django.db import transaction
from factories import NOW

from gengyun.kernel import outbox
from gengyun.kernel.models import OutboxEvent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard():
    """What a handler for `test.happened` heard; the handler goes away with the test."""
    notes = []

    def handler(payload, now):
        notes.append(payload)

    outbox.on("test.happened")(handler)
    yield notes
    outbox._handlers["test.happened"].remove(handler)


def test_event_is_delivered_after_the_commit_and_its_row_goes(heard):
    with transaction.atomic():
        outbox.emit("test.happened", {"id": 1}, now=NOW)
        assert heard == []
    assert heard == [{"id": 1}]
    assert not OutboxEvent.objects.exists()


def test_event_of_a_rolled_back_change_is_never_heard(heard):
    with transaction.atomic():
        outbox.emit("test.happened", {"id": 1}, now=NOW)
        transaction.set_rollback(True)
    assert heard == []
    assert not OutboxEvent.objects.exists()


def test_failed_delivery_is_kept_and_tried_again(caplog):
    failures = [RuntimeError("database went away")]

    def handler(payload, now):
        if failures:
            raise failures.pop()

    outbox.on("test.fails_once")(handler)
    with transaction.atomic():
        outbox.emit("test.fails_once", {}, now=NOW)
    event = OutboxEvent.objects.get()
    assert event.attempts == 1
    assert "database went away" in event.last_error
    assert outbox.deliver_pending() == 1
    assert not OutboxEvent.objects.exists()


def test_pending_events_of_a_killed_process_are_delivered_in_order(heard):
    for n in (1, 2, 3):
        OutboxEvent.objects.create(name="test.happened", payload={"id": n}, created_at=NOW)
    assert outbox.deliver_pending() == 3
    assert [payload["id"] for payload in heard] == [1, 2, 3]
