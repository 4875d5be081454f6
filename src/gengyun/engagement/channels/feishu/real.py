"""飞书 / Lark custom bot of a group: a card with title, text and a button.

Limits by the official guide: 100 a minute, 5 a second, 20 KB; whole and half hours are crowded.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gengyun.engagement.calc.letters import Letter, group_text
from gengyun.engagement.calc.messages import Message, markdown
from gengyun.engagement.calc.signing import feishu as sign
from gengyun.engagement.channels.base import (
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

LIMITS = Limits(per_minute=60, max_bytes=20 * 1024)
IS_IDEMPOTENT = LETTERS_REPEATABLE = False
PATH = "/open-apis/bot/v2/hook/"
COLOURS = {1: "red", 2: "orange", 3: "blue"}

_ERRORS = {
    "19001": "The robot's address is wrong: copy it again from the group's settings.",
    "19021": "The signature was refused: check the signing secret and this machine's clock.",
    "19022": "This server's IP address is not on the robot's list.",
    "19024": "The robot asks for a keyword that the message does not hold: use the signing "
    "secret instead of keywords.",
    "9499": "Feishu could not read the message.",
}
_BUSY = {"11232", "11233", "99991400"}


def clean(config: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    wrong = check_url(secrets.get("url", ""), path=PATH)
    return {"url": wrong} if wrong else {}


def body(message: Message, *, secret: str, now: datetime) -> dict[str, Any]:
    elements: list[dict[str, Any]] = [
        {
            "tag": "markdown",
            "content": markdown(message, limit=LIMITS.max_bytes // 2, link=False, heading=False),
        }
    ]
    if message.url:
        button = {
            "tag": "button",
            "text": {"tag": "plain_text", "content": message.open_label},
            "url": message.url,
            "type": "primary",
        }
        elements.append({"tag": "action", "actions": [button]})
    card = {
        "header": {
            "title": {"tag": "plain_text", "content": message.title[:200]},
            "template": COLOURS.get(message.severity, "grey"),
        },
        "elements": elements,
    }
    return _signed({"msg_type": "interactive", "card": card}, secret=secret, now=now)


def letter_body(letter: Letter, *, secret: str, now: datetime) -> dict[str, Any]:
    """Plain text: what a person wrote to a customer is no markup."""
    text = group_text(letter, limit=LIMITS.max_bytes // 2)
    return _signed({"msg_type": "text", "content": {"text": text}}, secret=secret, now=now)


def _signed(found: dict[str, Any], *, secret: str, now: datetime) -> dict[str, Any]:
    if not secret:
        return found
    seconds = str(int(now.timestamp()))
    return {"timestamp": seconds, "sign": sign(secret, seconds), **found}


def send(target: Target, message: Message, *, now: datetime) -> Outcome:
    payload = as_json(body(message, secret=target.secrets.get("sign", ""), now=now))
    return _posted(Posting(target.secrets["url"], payload))


def write(target: Target, letter: Letter, *, now: datetime) -> Outcome:
    return _posted(posting(target, letter, now=now))


def posting(target: Target, letter: Letter, *, now: datetime) -> Posting:
    content = letter_body(letter, secret=target.secrets.get("sign", ""), now=now)
    return Posting(target.secrets["url"], as_json(content))


def _posted(ready: Posting) -> Outcome:
    answer = post_json(ready.url, ready.payload)
    return answer if isinstance(answer, Outcome) else read(answer)


def read(answer: Answer) -> Outcome:
    said = answer.json()
    code = str(said.get("code", said.get("StatusCode", "")))
    if code == "0":
        return Outcome("sent", provider_id=str((said.get("data") or {}).get("message_id", "")))
    if not code:
        return by_status(answer) or Outcome(
            "failed", error_text="The answer is not Feishu's: check the address.", said=answer.said
        )
    words = str(said.get("msg", ""))[:200]
    if code in _BUSY:
        return Outcome("later", "", code, "Feishu takes no more for the moment.", words, 60.0)
    return Outcome("failed", "", code, _ERRORS.get(code, "Feishu refused the message."), words)
