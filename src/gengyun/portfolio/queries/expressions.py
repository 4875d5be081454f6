"""Condition trees as conditions on `CustomerSummary`, and the facts they are explained with.

`portfolio.calc.truth` is the definition; this is the same in the database's words.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from gengyun.customers.calc.custom import Definition, Stored
from gengyun.customers.models import CustomField, FieldValue
from gengyun.customers.queries.custom_fields import fields_in_use, fields_named
from gengyun.kernel.days import day_of
from gengyun.portfolio.calc.custom_filters import NEGATIVE, is_custom
from gengyun.portfolio.calc.expressions import (
    BadExpression,
    Changed,
    Expr,
    Held,
    Leaf,
    Literal,
    Normal,
    StepIs,
    fields_of,
    fingerprint,
    followed,
    normal,
)
from gengyun.portfolio.calc.filters import Filter
from gengyun.portfolio.calc.nesting import SEGMENT, segments_in
from gengyun.portfolio.calc.truth import TEXTS, Facts, FieldChange
from gengyun.portfolio.models import ConditionState, CustomerSummary, FieldState, Watch
from gengyun.portfolio.queries.conditions import COLUMNS, condition
from gengyun.team.models import User

EVERYBODY, NOBODY = Q(), Q(pk__in=[])
# their answer is known for everybody
ALWAYS_KNOWN = frozenset({"text", "tag", "need", "touch", "next_step", "band"})
KNOWN_OPS = frozenset({"none", "known", "not"})
CHUNK = 5_000


def to_q(expr: Expr, actor: User | None, today: date) -> Q:
    """Customers for whom it is True. Whom the actor may see is asked beside it."""
    return _q(normal(expr), actor, today)


def _q(found: Normal, actor: User | None, today: date) -> Q:
    if isinstance(found, Literal):
        return literal_q(found, today=today, actor=actor)
    kind, parts = found
    if not parts:
        return EVERYBODY if kind == "all" else NOBODY
    result = _q(parts[0], actor, today)
    for part in parts[1:]:
        other = _q(part, actor, today)
        # an empty Q is dropped by &, and by | too, where it has to swallow the rest
        if kind == "all":
            result = result & other
        else:
            result = EVERYBODY if not result or not other else result | other
    return result


def literal_q(found: Literal, *, today: date, actor: User | None = None) -> Q:
    """The leaf is True; or it is False, which is more than not being True."""
    leaf = found.leaf
    if isinstance(leaf, StepIs):
        raise BadExpression(condition=str(leaf.as_json())[:60])
    if isinstance(leaf, Held):
        return _held(leaf, found.is_true, today, actor)
    if isinstance(leaf, Changed):
        return _changed(leaf, found.is_true, today)
    if leaf.filter.field == SEGMENT and not found.is_true:
        other = Filter(SEGMENT, "not" if leaf.filter.op == "is" else "is", leaf.filter.value)
        return condition(other, actor=actor, today=today)
    holds = condition(leaf.filter, actor=actor, today=today)
    return holds if found.is_true else ~holds & _known(leaf.filter)


def _known(found: Filter) -> Q:
    if found.op in KNOWN_OPS or found.field in ALWAYS_KNOWN:
        return EVERYBODY
    if is_custom(found.field):
        if found.op in NEGATIVE:
            return EVERYBODY
        values = FieldValue.objects.filter(field=fields_named([found.field])[found.field], place=0)
        return Q(Exists(values.filter(customer_id=OuterRef("pk"))))
    column = COLUMNS[found.field]
    return ~Q(**{column: ""}) if found.field in TEXTS else Q(**{f"{column}__isnull": False})


def _held(leaf: Held, is_true: bool, today: date, actor: User | None) -> Q:
    now = condition(leaf.of.filter, actor=actor, today=today)
    watch = Watch.objects.filter(hash=fingerprint(leaf.of)).first()
    false_now = literal_q(Literal(leaf.of, is_true=False), today=today, actor=actor)
    if watch is None:
        return NOBODY if is_true else false_now
    states = ConditionState.objects.filter(watch=watch, customer_id=OuterRef("pk"))
    long = states.filter(since_on__lte=today - timedelta(days=leaf.days))
    if is_true:
        return now & Q(Exists(long))
    # true, but not for so long: known only of what became true while somebody looked
    old = states.filter(since_on__lte=watch.first_on)
    return false_now | (now & ~Q(Exists(long)) & ~Q(Exists(old)))


def _changed(leaf: Changed, is_true: bool, today: date) -> Q:
    states = FieldState.objects.filter(field=leaf.field, customer_id=OuterRef("pk"))
    wanted: dict[str, Any] = {"changed_on": today}
    if leaf.before is not None:
        wanted["previous"] = leaf.before
    if leaf.after is not None:
        wanted["value"] = leaf.after
    fitting = Q(Exists(states.filter(**wanted)))
    return fitting if is_true else Q(Exists(states)) & ~fitting


def definitions_of(exprs: Iterable[Expr]) -> dict[str, Definition]:
    """The company's own fields that the conditions read, as far as they are there."""
    names = {name for expr in exprs for name in fields_of(expr) if is_custom(name)}
    return {name: field.definition for name, field in fields_named(names).items()}


