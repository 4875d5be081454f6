"""The audit log in words: which verb, which thing, from what to what."""

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from gengyun.kernel.days import company_zone
from gengyun.team.models import AuditEntry
from gengyun.web.present import import_fields

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
    "set_fields": _("filled in fields of"),
    "set_next_step": _("changed the next step of"),
    "clear_tier": _("gave back to the rules"),
    "start": _("started"),
    "finish": _("finished"),
    "saved": _("saved"),
    "set_tier": _("moved to another tier"),
    "move_stage": _("moved to another stage"),
    "rotate": pgettext_lazy("audit", "renewed"),
    "import": _("imported"),
    "run": _("ran"),
    "tag": _("tagged"),
    "untag": _("removed a tag from"),
    "log": _("wrote"),
    "replay": _("replayed events of"),
    "test": _("sent a test message over"),
    "resend": _("sent again over"),
    "responded": _("began to work on"),
    "assigned": _("gave to another owner"),
    "snoozed": _("put off"),
    "woken": _("brought back"),
    "closed": _("closed"),
    "judged": _("gave a verdict on"),
    "answered": _("answered for"),
    "reopened": _("opened again"),
    "undone": _("took back a change of"),
    "switched": _("switched on or off"),
    "reordered": _("changed the order of"),
    "settings": _("changed the settings of"),
    "backtest": _("asked for"),
    "promote": _("put into use"),
}
# whole actions, where the log is filtered by them
ACTIONS: dict[str, Any] = {
    "churn.settings": _("Churn probability: settings changed"),
    "churn.backtest": _("Churn probability: back-test asked for"),
    "churn.promote": _("Churn probability: model put into use"),
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
    "customers.customfield": _("field"),
    "customers.exportrun": _("export"),
    "engagement.activity": _("activity"),
    "engagement.channel": _("channel"),
    "alerts.alert": _("alert"),
    "alerts.alertrule": _("alert rule"),
    "alerts.riskcause": _("cause"),
    "alerts.alertpolicy": _("settings for all alert rules"),
    "churn.churnsettings": _("churn probability"),
    "churn.backtest": _("back-test of the churn probability"),
    "churn.churnmodel": _("churn model"),
    "usage.source": _("source"),
    "usage.writekey": _("write key"),
    "usage.metric": _("metric"),
    "health.scorecard": _("scorecard"),
    "health.scorecardversion": _("scorecard version"),
    "portfolio.savedview": _("saved view"),
}
FIELDS: dict[str, Any] = import_fields.FIELDS | {
    "arr_minor": _("ARR in fen"),
    "archived_at": _("archived"),
    "parent": _("Below"),
    "role": _("Role"),
    "team": _("Team"),
    "language": _("Language"),
    "theme": _("Brightness"),
    "density": _("Height of rows"),
    "delta_colours": _("Colours of a change"),
    "definition": _("Definition"),
    "version": _("Version"),
    "number": _("Version"),
    "effective_from": _("Judges days from"),
    "rules": _("Rules"),
    "order": _("Order"),
    "key": _("Key"),
    "events": _("Usage events"),
    "reason": _("Reason"),
    "tier_reason": _("Reason"),
    "tier_until": _("Until"),
    "stage_since": _("In this stage since"),
    "name_zh": _("Name in Chinese"),
    "name_en": _("Name in English"),
    "touch_model": _("Touch model"),
    "expected_days": _("Expected days"),
    "longest_days": _("Longest days"),
    "is_active": _("Accept events"),
    "help_zh": _("Help in Chinese"),
    "help_en": _("Help in English"),
    "is_required": _("Needed"),
    "keeps_history": _("Keep its history"),
    "options": _("Choices"),
    "option_keys": _("Keys of the choices"),
    "query": _("Filter"),
    "columns": _("Columns"),
    "is_shared": _("Shared"),
    "file": _("File"),
    "rows": _("Rows"),
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
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


def action_name(action: str) -> str:
    """What the filter calls an action; one without a name of its own is its key."""
    return str(ACTIONS.get(action, action))


def line(entry: AuditEntry, customs: Mapping[str, str] | None = None) -> AuditLine:
    """`customs`: what the company's own fields are called."""
    verb = entry.action.partition(".")[2] or entry.action
    return AuditLine(
        at=entry.at,
        who=entry.actor.name if entry.actor else "",
        verb=VERBS.get(verb, verb),
        thing=THINGS.get(entry.object_type, entry.object_type),
        label=entry.object_label,
        customer_id=entry.object_id if entry.object_type == "customers.customer" else "",
        action=entry.action,
        changes=[_change(field, value, customs or {}) for field, value in entry.changes.items()],
    )


def _change(field: str, value: Any, customs: Mapping[str, str]) -> Change:
    label = customs.get(field) or FIELDS.get(field.removesuffix("_id"), field)
    if isinstance(value, list) and len(value) == 2:
        return Change(label, _text(value[0]), _text(value[1]) or "—")
    return Change(label, "", _text(value) or "—")


def _text(value: Any) -> str:
    """ "" for nothing; instants in the company's zone; lists as words."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, bool):
        return "✓" if value else "✗"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if INSTANT.match(text):
        # somebody's own text may only look like an instant
        with contextlib.suppress(ValueError, OverflowError):
            local = datetime.fromisoformat(text).astimezone(company_zone())
            return f"{local:%Y-%m-%d %H:%M}"
    return text if len(text) <= LONG else text[:LONG] + "…"
