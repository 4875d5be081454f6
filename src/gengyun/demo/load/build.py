"""Builds the demo company in an empty, migrated deployment."""

import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.db import transaction

from gengyun.alerts.actions import defaults as alert_defaults
from gengyun.churn.actions.score import score_day
from gengyun.customers.actions import defaults as customer_defaults
from gengyun.customers.models import Customer
from gengyun.demo.load import company_life, economy
from gengyun.demo.load import customers as load_customers
from gengyun.demo.load import events as load_events
from gengyun.demo.load import past as load_past
from gengyun.demo.load.alert_work import Desk
from gengyun.demo.load.books import Books, make_catalogue
from gengyun.demo.load.folder import mark_built
from gengyun.demo.load.forecasting import Forecasters
from gengyun.demo.load.imports import load_import, load_ledger_import
from gengyun.demo.load.own_fields import fill_own_fields
from gengyun.demo.load.people import make_people
from gengyun.demo.load.routines import STARTED_WEEKS_AGO, Routines
from gengyun.demo.load.surveys import note_answers
from gengyun.demo.load.to_dos import note_tasks
from gengyun.demo.load.variety import add_variety
from gengyun.demo.load.visits import note_visits
from gengyun.demo.world.make import DEFAULT_SEED, make_world
from gengyun.demo.world.shapes import World
from gengyun.health.actions import defaults as health_defaults
from gengyun.kernel.day import judge_day
from gengyun.kernel.days import start_of
from gengyun.kernel.models import DayRun, Schedule
from gengyun.kernel.outbox import unheard
from gengyun.lake.store import Lake
from gengyun.team.models import User
from gengyun.usage.actions import defaults as usage_defaults
from gengyun.usage.actions.compute import compute_days
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.actions.sources import create_source

WEEKS = 26
# steps that nobody would look at of earlier weeks: summary rows and gates say what holds now
LOOKED_AT = {"summary": STARTED_WEEKS_AGO, "journeys": 1}
# a quarter is looked at week by week; of older trends every other week is enough
QUARTER = 13
# how a churn probability moves: learned is on the quarter's first day and the last
LEARNED, SCORED = {QUARTER, 0}, {11, 9, 7, 5, 4, 3, 2, 1}
Say = Callable[[str, float], None]  # name of a finished step, seconds


class NotEmpty(Exception):
    """The folder holds somebody's work already."""


@dataclass
class Built:
    as_of: date
    customer_count: int = 0
    former_count: int = 0
    deed_count: int = 0  # of contracts and money, before the judged weeks
    event_count: int = 0
    activity_count: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


def build(
    *,
    as_of: date,
    now: datetime,
    seed: int = DEFAULT_SEED,
    count: int = 300,
    weeks: int = WEEKS,
    say: Say | None = None,
) -> Built:
    """Everything up to the judged day `as_of`: people, customers, events, `weeks` judged weeks."""
    if Customer.objects.exists():
        raise NotEmpty
    built = Built(as_of)
    lake = Lake.default()

    @contextmanager
    def step(name: str):
        start = time.perf_counter()
        yield
        built.seconds[name] = time.perf_counter() - start
        if say:
            say(name, built.seconds[name])

    with step("world"):
        world = make_world(as_of=as_of, seed=seed, count=count, zone=settings.TIME_ZONE)
        ids = load_events.user_ids(world)
    with step("people"):
        since = start_of(world.days[0])
        install_defaults(now=since)
        last_visit = start_of(as_of - timedelta(weeks=1)) + timedelta(hours=17, minutes=42)
        people = make_people(now=now, since=since, last_visit=last_visit)
        sources = make_sources(now=now)
    with step("customers"):
        customers = load_customers.load_customers(world, now=now, people=people)
        contacts = load_customers.load_contacts(
            world.accounts, customers, as_of=as_of, user_ids=ids
        )
        largest = sorted(customers, key=lambda customer: -(customer.arr_minor or 0))
        fill_own_fields(customers, actor=people["tangwei"], now=now, seed=seed)
        load_import(largest, actor=people["tangwei"], now=now)
        built.activity_count = load_customers.load_notes(
            world.notes, customers, contacts, people=people
        )
        company_life.join_group(customers, actor=people["sumingyuan"], now=now)
        company_life.enter_twice(customers, actor=people["sumingyuan"], now=now)
        built.customer_count = len(customers) + 1  # one was entered twice
    with step("contracts"):
        books = open_books(world, customers, people=people, now=now)
        built.former_count = len(books.customers) - len(customers)
        built.activity_count += load_past.load_past(
            world, books.customers, contacts, ids=ids, people=people
        )
        built.deed_count = books.until(as_of - timedelta(weeks=weeks))
        add_variety(customers, as_of=as_of)
        economy.note_budgets(world, customers, seed=seed)
    with step("events"):
        load_events.load_product_users(world, books.customers, ids)
        built.event_count = load_events.load_events(
            world, books.customers, sources=sources, ids=ids, lake=lake
        )
        load_events.load_arrivals(world, books.customers, source=sources.product, ids=ids)
    with step("roll-ups"):
        roll_up(lake=lake, now=now)
    with step("judged weeks"):
        judge_weeks(world, books, people=people, weeks=weeks, now=now)
        fill_desks(world, books, customers, people=people, now=now, lake=lake)
        # today is judged: the worker need not do it again when it starts
        Schedule.objects.update_or_create(name="judge_today", defaults={"last_run_at": now})
    mark_built(Path(settings.DATA_DIR), as_of)
    return built


