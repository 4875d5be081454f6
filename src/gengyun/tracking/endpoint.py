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
from gengyun.tracking.body import checked_body, plain_body
from gengyun.tracking.keys import Keys
from gengyun.tracking.refusals import (
    TooLarge,
    TrackingRefusal,
    Unauthorized,
    UnknownPath,
    WrongMethod,
)
from gengyun.tracking.writer import Writer
from gengyun.usage.calc.decode import KINDS, parse_time

# the long names, and the one-letter names of Segment's browser client
KIND_OF = {f"/v1/{kind}": kind for kind in (*KINDS, "batch")} | {
    "/v1/p": "page",
    "/v1/i": "identify",
    "/v1/g": "group",
    "/v1/t": "track",
    "/v1/a": "alias",
    "/v1/s": "screen",
    "/v1/b": "batch",
    "/v1/import": "batch",
    "/beacon/v1/batch": "batch",  # navigator.sendBeacon of Rudder's browser client
}
PREFIXES = ("/v1/", "/beacon/v1/")
REMEMBERED_HEADERS = 10_000
DISCARD_BYTES = 32 * 1024 * 1024
_JSON = ("content-type", "application/json")
_OK = b'{"success":true}'
_ALLOWED_HEADERS = (
    "authorization, content-type, content-encoding, x-retry-count, anonymousid, sentat,"
    " rsa-retry-attempt, rsa-retry-reason, rsa-since-first-attempt, rsa-since-last-attempt"
)

logger = logging.getLogger(__name__)


def is_tracking_path(path: str) -> bool:
    return path.startswith(PREFIXES)


class Endpoint:
    """Takes requests whose path `is_tracking_path`. `threads` may block; the loop never does."""

    def __init__(
        self, *, keys: Keys, writer: Writer, threads: Executor, max_body_bytes: int
    ) -> None:
        self.keys = keys
        self.writer = writer
        self.threads = threads
        self.max_body_bytes = max_body_bytes
        # the Authorization headers seen, decoded; only ones that let in are remembered
        self._key_of_header: dict[str, str] = {}

    async def __call__(self, scope, protocol) -> None:
        headers = [_JSON]
        origin = scope.headers.get("origin")
        if origin is not None:
            headers += _cors(origin)
        try:
            if scope.method == "OPTIONS":
                protocol.response_empty(204, headers[1:])
                return
            answer = await self._answer(scope, protocol)
        except TrackingRefusal as refusal:
            _refuse(protocol, headers, refusal)
        except Exception:  # the one place that logs what nobody expected
            logger.exception("tracking request failed")
            body = b'{"code":"internal","message":"unexpected error, try again later"}'
            protocol.response_bytes(500, headers, body)
        else:
            protocol.response_bytes(200, headers, answer)

    async def _answer(self, scope, protocol) -> bytes:
        path = scope.path.rstrip("/")
        kind = KIND_OF.get(path)
        if kind is None:
            return await self._settings(scope, path)
        if scope.method != "POST":
            raise WrongMethod
        wire = await self._read(scope, protocol)
        # the moment of arrival, before anything that may take time
        received_at = time.time_ns() // 1000
        request_headers = scope.headers
        limit = self.max_body_bytes
        # a key outside the body is checked before any work is done for a stranger
        outer_key = self._outer_key(request_headers.get("authorization"), scope.query_string)
        source_id = None if outer_key is None else await self._source(outer_key)
        body = plain_body(wire, request_headers.get("content-encoding"), limit)
        checked = checked_body(body, kind)
        if source_id is None:
            source_id = await self._source(checked.write_key)
        if checked.events:
            sent_at = _sent_at(request_headers.get("sentat"))
            await self.writer.store(
                NewBatch(source_id, kind, received_at, sent_at, checked.events, checked.body)
            )
        return _OK

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

    def _outer_key(self, header: str | None, query: str) -> str | None:
        if header is None:
            return _query_key(query)
        key = self._key_of_header.get(header)
        if key is None:
            key = _basic_key(header)
            if key is not None and self.keys.find(key) is not None:
                if len(self._key_of_header) >= REMEMBERED_HEADERS:
                    self._key_of_header.clear()
                self._key_of_header[header] = key
        return key or _query_key(query)

    async def _source(self, key: str | None) -> int:
        if not key:
            raise Unauthorized("no write key: send it as the user of Basic authentication")
        source_id = self.keys.find(key)
        if source_id is None:
            loop = asyncio.get_running_loop()
            source_id = await loop.run_in_executor(
                self.threads, self.keys.find_again, key, time.monotonic()
            )
        return source_id

    async def _settings(self, scope, path: str) -> bytes:
        """Segment's browser client asks for its settings and does nothing until it has them."""
        key = path.removeprefix("/v1/projects/").removesuffix("/settings")
        if path != f"/v1/projects/{key}/settings" or "/" in key or scope.method != "GET":
            raise UnknownPath
        await self._source(key)
        return msgspec.json.encode(_browser_settings(key))


def _refuse(protocol, headers: list[tuple[str, str]], refusal: TrackingRefusal) -> None:
    if refusal.retry_after_seconds is not None:
        headers.append(("retry-after", str(refusal.retry_after_seconds)))
    if refusal.status == 405:
        headers.append(("allow", "POST, OPTIONS"))
    body = msgspec.json.encode({"code": refusal.code, "message": str(refusal)})
    protocol.response_bytes(refusal.status, headers, body)


def _cors(origin: str) -> list[tuple[str, str]]:
    """Any site may send: the write key, not the origin, says whose events these are."""
    return [
        ("access-control-allow-origin", origin),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        ("access-control-allow-headers", _ALLOWED_HEADERS),
        ("access-control-expose-headers", "retry-after"),
        ("access-control-max-age", "86400"),
        ("vary", "origin"),
    ]


def _basic_key(header: str | None) -> str | None:
    """The user of Basic authentication; some clients send the key without its colon."""
    if header is None or header[:6].lower() != "basic ":
        return None
    try:
        return b64decode(header[6:].strip(), validate=True).decode().partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
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


def _browser_settings(key: str) -> dict:
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {
            "track": {"__default": {"enabled": True, "integrations": {}}},
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
