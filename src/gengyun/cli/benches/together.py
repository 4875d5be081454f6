"""Everything at once, as in production: events come in, the worker drains, people open pages.

One machine does all of it, the generator too. The flow is steady and every event is new; at the
end every acknowledged event is looked for in the lake.
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

from gengyun.cli.benches.steady import MARK, Steady

TARGET = 30_000  # events a second, taken and drained
OFFERED = 1.06  # of the target: a flow that only just reaches it proves nothing
WARM_UP_SECONDS = 10.0
PAGES = ("/", "/customers/")
PAGE_PAUSE = 0.25  # four pages a second: some dozens of people at work
PAGE_P95_MS = 500  # by the clock, with every core busy
SAMPLE_SECONDS = 5.0
BACKLOG_SECONDS = 20  # of the flow: what may wait at the end


def run(report, *, batch: int, key: str, make_event, seconds: float, web: list[str]) -> None:
    report.say(f"together: events in, events drained and pages read for {seconds:.0f} s")
    session = _session()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "gengyun.config.settings"}
    started = [
        subprocess.Popen([sys.executable, *command], env=environment, stdout=sys.stderr)  # noqa: S603
        for command in ([*web, "--port", str(port)], ["-m", "gengyun", "worker"])
    ]
    try:
        _wait(port)
        _warm_up(port, _requests(batch, key, make_event, "warm"), batch)
        requests = _requests(batch, key, make_event, "real")
        figures = _measure(port, requests, batch, seconds, session)
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(60)
    _tell(report, **figures)


def _requests(batch: int, key: str, make_event, prefix: str) -> list[bytes]:
    """Sixty batches; `steady` gives the messages of each one that it sends a number of its own."""
    from gengyun.cli.benches.load import post

    requests = []
    for number in range(60):
        events = [make_event(number * batch + n) for n in range(batch)]
        for n, event in enumerate(events):
            event["messageId"] = f"{prefix}-{MARK.decode()}-{n:04d}"
        body = json.dumps({"batch": events}, ensure_ascii=False, separators=(",", ":")).encode()
        requests.append(post("/v1/batch", body, key))
    return requests


def _flow(port: int, requests: list[bytes], batch: int, seconds: float) -> Steady:
    rate = TARGET * OFFERED / batch
    return Steady(port=port, requests=requests, connections=32, rate=rate, seconds=seconds)


def _warm_up(port: int, requests: list[bytes], batch: int) -> None:
    """The first turns make the customers and the users: what every later day has already."""
    done = _flow(port, requests, batch, WARM_UP_SECONDS).finish()
    if done.refused:
        raise RuntimeError(f"{done.refused} requests were refused while warming up")
    _until_drained()


def _measure(
    port: int, requests: list[bytes], batch: int, seconds: float, session: str
) -> dict[str, object]:
    pages: dict[str, list[float]] = {path: [] for path in PAGES}
    backlog: list[int] = []
    stop = threading.Event()
    reader = threading.Thread(target=_read_pages, args=(port, session, pages, stop))
    kept_before = _kept()
    flow = _flow(port, requests, batch, seconds)
    reader.start()
    until = time.perf_counter() + seconds
    while (left := until - time.perf_counter()) > 0:
        time.sleep(min(SAMPLE_SECONDS, max(left, 0.05)))
        backlog.append(_waiting())
    done = flow.finish()
    waiting = _waiting()
    stop.set()
    reader.join()
    accepted = done.accepted * batch
    # between the first sample and the last: the pipe has filled by then
    grown = (waiting - backlog[0]) / max(done.seconds - SAMPLE_SECONDS, 1)
    _until_drained()
    # every message was new: one that counts as a repeat is missing too
    missing = kept_before + accepted - _kept()
    return {
        "accepted": accepted / done.seconds,
        "drained": accepted / done.seconds - grown,
        "refused": done.refused,
        "p99": done.latencies_ms[int(len(done.latencies_ms) * 0.99)],
        "backlog": [*backlog, waiting],
        "pages": pages,
        "missing": missing,
        "offered": TARGET * OFFERED,
    }


def _tell(report, *, accepted, drained, refused, p99, backlog, pages, missing, offered) -> None:
    if refused or missing:
        raise RuntimeError(f"{refused} requests refused, {missing} acknowledged events not found")
    report.add(
        name="tracking.together",
        value=min(accepted, drained),
        unit="events/s",
        ceiling=offered,
        target=TARGET,
    )
    report.add(name="tracking.together_accepted", value=accepted, unit="events/s")
    report.add(name="tracking.together_drained", value=drained, unit="events/s")
    report.add(name="tracking.together_batch_p99", value=p99, unit="ms")
    report.add(
        name="tracking.together_backlog",
        value=max(backlog[-1], 0),
        unit="events",
        target=TARGET * BACKLOG_SECONDS,
        higher_is_better=False,
    )
    for path, times in pages.items():
        if len(times) < 5:
            raise RuntimeError(f"{path} was answered only {len(times)} times")
        name = path.strip("/") or "today"
        report.add(
            name=f"tracking.together_page_{name}_p95",
            value=sorted(times)[int(len(times) * 0.95)],
            unit="ms",
            target=PAGE_P95_MS,
            higher_is_better=False,
        )
    shown = ", ".join(f"{count:,}" for count in backlog[:: max(1, len(backlog) // 8)])
    report.note(
        f"together: {offered:,.0f} new events/s offered at a steady rate; the figure is the lower"
        f" of taken and drained; waiting in the inbox over time: {shown}; afterwards every"
        " acknowledged event was counted; pages by the clock over HTTP, four a second"
    )


def _read_pages(port: int, session: str, pages: dict[str, list[float]], stop) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while not stop.is_set():
        for path, times in pages.items():
            began = time.perf_counter()
            connection.request("GET", path, headers={"Cookie": session})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status}")
            times.append((time.perf_counter() - began) * 1000)
            stop.wait(PAGE_PAUSE)


def _session() -> str:
    """A signed-in person's cookie."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from gengyun.kernel.clock import utc_now
    from gengyun.team.models import User

    person = User.objects.create(
        email="bench@example.com", name="bench", role="admin", created_at=utc_now()
    )
    store = SessionStore()
    store[SESSION_KEY] = str(person.pk)
    store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    store[HASH_SESSION_KEY] = person.get_session_auth_hash()
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not come up within a minute")


def _waiting() -> int:
    from django.conf import settings

    from gengyun.lake.inbox import open_inbox

    with open_inbox(settings.INBOX_PATH) as inbox:
        return inbox.waiting_events()


def _kept() -> int:
    """Events of our source that are in the lake, as the drain counted them."""
    from gengyun.usage.models import Source

    return Source.objects.get(key="bench").accepted_count


def _until_drained() -> None:
    until = time.monotonic() + 180
    while _waiting():
        if time.monotonic() > until:
            raise RuntimeError(f"{_waiting()} events still wait after three minutes")
        time.sleep(0.5)
