"""Tasks as an actor sees them: whose, which, in what order, how many."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce

from gengyun.customers.models import Customer
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound
from gengyun.tasks.calc.when import AFTER, BUCKETS, LATE, NEVER, NEXT, TODAY, WEEK, Days
from gengyun.tasks.models import Task
from gengyun.tasks.models.task import TaskQuerySet
from gengyun.team.models import User
from gengyun.team.queries.leave import stands_in_for

TABS = ("open", "later", "made", "closed")
SORTS = ("when", "worth", "newest")


@dataclass(frozen=True)
class Filters:
    """Empty stands for everything."""

    scope: str = "mine"  # mine: what I have to do; team: all I may see
    owner_id: int | None = None  # 0: nobody's
    when: str = ""  # one of BUCKETS
    priority: int | None = None
    origin: str = ""  # sop, hand
    customer_id: int | None = None
    text: str = ""  # in the title or the name of the customer


@dataclass(frozen=True)
class Counts:
    tabs: dict[str, int] = field(default_factory=dict)
    late: int = 0
    today: int = 0
    worth_minor: int = 0  # of what is late or due today, where it is known
    new: int = 0  # given to the actor, who has not looked at them yet


@dataclass(frozen=True)
class Morning:
    tasks: list[Task]
    total: int  # of the coming seven days, late ones included
    due_count: int  # of those that are late or due today
    new_count: int  # given to the actor, not looked at yet, whenever they are due


def mine(actor: User, today: date) -> Q:
    """What the actor has to do: their own, those of colleagues on leave for whom they stand in, and
    what waits for anybody of their role."""
    own = Q(owner=actor) | Q(owner__isnull=True, role=actor.role)
    covered = stands_in_for(actor, today)
    return own | Q(owner_id__in=covered) if covered else own


def listing(
    actor: User, *, tab: str = "open", filters: Filters, sort: str = "when", now: datetime
) -> QuerySet[Task]:
    today = day_of(now)
    rows = _tab(_found(actor, filters, today), tab, actor, today, _scope(filters))
    rows = rows.select_related("customer__tier", "owner", "done_by", "contact", "created_by")
    return ordered(rows, "newest" if tab == "closed" else sort, today)


def ordered(rows: QuerySet[Task], sort: str, today: date) -> QuerySet[Task]:
    """`when`: by deadline, what presses equally by priority "high" and then by what it is worth."""
    amount = amount_down()
    due = F("due_on").asc(nulls_last=True)
    if sort == "newest":
        return rows.order_by(Coalesce(F("done_at"), F("created_at")).desc(), "-pk")
    if sort == "worth":
        return rows.order_by(amount, due, "priority", "pk")
    urgent = Case(When(priority=Task.Priority.HIGH, then=0), default=1, output_field=IntegerField())
    return rows.annotate(place=place(today)).order_by("place", urgent, amount, due, "pk")


def amount_down() -> OrderBy:
    """The most valuable first, unknown amounts at the end."""
    return Coalesce(F("worth_minor"), F("stake_minor")).desc(nulls_last=True)


def place(today: date) -> Case:
    """The number of the part (`calc.when.BUCKETS`) in which a task stands."""
    days = Days(today)
    borders = [
        (Q(due_on__isnull=True), NEVER),
        (Q(due_on__lt=today), LATE),
        (Q(due_on=today), TODAY),
        (Q(due_on__lte=days.week_ends), WEEK),
        (Q(due_on__lte=days.next_ends), NEXT),
    ]
    return Case(
        *[When(condition, then=Value(BUCKETS.index(name))) for condition, name in borders],
        default=Value(BUCKETS.index(AFTER)),
        output_field=IntegerField(),
    )


def counts(actor: User, *, filters: Filters, now: datetime) -> Counts:
    """How many each tab holds, and what of the open ones presses."""
    today = day_of(now)
    rows, scope = _found(actor, filters, today), _scope(filters)
    tabs = {tab: _tab(rows, tab, actor, today, scope).count() for tab in TABS if tab != "closed"}
    told = _tab(rows, "open", actor, today, scope).aggregate(
        late=Count("pk", filter=Q(due_on__lt=today)),
        today=Count("pk", filter=Q(due_on=today)),
        new=Count("pk", filter=Q(is_new=True, owner=actor)),
        worth=Sum(Coalesce(F("worth_minor"), F("stake_minor")), filter=Q(due_on__lte=today)),
    )
    return Counts(tabs, told["late"], told["today"], told["worth"] or 0, told["new"])


def get(actor: User | None, pk: int) -> Task:
    found = (
        Task.objects.visible_to(actor)
        .select_related("customer__tier", "customer__owner", "contact", "owner", "created_by")
        .select_related("done_by")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise NotFound
    return found


def of_customer(actor: User | None, customer_id: int, *, closed: int = 5) -> list[Task]:
    """Open ones by deadline, then the newest closed ones."""
    rows = Task.objects.visible_to(actor).filter(customer_id=customer_id)
    rows = rows.select_related("owner", "done_by", "contact")
    open_ = rows.open().order_by(F("due_on").asc(nulls_last=True), "priority", "pk")
    over = rows.exclude(state=Task.State.OPEN).order_by("-done_at", "-pk")
    return [*open_, *over[:closed]]


def open_count(actor: User | None, customer_id: int) -> int:
    return Task.objects.visible_to(actor).open().filter(customer_id=customer_id).count()


def due_now(actor: User, *, scope: str, now: datetime, limit: int = 8) -> Morning:
    """What is late or due today, the most valuable first, then what comes in seven days."""
    today = day_of(now)
    rows = _tab(_found(actor, Filters(), today), "open", actor, today, scope)
    is_soon = Q(due_on__lte=today + timedelta(days=7))
    counts = rows.aggregate(
        all=Count("pk", filter=is_soon),
        due=Count("pk", filter=Q(due_on__lte=today)),
        new=Count("pk", filter=Q(is_new=True, owner=actor)),
    )
    rows = rows.filter(is_soon)
    is_later = Case(When(due_on__lte=today, then=0), default=1, output_field=IntegerField())
    found = rows.select_related("customer", "owner").order_by(
        is_later, amount_down(), F("due_on").asc(nulls_last=True), "priority", "pk"
    )
    return Morning(list(found[:limit]), counts["all"], counts["due"], counts["new"])


def visible_customers(actor: User | None, tasks: Collection[Task]) -> frozenset[int]:
    """The customers of these tasks whose page the actor may open: a task can be given to somebody
    who does not look after the customer."""
    ids = {task.customer_id for task in tasks if task.customer_id is not None}
    if not ids:
        return frozenset()
    rows = Customer.objects.visible_to(actor).filter(pk__in=ids)
    return frozenset(rows.values_list("pk", flat=True))


def _found(actor: User, wanted: Filters, today: date) -> TaskQuerySet:
    rows = Task.objects.visible_to(actor)
    if wanted.owner_id is not None:
        rows = rows.filter(owner_id=wanted.owner_id or None)
    if wanted.priority is not None:
        rows = rows.filter(priority=wanted.priority)
    if wanted.origin:
        is_sop = Q(source__startswith="sop:")
        rows = rows.filter(is_sop if wanted.origin == "sop" else ~is_sop)
    if wanted.customer_id is not None:
        rows = rows.filter(customer_id=wanted.customer_id)
    if wanted.when:
        rows = rows.filter(when_is(wanted.when, today))
    if wanted.text:
        named = Q(title__icontains=wanted.text) | Q(customer__name__icontains=wanted.text)
        rows = rows.filter(named)
    return rows


def _tab(rows: TaskQuerySet, tab: str, actor: User, today: date, scope: str) -> TaskQuerySet:
    asleep = Q(snoozed_until__gt=today)
    if tab == "made":  # what one has given to others
        given = rows.open().filter(created_by=actor)
        return given.exclude(owner=actor).exclude(owner__isnull=True)
    if scope == "mine":
        rows = rows.filter(mine(actor, today))
    if tab == "closed":
        return rows.exclude(state=Task.State.OPEN)
    return rows.open().filter(asleep) if tab == "later" else rows.open().exclude(asleep)


def _scope(wanted: Filters) -> str:
    """Who looks for one person's tasks looks among all."""
    return "team" if wanted.owner_id is not None else wanted.scope


def when_is(wanted: str, today: date) -> Q:
    """Standing in a part (`calc.when`)."""
    days = Days(today)
    return {
        LATE: Q(due_on__lt=today),
        TODAY: Q(due_on=today),
        WEEK: Q(due_on__gt=today, due_on__lte=days.week_ends),
        NEXT: Q(due_on__gt=days.week_ends, due_on__lte=days.next_ends),
        AFTER: Q(due_on__gt=days.next_ends),
        NEVER: Q(due_on__isnull=True),
    }.get(wanted, Q(pk__in=[]))
