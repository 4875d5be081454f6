"""The made-up world of the benches is one that the product itself could have written."""

from datetime import UTC, datetime

import pytest
from factories import NOW

from gengyun.cli.bench import own_database
from gengyun.cli.benches import bulk, pages, pages_world
from gengyun.customers.models import Contact, Customer
from gengyun.engagement.models import Activity
from gengyun.health.models import HealthScore
from gengyun.kernel.days import day_of
from gengyun.portfolio.calc.filters import Filter
from gengyun.portfolio.models import CustomerSummary, NamePair
from gengyun.portfolio.queries.customer_list import ListQuery, list_page
from gengyun.team.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_world_of_the_pages_bench_reads_as_rows_of_the_product(monkeypatch):
    monkeypatch.setattr(pages_world, "OWNERS", 3)
    people = pages_world.build(NOW, 130)
    admin = User.objects.get(pk=people["admin"])
    assert Customer.objects.count() == CustomerSummary.objects.count() == 130
    assert HealthScore.objects.count() == 130
    assert (Activity.objects.count(), Contact.objects.count()) == (1_300, 520)
    found = list_page(admin, ListQuery((), "-score"), today=day_of(NOW))
    assert found.count == 130
    row = found.rows[0]
    assert isinstance(row.line, list)
    assert CustomerSummary.objects.get(pk=row.pk).updated_at == NOW
    assert row.last_touch_at <= NOW
    assert NamePair.objects.filter(customer=row.pk).exists()
    text = row.name[1:4]
    asked = ListQuery((Filter("text", "contains", text),), "name")
    assert row.pk in [one.pk for one in list_page(admin, asked, today=day_of(NOW)).rows]


def test_the_world_before_it_is_judged_has_customers_only(monkeypatch):
    monkeypatch.setattr(pages_world, "OWNERS", 3)
    pages_world.build(NOW, 20, is_judged=False)
    assert (Customer.objects.count(), CustomerSummary.objects.count()) == (20, 0)
    assert Activity.objects.count() == 60


def test_rows_put_in_in_bulk_are_what_the_models_would_have_written():
    at = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    shared = {"name": "a\tb\n\\云", "known_at": at, "created_at": at, "updated_at": at}
    kept = {**shared, "started_on": at.date(), "arr_minor": 2**40}
    Customer.objects.create(external_id="one", **kept)
    bulk.insert(Customer, [{"external_id": "two", **kept}])
    one, two = Customer.objects.order_by("external_id").values()
    assert {**one, "id": 0, "external_id": ""} == {**two, "id": 0, "external_id": ""}


def test_deep_pages_are_asked_where_there_are_that_many(monkeypatch):
    monkeypatch.setattr(pages_world, "OWNERS", 3)
    pages_world.build(NOW, 120)
    assert pages._pages_at(100) == []
    links = pages._pages_at(2)
    assert len(links) == 4
    assert all("after=" in link for link in links)


def test_a_bench_makes_a_database_of_its_own_and_drops_it(monkeypatch):
    import os

    import psycopg

    address = os.environ.get("GENGYUN_DATABASE_URL", "")
    if not address.startswith("postgres"):
        pytest.skip("needs a PostgreSQL server: GENGYUN_DATABASE_URL is not set")
    left = []
    monkeypatch.setattr("atexit.register", left.append)
    monkeypatch.setenv("GENGYUN_DATABASE_URL", address)
    own_database()
    own = os.environ["GENGYUN_DATABASE_URL"]
    assert own != address
    with psycopg.connect(own) as made:
        name = made.info.dbname
    left[0]()
    with psycopg.connect(address) as server:
        asked = "SELECT count(*) FROM pg_database WHERE datname = %s"
        assert server.execute(asked, [name]).fetchone() == (0,)


def test_a_size_in_between_is_promised_what_the_larger_one_is():
    from gengyun.cli.benches.daily import _target

    assert [_target(n) for n in (5_000, 10_000, 20_000, 100_000, 200_000)] == [
        60.0, 60.0, 300.0, 300.0, None,
    ]  # fmt: skip
