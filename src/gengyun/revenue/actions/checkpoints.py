"""Self-check, signal and checkpoints: facts come in from above, people's answers beside them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.rows import insert, update
from gengyun.revenue.actions.checkpoint_views import LIVE, settle
from gengyun.revenue.actions.renewals import keep, locked, tell, write
from gengyun.revenue.calc import checkpoints as calc
from gengyun.revenue.calc.checkpoints import Facts
from gengyun.revenue.models import Renewal, RenewalState
from gengyun.revenue.models.renewals import Category, Checkpoint, CheckpointState, SelfCheck
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

WORDS = {True: "yes", False: "no", None: ""}
ANSWERS = {"yes": True, "no": False, "": None}
BATCH = 1_000


class QuestionUnknown(Refusal):
    code = "self_check_question_unknown"
    message = "There are four questions; answer with yes, no or not known."


class ViewBad(Refusal):
    code = "checkpoint_view_bad"
    message = "At this checkpoint the answer is one of: %(views)s."


class CheckpointDone(Refusal):
    code = "checkpoint_done"
    status = 409
    message = "This checkpoint is decided already."


class NothingToDecide(Refusal):
    code = "checkpoint_nothing_to_decide"
    status = 409
    message = "The signal and the CSM do not disagree here."


class ReasonMissing(Refusal):
    code = "checkpoint_reason_missing"
    message = "Say why: the decision overrides one of two opinions."


# --- the day ------------------------------------------------------------------------------------


@transaction.atomic
def judge_renewals(
    *,
    now: datetime,
    as_of: date,
    facts: Mapping[int, Facts],
    renewals: Iterable[Renewal] | None = None,
) -> int:
    """Answers from data, signal, checkpoints that are reached; returns how many rows changed.

    `facts`: customer -> what is known. Renewals of customers without facts stay as they are.
    Idempotent: the same facts twice change nothing.
    """
    rows = list(renewals if renewals is not None else due_within(as_of, customer_ids=list(facts)))
    rows = [row for row in rows if row.customer_id in facts and row.state == RenewalState.OPEN]
    changed = 0
    for start in range(0, len(rows), BATCH):
        changed += _judge(rows[start : start + BATCH], facts, as_of=as_of, now=now)
    return changed


def due_within(
    as_of: date, *, customer_ids: Sequence[int] | None = None, days: int = calc.FAR
) -> list[Renewal]:
    """Open renewals up to `days` away, those past due included."""
    rows = Renewal.objects.filter(
        state=RenewalState.OPEN, due_on__lte=as_of + timedelta(days=days)
    ).order_by("pk")
    if customer_ids is None:
        return list(rows)
    found: list[Renewal] = []
    for start in range(0, len(customer_ids), 500):
        found += rows.filter(customer_id__in=customer_ids[start : start + 500])
    return found


def _judge(
    rows: Sequence[Renewal], facts: Mapping[int, Facts], *, as_of: date, now: datetime
) -> int:
    ids = [row.pk for row in rows]
    checks: dict[int, dict[int, SelfCheck]] = {pk: {} for pk in ids}
    for check in SelfCheck.objects.filter(renewal_id__in=ids):
        checks[check.renewal_id][check.question] = check
    points: dict[int, dict[int, Checkpoint]] = {pk: {} for pk in ids}
    for point in Checkpoint.objects.filter(renewal_id__in=ids):
        points[point.renewal_id][point.days] = point
    work = _Work()
    for row in rows:
        _judge_one(row, facts[row.customer_id], checks[row.pk], points[row.pk], as_of, now, work)
    insert(work.new_checks)
    update(SelfCheck, work.old_checks, ["auto_answer", "evidence"])
    update(Renewal, work.renewals, ["signal", "signal_why", "signal_on", "gap"])
    insert(work.points)
    update(Checkpoint, work.old_points, ["signal", "signal_why", "state"])
    tell([point.renewal for point in work.points], now=now)
    return work.count()


class _Work:
    def __init__(self) -> None:
        self.new_checks: list[SelfCheck] = []
        self.old_checks: list[SelfCheck] = []
        self.renewals: list[Renewal] = []
        self.points: list[Checkpoint] = []
        self.old_points: list[Checkpoint] = []

    def count(self) -> int:
        checks = len(self.new_checks) + len(self.old_checks)
        return checks + len(self.renewals) + len(self.points) + len(self.old_points)


def _judge_one(  # noqa: PLR0917
    row: Renewal,
    facts: Facts,
    checks: dict[int, SelfCheck],
    points: dict[int, Checkpoint],
    as_of: date,
    now: datetime,
    work: _Work,
) -> None:
    answers: dict[int, bool | None] = {}
    for question, found in calc.self_check(facts).items():
        check, why = checks.get(question), [list(one) for one in found.why]
        answers[question] = found.value
        if check is None:
            work.new_checks.append(
                SelfCheck(
                    renewal=row, question=question, auto_answer=WORDS[found.value], evidence=why
                )
            )
            continue
        if check.answer:
            answers[question] = ANSWERS[check.answer]
        if (check.auto_answer, check.evidence) != (WORDS[found.value], why):
            check.auto_answer, check.evidence = WORDS[found.value], why
            work.old_checks.append(check)
    signal = calc.signal(facts, answers)
    why = [list(one) for one in signal.why]
    apart = calc.gap(row.category, signal.kind)
    if (row.signal, row.signal_why, row.gap) != (signal.kind, why, apart):
        if apart != row.gap:
            keep(row, {"gap": [row.gap, apart]}, actor=None, now=now)
        row.signal, row.signal_why, row.signal_on, row.gap = signal.kind, why, as_of, apart
        work.renewals.append(row)
    for point in points.values():
        if point.state in LIVE and _follows(point, signal):
            work.old_points.append(point)
    for days in calc.opens_on((row.due_on - as_of).days, points):
        work.points.append(_opened(row, days, signal, now))


def _follows(point: Checkpoint, signal: calc.Signal) -> bool:
    """Until it is decided a checkpoint shows the signal of today; a new one may disagree anew."""
    kind = calc.signal_at(signal.kind, point.days)
    kind = "" if kind == calc.UNKNOWN else kind
    why = [list(one) for one in signal.why]
    if (point.signal, point.signal_why) == (kind, why):
        return False
    point.signal, point.signal_why = kind, why
    settle(point, point.view)
    return True


def _opened(row: Renewal, days: int, signal: calc.Signal, now: datetime) -> Checkpoint:
    """A category that somebody has set already is the CSM's view."""
    kind = calc.signal_at(signal.kind, days)
    point = Checkpoint(
        renewal=row,
        days=days,
        due_on=row.due_on - timedelta(days=days),
        signal="" if kind == calc.UNKNOWN else kind,
        signal_why=[list(one) for one in signal.why],
        opened_at=now,
    )
    settle(point, calc.view_of(row.category))
    return point


