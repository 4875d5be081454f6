"""NRR, GRR and renewal rates: the figures, and what lies behind each of their cells."""

from datetime import date

import pytest
from django.utils.translation import gettext
from factories import NOW, make_customer
from test_web_insight import (  # noqa: F401
    WAN,
    cells,
    get,
    make_contract,
    make_movement,
    number,
    people,
    world,
)

from gengyun.revenue.calc.figure import NOTHING_AT_START
from gengyun.revenue.models import Renewal

pytestmark = pytest.mark.django_db


@pytest.fixture
def due(people, world):  # noqa: F811
    """Three renewals due in 2026-01: 30 renewed at 33, 20 lost, 10 open; another of a stranger."""
    customers = [make_customer(name, owner=people.owner) for name in ("甲方", "乙方", "丙方")]
    on, before = date(2026, 1, 31), date(2025, 2, 1)
    for customer, arr in zip(customers, (30, 20, 10), strict=True):
        make_movement(customer, "new", before, arr, group="core")
    contract = make_contract(customers[0], date(2026, 2, 1))
    answer = {"due_on": on, "group": "core"}
    make_movement(
        customers[0], "renew", date(2026, 2, 1), 3, due_minor=30 * WAN,
        signed_on=date(2026, 1, 20), contract=contract, **answer,
    )  # fmt: skip
    make_movement(customers[1], "churn", date(2026, 2, 1), -20, due_minor=20 * WAN, **answer)
    Renewal.objects.create(
        customer=customers[2], group="core", due_on=on, due_minor=10 * WAN, created_at=NOW
    )
    return customers


def table(get, user, path):  # noqa: F811
    head, *rows = cells(get(user, path).content.decode())
    return head, {row[0].split()[0]: row for row in rows}


def test_nrr_and_grr_of_the_twelve_months_before_each_month(people, world, get):  # noqa: F811
    _head, rows = table(get, people.owner, "/insight/retention/")
    # 2025-03-02 to 2026-03-02: 100 at the start, 85 of it there, 80 without the growth
    last = rows["2026-03"]
    assert last[1:8] == ["100.0", "−20.0", "0", "+5.0", "85.0", "85.0%", "80.0%"]
    assert last[8:] == ["2", "1", "50.0%"]


def test_nobody_at_the_start_is_said_and_not_0(people, world, get):  # noqa: F811
    _head, rows = table(get, people.stranger, "/insight/retention/?window=period")
    assert rows["2026-01"][6] == "—" + gettext(NOTHING_AT_START)
    assert rows["2026-03"][6] == "100.0%"


@pytest.mark.parametrize("window", ["", "period"])
@pytest.mark.parametrize("level", ["customer", "product"])
@pytest.mark.parametrize("column", ["start", "churned", "contracted", "expanded", "end"])
def test_customers_behind_retention_add_up(people, world, get, window, level, column):  # noqa: F811
    asked = f"window={window}&p.level={level}"
    head, rows = table(get, people.admin, f"/insight/retention/?{asked}")
    names = {
        "start": "期初 ARR", "churned": "流失", "contracted": "收缩", "expanded": "扩张",
        "end": "期末还在",
    }  # fmt: skip
    told = rows["2026-02"][head.index(names[column])]
    path = f"/insight/retention/cells/?column={column}&period=2026-02&{asked}"
    html = get(people.admin, path).content.decode()
    if told == "0":
        assert "gy-cells" not in html
        return
    total = [number(text) for text in cells(html)[-1][3:]]
    start, kept, end, change = total
    assert end - start == pytest.approx(change)
    expected = {
        "start": start, "end": end, "churned": -start, "contracted": kept - start,
        "expanded": end - kept,
    }  # fmt: skip
    assert expected[column] == pytest.approx(number(told))


def test_renewal_rates_of_what_came_due(people, due, get):  # noqa: F811
    _head, rows = table(get, people.owner, "/insight/renewals/")
    january = rows["2026-01"]
    assert january[1:6] == ["60.0", "33.0", "30.0", "20.0", "10.0"]
    assert january[6:] == ["55.0%", "50.0%", "3", "1", "33.3%"]
    assert "未定" in january[0]
    assert rows["合计"][1:6] == january[1:6]


def test_late_is_lost_when_the_convention_says_so(people, due, get):  # noqa: F811
    path = "/insight/renewals/?p.attribution=signed_date"
    _head, rows = table(get, people.owner, path)
    assert rows["2026-01"][7] == "50.0%"
    html = get(people.owner, path).content.decode()
    assert "计入签约的期间" in html or "按签约日" in html


@pytest.mark.parametrize("column", ["due", "renewed", "capped", "open", "lost"])
def test_renewals_behind_a_rate_add_up_and_reach_the_contract(people, due, get, column):  # noqa: F811
    _head, rows = table(get, people.owner, "/insight/renewals/")
    told = dict(
        zip(("due", "renewed", "capped", "lost", "open"), rows["2026-01"][1:6], strict=True)
    )
    path = f"/insight/renewals/cells/?column={column}&period=2026-01"
    behind = cells(get(people.owner, path).content.decode())
    total = dict(zip(("due", "renewed"), (number(text) for text in behind[-1][3:]), strict=True))
    if column in {"due", "renewed"}:
        assert total[column] == number(told[column])
    names = {"due": "甲乙丙", "renewed": "甲", "capped": "甲", "open": "丙", "lost": "乙"}[column]
    assert sorted(row[0][0] for row in behind[1:-1]) == sorted(names)


def test_renewals_of_others_are_not_shown(people, due, get):  # noqa: F811
    html = get(people.stranger, "/insight/renewals/cells/?column=due").content.decode()
    assert "甲方" not in html
    assert get(people.stranger, "/insight/renewals/")


@pytest.mark.parametrize("page", ["retention", "renewals"])
@pytest.mark.parametrize("by", ["tier", "owner", "product", "industry", "region"])
def test_breakdowns_and_charts_open(people, due, get, page, by):  # noqa: F811
    html = get(people.admin, f"/insight/{page}/?by={by}").content.decode()
    assert "gy-cells" in html
    data = get(people.admin, f"/insight/{page}.json?grain=quarter").json()
    assert len(data["lines"]) == 3


@pytest.mark.parametrize("page", ["retention", "renewals"])
def test_a_column_that_is_none_is_not_found(people, due, get, page):  # noqa: F811
    get(people.admin, f"/insight/{page}/cells/?column=x", status=404)
    get(people.admin, f"/insight/{page}/cells/?column=start&period=1800-01", status=404)
