"""What the pages show, at one row and at three, with a fixed number of queries."""

from datetime import date, timedelta

import pytest
from django.test import Client
from factories import make_customer, make_user

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.models import Activity
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.models import CustomerSummary, SavedView
from gengyun.team.models import User

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SECTIONS = ["overview", "journey", "health", "usage", "alerts", "contacts", "group", "timeline"]
QUERIES = 14  # of the customer's page


@pytest.fixture
def me():
    """An administrator who reads English, who has been here today."""
    user = make_user("admin", language="en", name="Ada")
    user.visit_at = utc_now()
    user.save()
    return user


@pytest.fixture
def web(me):
    client = Client()
    client.force_login(me, backend="django.contrib.auth.backends.ModelBackend")
    return client


def customers(count, owner, **values):
    now = utc_now()
    defaults = {"owner": owner, "arr_minor": 48_600_000, "known_at": now, "currency": "CNY"}
    rows = [make_customer(f"Customer {n}", **(defaults | values)) for n in range(1, count + 1)]
    refresh_summaries(now=now)
    return rows


def judged(customer, *, score, change, band):
    """Health as the nightly judgement would leave it in the summary."""
    CustomerSummary.objects.filter(pk=customer.pk).update(
        score=score,
        band=band,
        change_week=change,
        movers=[{"name_zh": "活跃天数", "name_en": "Active days", "points": change}],
        as_of=day_of(utc_now()),
    )


def test_list_shows_one_row_with_amount_and_owner(web, me):
    customers(1, me)
    text = web.get("/customers/").content.decode()
    assert "Customer 1" in text
    assert "486" in text  # thousands, the unit is in the header
    assert "Ada" in text
    assert "1 customer in all" in text


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_for_one_row_and_for_three(web, me, count, django_assert_num_queries):
    customers(count, me)
    web.get("/customers/")  # warms templates and session
    with django_assert_num_queries(8):
        text = web.get("/customers/").content.decode()
    assert text.count("data-row") == count


def test_tabs_are_counted_after_the_list_is_shown(web, me):
    customers(1, me)
    customers(2, make_user("csm"))
    page = web.get("/customers/?view=all").content.decode()
    assert 'hx-get="/customers/tabs/' in page
    counted = web.get("/customers/tabs/?view=all", headers=HTMX).content.decode()
    assert '<span class="n">1</span>' in counted
    assert "hx-trigger" not in counted  # once


@pytest.mark.parametrize("count", [1, 3])
def test_today_costs_the_same_for_one_row_and_for_three(web, me, count, django_assert_num_queries):
    yesterday = day_of(utc_now()) - timedelta(days=1)
    customers(count, me, next_step="Send the offer", next_step_on=yesterday)
    web.get("/")
    with django_assert_num_queries(24):
        text = web.get("/").content.decode()
    assert text.count("data-row") == count
    assert "“Send the offer” was due 1 day ago." in text


def test_today_tells_the_reason_of_a_fall(web, me):
    [customer] = customers(1, me)
    judged(customer, score=58.0, change=-14.0, band="C")
    text = web.get("/").content.decode()
    assert "58 watch" in text or ("58" in text and "watch" in text)
    assert "▼ 14" in text
    assert "Active days (−14)" in text


def test_empty_company_is_told_what_to_do(web):
    assert "There are no customers here yet." in web.get("/").content.decode()
    text = web.get("/customers/").content.decode()
    assert "No customers yet" in text
    assert "/customers/new/" in text


def test_conditions_are_chips_and_a_broken_one_is_refused(web, me):
    customers(3, me)
    answer = web.get("/customers/", {"add_field": "arr", "add_op": "gte", "add_value": "500"})
    assert answer.status_code == 302
    assert answer["Location"] == "/customers/?f=arr.gte.50000000"
    text = web.get(answer["Location"]).content.decode()
    assert "at least 500k" in text
    assert "No customer fits" in text
    assert web.get("/customers/?f=arr.gte.much").status_code == 422
    assert web.get("/customers/?sort=password").status_code == 422


def test_window_of_conditions_offers_what_occurs(web, me):
    customers(1, me, industry="物流", region="上海")
    part = web.get("/customers/conditions/?sort=-arr&f=band.in.D", headers=HTMX).content.decode()
    assert "<html" not in part
    assert "物流" in part
    assert 'name="f" value="band.in.D"' in part  # the other conditions stay
    assert "<html" in web.get("/customers/conditions/").content.decode()


def test_search_of_two_characters_finds_part_of_a_name(web, me):
    make_customer("杭州云启科技", owner=me)
    make_customer("北京衡石教育", owner=me)
    refresh_summaries(now=utc_now())
    text = web.get("/go/?q=云启", headers=HTMX).content.decode()
    assert "杭州云启科技" in text
    assert "衡石" not in text


