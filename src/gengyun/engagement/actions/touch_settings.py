"""Caps and quiet hours of everything that goes to customers; whose time and language counts."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.calc.budget import ALL, CAMPAIGN, SERVICE, SURVEY, WINDOWS
from gengyun.engagement.models import TouchPolicy, TouchPreference
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

CAPPED = (ALL, SERVICE, CAMPAIGN, SURVEY)
MOST = 100
LANGUAGES = ("", "zh-hans", "en")


class PolicyInvalid(Refusal):
    """`errors` says what is wrong, by field: {field: msgid}."""

    code = "touch_policy_invalid"
    message = "These caps or hours cannot be used."

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = dict(errors)


class TimeZoneUnknown(Refusal):
    code = "time_zone_unknown"
    message = "%(name)s is no time zone; write for example Asia/Tokyo."


class LanguageUnknown(Refusal):
    code = "language_unknown"
    message = "This language is not offered."


@transaction.atomic
def edit_policy(
    *, actor: User | None, now: datetime, caps: Mapping[str, Mapping[str, int | None]],
    quiet_from: time, quiet_to: time, working_days_only: bool,
) -> TouchPolicy:  # fmt: skip
    """`caps`: {class or "all": {"1" | "7" | "30": most, or None for no cap}}."""
    require(actor, "settings.edit")
    kept = _clean_caps(caps)
    row = TouchPolicy.objects.select_for_update().order_by("pk").first() or TouchPolicy()
    wanted: dict[str, Any] = {
        "caps": kept,
        "quiet_from": quiet_from,
        "quiet_to": quiet_to,
        "working_days_only": working_days_only,
    }
    told = {
        name: [_shown(getattr(row, name)), _shown(value)]
        for name, value in wanted.items()
        if getattr(row, name) != value
    }
    for name, value in wanted.items():
        setattr(row, name, value)
    row.updated_at = now
    row.save()
    if told:
        record(actor=actor, now=now, action="touch_policy.edit", obj=row, changes=told)
    return row


@transaction.atomic
def set_preference(
    *, actor: User | None, now: datetime, customer: Customer, contact: Contact | None,
    time_zone: str, language: str,
) -> TouchPreference:  # fmt: skip
    """Of one contact, or of the customer as a whole (`contact` None). "" means: as above it."""
    require(actor, "touches.write")
    if not Customer.objects.visible_to(actor).filter(pk=customer.pk).exists():
        raise NotFound
    if contact is not None and contact.customer_id != customer.pk:
        raise NotFound
    if time_zone and time_zone not in available_timezones():
        raise TimeZoneUnknown(name=time_zone[:40])
    if language not in LANGUAGES:
        raise LanguageUnknown
    of = {"contact": contact} if contact is not None else {"customer": customer}
    row = TouchPreference.objects.select_for_update().filter(**of).first()
    was = [row.time_zone, row.language] if row is not None else ["", ""]
    if row is None:
        row = TouchPreference(**of)
    row.time_zone, row.language, row.updated_at = time_zone, language, now
    row.save()
    told = {"time_zone": [was[0], time_zone], "language": [was[1], language]}
    changed = {name: pair for name, pair in told.items() if pair[0] != pair[1]}
    if changed:
        record(
            actor=actor, now=now, action="touch_preference.edit", obj=contact or customer,
            changes=changed,
        )  # fmt: skip
    return row


def _clean_caps(caps: Mapping[str, Mapping[str, int | None]]) -> dict[str, dict[str, int]]:
    kept: dict[str, dict[str, int]] = {}
    errors: dict[str, str] = {}
    for name in CAPPED:
        kept[name] = {}
        for days in WINDOWS:
            most = caps.get(name, {}).get(str(days))
            if most is None:
                continue
            if not 0 <= most <= MOST:
                errors[f"cap_{name}_{days}"] = "A cap is a number from 0 to 100, or empty for none."
                continue
            kept[name][str(days)] = most
    if errors:
        raise PolicyInvalid(errors)
    return kept


def _shown(value: Any) -> Any:
    return value.isoformat() if isinstance(value, time) else value
