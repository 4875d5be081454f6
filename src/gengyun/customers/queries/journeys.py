"""Stages as rules read them, and where one customer stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum

from gengyun.customers.calc import journeys as calc
from gengyun.customers.models import Customer, Stage, StageProgress, StageStay
from gengyun.team.models import User


def plan_of(stage: Stage) -> calc.StagePlan:
    return calc.StagePlan(
        key=stage.key,
        position=stage.position,
        entry=calc.parse_items(stage.entry),
        is_entered_by_rule=stage.is_entered_by_rule,
        exit=calc.parse_items(stage.exit),
        is_left_by_rule=stage.is_left_by_rule,
        exit_to=stage.exit_to,
    )


def facts_of(stage: Stage) -> list[str]:
    """The facts that a stage asks about, entry criteria included."""
    lists = (stage.entry, stage.exit, stage.process_kpi, stage.outcome_kpi)
    found = (entry["fact"] for raw in lists for entry in raw if "fact" in entry)
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Position:
    """Everything the 360 says about a customer's stage."""

    stage: Stage
    days: int | None
    pace: calc.Pace
    process: tuple[calc.Verdict, ...]
    outcome: tuple[calc.Verdict, ...]
    exit: tuple[calc.Verdict, ...]
    checked: dict[str, dict[str, str]]
    as_of: date | None  # of the facts; None: not judged since the customer came into the stage
    suggested: Stage | None
    exit_to: Stage | None
    stages: list[Stage]


def position_of(
    customer: Customer, today: date, stays: Sequence[StageStay] | None = None
) -> Position | None:
    """None for a customer that is in no stage. `stays`: its history, where that is known."""
    stage = customer.stage
    if stage is None:
        return None
    stages = list(Stage.objects.filter(touch_model=stage.touch_model).order_by("position", "pk"))
    progress = StageProgress.objects.filter(customer=customer, stage=stage).first()
    if stays is None:
        stays = StageStay.objects.filter(customer=customer, left_on=None)[:1]
    stay = next((one for one in stays if one.left_on is None), None)
    checked = stay.checked if stay else {}
    standing = calc.Standing(progress.facts if progress else {}, checked)
    by_key = {one.key: one for one in stages}
    leads_to = calc.exit_of(plan_of(stage), [plan_of(one) for one in stages])
    return Position(
        stage=stage,
        days=None if customer.stage_since is None else calc.stay_days(customer.stage_since, today),
        pace=calc.pace(customer.stage_since, today, stage.expected_days, stage.longest_days),
        process=calc.judge(calc.parse_items(stage.process_kpi), standing),
        outcome=calc.judge(calc.parse_items(stage.outcome_kpi), standing),
        exit=calc.judge(calc.parse_items(stage.exit), standing),
        checked=checked,
        as_of=progress.as_of if progress else None,
        suggested=by_key.get(progress.suggested) if progress else None,
        exit_to=by_key.get(leads_to or ""),
        stages=stages,
    )


def history_of(customer: Customer) -> list[StageStay]:
    """Every stay, newest first, with stage and who moved the customer."""
    rows = StageStay.objects.filter(customer=customer).select_related("stage", "moved_by")
    return list(rows.order_by("-entered_on", "-pk"))


def late(stage: Stage, today: date) -> tuple[Q, Q]:
    """(behind, stuck) as conditions on customers in this stage."""

    def over(days: int) -> Q:
        return Q(stage_since__lt=today - timedelta(days=days))

    stuck = over(stage.longest_days) if stage.longest_days is not None else Q(pk__isnull=True)
    late = over(stage.expected_days) if stage.expected_days is not None else Q(pk__isnull=True)
    return late & ~stuck, stuck


@dataclass(frozen=True)
class StageCount:
    stage: Stage
    customers: int
    arr_minor: int  # of those whose ARR is known
    behind: int
    stuck: int
    ready: int  # every exit criterion holds
    usual_days: int | None  # median of the stays that ended; None below five


def stage_counts(actor: User | None, today: date) -> list[StageCount]:
    """Every stage with the customers that the actor sees in it, in the order of the journeys."""
    stages = list(Stage.objects.order_by("touch_model", "position", "pk"))
    behind, stuck = Q(pk__isnull=True), Q(pk__isnull=True)
    for stage in stages:
        some, more = late(stage, today)
        behind, stuck = behind | (Q(stage=stage) & some), stuck | (Q(stage=stage) & more)
    here = Customer.objects.visible_to(actor).present().filter(stage__isnull=False).order_by()
    rows = here.values("stage_id").annotate(
        n=Count("pk"),
        arr=Sum("arr_minor"),
        behind=Count("pk", filter=behind),
        stuck=Count("pk", filter=stuck),
        ready=Count("pk", filter=Q(progress__is_ready=True, progress__stage=F("stage"))),
    )
    found = {row["stage_id"]: row for row in rows}
    none = {"n": 0, "arr": 0, "behind": 0, "stuck": 0, "ready": 0}
    usual = _usual_days(actor)
    counts = []
    for stage in stages:
        row = found.get(stage.pk, none)
        counts.append(
            StageCount(
                stage=stage,
                customers=row["n"],
                arr_minor=int(row["arr"] or 0),
                behind=row["behind"],
                stuck=row["stuck"],
                ready=row["ready"],
                usual_days=usual.get(stage.pk),
            )
        )
    return counts


def _usual_days(actor: User | None, *, fewest: int = 5) -> dict[int, int]:
    """Median stay per stage; too few stays say nothing."""
    ended: QuerySet[Any] = StageStay.objects.filter(
        left_on__isnull=False, customer__in=Customer.objects.visible_to(actor)
    )
    days: dict[int, list[int]] = {}
    columns = ("stage_id", "entered_on", "left_on")
    for stage_id, entered, left in ended.order_by().values_list(*columns):
        days.setdefault(stage_id, []).append((left - entered).days)
    return {pk: median(found) for pk, found in days.items() if len(found) >= fewest}


def median(values: Sequence[int]) -> int:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return round((ordered[middle - 1] + ordered[middle]) / 2)


def without_stage(actor: User | None) -> int:
    """Present customers that are in no stage."""
    return Customer.objects.visible_to(actor).present().filter(stage__isnull=True).count()
