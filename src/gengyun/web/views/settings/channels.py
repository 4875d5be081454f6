"""Channels: the ways over which people are told of alerts."""

from django.utils.translation import gettext as _

from gengyun.engagement.actions import channels as actions
from gengyun.engagement.actions.deliveries import resend
from gengyun.engagement.jobs import send_soon
from gengyun.engagement.models import Delivery
from gengyun.engagement.queries import channels as queries
from gengyun.engagement.queries.channels import customer_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.models import Team
from gengyun.web.access import page
from gengyun.web.present import channel_form as present
from gengyun.web.render import back, toast, warn
from gengyun.web.views.settings.common import field_of, go, refusal_text, show, translated

SHOWN = 40  # deliveries below a channel
FIELDS = {"channel_name_missing": "name", "channel_name_taken": "name"}


@page("settings.read")
def channels(request):
    counts = queries.counts_30d(request.user, request.now)
    rows = [
        {
            "channel": channel,
            "receives": present.receives(channel),
            "counts": counts.get(channel.pk, {"sent": 0, "failed": 0, "waiting": 0}),
            "is_paused": channel.is_paused(request.now),
        }
        for channel in queries.channels(request.user)
    ]
    context = {"rows": rows, "services": present.services()}
    return show(request, "settings/channels.html", "channels", context)


@page("settings.edit", methods=("GET", "POST"))
def channel_new(request):
    kind = request.GET.get("kind", "")
    if present.service(kind) is None:
        context = {"services": present.services()}
        return show(request, "settings/channel_kinds.html", "channels", context)
    if request.method == "GET":
        return _form(request, None, kind, present.blank(kind), {})
    typed = present.read(
        request.POST, kind, list(Team.objects.all()), find_customer=_finder(request)
    )
    errors = dict(typed.errors)
    if not errors:
        try:
            channel = actions.create_channel(
                actor=request.user,
                now=request.now,
                kind=kind,
                config=typed.config,
                secrets=typed.secrets,
                **typed.plain,
            )
        except Refusal as refusal:
            errors = _errors(refusal)
        else:
            said = _("Saved. Send a test message to see whether it arrives.")
            return go(request, "settings_channel", channel.pk, said=said)
    return _form(request, None, kind, typed.values, _words(errors), status=422)


@page("settings.read", methods=("GET", "POST"))
def channel(request, pk):
    found = queries.get_channel(request.user, pk)
    if request.method == "GET":
        return _form(request, found, found.kind, present.of_channel(found), {})
    typed = present.read(
        request.POST, found.kind, list(Team.objects.all()), found.secrets, _finder(request)
    )
    errors = dict(typed.errors)
    if not errors:
        try:
            actions.edit_channel(
                actor=request.user,
                now=request.now,
                channel=found,
                changes=typed.plain,
                config=typed.config,
                secrets=typed.secrets,
            )
        except Refusal as refusal:
            errors = _errors(refusal)
        else:
            send_soon()
            return go(request, "settings_channel", pk, said=_("Saved."))
    return _form(request, found, found.kind, typed.values, _words(errors), status=422)


@page("settings.edit", methods=("POST",))
def channel_test(request, pk):
    """One message at once; the outcome as a note and beside the channel."""
    found = queries.get_channel(request.user, pk)
    recipient = request.POST.get("recipient", "").strip()
    try:
        outcome = actions.send_test(
            actor=request.user, now=request.now, channel=found, recipient=recipient
        )
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
        return go(request, "settings_channel", pk)
    if outcome.status == "sent":
        toast(request, _("The test message was taken. Is it there?"))
    else:
        warn(request, _("The test message was not taken: %(why)s") % {"why": _(outcome.error_text)})
    return go(request, "settings_channel", pk)


@page("settings.edit", methods=("POST",))
def delivery_resend(request, pk, delivery):
    found = queries.get_channel(request.user, pk)
    row = queries.deliveries(request.user, found).filter(pk=delivery).first()
    if row is None:
        raise NotFound
    resend(actor=request.user, now=request.now, delivery=row)
    send_soon()
    toast(request, _("It goes out again"))
    return back(request, "/")


def _form(request, channel, kind, values, errors, *, status=200):
    context = {
        "channel": channel,
        "kind": kind,
        "service": present.service(kind),
        "values": values,
        "errors": errors,
        "hidden": present.hidden(channel) if channel else {},
        "up_to": present.up_to_choices(),
        "teams": [(team.pk, team.name) for team in Team.objects.all()],
    }
    if channel is not None:
        context |= {
            "deliveries": queries.deliveries(request.user, channel)[:SHOWN],
            "is_paused": channel.is_paused(request.now),
            "severity_word": present.severity_word,
            "resendable": {Delivery.State.FAILED, Delivery.State.UNSURE}
            if channel.serves == "team"
            else set(),
        }
    return show(request, "settings/channel.html", "channels", context, status=status)


def _finder(request):
    return lambda external_id: customer_of(request.user, external_id)


def _errors(refusal):
    if isinstance(refusal, actions.ChannelInvalid):
        return refusal.errors
    return field_of(refusal, FIELDS)


def _words(errors):
    return translated(errors)
