"""The real client libraries, installed once into a cache folder: never part of the product.

GENGYUN_TEST_CACHE names the folder; by default one of the user's caches.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import platformdirs
import pytest

HERE = Path(__file__).parent / "clients"


@contextmanager
def _folder(pins):
    root = Path(os.environ.get("GENGYUN_TEST_CACHE") or platformdirs.user_cache_dir("gengyun-test"))
    text = (HERE / pins).read_bytes() + sys.version.encode()
    folder = root / f"{Path(pins).stem}-{hashlib.sha256(text).hexdigest()[:12]}"
    root.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def _run(*command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-400:]


def python_clients():
    """The Python of an environment that has the Python clients; skips where they cannot be had."""
    with _folder("requirements.txt") as folder:
        ready, python = folder / "ready", folder / "bin" / "python"
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            problem = _run(sys.executable, "-m", "venv", str(folder)) or _run(
                str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt")
            )
            if problem:
                pytest.skip(f"the Python clients could not be installed: {problem}")
            ready.touch()
        return python


def npm_clients():
    """A folder whose node_modules has the npm clients; skips where there is no Node or registry."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node.js and npm are not installed")
    with _folder("package.json") as folder:
        ready = folder / "ready"
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            shutil.copy(HERE / "package.json", folder)
            options = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts")
            problem = _run("npm", "install", *options, cwd=folder)
            if problem:
                pytest.skip(f"the npm clients could not be installed: {problem}")
            ready.touch()
        return folder
