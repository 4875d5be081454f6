"""Cohorts, bow-tie, concentration, unit economics, capacity, share of wallet."""

import re
from datetime import date

import pytest
from factories import NOW, make_customer, make_user
from test_web_insight import (  # noqa: F401
    WAN,
    cells,
    get,
    make_movement,
    number,
    people,
    world,
)

from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.revenue.calc.cohort_groups import grouped
from gengyun.revenue.calc.cohorts import CohortRow
from gengyun.revenue.models import RevenueSettings, Spend, WalletBudget

pytestmark = pytest.mark.django_db


def spend(kind, month, wan, **values):
    return Spend.objects.create(
        kind=kind, month=month, amount_minor=wan * WAN, known_at=NOW, **values
    )


def test_cohorts_of_a_quarter_are_those_of_its_months():
    jan = 2025 * 12
    rows = [
        CohortRow(jan, 4, (4, 3, 3, 2, 2, 1, 1), (40, 30, 30, 20, 20, 10, 10)),
        CohortRow(jan + 2, 2, (2, 2, 2, 1, 1, None, None), (20, 20, 20, 10, 10, None, None)),
    ]
    (quarter,) = grouped(rows, 3, jan + 6)
    assert (quarter.size, quarter.arr) == (6, 60)
    # March and June: 3 + 2 and 1 + 1 customers
    assert quarter.counts == (5, 2)
    assert float(quarter.share(1, by_count=True).value) == pytest.approx(2 / 6)
    assert float(quarter.share(1, by_count=False).value) == pytest.approx(20 / 60)


def test_a_period_that_has_not_ended_shows_no_age():
    jan = 2025 * 12
    (quarter,) = grouped([CohortRow(jan, 1, (1, 1), (5, 5))], 3, jan + 1)
    assert (quarter.size, quarter.counts) == (1, ())


def test_cohort_cells_open_down_to_their_customers(people, world, get):  # noqa: F811
    path = "/insight/cohorts/?span=4y&grain=quarter"
    html = get(people.admin, path).content.decode()
    _head, *rows = cells(html)
    by_name = {row[0]: row for row in rows}
    assert by_name["2024 二季度"][1:4] == ["1", "80.0", "100%"]
    assert by_name["2024 三季度"][-1] in {"0%", ""}
    link = re.search(r"/insight/cohorts/cells/\?cohort=(\d+)&amp;age=2&amp;", html)
    cell = get(
        people.admin, f"/insight/cohorts/cells/?cohort={link[1]}&age=2&span=4y&grain=quarter"
    )
    assert "云启科技" in cell.content.decode()
    get(people.admin, "/insight/cohorts/cells/?cohort=1&age=0", status=404)
    get(people.admin, "/insight/cohorts/cells/", status=302)


def test_who_came_back_began_when_they_first_came(people, get):  # noqa: F811
    customer = make_customer("回流客户", owner=people.owner)
    make_movement(customer, "new", date(2020, 5, 1), 10)
    make_movement(customer, "churn", date(2021, 5, 1), -10)
    make_movement(customer, "win_back", date(2025, 6, 1), 10)
    html = get(people.admin, "/insight/cohorts/").content.decode()
    assert "0 家" in html or "没有客户" in html


def test_the_five_largest_and_their_share(people, world, get):  # noqa: F811
    html = get(people.admin, "/insight/concentration/").content.decode()
    rows = cells(html)
    assert [row[0] for row in rows[1:]] == ["云启科技", "远帆船舶"]
    assert rows[1][1:] == ["85.0", "89.5%", "89.5%"]
    assert rows[2][3] == "100.0%"


def test_what_cannot_be_computed_says_why(people, world, get):  # noqa: F811
    html = get(people.admin, "/insight/economics/").content.decode()
    assert "∞" not in html
    assert "inf" not in re.sub(r"<[^>]*>", "", html).lower().replace("info", "")
    assert html.count('class="none"') >= 3  # no spend, no margin, no curve


def test_cac_and_payback_from_spend(people, world, get):  # noqa: F811
    RevenueSettings.objects.create(pk=1, gross_margin_bp=8000)
    for month in (1, 2):
        spend("sales_marketing", date(2026, month, 1), 5)
    html = get(people.admin, "/insight/economics/").content.decode()
    text = re.sub(r"<[^>]*>", " ", html)
    # 10 spent for one customer with an ARR of 10: 10 / (10 / 12 x 0.8) = 15 months
    assert "15 个月" in text
    assert "10.0 万" in text


def test_economics_are_not_for_everybody(people, world, get):  # noqa: F811
    for user in (people.owner, people.viewer):
        for page in ("economics", "capacity"):
            get(user, f"/insight/{page}/", status=403)
        assert "/insight/economics/" not in get(user, "/insight/").content.decode()
    get(people.leader, "/insight/economics/")


