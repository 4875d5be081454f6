"""Source pages: keys, snippets that work, the live list, what waits and replay."""

import http.server
import json
import subprocess
import sys
import threading

import pytest
from factories import NOW, make_customer, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client, settings, tmp_path):
    settings.DATA_DIR, settings.INBOX_PATH = tmp_path, tmp_path / "inbox.sqlite3"
    client.force_login(make_user("operations", language="en"))
    return client


@pytest.fixture
def source(person):
    from gengyun.usage.models import Source

    assert person.post("/settings/sources/new/", {"name": "Product"}).status_code == 303
    return Source.objects.get()


def arrive(source, outcome, **values):
    from gengyun.usage.models import Arrival

    base = {"kind": "track", "event": "导出报表", "user_id": "u_1", "group_id": "acct_88"}
    base |= {"received_at": NOW, "happened_at": NOW, "body": '{"event":"导出报表"}'}
    return Arrival.objects.create(source=source, outcome=outcome, **(base | values))


def quarantine(source, reason, position=0, **values):
    from gengyun.usage.models import QuarantinedEvent

    body = '{"type":"track","event":"x","userId":"u_1","context":{"groupId":"acct_88"}}'
    return QuarantinedEvent.objects.create(
        source=source, inbox_id=1, position=position, reason=reason, group_id="acct_88",
        user_id="u_1", received_at=NOW, body=body, **values,
    )  # fmt: skip


def test_a_new_source_shows_snippets_with_its_key_and_this_address(person, source):
    from html import unescape

    page = unescape(person.get(f"/settings/sources/{source.pk}/").content.decode())
    key = source.keys.get().key
    assert page.count(key) >= 5  # four snippets and the list of keys
    assert "http://testserver" in page
    for piece in ("curl -sS http://testserver/v1/batch", "segment-analytics-python",
                  "@segment/analytics-node", "fetch(ADDRESS"):  # fmt: skip
        assert piece in page, piece
    assert "Waiting for the first event" in page


def test_a_leader_does_not_see_keys(client, source):
    client.force_login(make_user("leader"))
    page = client.get(f"/settings/sources/{source.pk}/").content.decode()
    assert source.keys.get().key not in page


def test_a_source_without_a_name_is_refused(person):
    from gengyun.usage.models import Source

    answer = person.post("/settings/sources/new/", {"name": " "})
    assert answer.status_code == 422
    assert not Source.objects.exists()


def test_a_source_is_edited(person, source):
    values = {"name": "App", "unknown_customer": "create", "is_browser": "1"}
    assert person.post(f"/settings/sources/{source.pk}/edit/", values).status_code == 303
    source.refresh_from_db()
    assert (source.name, source.unknown_customer, source.is_browser) == ("App", "create", True)
    assert not source.is_active  # the box was not ticked
    assert "switched off" in person.get(f"/settings/sources/{source.pk}/").content.decode()


def test_keys_are_made_and_revoked_but_not_the_last(person, source):
    first = source.keys.get()
    revoke = f"/settings/sources/{source.pk}/keys/{first.pk}/revoke/"
    assert person.post(revoke).status_code == 303
    first.refresh_from_db()
    assert first.revoked_at is None  # the only one stays
    assert "only valid key" in person.get(f"/settings/sources/{source.pk}/").content.decode()
    person.post(f"/settings/sources/{source.pk}/keys/")
    person.post(revoke)
    first.refresh_from_db()
    assert first.revoked_at is not None
    assert first.key not in person.get(f"/settings/sources/{source.pk}/").content.decode()


@pytest.mark.parametrize(
    "outcome, words",
    [
        ("accepted", "Accepted"),
        ("duplicate", "counted once"),
        ("unknown_customer", "No customer has this id yet"),
        ("no_customer", "context.groupId"),
        ("no_user", "anonymousId"),
        ("no_event_name", "must say what happened"),
        ("bad_type", "another type"),
        ("bad_time", "ISO 8601"),
        ("too_large", "32 KB"),
        ("bad_shape", "not a JSON object"),
    ],
)
def test_live_list_says_what_became_of_each_event(person, source, outcome, words):
    arrive(source, outcome, customer=make_customer("晨曦科技"))
    page = person.get(f"/settings/sources/{source.pk}/live/", headers={"HX-Request": "true"})
    text = page.content.decode()
    assert "<html" not in text
    assert "导出报表" in text
    assert "晨曦科技" in text
    assert words in text


