"""Saving, sharing and deleting views of the customer list."""

from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.portfolio.models import SavedView
from gengyun.portfolio.queries.customer_list import ListQuery
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

MAX_VIEWS = 50


class ViewNameMissing(Refusal):
    code = "view_name_missing"
    message = "A view needs a name."


class ViewNameTaken(Refusal):
    code = "view_name_taken"
    message = "You already have a view named %(name)s."
    status = 409


class TooManyViews(Refusal):
    code = "too_many_views"
    message = "You have %(count)s views already; delete one first."


@transaction.atomic
def save_view(
    *,
    actor: User,
    now: datetime,
    name: str,
    query: Any,
    view: SavedView | None = None,
    is_shared: bool = False,
) -> SavedView:
    """Make a view, or change one's own; `query` is checked as the list checks it."""
    if view is not None and view.owner_id != actor.pk:
        raise NotFound
    name = name.strip()[:40]
    if not name:
        raise ViewNameMissing
    if is_shared:
        require(actor, "view.share")
    clean = ListQuery.from_json(query).as_json()
    own = SavedView.objects.filter(owner=actor)
    others = own if view is None else own.exclude(pk=view.pk)
    if others.filter(name=name).exists():
        raise ViewNameTaken(name=name)
    if view is None:
        if (count := own.count()) >= MAX_VIEWS:
            raise TooManyViews(count=count)
        view = SavedView(owner=actor, created_at=now, position=count)
    before = {"name": view.name, "query": view.query, "is_shared": view.is_shared}
    view.name, view.query, view.is_shared, view.updated_at = name, clean, is_shared, now
    view.save()
    after = {"name": name, "query": clean, "is_shared": is_shared}
    changes = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    record(actor=actor, now=now, action="view.saved", obj=view, changes=changes)
    return view


@transaction.atomic
def move_view(*, actor: User, now: datetime, view: SavedView, by: int) -> None:
    """One's own view `by` places further among one's own tabs."""
    if view.owner_id != actor.pk:
        raise NotFound
    rows = list(SavedView.objects.select_for_update().filter(owner=actor))
    at = next((place for place, row in enumerate(rows) if row.pk == view.pk), None)
    if at is None:
        raise NotFound
    to = max(0, min(len(rows) - 1, at + by))
    if to == at:
        return
    before = [row.name for row in rows]
    rows.insert(to, rows.pop(at))
    for place, row in enumerate(rows):
        row.position = place
    SavedView.objects.bulk_update(rows, ["position"])
    told = {"order": [before, [row.name for row in rows]]}
    record(actor=actor, now=now, action="view.reorder", obj=view, changes=told)


@transaction.atomic
def delete_view(*, actor: User, now: datetime, view: SavedView) -> None:
    """Delete one's own view; the audit row keeps what it held, so it can be made again."""
    if view.owner_id != actor.pk:
        raise NotFound
    held = {"name": view.name, "query": view.query, "is_shared": view.is_shared}
    record(actor=actor, now=now, action="view.deleted", obj=view, changes=held)
    view.delete()
