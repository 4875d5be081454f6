"""The health page: the biggest mover and its cause, the matrix, missing data, whose rows they are."""

import re
from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer
from test_health_judge import EARLY, card, run

from gengyun.customers.actions.defaults import install_defaults as install_tiers
from gengyun.customers.models import Tier
from gengyun.health.models import HealthScore
from gengyun.lake.store import Lake
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
WAN = 1_000_000


@pytest.fixture
def people(settings, tmp_path):
    settings.DATA_DIR, settings.LAKE_DIR = tmp_path, tmp_path / "lake"
    install_metrics(now=NOW)
    install_tiers(now=EARLY)
    return People()


@pytest.fixture
def world(people):
    """Three customers of the owner, one of a stranger; judged a quarter, four weeks, a week ago
    and today."""
    card()
    tier = Tier.objects.get(key="strategic")
    rows = {
        "slide": make_customer("滑坡科技", owner=people.owner, tier=tier, arr_minor=50 * WAN),
        "rise": make_customer("上升制造", owner=people.owner, arr_minor=10 * WAN),
        "calm": make_customer("平稳商贸", owner=people.owner, arr_minor=None),
        "other": make_customer("别家公司", owner=people.stranger, arr_minor=900 * WAN),
    }
    for customer in rows.values():
        customer.known_at = EARLY
        customer.save()
    lake = Lake.default()
    pks = {name: customer.pk for name, customer in rows.items()}
    for back, (slide, rise, calm) in ((91, (95, 30, 70)), (28, (90, 40, 70)), (7, (85, 55, 70)),
                                      (0, (60, 70, None))):  # fmt: skip
        values = {pks["slide"]: slide, pks["rise"]: rise, pks["calm"]: calm, pks["other"]: 10}
        run(lake, DAY - timedelta(days=back), values)
    refresh_summaries(now=NOW)
    return rows


def text_of(answer):
    assert answer.status_code == 200, answer.content.decode()[:800]
    return answer.content.decode()


def open_page(client, user, path="/health/", language="en"):
    user.language = language
    user.save()
    client.force_login(user)
    return text_of(client.get(path))


def test_a_leader_reads_the_biggest_mover_and_its_cause(world, people, client):
    page = open_page(client, people.leader)
    lead = re.search(r'<div class="gy-head">.*?</p>', page, re.DOTALL)[0]
    assert "滑坡科技" in lead
    assert "by 25 points" in lead
    assert "because of Events, 30 days" in lead
    row = re.search(
        rf'<tr data-row data-href="/customers/{world["slide"].pk}/">.*?</tr>', page, re.DOTALL
    )[0]
    assert "▼ 25" in row
    assert "85 → 60" in row  # the value behind it
    assert f"/customers/{world['slide'].pk}/?against=week#s-health" in row


@pytest.mark.parametrize("since, points", [("week", 25), ("month", 30), ("quarter", 35)])
def test_any_span_can_be_compared(world, people, client, since, points):
    page = open_page(client, people.leader, f"/health/?since={since}")
    assert f"by {points} points" in page


def test_the_order_by_arr_puts_the_largest_first(world, people, client):
    page = open_page(client, people.operations, "/health/?sort=arr&since=quarter")
    assert "The largest that fell is 滑坡科技" in page


def test_nobody_sees_the_customers_of_others(world, people, client):
    for user, sees in ((people.leader, True), (people.stranger, False), (people.colleague, False)):
        page = open_page(client, user)
        assert ("滑坡科技" in page) is sees, user
        assert ("别家公司" in page) is False or user == people.stranger
    numbers = open_page(client, people.colleague)
    assert "滑坡科技" not in numbers
    chart = client.get("/health/weeks.json").json()
    assert all(total == 0 for total in chart["values"])


