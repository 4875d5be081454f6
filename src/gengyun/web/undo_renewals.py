"""Taking back what was said about renewals."""

from django.db import transaction

from gengyun.revenue.actions import renewals


def _forecast(actor, now, payload):
    """payload: renewal id, and [old, new] of each field"""
    renewals.put_back(actor=actor, now=now, renewal_id=payload["pk"], told=payload["told"])


def _forecasts(actor, now, payload):
    """payload: [renewal id, [old, new] of each field] of each"""
    with transaction.atomic():
        for pk, told in payload:
            renewals.put_back(actor=actor, now=now, renewal_id=pk, told=told)


VERBS = {"renewal": _forecast, "renewals": _forecasts}
