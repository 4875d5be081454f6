"""What one version of an SOP changed against the one before, one line for each thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gengyun.web.present import sop_runs, sop_tree, sop_words

Form = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """`place` says what; old or new is "" where it is not there."""

    place: str
    old: str
    new: str


def diff(old: Form, new: Form, words: Any) -> list[Line]:
    lines: list[Line] = []
    _entry(lines, old, new, words)
    for name, label in (("exit", _("Leaves early")), ("goal", _("Goal"))):
        _add(lines, label, words.sentence(old.get(name)), words.sentence(new.get(name)))
    _add(lines, _("Enters again"), _reentry(old), _reentry(new))
    identities = dict(sop_words.identities())
    _add(lines, _("Goes through it"), *(identities.get(f.get("identity"), "") for f in (old, new)))
    _add(lines, _("Hold-out"), *(f"{float(f.get('holdout') or 0):.0%}" for f in (old, new)))
    _add(lines, _("It is to move"), _outcome(old), _outcome(new))
    _steps(lines, old, new, words)
    return lines


def _add(lines: list[Line], place: str, old: str, new: str) -> None:
    if old != new:
        lines.append(Line(place, old, new))


def _entry(lines: list[Line], old: Form, new: Form, words: Any) -> None:
    was, now = old.get("entry") or {}, new.get("entry") or {}
    kinds = dict(sop_words.entry_kinds())
    if was.get("kind") != now.get("kind"):
        _add(lines, _("Enters"), kinds.get(was.get("kind"), ""), kinds.get(now.get("kind"), ""))
    _add(lines, _("Enters"), words.sentence(was.get("when")), words.sentence(now.get("when")))
    _add(lines, _("Enters"), str(was.get("event") or ""), str(now.get("event") or ""))


def _reentry(form: Form) -> str:
    reentry = form.get("reentry") or {"kind": "never"}
    if reentry.get("kind") == "after":
        return _("%(days)s after it ended") % {
            "days": sop_words.counted("days", reentry.get("days"))
        }
    return _("never") if reentry.get("kind") != "always" else _("whenever it applies again")


def _outcome(form: Form) -> str:
    outcome = form.get("outcome")
    if not outcome:
        return _("not measured")
    kind = dict(sop_words.outcome_kinds()).get(outcome.get("kind"), "")
    if outcome.get("key"):
        kind = f"{kind} {outcome['key']}"
    return f"{kind}, {sop_words.counted('days', outcome.get('window_days'))}"


def _steps(lines: list[Line], old: Form, new: Form, words: Any) -> None:
    was = {step["key"]: step for step in old.get("steps") or ()}
    now = {step["key"]: step for step in new.get("steps") or ()}
    for key, step in now.items():
        title = sop_runs.title_of(step, now)
        if key not in was:
            lines.append(Line(pgettext("SOP", "Step"), "", title))
            continue
        before = was[key]
        _add(lines, pgettext("SOP", "Step"), sop_runs.title_of(before, was), title)
        for label, name in _properties():
            _add(lines, f"{title}: {label}", _said(before.get(name)), _said(step.get(name)))
        for number, case in enumerate(step.get("cases") or ()):
            cases = before.get("cases") or ()
            first = words.sentence(cases[number].get("when")) if number < len(cases) else ""
            _add(lines, f"{title}: {_('case')}", first, words.sentence(case.get("when")))
        if sop_tree.ways(before) != sop_tree.ways(step):
            names = [_way(one, all_steps) for one, all_steps in ((before, was), (step, now))]
            _add(lines, f"{title}: {_('goes on with')}", *names)
    for key, step in was.items():
        if key not in now:
            lines.append(Line(pgettext("SOP", "Step"), sop_runs.title_of(step, was), ""))


def _way(step: Mapping[str, Any], steps: Mapping[str, Any]) -> str:
    return ", ".join(
        sop_runs.title_of(steps.get(way), steps) or _("the end") for way in sop_tree.ways(step)
    )


def _properties() -> list[tuple[str, str]]:
    return [
        (_("who"), "role"), (_("within, working days"), "due_working_days"), (_("text"), "body"),
        (_("text"), "text"), (_("text"), "template"), (_("channel"), "channel"), (_("to"), "to"),
        (_("how it goes out"), "mode"), (_("whose yes"), "approver"),
        (_("answer within, days"), "answer_days"), (_("what it is for"), "category"),
        (_("time-out, days"), "timeout_days"), (_("survey"), "survey"), (_("field"), "field"),
        (_("value"), "value"), (_("how urgent"), "severity"), (_("cause"), "cause"),
    ]  # fmt: skip


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return " / ".join(text for part in value.values() if (text := _said(part)))
    return "" if value is None else sop_words.short(str(value), 120)