def test_view_is_saved_shown_changed_and_deleted(web, me):
    customers(1, me)
    answer = web.post("/customers/views/", {"name": "Big", "f": "arr.gte.100", "sort": "-arr"})
    view = SavedView.objects.get()
    assert answer["Location"] == f"/customers/?view={view.pk}"
    assert view.query["filters"] == [{"field": "arr", "op": "gte", "value": 100}]
    assert "Big" in web.get(answer["Location"]).content.decode()
    edited = web.get(f"/customers/?view={view.pk}&f=arr.gte.100&f=band.in.D&sort=-arr")
    assert "changed, not saved" in edited.content.decode()
    web.post(f"/customers/views/{view.pk}/", {"verb": "delete"})
    assert not SavedView.objects.exists()


def test_next_step_is_edited_in_place_and_taken_back(web, me):
    [customer] = customers(1, me)
    path = f"/customers/{customer.pk}/cell/next_step/"
    assert "<html" not in web.get(path, headers=HTMX).content.decode()
    answer = web.post(path, {"next_step": "Call Zhou", "next_step_on": ""}, headers=HTMX)
    text = answer.content.decode()
    assert "Call Zhou" in text
    assert "<html" not in text
    assert "/undo/" in text
    undo = "/undo/" + text.split("/undo/")[1].split("/")[0] + "/"
    web.post(undo, headers=HTMX)
    customer.refresh_from_db()
    assert customer.next_step == ""


def test_wrong_day_in_a_cell_comes_back_with_the_form(web, me):
    [customer] = customers(1, me)
    path = f"/customers/{customer.pk}/cell/next_step/"
    answer = web.post(path, {"next_step": "x", "next_step_on": "soon"}, headers=HTMX)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    plain = web.post(path, {"next_step": "x", "next_step_on": "soon"})
    assert plain.status_code == 422
    assert "<html" in plain.content.decode()


def test_owner_and_tier_cells_work_as_plain_forms(web, me):
    [customer] = customers(1, None)
    colleague = make_user("csm", name="Bob")
    answer = web.post(f"/customers/{customer.pk}/cell/owner/", {"owner": colleague.pk})
    assert answer.status_code == 302
    customer.refresh_from_db()
    assert customer.owner == colleague


def test_bulk_hand_over_is_taken_back_as_a_whole(web, me):
    rows = customers(3, me)
    bob = make_user("csm", name="Bob")
    ids = [row.pk for row in rows[:2]]
    web.post("/customers/bulk/", {"ids": ids, "verb": "owner", "owner": bob.pk})
    assert Customer.objects.filter(owner=bob).count() == 2
    text = web.get("/customers/").content.decode()
    undo = "/undo/" + text.split("/undo/")[1].split("/")[0] + "/"
    web.post(undo)
    assert Customer.objects.filter(owner=me).count() == 3
    assert web.post(undo).status_code == 404  # once


