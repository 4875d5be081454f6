"""Channels and what went through them, for people with access to settings."""

from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from gengyun.customers.models import Customer
from gengyun.engagement.models import Channel, Delivery
from gengyun.kernel.errors import NotFound
from gengyun.team.models import User
from gengyun.team.queries.access import require


def channels(actor: User) -> QuerySet[Channel]:
    require(actor, "settings.read")
    return Channel.objects.select_related("team", "customer").order_by("-is_active", "name", "pk")


def get_channel(actor: User, pk: int) -> Channel:
    found = channels(actor).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


def customer_of(actor: User, external_id: str) -> Customer | None:
    """The customer whose group a channel is."""
    return Customer.objects.visible_to(actor).present().filter(external_id=external_id).first()


def deliveries(actor: User, channel: Channel) -> QuerySet[Delivery]:
    require(actor, "settings.read")
    return Delivery.objects.filter(channel=channel)


def counts_30d(actor: User, now: datetime) -> dict[int, dict[str, int]]:
    """{channel id: {sent, failed, waiting}} of the last 30 days."""
    require(actor, "settings.read")
    state = Delivery.State
    rows = (
        Delivery.objects.filter(created_at__gte=now - timedelta(days=30))
        .order_by()
        .values("channel_id")
        .annotate(
            sent=Count("pk", filter=Q(state=state.SENT)),
            failed=Count("pk", filter=Q(state__in=[state.FAILED, state.UNSURE])),
            waiting=Count("pk", filter=Q(state__in=[state.WAITING, state.TAKEN, state.POSTING])),
        )
    )
    return {
        row["channel_id"]: {name: row[name] for name in ("sent", "failed", "waiting")}
        for row in rows
    }
