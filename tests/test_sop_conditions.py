"""The filter language: what is refused, and the same answer from rows and from the database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from factories import make_customer, make_tiers, make_user
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.customers.models import CustomField, FieldValue, Tag, Tier
from gengyun.portfolio.calc.expressions import (
    BadExpression,
    Held,
    Leaf,
    fields_of,
    fingerprint,
    leaves_of,
    parse,
)
from gengyun.portfolio.calc.filters import BadFilter, Filter
from gengyun.portfolio.calc.truth import Facts, explain, truth
from gengyun.portfolio.models import ConditionState, CustomerSummary, FieldState, Watch
from gengyun.portfolio.queries.expressions import definitions_of, facts_of, to_q

TODAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
LOW = {"field": "score", "op": "lt", "value": 50}


@pytest.mark.parametrize(
    "raw",
    [
        None, [], "score", {}, {"all": "score"}, {"all": [LOW], "any": [LOW]}, {"not": [LOW]},
        {"field": "score", "op": "like", "value": 1}, {"field": "gone", "op": "is", "value": 1},
        {"field": ["score"], "op": "lt", "value": 1}, {"field": "score", "op": ["lt"], "value": 1},
        {"field": "score", "op": "lt", "value": float("nan")}, {**LOW, "sql": "1=1"},
        {"field": "owner", "op": "is", "value": "me"},
        {"changed": {"field": "score"}}, {"changed": {"field": "band", "to": ["D"]}},
        {"held": {"of": LOW, "days": 0}}, {"held": {"of": {"all": [LOW]}, "days": 3}},
        {"held": {"of": LOW, "days": True}}, {"step": {"key": "a", "is": "done"}},
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(raw):
    with pytest.raises(BadFilter):
        parse(raw)


def test_depth_and_size_are_bounded():
    deep = LOW
    for _ in range(6):
        deep = {"not": deep}
    with pytest.raises(BadExpression):
        parse(deep)
    with pytest.raises(BadExpression):
        parse({"any": [{"all": [LOW] * 30}, {"all": [LOW] * 30}]})


def test_a_step_is_asked_about_only_inside_a_run():
    raw = {"step": {"key": "call", "is": "done"}}
    expr = parse(raw, with_steps=True)
    assert expr.as_json() == raw
    answers = [
        truth(expr, Facts({}, steps=steps), today=TODAY, definitions={})
        for steps in ({}, {"call": frozenset({"done"})})
    ]
    assert answers == [False, True]


def test_a_tree_reads_back_as_it_was_written_and_is_known_by_its_content():
    raw = {"all": [LOW, {"not": {"changed": {"field": "band", "from": "B", "to": "D"}}}]}
    assert parse(raw).as_json() == raw
    assert fingerprint(parse(raw)) == fingerprint(parse(parse(raw).as_json()))
    assert fingerprint(parse(raw)) != fingerprint(parse({"any": raw["all"]}))
    assert fields_of(
        parse({"held": {"of": {"field": "custom.seg", "op": "known"}, "days": 2}})
    ) == {"custom_seg"}


def test_unknown_is_neither_true_nor_its_opposite():
    nothing = Facts({"score": None})
    for raw in (LOW, {"not": LOW}, {"all": [LOW, {"any": [LOW, {"not": LOW}]}]}):
        assert truth(parse(raw), nothing, today=TODAY, definitions={}) is None
    either = {"any": [LOW, {"field": "score", "op": "none"}]}
    assert truth(parse(either), nothing, today=TODAY, definitions={}) is True


def test_every_leaf_is_explained_with_its_value():
    expr = parse({"all": [LOW, {"field": "industry", "op": "is", "value": "零售"}]})
    said = explain(expr, Facts({"score": 61.0, "industry": ""}), today=TODAY, definitions={})
    assert [(one.holds, one.value) for one in said] == [(False, 61.0), (None, "")]


def _book():
    """Customers with every value that matters, among them nothing at all."""
    tiers, owner = Tier.objects.in_bulk() or make_tiers(), make_user()
    tier = Tier.objects.order_by("pk").first()
    kinds = {"text": "", "number": "", "date": "", "bool": "", "choice": "", "multi": ""}
    options = [{"key": key, "name_zh": key, "name_en": key} for key in ("x", "y")]
    fields = {
        kind: CustomField.objects.create(
            key=f"f{kind}", kind=kind, name_en=kind, created_at=NOW, updated_at=NOW,
            options=options if kind in ("choice", "multi") else [],
        )
        for kind in kinds
    }  # fmt: skip
    assert tiers
    watch = Watch.objects.create(
        hash=fingerprint(Leaf(Filter("score", "lt", 50.0))), expression=LOW,
        first_on=TODAY - timedelta(10), followed_on=TODAY,
    )  # fmt: skip
    for n in range(24):
        customer = make_customer(f"甲{n}")
        full = n % 4
        CustomerSummary.objects.create(
            customer=customer, name=customer.name, search_key=f"甲{n}", updated_at=NOW,
            owner=owner if full else None, tier=tier if n % 3 else None,
            industry=("", "零售", "制造")[n % 3], pace=("", "stuck")[n % 2],
            band="ABCDN"[n % 5], trend=("", "up", "down")[n % 3],
            tag_names=["重点"] if n % 2 else [],
            arr_minor=n * 1_000 if full else None, score=(None, 40.0, 50.0, 61.5)[full],
            churn=(None, 0.3, 0.34)[n % 3],
            renews_on=TODAY + timedelta(n - 5) if full else None,
            next_step_on=TODAY + timedelta(n - 9) if n % 2 else None,
            last_event_on=TODAY - timedelta(n) if full else None,
            last_touch_at=NOW - timedelta(days=n) if n % 5 else None,
            active_users_7d=n if full else None, active_change=(None, -50.0, 10.5)[n % 3],
            need_rank=1 if n % 3 == 1 else 0, need_codes=",silent,band_d," if n % 3 == 1 else "",
        )  # fmt: skip
        if n % 2:
            customer.tags.add(Tag.objects.get_or_create(name="重点")[0])
        if n % 3 == 0:
            _values(customer, fields, n)
        if full == 1 and n < 20:
            ConditionState.objects.create(
                watch=watch, customer=customer, since_on=TODAY - timedelta(n % 12)
            )
        if n % 2:
            FieldState.objects.create(
                field="band", customer=customer, value="ABCDN"[n % 5], previous="B",
                changed_on=TODAY - timedelta(n % 3),
            )  # fmt: skip


def _values(customer, fields, n):
    rows = {
        "text": {"text": f"t{n}"}, "number": {"number": n}, "date": {"day": TODAY + timedelta(n - 8)},
        "bool": {"number": n % 2}, "choice": {"text": "xy"[n % 2], "number": n % 2},
        "multi": {"text": "xy"[n % 2]},
    }  # fmt: skip
    for kind, values in rows.items():
        FieldValue.objects.create(customer=customer, field=fields[kind], **values)


LEAVES = [
    *({"field": f, "op": op, "value": v} for f, op, v in [
        ("text", "contains", "甲1"), ("industry", "is", "零售"), ("industry", "not", "零售"),
        ("industry", "in", ["零售", "制造"]), ("pace", "is", "stuck"), ("band", "in", ["D", "N"]),
        ("band", "not", "A"), ("trend", "is", "up"), ("tag", "has", "重点"), ("tag", "lacks", "重点"),
        ("arr", "gte", 9_000), ("score", "lt", 50), ("score", "gte", 50), ("churn", "gte", 30),
        ("churn", "lt", "34%"), ("renews", "within", 9), ("renews", "before", "2026-03-09"),
        ("renews", "between", ["2026-03-01", "2026-03-12"]), ("touch", "older", 6),
        ("touch", "within", 6), ("next_step", "within", 3), ("last_event", "older", 7),
        ("need", "is", "silent"), ("active", "gte", 3), ("active_change", "lt", -20), ("custom.ftext", "contains", "T1"), ("custom.ftext", "is", "t3"),
        ("custom.fnumber", "gte", 9), ("custom.fdate", "older", 3), ("custom.fdate", "within", 5),
        ("custom.fbool", "is", "yes"), ("custom.fchoice", "is", "x"), ("custom.fchoice", "not", "x"),
        ("custom.fchoice", "in", ["x", "y"]), ("custom.fmulti", "has", "y"), ("custom.fmulti", "lacks", "y"),
    ]),
    *({"field": f, "op": op} for f, op in [
        ("score", "none"), ("score", "known"), ("owner", "none"), ("tier", "none"),
        ("renews", "overdue"), ("renews", "none"), ("touch", "none"), ("next_step", "overdue"),
        ("next_step", "today"), ("next_step", "none"), ("need", "any"), ("custom.ftext", "none"),
        ("custom.fnumber", "known"),
    ]),
    {"held": {"of": LOW, "days": 5}}, {"held": {"of": LOW, "days": 11}},
    {"held": {"of": {"field": "arr", "op": "known"}, "days": 5}},
    {"changed": {"field": "band", "from": None, "to": None}},
    {"changed": {"field": "band", "from": "B", "to": "D"}},
    {"changed": {"field": "band", "from": "C", "to": None}},
]  # fmt: skip


@pytest.fixture
def same(db):
    """Compare the answers by rows and by the database; returns for whom it is True."""
    _book()
    leaves = [parse(raw) for raw in LEAVES]
    everybody = list(CustomerSummary.objects.values_list("pk", flat=True))
    facts, definitions = facts_of(everybody, leaves, today=TODAY), definitions_of(leaves)

    def check(raw):
        expr = parse(raw)
        rows = CustomerSummary.objects.filter(to_q(expr, None, TODAY)).order_by()
        by_rows = {
            pk for pk in everybody if truth(expr, facts[pk], today=TODAY, definitions=definitions)
        }
        assert set(rows.values_list("pk", flat=True)) == by_rows, raw
        return by_rows

    return check


def test_every_leaf_and_its_opposite_mean_the_same_in_the_database(same):
    empty = [raw for raw in LEAVES if not same(raw)]
    assert [raw for raw in empty if "held" not in raw and "changed" not in raw] == []
    assert any(same(raw) for raw in LEAVES if "held" in raw)
    assert any(same(raw) for raw in LEAVES if "changed" in raw)
    for raw in LEAVES:
        same({"not": raw})


TREES = st.recursive(
    st.sampled_from(LEAVES),
    lambda below: st.one_of(
        st.lists(below, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(below, max_size=3).map(lambda parts: {"any": parts}),
        below.map(lambda part: {"not": part}),
    ),
    max_leaves=6,
)


def test_trees_mean_the_same_in_the_database(same):
    @settings(max_examples=40)
    @given(TREES)
    def check(raw):
        try:
            parse(raw)
        except BadExpression:
            return  # too deep
        same(raw)

    check()


def test_held_asks_for_one_filter():
    expr = parse({"held": {"of": LOW, "days": 3}})
    assert [type(leaf) for leaf in leaves_of(expr)] == [Held]
