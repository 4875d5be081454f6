"""What people do with work items, one or many at once: one press is one batch, undone as one.

Every function takes ids, refuses all of them when one cannot be done, and returns the batch's id
for `undoing.undo`. What was there before stands in the log beside each line.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from gengyun.alerts.actions.snapshots import freeze, leave_closed_parent
from gengyun.alerts.models import Alert, AlertEvent, Episode, RiskCause
from gengyun.alerts.queries.policy import policy
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import Refusal
from gengyun.kernel.outbox import emit
from gengyun.team.actions import pressing
from gengyun.team.actions.pressing import Told
from gengyun.team.models import User
from gengyun.team.queries.access import require
from gengyun.team.queries.people import possible_owners

Kind = AlertEvent.Kind
CHUNK = 500


class AlertClosed(Refusal):
    code = "alert_closed"
    status = 409
    message = "This alert is closed already."


class AlertNotClosed(Refusal):
    code = "alert_not_closed"
    status = 409
    message = "This alert is still open."


class VerdictMissing(Refusal):
    code = "verdict_missing"
    message = "Say whether the alert was true, a false alarm, or known already."


class SnoozeDayBad(Refusal):
    code = "alert_snooze_day_bad"
    message = "Choose a day after today, at most %(days)s days away."


class SnoozeReasonMissing(Refusal):
    code = "snooze_reason_missing"
    message = "A snooze needs a reason."


class OwnerUnfit(Refusal):
    code = "alert_owner_unfit"
    message = "Alerts can only be given to active colleagues who look after customers."


class AlertOpenAgain(Refusal):
    code = "alert_open_again"
    status = 409
    message = "There is an open alert about the same already."


@transaction.atomic
def respond(*, actor: User | None, now: datetime, alert_ids: Sequence[int]) -> str:
    """Somebody is on it: the response time stops."""

    def change(alert: Alert) -> dict[str, Any] | None:
        _must_be_live(alert)
        return _respond(alert, actor, now)

    return _each(actor, now, alert_ids, Kind.RESPONDED, change)


@transaction.atomic
def assign(
    *, actor: User | None, now: datetime, alert_ids: Sequence[int], owner: User | None
) -> str:
    """Give to a colleague; to oneself everybody may. It stays there when the customer moves."""
    if owner is None or actor is None or owner.pk != actor.pk:
        require(actor, "customer.assign")
    if owner is not None and not possible_owners().filter(pk=owner.pk).exists():
        raise OwnerUnfit

    def change(alert: Alert) -> dict[str, Any] | None:
        _must_be_live(alert)
        if alert.owner_id == (owner.pk if owner else None):
            return None
        told = {"owner": [alert.owner_id, owner.pk if owner else None]}
        alert.owner, alert.is_assigned = owner, True
        return told

    return _each(actor, now, alert_ids, Kind.ASSIGNED, change)


@transaction.atomic
def snooze(
    *, actor: User | None, now: datetime, alert_ids: Sequence[int], until: date, reason: str
) -> str:
    """Silent until a day; nothing of the same family opens for the customer meanwhile. It wakes
    earlier if it becomes more urgent."""
    longest = policy().snooze_days
    if not 0 < (until - day_of(now)).days <= longest:
        raise SnoozeDayBad(days=longest)
    reason = reason.strip()[:200]
    if not reason:
        raise SnoozeReasonMissing

    def change(alert: Alert) -> dict[str, Any] | None:
        _must_be_live(alert)
        _respond(alert, actor, now)
        told = {"until": [alert.snoozed_until, until], "reason": [alert.snooze_reason, reason]}
        alert.state, alert.snoozed_until, alert.snooze_reason = Alert.State.SNOOZED, until, reason
        return told

    return _each(actor, now, alert_ids, Kind.SNOOZED, change)


@transaction.atomic
def wake(*, actor: User | None, now: datetime, alert_ids: Sequence[int]) -> str:
    """End a snooze before its day."""

    def change(alert: Alert) -> dict[str, Any] | None:
        if alert.state != Alert.State.SNOOZED:
            return None
        told = {"until": [alert.snoozed_until, None]}
        alert.state, alert.snoozed_until, alert.snooze_reason = Alert.State.OPEN, None, ""
        return told

    return _each(actor, now, alert_ids, Kind.WOKEN, change)


@transaction.atomic
def close(
    *,
    actor: User | None,
    now: datetime,
    alert_ids: Sequence[int],
    verdict: str,
    cause: RiskCause | None = None,
    note: str = "",
) -> str:
    """Done, with one word on whether it was right. Parts are closed with their ticket. Its
    episodes end; the same condition then stays silent for the rule's cool-down."""
    if verdict not in Alert.Verdict.values:
        raise VerdictMissing

    def change(alert: Alert) -> dict[str, Any] | None:
        _must_be_live(alert)
        _respond(alert, actor, now)
        told = {"verdict": [alert.verdict, verdict], **_judge(alert, cause, note)}
        alert.state, alert.closed_at, alert.closed_by = Alert.State.CLOSED, now, actor
        alert.close_reason, alert.verdict = Alert.CloseReason.MANUAL, verdict
        alert.snoozed_until, alert.snooze_reason = None, ""
        return told

    ids = _with_parts(alert_ids)
    batch = _each(actor, now, ids, Kind.CLOSED, change)
    _end_episodes(ids, now)
    return batch


