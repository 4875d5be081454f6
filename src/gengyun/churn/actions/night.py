"""The churn probability's part of a judged day: learn if it is due, look for drift, score."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gengyun.churn.actions.drift import Outlook, check_drift
from gengyun.churn.actions.score import Report, Scored, score_day
from gengyun.churn.actions.snapshots import keep_snapshots
from gengyun.churn.actions.train import Trained, due_reason, train
from gengyun.churn.models import Event
from gengyun.churn.queries.models import in_force
from gengyun.churn.queries.rows import grace_of, held
from gengyun.churn.queries.settings import current, event_of
from gengyun.lake.store import Lake


@dataclass(frozen=True)
class Night:
    trained: Trained | None
    outlook: Outlook | None
    scored: Scored


def judge_churn(
    as_of: date, *, now: datetime, lake: Lake | None = None, report: Report | None = None
) -> Night:
    """Run twice, nothing changes: a day is learned from once, and its outcomes speak once.

    Everything is read once, and shared by what learns, what compares and what scores.
    """
    lake = lake or Lake.default()
    settings = current()
    rows = held(as_of, settings=settings, lake=lake)
    trained = None
    reason = due_reason(as_of, settings=settings)
    if reason and not rows.is_empty:
        trained = train(actor=None, now=now, as_of=as_of, reason=reason, rows=rows)
    outlook = None
    speaks = in_force(event_of(settings), as_of)
    if speaks is not None:
        days = settings.silent_days if speaks.event == Event.SILENT else grace_of(settings)
        since = speaks.cutoff - timedelta(days=days)
        fresh = rows.training(since=since)
        outlook = check_drift(as_of, now=now, rows=rows, known=fresh)
    scored = score_day(
        as_of, now=now, lake=lake, live=rows.live() if speaks else None, report=report
    )
    if speaks is not None:
        keep_snapshots(rows.live(), as_of=as_of, lake=lake)
    return Night(trained, outlook, scored)
