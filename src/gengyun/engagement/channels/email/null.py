"""Takes every message and sends none: for a copy of the data that must not write to anybody."""

from datetime import datetime

from gengyun.engagement.calc.letters import Letter
from gengyun.engagement.calc.messages import Message
from gengyun.engagement.channels.base import Outcome, Target, taken

LETTERS_REPEATABLE = True


def send(target: Target, message: Message, *, now: datetime) -> Outcome:
    return taken(target)


def write(target: Target, letter: Letter, *, now: datetime) -> Outcome:
    return taken(target)
