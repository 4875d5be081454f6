"""The customer list with the company's own fields: columns, conditions, order, cells."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from factories import NOW, make_customer, make_user

from gengyun.customers.actions import custom_fields
from gengyun.customers.actions.custom_values import set_values
from gengyun.customers.models import FieldValue
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.actions.views import save_view
from gengyun.portfolio.calc.custom_filters import OPERATORS
from gengyun.portfolio.calc.filters import BadFilter, Filter
from gengyun.portfolio.queries import custom as custom_queries
from gengyun.portfolio.queries import customer_list
from gengyun.portfolio.queries.customer_list import BadSort, ListQuery, all_ids, list_page

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
TODAY = day_of(utc_now())


@pytest.fixture
def me():
    user = make_user("admin", language="en", name="Ada")
    user.visit_at = utc_now()
    user.save()
    return user


@pytest.fixture
def web(me):
    client = Client()
    client.force_login(me, backend="django.contrib.auth.backends.ModelBackend")
    return client


def field(kind, key, **values):
    names = {"name_zh": f"{key} 字段", "name_en": key.title()}
    if kind in {"choice", "multi"}:
        names["options"] = [
            {"name_zh": "高", "name_en": "High"},
            {"name_zh": "低", "name_en": "Low"},
        ]
    return custom_fields.create_field(
        actor=None, now=NOW, kind=kind, key=key, values=names | values
    )


def company(name, owner=None, **values):
    customer = make_customer(name, owner=owner)
    if values:
        set_values(actor=None, now=NOW, wanted={customer.pk: values})
    refresh_summaries(now=utc_now(), customer_ids=[customer.pk])
    return customer


def names(actor, *filters, sort="name", page=1):
    found = [Filter(*one) for one in filters]
    query = ListQuery(tuple(found), sort)
    return [row.name for row in list_page(actor, query, today=TODAY, page=page).rows]


@pytest.fixture
def three(me):
    """One customer per value of each kind, and one that holds none."""
    made = {kind: field(kind, kind) for kind in OPERATORS}
    high, low = (option["key"] for option in made["choice"].options)
    wide, small = (option["key"] for option in made["multi"].options)
    a = company("A", text="Ding Talk", number=Decimal("2.5"), money=100_00, bool=True, choice=high,
                multi=[wide, small], date=TODAY + timedelta(days=5))  # fmt: skip
    b = company("B", text="wecom", number=Decimal(10), money=900_00, bool=False, choice=low,
                multi=[small], date=TODAY - timedelta(days=40))  # fmt: skip
    return {"a": a, "b": b, "c": company("C"), "keys": (high, low, wide, small)}


@pytest.mark.parametrize(
    ("name", "op", "value", "found"),
    [
        ("text", "contains", "ding", "A"), ("text", "is", "wecom", "B"), ("text", "none", None, "C"),
        ("text", "known", None, "AB"), ("number", "gte", "2.5", "AB"), ("number", "lt", "10", "A"),
        ("number", "between", ["3", "10"], "B"), ("money", "gte", "10001", "B"),
        ("bool", "is", "yes", "A"), ("bool", "is", "no", "B"), ("bool", "none", None, "C"),
        ("choice", "is", 0, "A"), ("choice", "not", 0, "BC"), ("choice", "in", [0, 1], "AB"),
        ("multi", "has", 2, "A"), ("multi", "has", 3, "AB"), ("multi", "lacks", 2, "BC"),
        ("multi", "in", [2, 3], "AB"), ("multi", "none", None, "C"),
        ("date", "within", "5", "A"), ("date", "within", "4", ""), ("date", "older", "39", "B"),
        ("date", "overdue", None, "B"), ("date", "before", TODAY.isoformat(), "B"),
        ("date", "between", [TODAY.isoformat(), "2199-01-01"], "A"), ("date", "none", None, "C"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("limits", [(1_000, 10_000), (0, 10_000), (0, 0)])
def test_every_operator_on_every_way_to_look_up(
    three, me, monkeypatch, limits, name, op, value, found
):
    """Few, some, most: three plans, one answer."""
    monkeypatch.setattr(custom_queries, "FEW", limits[0])
    monkeypatch.setattr(custom_queries, "SOME", limits[1])
    if name in {"choice", "multi"} and value is not None:
        keys = three["keys"]
        value = [keys[n] for n in value] if isinstance(value, list) else keys[value]
    assert "".join(names(me, (f"custom_{name}", op, value))) == found


@pytest.mark.parametrize(
    ("name", "up", "down"),
    [
        ("text", "ABC", "BAC"), ("number", "ABC", "BAC"), ("money", "ABC", "BAC"),
        ("date", "BAC", "ABC"), ("bool", "BAC", "ABC"), ("choice", "ABC", "BAC"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cap", [1_001, 0])
def test_sorting_puts_those_without_a_value_last(three, me, monkeypatch, cap, name, up, down):
    monkeypatch.setattr(customer_list, "COUNT_CAP", cap)
    assert "".join(names(me, sort=f"custom_{name}")) == up
    assert "".join(names(me, sort=f"-custom_{name}")) == down
    query = ListQuery((), f"-custom_{name}")
    by_name = {three[key].pk: key.upper() for key in "abc"}
    assert "".join(by_name[pk] for pk in all_ids(me, query, today=TODAY)) == down


@pytest.mark.parametrize("cap", [1_001, 0])
def test_pages_of_a_sorted_list_join_without_gap_or_repeat(me, monkeypatch, cap):
    monkeypatch.setattr(customer_list, "COUNT_CAP", cap)
    field("number", "n")
    for n in range(130):  # 70 with a value, 60 without
        company(f"K{n:03}", **({"n": Decimal(n % 7)} if n < 70 else {}))
    seen = [name for page in (1, 2, 3) for name in names(me, sort="-custom_n", page=page)]
    assert len(seen) == len(set(seen)) == 130
    assert {int(name[1:]) for name in seen[:70]} == set(range(70))
    assert [int(name[1:]) % 7 for name in seen[:70]] == sorted(
        (n % 7 for n in range(70)), reverse=True
    )
    assert seen[70:] == sorted(seen[70:], reverse=True)  # their keys go the way of the sort too


def test_a_csm_finds_only_their_own_by_a_custom_field(three):
    alice, bob = make_user("csm"), make_user("csm")
    company("Mine", owner=alice, number=Decimal(3))
    company("Theirs", owner=bob, number=Decimal(3))
    assert names(alice, ("custom_number", "gte", "3")) == ["Mine"]
    assert names(alice, sort="-custom_number") == ["Mine"]


@pytest.mark.parametrize(
    ("name", "op", "value"),
    [
        ("nothing", "is", "x"), ("number", "is", "3"), ("number", "gte", "viel"),
        ("number", "gte", "NaN"), ("date", "within", "-1"), ("date", "before", "soon"),
        ("bool", "is", "perhaps"), ("choice", "is", "no_such"), ("text", "gte", "3"),
    ],
)  # fmt: skip
def test_a_condition_that_does_not_fit_its_field_is_refused(three, me, name, op, value):
    with pytest.raises(BadFilter):
        names(me, (f"custom_{name}", op, value))


def test_lists_cannot_be_sorted_by_several_choices_or_by_nothing(three, me):
    for sort in ("custom_multi", "custom_nothing"):
        with pytest.raises(BadSort):
            names(me, sort=sort)


def test_the_page_shows_columns_in_the_chosen_order_with_values(web, three):
    text = web.get(
        "/customers/?cols=custom_choice&cols=region&cols=custom_money&cols=custom_bool"
    ).content.decode()
    head = text[text.index("<thead>") : text.index("</thead>")]
    places = [head.index(word) for word in ("Customer", "Choice", "Region", "Money", "Bool")]
    assert places == sorted(places)
    body = text[text.index("<tbody>") : text.index("</tbody>")]
    assert '<span class="gy-tag">High</span>' in body
    assert f'hx-get="/customers/{three["a"].pk}/cell/custom_choice/"' in body


@pytest.mark.parametrize("count", [1, 3])
def test_custom_columns_cost_two_queries_whatever_they_are(
    web, me, count, django_assert_num_queries
):
    for kind in ("text", "number", "choice"):
        field(kind, kind)
    for n in range(count):
        company(f"K{n}", text="x", number=Decimal(1))
    address = "/customers/?cols=custom_text&cols=custom_number&cols=custom_choice"
    web.get(address)
    with django_assert_num_queries(10):  # the fields, the values
        web.get(address)
    with django_assert_num_queries(8):  # and nothing where none is shown
        web.get("/customers/")


def test_chips_say_conditions_in_words_and_survive_retirement(web, three):
    high = three["keys"][0]
    address = f"/customers/?f=custom_choice.in.{high}&f=custom_money.gte.10000&f=custom_bool.is.yes"
    text = web.get(address).content.decode()
    assert '<span class="k">Choice</span> is High' in text
    assert '<span class="k">Money</span> at least' in text
    assert '<span class="k">Bool</span> is yes' in text
    made = custom_queries.fields_named(["custom_choice"])["custom_choice"]
    custom_fields.retire_field(actor=None, now=NOW, field=made)
    assert "Choice (retired)" in web.get(address).content.decode()


def test_the_window_offers_custom_fields_and_its_answers_become_conditions(web, three):
    offered = web.get("/customers/conditions/", headers=HTMX).content.decode()
    for kind in OPERATORS:
        assert f'name="add_field" value="custom_{kind}"' in offered
    for field in ("active", "active_change", "seats"):
        assert f'name="add_field" value="{field}"' in offered
    keys = three["keys"]
    sent = {
        "add_field=custom_money&add_op=gte&add_value=20": "f=custom_money.gte.2000000",
        "add_field=custom_bool&add_answer=no": "f=custom_bool.is.no",
        "add_field=custom_bool&add_answer=none": "f=custom_bool.none",
        f"add_field=custom_choice&add_op=in&add_value={keys[0]}&add_value={keys[1]}": (
            f"f=custom_choice.in.{keys[0]}%2C{keys[1]}"
        ),
        "add_field=custom_date&add_op=between&add_value=2026-01-01&add_value=2026-02-01": (
            "f=custom_date.between.2026-01-01%2C2026-02-01"
        ),
        "add_field=renews&add_op=between&add_value=2026-01-01&add_value=2026-02-01": (
            "f=renews.between.2026-01-01%2C2026-02-01"
        ),
        "add_field=active&add_op=lt&add_value=10": "f=active.lt.10",
        "add_field=active_change&add_op=lt&add_value=-30": "f=active_change.lt.-30",
        "add_field=seats&add_op=known": "f=seats.known",
    }
    for query, wanted in sent.items():
        answer = web.get(f"/customers/?{query}")
        assert answer.status_code == 302
        assert wanted in answer["Location"], query
        assert web.get(answer["Location"]).status_code == 200


def test_the_chooser_lists_shown_columns_first_and_moves_them(web, three):
    address = "/customers/columns/?cols=name&cols=custom_text&cols=arr"
    text = web.get(address, headers=HTMX).content.decode()
    order = [text.index(f'value="{key}"') for key in ("name", "custom_text", "arr", "tier")]
    assert order == sorted(order)
    assert text.count(" checked") == 3
    moved = web.get(f"{address}&up=arr").content.decode()
    assert moved.index('value="arr"') < moved.index('value="custom_text"')
    kept = web.get(f"{address}&up=custom_text").content.decode()
    assert kept.index('value="name"') < kept.index('value="custom_text"')


def test_a_view_keeps_custom_columns_in_their_order(web, me, three):
    query = {"filters": [{"field": "custom_bool", "op": "is", "value": "yes"}],
             "sort": "-custom_money", "columns": ["name", "custom_money", "tier"]}  # fmt: skip
    view = save_view(actor=me, now=NOW, name="Own", query=query)
    text = web.get(f"/customers/?view={view.pk}").content.decode()
    head = text[text.index("<thead>") : text.index("</thead>")]
    assert head.index("Money") < head.index("Tier")
    assert text.count("data-row") == 1
    assert "changed, not saved" not in text


def test_the_crumb_follows_the_tab_that_htmx_opens(web, three):
    text = web.get("/customers/?view=due", headers=HTMX).content.decode()
    crumb = text[text.index('id="list-crumb" hx-swap-oob="true"') :]
    assert (
        "Due in 90 days"
        in crumb[: crumb.index("</span></span>") if "</span></span>" in crumb else 200]
    )


def test_a_cell_is_edited_in_place_and_taken_back(web, three):
    path = f"/customers/{three['a'].pk}/cell/custom_number/"
    assert 'value="2.5"' in web.get(path, headers=HTMX).content.decode()
    bad = web.post(path, {"custom_number": "viel"}, headers=HTMX)
    assert bad.status_code == 422
    assert "Not a number" in bad.content.decode()
    assert 'value="viel"' in bad.content.decode()
    good = web.post(path, {"custom_number": "7"}, headers=HTMX).content.decode()
    assert "gy-ed chg" in good
    value = FieldValue.objects.filter(field__key="number", customer=three["a"])
    assert value.get().number == 7
    undo = good[good.index("/undo/") :].split('"')[0]
    web.post(undo, headers=HTMX)
    assert value.get().number == Decimal("2.5")


def test_cells_of_strangers_and_of_unknown_fields_are_not_found(three):
    stranger = Client()
    stranger.force_login(make_user("csm"))
    assert stranger.get(f"/customers/{three['a'].pk}/cell/custom_number/").status_code == 404
    viewer = Client()
    viewer.force_login(make_user("viewer"))
    assert viewer.get(f"/customers/{three['a'].pk}/cell/custom_number/").status_code == 403


def test_forms_show_need_and_save_custom_fields(web, three):
    field("text", "needed", is_required=True)
    form = web.get("/customers/new/").content.decode()
    assert 'name="has.custom_needed"' in form
    shown = {f"has.custom_{key}": "1" for key in ("needed", "multi", "number")}
    bad = web.post("/customers/new/", {"name": "New", **shown, "custom_number": "viel"})
    assert bad.status_code == 422
    assert "This is needed." in bad.content.decode()
    assert "Not a number" in bad.content.decode()
    keys = three["keys"]
    good = web.post(
        "/customers/new/",
        {"name": "New", **shown, "custom_needed": "x", "custom_multi": list(keys[2:]),
         "custom_number": "1,200"},
    )  # fmt: skip
    assert good.status_code == 302
    page = web.get(good["Location"]).content.decode()
    assert "1,200" in page
    pk = int(good["Location"].strip("/").rsplit("/", 1)[-1])
    assert FieldValue.objects.filter(customer_id=pk, field__key="multi").count() == 2
    # a form that does not show a field leaves it alone
    web.post(
        f"/customers/{pk}/edit/", {"name": "New", "has.custom_number": "1", "custom_number": ""}
    )
    assert set(FieldValue.objects.filter(customer_id=pk).values_list("field__key", flat=True)) == {
        "needed", "multi",
    }  # fmt: skip


def test_a_view_of_a_deleted_field_opens_with_the_refusal_and_spoils_no_other_tab(web, me):
    gone = field("number", "gone")
    query = {"filters": [{"field": "custom_gone", "op": "gte", "value": "1"}]}
    view = save_view(actor=me, now=NOW, name="Own", query=query)
    custom_fields.delete_field(actor=None, now=NOW, field=gone)
    company("A")
    assert web.get(f"/customers/?view={view.pk}").status_code == 422
    assert web.get("/customers/").status_code == 200
    counted = web.get("/customers/tabs/?view=all", headers=HTMX)
    assert counted.status_code == 200
    assert "Own" in counted.content.decode()
