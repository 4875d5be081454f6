"""The language of metrics: what it takes, what it refuses and where, and how it reads."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.usage.calc.definition import (
    Base,
    Change,
    Days,
    DefinitionInvalid,
    Ratio,
    Total,
    parse_definition,
    references,
)
from gengyun.usage.calc.plan import ANY_USE, MeasureNeed, measure_of, measures_for, plan_for
from gengyun.usage.calc.sentence import describe
from gengyun.usage.calc.windows import month_mask

USERS = Base("users", 30)
WEEK = Base("count", 7)
TOTAL = Total(("users", "week"))
BASES = {
    "users": USERS,
    "week": WEEK,
    "since": Base("days_since", None),
    "total": TOTAL,
    "tenure": Days("started_on"),
}


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
        ({"aggregate": "days_without", "events": ["a"]}, Base("days_without", None, ("a",))),
        (
            {"aggregate": "count", "window_days": 84, "per_days": 28, "fewest_days": 14,
             "if_none": "unknown"},
            Base("count", 84, none_is_unknown=True, per_days=28, fewest_days=14),
        ),
        ({"aggregate": "count", "window_days": 7, "if_none": "zero"}, WEEK),
        ({"days": {"since": "started_on"}}, Days("started_on")),
        ({"days": {"until": "renews_on"}}, Days("renews_on", since=False)),
        ({"total": ["users", "week"]}, TOTAL),
        ({"change": {"metric": "total", "days": 28}}, Change("total", 28)),
        ({"change": {"metric": "users"}}, Change("users")),
        (
            {"ratio": {"numerator": "total", "denominator": {"metric": "tenure"},
                       "unknown_is_zero": True}},
            Ratio("total", metric="tenure", unknown_is_zero=True),
        ),
    ],
)  # fmt: skip
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
        ({"aggregate": "days_without", "window_days": 7}, "window_days"),
        ({"aggregate": "users", "window_days": 7, "per_days": 28}, "per_days"),
        ({"aggregate": "count", "window_days": 7, "per_days": 0}, "per_days"),
        ({"aggregate": "count", "window_days": 7, "fewest_days": 7}, "fewest_days"),
        (
            {"aggregate": "count", "window_days": 7, "per_days": 1, "fewest_days": 8},
            "fewest_days",
        ),
        ({"aggregate": "count", "window_days": 7, "if_none": 0}, "if_none"),
        ({"aggregate": "days_since", "if_none": "unknown"}, "if_none"),
        ({"days": "started_on"}, "days"),
        ({"days": {"since": "name"}}, "days.since"),
        ({"days": {"since": "started_on", "until": "renews_on"}}, "days"),
        ({"total": ["users"]}, "total"),
        ({"total": ["users", "users"]}, "total"),
        ({"total": ["users", "no"]}, "total"),
        ({"total": ["users", "total"]}, "total"),
        ({"total": ["users", "tenure"]}, "total"),
        ({"change": "total"}, "change.days"),  # of 7 and of 30 days
        ({"change": "tenure"}, "change"),
        ({"change": {"metric": "users", "days": -1}}, "change.days"),
        ({"change": {"metric": "users", "dys": 1}}, "change.dys"),
        (
            {"ratio": {"numerator": "users", "denominator": {"field": "seats"},
                       "unknown_is_zero": 1.5}},
            "ratio.unknown_is_zero",
        ),
    ],
)  # fmt: skip
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
                     "denominator", "metric", "field", "feature", "property", "days", "total",
                     "since", "until", "per_days", "fewest_days", "if_none", "unknown_is_zero"]
                ),
                inner | st.sampled_from(["users", "sum", "since", "total", "tenure", "started_on"]),
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
    average = Base("count", 84, ("a",), none_is_unknown=True, per_days=28, fewest_days=14)
    assert describe(average, "zh") == (
        "最近 84 天“a”事件的次数，折算为每 28 天；合作开始之前的日子不计，合作不足 14 天时未知；一次也没有时未知"
    )
    assert describe(average, "en") == (
        "Number of the event “a” in the last 84 days, as an average per 28 days; days before the "
        "customer started are left out, and with less than 14 days it is unknown; "
        "unknown where there is none"
    )
    assert describe(TOTAL, "zh", names) == "“30 天活跃用户”、“week”中已知的各项之和；都未知时未知"
    assert describe(Change("users", 84), "zh", names) == (
        "“30 天活跃用户”与早 84 天的同长窗口相比的变化；之前为 0 时未知"
    )
    assert describe(Days("renews_on", since=False), "zh") == "距续约日的天数；已过为负数"
    assert "分子未知算 0" in describe(Ratio("a", metric="b", unknown_is_zero=True), "zh")


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
