"""Who may open what: every path says so, and a stranger gets nothing out of any of them."""

import re
from datetime import date

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from factories import NOW, make_customer, make_product, make_team, make_user

from gengyun.customers.models import Contact
from gengyun.engagement.models import Activity
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.actions.views import save_view
from gengyun.portfolio.models import SavedView
from gengyun.revenue.actions.contracts import create_contract
from gengyun.revenue.actions.lines import NewLine, append_line
from gengyun.revenue.models import Invoice
from gengyun.team.models import AuditEntry, Team

pytestmark = pytest.mark.django_db
# survey_answer and unsubscribe: the unguessable link is the right
PROGRAMS = {"sop_enter", "bounces"}
PUBLIC = {"login", "language", "survey_answer", "unsubscribe"}


def patterns(resolver=None, prefix=""):
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path, entry
        else:
            yield from patterns(entry, path)


def log_in(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_every_view_carries_an_access_decision():
    missing = [path for path, entry in patterns() if not hasattr(entry.callback, "access")]
    assert missing == []


def test_only_login_language_and_links_of_messages_are_public():
    public = {entry.name for _, entry in patterns() if entry.callback.access == "public"}
    assert public == PUBLIC


def test_paths_of_programs_need_a_token(client):
    named = {entry.name: path for path, entry in patterns() if entry.callback.access == "token"}
    assert set(named) == PROGRAMS
    for path in named.values():
        answer = Client(enforce_csrf_checks=True).post("/" + re.sub(r"<[^>]+>", "x", path))
        assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")


@pytest.fixture
def ours():
    """A customer with a contact and an activity, owned by a CSM of the east team."""
    east = make_team("East")
    owner = make_user("csm", team=east)
    customer = make_customer("北京星辰科技", owner=owner)
    contact = Contact.objects.create(
        customer=customer, name="王小明", created_at=NOW, updated_at=NOW
    )
    activity = Activity.objects.create(
        customer=customer,
        kind="call",
        body="秘密的电话",
        happened_at=NOW,
        recorded_at=NOW,
        author=owner,
    )
    customer.risks.create(cause="competitor", happened_on=NOW.date(), note="秘密", known_at=NOW)
    _sign(customer)
    refresh_summaries(now=NOW)
    return customer, contact, activity, owner


def _sign(customer):
    """A contract with a line and an invoice."""
    start, end = date(2026, 1, 1), date(2026, 12, 31)
    contract = create_contract(
        actor=None, now=NOW, customer=customer, starts_on=start, ends_on=end, number="秘密-1"
    )
    line = NewLine(product=make_product(), amount_minor=12_000_000, starts_on=start, ends_on=end)
    append_line(actor=None, now=NOW, contract=contract, line=line)
    Invoice.objects.create(
        customer=customer, number="秘密-2", issued_on=start, amount_minor=100, known_at=NOW
    )


def paths_of(ours):
    """Every path of a customer, with the real ids of `ours` filled in."""
    customer, contact, activity, _ = ours
    ids = {"pk": customer.pk, "contact": contact.pk, "activity": activity.pk}
    ids["other"] = customer.pk
    ids |= {"contract": customer.contracts.get().pk, "line": customer.lines.get().pk}
    ids["risk"] = customer.risks.get().pk
    ids["invoice"] = customer.invoices.get().pk
    words = {"field": "next_step", "code": "no_contact", "verb": "done", "token": "x"}
    words |= {"factor": "active_days", "way": "mail"}
    for path, entry in patterns():
        if not path.startswith(("customers/<int:pk>", "needs/")):
            continue
        yield "/" + re.sub(r"<\w+:(\w+)>", lambda m: str((ids | words)[m[1]]), path), entry


def test_visitor_is_sent_to_login_everywhere(ours, client):
    for path, entry in patterns():
        if entry.callback.access in {"public", "token"} or "<" in path:
            continue
        method = "get" if "GET" in entry.callback.methods else "post"
        answer = getattr(client, method)("/" + path)
        assert answer.status_code == 302, path
        assert answer["Location"].startswith("/login/"), path
    for path, entry in paths_of(ours):
        for method in entry.callback.methods:
            answer = getattr(client, method.lower())(path)
            assert answer.status_code == 302, (method, path)


@pytest.mark.parametrize(
    ("role", "team"), [("csm", "East"), ("csm", "West"), ("leader", "West"), ("leader", None)]
)
def test_who_does_not_own_can_neither_read_nor_change(ours, role, team):
    """A colleague of the same team, and strangers, walk every path of a customer of another."""
    if team is not None:
        team = Team.objects.filter(name=team).first() or make_team(team)
    stranger = log_in(make_user(role, team=team))
    before = AuditEntry.objects.count()
    for path, entry in paths_of(ours):
        for method in entry.callback.methods:
            answer = getattr(stranger, method.lower())(path, {"body": "x", "name": "x"})
            assert answer.status_code == 404, (method, path)
            assert "星辰" not in answer.content.decode(), path
            assert "秘密" not in answer.content.decode(), path
    assert AuditEntry.objects.count() == before


def test_a_colleague_cannot_touch_another_ones_view_or_work_in_bulk(ours):
    customer, _, _, owner = ours
    view = save_view(
        actor=owner, now=NOW, name="我的", query={"filters": [], "sort": "name"}, is_shared=False
    )
    colleague = log_in(make_user("csm", team=owner.team))
    for verb in ({"verb": "delete"}, {"verb": "rename", "name": "x"}, {}):
        assert colleague.post(f"/customers/views/{view.pk}/", verb).status_code == 404
    assert SavedView.objects.get(pk=view.pk).name == "我的"
    before = AuditEntry.objects.count()
    for work in ({"verb": "tag", "tag": "x"}, {"verb": "owner", "owner": ""}):
        answer = colleague.post("/customers/bulk/", {"ids": [customer.pk], **work})
        assert answer.status_code == 404
    assert AuditEntry.objects.count() == before


def test_viewer_reads_everything_and_changes_nothing(ours):
    viewer = log_in(make_user("viewer"))
    before = AuditEntry.objects.count()
    for path, entry in paths_of(ours):
        if "POST" in entry.callback.methods:
            answer = viewer.post(path, {"body": "x", "name": "x", "next_step": "x"})
            assert answer.status_code in {403, 404}, path
    assert AuditEntry.objects.count() == before
    customer = ours[0]
    page = viewer.get(f"/customers/{customer.pk}/")
    assert page.status_code == 200
    assert 'id="composer"' not in page.content.decode()


def test_palette_and_list_show_only_what_one_may_see(ours):
    stranger = log_in(make_user("csm", team=make_team("West")))
    owner = log_in(ours[3])
    for path in ("/go/?q=星辰", "/customers/?q=星辰", "/go/?q=王小"):
        answer = stranger.get(path)
        text = (answer.getvalue() if answer.streaming else answer.content).decode()
        assert "星辰科技" not in text, path
        answer = owner.get(path)
        text = (answer.getvalue() if answer.streaming else answer.content).decode()
        assert "星辰科技" in text, path


def test_expired_session_in_a_fragment_leads_to_login(ours, client):
    answer = client.get(f"/customers/{ours[0].pk}/health/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"].startswith("/login/?next=")


def test_login_sends_back_only_to_our_own_pages(client):
    user = make_user()
    form = {"username": user.email.upper(), "password": "correct horse battery"}
    answer = client.post("/login/", form | {"next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_wrong_passwords_are_counted_and_then_refused(client):
    user = make_user()
    for _ in range(5):
        answer = client.post("/login/", {"username": user.email, "password": "wrong"})
    assert answer.status_code == 429
    answer = client.post("/login/", {"username": user.email, "password": "correct horse battery"})
    assert answer.status_code == 429


def test_forms_need_their_token(ours):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ours[3], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(f"/customers/{ours[0].pk}/activities/", {"body": "x", "kind": "call"})
    assert answer.status_code == 403


def test_pages_forbid_inline_script_and_style(ours):
    client = log_in(make_user("admin"))
    for path in ("/", "/customers/", f"/customers/{ours[0].pk}/", "/customers/new/", "/go/"):
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self';" in policy + ";"
        assert "style-src 'self';" in policy + ";"
        assert "unsafe" not in policy
        text = answer.content.decode()
        assert not re.search(r"\sstyle=", text), path
        assert not re.search(r"\son[a-z]+=", text), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), path
