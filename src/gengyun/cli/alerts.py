"""`gengyun alerts`: what a day opened, what waits, and how right each rule is."""

import json

import click

from gengyun.cli.alerts_evaluate import evaluate
from gengyun.cli.daily import check_database
from gengyun.cli.main import setup

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("alerts", invoke_without_command=True)
@click.option("--as-of", type=DAY, help="Judge this day for alerts first (not before the newest).")
@click.option("--limit", default=20, show_default=True, help="How many open alerts to list.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one object a line.")
@click.pass_context
def command(context, *, as_of, limit, as_json):
    """Open alerts, most urgent first.

    With --as-of the day is judged: run twice, nothing opens twice; a day before the newest judged
    one changes nothing. `gengyun daily` judges alerts too, after metrics and health.
    """
    setup()
    if context.invoked_subcommand:  # which asks for the database itself, after its own --help
        return
    check_database()
    if as_of:
        _judge(as_of.date(), as_json=as_json)
    _list(limit, as_json=as_json)


def _judge(day, *, as_json: bool) -> None:
    from dataclasses import asdict

    from gengyun.alerts.actions.defaults import install_defaults
    from gengyun.alerts.actions.evaluate import evaluate_day
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    now = utc_now()
    if day > day_of(now):
        raise click.UsageError(f"{day} is not here yet")
    install_defaults(now=now)
    found = evaluate_day(day, now=now)
    if as_json:
        click.echo(json.dumps(asdict(found) | {"as_of": day.isoformat()}))
    elif not found.is_newest:
        click.echo(f"{day}  a newer day has been judged: nothing was opened or closed")
    else:
        click.echo(
            f"{day}  {found.customers} customers  opened {found.opened} ({found.tickets} shown, "
            f"{found.digest} in the digest)  joined {found.joined}  closed {found.closed}  "
            f"silenced {found.suppressed}"
        )


def _list(limit: int, *, as_json: bool) -> None:
    from gengyun.alerts.queries.queue import counts, incidents, queue
    from gengyun.kernel.clock import utc_now

    now = utc_now()
    rows = [*incidents(None), *queue(None, now=now)[:limit]]
    if as_json:
        for alert in rows:
            click.echo(json.dumps(_plain(alert), ensure_ascii=False))
        return
    tabs = counts(None, now=now).tabs
    click.echo(
        f"open {tabs['open']}  digest {tabs['digest']}  snoozed {tabs['snoozed']}  "
        f"closed by themselves, not answered {tabs['asked']}"
    )
    for alert in rows:
        who = alert.customer or "-"
        click.echo(f"{alert.severity}  {alert.opened_on}  {alert.rule.name_zh}  {who}")


def _plain(alert) -> dict:
    return {
        "id": alert.pk,
        "customer": alert.customer.external_id if alert.customer else None,
        "rule": alert.rule.key,
        "family": alert.family,
        "severity": alert.severity,
        "state": alert.state,
        "owner": alert.owner.email if alert.owner else None,
        "opened_on": alert.opened_on.isoformat(),
        "response_due_at": alert.response_due_at and alert.response_due_at.isoformat(),
        "resolve_due_at": alert.resolve_due_at and alert.resolve_due_at.isoformat(),
    }


@command.command("quality")
@click.option("--json", "as_json", is_flag=True, help="JSON, one object a rule.")
def quality(*, as_json):
    """How right each rule is, from what people said when they closed its alerts."""
    check_database()
    from gengyun.alerts.queries.quality import quality as quality_of
    from gengyun.kernel.clock import utc_now

    for row in quality_of(now=utc_now()):
        found = row.precision
        line = {
            "rule": row.rule.key,
            "active": row.rule.is_active,
            "open": row.open,
            "opened_28d": row.opened_28d,
            "true": found.true,
            "false": found.false,
            "known": found.known,
            "precision": found.share,
            "interval": found.interval,
            "not_judged": row.unasked,
            "demote": row.is_demotion_proposed,
        }
        if as_json:
            click.echo(json.dumps(line))
            continue
        share = "-" if found.share is None else f"{found.share:.2f} of {found.judged}"
        told = "  propose less" if row.is_demotion_proposed else ""
        click.echo(f"{row.rule.key:16} open {row.open:>4}  right {share}{told}")


command.add_command(evaluate)
