"""`gengyun bench`: measured figures beside what this machine could do at best, and the targets.

A bench is a module of `cli.benches` with `run(report)`. It measures its own ceiling in the same
run, because a figure without the machine's limit says little about the code.
"""

import json
import platform
import sys
from dataclasses import asdict, dataclass
from importlib import import_module

import click

from gengyun.cli.main import setup

# name -> module of gengyun.cli.benches
BENCHES = {
    "tracking": "tracking",
    "metrics": "metrics",
    "pages": "pages",
    "daily": "daily",
    "alerts": "alerts",
    "revenue": "revenue",
    "fightchurn": "fightchurn",
    "forecast": "forecast",
    "backfill": "backfill",
    "shards": "shards",
    "churn": "churn",
    "sop": "sop",
    "sop-effect": "sop_effect",
}
HEAVY = (
    "daily",
    "revenue",
    "backfill",
    "shards",
    "churn",
    "sop",
    "sop-effect",
)  # minutes and gigabytes: only when named
SUSTAINED_SECONDS = 120.0
WIDTH = 110  # a table that is cut says nothing; a pipe counts as 80 columns


@dataclass
class Figure:
    """One measured value. `ratio`: how much of the ceiling was reached. No target: `ok` is None."""

    name: str
    value: float
    unit: str
    ceiling: float | None
    ratio: float | None
    target: float | None
    ok: bool | None


class Report:
    """Collects figures; prints each as a JSON line at once, or all as a table at the end."""

    def __init__(
        self,
        *,
        as_json: bool,
        seconds: float = SUSTAINED_SECONDS,
        customers: int | None = None,
        only: tuple[str, ...] = (),
    ) -> None:
        self.as_json = as_json
        self.only = only  # parts of `churn`; none: all
        self.customers = customers  # how many to make; None: what the bench's targets are for
        self.seconds = seconds  # of the benches that hold a load for a while
        self.figures: list[Figure] = []
        self.notes: list[str] = []

    def add(
        self,
        *,
        name: str,
        value: float,
        unit: str,
        ceiling: float | None = None,
        target: float | None = None,
        higher_is_better: bool = True,
    ) -> None:
        ok = None
        if target is not None:
            ok = value >= target if higher_is_better else value <= target
        ratio = None
        if ceiling and value:
            ratio = round(value / ceiling if higher_is_better else ceiling / value, 3)
        figure = Figure(name, _short(value), unit, _short(ceiling), ratio, target, ok)
        self.figures.append(figure)
        if self.as_json:
            click.echo(json.dumps(asdict(figure), ensure_ascii=False))

    def note(self, text: str) -> None:
        """What a reader must know to understand the figures, above all what a ceiling is."""
        self.notes.append(text)

    def say(self, text: str) -> None:
        """What is being done now, for the person who waits; never in the way of JSON."""
        click.echo(text, err=True)

    @property
    def is_missed(self) -> bool:
        return any(figure.ok is False for figure in self.figures)

    def print_table(self) -> None:
        from rich.console import Console
        from rich.table import Table

        table = Table(title=f"{platform.machine()}, {platform.python_version()}")
        for column in ("", "value", "unit", "ceiling", "ratio", "target", "ok"):
            side = "left" if column in {"", "unit"} else "right"
            table.add_column(column, justify=side, no_wrap=True)
        for figure in self.figures:
            table.add_row(
                figure.name,
                _text(figure.value),
                figure.unit,
                _text(figure.ceiling),
                "" if figure.ratio is None else f"{figure.ratio:.2f}",
                _text(figure.target),
                {True: "yes", False: "MISSED", None: ""}[figure.ok],
            )
        widest = [max((len(f.name) for f in self.figures), default=0)]
        widest.append(max((len(f.unit) for f in self.figures), default=0))
        console = Console()
        Console(width=max(console.width, WIDTH, sum(widest) + 50)).print(table)
        for text in self.notes:
            click.echo(f"- {text}")


def _short(value: float | None) -> float | None:
    """Three decimals under a hundred, none above: more would only be noise."""
    if value is None:
        return None
    return round(value, 3) if abs(value) < 100 else round(value)


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:,.6g}" if abs(value) < 100 else f"{value:,.0f}"


@click.command(name="bench")
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHES)))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for machines.")
@click.option(
    "--seconds",
    default=SUSTAINED_SECONDS,
    show_default=True,
    type=click.FloatRange(min=5),
    help="How long a sustained load is held.",
)
@click.option(
    "--customers",
    type=click.IntRange(min=5_000),
    help="How many customers `pages`, `daily`, `sop` make (default: what their targets are for).",
)
@click.option(
    "--only", multiple=True, help="A part of `churn` or `sop` alone, such as tables, day."
)
def command(
    names: tuple[str, ...],
    as_json: bool,
    seconds: float,
    customers: int | None,
    only: tuple[str, ...],
) -> None:
    """Measure speed on this machine; exit 1 when a target is missed.

    Uses a data folder (with GENGYUN_DATABASE_URL, a database) of its own that is removed
    afterwards. Wants an otherwise idle machine.
    """
    own_data_folder()
    setup()
    report = Report(as_json=as_json, seconds=seconds, customers=customers, only=only)
    for name in names or [name for name in BENCHES if name not in HEAVY]:
        import_module(f"gengyun.cli.benches.{BENCHES[name]}").run(report)
    if not as_json:
        report.print_table()
    sys.exit(1 if report.is_missed else 0)


def make_database() -> None:
    """An empty database in the bench's data folder, made once."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def own_data_folder() -> None:
    """Before Django reads its settings: a bench never touches the data of a deployment."""
    import atexit
    import os
    import shutil
    import tempfile

    # beside the real one, so that it lies on the same disk
    from platformdirs import user_data_dir

    parent = os.environ.get("GENGYUN_DATA") or user_data_dir("gengyun", False)
    os.makedirs(parent, exist_ok=True)  # noqa: PTH103
    folder = tempfile.mkdtemp(prefix="bench-", dir=parent)
    os.environ["GENGYUN_DATA"] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    own_database()


def own_database() -> None:
    """With GENGYUN_DATABASE_URL: a database of its own on that server, dropped at the end."""
    import atexit
    import os
    import secrets
    from urllib.parse import urlsplit

    address = os.environ.get("GENGYUN_DATABASE_URL", "")
    if not address.startswith("postgres"):
        return
    import psycopg

    name = f"gengyun_bench_{secrets.token_hex(4)}"
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")

    def drop() -> None:
        with psycopg.connect(address, autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    atexit.register(drop)
    os.environ["GENGYUN_DATABASE_URL"] = urlsplit(address)._replace(path=f"/{name}").geturl()
