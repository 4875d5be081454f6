"""What each rule finds on a day: the rule's kind chooses inputs and formula."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gengyun.alerts.calc import (
    churn_rules,
    commercial_rules,
    customer_rules,
    rules,
    usage_rules,
)
from gengyun.alerts.calc.found import Found
from gengyun.alerts.models import AlertRule
from gengyun.alerts.queries import asked, commercial, customer_facts
from gengyun.alerts.queries.day import Day
from gengyun.alerts.queries.odds import odds

Kind = AlertRule.Kind


def found_by(rule: AlertRule, day: Day) -> Found:
    """The rule's findings among the customers of its scope."""
    found = _KINDS[Kind(rule.kind)](rule, day)
    if not rule.scope or rule.is_company_wide or not len(found.ids):
        return found
    fits = day.in_scope(rule.scope)
    if found.keys is not None:  # several things of a customer, or none
        members = set(day.ids[fits].tolist())
        inside = np.array([pk in members for pk in found.ids.tolist()], dtype=np.bool_)
    else:
        inside = fits
    if rule.kind == Kind.STAGE_LATE:  # whoever left the stages of the rule has got on
        return replace(found, entered=found.entered & inside, cleared=found.cleared | ~inside)
    # out of scope nothing opens, and what is open there ends
    return replace(found, entered=found.entered & inside, outside=~inside)


def _usage_drop(rule: AlertRule, day: Day) -> Found:
    return usage_rules.drop(
        day.usage.customer_ids, day.usage.use, day.calendar, rule.params, rule.severity
    )


def _dormant(rule: AlertRule, day: Day) -> Found:
    return usage_rules.silence(
        day.usage.customer_ids,
        day.usage.use,
        day.calendar,
        rule.params,
        rule.severity,
        active_days_before=day.usage.active_days_before,
        last_on=day.usage.last_on,
    )


def _slow_slide(rule: AlertRule, day: Day) -> Found:
    return usage_rules.slide(
        day.usage.customer_ids, day.usage.use, day.calendar, rule.params, rule.severity
    )


def _outage(rule: AlertRule, day: Day) -> Found:
    return usage_rules.outage(day.calendar, day.as_of, rule.severity)


def _metric(rule: AlertRule, day: Day) -> Found:
    value = day.metric(rule.params["metric"])
    return rules.metric(day.ids, value, rule.params, rule.severity)


def _activation(rule: AlertRule, day: Day) -> Found:
    value = day.metric(rule.params["metric"])
    return rules.activation_low(day.ids, value, day.days_since_start, rule.params, rule.severity)


def _stage_late(rule: AlertRule, day: Day) -> Found:
    stays = day.stays
    stage = [None if pk < 0 else pk for pk in stays.stage.tolist()]
    late = rules.Lateness(day.effective_days_over(stays), stage, stays.since.tolist())
    return rules.stage_late(day.ids, late, rule.params, rule.severity)


def _band_change(rule: AlertRule, day: Day) -> Found:
    then = day.health(rule.params["days"])
    return rules.band_change(day.ids, day.health(), then, rule.params, rule.severity)


def _score_drop(rule: AlertRule, day: Day) -> Found:
    score, before = day.health().score, day.health(rule.params["days"]).score
    return rules.score_drop(day.ids, score, before, rule.params, rule.severity)


def _contact_left(rule: AlertRule, day: Day) -> Found:
    return rules.contact_left(day.departures, day.today, rule.params, rule.severity)


def _renewal_window(rule: AlertRule, day: Day) -> Found:
    rows = commercial.due_renewals(day, within_days=rule.params["days"])
    return commercial_rules.renewal_window(rows, day.today, rule.params, rule.severity)


def _payment_overdue(rule: AlertRule, day: Day) -> Found:
    rows = commercial.overdue_payments(day)
    return commercial_rules.payment_overdue(day.ids, rows, rule.params, rule.severity)


def _seats_reduced(rule: AlertRule, day: Day) -> Found:
    seats = commercial.seats(day, days=rule.params["days"])
    return commercial_rules.seats_reduced(day.ids, seats, rule.params, rule.severity)


def _churn_jump(rule: AlertRule, day: Day) -> Found:
    found = odds(day, days=rule.params["days"])
    return churn_rules.churn_jump(day.ids, found, rule.params, rule.severity)


def _risk_noted(rule: AlertRule, day: Day) -> Found:
    rows = customer_facts.noted_risks(day)
    return customer_rules.risk_noted(rows, day.today, rule.params, rule.severity)


def _sentiment_drop(rule: AlertRule, day: Day) -> Found:
    p = rule.params
    now, before = customer_facts.level_and_before(day, metric=p["metric"], days=p["days"])
    return customer_rules.sentiment_drop(day.ids, now, before, p, rule.severity)


def _seats_full(rule: AlertRule, day: Day) -> Found:
    shares = customer_facts.weekly(day, metric=rule.params["metric"], weeks=rule.params["weeks"])
    return customer_rules.seats_full(day.ids, shares, rule.params, rule.severity)


def _asked_for(rule: AlertRule, day: Day) -> Found:
    rows = asked.asked_of(day, days=rule.params["days"])
    return customer_rules.asked_for(rows, day.today, rule.params)


def _survey_low(rule: AlertRule, day: Day) -> Found:
    rows = customer_facts.low_survey_answers(day, days=rule.params["days"])
    return customer_rules.survey_low(rows, day.today, rule.params, rule.severity)


def _source_silent(rule: AlertRule, day: Day) -> Found:
    return rules.source_silent(day.sources, rule.params, rule.severity)


_KINDS: dict[AlertRule.Kind, Callable[[AlertRule, Day], Found]] = {
    Kind.USAGE_DROP: _usage_drop,
    Kind.DORMANT: _dormant,
    Kind.SLOW_SLIDE: _slow_slide,
    Kind.ACTIVATION_LOW: _activation,
    Kind.STAGE_LATE: _stage_late,
    Kind.SOURCE_SILENT: _source_silent,
    Kind.OUTAGE: _outage,
    Kind.BAND_CHANGE: _band_change,
    Kind.SCORE_DROP: _score_drop,
    Kind.CONTACT_LEFT: _contact_left,
    Kind.RENEWAL_WINDOW: _renewal_window,
    Kind.PAYMENT_OVERDUE: _payment_overdue,
    Kind.SEATS_REDUCED: _seats_reduced,
    Kind.CHURN_JUMP: _churn_jump,
    Kind.RISK_NOTED: _risk_noted,
    Kind.SENTIMENT_DROP: _sentiment_drop,
    Kind.SEATS_FULL: _seats_full,
    Kind.SURVEY_LOW: _survey_low,
    Kind.ASKED_FOR: _asked_for,
    Kind.METRIC: _metric,
}
