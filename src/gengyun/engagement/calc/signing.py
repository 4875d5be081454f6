"""Signatures of the message services. Pure; each formula is the service's own, as documented."""

import base64
import hashlib
import hmac
from urllib.parse import quote_plus

WEBHOOK_PREFIX = "whsec_"


def feishu(secret: str, timestamp_s: str) -> str:
    """飞书 custom bot: base64(HMAC-SHA256(key=`{timestamp}\\n{secret}`, message=empty))."""
    key = f"{timestamp_s}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


def dingtalk(secret: str, timestamp_ms: str) -> str:
    """钉钉 custom robot: base64(HMAC-SHA256(key=secret, message=`{timestamp}\\n{secret}`))."""
    message = f"{timestamp_ms}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def dingtalk_query(secret: str, timestamp_ms: str) -> str:
    """The two parameters that go behind the robot's address."""
    return f"timestamp={timestamp_ms}&sign={quote_plus(dingtalk(secret, timestamp_ms))}"


def webhook(secret: str, message_id: str, timestamp_s: str, body: bytes) -> str:
    """Standard Webhooks v1: base64(HMAC-SHA256(secret bytes, `id.timestamp.body`))."""
    key = base64.b64decode(secret.removeprefix(WEBHOOK_PREFIX))
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
