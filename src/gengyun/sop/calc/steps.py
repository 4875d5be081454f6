"""The kinds of steps: what each of them holds. An effect reads its `params`."""

from collections.abc import Callable, Mapping
from typing import Any

from gengyun.engagement.calc.approving import APPROVERS, CSM, DEFAULT_DAYS, MOST_DAYS
from gengyun.portfolio.calc.custom_filters import is_custom
from gengyun.sop.calc.form import (
    CONTACT_ROLES,
    LANGUAGES,
    LONGEST_BODY,
    MODES,
    MOST_CASES,
    Case,
    Reader,
    Wait,
    way,
    whole,
)

ROLES = ("csm", "leader", "operations", "admin")
SEVERITIES = (1, 2, 3, 4)

Raw = Mapping[str, Any]
Read = dict[str, Any]  # what goes into `Step`


def _task(reader: Reader, raw: Raw, path: str) -> Read:
    params = {
        "role": reader.choice(raw.get("role"), f"{path}.role", ROLES, "csm"),
        "title": reader.text(raw.get("title"), f"{path}.title", needed=True),
        "body": reader.text(raw.get("body"), f"{path}.body", most=LONGEST_BODY),
        "due_working_days": reader.days(raw.get("due_working_days", 3), f"{path}.due_working_days"),
    }
    return {"params": params}


def _hand(reader: Reader, raw: Raw, path: str) -> Read:
    params = {
        "role": reader.choice(raw.get("role"), f"{path}.role", ROLES, "csm"),
        "text": reader.text(raw.get("text"), f"{path}.text", most=LONGEST_BODY, needed=True),
    }
    return {"params": params}


def _message(reader: Reader, raw: Raw, path: str) -> Read:
    params = {
        "channel": reader.line(raw.get("channel"), f"{path}.channel", needed=True),
        "category": reader.line(raw.get("category"), f"{path}.category", needed=True),
        "mode": reader.choice(raw.get("mode"), f"{path}.mode", MODES, "draft"),
        "to": reader.choice(raw.get("to"), f"{path}.to", CONTACT_ROLES, "champion"),
        # only where it waits for a yes
        "approver": reader.choice(raw.get("approver"), f"{path}.approver", APPROVERS, CSM),
        "answer_days": reader.days(
            raw.get("answer_days", DEFAULT_DAYS), f"{path}.answer_days", least=1, most=MOST_DAYS
        ),
        "template": _template(reader, raw.get("template"), f"{path}.template"),
    }
    return {"params": params}


def _template(reader: Reader, raw: Any, path: str) -> dict[str, dict[str, str]]:
    """Subject and body by language; what one language lacks is taken from the other."""
    given = reader.mapping(raw, path)
    found = {}
    for code in LANGUAGES:
        part = given.get(code)
        part = part if isinstance(part, Mapping) else {}
        found[code] = {
            "subject": reader.line(part.get("subject"), f"{path}.{code}.subject"),
            "body": reader.line(part.get("body"), f"{path}.{code}.body", most=LONGEST_BODY),
        }
    some = next((one for one in found.values() if one["body"]), None)
    if some is None:
        reader.refuse(f"{path}.{LANGUAGES[0]}.body", "This is missing.")
        return found
    return {code: one if one["body"] else some for code, one in found.items()}


def _survey(reader: Reader, raw: Raw, path: str) -> Read:
    survey = raw.get("survey")
    if not isinstance(survey, str | int) or isinstance(survey, bool) or survey == "":
        reader.refuse(f"{path}.survey", "This is missing.")
        survey = ""
    to = reader.choice(raw.get("to"), f"{path}.to", CONTACT_ROLES, "any")
    return {"params": {"survey": str(survey)[:60], "to": to}}


