"""Tasks as a list and as a board; what is done with one of them or with many."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import NotFound
from gengyun.tasks.actions import undoing
from gengyun.tasks.actions.values import plain
from gengyun.tasks.queries import board as boards
from gengyun.tasks.queries import lists as queries
from gengyun.team.queries.access import can
from gengyun.team.queries.people import possible_owners
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import tasks as present
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.views import task_address as addresses
from gengyun.web.views.customer import header
from gengyun.web.views.task_address import address_of, filters_of
from gengyun.web.views.task_panel import CHANGED, render_panel, shown
from gengyun.web.views.task_work import do, options

TEMPLATE = "tasks/page.html"
PAGE = 50


@page()
def show(request):
    return _answer(request, address_of(request, request.GET))


def _answer(request, address):
    block = "tasks" if is_htmx(request) else None
    return render(request, TEMPLATE, page_context(request, address), block=block)


def page_context(request, address):
    user, filters = request.user, filters_of(address)
    counts = queries.counts(user, filters=filters, now=request.now)
    may_work = can(user, "task.work")
    context = {
        "address": address,
        "counts": counts,
        "tabs": addresses.tabs(address, counts),
        "scopes": addresses.scopes(user, address),
        "chips": addresses.chips(user, address),
        "adders": addresses.adders(user, address),
        "ways": addresses.ways(user, address),
        "may_work": may_work,
        "part_word": present.part_word,
        "role_word": present.role_word,
        "shows_owner": address.scope == "team" or address.tab == "made" or bool(address.owner),
        "covered": _covered(user, request.today),
        **(options(user) if may_work else {}),
    }
    if address.view == "board" and address.tab == "open":
        return context | _board(request, address, filters)
    return context | _list(request, address, filters)


def _list(request, address, filters):
    user = request.user
    found = queries.listing(
        user, tab=address.tab, filters=filters, sort=address.sort, now=request.now
    )
    first = (address.page - 1) * PAGE
    tasks = list(found[first : first + PAGE + 1])
    has_parts = address.sort == "when" and address.tab != "closed"
    return {
        "rows": shown(request, tasks[:PAGE]),
        "has_next": len(tasks) > PAGE,
        "first_place": first + 1,
        "parts": boards.parts(found, now=request.now) if has_parts and tasks else {},
        "total": found.order_by()[:1001].count(),
    }


def _board(request, address, filters):
    columns = boards.board(request.user, way=address.way, filters=filters, now=request.now)
    tasks = [task for column in columns for task in column.tasks]
    rows = {row.task.pk: row for row in shown(request, tasks)}
    return {
        "columns": [
            {
                "column": column,
                "label": _label(address.way, column),
                "cards": [rows[task.pk] for task in column.tasks],
            }
            for column in columns
        ],
        "is_empty": not tasks,
    }


def _label(way, column):
    if way == "who":
        return column.person.name if column.person else _("Nobody yet")
    return present.column_word(column.key)


def _covered(user, today):
    """Colleagues on leave whose work the reader has."""
    ids = user.covered_ids(today)
    return list(possible_owners().filter(pk__in=ids).only("name")) if ids else []


@page("task.work", methods=("POST",))
def act(request, pk, verb):
    """One thing done with one task: from the list, the board, the panel or Today."""
    task = queries.get(request.user, pk)
    text, batch = do(request, [pk], verb, request.POST)
    undo_path = reverse("web:tasks_undo", args=[batch])
    toast(request, _("%(name)s: %(what)s") % {"name": task.title, "what": text}, undo=undo_path)
    if not is_htmx(request):
        return back(request, reverse("web:tasks"))
    response = render(request, "refusal.html", {}, block="nothing")
    if request.POST.get("from") == "panel":
        response = render_panel(request, pk)
    response["HX-Trigger"] = CHANGED
    return response


class NothingChosen(NotFound):
    code = "no_task_chosen"
    status = 422
    message = "No task is chosen."


@page("task.work", methods=("POST",))
def bulk(request):
    """The same for many: those that are ticked, or all of the list."""
    pks = [int(value) for value in request.POST.getlist("ids") if is_number(value)]
    if request.POST.get("scope_of") == "all":
        address = address_of(request, request.POST)
        rows = queries.listing(
            request.user, tab=address.tab, filters=filters_of(address), now=request.now
        )
        pks = list(rows.order_by("pk").values_list("pk", flat=True)[:1000])
    if not pks:
        raise NothingChosen
    text, batch = do(request, pks, request.POST.get("verb", ""), request.POST, many=True)
    said = ngettext("%(count)s task: %(what)s", "%(count)s tasks: %(what)s", len(pks))
    toast(
        request,
        said % {"count": len(pks), "what": text},
        undo=reverse("web:tasks_undo", args=[batch]),
    )
    return back(request, reverse("web:tasks"))


@page("task.work", methods=("POST",))
def undo(request, batch):
    undoing.undo(actor=request.user, now=request.now, batch=plain(batch)[:32])
    toast(request, _("Taken back"))
    if not is_htmx(request):
        return back(request, reverse("web:tasks"))
    response = render(request, "refusal.html", {}, block="nothing")
    response["HX-Trigger"] = CHANGED
    return response


@page()
def of_customer(request, pk):
    """The section of the customer's page; a page of its own too."""
    customer = customer_queries.get(request.user, pk)
    context = header(request, customer) | card_context(request, customer)
    block = "card" if is_htmx(request) else None
    return render(request, "customer/tasks.html", context, block=block)


def card_context(request, customer):
    rows = shown(request, queries.of_customer(request.user, customer.pk))
    return {
        "task_rows": rows,
        "open_tasks": sum(row.task.state == "open" for row in rows),
        "may_task": can(request.user, "task.work") and customer.archived_at is None,
        "state_word": lambda task: present.state_word(task, request.today),
    }
