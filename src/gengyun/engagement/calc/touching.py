"""May this message go, and when: every reason for "not sent" in one place. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gengyun.engagement.calc.budget import OPERATIONAL, Counted, over_cap
from gengyun.engagement.calc.quiet import Quiet, first_allowed

# reasons, in the order in which they are looked for
CUSTOMER_GONE = "customer_gone"
CONTACT_LEFT = "contact_left"
NO_CONTACT = "no_contact"
NO_ADDRESS = "no_address"
NO_CHANNEL = "no_channel"
NO_UNSUBSCRIBE = "no_unsubscribe"
EMPTY = "empty"
MISSING_VALUE = "missing_value"
OPTED_OUT = "opted_out"
HAS_BOUNCED = "bounced"
CAPS = ("cap_1d", "cap_7d", "cap_30d")
TOO_LATE = "too_late"
REJECTED = "rejected"
WITHDRAWN = "withdrawn"
REFUSED = "refused"  # who was asked for a yes said no
UNANSWERED = "unanswered"  # nobody answered in time
ASKER_ENDED = "asker_ended"  # the SOP was stopped, or the customer left it early
REASONS = (
    CUSTOMER_GONE, CONTACT_LEFT, NO_CONTACT, NO_ADDRESS, NO_CHANNEL, NO_UNSUBSCRIBE, EMPTY,
    MISSING_VALUE, OPTED_OUT, HAS_BOUNCED, *CAPS, TOO_LATE, REJECTED, WITHDRAWN,
    REFUSED, UNANSWERED, ASKER_ENDED,
)  # fmt: skip

STALE = timedelta(days=3)  # nobody wants last week's news: what waited that long is not sent


@dataclass(frozen=True)
class Standing:
    """What is known of one recipient at the moment of deciding."""

    zone: ZoneInfo
    is_customer_here: bool = True
    has_left: bool = False
    needs_contact: bool = False  # mail: a person with an address
    has_contact: bool = True
    needs_address: bool = False
    address: str = ""
    has_channel: bool = True
    can_unsubscribe: bool = True
    is_empty: bool = False
    opted_out: frozenset[str] = frozenset()  # categories, or "all"
    has_bounced: bool = False
    known: Sequence[Counted] = ()


@dataclass(frozen=True)
class Decision:
    """`reason`: why not. Else `due_at`: the first allowed moment."""

    due_at: datetime | None = None
    reason: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)


def obstacle(standing: Standing, category: str, budget_class: str) -> str:
    """Why this person cannot be written to at all, whatever the hour; "": nothing is against it.

    What is operational (asked for, or needed to know) goes also to who opted out.
    """
    checks = (
        (not standing.is_customer_here, CUSTOMER_GONE),
        (standing.needs_contact and not standing.has_contact, NO_CONTACT),
        (standing.has_left, CONTACT_LEFT),
        (standing.needs_address and not standing.address, NO_ADDRESS),
        (not standing.has_channel, NO_CHANNEL),
        (not standing.can_unsubscribe, NO_UNSUBSCRIBE),
        (standing.is_empty, EMPTY),
        (
            budget_class != OPERATIONAL and bool(standing.opted_out & {category, "all"}),
            OPTED_OUT,
        ),
        (standing.has_bounced, HAS_BOUNCED),
    )
    return next((reason for holds, reason in checks if holds), "")


def decide(
    standing: Standing,
    *,
    category: str,
    budget_class: str,
    at: datetime,
    quiet: Quiet,
    caps: Mapping[str, Mapping[str, int]],
) -> Decision:
    """The first moment from `at` on at which it may go; or the reason why it does not go."""
    if reason := obstacle(standing, category, budget_class):
        return Decision(reason=reason)
    due_at = first_allowed(at, standing.zone, quiet)
    over = over_cap(caps, budget_class, standing.known, due_at)
    if over is None:
        return Decision(due_at=due_at)
    told = {
        "days": over.days,
        "cap": over.cap,
        "budget_class": over.budget_class,
        "counted": over.counted,
        "would_be": due_at.isoformat(timespec="seconds"),
    }
    if over.cap > 0:
        told["free_at"] = over.free_at.isoformat(timespec="seconds")
    return Decision(reason=over.reason, told=told)
