"""Messages on the customer's page: what went out, who wants none, their time and language."""

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.queries import customers as customer_queries
from gengyun.engagement.actions import bounces, opt_outs, touch_settings
from gengyun.engagement.models import TouchPreference
from gengyun.engagement.queries import touches as queries
from gengyun.kernel.errors import NotFound
from gengyun.team.queries.access import can
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import touches as present
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.views.customer import header

TEMPLATE = "customer/touches.html"
SHOWN = 12


@page()
def card(request, pk):
    customer = customer_queries.get(request.user, pk)
    return _card(request, customer)


def _card(request, customer):
    rows = queries.ledger(request.user, queries.Filters(customer=customer.pk))
    wish = TouchPreference.objects.filter(customer=customer).first()
    context = header(request, customer) | {
        "touch_rows": list(queries.of_tab(rows, "all")[:SHOWN]),
        "touch_count": rows.count(),
        "readers": queries.readers(request.user, customer, request.now),
        "wish": wish,
        "categories": present.categories(with_all=True),
        "may_touch": can(request.user, "touches.write") and customer.archived_at is None,
        "words": present,
    }
    return render(request, TEMPLATE, context, block="card" if is_htmx(request) else None)


def _contact(request, customer, pk):
    found = next(
        (one for one in customer_queries.contacts_of(request.user, customer) if one.pk == pk), None
    )
    if found is None:
        raise NotFound
    return found


@page("touches.write", methods=("POST",))
def opt(request, pk, contact, way):
    """way: "out" or "in"; the kind of messages comes with the form."""
    customer = customer_queries.get(request.user, pk)
    person, category = _contact(request, customer, contact), request.POST.get("category", "")
    known = {"actor": request.user, "now": request.now, "contact": person, "category": category}
    if way == "out":
        opt_outs.opt_out(**known)
        said = _("Noted: %(name)s gets no more of these: %(what)s")
    elif way == "in":
        opt_outs.opt_in(**known)
        said = _("Noted: %(name)s wants these again: %(what)s")
    else:
        raise NotFound
    toast(request, said % {"name": person.name, "what": present.category_word(category)})
    return _after(request, customer)


@page("touches.write", methods=("POST",))
def works_again(request, pk, contact):
    customer = customer_queries.get(request.user, pk)
    person = _contact(request, customer, contact)
    bounces.clear_address(actor=request.user, now=request.now, contact=person)
    toast(request, _("Mail goes to %(address)s again") % {"address": person.email})
    return _after(request, customer)


@page("touches.write", methods=("POST",))
def prefer(request, pk):
    """Time zone and language, of one contact or of the customer as a whole."""
    customer = customer_queries.get(request.user, pk)
    asked = request.POST.get("contact", "")
    person = None
    if asked:
        if not is_number(asked):
            raise NotFound
        person = _contact(request, customer, int(asked))
    touch_settings.set_preference(
        actor=request.user,
        now=request.now,
        customer=customer,
        contact=person,
        time_zone=request.POST.get("time_zone", "").strip()[:60],
        language=request.POST.get("language", ""),
    )
    toast(request, _("Saved."))
    return _after(request, customer)


def _after(request, customer):
    if is_htmx(request):
        return _card(request, customer)
    return back(request, reverse("web:customer_touches", args=[customer.pk]))
