"""Mail: `real` speaks to the service, `null` to nobody, `recorded` keeps what would go."""

from gengyun.engagement.channels.email import null, recorded
from gengyun.engagement.channels.email.real import (
    IS_IDEMPOTENT,
    LETTERS_REPEATABLE,
    LIMITS,
    clean,
    is_address,
    letter,
    send,
    write,
)

__all__ = [
    "IS_IDEMPOTENT",
    "LETTERS_REPEATABLE",
    "LIMITS",
    "clean",
    "is_address",
    "letter",
    "null",
    "recorded",
    "send",
    "write",
]
