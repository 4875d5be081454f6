"""Saved views: what a person sees as tabs of the customer list."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from gengyun.kernel.errors import NotFound
from gengyun.portfolio.calc.filters import BadFilter
from gengyun.portfolio.models import SavedView
from gengyun.portfolio.queries.customer_list import ListQuery, capped_count, matching
from gengyun.team.models import User

MAX_TABS = 12


@dataclass(frozen=True)
class ViewTab:
    view: SavedView
    count: int | None  # None: more than a thousand
    is_own: bool


def visible_views(actor: User) -> list[SavedView]:
    """One's own views, then those that others share."""
    rows = SavedView.objects.filter(Q(owner=actor) | Q(is_shared=True)).order_by()
    return sorted(rows, key=lambda view: (view.owner_id != actor.pk, view.position, view.pk))


def get_view(actor: User, pk: int) -> SavedView:
    view = SavedView.objects.filter(Q(owner=actor) | Q(is_shared=True), pk=pk).first()
    if view is None:
        raise NotFound
    return view


def view_tabs(actor: User, *, today: date, with_counts: bool = True) -> list[ViewTab]:
    """Tabs with counts in the actor's own scope: a shared view shows nobody more than they may."""
    return [
        ViewTab(
            view=view,
            count=_count(actor, view, today) if with_counts else None,
            is_own=view.owner_id == actor.pk,
        )
        for view in visible_views(actor)[:MAX_TABS]
    ]


def _count(actor: User, view: SavedView, today: date) -> int | None:
    try:
        query = ListQuery.from_json(view.query)
        rows = matching(actor, query.filters, today=today)
    except BadFilter:  # saved by an older version, or its field is gone; it opens with the refusal
        return 0
    return capped_count(rows)
