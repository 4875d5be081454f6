"""Taking back what was said about renewals."""

from django.db import transaction

from gengyun.revenue.actions import asking, renewals


def _forecast(actor, now, payload):
    """payload: renewal id, and [old, new] of each field"""
    renewals.put_back(actor=actor, now=now, renewal_id=payload["pk"], told=payload["told"])


def _forecasts(actor, now, payload):
    """payload: [renewal id, [old, new] of each field] of each"""
    with transaction.atomic():
        for pk, told in payload:
            renewals.put_back(actor=actor, now=now, renewal_id=pk, told=told)


def _asked(actor, now, payload):
    """payload: [renewal id, [asked before, asked then]] of each"""
    asking.put_back_asked(actor=actor, now=now, told=dict(payload))


VERBS = {"renewal": _forecast, "renewals": _forecasts, "renewals_asked": _asked}