def install_defaults(*, now: datetime) -> None:
    """What a deployment starts with, and the products that this one sells."""
    customer_defaults.install_defaults(now=now)
    usage_defaults.install_defaults(now=now)
    health_defaults.install_defaults(now=now)
    alert_defaults.install_defaults(now=now)
    make_catalogue(now=now)


def open_books(
    world: World, customers: list[Customer], *, people: dict[str, User], now: datetime
) -> Books:
    """Conventions, spend, and the customers who have left by now; no contract is entered yet."""
    former = load_customers.load_former(world, now=now, people=people)
    economy.set_conventions(actor=people["tangwei"], now=start_of(world.days[0]))
    economy.note_spend(people, as_of=world.as_of, seed=world.seed)
    return Books(world, [*customers, *former])


def fill_desks(
    world: World,
    books: Books,
    customers: list[Customer],
    *,
    people: dict[str, User],
    now: datetime,
    lake: Lake,
) -> None:
    """What people do and say beside the judged nights."""
    economy.seed_deals(books, world, customers, seed=world.seed)
    company_life.give_opinions(world, customers, now=now, lake=lake)
    load_ledger_import(actor=people["tangwei"], now=now)
    note_answers(customers, now=now, seed=world.seed)
    note_tasks(customers, people, as_of=world.as_of, now=now)


def judge_weeks(
    world: World,
    books: Books,
    *,
    people: dict[str, User],
    weeks: int,
    now: datetime,
) -> None:
    """The judged nights, with what people did between two of them."""
    # asked together, all days cost little more than one
    past = [world.as_of - timedelta(weeks=week) for week in nights(weeks) if week]
    compute_days(past, lake=Lake.default(), now=now)
    desk = Desk(world, books.customers)
    forecasters = Forecasters(world, books)
    routines = Routines(people, world.seed)
    for week, following in pairwise([*nights(weeks), -1]):
        day = world.as_of - timedelta(weeks=week)
        if week == company_life.LEARNT_WEEKS_AGO:
            company_life.learn(day, actor=people["tangwei"], now=start_of(day))
        books.until(day)
        if week <= STARTED_WEEKS_AGO and not routines.are_running:
            routines.start(night_of(day) - timedelta(hours=10))
        if week in SCORED:
            score_day(day, now=night_of(day))
        # before anybody's SOPs ran nothing hangs on what a night says but the night itself
        with nullcontext() if routines.are_running else unheard():
            # as the night of that day did it: what was open then is what alerts go on from
            judge(day, now=now if week == 0 else night_of(day), without=left_out(week))
        if week:
            until = world.as_of - timedelta(weeks=following)
            with unheard():  # the next night judges what came of it
                with transaction.atomic():
                    desk.work(night_of(until))
                    desk.answer_cleared(night_of(until))
                if week <= STARTED_WEEKS_AGO:
                    routines.days(night_of(day), night_of(until))
            for more in range(week, following, -1):
                forecasters.work(night_of(world.as_of - timedelta(weeks=more - 1, days=1)))
        else:
            routines.days(now - timedelta(hours=12), now)
            routines.draft(now)
        if week == 1:
            note_visits(people.values(), today=day)


def left_out(week: int) -> list[str]:
    """Steps of a past night that are done already, or that nobody would look at."""
    unseen = [name for name, last in LOOKED_AT.items() if week > last]
    measured = ["metrics"] if week else []
    return [*unseen, *measured, *([] if week in LEARNED else ["churn"])]


def nights(weeks: int) -> list[int]:
    """How many weeks ago each of them was, the oldest first."""
    return [week for week in range(weeks, -1, -1) if week <= QUARTER or week % 2 == 0]


def night_of(day: date) -> datetime:
    return start_of(day) + timedelta(hours=2, minutes=10)


def judge(day: date, *, now: datetime, without: Sequence[str] = ()) -> None:
    """Judge a day, but for the steps that nobody would look at of a past day."""
    if without:
        steps = {name: {"state": "done", "done": 0, "total": 0} for name in without}
        DayRun.objects.create(as_of=day, started_at=now, steps=steps)
    judge_day(day, now=now, data_until=start_of(day), resume=True)


def make_sources(*, now: datetime) -> load_events.Sources:
    """Where the product's events come from. No history sources: new events count from today."""
    return load_events.Sources(
        product=create_source(actor=None, now=now, key="hezhou", name="禾舟协同（服务端）"),
        phones=create_source(actor=None, now=now, key="hezhou-app", name="禾舟协同（手机端）"),
    )
