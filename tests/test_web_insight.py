"""The insight pages: tables that add up, cells that open down to the contract, scope, conventions."""

import itertools
import re
from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer

from gengyun.revenue.models import Contract, Movement, Product

pytestmark = pytest.mark.django_db
WAN = 1_000_000  # fen
TODAY = date(2026, 3, 2)
_number = itertools.count(1)


def make_contract(customer, starts_on, **values):
    defaults = {
        "number": f"HT-{next(_number):04d}",
        "starts_on": starts_on,
        "ends_on": starts_on + timedelta(days=364),
        "known_at": NOW - timedelta(days=2000),
        "created_at": NOW,
    }
    return Contract.objects.create(customer=customer, **(defaults | values))


def make_movement(customer, kind, on, wan, **values):
    defaults = {
        "currency": "CNY",
        "known_at": NOW - timedelta(days=2000),
        "created_at": NOW,
        "arr_minor": round(wan * WAN),
    }
    return Movement.objects.create(
        customer=customer, kind=kind, effective_on=on, **(defaults | values)
    )


@pytest.fixture
def people():
    return People()


@pytest.fixture
def world(people):
    """Two customers of the owner, one of a stranger; ARR 100 before, 10 new, 5 up, 20 lost."""
    product = Product.objects.create(key="core", name_zh="经营云", name_en="Core", family="core")
    mine = make_customer("云启科技", owner=people.owner)
    lost = make_customer("衡石教育", owner=people.owner)
    other = make_customer("远帆船舶", owner=people.stranger)
    contract = make_contract(mine, date(2024, 6, 1))
    make_movement(mine, "new", date(2024, 6, 1), 80, contract=contract, product=product)
    make_movement(lost, "new", date(2024, 9, 1), 20, product=product)
    make_movement(mine, "upsell", date(2026, 1, 10), 5, contract=contract, product=product)
    make_movement(lost, "churn", date(2026, 2, 1), -20, product=product)
    make_movement(other, "new", date(2026, 2, 5), 10, product=product)
    return {"mine": mine, "lost": lost, "other": other, "contract": contract, "product": product}


@pytest.fixture
def get(client, monkeypatch):
    monkeypatch.setattr("gengyun.web.clock.utc_now", lambda: NOW)

    def ask(user, path, status=200):
        client.force_login(user)
        answer = client.get(path, HTTP_ACCEPT_LANGUAGE="zh")
        assert answer.status_code == status, answer.content[:2000]
        return answer

    return ask


def cells(html):
    """The rows of the table of figures as lists of texts."""
    table = re.search(r'<table class="gy-t gy-cells.*?</table>', html, re.DOTALL)[0]
    rows = re.findall(r"<tr.*?</tr>", table, re.DOTALL)
    return [
        [
            re.sub(r"<.*?>", "", cell).strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
        ]
        for row in rows
    ]


def test_waterfall_adds_up_in_every_row(people, world, get):
    html = get(people.admin, "/insight/").content.decode()
    _head, *rows = cells(html)
    assert len(rows) == 13  # twelve months and the sum
    for row in rows:
        opening, *moved, net, closing = [
            float(x.replace("−", "-").replace(",", "")) for x in row[1:]
        ]
        assert opening + sum(moved) == pytest.approx(closing)
        assert closing - opening == pytest.approx(net)
    assert rows[-1][1:] == ["100.0", "+10.0", "+5.0", "0", "−20.0", "−5.0", "95.0"]


def test_a_cell_opens_down_to_customers_movements_and_the_contract(people, world, get):
    html = get(people.admin, "/insight/cells/?column=expansion&period=2026-01").content.decode()
    assert "云启科技" in html
    assert "衡石教育" not in html
    assert f"?contract={world['contract'].pk}#contract-{world['contract'].pk}" in html
    assert world["contract"].number in html
    assert cells(html)[-1][-1] == "+5.0"


@pytest.mark.parametrize("column", ["opening", "new", "churn", "expansion", "net", "closing"])
@pytest.mark.parametrize("basis", ["recorded", "events", "snapshot"])
@pytest.mark.parametrize("where", ["", "&period=2026-02", "&by=product&seg={product}"])
def test_every_cell_holds_what_the_table_says(people, world, get, column, basis, where):
    where = where.format(product=world["product"].pk)
    by = "by=product&" if "by=" in where else ""
    head, *rows = cells(get(people.admin, f"/insight/?{by}p.basis={basis}").content.decode())
    wanted = {"": -1, "&period=2026-02": -3}.get(where, 0)
    names = {
        "opening": "期初 ARR", "new": "新签", "churn": "流失", "expansion": "扩张", "net": "净变动",
        "closing": "期末 ARR",
    }  # fmt: skip
    told = rows[wanted][head.index(names[column])]
    html = get(people.admin, f"/insight/cells/?column={column}&p.basis={basis}{where}")
    text = html.content.decode()
    if told == "0":
        assert "gy-cells" not in text
    else:
        behind = cells(text)
        assert number(behind[-1][-1]) == number(told)
        parts = [row for row in behind[1:-1] if row[0] in {"云启科技", "衡石教育", "远帆船舶"}]
        assert sum(number(row[-1]) for row in parts) == pytest.approx(number(told))


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


