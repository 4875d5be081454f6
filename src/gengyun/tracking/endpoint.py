"""The tracking endpoint as a raw RSGI callable: no Django and no ORM on the path of an event.

200 means durable: the answer goes out after the commit that holds the request.
"""

import asyncio
import binascii
import logging
import time
from base64 import b64decode
from concurrent.futures import Executor
from urllib.parse import parse_qs

import msgspec

from gengyun.lake.inbox import NewBatch
from gengyun.tracking import dialects
from gengyun.tracking.body import Checked, checked_body, plain_body
from gengyun.tracking.dialects import KIND_OF, POSTHOG, POSTHOG_V1
from gengyun.tracking.keys import Entry, Keys, may_send
from gengyun.tracking.refusals import (
    OriginNotAllowed,
    TooLarge,
    TrackingRefusal,
    Unauthorized,
    UnknownPath,
    WrongMethod,
)
from gengyun.tracking.writer import Writer
from gengyun.usage.calc.decode import parse_time

REMEMBERED_HEADERS = 10_000
DISCARD_BYTES = 32 * 1024 * 1024
_JSON = ("content-type", "application/json")
_SCRIPT = ("content-type", "text/javascript; charset=utf-8")

logger = logging.getLogger(__name__)


class Endpoint:
    """Takes requests whose path `is_tracking_path`. `threads` may block; the loop never does."""

    def __init__(
        self,
        *,
        keys: Keys,
        writer: Writer,
        threads: Executor,
        max_body_bytes: int,
        behind_proxy: bool = False,
    ) -> None:
        self.keys = keys
        self.writer = writer
        self.threads = threads
        self.max_body_bytes = max_body_bytes
        self.behind_proxy = behind_proxy
        # the Authorization headers seen, decoded; only ones that let in are remembered
        self._key_of_header: dict[str, str] = {}

    async def __call__(self, scope, protocol) -> None:
        headers = [_JSON]
        origin = scope.headers.get("origin")
        if origin is not None:
            asks = scope.headers.get("access-control-request-headers")
            private = "access-control-request-private-network" in scope.headers
            headers += dialects.cors(origin, asks, private=private)
        try:
            if scope.method == "OPTIONS":
                protocol.response_empty(204, headers[1:])
                return
            path = scope.path.rstrip("/")
            kind = KIND_OF.get(path)
            if kind is not None:
                answer = await self._take(scope, protocol, path, kind)
            else:
                answer = await self._other(scope, protocol, path)
                if path.endswith(".js"):
                    headers[0] = _SCRIPT
        except TrackingRefusal as refusal:
            _refuse(protocol, headers, refusal)
        except Exception:  # the one place that logs what nobody expected
            logger.exception("tracking request failed")
            body = b'{"code":"internal","message":"unexpected error, try again later"}'
            protocol.response_bytes(500, headers, body)
        else:
            protocol.response_bytes(200, headers, answer)

    async def _take(self, scope, protocol, path: str, kind: str) -> bytes:
        if scope.method != "POST":
            raise WrongMethod
        wire = await self._read(scope, protocol)
        # the moment of arrival, before anything that may take time
        received_at = time.time_ns() // 1000
        request_headers = scope.headers
        limit = self.max_body_bytes
        # a key outside the body is checked before any work is done for a stranger
        outer_key = self._outer_key(
            request_headers.get("authorization"), scope.query_string, is_bearer=path == POSTHOG_V1
        )
        entry = None if outer_key is None else await self._entry(outer_key)
        body = plain_body(wire, request_headers.get("content-encoding"), limit)
        checked = checked_body(body, kind, limit)
        if entry is None:
            entry = await self._entry(checked.write_key)
        if entry.origins and not may_send(request_headers.get("origin"), entry.origins):
            raise OriginNotAllowed(origin=request_headers.get("origin"))
        if checked.events:
            sent_at = _sent_at(
                request_headers.get("sentat") or request_headers.get("posthog-request-timestamp")
            )
            body = checked.body
            if entry.is_browser or path == POSTHOG_V1:
                body = self._noted(scope, entry, checked)
            await self.writer.store(
                NewBatch(entry.source_id, kind, received_at, sent_at, checked.events, body)
            )
        if kind != POSTHOG:
            return dialects.OK
        return dialects.v1_results(checked.body) if path == POSTHOG_V1 else dialects.OK_POSTHOG

    def _noted(self, scope, entry: Entry, checked: Checked) -> bytes:
        """The body with what only the connection tells. Of servers, nobody's address is kept."""
        headers = scope.headers
        library = headers.get("posthog-sdk-info") or ""
        if not entry.is_browser:
            return dialects.noted(checked.body, library=library)
        ip = dialects.client_address(
            scope.client, headers.get("x-forwarded-for"), behind_proxy=self.behind_proxy
        )
        agent = headers.get("user-agent") or ""
        return dialects.noted(checked.body, ip=ip, agent=agent, library=library)

    async def _read(self, scope, protocol) -> bytes:
        length = scope.headers.get("content-length")
        if length is not None and length.isdigit() and int(length) <= self.max_body_bytes:
            return await protocol()
        if length is not None and length.isdigit() and int(length) > DISCARD_BYTES:
            raise TooLarge(limit=self.max_body_bytes)
        # too long, or chunked. What is too long is still read to its end and thrown away:
        # a client that cannot finish sending sees a broken connection and tries for ever
        chunks = []
        size = 0
        async for chunk in protocol:
            size += len(chunk)
            if size <= self.max_body_bytes:
                chunks.append(chunk)
            else:
                chunks.clear()
            if size > DISCARD_BYTES:
                break
        if size > self.max_body_bytes:
            raise TooLarge(limit=self.max_body_bytes)
        return b"".join(chunks)

    def _outer_key(self, header: str | None, query: str, *, is_bearer: bool = False) -> str | None:
        if header is None:
            return _query_key(query)
        key = self._key_of_header.get(header)
        if key is None:
            key = _header_key(header)
            if key is not None and self.keys.find(key) is not None:
                if len(self._key_of_header) >= REMEMBERED_HEADERS:
                    self._key_of_header.clear()
                self._key_of_header[header] = key
            elif not is_bearer and header[:7].lower() == "bearer ":
                key = None  # Segment's OAuth token: the key is in the body
        return key or _query_key(query)

    async def _entry(self, key: str | None) -> Entry:
        if not key:
            raise Unauthorized("no write key: send it as the user of Basic authentication")
        entry = self.keys.find(key)
        if entry is None:
            loop = asyncio.get_running_loop()
            entry = await loop.run_in_executor(
                self.threads, self.keys.find_again, key, time.monotonic()
            )
        return entry

    async def _other(self, scope, protocol, path: str) -> bytes:
        """What browser clients ask before they send anything."""
        if path in dialects.FLAGS:
            await self._read(scope, protocol)
            return dialects.NO_FLAGS
        asked = dialects.config_key(path)
        if asked is None:
            raise UnknownPath
        if scope.method != "GET":
            raise WrongMethod(allow="GET, OPTIONS")
        dialect, key = asked
        if not key:
            key = self._outer_key(scope.headers.get("authorization"), scope.query_string) or ""
        entry = await self._entry(key)
        if entry.origins and not may_send(scope.headers.get("origin"), entry.origins):
            raise OriginNotAllowed(origin=scope.headers.get("origin"))
        return dialects.config(dialect, key)


def _refuse(protocol, headers: list[tuple[str, str]], refusal: TrackingRefusal) -> None:
    if refusal.retry_after_seconds is not None:
        seconds = str(refusal.retry_after_seconds)
        headers += [("retry-after", seconds), ("x-ratelimit-reset", seconds)]
    if isinstance(refusal, WrongMethod):
        headers.append(("allow", refusal.params.get("allow", "POST, OPTIONS")))
    body = msgspec.json.encode({"code": refusal.code, "message": str(refusal)})
    protocol.response_bytes(refusal.status, headers, body)


def _header_key(header: str) -> str | None:
    """The user of Basic authentication (some clients leave out its colon), or a Bearer's token."""
    kind, _, rest = header.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip() or None
    if kind.lower() != "basic":
        return None
    try:
        return b64decode(rest.strip(), validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeError, ValueError):
        return None


def _query_key(query: str) -> str | None:
    if "writeKey" not in query:
        return None
    return parse_qs(query).get("writeKey", [None])[0]


def _sent_at(header: str | None) -> int | None:
    if header is None:
        return None
    try:
        return parse_time(header)
    except (ValueError, OverflowError):
        return None
