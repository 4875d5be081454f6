"""What the processes of one run of the tests make once and share: the folder TESTS_TOGETHER.

The first process makes the folder and clears it away; CI names one for several runs in a row.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

NAME = "TESTS_TOGETHER"


def _begin():
    """In the first process of a run; those that it starts inherit the name."""
    if os.environ.get(NAME):
        return
    os.environ[NAME] = tempfile.mkdtemp(prefix="gengyun-tests-")
    atexit.register(_clear, os.getpid(), os.environ[NAME])


def _clear(pid, folder):
    if os.getpid() == pid:  # not in a child that was forked off
        shutil.rmtree(folder, ignore_errors=True)


_begin()


def folder():
    return Path(os.environ[NAME])


def once(name, make):
    """The folder `name`, filled by `make(folder)` in whichever process asks first; the others wait
    for it."""
    made = folder() / name
    with (folder() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            part = folder() / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)  # of one that failed
            part.mkdir()
            make(part)
            part.rename(made)
    return made
