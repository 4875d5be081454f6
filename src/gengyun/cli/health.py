"""`gengyun health`: the scores of a day, one customer explained, and how well scores ranked."""

import csv
import json
from pathlib import Path

import click

from gengyun.cli.daily import check_database
from gengyun.cli.main import setup

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("health", invoke_without_command=True)
@click.option("--as-of", type=DAY, help="The newest judged day on or before (default: today).")
@click.option("--customer", help="One customer with its explanation: external id or name.")
@click.option("--against", type=DAY, help="With --customer: what moved since this day.")
@click.option("--limit", default=20, show_default=True, help="How many of the lowest to list.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one object a line.")
@click.pass_context
def command(context, *, as_of, customer, against, limit, as_json):
    """Health scores as the pages show them, for any judged day."""
    setup()
    if context.invoked_subcommand:  # which asks for the database itself, after its own --help
        return
    check_database()
    from gengyun.health.queries.scores import newest_judged
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    if against and not customer:
        raise click.UsageError("--against needs --customer")
    day = newest_judged(as_of.date() if as_of else day_of(utc_now()))
    if day is None:
        raise click.ClickException("no day has been judged yet: run `gengyun daily` first")
    if customer:
        _one(_find(customer), day, against.date() if against else None, as_json=as_json)
    else:
        _all(day, limit, as_json=as_json)


def _find(text: str):
    from gengyun.customers.models import Customer

    found = Customer.objects.filter(external_id=text).first()
    found = found or Customer.objects.filter(name=text).first()
    if found is None:
        raise click.ClickException(f"there is no customer {text}")
    return found


def _all(day, limit: int, *, as_json: bool) -> None:
    from gengyun.customers.models import Customer
    from gengyun.health.queries.scores import scores_on

    scores = scores_on(day)
    names = Customer.objects.in_bulk(list(scores))
    rows = sorted(scores.items(), key=lambda row: (row[1][0] is None, row[1][0], row[0]))
    if as_json:
        for pk, (score, band) in rows:
            customer = {"customer": names[pk].external_id, "name": names[pk].name}
            line = {"as_of": day.isoformat(), **customer, "score": score, "band": band}
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    bands = {band: sum(b == band for _, b in scores.values()) for band in "ABCDN"}
    counts = "  ".join(f"{band} {count}" for band, count in bands.items())
    click.echo(f"{day}  {len(scores)} customers  {counts}")
    for pk, (score, band) in rows[:limit]:
        click.echo(f"{band}  {_number(score):>5}  {names[pk].external_id}  {names[pk].name}")


def _number(value) -> str:
    return "-" if value is None else f"{value:.1f}"


def _one(customer, day, against, *, as_json: bool) -> None:
    from gengyun.health.calc.diff import diff
    from gengyun.health.queries.scores import explanation_on

    now = explanation_on(customer.pk, day)
    if now is None:
        raise click.ClickException(f"{customer} was not judged on {day}")
    before = explanation_on(customer.pk, against) if against else None
    if against and before is None:
        raise click.ClickException(f"{customer} was not judged in the week up to {against}")
    difference = diff(before, now) if before else None
    if as_json:
        whole = {"customer": customer.external_id, "explanation": now, "difference": difference}
        click.echo(json.dumps(whole, ensure_ascii=False))
        return
    _print_explanation(customer, now)
    if difference:
        _print_difference(difference)


def _print_explanation(customer, found) -> None:
    from rich.console import Console
    from rich.table import Table

    cap = found["cap"]
    title = (
        f"{customer}  {found['as_of']}  {_number(found['score'])} {found['band']}"
        f"  coverage {found['coverage']:.0%}  {found['scorecard_en']} v{found['version_number']}"
    )
    table = Table(title=title)
    for column in ("factor", "weight", "value", "of day", "score", "points"):
        table.add_column(column, justify="left" if column == "factor" else "right")
    for group in found["groups"]:
        weight = f"{group['weight']:.0%}"
        score, points = _number(group["score"]), _number(group["points"])
        table.add_row(group["name_en"], weight, "", "", score, points, style="bold")
        for part in group["factors"]:
            moved = abs(part["weight"] - part["effective_weight"]) > 0.0005
            weight = f"{part['weight']:.1%}"
            weight += f" → {part['effective_weight']:.1%}" if moved else ""
            value = "no data" if part["value"] is None else f"{part['value']:g}"
            day = part["value_as_of"] or part["missing"]
            score, points = _number(part["score"]), _number(part["points"])
            table.add_row(f"  {part['name_en']}", weight, value, day, score, points)
    Console().print(table)
    if cap:
        raw, final = _number(found["raw_score"]), _number(found["score"])
        click.echo(f"weighted {raw}, capped at {final}: {cap['reason_en']}")


