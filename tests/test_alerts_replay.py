"""Whatever happens to a customer: days judged once or several times come to the same."""

import random

import pytest
from alert_days import EARLY, after, at, judge, make_metric_rule, make_rules, put_values
from factories import make_customer, make_user

from gengyun.alerts.actions.work import close, snooze
from gengyun.alerts.models import Alert, AlertDay, AlertEvent, Episode, Suppression
from gengyun.lake.store import Lake

pytestmark = pytest.mark.django_db
DAYS = 10


def play(lake, seed, *, again, people):
    """Ten days of five customers and three rules; now and then somebody closes or snoozes."""
    for model in (AlertEvent, Episode, Alert, Suppression, AlertDay):
        model.objects.all().delete()
    dice = random.Random(seed)
    owner, customers = people
    told = []
    for number in range(DAYS):
        day = after(number)
        for metric in ("events_30d", "events_7d", "breadth_30d"):
            choices = [1, 5, 15, 30, None]
            values = {one: dice.choice(choices) for one in customers}
            put_values(lake, day, values, metric=metric)
        for _ in range(again[number]):
            judge(lake, day)
        press, pick = dice.random(), dice.random()
        alerts = list(Alert.objects.filter(state="open", parent=None).order_by("key"))
        if alerts and press < 0.5:
            chosen = [alerts[int(pick * len(alerts))].pk]
            if press < 0.35:
                close(actor=owner, now=at(day), alert_ids=chosen, verdict="true")
            else:
                snooze(
                    actor=owner, now=at(day), alert_ids=chosen, until=after(number + 3), reason="等"
                )
            if again[number] > 1:
                judge(lake, day)
        told.append(_state())
    assert _one_item_per_episode()
    return told


def _state():
    """Without numbers that depend on the order of rows."""
    alerts = Alert.objects.values_list(
        "key", "state", "severity", "in_digest", "close_reason", "parent__key", "opened_on"
    )
    episodes = Episode.objects.values_list(
        "rule__key", "dedupe_key", "state", "opened_on", "closed_on", "alert__key", "enter_count"
    )
    return sorted(map(repr, alerts)), sorted(map(repr, episodes))


def _one_item_per_episode():
    live = Alert.objects.open()
    keys = list(live.values_list("key", flat=True))
    opened = Episode.objects.exclude(state="watching")
    return (
        len(keys) == len(set(keys))
        and not opened.filter(alert=None).exists()
        # an open episode has an open work item
        and not opened.filter(closed_on=None, alert__state="closed").exists()
        # and a work item that is open has one that runs
        and all(alert.episodes.filter(closed_on=None).exists() for alert in live)
        # a part hangs on a ticket, never on another part or on one that is closed
        and not live.filter(parent__isnull=False, parent__parent__isnull=False).exists()
        and not live.filter(parent__state="closed").exists()
    )


@pytest.mark.parametrize("seed", range(3))
def test_days_judged_several_times_come_to_the_same_as_once(tmp_path, seed):
    make_rules(only=[])
    make_metric_rule("a", urgent=2)
    make_metric_rule("b", metric="events_7d", cause="roi_wrong", evaluations=2)
    make_metric_rule("c", metric="breadth_30d", cause="activation_low", severity=3)
    owner = make_user("csm")
    people = owner, [make_customer(owner=owner, known_at=EARLY) for _ in range(5)]
    dice = random.Random(seed + 100)
    lake = Lake(tmp_path / "lake")
    once = play(lake, seed, again=[1] * DAYS, people=people)
    several = play(lake, seed, again=[dice.randint(1, 3) for _ in range(DAYS)], people=people)
    assert several == once
