"""`gengyun demo`: a company to look around in, on this machine, without any set-up."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import click
from django.utils.translation import gettext as _

from gengyun.cli.demo_server import Running, free_port
from gengyun.cli.main import setup

DEFAULT_PORT = 8000


@click.command(name="demo", short_help="build the demo company and look around in it")
@click.option("--port", type=click.IntRange(1, 65535), help="8000, or the next free one.")
@click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the demo company; one of its own by default, apart from real deployments.",
)
@click.option("--fresh", is_flag=True, help="Build it anew, with data up to yesterday.")
@click.option("--seed", type=int, help="Another company for another number.")
@click.option("--as-of", "as_of_text", metavar="DATE", help="The day it is; for tests.")
@click.option("--check", is_flag=True, help="Build, start, ask every page as each role, stop.")
def command(
    port: int | None,
    folder: Path | None,
    seed: int | None,
    as_of_text: str | None,
    *,
    fresh: bool,
    check: bool,
) -> None:
    """Build a company with 300 customers and two years of data, start it, print address, logins.

    The first start builds; later ones reuse. Ctrl-C stops.
    """
    as_of = _day(as_of_text)
    if check:
        with tempfile.TemporaryDirectory(prefix="gengyun-demo-") as temporary:
            sys.exit(_check(Path(temporary), port=port, seed=seed, as_of=as_of))
    from gengyun.demo.load.folder import NotADemo, built_as_of, default_folder

    folder = (folder or default_folder()).resolve()
    built = None if fresh else built_as_of(folder)
    try:
        if built is None:
            built = _build(folder, seed=seed, as_of=as_of)
        else:
            _use(folder)
            _migrate()
            told = _(
                "The demo company is in %(folder)s, data up to %(day)s; --fresh makes it anew."
            )
            click.echo(told % {"folder": folder, "day": built - timedelta(days=1)})
    except NotADemo:
        click.echo(f"gengyun demo: {folder} is not empty and not a demo; name another", err=True)
        sys.exit(1)
    _serve(port or free_port(DEFAULT_PORT))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise click.BadParameter(f"{text} is not a date like 2026-11-22") from error


def _use(folder: Path) -> None:
    """Point this process, and those it starts, at the folder; then start Django.

    Chinese is spoken unless the terminal's locale is English.
    """
    os.environ["GENGYUN_DATA"] = str(folder)
    for name in ("GENGYUN_HOSTS", "GENGYUN_ORIGINS", "GENGYUN_HTTPS"):
        os.environ.pop(name, None)  # of a real deployment; the demo is plain http on this machine
    setup()
    from django.utils import translation

    locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    translation.activate("en" if locale.startswith("en") else "zh-hans")


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def _build(folder: Path, *, seed: int | None, as_of: date | None) -> date:
    from gengyun.demo.load.folder import make_room

    make_room(folder)
    _use(folder)
    from gengyun.demo.load.build import build
    from gengyun.demo.world.make import DEFAULT_SEED
    from gengyun.kernel.clock import utc_now
    from gengyun.kernel.days import day_of

    start = time.perf_counter()
    now = utc_now()
    # hundreds of thousands of short-lived rows: looking through all of them again and again is a
    # tenth of the time
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    click.echo(_("Building the demo company: 300 customers, 24 months of data."))
    _migrate()
    built = build(
        as_of=as_of or day_of(now),
        now=now,
        seed=DEFAULT_SEED if seed is None else seed,
        say=lambda name, seconds: click.echo(f"  {name:<14} {seconds:5.1f} s"),
    )
    told = _("%(customers)s customers, %(events)s events, %(activities)s activities: %(seconds)s s")
    counts = {
        "customers": built.customer_count,
        "events": f"{built.event_count:,}",
        "activities": f"{built.activity_count:,}",
        "seconds": f"{time.perf_counter() - start:.1f}",
    }
    click.echo(told % counts)
    return built.as_of


def _serve(port: int) -> None:
    """Web and worker until Ctrl-C."""
    with _stopping(Running(port)) as running:
        if not running.wait_until_ready():
            click.echo("gengyun demo: the web server did not start", err=True)
            sys.exit(1)
        _print_logins(running.address)
        running.wait()


def _print_logins(address: str) -> None:
    from gengyun.demo.load.people import LOGINS, PASSWORD
    from gengyun.team.models import Role

    password = _("password of all: %(password)s") % {"password": PASSWORD}
    click.echo(f"\n  {click.style(address, bold=True)}   {password}\n")
    for colleague in LOGINS:
        click.echo(f"  {colleague.email:<28} {colleague.name}  {Role(colleague.role).label}")
    click.echo("\n  " + _("Ctrl-C stops. The next start uses the same data."))


@contextmanager
def _stopping(running: Running):
    """SIGTERM ends us as Ctrl-C does; the processes we started end with us, in any case."""

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield running
    except KeyboardInterrupt:
        click.echo("\n" + _("Stopping."))
    finally:
        signal.signal(signal.SIGTERM, before)
        running.stop()


def _check(folder: Path, *, port: int | None, seed: int | None, as_of: date | None) -> int:
    data = folder / "data"
    _build(data, seed=seed, as_of=as_of)
    from gengyun.cli.demo_check import look_around

    running = Running(port or free_port(), output=subprocess.PIPE)
    with _stopping(running):
        if not running.wait_until_ready():
            running.stop()
            click.echo(f"gengyun demo: the web server did not start\n{running.told()}", err=True)
            return 1
        problems = look_around(running.address, say=click.echo)
    if running.exit_code() not in {0, -signal.SIGINT, 130}:
        problems.append(f"web and worker did not stop cleanly: exit code {running.exit_code()}")
    if problems:
        click.echo(running.told(), err=True)
        for problem in problems:
            click.echo(f"  failed: {problem}", err=True)
        return 1
    click.echo("demo --check: ok")
    return 0
