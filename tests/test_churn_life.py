"""The life of a churn model, from a simulated company: nights, champions, drift, what is kept."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from gengyun.churn.actions import drift, night, promote, train
from gengyun.churn.calc.features import FEATURE_SET
from gengyun.churn.calc.observed import Columns, Observed
from gengyun.churn.calc.table import Feature, plain_table
from gengyun.churn.models import ChurnForecast, ChurnModel, ChurnSettings, DriftCheck, ModelState
from gengyun.churn.queries import rows as churn_rows
from gengyun.churn.queries.history import forecast_days, read_forecasts
from gengyun.churn.queries.models import champion, in_force
from gengyun.cli.churn import command
from gengyun.customers.actions.merging import merge_customers, undo_merge
from gengyun.customers.models import Customer, Tier
from gengyun.demo.simulator.company_config import company
from gengyun.demo.simulator.company_make import make_company
from gengyun.demo.simulator.observed import to_observed
from gengyun.lake.store import Lake
from gengyun.revenue.models import Renewal
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
FEW = 40  # customers


@pytest.fixture(scope="module")
def world() -> Observed:
    return to_observed(make_company(company("tiny", accounts=FEW), seed=5))


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


@pytest.fixture
def day(world):
    return world.until


def moment(day):
    return datetime(day.year, day.month, day.day, 2, tzinfo=UTC)


@pytest.fixture
def observed(world, day, monkeypatch) -> Observed:
    """The world's customers and renewals as rows of the database, under their own numbers."""
    for key in ("strategic", "key", "standard"):
        Tier.objects.create(key=key, name_zh=key, name_en=key, touch_model="low", position=1)
    when = moment(day)
    known = {"known_at": when, "created_at": when, "updated_at": when}
    customers = Customer.objects.bulk_create(
        [Customer(external_id=f"C{n}", name=f"客户 {n}", **known) for n in range(FEW)]
    )
    first = customers[0].pk
    dues = world.dues
    renewals = Renewal.objects.bulk_create(
        [
            Renewal(
                customer_id=first + int(dues.account[at]),
                group=f"g{at}",
                due_on=dues.due[at].item(),
                due_minor=int(dues.amount_minor[at]),
                created_at=moment(day),
            )
            for at in range(len(dues))
        ]
    )
    moved = {
        name: replace(value, account=value.account + first)
        for name in ("use", "people", "parts", "states", "facts", "dues", "values", "key_users")
        if isinstance(value := getattr(world, name), Columns)
    }
    moved["dues"] = replace(moved["dues"], renewal=np.array([row.pk for row in renewals]))
    found = replace(world, accounts=world.accounts + first, **moved)
    monkeypatch.setattr(churn_rows, "observed_as_of", lambda until, lake=None: found)
    return found


def judge(day, lake):
    return night.judge_churn(day, now=moment(day), lake=lake)


def test_a_night_trains_scores_and_keeps(observed, lake, day):
    found = judge(day, lake)
    model = champion("non_renewal")
    assert found.trained.took_over
    assert (model.cutoff, model.previous) == (day, None)
    assert model.events >= 8
    assert model.rung != "L0"
    forecasts = list(ChurnForecast.objects.select_related("renewal"))
    assert len(forecasts) == found.scored.rows > 10
    said = [row for row in forecasts if row.probability is not None]
    assert len(said) == found.scored.with_number > 5
    for row in said:
        assert 0 < row.low <= row.probability <= row.high < 1
        assert row.grade in "ABC"
        assert row.due_on == row.renewal.due_on >= day
        assert row.model == model
        assert len(row.drivers) <= 5
        assert row.history == [[day.isoformat(), row.probability, row.low, row.high, model.pk]]
    for row in forecasts:
        assert bool(row.refused) == (row.probability is None)
    kept = read_forecasts(day, lake=lake).to_pylist()
    assert {row["renewal_id"]: row["probability"] for row in kept} == {
        row.renewal_id: row.probability for row in forecasts
    }


def test_the_same_night_twice_changes_nothing(observed, lake, day):
    judge(day, lake)
    once = list(ChurnForecast.objects.order_by("pk").values("renewal", "probability", "drivers"))
    again = judge(day, lake)
    assert again.trained is None
    assert ChurnModel.objects.count() == 1
    twice = ChurnForecast.objects.order_by("pk").values("renewal", "probability", "drivers")
    assert sorted(once, key=str) == sorted(twice, key=str)
    assert len(forecast_days(lake)) == 1


