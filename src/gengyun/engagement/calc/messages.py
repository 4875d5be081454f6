"""What a notice says before a service shapes it, and how it is cut to its limits. Pure."""

from dataclasses import dataclass, field

URGENT, TODAY, WEEK, LOW = 1, 2, 3, 4  # severities, as on the pages
MAX_LISTED = 20  # entries of one digest; the rest is a number and the link to the queue

_WORDS = {
    URGENT: ("紧急", "Urgent"),
    TODAY: ("今天", "Today"),
    WEEK: ("本周", "This week"),
    LOW: ("有空时", "Any time"),
}


@dataclass(frozen=True)
class Item:
    """One thing to tell: who it is about, what happened, further facts, where to open it."""

    title: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    url: str = ""
    severity: int = LOW
    is_task: bool = False  # else an alert


@dataclass(frozen=True)
class Message:
    """One posting: a single item, or several under a common title."""

    title: str
    items: tuple[Item, ...]
    url: str = ""
    language: str = "zh-hans"
    more: int = 0  # items that did not fit
    mentions: tuple[str, ...] = field(default=())

    @property
    def is_zh(self) -> bool:
        return self.language.startswith("zh")

    @property
    def severity(self) -> int:
        """The most pressing of its items."""
        return min((item.severity for item in self.items), default=LOW)

    @property
    def open_label(self) -> str:
        return "打开" if self.is_zh else "Open"


def compose(
    items: list[Item], *, language: str, queue_url: str, mentions: tuple[str, ...] = ()
) -> Message:
    """One posting of everything that is due for the same receiver, the pressing things first."""
    zh = language.startswith("zh")
    ordered = sorted(items, key=lambda item: item.severity)
    shown, more = tuple(ordered[:MAX_LISTED]), max(0, len(ordered) - MAX_LISTED)
    if len(ordered) == 1:
        only = ordered[0]
        word = severity_word(only.severity, zh=zh)
        if only.is_task:
            word = "任务" if zh else "Task"
        title, address = f"[{word}] {only.title}", only.url
        if zh:
            title = f"【{word}】{only.title}"
        return Message(title, shown, address, language, 0, mentions)
    pressing = sum(item.severity <= TODAY for item in ordered)
    tasks = [item.is_task for item in ordered]
    title = _counted(len(ordered), pressing, tasks, zh=zh)
    address = f"{queue_url.removesuffix('alerts/')}tasks/" if all(tasks) else queue_url
    return Message(title, shown, address, language, more, mentions)


def _counted(count: int, pressing: int, tasks: list[bool], *, zh: bool) -> str:
    if all(tasks):
        return f"交给你的 {count} 个任务" if zh else f"{count} tasks for you"
    if zh:
        unit = "件事" if any(tasks) else "条预警"
        return f"{count} {unit}" + (f"，{pressing} {unit[0]}要今天处理" if pressing else "")
    noun = "alerts and tasks" if any(tasks) else "alerts"
    return f"{count} {noun}" + (f", {pressing} for today" if pressing else "")


def severity_word(severity: int, *, zh: bool) -> str:
    return _WORDS.get(severity, _WORDS[LOW])[0 if zh else 1]


def markdown(message: Message, *, limit: int, link: bool = True, heading: bool = True) -> str:
    """The body for services that read Markdown, at most `limit` bytes of UTF-8.

    Whole entries are left out rather than cut, and the number left out is said.
    """
    head = f"### {_plain(message.title)}\n" if heading else ""
    blocks = [_block(message, item, link=link) for item in message.items]
    return _fit(head, blocks, message, limit)


def plain_text(message: Message, *, limit: int) -> str:
    blocks = []
    for item in message.items:
        lines = [item.text] if len(message.items) == 1 else [f"{item.title}", f"  {item.text}"]
        lines += [f"  {name}: {value}" for name, value in item.facts]
        if item.url:
            lines.append(f"  {item.url}")
        blocks.append("\n".join(lines) + "\n")
    return _fit(f"{message.title}\n\n", blocks, message, limit)


def _block(message: Message, item: Item, *, link: bool) -> str:
    sep = "：" if message.is_zh else ": "
    facts = " · ".join(f"{_plain(name)}{sep}{_plain(value)}" for name, value in item.facts)
    if len(message.items) == 1:
        lines = [_plain(item.text)]
        lines += [f"- {_plain(name)}{sep}{_plain(value)}" for name, value in item.facts]
        if link and item.url:
            lines.append(f"[{message.open_label}]({item.url})")
        return "\n".join(lines) + "\n"
    title = f"[{_plain(item.title)}]({item.url})" if item.url else f"**{_plain(item.title)}**"
    word = severity_word(item.severity, zh=message.is_zh)
    lines = [f"- **{word}** {title}", f"  {_plain(item.text)}"]
    if facts:
        lines.append(f"  {facts}")
    return "\n".join(lines) + "\n"


def _fit(head: str, blocks: list[str], message: Message, limit: int) -> str:
    kept, more = list(blocks), message.more
    while True:
        tail = _tail(message, more)
        text = head + "".join(kept) + tail
        if size(text) <= limit:
            return text
        if len(kept) <= 1:
            return clip(head + "".join(kept), limit - size(tail)) + tail
        kept.pop()
        more += 1


def _tail(message: Message, more: int) -> str:
    if not more:
        return ""
    text = f"另有 {more} 条" if message.is_zh else f"and {more} more"
    return f"{text} {message.url}\n" if message.url else f"{text}\n"


def size(text: str) -> int:
    return len(text.encode())


def clip(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, never half a character, with an ellipsis where cut."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    mark = "…"
    return raw[: max(0, limit - size(mark))].decode(errors="ignore") + mark


def _plain(text: str) -> str:
    """What a person wrote must not become markup: names with brackets, stars, line ends."""
    cleaned = " ".join(text.split())
    for sign in "\\`*_[]<>#|":
        cleaned = cleaned.replace(sign, _WIDE.get(sign, ""))
    return cleaned


# look-alikes instead of back-slashes: the services escape each in its own way, or not at all
_WIDE = {
    "\\": "＼", "`": "｀", "*": "＊", "_": "＿", "[": "［", "]": "］",
    "<": "＜", ">": "＞", "#": "＃", "|": "｜",
}  # fmt: skip
