"""The pages on the same port: Django's WSGI application, called from a small pool of threads.

A page keeps a thread as long as it computes; tracking needs none, so neither waits for the other.
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from itertools import chain
from typing import Any, BinaryIO

MEMORY_BYTES = 1024 * 1024  # a longer request body goes to a temporary file
CHUNK_SECONDS = 60  # how long a client may take for one piece of a long answer

logger = logging.getLogger(__name__)


class Pages:
    """Answers RSGI requests with a WSGI application."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], *, threads: Executor, max_body_bytes: int
    ) -> None:
        self.application = application
        self.threads = threads
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope, protocol) -> None:
        loop = asyncio.get_running_loop()
        body = tempfile.SpooledTemporaryFile(max_size=MEMORY_BYTES)  # noqa: SIM115
        if scope.method not in {"GET", "HEAD"}:
            if await self._read(protocol, body) > self.max_body_bytes:
                body.close()
                text = [("content-type", "text/plain")]
                protocol.response_str(413, text, "The request is too large.")
                return
            body.seek(0)
        call = _Call(self.application, _environ(scope, body), protocol, loop)
        # the call closes the body: it may still run when the client has gone
        await loop.run_in_executor(self.threads, call.run)

    async def _read(self, protocol, body) -> int:
        size = 0
        async for chunk in protocol:
            size += len(chunk)
            if size > self.max_body_bytes:
                break
            body.write(chunk)
        return size


class _Call:
    """One call of the application, in a thread."""

    def __init__(self, application, environ, protocol, loop) -> None:
        self.application = application
        self.environ = environ
        self.protocol = protocol
        self.loop = loop
        self.status = 500
        self.headers: list[tuple[str, str]] = []

    def run(self) -> None:
        with self.environ["wsgi.input"]:
            self._answer()

    def _answer(self) -> None:
        response = self.application(self.environ, self._start)
        try:
            if getattr(response, "streaming", False):
                self._stream(response)
            else:
                body = b"".join(response)
                # hyper counts the length itself
                self.protocol.response_bytes(self.status, self.headers, body)
        finally:
            if hasattr(response, "close"):
                response.close()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        self.status = int(status[:3])
        self.headers = [(name.lower(), value) for name, value in headers]

    def _stream(self, response: Iterable[bytes]) -> None:
        pieces = iter(response)
        first = next(pieces, b"")
        second = next(pieces, None)
        if second is None:
            self.protocol.response_bytes(self.status, self.headers, first)
            return
        transport = self.protocol.response_stream(self.status, self.headers)
        for piece in chain((first, second), pieces):
            self._send(transport, piece)

    def _send(self, transport, piece: bytes) -> None:
        async def send() -> None:
            await transport.send_bytes(piece)

        asyncio.run_coroutine_threadsafe(send(), self.loop).result(CHUNK_SECONDS)


def _environ(scope, body: BinaryIO) -> dict[str, Any]:
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        # WSGI wants the bytes of the path as latin-1 text
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        # "_" in a name would let a client forge another header's WSGI name
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            key = f"HTTP_{key}"
        if key in environ:
            value = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value  # noqa: PLW2901
        environ[key] = value
    if scope.method not in {"GET", "HEAD"}:
        position = body.tell()
        environ["CONTENT_LENGTH"] = str(body.seek(0, 2))
        body.seek(position)
    return environ
