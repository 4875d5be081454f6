"""The matrix of use per customer and day: what was known by then, and nothing else."""

from datetime import date, timedelta

import numpy as np
import pytest
from factories import NOW, make_customer
from lake_events import arrow, event

from gengyun.lake.store import Lake
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.queries.usage_days import usage_days

AS_OF = date(2026, 3, 2)
pytestmark = pytest.mark.django_db


def ago(count):
    return AS_OF - timedelta(days=count)


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path / "lake")
    rows = [
        event(7, on=ago(1)),
        event(7, on=ago(1), name="export"),
        event(7, on=ago(2), known=ago(1)),  # late, but known by then
        event(7, on=ago(2)),
        event(7, on=ago(3), known=AS_OF),  # not known before the day began
        event(7, on=AS_OF),
        event(7, on=ago(40)),  # before the window: two days
        event(7, on=ago(40), name="export"),
        event(7, on=ago(30)),
        event(9, on=ago(50)),
        event(9, on=ago(50), kind="identify", name=""),
    ]
    lake.append("events", arrow(rows))
    roll_up(lake=lake, now=NOW)
    return lake


def test_the_matrix_holds_what_was_known_before_the_day(lake):
    found = usage_days(AS_OF, days=10, lake=lake)
    assert found.start == ago(10)
    assert found.customer_ids.tolist() == [7, 9]
    assert found.use.tolist() == [[0] * 8 + [2, 2], [0] * 10]
    assert found.active_days_before.tolist() == [2, 1]
    assert found.last_on.tolist() == [ago(1), ago(50)]


def test_a_day_later_it_knows_more(lake):
    found = usage_days(AS_OF + timedelta(days=1), days=10, lake=lake)
    assert found.of(7).tolist() == [0, 0, 0, 0, 0, 0, 1, 2, 2, 1]


def test_customers_asked_for_have_a_row_even_without_use(lake):
    found = usage_days(AS_OF, customer_ids=[12, 7], days=3, lake=lake)
    assert found.customer_ids.tolist() == [7, 12]
    assert found.use.tolist() == [[0, 2, 2], [0, 0, 0]]
    assert np.isnat(found.last_on[1])
    assert found.of(9) is None


def test_an_empty_lake_has_no_rows(tmp_path):
    found = usage_days(AS_OF, lake=Lake(tmp_path / "lake"))
    assert found.use.shape == (0, 182)
    assert found.calendar().outages == ()


def test_an_industry_of_eight_customers_has_a_calendar_of_its_own(tmp_path):
    from gengyun.alerts.queries.day import Day

    lake = Lake(tmp_path / "lake")
    known = NOW - timedelta(days=400)
    schools = [make_customer(industry="教育", known_at=known) for _ in range(8)]
    shops = [make_customer(industry="零售", known_at=known) for _ in range(7)]
    nobody = make_customer(known_at=known)
    lake.append("events", arrow([event(one.pk, on=ago(3)) for one in [*schools, *shops, nobody]]))
    roll_up(lake=lake, now=NOW)
    day = Day(AS_OF, now=NOW, lake=lake)
    own = dict(zip(day.usage.customer_ids.tolist(), day.industries.tolist(), strict=True))
    assert {own[one.pk] for one in schools} == {0}
    assert {own[one.pk] for one in [*shops, nobody]} == {-1}
    assert day.calendar.by_group.shape == (2, 182)
    assert sorted(set(day.calendar.groups.tolist())) == [0, 1]
