"""Why a customer is in an SOP or not, what it got there, and why it did not get the rest."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gengyun.customers.models import Customer
from gengyun.kernel.errors import NotFound
from gengyun.portfolio.actions.following import since_of
from gengyun.portfolio.calc.truth import Said
from gengyun.sop.calc.form import Form
from gengyun.sop.models import ACTIVE, Decision, Run, Sop, SopVersion, StepRun
from gengyun.sop.queries.forms import form_of
from gengyun.sop.queries.judging import judge
from gengyun.sop.queries.reasons import has_steps, judged
from gengyun.team.models import User

RUNS, DECISIONS = 10, 20

# what is said first
RUNNING, HELD_OUT, HAS_RUN = "running", "holdout", "has_run"
NOT_FITTING, UNKNOWN, NOT_FRESH, WOULD_ENTER = "not_fitting", "unknown", "not_fresh", "would_enter"
BY_OTHER_WAY, NOT_LIVE, GONE = "by_other_way", "not_live", "gone"


@dataclass(frozen=True)
class Why:
    """`outcome` is one key: one of those above, or of `queries.judging` (before, too_soon, …).

    `said`: every leaf of the entry with its truth (None: unknown) and the value behind it;
    `since`: the day since which the entry holds, as far as it is followed.
    """

    outcome: str
    told: dict[str, Any] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)
    since: date | None = None
    version: SopVersion | None = None
    runs: list[Run] = field(default_factory=list)  # the newest first, with `lines_of`
    lines: dict[int, list[StepRun]] = field(default_factory=dict)  # run -> its log
    decisions: list[Decision] = field(default_factory=list)


def why(sop: Sop, customer: Customer, *, day: date, actor: User | None) -> Why:
    if not Customer.objects.visible_to(actor).filter(pk=customer.pk).exists():
        raise NotFound
    runs = list(
        Run.objects.filter(sop=sop, customer=customer).select_related("version", "contact")[:RUNS]
    )
    lines: dict[int, list[StepRun]] = {run.pk: [] for run in runs}
    for line in StepRun.objects.filter(run__in=runs).order_by("run", "ordinal"):
        lines[line.run_id].append(line)
    decisions = list(Decision.objects.filter(version__sop=sop, customer=customer)[:DECISIONS])
    version = (
        SopVersion.objects.filter(sop=sop)
        .exclude(state=SopVersion.State.RETIRED)
        .order_by("-state", "-number")  # published before draft
        .first()
    )
    told = {"runs": runs, "lines": lines, "decisions": decisions, "version": version}
    if version is None:
        return Why(NOT_LIVE, **told)
    version.sop = sop
    return _of_version(version, form_of(version), customer, day, told)


def _of_version(
    version: SopVersion, form: Form, customer: Customer, day: date, told: dict[str, Any]
) -> Why:
    when = form.entry.when
    found = judged(when, customer.pk, day=day) if when is not None and not has_steps(when) else None
    said = found.said if found else []
    since = since_of(when, customer.pk) if when is not None and found else None
    outcome, facts = _outcome(version, form, customer, day, told["runs"])
    if outcome == "":
        outcome = _by_entry(form, version, None if when is None else found, since)
    return Why(outcome, facts, said, since, **told)


def _outcome(
    version: SopVersion, form: Form, customer: Customer, day: date, runs: list[Run]
) -> tuple[str, dict[str, Any]]:
    """What runs and the state of the SOP say; "": the entry decides."""
    active = next((run for run in runs if run.state in ACTIVE), None)
    if active is not None:
        outcome = HELD_OUT if active.arm == Run.Arm.HOLDOUT else RUNNING
        return outcome, {"run": active.pk, "step": active.step_key}
    if version.sop.state != Sop.State.LIVE:
        return NOT_LIVE, {"state": version.sop.state}
    verdicts = judge(version, form, [customer.pk], day=day, is_chosen=True)
    if not verdicts.entering and verdicts.refused:
        _, reason, facts, _ = verdicts.refused[0]
        return reason, facts
    return "", {}


def _by_entry(form: Form, version: SopVersion, found: Any, since: date | None) -> str:
    by_itself = form.entry.kind in {"condition", "snapshot"}
    if form.entry.when is None:
        return BY_OTHER_WAY
    if found is None:
        return GONE
    if found.holds is not True:
        return UNKNOWN if found.holds is None else NOT_FITTING
    return _by_turn(form, version.evaluated_on, since) if by_itself else BY_OTHER_WAY


def _by_turn(form: Form, last: date | None, since: date | None) -> str:
    """It holds: is it the customer's turn?"""
    if form.entry.kind == "snapshot":
        return WOULD_ENTER if last is None else NOT_FRESH
    if last is None:
        return WOULD_ENTER if form.entry.backfill else NOT_FRESH
    return NOT_FRESH if since is not None and since <= last else WOULD_ENTER
