"""Tokens for programs: made, shown once, revoked, let in so many times a minute."""

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.kernel.errors import NotFound, Refusal
from gengyun.kernel.texts import keepable
from gengyun.team.actions.audit import record
from gengyun.team.calc import tokens as calc
from gengyun.team.models import ApiToken, KeptAnswer, User
from gengyun.team.queries.access import require

MOST_TOKENS = 20  # of one scope that are in force
LONGEST_NAME = 60


class TokenInvalid(Refusal):
    """Never said more exactly: whoever guesses learns nothing."""

    code = "token_invalid"
    status = 401
    message = "A valid token is needed: Authorization: Bearer …"


class TokenTooOften(Refusal):
    code = "too_many_requests"
    status = 429
    message = "More than %(most)s requests in a minute. Try again in %(seconds)s seconds."


class TokenNameMissing(Refusal):
    code = "token_name_missing"
    message = "Say which program will use it."


class TooManyTokens(Refusal):
    code = "too_many_tokens"
    status = 409
    message = "There are %(most)s tokens already. Revoke one that is not used any more."


class KeyInvalid(Refusal):
    code = "idempotency_key_invalid"
    status = 400
    message = "An Idempotency-Key has 1 to %(most)s printable characters."


class KeyUsedOtherwise(Refusal):
    code = "idempotency_key_used"
    message = "This Idempotency-Key came before with another request."


def create_token(
    *, actor: User | None, now: datetime, scope: str, name: str
) -> tuple[ApiToken, str]:
    """The row, and the token itself: this is the only moment at which it can be read."""
    require(actor, calc.capability_of(scope))
    named = keepable(name).strip()[:LONGEST_NAME]
    if not named:
        raise TokenNameMissing
    token = calc.PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        if ApiToken.objects.filter(scope=scope, revoked_at=None).count() >= MOST_TOKENS:
            raise TooManyTokens(most=MOST_TOKENS)
        row = ApiToken.objects.create(
            scope=scope,
            name=named,
            digest=calc.digest_of(token),
            tail=token[-4:],
            created_at=now,
            created_by=actor,
        )
        record(actor=actor, now=now, action="token.create", obj=row,
               changes={"scope": (None, scope), "name": (None, named)})  # fmt: skip
    return row, token


def revoke_token(*, actor: User | None, now: datetime, scope: str, pk: int) -> ApiToken:
    """From the next request on it opens nothing; there is no way back."""
    require(actor, calc.capability_of(scope))
    with transaction.atomic():
        row = ApiToken.objects.select_for_update().filter(pk=pk, scope=scope).first()
        if row is None:
            raise NotFound
        if row.revoked_at is None:
            row.revoked_at = now
            row.save(update_fields=["revoked_at"])
            record(actor=actor, now=now, action="token.revoke", obj=row,
                   changes={"name": (row.name, None)})  # fmt: skip
    return row


def admit(*, now: datetime, token: str, kind: str) -> ApiToken:
    """The row of a token of this kind, counted; what it opens exactly is in `scope`."""
    if not token or not token.isascii():
        raise TokenInvalid
    with transaction.atomic():
        rows = ApiToken.objects.select_for_update().filter(revoked_at=None)
        row = rows.filter(digest=calc.digest_of(token)).first()
        if row is None or row.scope.partition(":")[0] != kind:
            raise TokenInvalid
        row.window_at, row.window_count, wait = calc.counted(
            window_at=row.window_at, count=row.window_count, now=now
        )
        if wait is None:
            row.last_used_at = now
            row.save(update_fields=["window_at", "window_count", "last_used_at"])
    if wait is not None:
        raise TokenTooOften(most=calc.MOST_IN_WINDOW, seconds=wait)
    return row


@transaction.atomic
def answer_once(
    *,
    now: datetime,
    token: ApiToken,
    key: str,
    asked: Any,
    do: Callable[[], Any],
) -> tuple[Any, bool]:
    """(what `do` answered, whether it was answered before) - once for each key of the caller's.

    The answer stands in the transaction of what was done. Two requests at the same time come one
    after the other: they wait at the token's row.
    """
    if not 0 < len(key) <= calc.LONGEST_KEY or not key.isprintable() or not key.isascii():
        raise KeyInvalid(most=calc.LONGEST_KEY)
    ApiToken.objects.select_for_update().get(pk=token.pk)
    KeptAnswer.objects.filter(token=token, created_at__lt=now - calc.KEPT_FOR).delete()
    digest = calc.digest_of_body(asked)
    kept = KeptAnswer.objects.filter(token=token, key=key).first()
    if kept is not None:
        if kept.digest != digest:
            raise KeyUsedOtherwise
        return kept.answer, True
    answer = do()
    KeptAnswer.objects.create(token=token, key=key, digest=digest, answer=answer, created_at=now)
    return answer, False
