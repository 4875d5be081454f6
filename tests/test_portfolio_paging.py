"""Pages of the customer list, walked row by row: no row skipped or doubled, whatever the order.

Everything is compared with a full sort in Python of what the table holds.
"""

import base64
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from factories import NOW, make_user
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gengyun.customers.actions import custom_fields
from gengyun.customers.models import Customer, FieldValue
from gengyun.portfolio.calc.cursor import BadCursor, Place, read, written
from gengyun.portfolio.calc.filters import Filter
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries import customer_list
from gengyun.portfolio.queries.customer_list import (
    PLACED_BY,
    SORTS,
    ListQuery,
    all_ids,
    list_page,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
EVERY_SORT = [way + key for key in SORTS for way in ("", "-")]
# few different values, so that most rows share theirs with others
VALUES = {
    "search_key": st.sampled_from(["甲", "乙公司", "a", "ab\nx", "云启'\"\\", "𠮷野"]),
    "score": st.sampled_from([None, 0.0, 0.1 + 0.2, 61.7, 99.95]),
    "change_week": st.sampled_from([None, -3.3, 0.0, 1e-9]),
    "arr_minor": st.sampled_from([None, 0, 5, 9_007_199_254_740_993]),
    "renews_on": st.sampled_from([None, TODAY, TODAY + timedelta(days=30)]),
    "last_touch_at": st.sampled_from([None, NOW, NOW + timedelta(microseconds=1)]),
    "need_rank": st.sampled_from([0, 0, 0, 7]),
    "next_step_on": st.sampled_from([None, TODAY]),
    "active_users_7d": st.sampled_from([None, 0, 3]),
    "churn": st.sampled_from([None, 0.0, 0.1 + 0.2, 0.34]),
    "ltv_minor": st.sampled_from([None, -5, 0, 9_007_199_254_740_993]),
}


@pytest.fixture
def viewer():
    return make_user("viewer")


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(customer_list, "PAGE_SIZE", 4)
    monkeypatch.setattr(customer_list, "COUNT_CAP", 10)


def fill(rows):
    """Summaries with these values and nothing else; their keys come in no order of the values."""
    CustomerSummary.objects.all().delete()
    Customer.objects.all().delete()
    made = Customer.objects.bulk_create(
        Customer(external_id=f"x{n}", name=f"k{n}", known_at=NOW, created_at=NOW, updated_at=NOW)
        for n in range(len(rows))
    )
    CustomerSummary.objects.bulk_create(
        CustomerSummary(customer=customer, name=customer.name, updated_at=NOW, **values)
        for customer, values in zip(made, rows, strict=True)
    )
    return [customer.pk for customer in made]


def in_order(sort, held):
    """Keys by value and key, those without a value last: the obvious way."""
    is_down = sort.startswith("-")
    known = sorted(((v, pk) for pk, v in held.items() if v is not None), reverse=is_down)
    return [pk for _, pk in known] + sorted(
        (pk for pk, v in held.items() if v is None), reverse=is_down
    )


def walk(actor, query, **rest):
    """Every page forward, then every page back; each as (first place, keys)."""
    pages, found = [], list_page(actor, query, today=TODAY, **rest)
    while True:
        pages.append((found.first_place, [row.pk for row in found.rows]))
        if not found.next_at:
            break
        found = list_page(actor, query, today=TODAY, after=found.next_at)
    back = [pages[-1]]
    while found.previous_at:
        found = list_page(actor, query, today=TODAY, before=found.previous_at)
        back.append((found.first_place, [row.pk for row in found.rows]))
        assert found.next_at
    return pages, back[::-1]


@pytest.mark.parametrize("sort", EVERY_SORT)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(st.fixed_dictionaries(VALUES), max_size=19))
def test_walking_forward_and_back_gives_the_full_sort(viewer, small_pages, sort, rows):
    keys = fill(rows)
    column = SORTS[sort.removeprefix("-")]
    held = {pk: values[column] for pk, values in zip(keys, rows, strict=True)}
    if column == "search_key":  # as the database compares texts
        ranks = list(
            CustomerSummary.objects.order_by("search_key").values_list("search_key", flat=True)
        )
        held = {pk: ranks.index(value) for pk, value in held.items()}
    wanted, query = in_order(sort, held), ListQuery((), sort)
    pages, back = walk(viewer, query)
    assert [pk for _, page in pages for pk in page] == wanted
    assert all_ids(viewer, query, today=TODAY, limit=100) == wanted
    if len(wanted) > 4:  # the same pages back; the first one is whole again
        assert back[0][1] == wanted[:4]
        assert [pk for _, page in back[-1:] for pk in page] == pages[-1][1]
        assert set(wanted) == {pk for _, page in back for pk in page}
    for first, page in pages:
        place = wanted.index(page[0]) + 1 if page else 1
        assert first == (place if place < 10 else None)


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("kind", ["text", "number", "money", "date", "bool"])
@pytest.mark.parametrize("way", ["", "-"])
def test_walking_by_a_custom_field(viewer, monkeypatch, kind, way, few):
    monkeypatch.setattr(customer_list, "PAGE_SIZE", 7)
    monkeypatch.setattr(customer_list, "COUNT_CAP", 1_001 if few else 10)
    field = custom_fields.create_field(
        actor=None, now=NOW, kind=kind, key="f", values={"name_zh": "字段"}
    )
    column, values = {
        "text": ("text", ["b", "甲", "A", "b"]),
        "date": ("day", [TODAY, TODAY - timedelta(days=1), TODAY]),
        "bool": ("number", [Decimal(0), Decimal(1)]),
    }.get(kind, ("number", [Decimal("0.1"), Decimal(-3), Decimal("1234567.8900"), Decimal(2)]))
    keys = fill([{"search_key": f"{n % 5}"} for n in range(60)])
    held = {pk: values[n % len(values)] if n % 3 else None for n, pk in enumerate(keys)}
    FieldValue.objects.bulk_create(
        FieldValue(field=field, customer_id=pk, **{column: value})
        for pk, value in held.items()
        if value is not None
    )
    query = ListQuery((), f"{way}custom_f")
    wanted = in_order(query.sort, held)
    pages, back = walk(viewer, query)
    assert [pk for _, page in pages for pk in page] == wanted
    assert sorted({pk for _, page in back for pk in page}) == sorted(keys)
    assert back[0][1] == wanted[:7]
    assert all_ids(viewer, query, today=TODAY) == wanted


