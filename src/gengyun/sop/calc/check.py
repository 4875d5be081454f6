"""What is wrong with an SOP before it runs: loops, steps nobody reaches, fields that are gone."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gengyun.customers.calc.custom import Definition
from gengyun.portfolio.calc.custom_filters import is_custom, match_of
from gengyun.portfolio.calc.expressions import (
    Changed,
    Expr,
    Held,
    StepIs,
    leaves_of,
)
from gengyun.portfolio.calc.filters import Filter
from gengyun.sop.calc.form import DateRef, Form, Problem, Step, read

WITHOUT_EFFECT = frozenset({"wait", "branch"})
ANY_DAY = date(2026, 1, 1)  # only to see whether an operand can be read


@dataclass(frozen=True)
class Known:
    """What there is, today: the form may speak of nothing else."""

    effects: Collection[str] = ()  # kinds of steps that can be carried out
    custom: Mapping[str, Definition] = field(default_factory=dict)  # custom_KEY in use
    ids: Mapping[str, Collection[int]] = field(default_factory=dict)  # tier, stage, owner
    sops: Collection[str] = ()
    metrics: Collection[str] = ()
    channels: Collection[str] = ()  # kinds that can write to customers
    webhooks: Collection[str] = ()  # names of channels
    categories: Collection[str] = ()
    surveys: Collection[str] = ()
    causes: Collection[str] = ()
    # (text) -> what is wrong with its variables
    check_text: Callable[[str], list[tuple[str, Mapping[str, Any]]]] | None = None


def check(raw: Any, known: Known) -> list[Problem]:
    """Everything that is wrong with it; empty: it may be published."""
    form, problems = read(raw)
    return [*problems, *_entry(form, known), *_conditions(form, known), *_graph(form),
            *_measured(form, known), *_effects(form, known)]  # fmt: skip


def _entry(form: Form, known: Known) -> Iterator[Problem]:
    if form.entry.date is not None:
        yield from _date(form.entry.date, "entry.date", known)
    for number, key in enumerate(form.not_while_in):
        if key not in known.sops:
            yield Problem(f"not_while_in.{number}", "There is no SOP “%(key)s”.", {"key": key[:60]})
    if form.on_lost == "leave" and form.entry.when is None:
        yield Problem("on_lost", "Who has no condition to enter cannot lose it.")
    if form.entry.every != "once" and form.reentry.kind == "never":
        yield Problem("reentry", "A snapshot that is repeated needs re-entry.")


def _date(ref: DateRef, path: str, known: Known) -> Iterator[Problem]:
    if is_custom(ref.field):
        definition = known.custom.get(ref.field)
        if definition is None:
            yield _gone(f"{path}.field", ref.field)
        elif definition.kind != "date":
            yield Problem(f"{path}.field", "“%(value)s” is no date of a customer.",
                          {"value": ref.field})  # fmt: skip


def _gone(path: str, name: str) -> Problem:
    return Problem(path, "The field “%(field)s” does not exist any more.",
                   {"field": name.removeprefix("custom_")})  # fmt: skip


def conditions_of(form: Form) -> Iterator[tuple[str, Expr]]:
    """Every condition with its place."""
    for path, expr in (("entry.when", form.entry.when), ("exit", form.exit), ("goal", form.goal)):
        if expr is not None:
            yield path, expr
    for step in form.steps.values():
        if step.wait is not None and step.wait.until is not None:
            yield f"steps.{step.key}.until", step.wait.until
        for number, case in enumerate(step.cases):
            yield f"steps.{step.key}.cases.{number}.when", case.when


def _conditions(form: Form, known: Known) -> Iterator[Problem]:
    for path, expr in conditions_of(form):
        for leaf in leaves_of(expr):
            if isinstance(leaf, StepIs):
                if leaf.key not in form.steps:
                    yield Problem(path, "There is no step “%(key)s”.", {"key": leaf.key})
            elif isinstance(leaf, Changed):
                if is_custom(leaf.field) and leaf.field not in known.custom:
                    yield _gone(path, leaf.field)
            else:
                found = leaf.of.filter if isinstance(leaf, Held) else leaf.filter
                yield from filter_problems(found, path, known)


def filter_problems(found: Filter, path: str, known: Known) -> Iterator[Problem]:
    if is_custom(found.field):
        definition = known.custom.get(found.field)
        if definition is None:
            yield _gone(path, found.field)
            return
        try:
            match_of(definition, found.op, found.value, today=ANY_DAY)
        except (TypeError, ValueError, OverflowError):
            told = f"{found.field} {found.op} {found.value}"[:60]
            yield Problem(path, "The condition %(condition)s is not understood.",
                          {"condition": told})  # fmt: skip
    elif found.field in known.ids and found.value is not None:
        wanted = found.value if isinstance(found.value, list) else [found.value]
        if not set(wanted) <= set(known.ids[found.field]):
            yield Problem(path, "What “%(field)s” is compared with does not exist any more.",
                          {"field": found.field})  # fmt: skip


def _graph(form: Form) -> Iterator[Problem]:
    if not form.steps:
        yield Problem("steps", "An SOP needs a step.")
        return
    if form.first not in form.steps:
        yield Problem("first", "There is no step “%(key)s”.", {"key": form.first})
        return
    for step in form.steps.values():
        for place, key in step.ways():
            if key is not None and key not in form.steps:
                yield Problem(f"steps.{step.key}.{place}", "There is no step “%(key)s”.",
                              {"key": key})  # fmt: skip
    reached = _reached(form)
    for key in form.steps:
        if key not in reached:
            yield Problem(f"steps.{key}", "No way leads to the step “%(key)s”.", {"key": key})
    for key in _looping(form):
        yield Problem(f"steps.{key}", "The steps go round without a wait of days at “%(key)s”.",
                      {"key": key})  # fmt: skip


def _reached(form: Form) -> set[str]:
    found, todo = set(), [form.first]
    while todo:
        key = todo.pop()
        if key not in found and key in form.steps:
            found.add(key)
            todo.extend(way for _, way in form.steps[key].ways() if way)
    return found


def _takes_days(step: Step) -> bool:
    """A condition may hold at once and a date may have passed: only days are sure to pass."""
    return step.wait is not None and (step.wait.days or step.wait.working_days) is not None


def _looping(form: Form) -> list[str]:
    """Steps from which one comes back to them at once."""
    ways = {
        key: [to for _, to in step.ways() if to in form.steps]
        for key, step in form.steps.items()
        if not _takes_days(step)
    }
    looping = []
    for start, after in ways.items():
        seen: set[str] = set()
        todo = list(after)
        while todo:
            key = todo.pop()
            if key in seen or key not in ways:
                continue
            seen.add(key)
            todo.extend(ways[key])
        if start in seen:
            looping.append(start)
    return looping[:1]


def _measured(form: Form, known: Known) -> Iterator[Problem]:
    if form.holdout > 0 and form.outcome is None:
        yield Problem("outcome", "A hold-out needs an outcome that is declared before.")
    if form.holdout > 0 and form.entry.kind == "hand":
        yield Problem("holdout", "Who is chosen by hand is not held out.")
    if form.outcome is None:
        return
    if form.outcome.kind == "goal" and form.goal is None:
        yield Problem("goal", "The outcome is the goal: it is missing.")
    if form.outcome.kind == "metric" and form.outcome.key not in known.metrics:
        yield Problem("outcome.key", "There is no metric “%(key)s”.", {"key": form.outcome.key})


def _effects(form: Form, known: Known) -> Iterator[Problem]:
    for step in form.steps.values():
        if step.kind not in WITHOUT_EFFECT and step.kind not in known.effects:
            yield Problem(f"steps.{step.key}.kind", "Steps of this kind cannot be carried out.")
        elif step.kind in _BY_KIND:
            yield from _BY_KIND[step.kind](step, f"steps.{step.key}", known)
        if step.wait is not None and step.wait.date is not None:
            yield from _date(step.wait.date, f"steps.{step.key}.date", known)
        yield from _texts(step, known)


def _texts(step: Step, known: Known) -> Iterator[Problem]:
    """Variables in templates, titles and texts."""
    if known.check_text is None:
        return
    for place, text in _places(step):
        for msgid, params in known.check_text(text):
            yield Problem(f"steps.{step.key}.{place}", msgid, params)


def _places(step: Step) -> Iterator[tuple[str, str]]:
    for code, part in step.params.get("template", {}).items():
        for name, text in part.items():
            yield f"template.{code}.{name}", text
    for name in ("title", "body", "text"):
        for code, text in step.params.get(name, {}).items():
            yield f"{name}.{code}", text


def _of(params: str, known: str, msgid: str) -> Callable[[Step, str, Known], Iterator[Problem]]:
    def look(step: Step, path: str, there: Known) -> Iterator[Problem]:
        value = step.params[params]
        if value and value not in getattr(there, known):
            yield Problem(f"{path}.{params}", msgid, {"value": value})

    return look


def _message(step: Step, path: str, known: Known) -> Iterator[Problem]:
    yield from _of("channel", "channels", "There is no channel “%(value)s” to customers.")(
        step, path, known
    )
    yield from _of("category", "categories", "“%(value)s” cannot be chosen here.")(
        step, path, known
    )


def _set(step: Step, path: str, known: Known) -> Iterator[Problem]:
    name, value = step.params["field"], step.params["value"]
    if name == "stage":
        if not isinstance(value, int) or value not in known.ids.get("stage", ()):
            yield Problem(f"{path}.value", "There is no such stage.")
    elif name not in known.custom:
        yield _gone(f"{path}.field", name)


_BY_KIND: dict[str, Callable[[Step, str, Known], Iterator[Problem]]] = {
    "message": _message,
    "set": _set,
    "survey": _of("survey", "surveys", "There is no survey “%(value)s”."),
    "alert": _of("cause", "causes", "There is no cause “%(value)s”."),
    "webhook": _of("channel", "webhooks", "There is no channel “%(value)s”."),
}
