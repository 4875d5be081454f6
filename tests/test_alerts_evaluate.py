"""Alerts against what came: outcomes on history, scores in a world whose truth is known."""

import csv
import gzip
import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner
from databases import own_environment
from factories import NOW, make_customer
from lake_events import arrow, event

from gengyun.alerts.calc.outcomes import Opened, by_lot, is_decided, judge, openings, silences
from gengyun.alerts.queries.history import replay
from gengyun.demo.simulator import score
from gengyun.demo.simulator.config import PRESETS, preset
from gengyun.demo.simulator.make import make_world
from gengyun.demo.simulator.shapes import Seen, Shock, Truth, World
from gengyun.lake.store import Lake
from gengyun.usage.actions.rollups import roll_up


def flags(*rows):
    return np.array([[letter == "x" for letter in row] for row in rows])


# --- outcomes ----------------------------------------------------------------------------------


def test_an_episode_opens_once_and_again_only_after_a_quiet_time():
    entered = flags("xxx.xxx.x", ".xx......")
    over = flags("...x.....", "....x....")
    # ended at 3: not before 6, with two evaluations of quiet in between
    assert openings(entered, over, quiet=2).tolist() == flags("x.....x..", ".x.......").tolist()


def test_silences_are_long_pauses_and_an_end_that_is_long_enough():
    used = np.array([0, 10, 200, 205])
    assert silences(used, silent_days=180, until=385) == [10]
    assert silences(used, silent_days=180, until=386) == [10, 205]
    assert silences(used, silent_days=190, until=386) == []
    assert silences(np.array([], dtype=np.int64), silent_days=180, until=300) == []


@pytest.mark.parametrize(
    "day, verdict",
    [(100, True), (280, True), (60, True), (281, False), (640, None), (639, False)],
)
def test_an_alert_is_true_around_the_last_use_false_when_known_and_else_undecided(day, verdict):
    assert is_decided(day, [100], silent_days=180, until=1000) is verdict


def test_outcomes_count_leads_and_false_alarms():
    use = {1: np.array([0, 50, 100]), 2: np.arange(0, 1000, 10), 3: np.array([5])}
    alerts = [Opened(1, 90), Opened(1, 120), Opened(2, 300), Opened(2, 900)]
    able = {1: [80, 90], 2: [300], 3: []}
    found = judge(alerts, use, able, silent_days=180, until=1000)
    assert (found.alerts, found.true, found.false, found.undecided) == (4, 2, 1, 1)
    assert (found.silences, found.caught, found.before, found.leads) == (1, 1, 1, [10])
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == 1
    assert by_lot(use, able, silent_days=180, until=1000) == pytest.approx(2 / 3)
    nothing = judge([], {}, {}, silent_days=180, until=10)
    assert (nothing.precision, nothing.recall) == (None, None)


# --- the past of a deployment --------------------------------------------------------------------


@pytest.fixture
def lake(tmp_path):
    """Two regular customers over a year; the first stops on day 250 of 430."""
    lake = Lake(tmp_path / "lake")
    first = date(2024, 1, 1)
    rows = []
    for k in range(430):
        day = first + timedelta(days=k)
        if day.weekday() < 5:
            rows += [event(2, on=day, user=user) for user in "abc"]
            if k < 250:
                rows += [event(1, on=day, user=user) for user in "abc"]
    lake.append("events", arrow(rows))
    roll_up(lake=lake, now=NOW)
    return lake


@pytest.mark.django_db
def test_replay_tells_who_stopped_and_nobody_else(lake):
    found = replay(lake=lake)
    (alert,) = found.opened["dormant"]
    stopped = (date(2024, 1, 1) - date(1970, 1, 1)).days + 249
    assert alert.customer == 1
    assert 10 <= alert.day - stopped <= 26  # ten working days, seen weekly
    assert {one.customer for one in found.opened["any"]} == {1}
    outcome = judge(
        found.opened["any"], found.use_days, found.able, silent_days=120, until=found.until
    )
    assert (outcome.true, outcome.false, outcome.caught, outcome.silences) == (1, 0, 1, 1)


