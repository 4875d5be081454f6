"""`gengyun demo`: a company to look around in, on this machine, without any set-up."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click

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
    """Build a company with 300 customers and a year of data, start it, print address and logins.

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
            click.echo(f"演示公司在 {folder}，数据截至 {built}；--fresh 重新生成。")
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
    """Point this process, and those it starts, at the folder; then start Django."""
    os.environ["GENGYUN_DATA"] = str(folder)
    setup()


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
    click.echo("正在生成演示公司（300 家客户、12 个月数据）…")
    _migrate()
    built = build(
        as_of=as_of or day_of(now),
        now=now,
        seed=DEFAULT_SEED if seed is None else seed,
        say=lambda name, seconds: click.echo(f"  {name:<14} {seconds:5.1f} s"),
    )
    click.echo(
        f"{built.customer_count} 家客户，{built.event_count:,} 个事件，"
        f"{built.activity_count:,} 条互动，用时 {time.perf_counter() - start:.1f} 秒"
    )
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

    role_names = {
        "admin": "管理员",
        "leader": "主管",
        "csm": "客户成功经理",
        "operations": "运营",
        "viewer": "只读",
    }
    click.echo(f"\n  {click.style(address, bold=True)}   密码都是 {PASSWORD}\n")
    for colleague in LOGINS:
        click.echo(f"  {colleague.email:<28} {colleague.name}  {role_names[colleague.role]}")
    click.echo("\n  Ctrl-C 停止。下次启动沿用这份数据。")


@contextmanager
def _stopping(running: Running):
    """SIGTERM ends us as Ctrl-C does; the processes we started end with us, in any case."""

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield running
    except KeyboardInterrupt:
        click.echo("\n正在停止…")
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
    for problem in problems:
        click.echo(f"  failed: {problem}", err=True)
    if problems:
        click.echo(running.told(), err=True)
        return 1
    click.echo("demo --check: ok")
    return 0
