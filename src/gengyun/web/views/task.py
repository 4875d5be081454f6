"""One task on its own: its panel, a new one, and the form that changes it."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Contact, Customer
from gengyun.customers.queries import customers as customer_queries
from gengyun.portfolio.queries.customer_list import search
from gengyun.tasks.actions import create, work
from gengyun.tasks.actions.values import plain
from gengyun.tasks.queries import lists as queries
from gengyun.tasks.queries.roles import ROLES
from gengyun.team.queries.people import possible_owners
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.numbers import is_number
from gengyun.web.present import tasks as present
from gengyun.web.present.contracts import plain_amount
from gengyun.web.refusals import attempt
from gengyun.web.render import is_htmx, render, toast
from gengyun.web.views.task_panel import CHANGED, render_panel

FORM = "tasks/form.html"
OFFERED = 12  # customers while typing
FIELD_OF = {
    "task_title_missing": "title",
    "task_text_too_long": "title",
    "task_day_far": "due_on",
    "task_owner_unfit": "owner",
    "task_contact_of_other": "contact",
    "task_worth_bad": "worth",
    "task_priority_unknown": "priority",
    "task_role_unknown": "owner",
}


@page()
def panel(request, pk):
    """Beside the list; without script, a page of its own."""
    response = render_panel(request, pk)
    if request.method == "GET":
        work.look(actor=request.user, task=queries.get(request.user, pk))
    return response


@page("task.work")
def customers(request):
    """Names while one types: the options of the form's list."""
    text = plain(request.GET.get("customer_name", "")).strip()[:60]
    found = search(request.user, text, limit=OFFERED)
    return render(request, FORM, {"offered": found}, block="offered")


@page("task.work", methods=("GET", "POST"))
def new(request):
    form = _typed(request) if request.method == "POST" else Form(_suggested(request))
    if request.method == "POST":
        task = _made(request, form)
        if task is not None:
            batch = task.events.get(kind="created").batch
            undo = reverse("web:tasks_undo", args=[batch])
            toast(request, _("%(name)s was noted") % {"name": task.title}, undo=undo)
            return _after(request, task)
    context = {"form": form, "task": None, "after": form.get("after")} | _choices(request, form)
    return render(request, FORM, context, status=422 if form.errors else 200)


def _typed(request):
    """Without what no database keeps."""
    form = Form.of(request.POST)
    form.raw = {name: plain(value) for name, value in form.raw.items()}
    return form


def _after(request, task):
    """Back to where it was asked for: the customer's page, or the list with the task open."""
    if request.POST.get("after") == "customer" and task.customer_id:
        path = reverse("web:customer", args=[task.customer_id]) + "#s-tasks"
    else:
        path = reverse("web:tasks")
    return HttpResponseRedirect(path)


@page("task.work", methods=("GET", "POST"))
def edit(request, pk):
    task = queries.get(request.user, pk)
    form = _typed(request) if request.method == "POST" else Form(_texts(task))
    if request.method == "POST":
        batch = _changed(request, form, task)
        if batch is not None:
            undo = reverse("web:tasks_undo", args=[batch])
            toast(request, _("Saved"), undo=undo)
            if is_htmx(request):
                response = render_panel(request, pk)
                response["HX-Trigger"] = CHANGED
                return response
            return HttpResponseRedirect(reverse("web:task", args=[pk]))
    context = {"form": form, "task": task, "after": ""} | _choices(request, form)
    return render(request, FORM, context, status=422 if form.errors else 200)


def _made(request, form):
    values = _read(request, form)
    owner = form.get("owner")
    if owner in ROLES:
        values["role"] = owner
    elif owner:
        form.choice("owner", possible_owners())
        values["owner"] = form.values["owner"]
    else:
        values["owner"] = request.user
    return attempt(form, lambda: create(actor=request.user, now=request.now, **values), _field_of)


def _changed(request, form, task):
    values = _read(request, form, task)
    return attempt(
        form,
        lambda: work.edit(actor=request.user, now=request.now, task=task, changes=values),
        _field_of,
    )


def _field_of(refusal):
    return FIELD_OF.get(refusal.code, "title")


def _read(request, form, task=None):
    """What was typed; what cannot be read is in form.errors."""
    customer = _read_customer(request, form, task)
    form.day("due_on")
    form.amount("worth", into="worth_minor", currency=customer.currency if customer else "CNY")
    priority = form.get("priority") or "2"
    form.values["priority"] = int(priority) if priority in {"1", "2", "3"} else priority
    contacts = Contact.objects.filter(customer=customer) if customer else Contact.objects.none()
    if customer is not None and task is not None and task.customer_id != customer.pk:
        form.raw["contact"] = ""  # of the customer it was about before
    form.choice("contact", contacts)
    read = {name: form.values.get(name) for name in ("due_on", "worth_minor", "priority")}
    return read | {
        "title": form.get("title"),
        "body": request.POST.get("body", ""),
        "customer": customer,
        "contact": form.values["contact"],
    }


def _read_customer(request, form, task=None):
    """By the hidden id while the name beside it is the same; else by what was typed."""
    name, chosen = form.get("customer_name")[:200], form.get("customer")
    seen = Customer.objects.visible_to(request.user).present()
    if not name:
        return None
    if task is not None and task.customer is not None and task.customer.name == name:
        return task.customer
    row = seen.filter(pk=int(chosen), name=name).first() if is_number(chosen) else None
    row = row or seen.filter(name=name).order_by("pk").first()
    if row is None:
        found = search(request.user, name[:60], limit=2)
        row = seen.filter(pk=found[0].pk).first() if len(found) == 1 else None
    if row is None:
        form.errors["customer_name"] = _("Choose one of the customers that are offered.")
    return row


def _choices(request, form):
    customer = None
    if form.get("customer_name"):
        customer = Customer.objects.visible_to(request.user).filter(name=form.get("customer_name"))
        customer = customer.order_by("pk").first()
    contacts = customer_queries.contacts_of(request.user, customer) if customer else []
    colleagues = possible_owners().only("name").order_by("name", "pk")
    return {
        "offered": search(request.user, "", limit=OFFERED),
        "contacts": [(one.pk, one.name) for one in contacts],
        "priorities": present.priorities(),
        "owners": [(one.pk, one.name) for one in colleagues if one.pk != request.user.pk],
        "roles": [(role.value, present.role_word(role)) for role in ROLES],
    }


def _suggested(request):
    chosen, due = request.GET.get("customer", ""), request.GET.get("due_on", "")[:10]
    text = {"priority": "2", "due_on": due, "title": plain(request.GET.get("title", ""))[:200]}
    if is_number(chosen):
        customer = customer_queries.get(request.user, int(chosen))
        text |= {"customer": str(customer.pk), "customer_name": customer.name, "after": "customer"}
    return text


def _texts(task):
    """The row as the form shows it."""
    customer = task.customer
    return {
        "title": task.title,
        "body": task.body,
        "priority": str(task.priority),
        "due_on": task.due_on.isoformat() if task.due_on else "",
        "customer": str(customer.pk) if customer else "",
        "customer_name": customer.name if customer else "",
        "contact": str(task.contact_id or ""),
        "worth": plain_amount(task.worth_minor, customer.currency if customer else "CNY"),
    }
