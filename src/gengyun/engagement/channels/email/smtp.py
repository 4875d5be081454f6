"""One mail over SMTP, knowing at every moment whether the server can have taken it.

Before the final dot has left, nothing can have been delivered: the mail is tried again. After the
dot, silence or a broken line says nothing: the mail is "perhaps sent", never sent a second time.
Time limits follow RFC 5321, 4.5.3.2, as far as a lease allows.
"""

import re
import smtplib
import ssl
from email.message import EmailMessage

from gengyun.engagement.channels import base
from gengyun.engagement.channels.base import Outcome, Target
from gengyun.engagement.channels.email.letters import ascii_domain, envelope_sender
from gengyun.engagement.channels.email.real import connect

TAKE_SECONDS = 60.0  # how long a server may think after the dot
RETRY_SECONDS = 300.0
_DEAD = re.compile(r"\b5\.1\.[1236]\b")  # RFC 3463: bad address, moved, no such host
_OTHER = re.compile(r"\b5\.[02-7]\.\d")

REFUSED = "The mail server refused the message."
NOT_TAKEN = "The mail server does not take mail for this address."
AUTH = "The mail server refused name or password."
NO_ANSWER = "The connection broke after the message had left; it may have been taken."


def transact(target: Target, mail: EmailMessage) -> Outcome:
    """Hand one mail to the server."""
    server: smtplib.SMTP | None = None
    try:
        server = connect(target)
        if target.config.get("username"):
            server.login(target.config["username"], target.secrets.get("password", ""))
        return _hand_over(server, target, mail)
    except smtplib.SMTPAuthenticationError as error:
        # a wrong password is mended by a person: the letters wait meanwhile
        return _later(str(error.smtp_code), AUTH, _text(error.smtp_error), 600.0)
    except smtplib.SMTPResponseException as error:
        return _later(str(error.smtp_code), REFUSED, _text(error.smtp_error), RETRY_SECONDS)
    except ssl.SSLError as error:
        return _later("tls", "The server's certificate was not accepted.", str(error), 600.0)
    except (smtplib.SMTPException, OSError) as error:
        return _later("unreachable", "The mail server could not be reached.", str(error), 60.0)
    finally:
        if server is not None:
            _leave(server)


def _hand_over(server: smtplib.SMTP, target: Target, mail: EmailMessage) -> Outcome:
    server.ehlo_or_helo_if_needed()
    code, words = server.mail(envelope_sender(target))
    if code != 250:
        # our own sender is refused: that concerns every letter
        return _later(str(code), REFUSED, _text(words), RETRY_SECONDS)
    local, _, domain = target.recipient.rpartition("@")
    code, words = server.rcpt(f"{local}@{ascii_domain(domain)}")
    if code not in {250, 251}:
        return by_code(code, _text(words), of_recipient=True, text=NOT_TAKEN)
    code, words = server.docmd("DATA")
    if code != 354:
        return by_code(code, _text(words), of_recipient=False)
    content = re.sub(rb"(?m)^\.", b"..", mail.as_bytes())
    server.send(content if content.endswith(b"\r\n") else content + b"\r\n")
    return _end(server, str(mail["Message-ID"]))


def _end(server: smtplib.SMTP, message_id: str) -> Outcome:
    try:
        if server.sock is not None:
            server.sock.settimeout(max(TAKE_SECONDS, base.TIMEOUT))
        server.send(b".\r\n")
        code, words = server.getreply()
    except (smtplib.SMTPException, OSError) as error:
        return Outcome("unsure", message_id, "no_answer", NO_ANSWER, str(error)[:200])
    if code == 250:
        return Outcome("sent", provider_id=message_id, said=_text(words)[:200])
    if code == -1:
        return Outcome("unsure", message_id, "no_answer", NO_ANSWER, _text(words)[:200])
    return by_code(code, _text(words), of_recipient=True)


def by_code(code: int, said: str, *, of_recipient: bool, text: str = REFUSED) -> Outcome:
    """4xx: the server asks to come back; 5xx: it never will."""
    if code == 421 or not 400 <= code < 600:
        return _later(str(code), text, said, RETRY_SECONDS)
    if code < 500:
        return Outcome(
            "later", "", str(code), text, said[:200], RETRY_SECONDS, of_recipient=of_recipient
        )
    dead = bool(_DEAD.search(said)) or (code in {550, 551, 553} and not _OTHER.search(said))
    is_dead = dead and of_recipient and text == NOT_TAKEN
    return Outcome(
        "failed", "", str(code), text, said[:200], of_recipient=of_recipient, is_dead=is_dead
    )


def _later(code: str, text: str, said: str, pause: float) -> Outcome:
    return Outcome("later", "", code, text, said[:200], pause)


def _leave(server: smtplib.SMTP) -> None:
    """Politely if it goes quickly: the letter's fate is settled."""
    try:
        if server.sock is not None:
            server.sock.settimeout(2.0)
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


def _text(words: bytes | str) -> str:
    return words.decode(errors="replace") if isinstance(words, bytes) else str(words)
