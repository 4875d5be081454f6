"""A service of one's own: JSON signed by the Standard Webhooks rules; any library checks it.

A repeat carries the same `webhook-id`; the receiver drops what it has seen.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gengyun.engagement.calc.letters import Letter
from gengyun.engagement.calc.messages import Message
from gengyun.engagement.calc.signing import WEBHOOK_PREFIX
from gengyun.engagement.calc.signing import webhook as sign
from gengyun.engagement.channels.base import (
    Answer,
    Limits,
    Outcome,
    Posting,
    Target,
    as_json,
    by_status,
    check_url,
    post_json,
)

LIMITS = Limits(per_minute=120, max_bytes=256 * 1024)
IS_IDEMPOTENT = LETTERS_REPEATABLE = True
SECRET_INVALID = "The signing secret must begin with whsec_ and hold 24 to 64 bytes in base64."  # noqa: S105


def clean(config: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    errors = {}
    if wrong := check_url(secrets.get("url", "")):
        errors["url"] = wrong
    if not is_secret(secrets.get("sign", "")):
        errors["sign"] = SECRET_INVALID
    return errors


def is_secret(text: str) -> bool:
    try:
        key = base64.b64decode(text.removeprefix(WEBHOOK_PREFIX), validate=True)
    except binascii.Error:
        return False
    return text.startswith(WEBHOOK_PREFIX) and 24 <= len(key) <= 64


def body(message: Message, *, now: datetime) -> dict[str, Any]:
    return {
        "type": "alerts.notice",
        "timestamp": _stamp(now),
        "data": {
            "title": message.title,
            "url": message.url,
            "severity": message.severity,
            "items": [
                {
                    "title": item.title,
                    "text": item.text,
                    "severity": item.severity,
                    "url": item.url,
                    "facts": [{"name": name, "value": value} for name, value in item.facts],
                }
                for item in message.items
            ],
            "more": message.more,
        },
    }


def letter_body(letter: Letter, *, now: datetime) -> dict[str, Any]:
    return {
        "type": "touch.message",
        "timestamp": _stamp(now),
        "data": {
            "subject": letter.subject,
            "text": letter.body,
            "language": letter.language,
            "category": letter.category,
            "unsubscribe": letter.unsubscribe_url,
            "customer": dict(letter.customer),
            "contact": dict(letter.contact) or None,
        },
    }


def send(target: Target, message: Message, *, now: datetime) -> Outcome:
    return _posted(_ready(target, as_json(body(message, now=now)), now=now))


def write(target: Target, letter: Letter, *, now: datetime) -> Outcome:
    return _posted(posting(target, letter, now=now))


def posting(target: Target, letter: Letter, *, now: datetime) -> Posting:
    return _ready(target, as_json(letter_body(letter, now=now)), now=now)


def _ready(target: Target, payload: bytes, *, now: datetime) -> Posting:
    seconds = str(int(now.timestamp()))
    headers = {
        "webhook-id": target.message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": sign(target.secrets["sign"], target.message_id, seconds, payload),
    }
    return Posting(target.secrets["url"], payload, headers)


def _posted(ready: Posting) -> Outcome:
    answer = post_json(ready.url, ready.payload, headers=ready.headers)
    if isinstance(answer, Outcome):
        return answer
    return read(answer, ready.headers["webhook-id"])


def read(answer: Answer, message_id: str = "") -> Outcome:
    return by_status(answer) or Outcome("sent", provider_id=message_id)


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
