"""A step that opens an alert: through the rule, once, in the words of the SOP."""

from datetime import timedelta

import pytest
from factories import make_user
from test_sop_engine import MONDAY, day, make_scored, make_sop

from gengyun.alerts.actions.defaults import install_defaults
from gengyun.alerts.actions.evaluate import evaluate_day, evaluate_facts
from gengyun.alerts.models import Alert, AlertRule, Episode
from gengyun.kernel.days import day_of
from gengyun.sop.models import StepRun

pytestmark = pytest.mark.django_db
FORM = {
    "steps": [{"key": "a", "kind": "alert", "severity": 2, "cause": "cause_unknown",
               "title": {"zh": "请看 {{ customer.name }}", "en": "Look at {{ customer.name }}"}}]
}  # fmt: skip


def test_a_step_opens_one_alert_as_urgent_as_it_says_and_it_runs_out():
    install_defaults(now=MONDAY)
    make_sop(FORM)
    customer = make_scored(owner=make_user())
    evaluate_day(day_of(MONDAY), now=MONDAY)
    day(MONDAY)
    for _ in range(2):
        evaluate_facts(customer_ids=[customer.pk], now=MONDAY)
    alert = Alert.objects.get()
    assert (alert.customer, alert.severity, alert.rule.kind) == (customer, 2, "asked_for")
    assert Episode.objects.get().evidence[0]["title_en"] == f"Look at {customer.name}"
    late = MONDAY + timedelta(days=31)
    evaluate_day(day_of(late), now=late)
    alert.refresh_from_db()
    assert alert.state == Alert.State.CLOSED


def test_without_the_rule_the_step_fails_and_says_so():
    install_defaults(now=MONDAY)
    AlertRule.objects.filter(kind="asked_for").update(is_active=False)
    make_sop(FORM)
    make_scored()
    day(MONDAY)
    line = StepRun.objects.get()
    assert (line.state, line.reason) == ("failed", "no_alert_rule")
