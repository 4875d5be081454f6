"""What one customer did, read live: the line per day, the latest events, features."""

from datetime import UTC, date, datetime, timedelta

import pytest
from factories import NOW
from lake_events import arrow, days, event

from gengyun.lake.compaction import compact
from gengyun.lake.store import Lake
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.queries.usage_line import (
    daily_line,
    data_until,
    feature_breakdown,
    recent_events,
)

FIRST = date(2026, 1, 28)  # the line crosses a month's end
pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path / "lake")
    rows = [
        event(1, on=FIRST, user="a"),
        event(1, on=FIRST, user="a", name="export"),
        event(1, on=FIRST, user="b", known=FIRST + timedelta(days=3)),
        event(1, on=FIRST, user="a", known=FIRST + timedelta(days=3)),
        event(1, on=FIRST + timedelta(days=5), user=None),
        event(1, on=FIRST + timedelta(days=6), kind="identify", name=""),
        event(2, on=FIRST, user="c"),
    ]
    lake.append("events", arrow(rows))
    roll_up(lake=lake, now=NOW)
    return lake


def test_the_line_has_every_day_and_counts_nobody_twice(lake):
    end = FIRST + timedelta(days=7)
    users = daily_line(1, start=FIRST, end=end, lake=lake)
    assert [count for _, count in users] == [2, 0, 0, 0, 0, 0, 0]
    assert [day for day, _ in users] == days(FIRST, 7)
    events = daily_line(1, start=FIRST, end=end, measure="events", lake=lake)
    assert [count for _, count in events] == [4, 0, 0, 0, 0, 1, 0]
    assert daily_line(99, start=FIRST, end=FIRST + timedelta(days=1), lake=lake) == [(FIRST, 0)]


def test_rolling_up_again_or_compacting_changes_no_line(lake):
    line = daily_line(1, start=FIRST, end=FIRST + timedelta(days=7), measure="events", lake=lake)
    assert roll_up(lake=lake, now=NOW).rows == 0
    more = arrow([event(2, on=FIRST)])
    lake.append("events", more)
    report = roll_up(lake=lake, now=NOW)
    assert (report.extended, report.rebuilt) == (2, 0)
    for table in ("events", "daily", "presence"):
        compact(lake, table)
    assert roll_up(lake=lake, now=NOW).rows == 0
    again = daily_line(1, start=FIRST, end=FIRST + timedelta(days=7), measure="events", lake=lake)
    assert again == line
    assert daily_line(2, start=FIRST, end=FIRST + timedelta(days=1), lake=lake) == [(FIRST, 2)]


def test_rollups_are_made_anew_when_rows_were_removed_or_the_log_is_gone(lake):
    lake.replace_partition("events", "received_day", FIRST, arrow([event(1, on=FIRST, user="z")]))
    report = roll_up(lake=lake, now=NOW)
    assert (report.extended, report.rebuilt) == (0, 2)
    assert daily_line(1, start=FIRST, end=FIRST + timedelta(days=1), lake=lake) == [(FIRST, 3)]
    lake.append("events", arrow([event(1, on=FIRST, user="y")]))
    log = lake.path / "events/_delta_log" / f"{lake.version('events'):020d}.json"
    lake.trim_log("events")
    log.unlink()
    fresh = Lake(lake.path)
    assert roll_up(lake=fresh, now=NOW).rebuilt == 2
    assert daily_line(1, start=FIRST, end=FIRST + timedelta(days=1), lake=fresh) == [(FIRST, 4)]


def test_the_latest_events_come_first_however_they_were_received(tmp_path):
    lake = Lake(tmp_path / "lake")
    happened = [3, 9, 1, 7, 5, 8, 2, 0, 6, 4]
    for number, place in enumerate(happened):
        day = FIRST + timedelta(days=place)
        received = datetime(2026, 3, 1 + number, tzinfo=UTC)
        lake.append("events", arrow([event(1, on=day, name=f"e{place}", received=received)]))
    names = [item.event for item in recent_events(1, 4, lake=lake)]
    assert names == ["e9", "e8", "e7", "e6"]
    page = recent_events(1, 4, before=recent_events(1, 4, lake=lake)[-1].happened_at, lake=lake)
    assert [item.event for item in page] == ["e5", "e4", "e3", "e2"]
    assert recent_events(2, 4, lake=lake) == []
    assert data_until(lake) == datetime(2026, 3, 10, tzinfo=UTC)


def test_recent_events_carry_their_properties(tmp_path):
    lake = Lake(tmp_path / "lake")
    lake.append("events", arrow([event(1, properties={"行": 3}), event(1, hour=2)]))
    first, second = recent_events(1, lake=lake)
    assert (first.properties, second.properties) == ({"行": 3}, {})
    assert first.user_id == "u1"


def test_features_are_listed_by_use(lake):
    found = feature_breakdown(1, FIRST, FIRST + timedelta(days=30), lake=lake)
    assert [(use.event, use.events, use.users) for use in found] == [
        ("report.opened", 4, 2),
        ("export", 1, 1),
    ]
    assert found[0].last_on == FIRST + timedelta(days=5)


def test_an_empty_lake_has_nothing_to_show(tmp_path):
    lake = Lake(tmp_path / "lake")
    assert data_until(lake) is None
    assert recent_events(1, lake=lake) == []
    assert feature_breakdown(1, FIRST, FIRST + timedelta(days=3), lake=lake) == []
    assert daily_line(1, start=FIRST, end=FIRST + timedelta(days=1), lake=lake) == [(FIRST, 0)]


def test_many_small_roll_ups_do_not_pile_up(tmp_path):
    lake = Lake(tmp_path / "lake")
    for number in range(15):
        lake.append("events", arrow([event(1, on=FIRST, user=f"u{number}")]))
        roll_up(lake=lake, now=NOW)
    assert len(lake.files("presence")) < 12
    assert daily_line(1, start=FIRST, end=FIRST + timedelta(days=1), lake=lake) == [(FIRST, 15)]
