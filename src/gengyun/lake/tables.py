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

# A measure added up: the events of a customer on a day that became known on known_day.
# Several rows of one (customer, day) may exist; they add up.
DAILY = pa.schema(
    [
        ("measure", pa.string()),  # partition: Measure.key
        ("customer_id", pa.int64()),
        ("day", pa.date32()),
        ("known_day", pa.date32()),
        ("n", pa.int64()),
        ("total_micro", pa.int64()),  # sum of the property x 1e6: integers add exactly
    ]
)

# Who (or which feature) was there: the days of a month as bits, the 1st is bit 0. Almost all
# events are known on their own day; for them `known_day` is ON_TIME and the day itself tells when
# they were known, so that a user's month is one row. Late events carry the real known_day.
# Several rows of one (customer, key, month) may exist; their bits are united.
PRESENCE = pa.schema(
    [
        ("measure", pa.string()),  # partition: Measure.key
        ("customer_id", pa.int64()),
        ("key", pa.int64()),  # user_key, or hash64 of the feature
        ("month", pa.date32()),  # first day of the month
        ("known_day", pa.date32()),  # ON_TIME (1970-01-01), or the late day
        ("days", pa.int32()),
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

# The churn probability of a renewal (or of a customer) as of a day with all that explains it.
CHURN_FORECASTS = pa.schema(
    [
        ("as_of", pa.date32()),  # partition
        ("customer_id", pa.int64()),
        ("renewal_id", pa.int64()),  # null: the event is not about a renewal
        ("event", pa.string()),
        ("due_on", pa.date32()),
        ("lag_days", pa.int32()),
        ("probability", pa.float64()),  # null: refused
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("base", pa.float64()),  # of a row of which every input is ordinary
        ("p30", pa.float64()),
        ("p90", pa.float64()),
        ("p180", pa.float64()),
        ("grade", pa.string()),
        ("refused", pa.string()),
        ("drivers", pa.string()),  # JSON, see churn.calc.drivers
        ("missing", pa.string()),  # JSON
        ("counterfactuals", pa.string()),  # JSON
        ("model_id", pa.int64()),  # ChurnModel.pk
        ("feature_hash", pa.string()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
        ("tier_id", pa.int64()),
    ]
)

# The inputs of a churn probability as of a day: what it was said from, kept for audit.
CHURN_SNAPSHOTS = pa.schema(
    [
        ("as_of", pa.date32()),  # partition
        ("customer_id", pa.int64()),
        ("renewal_id", pa.int64()),  # -1: the event is not about a renewal
        ("due_on", pa.date32()),
        ("tier_id", pa.int64()),
        ("currency", pa.string()),
        ("amount_minor", pa.int64()),
        ("monthly", pa.float64()),  # early ends per contract-month of its tier
        ("period_months", pa.int32()),  # 1: runs on month by month
        ("data_age", pa.int32()),  # days
        ("feature_set", pa.string()),  # churn.calc.features.FEATURE_SET
        ("feature_hash", pa.string()),
        ("features", pa.string()),  # JSON: keys of `x`, in order
        ("x", pa.list_(pa.float64())),  # null: unknown
        ("numbers", pa.string()),  # JSON: names of `raw`, in order
        ("raw", pa.list_(pa.float64())),  # what a person understands
    ]
)

SCHEMAS = {
    "events": EVENTS,
    "daily": DAILY,
    "presence": PRESENCE,
    "metric_values": METRIC_VALUES,
    "health_scores": HEALTH_SCORES,
    "churn_forecasts": CHURN_FORECASTS,
    "churn_snapshots": CHURN_SNAPSHOTS,
}
PARTITIONS = {
    "events": ["received_day"],
    "daily": ["measure"],
    "presence": ["measure"],
    "metric_values": ["as_of"],
    "health_scores": ["as_of"],
    "churn_forecasts": ["as_of"],
    "churn_snapshots": ["as_of"],
}
# Order of rows inside a file. Months first, so that a window skips the others; inside a month one
# customer lies together. MONTH_OF stands for the month of the table's `day`.
MONTH_OF = "month of day"
SORTED_BY = {
    "events": ["customer_id", "happened_at"],
    "daily": [MONTH_OF, "customer_id", "day"],
    "presence": ["month", "customer_id", "key"],
    "metric_values": ["customer_id"],
    "health_scores": ["customer_id"],
    "churn_forecasts": ["customer_id"],
    "churn_snapshots": ["customer_id"],
}
# columns whose least and greatest value per file go to the log, so that readers skip files
STATISTICS = {
    "events": ["customer_id", "day", "known_day", "received_at"],
    "daily": ["customer_id", "day", "known_day"],
    "presence": ["customer_id", "month", "known_day"],
    "metric_values": ["customer_id"],
    "health_scores": ["customer_id"],
    "churn_forecasts": ["customer_id"],
    "churn_snapshots": ["customer_id"],
}
