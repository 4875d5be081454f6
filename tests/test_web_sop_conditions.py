"""Conditions in the editor: what is kept comes back as it was; what is wrong is marked at its row."""

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from gengyun.portfolio.calc import expressions
from gengyun.web.present import condition_form as form
from gengyun.web.present.nested import nested

FIELDS = {
    one.key: one
    for one in [
        form.Field("band", "Health", "choice", [("in", "is"), (form.OUT, "is not")],
                   [(b, b) for b in "ABCDN"], can_change=True),
        form.Field("score", "Score", "number", [("gte", ""), ("lt", ""), ("none", "")]),
        form.Field("arr", "ARR", "number", [("gte", ""), ("lt", "")], scale=1_000_000),
        form.Field("renews", "Renews", "days", [("within", ""), ("overdue", "")]),
        form.Field("tag", "Tag", "single", [("has", ""), ("lacks", "")], [("vip", "vip")]),
    ]
}  # fmt: skip

leaf = st.one_of(
    st.builds(
        lambda bands: {"field": "band", "op": "in", "value": bands},
        st.lists(st.sampled_from("ABCDN"), min_size=1, max_size=3, unique=True),
    ),
    st.builds(lambda n: {"field": "score", "op": "lt", "value": n}, st.integers(0, 100)),
    st.builds(
        lambda n: {"field": "arr", "op": "gte", "value": n * 10_000}, st.integers(0, 10_000_000)
    ),
    st.builds(lambda n: {"field": "renews", "op": "within", "value": n}, st.integers(0, 400)),
    st.just({"field": "score", "op": "none"}),
    st.just({"field": "tag", "op": "has", "value": "vip"}),
)
leaves = st.one_of(
    leaf,
    st.builds(lambda of, n: {"held": {"of": of, "days": n}}, leaf, st.integers(1, 400)),
    st.builds(
        lambda a, b: {"changed": {"field": "band", "from": a, "to": b}},
        st.sampled_from([None, "A"]),
        st.sampled_from([None, "D"]),
    ),
    st.just({"step": {"key": "call", "is": "done"}}),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=5,
)


def plain(expr):
    """The same condition without what says nothing: groups of one, doubled "not"."""
    if isinstance(expr, expressions.Not):
        inner = plain(expr.part)
        return inner.part if isinstance(inner, expressions.Not) else expressions.Not(inner)
    if isinstance(expr, expressions.All | expressions.AnyOf):
        parts = tuple(plain(part) for part in expr.parts)
        return parts[0] if len(parts) == 1 else type(expr)(parts)
    return expr


def depth(raw):
    inner = raw.get("all") or raw.get("any") or ([raw["not"]] if "not" in raw else [])
    return 1 + max(map(depth, inner), default=0)


@given(trees.filter(lambda raw: depth(raw) <= 3))
def test_a_condition_comes_back_from_the_editor_as_it_was(raw):
    node = form.of_json(raw, FIELDS)
    again, errors = form.to_json(node, FIELDS, name="when", with_steps=True)
    assert errors == {}
    was, now = (expressions.parse(one, with_steps=True) for one in (raw, again))
    assert plain(was) == plain(now)


def posted(**fields):
    query = QueryDict(mutable=True)
    for name, value in fields.items():
        query.setlist(name.replace("__", "."), value if isinstance(value, list) else [value])
    return nested(query)


def test_what_a_form_sends_is_a_condition():
    tree = posted(
        when__join="any",
        when__parts__0__how="now",
        when__parts__0__field="band",
        when__parts__0__op="in",
        when__parts__0__values=["C", "D"],
        when__parts__1__join="all",
        when__parts__1__parts__0__how="held",
        when__parts__1__parts__0__field="arr",
        when__parts__1__parts__0__op="gte",
        when__parts__1__parts__0__values="48.6",
        when__parts__1__parts__0__days="14",
    )
    raw, errors = form.to_json(form.of_post(tree["when"]), FIELDS, name="when")
    assert errors == {}
    held = {"of": {"field": "arr", "op": "gte", "value": 48_600_000}, "days": 14}
    assert raw == {
        "any": [{"field": "band", "op": "in", "value": ["C", "D"]}, {"all": [{"held": held}]}]
    }


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"field": "score", "op": "lt", "values": []}, form.NO_VALUE),
        ({"field": "score", "op": "lt", "values": ["much"]}, form.NO_NUMBER),
        ({"field": "score", "op": "lt", "values": ["nan"]}, form.NO_NUMBER),
        ({"field": "custom_9", "op": "lt", "values": ["1"]}, form.GONE),
        ({"field": "renews", "op": "within", "values": ["-1"]}, form.BAD_VALUE),
        ({"how": "held", "field": "score", "op": "none", "days": "0"}, form.BAD_DAYS),
        ({"how": "held", "field": "score", "op": "none", "days": "²"}, form.BAD_DAYS),
        ({"how": "step"}, form.NO_STEP),
    ],
)
def test_what_cannot_be_kept_is_marked_at_its_row(row, problem):
    base = form.new_row(FIELDS)
    node = form.empty_group() | {"parts": [base | row]}
    _raw, errors = form.to_json(node, FIELDS, name="when", with_steps=True)
    assert errors == {"when.parts.0": problem}


def test_another_field_brings_its_own_comparison_and_no_old_value():
    node = form.empty_group() | {
        "parts": [form.new_row(FIELDS) | {"field": "score", "op": "in", "values": ["C"]}]
    }
    row = form.settle(node, FIELDS)["parts"][0]
    assert (row["op"], row["values"]) == ("gte", [])


@pytest.mark.parametrize(
    "fields",
    [
        {"a.b": ["1"], "a": ["2"]},
        {"a": ["2"], "a.b": ["1"]},
        {"a." + "0." * 200 + "b": ["1"]},
        {"a.0": ["x"], "a.-1": ["y"], "": ["z"]},
        {"a.b": ["\x00\ud800"]},
    ],
)
def test_odd_names_are_read_without_harm(fields):
    query = QueryDict(mutable=True)
    for name, value in fields.items():
        query.setlist(name, value)
    tree = nested(query)
    assert form.of_post(tree.get("a") if isinstance(tree.get("a"), dict) else {})["parts"] == []
