"""`gengyun metrics` shows the values of a day, and says what to do where there are none."""

import json
from datetime import date

import pytest
from click.testing import CliRunner
from factories import NOW, make_customer
from lake_events import arrow, event

from gengyun.cli.metrics import command
from gengyun.lake.store import Lake
from gengyun.usage.actions.compute import compute_day
from gengyun.usage.actions.defaults import install_defaults

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 11)


@pytest.fixture
def customer(settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    install_defaults(now=NOW)
    customer = make_customer("杭州某某科技", external_id="a1", known_at=NOW.replace(year=2025))
    lake = Lake.default()
    lake.append("events", arrow([event(customer.pk, on=date(2026, 1, 9))]))
    compute_day(DAY, lake=lake, now=NOW)
    return customer


def run(*words, code=0):
    result = CliRunner().invoke(command, words)
    assert result.exit_code == code, result.output
    return result.output


def test_values_as_lines_of_json(customer):
    line = json.loads(run("--json", "--as-of", "2026-01-11"))
    assert (line["customer"], line["as_of"]) == ("a1", "2026-01-11")
    assert line["values"]["events_30d"] == 1
    assert line["values"]["days_since_active"] == 2
    assert line["values"]["seat_use_30d"] is None
    one = json.loads(run("--json", "--customer", "杭州某某科技", "--metric", "events_7d"))
    assert one["values"] == {"events_7d": 1}


def test_tables_for_people(customer, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert "杭州某某科技" in run()
    assert "Distinct users" in run("--customer", "a1", "--lang", "en").replace("\n", " ")
    assert "events_7d" in run("--definitions")
    assert json.loads(run("--definitions", "--json", "--metric", "events_7d"))["version"] == 1


def test_what_is_not_there_is_said(customer):
    assert "gengyun daily --as-of 2025-05-05" in run("--as-of", "2025-05-05", code=1)
    assert "no customer" in run("--customer", "nobody", code=1)
    assert "see --definitions" in run("--metric", "nothing", code=2)
