"""Saying something about a customer's health: at once on the card, taken back by one click."""

import re

import pytest
from test_web_health_board import people, world  # noqa: F401 - fixtures

from gengyun.health.models import HealthOverride, HealthScore, Sentiment
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def log_in(client, user):
    user.language = "en"
    user.save()
    client.force_login(user)


def say(client, customer, what, **fields):
    return client.post(f"/customers/{customer.pk}/health/{what}/", fields, headers=HTMX)


def undo_of(answer):
    return re.search(r'hx-post="(/undo/[^"]+)"', answer.content.decode())[1]


def test_an_override_changes_the_card_at_once_and_undo_takes_it_back(world, people, client):  # noqa: F811
    log_in(client, people.owner)
    one = world["slide"]
    answer = say(client, one, "override", mode="set", points="45", reason="预算冻结",
                 until=day_of(utc_now()).isoformat())  # fmt: skip
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<html" not in text
    assert "45 instead of the computed 60" in text
    assert "预算冻结" in text
    assert HealthScore.objects.get(pk=one.pk).score == 45
    assert client.get("/health/missing/override/").content.decode().count("预算冻结") == 1
    client.post(undo_of(answer), headers=HTMX)
    assert HealthScore.objects.get(pk=one.pk).score == 60
    assert HealthOverride.objects.get().ended_at is not None


def test_ending_an_override_and_undoing_that(world, people, client):  # noqa: F811
    log_in(client, people.owner)
    one = world["slide"]
    until = day_of(utc_now()).isoformat()
    say(client, one, "override", mode="add", points="-10", reason="r", until=until)
    assert HealthScore.objects.get(pk=one.pk).score == 50
    answer = say(client, one, "override/end")
    assert HealthScore.objects.get(pk=one.pk).score == 60
    client.post(undo_of(answer), headers=HTMX)
    assert HealthScore.objects.get(pk=one.pk).score == 50


def test_a_sentiment_is_noted_with_its_end(world, people, client):  # noqa: F811
    log_in(client, people.owner)
    answer = say(client, world["slide"], "sentiment", level="1", reason="没有人回复")
    text = answer.content.decode()
    assert "alarmed" in text
    assert "没有人回复" in text
    said = Sentiment.objects.get()
    assert (said.valid_until - day_of(said.known_at)).days == 14
    client.post(undo_of(answer), headers=HTMX)
    assert Sentiment.objects.get().ended_at is not None


@pytest.mark.parametrize(
    "what, fields, text",
    [
        ("sentiment", {"level": "1", "reason": " "}, "Say why"),
        ("sentiment", {"level": "9", "reason": "x"}, "Choose one of the four levels"),
        ("override", {"mode": "set", "points": "101", "reason": "kept"}, "lies between 0 and 100"),
        ("override", {"mode": "set", "points": "x", "reason": "kept"}, "Enter a number"),
        ("override", {"mode": "set", "points": "5", "reason": "kept", "until": "x"}, "Choose a day"),
        ("override", {"mode": "set", "points": "5", "reason": "kept", "until": "2001-01-01"},
         "at most 90 days"),
    ],
)  # fmt: skip
def test_faults_are_said_and_what_was_typed_stays(world, people, client, what, fields, text):  # noqa: F811
    log_in(client, people.owner)
    fields.setdefault("until", day_of(utc_now()).isoformat())
    answer = say(client, world["slide"], what, **fields)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert text in page
    assert 'role="alert"' in page
    if fields["reason"].strip():
        assert f'value="{fields["reason"]}"' in page
    assert Sentiment.objects.count() == HealthOverride.objects.count() == 0


def test_others_may_not_say_anything(world, people, client):  # noqa: F811
    for user, status in ((people.colleague, 404), (people.stranger, 404), (people.viewer, 403)):
        log_in(client, user)
        for what in ("sentiment", "override", "override/end"):
            answer = say(client, world["slide"], what, level="1", reason="x", points="1")
            assert answer.status_code == status, (user.role, what)
    page = client.get(f"/customers/{world['slide'].pk}/").content.decode()
    assert "Set the score by hand" not in page  # the viewer reads, without the forms
    assert Sentiment.objects.count() == HealthOverride.objects.count() == 0