@pytest.mark.parametrize("sort", ["name", "-score", "renews"])
def test_rows_that_come_and_go_move_no_other_row(viewer, small_pages, sort):
    rows = [{"search_key": f"k{n:02}", "score": float(n % 3), "renews_on": None} for n in range(20)]
    fill(rows)
    first = list_page(viewer, ListQuery((), sort), today=TODAY)
    order = all_ids(viewer, ListQuery((), sort), today=TODAY, limit=100)
    CustomerSummary.objects.filter(pk__in=order[2:5]).delete()  # the row of the link is among them
    second = list_page(viewer, ListQuery((), sort), today=TODAY, after=first.next_at)
    assert [row.pk for row in second.rows] == order[5:9]
    assert second.first_place == 3
    CustomerSummary.objects.filter(pk__in=order[9:]).delete()
    last = list_page(viewer, ListQuery((), sort), today=TODAY, after=second.next_at)
    assert [row.pk for row in last.rows] == order[5:9]  # nothing stands behind: the last there are
    assert not last.next_at


def test_a_page_in_front_of_the_second_begins_at_the_first(viewer, small_pages):
    fill([{"search_key": f"k{n}"} for n in range(9)])
    query = ListQuery((), "name")
    second = list_page(viewer, query, today=TODAY, page=2)
    found = list_page(viewer, query, today=TODAY, before=second.previous_at)
    assert (found.first_place, found.previous_at) == (1, "")
    assert [row.search_key for row in found.rows] == ["k0", "k1", "k2", "k3"]


def test_an_old_link_shows_its_page_or_the_last_there_is(viewer, small_pages):
    fill([{"search_key": f"k{n}"} for n in range(9)])
    query = ListQuery((), "name")
    for page, first in ((1, 1), (3, 9), (4, 9), (10**9, 9)):
        assert list_page(viewer, query, today=TODAY, page=page).first_place == first


