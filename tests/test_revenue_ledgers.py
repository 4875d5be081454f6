"""Whole ledgers with known answers: every expected table comes out of the public functions."""

import csv
from datetime import date, timedelta

import numpy as np
import pytest

from gengyun.revenue.calc import cohorts, retention, unit_economics
from gengyun.revenue.calc.moves import balances, day_number, moves_of_periods
from gengyun.revenue.calc.policies import choose
from gengyun.revenue.calc.waterfall import rows_of, waterfall


def read(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def cents(text: str) -> int:
    return round(float(text) * 100)


def ledger(rows, who="account_id", amount="mrr"):
    number = {name: at for at, name in enumerate(dict.fromkeys(row[who] for row in rows))}
    return (
        moves_of_periods(
            [
                (
                    number[row[who]],
                    date.fromisoformat(row["start_date"]),
                    date.fromisoformat(row["end_date"]) if row["end_date"] else None,
                    cents(row[amount]),
                )
                for row in rows
            ]
        ),
        number,
    )


@pytest.mark.parametrize("name", ["L2", "L4"])
def test_retention_of_ledger(shared, name):
    """Start, retained, churned, downsell, NRR, GRR and customers of every window of the key."""
    folder = shared / "oracles" / "ledgers"
    source = {"L2": "L2_ravenstack_subscriptions", "L4": "L4_subscriptions"}[name]
    moves, _ = ledger(read(folder / f"{source}.csv"))
    expected = read(folder / f"{name}_expected_fightchurn.csv")
    assert len(expected) > 20
    windows = [
        tuple(day_number(date.fromisoformat(row[side])) for side in ("from", "to"))
        for row in expected
    ]
    for row, found in zip(expected, retention.retention_series(moves, windows), strict=True):
        got = (found.start, found.end, found.churned, found.contracted)
        keys = ("start_mrr", "retained_mrr", "churned_mrr", "downsell_mrr")
        assert got == tuple(cents(row[key]) for key in keys), row
        assert float(found.nrr.value) == pytest.approx(float(row["nrr"]), abs=1e-8)
        assert float(found.grr.value) == pytest.approx(float(row["grr_snapshot"]), abs=1e-8)
        counts = (found.start_count, found.left_count)
        assert counts == (int(row["logo_start"]), int(row["logo_churned"]))
        alone = retention.retention_between(moves, *windows[expected.index(row)])
        assert alone == found


def test_waterfall_of_months_is_that_of_the_playbook(shared):
    """L1: the playbook looks at the first day of each month."""
    folder = shared / "oracles" / "ledgers"
    moves, number = ledger(
        read(folder / "L1_dbt_subscription_periods.csv"), "customer_id", "monthly_amount"
    )
    months = range(cohorts.month_number(date(2017, 8, 1)), cohorts.month_number(date(2020, 3, 1)))
    ends = [cohorts.last_day(month - 1) + 1 for month in months]
    policy = choose({"basis": "snapshot"})
    found = waterfall(moves, ends, policy)
    assert not any(found.remainder())
    names = {
        "churn": "churn",
        "downgrade": "contraction",
        "new": "new",
        "reactivation": "win_back",
        "upgrade": "expansion",
    }
    at = {cohorts.month_name(month): place - 1 for place, month in enumerate(months)}
    expected = read(folder / "L1_expected_month.csv")
    for row in expected:
        place = at[row["date_month"]]
        for theirs, ours in names.items():
            assert found.kinds[ours][place] == cents(row[theirs]), (row, theirs)
        assert found.closing[place] == cents(row["mrr"])
        assert found.customers[place] == float(row["customers"])
    # months that the key leaves out are months in which nothing happened
    silent = set(range(len(at) - 1)) - {at[row["date_month"]] for row in expected}
    assert silent
    assert not any(cells[place] for cells in found.kinds.values() for place in silent)

    # and customer by customer
    rows = rows_of(moves, ends, policy)
    kinds = list(found.kinds)
    cell = {
        (int(unit), int(period)): (kinds[kind], int(amount))
        for unit, period, kind, amount in zip(
            rows.unit, rows.period, rows.kind, rows.amount, strict=True
        )
    }
    table = balances(moves, ends)
    seen = 0
    for row in read(folder / "L1_expected_customer_month.csv"):
        unit, place = number[row["customer_id"]], at[row["date_month"]]
        before, after = int(table[unit, place]), int(table[unit, place + 1])
        assert (after, after > 0) == (cents(row["mrr"]), row["is_active"] == "True")
        theirs = names.get(row["change_category"], "")
        assert cell.get((unit, place), ("", 0)) == (theirs, cents(row["mrr_change"]))
        assert min(before, after) == cents(row["renewal_amount"])
        seen += bool(row["change_category"])
    assert seen == len(cell)


def test_churn_rates_of_the_outside_key(shared):
    """fightchurn, chapter 2, listings 1-5, from its own subscriptions and events."""
    folder = shared / "oracles" / "fightchurn"
    want = {}
    for line in (folder / "churn_rates.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("- chapter 2 listing"):
            number = int(line.split("listing ")[1].split()[0])
            pairs = (part.strip().split("=") for part in line.split(": ", 1)[1].split(","))
            want[number] = {key: float(text) for key, text in pairs}
    assert sorted(want) == [1, 2, 3, 4, 5]
    moves, _ = ledger(read(folder / "subscription.csv"))
    start = date(2020, 3, 1)

    month = retention.retention_between(moves, day_number(start), day_number(date(2020, 4, 1)))
    assert float(month.nrr.value) == pytest.approx(want[1]["net_mrr_retention_rate"])
    assert (month.start, month.end) == (
        want[1]["start_mrr"] * 100,
        want[1]["retain_mrr"] * 100,
    )
    assert 1 - float(month.nrr.value) == pytest.approx(want[1]["net_mrr_churn_rate"])
    assert float(month.logo.value) == pytest.approx(want[2]["retention_rate"])
    assert (month.start_count, month.left_count) == (want[2]["n_start"], want[2]["n_churn"])
    churn = retention.gross_churn_of_totals(
        start=month.start, churn=month.churned, contraction=month.contracted
    )
    assert float(churn.value) == pytest.approx(want[4]["mrr_churn_rate"])
    assert (month.churned, month.contracted) == (
        want[4]["churn_mrr"] * 100,
        want[4]["downsell_mrr"] * 100,
    )

    days = int(want[5]["period_days"])
    quarter = retention.retention_between(
        moves, day_number(start), day_number(start + timedelta(days=days))
    )
    assert (quarter.start_count, quarter.left_count) == (want[5]["n_start"], want[5]["n_churn"])
    measured = retention.logo_churn_of_totals(start=quarter.start_count, left=quarter.left_count)
    assert float(measured.value) == pytest.approx(want[5]["measured_churn"])
    yearly = retention.scaled_churn(measured.value, from_days=days)
    monthly = retention.scaled_churn(measured.value, from_days=days * 12, to_days=365)
    assert float(yearly.value) == pytest.approx(want[5]["annual_churn"])
    assert float(monthly.value) == pytest.approx(want[5]["monthly_churn"])


def test_activity_churn_of_the_outside_key(shared):
    import duckdb

    folder = shared / "oracles" / "fightchurn"
    text = (folder / "churn_rates.txt").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "listing 3" in line)
    want = {
        key: float(number)
        for key, number in (part.strip().split("=") for part in line.split(": ", 1)[1].split(","))
    }
    rows = duckdb.sql(
        f"SELECT DISTINCT account_id, CAST(event_time AS DATE) FROM '{folder}/event.csv.gz'"
    ).fetchall()
    who = np.array([row[0] for row in rows], np.int64)
    day = np.array([day_number(row[1]) for row in rows], np.int64)
    # the peer compares instants with midnight: a month before March 1st is February
    end_of = {month: cohorts.last_day(2020 * 12 + month - 1) for month in (1, 2, 3)}
    found = retention.activity_churn(
        who, day, opened=end_of[2], closed=end_of[3], open_from=end_of[1], close_from=end_of[2]
    )
    assert (float(found.denominator), float(found.numerator)) == (want["n_start"], want["n_churn"])
    assert float(found.value) == pytest.approx(want["churn_rate"])


def test_cohorts_of_cdnow(shared):
    """23,570 customers, 69,659 purchases: who came back in which month, and with how much."""
    who, month, amount = [], [], []
    path = shared / "data" / "cdnow" / "CDNOW_master.txt"
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        customer, day, _, paid = line.split()
        who.append(int(customer))
        month.append(int(day[:4]) * 12 + int(day[4:6]) - 1)
        amount.append(cents(paid))
    table = cohorts.by_month(
        cohorts.cohorts_of_activity(*(np.array(part, np.int64) for part in (who, month, amount)))
    )
    folder = shared / "oracles" / "ledgers"
    counts = read(folder / "CDNOW_cohort_counts_expected.csv")
    revenue = read(folder / "CDNOW_cohort_revenue_expected.csv")
    assert table.keys() == {row["c"] for row in counts}
    for row in counts:
        got = table[row["c"]].counts
        # the key writes 0 where the month has not come yet
        assert [0 if value is None else value for value in got] == [
            int(row[str(age)]) for age in range(18)
        ]
    for row in revenue:
        want = [cents(row[str(age)]) if row[str(age)] else None for age in range(18)]
        assert list(table[row["c"]].amounts) == want


def test_online_retail(shared):
    """Cohorts, repeat purchases and concentration of 407,664 rows of a shop."""
    import json

    import duckdb

    folder = shared / "oracles" / "ledgers"
    want = json.loads((folder / "online_retail_expected.json").read_text(encoding="utf-8"))
    source = shared / "data" / "online_retail" / "dev_online_retail_II_2009_2010.parquet"
    columns = {row[0] for row in duckdb.sql(f"DESCRIBE SELECT * FROM '{source}'").fetchall()}
    key = next(name for name in columns if name.replace(" ", "").lower() == "customerid")
    price = next(name for name in columns if name in {"Price", "UnitPrice"})
    rows = duckdb.sql(
        f"""SELECT CAST("{key}" AS BIGINT), CAST("InvoiceDate" AS DATE),
                   CAST(round("Quantity" * "{price}" * 10000) AS BIGINT)
            FROM '{source}' WHERE "{key}" IS NOT NULL AND "Quantity" > 0 AND "{price}" > 0"""
    ).fetchall()
    assert len(rows) == want["rows_used"]
    days, spent = {}, {}
    for customer, day, amount in rows:
        days.setdefault(customer, set()).add(day)
        spent[customer] = spent.get(customer, 0) + amount
    bought = [len(found) for found in days.values()]
    assert len(days) == want["customers"]
    assert sum(spent.values()) / 10_000 == pytest.approx(want["revenue"], abs=0.01)
    repeat = unit_economics.repeat_purchase_rate(bought)
    assert float(repeat.value) == pytest.approx(want["repeat_purchase_rate_by_day"], abs=1e-6)
    assert sum(bought) / len(bought) == pytest.approx(want["mean_purchase_days"], abs=1e-6)
    top = unit_economics.top_share(list(spent.values()), part=0.1)
    assert float(top.value) == pytest.approx(want["top10pct_revenue_share"], abs=1e-6)

    who = np.array([row[0] for row in rows], np.int64)
    month = np.array([cohorts.month_number(row[1]) for row in rows], np.int64)
    table = cohorts.by_month(cohorts.cohorts_of_activity(who, month))
    expected = read(folder / "online_retail_cohort_counts_expected.csv")
    assert table.keys() == {row["c"] for row in expected}
    for row in expected:
        keyed = [float(row[str(age)]) if row[str(age)] else None for age in range(13)]
        assert list(table[row["c"]].counts) == keyed
