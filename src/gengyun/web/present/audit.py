"""The audit log in words: which verb, which thing, from what to what."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from gengyun.team.models import AuditEntry

VERBS: dict[str, Any] = {
    "create": _("created"),
    "edit": _("changed"),
    "delete": _("deleted"),
    "created": _("created"),
    "edited": _("changed"),
    "deleted": _("deleted"),
    "retired": _("retired"),
    "restored": _("restored"),
    "published": _("published"),
    "archive": _("archived"),
    "restore": _("restored"),
    "assign": _("gave to another owner"),
    "assign_owner": _("gave to another owner"),
    "deactivate": _("deactivated"),
    "reactivate": _("let back in"),
    "set_password": _("set the password of"),
    "set_preferences": _("changed own settings"),
    "publish": _("published"),
    "publish_version": _("published a version of"),
    "retire": _("retired"),
    "revoke": _("revoked"),
    "key_create": _("made a key for"),
    "key_revoke": _("revoked a key of"),
    "save_rules": _("saved"),
    "reorder": _("changed the order of"),
    "set_tier": _("moved to another tier"),
    "move_stage": _("moved to another stage"),
    "rotate": _("renewed"),
    "import": _("imported"),
    "run": _("ran"),
    "tag": _("tagged"),
    "untag": _("removed a tag from"),
    "log": _("wrote"),
    "replay": _("replayed events of"),
}
THINGS: dict[str, Any] = {
    "team.user": _("user"),
    "team.team": _("team"),
    "customers.customer": _("customer"),
    "customers.contact": _("contact"),
    "customers.tier": _("tier"),
    "customers.tierrule": _("tier rules"),
    "customers.stage": _("stage"),
    "customers.importrun": _("import"),
    "engagement.activity": _("activity"),
    "usage.source": _("source"),
    "usage.writekey": _("write key"),
    "usage.metric": _("metric"),
    "health.scorecard": _("scorecard"),
    "health.scorecardversion": _("scorecard version"),
    "portfolio.savedview": _("saved view"),
}
LONG = 160


@dataclass(frozen=True)
class Change:
    field: str
    old: str
    new: str


@dataclass(frozen=True)
class AuditLine:
    at: datetime
    who: str  # empty: the system
    verb: str
    thing: str
    label: str
    customer_id: str
    action: str
    changes: list[Change]


def line(entry: AuditEntry) -> AuditLine:
    verb = entry.action.partition(".")[2] or entry.action
    return AuditLine(
        at=entry.at,
        who=entry.actor.name if entry.actor else "",
        verb=VERBS.get(verb, verb),
        thing=THINGS.get(entry.object_type, entry.object_type),
        label=entry.object_label,
        customer_id=entry.object_id if entry.object_type == "customers.customer" else "",
        action=entry.action,
        changes=[_change(field, value) for field, value in entry.changes.items()],
    )


def _change(field: str, value: Any) -> Change:
    if isinstance(value, list) and len(value) == 2:
        return Change(field, _text(value[0]), _text(value[1]))
    return Change(field, "", _text(value))


def _text(value: Any) -> str:
    if value is None or value == "":
        return "—"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else text[:LONG] + "…"
