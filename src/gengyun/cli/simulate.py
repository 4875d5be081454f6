"""`gengyun simulate`: an invented company as files, with the truth apart."""

import json
from datetime import date
from pathlib import Path

import click

PRESETS = ("tiny", "smb", "mixed", "ka", "null", "drift", "outage")


@click.command(short_help="write an invented company as files to import")
@click.argument("preset", type=click.Choice(PRESETS))
@click.option(
    "--out", "folder", required=True, type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files; must be empty or new.",
)  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="Another company for another number.")
@click.option("--accounts", type=click.IntRange(1, 20_000), help="How many customers.")
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON: settings that differ from the preset's, as in a simulation.json.",
)  # fmt: skip
@click.option(
    "--events", type=click.Choice(["parquet", "csv", "none"]), default="parquet",
    show_default=True, help="How the events are written.",
)  # fmt: skip
@click.option("--events-from", metavar="DAY", help="Write events of this day and later only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def command(*, preset, folder, seed, accounts, config, events, events_from, as_json) -> None:
    """Write a company of PRESET: customers, contracts, invoices, events and what people noted.

    PRESETs: tiny (60 customers), smb (500), mixed (2,000), ka (150 large ones), null (nothing that
    can be seen has to do with who leaves), drift (a competitor comes), outage. What may be known
    lies in FOLDER, the truth in FOLDER/truth. Same preset, settings and seed: the same files.
    """
    from gengyun.demo.simulator.company_config import company
    from gengyun.demo.simulator.company_files import write_company
    from gengyun.demo.simulator.company_make import make_company

    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty")
    chosen = company(preset, accounts=accounts)
    if config is not None:
        chosen, seed = _with_file(chosen, config, seed)
    first = _place(events_from, chosen.world.start) if events_from else 0
    made = make_company(chosen, seed=seed)
    counts = write_company(made, folder, events=events, events_from=first)
    if as_json:
        click.echo(json.dumps({"preset": preset, "seed": seed, "rows": counts}))
        return
    for name, count in counts.items():
        click.echo(f"{count:>12,}  {name}")


def _with_file(chosen, path: Path, seed: int):
    from gengyun.demo.simulator.company_config import from_mapping

    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        seed = int(given.pop("seed", seed))
        return from_mapping(given, base=chosen), seed
    except (ValueError, TypeError, AttributeError) as error:
        raise click.BadParameter(f"{path.name}: {error}", param_hint="--config") from None


def _place(text: str, start: date) -> int:
    try:
        return max(0, (date.fromisoformat(text) - start).days)
    except ValueError:
        raise click.BadParameter(f"{text} is no day", param_hint="--events-from") from None
