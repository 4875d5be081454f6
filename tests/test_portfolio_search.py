"""Search by name in the customer list: by one, two and more characters, against every name."""

from datetime import date

import pytest
from django.db import connection
from factories import NOW, make_customer, make_user

from gengyun.customers.actions.customers import archive_customer, edit_customer
from gengyun.customers.actions.defaults import install_defaults as install_tiers
from gengyun.customers.models import Customer
from gengyun.health.actions.defaults import install_defaults as install_cards
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.calc.search import inner_pairs
from gengyun.portfolio.models import CustomerSummary, NamePair
from gengyun.portfolio.queries import conditions
from gengyun.portfolio.queries.customer_list import ListQuery, all_ids, list_page, search
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = date(2026, 3, 2)


@pytest.fixture
def ground(settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    install_tiers(now=NOW)
    install_metrics(now=NOW)
    install_cards(now=NOW)


def asked(text, *more, sort="name"):
    filters = [("text", "contains", text), *more]
    keys = ("field", "op", "value")
    found = [dict(zip(keys, one, strict=False)) for one in filters]
    return ListQuery.from_json({"filters": found, "sort": sort})


def page(actor, text, *more, **rest):
    return list_page(actor, asked(text, *more, **rest), today=TODAY)


def names(actor, text, *more, **rest):
    return [row.name for row in page(actor, text, *more, **rest).rows]


def test_search_finds_by_one_two_and_more_characters_in_the_order_of_names(ground):
    viewer = make_user("viewer")
    make_customer("杭州云启科技", external_id="acct_1", arr_minor=48_600_000)
    for name in ("苏州澜图智能", "云启软件", "上海云启", "Acme 云", "云启云启"):
        make_customer(name, external_id=f"ID-{name}")
    refresh_summaries(now=NOW)
    # what stands before the names that begin with the text, these, what stands after them
    everything = ["上海云启", "云启云启", "云启软件", "杭州云启科技"]
    assert names(viewer, "云启") == everything
    assert names(viewer, "云") == ["Acme 云", *everything]
    assert names(viewer, "云启科") == ["杭州云启科技"]
    assert names(viewer, "启云启") == ["云启云启"]
    assert names(viewer, "杭云") == []
    assert names(viewer, "ＣＭＥ 云") == ["Acme 云"]
    assert names(viewer, "aC") == ["Acme 云", "杭州云启科技"]
    assert names(viewer, "d-云启软") == ["云启软件"]
    found = page(viewer, "云启")
    assert (found.count, found.totals.arr_minor, found.totals.arr_unknown) == (4, 48_600_000, 3)
    assert names(viewer, "云启", ("arr", "known"), sort="arr") == ["杭州云启科技"]
    assert [row.name for row in search(viewer, "启科")] == ["杭州云启科技"]


def test_search_finds_what_the_actor_may_see(ground):
    alice, bob, stranger = (make_user("csm") for _ in range(3))
    make_customer("杭州云启科技", owner=alice)
    make_customer("深圳云启物流", owner=bob)
    refresh_summaries(now=NOW)
    for text in ("云", "云启", "云启科", "杭州"):
        assert names(alice, text) == ["杭州云启科技"]
        assert page(alice, text).count == 1
        assert names(stranger, text) == []
    assert search(bob, "启科") == []


def test_search_follows_a_new_name_and_forgets_an_archived_customer(ground):
    admin, customer = make_user("admin"), make_customer("杭州云启科技")
    refresh_summaries(now=NOW)
    edit_customer(actor=admin, now=NOW, customer=customer, changes={"name": "宁波恒信能源"})
    assert names(admin, "云启") == []
    assert names(admin, "恒信") == ["宁波恒信能源"]
    refresh_summaries(now=NOW)
    held = NamePair.objects.filter(customer=customer.pk).values_list("pair", flat=True)
    assert set(held.all()) == inner_pairs(f"宁波恒信能源\n{customer.external_id}")
    assert held.count() == 5  # not of its beginning; with its end
    archive_customer(actor=admin, now=NOW, customer=customer)
    assert names(admin, "恒信") == []
    assert not held.exists()


@pytest.mark.parametrize("text", ["云启", "启00", "客户", "户云", "客户云启00", "X", "00", "没有"])
@pytest.mark.parametrize("rare", [0, 20, 10_000])
def test_search_by_pairs_finds_what_a_look_at_every_name_finds(ground, monkeypatch, text, rare):
    monkeypatch.setattr(conditions, "RARE", rare)
    viewer = make_user("viewer")
    Customer.objects.bulk_create(
        Customer(
            external_id=f"x{n}", name=f"{'客户' if n % 2 else ''}{('云启', '启云', '')[n % 3]}{n:03}",
            known_at=NOW, created_at=NOW, updated_at=NOW,
        )
        for n in range(120)
    )  # fmt: skip
    refresh_summaries(now=NOW)
    in_order = CustomerSummary.objects.order_by("search_key", "pk")
    held = [row.pk for row in in_order if text.lower() in row.search_key]
    found = page(viewer, text)
    assert [row.pk for row in found.rows] == held[:50]
    assert found.count == found.totals.count == len(held)
    second = list_page(viewer, asked(text), today=TODAY, page=2)
    assert [row.pk for row in second.rows] == (held[50:100] or held[:50])  # or the last there is
    assert all_ids(viewer, asked(text), today=TODAY) == held


@pytest.mark.parametrize("rare", [0, 10_000])
def test_a_search_of_more_than_a_thousand_says_so(ground, monkeypatch, rare):
    monkeypatch.setattr(conditions, "RARE", rare)
    Customer.objects.bulk_create(
        Customer(
            external_id=f"x{n}", name=f"{n:04}云启", known_at=NOW, created_at=NOW, updated_at=NOW
        )
        for n in range(1_001)
    )
    refresh_summaries(now=NOW)
    viewer = make_user("viewer")
    for number in (1, 20, 21):
        found = list_page(viewer, asked("云启"), today=TODAY, page=number)
        assert (found.count, found.totals) == (None, None)
        assert found.has_next == (number < 21)
        assert found.rows[0].name == f"{(number - 1) * 50:04}云启"


def test_names_are_compared_by_code_point_whatever_the_database_thinks(ground):
    """The one index of names finds beginnings and gives their order only then."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite compares bytes anyway")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT collation_name FROM information_schema.columns "
            "WHERE table_name = 'portfolio_customersummary' AND column_name = 'search_key'"
        )
        assert cursor.fetchone() == ("C",)
