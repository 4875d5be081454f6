"""Who is told of an alert, over which channel, and when.

Every line "opened", "raised", "escalated" or "reopened" in the log of an alert is told once per
channel and receiver: the delivery's key is made of the line, so routing may run as often as it
likes. A channel says which severities it takes at once and which in its daily digest; a rule may
name its own channels instead. In the product itself every alert is always there.

`AlertRule.routes`: [] the channels' own settings; [{"mode": "none"}] nowhere;
[{"channel": id, "mode": "at_once" | "digest"}, ...] these channels only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction

from gengyun.alerts.calc.routing import Times, due_at, mode_of, money
from gengyun.alerts.calc.wording import Names
from gengyun.alerts.models import Alert, AlertEvent, Episode
from gengyun.alerts.queries.telling import main_episodes, names_of, tell
from gengyun.engagement.actions import deliveries as sending
from gengyun.engagement.calc.messages import Item
from gengyun.engagement.models import Channel, Delivery
from gengyun.kernel.days import company_zone, day_of
from gengyun.team.models import User
from gengyun.team.queries.access import team_ids_below

TOLD = (
    AlertEvent.Kind.OPENED,
    AlertEvent.Kind.RAISED,
    AlertEvent.Kind.ESCALATED,
    AlertEvent.Kind.REOPENED,
)
LOOK_BACK = timedelta(days=3)  # a line older than that is no news


@dataclass(frozen=True)
class Receivers:
    """People and teams, read once."""

    team_of: dict[int, int | None]
    below: dict[int, frozenset[int]]  # team -> itself and the teams under it


@transaction.atomic
def route(*, now: datetime) -> int:
    """Write a delivery for everything that was not told yet. Returns how many are new."""
    channels = list(Channel.objects.filter(is_active=True, serves=Channel.Serves.TEAM))
    if not channels:
        return 0
    events = list(
        AlertEvent.objects.filter(
            kind__in=TOLD,
            at__gte=now - LOOK_BACK,
            undone_at__isnull=True,
            alert__state=Alert.State.OPEN,
            # the replay of a past day is no news
            alert__last_seen_on__gte=day_of(now) - LOOK_BACK,
        )
        .select_related("alert__rule", "alert__customer", "alert__owner", "alert__escalated_to")
        .order_by("pk")
    )
    if not events:
        return 0
    writer = _Writer(channels, [event.alert for event in events], now)
    found = [delivery for event in events for delivery in writer.deliveries(event)]
    return sending.write(found)


def drop_over() -> int:
    """Notices of alerts that were closed or snoozed before they left are not sent."""
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING, about__startswith="alert:")
    told = set(waiting.order_by().values_list("about", flat=True))
    ids = {int(one.partition(":")[2]) for one in told}
    is_open = set(
        Alert.objects.filter(pk__in=ids, state=Alert.State.OPEN).values_list("pk", flat=True)
    )
    return sending.drop(about=[about(pk) for pk in ids - is_open])


def about(alert_id: int) -> str:
    return f"alert:{alert_id}"


def delivered(alert: Alert) -> list[Delivery]:
    """What was told of an alert, newest first."""
    return list(Delivery.objects.filter(about=about(alert.pk)).select_related("channel"))


class _Writer:
    def __init__(self, channels: list[Channel], alerts: Sequence[Alert], now: datetime) -> None:
        self.channels, self.now, self.today = channels, now, day_of(now)
        self.episodes = main_episodes(alerts)
        self.names = names_of(episode.rule for episode in self.episodes.values())
        self.receivers = _receivers(channels)

    def deliveries(self, event: AlertEvent) -> list[Delivery]:
        alert, found = event.alert, []
        for channel in self.channels:
            if event.at < channel.created_at:
                continue  # a new channel is not told what was before it
            mode = self._mode(channel, alert)
            if mode == "none" or not self._is_inside(channel, alert):
                continue
            due = due_at(mode, now=self.now, zone=company_zone(), times=_times(channel))
            found += [
                sending.queue(
                    now=self.now,
                    channel=channel,
                    key=f"alert-event:{event.pk}:{channel.pk}:{recipient}"[:160],
                    item=self._item(channel, event),
                    due_at=due,
                    recipient=recipient,
                    about=about(alert.pk),
                )
                for recipient in self._recipients(channel, event)
            ]
        return found

    def _mode(self, channel: Channel, alert: Alert) -> str:
        routes = alert.rule.routes
        if routes:
            own = {route.get("channel"): str(route.get("mode", "none")) for route in routes}
            return own.get(channel.pk, "none")
        return mode_of(
            alert.severity,
            at_once=channel.at_once,
            digest=channel.digest,
            is_in_digest=alert.in_digest,
        )

    def _is_inside(self, channel: Channel, alert: Alert) -> bool:
        """A team's channel is told of its people's customers, and of what concerns everybody."""
        if channel.team_id is None or alert.customer_id is None:
            return True
        team = self.receivers.team_of.get(alert.owner_id or 0)
        return team is not None and team in self.receivers.below.get(channel.team_id, frozenset())

    def _recipients(self, channel: Channel, event: AlertEvent) -> list[str]:
        if channel.kind != Channel.Kind.EMAIL:
            return [""]
        people = {str(one) for one in channel.config.get("recipients", ())}
        if channel.config.get("to_owner"):
            alert = event.alert
            told = [alert.owner]
            if event.kind == AlertEvent.Kind.ESCALATED:
                told.append(alert.escalated_to)
            people |= {one.email for one in told if one is not None and one.is_active}
        return sorted(people)

    def _item(self, channel: Channel, event: AlertEvent) -> Item:
        zh = channel.language.startswith("zh")
        return item_of(
            event.alert,
            self.episodes.get(event.alert.pk),
            names=self.names,
            zh=zh,
            today=self.today,
            is_escalated=event.kind == AlertEvent.Kind.ESCALATED,
        )


def item_of(
    alert: Alert,
    episode: Episode | None,
    *,
    names: Names,
    zh: bool,
    today: date,
    is_escalated: bool = False,
) -> Item:
    """An alert as one entry of a message."""
    rule = alert.rule.name_zh if zh else alert.rule.name_en
    customer = alert.customer
    title = f"{customer.name}{'：' if zh else ': '}{rule}" if customer else rule
    if is_escalated:
        title = f"{title}（已升级）" if zh else f"{title} (escalated)"
    text = tell(episode, names=names, zh=zh, today=today) if episode else rule
    facts: list[tuple[str, str]] = []
    if customer is not None:
        facts.append(("CSM", alert.owner.name if alert.owner else ("无" if zh else "nobody yet")))
        if customer.arr_minor is not None:
            facts.append(("ARR", money(customer.arr_minor, customer.currency, zh=zh)))
        if customer.renews_on is not None:
            facts.append(("续约日" if zh else "Renews on", customer.renews_on.isoformat()))
    return Item(
        title=title,
        text=text,
        facts=tuple(facts),
        url=f"/alerts/?open={alert.pk}",
        severity=alert.severity,
    )


def _times(channel: Channel) -> Times:
    return Times(channel.digest_at, channel.quiet_from, channel.quiet_to)


def _receivers(channels: list[Channel]) -> Receivers:
    teams = {channel.team_id for channel in channels if channel.team_id is not None}
    if not teams:
        return Receivers({}, {})
    return Receivers(
        dict(User.objects.values_list("pk", "team_id")),
        {team: frozenset(team_ids_below(team)) for team in teams},
    )
