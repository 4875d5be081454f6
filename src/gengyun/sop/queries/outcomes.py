"""What became of the steps of a run, for conditions that ask: `{"step": {"key", "is"}}`."""

from collections.abc import Callable, Collection, Mapping, Sequence

from gengyun.portfolio.calc.expressions import Expr, StepIs, leaves_of
from gengyun.sop.calc.effects import DONE
from gengyun.sop.models import StepRun

# "task" -> (keys of tasks) -> {key: what can be said of it}
States = Callable[[Collection[int]], Mapping[int, Collection[str]]]
_sources: dict[str, States] = {}


def outcomes_from(kind: str, states: States) -> None:
    """Say what becomes of the things that steps refer to ("task:7"); called by `sop.effects`."""
    _sources[kind] = states


def asking(asked: Mapping[int, Sequence[tuple[str, Expr]]]) -> set[int]:
    """Versions with a condition that asks for a step."""
    return {
        version
        for version, found in asked.items()
        if any(isinstance(leaf, StepIs) for _, expr in found for leaf in leaves_of(expr))
    }


def step_states(run_ids: Sequence[int]) -> dict[int, dict[str, frozenset[str]]]:
    """Run -> step -> its states; where a step was done several times, the newest."""
    lines = StepRun.objects.filter(run__among=run_ids).order_by("run", "ordinal")
    rows = list(lines.values_list("run_id", "step_key", "state", "ref"))
    said = outcomes_of({ref for *_, ref in rows if ref})
    found: dict[int, dict[str, frozenset[str]]] = {}
    for run_id, key, state, ref in rows:
        found.setdefault(run_id, {})[key] = said_of(state, said.get(ref, ()))
    return found


def said_of(state: str, said: Collection[str]) -> frozenset[str]:
    """Setting a task is done at once; the step is not, before the task is."""
    if state == DONE and said and DONE not in said:
        return frozenset(said)
    return frozenset({state, *said})


def outcomes_of(refs: Collection[str]) -> dict[str, Collection[str]]:
    """ "task:7" -> what can be said of it now."""
    by_kind: dict[str, list[int]] = {}
    for ref in refs:
        kind, _, pk = ref.partition(":")
        if kind in _sources and pk.isdigit():
            by_kind.setdefault(kind, []).append(int(pk))
    return {
        f"{kind}:{pk}": states
        for kind, ids in by_kind.items()
        for pk, states in _sources[kind](ids).items()
    }
