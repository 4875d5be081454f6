"""Events of the simulated world into the lake, as a drained inbox would have left them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa

from gengyun.customers.models import Customer
from gengyun.demo.world.product import CLIENTS, DEEDS, JOBS
from gengyun.demo.world.shapes import World
from gengyun.demo.world.usage import PHONE, client_of
from gengyun.kernel.days import day_of
from gengyun.kernel.rows import insert
from gengyun.lake import tables
from gengyun.lake.keys import hash64
from gengyun.lake.store import Lake
from gengyun.usage.models import Arrival, ProductUser, Source

EPOCH = date(1970, 1, 1)
HOUR_US = 3_600_000_000


def user_ids(world: World) -> list[str]:
    """The product's own id of each user: customer, then a running number."""
    everybody = [*world.accounts, *world.former]
    seen: dict[int, int] = {}
    ids = []
    for account in world.users.account.tolist():
        seen[account] = seen.get(account, 0) + 1
        ids.append(f"{everybody[account].external_id}-u{seen[account]:03d}")
    return ids


@dataclass(frozen=True)
class Sources:
    """The product sends from its servers, its telephone app by itself."""

    product: Source
    phones: Source


def load_events(
    world: World, customers: list[Customer], *, sources: Sources, ids: list[str], lake: Lake
) -> int:
    """Append all events in one commit; a second call for the same source changes nothing.

    `customers`: those of the world's accounts and then of those who left, in their order.
    """
    by_phone = client_of(world.events.properties) == CLIENTS.index(PHONE)
    source_ids = np.where(by_phone, sources.phones.pk, sources.product.pk).astype(np.int32)
    arrow = events_arrow(world, customers, source_ids=source_ids, ids=ids)
    lake.append("events", arrow, app=f"demo-{sources.product.pk}", version=1)
    for source, mine in ((sources.product, ~by_phone), (sources.phones, by_phone)):
        newest = datetime.fromtimestamp(int(world.events.known[mine].max()) / 1e6, UTC)
        Source.objects.filter(pk=source.pk).update(
            accepted_count=int(mine.sum()), last_event_at=newest
        )
        source.keys.update(last_used_at=newest)  # a key in use: its silence will be noticed
    return arrow.num_rows


def events_arrow(
    world: World, customers: list[Customer], *, source_ids: np.ndarray, ids: list[str]
) -> pa.Table:
    events = world.events
    count = len(events.account)
    customer_ids = np.array([customer.pk for customer in customers], dtype=np.int64)
    user_keys = np.array([hash64(user_id) for user_id in ids], dtype=np.int64)
    # the dedupe key only has to be unique: no client ever sent these messages
    draw = np.random.default_rng(world.seed)
    message_keys = draw.integers(1, 2**63 - 1, size=count, dtype=np.int64)
    instant = pa.timestamp("us", tz="UTC")
    columns = {
        "received_day": pa.repeat(pa.scalar(world.as_of, pa.date32()), count),
        "customer_id": customer_ids[events.account],
        "user_key": user_keys[events.user],
        "user_id": _texts(ids, events.user),
        "kind": pa.repeat("track", count),
        "event": _texts([deed.event for deed in DEEDS], events.deed),
        "day": _days(events.happened),
        "known_day": _days(events.known),
        "happened_at": pa.array(events.happened, instant),
        "known_at": pa.array(events.known, instant),
        "received_at": pa.array(events.known, instant),
        "source_id": source_ids,
        "message_key": message_keys,
        "properties": _texts(events.property_texts, events.properties),
    }
    schema = tables.EVENTS
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


def _texts(words: list[str], index: np.ndarray) -> pa.Array:
    return pa.array(words, pa.string()).take(pa.array(index.astype(np.int64)))


def _days(instants: np.ndarray) -> pa.Array:
    """The company's day of each instant. Hours are converted, not events: offsets are whole here
    or, in a zone of half hours, split below."""
    quarters, place = np.unique(instants // (HOUR_US // 4), return_inverse=True)
    days = np.array(
        [
            (day_of(datetime.fromtimestamp(int(quarter) * 900, UTC)) - EPOCH).days
            for quarter in quarters
        ],
        dtype=np.int32,
    )
    return pa.array(days[place], pa.date32())


def load_product_users(world: World, customers: list[Customer], ids: list[str]) -> int:
    """Users who did something, with the first and last time."""
    events = world.events
    count = len(ids)
    first = np.full(count, np.iinfo(np.int64).max)
    last = np.zeros(count, dtype=np.int64)
    np.minimum.at(first, events.user, events.happened)
    np.maximum.at(last, events.user, events.happened)
    rows = [
        ProductUser(
            external_id=ids[k],
            customer=customers[world.users.account[k]],
            name=world.users.names[k],
            traits={"title": JOBS[world.users.job[k]]},
            first_seen_at=_instant(first[k]),
            last_seen_at=_instant(last[k]),
        )
        for k in np.flatnonzero(last)
    ]
    insert(rows)
    return len(rows)


def load_arrivals(
    world: World, customers: list[Customer], *, source: Source, ids: list[str], keep: int = 60
) -> None:
    """The newest events, for the list of what arrived."""
    events = world.events
    everybody = [*world.accounts, *world.former]
    Arrival.objects.bulk_create(
        [
            Arrival(
                source=source,
                received_at=_instant(events.known[k]),
                happened_at=_instant(events.happened[k]),
                kind="track",
                event=DEEDS[events.deed[k]].event,
                user_id=ids[events.user[k]],
                group_id=everybody[events.account[k]].external_id,
                customer=customers[events.account[k]],
                outcome="accepted",
                body=events.property_texts[events.properties[k]],
            )
            for k in range(max(len(events.known) - keep, 0), len(events.known))
        ]
    )


def _instant(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))
