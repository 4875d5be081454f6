"""Work items that end or wake by themselves."""

from collections import defaultdict
from collections.abc import Iterable

from gengyun.alerts.actions.books import Books, Kind, chunks
from gengyun.alerts.models import Alert, Episode
from gengyun.kernel.days import day_of

ENDS = {
    Episode.End.CLEARED: Alert.CloseReason.CLEARED,
    Episode.End.RULE: Alert.CloseReason.RULE,
    Episode.End.GONE: Alert.CloseReason.GONE,
}


def close_cleared(books: Books, closed: Iterable[Episode]) -> int:
    """Close the alerts none of whose episodes goes on; call it after the episodes are written."""
    by_alert: dict[int, list[Episode]] = defaultdict(list)
    for episode in closed:
        if episode.alert_id is not None:
            by_alert[episode.alert_id].append(episode)
    for part in chunks(by_alert):
        running = Episode.objects.filter(alert_id__in=part, closed_on__isnull=True)
        for alert_id in running.values_list("alert_id", flat=True).distinct():
            by_alert.pop(alert_id or 0, None)
    books.load_ids(by_alert)
    ended = [alert for alert in books.live.values() if alert.pk in by_alert]
    for alert in ended:
        _close(books, alert, by_alert[alert.pk])
    free_parts(books, [alert.pk for alert in ended])
    return len(ended)


def _close(books: Books, alert: Alert, episodes: list[Episode]) -> None:
    # a condition that went away says more than a customer who left the scope of a rule
    ends = {Episode.End(episode.end) for episode in episodes}
    end = next((e for e in (Episode.End.CLEARED, Episode.End.GONE) if e in ends), Episode.End.RULE)
    alert.state, alert.closed_at, alert.closed_by = Alert.State.CLOSED, books.at, None
    alert.close_reason = ENDS[end]
    alert.snoozed_until, alert.snooze_reason = None, ""
    books.live.pop(alert.key, None)
    books.change(alert, Kind.CLEARED, reason=alert.close_reason)


def free_parts(books: Books, ended: Iterable[int]) -> None:
    """Parts of a ticket that ended and still go on: the most urgent becomes the ticket."""
    parts: dict[int, list[Alert]] = defaultdict(list)
    gone = set(ended)
    for group in chunks(gone):
        rows = Alert.objects.open().filter(parent_id__in=group).order_by("severity", "pk")
        for part in rows.select_for_update():
            if part.pk in gone:
                continue  # it ends in this very run
            known = books.live.setdefault(part.key, part)
            if known.parent_id is not None:
                parts[known.parent_id].append(known)
    for old, alerts in parts.items():
        leader, *others = alerts
        leader.parent = None
        leader.ticket_on = leader.ticket_on or books.as_of
        if leader.response_due_at is None and not leader.in_digest:
            books.put_deadlines(leader, leader.rule)
        books.change(leader, Kind.JOINED, parent=None, before=old)
        for other in others:
            other.parent = leader
            books.change(other, Kind.JOINED, parent=leader.pk, before=old)


def wake_snoozed(books: Books) -> int:
    """The day until which it was put off has come."""
    today = max(books.as_of, day_of(books.at))
    due = Alert.objects.filter(state=Alert.State.SNOOZED, snoozed_until__lte=today)
    woken = 0
    for alert in due.select_for_update():
        known = books.live.setdefault(alert.key, alert)
        known.state, known.snoozed_until, known.snooze_reason = Alert.State.OPEN, None, ""
        books.change(known, Kind.WOKEN, because="day")
        woken += 1
    return woken
