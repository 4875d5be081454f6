"""`gengyun churn`: the churn probability of a day, one customer explained, models and training."""

import json
from datetime import date

import click

from gengyun.cli.churn_backtest import command as backtest
from gengyun.cli.churn_evaluate import evaluate
from gengyun.cli.daily import check_database
from gengyun.cli.main import setup

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("churn", invoke_without_command=True)
@click.option("--as-of", type=DAY, help="The newest judged day on or before (default: today).")
@click.option("--customer", help="One customer with its reasons: external id or name.")
@click.option("--tier", help="Only customers of this tier: its key or name.")
@click.option("--owner", help="Only customers of this CSM: name or mail address.")
@click.option("--segment", help="Only customers of a shared view of the list: its name.")
@click.option("--due", type=int, help="Only what comes due within so many days.")
@click.option("--limit", default=20, show_default=True, help="How many of the highest to list.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one object a line.")
@click.pass_context
def command(context, *, as_of, customer, tier, owner, segment, due, limit, as_json):
    """Churn probabilities as the pages show them, for any judged day: the highest first.

    A probability belongs to an event and a day: that the renewal due then does not come, within
    the days of grace; where there are no contracts, that the customer falls silent.
    """
    setup()
    if context.invoked_subcommand:  # which asks for the database itself, after its own --help
        return
    check_database()
    from gengyun.churn.queries.history import newest_day
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    day = newest_day(as_of.date() if as_of else day_of(utc_now()))
    if day is None:
        raise click.ClickException("no day has been judged yet: run `gengyun daily` first")
    if customer:
        _one(customer, day, as_json=as_json)
    else:
        _all(_rows(day, tier, owner, segment, due), day, limit, as_json=as_json)


def _rows(day: date, tier, owner, segment, due) -> list[dict]:
    from gengyun.churn.queries.history import read_forecasts
    from gengyun.customers.models import Customer, Tier
    from gengyun.team.models import User

    wanted = Customer.objects.all()
    if tier:
        found = Tier.objects.filter(key=tier).first() or Tier.objects.filter(name_zh=tier).first()
        found = found or Tier.objects.filter(name_en=tier).first()
        if found is None:
            raise click.ClickException(f"there is no tier {tier}")
        wanted = wanted.filter(tier=found)
    if owner:
        person = User.objects.filter(email=owner).first() or User.objects.filter(name=owner).first()
        if person is None:
            raise click.ClickException(f"there is nobody called {owner}")
        wanted = wanted.filter(owner=person)
    if segment:
        wanted = wanted.filter(pk__in=_of_segment(segment))
    names = {pk: (external, name) for pk, external, name in wanted.values_list(
        "pk", "external_id", "name"
    )}  # fmt: skip
    rows = [row for row in read_forecasts(day).to_pylist() if row["customer_id"] in names]
    if due is not None:
        rows = [row for row in rows if row["lag_days"] is not None and 0 <= row["lag_days"] <= due]
    for row in rows:
        row["customer"], row["name"] = names[row["customer_id"]]
    return sorted(
        rows,
        key=lambda row: (
            row["probability"] is None,
            -(row["probability"] or 0),
            row["customer_id"],
        ),
    )


def _of_segment(name: str):
    """Customers of a view that everybody shares, as it holds today."""
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of
    from gengyun.portfolio.models import SavedView
    from gengyun.portfolio.queries.customer_list import ListQuery, matching

    view = SavedView.objects.filter(name=name, is_shared=True).order_by("pk").first()
    if view is None:
        raise click.ClickException(f"there is no shared view {name}")
    rows = matching(None, ListQuery.from_json(view.query).filters, today=day_of(utc_now()))
    return rows.values("customer_id")


