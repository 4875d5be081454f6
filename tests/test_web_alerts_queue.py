"""The queue of alerts and its side panel, as the people meet them."""

import re

import pytest
from alert_rows import make_alert, make_rules
from django.test import Client
from factories import People, make_customer

from gengyun.alerts.models import Alert, AlertEvent
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.team.models import User

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def cast():
    """Alerts that stand in the present: pages read the clock."""
    from gengyun.kernel.clock import utc_now

    people = People()
    people.now = utc_now()
    people.rules = make_rules()
    people.customer = make_customer("杭州云启科技", owner=people.owner, arr_minor=48_600_000)
    people.other = make_customer("北京衡石教育", owner=people.colleague)
    people.alert = make_alert(
        people.rules["usage_drop"], people.customer, at=people.now, readings=3
    )
    people.theirs = make_alert(
        people.rules["dormant"], people.other, at=people.now, facts={"last_on": "2026-02-10"}
    )
    User.objects.update(language="en")
    refresh_summaries(now=people.now)
    return people


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_csm_sees_their_own(cast):
    page = text_of(browser(cast.owner).get("/alerts/"))
    assert "杭州云启科技" in page
    assert "北京衡石教育" not in page
    assert "Use in the last 14 days is 55% of the usual" in page
    assert "1 alert to work on" in page


def test_a_leader_sees_the_team_and_may_look_at_own_only(cast):
    client = browser(cast.leader)
    assert "北京衡石教育" in text_of(client.get("/alerts/?scope=team"))
    assert "北京衡石教育" not in text_of(client.get("/alerts/?scope=mine"))


@pytest.mark.parametrize(
    "query, count",
    [("", 2), ("?sev=2", 2), ("?sev=1", 0), ("?q=云启", 1), ("?late=1", 0), ("?cause=x", 2), ("?family=none", 0),
     ("?tab=snoozed", 0), ("?page=7", 0), ("?sort=amount", 2), ("?sort=due", 2), ("?tab=nonsense&sort=x&rule=x", 2)],
)  # fmt: skip
def test_filters_and_orders(cast, query, count):
    sign = "&" if "?" in query else "?"
    page = browser(cast.admin).get(f"/alerts/{query}{sign}scope=team")
    assert page.status_code == 200
    assert page.content.decode().count("<tr data-row") == count


def test_a_rule_filter_finds_by_any_episode(cast):
    rule = cast.rules["dormant"]
    page = browser(cast.admin).get(f"/alerts/?scope=team&rule={rule.pk}").content.decode()
    assert page.count("<tr data-row") == 1
    assert "Remove: Rule" in page


def test_queries_do_not_grow_with_the_rows(cast, django_assert_max_num_queries):
    client = browser(cast.owner)
    client.get("/alerts/")
    for n in range(6):
        make_alert(
            cast.rules["usage_drop"], make_customer(f"客户{n}", owner=cast.owner), at=cast.now
        )
    with django_assert_max_num_queries(26):
        page = client.get("/alerts/").content.decode()
    assert page.count("<tr data-row") == 7


def test_the_panel_proves_what_it_says(cast):
    page = text_of(browser(cast.owner).get(f"/alerts/{cast.alert.pk}/", headers=HTMX))
    assert "Use in the last 14 days is 55% of the usual" in page
    assert "the last 3 readings" in page
    assert "Close: was the alert right?" in page
    assert "opened" in page


def test_without_script_the_panel_is_a_page(cast):
    page = browser(cast.owner).get(f"/alerts/{cast.alert.pk}/").content.decode()
    assert "<!doctype html>" in page
    assert "杭州云启科技" in page


@pytest.mark.parametrize(
    "who, status",
    [("owner", 200), ("colleague", 404), ("leader", 200), ("stranger", 404), ("operations", 200), ("viewer", 200), ("admin", 200)],
)  # fmt: skip
def test_who_may_open_it(cast, who, status):
    assert browser(getattr(cast, who)).get(f"/alerts/{cast.alert.pk}/").status_code == status


@pytest.mark.parametrize(
    "who, status",
    [("colleague", 404), ("stranger", 404), ("viewer", 403)],
)
def test_who_may_not_work_on_it(cast, who, status):
    answer = browser(getattr(cast, who)).post(
        f"/alerts/{cast.alert.pk}/close/", {"verdict": "false"}
    )
    assert answer.status_code == status
    cast.alert.refresh_from_db()
    assert (cast.alert.state, cast.alert.verdict) == ("open", "")


