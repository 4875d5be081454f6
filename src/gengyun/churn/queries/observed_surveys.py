"""Answers to surveys, and waves that nobody answered, as dated facts."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from gengyun.engagement.calc.invitations import SILENT_DAYS
from gengyun.engagement.models import Answer, Invitation
from gengyun.kernel.days import day_of, start_of

SILENT = timedelta(days=SILENT_DAYS)
KINDS = ("nps", "csat")  # what the model has a place for
Row = tuple[int, str, date, float]  # customer, kind, the day it happened and was known, value


def answered(until: date) -> Iterator[Row]:
    """Scores as they were said. One that was changed is known since its change."""
    rows = Answer.objects.filter(
        survey__kind__in=KINDS, score__isnull=False, answered_at__lt=start_of(until)
    )
    for customer_id, kind, score, at, changed in rows.order_by("answered_at", "pk").values_list(
        "customer_id", "survey__kind", "score", "answered_at", "changed_at"
    ):
        yield customer_id, kind, day_of(max(at, changed or at)), float(score or 0)


def unanswered(until: date) -> Iterator[Row]:
    """A wave whose last link lay a fortnight with a customer and nobody answered: no reply."""
    newest: dict[tuple[int, int], datetime] = {}
    first_answer: dict[tuple[int, int], datetime] = {}
    rows = Invitation.objects.filter(sent_at__lt=start_of(until) - SILENT)
    for customer_id, wave_id, sent, said in rows.order_by("sent_at", "pk").values_list(
        "customer_id", "wave_id", "sent_at", "answered_at"
    ):
        key = (customer_id, wave_id)
        if sent is not None:
            newest[key] = sent
        if said is not None:
            first_answer[key] = min(said, first_answer.get(key, said))
    for key, sent in newest.items():
        silent_at = sent + SILENT
        if key not in first_answer or first_answer[key] >= silent_at:
            yield key[0], "no_reply", day_of(silent_at), float("nan")
