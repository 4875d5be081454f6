import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import demo_site
import together


def copy_of_demo(folder):
    """A demo company of one's own: it is built once for all processes of the run."""

    def build(part):
        with demo_site.running_demo(part / "company"):
            pass

    shutil.copytree(together.once("demo", build) / "company", folder)
    return folder


@pytest.fixture(scope="session")
def site():
    """Address of a demo company of this run's own, or of the one that DEMO_ADDRESS names."""
    if demo_site.chromium() is None:
        pytest.skip("no chromium on this machine; set CHROMIUM to its path")
    if running := os.environ.get("DEMO_ADDRESS"):
        yield running
        return
    # not pytest's own folder: other runs of pytest clear that while the server still needs it
    with (
        tempfile.TemporaryDirectory(prefix="gengyun-browser-") as folder,
        demo_site.running_demo(copy_of_demo(Path(folder) / "company")) as address,
    ):
        yield address


@pytest.fixture(scope="module")
def launched():
    """A browser for a file: while one is open, Django takes this process for an asynchronous one
    and refuses the database to the tests that come after."""
    with demo_site.browser() as browser:
        yield browser


@pytest.fixture
def visit(site, launched):
    """Opens windows; at the end none of them may have seen an error or a CSP violation."""
    opened = []

    def open_window(**options):
        window = demo_site.Visit(launched, site, **options)
        opened.append(window)
        return window

    yield open_window
    faults = [fault for window in opened for fault in window.faults]
    for window in opened:
        window.page.context.close()
    assert faults == []
