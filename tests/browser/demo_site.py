"""The demo company behind a real server, and a real browser in front of it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

PASSWORD = "gengyun-demo"  # what `gengyun demo` prints
LEADER = "liangjing@hezhou.example"


def chromium():
    """Path of the browser: CHROMIUM, or what the system has; None where there is none."""
    return (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )


@contextmanager
def running_demo(folder, *, patience=480):
    """`gengyun demo` on a port of its own; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gengyun", "demo", "--data", str(folder), "--port", str(port)]
    log = folder.parent / "demo.log"
    env = {key: value for key, value in os.environ.items() if key != "GENGYUN_DATA"}
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(process, address, time.monotonic() + patience, log)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the web server and the worker with it
            process.wait()


def _wait(process, address, until, log):
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the demo ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(address + "/login/", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"the demo did not start: {log.read_text()[-2000:]}")


@contextmanager
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield launched
        launched.close()


class Visit:
    """One person's browser window; everything that went wrong in it is kept in `faults`."""

    def __init__(self, launched, address, *, width=1440, height=900, locale="zh-CN"):
        self.address = address
        self.faults = []
        context = launched.new_context(
            viewport={"width": width, "height": height}, locale=locale, has_touch=width < 500
        )
        self.page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message):
        # a later request took the place of this one; what fails is told by names of its own
        if message.text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            return
        if message.type in {"error", "warning"}:
            self.faults.append(message.text)

    def _request(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"left the machine: {request.url}")

    def log_in(self, email=LEADER, language="zh-hans"):
        page = self.page
        self.go("/login/")
        wanted = "en" if language == "en" else "zh-CN"
        if page.get_attribute("html", "lang") != wanted:
            page.click(".gy-lang button")
        page.fill("[name=username]", email)
        page.fill("[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(re.compile(r"://[^/]+/$"))
        if page.get_attribute("html", "lang") != wanted:
            page.click(".gy-lang button")
        self.settle()
        assert page.get_attribute("html", "lang") == wanted

    def go(self, path):
        self.page.goto(self.address + path)
        self.settle()

    def settle(self):
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_timeout(450)  # charts draw in 300 ms
        # on a busy machine an answer takes longer than that
        busy = "document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')"
        if self.page.evaluate(f"!!{busy}"):
            self.page.wait_for_function(f"() => !{busy}")
            self.page.wait_for_timeout(450)

    def overflow(self):
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