def test_one_click_closes_with_a_verdict_and_can_be_taken_back(cast):
    client = browser(cast.owner)
    cause = cast.rules["usage_drop"].cause_id
    answer = client.post(
        f"/alerts/{cast.alert.pk}/close/",
        {"verdict": "true", "cause": cause, "note": "换系统"},
        headers=HTMX,
    )
    assert answer.status_code == 200
    assert answer["HX-Trigger"] == "alerts-changed"
    cast.alert.refresh_from_db()
    assert (cast.alert.state, cast.alert.verdict, cast.alert.cause_id, cast.alert.note) == (
        "closed",
        "true",
        cause,
        "换系统",
    )
    undo = re.search(r'action="(/alerts/undo/[0-9a-f]+/)"', answer.content.decode())[1]
    assert client.post(undo, headers=HTMX).status_code == 200
    cast.alert.refresh_from_db()
    assert (cast.alert.state, cast.alert.verdict) == ("open", "")
    # a second time there is nothing to take back
    assert client.post(undo, headers=HTMX).status_code == 404


def test_nobody_takes_back_what_somebody_else_did(cast):
    answer = browser(cast.owner).post(f"/alerts/{cast.alert.pk}/respond/", headers=HTMX)
    undo = re.search(r'action="(/alerts/undo/[0-9a-f]+/)"', answer.content.decode())[1]
    assert browser(cast.leader).post(undo).status_code == 404
    cast.alert.refresh_from_db()
    assert cast.alert.responded_by == cast.owner


@pytest.mark.parametrize(
    "verb, form, tab",
    [
        ("respond", {}, "open"),
        ("snooze", {"days": "7", "reason": "等客户答复"}, "snoozed"),
        ("snooze", {"days": "3", "other": "项目期", "reason": "x"}, "snoozed"),
        ("close", {"verdict": "known"}, "closed"),
    ],
)
def test_what_is_done_moves_it_to_its_tab(cast, verb, form, tab):
    client = browser(cast.owner)
    assert client.post(f"/alerts/{cast.alert.pk}/{verb}/", form).status_code == 302
    assert "杭州云启科技" in text_of(client.get(f"/alerts/?tab={tab}"))


@pytest.mark.parametrize(
    "verb, form, status",
    [("snooze", {"days": "7"}, 422), ("snooze", {"days": "700", "reason": "x"}, 422), ("snooze", {"reason": "x"}, 422),
     ("close", {}, 422), ("close", {"verdict": "maybe"}, 422), ("close", {"verdict": "true", "cause": "99999"}, 404),
     ("reopen", {}, 409), ("dance", {}, 404), ("assign", {"owner": "99999"}, 404)],
)  # fmt: skip
def test_what_cannot_be_done_changes_nothing(cast, verb, form, status):
    before = AlertEvent.objects.count()
    answer = browser(cast.owner).post(f"/alerts/{cast.alert.pk}/{verb}/", form, headers=HTMX)
    assert answer.status_code == status
    assert AlertEvent.objects.count() == before


def test_a_leader_hands_over_a_csm_only_takes(cast):
    url = f"/alerts/{cast.alert.pk}/assign/"
    assert browser(cast.owner).post(url, {"owner": cast.colleague.pk}).status_code == 403
    assert browser(cast.leader).post(url, {"owner": cast.colleague.pk}).status_code == 302
    cast.alert.refresh_from_db()
    assert cast.alert.owner == cast.colleague


def test_was_it_us(cast):
    Alert.objects.filter(pk=cast.alert.pk).update(
        state="closed", close_reason="cleared", closed_at=cast.now
    )
    client = browser(cast.owner)
    assert "杭州云启科技" in text_of(client.get("/alerts/?tab=asked"))
    page = client.get(f"/alerts/{cast.alert.pk}/", headers=HTMX).content.decode()
    assert "Was it your doing?" in page
    client.post(f"/alerts/{cast.alert.pk}/answer/", {"was_it_us": "1"})
    cast.alert.refresh_from_db()
    assert (cast.alert.was_it_us, cast.alert.verdict) == (True, "true")
    assert "<tr data-row" not in client.get("/alerts/?tab=asked").content.decode()


