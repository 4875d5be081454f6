"""Conditions followed from day to day: who fulfils them now, and since when.

One pass over the customers serves every SOP and segment, and only what changed is written.
Followed twice on the same day, nothing changes and the same is said.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from gengyun.portfolio.actions.field_states import Followed, follow_fields
from gengyun.portfolio.actions.held_states import HeldStates
from gengyun.portfolio.calc.blocks import SIZE, Days, block_of, carry_on, keys_of, pack, unpack
from gengyun.portfolio.calc.expressions import (
    Changed,
    Expr,
    Held,
    Leaf,
    Literal,
    Normal,
    fingerprint,
    followed,
    literals_of,
    normal,
)
from gengyun.portfolio.calc.vector import Answers, Yes, holds, key
from gengyun.portfolio.models import ConditionState, Watch, WatchBlock
from gengyun.portfolio.queries.truth import Questions, last_block

# A "for n days" that nobody looked at for longer than this starts anew: what happened in between is
# not known. A worker that was down for some days does not undo what was true before and after.
LONGEST_GAP = timedelta(days=7)
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Chunk:
    """Some of the customers, in the order of their keys, and what holds of them on the day."""

    ids: NDArray[np.int64]
    holds: Mapping[str, Yes]
    since: Mapping[str, Days]  # of what is followed: true since that day, 0 where it is not


@dataclass(frozen=True)
class _Plan:
    day: date
    normals: Mapping[str, Normal]
    watches: Mapping[str, Watch]  # of the followed conditions by name
    held: Mapping[str, tuple[Leaf, Watch]]  # what is behind "for n days", by fingerprint
    fields: frozenset[str]

    def literals(self) -> list[Literal]:
        """What the database is asked; of a held leaf both sides, since it may be unknown."""
        plain = [
            one
            for found in self.normals.values()
            for one in literals_of(found)
            if not isinstance(one.leaf, Held | Changed)
        ]
        both = [Literal(leaf, yes) for leaf, _ in self.held.values() for yes in (True, False)]
        return list({key(one): one for one in (*plain, *both)}.values())


def follow(
    exprs: Mapping[str, Expr],
    *,
    day: date,
    asked: Mapping[str, Expr] | None = None,
    report: Report | None = None,
) -> Iterator[Chunk]:
    """Chunk after chunk, each stored before it is handed out.

    `exprs` are followed: the chunk says since when. `asked` are only answered for the day.
    Whoever acts on `since` compares it with the last day that was acted on, so that nothing is
    missed when a run is killed between the two.
    """
    plan = _plan(exprs, asked or {}, day)
    questions = Questions(plan.literals(), today=day)
    blocks = last_block() + 1
    for block in range(blocks):
        yield _follow_block(plan, questions, block)
        if report:
            report(block + 1, blocks)
    watches = [*plan.watches.values(), *(watch for _, watch in plan.held.values())]
    Watch.objects.filter(pk__in=[watch.pk for watch in watches]).update(followed_on=day)


def since_of(expr: Expr, customer_id: int) -> date | None:
    """Since when a followed condition holds for the customer; None: it does not, or nobody
    looked."""
    row = WatchBlock.objects.filter(
        watch__hash=fingerprint(expr), block=block_of(customer_id)
    ).first()
    found = int(unpack(row.since)[customer_id % SIZE]) if row else 0
    return date.fromordinal(found) if found else None


def _plan(exprs: Mapping[str, Expr], asked: Mapping[str, Expr], day: date) -> _Plan:
    every = {**exprs, **asked}
    held: dict[str, Leaf] = {}
    fields: set[str] = set()
    for expr in every.values():
        leaves, changing = followed(expr)
        held |= {fingerprint(leaf): leaf for leaf in leaves}
        fields |= changing
    watches = _watches([*exprs.values(), *held.values()], day)
    for found in held:
        _forget_gap(watches[found], day)
    return _Plan(
        day,
        {name: normal(expr) for name, expr in every.items()},
        {name: watches[fingerprint(expr)] for name, expr in exprs.items()},
        {found: (leaf, watches[found]) for found, leaf in held.items()},
        frozenset(fields),
    )


def _watches(exprs: Iterable[Expr], day: date) -> dict[str, Watch]:
    wanted = {fingerprint(expr): expr for expr in exprs}
    Watch.objects.bulk_create(
        [
            Watch(hash=found, expression=expr.as_json(), first_on=day, followed_on=day)
            for found, expr in wanted.items()
        ],
        ignore_conflicts=True,
    )
    watches = {watch.hash: watch for watch in Watch.objects.filter(hash__in=list(wanted))}
    if any(watch.followed_on > day for watch in watches.values()):
        raise ValueError(f"a later day than {day} was followed already")
    return watches


def _forget_gap(watch: Watch, day: date) -> None:
    if day - watch.followed_on > LONGEST_GAP:
        with transaction.atomic():
            ConditionState.objects.filter(watch=watch).delete()
            watch.first_on = watch.followed_on = day
            watch.save(update_fields=["first_on", "followed_on"])


def _follow_block(plan: _Plan, questions: Questions, block: int) -> Chunk:
    ids, answers = questions.ask(block)
    keys = keys_of(block)
    with transaction.atomic():
        fields = follow_fields(plan.fields, ids, keys, day=plan.day)
        held = HeldStates([watch for _, watch in plan.held.values()], ids, keys, day=plan.day)
        for leaf, watch in plan.held.values():
            held.put(watch, answers.of(Literal(leaf, is_true=True)))
        held.write()
        columns = _Columns(plan, answers, held, fields)
        now = {name: holds(one, columns.of, len(ids)) for name, one in plan.normals.items()}
        since = _carry_on(plan, now, ids, block)
    return Chunk(ids, now, since)


def _carry_on(
    plan: _Plan, now: Mapping[str, Yes], ids: NDArray[np.int64], block: int
) -> dict[str, Days]:
    """The days of the block's customers, stored where they are others than before."""
    watches = {watch.pk: name for name, watch in plan.watches.items()}
    rows = WatchBlock.objects.filter(block=block, watch__in=watches)
    stored = {row.watch_id: bytes(row.since) for row in rows}
    places = ids - keys_of(block)[0]
    found, changed = {}, []
    for pk, name in watches.items():
        all_now = np.zeros(SIZE, np.bool_)
        all_now[places] = now[name]
        before = unpack(stored.get(pk))
        days = carry_on(before, all_now, plan.day)
        if not np.array_equal(days, before):
            changed.append(WatchBlock(watch_id=pk, block=block, since=pack(days)))
        found[pk] = days[places]
    WatchBlock.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=["block", "watch"], update_fields=["since"]
    )
    return {name: found[watch.pk] for name, watch in plan.watches.items()}


@dataclass(frozen=True)
class _Columns:
    plan: _Plan
    answers: Answers
    states: HeldStates
    fields: Mapping[str, Followed]

    def of(self, literal: Literal) -> Yes:
        leaf = literal.leaf
        if isinstance(leaf, Held):
            return self._held(leaf, is_true=literal.is_true)
        if isinstance(leaf, Changed):
            return self.fields[leaf.field].changed(leaf, is_true=literal.is_true)
        return self.answers.of(literal)

    def _held(self, leaf: Held, *, is_true: bool) -> Yes:
        """Not held is known where the condition is false, or became true since it is watched."""
        _, watch = self.plan.held[fingerprint(leaf.of)]
        since = self.states.since[watch.pk]
        border = self.plan.day.toordinal() - leaf.days
        if is_true:
            return (since > 0) & (since <= border)
        is_false = self.answers.of(Literal(leaf.of, is_true=False))
        return is_false | ((since > border) & (since > watch.first_on.toordinal()))