def test_every_reason_of_the_models_has_words():
    from gengyun.usage.models import QuarantinedEvent
    from gengyun.web.present.outcomes import OUTCOMES

    assert set(QuarantinedEvent.Reason.values) <= set(OUTCOMES)


def test_live_list_answers_204_when_nothing_is_new(person, source):
    import re

    arrive(source, "accepted")
    path = f"/settings/sources/{source.pk}/live/"
    mark = re.search(r"mark=([\d-]+)", person.get(path).content.decode())[1]
    assert person.get(f"{path}?mark={mark}").status_code == 204
    arrive(source, "duplicate")
    assert person.get(f"{path}?mark={mark}").status_code == 200


def test_requests_that_wait_for_the_worker_are_counted(person, source, settings):
    from gengyun.lake.inbox import Inbox, NewBatch

    with Inbox(settings.INBOX_PATH) as inbox:
        batch = NewBatch(
            source_id=source.pk, kind="batch", received_at=1, sent_at=None, body=b"{}", events=1
        )
        inbox.append_many([batch])
    page = person.get(f"/settings/sources/{source.pk}/").content.decode()
    assert "waits for the worker" in page


def test_waiting_events_say_why_and_are_replayed(person, source):
    from gengyun.lake.inbox import Inbox
    from gengyun.usage.models import QuarantinedEvent

    quarantine(source, "unknown_customer")
    quarantine(source, "bad_time", position=1)
    page = person.get(f"/settings/sources/{source.pk}/").content.decode()
    assert "Create or import the customer with this id" in page
    assert page.count("Replay") == 1  # a broken time does not heal by itself
    detail = person.get(f"/settings/sources/{source.pk}/quarantine/?reason=unknown_customer")
    assert "acct_88" in detail.content.decode()
    replay = f"/settings/sources/{source.pk}/replay/"
    assert person.post(replay, {"reason": "unknown_customer"}).status_code == 303
    from django.conf import settings as live

    with Inbox(live.INBOX_PATH) as inbox:
        assert inbox.depth() == 1
    waiting = QuarantinedEvent.objects.filter(replayed_at=None, reason="bad_time")
    assert waiting.count() == 1


def test_creating_the_customer_lets_its_events_go_on(
    person, source, settings, django_capture_on_commit_callbacks
):
    from gengyun.lake.inbox import Inbox

    quarantine(source, "unknown_customer")
    page = person.get(f"/settings/sources/{source.pk}/quarantine/").content.decode()
    assert "/customers/new/?external_id=acct_88" in page
    form = person.get("/customers/new/?external_id=acct_88").content.decode()
    assert 'value="acct_88"' in form
    with django_capture_on_commit_callbacks(execute=True):
        answer = person.post("/customers/new/", {"name": "晨曦科技", "external_id": "acct_88"})
    assert answer.status_code == 302
    with Inbox(settings.INBOX_PATH) as inbox:
        assert inbox.depth() == 1


class Recorder(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers.get("Authorization"), json.loads(body)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"success":true}')

    def log_message(self, *args):
        pass


@pytest.fixture
def recorder():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.got = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["python", "curl"])
def test_a_snippet_runs_as_it_is_and_sends_key_customer_and_event(recorder, name):
    from gengyun.web.present.snippets import snippets

    address = f"http://127.0.0.1:{recorder.server_port}/"
    found = {s.name: s for s in snippets(address=address, key="KEY-1", is_browser=False)}
    command = [sys.executable, "-c"] if name == "python" else ["bash", "-c"]
    subprocess.run([*command, found[name].code], check=True, timeout=60)
    events = [event for path, _, body in recorder.got for event in body["batch"]]
    assert {path for path, _, _ in recorder.got} == {"/v1/batch"}
    assert all(authorization.startswith("Basic ") for _, authorization, _ in recorder.got)
    track = next(event for event in events if event["type"] == "track")
    assert track["context"]["groupId"] == "acct_88"
    assert track["event"]
    assert any(event["type"] == "group" for event in events)
