"""Pages of the journey: the card on a customer, moves and ticks with undo, the editor, the list."""

from datetime import timedelta

import pytest
from factories import People, make_activity, make_customer, make_tiers
from test_web_a_pages import HTMX

from gengyun.customers.models import Stage, StageStay
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
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


def _stage(key, touch="high"):
    return Stage.objects.get(touch_model=touch, key=key)


def _customer(people, key, days, **values):
    from gengyun.customers.models import Tier

    stage = _stage(key)
    since = day_of(utc_now()) - timedelta(days=days)
    defaults = {"tier": Tier.objects.get(key="strategic"), "owner": people.owner}
    customer = make_customer(stage=stage, stage_since=since, **(defaults | values))
    StageStay.objects.create(customer=customer, stage=stage, entered_on=since, how="start")
    return customer


def test_card_tells_where_the_customer_stands_and_why(people, enter):
    customer = _customer(people, "kickoff", 40)
    text = enter(people.owner).get(f"/customers/{customer.pk}/").content.decode()
    assert 'id="s-journey"' in text
    assert '<span class="gy-tag c">behind</span>' in text
    assert "Goals made clear" in text or "Goals, duties and dates made clear" in text
    assert "Goals, duties and dates confirmed by both sides" in text
    assert "no data" in text  # nobody has been judged yet
    chinese = (
        enter(people.owner, "zh-hans").get(f"/customers/{customer.pk}/journey/").content.decode()
    )
    assert "落后" in chinese
    assert "目标、分工和时间表双方确认" in chinese


def test_tick_moves_on_and_says_so(people, enter):
    customer = _customer(people, "kickoff", 4)
    make_activity(customer, kind="meeting", happened_at=utc_now())
    path = f"/customers/{customer.pk}/journey/tick/"
    answer = enter(people.owner).post(path, {"key": "goals-agreed", "done": "1"}, headers=HTMX)
    text = answer.content.decode()
    assert "moves on to Rollout" in text
    assert "<html" not in text
    customer.refresh_from_db()
    assert customer.stage == _stage("rollout")


def test_move_by_hand_is_taken_back_by_the_toast(people, enter):
    customer = _customer(people, "steady", 30)
    web = enter(people.owner)
    path = f"/customers/{customer.pk}/journey/move/"
    answer = web.post(path, {"stage": _stage("rollout").pk, "reason": "New plant"}, headers=HTMX)
    text = answer.content.decode()
    assert "is in Rollout now" in text
    assert "New plant" in text
    token = text.partition("/undo/")[2].partition("/")[0]
    assert web.post(f"/undo/{token}/").status_code == 302
    customer.refresh_from_db()
    assert customer.stage == _stage("steady")
    assert StageStay.objects.filter(customer=customer).count() == 1


def test_others_see_no_card_and_viewers_change_nothing(people, enter):
    customer = _customer(people, "steady", 30)
    path = f"/customers/{customer.pk}/journey/"
    assert enter(people.colleague).get(path).status_code == 404
    assert enter(people.colleague).post(path + "tick/", {"key": "x"}).status_code == 404
    viewer = enter(people.viewer)
    assert viewer.get(path).status_code == 200
    assert "Move to another stage" not in viewer.get(path).content.decode()
    assert viewer.post(path + "move/", {"stage": _stage("rollout").pk}).status_code == 403


def test_stage_of_another_journey_is_refused_with_its_reason(people, enter):
    customer = _customer(people, "steady", 30)
    path = f"/customers/{customer.pk}/journey/move/"
    answer = enter(people.owner).post(path, {"stage": _stage("rollout", "tech").pk}, headers=HTMX)
    assert answer.status_code == 422
    assert "another touch model" in answer.content.decode()


