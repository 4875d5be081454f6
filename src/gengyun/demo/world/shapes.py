"""What the simulated world consists of."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from gengyun.demo.world.deals import Deed
from gengyun.demo.world.names import Industry

if TYPE_CHECKING:
    from gengyun.demo.world.tales import Cast


@dataclass
class Person:
    """A contact of a customer."""

    name: str
    title: str
    part: str  # decider, champion, user, procurement
    email: str
    phone: str
    user: int | None = None  # index into Users: uses the product
    came_on: date | None = None  # took over from somebody; None: there from the start
    left_on: date | None = None  # when we learned that they had left
    gone: int | None = None  # day index since which they do not use the product; may be negative

    def is_there(self, day: date) -> bool:
        came = self.came_on is None or self.came_on <= day
        return came and (self.left_on is None or self.left_on > day)


@dataclass(frozen=True)
class Shock:
    """Something that happened at the customer. Half of the serious ones do not show in use."""

    kind: str
    day: int  # index into World.days; may lie before the first
    jump: float  # change of engagement, latent scale
    shows_from: int | None  # day index from which use changes; None: it does not
    half_life: float  # days
    recorded: int | None  # day index on which a CSM noted it, may be negative; None: never


@dataclass
class Account:
    index: int
    external_id: str
    name: str
    industry: Industry
    city: str
    size: str  # standard, key, strategic: drawn first; the tier follows from the value
    edition: str
    seats: int
    arr_yuan: int
    started_on: date
    term_months: int
    renews_on: date
    owner: str | None  # key of a colleague
    situation: str  # usual, new, no_data, stopped, churned
    first_day: int  # day index of first use; may be negative
    last_day: int | None  # day index after which nothing comes; None: goes on
    fit: float
    modules: list[str]
    persons: list[Person] = field(default_factory=list)
    shocks: list[Shock] = field(default_factory=list)
    # (day, seats, ARR in yuan) from that day on, oldest first; the first is the start
    terms: list[tuple[date, int, int]] = field(default_factory=list)
    signed: dict[date, date] = field(default_factory=dict)  # start of a term -> day of signature
    first_ends_on: date | None = None  # last day of the first contract
    tags: list[str] = field(default_factory=list)
    next_step: str = ""
    next_step_on: date | None = None


@dataclass
class Users:
    """Product users, as columns."""

    account: np.ndarray  # int
    job: np.ndarray  # index into product.JOBS
    weight: np.ndarray  # how eagerly this person uses the product, mean 1
    joined: np.ndarray  # day index
    left: np.ndarray  # day index; a far future day while still there
    names: list[str] = field(default_factory=list)

    def and_(self, more: "Users") -> "Users":
        columns = {
            name: np.concatenate([getattr(self, name), getattr(more, name)])
            for name in ("account", "job", "weight", "joined", "left")
        }
        return Users(**columns, names=[*self.names, *more.names])


@dataclass
class Events:
    """Tracked events, as columns, ordered by the time they became known."""

    account: np.ndarray  # int
    user: np.ndarray  # index into Users
    deed: np.ndarray  # index into product.DEEDS
    properties: np.ndarray  # index into `property_texts`
    happened: np.ndarray  # microseconds since 1970 UTC
    known: np.ndarray  # microseconds since 1970 UTC
    property_texts: list[str] = field(default_factory=list)

    def and_(self, more: "Events") -> "Events":
        """Both in the order in which they became known; the property texts are the same."""
        columns = {
            name: np.concatenate([getattr(self, name), getattr(more, name)])
            for name in ("account", "user", "deed", "properties", "happened", "known")
        }
        order = np.argsort(columns["known"], kind="stable")
        sorted_ = {name: values[order] for name, values in columns.items()}
        return Events(**sorted_, property_texts=self.property_texts)


@dataclass
class Note:
    """An entry of the timeline."""

    account: int
    kind: str  # call, meeting, wecom, email, visit, note
    body: str
    happened_at: datetime
    author: str | None
    persons: list[int] = field(default_factory=list)  # indexes into Account.persons
    outcome: str = ""


@dataclass
class World:
    seed: int
    as_of: date  # the last day of data is the day before
    days: list[date]
    accounts: list[Account]
    users: Users
    events: Events
    notes: list[Note]
    level: np.ndarray  # [account, day]: share of a working day's usual use, before the calendar
    active: np.ndarray  # [account, day]: users who did something
    cast: "Cast | None" = None  # whose stories are written, see tales
    former: list[Account] = field(default_factory=list)  # left in the course of the years
    deeds: list[Deed] = field(default_factory=list)  # contracts and invoices, oldest first
    former_notes: list[Note] = field(default_factory=list)  # `events`, `users` hold theirs too

    def day(self, index: int) -> date:
        """The day of an index, also of those before the first."""
        return self.days[0] + timedelta(days=index)
