"""An outage of three days, and the same days judged again, through the product itself.

A calm world (no shocks, no wandering): whoever gets a ticket in it gets it for the outage. Then a
lively one, every day of which is judged twice and once more at the end.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from time import perf_counter

import numpy as np

CALM_ACCOUNTS, LIVELY_ACCOUNTS = 200, 200
OUTAGE_DAYS, BEFORE, AFTER, REPLAYED = 3, 2, 20, 14
SEED = 7


def run(report) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    report.say("alerts: an outage of three days, judged day by day")
    _outage(report)
    report.say("alerts: the same days twice")
    _replay(report)


def _outage(report) -> None:
    from gengyun.demo.simulator.config import preset

    history = 210
    # a Monday in April: Spring Festival lies in the history, Labour Day in the days after
    config = preset(
        "tiny",
        accounts=CALM_ACCOUNTS,
        start=date(2025, 4, 14) - timedelta(days=history),
        days=history + OUTAGE_DAYS + AFTER,
        shocks=(),
        wandering=0.0,
        outages=0,
    )
    days = range(history - BEFORE, config.days + 1)
    started = perf_counter()
    _, without = _judged(config, days, "calm")
    outage = replace(config, fixed_outages=((history, OUTAGE_DAYS),))
    incidents, tickets = _judged(outage, days, "outage")
    seconds = perf_counter() - started
    extra = len(tickets - without)
    report.add(name="alerts.outage.incidents", value=incidents, unit="incidents", target=1)
    report.add(
        name="alerts.outage.more_incidents", value=max(0, incidents - 1), unit="incidents",
        target=0, higher_is_better=False,
    )  # fmt: skip
    report.add(
        name="alerts.outage.tickets", value=extra, unit="tickets", target=0, higher_is_better=False
    )
    report.note(
        f"alerts: outage of {OUTAGE_DAYS} working days among {CALM_ACCOUNTS} customers whose use "
        f"does not change, {len(days)} days judged: customers with a ticket or a line in the "
        f"digest: {len(tickets)}, in the same world without the outage: {len(without)}; "
        f"tickets are customers who have one only in the first ({seconds:.1f} s together)"
    )


def _judged(config, days, name: str) -> tuple[int, set[str]]:
    """Company-wide incidents, and the customers for whom anything was opened."""
    from gengyun.alerts.models import Alert, Episode

    world, lake = _loaded(config, name=name)
    for day in days:
        _judge(world.seen.day(day), lake)
    incidents = Episode.objects.filter(customer__isnull=True).count()
    opened = Alert.objects.filter(customer__isnull=False)
    return incidents, {
        external_id.split("-")[1]
        for external_id in opened.values_list("customer__external_id", flat=True)
    }


def _replay(report) -> None:
    from gengyun.demo.simulator.config import preset

    config = preset("smb", accounts=LIVELY_ACCOUNTS, start=date(2025, 3, 3), days=230, outages=0)
    world, lake = _loaded(config, name="lively")
    days = [world.seen.day(k) for k in range(config.days - REPLAYED, config.days + 1)]
    twice = 0
    for day in days:
        _judge(day, lake)
        before = _counts()
        _judge(day, lake)
        twice += sum(abs(a - b) for a, b in zip(before, _counts(), strict=True))
    before = _counts()
    for day in days:
        _judge(day, lake)
    twice += sum(abs(a - b) for a, b in zip(before, _counts(), strict=True))
    if not before[0]:
        raise RuntimeError("no alert opened in the lively world: the replay shows nothing")
    report.add(
        name="alerts.replay.opened_twice", value=twice, unit="rows", target=0,
        higher_is_better=False,
    )  # fmt: skip
    report.note(
        f"alerts: {len(days)} days among {LIVELY_ACCOUNTS} customers opened {before[0]} alerts; "
        "each day judged twice, then all of them once more"
    )


def _counts() -> tuple[int, int, int]:
    from gengyun.alerts.models import Alert, AlertEvent, Episode

    return Alert.objects.count(), Episode.objects.count(), AlertEvent.objects.count()


def _judge(day: date, lake) -> None:
    """As the worker does in the night: shortly after the day has begun."""
    from gengyun.alerts.actions.defaults import install_defaults
    from gengyun.alerts.actions.evaluate import evaluate_day

    now = _instant(day)
    install_defaults(now=now)
    evaluate_day(day, now=now, lake=lake)


def _instant(day: date) -> datetime:
    from gengyun.kernel.days import start_of

    return start_of(day) + timedelta(minutes=40)


def _loaded(config, *, name: str):
    """(world, lake): its customers in the database, its use as roll-ups in a lake of its own."""
    import os
    from pathlib import Path

    import pyarrow as pa

    from gengyun.alerts.models import Alert, AlertDay, Episode, Suppression
    from gengyun.customers.models import Customer
    from gengyun.demo.simulator.make import make_world
    from gengyun.lake.store import Lake
    from gengyun.lake.tables import DAILY

    for model in (Suppression, Alert, Episode, AlertDay):
        model.objects.all().delete()
    Customer.objects.all().delete()
    world = make_world(config, seed=SEED)
    born = _instant(config.start - timedelta(days=400))
    stamps = {"known_at": born, "created_at": born, "updated_at": born}
    made = Customer.objects.bulk_create(
        Customer(
            external_id=f"{name}-{k}",
            name=f"{name} {k}",
            industry=world.seen.seasons[world.seen.season[k]],
            **stamps,
        )
        for k in range(config.accounts)
    )
    ids = np.array([customer.pk for customer in made])
    account, day = np.nonzero(world.seen.events)
    when = np.datetime64(config.start, "D") + day
    lake = Lake(Path(os.environ["GENGYUN_DATA"]) / f"lake-{name}")
    rows = {
        "measure": np.full(len(account), "daily-all"),
        "customer_id": ids[account],
        "day": when,
        "known_day": when,
        "n": world.seen.events[account, day].astype(np.int64),
        "total_micro": np.zeros(len(account), dtype=np.int64),
    }
    lake.append("daily", pa.table(rows).cast(DAILY))
    return world, lake