def test_who_does_not_see_a_customer_sees_no_figure_of_it(people, world, get):
    rows = cells(get(people.owner, "/insight/").content.decode())
    assert rows[-1][1] == "100.0"
    assert rows[-1][-1] == "85.0"  # without the ten of the stranger's customer
    html = get(people.owner, "/insight/cells/?column=new").content.decode()
    assert "远帆船舶" not in html
    get(people.owner, f"/insight/ledger/{world['other'].pk}/", status=404)
    assert "远帆船舶" in get(people.stranger, "/insight/cells/?column=closing").content.decode()


def test_figures_as_they_were_known_on_a_past_day(people, world, get):
    make_movement(world["mine"], "correction", date(2025, 12, 1), -8, known_at=NOW)
    now = cells(get(people.admin, "/insight/").content.decode())
    then = cells(get(people.admin, "/insight/?known=2026-03-01").content.decode())
    assert (now[-1][-1], then[-1][-1]) == ("87.0", "95.0")


def test_the_ledger_of_a_customer_ends_on_its_arr(people, world, get):
    html = get(people.owner, f"/insight/ledger/{world['mine'].pk}/").content.decode()
    rows = cells(html)
    assert [row[4] for row in rows[1:]] == ["+800,000.00", "+50,000.00"]
    assert rows[-1][5] == "850,000.00"


def test_the_chart_hangs_every_bar_where_the_one_before_ended(people, world, get):
    data = get(people.admin, "/insight/waterfall.json").json()
    steps = data["steps"]
    for before, step in itertools.pairwise(steps[:-1]):
        assert step["from"] == pytest.approx(before["to"])
    assert (steps[0]["to"], steps[-1]["to"]) == (100, 95)


@pytest.mark.parametrize(
    "query",
    ["column=nonsense", "column=new&period=1999-01", "column=upsell", "column="],
)
def test_a_cell_that_does_not_exist_is_not_found(people, world, get, query):
    get(people.admin, f"/insight/cells/?{query}", status=404)


@pytest.mark.parametrize(
    "query",
    ["span=x&grain=x&by=x&known=x&p.basis=x", "span=days&since=1066-01-01", "known=9999-12-31",
     "span=days&since=2030-01-01&until=2029-01-01", "p.grouping_days=-5&p.nonsense=1"],
)  # fmt: skip
def test_an_address_that_makes_no_sense_still_opens(people, world, get, query):
    get(people.admin, f"/insight/?{query}")


def test_without_movements_the_page_says_what_to_do(people, get):
    assert "还没有合同" in get(people.admin, "/insight/").content.decode()


def exported(client, user, monkeypatch, settings, tmp_path, **query):
    settings.DATA_DIR = tmp_path
    client.force_login(user)
    answer = client.post("/exports/", {"form": "csv", **query}, follow=True)
    assert answer.status_code == 200, answer.content[:1000]
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return [line.split(",") for line in text.splitlines()]


@pytest.mark.parametrize(
    "page", ["waterfall", "retention", "renewals", "cohorts", "concentration", "economics"]
)
def test_tables_are_exported_as_figures(
    people, world, client, monkeypatch, settings, tmp_path, page
):
    monkeypatch.setattr("gengyun.web.clock.utc_now", lambda: NOW)
    monkeypatch.setattr("gengyun.web.listings_insight.utc_now", lambda: NOW)
    rows = exported(
        client, people.admin, monkeypatch, settings, tmp_path, listing="insight", page=page
    )
    assert len({len(row) for row in rows}) == 1
    if page == "waterfall":
        assert [float(x) for x in rows[-1][1:]] == [1e6, 1e5, 5e4, 0, -2e5, -5e4, 9.5e5]


@pytest.mark.parametrize("of", ["arr", "kept", "due"])
def test_customers_behind_a_cell_are_exported(
    people, world, client, monkeypatch, settings, tmp_path, of
):
    monkeypatch.setattr("gengyun.web.clock.utc_now", lambda: NOW)
    monkeypatch.setattr("gengyun.web.listings_insight.utc_now", lambda: NOW)
    column = {"arr": "closing", "kept": "start", "due": "due"}[of]
    rows = exported(
        client, people.owner, monkeypatch, settings, tmp_path,
        listing="insight_cell", of=of, column=column,
    )  # fmt: skip
    names = {row[1] for row in rows[1:]}
    assert names == {"arr": {"云启科技"}, "kept": {"云启科技", "衡石教育"}, "due": set()}[of]


def test_economics_are_exported_only_for_those_who_may_see_them(people, world, client):
    client.force_login(people.owner)
    answer = client.post("/exports/", {"listing": "insight", "page": "economics", "form": "csv"})
    assert answer.status_code == 403