@pytest.fixture
def loads(people):  # noqa: F811
    """Two CSMs of the team: 760 and 300 in their hands, both earning 24 a year."""
    for user in (people.owner, people.colleague):
        spend("salary", date(2026, 1, 1), 2, user=user)
    rows = [(people.owner, 500), (people.owner, 200), (people.owner, 60), (people.colleague, 420)]
    made = [
        make_customer(f"客户{n}", owner=owner, arr_minor=arr * WAN)
        for n, (owner, arr) in enumerate(rows)
    ]
    refresh_summaries(customer_ids=[one.pk for one in made], now=NOW)
    return made


def test_capacity_and_the_plan_that_evens_it_out(people, loads, get, client):  # noqa: F811
    html = get(people.leader, "/insight/capacity/").content.decode()
    rows = {row[0]: row for row in cells(html)[1:]}
    assert rows[people.owner.name][5] == "31.7"
    assert rows[people.colleague.name][5] == "17.5"
    html = get(people.leader, "/insight/capacity/?plan=1").content.decode()
    assert f'value="{loads[2].pk}-{people.colleague.pk}"' in html
    loads[2].refresh_from_db()
    assert loads[2].owner == people.owner  # a preview changes nothing
    answer = client.post("/insight/capacity/", {"move": [f"{loads[2].pk}-{people.colleague.pk}"]})
    assert answer.status_code == 302
    loads[2].refresh_from_db()
    assert loads[2].owner == people.colleague


def test_who_renews_soon_stays(people, loads, get):  # noqa: F811
    loads[2].renews_on = date(2026, 4, 1)
    loads[2].save()
    refresh_summaries(customer_ids=[loads[2].pk], now=NOW)
    html = get(people.leader, "/insight/capacity/?plan=1").content.decode()
    assert f'value="{loads[2].pk}-' not in html
    html = get(people.leader, "/insight/capacity/?plan=1&keep_days=0").content.decode()
    assert f'value="{loads[2].pk}-' in html


def test_a_stranger_neither_sees_nor_hands_over(people, loads, get, client):  # noqa: F811
    html = get(people.stranger, "/insight/capacity/?plan=1").content.decode()
    assert people.owner.name not in html
    other = make_user("csm")
    answer = client.post("/insight/capacity/", {"move": [f"{loads[0].pk}-{other.pk}"]})
    assert answer.status_code == 404
    loads[0].refresh_from_db()
    assert loads[0].owner == people.owner


@pytest.mark.parametrize("move", ["", "x", "1-999999", "²-1"])
def test_a_plan_of_nonsense_is_refused(people, loads, get, client, move):  # noqa: F811
    client.force_login(people.leader)
    answer = client.post("/insight/capacity/", {"move": [move]})
    assert answer.status_code in {404, 422}


def test_share_of_wallet_of_those_who_named_a_budget(people, world, get):  # noqa: F811
    WalletBudget.objects.create(
        customer=world["mine"], category="core", year=2026, amount_minor=340 * WAN, known_at=NOW,
        said_by="王总", said_on=date(2026, 1, 5),
    )  # fmt: skip
    rows = cells(get(people.owner, "/insight/wallet/").content.decode())
    assert rows[1][2:5] == ["340.0 万", "85.0 万", "25.0%"]
    assert "王总" in rows[1][7]
    html = get(people.stranger, "/insight/wallet/").content.decode()
    assert "云启科技" not in html


def test_bow_tie_counts_what_came_in_and_what_grew(people, world, get):  # noqa: F811
    refresh_summaries(customer_ids=[world[name].pk for name in ("mine", "lost", "other")], now=NOW)
    html = get(people.admin, "/insight/funnel/").content.decode()
    steps = re.findall(r'class="t">(.*?)</span><span class="n"><a href="[^"]*">(\d+)</a>', html)
    assert len(steps) == 9
    found = dict(steps)
    assert found["新签客户"] == "1"
    assert found["付费客户"] == "2"
    assert found["其中扩张"] == "1"


@pytest.mark.parametrize(
    "page", ["cohorts", "funnel", "concentration", "economics", "capacity", "wallet"]
)
def test_pages_open_without_any_data(people, get, page):  # noqa: F811
    get(people.admin, f"/insight/{page}/")


def test_spend_of_the_company_is_not_divided_by_a_part_of_it(people, world, get):  # noqa: F811
    spend("sales_marketing", date(2026, 1, 1), 5)
    html = get(people.leader, "/insight/economics/").content.decode()
    assert "费用是全公司的" in html
    assert "没有录入" not in html
