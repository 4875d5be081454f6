"""Caps and quiet hours of everything that goes to customers."""

from datetime import time

from django.utils.translation import gettext as _

from gengyun.engagement.actions import touch_settings as actions
from gengyun.engagement.calc.budget import WINDOWS
from gengyun.engagement.models import TouchTemplate
from gengyun.engagement.queries.reach import policy
from gengyun.kernel.errors import Refusal
from gengyun.team.queries.access import require
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present import touches as present
from gengyun.web.views.settings.common import go, refusal_text, show, translated


@page("settings.read", methods=("GET", "POST"))
def touches(request):
    row = policy()
    if request.method == "GET":
        return _form(request, row, _values(row), {})
    require(request.user, "settings.edit")
    typed = {name: request.POST.get(name, "").strip()[:20] for name in _values(row)}
    typed["working_days_only"] = request.POST.get("working_days_only", "")
    errors, caps, hours = _read(typed)
    if not errors:
        try:
            actions.edit_policy(
                actor=request.user,
                now=request.now,
                caps=caps,
                quiet_from=hours["quiet_from"],
                quiet_to=hours["quiet_to"],
                working_days_only=typed["working_days_only"] == "1",
            )
        except actions.PolicyInvalid as refusal:
            errors = refusal.errors
        except Refusal as refusal:
            errors = {"": refusal_text(refusal)}
        else:
            return go(request, "settings_touches", said=_("Saved."))
    return _form(request, row, typed, translated(errors), status=422)


def _values(row):
    values = {
        f"cap_{name}_{days}": row.caps.get(name, {}).get(str(days), "")
        for name in actions.CAPPED
        for days in WINDOWS
    }
    return values | {
        "quiet_from": f"{row.quiet_from:%H:%M}",
        "quiet_to": f"{row.quiet_to:%H:%M}",
        "working_days_only": "1" if row.working_days_only else "",
    }


def _read(typed):
    errors, caps, hours = {}, {}, {}
    for name in actions.CAPPED:
        caps[name] = {}
        for days in WINDOWS:
            field = f"cap_{name}_{days}"
            text = typed[field]
            if text and not is_number(text):
                errors[field] = "A cap is a number from 0 to 100, or empty for none."
            caps[name][str(days)] = int(text) if text and is_number(text) else None
    for name in ("quiet_from", "quiet_to"):
        try:
            hours[name] = time.fromisoformat(typed[name]).replace(tzinfo=None)
        except ValueError:
            errors[name] = "A time looks like 09:00."
    return errors, caps, hours


def _form(request, row, values, errors, *, status=200):
    context = {
        "values": values,
        "errors": errors,
        "classes": [(name, present.class_word(name)) for name in actions.CAPPED],
        "windows": WINDOWS,
        "updated_at": row.updated_at,
        "templates": TouchTemplate.objects.filter(retired_at__isnull=True),
        "words": present,
    }
    return show(request, "settings/touches.html", "touches", context, status=status)
