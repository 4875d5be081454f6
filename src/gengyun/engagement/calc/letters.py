"""A message to a customer before a service shapes it, and its shapes. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from gengyun.engagement.calc.messages import clip

_LINK = re.compile(r"https?://[^\s<>\"“”，。；、）)】]+")


@dataclass(frozen=True)
class Letter:
    """One message to one reader, or to the group that they share with us."""

    subject: str
    body: str
    language: str
    category: str
    unsubscribe_url: str = ""  # "": nothing to unsubscribe from
    reply_to: str = ""
    reply_name: str = ""
    customer: Mapping[str, str] = field(default_factory=dict)  # id, name
    contact: Mapping[str, str] = field(default_factory=dict)  # name, email, phone …

    @property
    def is_zh(self) -> bool:
        return self.language.startswith("zh")

    @property
    def farewell(self) -> str:
        """The line that tells how to get no more of these."""
        if not self.unsubscribe_url:
            return ""
        if self.is_zh:
            return f"不想再收到这类消息？退订：{self.unsubscribe_url}"
        return f"No more messages of this kind? Unsubscribe: {self.unsubscribe_url}"


def letter_text(letter: Letter, *, limit: int) -> str:
    """Plain text, at most `limit` bytes; the farewell is never what is cut."""
    tail = f"\n\n-- \n{letter.farewell}\n" if letter.farewell else "\n"
    return clip(letter.body, limit - len(tail.encode())) + tail


def group_text(letter: Letter, *, limit: int) -> str:
    """For a group chat: the subject as first line."""
    return clip(f"{letter.subject}\n\n{letter.body}" if letter.subject else letter.body, limit)


def letter_html(letter: Letter) -> str:
    """The same text with paragraphs and links; whatever a person wrote stays text."""
    blocks = [block for block in re.split(r"\n\s*\n", letter.body.strip()) if block.strip()]
    rows = [f"<p>{'<br>'.join(_linked(line) for line in b.splitlines())}</p>" for b in blocks]
    if letter.unsubscribe_url:
        words = "不想再收到这类消息？" if letter.is_zh else "No more messages of this kind?"
        verb = "退订" if letter.is_zh else "Unsubscribe"
        url = escape(letter.unsubscribe_url)
        rows.append(f'<hr><p><small>{words} <a href="{url}">{verb}</a></small></p>')
    lang = "zh-CN" if letter.is_zh else "en"
    return f'<!doctype html><html lang="{lang}"><body>{"".join(rows)}</body></html>'


def _linked(line: str) -> str:
    parts, at = [], 0
    for match in _LINK.finditer(line):
        url = escape(match.group())
        parts += [escape(line[at : match.start()]), f'<a href="{url}">{url}</a>']
        at = match.end()
    return "".join([*parts, escape(line[at:])])
