"""What each CSM carries, and a rebalancing that is only a preview until somebody confirms it."""

from collections import defaultdict

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.actions.customers import assign_owner
from gengyun.customers.queries import customers as customer_queries
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.capacity import capacity as carried
from gengyun.portfolio.queries.capacity import plan_of
from gengyun.team.queries.access import can, require
from gengyun.team.queries.people import possible_owners
from gengyun.web import undo
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import insight_capacity as shapes
from gengyun.web.render import toast
from gengyun.web.views.insight.common import ECONOMICS, ask_of, show

KEEP_DAYS = 90
MOST_DAYS = 366


class NothingChosen(Refusal):
    code = "nothing_chosen"
    message = "Choose at least one customer."


def _asked(given):
    days = given.get("keep_days", "")
    return {
        "keep_days": min(int(days), MOST_DAYS) if is_number(days) else KEEP_DAYS,
        "keep_top": given.get("keep_top", "1") != "0",
    }


@page(ECONOMICS, methods=("GET", "POST"))
def capacity(request):
    if request.method == "POST":
        return _hand_over(request)
    ask, asked = ask_of(request), _asked(request.GET)
    found = carried(request.user, today=request.today, **asked)
    context = {"found": shapes.capacity(found), "asked": asked, "plan": None}
    if request.GET.get("plan"):
        plan = plan_of(found)
        pks = [move.customer for move in plan.moves]
        names = dict(
            CustomerSummary.objects.visible_to(request.user)
            .filter(pk__in=pks)
            .values_list("pk", "name")
        )
        context["plan"] = shapes.plan(plan, found, names)
        context["may_assign"] = can(request.user, "customer.assign")
    return show(request, "insight/capacity.html", ask, context)


def _hand_over(request):
    """Only what was ticked changes hands; it can be taken back."""
    require(request.user, "customer.assign")
    wanted = defaultdict(list)
    for text in request.POST.getlist("move"):
        customer, _dash, target = text.partition("-")
        if is_number(customer) and is_number(target):
            wanted[int(target)].append(int(customer))
    if not wanted:
        raise NothingChosen
    owners = possible_owners().in_bulk(list(wanted))
    if len(owners) < len(wanted):
        raise NotFound
    before, count = defaultdict(list), 0
    for target, pks in wanted.items():
        customers = customer_queries.get_many(request.user, pks)
        for customer in customers:
            before[customer.owner_id].append(customer.pk)
        count += assign_owner(
            actor=request.user, now=request.now, customers=customers, owner=owners[target]
        )
    path = undo.remember(request, "owner", [[pk, ids] for pk, ids in before.items()])
    toast(request, _("%(count)s customers changed hands.") % {"count": count}, undo=path)
    return HttpResponseRedirect(reverse("web:insight_capacity"))
