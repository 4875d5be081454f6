"""Roll-up rows of customers that became part of another, as that one's.

A row of `gone` counts for `kept` as of the days after the merge became known: it is given to `kept`
as known on the later of the two days. The rows of `gone` stay as they are: days before the merge
are judged as they were.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gengyun.customers.queries.merges import Joined
from gengyun.lake import tables
from gengyun.lake.store import Lake

if TYPE_CHECKING:
    from gengyun.lake.store import Condition


def columns_of(table: str) -> list[str]:
    """What a data file holds: the partition is in the folder's name only."""
    schema = tables.SCHEMAS[table]
    return [name for name in schema.names if name not in tables.PARTITIONS[table]]


def joined_rows(
    lake: Lake,
    table: str,
    where: "Sequence[Condition]",
    pairs: Sequence[Joined],
    *,
    instead: pa.Table | None = None,
) -> pa.Table:
    """The rows to add to the roll-up `table`; `instead`: rows in place of the lake's."""
    names = columns_of(table)
    gone = sorted({pair.gone for pair in pairs})
    if instead is None:
        rows = lake.read(table, where=[*where, ("customer_id", "in", gone)], columns=names)
    else:
        rows = instead.select(names)
    ids = np.asarray(rows["customer_id"].to_numpy())
    found = [_given(rows.filter(pa.array(ids == pair.gone)), pair) for pair in pairs]
    return pa.concat_tables(found) if found else rows.slice(0, 0)


def _given(rows: pa.Table, pair: Joined) -> pa.Table:
    import pyarrow.compute as pc

    since = pa.scalar(pair.known_on, pa.date32())
    changed: dict[str, Any] = {
        "customer_id": pa.repeat(pa.scalar(pair.kept, pa.int64()), rows.num_rows),
        "known_day": pc.max_element_wise(rows["known_day"], since),
    }
    for name, values in changed.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    return rows.combine_chunks()


def first_day(rows: pa.Table) -> date | None:
    """The first day of daily rows; None where the table has months."""
    import pyarrow.compute as pc

    if "day" not in rows.column_names or not rows.num_rows:
        return None
    found: date = pc.min(rows["day"]).as_py()
    return found