@transaction.atomic
def judge(
    *,
    actor: User | None,
    now: datetime,
    alert_ids: Sequence[int],
    verdict: str,
    cause: RiskCause | None = None,
    note: str = "",
) -> str:
    """The verdict on an alert that is closed already, or another one than before."""
    if verdict not in Alert.Verdict.values:
        raise VerdictMissing

    def change(alert: Alert) -> dict[str, Any] | None:
        _must_be_closed(alert)
        told = {"verdict": [alert.verdict, verdict], **_judge(alert, cause, note)}
        alert.verdict = verdict
        return told

    return _each(actor, now, alert_ids, Kind.JUDGED, change)


@transaction.atomic
def answer(
    *, actor: User | None, now: datetime, alert_ids: Sequence[int], was_it_us: bool, note: str = ""
) -> str:
    """是你解决的吗? An alert whose condition went away by itself: was it our doing? Then it was
    true, too; a "no" leaves the verdict open."""

    def change(alert: Alert) -> dict[str, Any] | None:
        _must_be_closed(alert)
        told: dict[str, Any] = {"was_it_us": [alert.was_it_us, was_it_us]}
        alert.was_it_us = was_it_us
        if was_it_us and not alert.verdict:
            alert.verdict = Alert.Verdict.TRUE
            told["verdict"] = ["", alert.verdict]
        return told | _judge(alert, None, note)

    return _each(actor, now, alert_ids, Kind.ANSWERED, change)


@transaction.atomic
def reopen(*, actor: User | None, now: datetime, alert_ids: Sequence[int]) -> str:
    """Not done after all: the work item and the episodes that a person had ended go on."""

    def change(alert: Alert) -> dict[str, Any] | None:
        _must_be_closed(alert)
        if Alert.objects.open().filter(key=alert.key).exists():
            raise AlertOpenAgain
        told = {"state": [alert.state, Alert.State.OPEN], "verdict": [alert.verdict, ""]}
        alert.state, alert.closed_at, alert.closed_by = Alert.State.OPEN, None, None
        alert.close_reason, alert.verdict, alert.was_it_us = "", "", None
        leave_closed_parent(alert)
        return told

    batch = _each(actor, now, alert_ids, Kind.REOPENED, change)
    _resume_episodes(alert_ids, now)
    return batch


# --- one press ----------------------------------------------------------------------------------


