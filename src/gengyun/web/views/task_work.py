"""Forms of tasks into actions: one verb with its fields, for one task or for many."""

from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.kernel.calc.workdays import working_day_after
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.tasks.actions import putting, work
from gengyun.team.queries.people import possible_owners
from gengyun.web.numbers import is_number
from gengyun.web.present import tasks as present


def options(user):
    """What the forms offer."""
    return {
        "snoozes": present.SNOOZES,
        "moves": present.MOVES,
        "colleagues": list(possible_owners().only("name").order_by("name", "pk")),
    }


def do(request, pks, verb, form, *, many=False):
    """(what was done, the batch that takes it back)."""
    found = _VERBS.get(verb)
    if found is None or (many and verb == "put"):
        raise NotFound
    return found(request, form, {"actor": request.user, "now": request.now, "task_ids": pks})


def _finish(request, form, given):
    return _("done"), work.finish(result=form.get("result", ""), **given)


def _drop(request, form, given):
    return _("dropped"), work.drop(reason=form.get("result", ""), **given)


def _reopen(request, form, given):
    return _("opened again"), work.reopen(**given)


def _start(request, form, given):
    return _("in work"), work.start(**given)


def _shelve(request, form, given):
    return _("to be done"), work.shelve(**given)


def _wake(request, form, given):
    return _("is back"), work.wake(**given)


def _snooze(request, form, given):
    until = _day(form, "until")
    days = form.get("days", "1" if until is None else "")
    if is_number(days) and len(days) < 4:
        until = request.today + timedelta(days=int(days))
    batch = work.snooze(until=until or request.today, **given)
    left = (until - request.today).days
    return ngettext("back in %(num)s day", "back in %(num)s days", left) % {"num": left}, batch


def _move(request, form, given):
    days, due_on = form.get("working_days", ""), _day(form, "due_on")
    if is_number(days) and len(days) < 4:
        due_on = working_day_after(request.today, int(days))
    elif due_on is None and form.get("due_on", ""):
        raise BadDay
    batch = work.move(due_on=due_on, **given)
    return _("due %(day)s") % {"day": present.day_word(due_on, request.today)}, batch


def _assign(request, form, given):
    wanted = form.get("owner", "")
    owner = possible_owners().filter(pk=int(wanted)).first() if is_number(wanted) else None
    if wanted and owner is None:
        raise NotFound
    name = owner.name if owner else _("nobody yet")
    return _("given to %(name)s") % {"name": name}, work.assign(owner=owner, **given)


def _take(request, form, given):
    return _("is yours now"), work.assign(owner=request.user, **given)


def _put(request, form, given):
    """A card that moved to another column of the board."""
    way, column = form.get("way", ""), form.get("stage", "")
    batch = putting.put(
        actor=request.user, now=request.now, task_id=given["task_ids"][0], way=way, column=column
    )
    return (_("moved") if way == "who" else present.column_word(column)), batch


class BadDay(Refusal):
    code = "task_bad_day"
    message = "This is no date; write it as 2026-03-31."


def _day(form, name):
    try:
        return date.fromisoformat(form.get(name, ""))
    except ValueError:
        return None


_VERBS = {
    "finish": _finish,
    "drop": _drop,
    "reopen": _reopen,
    "start": _start,
    "shelve": _shelve,
    "wake": _wake,
    "snooze": _snooze,
    "move": _move,
    "assign": _assign,
    "take": _take,
    "put": _put,
}
