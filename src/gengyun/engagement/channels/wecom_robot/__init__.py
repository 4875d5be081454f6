"""企业微信 group robot: `real` speaks to it, `null` to nobody, `recorded` keeps what would go."""

from gengyun.engagement.channels.wecom_robot import null, recorded
from gengyun.engagement.channels.wecom_robot.real import (
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
