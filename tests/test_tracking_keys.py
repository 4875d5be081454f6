"""Write keys in memory: new, revoked, switched off, and what is said when nobody can know."""

import time

import pytest
from django.db import OperationalError
from factories import NOW

from gengyun.tracking.keys import Keys
from gengyun.tracking.refusals import NotReady, SourceDisabled, Unauthorized
from gengyun.usage.actions.key_use import note_keys_used
from gengyun.usage.models import Source, WriteKey


def make_key(key="k", *, revoked_at=None, is_active=True):
    source = Source.objects.create(key=key, name=key, created_at=NOW, is_active=is_active)
    return WriteKey.objects.create(source=source, key=key, created_at=NOW, revoked_at=revoked_at)


@pytest.mark.django_db
def test_key_is_found_after_one_look_into_the_database():
    made = make_key()
    keys = Keys()
    assert keys.find("k") is None
    assert keys.find_again("k", time.monotonic()).source_id == made.source_id
    assert keys.find("k").source_id == made.source_id


@pytest.mark.django_db
def test_key_that_is_unknown_or_revoked_is_refused():
    make_key("old", revoked_at=NOW)
    keys = Keys()
    for key in ("old", "never"):
        with pytest.raises(Unauthorized):
            keys.find_again(key, time.monotonic())


@pytest.mark.django_db
def test_key_of_a_source_that_is_off_says_so():
    make_key(is_active=False)
    with pytest.raises(SourceDisabled):
        Keys().find_again("k", time.monotonic())


@pytest.mark.django_db
def test_unknown_keys_do_not_ask_the_database_again_and_again(django_assert_num_queries):
    keys = Keys()
    asked_at = time.monotonic()
    with django_assert_num_queries(1):
        for n in range(20):
            with pytest.raises(Unauthorized):
                keys.find_again(f"guess-{n}", asked_at)


@pytest.mark.django_db
def test_key_made_just_after_a_look_is_found_by_the_next():
    keys = Keys()
    with pytest.raises(Unauthorized):
        keys.find_again("k", time.monotonic())
    made = make_key()
    assert keys.find_again("k", time.monotonic()).source_id == made.source_id


@pytest.mark.django_db
def test_without_the_database_known_keys_stay_and_others_are_asked_to_wait(monkeypatch):
    made = make_key()
    keys = Keys()
    keys.find_again("k", time.monotonic())
    keys._fresh_at = float("-inf")

    def away(*args, **kwargs):
        raise OperationalError("away")

    monkeypatch.setattr(WriteKey.objects, "filter", away)
    monkeypatch.setattr("gengyun.tracking.keys.connection.close", lambda: None)
    assert keys.find("k").source_id == made.source_id
    with pytest.raises(NotReady):
        keys.find_again("new", time.monotonic())


@pytest.mark.django_db
def test_use_of_a_key_is_noted():
    used, unused = make_key("a"), make_key("b")
    note_keys_used(keys={"a"}, now=NOW)
    used.refresh_from_db()
    unused.refresh_from_db()
    assert (used.last_used_at, unused.last_used_at) == (NOW, None)
