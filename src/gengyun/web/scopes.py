"""Whose rows a list shows: the choice that the queue, the grid and the board put on top."""

from typing import Any

from django.utils.translation import gettext as _

from gengyun.team.models import Role, User
from gengyun.team.queries.access import SEES_ALL


def scope_links(user: User, address: Any) -> list[tuple[str, str, bool]]:
    """(word, address, is it the present one); a CSM sees their own only and has no choice.

    `address` has `scope` and makes the link of another one: `path(scope=, owner=)`.
    """
    if user.role == Role.CSM:
        return []
    everyone = _("Everybody") if user.role in SEES_ALL else _("My team")
    return [
        (label, address.path(scope=key, owner=""), key == address.scope)
        for key, label in (("mine", _("Mine")), ("team", everyone))
    ]
