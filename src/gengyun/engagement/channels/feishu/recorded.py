"""Keeps the request that the service would have got, and answers with its recorded words."""

from datetime import datetime
from pathlib import Path

from gengyun.engagement.calc.letters import Letter
from gengyun.engagement.calc.messages import Message
from gengyun.engagement.channels.base import Outcome, Target, taken
from gengyun.engagement.channels.feishu import real
from gengyun.engagement.channels.recording import answer, keep_posting

LETTERS_REPEATABLE = True
RECORDINGS = Path(__file__).with_name("recordings.json")


def send(target: Target, message: Message, *, now: datetime) -> Outcome:
    return taken(target)


def write(target: Target, letter: Letter, *, now: datetime) -> Outcome:
    ready = real.posting(target, letter, now=now)
    keep_posting("feishu", target, ready, now=now)
    return real.read(answer(RECORDINGS, target))
