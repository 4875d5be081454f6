"""Checking the values of a customer before they are written."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy, gettext_noop

from gengyun.customers.calc import uscc
from gengyun.customers.models import Customer, Stage, Tier
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.models import Role, User
from gengyun.team.queries.access import require

LENGTHS = {
    "external_id": 200,
    "name": 200,
    "industry": 60,
    "region": 60,
    "edition": 60,
    "next_step": 200,
    "tier_reason": 200,
}
LARGEST_MINOR = 10**15  # ten thousand billion yuan: more is a slip of the keyboard
LARGEST_SEATS = 2_000_000_000
DAYS = ("started_on", "renews_on", "next_step_on", "tier_until")


# `params["field"]` says which field is meant; faces show the sentence beside it


class FieldUnknown(Refusal):
    code = "field_unknown"
    message = "%(field)s is no field that can be written here."


class FieldMissing(Refusal):
    code = "field_missing"
    message = "This must not be empty."


class FieldTooLong(Refusal):
    code = "field_too_long"
    message = "This is longer than %(limit)s characters."


class FieldInvalid(Refusal):
    code = "field_invalid"
    message = "“%(value)s” cannot be used here."


class UsccInvalid(Refusal):
    """`why`: uscc_length, uscc_characters, uscc_check of `calc.uscc`."""

    code = "uscc_invalid"
    message = "This is not a unified social credit code: %(why)s"


USCC_FAULTS = {
    "uscc_length": gettext_noop("it has 18 characters."),
    "uscc_characters": gettext_noop(
        "digits and capital letters without I, O, S, V and Z; characters 3 to 8 are digits."
    ),
    "uscc_check": gettext_noop("the check character at the end does not fit; look for a typo."),
}


class ExternalIdTaken(Refusal):
    code = "external_id_taken"
    status = 409
    message = "There is already a customer with the id %(external_id)s."


class OwnerCannotOwn(Refusal):
    code = "owner_cannot_own"
    message = "%(name)s cannot own customers."


class StageOfOtherTouchModel(Refusal):
    code = "stage_of_other_touch_model"
    message = "This stage belongs to another touch model than the customer's tier."


class ParentInsideItself(Refusal):
    code = "parent_inside_itself"
    message = "A customer cannot lie below itself."


def clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain columns checked, relations turned into `*_id`. Raises a refusal naming the field."""
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        if name in {"owner", "tier", "stage", "parent"}:
            cleaned[f"{name}_id"] = None if value is None else value.pk
        else:
            cleaned[name] = _clean_one(name, value)
    return cleaned


def _clean_one(name: str, value: Any) -> Any:
    if name in LENGTHS:
        return _clean_text(name, value)
    if name == "uscc":
        return _clean_uscc(value)
    if name == "arr_minor":
        return _clean_number(name, value, LARGEST_MINOR)
    if name == "seats":
        return _clean_number(name, value, LARGEST_SEATS)
    if name == "currency":
        code = str(value or "").strip().upper()
        if len(code) != 3 or not (code.isascii() and code.isalpha()):
            raise FieldInvalid(field=name, value=value)
        return code
    if name in DAYS:
        if value is not None and type(value) is not date:
            raise FieldInvalid(field=name, value=value)
        return value
    raise FieldUnknown(field=name)


def _clean_text(name: str, value: Any) -> str:
    text = " ".join(str(value if value is not None else "").split())
    if name in {"external_id", "name"} and not text:
        raise FieldMissing(field=name)
    if len(text) > LENGTHS[name]:
        raise FieldTooLong(field=name, limit=LENGTHS[name])
    return text


def _clean_uscc(value: Any) -> str:
    code = uscc.normal_form(str(value if value is not None else ""))
    if code and (fault := uscc.fault(code)) is not None:
        raise UsccInvalid(field="uscc", why=gettext_lazy(USCC_FAULTS[fault]))
    return code


def _clean_number(name: str, value: Any, largest: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
        raise FieldInvalid(field=name, value=value)
    return value


def check_external_id(external_id: str, *, besides: Customer | None = None) -> None:
    others = Customer.objects.filter(external_id=external_id)
    if besides is not None:
        others = others.exclude(pk=besides.pk)
    if others.exists():
        raise ExternalIdTaken(external_id=external_id)


def check_owner(owner: User | None) -> None:
    if owner is not None and (not owner.is_active or owner.role == Role.VIEWER):
        raise OwnerCannotOwn(name=owner.name)


def owner_for_new(actor: User | None, values: Mapping[str, Any]) -> User | None:
    """Who sees only a part gets what they create, or nobody would see it but others."""
    owner: User | None = values.get("owner")
    if owner is None and actor is not None and actor.role in {Role.CSM, Role.LEADER}:
        return actor
    if owner is not None and actor is not None and owner.pk != actor.pk:
        require(actor, "customer.assign")
    check_owner(owner)
    return owner


def check_stage(stage: Stage | None, tier: Tier | None) -> None:
    if stage is not None and tier is not None and stage.touch_model != tier.touch_model:
        raise StageOfOtherTouchModel


def check_parent(
    actor: User | None, parent: Customer | None, *, child: Customer | None = None
) -> None:
    """The parent must be one the actor sees, and no descendant of the child."""
    if parent is None:
        return
    if not Customer.objects.visible_to(actor).filter(pk=parent.pk).exists():
        raise NotFound
    seen: set[int] = set()
    above: int | None = parent.pk
    while above is not None and child is not None and above not in seen:
        if above == child.pk:
            raise ParentInsideItself
        seen.add(above)
        above = Customer.objects.filter(pk=above).values_list("parent_id", flat=True).first()
