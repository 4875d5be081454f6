"""A steady flow of new events: so many batches a second, each message sent once.

An open loop: what the server is late with is not forgiven, it waits and is counted. Plain sockets
and one epoll loop, like `load`.
"""

import pickle
import selectors
import subprocess
import sys
import time
from collections import deque
from typing import NamedTuple

from gengyun.cli.benches.load import _Client

MARK = b"@@@@@@@@"  # in a request: replaced by its number, which makes its message ids new


class Flow(NamedTuple):
    """What became of it: requests answered 200, the rest, and the answers' milliseconds."""

    accepted: int
    refused: int
    seconds: float
    latencies_ms: list[float]  # sorted, from the moment a request was due


class Steady:
    """The flow in a process of its own: `start`, do something else, `finish`."""

    def __init__(
        self, *, port: int, requests: list[bytes], connections: int, rate: float, seconds: float
    ) -> None:
        self.process = subprocess.Popen(  # noqa: S603 (this module, by the same Python)
            [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.process.stdin.write(pickle.dumps((port, requests, connections, rate, seconds)))
        self.process.stdin.close()

    def finish(self) -> Flow:
        with self.process:
            return Flow(*pickle.loads(self.process.stdout.read()))  # noqa: S301 (our own child)


def _drive(
    port: int, requests: list[bytes], connections: int, rate: float, seconds: float
) -> tuple[int, int, float, list[float]]:
    selector = selectors.DefaultSelector()
    # in turn: the server closes a connection that is idle for half a minute
    idle: deque[_Client] = deque()

    def connect() -> None:
        client = _Client(port, [b""], 0)
        selector.register(client.socket, selectors.EVENT_READ, client)
        idle.append(client)

    for _ in range(connections):
        connect()
    clock = time.perf_counter
    started = clock()
    sent = refused = 0
    latencies: list[float] = []
    total = int(rate * seconds)
    open_until = started + seconds + 30
    while len(latencies) + refused < total and clock() < open_until:
        due = min(total, int((clock() - started) * rate) + 1)
        while sent < due and idle:
            client = idle.popleft()
            request = requests[sent % len(requests)].replace(MARK, b"%08d" % sent)
            client.requests = [request]
            # late is late: the clock of a request runs from when it was due
            client.ask(started + sent / rate)
            sent += 1
        for entry, _ in selector.select(0.002):
            client = entry.data
            code = client.answer()
            if code == b"200":
                latencies.append((clock() - client.asked_at) * 1000)
                idle.append(client)
            elif code == b"":
                selector.unregister(client.socket)
                client.socket.close()
                if client in idle:
                    idle.remove(client)
                else:
                    refused += 1  # with a request on its way
                connect()
            elif code is not None:
                refused += 1
                idle.append(client)
    return len(latencies), total - len(latencies), clock() - started, sorted(latencies)


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(_drive(*pickle.loads(sys.stdin.buffer.read()))))  # noqa: S301
