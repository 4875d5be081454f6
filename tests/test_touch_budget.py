"""Caps over rolling windows, quiet hours and days of rest: against slow and obvious versions."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gengyun.engagement.calc.budget import ALL, Counted, most_within, over_cap
from gengyun.engagement.calc.quiet import Quiet, first_allowed, is_quiet
from gengyun.engagement.calc.touching import Standing, decide, obstacle

START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
hours = st.integers(0, 24 * 70).map(lambda h: START + timedelta(hours=h))


def slow_most(times, at, span):
    """Every interval that ends at a message: how many fall into it, where it holds `at`."""
    every = [*times, at]
    return max(
        sum(end - span < one <= end for one in every) for end in every if end - span < at <= end
    )


@given(st.lists(hours, max_size=12), hours, st.integers(1, 30))
def test_the_fullest_window_is_found(times, at, days):
    span = timedelta(days=days)
    assert most_within(times, at, span) == slow_most(times, at, span)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(hours, st.sampled_from(["service", "campaign", "survey"])), max_size=25),
    st.dictionaries(
        st.sampled_from([ALL, "service", "campaign", "survey"]),
        st.dictionaries(st.sampled_from(["1", "7", "30"]), st.integers(0, 4), max_size=3),
        max_size=4,
    ),
)
@example([(START, "survey"), (START + timedelta(hours=23), "survey")], {ALL: {"1": 1}})
def test_nobody_ever_gets_more_than_a_cap_allows(asked, caps):
    """Messages asked for in any order of their moments: no window holds more than its cap."""
    taken = []
    for at, kind in asked:
        if over_cap(caps, kind, taken, at) is None:
            taken.append(Counted(at, kind))
    for name, windows in caps.items():
        times = [one.at for one in taken if name in (ALL, one.budget_class)]
        for days, cap in windows.items():
            span = timedelta(days=int(days))
            for end in times:
                assert sum(end - span < one <= end for one in times) <= cap


@given(st.lists(hours, min_size=1, max_size=8), hours, st.integers(1, 3))
def test_the_moment_when_there_is_room_again_has_room(times, at, cap):
    known = [Counted(one, "service") for one in times]
    over = over_cap({"service": {"7": cap}}, "service", known, at)
    if over is not None:
        assert over.free_at > at
        assert over_cap({"service": {"7": cap}}, "service", known, over.free_at) is None


def test_what_is_operational_counts_in_nothing():
    known = [Counted(START, "operational")] * 5
    assert over_cap({ALL: {"1": 1}}, "service", known, START) is None
    full = [Counted(START, "service")]
    assert over_cap({ALL: {"1": 1}}, "operational", full, START) is None
    assert over_cap({ALL: {"1": 1}}, "service", full, START).reason == "cap_1d"


def test_a_cap_of_one_a_day_is_24_hours_not_a_calendar_day():
    known = [Counted(START, "service")]
    caps = {"service": {"1": 1}}
    assert over_cap(caps, "service", known, START + timedelta(hours=23, minutes=59))
    assert over_cap(caps, "service", known, START + timedelta(hours=24)) is None


def test_a_cap_of_nothing_never_frees():
    over = over_cap({"campaign": {"30": 0}}, "campaign", [], START)
    assert (over.reason, over.counted) == ("cap_30d", 0)
    decision = decide(
        Standing(SHANGHAI),
        category="marketing", budget_class="campaign", at=START,
        quiet=Quiet(time(20), time(9)), caps={"campaign": {"30": 0}},
    )  # fmt: skip
    assert decision.reason == "cap_30d"
    assert "free_at" not in decision.told


QUIET = Quiet(time(20), time(9))


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        # Monday 10:00 in Shanghai: at once
        ("2026-03-02T10:00+08:00", "Asia/Shanghai", "2026-03-02T10:00+08:00"),
        ("2026-03-02T20:00+08:00", "Asia/Shanghai", "2026-03-03T09:00+08:00"),
        ("2026-03-02T08:59+08:00", "Asia/Shanghai", "2026-03-02T09:00+08:00"),
        # Friday night before a plain weekend
        ("2026-03-06T21:00+08:00", "Asia/Shanghai", "2026-03-09T09:00+08:00"),
        # Spring Festival 2026: 15 to 23 February free, 14 and 28 February are worked (调休)
        ("2026-02-14T12:00+08:00", "Asia/Shanghai", "2026-02-14T12:00+08:00"),
        ("2026-02-14T20:30+08:00", "Asia/Shanghai", "2026-02-24T09:00+08:00"),
        ("2026-02-27T21:00+08:00", "Asia/Shanghai", "2026-02-28T09:00+08:00"),
        # leap day
        ("2028-02-28T22:00+08:00", "Asia/Shanghai", "2028-02-29T09:00+08:00"),
        # the reader's own time: 10:00 in Shanghai is the evening before in New York
        ("2026-03-03T10:00+08:00", "America/New_York", "2026-03-03T09:00-05:00"),
        # clocks go forward on 8 March 2026 in New York: Monday 9:00 is at -04:00
        ("2026-03-06T21:00-05:00", "America/New_York", "2026-03-09T09:00-04:00"),
        # ... and back on 1 November
        ("2026-10-30T21:00-04:00", "America/New_York", "2026-11-02T09:00-05:00"),
    ],
)
def test_the_first_allowed_moment(at, zone, expected):
    found = first_allowed(datetime.fromisoformat(at), ZoneInfo(zone), QUIET)
    assert found == datetime.fromisoformat(expected)


def test_hours_that_the_clock_skips_or_repeats():
    """Berlin: 02:00-03:00 does not exist on 29 March 2026 and comes twice on 25 October."""
    berlin = ZoneInfo("Europe/Berlin")
    quiet = Quiet(time(23), time(2, 30), working_days_only=False)
    found = first_allowed(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), berlin, quiet)
    assert found == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)  # 03:00 summer time
    found = first_allowed(datetime(2026, 10, 24, 23, 0, tzinfo=UTC), berlin, quiet)
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first 02:30


zones = st.sampled_from(
    ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia",
     "Australia/Lord_Howe", "America/St_Johns"]
)  # fmt: skip
clocks = st.sampled_from([time(h, m) for h in range(24) for m in (0, 30)])


@settings(max_examples=40)
@given(
    st.integers(0, 400 * 24 * 4).map(lambda n: START + timedelta(minutes=15 * n)),
    zones, clocks, clocks, st.booleans(),
)  # fmt: skip
def test_the_first_allowed_moment_is_allowed_and_none_is_earlier(at, zone, first, last, work):
    quiet, place = Quiet(first, last, work), ZoneInfo(zone)
    found = first_allowed(at, place, quiet)
    assert found >= at
    assert not is_quiet(found, place, quiet)
    # no quarter of an hour before it was allowed (holidays are long: look at the last day)
    probe = max(at, found - timedelta(days=1))
    while probe < found:
        assert is_quiet(probe, place, quiet)
        probe += timedelta(minutes=15)


def test_holidays_of_2026_are_those_published():
    """As the State Council announced them: 2 October is free, 10 October (Saturday) is worked."""
    noon = time(12)
    free = [date(2026, 1, 1), date(2026, 2, 17), date(2026, 5, 1), date(2026, 10, 2)]
    worked = [date(2026, 1, 4), date(2026, 2, 28), date(2026, 5, 9), date(2026, 10, 10)]
    for day in free:
        assert is_quiet(datetime.combine(day, noon, SHANGHAI), SHANGHAI, QUIET), day
    for day in worked:
        assert not is_quiet(datetime.combine(day, noon, SHANGHAI), SHANGHAI, QUIET), day


def test_obstacles_come_in_their_order_and_operational_mail_passes_an_opt_out():
    out = Standing(SHANGHAI, opted_out=frozenset({"all"}))
    assert obstacle(out, "service", "service") == "opted_out"
    assert obstacle(out, "service", "operational") == ""
    only = Standing(SHANGHAI, opted_out=frozenset({"marketing"}))
    assert obstacle(only, "marketing", "campaign") == "opted_out"
    assert obstacle(only, "education", "campaign") == ""
    nobody = Standing(SHANGHAI, needs_contact=True, has_contact=False, needs_address=True)
    assert obstacle(nobody, "service", "service") == "no_contact"
    gone = Standing(SHANGHAI, has_left=True, needs_address=True, is_customer_here=False)
    assert obstacle(gone, "service", "operational") == "customer_gone"
