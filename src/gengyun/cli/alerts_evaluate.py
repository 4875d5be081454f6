"""`gengyun alerts evaluate`: what the usage rules would have said about the past, and what came."""

import csv
import json
from datetime import date
from pathlib import Path
from statistics import quantiles

import click

from gengyun.cli.daily import check_database

DAY = click.DateTime(["%Y-%m-%d"])
NAMES = {
    "usage_drop": "R1 usage drop",
    "dormant": "R2 dormant",
    "any": "R1 and R2 as one",
    "slow_slide": "slow slide (watch-list)",
}


@click.command("evaluate")
@click.option("--from", "first", type=DAY, help="Judge from this day on.")
@click.option("--to", "last", type=DAY, help="Judge up to this day.")
@click.option("--every", default=7, show_default=True, type=click.IntRange(1, 90), help="Days.")
@click.option(
    "--silent-days",
    default=180,
    show_default=True,
    type=click.IntRange(14, 1000),
    help="Fallen silent: no use for so many days.",
)
@click.option(
    "--snapshots",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with account_id, t (day), y (1: it happened afterwards): how often it did with an "
    "alert in the 90 days before and without.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def evaluate(*, first, last, every, silent_days, snapshots, as_json) -> None:
    """Replay R1, R2 and the watch-list over the events here, as known then, and compare.

    An alert is true when the customer fell silent within the days of --silent-days around it.
    """
    check_database()
    from gengyun.alerts.calc.outcomes import by_lot, judge, silences
    from gengyun.alerts.queries.history import replay

    found = replay(
        first=first.date() if first else None,
        last=last.date() if last else None,
        every=every,
        report=None if as_json else _progress,
    )
    if not found.days:
        raise click.ClickException("there is less than half a year of events: nothing to replay")
    span = {"silent_days": silent_days, "until": found.until}
    result = {
        "judged_days": len(found.days),
        "from": _day(found.days[0]),
        "to": _day(found.days[-1]),
        "customers": len(found.use_days),
        "customers_with_enough_use": sum(bool(days) for days in found.able.values()),
        "silences_of_all": sum(
            len(silences(days, silent_days=silent_days, until=found.until))
            for days in found.use_days.values()
        ),
        "by_lot": by_lot(found.use_days, found.able, **span),
        "rules": {
            rule: _figures(judge(found.opened[rule], found.use_days, found.able, **span))
            for rule in NAMES
        },
    }
    if snapshots:
        result["snapshots"] = _against(snapshots, found)
    if as_json:
        click.echo(json.dumps(result))
    else:
        _tell(result, silent_days)


def _progress(done: int, total: int) -> None:
    if done % 100 == 0 or done == total:
        click.echo(f"judged {done} of {total} days", err=True)


def _day(number: int) -> str:
    from datetime import timedelta

    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def _figures(outcome) -> dict:
    leads = sorted(outcome.leads)
    cuts = quantiles(leads, n=4) if len(leads) >= 2 else leads * 3 or None
    return {
        "alerts": outcome.alerts,
        "true": outcome.true,
        "false": outcome.false,
        "undecided": outcome.undecided,
        "precision": outcome.precision,
        "silences": outcome.silences,
        "caught": outcome.caught,
        "recall": outcome.recall,
        "on_or_before_last_use": outcome.before,
        "lead_days_quartiles": cuts,
    }


def _against(path: Path, found) -> dict:
    """Rate of y among rows with and without an alert of R1 or R2 in the 90 days up to the row."""
    from gengyun.alerts.calc.outcomes import Opened
    from gengyun.customers.models import Customer

    ids = dict(Customer.objects.values_list("external_id", "pk"))
    days: dict[int, list[int]] = {}
    alert: Opened
    for alert in found.opened["any"]:
        days.setdefault(alert.customer, []).append(alert.day)
    counted = {True: [0, 0], False: [0, 0]}
    skipped = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            day = (date.fromisoformat(row["t"][:10]) - date(1970, 1, 1)).days
            customer = ids.get(row["account_id"])
            if customer is None or not found.days[0] <= day <= found.days[-1]:
                skipped += 1
                continue
            warned = any(day - 90 < one <= day for one in days.get(customer, ()))
            counted[warned][0] += 1
            counted[warned][1] += float(row["y"]) == 1
    return {
        "skipped": skipped,
        "with_alert": _rate(*counted[True]),
        "without_alert": _rate(*counted[False]),
    }


def _rate(rows: int, happened: int) -> dict:
    return {"rows": rows, "happened": happened, "rate": happened / rows if rows else None}


def _tell(result: dict, silent_days: int) -> None:
    click.echo(
        f"{result['judged_days']} days judged from {result['from']} to {result['to']}; "
        f"{result['customers']} customers, {result['customers_with_enough_use']} of them with "
        "enough use for the rules"
    )
    click.echo(
        f"fell silent: no use for {silent_days} days, {result['silences_of_all']} times in all, "
        "most of them of customers whose use is too thin to judge; an alert drawn by lot among "
        f"those that can be judged would be true with {_share(result['by_lot'])}"
    )
    for rule, name in NAMES.items():
        one = result["rules"][rule]
        click.echo(
            f"{name}: {one['alerts']} alerts, {one['true']} true, {one['false']} false, "
            f"{one['undecided']} not decided yet; precision {_share(one['precision'])}"
        )
        cuts = one["lead_days_quartiles"]
        text = "" if cuts is None else f"; {_lead(cuts[1])} (middle half {_middle_half(cuts)})"
        click.echo(
            f"    caught {one['caught']} of {one['silences']} silences, "
            f"{one['on_or_before_last_use']} on or before the last use{text}"
        )
    if "snapshots" in result:
        for key, name in (("with_alert", "with"), ("without_alert", "without")):
            one = result["snapshots"][key]
            click.echo(
                f"rows {name} an alert in the 90 days before: y in {one['happened']} of "
                f"{one['rows']} = {_share(one['rate'])}"
            )


def _lead(days: float) -> str:
    return f"{abs(days):.0f} days {'before' if days >= 0 else 'after'} the last use"


def _middle_half(cuts: list[float]) -> str:
    return f"{_lead(cuts[2])} to {_lead(cuts[0])}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"
