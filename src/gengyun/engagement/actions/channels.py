"""Setting channels up: create, change, switch off, try out."""

import secrets as random
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.engagement.actions.deliveries import settle
from gengyun.engagement.calc.messages import Item, compose
from gengyun.engagement.calc.signing import WEBHOOK_PREFIX
from gengyun.engagement.channels import KINDS, Outcome, Target, box
from gengyun.engagement.models import Channel, Delivery
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

PLAIN = (
    "name", "language", "at_once", "digest", "digest_at", "quiet_from", "quiet_to", "team",
    "is_active", "serves", "customer",
)  # fmt: skip
LANGUAGES = ("zh-hans", "en")


class ChannelNameMissing(Refusal):
    code = "channel_name_missing"
    message = "The channel needs a name."


class ChannelNameTaken(Refusal):
    code = "channel_name_taken"
    message = "There is a channel called %(name)s already."


class ChannelKindUnknown(Refusal):
    code = "channel_kind_unknown"
    message = "%(kind)s is no kind of channel."


class ChannelInvalid(Refusal):
    """`errors` says what is wrong, by field: {field: msgid}."""

    code = "channel_invalid"
    message = "The channel cannot be used like this."

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = dict(errors)


class RecipientMissing(Refusal):
    code = "recipient_missing"
    message = "To which address shall the test go?"


@transaction.atomic
def create_channel(
    *,
    actor: User | None,
    now: datetime,
    name: str,
    kind: str,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    **plain: Any,
) -> Channel:
    """`plain`: language, at_once, digest, digest_at, quiet_from, quiet_to, team, is_active."""
    require(actor, "settings.edit")
    if kind not in KINDS:
        raise ChannelKindUnknown(kind=kind)
    values = _clean(None, {"name": name, **plain})
    _check(kind, config, secrets)
    channel = Channel.objects.create(
        kind=kind, config=dict(config), secrets=dict(secrets), created_at=now, **values
    )
    told = {"name": [None, channel.name], "kind": [None, kind]}
    record(actor=actor, now=now, action="channel.create", obj=channel, changes=told)
    return channel


@transaction.atomic
def edit_channel(
    *,
    actor: User | None,
    now: datetime,
    channel: Channel,
    changes: Mapping[str, Any],
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Channel:
    """Secrets not given stay as they are; the audit says that they changed, not to what."""
    require(actor, "settings.edit")
    row = Channel.objects.select_for_update().filter(pk=channel.pk).first()
    if row is None:
        raise NotFound
    values = _clean(row, changes)
    kept = {**row.secrets, **{k: v for k, v in (secrets or {}).items() if v}}
    wanted = dict(row.config if config is None else config)
    _check(row.kind, wanted, kept)
    told: dict[str, Any] = {
        name: [_shown(getattr(row, name)), _shown(value)]
        for name, value in values.items()
        if getattr(row, name) != value
    }
    for name in sorted({*wanted, *row.config}):
        if row.config.get(name) != wanted.get(name):
            told[name] = [row.config.get(name), wanted.get(name)]
    told |= {name: ["•••", "•••"] for name, value in kept.items() if row.secrets.get(name) != value}
    if not told:
        return row
    for name, value in values.items():
        setattr(row, name, value)
    row.config, row.secrets, row.paused_until = wanted, kept, None
    row.save()
    record(actor=actor, now=now, action="channel.edit", obj=row, changes=told)
    return row


def send_test(
    *, actor: User | None, now: datetime, channel: Channel, recipient: str = ""
) -> Outcome:
    """One message at once, whatever the hour; the outcome is written beside the channel."""
    require(actor, "settings.edit")
    if channel.kind == Channel.Kind.EMAIL and not recipient:
        raise RecipientMissing
    zh = channel.language.startswith("zh")
    name = actor.name if actor else "gengyun"
    item = Item(
        title="耕云：测试消息" if zh else "Gengyun: test message",
        text=f"{name} 正在试用渠道“{channel.name}”。收到这条消息，说明可以用了。"
        if zh
        else f"{name} is trying the channel “{channel.name}”. It works if you read this.",
    )
    delivery = Delivery.objects.create(
        key=f"test:{channel.pk}:{random.token_hex(8)}",
        channel=channel,
        recipient=recipient,
        about="test",
        item={"title": item.title, "text": item.text},
        state=Delivery.State.POSTING,
        batch=random.token_hex(16),
        lease_until=now,
        due_at=now,
        created_at=now,
    )
    message = compose([item], language=channel.language, queue_url="")
    target = Target(channel.config, channel.secrets, recipient, delivery.batch)
    outcome = box(channel.kind).send(target, message, now=now)
    if outcome.status == "later":
        # a test is not tried again behind one's back
        outcome = Outcome("failed", "", outcome.error_code, outcome.error_text, outcome.said)
    settle([delivery], channel, outcome, now=now)
    record(
        actor=actor,
        now=now,
        action="channel.test",
        obj=channel,
        changes={"outcome": [None, outcome.status]},
    )
    return outcome


def new_webhook_secret() -> str:
    import base64

    return WEBHOOK_PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def _clean(row: Channel | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: changes[name] for name in PLAIN if name in changes}
    if "name" in values:
        values["name"] = str(values["name"]).strip()[:60]
        if not values["name"]:
            raise ChannelNameMissing
        others = Channel.objects.filter(name=values["name"])
        if (others.exclude(pk=row.pk) if row is not None else others).exists():
            raise ChannelNameTaken(name=values["name"])
    errors: dict[str, str] = {
        name: "A severity is a number from 1 to 4, or none."
        for name in ("at_once", "digest")
        if name in values and values[name] not in range(5)
    }
    if values.get("language", "en") not in LANGUAGES:
        errors["language"] = "This language is not offered."
    if values.get("serves", Channel.Serves.TEAM) not in Channel.Serves.values:
        errors["serves"] = "Whom does this channel reach?"
    if errors:
        raise ChannelInvalid(errors)
    return values


def _check(kind: str, config: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
    errors = KINDS[kind].clean(config, secrets)
    if errors:
        raise ChannelInvalid(errors)


def _shown(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | bool) else str(value)
