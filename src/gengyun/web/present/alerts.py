"""Alerts as they are shown: words for levels, time limits, states and the log."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import ngettext

from gengyun.alerts.models import Alert, AlertEvent
from gengyun.alerts.queries.telling import main_episodes, names_of, tell
from gengyun.kernel.days import company_zone, day_of
from gengyun.portfolio.models import CustomerSummary
from gengyun.web.present import format as plain
from gengyun.web.words import gettext as _
from gengyun.web.words import pgettext, pick

SNOOZES = (1, 3, 7, 14, 30)
TONES = {1: "d", 2: "c", 3: "n", 4: "n"}
GRADE_TONES = {"high": "d", "medium": "c", "low": ""}


@dataclass(frozen=True)
class Row:
    """One line of the queue."""

    alert: Alert
    rule: object
    summary: CustomerSummary | None
    sentence: str
    severity: tuple[str, str]
    deadline: "Deadline | None"
    state: tuple[str, str] | None
    parts: int
    name: str


@dataclass(frozen=True)
class Deadline:
    tone: str  # d passed, c soon, "" otherwise
    text: str


def severity_word(severity):
    return {
        1: _("Urgent"),
        2: pgettext("need", "Today"),
        3: _("This week"),
        4: _("Any time"),
    }.get(severity, "")


def severity(level):
    """(tone, word) of the mark before a row."""
    return TONES.get(level, "n"), severity_word(level)


def verdict_word(verdict):
    return {
        "true": pgettext("verdict", "True"),
        "false": pgettext("verdict", "False alarm"),
        "known": pgettext("verdict", "Known"),
    }.get(verdict, "")


def verdicts():
    """(value, word, hint, key) of the one-click close."""
    return [
        ("true", verdict_word("true"), _("It was a real risk"), "1"),
        ("false", verdict_word("false"), _("Nothing was wrong"), "2"),
        ("known", verdict_word("known"), _("We knew, it told nothing new"), "3"),
    ]


def reasons():
    """Usual reasons to put an alert off."""
    return [
        _("Waiting for the customer's answer"),
        _("A step is planned already"),
        _("Season or holiday of the customer"),
        _("Known project phase"),
    ]


def rows(alerts, *, now, today, zh):
    """What the queue shows, with a constant number of queries."""
    if not alerts:
        return []
    episodes = main_episodes(alerts)
    names = names_of(episode.rule for episode in episodes.values())
    ids = {alert.customer_id for alert in alerts if alert.customer_id is not None}
    summaries = CustomerSummary.objects.in_bulk(ids)
    parts = _part_counts(alerts)
    found = []
    for alert in alerts:
        episode = episodes.get(alert.pk)
        rule = episode.rule if episode else alert.rule
        text = tell(episode, names=names, zh=zh, today=today) if episode else ""
        found.append(
            Row(
                alert=alert,
                rule=rule,
                summary=summaries.get(alert.customer_id),
                sentence=text,
                severity=severity(alert.severity),
                deadline=deadline(alert, now=now, zh=zh),
                # on its own tab a state goes without saying
                state=None if alert.state == Alert.State.SNOOZED else state_tag(alert),
                parts=parts.get(alert.pk, 0),
                name=alert.customer.name if alert.customer else pick(rule),
            )
        )
    return found


def _part_counts(alerts):
    from collections import Counter

    ids = [alert.pk for alert in alerts]
    return Counter(Alert.objects.filter(parent_id__in=ids).values_list("parent_id", flat=True))


def deadline(alert, *, now, zh):
    """The limit that comes next: first response, then solution. None: there is none."""
    if alert.state == Alert.State.CLOSED:
        return None
    today = day_of(now)
    if alert.state == Alert.State.SNOOZED:
        shown = plain.day(alert.snoozed_until, today=today, zh=zh)
        return Deadline("", _("back on %(day)s") % {"day": shown})
    if alert.responded_at is None and alert.response_due_at is not None:
        words = (_("%(left)s to respond"), _("response %(late)s late"), _("respond by %(day)s"))
        return _left(alert.response_due_at, now, words, zh=zh)
    if alert.resolve_due_at is not None:
        words = (_("%(left)s to solve"), _("solution %(late)s late"), _("solve by %(day)s"))
        return _left(alert.resolve_due_at, now, words, zh=zh)
    return None


def _left(due, now, words, *, zh):
    soon, late, later = words
    left = due - now
    if left < timedelta(0):
        return Deadline("d", late % {"late": _span(-left)})
    if left < timedelta(hours=24):
        return Deadline("c" if left < timedelta(hours=4) else "", soon % {"left": _span(left)})
    local = due.astimezone(company_zone()).date()
    return Deadline("", later % {"day": plain.day(local, today=day_of(now), zh=zh)})


def _span(left):
    minutes = int(left.total_seconds() // 60)
    if minutes < 60:
        return ngettext("%(num)s minute", "%(num)s minutes", minutes) % {"num": minutes}
    if minutes < 48 * 60:
        hours = minutes // 60
        return ngettext("%(num)s hour", "%(num)s hours", hours) % {"num": hours}
    days = minutes // (24 * 60)
    return ngettext("%(num)s day", "%(num)s days", days) % {"num": days}


def state_tag(alert):
    """(tone, word) where the state needs saying."""
    if alert.state == Alert.State.CLOSED:
        word = verdict_word(alert.verdict)
        return {"true": "a", "false": "", "known": "b"}.get(alert.verdict, ""), word or _("closed")
    if alert.state == Alert.State.SNOOZED:
        return "b", _("put off")
    if alert.escalation_level:
        return "d", _("escalated")
    if alert.responded_at is not None:
        return "a", _("in work")
    return None


def close_reason(alert):
    return {
        Alert.CloseReason.MANUAL: _("Closed by a person"),
        Alert.CloseReason.CLEARED: _("The condition is gone"),
        Alert.CloseReason.RULE: _("The rule was changed"),
        Alert.CloseReason.GONE: _("The customer is archived"),
    }.get(alert.close_reason, "")


def log_lines(events, people, *, zh, today):
    """The log in words, newest first; what a daily run repeats (more evidence) is left out."""
    kinds = AlertEvent.Kind
    lines = []
    for event in reversed(events):
        if event.kind in {kinds.EVIDENCE, kinds.UNDONE} or event.undone_at is not None:
            continue
        say = _LOG.get(event.kind)
        text = say(event.detail, people, zh, today) if say else event.kind
        lines.append({"at": event.at, "who": event.actor, "text": text})
    return lines


def _to(detail, name):
    pair = detail.get(name)
    return pair[-1] if isinstance(pair, list) and pair else None


def _assigned(detail, people, zh, today):
    owner = people.get(_to(detail, "owner"))
    return _("given to %(name)s") % {"name": owner.name if owner else _("nobody yet")}


def _snoozed(detail, people, zh, today):
    from datetime import date

    until, reason = _to(detail, "until"), _to(detail, "reason") or ""
    day = plain.day(date.fromisoformat(until), today=today, zh=zh) if until else "?"
    return _("put off until %(day)s: %(reason)s") % {"day": day, "reason": reason}


def _closed(detail, people, zh, today):
    return _("closed: %(verdict)s") % {"verdict": verdict_word(_to(detail, "verdict") or "")}


def _answered(detail, people, zh, today):
    if _to(detail, "was_it_us"):
        return _("“it was our doing”")
    return _("“it was not our doing”")


def _plain(text):
    """The msgids are marked in `_MARKED`."""
    return lambda detail, people, zh, today: _(text)


_LOG = {
    AlertEvent.Kind.OPENED: _plain("opened"),
    AlertEvent.Kind.RAISED: _plain("became more urgent"),
    AlertEvent.Kind.JOINED: _plain("joined with another alert of the customer"),
    AlertEvent.Kind.TO_DIGEST: _plain("put into the digest: the day's budget was used up"),
    AlertEvent.Kind.FROM_DIGEST: _plain("taken out of the digest"),
    AlertEvent.Kind.RESPONDED: _plain("began to work on it"),
    AlertEvent.Kind.ASSIGNED: _assigned,
    AlertEvent.Kind.SNOOZED: _snoozed,
    AlertEvent.Kind.WOKEN: _plain("is back"),
    AlertEvent.Kind.ESCALATED: _plain("escalated: a time limit has passed"),
    AlertEvent.Kind.CLOSED: _closed,
    AlertEvent.Kind.CLEARED: _plain("closed by itself: the condition is gone"),
    AlertEvent.Kind.REOPENED: _plain("opened again"),
    AlertEvent.Kind.JUDGED: _closed,
    AlertEvent.Kind.ANSWERED: _answered,
}


def _marked():  # for the tool that collects msgids
    return [
        _("opened"),
        _("became more urgent"),
        _("joined with another alert of the customer"),
        _("put into the digest: the day's budget was used up"),
        _("taken out of the digest"),
        _("began to work on it"),
        _("is back"),
        _("escalated: a time limit has passed"),
        _("closed by itself: the condition is gone"),
        _("opened again"),
    ]


def of_customer(alerts, *, now, today, zh):
    """The part of the customer's page: open ones, then what was closed."""
    return [
        {
            "row": row,
            "is_live": row.alert.state != Alert.State.CLOSED,
            "reason": close_reason(row.alert),
        }
        for row in rows(alerts, now=now, today=today, zh=zh)
    ]
