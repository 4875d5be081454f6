"""One press of a button on one row or many: all or none, logged, audited, undone as one.

For packages whose rows have a log of their own (tasks, alerts): the model of the log has the row,
`at`, `actor`, `kind`, `detail`, `batch` and `before`, which is what an undo puts back.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from django.db import models

from gengyun.kernel.errors import NotFound
from gengyun.team.actions.audit import record_many
from gengyun.team.models import User

CHUNK = 500
# what a change tells the log: field -> [old, new]
Told = dict[str, list[Any]]
Row = TypeVar("Row", bound=models.Model)


def locked(seen: "models.QuerySet[Row]", ids: Iterable[int]) -> list[Row]:
    """Locked rows in their order; one that is not among those the actor sees refuses them all."""
    wanted = sorted(set(ids))
    rows: list[Row] = []
    for start in range(0, len(wanted), CHUNK):
        part = seen.filter(pk__in=wanted[start : start + CHUNK])
        rows += part.order_by("pk").select_for_update(of=("self",))
    if len(rows) != len(wanted):
        raise NotFound
    return rows


def press(
    rows: Sequence[Row],
    change: Callable[[Row], Told | None],
    *,
    actor: User | None,
    now: datetime,
    log: type[models.Model],
    of: str,
    kind: str,
    freeze: Callable[[Row], dict[str, Any]],
) -> tuple[str, list[Row]]:
    """(the batch that takes it back, the rows that changed). `of` names the row in its log and in
    the audit; a change that tells None leaves its row alone. Call it inside a transaction."""
    batch = uuid4().hex
    events: list[models.Model] = []
    told: list[tuple[Row, Told]] = []
    for row in rows:
        before = freeze(row)
        detail = change(row)
        if detail is None:
            continue
        row.updated_at = now  # type: ignore[attr-defined]  # every such row has it
        row.save()
        said = {name: [plain(one) for one in pair] for name, pair in detail.items()}
        values = {of: row, "at": now, "actor": actor, "kind": kind, "batch": batch}
        events.append(log(**values, detail=said, before=before))
        told.append((row, said))
    log._default_manager.bulk_create(events, batch_size=CHUNK)  # noqa: SLF001 - documented name
    record_many(actor=actor, now=now, action=f"{of}.{kind}", changes=told)
    return batch, [row for row, _ in told]


def plain(value: Any) -> Any:
    """Days and instants as text: the log is JSON."""
    return value.isoformat() if hasattr(value, "isoformat") else value
