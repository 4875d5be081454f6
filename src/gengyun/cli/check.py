"""`gengyun check`: everything that can be judged without running the product."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

import gengyun
from gengyun.cli.checks import code, lists, translations

CHECKS: tuple[tuple[str, str, Callable[[Path], list[str]]], ...] = (
    ("ruff", "ruff check", code.lint),
    ("format", "ruff format --check", code.layout),
    ("imports", "import contracts", code.imports),
    ("types", "mypy on calc and actions", code.types),
    ("migrations", "makemigrations --check", code.migrations),
    ("translations", "translations are complete", translations.check),
    ("docs", "docs name every command, setting, path and event", lists.check),
)


def checkout() -> Path | None:
    """The folder with pyproject.toml and src/, when we run from one."""
    root = Path(gengyun.__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").exists() and (root / "src").is_dir() else None


@click.command(short_help="lint, types, contracts, migrations, translations, docs")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([name for name, _, _ in CHECKS]),
    help="run only this check; may be repeated",
)
def command(only: tuple[str, ...]) -> None:
    """Judge the source tree; exit 1 when a check fails.

    For people who change Gengyun: it needs a checkout and the development tools.
    """
    root = checkout()
    if root is None:
        click.echo(
            "gengyun check: needs a checkout of the sources, not an installed copy", err=True
        )
        sys.exit(1)
    failed = 0
    for name, title, check in CHECKS:
        if only and name not in only:
            continue
        start = time.perf_counter()
        try:
            problems = check(root)
        except Exception as error:  # noqa: BLE001 - a check that breaks has failed; the rest goes on
            problems = [f"the check itself broke: {error!r}"]
        word = click.style("failed", fg="red") if problems else click.style("ok", fg="green")
        pad = " " * (8 - len("failed" if problems else "ok"))
        click.echo(f"{word}{pad} {title} ({time.perf_counter() - start:.1f} s)")
        for problem in problems:
            click.echo(f"    {problem}")
        failed += bool(problems)
    if failed:
        click.echo(f"{failed} of {len(only or CHECKS)} checks failed", err=True)
        sys.exit(1)
