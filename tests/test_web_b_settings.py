"""Settings pages: who may open them, what they change, what they refuse."""

import pytest
from factories import NOW, make_customer, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_role(client):
    def log_in(role, **values):
        user = make_user(role, **values)
        client.force_login(user)
        client.user = user
        return client

    return log_in


@pytest.fixture
def defaults():
    from gengyun.customers.actions.defaults import install_defaults

    install_defaults(now=NOW)


def test_profile_changes_language_of_the_next_page(as_role):
    client = as_role("viewer")
    assert "我的设置" in client.get("/profile/").content.decode()
    answer = client.post("/profile/", {"language": "en", "theme": "dark"})
    assert answer.status_code == 303
    page = client.get("/profile/").content.decode()
    assert "My settings" in page
    assert 'data-bs-theme="dark"' in page
    client.user.refresh_from_db()
    assert (client.user.language, client.user.theme) == ("en", "dark")


def test_profile_refuses_an_unknown_choice(as_role):
    client = as_role("viewer")
    assert client.post("/profile/", {"theme": "pink"}).status_code == 422
    client.user.refresh_from_db()
    assert client.user.theme == "light"


@pytest.mark.parametrize(
    "old, new, again, status",
    [
        ("correct horse battery", "new horse battery 7", "new horse battery 7", 303),
        ("wrong", "new horse battery 7", "new horse battery 7", 422),
        ("correct horse battery", "new horse battery 7", "other", 422),
        ("correct horse battery", "short", "short", 422),
    ],
)
def test_password_change_asks_for_the_old_one(as_role, old, new, again, status):
    client = as_role("csm")
    answer = client.post("/profile/password/", {"old": old, "new": new, "again": again})
    assert answer.status_code == status
    client.user.refresh_from_db()
    assert client.user.check_password(new) == (status == 303)
    assert client.get("/profile/").status_code == 200  # still logged in


def test_administrator_creates_and_deactivates_a_user(as_role):
    from gengyun.team.models import AuditEntry, User

    client = as_role("admin")
    team = make_team("华东")
    values = {
        "email": "Zhou.Min@example.cn",
        "name": "周敏",
        "role": "csm",
        "team": team.pk,
        "password": "first horse battery",
        "language": "zh-hans",
    }
    assert client.post("/settings/team/users/new/", values).status_code == 303
    person = User.objects.get(email="zhou.min@example.cn")
    assert (person.name, person.team, person.role) == ("周敏", team, "csm")
    taken = client.post("/settings/team/users/new/", values)
    assert taken.status_code == 422
    assert "zhou.min@example.cn" in taken.content.decode()
    client.post(f"/settings/team/users/{person.pk}/active/", {"active": "0"})
    person.refresh_from_db()
    assert not person.is_active
    assert AuditEntry.objects.filter(action="user.deactivate").exists()
    undo = f"/settings/team/users/{person.pk}/active/?active=1"
    assert undo in client.get("/settings/team/").content.decode()  # in the toast
    client.post(undo)
    person.refresh_from_db()
    assert person.is_active
    page = client.get("/settings/audit/?action=user.deactivate").content.decode()
    assert "周敏" in page


def test_audit_log_shows_a_text_that_only_looks_like_an_instant(as_role):
    client = as_role("admin")
    odd = {"email": client.user.email, "name": "2026-11-24T99:99", "role": "admin"}
    client.post(f"/settings/team/users/{client.user.pk}/", odd)
    assert client.get("/settings/audit/?action=user.edit").status_code == 200


def test_last_administrator_stays(as_role):
    client = as_role("admin")
    values = {"email": client.user.email, "name": client.user.name, "role": "viewer"}
    assert client.post(f"/settings/team/users/{client.user.pk}/", values).status_code == 422
    client.user.refresh_from_db()
    assert client.user.role == "admin"


