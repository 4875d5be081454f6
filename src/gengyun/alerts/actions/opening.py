"""From episodes to work items: one per customer and family, within each person's daily budget."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db.models import Count, Q

from gengyun.alerts.actions.books import Books, Kind, chunks
from gengyun.alerts.actions.moves import Moves
from gengyun.alerts.calc.budget import NEVER, Waiting, allot
from gengyun.alerts.calc.episodes import may_raise
from gengyun.alerts.calc.found import Reading
from gengyun.alerts.models import Alert, AlertRule, Episode, Suppression
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
    Alert.objects.bulk_create([alert for alert, _ in fresh if alert.pk is None], batch_size=300)
    _write_fresh(books, fresh)
    for key, group in groups.items():
        for episode, _, _ in group:
            episode.alert = books.live[key]
    _put_under_parents(books, [alert for alert, _ in fresh])
    done["opened"] += len(fresh)
    done.update(_allot(books, [alert for alert, _ in fresh], owners))
    return done


def _key(episode: Episode, family: str) -> str:
    """Company-wide: by the thing itself; a customer's: by the family of causes."""
    if episode.customer_id is None:
        return episode.dedupe_key
    return f"c:{episode.customer_id}:{family}"


def _urgency(group: Opened) -> tuple[int, int]:
    return min((reading.severity, rule.position) for _, reading, rule in group)


def _owners(customer_ids: Iterable[int]) -> dict[int, tuple[int | None, int]]:
    """Customer -> (owner, ARR with unknown as 0)."""
    found: dict[int, tuple[int | None, int]] = {}
    for part in chunks(customer_ids):
        rows = Customer.objects.filter(pk__in=part).values_list("pk", "owner_id", "arr_minor")
        found.update({pk: (owner_id, arr or 0) for pk, owner_id, arr in rows})
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
    owners: Mapping[int, tuple[int | None, int]],
) -> Alert:
    episode, reading, rule = min(group, key=lambda one: (one[1].severity, one[2].position))
    owner_id = owners[episode.customer_id][0] if episode.customer_id is not None else None
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


def _write_fresh(books: Books, fresh: Iterable[tuple[Alert, Opened]]) -> None:
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


def _put_under_parents(books: Books, fresh: Iterable[Alert]) -> None:
    """Several families within days are one trouble: the first is the ticket, the others parts."""
    since = books.as_of - timedelta(days=books.policy.parent_days)
    tickets: dict[int, Alert] = {}
    of_customer: dict[int, list[Alert]] = defaultdict(list)
    for alert in books.live.values():
        if alert.customer_id is not None and alert.parent_id is None:
            of_customer[alert.customer_id].append(alert)
    for customer_id, alerts in of_customer.items():
        recent = [one for one in alerts if one.opened_on >= since and _may_lead(one)]
        if recent:
            tickets[customer_id] = min(
                recent, key=lambda one: (one.opened_on, one.severity, one.pk)
            )
    for alert in fresh:
        if alert.customer_id is None:
            continue
        parent = tickets.get(alert.customer_id)
        if parent is None or parent is alert or alert.parent_id is not None:
            continue
        alert.parent = parent
        books.change(alert, Kind.JOINED, parent=parent.pk)
        if alert.severity < parent.severity:
            before, parent.severity = parent.severity, alert.severity
            books.change(parent, Kind.RAISED, severity=[before, alert.severity], part=alert.pk)


def _may_lead(alert: Alert) -> bool:
    return alert.state == Alert.State.OPEN


def _allot(
    books: Books, fresh: Iterable[Alert], owners: Mapping[int, tuple[int | None, int]]
) -> Counter[str]:
    """Within the budget of the day a ticket, beyond it the digest; what waits there may follow."""
    new = [alert for alert in fresh if alert.parent_id is None]
    waiting = [
        Waiting(a.key, a.owner_id, a.severity, owners[a.customer_id][1])
        for a in new
        if a.customer_id is not None
    ]
    # what this very run raised is not in the database yet
    raised = [a.pk for a in books.live.values() if a.pk and a.in_digest and a.severity < NEVER]
    old = Alert.objects.tickets().filter(
        Q(severity__lt=NEVER) | Q(pk__in=raised),
        state=Alert.State.OPEN,
        in_digest=True,
        customer__isnull=False,
    )
    known = {alert.pk for alert in new}
    for pk, key, owner_id, severity, arr in old.values_list(
        "pk", "key", "owner_id", "severity", "customer__arr_minor"
    ):
        if pk not in known:
            now = books.live[key].severity if key in books.live else severity
            waiting.append(Waiting(key, owner_id, now, arr or 0))
    taken = dict(
        Alert.objects.filter(ticket_on=books.as_of, customer__isnull=False)
        .order_by()
        .values_list("owner_id")
        .annotate(n=Count("pk"))
    )
    shown = allot(waiting, taken=taken, daily_budget=books.policy.daily_budget)
    return _show(books, new, shown)


def _show(books: Books, new: Iterable[Alert], shown: set[str]) -> Counter[str]:
    done: Counter[str] = Counter()
    rules = AlertRule.objects.in_bulk()
    fresh = {alert.key for alert in new}
    for alert in new:
        if alert.customer_id is None or alert.key in shown:
            _as_ticket(books, alert, rules)
            done["tickets"] += 1
        else:
            alert.in_digest = True
            books.change(alert, Kind.TO_DIGEST, severity=alert.severity)
            books.suppress(
                Suppression.Reason.BUDGET,
                rule=alert.rule,
                customer_id=alert.customer_id,
                alert=alert.pk,
                severity=alert.severity,
            )
            done["digest"] += 1
    late = Alert.objects.filter(
        key__in=[k for k in shown if k not in fresh and k not in books.live]
    )
    for alert in late.exclude(state=Alert.State.CLOSED).select_for_update():
        books.live[alert.key] = alert
    for key in sorted(shown - fresh):
        alert = books.live[key]
        _as_ticket(books, alert, rules)
        books.tell(alert, Kind.FROM_DIGEST)
        done["from_digest"] += 1
    return done


def _as_ticket(books: Books, alert: Alert, rules: Mapping[int, AlertRule]) -> None:
    alert.in_digest, alert.ticket_on, alert.updated_at = False, books.as_of, books.now
    books.put_deadlines(alert, rules[alert.rule_id])
    books.dirty[alert.pk] = alert
