"""Dirty files that other systems really wrote: every refused row explained, totals to the cent."""

import csv
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db.models import Count, Sum
from factories import make_tiers

from gengyun.customers.actions import importing
from gengyun.customers.models import Customer

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NOW = datetime(2025, 1, 15, 2, tzinfo=UTC)
SUBSCRIPTIONS = "ravenstack/ravenstack_subscriptions.csv"


@pytest.fixture
def import_file(settings, tmp_path, shared):
    settings.DATA_DIR = tmp_path
    make_tiers()

    def run(kind, path, **options):
        given = {"actor": None, "now": NOW}
        path = shared / "data" / path
        made = importing.prepare_import(**given, kind=kind, file_name=path.name, path=path)
        made = importing.check_import(**given, run=made, options=options)
        return importing.run_import(**given, run=made)

    return run


def rows_of(shared, path):
    with (shared / "data" / path).open(newline="") as file:
        return list(csv.DictReader(file))


def counts(run):
    return run.created_count, run.changed_count, run.same_count, run.error_count


def totals(run):
    return {total["measure"]: total for total in run.outcome["totals"]}


def refused(run):
    """Row, and the reason beside it, of the file of refused rows."""
    from django.conf import settings

    if not run.error_path:
        return []
    with (settings.DATA_DIR / run.error_path).open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))[1:]


def test_ravenstack_subscriptions_add_up_to_the_file(import_file, shared):
    from gengyun.revenue.models import Contract, Line, Movement

    rows = rows_of(shared, SUBSCRIPTIONS)
    import_file("customers", "ravenstack/ravenstack_accounts.csv")
    asked = {"product": "RavenStack", "create_products": True, "currency": "USD", "history": True}
    run = import_file("contracts", SUBSCRIPTIONS, **asked)

    assert counts(run) == (5000, 0, 0, 0)
    file_arr = sum(int(row["arr_amount"]) for row in rows) * 100
    found = totals(run)
    assert (found["annual"]["file"], found["annual"]["created"]) == (file_arr, file_arr)
    assert found["arr_minor"]["created"] == file_arr
    assert found["monthly"]["file"] == sum(int(row["mrr_amount"]) for row in rows) * 100
    assert Line.objects.aggregate(all=Sum("arr_minor"))["all"] == file_arr
    assert dict(Line.objects.order_by().values_list("rule").annotate(Count("pk"))) == {
        "by_yearly_price": sum(row["is_trial"] == "False" for row in rows),
        "trial_zero": sum(row["is_trial"] == "True" for row in rows),
    }
    # what the ledger holds in the end is what the file leaves open, customer by customer
    left = Counter()
    for row in rows:
        if not row["end_date"]:
            left[row["account_id"]] += int(row["arr_amount"]) * 100
    held = dict(
        Movement.objects.order_by().values_list("customer__external_id").annotate(Sum("arr_minor"))
    )
    assert {key: arr for key, arr in held.items() if arr} == {k: v for k, v in left.items() if v}
    # ... and on a day in between, what the file says was running then
    day = date(2024, 6, 30)
    running = sum(
        int(row["arr_amount"]) * 100
        for row in rows
        if row["start_date"] <= day.isoformat()
        and (not row["end_date"] or row["end_date"] >= day.isoformat())
    )
    upto = Movement.objects.filter(effective_on__lte=day)
    assert upto.aggregate(all=Sum("arr_minor"))["all"] == running
    assert not Movement.objects.filter(known_at__gt=NOW).exists()
    assert Contract.objects.filter(auto_renew=True).count() == sum(
        row["auto_renew_flag"] == "True" for row in rows
    )
    # 4,492 subscriptions run beside others of their account: they go in, and it is said
    assert dict(run.outcome["flagged"])["overlaps"] == 4492
    one = Customer.objects.get(external_id="A-3c1a3f")
    assert one.arr_minor == left["A-3c1a3f"]

    again = import_file("contracts", SUBSCRIPTIONS, **asked)
    assert counts(again) == (0, 0, 5000, 0)
    assert Movement.objects.aggregate(all=Sum("arr_minor"))["all"] == sum(left.values())