def _all(rows: list[dict], day: date, limit: int, *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(json.dumps(_plain(row), ensure_ascii=False))
        return
    said = [row for row in rows if row["probability"] is not None]
    grades = "  ".join(f"{g} {sum(row['grade'] == g for row in said)}" for g in "ABC")
    click.echo(
        f"{day}  {len(rows)} forecasts  {len(said)} with a number  {grades}  "
        f"{_event(rows)}  {_models(rows)}"
    )
    for row in rows[:limit]:
        number = "-" if row["probability"] is None else f"{row['probability']:.0%}"
        between = "" if row["low"] is None else f"{row['low']:.0%}-{row['high']:.0%}"
        due = row["due_on"] or "-"
        told = f"{number:>5}  {between:>9}  {row['grade'] or row['refused']:<8}  {due}"
        click.echo(f"{told}  {row['customer'] or row['customer_id']}  {row['name']}")


def _event(rows: list[dict]) -> str:
    return rows[0]["event"] if rows else ""


def _models(rows: list[dict]) -> str:
    from gengyun.churn.models import ChurnModel

    ids = sorted({row["model_id"] for row in rows})
    found = ChurnModel.objects.defer("content").in_bulk(ids)
    return ", ".join(
        f"model {pk} {found[pk].rung} of {found[pk].cutoff} ({found[pk].events} losses)"
        for pk in ids
        if pk in found
    )


def _plain(row: dict) -> dict:
    left = {key: value for key, value in row.items() if key not in _JSON}
    left |= {key: value.isoformat() for key, value in left.items() if isinstance(value, date)}
    read = {key: json.loads(row[key]) if isinstance(row[key], str) else row[key] for key in _JSON}
    return left | read


_JSON = ("drivers", "missing", "counterfactuals")


def _one(text: str, day: date, *, as_json: bool) -> None:
    from gengyun.churn.queries.history import forecast_on
    from gengyun.cli.health import _find

    customer = _find(text)
    rows = forecast_on(customer.pk, day)
    if not rows:
        raise click.ClickException(f"{customer} was not judged on {day}")
    for row in rows:
        if as_json:
            who = {"customer": customer.external_id, "name": customer.name}
            click.echo(json.dumps(who | _plain(row), ensure_ascii=False))
        else:
            _print(customer, row)


def _print(customer, row: dict) -> None:
    due = f"due {row['due_on']} (in {row['lag_days']} days)" if row["due_on"] else row["event"]
    if row["probability"] is None:
        click.echo(f"{customer}  {row['as_of']}  {due}  no number: {row['refused']}")
        click.echo(f"  unknown: {', '.join(row['missing'])}")
        return
    click.echo(
        f"{customer}  {row['as_of']}  {due}  {row['probability']:.1%} "
        f"({row['low']:.0%}-{row['high']:.0%}, confidence {row['grade']})  {_models([row])}"
    )
    if row["p30"] is not None:
        click.echo(
            f"  leaving within 30, 90, 180 days: {row['p30']:.1%}, {row['p90']:.1%}, "
            f"{row['p180']:.1%}"
        )
    click.echo(f"  {row['base']:.1%} were every input ordinary")
    for driver in row["drivers"]:
        facts = ", ".join(f"{name} {value:g}" for name, value in driver["fact"].items())
        click.echo(f"  {100 * driver['points']:+5.1f} points  {driver['reason']}  {facts}")
    for change in row["counterfactuals"]:
        click.echo(f"  {change['key']}: {change['probability']:.1%} (association, not effect)")
    if row["missing"]:
        click.echo(f"  unknown: {', '.join(row['missing'])}")


@command.command("train")
@click.option("--as-of", type=DAY, help="Learn what was known before this day (default: today).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def train_now(*, as_of, as_json):
    """Train a model now. It speaks from the next night on if the guard lets it.

    Trained for a past day it knows nothing that came later, and never replaces a newer one.
    """
    check_database()
    from gengyun.churn.actions.train import train
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    now = utc_now()
    day = as_of.date() if as_of else day_of(now)
    if day > day_of(now):
        raise click.UsageError(f"{day} is not here yet")
    made = train(actor=None, now=now, as_of=day, reason="asked")
    if as_json:
        click.echo(json.dumps(_model(made.model) | {"guard": made.model.race.get("guard")}))
        return
    _print_model(made.model)
    verdict = made.verdict
    if verdict is not None and verdict.gain is not None:
        click.echo(
            f"  against the champion: log-loss {verdict.challenger_loss:.4f} and "
            f"{verdict.champion_loss:.4f}, gain {verdict.gain:+.4f} ± {verdict.error:.4f} "
            f"on {verdict.outcomes} customers: {verdict.reason}"
        )
    elif verdict is not None:
        click.echo(f"  against the champion: {verdict.outcomes} outcomes are too few to tell")
    click.echo("  it is in use" if made.took_over else "  it waits; the champion stays in use")


@command.command("models")
@click.option("--limit", default=12, show_default=True, help="How many of the newest to list.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one object a line.")
def models_now(*, limit, as_json):
    """Every model that was trained: what it learned from, and which one speaks."""
    check_database()
    from gengyun.churn.models import ChurnModel

    for row in ChurnModel.objects.defer("content").order_by("-cutoff", "-pk")[:limit]:
        if as_json:
            click.echo(json.dumps(_model(row), ensure_ascii=False))
        else:
            _print_model(row)


def _print_model(row) -> None:
    shift = f"  recalibrated by {row.intercept_shift:+.2f}" if row.intercept_shift else ""
    click.echo(
        f"model {row.pk}  {row.event}  {row.rung}  {row.state}  as of {row.cutoff}  "
        f"{row.outcomes} outcomes, {row.events} lost  ({row.metrics.get('reason', '')}){shift}"
    )
    for note in row.metrics.get("notes", ()):
        told = ", ".join(f"{key} {value}" for key, value in note.items() if key != "key")
        click.echo(f"  {note['key']} {told}")


def _model(row) -> dict:
    names = ("pk", "event", "rung", "state", "outcomes", "events", "rows", "intercept_shift")
    days = ("cutoff", "span_from", "span_to", "trained_at", "promoted_at")
    return {name: getattr(row, name) for name in names} | {
        name: value.isoformat() if (value := getattr(row, name)) else None for name in days
    }


command.add_command(backtest)
command.add_command(evaluate)
