"""What a filter offers to choose from."""

from django.db import connection

from gengyun.portfolio.models import CustomerSummary
from gengyun.team.models import User
from gengyun.team.queries.access import SEES_ALL

FIELDS = frozenset({"industry", "region"})
MOST = 200


def values_in_use(actor: User | None, field: str) -> list[str]:
    """The industries or regions of the customers that the actor sees, in order, at most 200."""
    if field not in FIELDS:
        raise ValueError(field)
    if actor is None or actor.role in SEES_ALL:
        return _all_values(field)
    rows = CustomerSummary.objects.visible_to(actor).exclude(**{field: ""}).order_by(field)
    return list(rows.values_list(field, flat=True).distinct()[:MOST])


def _all_values(field: str) -> list[str]:
    """From value to next value along the index: a step per value, not one per customer."""
    table = CustomerSummary._meta.db_table  # noqa: SLF001 - Django's documented name
    step = f"SELECT min({field}) FROM {table} WHERE {field} >"  # noqa: S608 - our own names
    query = (
        f"WITH RECURSIVE found(value) AS ({step} '' UNION ALL "  # noqa: S608
        f"SELECT ({step} found.value) FROM found WHERE found.value IS NOT NULL) "
        "SELECT value FROM found WHERE value IS NOT NULL LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [MOST])
        return [value for (value,) in cursor.fetchall()]
