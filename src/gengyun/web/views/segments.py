"""Segments: the list with live counts, one with its members and history, its condition in words."""

from dataclasses import dataclass
from datetime import timedelta

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.models import Contact, Customer
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.texts import keepable
from gengyun.portfolio.actions import segments as actions
from gengyun.portfolio.models import Segment, SegmentPin
from gengyun.portfolio.queries import segments as queries
from gengyun.revenue.models import Product
from gengyun.team.queries.access import can, require
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import condition_form as conditions
from gengyun.web.present import form_steps
from gengyun.web.present.nested import inner, many, nested, one
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, is_htmx, render, toast, warn
from gengyun.web.undo import remember
from gengyun.web.views.condition_fields import condition_fields
from gengyun.web.views.condition_words import Words
from gengyun.web.views.sops.conditions import Rows
from gengyun.web.words import gettext, pick

PAGE, SHOWN, RECENT = 50, 8, 30


def found_segment(user, pk):
    segment = Segment.objects.visible_to(user).select_related("owner").filter(pk=pk).first()
    if segment is None:
        raise NotFound
    return segment


def counted(segment, user, today):
    """How many it holds now; None where its condition speaks of what is gone."""
    try:
        return queries.count(segment, actor=user, today=today)
    except Refusal:
        return None


@page()
def listing(request):
    rows = Segment.objects.visible_to(request.user).select_related("owner")
    words = Words()
    context = {
        "rows": [
            {
                "segment": segment,
                "count": counted(segment, request.user, request.today),
                "says": words.sentence(segment.expression),
            }
            for segment in rows.filter(retired_at=None)
        ],
        "retired": list(rows.exclude(retired_at=None)),
        "may_edit": can(request.user, "segments.edit"),
    }
    return render(request, "segments/list.html", context)


@page()
def show(request, pk):
    """Who is in now, who came and went, who is pinned."""
    segment = found_segment(request.user, pk)
    context = {
        "segment": segment,
        "says": Words().sentence(segment.expression),
        "count": counted(segment, request.user, request.today),
        "narrowed": _narrowed(segment),
        "may_edit": _is_mine(request.user, segment),
        "pins": list(
            SegmentPin.objects.filter(
                segment=segment, customer__in=Customer.objects.visible_to(request.user)
            ).select_related("customer", "author")
        ),
        "found": None,
    }
    try:
        members = queries.members(segment, actor=request.user, today=request.today)
    except Refusal as refusal:
        context["broken"] = refusal_text(refusal)
    else:
        rows = members.select_related("owner", "tier").order_by("name", "pk")
        context["found"] = _page(request, rows)
    since = request.today - timedelta(days=RECENT)
    stays = queries.history(segment, actor=request.user).select_related("customer", "contact")
    context["came"] = list(stays.filter(from_on__gt=since, to_on=None)[:20])
    context["went"] = list(stays.filter(to_on__gt=since).order_by("-to_on", "-pk")[:20])
    context["recent_days"] = RECENT
    return render(request, "segments/show.html", context)


def _page(request, rows):
    wanted = request.GET.get("page", "1")
    number = int(wanted) if is_number(wanted) and len(wanted) < 7 else 1
    return Paginator(rows, PAGE).get_page(number)


def _narrowed(segment):
    names = dict(_narrowings()[segment.of])
    return [names.get(key, key) for key in segment.narrowed_to]


def _narrowings():
    """What a segment of contacts or products can be narrowed to."""
    products = [(product.key, pick(product)) for product in Product.objects.order_by("pk")]
    parts = [(key, str(name)) for key, name in Contact.Part.choices]
    return {"customer": [], "contact": parts, "product": products}


def _is_mine(user, segment):
    mine = segment.owner_id == user.pk or can(user, "sops.edit")
    return can(user, "segments.edit") and mine


@dataclass
class Draft:
    name: str
    of: str
    narrowed_to: list
    is_shared: bool
    when: dict


@page("segments.edit", methods=("GET", "POST"))
def new(request):
    return _edit(request, None)


@page("segments.edit", methods=("GET", "POST"))
def edit(request, pk):
    segment = found_segment(request.user, pk)
    if not _is_mine(request.user, segment):
        if request.method == "GET":  # somebody else's: to be looked at
            return HttpResponseRedirect(reverse("web:segment", args=[pk]))
        require(request.user, "sops.edit")
    return _edit(request, segment)


def _edit(request, segment):
    fields = condition_fields(request.user, without=segment.pk if segment else None)
    if request.method == "GET":
        draft = _opened(segment, fields)
        return _form(request, segment, draft, fields, show_errors=False)
    draft = _posted(request, segment, fields)
    verb = request.POST.get("do", "preview")
    if verb == "save":
        return _save(request, segment, draft, fields)
    tree = {"when": draft.when}
    form_steps.act(tree, verb, fields, lambda _kind: {})
    draft.when = tree["when"]
    is_adding = verb.partition("@")[0] in {"row", "group"}
    return _form(request, segment, draft, fields, show_errors=not is_adding, block="editor")


