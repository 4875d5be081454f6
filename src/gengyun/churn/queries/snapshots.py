"""The inputs that forecasts were made from, as they are kept in the lake.

A stored day is scored again without reading anything else: the rows carry the feature set, its hash
and the keys, so that a model asks for its own columns and another set is never taken for it.
"""

import json
from datetime import date

import numpy as np
import pyarrow as pa

from gengyun.churn.calc.features import FEATURE_SET, METRIC, catalogue, feature_hash
from gengyun.churn.calc.table import NO_TIER, Floats, Table
from gengyun.churn.queries.rows import Live, tier_ids
from gengyun.lake import tables
from gengyun.lake.store import Lake

TABLE = "churn_snapshots"


def as_arrow(live: Live, as_of: date) -> pa.Table:
    """One row per row of `live`, for `TABLE`."""
    table, count = live.table, len(live.table)
    keys, names = list(table.keys), sorted(live.raw)
    raw = np.column_stack([live.raw[name] for name in names]) if names else np.empty((count, 0))
    columns = {
        "as_of": pa.array([as_of] * count, pa.date32()),
        "customer_id": table.account,
        "renewal_id": live.renewal,
        "due_on": pa.array(table.due.astype("datetime64[D]").tolist(), pa.date32()),
        "tier_id": pa.array(live.tier_id, pa.int64()),
        "currency": pa.array(live.currency, pa.string()),
        "amount_minor": table.amount_minor,
        "monthly": pa.array(live.monthly, from_pandas=True),
        "period_months": pa.array(live.period_months, pa.int32()),
        "data_age": pa.array([live.data_age] * count, pa.int32()),
        "feature_set": pa.array([FEATURE_SET] * count, pa.string()),
        "feature_hash": pa.array([feature_hash(table.features)] * count, pa.string()),
        "features": pa.array([json.dumps(keys)] * count, pa.string()),
        "x": _lists(table.x),
        "numbers": pa.array([json.dumps(names)] * count, pa.string()),
        "raw": _lists(raw),
    }
    return pa.table(columns, schema=tables.SCHEMAS[TABLE])


def stored(as_of: date, *, lake: Lake | None = None) -> Live | None:
    """The rows of a day as they were kept; None: there are none, or of another feature set."""
    rows = (lake or Lake.default()).read(TABLE, where=[("as_of", "=", as_of)])
    if not rows.num_rows:
        return None
    first = rows.slice(0, 1).to_pylist()[0]
    keys, names = json.loads(first["features"]), json.loads(first["numbers"])
    own = [key.removeprefix(METRIC) for key in keys if key.startswith(METRIC)]
    features = catalogue(own)
    same = feature_hash(features) == first["feature_hash"]
    if not same or first["feature_set"] != FEATURE_SET or len(set(rows["feature_hash"])) > 1:
        return None
    raw = _matrix(rows["raw"], len(names))
    place = {pk: number for number, pk in enumerate(tier_ids())}
    tier = rows["tier_id"].to_pylist()
    count = rows.num_rows
    at = np.full(count, np.datetime64(as_of, "D"))
    due = np.array(rows["due_on"].to_pylist(), dtype="datetime64[D]")
    return Live(
        Table(
            features=features,
            x=_matrix(rows["x"], len(keys)),
            y=np.full(count, np.nan),
            account=rows["customer_id"].to_numpy(),
            at=at,
            due=due,
            known=np.full(count, np.datetime64("NaT", "D")),
            tier=np.array([place.get(pk, NO_TIER) for pk in tier], np.int64),
            lag=np.where(np.isnat(due), 0, (due - at).astype(np.int64)),
            amount_minor=rows["amount_minor"].to_numpy(),
        ),
        rows["renewal_id"].to_numpy(),
        tuple(rows["currency"].to_pylist()),
        tuple(tier),
        np.array(rows["monthly"].to_pylist(), dtype=np.float64),
        rows["period_months"].to_numpy().astype(np.int64),
        {name: raw[:, number] for number, name in enumerate(names)},
        int(first["data_age"]),
    )


def _lists(values: Floats) -> pa.Array:
    """Rows as lists; nan becomes null."""
    rows, width = values.shape
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), pa.float64(), from_pandas=True)
    return pa.ListArray.from_arrays(pa.array(np.arange(rows + 1) * width, pa.int32()), flat)


def _matrix(column: pa.ChunkedArray, width: int) -> Floats:
    flat = pa.chunked_array([chunk.flatten() for chunk in column.chunks], pa.float64())
    values = np.asarray(flat.to_numpy(), dtype=np.float64)
    return values.reshape(len(column), width)
