"""The queue of alerts, one alert in the side panel, and what can be done with one or many."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.alerts.actions import undoing
from gengyun.alerts.models import AlertRule, RiskCause
from gengyun.alerts.queries import detail as detail_queries
from gengyun.alerts.queries import queue as queries
from gengyun.alerts.queries.watching import watch_list
from gengyun.kernel.errors import NotFound
from gengyun.portfolio.queries.today import default_scope
from gengyun.team.models import Role
from gengyun.team.queries.access import can
from gengyun.team.queries.people import members_below, possible_owners
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import alert_panel
from gengyun.web.present import alerts as present
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.scopes import scope_links
from gengyun.web.views import alert_lists
from gengyun.web.views.alert_work import do_one, options
from gengyun.web.words import is_zh, pick

TEMPLATE = "alerts/list.html"
PAGE = 50


@dataclass(frozen=True)
class Address:
    """What the address says: tab, filters, order, page."""

    tab: str = "open"
    scope: str = ""
    severities: tuple[int, ...] = ()
    rule: str = ""
    family: str = ""
    owner: str = ""
    late: bool = False
    escalated: bool = False
    text: str = ""
    sort: str = "urgent"
    page: int = 1

    def path(self, **changes):
        wanted = replace(self, **({"page": 1} | changes))
        found = [("tab", wanted.tab if wanted.tab != "open" else ""), ("scope", wanted.scope)]
        found += [("sev", str(level)) for level in wanted.severities]
        found += [("rule", wanted.rule), ("family", wanted.family), ("owner", wanted.owner)]
        found += [("late", "1" if wanted.late else ""), ("up", "1" if wanted.escalated else "")]
        found += [("q", wanted.text), ("sort", wanted.sort if wanted.sort != "urgent" else "")]
        found.append(("page", str(wanted.page) if wanted.page > 1 else ""))
        query = urlencode([(name, value) for name, value in found if value])
        return reverse("web:alerts") + (f"?{query}" if query else "")


def address_of(request, params):
    levels = {int(v) for v in params.getlist("sev") if v in {"1", "2", "3", "4"}}
    tab, sort = params.get("tab", ""), params.get("sort", "")
    number = params.get("page", "")
    return Address(
        tab=tab if tab in queries.TABS else "open",
        scope=_scope(request.user, params.get("scope", "")),
        severities=tuple(sorted(levels)),
        rule=params.get("rule", "") if is_number(params.get("rule", "")) else "",
        family=params.get("family", "")[:40],
        owner=params.get("owner", "") if is_number(params.get("owner", "")) else "",
        late=params.get("late") == "1",
        escalated=params.get("up") == "1",
        text=params.get("q", "").strip()[:60],
        sort=sort if sort in queries.SORTS else "urgent",
        page=min(int(number), 10_000) if is_number(number) and int(number) > 0 else 1,
    )


def _scope(user, wanted):
    if user.role == Role.CSM:
        return ""
    return wanted if wanted in {"mine", "team"} else default_scope(user)


def filters_of(user, address):
    owner = int(address.owner) if address.owner else None
    if owner is None and address.scope == "mine":
        owner = user.pk
    return queries.Filters(
        owner_id=owner,
        severities=address.severities,
        rules=[int(address.rule)] if address.rule else (),
        families=[address.family] if address.family else (),
        is_late=address.late,
        is_escalated=address.escalated,
        text=address.text,
    )


@page()
def show(request):
    address = address_of(request, request.GET)
    context = _queue(request, address)
    opened = request.GET.get("open", "")
    context["open_id"] = int(opened) if is_number(opened) else None
    return render(request, TEMPLATE, context, block="queue" if is_htmx(request) else None)


def _queue(request, address):
    user, filters = request.user, filters_of(request.user, address)
    found = queries.queue(
        user, tab=address.tab, filters=filters, sort=address.sort, now=request.now
    )
    first = (address.page - 1) * PAGE
    counts = queries.counts(user, now=request.now, filters=filters)
    if address.tab == "watch":
        rows, watched, has_next = alert_lists.watched(user, address, filters, request.today)
    else:
        alerts = list(found[first : first + PAGE + 1])
        has_next = len(alerts) > PAGE
        rows = present.rows(alerts[:PAGE], now=request.now, today=request.today, zh=is_zh())
        watched = watch_list(user, filters).order_by().count()
    counts.tabs["watch"] = watched
    tabs = _tabs(address, counts)
    return {
        "address": address,
        "rows": rows,
        "first_place": first + 1,
        "has_next": has_next,
        "total": counts.tabs.get(address.tab),
        "counts": counts,
        "tabs": tabs,
        "scopes": scope_links(user, address),
        "incidents": present.rows(
            queries.incidents(user), now=request.now, today=request.today, zh=is_zh()
        ),
        "chips": _chips(address),
        "adders": _adders(user, address),
        "day": queries.newest_day(),
        "may_work": can(user, "alert.work"),
        "shows_owner": user.role != Role.CSM and address.scope != "mine",
        **(options(user) if can(user, "alert.work") else {}),
    }


def _tabs(address, counts):
    words = [
        ("open", _("To do")),
        ("digest", _("Digest")),
        ("snoozed", _("Put off")),
        ("asked", _("Was it us?")),
        ("watch", _("Watch-list")),
        ("closed", _("Closed")),
    ]
    return [
        {
            "label": label,
            "href": address.path(tab=key, sort="urgent"),
            "count": counts.tabs.get(key),
            "is_current": key == address.tab,
        }
        for key, label in words
    ]


def _chips(address):
    """The filters in force, each with the address without it."""
    chips = []
    if address.severities:
        words = [present.severity_word(level) for level in address.severities]
        text = ("、" if is_zh() else ", ").join(words)
        chips.append((_("Level"), text, address.path(severities=())))
    if address.rule:
        rule = AlertRule.objects.filter(pk=int(address.rule)).first()
        chips.append((_("Rule"), pick(rule) if rule else "?", address.path(rule="")))
    if address.family:
        family = RiskCause.objects.filter(key=address.family).first()
        chips.append((_("Cause"), pick(family) if family else "?", address.path(family="")))
    if address.owner:
        owner = possible_owners().filter(pk=int(address.owner)).first()
        chips.append(("CSM", owner.name if owner else "?", address.path(owner="")))
    if address.late:
        chips.append(("", _("time limit passed"), address.path(late=False)))
    if address.escalated:
        chips.append(("", _("escalated"), address.path(escalated=False)))
    return chips


def _adders(user, address):
    """What can be filtered by: (label, [(text, address)])."""
    levels = [
        (present.severity_word(n), address.path(severities=(*address.severities, n)))
        for n in (1, 2, 3, 4)
        if n not in address.severities
    ]
    rules = AlertRule.objects.filter(retired_at__isnull=True)
    families = RiskCause.objects.filter(parent__isnull=True, retired_at__isnull=True)
    adders = [
        (_("Level"), levels),
        (_("Rule"), [(pick(rule), address.path(rule=str(rule.pk))) for rule in rules]),
        (_("Cause"), [(pick(one), address.path(family=one.key)) for one in families]),
        (
            _("Time limit"),
            [
                (_("time limit passed"), address.path(late=True)),
                (_("escalated"), address.path(escalated=True)),
            ],
        ),
    ]
    if user.role != Role.CSM:
        people = members_below(user).only("name")
        adders.append(
            ("CSM", [(one.name, address.path(owner=str(one.pk), scope="team")) for one in people])
        )
    return adders


@page()
def panel(request, pk):
    """One alert beside the queue; without script, a page of its own."""
    return render_panel(request, queries.get(request.user, pk))


def render_panel(request, alert):
    found = detail_queries.detail(request.user, alert)
    context = alert_panel.context(
        found, now=request.now, today=request.today, zh=is_zh(), user=request.user
    )
    if can(request.user, "alert.work"):
        context |= options(request.user)
    return render(
        request, "alerts/panel.html", context, block="panel" if is_htmx(request) else None
    )


@page("alert.work", methods=("POST",))
def act(request, pk, verb):
    """One thing done with one alert: the panel anew, and the queue is told to follow."""
    alert = queries.get(request.user, pk)
    text, batch = do_one(request, [alert.pk], verb, request.POST)
    name = alert.customer.name if alert.customer else pick(alert.rule)
    toast(
        request,
        _("%(name)s: %(what)s") % {"name": name, "what": text},
        undo=reverse("web:alerts_undo", args=[batch]),
    )
    if not is_htmx(request):
        return back(request, reverse("web:alerts"))
    response = render_panel(request, queries.get(request.user, pk))
    response["HX-Trigger"] = "alerts-changed"
    return response


@page("alert.work", methods=("POST",))
def bulk(request):
    """The same for many: those that are ticked, or all of the list."""
    pks = [int(value) for value in request.POST.getlist("ids") if is_number(value)]
    if request.POST.get("scope_of") == "all":
        address = address_of(request, request.POST)
        filters = filters_of(request.user, address)
        rows = queries.queue(request.user, tab=address.tab, filters=filters, now=request.now)
        pks = list(rows.order_by("pk").values_list("pk", flat=True)[:1000])
    if not pks:
        raise NothingChosen
    text, batch = do_one(request, pks, request.POST.get("verb", ""), request.POST)
    toast(
        request,
        _("%(count)s alerts: %(what)s") % {"count": len(pks), "what": text},
        undo=reverse("web:alerts_undo", args=[batch]),
    )
    return back(request, reverse("web:alerts"))


class NothingChosen(NotFound):
    code = "no_alert_chosen"
    status = 422
    message = "No alert is chosen."


@page("alert.work", methods=("POST",))
def undo(request, batch):
    undoing.undo(actor=request.user, now=request.now, batch=batch)
    toast(request, _("Taken back"))
    if not is_htmx(request):
        return back(request, reverse("web:alerts"))
    return render(request, "refusal.html", {}, block="nothing")
