"""The same web server, except that nothing is stored: only to learn what HTTP alone costs.

Never served by a command; the tracking bench names it to granian itself.
"""

import asyncio

import django

django.setup()

from gengyun.lake.inbox import NewBatch  # noqa: E402
from gengyun.tracking.server import Server  # noqa: E402


class _Forgetting:
    """Stands in for the writer and says yes at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def store(self, batch: NewBatch) -> asyncio.Future[None]:
        stored = self._loop.create_future()
        stored.set_result(None)
        return stored

    def stop(self) -> None:
        pass


class Undurable(Server):
    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__rsgi_init__(loop)
        self.writer.stop()
        self.writer = self.tracking.writer = _Forgetting(loop)


def _no_pages(environ, start_response):
    start_response("404 Not Found", [])
    return []


application = Undurable(_no_pages)
