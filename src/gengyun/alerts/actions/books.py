"""The work items that a run touches: looked up in bulk, changed in memory, written once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from gengyun.alerts.calc.deadlines import after_working_days, after_working_hours
from gengyun.alerts.models import Alert, AlertEvent, AlertPolicy, AlertRule, Suppression
from gengyun.kernel.days import company_zone, start_of

CHUNK = 500
LATE = timedelta(days=7)  # a day judged later than that is history: its time limits are of its time
ALERT_FIELDS = [
    "rule",
    "severity",
    "state",
    "owner",
    "in_digest",
    "ticket_on",
    "severity_raised_on",
    "last_seen_on",
    "response_due_at",
    "resolve_due_at",
    "responded_at",
    "responded_by",
    "escalated_at",
    "escalation_level",
    "escalated_to",
    "snoozed_until",
    "snooze_reason",
    "closed_at",
    "closed_by",
    "close_reason",
    "verdict",
    "cause",
    "was_it_us",
    "parent",
    "updated_at",
]
Kind = AlertEvent.Kind


def chunks(pks: Iterable[int]) -> Iterator[list[int]]:
    rows = sorted(set(pks))
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def moment_of(as_of: date, now: datetime) -> datetime:
    """When the day's judgement counts as made: now, or the day's end if it was made later."""
    return min(now, start_of(as_of + timedelta(days=1)))


@dataclass
class Books:
    """Alerts by key and id; `events` and `suppressions` to write; customers to tell of."""

    as_of: date
    now: datetime
    policy: AlertPolicy
    live: dict[str, Alert] = field(default_factory=dict)
    dirty: dict[int, Alert] = field(default_factory=dict)
    events: list[AlertEvent] = field(default_factory=list)
    suppressions: dict[str, Suppression] = field(default_factory=dict)
    customer_ids: set[int] = field(default_factory=set)
    is_now: bool = False  # about what holds at this moment, not about a judged day

    @property
    def at(self) -> datetime:
        return self.now if self.is_now else moment_of(self.as_of, self.now)

    def load_customers(self, customer_ids: Iterable[int]) -> None:
        """Every live alert of these customers."""
        for part in chunks(customer_ids):
            self._add(Alert.objects.open().filter(customer_id__in=part))

    def load_ids(self, alert_ids: Iterable[int]) -> None:
        known = {alert.pk for alert in self.live.values()}
        for part in chunks(set(alert_ids) - known):
            self._add(Alert.objects.open().filter(pk__in=part))

    def load_keys(self, keys: Iterable[str]) -> None:
        rows = sorted(set(keys) - set(self.live))
        for start in range(0, len(rows), CHUNK):
            self._add(Alert.objects.open().filter(key__in=rows[start : start + CHUNK]))

    def load_company(self) -> None:
        self._add(Alert.objects.open().filter(customer__isnull=True))

    def _add(self, rows: Any) -> None:
        for alert in rows.select_for_update(of=("self",)).order_by("pk"):
            self.live.setdefault(alert.key, alert)

    def change(self, alert: Alert, kind: AlertEvent.Kind, **detail: Any) -> None:
        """Note that an alert was changed, and why."""
        alert.updated_at = self.now
        if alert.pk is not None:  # one that is new is written once, as a whole
            self.dirty[alert.pk] = alert
        self.tell(alert, kind, **detail)

    def tell(self, alert: Alert, kind: AlertEvent.Kind, **detail: Any) -> None:
        self.events.append(AlertEvent(alert=alert, at=self.at, kind=kind, detail=detail))
        if alert.customer_id is not None:
            self.customer_ids.add(alert.customer_id)

    def suppress(
        self,
        reason: str,
        *,
        rule: AlertRule | None,
        customer_id: int | None = None,
        count: int = 1,
        **detail: Any,
    ) -> None:
        """One line per day, rule, customer and reason, however often the day is judged."""
        rule_id = rule.pk if rule is not None else 0
        key = f"{self.as_of}:{rule_id}:{customer_id or '*'}:{reason}"
        self.suppressions[key] = Suppression(
            key=key,
            as_of=self.as_of,
            rule=rule,
            customer_id=customer_id,
            reason=reason,
            count=count,
            detail=detail,
            created_at=self.now,
        )

    def put_deadlines(self, alert: Alert, rule: AlertRule) -> None:
        """From now on, or from the day itself where a past is being made up for."""
        start = self.now if self.now - self.at <= LATE else self.at
        local = start.astimezone(company_zone())
        opens, closes = self.policy.day_starts_hour, self.policy.day_ends_hour
        alert.response_due_at = (
            after_working_hours(local, rule.first_response_hours, opens=opens, closes=closes)
            if rule.first_response_hours is not None
            else None
        )
        alert.resolve_due_at = (
            after_working_days(local, rule.resolve_days, closes=closes)
            if rule.resolve_days is not None
            else None
        )

    def write(self) -> None:
        """Alerts that changed and what is told of them; new alerts are written by who opens."""
        Alert.objects.bulk_create(
            list(self.dirty.values()),
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=ALERT_FIELDS,
            batch_size=300,
        )
        for event in self.events:  # alerts that were new when it was told have a number by now
            event.detail = {
                name: value.pk if isinstance(value, Alert) else value
                for name, value in event.detail.items()
            }
        AlertEvent.objects.bulk_create(self.events, batch_size=1_000)
        _write_suppressions(list(self.suppressions.values()))


def _write_suppressions(rows: Sequence[Suppression]) -> None:
    Suppression.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["count", "detail"],
        batch_size=500,
    )