def _wait(reader: Reader, raw: Raw, path: str) -> Read:
    kinds = [
        name for name in ("days", "working_days", "until", "date") if raw.get(name) is not None
    ]
    if len(kinds) != 1:
        reader.refuse(path, "A wait is for days, for working days, until a condition or to a date.")
        return {"wait": Wait(days=1)}
    kind = kinds[0]
    if kind == "days":
        return {"wait": Wait(days=reader.days(raw[kind], f"{path}.{kind}", least=1))}
    if kind == "working_days":
        return {"wait": Wait(working_days=reader.days(raw[kind], f"{path}.{kind}", least=1))}
    timeout = raw.get("timeout_days")
    if timeout is None and kind == "until":
        reader.refuse(f"{path}.timeout_days", "A wait for a condition needs an end.")
    days = None if timeout is None else reader.days(timeout, f"{path}.timeout_days", least=1)
    on_timeout = way(reader, raw.get("on_timeout"), f"{path}.on_timeout")
    if kind == "date":
        date = reader.date(raw["date"], f"{path}.date")
        # a date that is not known is waited for, but not for ever
        return {"wait": Wait(date=date, timeout_days=days or 90, on_timeout=on_timeout)}
    until = reader.condition(raw["until"], f"{path}.until", needed=True, with_steps=True)
    return {"wait": Wait(until=until, timeout_days=days or 1, on_timeout=on_timeout)}


def _branch(reader: Reader, raw: Raw, path: str) -> Read:
    given = raw.get("cases")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_CASES:
        reader.refuse(f"{path}.cases", "A branch has 1 to %(most)s cases.", most=MOST_CASES)
        given = []
    cases = []
    for number, item in enumerate(given):
        place = f"{path}.cases.{number}"
        part = reader.mapping(item, place)
        when = reader.condition(part.get("when"), f"{place}.when", needed=True, with_steps=True)
        if when is not None:
            cases.append(Case(when, way(reader, part.get("next"), f"{place}.next")))
    otherwise = way(reader, raw.get("otherwise"), f"{path}.otherwise")
    return {"cases": tuple(cases), "otherwise": otherwise}


def _set(reader: Reader, raw: Raw, path: str) -> Read:
    name, value = raw.get("field"), raw.get("value")
    if isinstance(name, str) and name.startswith("custom."):
        name = "custom_" + name.removeprefix("custom.")
    if name != "stage" and not (is_custom(name) and len(str(name)) <= 60):
        reader.refuse(f"{path}.field", "“%(value)s” cannot be chosen here.", value=str(name)[:40])
        name = "stage"
    if value is None or isinstance(value, list | dict):
        reader.refuse(f"{path}.value", "This is missing.")
    elif isinstance(value, str):
        value = reader.line(value, f"{path}.value")
    elif isinstance(value, float) and not abs(value) < 1e15:
        reader.refuse(f"{path}.value", "This is no amount.")
        value = None
    return {"params": {"field": name, "value": value}}


def _alert(reader: Reader, raw: Raw, path: str) -> Read:
    severity = whole(raw.get("severity", 3))
    if severity not in SEVERITIES:
        reader.refuse(f"{path}.severity", "“%(value)s” cannot be chosen here.",
                      value=str(severity)[:40])  # fmt: skip
        severity = 3
    params = {
        "severity": severity,
        "cause": reader.line(raw.get("cause"), f"{path}.cause", needed=True),
        "title": reader.text(raw.get("title"), f"{path}.title", needed=True),
    }
    return {"params": params}


def _webhook(reader: Reader, raw: Raw, path: str) -> Read:
    return {"params": {"channel": reader.line(str(raw.get("channel") or ""), f"{path}.channel",
                                              needed=True)}}  # fmt: skip


def _note(reader: Reader, raw: Raw, path: str) -> Read:
    text = reader.text(raw.get("text"), f"{path}.text", most=LONGEST_BODY, needed=True)
    return {"params": {"text": text}}


READERS: dict[str, Callable[[Reader, Raw, str], Read]] = {
    "task": _task,
    "message": _message,
    "survey": _survey,
    "wait": _wait,
    "branch": _branch,
    "set": _set,
    "alert": _alert,
    "webhook": _webhook,
    "note": _note,
    "hand": _hand,
}
