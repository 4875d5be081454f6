"""Who is told of a task that somebody gave them: by mail, over the channels that write to owners.

In the product the task is marked as new until its owner looks at it; whoever has looked needs no
mail. What a colleague gives is told at once (outside quiet hours), what SOPs and changes of owner
bring comes with the day's digest. Several that are due together are one message.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from gengyun.alerts.calc.routing import Times, due_at, money
from gengyun.engagement.actions import deliveries as sending
from gengyun.engagement.calc.messages import TODAY, WEEK, Item
from gengyun.engagement.models import Channel, Delivery
from gengyun.kernel.days import company_zone
from gengyun.tasks.models import Task, TaskEvent
from gengyun.team.queries.access import team_ids_below

GIVING = (TaskEvent.Kind.CREATED, TaskEvent.Kind.ASSIGNED)
ABOUT = "task:"


def route_tasks(*, now: datetime, task_ids: Collection[int]) -> int:
    """Write a delivery for each that its owner does not know of yet. Returns how many are new."""
    channels = writing_to_owners()
    if not channels:
        return 0
    events = TaskEvent.objects.filter(
        task__in=list(task_ids), task__state=Task.State.OPEN, task__is_new=True,
        task__owner__is_active=True, kind__in=GIVING, undone_at__isnull=True,
    ).select_related("task__customer", "task__owner", "actor")  # fmt: skip
    # the newest giving of a task is the one that counts
    given = {event.task_id: event for event in events.order_by("pk")}
    return sending.write(
        [
            _delivery(channel, event, now)
            for event in given.values()
            for channel, teams in channels
            if event.at >= channel.created_at and _is_inside(event.task, teams)
        ]
    )


def writing_to_owners() -> list[tuple[Channel, frozenset[int] | None]]:
    """With the teams whose people it writes to; None: everybody's."""
    rows = Channel.objects.filter(
        is_active=True, serves=Channel.Serves.TEAM, kind=Channel.Kind.EMAIL
    )
    return [
        (row, None if row.team_id is None else frozenset(team_ids_below(row.team_id)))
        for row in rows
        if row.config.get("to_owner")
    ]


def is_news(task_ids: Collection[int]) -> bool:
    """Whether any of them has an owner who does not know of it yet."""
    return Task.objects.open().filter(pk__in=list(task_ids), is_new=True).exists()


def _is_inside(task: Task, teams: frozenset[int] | None) -> bool:
    return teams is None or (task.owner is not None and task.owner.team_id in teams)


def drop_known() -> int:
    """Not sent: what was done, given on or looked at before the message left."""
    rows = Delivery.objects.filter(state=Delivery.State.WAITING, about__startswith=ABOUT)
    waiting = list(rows.order_by().values_list("about", "recipient").distinct())
    ids = {int(about.removeprefix(ABOUT)) for about, _ in waiting}
    owners = _owners(ids)
    over = [
        about
        for about, recipient in waiting
        if owners.get(int(about.removeprefix(ABOUT))) != recipient
    ]
    return sending.drop(about=over) if over else 0


def _owners(ids: Iterable[int]) -> dict[int, str]:
    """Open tasks that are still news -> the address of who has them now."""
    rows = Task.objects.open().filter(pk__among=sorted(ids), is_new=True).order_by()
    return dict(rows.values_list("pk", "owner__email"))


def _delivery(channel: Channel, event: TaskEvent, now: datetime) -> Delivery:
    task = event.task
    is_pressing = event.actor is not None or task.priority == Task.Priority.HIGH
    times = Times(channel.digest_at, channel.quiet_from, channel.quiet_to)
    mode = "at_once" if is_pressing else "digest"
    email = task.owner.email if task.owner is not None else ""
    return sending.queue(
        now=now,
        channel=channel,
        key=f"task-given:{event.pk}:{channel.pk}:{email}"[:160],
        item=item_of(event, zh=channel.language.startswith("zh")),
        due_at=due_at(mode, now=now, zone=company_zone(), times=times),
        recipient=email,
        about=f"{ABOUT}{task.pk}",
    )


def item_of(event: TaskEvent, *, zh: bool) -> Item:
    """A task as one entry of a message."""
    task = event.task
    title = task.title
    if task.customer is not None:
        title = f"{task.customer.name}{'：' if zh else ': '}{title}"
    giver = event.actor.name if event.actor is not None else ("系统" if zh else "the system")
    text = f"{giver}把这个任务交给了你。" if zh else f"{giver} gave you this task."
    facts: list[tuple[str, str]] = []
    if task.due_on is not None:
        facts.append(("截止日" if zh else "Due", task.due_on.isoformat()))
    if task.amount_minor is not None and task.customer is not None:
        worth = money(task.amount_minor, task.customer.currency, zh=zh)
        facts.append(("价值" if zh else "Worth", worth))
    severity = TODAY if task.priority == Task.Priority.HIGH else WEEK
    return Item(title=title, text=text, facts=tuple(facts), url=f"/tasks/{task.pk}/",
                severity=severity, is_task=True)  # fmt: skip
