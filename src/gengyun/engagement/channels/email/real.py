"""Mail over SMTP: text and HTML, marked as sent by a machine, one Message-ID for all attempts."""

import smtplib
import ssl
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Any

from gengyun.engagement.calc.letters import Letter
from gengyun.engagement.calc.messages import Message, plain_text, severity_word
from gengyun.engagement.channels import base
from gengyun.engagement.channels.base import Limits, Outcome, Target

LIMITS = Limits(per_minute=30, max_bytes=200 * 1024)
IS_IDEMPOTENT = True  # mail boxes show one of two messages with the same Message-ID
LETTERS_REPEATABLE = False  # ... but not every customer's does
SECURITY = ("starttls", "tls", "none")
POLICY = SMTP.clone(cte_type="7bit")  # for servers without 8BITMIME

_REFUSED = "The mail server refused the message."


def clean(config: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, str]:
    errors = {}
    if not config.get("host") or any(c.isspace() for c in str(config["host"])):
        errors["host"] = "Which mail server?"
    port = config.get("port")
    if not isinstance(port, int) or not 0 < port < 65536:
        errors["port"] = "A port is a number from 1 to 65535."
    if config.get("security") not in SECURITY:
        errors["security"] = "How is the connection made safe?"
    if not is_address(str(config.get("sender", ""))):
        errors["sender"] = "This is no mail address."
    if any(not is_address(address) for address in config.get("recipients", ())):
        errors["recipients"] = "One line is no mail address."
    if secrets.get("password") and config.get("security") == "none":
        errors["security"] = "A password is not sent over an open connection."
    bounces = str(config.get("bounces", ""))
    if bounces and not is_address(bounces):
        errors["bounces"] = "This is no mail address."
    return errors


def is_address(text: str) -> bool:
    _name, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    return bool(at and local and domain) and not any(c.isspace() or c in "\r\n," for c in address)


def letter(target: Target, message: Message, *, now: datetime) -> EmailMessage:
    mail = EmailMessage(policy=POLICY)
    name, sender = parseaddr(str(target.config["sender"]))
    local, _, domain = sender.rpartition("@")
    mail["From"] = Address(name or ("耕云" if message.is_zh else "Gengyun"), local, domain)
    to_local, _, to_domain = parseaddr(target.recipient)[1].rpartition("@")
    mail["To"] = Address("", to_local, to_domain)
    mail["Subject"] = " ".join(message.title.split())[:200]
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{target.message_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(plain_text(message, limit=LIMITS.max_bytes // 2))
    mail.add_alternative(_html(message), subtype="html")
    return mail


def send(target: Target, message: Message, *, now: datetime) -> Outcome:  # noqa: PLR0911
    mail = letter(target, message, now=now)
    try:
        with connect(target) as server:
            if target.config.get("username"):
                server.login(target.config["username"], target.secrets.get("password", ""))
            server.send_message(mail)
    except smtplib.SMTPAuthenticationError as error:
        return _failed(error, "The mail server refused name or password.")
    except smtplib.SMTPNotSupportedError as error:
        return _failed(error, "The mail server does not offer this kind of connection.")
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        return _by_code(code, words, "The mail server does not take mail for this address.")
    except smtplib.SMTPResponseException as error:
        return _by_code(error.smtp_code, error.smtp_error, _REFUSED)
    except (smtplib.SMTPException, OSError) as error:
        if isinstance(error, ssl.SSLError):
            return _failed(error, "The server's certificate was not accepted.")
        return Outcome(
            "later",
            error_code="unreachable",
            error_text="The mail server could not be reached.",
            said=str(error)[:200],
        )
    return Outcome("sent", provider_id=str(mail["Message-ID"]))


def write(target: Target, letter: Letter, *, now: datetime) -> Outcome:
    """A letter to a customer: one transaction whose every stage is known."""
    from gengyun.engagement.channels.email.letters import customer_letter
    from gengyun.engagement.channels.email.smtp import transact

    return transact(target, customer_letter(target, letter, now=now))


def connect(target: Target) -> smtplib.SMTP:
    host, port = str(target.config["host"]), int(target.config["port"])
    if target.config["security"] == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, timeout=base.TIMEOUT, context=context)
    server = smtplib.SMTP(host, port, timeout=base.TIMEOUT)
    if target.config["security"] == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server


def _failed(error: Exception, text: str) -> Outcome:
    return Outcome("failed", error_code=type(error).__name__, error_text=text, said=_words(error))


def _by_code(code: int, words: bytes | str, text: str) -> Outcome:
    """4xx: the server asks to come back; 5xx: it never will."""
    said = words.decode(errors="replace") if isinstance(words, bytes) else words
    status = "later" if 400 <= code < 500 else "failed"
    return Outcome(status, "", str(code), text, said[:200], 300.0)  # type: ignore[arg-type]


def _words(error: Exception) -> str:
    said = getattr(error, "smtp_error", b"") or str(error)
    return (said.decode(errors="replace") if isinstance(said, bytes) else str(said))[:200]


def _html(message: Message) -> str:
    rows = []
    for item in message.items:
        facts = " · ".join(f"{escape(name)}: {escape(value)}" for name, value in item.facts)
        title = escape(item.title)
        if item.url:
            title = f'<a href="{escape(item.url)}">{title}</a>'
        word = escape(severity_word(item.severity, zh=message.is_zh))
        rows.append(
            f"<p><b>{word}</b> {title}<br>{escape(item.text)}"
            + (f"<br><small>{facts}</small>" if facts else "")
            + "</p>"
        )
    if message.more:
        more = f"另有 {message.more} 条" if message.is_zh else f"and {message.more} more"
        rows.append(f"<p>{more}</p>")
    if message.url:
        rows.append(f'<p><a href="{escape(message.url)}">{escape(message.open_label)}</a></p>')
    lang = "zh-CN" if message.is_zh else "en"
    return f'<!doctype html><html lang="{lang}"><body>{"".join(rows)}</body></html>'
