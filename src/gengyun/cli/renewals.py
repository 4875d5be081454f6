"""`gengyun renewals`: what comes due, what is forecast, and how right forecasts were."""

import json
import re
from datetime import date, timedelta

import click

from gengyun.cli.daily import check_database
from gengyun.cli.main import setup
from gengyun.cli.renewals_expected import expected as told
from gengyun.cli.renewals_expected import print_expected
from gengyun.kernel.currencies import major

DAY = click.DateTime(["%Y-%m-%d"])
PERIOD = re.compile(r"^(\d{4})(?:q([1-4])|-(0[1-9]|1[0-2]))$")


@click.command("renewals")
@click.option("--period", help="A quarter (2027q1) or a month (2027-01); default: this quarter.")
@click.option("--from", "first", type=DAY, help="Due on this day or later, instead of --period.")
@click.option("--to", "last", type=DAY, help="Due on this day or earlier.")
@click.option("--as-of", type=DAY, help="The forecast as it stood at the end of this day.")
@click.option("--owner", help="Only the customers of this CSM: name or email.")
@click.option("--by", type=click.Choice(["category", "month"]), default="category",
              show_default=True, help="What the sums are split by.")  # fmt: skip
@click.option("--list", "listed", is_flag=True, help="Every renewal, not only sums.")
@click.option("--accuracy", is_flag=True, help="Forecast against outcome at 90, 60 and 30 days.")
@click.option("--expected", is_flag=True, help="What is expected to renew, with P10, P50, P90.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(*, period, first, last, as_of, owner, by, listed, accuracy, expected, as_json):
    """Renewals of a period with the numbers of the page."""
    setup()
    check_database()
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    today = day_of(utc_now())
    days = _days(period, first, last, today)
    filters = _filters(owner)
    if accuracy:
        found = _accuracy(filters, days, today)
    elif expected:
        found = told(filters, days, as_of.date() if as_of else None, today)
    else:
        found = _sums(filters, days, as_of.date() if as_of else None, today, by, listed=listed)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
    elif accuracy:
        _print_accuracy(found)
    elif expected:
        print_expected(found)
    else:
        _print_sums(found)


def _days(period, first, last, today: date) -> tuple[date, date]:
    if first or last:
        if not (first and last) or period:
            raise click.UsageError("--from and --to come together, and without --period")
        return first.date(), last.date()
    if period is None:
        start, months = date(today.year, (today.month - 1) // 3 * 3 + 1, 1), 3
    else:
        match = PERIOD.match(period)
        if not match:
            raise click.UsageError("a period is written 2027q1 or 2027-01")
        year, quarter, month = int(match[1]), match[2], match[3]
        start = date(year, int(quarter) * 3 - 2 if quarter else int(month), 1)
        months = 3 if quarter else 1
    index = start.year * 12 + start.month - 1 + months
    return start, date(index // 12, index % 12 + 1, 1) - timedelta(days=1)


def _filters(owner):
    from gengyun.revenue.queries.renewals import Filters
    from gengyun.team.models import User

    if not owner:
        return Filters()
    found = User.objects.filter(email__iexact=owner).first()
    found = found or User.objects.filter(name=owner).first()
    if found is None:
        raise click.ClickException(f"there is no colleague {owner}")
    return Filters(owner_id=found.pk)


def _sums(filters, days, as_of, today: date, by: str, *, listed: bool) -> dict:
    from gengyun.kernel.days import start_of
    from gengyun.revenue.queries import renewals as queries

    convert, base = queries.converter(today)
    rows = queries.within(None, filters, *days, changed_since=start_of(today))
    then = None
    if as_of is not None:
        then = queries.as_of(queries.shown(rows), as_of + timedelta(days=1))
        sums = queries.totals_of(then, convert)
    else:
        sums = queries.totals(rows, convert)
    if by == "month":
        parts = {f"{month:%Y-%m}": sums.of(month=month) for month in sums.months}
    else:
        parts = {key: sums.of(categories=[key]) for key in queries.CATEGORIES}
    found = {
        "from": days[0].isoformat(),
        "to": days[1].isoformat(),
        "as_of": as_of.isoformat() if as_of else None,
        "currency": base,
        "definition": "ARR without tax that comes due in the period; forecast = CSMs' amounts, "
        "signed as signed, lost and not judged as 0",
        "total": _part(sums.of()),
        "judged": _part(sums.judged),
        "disagreements": sums.gaps,
        "without_rate": sums.without_rate,
        by: {key: _part(part) for key, part in parts.items()},
    }
    if listed:
        shown = then if then is not None else queries.ordered(queries.shown(rows), "due")
        found["renewals"] = [_line(row) for row in shown]
    return found


def _part(part) -> dict:
    return {
        "count": part.count,
        "due_minor": part.due_minor,
        "forecast_minor": part.forecast_minor,
    }


def _line(row) -> dict:
    return {
        "customer": row.customer.external_id,
        "name": row.customer.name,
        "group": row.group,
        "due_on": row.due_on.isoformat(),
        "due_minor": row.due_minor,
        "currency": row.currency,
        "state": row.state,
        "category": row.category,
        "forecast_minor": row.forecast_minor,
        "asked_minor": row.asked_minor,
        "rise": row.rise,
        "outcome_minor": row.outcome_minor,
        "signal": row.signal or None,
    }


def _print_sums(found: dict) -> None:
    base, total, judged = found["currency"], found["total"], found["judged"]
    then = f", as it stood at the end of {found['as_of']}" if found["as_of"] else ""
    click.echo(f"{found['from']} to {found['to']}{then}, {base}")
    parts = found.get("category") or found.get("month") or {}
    for key, part in parts.items():
        if part["count"]:
            due, forecast = major(part["due_minor"], base), major(part["forecast_minor"], base)
            click.echo(f"{key:10} {part['count']:>6}  due {due:>16,}  forecast {forecast:>16,}")
    due, forecast = major(total["due_minor"], base), major(judged["forecast_minor"], base)
    click.echo(f"{'together':10} {total['count']:>6}  due {due:>16,}  forecast {forecast:>16,}")
    for line in found.get("renewals", ()):
        currency, minor = line["currency"], line["forecast_minor"]
        said = "-" if minor is None else f"{major(minor, currency):,}"
        click.echo(
            f"  {line['due_on']}  {line['category']:9} {major(line['due_minor'], currency):>14,}"
            f" {said:>14} {currency} {_rise(line):>7}  {line['name']}"
        )


def _rise(line: dict) -> str:
    """How much more is asked for the next term."""
    return "" if line["rise"] is None else f"{line['rise']:+.1%}"


def _accuracy(filters, days, today: date) -> dict:
    from gengyun.revenue.queries import accuracy as queries
    from gengyun.revenue.queries.renewals import converter

    convert, base = converter(today)
    report = queries.report(None, filters, *days, convert)
    return {
        "from": days[0].isoformat(),
        "to": days[1].isoformat(),
        "currency": base,
        "definition": "bias = (forecast - renewed) / due; error = sum |forecast - renewed| / due",
        "decided": report.decided,
        "by_lead_days": {
            str(lead): {
                "renewals": one.count,
                "judged": one.judged,
                "due_minor": one.due_minor,
                "forecast_minor": one.forecast_minor,
                "renewed_minor": one.actual_minor,
                "bias": one.bias,
                "error": one.error,
                "total_error": one.total_error,
            }
            for lead, one in report.by_lead().items()
        },
        "not_known_then": {str(k): v for k, v in report.unknown.items()},
        "decided_before": {str(k): v for k, v in report.early.items()},
    }


def _print_accuracy(found: dict) -> None:
    click.echo(f"{found['decided']} decided renewals, due {found['from']} to {found['to']}")
    for lead, one in found["by_lead_days"].items():
        bias = "-" if one["bias"] is None else f"{one['bias']:+.1%}"
        error = "-" if one["error"] is None else f"{one['error']:.1%}"
        click.echo(
            f"{lead:>3} days before: {one['judged']} of {one['renewals']} judged,"
            f" bias {bias}, error {error}"
        )
