"""Keeping what tonight's forecasts are made from."""

from datetime import date

from gengyun.churn.queries.rows import Live
from gengyun.churn.queries.snapshots import TABLE, as_arrow
from gengyun.lake.store import Lake


def keep_snapshots(live: Live, *, as_of: date, lake: Lake) -> int:
    """Write the inputs of a day; run twice, nothing changes. Returns how many rows there are."""
    lake.replace_partition(TABLE, "as_of", as_of, as_arrow(live, as_of))
    return len(live.table)
