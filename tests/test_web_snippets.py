"""Every snippet of a source's page, run as it stands with its client against a real server."""

import json
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from deployment import Deployment
from real_clients import npm_clients, python_clients

from gengyun.web.present.snippets import snippets

pytestmark = pytest.mark.slow
SOURCE = """
from datetime import UTC, datetime
from gengyun.usage.actions.sources import create_source
source = create_source(actor=None, now=datetime.now(UTC), name={name!r}, key={name!r},
                       unknown_customer="create", is_browser={browser}, drops_bots={browser})
source.keys.update(key="key-" + {name!r})
"""
PYTHON = ("python", "rudder-python", "posthog-python")
NODE = ("node", "rudder-node", "posthog-node")
BROWSER = ("browser", "segment-browser", "rudder-browser", "posthog-browser")
PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"  # fmt: skip


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    deployment = Deployment(tmp_path_factory.mktemp("snippets") / "data")
    names = ("curl", *PYTHON, *NODE, *BROWSER)
    deployment.python("".join(SOURCE.format(name=n, browser=n in BROWSER) for n in names))
    deployment.start(workers=1).start_worker()
    yield deployment
    deployment.stop_all()


def code_of(deployment, name):
    address = f"http://127.0.0.1:{deployment.port}/"
    found = snippets(address=address, key=f"key-{name}", is_browser=name in BROWSER)
    return {snippet.name: snippet for snippet in found}[name].code


def check(deployment, name):
    """The example event is in the lake, once, with its customer and its number."""
    until = 40
    while True:
        deployment.wait_until_drained()
        ((source,),) = deployment.rows(f"SELECT id FROM usage_source WHERE key = '{name}'")
        rows = [
            row
            for row in deployment.events().to_pylist()
            if row["source_id"] == source and row["kind"] == "track"
        ]
        if rows or not until:
            break
        until -= 1
        threading.Event().wait(0.5)
    customers = dict(deployment.rows("SELECT id, external_id FROM customers_customer"))
    found = [(customers[r["customer_id"]], r["user_id"], r["event"]) for r in rows]
    assert found == [("acct_88", "u_1001", "导出报表")]
    properties = json.loads(rows[0]["properties"])
    assert properties["rows"] == 1280
    assert ("$ip" in properties) == (name in BROWSER)
    return deployment


@pytest.mark.parametrize("name", ["curl", *PYTHON, *NODE])
def test_snippet_of_a_server_runs_and_its_event_arrives(live, name):
    if name == "curl":
        command, cwd = ["bash", "-c"], None
    elif name in PYTHON:
        command, cwd = [str(python_clients()), "-c"], None
    else:
        command, cwd = ["node", "-e"], npm_clients()
    subprocess.run([*command, code_of(live, name)], cwd=cwd, check=True, timeout=90)
    check(live, name)


@pytest.mark.parametrize("name", BROWSER)
def test_snippet_of_a_browser_runs_in_chromium_and_its_event_arrives(live, name, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    code = code_of(live, name)
    if name != "browser":
        code = f"<script>{bundled(code, npm_clients())}</script>"
    page = f"<!doctype html><meta charset=utf-8><title>App</title><body>{code}</body>"
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    with served(tmp_path) as address, ThreadPoolExecutor(1) as beside:
        # the other browser tests' Playwright may still run in this thread
        beside.submit(_visit, sync_playwright, chromium, address).result()
    check(live, name)


def _visit(sync_playwright, chromium, address):
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        tab = browser.new_page(user_agent=PERSON)
        # posthog-js sends nothing for a browser that is driven by a program
        tab.add_init_script("Object.defineProperty(navigator, 'webdriver', {get: () => false})")
        tab.goto(address)
        tab.wait_for_timeout(6_000)
        tab.close(run_before_unload=True)
        browser.close()


def bundled(code, folder):
    """The snippet with its library in one script, as a build tool of the product would make it."""
    command = [Path(folder, "node_modules/.bin/esbuild"), "--bundle", "--format=iife"]
    options = ["--loader=js", "--define:process.env.NODE_ENV='production'", "--log-level=error"]
    done = subprocess.run(
        [*map(str, command), *options], input=code.encode(), cwd=folder, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().replace("</script", "<\\/script")


class served:  # noqa: N801 (read as a with statement)
    """A folder on an address of its own: to our server, a page of another site."""

    def __init__(self, folder):
        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *args):
                pass

        handler = partial(Quiet, directory=str(folder))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
