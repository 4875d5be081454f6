"""Scorecards tuned by their owner: scope, draft, try on history, publish, order, retirement."""

import re
from datetime import timedelta

import pytest
from factories import make_user
from test_web_b_scorecards import fields, flat, form, person  # noqa: F401 - fixtures

from gengyun.customers.models import Tier
from gengyun.health.models import HistoryTest, Scorecard, ScorecardDraft
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.kernel.models import Job

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def default(person):  # noqa: F811
    return Scorecard.objects.last()


def path(card, rest=""):
    return f"/settings/scorecards/{card.pk}/{rest}"


def test_a_draft_is_kept_shown_and_thrown_away_with_undo(person, default):  # noqa: F811
    post = fields(default) | {"band.A": "88", "step": "save"}
    assert person.post(path(default), post, headers=HTMX).status_code == 200
    assert ScorecardDraft.objects.get().config["bands"]["A"] == 88
    page = person.get(path(default)).content.decode()
    assert "This is a draft" in page
    assert 'name="band.A" value="88"' in page
    assert 'name="band.A" value="80"' in person.get(path(default, "?version=1")).content.decode()
    assert "draft" in person.get("/settings/scorecards/").content.decode()
    person.post(path(default), post | {"step": "discard"})
    assert not ScorecardDraft.objects.exists()
    listed = person.get(path(default)).content.decode()
    undo = re.search(r'action="(/undo/[^"]+)"', listed)[1]
    person.post(undo)
    assert ScorecardDraft.objects.get().config["bands"]["A"] == 88
    assert default.versions.count() == 1


def test_a_draft_may_have_faults_but_no_unreadable_numbers(person, default):  # noqa: F811
    post = fields(default) | {"step": "save"}
    assert person.post(path(default), post | {"band.A": "40"}, headers=HTMX).status_code == 200
    assert person.post(path(default), post | {"band.A": "x"}, headers=HTMX).status_code == 422
    assert ScorecardDraft.objects.get().config["bands"]["A"] == 40


def test_trying_on_history_runs_as_a_job_and_publishes_what_was_tried(person, default):  # noqa: F811
    from gengyun.kernel.jobs import runner

    post = fields(default) | {"band.A": "88", "step": "try", "weeks": "13"}
    answer = person.post(path(default), post)
    test = HistoryTest.objects.get()
    assert (answer.status_code, answer.url) == (303, path(default, f"tests/{test.pk}/"))
    waiting = person.get(answer.url, headers=HTMX).content.decode()
    assert 'hx-trigger="every 1s"' in waiting
    assert "<html" not in waiting
    job = runner.run_next(worker="w", now=utc_now())
    assert job.state == Job.State.DONE, job.error
    assert "HX-Redirect" in person.get(answer.url, headers=HTMX).headers
    assert "No past days yet" in person.get(answer.url).content.decode()
    today = day_of(utc_now())
    done = person.post(answer.url, {"note": "tried", "effective_from": today.isoformat()})
    assert done.status_code == 303
    version = default.versions.get(number=2)
    assert (version.config["bands"]["A"], version.note) == (88, "tried")
    assert Job.objects.filter(unique_key="judge_health_again").exists()  # today is judged again
    assert not ScorecardDraft.objects.exists()


def test_faulty_configurations_are_not_tried(person, default):  # noqa: F811
    post = fields(default) | {"band.A": "40", "step": "try"}
    assert person.post(path(default), post).status_code == 422
    assert not HistoryTest.objects.exists()


def test_a_leader_looks_but_does_not_try_or_publish(person, default, client):  # noqa: F811
    test = HistoryTest.objects.create(
        scorecard=default, config=default.versions.get().config, weeks=13, asked_at=utc_now(),
        state="done", result={"days": []},
    )  # fmt: skip
    client.force_login(make_user("leader", language="en"))
    assert client.get(path(default, f"tests/{test.pk}/")).status_code == 200
    answer = client.post(path(default, f"tests/{test.pk}/"), {"effective_from": "2026-01-01"})
    assert answer.status_code == 403
    assert client.post(path(default), fields(default) | {"step": "try"}).status_code == 403
    assert client.get(path(Scorecard.objects.first(), f"tests/{test.pk}/")).status_code == 404


def test_scope_is_changed_and_a_twin_is_refused(person, default):  # noqa: F811
    tier = Tier.objects.get(key="key")
    special = Scorecard.objects.first()
    values = {
        "name_zh": "重点推广",
        "name_en": "Key rollout",
        "tier": [tier.pk],
        "stage": ["rollout"],
    }
    assert person.post(path(special, "scope/"), values).status_code == 303
    special.refresh_from_db()
    assert (special.tier_ids, special.stage_keys) == ([tier.pk], ["rollout"])
    listed = person.get("/settings/scorecards/").content.decode()
    assert "Key rollout" in listed
    assert "Who is judged by which" in listed
    twin = person.post("/settings/scorecards/new/", values | {"like": default.pk})
    assert twin.status_code == 422
    assert "already for exactly these tiers and stages" in twin.content.decode()


def test_a_card_is_retired_and_put_back(person, default):  # noqa: F811
    special = Scorecard.objects.first()
    person.post(path(special, "retire/"))
    assert "put back in use" in person.get("/settings/scorecards/").content.decode()
    person.post(path(default, "retire/"))  # the one for all stays
    default.refresh_from_db()
    assert default.retired_at is None
    person.post(path(special, "retire/"))
    special.refresh_from_db()
    assert special.retired_at is None


def test_rules_and_peers_survive_the_form():
    config = {
        "min_coverage": 0.6, "hysteresis": 3, "bands": {"A": 80, "B": 65, "C": 50},
        "groups": [{"key": "g", "name_zh": "组", "name_en": "G", "weight": 1, "factors": [
            {"key": "a", "metric": "a", "weight": 1, "curve": [[0, 0], [1, 100]],
             "missing": "exclude", "peers": "tier"},
        ]}],
        "caps": [
            {"key": f"r_{field}", "when": {"metric": "a", "op": "gte", "value": 1}, field: 40,
             "reason_zh": "因", "reason_en": "why"}
            for field in ("cap_at", "floor_at", "set_to")
        ],
    }  # fmt: skip
    units = {"a": "count"}
    draft = form.draft_from_post(flat(form.draft_from_config(config, units)))
    back, errors = form.config_from_draft(draft, units)
    assert not errors
    assert back["caps"] == config["caps"]
    assert back["groups"][0]["factors"][0]["peers"] == "tier"


def test_a_factor_that_begins_to_read_the_sentiment_gets_its_curve(person, default):  # noqa: F811
    post = fields(default) | {"group.0.factor.0.metric": "csm_sentiment", "step": "preview"}
    page = person.post(path(default), post, headers=HTMX).content.decode()
    found = re.findall(r'name="group\.0\.factor\.0\.point\.\d\.x" value="([^"]*)"', page)
    assert found == ["1", "2", "3", "4"]


def test_a_published_day_in_the_future_is_not_judged_today(person, default):  # noqa: F811
    day = (day_of(utc_now()) + timedelta(days=3)).isoformat()
    person.post(path(default), fields(default) | {"effective_from": day, "step": "publish"})
    assert default.versions.count() == 2
    assert not Job.objects.filter(unique_key="judge_health_again").exists()
