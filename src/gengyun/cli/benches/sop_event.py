"""From an event that arrives to the first step of the SOP that it starts, everything running.

The web server takes 500 events a second over HTTP, the worker drains them, lets their customers
into an SOP and does its first step. A step counts from when another connection sees its line in the
database; an event from when its request began. Generator, server, worker and database share the
machine.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from datetime import UTC, datetime

RATE, SECONDS, BATCH = 500, 20.0, 25
CUSTOMERS = 5_000
P95_SECONDS = 5.0
KEY, EVENT = "bench-write-key-sop", "bench.asked"
LOOK, PATIENCE = 0.05, 120.0
WEB = ["-m", "gengyun", "web", "--host", "127.0.0.1"]


def run(report) -> None:
    from gengyun.cli.bench import make_database

    make_database()
    report.say(f"sop: {RATE} events/s for {SECONDS:.0f} s into an SOP that starts on them")
    known = _world()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "gengyun.config.settings"}
    started = [
        subprocess.Popen([sys.executable, *command], env=environment, stdout=sys.stderr)  # noqa: S603
        for command in ([*WEB, "--port", str(port)], ["-m", "gengyun", "worker"])
    ]
    try:
        _wait(port)
        sent, seen = _measure(port, known)
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(60)
    _tell(report, sent, seen)


def _world() -> list[int]:
    """Customers with their summaries, and one live SOP: event, note, end; everybody may again."""
    from gengyun.cli.benches import sop_world
    from gengyun.customers.models import Customer
    from gengyun.sop.models import Sop, SopVersion
    from gengyun.usage.actions.sources import create_source

    now = datetime.now(UTC)
    sop_world.build(CUSTOMERS, now)
    create_source(actor=None, now=now, name="bench", key="bench").keys.update(key=KEY)
    sop = Sop.objects.create(
        key="asked", name="asked", state="live", created_at=now, changed_at=now, started_at=now
    )
    SopVersion.objects.create(
        sop=sop, number=1, state="published", created_at=now, changed_at=now, published_at=now,
        form={
            "entry": {"kind": "event", "event": EVENT}, "reentry": {"kind": "always"},
            "steps": [{"key": "note", "kind": "note", "text": "问过"}],
        },
    )  # fmt: skip
    return list(Customer.objects.order_by("pk").values_list("pk", flat=True))


def _measure(port: int, known: list[int]) -> tuple[dict[int, float], dict[int, float]]:
    """Customer -> when its first event was sent; customer -> when its first step was seen."""
    sent: dict[int, float] = {}
    seen: dict[int, float] = {}
    last = _warm_up(port, known[0])
    sender = threading.Thread(target=_send, args=(port, known, sent))
    sender.start()
    until = time.monotonic() + SECONDS + PATIENCE
    while time.monotonic() < until and (sender.is_alive() or len(seen) < len(sent)):
        last = _look(last, seen)
        time.sleep(LOOK)
    sender.join()
    return sent, seen


def _warm_up(port: int, customer: int) -> int:
    """The worker is up and has loaded what it needs: one event has come through."""
    _post(http.client.HTTPConnection("127.0.0.1", port, timeout=60), [_event(customer, -1)])
    seen: dict[int, float] = {}
    last, until = 0, time.monotonic() + PATIENCE
    while not seen and time.monotonic() < until:
        last = _look(last, seen)
        time.sleep(LOOK)
    return last


def _look(last: int, seen: dict[int, float]) -> int:
    from gengyun.sop.models import StepRun

    rows = StepRun.objects.filter(pk__gt=last).order_by("pk")
    for pk, customer in rows.values_list("pk", "run__customer_id"):
        seen.setdefault(customer, time.monotonic())
        last = pk
    return last


def _send(port: int, known: list[int], sent: dict[int, float]) -> None:
    """Batch after batch, each at its time; one that is late does not move the others."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    start = time.monotonic()
    for number in range(int(RATE * SECONDS / BATCH)):
        time.sleep(max(0.0, start + number * BATCH / RATE - time.monotonic()))
        some = [known[(number * BATCH + n) % len(known)] for n in range(BATCH)]
        events = [_event(pk, number) for pk in some]
        began = time.monotonic()
        _post(link, events)
        for pk in some:
            sent.setdefault(pk, began)


def _post(link: http.client.HTTPConnection, events: list[dict]) -> None:
    head = {
        "Content-Type": "application/json",
        "Authorization": f"Basic {b64encode(f'{KEY}:'.encode()).decode()}",
    }
    link.request("POST", "/v1/batch", json.dumps({"batch": events}), head)
    answer = link.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"an event was refused: {answer.status}")


def _event(pk: int, number: int) -> dict:
    return {
        "type": "track", "messageId": f"sop-{number}-{pk}", "userId": f"u{pk}", "event": EVENT,
        "timestamp": datetime.now(UTC).isoformat(), "context": {"groupId": f"acct_{pk}"},
    }  # fmt: skip


def _wait(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not come up")


def _tell(report, sent: dict[int, float], seen: dict[int, float]) -> None:
    missing = len(sent) - len(seen)
    if missing or len(sent) < CUSTOMERS:
        raise RuntimeError(f"{missing} of {len(sent)} customers did not get their step")
    took = sorted(seen[pk] - sent[pk] for pk in sent)
    report.add(
        name="sop.event_to_first_step_p95", value=took[int(len(took) * 0.95)], unit="s",
        target=P95_SECONDS, higher_is_better=False,
    )  # fmt: skip
    report.add(name="sop.event_to_first_step_p50", value=took[len(took) // 2], unit="s")
    report.note(
        f"sop: {RATE} events/s over HTTP for {SECONDS:.0f} s, {len(sent):,} customers; from the "
        "request to the line of the step as another connection sees it"
    )
