"""What a token looks like, what it opens, how often it may come. Pure."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

PREFIX = "gy_"  # so that scanners for leaked secrets can know one
# kind of scope -> the capability that making and revoking its tokens needs
KINDS: Mapping[str, str] = {
    "sops.enter": "sops.edit",  # lets customers into one SOP
    "touches.bounces": "settings.edit",  # hands in mail that came back
}
WINDOW = timedelta(minutes=1)
MOST_IN_WINDOW = 120
KEPT_FOR = timedelta(days=7)  # answers to keys of the caller's
LONGEST_KEY = 200


def scope_of(kind: str, of: object = "") -> str:
    return f"{kind}:{of}" if of != "" else kind


def capability_of(scope: str) -> str:
    """KeyError for a kind that there is not."""
    return KINDS[scope.partition(":")[0]]


def digest_of(token: str) -> str:
    """Tokens are 256 random bits: one round is enough, nobody guesses what goes in."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of_body(body: Any) -> str:
    """Equal for what means the same, however it is written."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def bearer(header: str) -> str:
    """The token of an Authorization header; "" where it holds none."""
    scheme, _, token = header.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def counted(
    *, window_at: datetime | None, count: int, now: datetime
) -> tuple[datetime, int, int | None]:
    """(start of the window, requests in it with this one, seconds to wait or None: let in)

    Fixed windows: at most twice the number in any minute, and no row for each request.
    """
    if window_at is None or not timedelta() <= now - window_at < WINDOW:
        return now, 1, None
    if count < MOST_IN_WINDOW:
        return window_at, count + 1, None
    wait = WINDOW - (now - window_at)
    return window_at, count, max(1, -(-int(wait.total_seconds() * 1000) // 1000))
