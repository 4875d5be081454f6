"""A load generator that costs little: prepared requests, plain sockets, one epoll loop a process.

Every connection has one request in flight (a closed loop), so the latency is what a client sees.
"""

import pickle
import selectors
import socket
import subprocess
import sys
import time
from base64 import b64encode
from typing import NamedTuple


class Load(NamedTuple):
    """What came back: answered 200, anything else, seconds from first send to last answer."""

    accepted: int
    refused: int
    seconds: float
    latencies_ms: list[float]  # sorted, accepted requests only

    @property
    def per_second(self) -> float:
        return self.accepted / self.seconds

    def percentile_ms(self, share: float) -> float:
        if not self.latencies_ms:
            return float("inf")
        return self.latencies_ms[
            min(len(self.latencies_ms) - 1, int(len(self.latencies_ms) * share))
        ]


def post(path: str, body: bytes, key: str) -> bytes:
    """One HTTP/1.1 request, ready to be sent as it is."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Basic {b64encode(f'{key}:'.encode()).decode()}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run_load(
    *, port: int, requests: list[bytes], connections: int, seconds: float, processes: int = 1
) -> Load:
    """Send `requests` round and round for `seconds` over `connections` in all."""
    drivers = []
    for number in range(processes):
        driver = subprocess.Popen(  # noqa: S603 (this module, by the same Python)
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        share = (port, requests[number::processes], max(1, connections // processes), seconds)
        driver.stdin.write(pickle.dumps(share))
        driver.stdin.close()
        drivers.append(driver)
    parts = []
    for driver in drivers:
        with driver:
            parts.append(pickle.loads(driver.stdout.read()))  # noqa: S301 (our own child)
    return Load(
        sum(part[0] for part in parts),
        sum(part[1] for part in parts),
        max(part[2] for part in parts),
        sorted(latency for part in parts for latency in part[3]),
    )


def _drive(
    port: int, requests: list[bytes], connections: int, seconds: float
) -> tuple[int, int, float, list[float]]:
    selector = selectors.DefaultSelector()
    # each begins elsewhere in the list, so that repeats come late
    step = max(1, len(requests) // connections)
    clients = [_Client(port, requests, number * step) for number in range(connections)]
    clock = time.perf_counter
    started = clock()
    until = started + seconds
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.ask(clock())
    refused = 0
    latencies: list[float] = []
    busy = len(clients)
    while busy:
        events = selector.select(10)
        if not events:
            break  # a server that answers nothing for ten seconds: what is open counts as refused
        for entry, _ in events:
            client = entry.data
            code = client.answer()
            if code is None:
                continue
            now = clock()
            if code == b"200":
                latencies.append((now - client.asked_at) * 1000)
            else:
                refused += 1
            if now < until and code != b"":
                client.ask(now)
            else:
                selector.unregister(client.socket)
                client.socket.close()
                busy -= 1
    return len(latencies), refused + busy, clock() - started, latencies


class _Client:
    def __init__(self, port: int, requests: list[bytes], first: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests = requests
        self.turn = first
        self.asked_at = 0.0
        self.buffer = b""

    def ask(self, now: float) -> None:
        self.asked_at = now
        self.socket.sendall(self.requests[self.turn % len(self.requests)])
        self.turn += 1

    def answer(self) -> bytes | None:
        """The status code once the whole answer is here; empty when the connection ended."""
        data = self.socket.recv(65536)
        if not data:
            return b""
        self.buffer += data
        head, split, body = self.buffer.partition(b"\r\n\r\n")
        if not split or len(body) < _length(head):
            return None
        self.buffer = b""
        return head[9:12]


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(_drive(*pickle.loads(sys.stdin.buffer.read()))))  # noqa: S301
