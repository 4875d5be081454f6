"""`gengyun web`: pages and tracking on one port."""

import os
import socket

import click

from gengyun.cli.main import setup
from gengyun.kernel.errors import Refusal

STOP_SECONDS = 15  # for requests that have begun; a worker that is just starting takes no signal


def default_workers() -> int:
    """One process a core, and never so many that memory is the limit (about 120 MB each)."""
    return min(os.cpu_count() or 1, 4)


class PortTaken(Refusal):
    code = "port_taken"
    message = "Port %(port)s of %(host)s cannot be used: %(reason)s. Choose another with --port."


def require_free(host: str, port: int) -> None:
    """Say it in one line now: the server's processes would say it in many, again and again."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # as the server will: what a server that just ended left behind is no obstacle
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise PortTaken(host=host, port=port, reason=reason) from None


@click.command(name="web")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes; as many as cores, at most 4."
)
def command(host: str, port: int, workers: int | None) -> None:
    """Serve the pages and the tracking endpoint on one port.

    Events are stored at once and wait until `gengyun worker` takes them; `gengyun start` runs both.
    """
    setup()  # a wrong setting shows here, not in every worker process
    require_free(host, port)
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    Granian(
        "gengyun.config.server:application",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,  # HTTP/2 is the business of the proxy that does TLS
        websockets=False,
        workers=workers or default_workers(),
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.warning,
        process_name=None,
    ).serve()
