"""Taking back what was just done: the old values wait in the session, a POST puts them back."""

import secrets

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from gengyun.customers.actions import bulk
from gengyun.customers.actions import customers as actions
from gengyun.customers.actions.custom_values import set_values, usable_fields
from gengyun.customers.actions.journeys import refresh_journey, take_back_move
from gengyun.customers.actions.merging import forget_not_duplicate
from gengyun.customers.calc.custom import from_json
from gengyun.customers.queries import customers as queries
from gengyun.customers.queries.custom_fields import fields_named
from gengyun.kernel.errors import NotFound
from gengyun.portfolio.actions.views import save_view
from gengyun.team.models import User
from gengyun.web import (
    undo_churn,
    undo_contracts,
    undo_health,
    undo_opportunities,
    undo_renewals,
    undo_sops,
)

KEPT = 10
SESSION_KEY = "undo"


def remember(request, verb, payload):
    """Path that takes it back. Only the newest few are kept."""
    waiting = list(request.session.get(SESSION_KEY, []))[-(KEPT - 1) :]
    token = secrets.token_urlsafe(6)
    request.session[SESSION_KEY] = [*waiting, [token, verb, payload]]
    return reverse("web:undo", args=[token])


def take_back(request, token):
    waiting = request.session.get(SESSION_KEY, [])
    found = next((entry for entry in waiting if entry[0] == token), None)
    if found is None:
        raise NotFound(_("This can no longer be taken back."))
    _VERBS[found[1]](request.user, request.now, found[2])
    request.session[SESSION_KEY] = [entry for entry in waiting if entry[0] != token]


def _owner(actor, now, payload):
    """payload: [[owner id or null, [customer ids]], ...]"""
    for owner_id, pks in payload:
        owner = User.objects.filter(pk=owner_id).first() if owner_id else None
        rows = queries.get_many(actor, pks)
        actions.assign_owner(actor=actor, now=now, customers=rows, owner=owner)


def _tag(actor, now, payload):
    rows = queries.get_many(actor, payload["pks"])
    actions.untag(actor=actor, now=now, customers=rows, names=[payload["name"]])


def _next_step(actor, now, payload):
    from datetime import date

    on = date.fromisoformat(payload["on"]) if payload["on"] else None
    customer = queries.get(actor, payload["pk"])
    actions.set_next_step(actor=actor, now=now, customer=customer, text=payload["text"], on=on)


def _tier(actor, now, payload):
    """payload: {customer id: tier, author, reason and expiry as they were}"""
    bulk.put_tiers_back(actor=actor, now=now, held=payload)


def _custom(actor, now, payload):
    """payload: [key, [[old value as JSON, [customer ids]], ...]]"""
    key, groups = payload
    kind = usable_fields([key])[key].kind
    wanted = {pk: {key: from_json(kind, old)} for old, pks in groups for pk in pks}
    set_values(actor=actor, now=now, wanted=wanted)


def _untag(actor, now, payload):
    rows = queries.get_many(actor, payload["pks"])
    actions.tag(actor=actor, now=now, customers=rows, names=[payload["name"]])


@transaction.atomic
def _bulk(actor, now, payload):
    """payload: what `customers.actions.bulk` returned, by verb; the last done is undone first."""
    if held := payload.get("fields"):
        custom = fields_named({name for old in held.values() for name in old})
        bulk.edit_each(actor=actor, now=now, wanted=bulk.from_held(held, custom))
    if held := payload.get("stage"):
        bulk.move_each(actor=actor, now=now, wanted=held)
    if held := payload.get("tier"):
        bulk.put_tiers_back(actor=actor, now=now, held=held)


def _view(actor, now, payload):
    save_view(actor=actor, now=now, **payload)


def _stage(actor, now, payload):
    customer = queries.get(actor, payload["pk"])
    take_back_move(actor=actor, now=now, customer=customer, stay_id=payload["stay"])
    refresh_journey(now=now, customer=customer)


def _parent(actor, now, payload):
    customer = queries.get(actor, payload["pk"])
    above = queries.get(actor, payload["parent"]) if payload["parent"] else None
    actions.edit_customer(actor=actor, now=now, customer=customer, changes={"parent": above})


def _not_duplicate(actor, now, payload):
    one, other = (queries.get(actor, pk) for pk in payload)
    forget_not_duplicate(actor=actor, now=now, one=one, other=other)


_VERBS = {
    "parent": _parent,
    "not_duplicate": _not_duplicate,
    "stage": _stage,
    "bulk": _bulk,
    "custom": _custom,
    "owner": _owner,
    "tag": _tag,
    "untag": _untag,
    "view": _view,
    "next_step": _next_step,
    "tier": _tier,
}
_VERBS |= undo_churn.VERBS
_VERBS |= undo_health.VERBS
_VERBS |= undo_opportunities.VERBS
_VERBS |= undo_renewals.VERBS
_VERBS |= undo_contracts.VERBS
_VERBS |= undo_sops.VERBS
