"""Taking back what was said about renewals."""

from gengyun.revenue.actions import renewals


def _forecast(actor, now, payload):
    """payload: renewal id, and [old, new] of each field"""
    renewals.put_back(actor=actor, now=now, renewal_id=payload["pk"], told=payload["told"])


VERBS = {"renewal": _forecast}
