"""Forms of alerts into actions: one verb with its fields, for one alert or for many."""

from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.alerts.actions import work
from gengyun.alerts.models import RiskCause
from gengyun.kernel.errors import NotFound
from gengyun.team.queries.access import can
from gengyun.team.queries.people import possible_owners
from gengyun.web.numbers import is_number
from gengyun.web.present import alerts as present


def options(user):
    """What the forms offer."""
    return {
        "snoozes": present.SNOOZES,
        "snooze_reasons": present.reasons(),
        "verdicts": present.verdicts(),
        "causes": cause_groups(),
        "colleagues": list(possible_owners().only("name")) if can(user, "customer.assign") else [],
        "may_assign": can(user, "customer.assign"),
    }


def cause_groups():
    """[(family, [causes])] of those that can still be chosen."""
    rows = list(RiskCause.objects.filter(retired_at__isnull=True))
    families = [row for row in rows if row.parent_id is None]
    return [(family, [row for row in rows if row.parent_id == family.pk]) for family in families]


def do_one(request, pks, verb, form):
    """(what was done, the batch that takes it back)."""
    do = _VERBS.get(verb)
    if do is None:
        raise NotFound
    arguments = {"actor": request.user, "now": request.now, "alert_ids": pks}
    return do(request, form, arguments)


def _respond(request, form, arguments):
    return _("in work"), work.respond(**arguments)


def _snooze(request, form, arguments):
    days = form.get("days", "")
    if is_number(days) and len(days) < 4:
        until = request.today + timedelta(days=int(days))
    else:
        try:
            until = date.fromisoformat(form.get("until", ""))
        except ValueError:
            until = request.today  # refused by the action, which says what is wanted
    reason = form.get("other", "").strip() or form.get("reason", "")
    batch = work.snooze(until=until, reason=reason, **arguments)
    left = (until - request.today).days
    text = ngettext("back in %(num)s day", "back in %(num)s days", left) % {"num": left}
    return text, batch


def _wake(request, form, arguments):
    return _("is back"), work.wake(**arguments)


def _assign(request, form, arguments):
    wanted = form.get("owner", "")
    owner = possible_owners().filter(pk=int(wanted)).first() if is_number(wanted) else None
    if wanted and owner is None:
        raise NotFound
    batch = work.assign(owner=owner, **arguments)
    return _("given to %(name)s") % {"name": owner.name if owner else _("nobody yet")}, batch


def _close(request, form, arguments):
    batch = work.close(**arguments, **_judgement(form))
    word = present.verdict_word(form.get("verdict", ""))
    return _("closed: %(verdict)s") % {"verdict": word}, batch


def _judge(request, form, arguments):
    batch = work.judge(**arguments, **_judgement(form))
    return present.verdict_word(form.get("verdict", "")), batch


def _judgement(form):
    wanted = form.get("cause", "")
    cause = None
    if is_number(wanted):
        cause = RiskCause.objects.filter(pk=int(wanted), retired_at__isnull=True).first()
        if cause is None:
            raise NotFound
    return {"verdict": form.get("verdict", ""), "cause": cause, "note": form.get("note", "")}


def _answer(request, form, arguments):
    was_us = form.get("was_it_us") == "1"
    batch = work.answer(was_it_us=was_us, **arguments)
    return (_("“it was our doing”") if was_us else _("“it was not our doing”")), batch


def _reopen(request, form, arguments):
    return _("opened again"), work.reopen(**arguments)


_VERBS = {
    "respond": _respond,
    "snooze": _snooze,
    "wake": _wake,
    "assign": _assign,
    "close": _close,
    "judge": _judge,
    "answer": _answer,
    "reopen": _reopen,
}
