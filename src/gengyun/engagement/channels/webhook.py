"""A service of one's own: JSON signed by the Standard Webhooks rules; any library checks it.

A repeat carries the same `webhook-id`; the receiver drops what it has seen.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gengyun.engagement.calc.messages import Message
from gengyun.engagement.calc.signing import WEBHOOK_PREFIX
from gengyun.engagement.calc.signing import webhook as sign
from gengyun.engagement.channels.base import (
    Limits,
    Outcome,
    Target,
    as_json,
    by_status,
    check_url,
    post_json,
)

LIMITS = Limits(per_minute=120, max_bytes=256 * 1024)
IS_IDEMPOTENT = True
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
        "timestamp": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
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


def send(target: Target, message: Message, *, now: datetime) -> Outcome:
    payload, seconds = as_json(body(message, now=now)), str(int(now.timestamp()))
    headers = {
        "webhook-id": target.message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": sign(target.secrets["sign"], target.message_id, seconds, payload),
    }
    answer = post_json(target.secrets["url"], payload, headers=headers)
    if isinstance(answer, Outcome):
        return answer
    return by_status(answer) or Outcome("sent", provider_id=target.message_id)
