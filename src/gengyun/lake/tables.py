"""The tables of the lake: their columns and what each row means."""

import pyarrow as pa

UTC_US = pa.timestamp("us", tz="UTC")

# One accepted event. `day` is the company's day of happened_at, `known_day` of known_at.
EVENTS = pa.schema(
    [
        ("received_day", pa.date32()),  # partition: late events never rewrite old days
        ("customer_id", pa.int64()),
        ("user_key", pa.int64()),  # hash64 of user_id; 0: no user
        ("user_id", pa.string()),
        ("kind", pa.string()),  # track, page, screen, identify, group
        ("event", pa.string()),
        ("day", pa.date32()),
        ("known_day", pa.date32()),
        ("happened_at", UTC_US),
        ("known_at", UTC_US),
        ("received_at", UTC_US),
        ("source_id", pa.int32()),
        ("message_key", pa.int64()),  # hash64 of source and messageId: the dedupe key
        ("properties", pa.string()),  # JSON text as it came, "" for none
    ]
)

# One measure rolled up: n events of a user on a day that became known on known_day.
ROLLUPS = pa.schema(
    [
        ("measure", pa.string()),  # partition: Measure.key
        ("customer_id", pa.int64()),
        ("user_key", pa.int64()),
        ("day", pa.date32()),
        ("known_day", pa.date32()),
        ("feature_key", pa.int64()),  # hash64 of the feature for breadth measures, else 0
        ("n", pa.int64()),
        ("total_micro", pa.int64()),  # sum of the property x 1e6, integers add exactly
    ]
)

# The value of a metric for a customer as of a day; null: unknown.
METRIC_VALUES = pa.schema(
    [
        ("as_of", pa.date32()),  # partition
        ("customer_id", pa.int64()),
        ("metric", pa.string()),  # Metric.key
        ("version", pa.int32()),  # Metric.version
        ("value", pa.float64()),
    ]
)

# The score of a customer as of a day with all that explains it.
HEALTH_SCORES = pa.schema(
    [
        ("as_of", pa.date32()),  # partition
        ("customer_id", pa.int64()),
        ("version_id", pa.int64()),  # ScorecardVersion.pk
        ("score", pa.float64()),
        ("raw_score", pa.float64()),
        ("band", pa.string()),
        ("coverage", pa.float64()),
        ("trend", pa.string()),
        ("explanation", pa.string()),  # JSON, see health.calc.score
    ]
)

PARTITIONS = {
    "events": ["received_day"],
    "rollups": ["measure"],
    "metric_values": ["as_of"],
    "health_scores": ["as_of"],
}
SCHEMAS = {
    "events": EVENTS,
    "rollups": ROLLUPS,
    "metric_values": METRIC_VALUES,
    "health_scores": HEALTH_SCORES,
}
