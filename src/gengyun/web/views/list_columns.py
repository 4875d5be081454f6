"""Choosing the columns of the customer list: which, and in what order."""

from django.urls import reverse

from gengyun.customers.queries.custom_fields import fields_in_use
from gengyun.web.access import page
from gengyun.web.present import list_query
from gengyun.web.present.list_columns import COLUMNS, chosen, column_of
from gengyun.web.render import is_htmx, render


@page()
def columns(request):
    """Every column there is, those that are shown first. Fetched when the window opens."""
    address = list_query.of_request(request.GET)
    customs = {field.name: field for field in fields_in_use()}
    shown = [column.key for column in chosen(address.columns, customs)]
    keys = [*shown, *(key for key in (*COLUMNS, *customs) if key not in shown)]
    keys = _moved(keys, request.GET.get("up", ""), -1)
    keys = _moved(keys, request.GET.get("down", ""), 1)
    base = reverse("web:customers")
    context = {
        "address": address,
        "chooser": [(column_of(key, customs), key in shown) for key in keys],
        "back_href": address.path(base),
        "default_href": address.path(base, columns=()) or base,
    }
    block = "columns" if is_htmx(request) else None
    return render(request, "customers/columns.html", context, block=block)


def _moved(keys, key, by):
    """For browsers without script: one column one place further; the name stays first."""
    if key not in keys:
        return keys
    at = keys.index(key)
    to = at + by
    if not 1 <= to < len(keys):
        return keys
    keys[at], keys[to] = keys[to], keys[at]
    return keys
