"""The log of a task: who did what, with the values that matter; whole sentences."""

from dataclasses import dataclass
from datetime import date, datetime

from gengyun.tasks.models import TaskEvent
from gengyun.team.models import User
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _
from gengyun.web.words import is_zh, pgettext

Kind = TaskEvent.Kind


@dataclass(frozen=True)
class Line:
    at: datetime
    who: str
    text: str
    is_undone: bool


def log(events, today):
    """Newest first."""
    events = list(events)
    names = _names(events)
    return [
        Line(
            event.at,
            event.actor.name if event.actor else _("the system"),
            _said(event, names, today),
            event.undone_at is not None,
        )
        for event in reversed(events)
    ]


def _names(events):
    ids = {pk for event in events for pk in event.detail.get("owner") or () if pk}
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


def _said(event, names, today):
    if event.kind == Kind.UNDONE:
        return _("took back: %(what)s") % {"what": _plain(event.detail.get("kind", ""))}
    found = _SENTENCES.get(event.kind)
    return found(event.detail, names, today) if found else _plain(event.kind)


def _plain(kind):
    """Without values."""
    return {
        Kind.CREATED: _("made the task"),
        Kind.EDITED: _("changed it"),
        Kind.ASSIGNED: _("handed it over"),
        Kind.MOVED: _("moved the due day"),
        Kind.STARTED: _("began"),
        Kind.STOPPED: _("put it back to to-do"),
        Kind.SNOOZED: _("put it off"),
        Kind.WOKEN: _("took it up again"),
        Kind.DONE: _("did it"),
        Kind.DROPPED: _("dropped it"),
        Kind.REOPENED: _("opened it again"),
        Kind.COMMENTED: _("commented"),
        Kind.FILED: _("added a file"),
        Kind.UNFILED: _("took a file off"),
    }.get(kind, kind)


def _assigned(detail, names, today):
    after = (detail.get("owner") or [None, None])[1]
    name = {"name": names.get(after, "?") if after else _("nobody yet")}
    if detail.get("because"):
        return _("gave it to %(name)s, along with the customer") % name
    return _("gave it to %(name)s") % name


def _moved(detail, names, today):
    before, after = detail.get("due_on") or (None, None)
    days = {"before": _day(before, today), "after": _day(after, today)}
    return _("moved the due day from %(before)s to %(after)s") % days


def _snoozed(detail, names, today):
    until = (detail.get("snoozed_until") or [None, None])[1]
    return _("put it off until %(day)s") % {"day": _day(until, today)}


def _edited(detail, names, today):
    fields = ("、" if is_zh() else ", ").join(field_word(name) for name in detail)
    return _("changed: %(fields)s") % {"fields": fields}


def _done(detail, names, today):
    if not detail.get("result"):
        return _plain(Kind.DONE)
    return _("did it: %(result)s") % {"result": detail["result"][1]}


def _dropped(detail, names, today):
    return _("dropped it: %(result)s") % {"result": (detail.get("result") or ["", ""])[1]}


def _filed(detail, names, today):
    return _("added the file %(name)s") % {"name": detail.get("name", "")}


def _unfiled(detail, names, today):
    return _("took off the file %(name)s") % {"name": detail.get("name", "")}


_SENTENCES = {
    Kind.ASSIGNED: _assigned,
    Kind.MOVED: _moved,
    Kind.SNOOZED: _snoozed,
    Kind.EDITED: _edited,
    Kind.DONE: _done,
    Kind.DROPPED: _dropped,
    Kind.FILED: _filed,
    Kind.UNFILED: _unfiled,
}


def field_word(name):
    return {
        "title": pgettext("task", "title"),
        "body": pgettext("task", "details"),
        "priority": pgettext("task", "priority"),
        "due_on": pgettext("task", "due day"),
        "customer": pgettext("task", "customer"),
        "contact": pgettext("task", "contact"),
        "worth_minor": pgettext("task", "worth"),
    }.get(name, name)


def _day(iso, today):
    if not iso:
        return _("no due day")
    return plain.day(date.fromisoformat(iso), today=today, zh=is_zh())
