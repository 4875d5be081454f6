"""The checklist of an SOP and the graph that runs say the same."""

from hypothesis import given
from hypothesis import strategies as st

from gengyun.web.present import sop_tree as tree


def step(key, kind="note", **more):
    return {"key": key, "kind": kind, **more}


def branch(key, *targets, otherwise=None):
    cases = [{"when": {"all": []}, "next": target} for target in targets]
    return step(key, "branch", cases=cases, otherwise=otherwise)


def keys(block):
    return [item["key"] for item in block["items"]]


def test_a_line_of_steps_is_a_list():
    block = tree.to_tree("a", [step("a", next="b"), step("b", next=None)])
    assert keys(block) == ["a", "b"]
    assert block["end"] == ""


def test_ways_that_meet_again_are_boxes_and_the_list_goes_on_behind_them():
    steps = [
        branch("a", "b", otherwise="c"),
        step("b", next="d"),
        step("c", next="d"),
        step("d", next=None),
    ]
    block = tree.to_tree("a", steps)
    assert keys(block) == ["a", "d"]
    case, otherwise = block["items"][0]["cases"][0]["block"], block["items"][0]["otherwise"]
    assert (keys(case), case["end"]) == (["b"], "")
    assert (keys(otherwise), otherwise["end"]) == (["c"], "")


def test_short_ways_that_never_meet_stay_boxes():
    steps = [branch("a", "b", otherwise="c"), step("b", next=None), step("c", next=None)]
    block = tree.to_tree("a", steps)
    assert keys(block) == ["a"]
    assert keys(block["items"][0]["otherwise"]) == ["c"]


def test_a_way_that_ends_early_says_so():
    steps = [branch("a", "b", otherwise="c"), step("b", next=None)]
    steps += [step(k, next=n) for k, n in [("c", "d"), ("d", "e"), ("e", "f"), ("f", None)]]
    block = tree.to_tree("a", steps)
    assert keys(block) == ["a", "c", "d", "e", "f"]
    assert block["items"][0]["cases"][0]["block"]["end"] == tree.STOP
    assert block["items"][0]["otherwise"] == {"items": [], "end": ""}


def test_a_wait_that_runs_out_has_a_way_of_its_own():
    wait = step("a", "wait", until={"field": "band"}, next="b", on_timeout="x")
    block = tree.to_tree("a", [wait, step("b", next=None), step("x", next="b")])
    assert keys(block) == ["a", "b"]
    assert keys(block["items"][0]["late"]) == ["x"]
    assert tree.to_graph(block)[1][0]["on_timeout"] == "x"


def test_a_wait_may_end_the_sop_when_the_time_runs_out():
    wait = step("a", "wait", until={"field": "band"}, next="b", on_timeout="end")
    block = tree.to_tree("a", [wait, step("b", next=None)])
    assert (keys(block), block["items"][0]["late"]) == (["a", "b"], {"items": [], "end": tree.STOP})
    assert tree.to_graph(block)[1][0]["on_timeout"] == "end"
    # also where nothing follows: what is added later must not be gone on to
    alone = tree.to_tree("a", [{**wait, "next": None}])
    assert alone["items"][0]["late"]["end"] == tree.STOP
    alone["items"].append({**step("c"), "bmat": []})
    assert tree.to_graph(alone)[1][0]["on_timeout"] == "end"
    block["items"][0]["late"]["end"] = ""
    assert tree.to_graph(block)[1][0]["on_timeout"] is None


def test_a_step_back_is_told_and_not_walked_for_ever():
    steps = [step("a", next="b"), branch("b", "a", otherwise=None)]
    block = tree.to_tree("a", steps)
    assert block["items"][1]["cases"][0]["block"] == {"items": [], "end": "a"}


@st.composite
def graphs(draw):
    """Any graph without a way back: targets lie behind the step."""
    count = draw(st.integers(1, 9))
    names = [f"s{n}" for n in range(count)]
    steps = []
    for place, name in enumerate(names):
        later = st.sampled_from([*names[place + 1 :], None])
        kind = draw(st.sampled_from(["note", "branch", "wait"]))
        if kind == "branch":
            targets = draw(st.lists(later, min_size=1, max_size=3))
            steps.append(branch(name, *targets, otherwise=draw(later)))
        elif kind == "wait":
            onward = draw(later)
            late = draw(st.sampled_from([*names[place + 1 :], "end", None]))
            until = {"field": "band"}
            steps.append(step(name, "wait", until=until, next=onward, on_timeout=late))
        else:
            steps.append(step(name, next=draw(later)))
    return steps


@given(graphs())
def test_what_runs_is_the_same_after_editing_as_a_checklist(steps):
    by_key = {one["key"]: one for one in steps}
    first, again = tree.to_graph(tree.to_tree("s0", steps))
    again_by_key = {one["key"]: one for one in again}
    assert first == "s0"
    assert len(again) == len(again_by_key)
    seen, todo = set(), ["s0"]
    while todo:
        key = todo.pop()
        if key in seen or key is None:
            continue
        seen.add(key)
        assert tree.ways(again_by_key[key]) == tree.ways(by_key[key])
        todo += tree.ways(by_key[key])
    assert seen == set(again_by_key)
