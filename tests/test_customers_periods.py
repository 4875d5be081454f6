"""Subscription periods: since when a customer is with us without a break, as of any day."""

from datetime import date, timedelta

import pytest
from factories import NOW, make_customer
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.actions.importing import check_import, prepare_import, run_import
from gengyun.customers.calc.tenure import GAP_DAYS, customer_since
from gengyun.customers.models import Customer, FieldChange
from gengyun.customers.queries.as_of import field_values, field_values_on

FIRST = date(2025, 1, 1)


def day(number):
    return FIRST + timedelta(days=number)


def test_a_renewal_signed_a_month_late_is_no_new_start():
    changes = customer_since([(day(0), day(30)), (day(61), day(90)), (day(122), None)])
    assert changes == [
        (day(0), day(0)),
        (day(30), None),
        (day(61), day(0)),
        (day(90), None),
        (day(122), day(122)),
    ]


def slowly(periods, on):
    """The start of the run by walking backwards from a day."""
    if not any(start <= on and (end is None or on < end) for start, end in periods):
        return None
    since = max(start for start, end in periods if start <= on and (end is None or on < end))
    while True:
        earlier = [
            start
            for start, end in periods
            if start < since and (end is None or end >= since - timedelta(days=GAP_DAYS))
        ]
        if not earlier:
            return since
        since = max(earlier)


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.one_of(st.none(), st.integers(1, 80))).map(
            lambda pair: (day(pair[0]), None if pair[1] is None else day(pair[0] + pair[1]))
        ),
        max_size=6,
    )
)
def test_the_start_of_the_run_agrees_with_walking_backwards(periods):
    changes = customer_since(periods)
    assert [at for at, _ in changes] == sorted({at for at, _ in changes})
    for number in range(0, 400, 3):
        known = [since for at, since in changes if at <= day(number)]
        assert (known[-1] if known else None) == slowly(periods, day(number))


@pytest.fixture
def folder(settings, tmp_path, db):
    settings.DATA_DIR = tmp_path
    return tmp_path


def bring_in(folder, *lines):
    path = folder / "periods.csv"
    path.write_text("\n".join(["客户编号,开始日期,到期日期", *lines]), encoding="utf-8")
    run = prepare_import(actor=None, now=NOW, kind="periods", file_name=path.name, path=path)
    run = check_import(actor=None, now=NOW, run=run, mapping=run.mapping, options={})
    return run_import(actor=None, now=NOW, run=run)


def test_periods_become_the_dated_history_of_the_start(folder):
    customer = make_customer(external_id="c1")
    run = bring_in(folder, "c1,2025-03-01,2025-06-01", "c1,2025-01-01,2025-03-01", "c2,2025-01-01,")
    assert (run.changed_count, run.same_count, run.error_count) == (1, 1, 1)
    customer.refresh_from_db()
    assert customer.started_on is None  # it ended
    for on, since in (
        (date(2024, 12, 31), None),
        (date(2025, 1, 1), FIRST),
        (date(2025, 5, 31), FIRST),
        (date(2025, 6, 1), None),
    ):
        found = field_values(fields=["started_on"], as_of=on, customer_ids=[customer.pk])
        assert found["started_on"].get(customer.pk) == since
        several = {
            at: dict(values["started_on"])
            for at, values in field_values_on(
                fields=["started_on"], as_ofs=[on, date(2025, 2, 1)], customer_ids=[customer.pk]
            )
        }
        assert several[on].get(customer.pk) == since
    assert Customer.objects.get().known_at < NOW
    before = FieldChange.objects.count()
    again = bring_in(folder, "c1,2025-03-01,2025-06-01", "c1,2025-01-01,2025-03-01")
    assert (again.changed_count, again.same_count) == (0, 2)
    assert FieldChange.objects.count() == before


def test_a_renewal_that_came_later_goes_on_with_the_run(folder):
    customer = make_customer(external_id="c1")
    bring_in(folder, "c1,2025-01-01,2025-06-01")
    bring_in(folder, "c1,2025-01-01,2025-06-01", "c1,2025-06-20,")
    customer.refresh_from_db()
    assert customer.started_on == FIRST


def test_rows_that_make_no_sense_are_refused(folder):
    make_customer(external_id="c1")
    run = bring_in(folder, "c1,2025-03-01,2025-02-01", "c1,,2025-02-01", ",2025-01-01,")
    assert (run.changed_count, run.error_count) == (0, 3)
    assert not FieldChange.objects.filter(field="started_on").exists()
