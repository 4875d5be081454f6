"""The pages of tasks: what they show, what their forms do, what odd requests get."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from factories import People, make_contact, make_customer

from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.sop.models import Sop
from gengyun.tasks.actions import create, work
from gengyun.tasks.models import Task, TaskComment, TaskFile
from gengyun.team.models import User

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def now():
    return utc_now()


@pytest.fixture
def today(now):
    return day_of(now)


@pytest.fixture
def people(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    return People()


@pytest.fixture
def customer(people):
    return make_customer("云杉科技", owner=people.owner, arr_minor=12_000_000)


@pytest.fixture
def owner(client, people):
    people.owner.language = "en"
    people.owner.save()
    client.force_login(people.owner)
    return client


def make_task(people, customer, now, **values):
    given = {"title": "Call them", "customer": customer, "owner": people.owner}
    return create(actor=None, now=now, **(given | values))


def test_the_list_stands_in_parts_with_what_each_is_worth(owner, people, customer, now, today):
    make_task(people, customer, now, title="Late one", due_on=today - timedelta(days=2))
    make_task(people, customer, now, title="Due <b>now</b>", due_on=today, worth_minor=1_234_500)
    make_task(people, None, now, title="My own")
    page = owner.get("/tasks/").content.decode()
    places = [page.index(text) for text in ("Overdue", "Late one", "Due &lt;b&gt;", "My own")]
    assert places == sorted(places)
    assert "12k" in page
    assert "no customer" in page
    assert f'href="/customers/{customer.pk}/"' in page
    board = owner.get("/tasks/?view=board", **HTMX).content.decode()
    assert "<html" not in board
    # late, today, week (none on a Sunday), next, later on, no day, done
    assert board.count("data-stage=") == (6 if today.weekday() == 6 else 7)


def test_an_empty_board_is_no_row_of_empty_columns(owner, people, customer, now):
    page = owner.get("/tasks/?view=board").content.decode()
    assert "data-stage=" not in page
    assert "Nothing to do" in page
    assert "No task fits" in owner.get("/tasks/?view=board&q=zzz").content.decode()
    make_task(people, customer, now, title="One")
    assert "data-stage=" in owner.get("/tasks/?view=board").content.decode()


def test_a_page_costs_as_many_questions_for_thirty_tasks_as_for_three(
    owner, people, customer, now, today, django_assert_max_num_queries
):
    for n in range(3):
        make_task(people, customer, now, title=f"T{n}", due_on=today)
    for path in ("/tasks/", "/tasks/?view=board"):
        owner.get(path)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked(path):
        with CaptureQueriesContext(connection) as found:
            owner.get(path)
        return len(found)

    before = [asked(path) for path in ("/tasks/", "/tasks/?view=board")]
    for n in range(27):
        make_task(people, make_customer(owner=people.owner), now, title=f"U{n}", due_on=today)
    assert [asked(path) for path in ("/tasks/", "/tasks/?view=board")] == before
    assert before[0] <= 30


def test_the_panel_is_a_fragment_and_a_page_of_its_own(owner, people, customer, now):
    task = make_task(people, customer, now, body="Ask about\nthe rollout")
    assert "<html" in owner.get(f"/tasks/{task.pk}/").content.decode()
    part = owner.get(f"/tasks/{task.pk}/", **HTMX).content.decode()
    assert "<html" not in part
    assert "Ask about" in part


def test_every_button_does_its_verb_and_can_be_taken_back(owner, people, customer, now, today):
    task = make_task(people, customer, now)
    for verb, form, changed in [
        ("start", {}, {"started_at__isnull": False}),
        ("shelve", {}, {"started_at": None}),
        ("snooze", {"days": "3"}, {"snoozed_until": today + timedelta(days=3)}),
        ("wake", {}, {"snoozed_until": None}),
        ("move", {"due_on": today.isoformat()}, {"due_on": today}),
        ("move", {"working_days": "0"}, {"due_on__gte": today}),
        ("put", {"way": "when", "stage": "never"}, {"due_on": None}),
        ("put", {"way": "progress", "stage": "doing"}, {"started_at__isnull": False}),
        ("assign", {"owner": str(people.colleague.pk)}, {"owner": people.colleague}),
        ("take", {}, {"owner": people.owner}),
        ("finish", {"result": "They agree"}, {"state": "done", "result": "They agree"}),
        ("reopen", {}, {"state": "open"}),
        ("drop", {"result": "Moved away"}, {"state": "dropped"}),
    ]:
        response = owner.post(f"/tasks/{task.pk}/{verb}/", form, **HTMX)
        assert response.status_code == 200, (verb, response.content)
        assert response["HX-Trigger"] == "tasks-changed"
        assert Task.objects.filter(pk=task.pk, **changed).exists(), verb
    batch = task.events.order_by("-pk").first().batch
    assert owner.post(f"/tasks/undo/{batch}/").status_code == 302
    task.refresh_from_db()
    assert task.state == "open"


def test_many_at_once(owner, people, customer, now):
    tasks = [make_task(people, customer, now) for _ in range(3)]
    form = {"ids": [str(task.pk) for task in tasks[:2]], "verb": "finish"}
    assert owner.post("/tasks/bulk/", form).status_code == 302
    assert Task.objects.filter(state="done").count() == 2
    form = {"scope_of": "all", "verb": "move", "due_on": "2026-12-01"}
    owner.post("/tasks/bulk/", form)
    assert Task.objects.filter(due_on="2026-12-01").count() == 1  # of what is in the list
    assert owner.post("/tasks/bulk/", {"verb": "finish"}).status_code == 422


def test_a_new_task_from_the_customers_page(owner, people, customer, today):
    contact = make_contact(customer, "周敏")
    form = owner.get(f"/tasks/new/?customer={customer.pk}").content.decode()
    assert "云杉科技" in form
    assert "周敏" in form
    given = {
        "title": "Send the offer",
        "customer_name": "云杉科技",
        "customer": str(customer.pk),
        "contact": str(contact.pk),
        "due_on": today.isoformat(),
        "priority": "1",
        "worth": "48.6 万",
        "body": "By Friday",
        "after": "customer",
    }
    response = owner.post("/tasks/new/", given)
    assert response.status_code == 302
    assert response.url == f"/customers/{customer.pk}/#s-tasks"
    task = Task.objects.get()
    assert (task.owner, task.contact, task.priority) == (people.owner, contact, 1)
    assert task.worth_minor == 48_600_000
    assert task.customer == customer
    section = owner.get(f"/customers/{customer.pk}/tasks/", **HTMX).content.decode()
    assert "Send the offer" in section
    assert "<html" not in section


def test_a_task_for_a_role_or_a_colleague(owner, people, customer):
    given = {"title": "x", "customer_name": "云杉科技", "priority": "2"}
    owner.post("/tasks/new/", given | {"owner": "leader"})
    owner.post("/tasks/new/", given | {"owner": str(people.colleague.pk)})
    owner.post("/tasks/new/", given)
    found = list(Task.objects.order_by("pk").values_list("owner__pk", flat=True))
    assert found == [people.leader.pk, people.colleague.pk, people.owner.pk]


def test_errors_stand_at_their_fields(owner, people, customer):
    refused = owner.post(
        "/tasks/new/",
        {"title": " ", "customer_name": "nobody", "due_on": "soon", "worth": "-1", "priority": "9"},
    )
    assert refused.status_code == 422
    page = refused.content.decode()
    assert "Choose one of the customers" in page
    assert "This is no date" in page
    assert not Task.objects.exists()
    assert "few words" in owner.post("/tasks/new/", {"title": ""}).content.decode()


def test_editing_changes_what_was_typed_and_can_be_taken_back(owner, people, customer, now):
    task = make_task(people, customer, now, worth_minor=500)
    other = make_customer("白杨数据", owner=people.owner)
    form = owner.get(f"/tasks/{task.pk}/edit/").content.decode()
    assert "云杉科技" in form
    given = {"title": "Visit", "customer_name": other.name, "priority": "3", "due_on": ""}
    assert owner.post(f"/tasks/{task.pk}/edit/", given).status_code == 302
    task.refresh_from_db()
    assert (task.title, task.customer, task.priority, task.worth_minor) == (
        "Visit", other, 3, None,
    )  # fmt: skip
    owner.post(f"/tasks/undo/{task.events.last().batch}/")
    task.refresh_from_db()
    assert (task.title, task.customer) == ("Call them", customer)


def test_comments_are_written_changed_and_deleted_in_the_panel(owner, people, customer, now):
    task = make_task(people, customer, now)
    path = f"/tasks/{task.pk}/comments/"
    assert owner.post(path, {"body": " "}, **HTMX).status_code == 422
    assert (
        "On <holiday>".replace("<", "&lt;")[:6]
        in owner.post(path, {"body": "On <holiday>"}, **HTMX).content.decode()
    )
    one = TaskComment.objects.get()
    owner.post(f"{path}{one.pk}/edit/", {"body": "Back on Monday"}, **HTMX)
    gone = owner.post(f"{path}{one.pk}/delete/", **HTMX).content.decode()
    assert "<p>Back on Monday</p>" not in gone
    owner.post(f"{path}{one.pk}/restore/", **HTMX)
    one.refresh_from_db()
    assert (one.body, one.deleted_at) == ("Back on Monday", None)


def test_files_come_back_as_downloads_that_no_browser_runs(owner, people, customer, now):
    task = make_task(people, customer, now)
    path = f"/tasks/{task.pk}/files/"
    sent = SimpleUploadedFile("方案.pdf", b"<script>alert(1)</script>", "text/html")
    assert owner.post(path, {"file": sent}, **HTMX).status_code == 200
    file = TaskFile.objects.get()
    got = owner.get(f"{path}{file.pk}/")
    assert b"".join(got.streaming_content) == b"<script>alert(1)</script>"
    assert got["Content-Type"] == "application/octet-stream"
    assert got["Content-Disposition"].startswith("attachment")
    assert got["X-Content-Type-Options"] == "nosniff"
    bad = SimpleUploadedFile("x.html", b"x", "application/pdf")
    assert owner.post(path, {"file": bad}, **HTMX).status_code == 422
    assert owner.post(path, {}, **HTMX).status_code == 422
    owner.post(f"{path}{file.pk}/remove/", **HTMX)
    assert owner.get(f"{path}{file.pk}/").status_code == 404
    owner.post(f"{path}{file.pk}/restore/", **HTMX)
    assert len(b"".join(owner.get(f"{path}{file.pk}/").streaming_content)) == 25


def test_guessed_ids_are_not_found(client, people, customer, now):
    task = make_task(people, customer, now)
    file = TaskFile.objects.create(
        task=task, name="a.pdf", stored_path="x", byte_count=1, sha256="", added_at=now
    )
    client.force_login(people.stranger)
    for path in (
        f"/tasks/{task.pk}/",
        f"/tasks/{task.pk}/edit/",
        f"/tasks/{task.pk}/files/{file.pk}/",
        f"/customers/{customer.pk}/tasks/",
    ):
        assert client.get(path).status_code == 404, path
    for path in (
        f"/tasks/{task.pk}/finish/",
        f"/tasks/{task.pk}/comments/",
        f"/tasks/{task.pk}/files/",
        f"/tasks/{task.pk}/files/{file.pk}/remove/",
    ):
        assert client.post(path, {"body": "x"}).status_code == 404, path
    assert client.post("/tasks/bulk/", {"ids": [task.pk], "verb": "finish"}).status_code == 404
    assert "Call them" not in client.get("/tasks/?scope=team").content.decode()


def test_a_task_given_to_somebody_who_may_not_open_the_customer(client, people, customer, now):
    make_task(people, customer, now, owner=people.colleague)
    client.force_login(people.colleague)
    page = client.get("/tasks/").content.decode()
    assert "云杉科技" in page
    assert f'href="/customers/{customer.pk}/"' not in page


def test_a_viewer_reads_and_changes_nothing(client, people, customer, now):
    task = make_task(people, customer, now)
    client.force_login(people.viewer)
    page = client.get("/tasks/?scope=team").content.decode()
    assert "Call them" in page
    assert 'name="ids"' not in page
    assert client.get(f"/tasks/{task.pk}/").status_code == 200
    for path in (f"/tasks/{task.pk}/finish/", "/tasks/new/", "/tasks/bulk/", "/tasks/leave/"):
        assert client.post(path, {"title": "x"}).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "tab=x&view=y&way=z&sort=1&page=0",
        "page=99999999999999999999&owner=x&customer=%00",
        "owner=0&scope=team",
        "when=late&priority=1&origin=sop&q=%00%F0",
        "customer=999999&owner=999999",
        "view=board&way=who&scope=team",
        "view=board&way=progress",
        "tab=closed&sort=worth",
        "tab=made",
        "tab=later&view=board",
        "q=%00x&view=board",
    ],
)
def test_odd_addresses_get_a_page(owner, people, customer, now, query):
    make_task(people, customer, now)
    assert owner.get(f"/tasks/?{query}").status_code == 200


def test_odd_questions_of_the_form_get_an_answer(owner, people, customer):
    for query in ("customer=x", "customer=%00", "title=%00%F0", "due_on=never"):
        assert owner.get(f"/tasks/new/?{query}").status_code == 200, query
    assert owner.get("/tasks/new/?customer=999999").status_code == 404
    for text in ("", "%00", "%25_", "x" * 500):
        assert owner.get(f"/tasks/customers/?customer_name={text}", **HTMX).status_code == 200


ODD = ["", "\x00", "\ud800", "NaN", "-1", "9" * 40, "2026-02-30", "<script>", "0"]


@pytest.mark.parametrize("value", ODD)
def test_odd_posts_are_refused_never_a_fault(owner, people, customer, now, value):
    task = make_task(people, customer, now)
    value = value.encode("utf-8", "surrogatepass")
    fields = "days until due_on working_days owner result stage way worth title body first last "
    fields += "deputy user verb ids scope_of customer customer_name contact priority file"
    form = dict.fromkeys(fields.split(), value)
    paths = [f"/tasks/{task.pk}/{verb}/" for verb in (
        "finish", "drop", "snooze", "move", "assign", "put", "edit", "comments", "files", "nope",
    )]  # fmt: skip
    for path in [*paths, "/tasks/new/", "/tasks/bulk/", "/tasks/leave/", "/tasks/undo/%00/"]:
        for headers in ({}, HTMX):
            assert owner.post(path, form, **headers).status_code < 500, path
            Task.objects.filter(pk=task.pk).update(state="open", owner=people.owner)


def test_leave_is_planned_shown_and_ended(owner, people, customer, now, today):
    make_task(people, customer, now, due_on=today)
    form = {
        "first": today.isoformat(),
        "last": (today + timedelta(days=5)).isoformat(),
        "deputy": str(people.colleague.pk),
        "verb": "set",
    }
    assert owner.post("/tasks/leave/", form).status_code == 302
    assert people.colleague.name in owner.get("/tasks/leave/").content.decode()
    people.colleague.language = "en"
    people.colleague.save(update_fields=["language"])
    owner.force_login(User.objects.get(pk=people.colleague.pk))
    page = owner.get("/tasks/").content.decode()
    assert "You stand in for" in page
    assert "Call them" in page
    assert owner.get(f"/customers/{customer.pk}/").status_code == 200
    assert owner.post("/tasks/leave/", {"user": people.owner.pk, "verb": "end"}).status_code == 404
    owner.force_login(people.leader)
    assert owner.post("/tasks/leave/", {"user": people.owner.pk, "verb": "end"}).status_code == 302
    assert User.objects.get(pk=people.colleague.pk).covers == []
    bad = owner.post("/tasks/leave/", form | {"last": "", "first": "x", "verb": "set"})
    assert bad.status_code == 422


def test_today_says_what_is_due_the_most_valuable_first(owner, people, customer, now, today):
    make_task(people, customer, now, title="Small", due_on=today, worth_minor=100_00)
    make_task(people, customer, now, title="Large", due_on=today, worth_minor=90_000_00)
    make_task(people, customer, now, title="Next month", due_on=today + timedelta(days=40))
    page = owner.get("/").content.decode()
    assert page.index("Large") < page.index("Small")
    assert "Next month" not in page
    assert "2 tasks are due." in page
    part = owner.get("/", HTTP_HX_TARGET="today_tasks", **HTMX).content.decode()
    assert "<html" not in part
    assert "Large" in part


def test_a_task_of_an_sop_leads_to_its_run(owner, people, customer, now, today):
    sop = Sop.objects.create(key="drop", name="用量下降", created_at=now, changed_at=now)
    version = sop.versions.create(number=1, created_at=now, changed_at=now)
    run = version.runs.create(
        sop=sop,
        customer=customer,
        identity_key=f"c:{customer.pk}",
        entry_key="e",
        entered_at=now,
        entered_on=today,
    )
    task = make_task(people, customer, now, source=f"sop:{run.pk}:call:1")
    page = owner.get(f"/tasks/{task.pk}/", **HTMX).content.decode()
    assert f'href="/sop-runs/{run.pk}/">用量下降</a>' in page
    gone = make_task(people, customer, now, source="sop:987654:call:1")
    assert owner.get(f"/tasks/{gone.pk}/").status_code == 200


def test_what_sleeps_is_on_its_own_tab(owner, people, customer, now, today):
    task = make_task(people, customer, now)
    work.snooze(actor=None, now=now, task_ids=[task.pk], until=today + timedelta(days=2))
    assert "Call them" not in owner.get("/tasks/").content.decode()
    assert "Call them" in owner.get("/tasks/?tab=later").content.decode()
