"""`gengyun rebuild`: everything derived, anew from its sources."""

import json

import click

from gengyun.cli.main import setup


@click.command(name="rebuild", short_help="make derived rows anew from their sources")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(as_json) -> None:
    """Make every customer's summary row anew: from customers, activities, health and the lake.

    The rows follow every change by themselves; this is for after a restore, or when one is in
    doubt. Rows that were different are counted.
    """
    setup()
    from rich.progress import Progress

    from gengyun.cli.daily import check_database
    from gengyun.kernel.clock import utc_now
    from gengyun.lake.store import Lake
    from gengyun.portfolio.actions.live import rebuild
    from gengyun.portfolio.queries.fingerprint import fingerprints

    check_database()
    before = fingerprints()
    with Progress(transient=True, disable=as_json) as progress:
        task = progress.add_task("summaries", total=None)
        count = rebuild(
            now=utc_now(),
            lake=Lake.default(),
            report=lambda done, total: progress.update(task, completed=done, total=total),
        )
    after = fingerprints()
    keys = before.keys() | after.keys()
    changed = sum(before.get(key) != after.get(key) for key in keys)
    if as_json:
        click.echo(json.dumps({"customers": count, "changed": changed}))
    else:
        click.echo(f"{count} summary rows made anew, {changed} of them were different")
