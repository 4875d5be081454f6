"""Settings: the stages of opportunities, changed and refused."""

import pytest
from django.urls import reverse
from factories import NOW, make_customer, make_user

from gengyun.revenue.actions.opportunity_stages import install_defaults
from gengyun.revenue.models import Opportunity, OpportunityStage
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
PAGE = "/settings/opportunities/"


@pytest.fixture
def operations(client):
    install_defaults(now=NOW)
    user = make_user("operations")
    user.language = "en"
    user.save()
    client.force_login(user)
    return client


def stage(key):
    return OpportunityStage.objects.get(key=key)


def keys():
    return list(OpportunityStage.objects.values_list("key", flat=True))


def act(client, key, verb, **form):
    path = reverse("web:settings_opportunity_stage", args=[stage(key).pk, verb])
    return client.post(path, form)


def test_a_stage_is_added_named_moved_and_removed(operations):
    typed = {"name_zh": "立项", "name_en": "Budget agreed", "probability": "62.5%"}
    assert operations.post(f"{PAGE}new/", typed).status_code == 303
    made = stage("budget-agreed")
    assert (made.name_zh, made.probability_bp) == ("立项", 6250)
    assert keys() == [
        "found", "qualified", "proposal", "negotiation", "budget-agreed", "won", "lost",
    ]  # fmt: skip
    assert act(operations, "budget-agreed", "up").status_code == 303
    assert keys()[3:5] == ["budget-agreed", "negotiation"]
    edited = typed | {"name_en": "Budget", "probability": "60"}
    assert act(operations, "budget-agreed", "edit", **edited).status_code == 303
    made.refresh_from_db()
    assert (made.name_en, made.probability_bp, made.key) == ("Budget", 6000, "budget-agreed")
    page = operations.get(PAGE).content.decode()
    assert 'value="Budget"' in page
    assert 'value="60"' in page
    assert act(operations, "budget-agreed", "delete").status_code == 303
    assert "budget-agreed" not in keys()
    done = AuditEntry.objects.filter(action__startswith="opportunity_stage.")
    assert {row.action.partition(".")[2] for row in done} == {"create", "edit", "move", "delete"}


def test_what_a_board_needs_stays(operations):
    customer = make_customer()
    Opportunity.objects.create(
        customer=customer,
        kind="new",
        name="x",
        stage=stage("found"),
        created_at=NOW,
        updated_at=NOW,
    )
    for key, verb, form, said in (
        ("found", "delete", {}, "1 opportunities are in this stage"),
        ("won", "delete", {}, "stay where they are"),
        ("lost", "up", {}, "stay where they are"),
        ("won", "edit", {"name_zh": "赢", "name_en": "Won", "probability": "90"}, "at 100 and 0 %."),
        ("found", "edit", {"name_zh": "", "name_en": "x", "probability": "1"}, "needs a name"),
        ("found", "edit", {"name_zh": "甲", "name_en": "won", "probability": "1"}, "already a stage"),
        ("found", "edit", {"name_zh": "甲", "name_en": "A", "probability": "101"}, "0 and 100 %."),
        ("found", "edit", {"name_zh": "甲", "name_en": "A", "probability": "abc"}, "0 and 100 %."),
    ):  # fmt: skip
        answer = act(operations, key, verb, **form)
        assert answer.status_code == 422, (key, verb)
        assert said in answer.content.decode(), (key, verb)
    assert keys() == ["found", "qualified", "proposal", "negotiation", "won", "lost"]
    named = {"name_zh": "赢单", "name_en": "Closed won", "probability": "100"}
    assert act(operations, "won", "edit", **named).status_code == 303
    assert stage("won").is_won
    for key in ("qualified", "proposal", "negotiation"):
        act(operations, key, "delete")
    Opportunity.objects.all().delete()
    assert act(operations, "found", "delete").status_code == 422  # the last open one


def test_those_who_may_not_change_it_see_it(client, operations):
    assert client.get(PAGE).status_code == 200
    viewer = make_user("csm")
    client.force_login(viewer)
    assert act(client, "found", "delete").status_code == 403
    assert stage("found")
