"""Runs of both arms become outcomes, outcomes an effect: read on the declared day, never before."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from factories import NOW, make_customer, make_renewal, make_run, make_sop
from sop_effect_runs import DAY, DUE, READ, form, renewing, run_measure

from gengyun.lake.store import Lake
from gengyun.lake.tables import SCHEMAS
from gengyun.sop.calc.measured import from_json
from gengyun.sop.models import Effect, RunOutcome, SopVersion
from gengyun.sop.queries.effect import newest, past, verdicts

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    return Lake.default()


def told_of(version):
    return from_json(newest(version).told)


def test_an_outcome_is_read_on_its_day_and_not_before():
    version = make_sop(form())
    early = renewing(version, 1, 1)[0]
    run_measure(READ - timedelta(days=1))
    row = RunOutcome.objects.get(run=early)
    assert (row.mature_on, row.value, row.read_on) == (READ, None, None)
    assert told_of(version).treat.waiting == 1
    run_measure(READ)
    row.refresh_from_db()
    assert (row.value, row.read_on) == (1.0, READ)
    assert told_of(version).treat.known == 1


def test_what_is_known_at_entry_is_frozen():
    version = make_sop(form())
    run = renewing(version, 1, 0)[0]
    run_measure(DAY)
    run.entry_facts = {"churn": 0.99}
    run.save()
    run_measure(READ)
    row = RunOutcome.objects.get(run=run)
    assert (row.churn, row.amount_minor, row.currency) == (0.5, 10_000_000, "CNY")


def test_twice_the_same_night_changes_nothing():
    version = make_sop(form())
    renewing(version, 25, 20)
    renewing(version, 25, 10, "holdout")
    run_measure(READ)
    before = [list(model.objects.order_by("pk").values()) for model in (RunOutcome, Effect)]
    run_measure(READ)
    assert before == [list(model.objects.order_by("pk").values()) for model in (RunOutcome, Effect)]
    assert len(before[1]) == 1


def test_it_counts_arms_as_chance_placed_them_whatever_became_of_the_run():
    version = make_sop(form())
    for run in renewing(version, 30, 27):
        run.state, run.end_reason = "stopped", "by_hand"  # intention to treat
        run.save()
    renewing(version, 30, 6, "holdout")
    run_measure(READ)
    told = told_of(version)
    assert (told.treat.hits, told.treat.known) == (27, 30)
    assert (told.holdout.hits, told.holdout.known) == (6, 30)
    assert told.plain[0] == pytest.approx(0.7)
    assert told.verdict == "helps"
    assert told.daily[1] > 0
    assert told.better > 0.99


def test_money_is_the_difference_on_what_was_due_less_the_cost():
    version = make_sop(form())
    renewing(version, 30, 27)
    renewing(version, 30, 6, "holdout")
    run_measure(READ)
    told = told_of(version)
    (money,) = told.money
    assert (money.currency, money.due_minor) == ("CNY", 30 * 10_000_000)
    assert money.kept[0] == pytest.approx(told.exact[0] * 30 * 10_000_000)
    assert money.cost == 30 * 20_000
    assert money.net[0] == pytest.approx(money.kept[0] - 600_000)


def test_few_held_out_cannot_conclude_and_it_says_when():
    version = make_sop(form())
    renewing(version, 23, 19)
    renewing(version, 4, 3, "holdout")
    run_measure(READ)
    told = told_of(version)
    assert told.verdict == "cannot_yet"
    assert told.daily is None  # too few to be looked at
    assert told.plain == pytest.approx((0.0761, -0.2114, 0.5420), abs=0.06)
    assert told.needed > 500
    assert told.missing == told.needed - 27
    said = verdicts([version.sop_id])[version.sop_id]
    assert (said.verdict, said.treat, said.holdout, said.as_of) == ("cannot_yet", 23, 4, READ)


def test_who_was_not_placed_by_chance_is_no_part_of_it():
    version = make_sop(form())
    mine = renewing(version, 3, 3)
    mine[0].stratum = ""
    mine[0].save()
    make_run(version, mine[1].customer, entered_on=DAY + timedelta(days=1))  # again
    make_run(version, make_customer())  # nothing comes due
    run_measure(READ)
    assert told_of(version).treat.known == 2
    beside = newest(version).beside
    assert (beside["not_random"], beside["again"], beside["no_renewal"]) == (1, 1, 1)


def test_two_contacts_of_one_customer_are_one():
    version = make_sop(form())
    run = renewing(version, 1, 1)[0]
    make_run(version, run.customer, identity_key="k:9", entry_facts=run.entry_facts)
    run_measure(READ)
    assert told_of(version).treat.known == 1


def test_a_late_entry_of_a_signature_is_seen_and_a_late_signature_is_not():
    version = make_sop(form())
    one, two = (run.customer.renewals.get() for run in renewing(version, 2, 0))
    run_measure(READ)
    assert told_of(version).treat.hits == 0
    one.state, one.outcome_minor, one.decided_on = "renewed", 9_000_000, DUE
    one.save()
    two.state, two.outcome_minor, two.decided_on = "renewed", 9_000_000, READ + timedelta(days=1)
    two.save()
    run_measure(READ + timedelta(days=10))
    assert told_of(version).treat.hits == 1


def test_next_to_nothing_kept_is_lost_and_a_merged_renewal_shares_the_fate_of_the_other():
    version = make_sop(form())
    small, merged = (run.customer.renewals.get() for run in renewing(version, 2, 2))
    small.outcome_minor = 900_000
    small.save()
    other = make_renewal(
        merged.customer, DUE + timedelta(days=5), state="renewed", outcome_minor=9_000_000,
        decided_on=DUE,
    )  # fmt: skip
    merged.state, merged.merged_into, merged.outcome_minor = "merged", other, None
    merged.save()
    run_measure(READ)
    assert told_of(version).treat.hits == 1


def test_the_goal_counts_within_its_window():
    version = make_sop(form("goal"))
    for days in (1, 28, 29, None):
        on = None if days is None else DAY + timedelta(days=days)
        make_run(version, make_customer(), goal_on=on)
    run_measure(DAY + timedelta(days=28))
    assert (told_of(version).treat.hits, told_of(version).treat.known) == (2, 4)


def lake_scores(lake, day, scores):
    schema = SCHEMAS["health_scores"]
    rows = [
        {
            one.name: {"customer_id": pk, "as_of": day, "score": score}.get(
                one.name, "" if pa.types.is_string(one.type) else None
            )
            for one in schema
        }
        for pk, score in scores.items()
    ]
    lake.append("health_scores", pa.Table.from_pylist(rows, schema=schema))


def test_health_is_read_on_its_day_or_shortly_before_and_adjusted_by_what_it_was(lake):
    version = make_sop(form("health"))
    rng, scores = np.random.default_rng(4), {}
    for number in range(80):
        customer = make_customer()
        arm = "holdout" if number % 2 else "treat"
        before = float(rng.normal(60, 10))
        scores[customer.pk] = before + (12 if arm == "treat" else 0) + float(rng.normal(0, 2))
        make_run(version, customer, arm, entry_facts={"health": before, "churn": None})
    unknown = make_customer()
    make_run(version, unknown, entry_facts={"health": 50.0})
    lake_scores(lake, DAY + timedelta(days=26), scores)
    lake_scores(lake, DAY + timedelta(days=29), dict.fromkeys(scores, 1.0))  # too late
    run_measure(DAY + timedelta(days=28))
    told = told_of(version)
    assert (told.treat.known, told.treat.unknown, told.holdout.known) == (40, 1, 40)
    assert told.exact[0] == pytest.approx(12, abs=1.5)
    assert told.reduction > 0.9
    assert told.verdict == "helps"
    assert told.money == ()


def test_less_is_better_where_it_was_declared_so(lake):
    version = make_sop(form("health", higher_is_better=False))
    scores = {}
    for number in range(60):
        customer = make_customer()
        scores[customer.pk] = 50.0 + number % 7 + (20 if number % 2 else 0)
        make_run(version, customer, "treat" if number % 2 else "holdout")
    lake_scores(lake, DAY + timedelta(days=28), scores)
    run_measure(DAY + timedelta(days=28))
    assert told_of(version).verdict == "harms"
    assert told_of(version).worse > 0.99


def next_version(version, raw):
    return SopVersion.objects.create(
        sop=version.sop, number=version.number + 1, state="retired", form=raw,
        created_at=NOW, changed_at=NOW, published_at=NOW,
    )  # fmt: skip


def test_versions_that_declared_the_same_count_together():
    first = make_sop(form())
    second = next_version(first, form())
    renewing(first, 4, 4)
    renewing(second, 6, 3)
    renewing(second, 5, 1, "holdout")
    third = next_version(second, form(holdout=0.5))
    renewing(third, 2, 2)
    run_measure(READ)
    assert (newest(second).first_number, told_of(second).treat.known) == (1, 10)
    assert told_of(first).treat.known == 4
    assert (newest(third).first_number, told_of(third).treat.known) == (3, 2)
    assert verdicts([first.sop_id])[first.sop_id].treat == 2  # of the newest


def test_another_experiment_with_the_same_customer_is_counted():
    version, other = make_sop(form()), make_sop(form("goal"))
    both = renewing(version, 2, 2)
    make_run(other, both[0].customer, entered_on=DAY + timedelta(days=10))
    run_measure(READ)
    assert newest(version).beside["overlap"] == 1
    assert newest(other).beside["overlap"] == 1


def test_without_a_declared_outcome_nothing_is_measured():
    raw = form()
    del raw["outcome"]
    version = make_sop(raw)
    make_run(version, make_customer())
    run_measure(READ)
    assert newest(version) is None
    assert verdicts([version.sop_id]) == {}


def test_earlier_nights_are_kept():
    version = make_sop(form())
    renewing(version, 2, 1)
    run_measure(READ - timedelta(days=1))
    run_measure(READ)
    said = list(past(version))
    assert [(day, told.treat.known) for day, told in said] == [
        (READ - timedelta(days=1), 0),
        (READ, 2),
    ]


# --- without a hold-out


def lake_churn(lake, day, chances):
    schema = SCHEMAS["churn_forecasts"]
    rows = [
        {
            one.name: {"customer_id": pk, "as_of": day, "probability": p, "renewal_id": pk}.get(
                one.name, "" if pa.types.is_string(one.type) else None
            )
            for one in schema
        }
        for pk, p in chances.items()
    ]
    lake.append("churn_forecasts", pa.Table.from_pylist(rows, schema=schema))


def test_without_a_hold_out_the_comparison_is_beside_those_who_looked_alike(lake):
    """Customers in a dip are worked on and recover by themselves, like the others in a dip."""
    version, rng = make_sop(form("health", holdout=0.0)), np.random.default_rng(2)
    dipped = [make_customer() for _ in range(60)]
    calm = [make_customer() for _ in range(60)]
    for customer in dipped[:30]:
        make_run(version, customer)
    churn = {one.pk: float(rng.normal(0.5, 0.02)) for one in dipped}
    churn |= {one.pk: float(rng.normal(0.05, 0.01)) for one in calm}
    lake_churn(lake, DAY, churn)
    for week in range(-8, 9):
        day = DAY + timedelta(weeks=week)
        level = 60 - 20 * max(0.0, 1 - abs(week) / 8)
        scores = {one.pk: level + float(rng.normal(0, 2)) for one in dipped}
        scores |= {one.pk: 80 + float(rng.normal(0, 2)) for one in calm}
        lake_scores(lake, day, scores)
    run_measure(DAY + timedelta(weeks=8))
    effect = newest(version)
    assert effect.verdict == "not_randomised"
    seen = effect.observed
    assert (seen["worked_on"], seen["by"]) == (30, "health")
    assert 20 <= seen["others"] <= 30  # those in a dip, and none that is calm
    # before and after alone would say +20
    assert abs(seen["change"]["value"]) < 3
    assert abs(seen["before"]["value"]) < 3
    trend = {week: (mine, theirs) for week, mine, theirs in seen["trend"]}
    assert trend[8][0] - trend[0][0] == pytest.approx(20, abs=3)
    assert set(trend) == set(range(-8, 9, 2))
    run_measure(DAY + timedelta(weeks=8, days=1))  # anew once a week
    assert newest(version).observed == seen
    assert seen["of"] == (DAY + timedelta(weeks=8)).isoformat()


def test_without_a_hold_out_and_without_history_nothing_is_said(lake):
    version = make_sop(form("health", holdout=0.0))
    make_run(version, make_customer())
    run_measure(date(2026, 6, 1))
    assert (newest(version).verdict, newest(version).observed) == ("not_randomised", {})


# --- through the engine


def test_what_the_engine_enters_is_what_is_measured():
    """Condition, hold-out, steps, goal, outcome: from the day of the entry to the effect."""
    from gengyun.portfolio.models import CustomerSummary
    from gengyun.sop.actions.evaluate import evaluate
    from gengyun.sop.models import Run

    low = {"field": "score", "op": "lt", "value": 50}
    goal = {"field": "score", "op": "gte", "value": 70}
    raw = {
        **form("goal", window_days=7),
        "entry": {"kind": "condition", "when": low},
        "goal": goal,
        "steps": [{"key": "note", "kind": "note", "text": "x"}],
        "first": "note",
    }
    version = make_sop(raw)
    customers = [make_customer() for _ in range(60)]
    for number, customer in enumerate(customers):
        CustomerSummary.objects.create(
            customer=customer, name=customer.name, score=40, churn=number / 60, updated_at=NOW
        )
    evaluate(now=NOW, day=DAY)
    arms = dict(Run.objects.values_list("customer_id", "arm"))
    assert len(arms) == 60
    held = [pk for pk, arm in arms.items() if arm == "holdout"]
    assert len(held) == 12  # 20 % of each third
    treated = [pk for pk in arms if pk not in held]
    CustomerSummary.objects.filter(pk__in=treated[:40] + held[:3]).update(score=80)
    evaluate(now=NOW + timedelta(days=2), day=DAY + timedelta(days=2))
    run_measure(DAY + timedelta(days=6))
    assert told_of(version).treat.waiting == 48
    run_measure(DAY + timedelta(days=7))
    told = told_of(version)
    assert (told.treat.hits, told.treat.known) == (40, 48)
    assert (told.holdout.hits, told.holdout.known) == (3, 12)
    row = RunOutcome.objects.get(run__customer=customers[30])
    assert row.churn == 0.5
