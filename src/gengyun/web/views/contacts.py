"""People at a customer."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.actions import contacts as actions
from gengyun.customers.models import Contact
from gengyun.customers.queries import customers as queries
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx, render, toast
from gengyun.web.views.customer import contact_parts, header, people_context

CARD = "customer/contacts.html"
FIELDS = ("name", "title", "part", "email", "phone", "product_user_id", "note")


@page()
def listing(request, pk):
    customer = queries.get(request.user, pk)
    return _card(request, customer)


@page("customer.edit", methods=("GET", "POST"))
def new(request, pk):
    customer = queries.get(request.user, pk)
    form = Form.of(request.POST)
    if request.method == "POST":
        contact = _try(
            form,
            lambda values: actions.create_contact(
                actor=request.user, now=request.now, customer=customer, values=values
            ),
        )
        if contact is not None:
            toast(request, _("%(name)s was added") % {"name": contact.name})
            return _done(request, customer)
    return _form(request, customer, form, None)


@page("customer.edit", methods=("GET", "POST"))
def edit(request, pk, contact):
    customer, row = _find(request, pk, contact)
    form = Form({name: getattr(row, name) for name in FIELDS})
    if request.method == "POST":
        form = Form.of(request.POST)
        if _try(
            form,
            lambda values: actions.edit_contact(
                actor=request.user, now=request.now, contact=row, changes=values
            ),
        ):
            toast(request, _("Saved"))
            return _done(request, customer)
    return _form(request, customer, form, row)


@page("customer.edit", methods=("POST",))
def left(request, pk, contact):
    customer, row = _find(request, pk, contact)
    actions.mark_left(actor=request.user, now=request.now, contact=row, left_on=request.today)
    path = reverse("web:contact_back", args=[pk, contact])
    toast(request, _("%(name)s is marked as left") % {"name": row.name}, undo=path)
    return _done(request, customer)


@page("customer.edit", methods=("POST",))
def back_again(request, pk, contact):
    customer, row = _find(request, pk, contact)
    actions.mark_left(actor=request.user, now=request.now, contact=row, left_on=None)
    toast(request, _("%(name)s is back") % {"name": row.name})
    return _done(request, customer)


def _find(request, pk, contact_pk):
    row = queries.get_contact(request.user, contact_pk)
    if row.customer_id != pk:
        raise NotFound
    return queries.get(request.user, pk), row


def _try(form, write):
    values = {name: form.get(name) for name in FIELDS if name in form.raw}
    values["part"] = values.get("part") or Contact.Part.OTHER
    try:
        return write(values)
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        field = refusal.params.get("field", "name")
        form.errors[field] = refusal_text(refusal)
        return None


def _done(request, customer):
    if is_htmx(request):
        return _card(request, customer)
    return HttpResponseRedirect(reverse("web:customer", args=[customer.pk]) + "#s-contacts")


def _card(request, customer, **more):
    context = header(request, customer) | people_context(request, customer) | more
    return render(request, CARD, context, block="contacts" if is_htmx(request) else None)


def _form(request, customer, form, contact):
    context = header(request, customer) | people_context(request, customer)
    context |= {"form": form, "contact": contact, "parts": contact_parts()}
    status = 422 if form.errors else 200
    block = "contacts" if is_htmx(request) else None
    return render(request, CARD, context, block=block, status=status)