def _each(
    actor: User | None,
    now: datetime,
    alert_ids: Sequence[int],
    kind: AlertEvent.Kind,
    change: Callable[[Alert], dict[str, Any] | None],
) -> str:
    """Apply `change` to every alert; what it tells goes to the log and the audit. None: nothing to
    do for this one."""
    require(actor, "alert.work")

    def checked(alert: Alert) -> Told | None:
        if alert.customer_id is None:  # the company's data and product: not a CSM's to close
            require(actor, "sources.edit")
        return change(alert)

    batch, changed = pressing.press(
        mine(actor, alert_ids), checked,
        actor=actor, now=now, log=AlertEvent, of="alert", kind=kind.value, freeze=freeze,
    )  # fmt: skip
    tell(changed, now=now)
    return batch


def mine(actor: User | None, alert_ids: Iterable[int]) -> list[Alert]:
    """Locked rows; one that the actor may not see refuses them all."""
    return pressing.locked(Alert.objects.visible_to(actor), alert_ids)


def tell(alerts: Iterable[Alert], *, now: datetime) -> None:
    """Summaries follow."""
    ids = sorted({alert.customer_id for alert in alerts if alert.customer_id is not None})
    for start in range(0, len(ids), CHUNK):
        emit("alert.changed", {"customer_ids": ids[start : start + CHUNK]}, now=now)


def _must_be_live(alert: Alert) -> None:
    if alert.state == Alert.State.CLOSED:
        raise AlertClosed


def _must_be_closed(alert: Alert) -> None:
    if alert.state != Alert.State.CLOSED:
        raise AlertNotClosed


def _respond(alert: Alert, actor: User | None, now: datetime) -> dict[str, Any] | None:
    """Whoever snoozes or closes has responded as well."""
    if alert.responded_at is not None:
        return None
    alert.responded_at, alert.responded_by = now, actor
    return {"responded_at": [None, now]}


def _judge(alert: Alert, cause: RiskCause | None, note: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if cause is not None and alert.cause_id != cause.pk:
        told["cause"] = [alert.cause_id, cause.pk]
        alert.cause = cause
    if note.strip():
        told["note"] = [alert.note, note.strip()[:2000]]
        alert.note = note.strip()[:2000]
    return told


def _with_parts(alert_ids: Sequence[int]) -> list[int]:
    parts = Alert.objects.open().filter(parent_id__in=list(alert_ids))
    return sorted({*alert_ids, *parts.values_list("pk", flat=True)})


def _end_episodes(alert_ids: Sequence[int], now: datetime) -> None:
    today = day_of(now)
    for start in range(0, len(alert_ids), CHUNK):
        live = Episode.objects.filter(
            alert_id__in=alert_ids[start : start + CHUNK], closed_on__isnull=True
        )
        for episode in live.select_for_update(of=("self",)):
            # a day that was judged for tomorrow's date does not end before it began
            episode.closed_on = max(today, episode.opened_on)
            episode.state, episode.end = Episode.State.CLOSED, Episode.End.MANUAL
            episode.close_severity, episode.close_value = episode.severity, episode.value
            episode.updated_at = now
            episode.save()


def _resume_episodes(alert_ids: Sequence[int], now: datetime) -> None:
    """The episodes that ended with the work item; one whose successor runs stays ended."""
    ended = Episode.objects.filter(alert_id__in=list(alert_ids), end=Episode.End.MANUAL)
    for episode in ended.select_for_update(of=("self",)).order_by("-closed_on", "-pk"):
        same = Episode.objects.filter(rule_id=episode.rule_id, dedupe_key=episode.dedupe_key)
        if same.filter(closed_on__isnull=True).exists():
            continue
        episode.state, episode.end, episode.closed_on = Episode.State.OPEN, "", None
        episode.cleared_on = episode.close_severity = episode.close_value = None
        episode.exit_count, episode.updated_at = 0, now
        episode.save()


def longest_snooze(now: datetime) -> date:
    return day_of(now) + timedelta(days=policy().snooze_days)
