"""What a mail server says that came back: delivery reports and complaints. Pure.

RFC 3464 (delivery status), RFC 5965 (complaints), RFC 3463 (status codes: 5.x.x for good, 4.x.x
for the moment). The message is found by the bounce address it was sent from (VERP), else by the
Message-ID of what is returned.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default

HARD, SOFT, COMPLAINT = "hard", "soft", "complaint"
SOFT_MOST = 5  # so many within the days below count as hard
SOFT_DAYS = timedelta(days=14)
MOST_BYTES = 1024 * 1024

_TOKEN = re.compile(r"\b([0-9a-f]{32})\b")
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")


@dataclass(frozen=True)
class Bounce:
    kind: str  # hard, soft or complaint
    token: str  # of the touch; "" unknown
    address: str  # whom it did not reach; "" unknown
    said: str


def is_dead(
    hard_bounced_at: datetime | None,
    soft_bounces: Sequence[str],
    cleared_at: datetime | None,
    now: datetime,
) -> bool:
    """No more mail to this address: a hard bounce, or five soft ones in a fortnight, since a person
    last said that it works."""
    if hard_bounced_at is not None and (cleared_at is None or hard_bounced_at > cleared_at):
        return True
    since = now - SOFT_DAYS
    recent = [one for one in map(datetime.fromisoformat, soft_bounces) if one > since]
    return sum(cleared_at is None or one > cleared_at for one in recent) >= SOFT_MOST


def parse(raw: bytes) -> Bounce | None:
    """A delivery report or complaint; None: an answer, a holiday note or anything else."""
    mail = message_from_bytes(raw[:MOST_BYTES], policy=default)
    parts = list(mail.walk())
    kinds = {part.get_content_type() for part in parts}
    token = _token(mail, parts)
    if "message/feedback-report" in kinds:
        return Bounce(COMPLAINT, token, _returned_to(parts), "feedback-report")
    if "message/delivery-status" not in kinds:
        return None
    for part in parts:
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in _blocks(part):
            found = _of_block(block, token)
            if found is not None:
                return found
    return None


def _of_block(block: Message, token: str) -> Bounce | None:
    action = str(block.get("Action", "")).strip().lower()
    if action not in {"failed", "delayed"}:
        return None
    match = _STATUS.search(str(block.get("Status", "")))
    # "delayed" is no failure yet: the server goes on trying
    if action == "delayed":
        return None
    kind = SOFT if match is not None and match.group(1) == "4" else HARD
    said = " ".join(str(block.get("Diagnostic-Code", "") or block.get("Status", "")).split())
    who = str(block.get("Original-Recipient") or block.get("Final-Recipient") or "")
    address = who.rpartition(";")[2].strip().strip("<>").lower()
    return Bounce(kind, token, address, said[:200])


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _token(mail: Message, parts: Sequence[Message]) -> str:
    texts = [str(mail.get(name, "")) for name in ("To", "Delivered-To", "X-Original-To")]
    for part in parts:
        if part.get_content_type() in {"message/rfc822", "text/rfc822-headers"}:
            payload = part.get_payload()
            inner = payload[0] if isinstance(payload, list) and payload else None
            if isinstance(inner, Message):
                texts += [str(inner.get("Message-ID", "")), str(inner.get("List-Unsubscribe", ""))]
            else:
                texts += re.findall(r"(?im)^(?:Message-ID|List-Unsubscribe):.*$", str(payload))
    for text in texts:
        if found := _TOKEN.search(text.lower()):
            return found.group(1)
    return ""


def _returned_to(parts: Sequence[Message]) -> str:
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            for block in _blocks(part):
                who = str(block.get("Original-Rcpt-To", ""))
                if who:
                    return who.strip().strip("<>").lower()
    return ""
