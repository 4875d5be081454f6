"""The journey: a customer's stage on its page, moves and ticks, and all stages at a glance."""

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.actions import journeys as actions
from gengyun.customers.calc import journeys as calc
from gengyun.customers.models import Stage, StageStay, TouchModel
from gengyun.customers.queries import customers as customer_queries
from gengyun.customers.queries import journeys as queries
from gengyun.customers.queries.facts import known_facts
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.portfolio.calc.filters import Filter
from gengyun.portfolio.queries.late import longest_stuck
from gengyun.web import undo
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import journeys as present
from gengyun.web.present.list_query import Address
from gengyun.web.refusals import refusal_text
from gengyun.web.render import is_htmx, render, toast
from gengyun.web.words import is_zh, pick

CARD = "customer/journey.html"


def journey_context(request, customer):
    """Everything of the journey card."""
    zh = is_zh()
    history = queries.history_of(customer)
    place = queries.position_of(customer, request.today, history)
    facts = known_facts() if place or any(stay.evidence for stay in history) else {}
    touch = customer.tier.touch_model if customer.tier else ""
    bare = list(Stage.objects.filter(touch_model=touch)) if touch and not place else []
    choices = place.stages if place else bare
    context = {
        "place": place,
        "stage_choices": choices,
        "stays": _stays(history, facts, request.today, zh=zh),
        "move_error": "",
    }
    if place is not None:
        for name in ("process", "outcome", "exit"):
            verdicts = getattr(place, name)
            context[f"{name}_rows"] = present.rows(verdicts, facts, place.checked, zh=zh)
    return context


def _stays(history, facts, today, *, zh):
    found = []
    for stay in history:
        days = ((stay.left_on or today) - stay.entered_on).days
        how, why = _how(stay, facts, zh=zh)
        found.append(present.Stay(stay.stage, stay.entered_on, stay.left_on, days, how, why))
    return found


def _how(stay, facts, *, zh):
    if stay.how == StageStay.How.RULE:
        told = [
            present.sentence(item, facts, zh=zh)
            for item in calc.parse_items(map(_plain, stay.evidence))
        ]
        return _("by rule"), ("；" if zh else "; ").join(told)
    who = stay.moved_by.name if stay.moved_by else ""
    if stay.how == StageStay.How.START:
        return _("from the start"), who
    return (_("moved by %(name)s") % {"name": who} if who else _("moved")), stay.reason


def _plain(entry):
    return {name: value for name, value in entry.items() if name != "found"}


@page()
def card(request, pk):
    customer = customer_queries.get(request.user, pk)
    return _card(request, customer)


@page("customer.edit", methods=("POST",))
def move(request, pk):
    """Into another stage by hand; the toast takes it back."""
    customer = customer_queries.get(request.user, pk)
    wanted = request.POST.get("stage", "")
    stage = Stage.objects.filter(pk=int(wanted)).first() if is_number(wanted) else None
    if stage is None:
        raise NotFound
    try:
        actions.move_stage(
            actor=request.user,
            now=request.now,
            customer=customer,
            stage=stage,
            reason=request.POST.get("reason", ""),
        )
    except Refusal as refusal:
        if refusal.status in {403, 404}:
            raise
        return _card(request, customer, status=422, move_error=refusal_text(refusal))
    actions.refresh_journey(now=request.now, customer=customer)
    stay = StageStay.objects.filter(customer=customer, left_on=None).first()
    payload = {"pk": pk, "stay": stay.pk if stay else 0}
    text = _("%(name)s is in %(stage)s now") % {"name": customer.name, "stage": pick(stage)}
    toast(request, text, undo=undo.remember(request, "stage", payload))
    return _done(request, pk)


@page("customer.edit", methods=("POST",))
def tick(request, pk):
    """Something that the stage asks for is done, or is not after all."""
    customer = customer_queries.get(request.user, pk)
    done = actions.tick(
        actor=request.user,
        now=request.now,
        customer=customer,
        key=request.POST.get("key", ""),
        is_done=request.POST.get("done") == "1",
    )
    if done.moved:
        fresh = customer_queries.get(request.user, pk)
        said = {"name": fresh.name, "stage": pick(fresh.stage)}
        toast(request, _("All done: %(name)s moves on to %(stage)s") % said)
    return _done(request, pk)


def _done(request, pk):
    if is_htmx(request):
        return _card(request, customer_queries.get(request.user, pk))
    return HttpResponseRedirect(reverse("web:customer", args=[pk]) + "#s-journey")


def _card(request, customer, *, status=200, **more):
    from gengyun.web.views.customer import header

    context = header(request, customer) | journey_context(request, customer) | more
    block = "journey" if is_htmx(request) else None
    return render(request, CARD, context, block=block, status=status)


@page()
def overview(request):
    """Every stage of the customers that the reader sees: how many, how late, who is stuck."""
    counts = queries.stage_counts(request.user, request.today)
    base = reverse("web:customers")
    journeys = []
    for model, label in reversed(TouchModel.choices):
        rows = [_stage_row(base, row) for row in counts if row.stage.touch_model == model]
        journeys.append((label, rows, sum(row["count"].customers for row in rows)))
    stuck = longest_stuck(request.user, limit=12)
    total = {
        "customers": sum(row.customers for row in counts),
        "behind": sum(row.behind for row in counts),
        "stuck": sum(row.stuck for row in counts),
        "ready": sum(row.ready for row in counts),
    }
    return render(
        request,
        "journeys.html",
        {
            "journeys": journeys,
            "stuck": stuck,
            "total": total,
            "without": queries.without_stage(request.user),
            "links": _links(base),
        },
    )


def _links(base):
    def path(*filters, sort="name"):
        return Address(filters=filters, sort=sort).path(base)

    return {
        "behind": path(Filter("pace", "is", "behind")),
        "stuck": path(Filter("pace", "is", "stuck")),
        "without": path(Filter("stage", "none")),
    }


def _stage_row(base, count):
    inside = Filter("stage", "is", count.stage.pk)

    def path(*more):
        return Address(filters=(inside, *more)).path(base)

    return {
        "stage": count.stage,
        "count": count,
        "on_track": count.customers - count.behind - count.stuck,
        "all": path(),
        "behind": path(Filter("pace", "is", "behind")),
        "stuck": path(Filter("pace", "is", "stuck")),
    }
