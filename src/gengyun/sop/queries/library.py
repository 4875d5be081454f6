"""The ready SOPs: data beside the code, in both languages, copied into drafts of one's own.

One file per SOP: `key`, `touch_model`, `name` and `about` by language, and the `form`. Bodies of
letters are lists of lines, so that they can be read.
"""

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from gengyun.kernel.errors import NotFound

FOLDER = "library"


@dataclass(frozen=True)
class Ready:
    key: str
    touch_model: str  # tech, low, high
    name: Mapping[str, str]
    about: Mapping[str, str]
    form: Mapping[str, Any]  # take `own_form`, which may be changed

    def own_form(self) -> dict[str, Any]:
        return deepcopy(dict(self.form))

    def bmat(self) -> list[str]:
        """What its steps work on: m motivation, a ability, t trigger."""
        used = {sign for step in self.form["steps"] for sign in step.get("bmat", "")}
        return [sign for sign in "mat" if sign in used]


@lru_cache(maxsize=1)
def library() -> Sequence[Ready]:
    """In the order of a customer's life, as the files are numbered."""
    folder = files("gengyun.sop") / FOLDER
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".json"))
    return tuple(_read((folder / name).read_text(encoding="utf-8")) for name in names)


def ready(key: str) -> Ready:
    found = next((one for one in library() if one.key == key), None)
    if found is None:
        raise NotFound
    return found


def _read(text: str) -> Ready:
    raw = json.loads(text)
    for step in raw["form"]["steps"]:
        for part in step.get("template", {}).values():
            part["body"] = "\n".join(part["body"])
    return Ready(raw["key"], raw["touch_model"], raw["name"], raw["about"], raw["form"])
