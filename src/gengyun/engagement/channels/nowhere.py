"""Sends nothing and says it was sent: to try routing out. The record shows what would have gone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gengyun.engagement.calc.letters import Letter
from gengyun.engagement.calc.messages import Message
from gengyun.engagement.channels.base import Limits, Outcome, Target, taken

LIMITS = Limits(per_minute=10_000, max_bytes=1024 * 1024)
IS_IDEMPOTENT = LETTERS_REPEATABLE = True


def clean(config: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    return {}


def send(target: Target, message: Message, *, now: datetime) -> Outcome:
    return taken(target)


def write(target: Target, letter: Letter, *, now: datetime) -> Outcome:
    return taken(target)
