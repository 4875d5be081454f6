"""Users: who may come in, in which role, and what they prefer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext

from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import Role, Team, User
from gengyun.team.queries.access import require

PREFERENCES: dict[str, frozenset[str]] = {
    "language": frozenset(code for code, _ in settings.LANGUAGES),
    "theme": frozenset({"light", "dark"}),
    "delta_colours": frozenset({"west", "cn"}),
    "density": frozenset({"compact", "normal", "relaxed"}),
}
EDITABLE = ("email", "name", "role", "team")


class EmailInvalid(Refusal):
    code = "email_invalid"
    message = "%(email)s is not an e-mail address."


class EmailTaken(Refusal):
    code = "email_taken"
    status = 409
    message = "There is already a user with the address %(email)s."


class NameMissing(Refusal):
    code = "name_missing"
    message = "A name is needed."


class RoleUnknown(Refusal):
    code = "role_unknown"
    message = "There is no role %(role)s."


class PasswordTooWeak(Refusal):
    """`params["reasons"]` holds whole sentences, in the language that is active."""

    code = "password_too_weak"
    message = "This password is too weak: %(reasons)s"


class LastAdministrator(Refusal):
    code = "last_administrator"
    status = 409
    message = "This is the last administrator; make somebody else one first."


class NotYourself(Refusal):
    code = "not_yourself"
    status = 409
    message = "Nobody can deactivate themselves."


class PreferenceUnknown(Refusal):
    code = "preference_unknown"
    message = "%(value)s is no choice for %(name)s."


@transaction.atomic
def create_user(
    *,
    actor: User | None,
    now: datetime,
    email: str,
    name: str,
    role: str,
    password: str,
    team: Team | None = None,
    language: str = "zh-hans",
) -> User:
    require(actor, "team.edit")
    values = _clean({"email": email, "name": name, "role": role, "team": team})
    _check_preferences({"language": language})
    user = User(**values, language=language, created_at=now)
    _check_password(password, user)
    user.set_password(password)
    user.save()
    changes = {"email": [None, user.email], "role": [None, user.role]}
    record(actor=actor, now=now, action="user.create", obj=user, changes=changes)
    return user


@transaction.atomic
def edit_user(*, actor: User | None, now: datetime, user: User, changes: Mapping[str, Any]) -> User:
    """Change `email`, `name`, `role` or `team`."""
    require(actor, "team.edit")
    row = _locked(user)
    values = _clean({field: changes[field] for field in EDITABLE if field in changes}, user=row)
    if values.get("role", row.role) != Role.ADMIN:
        _keep_an_administrator(row)
    told: dict[str, list[Any]] = {}
    for field, new in values.items():
        old = getattr(row, field)
        if old != new:
            told[field] = [_text(old), _text(new)]
            setattr(row, field, new)
    if told:
        row.save(update_fields=list(told))
        record(actor=actor, now=now, action="user.edit", obj=row, changes=told)
    return row


@transaction.atomic
def deactivate_user(*, actor: User | None, now: datetime, user: User) -> User:
    """They can no longer log in; what they own and wrote stays."""
    require(actor, "team.edit")
    row = _locked(user)
    if actor is not None and actor.pk == row.pk:
        raise NotYourself
    _keep_an_administrator(row)
    return _set_active(actor, now, row, active=False)


@transaction.atomic
def reactivate_user(*, actor: User | None, now: datetime, user: User) -> User:
    require(actor, "team.edit")
    return _set_active(actor, now, _locked(user), active=True)


@transaction.atomic
def set_password(*, actor: User | None, now: datetime, user: User, password: str) -> User:
    """One's own, or anybody's for an administrator. Every other session of the user ends."""
    if actor is None or actor.pk != user.pk:
        require(actor, "team.edit")
    row = _locked(user)
    _check_password(password, row)
    row.set_password(password)
    row.save(update_fields=["password"])
    record(actor=actor, now=now, action="user.set_password", obj=row)
    return row


@transaction.atomic
def set_preferences(*, actor: User, now: datetime, **preferences: str) -> User:
    """One's own language, theme, delta_colours, density."""
    _check_preferences(preferences)
    row = _locked(actor)
    told = {
        name: [getattr(row, name), value]
        for name, value in preferences.items()
        if getattr(row, name) != value
    }
    if told:
        for name, (_, value) in told.items():
            setattr(row, name, value)
        row.save(update_fields=list(told))
        record(actor=actor, now=now, action="user.set_preferences", obj=row, changes=told)
    return row


def note_visit(user: User, now: datetime) -> None:
    """The first page of a company day begins a visit; "since last visit" counts from the last.

    No audit row: nothing of anybody's data changes. Costs nothing after the first page of a day.
    """
    if user.visit_at is not None and day_of(user.visit_at) == day_of(now):
        return
    previous = user.visit_at
    user.last_visit_at, user.visit_at = previous, now
    User.objects.filter(pk=user.pk, visit_at=previous).update(last_visit_at=previous, visit_at=now)


def _locked(user: User) -> User:
    row = User.objects.select_for_update().filter(pk=user.pk).first()
    if row is None:
        raise NotFound
    return row


def _clean(values: dict[str, Any], *, user: User | None = None) -> dict[str, Any]:
    if "email" in values:
        values["email"] = _clean_email(str(values["email"]), user)
    if "name" in values:
        values["name"] = str(values["name"]).strip()[:80]
        if not values["name"]:
            raise NameMissing
    if "role" in values and values["role"] not in Role.values:
        raise RoleUnknown(role=values["role"])
    return values


def _clean_email(email: str, user: User | None) -> str:
    """Addresses are kept in small letters and compared so."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise EmailInvalid(email=email) from error
    others = User.objects.filter(email__iexact=email)
    if user is not None:
        others = others.exclude(pk=user.pk)
    if others.exists():
        raise EmailTaken(email=email)
    return email


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        told = [_weakness(reason) for reason in error.error_list]
        raise PasswordTooWeak(reasons=" ".join(told)) from error


def _weakness(reason: ValidationError) -> str:
    """Our own sentences: Django's are not all translated."""
    known = {
        "password_too_short": gettext("It needs at least %(min_length)s characters."),
        "password_too_common": gettext("It is one of the most common passwords."),
        "password_too_similar": gettext("It is too much like the name or the address."),
    }
    sentence = known.get(str(reason.code))
    return sentence % (reason.params or {}) if sentence else " ".join(reason.messages)


def _check_preferences(preferences: Mapping[str, str]) -> None:
    for name, value in preferences.items():
        if value not in PREFERENCES.get(name, ()):
            raise PreferenceUnknown(name=name, value=value)


def _keep_an_administrator(user: User) -> None:
    if user.role != Role.ADMIN or not user.is_active:
        return
    others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if not others.exists():
        raise LastAdministrator


def _set_active(actor: User | None, now: datetime, user: User, *, active: bool) -> User:
    if user.is_active != active:
        user.is_active = active
        user.save(update_fields=["is_active"])
        action = "user.reactivate" if active else "user.deactivate"
        record(actor=actor, now=now, action=action, obj=user)
    return user


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
