"""Mail that came back: the touch and the address are told; a dead address gets no more."""

from datetime import datetime

from django.db import transaction

from gengyun.customers.models import Contact
from gengyun.engagement.actions.opt_outs import complain
from gengyun.engagement.actions.touches import tell
from gengyun.engagement.calc.bounces import COMPLAINT, HARD, SOFT_DAYS, Bounce, is_dead, parse
from gengyun.engagement.models import MailAddress, Touch
from gengyun.engagement.queries.reach import address_of
from gengyun.kernel.errors import NotFound, Refusal
from gengyun.team.actions.audit import record
from gengyun.team.models import User
from gengyun.team.queries.access import require

State = Touch.State


class AddressMissing(Refusal):
    code = "mail_address_missing"
    message = "This contact has no mail address."


@transaction.atomic
def take_bounce(*, now: datetime, raw: bytes) -> tuple[Bounce, Touch] | None:
    """Take one returned message. None: no report, or of nothing that we sent. Taken twice it
    changes nothing the second time.

    Only what answers one of our own messages counts: nobody can have an address blocked by sending
    us a made-up report, since the token in the message is not guessable.
    """
    bounce = parse(raw)
    if bounce is None or not bounce.token:
        return None
    touches = Touch.objects.select_for_update(of=("self",)).select_related("contact")
    touch = touches.filter(token=bounce.token).first()
    if touch is None or touch.state not in {State.SENT, State.UNSURE, State.BOUNCED}:
        return None
    if bounce.kind == COMPLAINT:
        complain(now=now, touch=touch)
        return bounce, touch
    if touch.state == State.BOUNCED:
        return bounce, touch
    _note(touch, bounce, now)
    return bounce, touch


def _note(touch: Touch, bounce: Bounce, now: datetime) -> None:
    address = touch.recipient or bounce.address
    row, _ = MailAddress.objects.select_for_update().get_or_create(address=address)
    since = now - SOFT_DAYS
    if bounce.kind == HARD:
        row.hard_bounced_at = now
    else:
        kept = [one for one in row.soft_bounces if datetime.fromisoformat(one) > since]
        row.soft_bounces = [*kept, now.isoformat()]
    row.said = bounce.said[:200]
    row.save()
    touch.state, touch.bounced_at = State.BOUNCED, now
    touch.told = {"kind": bounce.kind, "said": bounce.said[:200]}
    touch.save(update_fields=["state", "bounced_at", "told"])
    tell([touch], now=now)


@transaction.atomic
def clear_address(*, actor: User | None, now: datetime, contact: Contact) -> None:
    """A person says that the address works again."""
    require(actor, "touches.write")
    contact_row = Contact.objects.visible_to(actor).filter(pk=contact.pk).first()
    if contact_row is None:
        raise NotFound
    address = address_of(contact_row)
    if not address:
        raise AddressMissing
    row, _ = MailAddress.objects.select_for_update().get_or_create(address=address)
    was = is_dead(row.hard_bounced_at, row.soft_bounces, row.cleared_at, now)
    row.cleared_at = now
    row.save(update_fields=["cleared_at"])
    record(
        actor=actor, now=now, action="contact.clear_address", obj=contact_row,
        changes={"bounced": [was, False]},
    )  # fmt: skip
