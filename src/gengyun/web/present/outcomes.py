"""What became of an event, in plain words, and what a person can do about it. Pure."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True)
class Outcome:
    tone: str  # a accepted, b for the record, c waits for somebody, d the sender must change
    label: str
    meaning: str = ""
    advice: str = ""


OUTCOMES = {
    "accepted": Outcome("a", pgettext_lazy("event outcome", "Accepted")),
    "duplicate": Outcome(
        "b",
        _("Repeated"),
        _("We already have an event with this messageId."),
        _("Nothing to do: clients repeat a request when an answer was slow; it is counted once."),
    ),
    "bot": Outcome(
        "b",
        _("Robot"),
        _("The browser calls itself a robot: a search engine, a link preview, a monitor."),
        _("Counted and left out. If robots are your users, switch the filter off for this source."),
    ),
    "ignored": Outcome(
        "b",
        _("Left out"),
        _("The client sent this for itself (clicks, page leaves, feature flags): it is no usage."),
        _("Nothing to do. What people do in your product is worth an event with a name."),
    ),
    "unknown_customer": Outcome(
        "c",
        _("Unknown customer"),
        _("No customer has this id yet."),
        _(
            "Create or import the customer with this id: its events are then replayed "
            "by themselves."
        ),
    ),
    "no_customer": Outcome(
        "d",
        _("No customer"),
        _("The event does not say which customer it belongs to, and neither did its user before."),
        _("Send context.groupId with the customer's id, or call group() once for each user."),
    ),
    "no_user": Outcome(
        "d",
        _("No user"),
        _("The event has neither userId nor anonymousId."),
        _("Send userId for people who are logged in, anonymousId for the rest."),
    ),
    "no_event_name": Outcome(
        "d",
        _("No event name"),
        _("A track call must say what happened."),
        _("Send a name in “event”, for example “Report exported”."),
    ),
    "bad_type": Outcome(
        "d",
        _("Wrong type"),
        _("A field holds something of another type, or the call is of a kind we do not know."),
        _("Compare the event's text below with the example on this page."),
    ),
    "bad_time": Outcome(
        "d",
        _("Impossible time"),
        _("The time is before the year 2000 or cannot be read."),
        _(
            "Send ISO 8601, for example 2026-11-21T09:30:00+08:00. A 1970 date means seconds were "
            "sent as milliseconds."
        ),
    ),
    "too_large": Outcome(
        "d",
        _("Too large"),
        _("One event may have at most 32 KB."),
        _("Send the facts about the event, not whole documents."),
    ),
    "bad_shape": Outcome(
        "d",
        _("Not an event"),
        _("The item is not a JSON object in the shape of an event."),
        _("Compare the event's text below with the example on this page."),
    ),
}


def outcome(code: str) -> Outcome:
    return OUTCOMES.get(code) or Outcome("d", code)
