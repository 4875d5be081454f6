"""What a draft changes against the published version, at the place where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from gengyun.web.present import condition_form as conditions
from gengyun.web.present import sop_form, sop_tree, sop_words
from gengyun.web.present.condition_form import Fields

Form = Mapping[str, Any]
WAYS = ("cases", "otherwise", "late")


@dataclass
class Changes:
    """`was`: {name of a field or key of a step: "was 60"}; `gone`: titles of steps taken away."""

    was: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    count: int = 0


def changes(base: Form | None, form: Form, words: Any, fields: Fields) -> Changes:
    """Nothing where there is no version before."""
    found = Changes()
    if not base:
        return found
    _conditions(found, base, form, words, fields)
    _settings(found, base, form, fields)
    _steps(found, base, form, fields)
    found.count = len(found.was) + len(found.gone)
    return found


def _conditions(found: Changes, base: Form, form: Form, words: Any, fields: Fields) -> None:
    pairs = [
        ("entry.when", (base.get("entry") or {}).get("when"), form["entry"].get("when")),
        ("exit", base.get("exit"), form.get("exit")),
        ("goal", base.get("goal"), form.get("goal")),
    ]
    for name, old, new in pairs:
        before = list(_rows(conditions.of_json(old, fields), name))
        for at, row in _rows(conditions.of_json(new, fields), name):
            told = _was(row, [one for _at, one in before], fields)
            if told:
                found.was[at] = told
        after = [row for _at, row in _rows(conditions.of_json(new, fields), name)]
        for _at, row in before:
            if not any(_asks(row) == _asks(one) for one in after):
                raw, errors = conditions.to_json(
                    conditions.empty_group() | {"parts": [row]}, fields, name=name, with_steps=True
                )
                if not errors:
                    found.gone.append(words.sentence(raw))


def _rows(node: conditions.Node, name: str):
    for place, part in enumerate(node["parts"]):
        at = f"{name}.parts.{place}"
        if "parts" in part:
            yield from _rows(part, at)
        else:
            yield at, part


def _asks(row: conditions.Node) -> tuple[str, ...]:
    return row["how"], row["field"], row["op"], row["step"]


def _was(row: conditions.Node, before: list[conditions.Node], fields: Fields) -> str:
    """ "was 60" where the same question had another answer, "new" where it was not asked."""
    if row in before:
        return ""
    same = [one for one in before if _asks(one) == _asks(row)]
    if not same:
        return _("new in this draft")
    old = same[0]
    names = dict(fields[row["field"]].options) if row["field"] in fields else {}
    shown = ("、" if _("yes") == "是" else ", ").join(names.get(v, v) for v in old["values"])
    if row["how"] == "held" and old["days"] != row["days"]:
        shown = sop_words.counted("days", old["days"])
    return _("changed, was %(value)s") % {"value": shown} if shown else _("changed in this draft")


def _settings(found: Changes, base: Form, form: Form, fields: Fields) -> None:
    if (base.get("entry") or {}).get("kind") != form["entry"]["kind"]:
        was = dict(sop_words.entry_kinds()).get((base.get("entry") or {}).get("kind"), "?")
        found.was["entry.kind"] = _("changed, was %(value)s") % {"value": was}
    if round(float(base.get("holdout") or 0), 4) != round(float(form.get("holdout") or 0), 4):
        was = f"{float(base.get('holdout') or 0):.0%}"
        found.was["holdout"] = _("changed, was %(value)s") % {"value": was}
    was, now = sop_form.draft_of(base, fields), sop_form.draft_of(form, fields)
    for name in ("identity", "on_lost", "reentry", "outcome", "not_while_in"):
        if was[name] != now[name]:
            found.was[name] = _("changed in this draft")


def _steps(found: Changes, base: Form, form: Form, fields: Fields) -> None:
    before = {step["key"]: step for step in base.get("steps") or ()}
    after = {step["key"]: step for step in form.get("steps") or ()}
    was, now = _inside(base, fields), _inside(form, fields)
    for key, step in after.items():
        old = before.get(key)
        if old is None:
            found.was[key] = _("new in this draft")
        elif was.get(key) != now.get(key):
            told = _title_was(old, step)
            found.was[key] = told or _("changed in this draft")
        elif sop_tree.ways(old) != sop_tree.ways(step):
            found.was[key] = _("goes on differently in this draft")
    for key, step in before.items():
        if key not in after:
            found.gone.append(_title(step) or sop_words.kind_word(step.get("kind", "")))


def _inside(form: Form, fields: Fields) -> dict[str, Any]:
    """What each step holds, as the editor reads it: two ways to write it are the same."""
    found = {}
    for item in sop_tree.items_of(sop_form.draft_of(form, fields)["block"]):
        kept = {name: value for name, value in item.items() if name not in WAYS}
        found[item["key"]] = kept | {"when": [case["when"] for case in item.get("cases", ())]}
    return found


def _title(step: Mapping[str, Any]) -> str:
    title = step.get("title") or ""
    return next(iter(title.values()), "") if isinstance(title, Mapping) else str(title)


def _title_was(old: Mapping[str, Any], step: Mapping[str, Any]) -> str:
    if old.get("kind") == "wait" == step.get("kind"):
        for kind in ("days", "working_days"):
            if old.get(kind) is not None and old.get(kind) != step.get(kind):
                return _("changed, was %(value)s") % {"value": sop_words.counted(kind, old[kind])}
    return ""
