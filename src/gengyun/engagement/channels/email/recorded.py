"""Keeps each letter as a .eml file, and answers with the recorded words of a mail server."""

from datetime import datetime
from pathlib import Path

from gengyun.engagement.calc.letters import Letter
from gengyun.engagement.calc.messages import Message
from gengyun.engagement.channels.base import Outcome, Target, taken
from gengyun.engagement.channels.email.letters import customer_letter
from gengyun.engagement.channels.email.smtp import by_code
from gengyun.engagement.channels.recording import keep, recording

LETTERS_REPEATABLE = True
RECORDINGS = Path(__file__).with_name("recordings.json")


def send(target: Target, message: Message, *, now: datetime) -> Outcome:
    return taken(target)


def write(target: Target, letter: Letter, *, now: datetime) -> Outcome:
    mail = customer_letter(target, letter, now=now)
    found = recording(RECORDINGS, target)
    code, words = int(found["code"]), str(found["words"])
    if code != 250:
        return by_code(code, words, of_recipient=True)
    keep("email", target, mail.as_bytes(), suffix=".eml")
    return Outcome("sent", provider_id=str(mail["Message-ID"]), said=words)
