"""How many events a second are taken durably over HTTP, and how many the drain takes further.

Server, generator and disk share this machine, as they do nowhere else: the figures are low bounds.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from gengyun.cli.benches import together
from gengyun.cli.benches.load import Load, post, run_load

BATCH = 100
CONNECTIONS = 64
SECONDS = 6.0
SERVER_WORKERS = 2
DRAIN_EVENTS = 300_000
KEY = "bench-" + secrets.token_hex(8)
WEB = ["-m", "gengyun", "web", "--workers", str(SERVER_WORKERS)]
UNDURABLE = [
    "-m", "granian", "gengyun.cli.benches.undurable:application", "--interface", "rsgi",
    "--http", "1", "--no-ws", "--log-level", "error", "--workers", str(SERVER_WORKERS),
]  # fmt: skip


def run(report) -> None:
    source_id = _prepare()
    batches = [post("/v1/batch", _body(n * BATCH), KEY) for n in range(60)]
    singles = [post("/v1/track", json.dumps(_event(n)).encode(), KEY) for n in range(600)]

    report.say("tracking: batches and single events, durable")
    bulk, single = _serve(WEB, batches, singles, stored=True)
    report.say("tracking: the same without storing, and a plain log of the same bytes")
    bulk_http, single_http = _serve(UNDURABLE, batches, singles, stored=False)
    log = _plain_log(batches[0])
    report.add(
        name="tracking.durable_events",
        value=bulk.per_second * BATCH,
        unit="events/s",
        ceiling=min(log, bulk_http.per_second * BATCH),
        target=150_000,
    )
    report.add(
        name="tracking.batch_p99",
        value=bulk.percentile_ms(0.99),
        unit="ms",
        ceiling=bulk_http.percentile_ms(0.99),
        target=200,
        higher_is_better=False,
    )
    report.add(
        name="tracking.single_requests",
        value=single.per_second,
        unit="requests/s",
        ceiling=single_http.per_second,
        target=8_000,
    )
    report.add(name="tracking.single_p99", value=single.percentile_ms(0.99), unit="ms")
    report.add(name="tracking.plain_log", value=log, unit="events/s")
    report.say("drain: from the inbox to the lake")
    drained, bare = _drain(source_id)
    report.add(
        name="tracking.drain",
        value=drained,
        unit="events/CPU-s",
        ceiling=bare,
        target=80_000,
    )
    together.run(report, batch=BATCH, key=KEY, make_event=_event, seconds=report.seconds, web=WEB)
    report.note(
        f"batches of {BATCH}, {CONNECTIONS} connections, {SERVER_WORKERS} server processes;"
        " generator and server share the machine; every 200 was found in the inbox afterwards"
    )
    report.note(
        "ceilings: the slower of a plain file with fdatasync (ten batches a sync, one process) and"
        " the same server storing nothing; for single events and p99 the latter; for the drain:"
        " reading the same JSON and writing its columns to one Parquet file, nothing checked"
    )


def _event(number: int) -> dict:
    return {
        "type": "track",
        "messageId": str(uuid.uuid4()),
        "userId": f"user-{number % 5000:06d}",
        "event": ("报表导出", "task.completed", "page.viewed")[number % 3],
        "timestamp": "2026-11-01T08:30:00.123Z",
        "properties": {"rows": number, "report": "月度毛利", "module": "分析", "plan": "旗舰版"},
        "context": {
            "groupId": f"bench-{number % 300}",
            "library": {"name": "analytics-python", "version": "2.4.0"},
            "ip": "10.0.0.1",
            "locale": "zh-CN",
        },
        "integrations": {},
    }


def _body(first: int) -> bytes:
    events = [_event(first + n) for n in range(BATCH)]
    message = {"batch": events, "sentAt": "2026-11-01T08:30:05.120Z"}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _prepare() -> int:
    from django.core.management import call_command

    from gengyun.usage.models import Source, WriteKey

    call_command("migrate", verbosity=0)
    now = datetime.now(UTC)
    source = Source.objects.create(
        key="bench", name="bench", unknown_customer=Source.UnknownCustomer.CREATE, created_at=now
    )
    WriteKey.objects.create(source=source, key=KEY, created_at=now)
    return source.pk


def _serve(
    arguments: list[str], batches: list[bytes], singles: list[bytes], *, stored: bool
) -> tuple[Load, Load]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "gengyun.config.settings"}
    server = subprocess.Popen(  # noqa: S603 (ourselves)
        [sys.executable, *arguments, "--port", str(port)],
        env=environment,
        stdout=sys.stderr,  # our own stdout may be JSON for a machine
    )
    try:
        _wait_until_ready(port, batches[:1])
        _empty_inbox()
        bulk = run_load(port=port, requests=batches, connections=CONNECTIONS, seconds=SECONDS)
        if stored:
            _check(bulk, BATCH)
        single = run_load(port=port, requests=singles, connections=CONNECTIONS, seconds=SECONDS)
        if stored:
            _check(single, 1)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    return bulk, single


def _wait_until_ready(port: int, requests: list[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.2)
            continue
        # every process has begun when all of many connections are answered; also warms up
        if not run_load(port=port, requests=requests, connections=32, seconds=1).refused:
            return
    raise RuntimeError("the server did not come up within a minute")


def _check(load: Load, events: int) -> None:
    """What was acknowledged must be there: a fast answer that is not true is worth nothing."""
    found = _empty_inbox()
    if load.refused or found < load.accepted * events:
        raise RuntimeError(
            f"{load.accepted * events} events acknowledged, {found} stored, {load.refused} refused"
        )


def _empty_inbox() -> int:
    from django.conf import settings

    from gengyun.lake.inbox import open_inbox

    with open_inbox(settings.INBOX_PATH) as inbox:
        waiting = inbox.waiting_events()
        inbox.delete_through(2**62)
    return waiting


def _plain_log(request: bytes) -> float:
    """Events a second of ten requests written to a file and synced: the best of five seconds."""
    from django.conf import settings

    path = Path(settings.DATA_DIR) / "plain.log"
    group = request * 10
    best = 0.0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for _ in range(5):
            written = 0
            started = time.perf_counter()
            while (seconds := time.perf_counter() - started) < 1:
                os.write(handle, group)
                os.fdatasync(handle)
                written += 10 * BATCH
            best = max(best, written / seconds)
    finally:
        os.close(handle)
        path.unlink()
    return best


def _drain(source_id: int) -> tuple[float, float]:
    """Events per CPU-second of the drain, and of the least that any drain must do."""
    from django.conf import settings

    from gengyun.lake.inbox import NewBatch, open_inbox
    from gengyun.lake.store import Lake
    from gengyun.usage.actions.drain import drain_all

    now = datetime.now(UTC)
    received_at = int(now.timestamp() * 1_000_000)
    bodies = [_body(n * BATCH) for n in range(DRAIN_EVENTS // BATCH)]
    with open_inbox(settings.INBOX_PATH) as inbox:
        lake = Lake.default()
        # the first turn imports libraries and creates customers: not what is measured
        inbox.append_many([NewBatch(source_id, "batch", received_at, None, 6000, _body(0))] * 2)
        drain_all(inbox=inbox, lake=lake, now=now)
        inbox.append_many(
            [NewBatch(source_id, "batch", received_at, None, BATCH, body) for body in bodies]
        )
        started = time.process_time()
        report = drain_all(inbox=inbox, lake=lake, now=now)
        seconds = time.process_time() - started
    if report.rows != DRAIN_EVENTS:
        raise RuntimeError(f"the drain wrote {report.rows} of {DRAIN_EVENTS} events")
    return DRAIN_EVENTS / seconds, DRAIN_EVENTS / _bare_drain(bodies)


def _bare_drain(bodies: list[bytes]) -> float:
    """CPU-seconds of the least that any drain must do: read the JSON, write the columns."""
    import msgspec
    import pyarrow as pa
    import pyarrow.parquet as pq
    from django.conf import settings

    from gengyun.usage.calc.decode import parse_time
    from gengyun.usage.calc.plain import PlainBatch

    path = Path(settings.DATA_DIR) / "bare.parquet"
    decoder = msgspec.json.Decoder(PlainBatch)
    started = time.process_time()
    events = [event for body in bodies for event in decoder.decode(body).batch]
    columns = {
        "customer": [event.context.groupId for event in events],
        "user": [event.userId for event in events],
        "event": [event.event for event in events],
        "message": [event.messageId for event in events],
        "happened_at": [parse_time(event.timestamp) for event in events],
        "properties": [str(event.properties, "utf-8") for event in events],
    }
    pq.write_table(pa.table(columns), path, compression="zstd")
    seconds = time.process_time() - started
    path.unlink()
    return seconds