def _opened(segment, fields):
    if segment is None:
        empty = conditions.empty_group()
        row = conditions.new_row(fields, "score")
        return Draft("", "customer", [], False, empty | {"parts": [row]})
    return Draft(
        segment.name,
        segment.of,
        segment.narrowed_to,
        segment.is_shared,
        conditions.of_json(segment.expression, fields),
    )


def _posted(request, segment, fields):
    tree = nested(request.POST)
    of = one(tree, "of")
    return Draft(
        one(tree, "name")[:60],
        segment.of if segment else of if of in Segment.Of.values else "customer",
        many(tree, "narrowed_to"),
        one(tree, "shared") == "1",
        conditions.settle(conditions.of_post(inner(tree, "when")), fields),
    )


def _save(request, segment, draft, fields):
    raw, unread = conditions.to_json(draft.when, fields, name="when")
    if unread:
        return _form(request, segment, draft, fields, show_errors=True, block="editor", status=422)
    given = {"name": draft.name, "expression": raw, "narrowed_to": draft.narrowed_to,
             "is_shared": draft.is_shared}  # fmt: skip
    common = {"actor": request.user, "now": request.now}
    try:
        if segment is None:
            segment = actions.create_segment(of=draft.of, **given, **common)
        else:
            segment = actions.edit_segment(segment=segment, **given, **common)
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        field = "name" if refusal.code == "segment_name_missing" else "when"
        more = {field: refusal_text(refusal)}
        return _form(
            request, segment, draft, fields, show_errors=True, block="editor", status=422, more=more
        )
    toast(request, _("Saved. Who is in it is followed from tonight on."))
    address = reverse("web:segment", args=[segment.pk])
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address, status=303)


def _form(request, segment, draft, fields, *, show_errors, block=None, status=200, more=None):
    raw, unread = conditions.to_json(draft.when, fields, name="when")
    errors = {name: gettext(text) for name, text in unread.items()} if show_errors else {}
    context = {
        "segment": segment,
        "draft": draft,
        "errors": errors | (more or {}),
        "c": Rows(fields, errors | (more or {})),
        "kinds": Segment.Of.choices,
        "narrowings": _narrowings()[draft.of],
        "may_share": can(request.user, "view.share"),
        **_preview(request, segment, draft, raw=raw, unread=unread),
    }
    block = block if is_htmx(request) else None
    return render(request, "segments/edit.html", context, block=block, status=status)


def _preview(request, segment, draft, *, raw, unread):
    """Who would be in it now; nothing is kept."""
    if unread:
        return {"count": None, "members": []}
    # with the pins that the segment has; a new one has none
    pk = segment.pk if segment else 0
    tried = Segment(pk=pk, expression=raw, of=draft.of, narrowed_to=draft.narrowed_to)
    try:
        rows = queries.members(tried, actor=request.user, today=request.today)
        count = queries.count(tried, actor=request.user, today=request.today)
        return {"count": count, "members": list(rows.order_by("name", "pk")[:SHOWN])}
    except Refusal as refusal:
        return {"count": None, "members": [], "refused": refusal_text(refusal)}


@page("segments.edit", methods=("POST",))
def pin(request, pk):
    """In or out whatever the condition says, or neither any more."""
    segment = found_segment(request.user, pk)
    customer = _customer(request)
    wanted = {"in": True, "out": False, "none": None}
    verb = request.POST.get("pin", "")
    if customer is None or verb not in wanted:
        warn(request, _("No customer with this name."))
        return back(request, reverse("web:segment", args=[pk]))
    actions.pin(
        actor=request.user,
        now=request.now,
        segment=segment,
        customer=customer,
        is_in=wanted[verb],
        reason=keepable(request.POST.get("reason", "")),
    )
    said = {
        "in": _("%(name)s is in it whatever the condition says."),
        "out": _("%(name)s is kept out of it."),
        "none": _("For %(name)s the condition decides again."),
    }
    toast(request, said[verb] % {"name": customer.name})
    return back(request, reverse("web:segment", args=[pk]))


def _customer(request):
    """The customer of a button, or the one whose name was typed."""
    rows = Customer.objects.visible_to(request.user)
    wanted = request.POST.get("customer", "")
    if is_number(wanted):
        return rows.filter(pk=int(wanted)).first()
    name = keepable(request.POST.get("name", "")).strip()[:200]
    if not name:
        return None
    exact = rows.filter(name__iexact=name).first()
    if exact is not None:
        return exact
    few = list(rows.filter(name__icontains=name)[:2])
    return few[0] if len(few) == 1 else None


@page("segments.edit", methods=("POST",))
def retire(request, pk):
    """Out of use, or back in it: the other of what it is now."""
    segment = found_segment(request.user, pk)
    common = {"actor": request.user, "now": request.now, "segment": segment}
    if segment.retired_at:
        actions.restore_segment(**common)
        toast(request, _("%(name)s is in use again.") % {"name": segment.name})
    else:
        actions.retire_segment(**common)
        undo = remember(request, "segment_retired", segment.pk)
        toast(request, _("%(name)s is retired.") % {"name": segment.name}, undo=undo)
    return HttpResponseRedirect(reverse("web:segments"), status=303)
