"""The customer list: tabs, conditions, sort, columns, bulk work, export."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.queries.custom_fields import fields_named, values_of
from gengyun.portfolio.calc.filters import Filter
from gengyun.portfolio.queries import customer_list as queries
from gengyun.portfolio.queries.views import get_view, view_tabs
from gengyun.team.actions.users import set_preferences
from gengyun.team.models import Role
from gengyun.team.queries.access import can
from gengyun.team.queries.people import possible_owners
from gengyun.web.access import page
from gengyun.web.jinja import icon, url
from gengyun.web.numbers import is_number
from gengyun.web.present import list_query
from gengyun.web.present.cells import Cells
from gengyun.web.present.list_columns import chosen
from gengyun.web.present.marks import options
from gengyun.web.render import back, is_htmx, render
from gengyun.web.views import filter_window
from gengyun.web.views import filters as filter_views

TEMPLATE = "customers/list.html"
CHURN_COLUMNS = (
    "tier", "health", "churn", "churn_change", "churn_on", "churn_grade", "arr", "next_step",
    "owner",
)  # fmt: skip


@page()
def show(request):
    address = _address(request)
    added = filter_window.added(request)
    if added:
        address_to = address.path(request.path, filters=(*address.filters, *added))
        return HttpResponseRedirect(address_to)
    context = _context(request, address)
    return render(request, TEMPLATE, context, block=_block(request))


def _block(request):
    """While a name is being typed only the rows are drawn anew."""
    if not is_htmx(request):
        return None
    return "rows" if _is_typing(request) else "list"


def _is_typing(request):
    return is_htmx(request) and request.headers.get("HX-Target") == "rows"


def _context(request, address):
    user, today = request.user, request.today
    query = address.query()
    found = queries.list_page(user, query, today=today, **address.at)
    saved = _saved(request, address)
    customs = _customs(address)
    columns = chosen(address.columns, customs)
    base = reverse("web:customers")
    return {
        "address": address,
        "found": found,
        "columns": columns,
        "cells": Cells(
            columns,
            today=today,
            may_edit=can(user, "customer.edit"),
            may_assign=can(user, "customer.assign"),
            url=url,
            icon=icon,
            custom=_custom_cells(columns, customs, found.rows),
        ),
        "columns_href": address.path(reverse("web:customers_columns")),
        "tabs": [] if _is_typing(request) else _tabs(request, address),
        "tabs_counted": False,
        "is_fragment": is_htmx(request),
        "tabs_href": address.path(reverse("web:customers_tabs")),
        "saved": saved,
        "is_changed": saved is not None and not _same(saved, query),
        "chips": filter_views.chips(address, request.path, customs),
        "conditions_href": address.path(reverse("web:customers_conditions")),
        "href": lambda **changes: address.path(base, **changes),
        "owner_options": options(possible_owners().values_list("pk", "name"))
        if can(user, "customer.assign")
        else "",
        "may_edit": can(user, "customer.edit"),
        "is_empty": not found.rows and not query.filters and not found.previous_at,
    }


def _customs(address):
    """The company's own fields that the list names; no query where it names none."""
    sort = address.sort.removeprefix("-")
    return fields_named({sort, *address.columns, *(found.field for found in address.filters)})


def _custom_cells(columns, customs, rows):
    """What the shown rows hold in the columns of the company's own: one query for all."""
    shown = [customs[column.key] for column in columns if column.key in customs]
    held = values_of([row.pk for row in rows], shown)
    return {
        field.name: (field, {pk: values.get(field.key) for pk, values in held.items()})
        for field in shown
    }


def _address(request):
    address = list_query.of_request(request.GET)
    asked = any(key in request.GET for key in ("f", "q", "sort", "cols", "edited", "add_field"))
    if not address.view and not asked:
        return _builtin(request.user)[0][2]
    if asked or not address.view:
        return address
    for key, _label, whole in _builtin(request.user):
        if key == address.view:
            return list_query.replace(whole, **address.at)
    if not is_number(address.view):
        return address
    query = queries.ListQuery.from_json(_saved(request, address).query)
    return list_query.Address(
        query.filters, "", query.sort, query.columns, address.view, **address.at
    )


def _builtin(user):
    """Tabs that everybody has: key, label, what they show."""
    make = list_query.Address
    worried, due = Filter("band", "in", ["C", "D"]), Filter("renews", "within", 90)
    likely = Filter("churn", "known")
    quiet, mine = Filter("touch", "older", 21), Filter("owner", "is", "me")
    tabs = [
        ("all", _("All I see"), make(view="all")),
        ("risk", _("At risk or watch"), make((worried,), sort="score", view="risk")),
        ("due", _("Due in 90 days"), make((due,), sort="renews", view="due")),
        (
            "churn",
            _("By churn probability"),
            make((likely,), sort="-churn", columns=CHURN_COLUMNS, view="churn"),
        ),
        ("quiet", _("No contact for 3 weeks"), make((quiet,), sort="touch", view="quiet")),
    ]
    if user.role != Role.CSM:
        tabs.insert(1, ("mine", _("Mine"), make((mine,), view="mine")))
    return tabs


@page()
def tabs(request):
    """The tabs again with how many customers each holds: counted when the list is on the screen."""
    address = _address(request)
    counted = _tabs(request, address, with_counts=True)
    context = {"tabs": counted, "tabs_counted": True, "address": address}
    return render(request, TEMPLATE, context, block="tabs")


def _tabs(request, address, *, with_counts=False):
    user, base = request.user, reverse("web:customers")
    found = [
        {
            "key": key,
            "label": label,
            "href": f"{base}?view={key}",
            "count": with_counts
            and queries.capped_count(queries.matching(user, whole.filters, today=request.today)),
            "is_current": address.view == key,
            "is_shared": False,
        }
        for key, label, whole in _builtin(user)
    ]
    return found + [
        {
            "key": str(tab.view.pk),
            "label": tab.view.name,
            "href": f"{base}?view={tab.view.pk}",
            "count": tab.count,
            "is_current": address.view == str(tab.view.pk),
            "is_shared": tab.view.is_shared,
        }
        for tab in view_tabs(user, today=request.today, with_counts=with_counts)
    ]


def _saved(request, address):
    """The view that the address names, read once a request."""
    if not is_number(address.view):
        return None
    pk, read = int(address.view), vars(request).setdefault("views_read", {})
    if pk not in read:
        read[pk] = get_view(request.user, pk)
    return read[pk]


def _same(view, query):
    return queries.ListQuery.from_json(view.query).as_json() == query.as_json()


@page()
def conditions(request):
    """What can be added as a condition: fetched when the window opens, as it reads every value."""
    context = {"address": _address(request), "adders": filter_window.adders(request.user)}
    block = "adders" if is_htmx(request) else None
    return render(request, "customers/conditions.html", context, block=block)


@page(methods=("POST",))
def density(request):
    wanted = request.POST.get("density", "")
    set_preferences(actor=request.user, now=request.now, density=wanted)
    return back(request, reverse("web:customers"))
