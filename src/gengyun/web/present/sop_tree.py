"""The steps of an SOP as a checklist: the graph that runs as the nested list people edit, and back.

A graph is {"first": key, "steps": [step…]} as `sop.calc.form` keeps it. A block is
{"items": [item…], "end": ""} where an item is a step without its targets; a step of several ways
carries one block for each of them. `end` says what comes after the last item: "" what follows the
block, "stop" the end of the SOP, or the key of a step to go on with. Pure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gengyun.sop.calc.form import END

Step = Mapping[str, Any]
Block = dict[str, Any]

STOP = "stop"
SHORT = 3  # ways that part for good are boxes up to so many steps; else the last is the main line
TARGETS = ("next", "cases", "otherwise", "on_timeout")


def has_late(step: Step) -> bool:
    """A wait for something: the time may run out, which is a way of its own."""
    return step.get("kind") == "wait" and (
        step.get("until") is not None or step.get("date") is not None
    )


def ways(step: Step) -> list[str | None]:
    """Where a step may lead; None is the end of the SOP."""
    if step.get("kind") == "branch":
        return [*(case.get("next") for case in step.get("cases") or ()), step.get("otherwise")]
    if has_late(step):
        late = step.get("on_timeout")
        return [step.get("next"), None if late == END else late or step.get("next")]
    return [step.get("next")]


def to_tree(first: str | None, steps: Sequence[Step]) -> Block:
    """Every reachable step once; where a path meets a step that stands elsewhere it says so."""
    return _Reader(steps).block(first, None)


class _Reader:
    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = {step["key"]: step for step in steps}
        self.placed: set[str] = set()
        self.reach: dict[str, frozenset[str]] = {}

    def block(self, start: str | None, follow: str | None) -> Block:
        items: list[dict[str, Any]] = []
        at = start
        while at is not None and at != follow and at in self.steps and at not in self.placed:
            item, at = self.item(self.steps[at], follow)
            items.append(item)
        if at == follow:
            return {"items": items, "end": ""}
        if at is None or at not in self.steps:
            return {"items": items, "end": STOP}
        return {"items": items, "end": at}

    def item(self, step: Step, follow: str | None) -> tuple[dict[str, Any], str | None]:
        """The item, and the step that comes after all its ways."""
        self.placed.add(step["key"])
        item = {name: value for name, value in step.items() if name not in TARGETS}
        found = ways(step)
        if len(found) == 1:
            return item, found[0]
        after = self.meeting(found, follow)
        if step["kind"] == "branch":
            item["cases"] = [
                {**case, "block": self.block(case.get("next"), after)}
                for case in step.get("cases") or ()
            ]
            for case in item["cases"]:
                case.pop("next", None)
            item["otherwise"] = self.block(step.get("otherwise"), after)
            return item, after
        # what was waited for goes on in the main line; only the time running out is a box
        if step.get("on_timeout") == END:  # also where nothing follows yet: something may
            item["late"] = {"items": [], "end": STOP}
        elif found[1] == found[0]:
            item["late"] = {"items": [], "end": ""}
        else:
            item["late"] = self.block(found[1], found[0])
        return item, found[0]

    def meeting(self, found: Sequence[str | None], follow: str | None) -> str | None:
        """The first step that all ways which go on come to; None where they never meet."""
        going = [key for key in found if key in self.steps]
        if not going:
            return follow if follow in found else None
        shared = frozenset.intersection(*(self.reached(key) for key in going))
        if follow is not None:
            shared |= {follow} if all(follow in self.reached(key) for key in going) else set()
        if len(going) > 1 or len(going) == len(found):
            if shared:
                return max(shared, key=lambda key: (len(self.reached(key)), key == follow))
            if follow is None and all(len(self.reached(key)) <= SHORT for key in going):
                return None
            return found[-1] if found[-1] in self.steps else None
        return None if len(self.reached(going[0])) <= SHORT and follow is None else going[0]

    def reached(self, key: str) -> frozenset[str]:
        if key not in self.reach:
            seen, todo = set(), [key]
            while todo:
                at = todo.pop()
                if at in seen or at not in self.steps:
                    continue
                seen.add(at)
                todo.extend(way for way in ways(self.steps[at]) if way is not None)
            self.reach[key] = frozenset(seen)
        return self.reach[key]


def to_graph(block: Block) -> tuple[str | None, list[dict[str, Any]]]:
    """(key of the first step, steps in reading order)"""
    steps: list[dict[str, Any]] = []
    first = _write(block, None, steps)
    return first, steps


def _write(block: Block, follow: str | None, steps: list[dict[str, Any]]) -> str | None:
    end = block.get("end") or ""
    after = follow if end == "" else None if end == STOP else end
    items = block["items"]
    for place, item in enumerate(items):
        step = {n: v for n, v in item.items() if n not in {"cases", "otherwise", "late"}}
        steps.append(step)
        onward = items[place + 1]["key"] if place + 1 < len(items) else after
        if item["kind"] == "branch":
            step["next"] = None
            step["cases"] = [
                {
                    **{n: v for n, v in case.items() if n != "block"},
                    "next": _write(case["block"], onward, steps),
                }
                for case in item["cases"]
            ]
            step["otherwise"] = _write(item["otherwise"], onward, steps)
            continue
        step["next"] = onward
        if has_late(item):
            late = item.get("late") or {"items": [], "end": ""}
            is_same = not late["items"] and not late["end"]
            # a way that holds no step and leads nowhere has a name of its own: the end
            step["on_timeout"] = None if is_same else _write(late, onward, steps) or END
    return items[0]["key"] if items else after


def blocks_of(item: Mapping[str, Any]) -> Iterator[Block]:
    for case in item.get("cases") or ():
        yield case["block"]
    for name in ("otherwise", "late"):
        if isinstance(item.get(name), dict) and "items" in item[name]:
            yield item[name]


def items_of(block: Block) -> Iterator[dict[str, Any]]:
    """Every item of the checklist in reading order."""
    for item in block["items"]:
        yield item
        for inner in blocks_of(item):
            yield from items_of(inner)


def change_at(block: Block, key: str, change: Callable[[list[dict[str, Any]], int], None]) -> bool:
    """Calls `change(items, place)` where the step stands; whether it stands anywhere."""
    for place, item in enumerate(block["items"]):
        if item["key"] == key:
            change(block["items"], place)
            return True
        if any(change_at(inner, key, change) for inner in blocks_of(item)):
            return True
    return False