def test_many_at_once_and_back(cast):
    second = make_alert(
        cast.rules["champion_left"], cast.customer, at=cast.now, family="relationship"
    )
    client = browser(cast.owner)
    answer = client.post(
        "/alerts/bulk/",
        {"ids": [cast.alert.pk, second.pk], "verb": "close", "verdict": "false"},
        follow=True,
    )
    assert "2 alerts: closed: False alarm" in text_of(answer)
    assert Alert.objects.filter(state="closed", verdict="false").count() == 2
    undo = re.search(r'action="(/alerts/undo/[0-9a-f]+/)"', answer.content.decode())[1]
    client.post(undo)
    assert Alert.objects.filter(state="open").count() == 3


def test_many_of_others_are_refused_as_a_whole(cast):
    answer = browser(cast.owner).post(
        "/alerts/bulk/", {"ids": [cast.alert.pk, cast.theirs.pk], "verb": "respond"}
    )
    assert answer.status_code == 404
    assert not Alert.objects.exclude(responded_at=None).exists()
    assert browser(cast.owner).post("/alerts/bulk/", {"verb": "respond"}).status_code == 422


def test_all_of_the_list_means_the_list_with_its_filters(cast):
    Alert.objects.filter(pk=cast.theirs.pk).update(severity=1)
    form = {"scope_of": "all", "scope": "team", "sev": "1", "verb": "respond"}
    browser(cast.admin).post("/alerts/bulk/", form)
    assert list(Alert.objects.exclude(responded_at=None)) == [cast.theirs]


def test_incidents_of_the_company_stand_on_top_for_everybody(cast):
    facts = {
        "first": "2026-03-01",
        "last": "2026-03-01",
        "customers": 300,
        "observed": 1,
        "expected": 9,
    }
    incident = make_alert(cast.rules["outage"], at=cast.now, facts=facts, value=0.12)
    page = text_of(browser(cast.owner).get("/alerts/"))
    assert "Since 1 Mar" in page
    assert "1 alert to work on" in page  # not counted among one's own work
    # not a CSM's to close
    assert (
        browser(cast.owner).post(f"/alerts/{incident.pk}/close/", {"verdict": "true"}).status_code
        == 403
    )
    assert (
        browser(cast.operations)
        .post(f"/alerts/{incident.pk}/close/", {"verdict": "true"})
        .status_code
        == 302
    )


def test_empty_queues_say_what_they_are_for(cast):
    Alert.objects.all().delete()
    client = browser(cast.owner)
    for tab, words in (("open", "No day has been judged yet"), ("digest", "The digest is empty"), ("snoozed", "Nothing is put off"),
                       ("asked", "No question left"), ("closed", "Nothing was closed yet")):  # fmt: skip
        assert words in text_of(client.get(f"/alerts/?tab={tab}"))


def test_today_opens_the_alert(cast):
    page = browser(cast.owner).get("/").content.decode()
    assert f'data-panel="/alerts/{cast.alert.pk}/"' in page
    assert "Work on the alert" in page


def test_the_customers_page_lists_open_and_closed(cast):
    client = browser(cast.owner)
    client.post(f"/alerts/{cast.alert.pk}/close/", {"verdict": "known"})
    make_alert(cast.rules["champion_left"], cast.customer, at=cast.now, family="relationship", value=3.0,
               facts={"part": "champion", "name": "王思琪", "title": "总监", "left_on": "2026-02-20"})  # fmt: skip
    base = f"/customers/{cast.customer.pk}/"
    page = client.get(base).content.decode()
    assert f'id="s-alerts" class="gy-card" hx-get="{base}alerts/"' in page  # comes when seen
    part = text_of(client.get(base + "alerts/", headers={"HX-Request": "true"}))
    assert "<html" not in part
    assert "王思琪" in part
    assert "Known" in part


def test_names_that_look_like_markup_stay_text(cast):
    cast.customer.name = '<script>alert("x")</script>'
    cast.customer.save()
    page = browser(cast.owner).get("/alerts/").content.decode()
    assert "<script>alert(" not in page
    assert "&lt;script&gt;" in page


def test_both_languages_without_a_leak(cast):
    User.objects.update(language="zh-hans")
    client = browser(cast.owner)
    for path in ("/alerts/", f"/alerts/{cast.alert.pk}/"):
        page = client.get(path).content.decode()
        main = text_of(
            type("R", (), {"content": page[page.index("<main") : page.index("</main>")].encode()})()
        )
        words = set(re.findall(r"[A-Za-z]{3,}", main)) - {
            "CSM",
            "ARR",
            "ROI",
            "CSV",
            "Ctrl",
            "Enter",
            "Esc",
            "Excel",
            "User",
            "SOP",
        }
        assert not words, words
