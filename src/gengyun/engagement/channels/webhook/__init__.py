"""A service of one's own: `real` speaks to it, `null` to nobody, `recorded` keeps what would go."""

from gengyun.engagement.channels.webhook import null, recorded
from gengyun.engagement.channels.webhook.real import (
    IS_IDEMPOTENT,
    LETTERS_REPEATABLE,
    LIMITS,
    body,
    clean,
    is_secret,
    send,
    write,
)

__all__ = [
    "IS_IDEMPOTENT",
    "LETTERS_REPEATABLE",
    "LIMITS",
    "body",
    "clean",
    "is_secret",
    "null",
    "recorded",
    "send",
    "write",
]
