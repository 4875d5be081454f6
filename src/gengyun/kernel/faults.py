"""Fault points for the tests that kill the process at chosen moments; off unless asked for.

GENGYUN_FAULT="drain.appended" kills the process (SIGKILL) the first time the point is passed,
"drain.appended:3" the third time. Without the variable a point costs one dictionary look-up.
"""

import os
import signal

_wanted, _, _count = os.environ.get("GENGYUN_FAULT", "").partition(":")
_left = int(_count or 1)


def point(name: str) -> None:
    global _left  # noqa: PLW0603 - a countdown of this process, only under test
    if name != _wanted:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
