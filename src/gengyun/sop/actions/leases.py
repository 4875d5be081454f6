"""Leases on runs: one row each, thousands in one statement."""

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection, transaction

from gengyun.kernel import arrays
from gengyun.sop.models import RunLease

# a lease that has been over for so long is nobody's: its worker died, and its run was stopped since
KEPT = timedelta(days=1)


@transaction.atomic
def take(run_ids: Collection[int], *, now: datetime, until: datetime, by: str) -> list[int]:
    """Of these runs, those that nobody holds; leases that are over are taken over."""
    ids = list(run_ids)
    if not ids:
        return []
    RunLease.objects.filter(pk__among=ids, until__lt=now).delete()
    end = RunLease._meta.get_field("until").get_db_prep_save(until, connection)  # noqa: SLF001
    with connection.cursor() as cursor:
        # two at once: the one waits for the other, and gets what is left
        if connection.vendor == "postgresql":
            cursor.execute(
                'INSERT INTO sop_runlease (run_id, until, "by") SELECT one, %s, %s '
                "FROM unnest(%s::bigint[]) AS one ON CONFLICT DO NOTHING",
                [end, by, arrays.written(sorted(ids))],
            )
        else:
            cursor.execute(
                'INSERT OR IGNORE INTO sop_runlease (run_id, until, "by") '
                "SELECT value, %s, %s FROM json_each(%s)",
                [end, by, json.dumps(sorted(ids))],
            )
        if cursor.rowcount == len(ids):
            return ids
    return held(ids, by=by)


def held(run_ids: Collection[int], *, by: str) -> list[int]:
    """Which of them this token still holds."""
    mine = RunLease.objects.filter(pk__among=list(run_ids), by=by).order_by()
    return list(mine.values_list("pk", flat=True))


def release(run_ids: Collection[int], *, by: str) -> None:
    RunLease.objects.filter(pk__among=list(run_ids), by=by).delete()


def forget(*, before: datetime) -> None:
    """Leases that were over then. Runs that go on have been taken over long since."""
    RunLease.objects.filter(until__lt=before).delete()
