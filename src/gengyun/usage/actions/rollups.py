"""Roll-ups follow the events: incremental from the versions of the events table, exactly once.

Each measure remembers, as an application mark in the same commit as its rows, up to which version
of `events` it has counted. A new measure, or one that fell behind the log, is made anew.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from gengyun.lake.rolling import TABLE_OF, Measured, roll_many
from gengyun.lake.store import Lake, LostRace
from gengyun.usage.calc.plan import ALWAYS, MeasureNeed
from gengyun.usage.models import Measure

Report = Callable[[int, int], None]
# A measure in more tiny files than this is compacted on the way, so that reading one customer
# stays quick between the hourly compactions; large files are left to those.
MOST_FILES, TINY = 12, 1024 * 1024


@dataclass(frozen=True)
class RollUpReport:
    events_version: int
    extended: int  # measures that got the new events
    rebuilt: int  # measures made from the whole table
    rows: int


def roll_up(
    *, lake: Lake, now: datetime, needs: Iterable[MeasureNeed] = (), report: Report | None = None
) -> RollUpReport:
    """Bring every measure (and `needs`) up to the newest version of the events."""
    head = lake.version("events")
    wanted = [need for need in _measures(needs) if _mark(lake, need) != head]
    if head < 0 or not wanted:
        return RollUpReport(head, 0, 0, 0)
    from gengyun.lake.engine import connect

    db = connect()
    rebuilt = extended = rows = 0
    try:
        behind: dict[int | None, list[MeasureNeed]] = defaultdict(list)
        for need in wanted:
            behind[_mark(lake, need)].append(need)
        done = 0
        for last, needs_here in behind.items():
            changes = None if last is None else lake.changes("events", after=last, to=head)
            anew = changes is None or changes.removed or not changes.complete
            files = lake.files("events") if anew or changes is None else changes.added
            by_key = {need.key: need for need in needs_here}
            for item, found in roll_many(db, files, [measured(need) for need in needs_here]):
                need = by_key[item.key]
                rows += _keep(lake, need, found, last=last, head=head, anew=anew)
                done += 1
                if report:
                    report(done, len(wanted))
            if anew:
                rebuilt += len(needs_here)
            else:
                extended += len(needs_here)
    finally:
        db.close()
    _compact_where_many(lake)
    return RollUpReport(head, extended, rebuilt, rows)


def _keep(
    lake: Lake,
    need: MeasureNeed,
    rows: pa.Table,
    *,
    last: int | None,
    head: int,
    anew: bool,
) -> int:
    try:
        lake.commit(
            TABLE_OF[need.kind],
            add=rows,
            replace=[("measure", "=", need.key)] if anew else None,
            marks={mark_name(need.key): head},
            expect={mark_name(need.key): last},
        )
    except LostRace:
        return 0  # another process counted these events; its rows stand
    return int(rows.num_rows)


def measured(need: MeasureNeed) -> Measured:
    return Measured(need.key, need.kind, need.events, need.summed, need.feature)


def mark_name(key: str) -> str:
    return f"measure:{key}"


def _mark(lake: Lake, need: MeasureNeed) -> int | None:
    return lake.app_version(TABLE_OF[need.kind], mark_name(need.key))


def _measures(needs: Iterable[MeasureNeed]) -> list[MeasureNeed]:
    stored = [need_of(row) for row in Measure.objects.all()]
    return list(dict.fromkeys([*ALWAYS, *stored, *needs]))


def need_of(measure: Measure) -> MeasureNeed:
    content = measure.definition
    events = content.get("events")
    return MeasureNeed(
        kind=content["kind"],
        events=None if events is None else tuple(events),
        summed=content.get("property"),
        feature=content.get("feature"),
    )


def ensure_measures(needs: Iterable[MeasureNeed], *, now: datetime) -> None:
    """Remember what must be rolled up; the rows come with the next roll-up."""
    known = set(Measure.objects.values_list("key", flat=True))
    Measure.objects.bulk_create(
        [
            Measure(key=need.key, definition=need.as_json(), created_at=now)
            for need in dict.fromkeys(needs)
            if need.key not in known
        ],
        ignore_conflicts=True,
    )


def _compact_where_many(lake: Lake) -> None:
    from gengyun.lake.compaction import compact

    for table in ("daily", "presence"):
        compact(lake, table, fewest=MOST_FILES, below=TINY)
