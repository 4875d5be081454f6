"""Making, changing, ordering and retiring custom fields."""

import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.customers.calc.custom import CHOICE, MULTI
from gengyun.customers.models import CustomField, FieldChange, FieldValue
from gengyun.customers.queries.custom_fields import options_used
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

MAX_FIELDS, MAX_OPTIONS = 100, 200
LENGTHS = {"name_zh": 40, "name_en": 40, "help_zh": 200, "help_en": 200}
FLAGS = ("is_required", "keeps_history")


class FieldNameMissing(Refusal):
    code = "field_name_missing"
    message = "A field needs a name in at least one language."


class FieldNameTaken(Refusal):
    code = "field_name_taken"
    status = 409
    message = "There is already a field named %(name)s."


class FieldKeyInvalid(Refusal):
    code = "field_key_invalid"
    message = "A key holds small letters, digits and _ and begins with a letter."


class FieldKeyTaken(Refusal):
    code = "field_key_taken"
    status = 409
    message = "There is already a field with the key %(key)s."


class FieldKindUnknown(Refusal):
    code = "field_kind_unknown"
    message = "Choose what the field holds."


class OptionsMissing(Refusal):
    code = "options_missing"
    message = "A field of this kind needs at least one choice."


class OptionsRepeated(Refusal):
    code = "options_repeated"
    message = "The choice “%(name)s” is there twice."


class TooManyFields(Refusal):
    code = "too_many_fields"
    message = "There are at most %(count)s fields."


class FieldInUse(Refusal):
    code = "field_in_use"
    status = 409
    message = "Customers hold values in this field; retire it instead, and nothing is lost."


@transaction.atomic
def create_field(
    *, actor: User | None, now: datetime, kind: str, key: str = "", values: Mapping[str, Any]
) -> CustomField:
    """After the others. Values: names, helps, flags, options; an empty key is made up."""
    require(actor, "settings.edit")
    if kind not in CustomField.Kind.values:
        raise FieldKindUnknown
    if CustomField.objects.count() >= MAX_FIELDS:
        raise TooManyFields(count=MAX_FIELDS)
    field = CustomField(kind=kind, created_at=now, updated_at=now)
    _put(field, values)
    field.key = _key(key, field.name_en)
    last = CustomField.objects.order_by("-position").values_list("position", flat=True).first()
    field.position = (last or 0) + 1
    field.save(force_insert=True)
    told = {"kind": [None, kind], "key": [None, field.key], "name": [None, str(field)]}
    record(actor=actor, now=now, action="field.create", obj=field, changes=told)
    return field


@transaction.atomic
def edit_field(
    *, actor: User | None, now: datetime, field: CustomField, values: Mapping[str, Any]
) -> CustomField:
    """Names, helps, flags, options. Kind and key stay: values and imports hang on them.

    An option that customers hold is retired when it is left out, another one goes away.
    """
    require(actor, "settings.edit")
    row = _locked(field)
    before = _told(row)
    _put(row, values)
    after = _told(row)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if not changes:
        return row
    row.updated_at = now
    row.save()
    if "options" in changes:
        _store_ranks(row)
    record(actor=actor, now=now, action="field.edit", obj=row, changes=changes)
    return row


@transaction.atomic
def retire_field(*, actor: User | None, now: datetime, field: CustomField) -> CustomField:
    """Offered nowhere from now on; its values stay."""
    require(actor, "settings.edit")
    row = _locked(field)
    if row.retired_at is None:
        row.retired_at = row.updated_at = now
        row.save(update_fields=["retired_at", "updated_at"])
        record(actor=actor, now=now, action="field.retire", obj=row)
    return row


@transaction.atomic
def restore_field(*, actor: User | None, now: datetime, field: CustomField) -> CustomField:
    require(actor, "settings.edit")
    row = _locked(field)
    if row.retired_at is not None:
        _check_names(row)
        row.retired_at, row.updated_at = None, now
        row.save(update_fields=["retired_at", "updated_at"])
        record(actor=actor, now=now, action="field.restore", obj=row)
    return row


@transaction.atomic
def delete_field(*, actor: User | None, now: datetime, field: CustomField) -> None:
    """Only a field that nobody ever used."""
    require(actor, "settings.edit")
    row = _locked(field)
    used = FieldValue.objects.filter(field=row).exists()
    if used or FieldChange.objects.filter(field=row.name).exists():
        raise FieldInUse
    told = {"kind": [row.kind, None], "key": [row.key, None]}
    record(actor=actor, now=now, action="field.delete", obj=row, changes=told)
    row.delete()


