"""From episodes to work items: one per customer and family, within each person's daily budget."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from django.db.models import Count

from gengyun.alerts.actions.books import Books, Kind, chunks
from gengyun.alerts.actions.moves import Moves
from gengyun.alerts.calc.budget import ALWAYS, NEVER, Waiting, allot
from gengyun.alerts.calc.episodes import may_raise
from gengyun.alerts.calc.found import Reading
from gengyun.alerts.models import Alert, AlertRule, Episode, Suppression
from gengyun.alerts.queries.stakes import stakes
from gengyun.customers.models import Customer
from gengyun.kernel.days import start_of

Opened = list[tuple[Episode, Reading, AlertRule]]


def open_work_items(
    books: Books, moves: Iterable[Moves], families: Mapping[int, str]
) -> Counter[str]:
    """Give every episode that opened its work item; returns what was done, counted."""
    done: Counter[str] = Counter()
    groups: dict[str, Opened] = defaultdict(list)
    for move in moves:
        family = families[move.rule.cause_id]
        for episode, reading in move.opened:
            groups[_key(episode, family)].append((episode, reading, move.rule))
    customer_ids = {e.customer_id for group in groups.values() for e, _, _ in group}
    books.load_customers(pk for pk in customer_ids if pk is not None)
    books.load_company()
    owners = _owners(pk for pk in customer_ids if pk is not None)
    back = _closed_by_itself(books, groups)
    before = _previous(groups)
    fresh: list[tuple[Alert, Opened]] = []
    # the most urgent family first: it becomes the parent of the others
    for key, group in sorted(groups.items(), key=lambda one: (_urgency(one[1]), one[0])):
        alert = books.live.get(key) or back.get(key)
        if alert is None:
            alert = _new(books, key, group, families, owners)
            alert.previous_id = before.get(key)
            books.live[key] = alert
            fresh.append((alert, group))
        elif key in back:
            _reopen(books, alert, group)
            done["reopened"] += 1
        else:
            _join(books, alert, group)
            done["joined"] += 1
    _tell_fresh(books, fresh)
    new = [alert for alert, _ in fresh]
    _put_under_parents(books, new)
    done["opened"] += len(new)
    done.update(_allot(books, [alert for alert in new if alert.parent is None]))
    # tickets first: parts point at them
    for parts in (False, True):
        rows = [alert for alert in new if (alert.parent is not None) is parts]
        Alert.objects.bulk_create(rows, batch_size=300)
    for key, group in groups.items():
        for episode, _, _ in group:
            episode.alert = books.live[key]
    return done


def _key(episode: Episode, family: str) -> str:
    """Company-wide: by the thing itself; a customer's: by the family of causes."""
    if episode.customer_id is None:
        return episode.dedupe_key
    return f"c:{episode.customer_id}:{family}"


def _urgency(group: Opened) -> tuple[int, int]:
    return min((reading.severity, rule.position) for _, reading, rule in group)


def _owners(customer_ids: Iterable[int]) -> dict[int, int | None]:
    """Customer -> owner."""
    found: dict[int, int | None] = {}
    for part in chunks(customer_ids):
        found.update(Customer.objects.filter(pk__in=part).values_list("pk", "owner_id"))
    return found


def _by_key(rows: Iterable[Alert], groups: Mapping[str, Opened]) -> dict[str, Alert]:
    return {alert.key: alert for alert in rows if alert.key in groups}


def _closed_by_itself(books: Books, groups: Mapping[str, Opened]) -> dict[str, Alert]:
    """Work items whose condition went away a few days ago and is back now."""
    longest = max(
        (rule.cool_down_days for group in groups.values() for _, _, rule in group), default=0
    )
    since = start_of(books.as_of - timedelta(days=longest))
    found: dict[str, Alert] = {}
    customer_ids = [e.customer_id for g in groups.values() for e, _, _ in g if e.customer_id]
    closed = Alert.objects.filter(
        state=Alert.State.CLOSED, close_reason=Alert.CloseReason.CLEARED, closed_at__gte=since
    ).order_by("closed_at", "pk")
    for part in chunks(customer_ids):
        found |= _by_key(closed.filter(customer_id__in=part).select_for_update(), groups)
    found |= _by_key(closed.filter(customer__isnull=True).select_for_update(), groups)
    return {key: alert for key, alert in found.items() if key not in books.live}


