"""The link of an invitation: a random name, signed with this deployment's key.

A link that was not made here is refused without asking the database; one that was says nothing
about who got it. A key that is changed makes old links invalid, as with every signed thing.
"""

import secrets

from django.conf import settings
from django.core.signing import BadSignature, Signer

from gengyun.engagement.models import Invitation

NONCE_BYTES = 12
LONGEST = 90  # signs of a token; more is none of ours


def _signer() -> Signer:
    return Signer(salt="gengyun.survey", sep=".")


def new_nonce() -> str:
    return secrets.token_urlsafe(NONCE_BYTES)


def token_of(invitation: Invitation) -> str:
    return _signer().sign(invitation.nonce)


def by_token(token: str) -> Invitation | None:
    """The invitation of a link; None: not one of ours, or no longer there."""
    if not token.isascii() or len(token) > LONGEST:
        return None
    try:
        nonce = _signer().unsign(token)
    except BadSignature:
        return None
    rows = Invitation.objects.select_related("survey", "wave", "customer", "contact")
    return rows.filter(nonce=nonce).first()


def path_of(invitation: Invitation) -> str:
    return f"/s/{token_of(invitation)}/"


def address_of(invitation: Invitation) -> str:
    """The whole address, for a message; "" where this deployment does not know its own."""
    return (
        settings.PUBLIC_ADDRESS.rstrip("/") + path_of(invitation) if settings.PUBLIC_ADDRESS else ""
    )
