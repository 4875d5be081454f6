"""Tokens by which programs come in, and the answers that were given to them."""

from typing import TYPE_CHECKING

from django.db import models

from gengyun.team.models.user import User


class ApiToken(models.Model):
    """The token itself is kept nowhere: `digest` finds it, `tail` lets people tell it apart."""

    # what it opens: a kind of `team.calc.tokens.KINDS`, and of which thing ("sops.enter:7")
    scope = models.CharField(max_length=80)
    name = models.CharField(max_length=60)  # the program that holds it
    digest = models.CharField(max_length=64, unique=True)
    tail = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    # requests since `window_at`: so many a minute and no more
    window_at = models.DateTimeField(null=True)
    window_count = models.PositiveIntegerField(default=0)

    if TYPE_CHECKING:
        created_by_id: int | None

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["scope", "-created_at"], name="api_token_scope")]

    def __str__(self) -> str:
        return f"…{self.tail}"


class KeptAnswer(models.Model):
    """What a request with a key of the caller's was answered: the same key gets the same answer."""

    token = models.ForeignKey(
        ApiToken, on_delete=models.CASCADE, related_name="answers", db_index=False
    )
    key = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)  # of what was asked for
    answer = models.JSONField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="one_answer_a_key")]

    def __str__(self) -> str:
        return self.key
