"""What a link still does, when somebody is reminded, and from when silence counts. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

CHANGE = timedelta(hours=24)  # an answer may be changed for so long
SILENT_DAYS = 14  # a link that lay there for so long without an answer: silence
MOST_REMINDERS = 3
OPEN, CHANGEABLE, ANSWERED, EXPIRED, CLOSED = "open", "changeable", "answered", "expired", "closed"


def link_state(
    *,
    now: datetime,
    expires_at: datetime,
    closed_at: datetime | None,
    answered_at: datetime | None,
) -> str:
    """open: it can be answered; changeable: it was, a short time ago; answered, expired, closed:
    it only says so."""
    if answered_at is not None and now >= answered_at + CHANGE:
        return ANSWERED
    if closed_at is not None or now >= expires_at:
        return ANSWERED if answered_at is not None else CLOSED if closed_at else EXPIRED
    return OPEN if answered_at is None else CHANGEABLE


def reminder_due(
    sent_at: datetime | None, after_days: Sequence[int], reminded_count: int
) -> datetime | None:
    """When the next reminder is due: counted from the invitation, in calendar days; None: none."""
    days = sorted(after_days)[:MOST_REMINDERS]
    if sent_at is None or reminded_count >= len(days):
        return None
    return sent_at + timedelta(days=days[reminded_count])


def is_silent(sent_at: datetime | None, answered_at: datetime | None, at: datetime) -> bool:
    """Asked `SILENT_DAYS` before `at` or earlier, and no answer by then."""
    if sent_at is None or sent_at > at - timedelta(days=SILENT_DAYS):
        return False
    return answered_at is None or answered_at >= at


def quarter_key(day: date) -> str:
    """The usual wave of a day: "2026-Q4"."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


@dataclass(frozen=True)
class Asked:
    """One invitation of a customer; `round` is the wave it was of."""

    customer: int
    round: int
    sent_at: datetime
    answered_at: datetime | None


def silence(asked: Iterable[Asked], at: datetime) -> dict[int, int]:
    """Customer -> how many of its newest waves in a row brought no answer from anybody.

    A wave counts as soon as its last link has lain `SILENT_DAYS`, or somebody answered; one that
    still runs says nothing yet. A customer that was never asked is not in the result.
    """
    waves: dict[int, dict[int, list[Asked]]] = {}
    for one in asked:
        if one.sent_at < at:
            waves.setdefault(one.customer, {}).setdefault(one.round, []).append(one)
    found: dict[int, int] = {}
    for customer, rounds in waves.items():
        told: list[tuple[datetime, bool]] = []
        for links in rounds.values():
            newest = max(link.sent_at for link in links)
            if any(link.answered_at is not None and link.answered_at < at for link in links):
                told.append((newest, True))
            elif is_silent(newest, None, at):
                told.append((newest, False))
        if told:
            told.sort(reverse=True)
            found[customer] = next(
                (place for place, (_at, answered) in enumerate(told) if answered), len(told)
            )
    return found