def test_a_past_day_neither_overwrites_today_nor_uses_a_later_model(observed, lake, day):
    judge(day, lake)
    newest = set(ChurnForecast.objects.values_list("renewal", "probability"))
    before = day - timedelta(days=200)
    found = judge(before, lake)
    assert not found.scored.is_newest
    assert found.trained.model.cutoff == before
    assert found.trained.model.state == ModelState.RETIRED  # it spoke then, and speaks no more
    assert in_force("non_renewal", before) == found.trained.model
    assert champion("non_renewal").cutoff == day
    assert set(ChurnForecast.objects.values_list("renewal", "probability")) == newest
    assert forecast_days(lake) == [before, day]
    said = msgspec.json.decode(read_forecasts(before, lake=lake)["drivers"][0].as_py())
    assert isinstance(said, list)


def test_weeks_make_a_line_and_old_words_stay(observed, lake, day):
    week = day - timedelta(days=7)
    judge(week, lake)
    first = read_forecasts(week, lake=lake)
    judge(day, lake)
    assert read_forecasts(week, lake=lake).equals(first)
    row = ChurnForecast.objects.filter(probability__isnull=False, due_on__gt=day).first()
    assert [point[0] for point in row.history] == [week.isoformat(), day.isoformat()]
    assert row.as_of == day


def test_training_is_due_monthly_and_when_settings_change(observed, lake, day):
    settings = ChurnSettings(pk=1)
    assert train.due_reason(day, settings=settings) == "first"
    judge(day, lake)
    assert train.due_reason(day, settings=settings) == ""
    assert train.due_reason(day + timedelta(days=29), settings=settings) == ""
    assert train.due_reason(day + timedelta(days=30), settings=settings) == "monthly"
    settings.version = 2
    assert train.due_reason(day, settings=settings) == "settings"


def test_a_challenger_waits_until_it_is_better(observed, lake, day):
    early = day - timedelta(days=30)
    judge(early, lake)
    found = judge(day, lake)
    assert found.trained is not None
    assert found.trained.verdict is not None
    assert found.trained.model.previous.cutoff == early
    guard = found.trained.model.race["guard"]
    assert guard["takes_over"] == found.trained.took_over
    if not found.trained.took_over:
        assert champion("non_renewal").cutoff == early
        assert found.trained.model.state == ModelState.CHALLENGER
        promote.promote(actor=None, now=moment(day), model=found.trained.model, why="试用")
        assert champion("non_renewal") == found.trained.model
        assert AuditEntry.objects.filter(action="churn.promote").exists()


def test_outcomes_that_speak_against_the_model_move_its_intercept(observed, lake, day):
    early = day - timedelta(days=360)
    judge(early, lake)
    wrong = champion("non_renewal")
    wrong.intercept_shift = 2.0  # says far too much risk
    wrong.save()
    settings = ChurnSettings(pk=1)
    rows = churn_rows.Held(observed, as_of=day, settings=settings)
    found = drift.check_drift(day, now=moment(day), rows=rows, known=rows.training())
    assert found.check.decided >= drift.FEWEST
    assert found.check.cusum < 0  # fewer are lost than was said
    assert found.check.told["expected"] > found.check.told["lost"]
    assert found.check.action != DriftCheck.Action.NONE
    assert found.model != wrong
    assert champion("non_renewal") == found.model
    wrong.refresh_from_db()
    assert wrong.state == ModelState.RETIRED
    if found.check.action == DriftCheck.Action.RECALIBRATE:
        assert 0 < found.model.intercept_shift < 2.0
        assert found.model.content == wrong.content
    again = drift.check_drift(day, now=moment(day), rows=rows, known=rows.training())
    assert again.check.action == DriftCheck.Action.NONE  # they speak once


def test_without_outcomes_it_stays_on_an_estimate_and_says_so(observed, lake, monkeypatch, day):
    none = replace(
        observed,
        dues=replace(
            observed.dues.taken(observed.dues.due > np.datetime64(day)),
        ),
    )
    monkeypatch.setattr(churn_rows, "observed_as_of", lambda until, lake=None: none)
    judge(day, lake)
    model = champion("non_renewal")
    assert model.rung == "L0"
    assert [note["key"] for note in model.metrics["notes"]] == ["too_few_events"]
    said = ChurnForecast.objects.filter(probability__isnull=False)
    assert set(said.values_list("grade", flat=True)) == {"C"}


def test_nothing_to_say_of_an_empty_deployment(lake, day, monkeypatch):
    empty = Observed(accounts=np.zeros(0, np.int64), until=day)
    monkeypatch.setattr(churn_rows, "observed_as_of", lambda until, lake=None: empty)
    found = judge(day, lake)
    assert (found.trained, found.scored.rows) == (None, 0)
    assert not ChurnModel.objects.exists()


