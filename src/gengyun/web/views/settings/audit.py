"""The audit log, for administrators."""

from datetime import date, timedelta

from gengyun.customers.queries.custom_fields import fields_named
from gengyun.team.models import User
from gengyun.team.queries import audit as queries
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.present.audit import action_name, line
from gengyun.web.views.settings.common import is_htmx, show
from gengyun.web.words import pick

PER_PAGE = 50


def _day(text):
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1900 <= day.year < 2200 else None  # its first moment is one in every zone


@page("audit.read")
def audit(request):
    asked = {k: request.GET.get(k, "").strip() for k in ("who", "action", "text", "start", "end")}
    end = _day(asked["end"])
    found = queries.entries(
        request.user,
        of=User.objects.filter(pk=asked["who"]).first() if is_number(asked["who"]) else None,
        action=asked["action"][:80],
        text=asked["text"][:80],
        start=_day(asked["start"]),
        end=end + timedelta(days=1) if end else None,
    )
    number = max(int(request.GET["page"]), 1) if is_number(request.GET.get("page", "")) else 1
    first = (number - 1) * PER_PAGE
    rows = list(found[first : first + PER_PAGE + 1])  # one more tells whether there is a next page
    query = request.GET.copy()
    query.pop("page", None)
    names = {name for entry in rows for name in entry.changes}
    customs = {name: pick(field) for name, field in fields_named(names).items()}
    context = {
        "rows": [line(entry, customs) for entry in rows[:PER_PAGE]],
        "asked": asked,
        "people": User.objects.order_by("name", "pk"),
        "actions": queries.actions(),
        "action_name": action_name,
        "number": number,
        "has_next": len(rows) > PER_PAGE,
        "query": query.urlencode(),
        "filtered": any(asked.values()),
    }
    return show(
        request, "settings/audit.html", "audit", context, block="rows" if is_htmx(request) else None
    )
