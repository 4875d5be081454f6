"""A low answer opens an alert at once, with its time limit; a better one ends it. What surveys say
is a fact for journeys and an input of health."""

from datetime import timedelta

import numpy as np
import pytest
from alert_days import DAY, after, at, judge, make_rules
from factories import make_contact, make_customer, make_user

from gengyun.alerts.actions.evaluate import evaluate_facts
from gengyun.alerts.calc.customer_rules import LowAnswer, survey_low
from gengyun.alerts.calc.params import clean_params
from gengyun.alerts.models import Alert, AlertRule, Episode
from gengyun.customers.queries.facts import fact_values, known_facts
from gengyun.engagement.actions import answering, survey_forms, surveys
from gengyun.engagement.models import Invitation
from gengyun.engagement.queries.survey_facts import (
    NPS_SCORE,
    SILENT_WAVES,
    SINCE,
    low_answers,
    nps_scores,
    silent_waves,
)
from gengyun.health.queries.commercial import commercial_inputs
from gengyun.kernel.days import start_of
from gengyun.lake.store import Lake

EARLY = start_of(after(-400))


def low(days=0, *, part="user", kind="nps", score=3, customer=1, answer=1):
    return LowAnswer(customer, answer, "李", part, kind, score, "", after(-days))


def test_rule_opens_at_once_ages_and_weighs_who_decides():
    params = clean_params("survey_low", {"days": 30})
    rows = [low(), low(30, part="decider"), low(31), low(0, kind="csat", score=2)]
    seen = survey_low(rows, DAY, params, 2)
    assert seen.entered.tolist() == [True, True, False, True]
    assert seen.cleared.tolist() == [False, False, True, False]
    assert seen.severity.tolist() == [2, 1, 2, 2]
    assert np.isclose(seen.value[3], 2)
    assert seen.missing_is_cleared
    only = survey_low(rows, DAY, clean_params("survey_low", {"kinds": ["csat"]}), 2)
    assert len(only.ids) == 1


@pytest.fixture
def world(tmp_path):
    make_rules(only=["survey_low"])
    return Lake(tmp_path / "lake")


def asked(survey, contact, wave, day):
    moment = at(day)
    invitation = surveys.invite(now=moment, survey=survey, wave_key=wave, contact=contact)
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=moment)
    invitation.refresh_from_db()
    return invitation


def make_survey(kind="nps"):
    return survey_forms.create_survey(actor=None, now=EARLY, kind=kind, name_zh="推荐意愿")


def someone(**values):
    customer = make_customer(owner=make_user("csm"), known_at=EARLY)
    return make_contact(customer, "李先生", **values)


def score(contact, text, day, *, survey, wave="w"):
    invitation = asked(survey, contact, wave, day)
    answering.give_score(now=at(day), invitation=invitation, text=text)
    return invitation


@pytest.mark.django_db
def test_detractor_opens_an_alert_within_48_hours_and_a_better_answer_ends_it(world):
    survey, contact = make_survey(), someone(part="decider")
    judge(world, DAY)  # the deployment has been judged; what follows comes between two nights
    now = at(DAY)
    invitation = asked(survey, contact, "w1", DAY)
    answering.give_score(now=now, invitation=invitation, text="2")
    answering.give_answers(now=now, invitation=invitation, given={"why_low": ["报表太慢。"]})
    evaluate_facts(customer_ids=[contact.customer_id], now=now + timedelta(minutes=1))
    alert = Alert.objects.get()
    assert (alert.customer_id, alert.rule.key, alert.severity) == (
        contact.customer_id,
        "survey_low",
        1,
    )
    assert alert.owner_id == contact.customer.owner_id
    assert alert.response_due_at - now <= timedelta(hours=48, minutes=1)
    said = Episode.objects.get().evidence[-1]
    assert (said["contact"], said["comment"]) == ("李先生", "报表太慢。")
    # judged again, at once and at night: nothing twice
    evaluate_facts(customer_ids=[contact.customer_id], now=now + timedelta(minutes=2))
    judge(world, after(1))
    assert Alert.objects.count() == 1
    later = asked(survey, contact, "w2", after(3))
    answering.give_score(now=at(after(3)), invitation=later, text="9")
    evaluate_facts(customer_ids=[contact.customer_id], now=at(after(3)) + timedelta(minutes=1))
    assert Episode.objects.get().closed_on is not None


@pytest.mark.django_db
def test_passive_and_promoter_open_nothing(world):
    survey = make_survey()
    for text in ("7", "10"):
        score(someone(), text, after(-1), survey=survey)
    judge(world, DAY)
    assert not Alert.objects.exists()


