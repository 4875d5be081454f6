"""158,420 values of 21 metrics, computed elsewhere, against ours, through the product's own doors."""

import csv
import gzip
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from factories import NOW

from gengyun.cli.benches.fightchurn import DEFINITIONS, expected, judged_on, same_number
from gengyun.customers.actions.importing import check_import, prepare_import, run_import
from gengyun.customers.models import Customer
from gengyun.lake.store import Lake
from gengyun.usage.actions.compute import compute_days
from gengyun.usage.actions.import_events import import_events
from gengyun.usage.actions.metrics import create_metric
from gengyun.usage.actions.sources import create_source
from gengyun.usage.queries.metrics import values_table

pytestmark = pytest.mark.django_db
MIDNIGHT = {"unfriend_28day_avg_84day_obs", "unfriend_28avg_84obs"}


def rows_of(path):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt") as file:
        yield from csv.DictReader(file)


def written(path, rows):
    rows = list(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def imported(kind, path, mapping, **options):
    run = prepare_import(actor=None, now=NOW, kind=kind, file_name=path.name, path=path)
    run = check_import(
        actor=None, now=NOW, run=run, mapping={**run.mapping, **mapping}, options=options
    )
    return run_import(actor=None, now=NOW, run=run)


def bring_in(folder, tmp_path, lake, *, is_wanted):
    """Customers, subscription periods and events, as a person would import them."""
    names = {
        row["event_type_id"]: row["event_type_name"] for row in rows_of(folder / "event_type.csv")
    }
    accounts = written(
        tmp_path / "account.csv",
        ({"id": row["id"], "name": f"account {row['id']}"}
         for row in rows_of(folder / "account.csv") if is_wanted(row["id"])),
    )  # fmt: skip
    imported("customers", accounts, {"id": "external_id", "name": "name"}, known_from="2020-01-01")
    periods = written(
        tmp_path / "subscription.csv",
        ({name: row[name] for name in ("account_id", "start_date", "end_date")}
         for row in rows_of(folder / "subscription.csv") if is_wanted(row["account_id"])),
    )  # fmt: skip
    run = imported("periods", periods, {})
    assert run.error_count == 0
    events = written(
        tmp_path / "event.csv",
        ({"account_id": row["account_id"], "time": row["event_time"], "event": names[row["event_type_id"]]}
         for row in rows_of(folder / "event.csv.gz") if is_wanted(row["account_id"])),
    )  # fmt: skip
    source = create_source(
        actor=None, now=NOW, name="log", key="log", unknown_customer="quarantine",
        is_history=True, with_key=False,
    )  # fmt: skip
    report = import_events(
        actor=None, now=NOW, source=source, files=[events], lake=lake,
        error_path=tmp_path / "errors.csv",
    )  # fmt: skip
    assert not report.errors
    return report.imported


def make_metrics():
    for key, definition in DEFINITIONS.items():
        names = {"name_zh": key, "name_en": key}
        create_metric(actor=None, now=NOW, key=key, values=names, definition=definition)


def compare(folder, lake, *, is_wanted):
    """Counts of values by what came of them, and the keys of those that differ."""
    theirs = expected(folder)
    days = {judged_on(metric, day) for metric, by_day in theirs.items() for day in by_day}
    compute_days(days, lake=lake, now=NOW)
    ids = dict(Customer.objects.values_list("external_id", "pk"))
    counts, differing = Counter(), []
    ours = {}
    for day in days:
        table = values_table(day, lake=lake)
        ours[day] = dict(
            zip(
                zip(table["customer_id"].to_pylist(), table["metric"].to_pylist(), strict=True),
                table["value"].to_pylist(),
                strict=True,
            )
        )
    for metric, by_day in theirs.items():
        for day, values in by_day.items():
            found = ours[judged_on(metric, day)]
            for name, pk in ids.items():
                mine, other = found.get((pk, metric)), values.get(name)
                if mine is None and other is None:
                    counts["unknown to both"] += 1
                    continue
                same = None not in (mine, other) and same_number(metric, mine, other)
                counts["equal" if same else "different"] += 1
                if not same:
                    differing.append((metric, name, day, mine, other))
    return counts, differing


def midnights(folder):
    """(account, day) of unfriend events stamped exactly at midnight."""
    types = {
        row["event_type_name"]: row["event_type_id"] for row in rows_of(folder / "event_type.csv")
    }
    return {
        (row["account_id"], date.fromisoformat(row["event_time"][:10]))
        for row in rows_of(folder / "event.csv.gz")
        if row["event_type_id"] == types["unfriend"]
        and datetime.fromisoformat(row["event_time"]).time() == datetime.min.time()
    }


def check(folder, tmp_path, *, is_wanted):
    lake = Lake(tmp_path / "lake")
    events = bring_in(folder, tmp_path, lake, is_wanted=is_wanted)
    make_metrics()
    counts, differing = compare(folder, lake, is_wanted=is_wanted)
    at_midnight = midnights(folder)
    excused = [
        row
        for row in differing
        if row[0] in MIDNIGHT
        and {(row[1], row[2]), (row[1], row[2] - timedelta(days=84))} & at_midnight
    ]
    print(
        f"{events:,} events; {counts['equal']:,} values equal, {counts['different']:,} different "
        f"({len(excused)} by events at midnight of a boundary day), "
        f"{counts['unknown to both']:,} unknown to both"
    )
    assert [row for row in differing if row not in excused] == []
    return events, counts


def test_some_accounts_of_an_outside_answer_key_agree(shared, tmp_path):
    def is_wanted(account):
        return int(account) % 40 == 7

    events, counts = check(shared / "oracles/fightchurn", tmp_path, is_wanted=is_wanted)
    assert events > 15_000
    assert counts["equal"] > 3_000


@pytest.mark.slow
def test_every_value_of_an_outside_answer_key_agrees(shared, tmp_path):
    events, counts = check(shared / "oracles/fightchurn", tmp_path, is_wanted=lambda _: True)
    assert events == 967_008
    assert counts["equal"] == 158_420
