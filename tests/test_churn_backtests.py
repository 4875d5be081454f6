"""Back-tests in a deployment: asked for, worked off, kept; what was known beside the snapshots."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from churn_worlds import renewals
from factories import NOW, make_customer, make_renewal, make_tiers, make_user
from revenue_rows import add_line, make_contract

from gengyun.churn.actions.backtest import KEPT, ask_backtest, fail_backtest
from gengyun.churn.actions.backtest_run import run_backtest
from gengyun.churn.calc.beside import UNSAID
from gengyun.churn.models import Backtest
from gengyun.churn.queries import backtests as queries
from gengyun.kernel.errors import NotAllowed
from gengyun.lake.store import Lake
from gengyun.lake.tables import SCHEMAS
from gengyun.revenue.models import RenewalChange

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def rows_of(*days, account, due=date(2026, 3, 1)):
    """Rows of one renewal on these days."""
    table, _ = renewals(1, years=1)
    table = table.taken(np.zeros(len(days), dtype=int))
    table.at[:] = [np.datetime64(day) for day in days]
    table.due[:] = np.datetime64(due)
    table.account[:] = account
    return table


def test_the_category_is_that_of_the_day_and_not_of_today():
    customer = make_customer()
    renewal = make_renewal(
        customer,
        date(2026, 3, 1),
        category="lost",
        created_at=datetime(2025, 9, 1, tzinfo=UTC),
    )
    for day, old, new in (
        (date(2025, 10, 1), "unjudged", "commit"),
        (date(2025, 12, 20), "commit", "at_risk"),
        (date(2026, 2, 25), "at_risk", "lost"),
    ):
        RenewalChange.objects.create(
            renewal=renewal, field="category", old=old, new=new,
            at=datetime(day.year, day.month, day.day, 4, tzinfo=UTC),
        )  # fmt: skip
    days = [date(2025, 8, 1), date(2025, 9, 20), date(2025, 12, 1), date(2026, 1, 30)]
    table = rows_of(*days, account=customer.pk)
    names = [
        "" if n == UNSAID else str(queries.CATEGORIES[n]) for n in queries.category_then(table)
    ]
    assert names == ["", "", "commit", "at_risk"]


def test_the_health_is_that_of_the_newest_judged_day_of_a_month(lake):
    customer, other = make_customer(), make_customer()
    for day, score in ((date(2025, 11, 3), 80.0), (date(2025, 12, 1), 40.0)):
        lake_scores(lake, day, {customer.pk: score, other.pk: None})
    days = [date(2025, 11, 2), date(2025, 11, 3), date(2025, 11, 30), date(2025, 12, 5)]
    found = queries.health_then(rows_of(*days, account=customer.pk), lake=lake)
    assert np.isnan(found[0])
    assert found[1:].tolist() == [80.0, 80.0, 40.0]
    stale = queries.health_then(rows_of(date(2026, 2, 1), account=customer.pk), lake=lake)
    assert np.isnan(stale).all()
    unknown = queries.health_then(rows_of(date(2025, 12, 5), account=other.pk), lake=lake)
    assert np.isnan(unknown).all()


def lake_scores(lake, day, scores):
    schema = SCHEMAS["health_scores"]
    rows = []
    for pk, score in scores.items():
        values = {"customer_id": pk, "as_of": day, "score": score, "band": "A" if score else "N"}
        row = {}
        for one in schema:
            row[one.name] = values.get(one.name, "" if pa.types.is_string(one.type) else None)
        rows.append(row)
    lake.append("health_scores", pa.Table.from_pylist(rows, schema=schema))


def test_customers_are_counted_by_running_contracts():
    one, two = make_customer(), make_customer()
    for customer, first, last in (
        (one, date(2025, 1, 1), date(2025, 12, 31)),
        (two, date(2025, 7, 1), date(2026, 6, 30)),
    ):
        add_line(
            make_contract(customer, starts_on=first, ends_on=last), starts_on=first, ends_on=last
        )
    table = rows_of(date(2025, 3, 10), date(2025, 8, 10), date(2026, 2, 10), account=one.pk)
    found = queries.customers_by_month(table)
    assert [found[month] for month in sorted(found)] == [1, 2, 1]


def test_asking_is_for_leaders_and_not_doubled():
    leader = make_user("leader")
    made, is_new = ask_backtest(actor=leader, now=NOW)
    again, is_newer = ask_backtest(actor=leader, now=NOW)
    assert (made.pk, is_new, is_newer) == (again.pk, True, False)
    for role in ("csm", "viewer"):
        with pytest.raises(NotAllowed):
            ask_backtest(actor=make_user(role), now=NOW)
    assert Backtest.objects.count() == 1


def test_only_the_newest_are_kept():
    for n in range(KEPT + 3):
        made, _ = ask_backtest(actor=None, now=NOW + timedelta(days=n))
        fail_backtest(made.pk, now=NOW, error="x" * 900)
    assert Backtest.objects.count() == KEPT
    assert Backtest.objects.first().pk == made.pk
    assert len(Backtest.objects.first().error) == 300


def test_a_deployment_without_outcomes_gets_a_report_that_says_so(lake):
    make_tiers()
    customer = make_customer()
    make_renewal(customer, date(2026, 5, 1))
    made, _ = ask_backtest(actor=None, now=NOW)
    done = run_backtest(made.pk, now=NOW, lake=lake)
    assert done.state == "done"
    assert done.result["refused"] == "few_outcomes"
    assert done.result["event"] == "non_renewal"
    assert queries.newest_done("non_renewal") == done
    # twice is once
    assert run_backtest(made.pk, now=NOW + timedelta(days=1), lake=lake).finished_at == NOW
    assert run_backtest(987654, now=NOW, lake=lake) is None


def test_one_that_nobody_works_on_is_told_from_one_that_runs():
    made, _ = ask_backtest(actor=None, now=NOW)
    assert not queries.is_abandoned(made, NOW + timedelta(hours=2))
    assert queries.is_abandoned(made, NOW + timedelta(days=2))
