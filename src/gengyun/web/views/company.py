"""Which company a customer is: its group, its duplicates, and merging them."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gengyun.customers.actions import customers as customer_actions
from gengyun.customers.actions import merging
from gengyun.customers.models import Customer, CustomerMerge
from gengyun.customers.queries import customers as queries
from gengyun.customers.queries.duplicates import alike, duplicate_pairs
from gengyun.customers.queries.merges import merged_into, merges_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.portfolio.queries.customer_list import search
from gengyun.portfolio.queries.groups import group_of
from gengyun.team.queries.access import can, require
from gengyun.web import undo
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import company as present
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx, render, toast
from gengyun.web.words import is_zh

REASONS = {
    "same_code": gettext_noop("the same credit code"),
    "same_name": gettext_noop("the same name"),
    "other_form": gettext_noop("the same name, another legal form"),
    "near_name": gettext_noop("nearly the same name"),
    "short_name": gettext_noop("one name is short for the other"),
}
PARTS = {
    "contacts": gettext_noop("Contacts"),
    "activities": gettext_noop("Activities"),
    "risks": gettext_noop("Noted risks"),
    "invitations": gettext_noop("Invitations to surveys"),
    "answers": gettext_noop("Answers to surveys"),
    "product_users": gettext_noop("Users of the product"),
    "sentiments": gettext_noop("Judgements of people"),
    "contracts": gettext_noop("Contracts"),
    "lines": gettext_noop("Contract lines"),
    "movements": gettext_noop("ARR movements"),
    "invoices": gettext_noop("Invoices"),
    "payments": gettext_noop("Payments"),
    "renewals": gettext_noop("Renewals"),
    "opportunities": gettext_noop("Opportunities"),
    "budgets": gettext_noop("Budgets"),
    "field_values": gettext_noop("Own fields"),
    "tasks": gettext_noop("Tasks"),
    "touches": gettext_noop("Touches"),
}


def company_context(request, customer):
    """Group, what it is part of, what is part of it, and who may be the same."""
    may_merge = can(request.user, "customer.merge") and customer.archived_at is None
    likely = []
    if may_merge:
        likely = alike(
            request.user, name=customer.name, uscc=customer.uscc, besides=customer.pk, limit=3
        )
    return {
        "group": group_of(request.user, customer),
        "part_of": merged_into(customer.pk) if customer.archived_at else None,
        "parts_in": merges_of(customer.pk),
        "likely": [(pair.first, _(REASONS[pair.reason])) for pair in likely],
        "may_merge": may_merge,
        "parent_error": "",
        "parent_choices": [],
        "parent_text": "",
    }


@page("customer.edit", methods=("GET", "POST"))
def parent(request, pk):
    """Put the customer under another one, or under none."""
    customer = queries.get(request.user, pk)
    text = request.POST.get("parent", "").strip()
    if request.method == "GET":
        return _group_card(request, customer, editing=True)
    wanted, choices = _named(request, text, besides=pk)
    if text and wanted is None:
        error = _("Which one is meant?") if choices else _("There is no such customer.")
        more = {"parent_error": error, "parent_choices": choices, "parent_text": text}
        return _group_card(request, customer, status=422, editing=True, **more)
    before = customer.parent_id
    try:
        customer_actions.edit_customer(
            actor=request.user, now=request.now, customer=customer, changes={"parent": wanted}
        )
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        more = {"parent_error": refusal_text(refusal), "parent_text": text}
        return _group_card(request, customer, status=422, editing=True, **more)
    token = undo.remember(request, "parent", {"pk": pk, "parent": before})
    said = (
        _("%(name)s is part of the group of %(parent)s now")
        % {"name": customer.name, "parent": wanted.name}
        if wanted
        else _("%(name)s stands alone now") % {"name": customer.name}
    )
    toast(request, said, undo=token)
    if is_htmx(request):
        return _group_card(request, queries.get(request.user, pk))
    return HttpResponseRedirect(reverse("web:customer", args=[pk]) + "#s-group")


def _named(request, text, *, besides):
    """The customer that an id or a name means, or those it may mean."""
    if not text:
        return None, []
    rows = Customer.objects.visible_to(request.user).present().exclude(pk=besides)
    exact = list(rows.filter(external_id=text)[:1]) or list(rows.filter(name=text)[:2])
    if len(exact) == 1:
        return exact[0], []
    found = [row for row in search(request.user, text, limit=8) if row.pk != besides]
    if not exact and len(found) == 1:
        return rows.filter(pk=found[0].pk).first(), []
    return None, found


def _group_card(request, customer, *, status=200, editing=False, **more):
    from gengyun.web.views.customer import header

    context = header(request, customer) | company_context(request, customer)
    context |= {"group_editing": editing, **more}
    block = "group" if is_htmx(request) else None
    return render(request, "customer/group.html", context, block=block, status=status)


@page("customer.merge")
def duplicates(request):
    """Pairs that may be one company, the surest first."""
    pairs = [
        {"first": p.first, "second": p.second, "why": _(REASONS[p.reason]), "code": p.reason}
        for p in duplicate_pairs(request.user)
    ]
    return render(request, "customers/duplicates.html", {"pairs": pairs})


@page("customer.merge", methods=("POST",))
def not_duplicate(request):
    ids = [request.POST.get(name, "") for name in ("first", "second")]
    if not all(is_number(one) for one in ids):
        raise NotFound
    one, other = (queries.get(request.user, int(text)) for text in ids)
    merging.say_not_duplicate(actor=request.user, now=request.now, one=one, other=other)
    token = undo.remember(request, "not_duplicate", [one.pk, other.pk])
    toast(request, _("The pair is not proposed again"), undo=token)
    return HttpResponseRedirect(reverse("web:duplicates"))


@page()
def merge_choose(request, pk):
    """With which other customer?"""
    customer = queries.get(request.user, pk)
    require(request.user, "customer.merge")
    text = request.GET.get("q", "").strip()
    found = [row for row in search(request.user, text, limit=20) if row.pk != pk]
    context = company_context(request, customer) | {"q": text, "found": found}
    context |= {"customer": customer, "plain_page": True}
    return render(request, "customers/merge_choose.html", context)


@page(methods=("GET", "POST"))
def merge(request, pk, other):
    """The two side by side with a choice per field; what moves; then one of them."""
    kept, gone = queries.get(request.user, pk), queries.get(request.user, other)
    require(request.user, "customer.merge")
    error = ""
    if request.method == "POST":
        choices = {
            name: request.POST[f"choice.{name}"]
            for name in merging.CHOICES
            if f"choice.{name}" in request.POST
        }
        try:
            found = merging.merge_customers(
                actor=request.user, now=request.now, kept=kept, gone=gone, choices=choices
            )
        except Refusal as refusal:
            if refusal.status in {403, 404}:
                raise
            error = refusal_text(refusal)
        else:
            path = reverse("web:merge_undo", args=[found.pk])
            said = _("%(gone)s is part of %(kept)s now") % {"gone": gone.name, "kept": kept.name}
            toast(request, said, undo=path)
            return HttpResponseRedirect(reverse("web:customer", args=[pk]))
    preview = merging.preview_merge(actor=request.user, kept=kept, gone=gone)
    context = {
        "customer": kept,
        "kept": kept,
        "gone": gone,
        "rows": present.merge_rows(preview.fields, kept, gone, zh=is_zh()),
        "moves": [(_(PARTS[name]), count) for name, count in preview.moves.items()],
        "preview": preview,
        "error": error,
        "plain_page": True,
    }
    return render(request, "customers/merge.html", context, status=422 if error else 200)


@page("customer.merge", methods=("POST",))
def merge_undo(request, pk):
    """Two customers again."""
    found = CustomerMerge.objects.select_related("gone", "kept").filter(pk=pk).first()
    if found is None:
        raise NotFound
    left = merging.undo_merge(actor=request.user, now=request.now, merge=found)
    said = _("%(gone)s and %(kept)s are two customers again") % {
        "gone": found.gone.name,
        "kept": found.kept.name,
    }
    if left:
        names = ("、" if is_zh() else ", ").join(str(present.field_name(name)) for name in left)
        said += " · " + _("changed since and left as they are: %(fields)s") % {"fields": names}
    toast(request, said)
    return HttpResponseRedirect(reverse("web:customer", args=[found.gone_id]))
