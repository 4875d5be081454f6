"""Keeping what a person saw, so that the next visit can say what changed."""

from collections.abc import Mapping

from django.db import transaction

from gengyun.portfolio.models import SeenCounters
from gengyun.team.models import User


@transaction.atomic
def note_seen(*, user: User, scope: str, values: Mapping[str, int]) -> None:
    """Keep the counters of the present visit; a new visit moves the old ones to `before`.

    No audit row: it is a person's own place marker. Writes only when something differs.
    """
    seen = SeenCounters.objects.filter(user=user, scope=scope).first()
    if seen is None:
        SeenCounters.objects.create(
            user=user, scope=scope, visit_at=user.visit_at, values=dict(values)
        )
        return
    if seen.visit_at != user.visit_at:
        seen.before, seen.before_at, seen.visit_at = seen.values, seen.visit_at, user.visit_at
    elif seen.values == dict(values):
        return
    seen.values = dict(values)
    seen.save()
