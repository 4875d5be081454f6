"""Customers, contacts and notes into the database, each known from the day it was known."""

from datetime import date, datetime, timedelta

from django.db import transaction

from gengyun.customers.actions.history import Frame, write_new
from gengyun.customers.actions.stage_defaults import RENEWAL_DAYS
from gengyun.customers.actions.tags import write_tags_each
from gengyun.customers.calc.tiering import tier_for
from gengyun.customers.models import Contact, Customer, StageStay
from gengyun.demo.world.shapes import Account, Note, World
from gengyun.engagement.models import Activity
from gengyun.kernel.days import start_of
from gengyun.kernel.rows import insert, insert_values
from gengyun.team.models import AuditEntry, User

BATCH = 1_000
NEW_STEPS = (("handover", 0), ("kickoff", 9), ("rollout", 24), ("steady", 95))


@transaction.atomic
def load_customers(world: World, *, now: datetime, people: dict[str, User]) -> list[Customer]:
    """One customer per account, in the same order, with stays and tags; terms follow the books."""
    frame = Frame.load()
    customers = [_customer(account, people, frame, world.as_of, now) for account in world.accounts]
    write_new(customers, actor=None, now=now, frame=frame)
    StageStay.objects.bulk_create(
        [
            StageStay(
                customer=customer,
                stage=frame.stage_by_key[customer.stage.touch_model, key],
                entered_on=entered,
                left_on=left,
            )
            for account, customer in zip(world.accounts, customers, strict=True)
            for key, entered, left in _earlier_stays(account, customer, world.as_of)
        ],
        batch_size=BATCH,
    )
    tagged = [(c, a.tags) for a, c in zip(world.accounts, customers, strict=True) if a.tags]
    write_tags_each(
        [customer for customer, _ in tagged],
        {customer.pk: (tags, []) for customer, tags in tagged},
        actor=None,
        now=now,
        quiet=True,
    )
    return customers


@transaction.atomic
def load_former(world: World, *, now: datetime, people: dict[str, User]) -> list[Customer]:
    """Those who left in the course of the years; they are archived when the books get there."""
    frame = Frame.load()
    customers = [_customer(account, people, frame, world.as_of, now) for account in world.former]
    write_new(customers, actor=None, now=now, frame=frame)
    return customers


def _customer(
    account: Account, people: dict[str, User], frame: Frame, as_of: date, now: datetime
) -> Customer:
    _, seats, arr = account.terms[0]
    known_at = start_of(account.started_on) + timedelta(hours=9)
    customer = Customer(
        external_id=account.external_id,
        name=account.name,
        industry=account.industry.name,
        region=account.city,
        owner=people.get(account.owner or ""),
        arr_minor=arr * 100,
        seats=seats,
        edition=account.edition,
        started_on=account.started_on,
        renews_on=account.first_ends_on,  # later ones come from the contracts
        next_step=account.next_step,
        next_step_on=account.next_step_on,
        known_at=known_at,
        created_at=known_at,
        updated_at=now,
    )
    values = {"arr_minor": arr * 100, "seats": seats, "edition": account.edition}
    customer.tier_id = tier_for(values, frame.rules)
    touch = frame.touch_of_tier[customer.tier_id or 0]
    key, since = _stage(account, as_of, RENEWAL_DAYS[touch])
    customer.stage, customer.stage_since = frame.stage_by_key[touch, key], since
    return customer


def _stage(account: Account, as_of: date, renewal_days: int) -> tuple[str, date]:
    """Where the customer is on the journey, and since when."""
    age = (as_of - account.started_on).days
    to_renewal = (account.renews_on - as_of).days
    if account.situation in {"churned", "former"}:
        return "churned", account.renews_on
    if age < NEW_STEPS[-1][1]:
        key, after = next(step for step in reversed(NEW_STEPS) if age >= step[1])
        return key, account.started_on + timedelta(days=after)
    if to_renewal <= renewal_days:
        return "renewal", account.renews_on - timedelta(days=renewal_days)
    grew = [day for (day, _, arr), old in _steps(account) if arr > old]
    if grew and (as_of - grew[-1]).days < 45:
        return "expansion", grew[-1]
    return "steady", account.started_on + timedelta(days=NEW_STEPS[-1][1])


def _steps(account: Account) -> list[tuple[tuple[date, int, int], int]]:
    """Each change of terms with the ARR before it."""
    return [(new, old[2]) for old, new in zip(account.terms[:-1], account.terms[1:], strict=True)]


def _earlier_stays(
    account: Account, customer: Customer, as_of: date
) -> list[tuple[str, date, date]]:
    """The stays before the present one: the first steps, then steady."""
    since = customer.stage_since or as_of
    starts = [(key, account.started_on + timedelta(days=after)) for key, after in NEW_STEPS]
    stays = []
    for place, (key, entered) in enumerate(starts):
        left = starts[place + 1][1] if place + 1 < len(starts) else since
        if left <= since and entered < left:
            stays.append((key, entered, left))
    return stays


@transaction.atomic
def load_contacts(
    accounts: list[Account], customers: list[Customer], *, as_of: date, user_ids: list[str]
) -> list[list[Contact]]:
    """The contacts of each customer, in the order of `Account.persons`."""
    made = []
    for account, customer in zip(accounts, customers, strict=True):
        row = []
        for person in account.persons:
            if person.came_on is not None and person.came_on >= as_of:
                continue
            since = start_of(person.came_on) if person.came_on else customer.known_at
            row.append(
                Contact(
                    customer=customer,
                    name=person.name,
                    title=person.title,
                    part=person.part,
                    email=person.email,
                    phone=person.phone,
                    product_user_id=user_ids[person.user] if person.user is not None else "",
                    left_on=person.left_on,
                    created_at=since,
                    updated_at=since,
                )
            )
        made.append(row)
    Contact.objects.bulk_create([contact for row in made for contact in row], batch_size=BATCH)
    return made


@transaction.atomic
def load_notes(
    told: list[Note],
    customers: list[Customer],
    contacts: list[list[Contact]],
    *,
    people: dict[str, User],
) -> int:
    """The timeline, with the audit rows that writing it down would have left. `customers` and
    `contacts`: of all accounts, by their numbers."""
    notes = [note for note in told if note.author in people]
    activities = [
        Activity(
            customer=customers[note.account],
            kind=note.kind,
            body=note.body,
            happened_at=note.happened_at,
            outcome=note.outcome,
            author=people[note.author or ""],
            recorded_at=note.happened_at + timedelta(minutes=20),
        )
        for note in notes
    ]
    insert(activities)
    insert_values(
        Activity.contacts.through,
        ("activity_id", "contact_id"),
        [
            (activity.pk, contacts[note.account][place].pk)
            for note, activity in zip(notes, activities, strict=True)
            for place in note.persons
            if place < len(contacts[note.account])
        ],
    )
    insert(
        [
            AuditEntry(
                at=activity.recorded_at,
                actor=activity.author,
                action="activity.create",
                object_type="engagement.activity",
                object_id=str(activity.pk),
                object_label=str(activity),
                changes={"kind": [None, activity.kind], "customer": [None, activity.customer.name]},
            )
            for activity in activities
        ]
    )
    return len(activities)