def test_overview_counts_and_its_numbers_open_those_customers(people, enter):
    late = _customer(people, "rollout", 200, name="迟迟")
    _customer(people, "rollout", 10, name="刚到")
    refresh_summaries(now=utc_now())
    web = enter(people.owner)
    text = web.get("/journeys/").content.decode()
    assert "迟迟" in text
    assert "刚到" not in text  # only who is stuck is named
    link = f"/customers/?f=stage.is.{late.stage_id}&amp;f=pace.is.stuck"
    assert link in text
    listed = web.get(link.replace("&amp;", "&")).content.decode()
    assert "迟迟" in listed
    assert "刚到" not in listed
    assert "stuck" in listed
    assert "迟迟" not in enter(people.colleague).get("/journeys/").content.decode()


def _form(stage, **more):
    return {
        "name_zh": stage.name_zh,
        "name_en": stage.name_en,
        "expected_days": "30",
        "longest_days": "60",
        "step": "save",
        **more,
    }


def test_editor_shows_who_would_move_and_saves_what_was_typed(people, enter):
    stage = _stage("kickoff")
    _customer(people, "kickoff", 50, name="等很久", arr_minor=500_000_00)
    path = f"/settings/stages/{stage.pk}/"
    web = enter(people.operations)
    assert "The next stage" in web.get(path).content.decode()
    line = {"exit.0.fact": "arr_minor", "exit.0.op": "gte", "exit.0.value": "500"}  # thousands
    shown = web.post(path, _form(stage, **line, step="preview"), headers=HTMX).content.decode()
    assert "1 would move on" in shown
    assert "等很久" in shown
    stage.refresh_from_db()
    assert stage.exit[0]["fact"] == "activity:meeting"  # nothing was saved
    answer = web.post(path, _form(stage, **line, is_left_by_rule="1"))
    assert answer.status_code == 303
    stage.refresh_from_db()
    assert stage.exit == [{"fact": "arr_minor", "op": "gte", "value": 500_000_00}]
    assert stage.is_left_by_rule


def test_editor_keeps_what_was_typed_and_says_what_is_missing(people, enter):
    stage = _stage("kickoff")
    path = f"/settings/stages/{stage.pk}/"
    web = enter(people.operations)
    line = {"exit.0.fact": "seats", "exit.0.op": "lt", "exit.0.value": "many"}
    answer = web.post(path, _form(stage, **line))
    assert answer.status_code == 422
    assert 'value="many"' in answer.content.decode()
    no_rule = web.post(path, _form(stage, is_entered_by_rule="1"))
    assert no_rule.status_code == 422
    assert "Without conditions nobody can be moved by rule." in no_rule.content.decode()


def test_steps_of_the_editor_work_without_script(people, enter):
    stage = _stage("steady")
    path = f"/settings/stages/{stage.pk}/"
    web = enter(people.operations, "zh-hans")
    more = web.post(path, _form(stage, step="add_fact.exit")).content.decode()
    assert 'name="exit.0.fact"' in more
    tick = web.post(path, _form(stage, step="add_check.exit")).content.decode()
    assert 'name="exit.0.zh"' in tick
    gone = {"exit.0.check": "check-1", "exit.0.zh": "好", "exit.0.en": "ok", "step": "drop.exit.0"}
    assert 'name="exit.0.zh"' not in web.post(path, _form(stage) | gone).content.decode()


def test_share_and_choice_come_back_as_they_were_typed(people, enter):
    stage = _stage("steady")
    path = f"/settings/stages/{stage.pk}/"
    web = enter(people.operations)
    lines = {
        "outcome_kpi.0.fact": "health:score", "outcome_kpi.0.op": "gte", "outcome_kpi.0.value": "65",
        "exit.0.fact": "edition", "exit.0.value": "Pro, Max",
        "exit.1.fact": "has_owner", "exit.1.value": "no",
    }  # fmt: skip
    assert web.post(path, _form(stage, **lines)).status_code == 303
    stage.refresh_from_db()
    assert stage.exit == [
        {"fact": "edition", "op": "in", "value": ["Pro", "Max"]},
        {"fact": "has_owner", "op": "is", "value": False},
    ]
    text = web.get(path).content.decode()
    assert 'value="Pro, Max"' in text