@pytest.mark.django_db
def test_replay_knows_only_what_was_known_then(tmp_path):
    late = Lake(tmp_path / "lake")
    first, known = date(2024, 1, 1), date(2025, 6, 1)
    rows = [event(1, on=first, user="a")]  # so that there is half a year before
    rows += [event(1, on=first + timedelta(days=k), known=known) for k in range(1, 300)]
    rows += [event(2, on=first + timedelta(days=k)) for k in range(430)]
    late.append("events", arrow(rows))
    roll_up(lake=late, now=NOW)
    found = replay(lake=late)
    assert [one for one in found.opened["dormant"] if one.customer == 1] == []
    assert found.able[1] == []
    assert len(found.able[2]) == len(found.days)


@pytest.mark.django_db
def test_the_command_says_how_many_were_false_and_compares_with_snapshots(
    lake, settings, tmp_path, monkeypatch
):
    from gengyun.cli import alerts_evaluate

    monkeypatch.setattr(alerts_evaluate, "check_database", lambda: None)
    monkeypatch.setattr(Lake, "default", classmethod(lambda cls: lake))
    make_customer(pk=1, external_id="one")
    make_customer(pk=2, external_id="two")
    rows = tmp_path / "rows.csv"
    rows.write_text("account_id,t,y\none,2024-10-20,1\ntwo,2024-10-20,0\none,2011-01-01,1\n")
    result = CliRunner().invoke(
        alerts_evaluate.evaluate, ["--silent-days", "120", "--snapshots", str(rows), "--json"]
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["rules"]["any"]["false"] == 0
    assert told["rules"]["any"]["caught"] == 1
    assert told["snapshots"]["with_alert"] == {"rows": 1, "happened": 1, "rate": 1.0}
    assert told["snapshots"]["without_alert"] == {"rows": 1, "happened": 0, "rate": 0.0}
    assert told["snapshots"]["skipped"] == 1
    text = CliRunner().invoke(alerts_evaluate.evaluate, ["--silent-days", "120"]).stdout
    assert "R2 dormant: 1 alerts, 1 true, 0 false" in text
    assert "after the last use" in text


@pytest.mark.slow
@pytest.mark.django_db
def test_a_real_log_is_replayed(shared, tmp_path):
    """125 organisations whose use is mostly too thin to judge: few alerts, most of them false."""
    with gzip.open(shared / "data/oss_b2b_usage/dev/events.csv.gz", "rt") as file:
        log = list(csv.DictReader(file))
    ids = {name: pk for pk, name in enumerate(sorted({row["account_id"] for row in log}), start=1)}
    lake = Lake(tmp_path / "lake")
    rows = []
    for row in log:
        when = datetime.fromisoformat(row["ts_utc"]).astimezone(UTC)
        made = event(ids[row["account_id"]], on=when.date(), user=row["user_id"])
        rows.append(made)
    lake.append("events", arrow(rows))
    roll_up(lake=lake, now=NOW)
    found = replay(lake=lake)
    outcome = judge(
        found.opened["any"], found.use_days, found.able, silent_days=180, until=found.until
    )
    chance = by_lot(found.use_days, found.able, silent_days=180, until=found.until)
    assert outcome.alerts == outcome.true + outcome.false + outcome.undecided
    assert outcome.precision > 2 * chance  # far better than by lot, far from good
    assert outcome.recall > 0.5


# --- the simulated world -------------------------------------------------------------------------


def test_same_seed_same_world_and_an_outage_changes_nothing_else():
    config = preset("tiny", days=300)
    one, same = make_world(config, seed=4), make_world(config, seed=4)
    np.testing.assert_array_equal(one.seen.events, same.seen.events)
    assert one.truth.shocks == same.truth.shocks
    assert not np.array_equal(one.seen.events, make_world(config, seed=5).seen.events)
    calm = preset("tiny", days=300, outages=0)
    whole = make_world(calm, seed=4).seen.events
    out = make_world(
        preset("tiny", days=300, outages=0, fixed_outages=((100, 3),)), seed=4
    ).seen.events
    np.testing.assert_array_equal(
        np.delete(whole, range(100, 103), 1), np.delete(out, range(100, 103), 1)
    )
    assert out[:, 100:103].sum() < 0.05 * whole[:, 100:103].sum()


def test_what_is_seen_holds_nothing_of_the_truth():
    assert not {"shocks", "engagement", "outages", "calendar"} & set(Seen.__dataclass_fields__)
    world = make_world(PRESETS["null"], seed=1)
    assert world.truth.shocks == ()


def test_half_of_the_serious_shocks_never_show():
    world = make_world(preset("smb", days=900), seed=3)
    serious = [shock for shock in world.truth.shocks if shock.risk > 0.7]
    shown = sum(shock.shows_from is not None for shock in serious) / len(serious)
    assert 0.35 < shown < 0.65


def world_of(shocks, days=400):
    flat = np.ones((2, days), dtype=np.int32)
    zeros = np.zeros(2, dtype=np.int64)
    seen = Seen(date(2025, 6, 1), zeros + 5, zeros, zeros, ("office",), zeros - 100, flat, flat)
    truth = Truth(tuple(shocks), np.ones((1, days)), (), flat.astype(np.float32))
    return World(0, seen, truth)


def shock(account, shows_from, use=-1.0):
    return Shock(account, "layoff", shows_from, use, 1.0, shows_from, 100.0)


def test_scores_count_true_caught_and_spring():
    world = world_of([shock(0, 200), shock(0, 300, use=0.8), shock(1, 210)])
    days = score.judged_days(world, 182)
    assert days[:3] == [182, 189, 196]
    signal = np.zeros((2, len(days)), dtype=bool)
    signal[0, 3:8] = True  # from day 203 on: true, and one alert for 45 days
    signal[1, 1] = True  # day 189: false; the decline of day 210 is missed
    found = score.tally([world], [score.blocked(signal)], 182)
    assert (found.alerts, found.true, found.declines, found.caught) == (2, 1, 2, 1)
    assert (found.precision, found.recall, found.delay) == (0.5, 0.5, 3)
    spring = [day for day in days if date(2026, 1, 15) <= world.seen.day(day) <= date(2026, 3, 10)]
    assert found.spring_time == pytest.approx(len(spring) / len(days))
    assert found.in_spring == 0
    assert score.volume([world], [score.blocked(signal)], 182) == pytest.approx(
        found.per_100_months
    )


def test_blocked_lets_one_through_in_45_days():
    signal = np.ones((1, 15), dtype=bool)
    assert np.nonzero(score.blocked(signal)[0])[0].tolist() == [0, 7, 14]


def test_the_default_rule_beats_the_controls_in_a_world():
    """A small world; the full figures are those of `gengyun bench alerts`."""
    from gengyun.cli.benches import alerts

    world = make_world(preset("smb", accounts=150, days=560), seed=11)
    scores = alerts._scores([world])
    precision = {}
    for name in ("usage_drop", "week_on_week", "7_over_28"):
        edge = alerts._threshold(
            lambda at, name=name: score.volume([world], [score.blocked(scores[name][0] < at)], 182),
            *alerts._EDGES[name],
        )
        precision[name] = score.tally(
            [world], [score.blocked(scores[name][0] < edge)], 182
        ).precision
    assert precision["usage_drop"] > 2 * max(precision["week_on_week"], precision["7_over_28"])


@pytest.mark.slow
def test_the_bench_reaches_its_targets(tmp_path):
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "gengyun", "bench", "alerts", "--json"],
        env=own_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {one["name"]: one["value"] for one in map(json.loads, done.stdout.splitlines())}
    assert found["alerts.outage.incidents"] == 1
    assert found["alerts.replay.opened_twice"] == 0