def test_bulk_with_a_guessed_id_changes_nothing(me):
    csm = make_user("leader")
    own = customers(1, csm)[0]
    other = make_customer(owner=me)
    client = Client()
    client.force_login(csm, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post("/customers/bulk/", {"ids": [own.pk, other.pk], "verb": "tag", "tag": "x"})
    assert answer.status_code == 404
    assert not own.tags.exists()


def test_export_neutralises_formulas_and_opens_in_spreadsheets(web, me):
    make_customer("=HYPERLINK(1)", owner=me, arr_minor=123)
    refresh_summaries(now=utc_now())
    answer = web.post("/exports/", {"listing": "customers", "form": "csv"}, follow=True)
    content = answer.getvalue().decode()
    assert content.startswith("\ufeff")
    assert "'=HYPERLINK(1)" in content
    assert "1.23" in content


def test_new_customer_form_keeps_what_was_typed(web):
    answer = web.post("/customers/new/", {"name": "Acme", "arr": "lots", "seats": "1.5"})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert 'value="Acme"' in text
    assert text.count('aria-invalid="true"') == 2
    good = {"name": "Acme", "arr": "48.6万", "renews_on": "2027-02-18"}
    answer = web.post("/customers/new/", good)
    customer = Customer.objects.get(name="Acme")
    assert answer["Location"] == f"/customers/{customer.pk}/"
    assert (customer.arr_minor, customer.renews_on) == (48_600_000, date(2027, 2, 18))


def test_customer_page_holds_its_sections(web, me, django_assert_num_queries):
    [customer] = customers(1, me)
    now = utc_now()
    Contact.objects.create(customer=customer, name="Zhou Min", created_at=now, updated_at=now)
    path = f"/customers/{customer.pk}/"
    web.get(path)
    with django_assert_num_queries(QUERIES):
        text = web.get(path).content.decode()
    for section in SECTIONS:
        assert text.count(f'id="s-{section}"') == 1
        assert f'href="#s-{section}"' in text  # of the rail
    assert "Not judged yet" in text
    assert "Zhou Min" in text


@pytest.mark.parametrize("section", ["alerts", "tasks", "group"])
def test_a_later_section_takes_its_place_and_is_a_page_of_its_own(web, me, section):
    [customer] = customers(1, me)
    path = f"/customers/{customer.pk}/{section}/"
    page = web.get(f"/customers/{customer.pk}/").content.decode()
    assert f'hx-get="{path}" hx-trigger="intersect once"' in page
    assert f'<noscript><a class="end gy-note" href="{path}">' in page  # without script
    part = web.get(path, headers=HTMX).content.decode()
    assert part.count(f'<section id="s-{section}"') == 1
    assert "<html" not in part
    assert "intersect" not in part  # once
    assert f'id="s-{section}"' in web.get(path).content.decode()
    stranger = Client()
    stranger.force_login(make_user("csm"), backend="django.contrib.auth.backends.ModelBackend")
    assert stranger.get(path).status_code == 404


def test_timeline_on_the_page_is_short_and_goes_on(web, me):
    [customer] = customers(1, me)
    now = utc_now()
    for n in range(8):
        Activity.objects.create(
            customer=customer, kind="call", body=f"Call {n}!", author=me,
            happened_at=now - timedelta(days=n), recorded_at=now,
        )  # fmt: skip
    text = web.get(f"/customers/{customer.pk}/").content.decode()
    assert [f"Call {n}!" in text for n in range(8)] == [True] * 6 + [False] * 2
    assert '<h2>Timeline<span class="n">8</span></h2>' in text
    assert 'hx-trigger="intersect once, click"' in text
    path = text.split(f'hx-get="/customers/{customer.pk}/timeline/?before=')[1].split('"')[0]
    more = web.get(f"/customers/{customer.pk}/timeline/?before={path}", headers=HTMX)
    assert [f"Call {n}!" in more.content.decode() for n in range(8)] == [False] * 6 + [True] * 2


def test_activity_is_logged_as_fragment_and_as_page_and_taken_back(web, me):
    [customer] = customers(1, me)
    path = f"/customers/{customer.pk}/activities/"
    answer = web.post(path, {"kind": "call", "body": "They want a quote"}, headers=HTMX)
    text = answer.content.decode()
    assert "They want a quote" in text
    assert "<html" not in text
    assert web.post(path, {"kind": "note", "body": "second"}).status_code == 302
    assert Activity.objects.present().count() == 2
    empty = web.post(path, {"kind": "call", "body": "  "}, headers=HTMX)
    assert empty.status_code == 422
    assert 'role="alert"' in empty.content.decode()
    activity = Activity.objects.get(kind="call")
    web.post(f"/customers/{customer.pk}/activities/{activity.pk}/delete/")
    assert "They want" not in web.get(f"/customers/{customer.pk}/").content.decode()
    web.post(f"/customers/{customer.pk}/activities/{activity.pk}/restore/")
    assert "They want" in web.get(f"/customers/{customer.pk}/").content.decode()


def test_contact_is_added_edited_and_marked_left(web, me):
    [customer] = customers(1, me)
    base = f"/customers/{customer.pk}/contacts/"
    bad = web.post(base + "new/", {"name": "Li", "email": "nope"}, headers=HTMX)
    assert bad.status_code == 422
    assert 'value="nope"' in bad.content.decode()
    web.post(base + "new/", {"name": "Li", "part": "champion", "email": "li@a.cn"}, headers=HTMX)
    contact = Contact.objects.get()
    assert contact.part == "champion"
    answer = web.post(f"{base}{contact.pk}/left/", headers=HTMX)
    assert "left on" in answer.content.decode()
    contact.refresh_from_db()
    assert contact.left_on == day_of(utc_now())


def test_need_is_put_off_and_comes_back(web, me):
    yesterday = day_of(utc_now()) - timedelta(days=1)
    [customer] = customers(1, me, next_step="Send the offer", next_step_on=yesterday)
    path = f"/needs/{customer.pk}/next_step_overdue/"
    text = web.post(path + "later/", {"days": "1"}, headers=HTMX).content.decode()
    assert "<html" not in text
    assert "data-row" not in text
    assert "comes back tomorrow" in text
    web.post(path + "undo/", headers=HTMX)
    assert "data-row" in web.get("/").content.decode()


def test_chart_data_marks_rest_days(web, me):
    [customer] = customers(1, me)
    data = web.get(f"/customers/{customer.pk}/usage.json?range=90").json()
    assert len(data["values"]) == len(data["rest"]) == 90
    assert sum(data["rest"]) >= 24


def test_language_switch_changes_page_and_is_kept(web, me):
    customers(1, me)
    web.post("/language/", {"language": "zh-hans", "next": "/customers/"})
    me.refresh_from_db()
    assert User.objects.get(pk=me.pk).language == "zh-hans"
    text = web.get("/customers/").content.decode()
    assert 'lang="zh-CN"' in text
    assert "新客户" in text
    assert "New customer" not in text


def test_missing_page_is_ours(web):
    answer = web.get("/nowhere/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()
