"""Bulk work on the customer list: a new owner, a tag, or a form that sets any field of many."""

from collections import Counter, defaultdict

from django.db import transaction
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gengyun.customers.actions import bulk as bulk_actions
from gengyun.customers.actions import customers as actions
from gengyun.customers.actions.tags import tag as tag_customers
from gengyun.customers.actions.tags import untag as untag_customers
from gengyun.customers.calc.cells import BadCell
from gengyun.customers.models import Customer, Stage, Tier
from gengyun.customers.queries import customers as customer_queries
from gengyun.customers.queries.custom_fields import fields_in_use, values_of
from gengyun.kernel.errors import Refusal
from gengyun.portfolio.queries import customer_list as queries
from gengyun.team.queries.access import can
from gengyun.team.queries.people import possible_owners
from gengyun.web import undo
from gengyun.web.access import page
from gengyun.web.forms import Form
from gengyun.web.numbers import is_number
from gengyun.web.present import custom as present_custom
from gengyun.web.present import format as plain
from gengyun.web.present import list_query
from gengyun.web.refusals import refusal_text
from gengyun.web.render import back, render, toast
from gengyun.web.views.sops.customer import start_for
from gengyun.web.words import is_zh, pick

TEXTS = ("industry", "region", "edition", "next_step")
DAYS = ("started_on", "renews_on", "next_step_on")
SHOWN_NAMES = 12


class NothingChosen(Refusal):
    code = "nothing_chosen"
    message = "No customer is chosen."


def _chosen(request):
    """The customers that are ticked, or all of the list up to a thousand."""
    pks = [int(value) for value in request.POST.getlist("ids") if is_number(value)]
    if request.POST.get("scope") == "all":
        query = list_query.of_request(request.POST).query()
        pks = queries.all_ids(request.user, query, today=request.today)
    customers = customer_queries.get_many(request.user, pks)
    if not customers:
        raise NothingChosen
    return customers


@page("customer.edit", methods=("POST",))
def bulk(request):
    """From the bar: a new owner, a tag more, a tag less."""
    customers = _chosen(request)
    verb = request.POST.get("verb", "")
    if verb == "owner":
        _assign(request, customers)
    elif verb == "tag":
        _tag(request, customers)
    elif verb == "untag":
        _untag(request, customers)
    elif verb == "sop":
        start_for(request, customers)
    return back(request, reverse("web:customers"))


def _assign(request, customers):
    wanted = request.POST.get("owner", "")
    owner = possible_owners().filter(pk=int(wanted)).first() if is_number(wanted) else None
    before = defaultdict(list)
    for customer in customers:
        before[customer.owner_id].append(customer.pk)
    count = actions.assign_owner(
        actor=request.user, now=request.now, customers=customers, owner=owner
    )
    path = undo.remember(request, "owner", [[pk, ids] for pk, ids in before.items()])
    name = owner.name if owner else _("nobody yet")
    toast(
        request,
        _("%(count)s customers now with %(name)s") % {"count": count, "name": name},
        undo=path,
    )


def _tag(request, customers):
    name = request.POST.get("tag", "").strip()
    tagged = set(Customer.objects.filter(tags__name=name).values_list("pk", flat=True))
    bare = [customer.pk for customer in customers if customer.pk not in tagged]
    count = tag_customers(actor=request.user, now=request.now, customers=customers, names=[name])
    path = undo.remember(request, "tag", {"name": name, "pks": bare}) if count else ""
    said = _("Tag “%(name)s” on %(count)s customers") % {"count": count, "name": name}
    toast(request, said, undo=path)


def _untag(request, customers):
    name = request.POST.get("tag", "").strip()
    bearing = Customer.objects.filter(tags__name=name, pk__in=[c.pk for c in customers])
    pks = list(bearing.values_list("pk", flat=True))
    count = untag_customers(actor=request.user, now=request.now, customers=customers, names=[name])
    path = undo.remember(request, "untag", {"name": name, "pks": pks}) if count else ""
    said = _("Tag “%(name)s” off %(count)s customers") % {"count": count, "name": name}
    toast(request, said, undo=path)


@page("customer.edit", methods=("POST",))
def bulk_edit(request):
    """A page with every field; those that are ticked are set for all the chosen."""
    customers = _chosen(request)
    form, customs = Form.of(request.POST), fields_in_use()
    if request.POST.get("step") != "save":
        return _page(request, customers, form, customs)
    chosen = {name.removeprefix("set.") for name in request.POST if name.startswith("set.")}
    values = _read(request, form, customs, chosen)
    if not chosen:
        form.errors[""] = _("Tick what shall be changed.")
    if not form.errors:
        try:
            count, path = _write(request, customers, values)
        except Refusal as refusal:
            if refusal.status in {403, 404}:
                raise
            name = str(refusal.params.get("field", ""))
            form.errors[name if name in chosen else ""] = refusal_text(refusal)
        else:
            said = ngettext("%(count)s customer changed", "%(count)s customers changed", count)
            toast(request, said % {"count": count}, undo=path)
            address = list_query.of_request(request.POST)
            return HttpResponseRedirect(address.path(reverse("web:customers")))
    return _page(request, customers, form, customs, status=422)