def test_team_is_created_edited_and_deleted(as_role):
    from gengyun.team.models import Team

    client = as_role("admin")
    assert client.post("/settings/team/teams/new/", {"name": "华东"}).status_code == 303
    team = Team.objects.get(name="华东")
    assert client.post("/settings/team/teams/new/", {"name": "华东"}).status_code == 422
    path = f"/settings/team/teams/{team.pk}/"
    assert client.post(path, {"name": "华东", "parent": team.pk}).status_code == 422
    assert client.post(path, {"name": "华南"}).status_code == 303
    assert client.post(path, {"step": "delete"}).status_code == 303
    assert not Team.objects.exists()


def rules_post(tiers, **more):
    """Two rules: ARR at least 500 thousand is the first tier, the rest the last."""
    return {
        "rule.0.tier": tiers[0].pk,
        "rule.0.if.0.field": "arr_minor",
        "rule.0.if.0.op": "gte",
        "rule.0.if.0.value": "50",
        "rule.1.tier": tiers[-1].pk,
        **more,
    }


def test_tier_rules_preview_counts_and_writes_nothing(as_role, defaults):
    from gengyun.customers.models import Tier, TierRule

    tiers = list(Tier.objects.all())
    make_customer("大客户", arr_minor=60_000_000)
    client = as_role("operations")
    before = list(TierRule.objects.values("tier", "conditions"))
    answer = client.post("/settings/tiers/", rules_post(tiers, step="preview"))
    assert answer.status_code == 200
    assert "1 家客户会换分层" in answer.content.decode()
    assert list(TierRule.objects.values("tier", "conditions")) == before


def test_tier_rules_are_saved_and_customers_move(as_role, defaults):
    from gengyun.customers.models import Tier, TierRule

    tiers = list(Tier.objects.all())
    large = make_customer("大客户", arr_minor=60_000_000)
    client = as_role("operations")
    answer = client.post("/settings/tiers/", rules_post(tiers, step="save"))
    assert answer.status_code == 303
    large.refresh_from_db()
    assert large.tier == tiers[0]
    assert TierRule.objects.first().conditions == [
        {"field": "arr_minor", "op": "gte", "value": 50_000_000}
    ]


@pytest.mark.parametrize(
    "change",
    [{"rule.0.if.0.value": "many"}, {"rule.0.if.0.value": ""}, {"rule.1.if.0.field": "industry"}],
)
def test_tier_rules_that_cannot_be_are_refused_beside_the_field(as_role, defaults, change):
    from gengyun.customers.models import Tier, TierRule

    client = as_role("admin")
    before = list(TierRule.objects.values("tier", "conditions"))
    post = rules_post(list(Tier.objects.all()), step="save") | change
    answer = client.post("/settings/tiers/", post)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert list(TierRule.objects.values("tier", "conditions")) == before


def test_tier_rule_rows_are_added_and_taken_away(as_role, defaults):
    from gengyun.customers.models import Tier

    tiers = list(Tier.objects.all())
    client = as_role("admin")
    page = client.post(
        "/settings/tiers/", rules_post(tiers, step="add_rule"), headers={"HX-Request": "true"}
    ).content.decode()
    assert "<html" not in page
    assert 'name="rule.2.tier"' in page
    page = client.post("/settings/tiers/", rules_post(tiers, step="drop_rule.0")).content.decode()
    assert 'name="rule.1.tier"' not in page


def test_stage_is_edited_and_moved(as_role, defaults):
    from gengyun.customers.models import Stage

    client = as_role("operations")
    _first, second = Stage.objects.filter(touch_model="high")[:2]
    values = {"name_zh": "启动", "name_en": "Kick-off", "expected_days": "30", "longest_days": "10"}
    path = f"/settings/stages/{second.pk}/"
    assert client.post(path, values).status_code == 422
    assert client.post(path, values | {"longest_days": "60"}).status_code == 303
    second.refresh_from_db()
    assert second.longest_days == 60
    client.post(f"/settings/stages/{second.pk}/up/")
    assert Stage.objects.filter(touch_model="high").first() == second
    assert client.post("/settings/stages/new/", {"touch_model": "high"}).status_code == 422