# --- people -------------------------------------------------------------------------------------


@transaction.atomic
def answer_question(
    *,
    actor: User | None,
    now: datetime,
    renewal_id: int,
    question: int,
    answer: str,
    note: str = "",
) -> SelfCheck:
    """The CSM's answer beside the one from data; an empty one goes back to data."""
    require(actor, "renewal.work")
    renewal = locked(actor, renewal_id)
    if question not in calc.QUESTIONS or answer not in ANSWERS:
        raise QuestionUnknown
    check, _ = SelfCheck.objects.select_for_update().get_or_create(
        renewal=renewal, question=question
    )
    told = {"answer": [check.answer, answer], "note": [check.note, note.strip()[:500]]}
    told = {name: pair for name, pair in told.items() if pair[0] != pair[1]}
    if not told:
        return check
    check.answer, check.note = answer, note.strip()[:500]
    check.by, check.at = actor, now
    check.save()
    keep(renewal, {f"check_{question}": told.get("answer", [answer, answer])}, actor=actor, now=now,
         why=note)  # fmt: skip
    record(
        actor=actor,
        now=now,
        action="renewal.self_check",
        obj=renewal,
        changes={f"question {question}": told.get("answer", ["", note])},
    )
    tell([renewal], now=now)
    return check


@transaction.atomic
def give_view(
    *, actor: User | None, now: datetime, checkpoint_id: int, view: str, why: str = ""
) -> Checkpoint:
    """What the CSM thinks at a checkpoint; against the signal it goes to a leader, unaveraged."""
    require(actor, "renewal.work")
    point = _point(actor, checkpoint_id)
    if point.state in {CheckpointState.DECIDED, CheckpointState.CLOSED}:
        raise CheckpointDone
    if view not in calc.views_at(point.days):
        raise ViewBad(views=", ".join(calc.views_at(point.days)))
    old = point.view
    settle(point, view)
    point.view_by, point.view_at, point.view_why = actor, now, why.strip()[:500]
    point.save()
    keep(point.renewal, {f"view_{point.days}": [old, view]}, actor=actor, now=now, why=why)
    record(
        actor=actor,
        now=now,
        action="renewal.view",
        obj=point.renewal,
        changes={f"{point.days} days": [old, view]},
    )
    tell([point.renewal], now=now)
    return point


@transaction.atomic
def decide(
    *, actor: User | None, now: datetime, checkpoint_id: int, decided: str, why: str
) -> Checkpoint:
    """A leader settles a disagreement. The forecast follows: a risk is no commitment any more."""
    require(actor, "renewal.decide")
    point = _point(actor, checkpoint_id)
    if point.state in {CheckpointState.DECIDED, CheckpointState.CLOSED}:
        raise CheckpointDone
    if point.state != CheckpointState.DISPUTED:
        raise NothingToDecide
    if decided not in calc.views_at(point.days):
        raise ViewBad(views=", ".join(calc.views_at(point.days)))
    if not why.strip():
        raise ReasonMissing
    point.decided, point.decided_why = decided, why.strip()[:500]
    point.decided_by, point.decided_at = actor, now
    point.state = CheckpointState.DECIDED
    point.save()
    renewal = point.renewal
    keep(renewal, {f"decided_{point.days}": [point.view, decided]}, actor=actor, now=now, why=why)
    record(
        actor=actor,
        now=now,
        action="renewal.decided",
        obj=renewal,
        changes={f"{point.days} days": [point.view, decided], "why": ["", why]},
    )
    if renewal.state == RenewalState.OPEN:
        if decided == calc.RISK and calc.view_of(renewal.category) != calc.RISK:
            follow: dict[str, Any] = {"category": Category.AT_RISK}
        elif decided == calc.RENEW and calc.view_of(renewal.category) != calc.RENEW:
            follow = {"category": Category.EXPECTED}
        else:
            follow = {}
        if follow and renewal.forecast_minor is None:
            follow["forecast_minor"] = renewal.due_minor
        write(renewal, follow, actor=actor, now=now, why=why)
    tell([renewal], now=now)
    return point


def _point(actor: User | None, checkpoint_id: int) -> Checkpoint:
    found = (
        Checkpoint.objects.visible_to(actor)
        .select_for_update(of=("self",))
        .select_related("renewal")
        .filter(pk=checkpoint_id)
        .first()
    )
    if found is None:
        raise NotFound
    return found
