"""The form of a channel: what each service is asked, what was typed, what may be shown again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from gengyun.engagement.actions.channels import new_webhook_secret
from gengyun.engagement.channels import KINDS
from gengyun.engagement.channels.base import host_of
from gengyun.engagement.models import Channel
from gengyun.engagement.queries.reach import GROUP_KINDS
from gengyun.web.numbers import is_number
from gengyun.web.words import gettext as _

SEVERITIES = (1, 2, 3, 4)
MOST_A_MINUTE = 6000


@dataclass(frozen=True)
class Service:
    """One kind of channel as it is offered: name, what it is for, how to get its address."""

    kind: str
    name: str
    about: str
    steps: tuple[str, ...]


def services():
    """In the order they are offered."""
    robot = _("Choose signing as the security setting and copy the secret, too.")
    return [
        Service(
            "feishu",
            _("Feishu robot"),
            _("A card in a group of Feishu or Lark."),
            (_("Group settings, bots, add a custom bot; copy its webhook address."), robot),
        ),
        Service(
            "dingtalk",
            _("DingTalk robot"),
            _("A message in a DingTalk group."),
            (_("Group settings, robots, add a custom robot; copy its webhook address."), robot),
        ),
        Service(
            "wecom_robot",
            _("WeCom robot"),
            _("A message in an internal WeCom group."),
            (_("Group menu, message push (robots), add one; copy its webhook address."),),
        ),
        Service(
            "email",
            _("Mail"),
            _("To the colleague whose alert or task it is, or to fixed addresses."),
            (_("Any mail server that takes mail over SMTP."),),
        ),
        Service(
            "webhook",
            _("Webhook"),
            _("JSON to a service of your own, signed by the Standard Webhooks rules."),
            (_("Answer 2xx; drop what comes twice by its webhook-id."),),
        ),
        Service(
            "nowhere",
            _("Record only"),
            _("Nothing is sent; the record shows what would have been. For trying out."),
            (),
        ),
    ]


def service(kind):
    return next((one for one in services() if one.kind == kind), None)


def severity_word(severity):
    return {
        1: _("Urgent"),
        2: _("Today"),
        3: _("This week"),
        4: _("Any time"),
    }.get(severity, "")


def up_to_choices():
    """Values of "at once" and "digest": none, or everything up to a severity."""
    return [
        (0, _("nothing")),
        (1, _("urgent only")),
        (2, _("urgent and today")),
        (3, _("all but “any time”")),
        (4, _("everything")),
    ]


def receives(channel):
    """What a channel is told, as one sentence."""
    if channel.serves == Channel.Serves.CUSTOMERS:
        if channel.customer is not None:
            return [_("messages to %(name)s") % {"name": channel.customer.name}]
        return [_("messages to customers")]
    words = dict(up_to_choices())
    parts = []
    if channel.at_once:
        parts.append(_("at once: %(what)s") % {"what": words[channel.at_once]})
    if channel.digest > channel.at_once:
        parts.append(
            _("%(at)s: %(what)s")
            % {"at": f"{channel.digest_at:%H:%M}", "what": words[channel.digest]}
        )
    return parts


def blank(kind):
    return {
        "name": "",
        "language": "zh-hans",
        "at_once": 2,
        "digest": 4,
        "digest_at": "09:00",
        "quiet_from": "21:00",
        "quiet_to": "08:30",
        "team": "",
        "is_active": True,
        "url": "",
        "sign": new_webhook_secret() if kind == "webhook" else "",
        "host": "",
        "port": 465,
        "security": "tls",
        "username": "",
        "password": "",
        "sender": "",
        "recipients": "",
        "to_owner": True,
        "serves": Channel.Serves.TEAM,
        "customer": "",
        "bounces": "",
        "per_minute": "",
    }


def of_channel(channel: Channel):
    """Secrets do not come back into the page: empty fields mean "as it is"."""
    config = channel.config
    return blank(channel.kind) | {
        "name": channel.name,
        "language": channel.language,
        "at_once": channel.at_once,
        "digest": channel.digest,
        "digest_at": f"{channel.digest_at:%H:%M}",
        "quiet_from": f"{channel.quiet_from:%H:%M}",
        "quiet_to": f"{channel.quiet_to:%H:%M}",
        "team": channel.team_id or "",
        "is_active": channel.is_active,
        "sign": "",
        **{k: config.get(k, "") for k in ("host", "port", "security", "username", "sender")},
        "recipients": "\n".join(config.get("recipients", ())),
        "to_owner": bool(config.get("to_owner")),
        "serves": channel.serves,
        "customer": channel.customer.external_id if channel.customer is not None else "",
        "bounces": config.get("bounces", ""),
        "per_minute": config.get("per_minute", ""),
    }


def hidden(channel: Channel):
    """What may be shown of the secrets: where it goes, and how an address or secret ends."""
    url, sign = channel.secrets.get("url", ""), channel.secrets.get("sign", "")
    return {
        "url": f"{host_of(url)} … {url[-4:]}" if url else "",
        "sign": f"… {sign[-4:]}" if len(sign) > 12 else ("…" if sign else ""),
        "password": "•••" if channel.secrets.get("password") else "",
    }


@dataclass(frozen=True)
class Typed:
    """What a person sent: as typed, and as the action takes it."""

    values: dict
    plain: dict
    config: dict
    secrets: dict
    errors: dict


def read(
    post: Mapping[str, str], kind: str, teams, kept: Mapping[str, str] | None = None,
    find_customer=lambda external_id: None,
) -> Typed:  # fmt: skip
    """`kept`: the secrets of a channel that is changed; all that is wrong is told at once."""
    text = {name: post.get(name, "").strip() for name in blank("feishu")}
    errors = {}
    plain = {"name": text["name"], "is_active": post.get("is_active", "1") == "1"}
    plain["language"] = text["language"] or "zh-hans"
    for name in ("at_once", "digest"):
        plain[name] = int(text[name]) if is_number(text[name]) else -1
    for name in ("digest_at", "quiet_from", "quiet_to"):
        try:
            plain[name] = time.fromisoformat(text[name])
        except ValueError:
            errors[name] = "A time looks like 09:00."
    plain["team"] = next((team for team in teams if str(team.pk) == text["team"]), None)
    plain |= _whom(text, kind, find_customer, errors)
    is_outward = plain["serves"] == Channel.Serves.CUSTOMERS
    config = {}
    secrets = {"url": text["url"], "sign": text["sign"]}
    if kind == "email":
        port = text["port"]
        config = {
            "host": text["host"],
            "port": int(port) if is_number(port) else port,
            "security": text["security"],
            "username": text["username"],
            "sender": text["sender"],
            "to_owner": post.get("to_owner") == "1",
            "recipients": [
                line.strip() for line in text["recipients"].splitlines() if line.strip()
            ],
        }
        # a password is taken as it is, spaces included
        secrets = {"password": post.get("password", "")}
        config |= _of_letters(text, errors)
        if not is_outward and not config["to_owner"] and not config["recipients"]:
            errors["recipients"] = "To whom? Tick the CSM, or name an address."
    secrets = {name: value for name, value in secrets.items() if value}
    errors = KINDS[kind].clean(config, {**(kept or {}), **secrets}) | errors
    values = text | {"is_active": plain["is_active"], "to_owner": config.get("to_owner", True)}
    return Typed(values, plain, config, secrets, errors)


def _whom(text, kind, find_customer, errors):
    """Us or customers; and whose group it is."""
    is_outward = text["serves"] == Channel.Serves.CUSTOMERS
    customer = find_customer(text["customer"]) if text["customer"] else None
    if text["customer"] and customer is None:
        errors["customer"] = "No customer has this id."
    if is_outward and kind in GROUP_KINDS and not text["customer"]:
        errors["customer"] = "A group belongs to one customer: whose is it?"
    serves = Channel.Serves.CUSTOMERS if is_outward else Channel.Serves.TEAM
    return {"serves": serves, "customer": customer}


def _of_letters(text, errors):
    """What only mail to customers needs."""
    config = {"bounces": text["bounces"]} if text["bounces"] else {}
    if text["per_minute"]:
        most = int(text["per_minute"]) if is_number(text["per_minute"]) else 0
        config["per_minute"] = most
        if not 0 < most <= MOST_A_MINUTE:
            errors["per_minute"] = "A number from 1 to 6000, or empty."
    return config
