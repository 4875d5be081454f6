"""A letter to a customer as mail: text, HTML, one-click unsubscribe, its own bounce address.

RFC 8058: `List-Unsubscribe` with an https address and `List-Unsubscribe-Post`; the mail server that
signs (DKIM) must cover both. RFC 3834: `Auto-Submitted`, so that out-of-office answers stay away.
"""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import Policy
from email.utils import format_datetime, parseaddr

from gengyun.engagement.calc.letters import Letter, letter_html, letter_text
from gengyun.engagement.channels.base import Target
from gengyun.engagement.channels.email.real import LIMITS, POLICY


class _Whole(str):
    """The address in one piece: folded by the library, a long one would become an encoded word,
    which mail programs do not read there."""

    __slots__ = ()
    name = "List-Unsubscribe"

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def customer_letter(target: Target, letter: Letter, *, now: datetime) -> EmailMessage:
    mail = EmailMessage(policy=POLICY)
    name, sender = parseaddr(str(target.config["sender"]))
    local, _, domain = sender.rpartition("@")
    mail["From"] = Address(_line(name) or ("耕云" if letter.is_zh else "Gengyun"), local, domain)
    to_local, _, to_domain = target.recipient.rpartition("@")
    mail["To"] = Address(_line(letter.contact.get("name", "")), to_local, ascii_domain(to_domain))
    if letter.reply_to:
        reply_local, _, reply_domain = letter.reply_to.rpartition("@")
        mail["Reply-To"] = Address(_line(letter.reply_name), reply_local, reply_domain)
    mail["Subject"] = _line(letter.subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{target.message_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe_url:
        mail["List-Unsubscribe"] = _Whole(f"<{letter.unsubscribe_url}>")
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(letter_text(letter, limit=LIMITS.max_bytes // 2))
    mail.add_alternative(letter_html(letter), subtype="html")
    return mail


def envelope_sender(target: Target) -> str:
    """Where bounces go: the message's own address (VERP) if the channel has a box for bounces."""
    bounces = parseaddr(str(target.config.get("bounces", "")))[1]
    if not bounces:
        return parseaddr(str(target.config["sender"]))[1]
    local, _, domain = bounces.rpartition("@")
    return f"{local}+{target.message_id}@{domain}"


def ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def _line(text: str) -> str:
    """A header is one line, whatever a name holds."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
