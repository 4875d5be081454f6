"""Users and teams."""

import secrets

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from gengyun.kernel.clock import utc_now
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions import teams as team_actions
from gengyun.team.actions import users as user_actions
from gengyun.team.models import Role, Team, User
from gengyun.web.access import page
from gengyun.web.numbers import is_number
from gengyun.web.render import warn
from gengyun.web.views.settings.common import field_of, go, refusal_text, show

FIELDS = {
    "email_invalid": "email",
    "email_taken": "email",
    "name_missing": "name",
    "role_unknown": "role",
    "last_administrator": "role",
    "password_too_weak": "password",
    "team_name_missing": "name",
    "team_name_taken": "name",
    "team_inside_itself": "parent",
}


def _found(model, pk):
    row = model.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row


def _team_from(request, name):
    pk = request.POST.get(name, "")
    return _found(Team, int(pk)) if is_number(pk) else None


@page("team.edit")
def team(request):
    people = User.objects.select_related("team").annotate(book_count=Count("book"))
    return show(
        request,
        "settings/team.html",
        "team",
        {
            "people": people.order_by("-is_active", "name", "pk"),
            "teams": Team.objects.select_related("parent").annotate(member_count=Count("members")),
        },
    )


def _user_page(request, person, values, errors, status):
    return show(
        request,
        "settings/user.html",
        "team",
        {
            "person": person,
            "values": values,
            "errors": errors,
            "roles": Role.choices,
            "teams": Team.objects.all(),
        },
        status=status,
    )


@page("team.edit", methods=("GET", "POST"))
@sensitive_post_parameters("password")
def user_new(request):
    """A first password is proposed; the person changes it in their own settings."""
    if request.method == "GET":
        values = {"role": Role.CSM, "language": "zh-hans", "password": secrets.token_urlsafe(12)}
        return _user_page(request, None, values, {}, 200)
    values = {k: request.POST.get(k, "") for k in ("email", "name", "role", "password", "language")}
    values["team"] = request.POST.get("team", "")
    try:
        person = user_actions.create_user(
            actor=request.user,
            now=utc_now(),
            email=values["email"],
            name=values["name"],
            role=values["role"],
            password=values["password"],
            language=values["language"] or "zh-hans",
            team=_team_from(request, "team"),
        )
    except Refusal as refusal:
        return _user_page(request, None, values, field_of(refusal, FIELDS), 422)
    said = _("%(name)s can log in now with %(email)s and the first password.")
    return go(request, "settings_team", said=said % {"name": person.name, "email": person.email})


@page("team.edit", methods=("GET", "POST"))
@sensitive_post_parameters("password")
def user_edit(request, pk):
    person = _found(User, pk)
    if request.method == "GET":
        values = {
            "email": person.email,
            "name": person.name,
            "role": person.role,
            "team": str(person.team_id or ""),
        }
        return _user_page(request, person, values, {}, 200)
    values = {k: request.POST.get(k, "") for k in ("email", "name", "role", "team")}
    password = request.POST.get("password", "")
    try:
        user_actions.edit_user(
            actor=request.user,
            now=utc_now(),
            user=person,
            changes={
                "email": values["email"],
                "name": values["name"],
                "role": values["role"],
                "team": _team_from(request, "team"),
            },
        )
        if password:
            user_actions.set_password(
                actor=request.user, now=utc_now(), user=person, password=password
            )
    except Refusal as refusal:
        return _user_page(request, person, values, field_of(refusal, FIELDS), 422)
    return go(request, "settings_team", said=_("Saved."))


@page("team.edit", methods=("POST",))
def user_active(request, pk):
    """Deactivate or let back in; each is the other's undo."""
    person = _found(User, pk)
    active = (request.POST.get("active") or request.GET.get("active")) == "1"
    change = user_actions.reactivate_user if active else user_actions.deactivate_user
    try:
        change(actor=request.user, now=utc_now(), user=person)
    except Refusal as refusal:
        warn(request, refusal_text(refusal))
        return go(request, "settings_team")
    said = (
        _("%(name)s can log in again.")
        if active
        else _("%(name)s can no longer log in; their customers stay with them until moved.")
    )
    undo = f"{reverse('web:settings_user_active', args=[pk])}?active={0 if active else 1}"
    return go(request, "settings_team", said=said % {"name": person.name}, undo=undo)


def _team_page(request, row, values, errors, status):
    return show(
        request,
        "settings/team_form.html",
        "team",
        {"row": row, "values": values, "errors": errors, "teams": Team.objects.all()},
        status=status,
    )


@page("team.edit", methods=("GET", "POST"))
def team_new(request):
    if request.method == "GET":
        return _team_page(request, None, {}, {}, 200)
    values = {"name": request.POST.get("name", ""), "parent": request.POST.get("parent", "")}
    try:
        team_actions.create_team(
            actor=request.user,
            now=utc_now(),
            name=values["name"],
            parent=_team_from(request, "parent"),
        )
    except Refusal as refusal:
        return _team_page(request, None, values, field_of(refusal, FIELDS), 422)
    return go(request, "settings_team", said=_("Saved."))


@page("team.edit", methods=("GET", "POST"))
def team_edit(request, pk):
    row = _found(Team, pk)
    if request.method == "GET":
        values = {"name": row.name, "parent": str(row.parent_id or "")}
        return _team_page(request, row, values, {}, 200)
    values = {"name": request.POST.get("name", ""), "parent": request.POST.get("parent", "")}
    try:
        if request.POST.get("step") == "delete":
            team_actions.delete_team(actor=request.user, now=utc_now(), team=row)
        else:
            team_actions.edit_team(
                actor=request.user,
                now=utc_now(),
                team=row,
                name=values["name"],
                parent=_team_from(request, "parent"),
            )
    except Refusal as refusal:
        return _team_page(request, row, values, field_of(refusal, FIELDS), 422)
    return go(request, "settings_team", said=_("Saved."))
