"""A run as it is shown: where it stands, its lines, its checklist."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from gengyun.engagement.models import Delivery, Invitation, Touch
from gengyun.kernel.days import day_of
from gengyun.sop.models import StepRun
from gengyun.sop.models.run import ACTIVE
from gengyun.tasks.models import Task
from gengyun.web.jinja import url_or_none
from gengyun.web.present import format as plain
from gengyun.web.present import sop_reasons, sop_tree, sop_words
from gengyun.web.words import gettext, is_zh

# state of a line -> class of the checklist, icon of its box
MARKS = {
    "done": ("done", "check"),
    "skipped": ("skip", ""),
    "suppressed": ("skip", "x"),
    "failed": ("fail", "alert-triangle"),
    "now": ("now", ""),
    "later": ("", ""),
}


@dataclass(frozen=True)
class Line:
    """One line of the log or of a checklist."""

    mark: str
    title: str
    said: str = ""
    when: str = ""
    icon: str = ""
    href: str = ""
    customer: Any = None
    run: Any = None
    at: Any = None
    state: tuple[str, str] = ("", "")


def steps_of(version):
    return {step["key"]: step for step in (version.form or {}).get("steps") or ()}


def title_of(step, steps=None):
    """What a step is called; waits say what they wait for. `steps`: all of its version."""
    if step is None:
        return ""
    kind = step.get("kind", "")
    if kind == "wait":
        return wait_words(step, steps or {})
    title = step.get("title") or ""
    if isinstance(title, dict):
        first, second = ("zh", "en") if is_zh() else ("en", "zh")
        title = title.get(first) or title.get(second) or ""
    return title or _subject(step) or sop_words.kind_word(kind)


def _subject(step):
    template = step.get("template") or {}
    texts = template.get("zh" if is_zh() else "en") or next(iter(template.values()), {})
    return texts.get("subject", "") if isinstance(texts, dict) else ""


def wait_words(step, steps):
    from gengyun.web.views.condition_words import Words

    for kind in ("days", "working_days"):
        if step.get(kind) is not None:
            return _("Wait %(days)s") % {"days": sop_words.counted(kind, step[kind])}
    if step.get("until") is not None:
        titles = {key: title_of(one) for key, one in steps.items() if one["kind"] != "wait"}
        return _("Wait until %(condition)s, at most %(days)s") % {
            "condition": Words(titles).sentence(step["until"]),
            "days": sop_words.counted("days", step.get("timeout_days")),
        }
    return _("Wait until a date")


def state_word(state):
    return {
        "done": ("a", pgettext("step", "done")),
        "skipped": ("n", pgettext("step", "skipped")),
        "suppressed": ("c", pgettext("step", "not sent")),
        "failed": ("d", pgettext("step", "failed")),
        "waits": ("b", pgettext("step", "waits")),
    }.get(state, ("n", state))


def standing(run, *, today: date):
    """Where it stands and until when, for a list."""
    if run.state not in ACTIVE or run.arm == run.Arm.HOLDOUT:
        return ""
    steps = steps_of(run.version)
    title = title_of(steps.get(run.step_key), steps)
    if run.wait_until:
        until = plain.day(day_of(run.wait_until), today=today, zh=is_zh())
        return _("%(step)s, at the latest %(day)s") % {"step": title, "day": until}
    return title


def log(rows, *, today: date) -> list[Line]:
    """Lines of the run log: each says what has become of it since."""
    rows = list(rows)
    made, stands = became(rows, today=today), touches_of(rows)
    return [line(row, made, stands) for row in rows]


def line(row: StepRun, made=None, stands=None) -> Line:
    """Of the run log, where the customer is said, too."""
    found = of_step(row, row.run.version, made, stands)
    return replace(found, customer=row.run.customer, run=row.run)


def touches_of(rows) -> dict[str, str]:
    """{ref: waits or suppressed}, of messages that people decide about after the step."""
    refs = (row.ref.partition(":") for row in rows)
    keys = [int(key) for kind, _colon, key in refs if kind == "touch" and key.isdecimal()]
    found = Touch.objects.filter(pk__in=keys).values_list("pk", "state")
    words = {"draft": "waits", "approval": "waits", "suppressed": "suppressed"}
    return {f"touch:{pk}": words[state] for pk, state in found if state in words}


def of_step(row: StepRun, version, made=None, stands=None) -> Line:
    """`made`: {ref: what became of the task or message that the step made}; `stands`: of
    `touches_of`"""
    steps = steps_of(version)
    state = (stands or {}).get(row.ref, row.state)
    mark, icon = MARKS.get(state, MARKS.get(row.state, ("", "")))
    return Line(
        mark,
        title_of(steps.get(row.step_key), steps) or row.step_key,
        (made or {}).get(row.ref) or sop_reasons.sentence(row.reason, row.told),
        icon=icon,
        href=ref_href(row),
        at=row.at,
        state=state_word(state),
    )


def became(rows, *, today: date) -> dict[str, str]:
    """What became of the tasks and messages that these steps made: {ref: in words}"""
    keys: dict[str, list[int]] = {}
    for row in rows:
        kind, _colon, key = row.ref.partition(":")
        if key.isdecimal() and (kind in {"task", "touch"} or row.state == StepRun.State.DONE):
            keys.setdefault(kind, []).append(int(key))
    found = _of_outside(keys, today)
    for task in Task.objects.filter(pk__in=keys.get("task", [])):
        found[f"task:{task.pk}"] = _task_words(task, today)
    for touch in Touch.objects.filter(pk__in=keys.get("touch", [])):
        if touch.state == Touch.State.APPROVAL and touch.answer_by:
            told = {"approver": touch.approver, "answer_by": touch.answer_by.isoformat()}
            found[f"touch:{touch.pk}"] = sop_reasons.sentence("approval", told)
            continue
        word = touch.get_state_display()
        why = sop_reasons.sentence(touch.reason, touch.told)
        found[f"touch:{touch.pk}"] = f"{word}{_(': ')}{why}" if why else str(word)
    return found


def _of_outside(keys, today):
    """Questions and notices: answered or not, sent or not and why."""
    found = {}
    for one in Invitation.objects.filter(pk__in=keys.get("invitation", [])):
        said = _("not answered yet")
        if one.answered_at:
            day = plain.day(day_of(one.answered_at), today=today, zh=is_zh())
            said = _("answered %(day)s") % {"day": day}
        found[f"invitation:{one.pk}"] = said
    for one in Delivery.objects.filter(pk__in=keys.get("delivery", [])):
        word = str(one.get_state_display())
        why = gettext(one.error_text) if one.error_text else ""
        found[f"delivery:{one.pk}"] = f"{word}{_(': ')}{why}" if why else word
    return found


def _task_words(task, today):
    if task.state == Task.State.DONE:
        day = plain.day(day_of(task.done_at), today=today, zh=is_zh()) if task.done_at else ""
        return _("done %(day)s") % {"day": day}
    if task.state == Task.State.DROPPED:
        return _("dropped")
    if task.due_on is None:
        return _("task made, not done yet")
    return _("task made, not done yet, due %(day)s") % {
        "day": plain.day(task.due_on, today=today, zh=is_zh())
    }


def decision(row) -> Line:
    return Line(
        "skip",
        _("did not enter"),
        sop_reasons.sentence(row.reason, row.told),
        customer=row.customer,
        when=plain.day_full(row.on, zh=is_zh()),
        state=("n", _("did not enter")),
    )


def ref_href(row):
    """The page of what a step made: its task, its message."""
    kind, _colon, key = row.ref.partition(":")
    if not key.isdecimal():
        return ""
    name = {"task": "task", "touch": "touch", "alert": "alert"}.get(kind)
    return (url_or_none(name, int(key)) or "") if name else ""


def checklist(run, *, today: date) -> list[Line]:
    """What was done in its order, where it stands, what comes on the straight way."""
    steps = steps_of(run.version)
    rows = list(StepRun.objects.filter(run=run).order_by("ordinal", "pk"))
    made, stands = became(rows, today=today), touches_of(rows)
    lines = [of_step(row, run.version, made, stands) for row in rows]
    if run.state not in ACTIVE or run.arm == run.Arm.HOLDOUT:
        return lines
    return lines + _ahead(run, steps, today)


def _ahead(run, steps, today):
    found, key, passed = [], run.step_key, set()
    while key in steps and key not in passed:
        step = steps[key]
        passed.add(key)
        is_now = not found
        when = ""
        if is_now and run.wait_until:
            when = _("at the latest %(day)s") % {
                "day": plain.day(day_of(run.wait_until), today=today, zh=is_zh())
            }
        found.append(Line("now" if is_now else "", title_of(step, steps), when=when))
        ways = sop_tree.ways(step)
        if len(set(ways)) > 1 and step["kind"] == "branch":
            found.append(Line("", _("then one of %(n)s ways") % {"n": len(ways)}))
            break
        key = ways[0]
    return found


def entry_facts(run):
    """What was known when it entered: [(label, text)]"""
    facts, zh = run.entry_facts or {}, is_zh()
    found = []
    if facts.get("health") is not None:
        found.append((_("Health"), plain.number(facts["health"])))
    if facts.get("churn") is not None:
        found.append((_("Churn probability"), plain.percent(facts["churn"])))
    if facts.get("arr_minor") is not None:
        currency = facts.get("currency") or "CNY"
        found.append(("ARR", plain.money(facts["arr_minor"], currency, zh=zh)))
    if facts.get("renews_on"):
        day = date.fromisoformat(facts["renews_on"])
        found.append((_("Renews"), plain.day_full(day, zh=zh)))
    return found
