"""The price asked for the next term on the page of renewals: typed, told to many, shown, exported."""

from datetime import date

import pytest
from factories import NOW, People, make_customer
from test_revenue_renewals import WAN, make_renewal
from test_web_revenue_renewals import HTMX, ask, post

from gengyun.revenue.actions import asking
from gengyun.revenue.models import Renewal, RenewalChange, RenewalState

pytestmark = pytest.mark.django_db
VIEW = {"p": "2026q2", "scope": "team"}


@pytest.fixture
def people():
    return People()


@pytest.fixture
def world(people, monkeypatch):
    from gengyun.web import clock

    monkeypatch.setattr(clock, "utc_now", lambda: NOW)
    return {
        "a": make_renewal(make_customer("甲云科技", owner=people.owner), date(2026, 4, 10)),
        "b": make_renewal(make_customer("乙星制造", owner=people.owner), date(2026, 5, 20), 20 * WAN),
        "c": make_renewal(make_customer("丙海贸易", owner=people.colleague), date(2026, 5, 31), 40 * WAN),
        "x": make_renewal(make_customer("别家公司", owner=people.stranger), date(2026, 5, 2), 80 * WAN),
    }  # fmt: skip


def asked():
    return dict(Renewal.objects.order_by("pk").values_list("pk", "asked_minor"))


def test_a_price_is_typed_in_the_grid_and_taken_back(client, people, world):
    page = post(
        client, people.owner, world["b"], category="unjudged", amount="", asked="21.2", why="调价"
    ).content.decode()
    row = Renewal.objects.get(pk=world["b"].pk)
    assert (row.asked_minor, row.category, row.forecast_minor) == (21_200_000, "unjudged", None)
    assert "asked 212 (+6%)" in page
    assert "乙星制造: asked 212k (+6%)" in page
    assert 'data-asked="212"' in page
    assert client.post(f"/undo/{client.session['undo'][-1][0]}/").status_code < 400
    assert asked()[row.pk] is None
    # an empty one says nothing, and one that was said is taken away by it
    post(client, people.owner, row, category="unjudged", amount="", asked="")
    assert RenewalChange.objects.filter(field="asked_minor").count() == 2
    post(client, people.owner, row, asked="22")
    post(client, people.owner, row, asked="")
    assert asked()[row.pk] is None


@pytest.mark.parametrize("typed", ["a lot", "0", "-5", "500", "9" * 30])
def test_a_price_that_cannot_be_is_refused_by_name(client, people, world, typed):
    answer = post(client, people.owner, world["a"], asked=typed)
    assert answer.status_code == 422
    assert set(asked().values()) == {None}


def test_only_who_works_on_a_renewal_types_a_price(client, people, world):
    assert post(client, people.viewer, world["a"], asked="11").status_code == 403
    assert post(client, people.stranger, world["a"], asked="11").status_code == 404
    page = ask(client, people.viewer)
    assert 'data-col="asked"' not in page
    assert 'data-col="asked"' in ask(client, people.owner, "/renewals/?p=2026q2")


def test_ticked_rows_are_asked_more_together_and_back(client, people, world):
    ids = [world["a"].pk, world["b"].pk]
    form = VIEW | {"ids": ids, "verb": "ask", "more": "6.5", "why": "价目表上调"}
    people.owner.language = "en"
    people.owner.save()
    client.force_login(people.owner)
    answer = client.post("/renewals/bulk/", form, **HTMX)
    assert answer.status_code == 200
    assert "2 renewals: +6.5% asked" in answer.content.decode()
    assert [asked()[pk] for pk in ids] == [10_650_000, 21_300_000]
    assert {row.why for row in RenewalChange.objects.all()} == {"价目表上调"}
    assert client.post(f"/undo/{client.session['undo'][-1][0]}/").status_code < 400
    assert set(asked().values()) == {None}
    # all or none, and nothing of others
    theirs = form | {"ids": [world["a"].pk, world["x"].pk]}
    assert client.post("/renewals/bulk/", theirs, **HTMX).status_code == 404
    for more in ("", "much", "-100", "2000", "1e3", "nan"):
        assert client.post("/renewals/bulk/", form | {"more": more}, **HTMX).status_code == 422
    # Enter in the field of the price is no judgement
    judged = form | {"verb": "", "category": "commit"}
    assert client.post("/renewals/bulk/", judged, **HTMX).status_code == 422
    assert set(asked().values()) == {None}
    client.force_login(people.viewer)
    assert client.post("/renewals/bulk/", form, **HTMX).status_code == 403


def test_all_of_a_view_are_asked_whatever_page_they_are_on(client, people, world, monkeypatch):
    Renewal.objects.filter(pk=world["a"].pk).update(state=RenewalState.LOST, outcome_minor=0)
    client.force_login(people.leader)
    form = VIEW | {"verb": "ask", "more": "+6%", "whole": "1"}
    narrow = form | {"q": "丙海"}
    assert client.post("/renewals/bulk/", narrow, **HTMX).status_code == 200
    found = asked()
    assert found[world["c"].pk] == 42_400_000
    assert found[world["b"].pk] is None
    assert client.post("/renewals/bulk/", form, **HTMX).status_code == 200
    found = asked()
    # the open ones that the leader sees: not the lost one, not the stranger's
    assert [found[world[name].pk] for name in "abcx"] == [None, 21_200_000, 42_400_000, None]
    monkeypatch.setattr(asking, "MOST_ASKED", 1)
    assert client.post("/renewals/bulk/", form, **HTMX).status_code == 422


def test_the_panel_says_what_was_asked_when_and_by_whom(client, people, world):
    post(client, people.owner, world["a"], asked="10.6")
    panel = ask(client, people.owner, f"/renewals/{world['a'].pk}/", **HTMX)
    assert "Price asked" in panel
    assert "106k" in panel
    assert "+6%" in panel
    assert people.owner.name in panel.split("told on 2 Mar", 1)[1][:120]
    assert 'name="asked"' in panel
    people.owner.language = "zh-hans"
    people.owner.save()
    said = client.get(f"/renewals/{world['a'].pk}/", **HTMX).content.decode()
    assert "报价" in said


def test_a_price_in_yen_is_whole_yen(client, people, world):
    row = make_renewal(
        make_customer(owner=people.owner), date(2026, 6, 1), 1_000_000, currency="JPY"
    )
    post(client, people.owner, row, asked="1060000.4元", unit="")
    assert asked()[row.pk] == 1_060_000


def test_a_rise_of_all_prices_keeps_the_grid_at_its_queries(
    client, people, world, django_assert_max_num_queries
):
    for n in range(30):
        make_renewal(make_customer(owner=people.owner), date(2026, 4, 1 + n % 28))
    client.force_login(people.leader)
    client.post("/renewals/bulk/", VIEW | {"verb": "ask", "more": "6", "whole": "1"}, **HTMX)
    ask(client, people.leader)
    with django_assert_max_num_queries(29):
        client.get("/renewals/?p=2026q2&scope=team")
