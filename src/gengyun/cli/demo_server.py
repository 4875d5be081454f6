"""Starting and stopping web and worker for the demo."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

READY_SECONDS = 60
STOP_SECONDS = 40


def free_port(wanted: int = 0) -> int:
    """`wanted` or the next free one; any free port without a wish."""
    for port in range(wanted, wanted + 50) if wanted else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port from {wanted} on")


class Running:
    """`gengyun start` as a child process; it uses the environment's GENGYUN_DATA."""

    def __init__(self, port: int, *, output: int | None = None) -> None:
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        # a file, not a pipe: nobody has to read it for the child to go on
        self._log = tempfile.TemporaryFile("w+") if output is not None else None  # noqa: SIM115
        self._child = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "gengyun", "start", "--port", str(port)],
            stdout=self._log or subprocess.DEVNULL,  # the address is ours to tell
            stderr=subprocess.STDOUT if self._log else None,
            stdin=subprocess.DEVNULL,
            env=os.environ.copy(),
            # Ctrl-C reaches us alone; we pass it on, once
            start_new_session=True,
        )

    def wait_until_ready(self) -> bool:
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and self._child.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/login/", timeout=5) as answer:  # noqa: S310
                    if answer.status == 200:
                        return True
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        return False

    def wait(self) -> None:
        self._child.wait()

    def stop(self) -> None:
        if self._child.poll() is not None:
            return
        self._child.send_signal(signal.SIGINT)
        try:
            self._child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def exit_code(self) -> int | None:
        return self._child.poll()

    def told(self) -> str:
        """The last lines the processes wrote, where they were kept."""
        if self._log is None:
            return ""
        self._log.seek(0)
        # refusals are what the walk asked for
        lines = [line for line in self._log if "WARNING django.request:" not in line]
        return "".join(lines[-30:])
