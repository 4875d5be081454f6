"""What the recorded stand-ins share: one file per message, and the services' own answers.

The file carries the message's id as its name and is written once: a repeat finds it there, as a
receiver that drops repeats would.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from gengyun.engagement.channels.base import Answer, Posting, Target, as_json


def folder(kind: str) -> Path:
    found: Path = settings.DATA_DIR / "recorded" / kind
    found.mkdir(parents=True, exist_ok=True)
    return found


def keep(kind: str, target: Target, content: bytes, *, suffix: str) -> bool:
    """False: the message is there already. Written whole or not at all."""
    path = folder(kind) / f"{target.message_id}{suffix}"
    if path.exists():
        return False
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    finally:
        part.unlink()
    return True


def keep_posting(kind: str, target: Target, ready: Posting, *, now: datetime) -> bool:
    """The request without what is secret in it: addresses of robots hold their tokens."""
    seen = {
        "at": now.isoformat(),
        "headers": dict(ready.headers),
        "message": json.loads(ready.payload),
    }
    return keep(kind, target, as_json(seen), suffix=".json")


def recording(path: Path, target: Target) -> Mapping[str, Any]:
    """The answer to give: "ok", or the one that the channel's configuration names."""
    known: dict[str, Mapping[str, Any]] = json.loads(path.read_text())
    return known[str(target.config.get("answer") or "ok")]


def answer(path: Path, target: Target) -> Answer:
    found = recording(path, target)
    return Answer(int(found["status"]), as_json(found["body"]))