def test_ravenstack_with_ends_that_are_not_covered_refuses_empty_terms(import_file, shared):
    """Where the last day is the first that is not covered, 13 terms have no day at all."""
    rows = rows_of(shared, SUBSCRIPTIONS)
    import_file("customers", "ravenstack/ravenstack_accounts.csv")
    run = import_file(
        "contracts", SUBSCRIPTIONS,
        product="RavenStack", create_products=True, currency="USD", end_day="after",
    )  # fmt: skip
    empty = [row for row in rows if row["end_date"] == row["start_date"]]
    assert counts(run) == (4987, 0, 0, len(empty))
    assert run.outcome["reasons"] == [["end_before_start", 13]]
    lost = sum(int(row["arr_amount"]) for row in empty) * 100
    found = totals(run)["annual"]
    assert (found["error"], found["file"]) == (lost, found["created"] + lost)
    told = refused(run)
    assert {row[0] for row in told} == {row["subscription_id"] for row in empty}
    assert all(row[-1] for row in told)


def test_ravenstack_refunds_come_in_and_zeroes_are_told(import_file, shared):
    from gengyun.revenue.models import Payment

    path = "ravenstack/ravenstack_churn_events.csv"
    rows = rows_of(shared, path)
    import_file("customers", "ravenstack/ravenstack_accounts.csv")
    run = import_file("payments", path, currency="USD")
    refunds = [Decimal(row["refund_amount_usd"]) for row in rows]
    assert counts(run) == (142, 0, 0, 458)
    assert run.outcome["reasons"] == [["amount_zero", sum(not value for value in refunds)]]
    assert totals(run)["refund"]["file"] == sum(refunds) * 100
    assert Payment.objects.aggregate(all=Sum("amount_minor"))["all"] == -sum(refunds) * 100
    assert len(refused(run)) == 458
    again = import_file("payments", path, currency="USD")
    assert counts(again) == (0, 0, 142, 458)


def test_maven_pipeline_comes_in_and_every_row_without_a_customer_is_told(import_file, shared):
    from gengyun.revenue.actions.opportunity_stages import install_defaults
    from gengyun.revenue.models import Movement, Opportunity, Product

    path = "maven_crm/sales_pipeline.csv"
    rows = rows_of(shared, path)
    install_defaults(now=NOW)
    import_file("customers", "maven_crm/accounts.csv")
    run = import_file("opportunities", path, create_products=True, currency="USD")
    nobody = [row for row in rows if not row["account"]]
    assert counts(run) == (len(rows) - len(nobody), 0, 0, len(nobody))
    assert run.outcome["reasons"] == [["customer_missing", len(nobody)]]
    won = sum(Decimal(row["close_value"]) for row in rows if row["deal_stage"] == "Won") * 100
    assert won == 10_005_534_00
    found = totals(run)["amount"]
    assert (found["file"], found["created"], found["error"]) == (won, won, 0)
    by_stage = dict(Opportunity.objects.order_by().values_list("stage__key").annotate(Count("pk")))
    assert by_stage == {"won": 4238, "lost": 2473, "found": 163, "qualified": 501}
    of_won = Opportunity.objects.filter(stage__is_won=True)
    assert of_won.aggregate(all=Sum("amount_minor"))["all"] == won
    assert Product.objects.count() == 7
    assert not Movement.objects.exists()  # what was signed comes with the contracts
    told = refused(run)
    assert {row[0] for row in told} == {row["opportunity_id"] for row in nobody}
    assert {row[-1] for row in told} == {
        row[-1] for row in told if "account" in row[-1] or "客户" in row[-1]
    }
    again = import_file("opportunities", path, create_products=True, currency="USD")
    assert counts(again) == (0, 0, len(rows) - len(nobody), len(nobody))
