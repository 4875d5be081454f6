"""What every channel shares: the outcome of a sending, limits, and one careful HTTP POST."""

import http.client
import ipaddress
import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from gengyun.engagement.calc.letters import Letter
from gengyun.engagement.calc.messages import Message

TIMEOUT = 10.0  # seconds; a robot that does not answer by then is tried again later
MAX_ANSWER = 64 * 1024

# msgids of what can be wrong, translated where they are shown
URL_MISSING = "The address is missing."
URL_INVALID = "This is no address of this service."
URL_PLAIN = "The address must begin with https."


@dataclass(frozen=True)
class Outcome:
    """sent: the service took it. failed: it never will. later: try again after `retry_after`.
    unsure: the connection broke when it may have been taken; only letters to customers say so."""

    status: Literal["sent", "failed", "later", "unsure"]
    provider_id: str = ""
    error_code: str = ""
    error_text: str = ""  # msgid, what to do about it
    said: str = ""  # the service's own words, shortened
    retry_after: float = 60.0  # seconds
    of_recipient: bool = False  # the one mailbox, not the service: others need not wait
    is_dead: bool = False  # there is no such mailbox


@dataclass(frozen=True)
class Limits:
    per_minute: int
    max_bytes: int


@dataclass(frozen=True)
class Target:
    """Where a message goes: the channel's configuration, its secrets and one receiver."""

    config: Mapping[str, Any]
    secrets: Mapping[str, str]
    recipient: str = ""  # an address for e-mail, empty for a group's robot
    message_id: str = ""  # the same at every attempt, so that receivers can drop a repeat
    extra: Mapping[str, Any] = field(default_factory=dict)


class ChannelKind(Protocol):
    LIMITS: Limits
    IS_IDEMPOTENT: bool  # the receiver drops a repeat of the same message id

    @staticmethod
    def clean(config: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]: ...

    @staticmethod
    def send(target: Target, message: Message, *, now: datetime) -> Outcome: ...


class LetterBox(Protocol):
    """How letters to customers go out: the real service, none at all, or one that only records."""

    # may what was perhaps taken be posted again under the same id?
    LETTERS_REPEATABLE: bool

    @staticmethod
    def write(target: Target, letter: Letter, *, now: datetime) -> Outcome: ...

    @staticmethod
    def send(target: Target, message: Message, *, now: datetime) -> Outcome: ...


@dataclass(frozen=True)
class Posting:
    """An HTTP request before it is made."""

    url: str
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed message is not sent on to an address that nobody wrote down."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    retry_after: float | None = None

    def json(self) -> dict[str, Any]:
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def said(self) -> str:
        return self.body.decode(errors="replace").strip()[:200]


def post_json(
    url: str, body: bytes, *, headers: Mapping[str, str] | None = None
) -> Answer | Outcome:
    """POST; an `Outcome` where no answer came or the service is not there."""
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked when it was saved
        url,
        data=body,
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
        method="POST",
    )
    try:
        with _opener.open(request, timeout=TIMEOUT) as answer:
            return Answer(answer.status, answer.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(MAX_ANSWER), _seconds(error.headers))
    except (OSError, http.client.HTTPException) as error:
        return _unreachable(error)


def _seconds(headers: Any) -> float | None:
    given = (headers.get("Retry-After") or "").strip()
    return float(given) if given.isdecimal() else None


def _unreachable(error: Exception) -> Outcome:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLError):
        text = "The server's certificate was not accepted."
    elif isinstance(reason, socket.gaierror):
        text = "The server's name is not known here. Is there a way to the internet?"
    elif isinstance(reason, TimeoutError):
        text = "The server did not answer in time."
    else:
        text = "The server could not be reached."
    return Outcome("later", error_code="unreachable", error_text=text, said=str(reason)[:200])


def by_status(answer: Answer) -> Outcome | None:
    """The outcome when HTTP itself said no; None for 2xx."""
    if 200 <= answer.status < 300:
        return None
    if answer.status == 429 or answer.status >= 500:
        return Outcome(
            "later",
            error_code=f"http_{answer.status}",
            error_text="The server is busy or has a fault of its own.",
            said=answer.said,
            retry_after=min(answer.retry_after or 60.0, 3600.0),
        )
    return Outcome(
        "failed",
        error_code=f"http_{answer.status}",
        error_text="The server refused the message.",
        said=answer.said,
    )


def check_url(url: str, *, path: str = "") -> str:
    """What is wrong with an address, or "". Plain http only inside one's own network."""
    if not url:
        return URL_MISSING
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return URL_INVALID
    if parts.scheme not in {"http", "https"} or not host or any(c.isspace() for c in url):
        return URL_INVALID
    if parts.scheme == "http" and not _is_inside(host):
        return URL_PLAIN
    return "" if path in parts.path else URL_INVALID


def _is_inside(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan"))


def host_of(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def taken(target: Target) -> Outcome:
    """What an implementation says that sends nothing."""
    return Outcome("sent", provider_id=target.message_id)