def test_scoring_needs_neither_scikit_learn_nor_lightgbm():
    """A night that trains nothing runs on numpy: what it imports says so, in a fresh process."""
    code = (
        "import os, sys\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'gengyun.config.settings'\n"
        "import django; django.setup()\n"
        "import gengyun.churn.actions.night, gengyun.churn.calc.model\n"
        "print([name for name in ('sklearn', 'lightgbm', 'scipy') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_forecasts_follow_their_renewals_into_a_merge_and_back(observed, lake, day):
    judge(day, lake)
    row = ChurnForecast.objects.filter(renewal__isnull=False).first()
    gone, kept = row.customer, Customer.objects.exclude(pk=row.customer_id).first()
    merge = merge_customers(actor=None, now=moment(day), kept=kept, gone=gone)
    row.refresh_from_db()
    assert row.customer_id == row.renewal.customer_id == kept.pk
    undo_merge(actor=None, now=moment(day), merge=merge)
    row.refresh_from_db()
    assert row.customer_id == row.renewal.customer_id == gone.pk


def test_the_command_lists_explains_and_tells_of_models(observed, day, settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    judge(day, None)
    run = CliRunner()
    listed = run.invoke(command, ["--as-of", day.isoformat(), "--json", "--due", "200"])
    assert listed.exit_code == 0, listed.output
    rows = [json.loads(line) for line in listed.output.splitlines()]
    said = [row["probability"] for row in rows if row["probability"] is not None]
    assert said == sorted(said, reverse=True)
    assert len(said) > 3
    one = run.invoke(command, ["--as-of", day.isoformat(), "--customer", rows[0]["customer"]])
    assert one.exit_code == 0, one.output
    assert f"{rows[0]['probability']:.1%}" in one.output
    assert "were every input ordinary" in one.output
    told = run.invoke(command, ["models", "--json"])
    assert [json.loads(line)["state"] for line in told.output.splitlines()] == ["champion"]
    nobody = run.invoke(command, ["--as-of", day.isoformat(), "--tier", "platinum"])
    assert nobody.exit_code == 1
    early = run.invoke(command, ["--as-of", "2001-01-01"])
    assert "no day has been judged yet" in early.output


def test_twenty_further_outcomes_call_for_a_training_but_not_within_a_week(day):
    from factories import make_churn_model, make_customer

    customer, settings = make_customer(), ChurnSettings(pk=1)
    trained = make_churn_model(
        cutoff=day - timedelta(days=10),
        feature_set=FEATURE_SET,
        settings={"version": settings.version},
    )
    ripe = day - timedelta(days=settings.grace_days + 5)  # due then, known since five days
    values = {"customer": customer, "due_on": ripe, "due_minor": 1, "created_at": moment(day)}
    for at in range(19):
        Renewal.objects.create(group=f"a{at}", state="renewed", **values)
    assert train.due_reason(day, settings=settings) == ""
    Renewal.objects.create(group="open", state="open", **values)
    assert train.due_reason(day, settings=settings) == ""  # not decided, whatever the day says
    Renewal.objects.create(group="lost", state="lost", **values)
    assert train.due_reason(day, settings=settings) == "outcomes"
    ChurnModel.objects.filter(pk=trained.pk).update(cutoff=day - timedelta(days=6))
    assert train.due_reason(day, settings=settings) == ""


def test_without_contracts_silence_is_foreseen_and_named(observed, lake, monkeypatch, day):
    ChurnSettings.objects.create(pk=1, event="silent", silent_days=60)
    bare = replace(observed, dues=type(observed.dues).none())
    monkeypatch.setattr(churn_rows, "observed_as_of", lambda until, lake=None: bare)
    monkeypatch.setattr(churn_rows, "MOST_LEARNED", 400)
    monkeypatch.setattr(churn_rows, "LEAST_ACCOUNTS", 5)
    judge(day, lake)
    model = champion("silent")
    assert 50 < model.rows <= 400
    said = ChurnForecast.objects.filter(event="silent", model=model)
    assert said.count() > 5
    for row in said:
        assert row.renewal is None
        assert (row.due_on, row.lag_days, row.p90) == (None, None, None)
    judge(day, lake)  # the same again
    assert ChurnForecast.objects.count() == said.count()


def test_a_portfolio_too_large_to_learn_from_is_sampled_by_accounts(monkeypatch):
    monkeypatch.setattr(churn_rows, "LEAST_ACCOUNTS", 10)
    table = plain_table(
        [Feature("a")], np.zeros((30_000, 1)), account=np.repeat(np.arange(10_000), 3)
    )
    few = churn_rows.thinned(table)
    assert 8_000 < len(few) <= churn_rows.MOST_LEARNED
    _, counts = np.unique(few.account, return_counts=True)
    assert set(counts) == {3}  # whole accounts
    assert churn_rows.thinned(table).account.tolist() == few.account.tolist()
    assert churn_rows.thinned(few) is few
