"""`gengyun metrics`: the values of a day, and what each metric means."""

import json
from datetime import date

import click

from gengyun.cli.main import setup

DAY = click.DateTime(["%Y-%m-%d"])
MOST_COLUMNS = 6  # metrics side by side in the table of all customers


class DayNotMeasured(click.ClickException):
    """There are no values for the day asked."""


@click.command("metrics")
@click.option("--as-of", type=DAY, help="A measured day (default: the newest).")
@click.option("--customer", help="External id or name of one customer.")
@click.option("--metric", "keys", multiple=True, help="Key of a metric; may be repeated.")
@click.option("--definitions", is_flag=True, help="List the metrics and what they count.")
@click.option("--limit", default=50, show_default=True, help="Customers shown in the table.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, all customers.")
def command(*, as_of, customer, keys, definitions, limit, lang, as_json):
    """Show metric values as of a day: what had happened and was known before it.

    The values are those that `gengyun daily` wrote. None (-) means unknown, which is not 0.
    """
    setup()
    from gengyun.usage.queries.metrics import active_metrics

    metrics = active_metrics()
    if unknown := set(keys) - {metric.key for metric in metrics}:
        raise click.UsageError(f"no metric {', '.join(sorted(unknown))}; see --definitions")
    chosen = [metric for metric in metrics if not keys or metric.key in keys]
    if definitions:
        _show_definitions(chosen, lang, as_json=as_json)
        return
    day = _measured_day(as_of.date() if as_of else None)
    if customer is not None:
        _show_one(_find(customer), chosen, day, lang, as_json=as_json)
    else:
        _show_all(chosen, day, lang, limit=limit, as_json=as_json)


def _measured_day(wanted: date | None) -> date:
    from gengyun.usage.queries.metrics import judged_days

    days = judged_days()
    if wanted is None and days:
        return days[-1]
    if wanted not in days:
        day = wanted.isoformat() if wanted else "any day"
        raise DayNotMeasured(
            f"nothing was measured for {day}; run: gengyun daily"
            + (f" --as-of {day}" if wanted else "")
        )
    return wanted


def _find(text: str):
    from gengyun.customers.models import Customer

    found = (
        Customer.objects.filter(external_id=text).first()
        or Customer.objects.filter(name=text).order_by("pk").first()
    )
    if found is None:
        raise click.ClickException(f"there is no customer {text}")
    return found


def _show_definitions(metrics, lang: str, *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from gengyun.usage.queries.metrics import metric_names, sentence

    names = metric_names(lang)
    if as_json:
        for metric in metrics:
            line = {
                "key": metric.key,
                "name_zh": metric.name_zh,
                "name_en": metric.name_en,
                "unit": metric.unit,
                "direction": metric.direction,
                "version": metric.version,
                "definition": metric.definition,
                "sentence": sentence(metric, lang, names),
            }
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    table = Table("key", "name", "unit", "definition")
    for metric in metrics:
        table.add_row(metric.key, names[metric.key], metric.unit, sentence(metric, lang, names))
    Console().print(table)


def _show_one(customer, metrics, day: date, lang: str, *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from gengyun.usage.queries.metrics import metric_names, sentence, values_as_of

    values = values_as_of(day, [m.key for m in metrics], [customer.pk]).get(customer.pk, {})
    if as_json:
        click.echo(_line(customer.external_id, customer.name, day, metrics, values))
        return
    names = metric_names(lang)
    table = Table("metric", "value", "definition", title=f"{customer.name}  {day.isoformat()}")
    for metric in metrics:
        shown = _text(values.get(metric.key), metric.unit)
        table.add_row(names[metric.key], shown, sentence(metric, lang, names))
    Console().print(table)


def _show_all(metrics, day: date, lang: str, *, limit: int, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from gengyun.customers.models import Customer
    from gengyun.usage.queries.metrics import metric_names, values_as_of

    values = values_as_of(day, [metric.key for metric in metrics])
    customers = Customer.objects.order_by("name", "pk").values_list("pk", "external_id", "name")
    known = [row for row in customers if row[0] in values]
    if as_json:
        for pk, external_id, name in known:
            click.echo(_line(external_id, name, day, metrics, values[pk]))
        return
    names, shown = metric_names(lang), metrics[:MOST_COLUMNS]
    table = Table("customer", *(names[m.key] for m in shown), title=day.isoformat())
    for pk, _, name in known[:limit]:
        table.add_row(name, *(_text(values[pk].get(m.key), m.unit) for m in shown))
    Console().print(table)
    if len(known) > limit or len(metrics) > len(shown):
        click.echo(
            f"{min(limit, len(known))} of {len(known)} customers, {len(shown)} of {len(metrics)} "
            "metrics; --json gives all, --metric chooses"
        )


def _line(external_id: str, name: str, day: date, metrics, values) -> str:
    return json.dumps(
        {
            "customer": external_id,
            "name": name,
            "as_of": day.isoformat(),
            "values": {metric.key: values.get(metric.key) for metric in metrics},
        },
        ensure_ascii=False,
    )


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "ratio":
        return f"{value:.1%}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
