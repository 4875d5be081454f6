"""The morning page: the portfolio in five figures, who needs me and why, what moved."""

from datetime import date, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.engagement.queries import touches
from gengyun.kernel.errors import NotFound
from gengyun.portfolio.actions import needs as actions
from gengyun.portfolio.actions.seen import note_seen
from gengyun.portfolio.queries import today as queries
from gengyun.tasks.queries.lists import due_now
from gengyun.team.actions.users import note_visit
from gengyun.team.models import Role
from gengyun.team.queries.access import SEES_ALL, can
from gengyun.web.access import page
from gengyun.web.forms import week_of
from gengyun.web.present import needs as present
from gengyun.web.present.figures import stacked
from gengyun.web.render import back, is_htmx, render, toast
from gengyun.web.views.task_panel import shown as task_rows
from gengyun.web.words import is_zh

FARTHEST_DAYS = 20_000
TEMPLATE = "today.html"
SHOWN_TASKS = 6
GROUPS = ("alert", "task", "renewal", "payment")


@page()
def show(request):
    user = request.user
    note_visit(user, request.now)
    scope, scopes = _scope(request)
    needs = _needs(request, scope)
    figures = queries.counters(user, scope=scope, today=request.today, needs_total=needs.total)
    context = _needs_context(request, scope, needs) | {
        "scopes": scopes,
        "figures": {figure.code: figure for figure in figures},
        "moves": queries.score_moves(user, scope=scope),
        "bars": _bars(queries.distribution(user, scope=scope)),
        "greeting": _greeting(request.now),
    }
    context |= _calendar(request, scope) | _tasks(request, scope)
    note_seen(user=user, scope=scope, values={f.code: f.value for f in figures})
    block = None
    if is_htmx(request):
        wanted = request.headers.get("HX-Target", "")
        block = wanted if wanted in {"needs", "calendar", "today_tasks"} else None
    return render(request, TEMPLATE, context, block=block)


@page("activity.write", methods=("POST",))
def decide(request, pk, code, verb):
    """Put a need off, call it done, or show it again."""
    arguments = {"actor": request.user, "now": request.now, "customer_id": pk, "code": code}
    undo = reverse("web:need", args=[pk, code, "undo"])
    if verb == "later":
        days = {"1": 1, "7": 7, "30": 30}.get(request.POST.get("days", ""), 1)
        until = request.today + timedelta(days=days)
        snooze = actions.snooze_need(until=until, **arguments)
        text = (
            _("%(name)s comes back in %(days)s days")
            if days > 1
            else _("%(name)s comes back tomorrow")
        )
        toast(request, text % {"name": snooze.customer.name, "days": days}, undo=undo)
    elif verb == "done":
        snooze = actions.finish_need(**arguments)
        toast(request, _("%(name)s: done") % {"name": snooze.customer.name}, undo=undo)
    elif verb == "undo":
        actions.undo_need(**arguments)
        toast(request, _("It is on the list again"))
    else:
        raise NotFound
    if not is_htmx(request):
        return back(request, "/")
    if verb == "undo":
        return render(request, "refusal.html", {}, block="nothing")
    scope, _scopes = _scope(request)
    context = _needs_context(request, scope, _needs(request, scope))
    return render(request, TEMPLATE, context, block="needs")


def _scope(request):
    """(what is shown, what can be chosen): one's own customers, or all one may see."""
    user = request.user
    wanted = request.POST.get("scope") or request.GET.get("scope", "")
    if user.role == Role.CSM:
        return "mine", []
    scope = wanted if wanted in {"mine", "team"} else queries.default_scope(user)
    everyone = _("Everybody") if user.role in SEES_ALL else _("My team")
    return scope, [("mine", _("Mine")), ("team", everyone)]


def _needs(request, scope):
    return queries.need_list(request.user, scope=scope, today=request.today, group=_group(request))


def _group(request):
    wanted = request.POST.get("group") or request.GET.get("group", "")
    return wanted if wanted in GROUPS else None


def _needs_context(request, scope, needs):
    zh, today = is_zh(), request.today
    rows = []
    for place, item in enumerate(needs.items):
        rows.append(
            {
                "item": item,
                "summary": item.summary,
                "severity": present.severity(item.need),
                "why": present.sentence(item.need, zh=zh),
                "since": present.since(item.need, today=today, zh=zh),
                "action": present.action(item.need),
                "alert": item.need["facts"].get("alert") if item.need["code"] == "alert" else None,
                "facts": present.facts(
                    item.summary, skip={item.need["code"]}, others=item.others, today=today, zh=zh
                )
                if place == 0
                else [],
            }
        )
    worth = sum(item.summary.arr_minor or 0 for item in needs.items)
    return {
        "needs": needs,
        "rows": rows,
        "worth": worth,
        "scope": scope,
        "group": _group(request) or "",
        "may_write": can(request.user, "activity.write"),
    }


def _tasks(request, scope):
    """What is late or due today, the most valuable first, then what comes in seven days."""
    found = due_now(request.user, scope=scope, now=request.now, limit=SHOWN_TASKS)
    return {
        "task_rows": task_rows(request, found.tasks),
        "task_total": found.total,
        "tasks_pressing": found.due_count,
        "tasks_new": found.new_count,
        "may_task": can(request.user, "task.work"),
    } | _messages(request, scope)


def _messages(request, scope):
    """Messages to customers that wait for a person: nobody else would remember them."""
    if not can(request.user, "touches.write"):
        return {"drafts": 0, "approvals": 0}
    rows = touches.ledger(request.user, touches.Filters(is_mine=scope == "mine"))
    return {
        "drafts": touches.of_tab(rows, "drafts").count(),
        "approvals": touches.awaiting(request.user, request.now).count(),
    }


def _calendar(request, scope):
    try:
        day = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        day = request.today
    if abs((day - request.today).days) > FARTHEST_DAYS:
        day = request.today  # the calendar has no last week
    days = week_of(day)
    entries = queries.calendar(request.user, scope=scope, first=days[0], last=days[-1])
    by_day = {one: [entry for entry in entries if entry["day"] == one] for one in days}
    return {"day": day, "week": by_day, "agenda": by_day[day]}


def _bars(rows):
    """One bar per tier on a common scale."""
    most = max((sum(bands.values()) for _tier, bands in rows), default=0)
    return [
        {
            "tier": tier,
            "bands": bands,
            "total": sum(bands.values()),
            "pieces": list(
                zip("ABCDN", stacked(list(bands.values()), most, 240), bands.values(), strict=True)
            ),
        }
        for tier, bands in rows
    ]


def _greeting(now):
    from gengyun.kernel.days import company_zone

    hour = now.astimezone(company_zone()).hour
    if hour < 11:
        return _("Good morning")
    return _("Good afternoon") if hour < 18 else _("Good evening")
