"""Sources and their keys: who may change them, what is kept of it, what is refused."""

from datetime import UTC, datetime, timedelta

import factories
import pytest

from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.team.models import AuditEntry
from gengyun.usage.actions.sources import (
    LastKey,
    SourceKeyTaken,
    SourceNameMissing,
    create_key,
    create_source,
    edit_source,
    revoke_key,
    rotate_key,
)
from gengyun.usage.models import QuarantinedEvent, Source, WriteKey
from gengyun.usage.queries.sources import keys, waiting

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def make(**values):
    return create_source(actor=None, now=NOW, **{"name": "产品", **values})


def test_create_source_gives_a_key_and_an_audit_row():
    admin = factories.make_user("admin")
    source = create_source(actor=admin, now=NOW, name="  Main product ", is_browser=True)
    assert (source.key, source.name, source.unknown_customer) == (
        "main-product",
        "Main product",
        "quarantine",
    )
    assert len(source.keys.get().key) >= 32
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.object_label) == (
        admin,
        "source.create",
        "Main product",
    )


def test_a_chinese_name_gets_a_key_of_its_own():
    assert make().key.startswith("source-")
    assert make().key != Source.objects.first().key


def test_create_source_refuses_no_name_and_a_key_that_is_taken():
    with pytest.raises(SourceNameMissing):
        make(name="  ")
    make(key="app")
    with pytest.raises(SourceKeyTaken):
        make(key="app")
    assert Source.objects.count() == 1


@pytest.mark.parametrize("role", ["leader", "csm", "viewer"])
def test_other_roles_change_nothing(role):
    source = make()
    actor = factories.make_user(role)
    audited = AuditEntry.objects.count()
    for change in (
        lambda: create_source(actor=actor, now=NOW, name="x"),
        lambda: edit_source(actor=actor, now=NOW, source=source, changes={"name": "y"}),
        lambda: create_key(actor=actor, now=NOW, source=source),
        lambda: revoke_key(actor=actor, now=NOW, key=source.keys.get()),
        lambda: rotate_key(actor=actor, now=NOW, key=source.keys.get()),
    ):
        with pytest.raises(NotAllowed):
            change()
    assert (Source.objects.count(), WriteKey.objects.count()) == (1, 1)
    assert AuditEntry.objects.count() == audited


def test_edit_source_audits_what_changed_and_only_that():
    source = make()
    edit_source(
        actor=None, now=NOW, source=source, changes={"name": "产品", "unknown_customer": "create"}
    )
    source.refresh_from_db()
    assert source.unknown_customer == "create"
    assert AuditEntry.objects.get(action="source.edit").changes == {
        "unknown_customer": ["quarantine", "create"]
    }


def test_the_last_key_stays_while_the_source_is_on():
    source = make()
    key = source.keys.get()
    with pytest.raises(LastKey):
        revoke_key(actor=None, now=NOW, key=key)
    new = create_key(actor=None, now=NOW + timedelta(minutes=1), source=source)
    revoke_key(actor=None, now=NOW + timedelta(minutes=2), key=key)
    assert list(keys(source)) == [new, key]
    assert key.revoked_at is not None


def test_rotate_key_ends_the_old_one_at_once_and_only_once():
    source = make()
    key = source.keys.get()
    fresh = rotate_key(actor=None, now=NOW, key=key)
    assert (fresh.revoked_at, fresh.key != key.key) == (None, True)
    with pytest.raises(NotFound):
        rotate_key(actor=None, now=NOW, key=key)
    # a key is a secret: the audit log shows its beginning
    assert not [e for e in AuditEntry.objects.all() if fresh.key in str(e.changes)]


def test_waiting_counts_by_reason_and_customer():
    source = make()
    for place, group in enumerate(["a", "a", "b"]):
        QuarantinedEvent.objects.create(
            source=source,
            inbox_id=1,
            position=place,
            reason="unknown_customer",
            group_id=group,
            received_at=NOW,
            body="{}",
        )
    assert [(w.group_id, w.count) for w in waiting(source)] == [("a", 2), ("b", 1)]