def known_definitions() -> dict[str, Definition]:
    return {field.name: field.definition for field in fields_in_use()}


def facts_of(
    customer_ids: Collection[int],
    exprs: Collection[Expr],
    *,
    today: date,
    also: Collection[str] = (),
) -> dict[int, Facts]:
    """What the conditions need to know of these customers, and the fields named beside them; who
    has no summary row is left out."""
    ids = sorted(set(customer_ids))
    names = set(also).union(*(fields_of(expr) for expr in exprs))
    custom = fields_named(name for name in names if is_custom(name))
    held, changed = _followed(exprs)
    segments = set().union(*(segments_in(expr) for expr in exprs))
    found: dict[int, Facts] = {}
    watches = {w.pk: w for w in Watch.objects.filter(hash__in=held)} if held else {}
    watched = {w.hash: w.first_on for w in watches.values()}
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        stored = _stored(part, custom)
        states = _states(part, watches)
        changes = _changes(part, changed)
        members = _members(part, segments, today)
        for pk, values in _values(part, names):
            if segments:
                values[SEGMENT] = {one: pk in inside for one, inside in members.items()}
            found[pk] = Facts(
                values=values,
                custom=stored.get(pk, {}),
                held=states.get(pk, {}),
                watched=watched,
                changes=changes.get(pk, {}),
            )
    return found


def _members(ids: Collection[int], segments: Collection[int], today: date) -> dict[int, set[int]]:
    """Segment -> who of them is in it; without those that cannot be read any more."""
    from gengyun.portfolio.queries.membership import membership

    found = {}
    for one in segments:
        inside = membership(one, today=today)
        if inside is not None:
            rows = CustomerSummary.objects.filter(inside, pk__among=ids).order_by()
            found[one] = set(rows.values_list("pk", flat=True))
    return found


# columns of the summary by the names of the filters' fields
READ = COLUMNS | {"text": "search_key", "tag": "tag_names", "need": "need_codes"}


def _values(ids: Collection[int], names: set[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each customer's summary under the names of the fields that are asked for."""
    fields = sorted(names & READ.keys())
    columns = [READ[name] for name in fields]
    rows = CustomerSummary.objects.filter(pk__among=ids).order_by()
    for pk, rank, *found in rows.values_list("pk", "need_rank", *columns):
        values = dict(zip(fields, found, strict=True))
        if "touch" in values:
            values["touch"] = day_of(values["touch"]) if values["touch"] else None
        if "need" in values:
            codes = values["need"].strip(",")
            values["need"] = codes.split(",") if codes and rank > 0 else []
        yield pk, values


def _followed(exprs: Iterable[Expr]) -> tuple[set[str], set[str]]:
    held: set[str] = set()
    changed: set[str] = set()
    for expr in exprs:
        leaves, fields = followed(expr)
        held.update(fingerprint(leaf) for leaf in leaves)
        changed |= fields
    return held, changed


def _stored(
    ids: Collection[int], custom: Mapping[str, CustomField]
) -> dict[int, dict[str, list[Stored]]]:
    if not custom:
        return {}
    names = {field.pk: name for name, field in custom.items()}
    rows = FieldValue.objects.filter(field__in=names, customer_id__among=ids).order_by(
        "customer_id", "field_id", "place"
    )
    found: dict[int, dict[str, list[Stored]]] = {}
    for pk, field_id, text, number, day in rows.values_list(
        "customer_id", "field_id", "text", "number", "day"
    ):
        of_field = found.setdefault(pk, {}).setdefault(names[field_id], [])
        of_field.append(Stored(text=text, number=number, day=day))
    return found


def _states(ids: Collection[int], watches: Mapping[int, Watch]) -> dict[int, dict[str, date]]:
    found: dict[int, dict[str, date]] = {}
    if watches:
        rows = ConditionState.objects.filter(watch__in=watches, customer_id__among=ids).order_by()
        for watch_id, pk, since in rows.values_list("watch_id", "customer_id", "since_on"):
            found.setdefault(pk, {})[watches[watch_id].hash] = since
    return found


def _changes(ids: Collection[int], fields: Collection[str]) -> dict[int, dict[str, FieldChange]]:
    found: dict[int, dict[str, FieldChange]] = {}
    if fields:
        rows = FieldState.objects.filter(field__in=fields, customer_id__among=ids).order_by()
        for name, pk, *rest in rows.values_list(
            "field", "customer_id", "value", "previous", "changed_on"
        ):
            found.setdefault(pk, {})[name] = FieldChange(*rest)
    return found


__all__ = ["Leaf", "definitions_of", "facts_of", "known_definitions", "literal_q", "to_q"]
