"""Tasks of the demo company's people: promised in talks, given to each other, some of them late."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from gengyun.customers.models import Customer
from gengyun.kernel.calc.workdays import working_day_after
from gengyun.tasks.actions import comments, create, work
from gengyun.tasks.models import Task
from gengyun.team.actions.leave import set_leave
from gengyun.team.models import Role, User

# (what, details, working days from today, priority, amount in yuan or None, what came of it)
PROMISED = (
    ("发管理员培训的录屏和答疑", "周会上答应的，含权限配置那一段。", -1, 2, None, ""),
    (
        "约周四电话，对齐本季度目标",
        "带上活跃人数的变化，问清楚新部门什么时候用起来。",
        0,
        1,
        None,
        "",
    ),
    ("补一份单点登录的配置说明", "他们的信息部在等，写清证书怎么换。", 0, 2, None, ""),
    ("确认增购席位的报价", "采购要含税单价和阶梯价。", 2, 1, 260_000, ""),
    ("整理上季度使用报告", "决策人要拿去汇报，两页以内。", 4, 2, None, ""),
    ("问清新来的负责人关心什么", "先加微信，不急着推功能。", 6, 2, None, ""),
    ("准备续约前的价值回顾", "对照签约时的目标，一条一条写做到没有。", 12, 3, None, ""),
    (
        "回访上次的卡顿问题",
        "研发说已修复，问问现场还有没有。",
        -3,
        2,
        None,
        "已解决，客户确认导出不再超时。",
    ),
    ("寄送答谢卡", "", -6, 3, None, "已寄出，前台签收。"),
)
A_CUSTOMERS = 4  # tasks are about the largest so many of each


def note_tasks(
    customers: Sequence[Customer], people: Mapping[str, User], *, as_of: date, now: datetime
) -> int:
    """For everybody with a book, about their largest customers; returns how many."""
    made = 0
    books: dict[int, list[Customer]] = {}
    for customer in sorted(customers, key=lambda one: -(one.arr_minor or 0)):
        if customer.owner_id is not None:
            books.setdefault(customer.owner_id, []).append(customer)
    owners = [one for one in people.values() if one.pk in books]
    for turn, owner in enumerate(owners):
        book = books[owner.pk][:A_CUSTOMERS]
        for n, promise in enumerate(PROMISED[turn % 3 :: 1 if turn % 2 else 2]):
            made += _note(owner, book[n % len(book)], promise, as_of=as_of, now=now)
    _give(owners, books, as_of=as_of, now=now)
    return made + 1


def _note(
    owner: User,
    customer: Customer,
    promise: tuple[str, str, int, int, int | None, str],
    *,
    as_of: date,
    now: datetime,
) -> int:
    title, body, days, priority, yuan, result = promise
    due = working_day_after(as_of, days) if days >= 0 else as_of + timedelta(days=days)
    task = create(
        actor=owner,
        now=now - timedelta(days=8),
        title=title,
        body=body,
        customer=customer,
        owner=owner,
        due_on=due,
        priority=priority,
        worth_minor=None if yuan is None else yuan * 100,
    )
    if result:
        done_at = now - timedelta(days=-days)
        work.finish(actor=owner, now=done_at, task_ids=[task.pk], result=result)
    return 1


def _give(
    owners: Sequence[User],
    books: Mapping[int, Sequence[Customer]],
    *,
    as_of: date,
    now: datetime,
) -> None:
    """A colleague asks another for help; one of them will be away in two weeks."""
    if len(owners) < 2:
        return
    csms = [one for one in owners if one.role == Role.CSM] or list(owners)
    asks, helps = csms[0], csms[-1]
    task: Task = create(
        actor=asks,
        now=now - timedelta(days=2),
        title="帮忙看一下接口对接的报错",
        body="你上个月处理过一样的，日志在工单里。",
        customer=books[asks.pk][0],
        owner=helps,
        due_on=working_day_after(as_of, 1),
        priority=Task.Priority.HIGH,
    )
    comments.comment(
        actor=helps, now=now - timedelta(hours=20), task=task, body="看了，是回调地址没加白名单。"
    )
    first = working_day_after(as_of, 9)
    set_leave(
        actor=helps,
        now=now,
        user=helps,
        first=first,
        last=first + timedelta(days=4),
        deputy=asks,
    )