def test_the_matrix_counts_by_tier_and_by_arr_and_opens_lists(world, people, client):
    page = open_page(client, people.leader)
    tier = Tier.objects.get(key="strategic").pk
    found = re.search(rf'href="([^"]*f=band\.in\.C&(?:amp;)?f=tier\.is\.{tier}[^"]*)"', page)
    assert found
    listed = text_of(client.get(found[1].replace("&amp;", "&")))
    assert "滑坡科技" in listed
    assert "上升制造" not in listed
    by_arr = text_of(
        client.get("/health/?by=arr", headers={"HX-Request": "true", "HX-Target": "matrix"})
    )
    assert "<html" not in by_arr
    assert "f=arr.gte.30000000" in by_arr
    link = re.search(r'href="([^"]*f=arr\.gte\.30000000[^"]*)"', by_arr)[1].replace("&amp;", "&")
    assert "滑坡科技" in text_of(client.get(link))


def test_missing_data_opens_the_customers_that_lack_it(world, people, client):
    page = open_page(client, people.leader)
    assert "/health/missing/events_30d/" in page
    rows = text_of(client.get("/health/missing/events_30d/"))
    assert "平稳商贸" in rows
    assert "滑坡科技" not in rows
    assert client.get("/health/missing/no-such/").status_code == 404
    assert "平稳商贸" in text_of(client.get("/health/missing/number/"))


def test_the_chart_marks_new_rules(world, people, client):
    from gengyun.health.actions.scorecards import publish_version
    from gengyun.health.models import Scorecard

    made = Scorecard.objects.get()
    config = made.versions.get().config
    publish_version(actor=None, now=NOW, scorecard=made, config=config, effective_from=DAY)
    client.force_login(people.leader)
    chart = client.get("/health/weeks.json").json()
    assert [mark["name"] for mark in chart["marks"]] == ["v2"]
    assert "v2" in chart["note"]
    run(Lake.default(), DAY, {world["slide"].pk: 60})
    own = client.get(f"/customers/{world['slide'].pk}/score.json").json()
    assert [mark["name"] for mark in own["marks"]] == ["v2"]


def test_the_page_is_calm_before_the_first_judgement(people, client):
    page = open_page(client, people.leader)
    assert "Nothing judged yet" in page
    chinese = open_page(client, people.leader, language="zh-hans")
    assert "还没有评分" in chinese


def test_a_week_without_an_earlier_day_says_so(people, client):
    card()
    one = make_customer(owner=people.owner, known_at=EARLY)
    run(Lake.default(), DAY, {one.pk: 60})
    refresh_summaries(now=NOW)
    assert "no earlier judged day" in open_page(client, people.leader)
    assert HealthScore.objects.count() == 1


def test_the_number_of_queries_does_not_grow(world, people, client, django_assert_max_num_queries):
    client.force_login(people.leader)
    client.get("/health/")
    with django_assert_max_num_queries(45):
        client.get("/health/")


def test_what_new_rules_did_is_told_apart_from_what_the_customer_did(world, people, client):
    from gengyun.health.actions.judge import judge
    from gengyun.health.actions.scorecards import publish_version
    from gengyun.health.models import Scorecard

    made = Scorecard.objects.get()
    config = made.versions.get().config
    config["groups"][0]["factors"][0]["curve"] = [[0, 0], [120, 100]]
    publish_version(actor=None, now=NOW, scorecard=made, config=config, effective_from=DAY)
    judge(DAY, now=NOW)
    refresh_summaries(now=NOW)
    page = open_page(client, people.leader)
    row = re.search(
        rf'<tr data-row data-href="/customers/{world["slide"].pk}/">.*?</tr>', page, re.DOTALL
    )[0]
    assert "▼ 35" in row  # 85 by the old rules, then 60 of 120
    assert re.search(r"Events, 30 days</b> −25", row)
    assert re.search(r"new scoring rules</b> −10", row)
    calm = re.search(rf'"/customers/{world["rise"].pk}/">.*?</tr>', page, re.DOTALL)[0]
    assert "new rules −11.7" in calm  # it rose all the same
