"""`gengyun import`: events, customers, contacts, activities, periods, and what concerns revenue."""

import json
from pathlib import Path

import click

from gengyun.cli.main import setup

KINDS = [
    "events",
    "customers",
    "contacts",
    "activities",
    "periods",
    "contracts",
    "invoices",
    "payments",
    "spend",
    "budgets",
    "rates",
    "opportunities",
]


def _pairs(_context, _parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for value in values:
        column, found, field = value.rpartition("=")
        if not found:
            raise click.BadParameter(f"{value}: write COLUMN=FIELD")
        pairs[column] = field
    return pairs


@click.command(name="import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    callback=_pairs,
    metavar="COLUMN=FIELD",
    help="What a column is, where its name does not say it; for events: time, customer, user, "
    "event, message. Further columns of events become properties.",
)
@click.option("--source", "key", default="import", show_default=True, help="Events: the source.")
@click.option(
    "--history",
    is_flag=True,
    help="A record made at the time: events, contracts, invoices, payments, spend and rates count "
    "as known when they happened, so that past days can be judged. For events: a new source.",
)
@click.option("--create-customers", is_flag=True, help="Events: make customers that are missing.")
@click.option("--zone", help="Events: time zone of times without one (default: the company's).")
@click.option("--known-from", metavar="DAY", help="Others: the facts are known since this day.")
@click.option(
    "--set",
    "file_options",
    multiple=True,
    callback=_pairs,
    metavar="OPTION=VALUE",
    help="Revenue: what holds for the whole file: product, create_products, currency, "
    "tax_included, tax_rate, end_day (last or after).",
)
@click.option("--dry-run", is_flag=True, help="Others: say what would happen, change nothing.")
@click.option(
    "--errors",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where rows that cannot be used go (default: FILE.errors.csv here).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def command(*, kind, files, mapping, as_json, errors, **options) -> None:
    """Import FILES: CSV, JSONL (both also .gz) or Parquet for events; CSV, XLSX or JSONL else.

    Kinds: events, customers, contacts, activities, periods; contracts (with their lines),
    invoices, payments, spend, budgets, rates, opportunities.

    Importing the same file again changes nothing. Rows that cannot be used are written to a file
    with the reason; the others go in.
    """
    setup()
    _check_database()
    errors = errors or Path(f"{files[0].name}.errors.csv")
    if kind == "events":
        _events(files, mapping=mapping, errors=errors, as_json=as_json, options=options)
        return
    for path in files:
        _rows(kind, path, mapping=mapping, errors=errors, as_json=as_json, options=options)


def _check_database() -> None:
    from django.db import connection

    if "usage_source" not in connection.introspection.table_names():
        raise click.ClickException("there is no database yet: run `gengyun init` first")


def _events(files, *, mapping, errors, as_json, options) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from gengyun.kernel.clock import utc_now
    from gengyun.lake.store import Lake
    from gengyun.usage.actions.import_events import import_events
    from gengyun.usage.actions.rollups import roll_up

    try:
        zone = ZoneInfo(options["zone"]) if options["zone"] else None
    except (ZoneInfoNotFoundError, ValueError):
        raise click.BadParameter(
            f"{options['zone']} is no time zone", param_hint="--zone"
        ) from None
    now, lake = utc_now(), Lake.default()
    source = _source(options, now)
    with _progress() as progress:
        task = progress.add_task("events", total=None, rows="")

        def show(done, total, report):
            progress.update(task, completed=done, total=total, rows=f"{report.rows} rows")

        report = import_events(
            actor=None,
            now=now,
            source=source,
            files=files,
            lake=lake,
            error_path=errors,
            mapping=mapping,
            create_customers=options["create_customers"],
            zone=zone,
            on_progress=show,
        )
        progress.update(task, description="roll-ups")
        roll_up(lake=lake, now=utc_now())
    line = {
        "kind": "events",
        "source": source.key,
        "rows": report.rows,
        "imported": report.imported,
        "duplicates": report.duplicates,
        "errors": dict(report.errors),
        "error_file": str(report.error_path) if report.error_path else None,
    }
    if as_json:
        click.echo(json.dumps(line))
        return
    click.echo(
        f"{report.rows} rows: {report.imported} imported, {report.duplicates} there already, "
        f"{sum(report.errors.values())} not usable"
    )
    for reason, count in report.errors.most_common():
        click.echo(f"  {reason}: {count}")
    if report.error_path:
        click.echo(f"  these rows with reasons: {report.error_path}")


def _source(options, now):
    """The named source, made when it is not there."""
    from gengyun.usage.actions.sources import create_source
    from gengyun.usage.models import Source

    key = options["key"]
    source = Source.objects.filter(key=key).first()
    if source is None:
        return create_source(
            actor=None,
            now=now,
            name=key,
            key=key,
            unknown_customer="create" if options["create_customers"] else "quarantine",
            is_history=options["history"],
            with_key=False,
        )
    if options["history"] and not source.is_history:
        raise click.UsageError(
            f"the source {key} is no history: its events count as known when they came. "
            "Import into another one (--source NAME --history)."
        )
    return source


def _rows(kind, path, *, mapping, errors, as_json, options) -> None:
    from django.conf import settings

    from gengyun.customers.actions.importing import check_import, prepare_import, run_import
    from gengyun.kernel.clock import utc_now

    now = utc_now()
    run = prepare_import(actor=None, now=now, kind=kind, file_name=path.name, path=path)
    given = {**options["file_options"], "known_from": options["known_from"]}
    if options["history"]:
        given["history"] = True
    run = check_import(
        actor=None, now=now, run=run, mapping={**run.mapping, **mapping}, options=given
    )
    line = {"kind": kind, "file": path.name, "rows": run.row_count}
    if options["dry_run"]:
        line |= {name: run.outcome.get(name) for name in ("created", "changed", "same", "error")}
    else:
        with _progress() as progress:
            task = progress.add_task(kind, total=run.row_count, rows="")
            run = run_import(
                actor=None,
                now=now,
                run=run,
                on_progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        line |= {
            "created": run.created_count,
            "changed": run.changed_count,
            "same": run.same_count,
            "error": run.error_count,
        }
        if run.error_path:
            errors.write_bytes((settings.DATA_DIR / run.error_path).read_bytes())
            line["error_file"] = str(errors)
    if run.rows_path:
        rows_file = Path(f"{path.name}.rows.csv")
        rows_file.write_bytes((settings.DATA_DIR / run.rows_path).read_bytes())
        line["rows_file"] = str(rows_file)
    if as_json:
        extra = {name: run.outcome[name] for name in EXPLAINED if name in run.outcome}
        click.echo(json.dumps(line | extra, ensure_ascii=False))
        return
    click.echo(", ".join(f"{name} {value}" for name, value in line.items()))
    _explained(run.outcome)


EXPLAINED = ("totals", "reasons", "flagged")


def _explained(outcome) -> None:
    """Why rows are refused or to be looked at, and where the money of the file went."""
    from gengyun.customers.actions.import_messages import sentence_of

    for name, word in (("reasons", "refused"), ("flagged", "to check")):
        for code, count in outcome.get(name, []):
            click.echo(f"  {word}: {count} rows, {code}: {sentence_of(code)}")
    for total in outcome.get("totals", []):
        parts = ", ".join(
            f"{part} {_major(total[part], total['currency'])}"
            for part in ("file", "created", "changed", "same", "error")
        )
        unread = f", {total['unreadable']} cells not readable" if total["unreadable"] else ""
        click.echo(f"  {total['measure']} {total['currency']}: {parts}{unread}")


def _major(minor: int, currency: str) -> str:
    from gengyun.revenue.calc.import_cells import major

    return major(minor, currency)


def _progress():
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
        console=Console(stderr=True),
        transient=True,
    )
