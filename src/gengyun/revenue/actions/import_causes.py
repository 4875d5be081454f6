"""Why a line was lost, as a file names it: a cause of the tree, else the row says so.

The tree is kept by a package above, which tells its causes here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings

from gengyun.customers.actions.import_kinds import Context, Planned


@dataclass(frozen=True)
class Cause:
    key: str
    name_zh: str
    name_en: str
    is_offered: bool = True  # retired ones are still understood


_listed: list[Callable[[], Sequence[Cause]]] = []


def register(listed: Callable[[], Sequence[Cause]]) -> None:
    _listed.append(listed)


def read_causes(rows: Sequence[Planned], context: Context) -> None:
    """By key or name in either language. A word that is none is left out and flagged, for a loss
    of a cause that nobody knows would be in no report; without a tree it stays as it is written."""
    wanted = [row for row in rows if "cause" in row.values]
    causes = [cause for listed in _listed for cause in listed()] if wanted else []
    if not causes:
        return
    keys: dict[str, str] = {}
    for cause in sorted(causes, key=lambda cause: not cause.is_offered):
        for name in (cause.key, cause.name_zh, cause.name_en):
            keys.setdefault(_bare(name), cause.key)
    is_zh = _language(context).startswith("zh")
    offered = [cause.name_zh if is_zh else cause.name_en for cause in causes if cause.is_offered]
    for row in wanted:
        key = keys.get(_bare(row.values["cause"]))
        if key is None:
            row.flag("loss_cause_unknown", "cause", causes=", ".join(offered))
            del row.values["cause"]
        else:
            row.values["cause"] = key


def _bare(name: str) -> str:
    return "".join(name.replace("_", " ").casefold().split())


def _language(context: Context) -> str:
    language: str = context.actor.language if context.actor else settings.LANGUAGE_CODE
    return language
