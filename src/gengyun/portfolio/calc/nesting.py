"""Segments whose conditions name segments: which, how deep, and whether they come round. Pure."""

from collections.abc import Collection, Mapping

from gengyun.portfolio.calc.expressions import Expr, Held, Leaf, leaves_of

SEGMENT = "segment"
DEEPEST = 5  # segments inside each other; each is one more question in the same statement

Graph = Mapping[int, Collection[int]]  # segment -> those that its condition names


def segments_in(expr: Expr) -> set[int]:
    return {
        int(found.value)
        for leaf in leaves_of(expr)
        if isinstance(leaf, Leaf | Held)
        and (found := (leaf.of if isinstance(leaf, Held) else leaf).filter).field == SEGMENT
    }


def way_back(graph: Graph, start: int) -> list[int]:
    """The way from a segment to itself, both ends named; empty where there is none."""
    todo: list[list[int]] = [[start]]
    seen: set[int] = set()
    while todo:
        way = todo.pop()
        for one in sorted(graph.get(way[-1], ())):
            if one == start:
                return [*way, one]
            if one not in seen:
                seen.add(one)
                todo.append([*way, one])
    return []


def depth_of(graph: Graph) -> int:
    """How many segments stand inside each other at most; of a graph without a way back."""
    return max((_depth(graph, one) for one in graph), default=0)


def _depth(graph: Graph, start: int) -> int:
    return 1 + max((_depth(graph, one) for one in graph.get(start, ())), default=0)
