"""企业微信 group robot (消息推送): Markdown of at most 4,096 bytes, 20 messages a minute."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gengyun.engagement.calc.letters import Letter, group_text
from gengyun.engagement.calc.messages import Message, markdown
from gengyun.engagement.channels.base import (
    URL_INVALID,
    Answer,
    Limits,
    Outcome,
    Posting,
    Target,
    as_json,
    by_status,
    check_url,
    post_json,
)

LIMITS = Limits(per_minute=18, max_bytes=4096)
IS_IDEMPOTENT = LETTERS_REPEATABLE = False
MAX_TEXT = 2048  # bytes of a plain text
BUSY_SECONDS = 60.0

_ERRORS = {
    "93000": "The robot's key is wrong, or the robot was removed from its group.",
    "93004": "The robot is switched off.",
    "40008": "WeCom could not read the message.",
    "40058": "WeCom could not read the message.",
    "45002": "The message is too long for WeCom.",
}
_BUSY = {"45009", "45033", "-1"}


def clean(config: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    url = secrets.get("url", "")
    wrong = check_url(url, path="/webhook/send")
    if not wrong and not parse_qs(urlsplit(url).query).get("key"):
        wrong = URL_INVALID
    return {"url": wrong} if wrong else {}


def body(message: Message) -> dict[str, Any]:
    link = f"\n[{message.open_label}]({message.url})"
    room = LIMITS.max_bytes - 16
    is_list = bool(message.url) and len(message.items) > 1
    text = markdown(message, limit=room - (len(link.encode()) if is_list else 0))
    return {"msgtype": "markdown", "markdown": {"content": text + (link if is_list else "")}}


def letter_body(letter: Letter) -> dict[str, Any]:
    """Plain text: what a person wrote to a customer is no markup."""
    return {"msgtype": "text", "text": {"content": group_text(letter, limit=MAX_TEXT)}}


def send(target: Target, message: Message, *, now: datetime) -> Outcome:
    return _posted(Posting(target.secrets["url"], as_json(body(message))))


def write(target: Target, letter: Letter, *, now: datetime) -> Outcome:
    return _posted(posting(target, letter, now=now))


def posting(target: Target, letter: Letter, *, now: datetime) -> Posting:
    return Posting(target.secrets["url"], as_json(letter_body(letter)))


def _posted(ready: Posting) -> Outcome:
    answer = post_json(ready.url, ready.payload)
    return answer if isinstance(answer, Outcome) else read(answer)


def read(answer: Answer) -> Outcome:
    said = answer.json()
    code, words = str(said.get("errcode", "")), str(said.get("errmsg", ""))[:200]
    if code == "0":
        return Outcome("sent")
    if not code:
        return by_status(answer) or Outcome(
            "failed", error_text="The answer is not WeCom's: check the address.", said=answer.said
        )
    if code in _BUSY:
        text = "WeCom takes no more for the moment."
        return Outcome("later", "", code, text, words, BUSY_SECONDS)
    return Outcome("failed", "", code, _ERRORS.get(code, "WeCom refused the message."), words)