@pytest.mark.django_db
def test_low_answers_are_those_nobody_has_made_good():
    nps, csat = make_survey(), make_survey("csat")
    one, two = someone(), someone()
    score(one, "3", after(-20), survey=nps, wave="w1")
    score(two, "2", after(-10), survey=csat)
    found = low_answers(start_of(DAY), days=30)
    assert [(row.contact_id, row.kind, row.score) for row in found] == [
        (one.pk, "nps", 3),
        (two.pk, "csat", 2),
    ]
    # good in another kind of survey says nothing about this one
    score(one, "5", after(-5), survey=csat)
    assert len(low_answers(start_of(DAY), days=30)) == 2
    score(one, "9", after(-5), survey=nps, wave="w2")
    assert [row.contact_id for row in low_answers(start_of(DAY), days=30)] == [two.pk]
    # as of an earlier day the better answer was not known
    assert [row.contact_id for row in low_answers(start_of(after(-6)), days=30)] == [one.pk, two.pk]
    assert [row.contact_id for row in low_answers(start_of(DAY), days=30, customer_ids=[])] == []
    assert low_answers(start_of(after(-30)), days=30) == []


@pytest.mark.django_db
def test_answers_and_silence_are_facts_as_known_on_the_day():
    survey, contact, other = make_survey(), someone(), someone()
    score(contact, "9", after(-200), survey=survey, wave="w1")
    score(contact, "4", after(-100), survey=survey, wave="w2")
    second = make_contact(contact.customer, "王女士")
    score(second, "8", after(-90), survey=survey, wave="w2")
    asked(survey, contact, "w3", after(-40))
    asked(survey, other, "w3", after(-40))
    pk = contact.customer_id
    keys = [NPS_SCORE, SILENT_WAVES, SINCE]
    assert set(keys) <= set(known_facts())
    found = fact_values(keys, as_of=DAY)
    assert found[NPS_SCORE] == {pk: 6.0}  # the latest of each: 4 and 8
    assert found[SILENT_WAVES] == {pk: 1, other.customer_id: 1}
    assert found[SINCE] == {pk: 90}
    assert fact_values(keys, as_of=DAY, customer_ids=[other.customer_id])[NPS_SCORE] == {}
    # 30 days ago the third wave still ran, and nothing of it was known
    assert silent_waves(start_of(after(-30))) == {pk: 0}
    assert nps_scores(start_of(after(-95))) == {pk: 4.0}
    health = commercial_inputs(DAY, ["nps_score", "silent_waves", "days_overdue"])
    assert health[pk] == {"nps_score": 6.0, "silent_waves": 1.0}
    assert health[other.customer_id] == {"silent_waves": 1.0}
    assert commercial_inputs(DAY, ["days_overdue"]).get(other.customer_id) is None


@pytest.mark.django_db
def test_rule_comes_to_old_deployments_once():
    from gengyun.alerts.actions.defaults import install_defaults

    make_rules(only=["usage_drop"])
    AlertRule.objects.filter(key="survey_low").delete()
    assert install_defaults(now=EARLY) == 1
    rule = AlertRule.objects.get(key="survey_low")
    assert (rule.first_response_hours, rule.is_active) == (18, True)
    assert install_defaults(now=EARLY) == 0


@pytest.mark.django_db
def test_answers_and_silent_waves_are_facts_of_the_churn_model():
    from gengyun.churn.calc.observed import KINDS
    from gengyun.churn.queries.observed_facts import facts

    survey, contact, other = make_survey(), someone(), someone()
    score(contact, "4", after(-60), survey=survey, wave="w1")
    asked(survey, other, "w1", after(-60))
    asked(survey, contact, "w2", after(-10))

    def told(until):
        found = facts(until)
        rows = zip(found.account, found.kind, found.known, found.value, strict=True)
        return {
            (int(pk), KINDS[kind], str(day), None if np.isnan(value) else float(value))
            for pk, kind, day, value in rows
        }

    said = (contact.customer_id, "nps", str(after(-60)), 4.0)
    silent = (other.customer_id, "no_reply", str(after(-46)), None)
    assert told(DAY) == {said, silent}
    # what came later was not known before: neither the answer nor the silence
    assert told(after(-46)) == {said}
    assert told(after(-60)) == set()


@pytest.mark.django_db
def test_answers_go_with_the_customer_that_became_part_of_another():
    from gengyun.customers.actions.merging import merge_customers, undo_merge

    survey, contact = make_survey(), someone()
    score(contact, "4", after(-10), survey=survey)
    kept = make_customer(known_at=EARLY)
    gone_id = contact.customer_id
    merge = merge_customers(actor=None, now=at(DAY), kept=kept, gone=contact.customer, choices={})
    assert survey.answers.get().customer_id == kept.pk
    assert survey.invitations.get().customer_id == kept.pk
    assert nps_scores(start_of(after(1))) == {kept.pk: 4.0}
    undo_merge(actor=None, now=at(DAY), merge=merge)
    assert survey.answers.get().customer_id == gone_id
