"""钉钉 custom robot of a group. 20 messages a minute; beyond that it is silent for ten minutes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gengyun.engagement.calc.letters import Letter, group_text
from gengyun.engagement.calc.messages import Message, clip, markdown
from gengyun.engagement.calc.signing import dingtalk_query
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

LIMITS = Limits(per_minute=18, max_bytes=18 * 1024)
IS_IDEMPOTENT = LETTERS_REPEATABLE = False
MUTED_SECONDS = 600.0

_ERRORS = {
    "300001": "The robot's address is wrong: copy it again from the group's settings.",
    "300005": "The robot's address is wrong: copy it again from the group's settings.",
    "310000": "The robot's security setting refused the message: give the signing secret, or "
    "allow this server's IP address.",
    "400101": "The robot was removed from its group.",
    "400102": "The robot is switched off.",
    "400105": "DingTalk could not read the message.",
}
_BUSY = {"130101", "410100", "-1"}


def clean(config: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    url = secrets.get("url", "")
    wrong = check_url(url, path="/robot/send")
    if not wrong and not parse_qs(urlsplit(url).query).get("access_token"):
        wrong = URL_INVALID
    return {"url": wrong} if wrong else {}


def body(message: Message) -> dict[str, Any]:
    text = markdown(message, limit=LIMITS.max_bytes)
    if message.mentions:
        # DingTalk rings a phone only when the number stands in the text as well
        text += "".join(f" @{number}" for number in message.mentions)
    if message.url and len(message.items) > 1:
        text += f"\n\n[{message.open_label}]({message.url})"
    return {
        "msgtype": "markdown",
        "markdown": {"title": clip(message.title, 64), "text": text.replace("\n", "  \n")},
        "at": {"atMobiles": list(message.mentions), "isAtAll": False},
    }


def letter_body(letter: Letter) -> dict[str, Any]:
    """Plain text: what a person wrote to a customer is no markup."""
    return {"msgtype": "text", "text": {"content": group_text(letter, limit=LIMITS.max_bytes)}}


def send(target: Target, message: Message, *, now: datetime) -> Outcome:
    return _posted(_ready(target, body(message), now=now))


def write(target: Target, letter: Letter, *, now: datetime) -> Outcome:
    return _posted(posting(target, letter, now=now))


def posting(target: Target, letter: Letter, *, now: datetime) -> Posting:
    return _ready(target, letter_body(letter), now=now)


def _ready(target: Target, content: dict[str, Any], *, now: datetime) -> Posting:
    url, secret = target.secrets["url"], target.secrets.get("sign", "")
    if secret:
        url = f"{url}&{dingtalk_query(secret, str(int(now.timestamp() * 1000)))}"
    return Posting(url, as_json(content))


def _posted(ready: Posting) -> Outcome:
    answer = post_json(ready.url, ready.payload)
    return answer if isinstance(answer, Outcome) else read(answer)


def read(answer: Answer) -> Outcome:
    said = answer.json()
    code, words = str(said.get("errcode", "")), str(said.get("errmsg", ""))[:200]
    if code == "0":
        return Outcome("sent", provider_id=str(said.get("messageId", "")))
    if not code:
        return by_status(answer) or Outcome(
            "failed",
            error_text="The answer is not DingTalk's: check the address.",
            said=answer.said,
        )
    if code in _BUSY:
        pause = 60.0 if code == "-1" else MUTED_SECONDS
        return Outcome("later", "", code, "DingTalk takes no more for the moment.", words, pause)
    return Outcome("failed", "", code, _ERRORS.get(code, "DingTalk refused the message."), words)