def _read(request, form, customs, chosen):
    """What was typed into the ticked fields, in their own types."""
    for name in chosen & set(TEXTS):
        form.text(name)
    for name in chosen & set(DAYS):
        form.day(name)
    if "seats" in chosen:
        form.whole("seats")
    if "arr_minor" in chosen:
        form.amount("arr_minor", into="arr_minor")
    if "tier" in chosen:
        form.choice("tier", Tier.objects.all(), required=True)
        form.text("tier_reason", required=True)
        form.day("tier_until")
    values = {
        name: value for name, value in form.values.items() if name in chosen or "tier_" in name
    }
    if "stage" in chosen:
        values["stage"] = form.get("stage") or None
    for field in customs:
        if field.name in chosen:
            try:
                values[field.name] = present_custom.read(
                    field, present_custom.typed(field, request.POST)
                )
            except BadCell as bad:
                form.errors[field.name] = present_custom.problem(bad)
    return values


@transaction.atomic
def _write(request, customers, values):
    """How many changed, and the path that takes all of it back."""
    common = {"actor": request.user, "now": request.now}
    values = dict(values)
    held, changed = {}, set()
    if "tier" in values:
        tier = values.pop("tier")
        reason, until = values.pop("tier_reason"), values.pop("tier_until")
        held["tier"] = bulk_actions.set_tier_for_many(
            customers=customers, tier=tier, reason=reason, until=until, **common
        )
    if "stage" in values:
        key = values.pop("stage")
        held["stage"] = bulk_actions.move_many(customers=customers, stage_key=key, **common)
    if values:
        wanted = {customer.pk: values for customer in customers}
        held["fields"] = bulk_actions.edit_each(wanted=wanted, **common)
    for old in held.values():
        changed |= old.keys()
    return len(changed), undo.remember(request, "bulk", held) if changed else ""


def _page(request, customers, form, customs, *, status=200):
    address = list_query.of_request(request.POST)
    touches = {c.tier.touch_model for c in _with_tier(customers) if c.tier}
    stages = {}
    for stage in Stage.objects.filter(touch_model__in=touches).order_by("position"):
        stages.setdefault(stage.key, pick(stage))
    context = {
        "form": form,
        "address": address,
        "ids": [customer.pk for customer in customers],
        "names": [customer.name for customer in customers[:SHOWN_NAMES]],
        "count": len(customers),
        "rows": _rows(request, customers),
        "customs": customs,
        "now": _now(customers, customs),
        "typed": {f.name: present_custom.typed(f, request.POST) for f in customs},
        "options_of": present_custom.options,
        "tiers": [(tier.pk, pick(tier)) for tier in Tier.objects.all()],
        "stages": list(stages.items()),
        "back_href": address.path(reverse("web:customers")),
    }
    return render(request, "customers/bulk_edit.html", context, status=status)


def _with_tier(customers):
    return Customer.objects.filter(pk__in=[c.pk for c in customers]).select_related("tier")


def _rows(request, customers):
    """The built-in fields: name, label, kind of control."""
    rows = [
        ("industry", _("Industry"), "text"),
        ("region", _("Region"), "text"),
        ("edition", _("Edition"), "text"),
        ("arr_minor", _("ARR, yuan"), "text"),
        ("seats", _("Seats"), "text"),
        ("started_on", _("Customer since"), "date"),
        ("renews_on", _("Renews on"), "date"),
        ("next_step", _("Next step"), "text"),
        ("next_step_on", pgettext("next step", "Due on"), "date"),
        ("stage", _("Stage"), "stage"),
    ]
    if can(request.user, "customer.assign"):
        rows.append(("tier", _("Tier"), "tier"))
    return rows


def _now(customers, customs):
    """What they hold now, the three commonest values of each field: nobody edits blindly."""
    held = values_of([customer.pk for customer in customers], customs)
    found = {}
    for name in (*TEXTS, *DAYS, "seats", "arr_minor"):
        found[name] = _commonest(_shown(name, getattr(customer, name)) for customer in customers)
    for field in customs:
        definition = field.definition
        found[field.name] = _commonest(
            present_custom.text(definition, value)
            if (value := held.get(customer.pk, {}).get(field.key)) is not None
            else ""
            for customer in customers
        )
    return found


def _shown(name, value):
    if value in (None, ""):
        return ""
    if name == "arr_minor":
        return plain.money(value, zh=is_zh())
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _commonest(texts):
    counted = Counter(texts)
    shown = [(text or _("not set"), count) for text, count in counted.most_common(3)]
    return shown, max(0, len(counted) - 3)
