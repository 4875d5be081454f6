"""Fields of a customer that a package above writes, so that no form or import changes them.

A package registers which fields it writes and for which customers it does.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from gengyun.customers.models import Customer
from gengyun.kernel.errors import Refusal

Whose = Callable[[Collection[int]], set[int]]  # of these customers, those that are governed

_governors: dict[str, tuple[frozenset[str], Whose]] = {}
GOVERNED = gettext_noop("This follows from the contracts and is not written by hand.")


class FieldGoverned(Refusal):
    code = "field_governed"
    status = 409
    message = GOVERNED


def register(name: str, fields: Collection[str], whose: Whose) -> None:
    _governors[name] = (frozenset(fields), whose)


def governed_fields(customer_id: int) -> frozenset[str]:
    """Fields of this customer that nobody writes by hand."""
    return frozenset().union(
        *(fields for fields, whose in _governors.values() if whose([customer_id]))
    )


def touched(wanted: Mapping[int, Mapping[str, Any]]) -> dict[int, set[str]]:
    """Customer id -> governed fields among those that would be written."""
    found: dict[int, set[str]] = {}
    for fields, whose in _governors.values():
        asked = {pk for pk, values in wanted.items() if not fields.isdisjoint(values)}
        for pk in whose(asked) if asked else ():
            found.setdefault(pk, set()).update(fields.intersection(wanted[pk]))
    return found


def refuse_changes(rows: Collection[Customer], values: Mapping[int, Mapping[str, Any]]) -> None:
    """Refuse values that differ from what governs them; the same value may be written again."""
    by_id = {row.pk: row for row in rows}
    for pk, names in touched(values).items():
        for name in sorted(names):
            if getattr(by_id[pk], name) != values[pk][name]:
                raise FieldGoverned(field=name)
