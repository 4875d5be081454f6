"""Pages about which company a customer is: group, duplicates, merge with undo, the new form."""

from datetime import date

import pytest
from factories import NOW, People, make_customer, make_tiers
from test_web_a_pages import HTMX

from gengyun.customers.actions import customers as actions
from gengyun.customers.calc.company_names import name_key
from gengyun.customers.models import Customer, CustomerMerge, Tier
from gengyun.kernel.clock import utc_now
from gengyun.portfolio.actions.summaries import refresh_summaries


@pytest.fixture
def people(db):
    make_tiers()
    return People()


@pytest.fixture
def enter(client):
    def log_in(user, language="en"):
        user.language = language
        user.save()
        client.force_login(user)
        return client

    return log_in


def _make(people, name, **values):
    return make_customer(name, name_key=name_key(name), **{"owner": people.owner, **values})


def test_parent_is_set_by_name_and_taken_back(people, enter):
    top, child = _make(people, "南山集团", arr_minor=5_000_000), _make(people, "南山医药")
    refresh_summaries(now=NOW)
    web = enter(people.owner)
    path = f"/customers/{child.pk}/parent/"
    answer = web.post(path, {"parent": "南山集团"}, headers=HTMX)
    text = answer.content.decode()
    assert "is part of the group of 南山集团 now" in text
    assert "ARR of the group" in text
    child.refresh_from_db()
    assert child.parent == top
    assert "南山医药" in web.get(f"/customers/{top.pk}/group/", headers=HTMX).content.decode()
    token = text.partition("/undo/")[2].partition("/")[0]
    web.post(f"/undo/{token}/")
    child.refresh_from_db()
    assert child.parent is None


def test_name_that_several_bear_is_asked_for(people, enter):
    child = _make(people, "子公司")
    _make(people, "南山一", region="广东")
    _make(people, "南山二")
    refresh_summaries(now=NOW)
    web = enter(people.owner)
    path = f"/customers/{child.pk}/parent/"
    answer = web.post(path, {"parent": "南山"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Which one is meant?" in answer.content.decode()
    assert "南山二" in answer.content.decode()
    nobody = web.post(path, {"parent": "没有这家"}, headers=HTMX)
    assert nobody.status_code == 422
    assert "There is no such customer." in nobody.content.decode()
    circle = web.post(path, {"parent": child.external_id}, headers=HTMX)
    assert circle.status_code == 422


def test_duplicates_are_listed_merged_and_taken_apart_again(people, enter):
    big = _make(people, "北京耕云科技有限公司", arr_minor=90_000_00, region="北京")
    small = _make(people, "耕云科技", arr_minor=10_000_00, industry="软件")
    refresh_summaries(now=NOW)
    web = enter(people.leader)
    listed = web.get("/customers/duplicates/").content.decode()
    assert "one name is short for the other" in listed
    path = f"/customers/{big.pk}/merge/{small.pk}/"
    assert path in listed
    shown = web.get(path).content.decode()
    assert 'name="choice.arr_minor" value="sum"' in shown
    assert "goes on receiving events" in shown
    done = web.post(path, {"choice.arr_minor": "sum", "choice.industry": "gone"}, follow=True)
    assert "is part of 北京耕云科技有限公司 now" in done.content.decode()
    big.refresh_from_db()
    assert (big.arr_minor, big.industry) == (100_000_00, "软件")
    page = web.get(f"/customers/{small.pk}/").content.decode()
    assert f'href="/customers/{big.pk}/"' in page
    assert ">Restore<" not in page
    merge = CustomerMerge.objects.get()
    apart = web.post(f"/merges/{merge.pk}/undo/", follow=True).content.decode()
    assert "are two customers again" in apart
    small.refresh_from_db()
    assert small.archived_at is None


def test_pair_of_two_companies_is_not_proposed_again_until_taken_back(people, enter):
    one, other = _make(people, "耕云科技"), _make(people, "北京耕云科技有限公司")
    web = enter(people.leader)
    ids = {"first": one.pk, "second": other.pk}
    text = web.post("/customers/duplicates/not/", ids, follow=True).content.decode()
    assert "No duplicates found" in text
    token = text.partition("/undo/")[2].partition("/")[0]
    web.post(f"/undo/{token}/")
    assert "耕云科技" in web.get("/customers/duplicates/").content.decode()


def test_who_may_not_merge_gets_no_way_to_it(people, enter):
    one, other = _make(people, "耕云科技"), _make(people, "北京耕云科技有限公司")
    web = enter(people.owner)
    assert "Merge with another" not in web.get(f"/customers/{one.pk}/").content.decode()
    assert web.get("/customers/duplicates/").status_code == 403
    assert web.get(f"/customers/{one.pk}/merge/").status_code == 403
    assert web.post(f"/customers/{one.pk}/merge/{other.pk}/").status_code == 403
    stranger = enter(people.stranger)
    assert stranger.get(f"/customers/{one.pk}/merge/{other.pk}/").status_code == 404
    assert Customer.objects.present().count() == 2


def test_new_customer_that_may_be_there_already_is_asked_about_once(people, enter):
    present = _make(people, "北京耕云科技有限公司")
    web = enter(people.owner, "zh-hans")
    form = {"name": "耕云科技有限公司"}
    answer = web.post("/customers/new/", form)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert f'href="/customers/{present.pk}/"' in text
    assert Customer.objects.count() == 1
    assert web.post("/customers/new/", form | {"sure": "1"}).status_code == 302
    assert Customer.objects.count() == 2


def test_form_says_what_is_wrong_with_a_credit_code(people, enter):
    web = enter(people.owner, "zh-hans")
    answer = web.post("/customers/new/", {"name": "某某", "uscc": "91440300 71526726XH"})
    assert answer.status_code == 422
    assert "校验码" in answer.content.decode()
    made = web.post("/customers/new/", {"name": "某某", "uscc": "９１440300 71526726xg"})
    assert made.status_code == 302
    assert Customer.objects.get().uscc == "9144030071526726XG"
    page = web.get(f"/customers/{Customer.objects.get().pk}/").content.decode()
    assert "9144030071526726XG" in page


def test_manual_tier_taken_back_keeps_author_reason_and_expiry(people, enter):
    customer = _make(people, "甲", tier=Tier.objects.get(key="standard"))
    until = date(2099, 1, 1)
    actions.set_tier_manually(
        actor=people.admin,
        now=utc_now(),
        customer=customer,
        tier=Tier.objects.get(key="key"),
        reason="试点客户",
        until=until,
    )
    web = enter(people.leader)
    path = f"/customers/{customer.pk}/cell/tier/"
    wanted = {"tier": Tier.objects.get(key="strategic").pk, "reason": "新合同"}
    text = web.post(path, wanted, headers=HTMX).content.decode()
    token = text.partition("/undo/")[2].partition("/")[0]
    web.post(f"/undo/{token}/")
    customer.refresh_from_db()
    assert (customer.tier.key, customer.tier_set_by) == ("key", people.admin)
    assert (customer.tier_reason, customer.tier_until) == ("试点客户", until)


def test_whatever_goes_over_in_a_merge_has_a_name_on_the_page():
    from gengyun.customers.actions.merging import _parts
    from gengyun.web.views.company import PARTS

    assert set(_parts) <= set(PARTS)
