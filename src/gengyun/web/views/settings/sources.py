"""Sources: their keys, what arrived, what waits in quarantine."""

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.usage.actions import replay as replay_actions
from gengyun.usage.actions import sources as source_actions
from gengyun.usage.models import QuarantinedEvent, Source, WriteKey
from gengyun.web.access import page
from gengyun.web.present.arrivals import arrival_row, quarantine_group
from gengyun.web.present.snippets import snippets
from gengyun.web.render import toast, warn
from gengyun.web.views.settings.common import field_of, go, refusal_text, show

FIELDS = {
    "source_name_missing": "name",
    "source_name_taken": "name",
    "source_key_invalid": "key",
    "source_key_taken": "key",
}
SHOWN = 30  # arrivals in the live list
FLAGS = ("is_history", "is_browser")


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
    }


@page("settings.read")
def sources(request):
    waiting = dict(
        QuarantinedEvent.objects.filter(replayed_at__isnull=True)
        .values_list("source_id")
        .annotate(n=Count("pk"))
    )
    rows = [(source, waiting.get(source.pk, 0)) for source in Source.objects.all()]
    return show(request, "settings/sources.html", "sources", {"rows": rows})


@page("sources.edit", methods=("GET", "POST"))
def source_new(request):
    if request.method == "GET":
        values = {"unknown_customer": "quarantine"}
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
        values = {k: getattr(source, k) for k in ("name", "unknown_customer", *FLAGS, "is_active")}
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
    """What the live list shows; polled every two seconds, so two short queries."""
    arrivals = source.arrivals.select_related("customer")[:SHOWN]
    groups = (
        source.quarantine.filter(replayed_at__isnull=True)
        .values("reason")
        .annotate(n=Count("pk"), ids=Count("group_id", distinct=True))
        .order_by("-n", "reason")
    )
    return {
        "source": source,
        "arrivals": [arrival_row(arrival) for arrival in arrivals],
        "quarantine": [quarantine_group(group) for group in groups],
        "checked_at": utc_now(),
    }


@page("settings.read")
def source(request, pk):
    source = _found(pk)
    keys = list(source.keys.all())
    live_key = next((key for key in keys if key.revoked_at is None), None)
    code = []
    if live_key is not None:
        address = request.build_absolute_uri("/")
        code = snippets(address=address, key=live_key.key, is_browser=source.is_browser)
    context = _live(source) | {"keys": keys, "live_key": live_key, "snippets": code}
    return show(request, "settings/source.html", "sources", context)


@page("settings.read")
def source_live(request, pk):
    """The fragment that the page asks for every two seconds."""
    return show(request, "settings/source.html", "sources", _live(_found(pk)), block="live")


@page("settings.read")
def source_quarantine(request, pk):
    """The waiting events of one source, newest first, with their text as it came."""
    source = _found(pk)
    reason = request.GET.get("reason", "")
    waiting = source.quarantine.filter(replayed_at__isnull=True)
    if reason:
        waiting = waiting.filter(reason=reason)
    groups = (
        source.quarantine.filter(replayed_at__isnull=True)
        .values("reason")
        .annotate(n=Count("pk"), ids=Count("group_id", distinct=True))
        .order_by("-n", "reason")
    )
    customers = (
        waiting.exclude(group_id="")
        .values("group_id")
        .annotate(n=Count("pk"))
        .order_by("-n", "group_id")[:20]
    )
    context = {
        "source": source,
        "reason": reason,
        "quarantine": [quarantine_group(group) for group in groups],
        "events": list(waiting[:50]),
        "by_customer": list(customers),
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
    count = getattr(count, "count", count) or 0
    said = ngettext(
        "%(count)s event was sent through again; the list shows what became of it.",
        "%(count)s events were sent through again; the list shows what became of them.",
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
    source_actions.revoke_key(actor=request.user, now=utc_now(), key=key)
    toast(request, _("Key revoked: requests with it are refused within seconds."))
    return go(request, "settings_source", pk)
