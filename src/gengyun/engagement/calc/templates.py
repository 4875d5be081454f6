"""Texts with variables: `{{ contact.name }}`, or `{{ contact.title | dear customer }}` with a word
for where it is unknown. Pure.

Only the names listed here are known: nothing that is for our eyes (health, probabilities, notes)
can reach a customer by a slip. There are no expressions, loops or attributes, so a text cannot do
anything but name a fact; values are put in as they are and never read as a template again.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from gengyun.kernel.errors import Refusal

# name -> msgid of what it stands for
VARIABLES: dict[str, str] = {
    "contact.name": "Name of the contact",
    "contact.title": "Job title of the contact",
    "customer.name": "Name of the customer",
    "customer.edition": "Edition bought",
    "customer.seats": "Seats bought",
    "customer.started_on": "Customer since",
    "customer.renews_on": "Renewal date",
    "customer.days_to_renewal": "Days until the renewal",
    "csm.name": "Name of the CSM",
    "csm.email": "Mail address of the CSM",
    "today": "Date of the message",
    "survey.link": "Link to the survey",
}
# only where the step that sends it makes the value
LATER = frozenset({"survey.link"})

_SLOT = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"[a-z_]+(?:\.[a-z0-9_]+)*")


class VariableUnknown(Refusal):
    code = "template_variable_unknown"
    message = "%(name)s is no variable that a text may use."


class TemplateBroken(Refusal):
    code = "template_broken"
    message = "A variable is written {{ name }}; near “%(near)s” the braces do not match."


class ValueMissing(Refusal):
    code = "template_value_missing"
    message = "The text needs %(name)s, which is not known here."


@dataclass(frozen=True)
class TemplateProblem:
    """What is wrong with a text: a msgid with its parameters."""

    message: str
    params: Mapping[str, str]


@dataclass(frozen=True)
class Slot:
    name: str
    otherwise: str | None  # None: the value must be known


@lru_cache(maxsize=1_000)  # one text goes to thousands
def slots(text: str) -> tuple[Slot, ...]:
    """The variables of a text in their order; refuses braces that do not match."""
    rest = _SLOT.sub("\0", text)
    for mark in ("{{", "}}"):
        at = rest.find(mark)
        if at >= 0:
            raise TemplateBroken(near=rest[max(0, at - 10) : at + 20].replace("\0", "…"))
    return tuple(_slot(found) for found in _SLOT.findall(text))


def _slot(inside: str) -> Slot:
    name, bar, otherwise = inside.partition("|")
    name = name.strip()
    if not _NAME.fullmatch(name) or "{" in otherwise:
        raise TemplateBroken(near=inside.strip()[:30])
    return Slot(name, otherwise.strip() if bar else None)


def variables_in(text: str) -> list[str]:
    """Names used, each once, in order of appearance."""
    return list(dict.fromkeys(slot.name for slot in slots(text)))


def check_template(
    text: str, *, known: Collection[str] = VARIABLES, allow: Collection[str] = ()
) -> list[TemplateProblem]:
    """What is wrong with a text before it is saved; `allow`: names that a special step adds."""
    try:
        names = variables_in(text)
    except TemplateBroken as broken:
        return [TemplateProblem(broken.message, broken.params)]
    return [
        TemplateProblem(VariableUnknown.message, {"name": name})
        for name in names
        if (name not in known or name in LATER) and name not in allow
    ]


def render_template(text: str, facts: Mapping[str, str | None]) -> str:
    """The text with its facts. Refuses an unknown name, and an unknown value without other word."""
    found = slots(text)
    if not found:
        return text
    for slot in found:
        if slot.name not in facts:
            raise VariableUnknown(name=slot.name)
        if not facts[slot.name] and slot.otherwise is None:
            raise ValueMissing(name=slot.name)
    values = iter(facts[slot.name] or slot.otherwise or "" for slot in found)
    return _SLOT.sub(lambda _match: next(values), text)
