"""Judged days for tests of alerts: values of metrics or use, written straight into a lake."""

from datetime import date, datetime, timedelta

import pyarrow as pa
from factories import NOW

from gengyun.kernel.days import start_of
from gengyun.lake import tables

DAY = date(2026, 3, 2)  # a Monday; NOW is its 10:00
EARLY = NOW - timedelta(days=400)


def at(day):
    """Ten in the morning of a day, company time."""
    return start_of(day) + timedelta(hours=10)


def after(count):
    return DAY + timedelta(days=count)


def make_rules(*, only=None):
    """The default causes and rules; `only`: keys that stay active."""
    from gengyun.alerts.actions.defaults import install_defaults
    from gengyun.alerts.models import AlertRule

    install_defaults(now=EARLY)
    if only is not None:
        AlertRule.objects.exclude(key__in=only).update(is_active=False)
    return {rule.key: rule for rule in AlertRule.objects.all()}


def make_metric_rule(key="low", *, cause="use_low", metric="events_30d", severity=2, **params):
    """A free rule: `metric` below 10 opens, at 20 it is over."""
    from gengyun.alerts.calc.params import clean_params
    from gengyun.alerts.models import AlertRule, RiskCause

    if not RiskCause.objects.exists():
        make_rules(only=[])
    given = {"metric": metric, "op": "lt", "enter": 10, "exit": 20, **params}
    return AlertRule.objects.create(
        key=key,
        kind="metric",
        name_zh=f"规则 {key}",
        name_en=f"Rule {key}",
        severity=severity,
        cause=RiskCause.objects.get(key=cause),
        params=clean_params("metric", given),
        created_at=EARLY,
        updated_at=EARLY,
    )


def put_values(lake, day, values, *, metric="events_30d"):
    """{customer: value} of one metric on a day; several calls add further metrics."""
    rows = [
        {
            "as_of": day,
            "customer_id": customer.pk,
            "metric": metric,
            "version": 1,
            "value": None if value is None else float(value),
        }
        for customer, value in values.items()
    ]
    known = lake.read("metric_values", where=[("as_of", "=", day)]).to_pylist()
    kept = [row for row in known if row["metric"] != metric]
    table = pa.Table.from_pylist(kept + rows, schema=tables.METRIC_VALUES)
    lake.replace_partition("metric_values", "as_of", day, table)


def put_scores(lake, day, scores):
    """{customer: (score, band)} of a judged day."""
    rows = [
        {
            "as_of": day,
            "customer_id": customer.pk,
            "version_id": 1,
            "score": score,
            "raw_score": score,
            "band": band,
            "coverage": 1.0,
            "trend": "",
            "explanation": "{}",
        }
        for customer, (score, band) in scores.items()
    ]
    table = pa.Table.from_pylist(rows, schema=tables.HEALTH_SCORES)
    lake.replace_partition("health_scores", "as_of", day, table)


def put_use(lake, use):
    """{customer: {day: events}} into the roll-up of all use."""
    from gengyun.usage.calc.plan import ANY_USE

    rows = [
        {
            "measure": ANY_USE.key,
            "customer_id": customer.pk,
            "day": day,
            "known_day": day,
            "n": count,
            "total_micro": 0,
        }
        for customer, days in use.items()
        for day, count in days.items()
        if count
    ]
    lake.append("daily", pa.Table.from_pylist(rows, schema=tables.DAILY))


def working_use(until, *, count=182, level=20):
    """{day: events}: `level` on every working day of the Chinese calendar before `until`, little
    on the others."""
    from gengyun.kernel.calc.workdays import workdays

    start = until - timedelta(days=count)
    base = workdays(start, count).base
    return {start + timedelta(days=k): round(level * base[k]) for k in range(count)}


def judge(lake, day, *, now: datetime | None = None):
    from gengyun.alerts.actions.evaluate import evaluate_day

    return evaluate_day(day, now=now or at(day), lake=lake)
