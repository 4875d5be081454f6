"""Judging a day: what was known then, newest rows, hysteresis over days, scorecards in force."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from factories import NOW, make_customer, make_user

from gengyun.customers.actions.defaults import install_defaults as install_tiers
from gengyun.customers.models import FieldChange, Tier
from gengyun.health.actions.defaults import install_defaults
from gengyun.health.actions.judge import NoScorecard, judge
from gengyun.health.actions.scorecards import (
    BadScorecard,
    DefaultCardMissing,
    EffectiveDayPast,
    create_scorecard,
    publish_version,
    reorder_scorecards,
)
from gengyun.health.calc.config import parse_config
from gengyun.health.models import HealthScore, Scorecard
from gengyun.health.queries import scores
from gengyun.health.queries.preview import preview
from gengyun.kernel.days import start_of
from gengyun.kernel.errors import NotAllowed
from gengyun.lake.store import Lake
from gengyun.team.models import AuditEntry
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 2)
EARLY = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path):
    install_metrics(now=NOW)
    return Lake(tmp_path / "lake")


def card(curve=((0, 0), (100, 100)), tier=None, **rest):
    """A scorecard of one factor whose value is its score."""
    config = {
        "groups": [
            {
                "key": "g", "name_zh": "组", "name_en": "Group", "weight": 1,
                "factors": [{
                    "key": "events_30d", "metric": "events_30d", "weight": 1,
                    "curve": [list(p) for p in curve],
                }],
            }
        ],
        **rest,
    }  # fmt: skip
    made = create_scorecard(actor=None, now=EARLY, name_zh="卡", name_en="Card", tier=tier)
    publish_version(actor=None, now=EARLY, scorecard=made, config=config, effective_from=None)
    return made, config


def measure(lake, day, values, metric="events_30d"):
    """Write the values of a day as the metrics step does."""
    rows = [(day, pk, metric, 1, None if v is None else float(v)) for pk, v in values.items()]
    from gengyun.lake import tables

    arrays = [
        pa.array(c, type=f.type)
        for c, f in zip(zip(*rows, strict=True), tables.METRIC_VALUES, strict=True)
    ]
    lake.replace_partition(
        "metric_values", "as_of", day, pa.Table.from_arrays(arrays, schema=tables.METRIC_VALUES)
    )


def run(lake, day, values):
    measure(lake, day, values)
    return judge(day, now=NOW, lake=lake)


def test_judge_writes_the_lake_and_todays_row(lake):
    card()
    one, two = make_customer(known_at=EARLY), make_customer(known_at=EARLY)
    found = run(lake, DAY, {one.pk: 72, two.pk: None})
    assert (found.customers, found.with_number, found.is_newest) == (2, 1, True)
    row = scores.latest(one.pk)
    assert (row.score, row.band, row.as_of) == (72, "B", DAY)
    assert row.explanation["groups"][0]["factors"][0]["name_zh"] == "30 天使用次数"
    assert scores.latest(two.pk).band == "N"
    assert scores.scores_on(DAY, lake=lake) == {one.pk: (72, "B"), two.pk: (None, "N")}
    assert scores.explanation_on(one.pk, DAY, lake=lake) == row.explanation


def test_judge_twice_changes_nothing(lake):
    card()
    one = make_customer(known_at=EARLY)
    run(lake, DAY, {one.pk: 72})
    before = HealthScore.objects.values().get()
    lake_before = scores.read_scores(DAY, ["explanation", "score"], lake=lake).to_pylist()
    judge(DAY, now=NOW, lake=lake)
    assert HealthScore.objects.values().get() == before
    assert scores.read_scores(DAY, ["explanation", "score"], lake=lake).to_pylist() == lake_before


def test_a_back_dated_run_never_overwrites_newer_rows(lake):
    card()
    one = make_customer(known_at=EARLY)
    run(lake, DAY, {one.pk: 72})
    found = run(lake, DAY - timedelta(days=30), {one.pk: 10})
    assert not found.is_newest
    assert scores.latest(one.pk).score == 72
    assert scores.explanation_on(one.pk, DAY - timedelta(days=30), lake=lake)["score"] == 10


def test_only_customers_known_by_then_are_judged(lake):
    card()
    old = make_customer(known_at=start_of(DAY) - timedelta(seconds=1))
    make_customer(known_at=start_of(DAY))  # became known on the day itself
    gone = make_customer(known_at=EARLY, archived_at=start_of(DAY) - timedelta(days=1))
    later_gone = make_customer(known_at=EARLY, archived_at=start_of(DAY) + timedelta(days=1))
    measure(lake, DAY, {old.pk: 50, gone.pk: 50, later_gone.pk: 50})
    judge(DAY, now=NOW, lake=lake)
    assert set(scores.scores_on(DAY, lake=lake)) == {old.pk, later_gone.pk}


def test_the_band_is_kept_within_the_margin_of_the_last_judged_day(lake):
    card()
    one = make_customer(known_at=EARLY)
    bands = []
    for offset, value in enumerate([81, 78, 76, 81, 84]):
        day = DAY + timedelta(days=offset)
        run(lake, day, {one.pk: value})
        bands.append(scores.latest(one.pk).band)
    assert bands == ["A", "A", "B", "B", "A"]


def test_the_tier_known_then_chooses_the_scorecard(lake):
    install_tiers(now=EARLY)
    tier = Tier.objects.get(key="strategic")
    card()
    card(curve=((0, 0), (200, 100)), tier=tier)
    one = make_customer(known_at=EARLY, tier=tier)
    known = start_of(DAY)
    FieldChange.objects.create(customer=one, field="tier_id", value=tier.pk, known_at=known)
    run(lake, DAY, {one.pk: 60})
    assert scores.latest(one.pk).score == 60  # not yet known before that day
    run(lake, DAY + timedelta(days=1), {one.pk: 60})
    assert scores.latest(one.pk).score == 30


def test_a_new_version_judges_from_its_day_on_and_history_stays(lake):
    made, config = card()
    one = make_customer(known_at=EARLY)
    run(lake, DAY, {one.pk: 60})
    config["groups"][0]["factors"][0]["curve"] = [[0, 0], [200, 100]]
    publish_version(
        actor=None, now=NOW, scorecard=made, config=config,
        effective_from=DAY + timedelta(days=1), note="stricter",
    )  # fmt: skip
    run(lake, DAY, {one.pk: 60})
    assert scores.latest(one.pk).score == 60
    run(lake, DAY + timedelta(days=1), {one.pk: 60})
    row = scores.latest(one.pk)
    assert (row.score, row.explanation["version_number"]) == (30, 2)


def test_weekly_history_and_what_moved_since_a_week_ago(lake):
    card()
    one = make_customer(known_at=EARLY)
    for week, value in enumerate([90, 88, 86, 84, 60]):
        run(lake, DAY + timedelta(weeks=week), {one.pk: value})
    row = scores.latest(one.pk)
    assert [value for _, value in row.history] == [90, 88, 86, 84, 60]
    assert row.history[-1][0] == (DAY + timedelta(weeks=4)).isoformat()
    assert row.trend == "down"
    change = scores.change_since_week(row)
    assert change["change"] == -24
    assert change["factors"][0]["change"] == -24
    assert scores.compare(one.pk, DAY, row.as_of, lake=lake)["change"] == -30
    line = scores.weekly_line(one.pk, until=row.as_of, weeks=6, lake=lake)
    assert [value for _, value in line] == [None, 90, 88, 86, 84, 60]


def test_carry_forward_reads_the_last_judged_day(lake):
    made, config = card()
    config["groups"][0]["factors"][0]["missing"] = {"carry_forward": 10}
    publish_version(
        actor=None, now=NOW, scorecard=made, config=config, effective_from=DAY
    )  # fmt: skip
    one = make_customer(known_at=EARLY)
    run(lake, DAY, {one.pk: 70})
    for days, expected in ((4, 70), (9, 70), (14, None)):
        run(lake, DAY + timedelta(days=days), {one.pk: None})
        row = scores.latest(one.pk)
        assert row.score == expected
    assert row.explanation["reason"] == "coverage"


def test_judge_refuses_without_a_scorecard_for_everyone(lake):
    install_tiers(now=EARLY)
    card(tier=Tier.objects.get(key="strategic"))
    with pytest.raises(NoScorecard):
        judge(DAY, now=NOW, lake=lake)
    assert scores.judged_days(lake) == []


def test_default_scorecards_are_valid_and_made_once(lake):
    install_tiers(now=EARLY)
    assert install_defaults(now=NOW) == 2
    assert install_defaults(now=NOW) == 0
    names = [card.name_zh for card in Scorecard.objects.all()]
    assert names == ["战略客户评分卡", "通用评分卡"]
    for made in Scorecard.objects.all():
        config = made.versions.get().config
        assert sum(group["weight"] for group in config["groups"]) == 100


def test_publishing_refuses_faults_the_past_and_other_roles(lake):
    made, config = card()
    with pytest.raises(BadScorecard) as caught:
        publish_version(
            actor=None, now=NOW, scorecard=made, config={"groups": []}, effective_from=DAY
        )
    assert caught.value.problems[0].path == "groups"
    for day in (None, DAY - timedelta(days=1)):
        with pytest.raises(EffectiveDayPast):
            publish_version(actor=None, now=NOW, scorecard=made, config=config, effective_from=day)
    with pytest.raises(NotAllowed):
        publish_version(
            actor=make_user("csm"), now=NOW, scorecard=made, config=config, effective_from=DAY
        )
    assert made.versions.count() == 1
    publish_version(
        actor=make_user("operations"), now=NOW, scorecard=made, config=config, effective_from=DAY
    )
    assert AuditEntry.objects.filter(action="scorecard.published").count() == 2


def test_reordering_keeps_the_default_last(lake):
    install_tiers(now=EARLY)
    install_defaults(now=NOW)
    first, last = Scorecard.objects.all()
    with pytest.raises(DefaultCardMissing):
        reorder_scorecards(actor=None, now=NOW, order=[last.pk, first.pk])
    extra, _ = card(tier=Tier.objects.get(key="key"))
    reorder_scorecards(actor=None, now=NOW, order=[first.pk, extra.pk, last.pk])
    assert [c.pk for c in Scorecard.objects.all()] == [first.pk, extra.pk, last.pk]


def test_preview_counts_bands_before_anything_is_saved(lake, settings):
    settings.LAKE_DIR = lake.path
    made, config = card()
    people = [make_customer(known_at=EARLY) for _ in range(3)]
    run(lake, DAY, {people[0].pk: 90, people[1].pk: 55, people[2].pk: None})
    config["groups"][0]["factors"][0]["curve"] = [[0, 0], [200, 100]]
    found = preview(parse_config(config), scorecard=made, actor=None)
    assert found.bands() == [("A", 1, 0), ("B", 0, 0), ("C", 1, 0), ("D", 0, 2), ("N", 1, 1)]
    assert found.moved()[0].customer_id == people[0].pk
    assert found.moved()[0].change == -45
    stranger = preview(parse_config(config), scorecard=made, actor=make_user("csm"))
    assert stranger.total == 0
