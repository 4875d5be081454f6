"""The language of metrics: what it takes, what it refuses and where, and how it reads."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.usage.calc.definition import (
    Base,
    Change,
    DefinitionInvalid,
    Ratio,
    parse_definition,
    references,
)
from gengyun.usage.calc.plan import ANY_USE, MeasureNeed, measure_of, measures_for, plan_for
from gengyun.usage.calc.sentence import describe
from gengyun.usage.calc.windows import month_mask

USERS = Base("users", 30)
BASES = {"users": USERS, "since": Base("days_since", None)}


@pytest.mark.parametrize(
    ("raw", "parsed"),
    [
        ({"aggregate": "users", "window_days": 30}, USERS),
        ({"aggregate": "users", "window_days": 30, "events": None, "property": None}, USERS),
        (
            {"aggregate": "count", "window_days": 7, "events": ["b", "a", "b"]},
            Base("count", 7, ("a", "b")),
        ),
        (
            {"aggregate": "sum", "window_days": 7, "property": "行数"},
            Base("sum", 7, None, "行数"),
        ),
        (
            {"aggregate": "breadth", "window_days": 90, "feature": "module"},
            Base("breadth", 90, None, None, "module"),
        ),
        ({"aggregate": "days_since"}, Base("days_since", None)),
        ({"change": "users"}, Change("users")),
        (
            {"ratio": {"numerator": "users", "denominator": {"field": "seats"}}},
            Ratio("users", field="seats"),
        ),
        (
            {"ratio": {"numerator": "users", "denominator": {"metric": "since"}}},
            Ratio("users", metric="since"),
        ),
    ],
)
def test_a_definition_is_understood(raw, parsed):
    assert parse_definition(raw, BASES) == parsed


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (None, ""),
        ([], ""),
        ({}, ""),
        ({"aggregate": "users", "change": "users"}, ""),
        ({"aggregate": "median", "window_days": 7}, "aggregate"),
        ({"aggregate": {"a": 1}, "window_days": 7}, "aggregate"),
        ({"aggregate": "users"}, "window_days"),
        ({"aggregate": "users", "window_days": 0}, "window_days"),
        ({"aggregate": "users", "window_days": 99999}, "window_days"),
        ({"aggregate": "users", "window_days": True}, "window_days"),
        ({"aggregate": "users", "window_days": "30"}, "window_days"),
        ({"aggregate": "users", "window_days": 30, "events": []}, "events"),
        ({"aggregate": "users", "window_days": 30, "events": "a"}, "events"),
        ({"aggregate": "users", "window_days": 30, "events": ["a", 3]}, "events"),
        ({"aggregate": "users", "window_days": 30, "property": "rows"}, "property"),
        ({"aggregate": "users", "window_days": 30, "windw": 1}, "windw"),
        ({"aggregate": "sum", "window_days": 30}, "property"),
        ({"aggregate": "sum", "window_days": 30, "property": " "}, "property"),
        ({"aggregate": "breadth", "window_days": 30, "feature": 3}, "feature"),
        ({"aggregate": "days_since", "window_days": 30}, "window_days"),
        ({"change": "nothing"}, "change"),
        ({"change": "since"}, "change"),
        ({"change": 3}, "change"),
        ({"ratio": "users"}, "ratio"),
        ({"ratio": {"numerator": "users"}}, "ratio"),
        ({"ratio": {"numerator": "no", "denominator": {"field": "seats"}}}, "ratio.numerator"),
        (
            {"ratio": {"numerator": "users", "denominator": {"field": "name"}}},
            "ratio.denominator.field",
        ),
        (
            {"ratio": {"numerator": "users", "denominator": {"metric": "no"}}},
            "ratio.denominator.metric",
        ),
        ({"ratio": {"numerator": "users", "denominator": {}}}, "ratio.denominator"),
    ],
)
def test_a_wrong_definition_is_refused_with_the_place(raw, path):
    with pytest.raises(DefinitionInvalid) as caught:
        parse_definition(raw, BASES)
    assert caught.value.path == path
    assert str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["aggregate", "ratio", "change", "events", "window_days", "numerator",
                     "denominator", "metric", "field", "feature", "property"]
                ),
                inner | st.sampled_from(["users", "sum", "since"]),
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)  # fmt: skip
def test_anything_at_all_is_understood_or_refused(raw):
    try:
        parsed = parse_definition(raw, BASES)
    except DefinitionInvalid:
        return
    assert describe(parsed, "zh")
    assert describe(parsed, "en")
    plan_for({"m": parsed}, as_of=date(2026, 1, 1), parts=BASES)


def test_a_definition_reads_as_a_sentence():
    names = {"users": "30 天活跃用户"}
    assert describe(USERS, "zh") == "最近 30 天有任意使用事件的不同用户数"
    assert describe(USERS, "en") == (
        "Distinct users with usage events of any kind in the last 30 days"
    )
    assert describe(Base("count", 7, ("a", "b")), "zh") == "最近 7 天“a”、“b”事件的次数"
    assert "“users”" in describe(Change("users"), "en")
    assert describe(Ratio("users", field="seats"), "zh", names) == (
        "“30 天活跃用户”除以“购买席位数”；分母未知或为 0 时未知"
    )
    assert "等 6 种" in describe(Base("count", 7, tuple("abcdef")), "zh")
    assert "and 1 more" in describe(Base("count", 7, tuple("abcdef")), "en")


def test_metrics_over_the_same_events_share_a_measure():
    definitions = {
        "a": Base("users", 7, ("x",)),
        "b": Base("users", 90, ("x",)),
        "c": Base("count", 7),
        "d": Base("active_days", 30),
        "e": Change("c"),
    }
    needs = measures_for(definitions)
    assert len(needs) == 3  # users of x, and the two standing ones
    assert measure_of(definitions["c"]) == ANY_USE
    plan = plan_for(definitions, as_of=date(2026, 3, 1))
    assert len(plan.columns()) == 5  # the change shares its newer column with c
    assert references(definitions["e"]) == {"c"}


def test_the_key_of_a_measure_never_changes():
    """Partitions of every lake carry these names."""
    assert ANY_USE.key == "daily-all"
    assert MeasureNeed("users").key == "users-all"
    assert MeasureNeed("users", ("a",)).key == "users-4c3d1fd9702b1d0d"


@given(
    month=st.dates(date(2019, 12, 1), date(2021, 3, 1)).map(lambda day: day.replace(day=1)),
    start=st.dates(date(2019, 12, 1), date(2021, 3, 1)),
    count=st.integers(0, 400),
)
def test_the_bits_of_a_month_are_its_days_in_the_window(month, start, count):
    end = start + timedelta(days=count)
    mask = month_mask(month, start, end)
    found = {month + timedelta(days=n) for n in range(31) if mask >> n & 1}
    window = {start + timedelta(days=n) for n in range(count)}
    assert found == {day for day in window if (day.year, day.month) == (month.year, month.month)}
    assert 0 <= mask < 2**31
