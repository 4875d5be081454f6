"""Where events come from: making a source, its keys, its policy."""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require
from gengyun.usage.models import Source, WriteKey

EDITABLE = (
    "name",
    "unknown_customer",
    "is_history",
    "is_browser",
    "drops_bots",
    "origins",
    "group_type",
    "is_active",
)
# a site as browsers name it: scheme and host, perhaps a port; "*." stands for all below a name
_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")
MAX_ORIGINS = 50


class SourceNameMissing(Refusal):
    code = "source_name_missing"
    message = "Give the source a name."


class SourceKeyTaken(Refusal):
    code = "source_key_taken"
    status = 409
    message = "There is a source with the key %(key)s already."


class OriginInvalid(Refusal):
    code = "source_origin_invalid"
    message = "%(origin)s is not a site: write it as https://app.example.cn, without a path."


class GroupTypeInvalid(Refusal):
    code = "source_group_type_invalid"
    message = "Name one of PostHog's group types, for example company."


class LastKey(Refusal):
    code = "last_key"
    status = 409
    message = "This is the only valid key: make a new one first, or switch the source off."


def create_source(
    *,
    actor: User | None,
    now: datetime,
    name: str,
    key: str = "",
    unknown_customer: str = Source.UnknownCustomer.QUARANTINE,
    is_history: bool = False,
    is_browser: bool = False,
    drops_bots: bool = False,
    origins: Sequence[str] = (),
    group_type: str = "company",
    with_key: bool = True,
) -> Source:
    """Make a source with its first write key; `key` names it in commands, made from the name."""
    require(actor, "sources.edit")
    name = name.strip()
    if not name:
        raise SourceNameMissing
    checked = _checked({"origins": origins, "group_type": group_type})
    key = slugify(key or name)[:40] or f"source-{secrets.token_hex(3)}"
    if Source.objects.filter(key=key).exists():
        raise SourceKeyTaken(key=key)
    with transaction.atomic():
        source = Source.objects.create(
            key=key,
            name=name[:80],
            unknown_customer=unknown_customer,
            is_history=is_history,
            is_browser=is_browser,
            drops_bots=drops_bots,
            **checked,
            created_at=now,
        )
        record(
            actor=actor, now=now, action="source.create", obj=source, changes={"key": [None, key]}
        )
        if with_key:
            _new_key(source, now=now)
    return source


def edit_source(
    *, actor: User | None, now: datetime, source: Source, changes: Mapping[str, Any]
) -> Source:
    """Change name, policy or kind of a source; events already in the lake stay as they are."""
    require(actor, "sources.edit")
    changes = dict(changes) | _checked(changes)
    told: dict[str, list[Any]] = {}
    for field in EDITABLE:
        if field in changes and changes[field] != getattr(source, field):
            told[field] = [getattr(source, field), changes[field]]
            setattr(source, field, changes[field])
    if not source.name.strip():
        raise SourceNameMissing
    if told:
        with transaction.atomic():
            source.save(update_fields=list(told))
            record(actor=actor, now=now, action="source.edit", obj=source, changes=told)
    return source


def create_key(*, actor: User | None, now: datetime, source: Source) -> WriteKey:
    """A further key; the old ones stay valid until they are revoked."""
    require(actor, "sources.edit")
    with transaction.atomic():
        key = _new_key(source, now=now)
        record(
            actor=actor,
            now=now,
            action="source.key_create",
            obj=source,
            changes={"key": [None, str(key)]},
        )
    return key


def revoke_key(*, actor: User | None, now: datetime, key: WriteKey) -> WriteKey:
    """End a key: requests with it are refused within seconds. Not the last one of a source."""
    require(actor, "sources.edit")
    if key.revoked_at is not None:
        return key
    others = key.source.keys.filter(revoked_at=None).exclude(pk=key.pk)
    if key.source.is_active and not others.exists():
        raise LastKey
    with transaction.atomic():
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        record(
            actor=actor,
            now=now,
            action="source.key_revoke",
            obj=key.source,
            changes={"key": [str(key), None]},
        )
    return key


def rotate_key(*, actor: User | None, now: datetime, key: WriteKey) -> WriteKey:
    """A new key in place of this one, in one step: the old one ends at once."""
    require(actor, "sources.edit")
    if key.revoked_at is not None:
        raise NotFound
    with transaction.atomic():
        fresh = create_key(actor=actor, now=now, source=key.source)
        revoke_key(actor=actor, now=now, key=key)
    return fresh


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Allowed sites and group type as they are kept; only those that are in `changes`."""
    checked: dict[str, Any] = {}
    if "origins" in changes:
        origins = [str(origin).strip().lower().rstrip("/") for origin in changes["origins"]]
        checked["origins"] = list(dict.fromkeys(filter(None, origins)))[:MAX_ORIGINS]
        for origin in checked["origins"]:
            if _ORIGIN.fullmatch(origin) is None:
                raise OriginInvalid(origin=origin[:80])
    if "group_type" in changes:
        checked["group_type"] = str(changes["group_type"]).strip()[:40]
        if re.fullmatch(r"[\w -]+", checked["group_type"]) is None:
            raise GroupTypeInvalid
    return checked


def _new_key(source: Source, *, now: datetime) -> WriteKey:
    return WriteKey.objects.create(source=source, key=secrets.token_urlsafe(24), created_at=now)
