"""What a stage's criteria would do today, before they are saved. Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from gengyun.customers.actions.journeys import standings_of
from gengyun.customers.calc import journeys as calc
from gengyun.customers.models import Customer, Stage
from gengyun.customers.queries.facts import by_customer, fact_values
from gengyun.customers.queries.journeys import plan_of
from gengyun.team.models import User
from gengyun.team.queries.access import require

SHOWN = 8
MANY = 2_000


@dataclass(frozen=True)
class Affected:
    """Customers that would move now: how many, what they pay, the largest of them."""

    count: int
    arr_minor: int
    largest: list[Customer]


@dataclass(frozen=True)
class StagePreview:
    customers: int  # in the stage now
    entering: Affected  # in another stage of the journey, or in none
    leaving: Affected
    goals: dict[str, tuple[int, int]]  # list -> (reached by how many, of how many judged)


def preview_stage(
    *, actor: User | None, stage: Stage, lists: Mapping[str, Sequence[calc.Item]], as_of: date
) -> StagePreview:
    """`lists`: entry, exit, process_kpi, outcome_kpi as they would be saved."""
    require(actor, "settings.read")
    people = {
        row.pk: row
        for row in Customer.objects.present()
        .filter(tier__touch_model=stage.touch_model)
        .select_related("stage")
        .only("name", "arr_minor", "currency", "stage__position")
        .order_by("pk")
    }
    facts = {
        item.fact for items in lists.values() for item in items if isinstance(item, calc.Criterion)
    }
    # asked without ids, the database reads along its tables
    everybody = by_customer(fact_values(facts, as_of=as_of)) if len(people) > MANY else None
    standings = standings_of(list(people), facts, as_of, facts=everybody)
    plan = replace(
        plan_of(stage), entry=tuple(lists.get("entry", ())), exit=tuple(lists.get("exit", ()))
    )
    entering, leaving, inside = [], [], []
    for pk, row in people.items():
        if row.stage_id == stage.pk and stage.pk is not None:
            inside.append(pk)
            if calc.all_hold(calc.judge(plan.exit, standings[pk])):
                leaving.append(row)
            continue
        is_before = row.stage is None or row.stage.position < stage.position
        if is_before and calc.all_hold(calc.judge(plan.entry, standings[pk])):
            entering.append(row)
    goals = {
        name: _reached(lists.get(name, ()), [standings[pk] for pk in inside])
        for name in ("process_kpi", "outcome_kpi")
    }
    return StagePreview(len(inside), _affected(entering), _affected(leaving), goals)


def _reached(items: Sequence[calc.Item], standings: Sequence[calc.Standing]) -> tuple[int, int]:
    """Of the customers whose goals are all known."""
    judged = [calc.judge(items, standing) for standing in standings] if items else []
    known = [verdicts for verdicts in judged if all(v.holds is not None for v in verdicts)]
    return sum(calc.all_hold(verdicts) for verdicts in known), len(known)


def _affected(rows: list[Customer]) -> Affected:
    def amount(row: Any) -> int:
        return row.arr_minor or 0

    largest = sorted(rows, key=lambda row: (-amount(row), row.pk))[:SHOWN]
    return Affected(len(rows), sum(map(amount, rows)), largest)