def _print_difference(difference) -> None:
    before, after = _number(difference["score_before"]), _number(difference["score_after"])
    click.echo(f"since {difference['as_of_before']}: {before} -> {after}")
    if difference["change"] is None:
        click.echo("one of the two days has no number")
        return
    for factor in difference["factors"]:
        if factor["change"]:
            click.echo(f"  {factor['change']:+6.1f}  {factor['name_en']}")
    if difference["cap_change"]:
        click.echo(f"  {difference['cap_change']:+6.1f}  cap")
    click.echo(f"  {difference['change']:+6.1f}  together")


@command.command("evaluate")
@click.option(
    "--snapshots",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with account_id, t (day), y (1: it happened afterwards) and, to compare with, rec "
    "(days since last use).",
)
@click.option("--from", "first", type=DAY, help="Only rows of this day or later.")
@click.option("--to", "last", type=DAY, help="Only rows of this day or earlier.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(*, snapshots, first, last, as_json):
    """How well health ranked what happened later (churn, silence), in rows you bring.

    Each row is matched with the score of exactly its day, judged before with `gengyun daily
    --as-of` (or --from, --to, --every). Rows without a score are counted and left out of both
    figures, so that health and the comparison speak of the same rows.
    """
    check_database()
    found = _matched(snapshots, first, last)
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(
        f"{found['rows']} rows of {found['days']} days; {found['matched']} have a score, "
        f"{found['not_judged']} were not judged, {found['no_number']} have no number"
    )
    for name, value in (
        ("AUC of 100 - health", found["auc_health"]),
        ("AUC of days since last use", found["auc_recency"]),
    ):
        click.echo(f"{name:28} {'cannot be computed' if value is None else f'{value:.3f}'}")
    for band in found["bands"]:
        click.echo(
            f"  {band['band']}  {band['happened']:>5} of {band['rows']:<5} {band['rate']:.1%}"
        )


def _matched(path: Path, first, last) -> dict:
    from datetime import date

    from gengyun.customers.models import Customer
    from gengyun.health.calc.evaluate import auc, by_band
    from gengyun.health.queries.scores import judged_days, scores_on

    customers = dict(Customer.objects.values_list("external_id", "pk"))
    judged = set(judged_days())
    by_day: dict[date, dict] = {}
    risk, recency, bands, labels = [], [], [], []
    rows = not_judged = no_number = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["t"][:10])
            if (first and day < first.date()) or (last and day > last.date()):
                continue
            rows += 1
            if day not in by_day:
                by_day[day] = scores_on(day) if day in judged else {}
            score, band = by_day[day].get(customers.get(row["account_id"]), (None, ""))
            if score is None:
                not_judged, no_number = not_judged + (not band), no_number + bool(band)
                continue
            risk.append(100 - score)
            recency.append(float(row["rec"]) if row.get("rec") else None)
            bands.append(band)
            labels.append(float(row["y"]) == 1)
    complete = bool(recency) and None not in recency
    return {
        "rows": rows,
        "days": len(by_day),
        "matched": len(risk),
        "not_judged": not_judged,
        "no_number": no_number,
        "auc_health": auc(risk, labels),
        "auc_recency": auc(recency, labels) if complete else None,
        "bands": [
            {"band": b.band, "rows": b.customers, "happened": b.happened, "rate": b.rate}
            for b in by_band(bands, labels)
        ],
    }
