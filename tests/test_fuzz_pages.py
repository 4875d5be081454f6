"""Ten thousand odd requests at the pages, as each role: a clear answer each time, never a 5xx."""

import logging
import socket
import traceback
from collections import Counter
from datetime import UTC, date, datetime

import odd_requests
import pytest
from hypothesis import HealthCheck, Phase, given, settings

pytestmark = pytest.mark.slow
REQUESTS = 10_000
ROLES = ("admin", "operations", "csm", "leader", "viewer", "")
# of the whole: who may do more gets more
SHARES = {"": 0.06, "csm": 0.2, "leader": 0.16, "operations": 0.22, "admin": 0.26, "viewer": 0.1}
AS_OF = date(2026, 11, 22)


@pytest.fixture
def company(db, settings, tmp_path, monkeypatch):
    """A small demo company; nothing that a request does reaches another machine."""
    from gengyun.demo.load.build import build

    settings.DATA_DIR = tmp_path
    settings.LAKE_DIR = tmp_path / "lake"
    settings.INBOX_PATH = tmp_path / "inbox.sqlite3"
    settings.DEBUG = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    build(as_of=AS_OF, now=datetime(2026, 11, 22, 1, tzinfo=UTC), seed=5, count=30, weeks=1)

    def refused(*_args, **_options):
        raise ConnectionRefusedError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Asking:
    """A client of one role, and what it met."""

    def __init__(self, role):
        from django.test import Client

        from gengyun.team.models import User

        self.role, self.outcomes, self.faults = role, Counter(), []
        self.client = Client(raise_request_exception=False)
        self.user = User.objects.filter(role=role).order_by("pk").first() if role else None
        self.raised = []
        self.log_in()

    def log_in(self):
        """Again and again: a request may have logged out, or changed who we are."""
        if self.user:
            self.user.save()
            self.client.force_login(self.user)

    def send(self, request):
        self.raised.clear()
        response = self.client.generic(
            request.method,
            request.path,
            request.body,
            content_type=request.content_type,
            QUERY_STRING=request.query,
            **request.headers,
        )
        body = response.getvalue()
        self.outcomes[response.status_code] += 1
        if response.status_code >= 500 or b"Traceback (most recent" in body:
            why = self.raised[-1] if self.raised else body[:300].decode("utf-8", "replace")
            self.faults.append((request, response.status_code, why))
        if response.status_code in {302, 303} or "logout" in request.path:
            self.log_in()
        return response, body

    def keep(self, sender, request, **_):
        self.raised.append(traceback.format_exc())


def look_around(asking):
    """What the pages offer this person: forms, queries, and paths with arguments that exist."""
    from django.urls import get_resolver

    from gengyun.cli import demo_check

    samples, forms, queries = {}, {}, set()
    walked = demo_check._walk(get_resolver().url_patterns, "")
    views = [odd_requests.view_of(pattern, callback) for _name, pattern, callback in walked]
    links = set()
    for page in demo_check.pages(asking.user):
        _response, body = asking.send(odd_requests.Request("GET", page.path))
        found, met = odd_requests.forms_of(page.path, body.decode("utf-8", "replace"))
        forms |= {(form.action, form.method, form.fields): form for form in found}
        links |= met
    for link in sorted(links):
        path, _, query = link.partition("?")
        if query:
            queries.add(query)
        for part in path.strip("/").split("/"):
            kind = "<int:pk>" if part.isdecimal() else "<slug:key>"
            samples.setdefault(kind, []).append(part)
    for kind in ("<int:contact>", "<int:activity>", "<int:other>"):
        samples[kind] = samples.get("<int:pk>", [])
    samples["<str:field>"] = ["next_step", "csm", "renews_on", "arr", "tier", "name", "seats"]
    return views, {k: sorted(set(v))[:60] for k, v in samples.items()}, forms, sorted(queries)


def fuzz(asking, count):
    views, samples, forms, queries = look_around(asking)
    strategy = odd_requests.requests(
        views=views, samples=samples, forms=list(forms.values()), queries=queries
    )

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def ask(request):
        asking.send(request)

    ask()
    if asking.role == "admin":
        for request in odd_requests.sweep(views, samples):
            asking.send(request)
    # what was stored on the way must not break the pages that show it
    look_around(asking)
    return len(forms)


def test_ten_thousand_odd_requests_meet_no_server_error(company, capsys):
    from django.core.signals import got_request_exception
    from django.db import transaction

    faults, sent = [], 0
    for role in ROLES:
        asking = Asking(role)
        got_request_exception.connect(asking.keep)
        with transaction.atomic():  # each role meets the company as it was built
            forms = fuzz(asking, round(REQUESTS * SHARES[role]))
            transaction.set_rollback(True)
        got_request_exception.disconnect(asking.keep)
        sent += asking.outcomes.total()
        faults += asking.faults
        with capsys.disabled():
            told = ", ".join(f"{code}: {n}" for code, n in sorted(asking.outcomes.items()))
            print(f"  {role or 'stranger':<11} {forms:>3} forms  {told}")
            _tell(asking.faults)
    with capsys.disabled():
        print(f"  {sent} requests, {len(faults)} server errors")
    assert sent >= REQUESTS
    assert faults == []


def _tell(faults):
    seen = set()
    for request, status, why in faults:
        last = "\n".join(why.strip().splitlines()[-14:])
        where = why.strip().splitlines()[-1][:80]
        if where not in seen:
            seen.add(where)
            print(f"  {status} {request}\n{last}\n")
