"""When a write key last let events in; shown beside the key, so that an unused one can go."""

from collections.abc import Collection
from datetime import datetime

from gengyun.usage.models import WriteKey


def note_keys_used(*, keys: Collection[str], now: datetime) -> None:
    """No audit row: this is what the machine saw, not what a person changed."""
    WriteKey.objects.filter(key__in=list(keys)).update(last_used_at=now)