@transaction.atomic
def reorder_fields(*, actor: User | None, now: datetime, fields: Sequence[CustomField]) -> None:
    """Every field in its new order."""
    require(actor, "settings.edit")
    present = list(CustomField.objects.select_for_update())
    if {one.pk for one in fields} != {one.pk for one in present} or not present:
        raise NotFound
    places = {field.pk: place for place, field in enumerate(fields, start=1)}
    before = [field.key for field in present]
    for field in present:
        field.position = places[field.pk]
    CustomField.objects.bulk_update(present, ["position"])
    after = [field.key for field in sorted(present, key=lambda one: one.position)]
    if before != after:
        told = {"order": [before, after]}
        record(actor=actor, now=now, action="field.reorder", obj=present[0], changes=told)


def _locked(field: CustomField) -> CustomField:
    row = CustomField.objects.select_for_update().filter(pk=field.pk).first()
    if row is None:
        raise NotFound
    return row


def _put(field: CustomField, values: Mapping[str, Any]) -> None:
    for name, longest in LENGTHS.items():
        if name in values:
            setattr(field, name, " ".join(str(values[name] or "").split())[:longest])
    for name in FLAGS:
        if name in values:
            setattr(field, name, bool(values[name]))
    _check_names(field)
    if field.kind in {CHOICE, MULTI}:
        if "options" in values or not field.options:
            field.options = _options(field, values.get("options") or ())
    else:
        field.options = []


def _check_names(field: CustomField) -> None:
    names = [name for name in (field.name_zh, field.name_en) if name]
    if not names:
        raise FieldNameMissing
    others = CustomField.objects.in_use().exclude(pk=field.pk)
    taken = {
        name.casefold()
        for pair in others.values_list("name_zh", "name_en")
        for name in pair
        if name
    }
    for name in names:
        if name.casefold() in taken:
            raise FieldNameTaken(name=name)


def _key(written: str, name_en: str) -> str:
    key = written.strip()
    if not key:
        key = re.sub(r"[^a-z0-9]+", "_", name_en.lower()).strip("_")[:32]
        if not key[:1].isalpha():
            key = f"f_{secrets.token_hex(3)}"
        if CustomField.objects.filter(key=key).exists():
            key = f"{key}_{secrets.token_hex(2)}"
    if len(key) > 40 or not re.fullmatch(r"[a-z][a-z0-9_]*", key):
        raise FieldKeyInvalid
    if CustomField.objects.filter(key=key).exists():
        raise FieldKeyTaken(key=key)
    return key


def _options(field: CustomField, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """In the order given; those left out stay behind as retired while customers hold them."""
    old = {option["key"]: option for option in field.options}
    kept: list[dict[str, Any]] = []
    names: set[str] = set()
    for given in wanted:
        name_zh, name_en = (
            " ".join(str(given.get(name) or "").split())[:60] for name in ("name_zh", "name_en")
        )
        if not (name_zh or name_en):
            continue
        for name in {name_zh.casefold(), name_en.casefold()} - {""}:
            if name in names:
                raise OptionsRepeated(name=name_zh or name_en)
            names.add(name)
        key = str(given.get("key") or "")
        if key not in old or any(option["key"] == key for option in kept):
            key = f"o{secrets.token_hex(3)}"
        kept.append({"key": key, "name_zh": name_zh, "name_en": name_en, "is_retired": False})
    if not kept or len(kept) > MAX_OPTIONS:
        raise OptionsMissing
    used = options_used(field) if field.pk else set()
    present = {option["key"] for option in kept}
    left = [option for key, option in old.items() if key not in present and key in used]
    return [*kept, *({**option, "is_retired": True} for option in left)]


def _store_ranks(field: CustomField) -> None:
    """Lists sort by the place of a choice, so a new order is written to the values."""
    for place, option in enumerate(field.options):
        held = FieldValue.objects.filter(field=field, text=option["key"])
        held.exclude(number=place).update(number=place)


def _told(field: CustomField) -> dict[str, Any]:
    options = [
        option["name_zh"] or option["name_en"]
        for option in field.options
        if not option["is_retired"]
    ]
    return {name: getattr(field, name) for name in (*LENGTHS, *FLAGS)} | {
        "options": options,
        # keys too: two choices that swap their names are not the same
        "option_keys": [option["key"] for option in field.options],
    }
