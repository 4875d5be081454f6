"""From bytes on the wire to a checked JSON body: size, compression, shape, number of events."""

import binascii
import contextlib
import json
import zlib
from base64 import b64decode
from urllib.parse import parse_qs

import msgspec

from gengyun.tracking.refusals import (
    InvalidCompression,
    InvalidJson,
    TooLarge,
    TooManyEvents,
    UnknownEncoding,
)
from gengyun.usage.calc.decode import Envelope, Single
from gengyun.usage.calc.posthog import POSTHOG

DEFAULT_LIMIT = 8 * 1024 * 1024
MAX_EVENTS = 2_500  # in one batch, as at Segment
_GZIP_MAGIC = b"\x1f\x8b"
_ENVELOPE = msgspec.json.Decoder(Envelope)
_SINGLE = msgspec.json.Decoder(Single)


class _Token(msgspec.Struct):
    token: str | None = None


class _PosthogBody(msgspec.Struct):
    """Where PostHog's clients of all times put the key."""

    api_key: str | None = None
    token: str | None = None
    properties: msgspec.Raw = msgspec.Raw(b"null")
    batch: list[msgspec.Raw] | None = None


_TOKEN = msgspec.json.Decoder(_Token | None)
_POSTHOG_BODY = msgspec.json.Decoder(_PosthogBody)


class Checked(msgspec.Struct):
    """A body that the drain will be able to read."""

    body: bytes
    events: int
    write_key: str | None


def plain_body(wire: bytes, encoding: str | None, limit: int) -> bytes:
    """The body without compression; never inflates more than `limit` bytes (bombs).

    The first bytes decide, not the headers: some clients send gzip without saying so, and some
    proxies inflate without taking the header away.
    """
    if wire.startswith(_GZIP_MAGIC):
        return _inflated(wire, 31, limit)
    if encoding and encoding.strip().lower() not in {"", "identity", "gzip", "x-gzip"}:
        if encoding.strip().lower() != "deflate":
            raise UnknownEncoding(encoding=encoding[:40])
        if not wire.lstrip().startswith(b"{"):
            # "deflate" is zlib by the standard and raw deflate by habit
            is_zlib = len(wire) > 1 and wire[0] & 15 == 8 and (wire[0] * 256 + wire[1]) % 31 == 0
            return _inflated(wire, 15 if is_zlib else -15, limit)
    if len(wire) > limit:
        raise TooLarge(limit=limit)
    return wire


def _inflated(wire: bytes, window_bits: int, limit: int) -> bytes:
    stream = zlib.decompressobj(window_bits)
    try:
        body = stream.decompress(wire, limit + 1)
    except zlib.error as error:
        raise InvalidCompression(reason=str(error)) from None
    if len(body) > limit:
        raise TooLarge(limit=limit)
    if not stream.eof:
        raise InvalidCompression(reason="it ends too early")
    if stream.unused_data:
        raise InvalidCompression(reason="something follows its end")
    return body


def checked_body(body: bytes, kind: str, limit: int = DEFAULT_LIMIT) -> Checked:
    """The body with its event count and the write key that it holds, or a refusal that says why.

    PostHog's forms and lists become an object with a batch; `limit` is for what a form holds.
    """
    try:
        if kind == POSTHOG:
            return _checked_posthog(_posthog_json(body, limit))
        return _checked(body, kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if b"\\ud" in body or b"\\uD" in body:
            repaired = _without_half_characters(body)
            if repaired is not None:
                return checked_body(repaired, kind, limit)
        raise InvalidJson(reason=_reason(error)) from None


def _checked(body: bytes, kind: str) -> Checked:
    if not body.isascii():
        body.decode()  # the parser skips over text without looking at its encoding
    if kind != "batch":
        return Checked(body, 1, _SINGLE.decode(body).writeKey)
    envelope = _ENVELOPE.decode(body)
    count = len(envelope.batch)
    if count > MAX_EVENTS:
        raise TooManyEvents(count=count, limit=MAX_EVENTS)
    return Checked(body, count, envelope.writeKey)


def _posthog_json(body: bytes, limit: int) -> bytes:
    """Old browser clients send a form whose `data` is JSON, in base64, perhaps packed."""
    if not body.startswith(b"data="):
        return body
    try:
        form = parse_qs(body.decode("latin-1"), max_num_fields=20)
    except ValueError as error:
        raise InvalidJson(reason=f"not a form either ({error})") from None
    text = form.get("data", [""])[0].encode("utf-8", "replace")
    if text[:1] in {b"{", b"["}:
        return text
    try:
        packed = b64decode(text.replace(b" ", b"+") + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise InvalidJson(reason=f"data is not base64 ({error})") from None
    return plain_body(packed, None, limit)


def _checked_posthog(body: bytes) -> Checked:
    if not body.isascii():
        body.decode()
    if body.lstrip()[:1] == b"[":
        body = b'{"batch":' + body + b"}"
    found = _POSTHOG_BODY.decode(body)
    if found.batch is None:
        return Checked(body, 1, _key_of(found))
    if len(found.batch) > MAX_EVENTS:
        raise TooManyEvents(count=len(found.batch), limit=MAX_EVENTS)
    key = _key_of(found)
    if key is None and found.batch:
        with contextlib.suppress(msgspec.MsgspecError):
            key = _key_of(_POSTHOG_BODY.decode(found.batch[0]))
    return Checked(body, len(found.batch), key)


def _key_of(found: _PosthogBody) -> str | None:
    if found.api_key or found.token:
        return found.api_key or found.token
    try:
        inner = _TOKEN.decode(found.properties)
    except msgspec.MsgspecError:
        return None
    return None if inner is None else inner.token


def _without_half_characters(body: bytes) -> bytes | None:
    """Half a surrogate pair, as clients that cut emoji in two send it, becomes a question mark."""
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None
    repaired = text.encode(errors="replace")
    return None if b"\\ud" in repaired.lower() else repaired


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 (byte {error.start})"
    return str(error)
