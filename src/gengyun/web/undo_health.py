"""Taking back what was done to scorecards and to a customer's health."""

from gengyun.customers.queries import customers as queries
from gengyun.health.actions import opinions, scorecards
from gengyun.health.jobs import judge_health_again
from gengyun.health.models import Scorecard
from gengyun.kernel.jobs import add


def _order(actor, now, payload):
    """payload: [scorecard ids]"""
    scorecards.reorder_scorecards(actor=actor, now=now, order=payload)
    add(judge_health_again, unique_key="judge_health_again")


def _retired(actor, now, payload):
    card = Scorecard.objects.get(pk=payload)
    change = scorecards.restore_scorecard if card.retired_at else scorecards.retire_scorecard
    change(actor=actor, now=now, scorecard=card)
    add(judge_health_again, unique_key="judge_health_again")


def _draft(actor, now, payload):
    card = Scorecard.objects.get(pk=payload["pk"])
    scorecards.save_draft(actor=actor, now=now, scorecard=card, config=payload["config"])


def _sentiment(actor, now, payload):
    """payload: [customer id, sentiment id]"""
    customer = queries.get(actor, payload[0])
    opinions.take_back_sentiment(actor=actor, now=now, customer=customer, sentiment_id=payload[1])


def _override(actor, now, payload):
    """payload: [customer id, override id]"""
    customer = queries.get(actor, payload[0])
    opinions.take_back_override(actor=actor, now=now, customer=customer, override_id=payload[1])


def _override_ended(actor, now, payload):
    customer = queries.get(actor, payload[0])
    opinions.renew_override(actor=actor, now=now, customer=customer, override_id=payload[1])


VERBS = {
    "scorecard_order": _order,
    "scorecard_retired": _retired,
    "scorecard_draft": _draft,
    "sentiment": _sentiment,
    "override": _override,
    "override_ended": _override_ended,
}
