"""Domain events go up the packages: an outbox row in the transaction, handlers after the commit.

`emit` inside the transaction of the change; a package above registers with `on` in its
`handlers.py`. Right after the commit this process delivers what it can; the worker delivers the
rest. A handler may run twice and must be harmless then.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import transaction

from gengyun.kernel.clock import utc_now
from gengyun.kernel.models import OutboxEvent

log = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any], datetime], None]
_handlers: dict[str, list[Handler]] = defaultdict(list)
MAX_ATTEMPTS = 20
_is_unheard: ContextVar[bool] = ContextVar("is_unheard", default=False)


@contextmanager
def unheard() -> Iterator[None]:
    """Nothing is recorded nor delivered inside. Only for who builds a whole history at once and
    computes afterwards everything that would have followed; elsewhere a change must be heard."""
    token = _is_unheard.set(True)
    try:
        yield
    finally:
        _is_unheard.reset(token)


def on(name: str) -> Callable[[Handler], Handler]:
    """Register `handler(payload, now)` for the event `name`."""

    def register(handler: Handler) -> Handler:
        if handler not in _handlers[name]:
            _handlers[name].append(handler)
        return handler

    return register


def emit(name: str, payload: dict[str, Any], *, now: datetime) -> None:
    """Record an event; call it inside the transaction of the change."""
    if _is_unheard.get():
        return
    event = OutboxEvent.objects.create(name=name, payload=payload, created_at=now)
    transaction.on_commit(lambda: deliver(event), robust=True)


def deliver(event: OutboxEvent) -> bool:
    """Run the handlers of one event; a failure is recorded and tried again by the worker."""
    now = utc_now()
    try:
        with transaction.atomic():
            for handler in _handlers[event.name]:
                handler(event.payload, now)
            # the row has served: nothing reads delivered events
            OutboxEvent.objects.filter(pk=event.pk).delete()
    except Exception as error:
        log.exception("event %s %s was not delivered", event.pk, event.name)
        OutboxEvent.objects.filter(pk=event.pk).update(
            attempts=event.attempts + 1, last_error=repr(error)[:500]
        )
        return False
    return True


def deliver_pending(*, limit: int = 500) -> int:
    """Deliver what was left over by killed processes; the worker calls it. Returns how many."""
    pending = OutboxEvent.objects.filter(delivered_at__isnull=True, attempts__lt=MAX_ATTEMPTS)
    return sum(deliver(event) for event in pending.order_by("pk")[:limit])
