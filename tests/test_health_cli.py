"""`gengyun daily` and `gengyun health`: which days, progress lines, refusals."""

import json
from datetime import date, datetime

import click
import pytest
from click.testing import CliRunner
from factories import NOW, make_customer

from gengyun.cli import daily, health
from gengyun.cli.daily import chosen_days, days_between
from gengyun.customers.actions.defaults import install_defaults as install_tiers
from gengyun.health.actions.defaults import install_defaults as install_cards
from gengyun.kernel.models import DayRun
from gengyun.portfolio.models import CustomerSummary
from gengyun.usage.actions.defaults import install_defaults as install_metrics

TODAY = date(2026, 3, 2)


def test_quarters_include_both_ends():
    found = list(days_between(date(2014, 1, 1), date(2022, 12, 31), "quarter"))
    assert len(found) == 36
    assert found[:2] == [date(2014, 1, 1), date(2014, 4, 1)]
    assert found[-1] == date(2022, 10, 1)


def test_months_keep_the_day_and_shorten_at_the_end():
    found = list(days_between(date(2024, 1, 31), date(2024, 4, 30), "month"))
    assert found == [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]
    assert len(list(days_between(date(2026, 1, 1), date(2026, 1, 31), "week"))) == 5
    assert list(days_between(date(2026, 1, 2), date(2026, 1, 1), "day")) == []


def test_days_that_make_no_sense_are_refused():
    first, last = datetime(2026, 1, 1), datetime(2026, 1, 3)
    assert chosen_days(None, None, None, "day", TODAY) == [TODAY]
    assert len(chosen_days(None, first, last, "day", TODAY)) == 3
    for wrong in (
        (first, first, None),
        (None, None, last),
        (None, last, first),
        (datetime(2026, 3, 3), None, None),
    ):
        with pytest.raises(click.UsageError):
            chosen_days(*wrong, "day", TODAY)


@pytest.fixture
def ground(settings, tmp_path, transactional_db):
    settings.LAKE_DIR = tmp_path / "lake"
    for install in (install_tiers, install_metrics, install_cards):
        install(now=NOW)


def run(command, *arguments):
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def test_daily_judges_skips_what_is_done_and_fills_the_summary(ground):
    make_customer("云启", known_at=datetime(2025, 1, 1, tzinfo=NOW.tzinfo))
    days = ("--from", "2026-01-01", "--to", "2026-01-02", "--json")
    lines = [json.loads(line) for line in run(daily.command, *days).stdout.splitlines()]
    assert [(line["as_of"], line["customers"]) for line in lines] == [
        ("2026-01-01", 1),
        ("2026-01-02", 1),
    ]
    assert lines[0]["bands"]["N"] == 1  # nothing was ever received from it: no number
    again = [json.loads(line) for line in run(daily.command, *days).stdout.splitlines()]
    assert [line["state"] for line in again] == ["skipped", "skipped"]
    assert CustomerSummary.objects.get().as_of == date(2026, 1, 2)
    assert DayRun.objects.filter(state="done").count() == 2


def test_health_explains_one_customer_and_evaluates_outcomes(ground, tmp_path):
    customer = make_customer("云启", known_at=datetime(2025, 1, 1, tzinfo=NOW.tzinfo))
    assert "gengyun daily" in run(health.command).output
    run(daily.command, "--as-of", "2026-01-02")
    assert "N 1" in run(health.command, "--as-of", "2026-01-05").output
    whole = json.loads(run(health.command, "--customer", "云启", "--json").stdout)
    assert whole["explanation"]["reason"] == "coverage"
    assert "Adoption" in run(health.command, "--customer", customer.external_id).output
    assert run(health.command, "--customer", "没有").exit_code == 1
    rows = tmp_path / "rows.csv"
    rows.write_text(
        f"account_id,t,y,rec\n{customer.external_id},2026-01-02,1,5\nx,2026-01-09,0,1\n"
    )
    found = json.loads(run(health.command, "evaluate", "--snapshots", str(rows), "--json").stdout)
    assert (found["rows"], found["no_number"], found["not_judged"]) == (2, 1, 1)
    assert found["auc_health"] is None
