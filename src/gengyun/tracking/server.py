"""One address: tracking paths go to the raw endpoint, everything else to Django's pages.

An RSGI application for granian: see docs/adr/0002. `config.server` puts it together.
"""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from gengyun.tracking.dialects import is_tracking_path
from gengyun.tracking.endpoint import Endpoint
from gengyun.tracking.keys import Keys
from gengyun.tracking.pages import Pages
from gengyun.tracking.writer import Writer

# room for the fields of a form around the largest file
FORM_BYTES = 1024 * 1024


class Server:
    """One worker process of the web server; `pages_application` is a WSGI application."""

    def __init__(self, pages_application: Callable[..., Iterable[bytes]]) -> None:
        self.pages_application = pages_application

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.threads = ThreadPoolExecutor(settings.WEB_THREADS, thread_name_prefix="page")
        # looking up an unknown write key must not take a page's place
        self.key_threads = ThreadPoolExecutor(1, thread_name_prefix="key")
        self.keys = Keys()
        self.keys.start()
        self.writer = Writer(settings.INBOX_PATH, limit_bytes=settings.TRACKING_INBOX_MAX_BYTES)
        self.writer.start(loop)
        self.tracking = Endpoint(
            keys=self.keys,
            writer=self.writer,
            threads=self.key_threads,
            max_body_bytes=settings.TRACKING_MAX_BODY_BYTES,
            # GENGYUN_HTTPS=1: a proxy of ours stands in front and says who is behind it
            behind_proxy=bool(getattr(settings, "SECURE_PROXY_SSL_HEADER", None)),
        )
        self.pages = Pages(
            self.pages_application,
            threads=self.threads,
            max_body_bytes=settings.GENGYUN_IMPORT_MAX_BYTES + FORM_BYTES,
        )
        _die_with_parent()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.writer.stop()
        self.keys.stop()
        self.key_threads.shutdown(wait=True, cancel_futures=True)
        self.threads.shutdown(wait=True, cancel_futures=True)

    async def __rsgi__(self, scope, protocol) -> None:
        if is_tracking_path(scope.path):
            await self.tracking(scope, protocol)
        else:
            await self.pages(scope, protocol)


def _die_with_parent() -> None:
    """A worker whose granian master was killed would go on holding the port: it ends itself."""
    master = multiprocessing.parent_process()
    if master is None:
        return

    def watch() -> None:
        master.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
