"""`gengyun start`: everything one machine needs, web and worker, kept running."""

import ctypes
import signal
import subprocess
import sys
import time

import click

from gengyun.cli.main import setup
from gengyun.cli.web import require_free

STOP_SECONDS = 30  # `gengyun web` gives its processes 15
QUICK_SECONDS = 5.0  # an end sooner than this after the first start is a mistake of set-up
LONGEST_PAUSE_SECONDS = 30.0


class Child:
    """One process that is started again whenever it ends, after growing pauses."""

    def __init__(self, name: str, arguments: list[str]) -> None:
        self.name = name
        self.arguments = arguments
        self.starts = 0
        self.pause = 1.0
        self.start_at: float | None = None  # when to try again
        self.start()

    def start(self) -> None:
        self.start_at = None
        self.starts += 1
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 (ourselves)
            [sys.executable, "-m", "gengyun", *self.arguments],
            stdin=subprocess.DEVNULL,
            # Ctrl-C reaches us alone; we pass it on, once
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 (we run no other thread)
        )

    def check(self) -> int | None:
        """Start again what ended. An exit code: it ended at once, so starting again is no use."""
        if self.start_at is not None:
            if time.monotonic() >= self.start_at:
                self.start()
            return None
        code = self.process.poll()
        if code is None:
            return None
        lasted = time.monotonic() - self.started_at
        if self.starts == 1 and lasted < QUICK_SECONDS:
            return code or 1
        self.pause = 1.0 if lasted > LONGEST_PAUSE_SECONDS else self.pause * 2
        self.pause = min(self.pause, LONGEST_PAUSE_SECONDS)
        click.echo(f"gengyun: {self.name} ended ({code}); again in {self.pause:.0f} s", err=True)
        self.start_at = time.monotonic() + self.pause
        return None

    def ask_to_stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()

    def wait(self, until: float) -> None:
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _end_with_parent() -> None:
    """On Linux the kernel ends a child whose parent was killed; elsewhere it lives on."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1  # noqa: N806 (the kernel's name)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@click.command(name="start")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes, as of `gengyun web`.")
def command(host: str, port: int, workers: int | None) -> None:
    """Run web and worker until Ctrl-C. Brings the database up to date first."""
    setup()
    require_free(host, port)
    from django.core.management import call_command

    from gengyun.cli.migrate import install_missing

    call_command("migrate", verbosity=0)
    install_missing()
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: stopping.append(received))
    web = ["web", "--host", host, "--port", str(port)]
    if workers:
        web += ["--workers", str(workers)]
    children = [Child("web", web), Child("worker", ["worker"])]
    click.echo(f"Gengyun 耕云: http://{'localhost' if host == '0.0.0.0' else host}:{port}/")  # noqa: S104
    code = 0
    while not stopping and not code:
        time.sleep(0.2)
        for child in children:
            code = code or child.check() or 0
    until = time.monotonic() + STOP_SECONDS
    # web first: no new events come while the worker finishes its turn
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.wait(until)
    sys.exit(code)
