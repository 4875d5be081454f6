"""The sentences behind the codes of row problems, for pages and for the error file."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from gengyun.kernel.errors import Refusal

MESSAGES: dict[str, str] = {
    "not_a_day": _("not a date; write 2026-03-01 or 2026/3/1"),
    "day_unclear": _("may be two different days; write 2026-03-01 or 2026/3/1"),
    "no_such_day": _("there is no such day in the calendar"),
    "number_too_large": _("too large a number"),
    "not_an_instant": _("not a date with a time; write 2026-03-01 14:30"),
    "not_an_amount": _("not an amount; write 1200000, 1,200,000.00 or 1.2m"),
    "not_a_count": _("not a whole number"),
    "not_a_number": _("not a number"),
    "not_yes_or_no": _("neither yes nor no"),
    "not_a_choice": _("not one of the choices: %(choices)s"),
    "not_an_email": _("not an e-mail address"),
    "not_a_phone": _("not a telephone number; write 138 0013 8000 or 010-62781234 转 801"),
    "uscc_length": _("a unified social credit code has 18 characters"),
    "uscc_characters": _("not a unified social credit code; I, O, S, V and Z are never used in it"),
    "uscc_check": _("the check character of this unified social credit code does not fit"),
    "not_a_currency": _("not a currency; write CNY or USD"),
    "too_long": _("longer than %(limit)s characters"),
    "cell_too_long": _("a cell of this row is too long"),
    "too_many_cells": _("the row has more cells than the header"),
    "not_an_object": _("the line is not a JSON object"),
    "field_governed": _("it follows from the contracts and stays as it is"),
    "name_missing": _("the name is missing"),
    "customer_missing": _("the customer is missing"),
    "customer_unknown": _("there is no such customer"),
    "customer_ambiguous": _("several customers have this name; give the customer id"),
    "customer_elsewhere": _("this customer is in somebody else's book"),
    "start_missing": _("the first day is missing"),
    "ends_before_start": _("it ends before it has begun"),
    "row_repeated": _("the same as row %(row)s, but with other values"),
    "owner_unknown": _("there is no user with this name or address"),
    "owner_ambiguous": _("several users have this name; give the e-mail address"),
    "owner_cannot_own": _("this user cannot own customers"),
    "tier_unknown": _("there is no such tier"),
    "stage_unknown": _("there is no such stage in the touch model of the customer's tier"),
    "parent_unknown": _("there is no such parent customer"),
    "parent_in_circle": _("the customer would lie below itself"),
    "part_unknown": _("not a known role; write decider, champion, user, procurement or other"),
    "contact_unknown": _("the customer has no such contact"),
    "kind_unknown": _("not a known kind of activity"),
    "outcome_unknown": _("not a known outcome; write solved, partly solved or not solved"),
    "body_missing": _("there is nothing written"),
    "time_missing": _("the time is missing"),
    "in_future": _("lies in the future"),
    # of a mapping
    "field_unknown": _("there is no such field"),
    "field_twice": _("two columns are mapped to the same field"),
    "column_unknown": _("the file has no such column"),
}


def add_messages(messages: Mapping[str, str]) -> None:
    """A package above brings the sentences of its own codes; a code has one sentence."""
    for code, sentence in messages.items():
        if MESSAGES.setdefault(code, sentence) != sentence:
            raise ValueError(code)


_SLOT = re.compile(r"%\((\w+)\)s")


def _sentence(code: str) -> str:
    """Its msgid. What an action refused after the plan says so itself; a code that is in stored
    outcomes and means nothing any more is shown as it is."""
    found = MESSAGES.get(code) or next((kind.message for kind in _kinds(Refusal, code)), None)
    return code.replace("%", "%%") if found is None else found


def _kinds(of: type[Refusal], code: str) -> Iterator[type[Refusal]]:
    for kind in of.__subclasses__():
        if kind.code == code:
            yield kind
        yield from _kinds(kind, code)


def sentence_of(code: str) -> str:
    """A code in general, where it speaks of many rows: what differs from row to row is "…"."""
    sentence = gettext(_sentence(code))
    return sentence % dict.fromkeys(_SLOT.findall(sentence), "…")


def explain(problem: Mapping[str, Any]) -> str:
    """One problem as stored in `ImportRun.outcome["errors"]`, in the active language."""
    sentence = gettext(_sentence(problem["code"])) % (problem.get("params") or {})
    column, value = problem.get("column"), problem.get("value")
    if column and value:
        return gettext("%(column)s “%(value)s”: %(problem)s") % {
            "column": column,
            "value": value,
            "problem": sentence,
        }
    if column:
        return gettext("%(column)s: %(problem)s") % {"column": column, "problem": sentence}
    return sentence
