"""钉钉: `real` speaks to the service, `null` to nobody, `recorded` keeps what would go."""

from gengyun.engagement.channels.dingtalk import null, recorded
from gengyun.engagement.channels.dingtalk.real import (
    IS_IDEMPOTENT,
    LETTERS_REPEATABLE,
    LIMITS,
    body,
    clean,
    send,
    write,
)

__all__ = [
    "IS_IDEMPOTENT",
    "LETTERS_REPEATABLE",
    "LIMITS",
    "body",
    "clean",
    "null",
    "recorded",
    "send",
    "write",
]