def test_ranges_are_found_along_the_names_too(viewer, monkeypatch):
    """SQLite is led past the index of the range where many fit: the same rows either way."""
    fill(
        [
            {"search_key": f"k{n % 7}", "renews_on": TODAY + timedelta(days=n), "score": n / 2}
            for n in range(120)
        ]
    )
    filters = (Filter("renews", "within", 90), Filter("score", "lt", 40.0))
    wanted = sorted(range(80), key=lambda n: (n % 7, n))
    for cap in (1_001, 10):
        monkeypatch.setattr(customer_list, "COUNT_CAP", cap)
        for sort, order in (("name", wanted), ("-name", wanted[::-1])):
            pages, _ = walk(viewer, ListQuery(filters, sort))
            held = dict(CustomerSummary.objects.values_list("pk", "score"))
            assert [int(held[pk] * 2) for _, page in pages for pk in page] == order


@pytest.mark.parametrize("value", ["\0", 3, None, ["a"], {}, True, "x" * 3_000])
@pytest.mark.parametrize("sort", ["name", "-need", "arr"])
def test_a_made_up_place_of_the_wrong_kind_is_refused(viewer, sort, value):
    if (sort, str(value)) in {("arr", "None"), ("arr", "3"), ("-need", "3")}:
        pytest.skip("a place that there might be")
    text = encoded([sort, value, 1])
    with pytest.raises(BadCursor):
        list_page(viewer, ListQuery((), sort), today=TODAY, after=text)


def encoded(raw):
    return base64.urlsafe_b64encode(json.dumps(raw).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "x", "%%%", "é", "eA", encoded(1), encoded([]), encoded(["name", "a"]),
        encoded(["name", "a", "1"]), encoded(["name", "a", 1.5]), encoded(["name", "a", -1]),
        encoded(["name", "a", 2**63]), encoded(["name", "a", True]), encoded(["-name", "a", 1]),
        encoded(["score", 1, 1]), encoded(["name", "\ud800", 1]), "W" * 2_001,
        base64.urlsafe_b64encode(b"[" * 1_400).decode(),
        base64.urlsafe_b64encode(b'["name",NaN,1]').decode(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("at", ["after", "before"])
def test_a_forged_place_is_refused_in_words(viewer, at, text):
    client = Client()
    client.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get("/customers/", {"view": "all", at: text})
    assert response.status_code == 422
    assert "not say a place" in response.content.decode() or "位置" in response.content.decode()


@pytest.mark.parametrize("kind", sorted(set(PLACED_BY.values()) | {"decimal"}))
@given(data=st.data())
def test_places_survive_their_link(kind, data):
    values = {
        "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
                        max_size=150),
        "int": st.integers(-(2**63) + 1, 2**63 - 1),
        "float": st.floats(-1e200, 1e200),
        "day": st.dates(),
        "instant": st.datetimes(timezones=st.just(UTC)),
        "decimal": st.decimals(-(10**15), 10**15, places=4),
    }  # fmt: skip
    value = data.draw(st.none() | values[kind])
    place = Place("-score", value, data.draw(st.integers(0, 2**63 - 1)))
    assert read(written(place), sort="-score", kind=kind) == place


@given(st.text())
def test_any_text_is_a_place_or_refused(text):
    try:
        found = read(text, sort="name", kind="text")
    except BadCursor:
        return
    assert isinstance(found.value, str | None)


def test_instants_without_a_zone_are_refused():
    text = encoded(["touch", datetime(2026, 1, 1).isoformat(), 1])
    with pytest.raises(BadCursor):
        read(text, sort="touch", kind="instant")


def test_the_page_links_to_places_and_keeps_what_the_list_shows(viewer, small_pages):
    fill([{"search_key": f"k{n:02}", "score": 50.0} for n in range(14)])
    client = Client()
    client.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    text = client.get("/customers/?f=score.known&sort=-score&page=3").content.decode()
    part = text[text.index('class="gy-pages"') :].partition("</nav>")[0]
    assert "page=" not in part
    for rel, at in (("prev", "before="), ("next", "after=")):
        link = part[part.index(f'rel="{rel}" href="') :].split('"')[3].replace("&amp;", "&")
        assert at in link
        assert "f=score.known&sort=-score" in link
        assert client.get(link).status_code == 200
        assert client.get(link, headers={"HX-Request": "true"}).status_code == 200
