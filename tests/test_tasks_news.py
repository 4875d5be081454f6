"""Who was given a task learns of it: marked in the product, by mail, once, not of their own."""

from datetime import timedelta

import pytest
from django.test import Client
from factories import NOW, People, make_customer

from gengyun.alerts.actions import task_notices
from gengyun.engagement.calc.messages import Item, compose
from gengyun.engagement.models import Channel, Delivery
from gengyun.tasks.actions import create, undoing, work
from gengyun.tasks.models import Task

MORNING = NOW.replace(hour=2)  # 10:00 in Shanghai


@pytest.fixture
def people(db):
    return People()


@pytest.fixture
def mail(db):
    return Channel.objects.create(
        name="mail", kind="email", serves="team", config={"to_owner": True},
        created_at=NOW - timedelta(days=30),
    )  # fmt: skip


def route(*tasks, now=MORNING):
    task_notices.drop_known()
    return task_notices.route_tasks(now=now, task_ids=[task.pk for task in tasks])


def given(by, to, **values):
    return create(actor=by, now=MORNING, title="电话回访", owner=to, **values)


def test_what_others_give_is_new_until_its_owner_looks(people):
    own = given(people.owner, people.owner)
    task = given(people.admin, people.owner)
    assert (own.is_new, task.is_new) == (False, True)
    client = Client()
    client.force_login(people.admin)
    client.get(f"/tasks/{task.pk}/")
    task.refresh_from_db()
    assert task.is_new  # others looking change nothing
    client.force_login(people.owner)
    for path in ("/tasks/", "/tasks/?view=board", "/"):
        assert '<span class="gy-tag br">新</span>' in client.get(path).content.decode() or (
            path == "/" and "1 个新任务" in client.get(path).content.decode()
        )
    assert "1 个新任务" in client.get("/tasks/").content.decode()
    client.get(f"/tasks/{task.pk}/")
    task.refresh_from_db()
    assert not task.is_new
    assert "个新任务" not in client.get("/tasks/").content.decode()


def test_giving_on_makes_it_new_for_the_other_and_undo_takes_it_back(people):
    task = given(people.owner, people.owner)
    batch = work.assign(actor=people.owner, now=MORNING, task_ids=[task.pk], owner=people.colleague)
    task.refresh_from_db()
    assert task.is_new
    undoing.undo(actor=people.owner, now=MORNING, batch=batch)
    task.refresh_from_db()
    assert (task.owner, task.is_new) == (people.owner, False)


def test_a_given_task_is_mailed_once_to_its_owner_and_not_to_who_took_it(people, mail):
    customer = make_customer("晨曦科技", owner=people.owner)
    own = given(people.owner, people.owner)
    task = given(people.admin, people.owner, customer=customer, due_working_days=2)
    assert route(own, task) == 1
    assert route(own, task) == 0
    told = Delivery.objects.get()
    assert (told.recipient, told.due_at, told.about) == (
        people.owner.email, MORNING, f"task:{task.pk}",
    )  # fmt: skip
    assert told.item["title"] == "晨曦科技：电话回访"
    assert people.admin.name in told.item["text"]
    # given on before it left: the first hears nothing of it, the second does
    work.assign(actor=people.admin, now=MORNING, task_ids=[task.pk], owner=people.colleague)
    assert route(task) == 1
    states = dict(Delivery.objects.values_list("recipient", "state"))
    assert states == {people.owner.email: "dropped", people.colleague.email: "waiting"}


def test_who_has_looked_or_finished_gets_no_mail(people, mail):
    seen, done = (given(people.admin, people.owner) for _ in range(2))
    assert route(seen, done) == 2
    work.look(actor=people.owner, task=seen)
    work.finish(actor=people.admin, now=MORNING, task_ids=[done.pk])
    assert task_notices.drop_known() == 2
    assert set(Delivery.objects.values_list("state", flat=True)) == {"dropped"}
    assert route(seen, done) == 0


def test_what_the_system_gives_comes_with_the_digest_and_channels_keep_to_their_teams(people, mail):
    task = given(None, people.owner)
    urgent = given(None, people.owner, priority=Task.Priority.HIGH)
    assert route(task, urgent) == 2
    due = dict(Delivery.objects.values_list("about", "due_at"))
    assert due[f"task:{urgent.pk}"] == MORNING
    assert due[f"task:{task.pk}"] > MORNING
    Delivery.objects.all().delete()
    mail.team = people.stranger.team
    mail.save()
    assert route(task, urgent) == 0
    mail.config = {"to_owner": False}
    mail.team = None
    mail.save()
    assert route(task, urgent) == 0


@pytest.mark.parametrize(
    ("kinds", "title", "url"),
    [
        ([True], "【任务】x", "/a"),
        ([True] * 3, "交给你的 3 个任务", "https://cs/tasks/"),
        ([False, False], "2 条预警，2 条要今天处理", "https://cs/alerts/"),
        ([True, False], "2 件事，2 件要今天处理", "https://cs/alerts/"),
    ],
)
def test_a_message_says_whether_it_tells_of_tasks_or_alerts(kinds, title, url):
    items = [Item("x", "y", url="/a", severity=2, is_task=one) for one in kinds]
    message = compose(items, language="zh-hans", queue_url="https://cs/alerts/")
    assert (message.title, message.url) == (title, url)