def _previous(groups: Mapping[str, Opened]) -> dict[str, int]:
    """Key -> the newest closed work item of the same key."""
    found: dict[str, int] = {}
    customer_ids = [e.customer_id for g in groups.values() for e, _, _ in g if e.customer_id]
    closed = Alert.objects.filter(state=Alert.State.CLOSED).order_by("opened_at", "pk")
    for part in chunks(customer_ids):
        found.update(closed.filter(customer_id__in=part).values_list("key", "pk"))
    return {key: pk for key, pk in found.items() if key in groups}


def _new(
    books: Books,
    key: str,
    group: Opened,
    families: Mapping[int, str],
    owners: Mapping[int, int | None],
) -> Alert:
    episode, reading, rule = min(group, key=lambda one: (one[1].severity, one[2].position))
    owner_id = owners[episode.customer_id] if episode.customer_id is not None else None
    return Alert(
        customer_id=episode.customer_id,
        key=key,
        family=families[rule.cause_id],
        rule=rule,
        severity=reading.severity,
        owner_id=owner_id,
        opened_on=books.as_of,
        opened_at=books.at,
        last_seen_on=books.as_of,
        updated_at=books.now,
    )


def _tell_fresh(books: Books, fresh: Iterable[tuple[Alert, Opened]]) -> None:
    for alert, group in fresh:
        for place, (_, reading, rule) in enumerate(
            sorted(group, key=lambda one: (one[1].severity, one[2].position))
        ):
            kind = Kind.OPENED if place == 0 else Kind.EVIDENCE
            books.tell(alert, kind, rule=rule.pk, severity=reading.severity, value=reading.value)


def _reopen(books: Books, alert: Alert, group: Opened) -> None:
    severity, _ = _urgency(group)
    alert.state, alert.closed_at, alert.close_reason = Alert.State.OPEN, None, ""
    alert.was_it_us, alert.closed_by = None, None
    alert.last_seen_on, alert.ticket_on = books.as_of, books.as_of
    alert.in_digest = severity >= NEVER
    alert.responded_at = alert.responded_by = alert.escalated_at = alert.escalated_to = None
    alert.escalation_level = 0
    alert.severity = severity
    if not alert.in_digest:
        books.put_deadlines(alert, group[0][2])
    if all(one.pk != alert.parent_id for one in books.live.values()):
        alert.parent = None  # its ticket is closed: it would be seen by nobody
    books.live[alert.key] = alert
    books.change(alert, Kind.REOPENED, rule=group[0][2].pk, severity=severity)


def _join(books: Books, alert: Alert, group: Opened) -> None:
    """A further episode of the same family: evidence, no second work item."""
    alert.last_seen_on = books.as_of
    for _, reading, rule in group:
        books.change(
            alert, Kind.EVIDENCE, rule=rule.pk, severity=reading.severity, value=reading.value
        )
        if alert.state == Alert.State.SNOOZED:
            books.suppress(
                Suppression.Reason.SNOOZE, rule=rule, customer_id=alert.customer_id, alert=alert.pk
            )
        raise_severity(books, alert, reading.severity)


def raise_severity(books: Books, alert: Alert, severity: int) -> bool:
    """More urgent than it was: at most once in the policy's gap. Wakes a snoozed one."""
    if severity >= alert.severity:
        return False
    if not may_raise(alert.severity_raised_on, books.as_of, books.policy.raise_gap_days):
        return False
    before, alert.severity = alert.severity, severity
    alert.severity_raised_on = books.as_of
    if alert.state == Alert.State.SNOOZED:
        alert.state, alert.snoozed_until, alert.snooze_reason = Alert.State.OPEN, None, ""
        books.change(alert, Kind.WOKEN, because="raised")
    books.change(alert, Kind.RAISED, severity=[before, severity])
    if alert.parent_id is not None:
        parent = next((one for one in books.live.values() if one.pk == alert.parent_id), None)
        if parent is not None:
            raise_severity(books, parent, severity)
    return True


GROWTH = "growth"  # good news is no part of a trouble


