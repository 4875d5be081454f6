"""Sources: their keys, what arrived, what waits in quarantine."""

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.lake.inbox import has_inbox, open_inbox
from gengyun.team.queries.access import can
from gengyun.usage.actions import replay as replay_actions
from gengyun.usage.actions import sources as source_actions
from gengyun.usage.models import Source, WriteKey
from gengyun.usage.queries import sources as queries
from gengyun.web.access import page
from gengyun.web.present.arrivals import arrival_row, event_name, pretty, quarantine_groups
from gengyun.web.present.outcomes import outcome
from gengyun.web.present.snippets import snippets
from gengyun.web.render import warn
from gengyun.web.views.settings.common import field_of, go, refusal_text, show

FIELDS = {
    "source_name_missing": "name",
    "source_name_taken": "name",
    "source_key_invalid": "key",
    "source_key_taken": "key",
    "source_origin_invalid": "origins",
    "source_group_type_invalid": "group_type",
}
SHOWN = 30  # arrivals in the live list
FLAGS = ("is_history", "is_browser", "drops_bots")


def _found(pk):
    source = Source.objects.filter(pk=pk).first()
    if source is None:
        raise NotFound
    return source


def _values(request):
    return {
        "name": request.POST.get("name", "").strip(),
        "unknown_customer": request.POST.get("unknown_customer", "quarantine"),
        **{flag: request.POST.get(flag) == "1" for flag in FLAGS},
        "origins": request.POST.get("origins", "").split(),
        "group_type": request.POST.get("group_type", "company"),
    }


@page("settings.read")
def sources(request):
    rows = [
        (source, sum(group.count for group in queries.waiting(source)))
        for source in queries.sources()
    ]
    return show(request, "settings/sources.html", "sources", {"rows": rows})


@page("sources.edit", methods=("GET", "POST"))
def source_new(request):
    if request.method == "GET":
        values = {"unknown_customer": "quarantine", "drops_bots": True, "group_type": "company"}
        return show(request, "settings/source_form.html", "sources", {"values": values})
    values = _values(request)
    try:
        source = source_actions.create_source(actor=request.user, now=utc_now(), **values)
    except Refusal as refusal:
        context = {"values": values, "errors": field_of(refusal, FIELDS)}
        return show(request, "settings/source_form.html", "sources", context, status=422)
    return go(request, "settings_source", source.pk, said=_("Created. Now send the first event."))


@page("sources.edit", methods=("GET", "POST"))
def source_edit(request, pk):
    source = _found(pk)
    if request.method == "GET":
        fields = ("name", "unknown_customer", "origins", "group_type", *FLAGS, "is_active")
        values = {field: getattr(source, field) for field in fields}
        return show(
            request, "settings/source_form.html", "sources", {"values": values, "source": source}
        )
    values = _values(request) | {"is_active": request.POST.get("is_active") == "1"}
    try:
        source_actions.edit_source(actor=request.user, now=utc_now(), source=source, changes=values)
    except Refusal as refusal:
        context = {"values": values, "source": source, "errors": field_of(refusal, FIELDS)}
        return show(request, "settings/source_form.html", "sources", context, status=422)
    return go(request, "settings_source", pk, said=_("Saved."))


def _live(source):
    """What the live list shows; polled every two seconds, so a few short queries."""
    arrivals = queries.arrivals(source, limit=SHOWN)
    waiting = queries.waiting(source)
    newest = arrivals[0].pk if arrivals else 0
    total = sum(group.count for group in waiting)
    unread = _unread()
    return {
        "source": source,
        "arrivals": [arrival_row(arrival) for arrival in arrivals],
        "quarantine": quarantine_groups(waiting),
        "unread": unread,
        "mark": f"{newest}-{total}-{unread}",
        "checked_at": utc_now(),
        "outcome_of": outcome,
    }


def _unread():
    """Requests that were acknowledged and wait for the worker, of all sources."""
    if not has_inbox(settings.INBOX_PATH):
        return 0
    with open_inbox(settings.INBOX_PATH) as inbox:
        return inbox.depth()


@page("settings.read")
def source(request, pk):
    source = _found(pk)
    keys = list(queries.keys(source))
    live_key = next((key for key in keys if key.revoked_at is None), None)
    code = []
    if live_key is not None and can(request.user, "sources.edit"):
        address = request.build_absolute_uri("/")
        code = snippets(
            address=address,
            key=live_key.key,
            is_browser=source.is_browser,
            group_type=source.group_type,
        )
    context = _live(source) | {"keys": keys, "live_key": live_key, "snippets": code}
    return show(request, "settings/source.html", "sources", context)


@page("settings.read")
def source_live(request, pk):
    """The fragment that the page asks for every two seconds; 204 when nothing is new."""
    context = _live(_found(pk))
    if request.GET.get("mark") == context["mark"]:
        return HttpResponse(status=204)
    return show(request, "settings/source.html", "sources", context, block="live")


@page("settings.read")
def source_quarantine(request, pk):
    """The waiting events of one source, newest first, with their text as it came."""
    source = _found(pk)
    reason = request.GET.get("reason", "")
    waiting = queries.waiting(source)
    healed_by = "unknown_customer"  # creating the customer lets these go on
    of_reason = [g for g in waiting if g.reason == healed_by and reason in {"", healed_by}]
    context = {
        "source": source,
        "reason": reason,
        "quarantine": quarantine_groups(waiting),
        "events": [
            (row, event_name(row.body), pretty(row.body))
            for row in queries.quarantine(source, reason=reason)[:50]
        ],
        "by_customer": of_reason[:20],
        "outcome_of": outcome,
    }
    return show(request, "settings/quarantine.html", "sources", context)


@page("sources.edit", methods=("POST",))
def source_replay(request, pk):
    source = _found(pk)
    reason = request.POST.get("reason") or None
    try:
        count = replay_actions.replay(
            actor=request.user, now=utc_now(), source=source, reason=reason
        )
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
        return go(request, "settings_source", pk)
    said = ngettext(
        "%(count)s event goes through again; the list shows what becomes of it.",
        "%(count)s events go through again; the list shows what becomes of them.",
        count,
    ) % {"count": count}
    return go(request, "settings_source", pk, said=said)


@page("sources.edit", methods=("POST",))
def key_new(request, pk):
    source = _found(pk)
    source_actions.create_key(actor=request.user, now=utc_now(), source=source)
    said = _("New key made. The old one keeps working until you revoke it.")
    return go(request, "settings_source", pk, said=said)


@page("sources.edit", methods=("POST",))
def key_revoke(request, pk, key_pk):
    source = _found(pk)
    key = WriteKey.objects.filter(pk=key_pk, source=source).first()
    if key is None:
        raise NotFound
    try:
        source_actions.revoke_key(actor=request.user, now=utc_now(), key=key)
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
        return go(request, "settings_source", pk)
    said = _("Key revoked: requests with it are refused within seconds.")
    return go(request, "settings_source", pk, said=said)
