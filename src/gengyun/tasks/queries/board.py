"""Open tasks in columns: by deadline, by progress, by who does them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import Coalesce

from gengyun.kernel.days import day_of, start_of
from gengyun.tasks.calc.when import BUCKETS, LATE, WEEK, Days
from gengyun.tasks.models import Task
from gengyun.tasks.queries.lists import Filters, listing, ordered, when_is
from gengyun.team.models import User

WAYS = ("when", "progress", "who")
SHOWN = 40  # cards of a column
DONE_DAYS = 7
MOST_PEOPLE = 30
AMOUNT = Coalesce(F("worth_minor"), F("stake_minor"))


@dataclass(frozen=True)
class Column:
    key: str  # what a card put here becomes; see `actions.putting`
    count: int
    worth_minor: int | None  # of those whose worth is known; None: of none
    tasks: list[Task] = field(default_factory=list)
    is_fixed: bool = False  # nothing can be put here
    person: User | None = None

    @property
    def more(self) -> int:
        return max(0, self.count - len(self.tasks))


def board(actor: User, *, way: str, filters: Filters, now: datetime) -> list[Column]:
    """The columns in their order; what is done is shown for a week."""
    today = day_of(now)
    rows = listing(actor, filters=filters, now=now)
    if way == "who":
        return _by_person(rows, now)
    done = listing(actor, tab="closed", filters=filters, now=now)
    done = done.filter(
        state=Task.State.DONE, done_at__gte=start_of(today - timedelta(days=DONE_DAYS))
    )
    last = _column("done", done, now, sort="newest")
    if way == "progress":
        asleep = listing(actor, tab="later", filters=filters, now=now)
        return [
            _column("todo", rows.filter(started_at__isnull=True), now),
            _column("doing", rows.filter(started_at__isnull=False), now),
            _column("later", asleep, now),
            last,
        ]
    parts = [
        _column(name, rows.filter(when_is(name, today)), now, is_fixed=name == LATE)
        for name in BUCKETS
    ]
    # a column that is empty and takes nothing is left out; on a Sunday the week has no day left
    idle = {LATE, WEEK if Days(today).week_ends == today else LATE}
    return [*(part for part in parts if part.count or part.key not in idle), last]


def _by_person(rows: QuerySet[Task], now: datetime) -> list[Column]:
    """Nobody's first, then by how much each has to do."""
    counts = rows.order_by().values_list("owner_id").annotate(n=Count("pk")).order_by("-n")
    ids = [pk for pk, _ in counts if pk is not None][:MOST_PEOPLE]
    people = User.objects.in_bulk(ids)
    nobody = _column("0", rows.filter(owner__isnull=True), now)
    columns = [nobody] if nobody.count else []
    for pk in ids:
        column = _column(str(pk), rows.filter(owner_id=pk), now, person=people[pk])
        columns.append(column)
    return columns


def _column(
    key: str,
    rows: QuerySet[Task],
    now: datetime,
    *,
    sort: str = "when",
    is_fixed: bool = False,
    person: User | None = None,
) -> Column:
    told = rows.order_by().aggregate(n=Count("pk"), worth=Sum(AMOUNT))
    tasks = list(ordered(rows, sort, day_of(now))[:SHOWN]) if told["n"] else []
    return Column(key, told["n"], told["worth"], tasks, is_fixed, person)


def parts(rows: QuerySet[Task], *, now: datetime) -> dict[str, tuple[int, int | None]]:
    """Part -> (how many, worth) of a list that stands by deadline."""
    found = {}
    for name in BUCKETS:
        told = rows.filter(when_is(name, day_of(now))).order_by()
        sums = told.aggregate(n=Count("pk"), worth=Sum(AMOUNT))
        found[name] = (sums["n"], sums["worth"])
    return found