def _put_under_parents(books: Books, fresh: Iterable[Alert]) -> None:
    """Several families within days are one trouble: the first is the ticket, the others parts."""
    since = books.as_of - timedelta(days=books.policy.parent_days)
    tickets: dict[int, Alert] = {}
    for alert in books.live.values():
        if alert.customer_id is None or alert.parent_id is not None:
            continue
        if alert.opened_on < since or alert.state != Alert.State.OPEN or alert.family == GROWTH:
            continue
        other = tickets.get(alert.customer_id)
        if other is None or _first(alert) < _first(other):
            tickets[alert.customer_id] = alert
    for alert in fresh:
        parent = tickets.get(alert.customer_id) if alert.customer_id is not None else None
        if parent is None or parent is alert or alert.family == GROWTH:
            continue
        alert.parent = parent
        books.tell(alert, Kind.JOINED, parent=parent)
        if alert.severity < parent.severity and _may_lift(books, alert, parent):
            before, parent.severity = parent.severity, alert.severity
            parent.severity_raised_on = books.as_of
            books.change(parent, Kind.RAISED, severity=[before, alert.severity], part=alert)


def _may_lift(books: Books, part: Alert, parent: Alert) -> bool:
    """Once in the policy's gap, as any rise; what is most urgent never waits."""
    gap = books.policy.raise_gap_days
    return part.severity <= ALWAYS or may_raise(parent.severity_raised_on, books.as_of, gap)


def _first(alert: Alert) -> tuple[date, int, str]:
    return alert.opened_on, alert.severity, alert.key


def _allot(books: Books, new: list[Alert]) -> Counter[str]:
    """Within the budget of the day a ticket, beyond it the digest; what waits there may follow."""
    old = Alert.objects.tickets().filter(
        state=Alert.State.OPEN, in_digest=True, customer__isnull=False
    )
    rows = list(old.values_list("key", "owner_id", "severity", "customer_id"))
    fresh = [a for a in new if a.customer_id is not None]
    worth = stakes({a.customer_id or 0 for a in fresh} | {row[3] or 0 for row in rows})
    waiting = [
        Waiting(a.key, a.owner_id, a.severity, worth.get(a.customer_id or 0, 0)) for a in fresh
    ]
    for key, owner_id, severity, customer_id in rows:
        # it may have been raised a moment ago
        known = books.live[key].severity if key in books.live else severity
        waiting.append(Waiting(key, owner_id, known, worth.get(customer_id or 0, 0)))
    taken = dict(
        Alert.objects.filter(ticket_on=books.as_of, customer__isnull=False)
        .order_by()
        .values_list("owner_id")
        .annotate(n=Count("pk"))
    )
    shown = allot(waiting, taken=taken, daily_budget=books.policy.daily_budget)
    rules = AlertRule.objects.in_bulk()
    done = _show_new(books, new, shown, rules)
    known_now = {alert.key for alert in new}
    late = [key for key in shown if key not in known_now]
    books.load_keys(late)
    for key in sorted(late):
        _as_ticket(books, books.live[key], rules)
        books.change(books.live[key], Kind.FROM_DIGEST)
        done["from_digest"] += 1
    return done


def _show_new(
    books: Books, new: list[Alert], shown: set[str], rules: Mapping[int, AlertRule]
) -> Counter[str]:
    done: Counter[str] = Counter()
    beyond: Counter[int] = Counter()
    for alert in new:
        if alert.customer_id is None or alert.key in shown:
            _as_ticket(books, alert, rules)
            done["tickets"] += 1
        else:
            alert.in_digest = True
            books.tell(alert, Kind.TO_DIGEST, severity=alert.severity)
            beyond[alert.rule_id] += 1
            done["digest"] += 1
    if beyond:
        earlier = Alert.objects.filter(opened_on=books.as_of, in_digest=True, rule_id__in=beyond)
        for rule_id, n in earlier.order_by().values_list("rule_id").annotate(n=Count("pk")):
            beyond[rule_id] += n  # the day was judged before
    for rule_id, count in beyond.items():
        books.suppress(Suppression.Reason.BUDGET, rule=rules[rule_id], count=count)
    return done


def _as_ticket(books: Books, alert: Alert, rules: Mapping[int, AlertRule]) -> None:
    alert.in_digest, alert.ticket_on, alert.updated_at = False, books.as_of, books.now
    books.put_deadlines(alert, rules[alert.rule_id])
