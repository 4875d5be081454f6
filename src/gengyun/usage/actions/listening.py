"""Who wants to hear of events as they come in, before the next night: packages above register.

A listener is called in the transaction in which the drain notes its batch, so that what it writes
is as durable as the batch. A turn that was killed is repeated with the same events under the same
keys: a listener must be harmless then, and it must be quick.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from gengyun.usage.actions.deliveries import Row

Listener = Callable[[Sequence[Row], Sequence[int], datetime], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> Listener:
    """Register `listener(rows, keys, now)`; keys are those of the events table."""
    if listener not in _listeners:
        _listeners.append(listener)
    return listener


def tell(rows: Sequence[Row], keys: Sequence[int], *, now: datetime) -> None:
    if rows:
        for listener in _listeners:
            listener(rows, keys, now)
