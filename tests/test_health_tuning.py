"""Scorecards by tier and stage, what people say, peers, try-outs: past days stay what they were."""

from datetime import UTC, date, datetime, timedelta

import pytest
from factories import NOW, People, make_customer
from test_health_judge import DAY, EARLY, card, measure, run

from gengyun.customers.actions.defaults import install_defaults as install_tiers
from gengyun.customers.models import FieldChange, Stage, Tier
from gengyun.health.actions import opinions, scorecards
from gengyun.health.actions.judge import judge
from gengyun.health.actions.trials import ask_test, run_test
from gengyun.health.models import (
    HealthOverride,
    HealthScore,
    HistoryTest,
    PeerCurve,
    Scorecard,
    ScorecardOrder,
    Sentiment,
)
from gengyun.health.queries import scores
from gengyun.health.queries.preview import judged_by
from gengyun.kernel.days import start_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.lake.store import Lake
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db
HALF = ((0, 0), (200, 100))  # half the score of the plain card


@pytest.fixture
def lake(tmp_path, settings):
    settings.LAKE_DIR = tmp_path / "lake"
    install_metrics(now=NOW)
    install_tiers(now=EARLY)
    return Lake.default()


def known(customer, field, value, at=EARLY):
    FieldChange.objects.create(customer=customer, field=field, value=value, known_at=at)


def all_rows(lake, day):
    columns = ["customer_id", "score", "band", "version_id", "explanation"]
    return scores.read_scores(day, columns, lake=lake).to_pylist()


# ---- order


def test_the_first_card_that_fits_tier_and_stage_judges(lake):
    tier, stage = Tier.objects.get(key="key"), Stage.objects.filter(key="rollout").first()
    card()
    special, _ = card(curve=HALF, tier=tier)
    scorecards.edit_scorecard(
        actor=None, now=EARLY, scorecard=special, name_zh="推广", name_en="Rollout",
        tiers=[tier], stages=["rollout"],
    )  # fmt: skip
    both, only_tier, only_stage = (make_customer(known_at=EARLY) for _ in range(3))
    for one in (both, only_tier):
        known(one, "tier_id", tier.pk)
    for one in (both, only_stage):
        known(one, "stage_id", stage.pk)
    run(lake, DAY, dict.fromkeys((both.pk, only_tier.pk, only_stage.pk), 60))
    found = {pk: s for pk, (s, _) in scores.scores_on(DAY, lake=lake).items()}
    assert found == {both.pk: 30, only_tier.pk: 60, only_stage.pk: 60}


def test_two_cards_for_the_same_customers_are_refused(lake):
    tier = Tier.objects.get(key="key")
    card()
    card(tier=tier)
    with pytest.raises(scorecards.SameScope):
        card(tier=tier)
    with pytest.raises(scorecards.SameScope):
        card()
    assert Scorecard.objects.count() == 2


def test_a_new_order_judges_from_today_and_leaves_the_past(lake):
    tier = Tier.objects.get(key="key")
    card()
    first, _ = card(curve=HALF, tier=tier)
    one = make_customer(known_at=EARLY)
    known(one, "tier_id", tier.pk)
    yesterday = DAY - timedelta(days=1)
    run(lake, yesterday, {one.pk: 60})
    before = all_rows(lake, yesterday)
    scorecards.retire_scorecard(actor=None, now=NOW, scorecard=first)
    run(lake, DAY, {one.pk: 60})
    assert scores.latest(one.pk).score == 60
    judge(yesterday, now=NOW, lake=lake)
    assert all_rows(lake, yesterday) == before
    assert before[0]["score"] == 30


def test_a_change_of_scope_leaves_the_past(lake):
    tier = Tier.objects.get(key="key")
    card()
    first, _ = card(curve=HALF, tier=tier)
    one = make_customer(known_at=EARLY)
    known(one, "tier_id", tier.pk)
    yesterday = DAY - timedelta(days=1)
    run(lake, yesterday, {one.pk: 60})
    before = all_rows(lake, yesterday)
    scorecards.edit_scorecard(
        actor=None, now=NOW, scorecard=first, name_zh="卡", name_en="Card",
        tiers=[tier], stages=["handover"],
    )  # fmt: skip
    run(lake, DAY, {one.pk: 60})
    assert scores.latest(one.pk).score == 60
    judge(yesterday, now=NOW, lake=lake)
    assert all_rows(lake, yesterday) == before


def test_orders_of_one_day_are_one_and_bad_ones_are_refused(lake):
    card()
    first, _ = card(tier=Tier.objects.get(key="key"))
    second, _ = card(tier=Tier.objects.get(key="strategic"))
    last = Scorecard.objects.last()
    for order in ([first.pk, second.pk, last.pk], [second.pk, first.pk, last.pk]):
        scorecards.reorder_scorecards(actor=None, now=NOW, order=order)
    assert ScorecardOrder.objects.count() == 2  # from the beginning, and today's
    with pytest.raises(scorecards.DefaultCardMissing):
        scorecards.reorder_scorecards(actor=None, now=NOW, order=[last.pk, first.pk, second.pk])
    with pytest.raises(scorecards.DefaultCardMissing):
        scorecards.retire_scorecard(actor=None, now=NOW, scorecard=last)
    scorecards.retire_scorecard(actor=None, now=NOW, scorecard=second)
    scorecards.restore_scorecard(actor=None, now=NOW, scorecard=second)
    assert list(scorecards.present_cards())[-1] == last


def test_a_first_version_does_not_reach_into_judged_days(lake):
    card()
    _, config = card(tier=Tier.objects.get(key="key"))
    fresh = scorecards.create_scorecard(
        actor=None, now=NOW, name_zh="新", name_en="New", stages=["rollout"]
    )
    with pytest.raises(scorecards.EffectiveDayPast):
        scorecards.publish_version(
            actor=None, now=NOW, scorecard=fresh, config=config,
            effective_from=DAY - timedelta(days=1),
        )  # fmt: skip


def test_who_is_judged_by_a_card_follows_the_order(lake):
    tier = Tier.objects.get(key="key")
    default, _ = card()
    special, _ = card(tier=tier)
    default.refresh_from_db()  # the new card took its place
    one, two = make_customer(tier=tier), make_customer()
    assert list(judged_by(special, None)) == [one]
    assert list(judged_by(default, None)) == [two]


def test_drafts_judge_nothing_and_go_when_published(lake):
    made, config = card()
    people = People()
    draft = scorecards.save_draft(actor=people.operations, now=NOW, scorecard=made, config=config)
    assert draft.base_number == 1
    with pytest.raises(NotAllowed):
        scorecards.save_draft(actor=people.leader, now=NOW, scorecard=made, config=config)
    scorecards.publish_version(
        actor=people.operations, now=NOW, scorecard=made, config=config, effective_from=DAY
    )
    with pytest.raises(scorecards.NoDraft):
        scorecards.discard_draft(actor=people.operations, now=NOW, scorecard=made)


# ---- what people say


def said_config():
    """Half the score from a metric, half from the sentiment."""
    factor = {"weight": 1, "missing": "exclude"}
    return {
        "min_coverage": 0.4,
        "groups": [
            {"key": "g", "name_zh": "组", "name_en": "Group", "weight": 1, "factors": [
                factor | {"key": "m", "metric": "events_30d", "curve": [[0, 0], [100, 100]]},
                factor | {"key": "s", "metric": "csm_sentiment", "curve": [[1, 0], [4, 90]]},
            ]},
        ],
    }  # fmt: skip


def said_card():
    made = scorecards.create_scorecard(actor=None, now=EARLY, name_zh="卡", name_en="Card")
    scorecards.publish_version(
        actor=None, now=EARLY, scorecard=made, config=said_config(), effective_from=None
    )


def test_an_override_shows_at_once_and_history_knows_it_from_the_next_day(lake):
    card()
    one = make_customer(known_at=EARLY)
    run(lake, DAY, {one.pk: 60})
    before = all_rows(lake, DAY)
    opinions.set_override(
        actor=None, now=NOW, customer=one, mode="set", points=90, reason="刚续了三年", lake=lake
    )
    row = scores.latest(one.pk)
    assert (row.score, row.band, row.is_overridden) == (90, "A", True)
    assert row.explanation["computed_score"] == 60
    assert row.history[-1] == [DAY.isoformat(), 90]
    assert all_rows(lake, DAY) == before  # the judged day knew nothing of it
    judge(DAY, now=NOW + timedelta(hours=1), lake=lake)
    assert all_rows(lake, DAY) == before
    assert scores.latest(one.pk).score == 90  # and the page still shows it
    run(lake, DAY + timedelta(days=1), {one.pk: 60})
    assert all_rows(lake, DAY + timedelta(days=1))[0]["score"] == 90


def test_an_override_ends_by_itself_and_its_days_stay(lake):
    card()
    one = make_customer(known_at=EARLY)
    until = DAY + timedelta(days=2)
    opinions.set_override(
        actor=None, now=start_of(DAY) - timedelta(hours=1), customer=one, mode="add", points=-20,
        reason="预算冻结", until=until, lake=lake,
    )  # fmt: skip
    for offset in range(4):
        run(lake, DAY + timedelta(days=offset), {one.pk: 60})
    found = [scores.scores_on(DAY + timedelta(days=n), lake=lake)[one.pk] for n in range(4)]
    assert found == [(40, "D"), (40, "D"), (40, "D"), (60, "C")]
    ended = opinions.end_overrides(
        actor=None, now=start_of(DAY + timedelta(days=9)), customer=one, lake=lake
    )
    before = all_rows(lake, DAY + timedelta(days=1))
    judge(DAY + timedelta(days=1), now=start_of(DAY + timedelta(days=10)), lake=lake)
    assert all_rows(lake, DAY + timedelta(days=1)) == before
    assert len(ended) == 1


def test_the_band_of_an_override_is_not_held_on_to(lake):
    """A set 90 is A; the computed 78 that comes back is B, not an A inside the margin."""
    card()
    one = make_customer(known_at=EARLY)
    opinions.set_override(
        actor=None, now=start_of(DAY) - timedelta(hours=1), customer=one, mode="set", points=90,
        reason="r", until=DAY, lake=lake,
    )  # fmt: skip
    run(lake, DAY, {one.pk: 78})
    run(lake, DAY + timedelta(days=1), {one.pk: 78})
    assert scores.scores_on(DAY + timedelta(days=1), lake=lake)[one.pk] == (78, "B")


def test_a_sentiment_counts_until_it_runs_out_and_is_then_missing(lake):
    said_card()
    one = make_customer(known_at=EARLY)
    at = start_of(DAY) - timedelta(hours=1)
    opinions.set_sentiment(actor=None, now=at, customer=one, level=1, reason="没人回", lake=lake)
    assert Sentiment.objects.get().valid_until == DAY - timedelta(days=1) + timedelta(days=14)
    run(lake, DAY, {one.pk: 60})
    assert scores.latest(one.pk).score == 30  # (60 + 0) / 2
    later = Sentiment.objects.get().valid_until + timedelta(days=1)
    run(lake, later, {one.pk: 60})
    row = scores.latest(one.pk)
    assert (row.score, row.missing) == (60, ",csm_sentiment,")


def test_a_short_worry_that_ran_out_does_not_bring_the_older_praise_back(lake):
    said_card()
    one = make_customer(known_at=EARLY)
    at = start_of(DAY) - timedelta(days=2)
    opinions.set_sentiment(actor=None, now=at, customer=one, level=4, reason="好", lake=lake)
    opinions.set_sentiment(
        actor=None, now=at + timedelta(hours=1), customer=one, level=2, reason="忧", lake=lake
    )
    run(lake, DAY + timedelta(days=20), {one.pk: 60})
    assert scores.latest(one.pk).score == 60


def test_taking_a_sentiment_back_brings_the_one_before(lake):
    said_card()
    one = make_customer(known_at=EARLY)
    run(lake, DAY, {one.pk: 60})
    good = opinions.set_sentiment(actor=None, now=NOW, customer=one, level=4, reason="好")
    bad = opinions.set_sentiment(
        actor=None, now=NOW + timedelta(minutes=1), customer=one, level=1, reason="错点了"
    )
    assert scores.latest(one.pk).score == 30
    opinions.take_back_sentiment(
        actor=None, now=NOW + timedelta(minutes=2), customer=one, sentiment_id=bad.pk
    )
    assert scores.latest(one.pk).score == 75
    assert good.level == 4


def test_who_may_say_something_and_what_is_refused(lake):
    people = People()
    one = make_customer(owner=people.owner)
    say = {"now": NOW, "customer": one, "level": 3, "reason": "稳"}
    for actor, refusal in ((people.viewer, NotAllowed), (people.colleague, NotFound)):
        with pytest.raises(refusal):
            opinions.set_sentiment(actor=actor, **say)
    opinions.set_sentiment(actor=people.owner, **say)
    with pytest.raises(opinions.ReasonMissing):
        opinions.set_sentiment(actor=people.owner, **(say | {"reason": "  "}))
    with pytest.raises(opinions.LevelUnknown):
        opinions.set_sentiment(actor=people.owner, **(say | {"level": 5}))
    put = {"actor": people.owner, "now": NOW, "customer": one, "reason": "r"}
    for mode, points in (("set", 101), ("add", 51), ("set", float("nan")), ("other", 3)):
        with pytest.raises(opinions.PointsOutOfRange):
            opinions.set_override(mode=mode, points=points, **put)
    for until in (DAY - timedelta(days=1), DAY + timedelta(days=91)):
        with pytest.raises(opinions.UntilOutOfRange):
            opinions.set_override(mode="set", points=50, until=until, **put)
    assert (Sentiment.objects.count(), HealthOverride.objects.count()) == (1, 0)


# ---- peers


def test_peers_are_frozen_for_the_quarter(lake):
    made, config = card()
    config["groups"][0]["factors"][0]["peers"] = "all"
    scorecards.publish_version(
        actor=None, now=datetime(2026, 1, 1, 3, tzinfo=UTC), scorecard=made, config=config,
        effective_from=date(2026, 1, 2),
    )  # fmt: skip
    people = [make_customer(known_at=EARLY) for _ in range(25)]
    measure(lake, date(2025, 12, 31), {one.pk: n for n, one in enumerate(people)})
    run(lake, date(2026, 1, 15), {one.pk: n for n, one in enumerate(people)})
    curve = PeerCurve.objects.get(peers="all")
    assert (curve.quarter, curve.count) == (date(2026, 1, 1), 25)
    best = scores.latest(people[-1].pk)
    assert best.score == 100
    assert best.explanation["groups"][0]["factors"][0]["peer_count"] == 25
    before = all_rows(lake, date(2026, 1, 15))
    # everybody doubles: measured against last year all are better, nobody slides
    run(lake, date(2026, 2, 15), {one.pk: 2 * n for n, one in enumerate(people)})
    assert PeerCurve.objects.count() == 1
    judge(date(2026, 1, 15), now=NOW, lake=lake)
    assert all_rows(lake, date(2026, 1, 15)) == before
    run(lake, date(2026, 4, 2), {one.pk: 2 * n for n, one in enumerate(people)})
    assert PeerCurve.objects.count() == 2


def test_too_few_peers_leave_the_fixed_curve(lake):
    made, config = card()
    config["groups"][0]["factors"][0]["peers"] = "all"
    scorecards.publish_version(actor=None, now=EARLY, scorecard=made, config=config,
                               effective_from=EARLY.date() + timedelta(days=1))  # fmt: skip
    one = make_customer(known_at=EARLY)
    measure(lake, date(2025, 12, 31), {one.pk: 3})
    run(lake, DAY, {one.pk: 60})
    assert scores.latest(one.pk).score == 60
    assert PeerCurve.objects.get().percentiles is None


# ---- trying on history


def past(lake, customers, weeks):
    """`customers`: pk -> [(score value, days since last use)] week by week up to DAY."""
    import pyarrow as pa

    from gengyun.lake import tables

    for back in range(weeks):
        day = DAY - timedelta(weeks=weeks - 1 - back)
        rows = [
            {"as_of": day, "customer_id": pk, "metric": key, "version": 1, "value": float(value)}
            for pk, line in customers.items()
            for key, value in zip(("events_30d", "days_since_active"), line[back], strict=True)
        ]
        table = pa.Table.from_pylist(rows, schema=tables.METRIC_VALUES)
        lake.replace_partition("metric_values", "as_of", day, table)


def test_a_configuration_is_tried_on_the_past(lake):
    made, config = card()
    slides, steady, blind = (make_customer(known_at=EARLY) for _ in range(3))
    weeks = 20
    past(
        lake,
        {
            # 70 all along, then quiet: only the stricter card sees it coming
            slides.pk: [(70, 1)] * 10 + [(70, 8 + 7 * n) for n in range(10)],
            steady.pk: [(160, 1)] * weeks,
            blind.pk: [(110, 1)] * weeks,
        },
        weeks,
    )
    strict = {**config, "groups": [
        {**config["groups"][0], "factors": [
            {**config["groups"][0]["factors"][0], "curve": [[0, 0], [200, 100]]}
        ]}
    ]}  # fmt: skip
    test = ask_test(actor=None, now=NOW, scorecard=made, config=strict, weeks=26)
    done = run_test(test.pk, now=NOW, lake=lake)
    result = done.result
    assert (done.state, len(result["days"]), result["customers"]) == ("done", weeks, 3)
    assert result["newest"]["bands"] == [
        ["A", 2, 1], ["B", 1, 0], ["C", 0, 1], ["D", 0, 1], ["N", 0, 0],
    ]  # fmt: skip
    movers = {row["customer"]: row for row in result["newest"]["rows"]}
    assert set(movers) == {slides.pk, blind.pk}
    assert movers[slides.pk]["causes"][0]["points"] == -35
    found = result["silence"]
    assert (found["before"]["episodes"], found["before"]["caught"]) == (1, 0)
    assert (found["after"]["caught"], found["after"]["false"]) == (1, 1)
    assert found["false_rows"] == [{"customer": blind.pk, "before": False, "after": True}]
    assert found["rows"][0]["customer"] == slides.pk
    assert found["rows"][0]["before"] is None
    assert found["rows"][0]["after"] > 60
    assert result["factors"][0]["auc"] > 0.9
    assert made.versions.count() == 1  # nothing was published
    assert HealthScore.objects.count() == 0


def test_the_published_configuration_shows_no_difference(lake):
    made, config = card()
    one = make_customer(known_at=EARLY)
    past(lake, {one.pk: [(n * 5, 1) for n in range(16)]}, 16)
    test = ask_test(actor=None, now=NOW, scorecard=made, config=config, weeks=26)
    result = run_test(test.pk, now=NOW, lake=lake).result
    assert result["newest"]["moved"] == 0
    assert all(week["before"] == week["after"] for week in result["by_week"])
    assert result["silence"]["before"] == result["silence"]["after"]


def test_only_operations_try_and_faults_are_refused(lake):
    made, config = card()
    people = People()
    with pytest.raises(NotAllowed):
        ask_test(actor=people.leader, now=NOW, scorecard=made, config=config)
    with pytest.raises(scorecards.BadScorecard):
        ask_test(actor=people.operations, now=NOW, scorecard=made, config={"groups": []})
    assert HistoryTest.objects.count() == 0


def test_a_sentiment_that_ran_out_becomes_a_task_until_it_is_said_anew(lake):
    from gengyun.portfolio.actions.summaries import refresh_summaries
    from gengyun.portfolio.models import CustomerSummary

    one = make_customer()
    opinions.set_sentiment(actor=None, now=NOW, customer=one, level=2, reason="忧")
    end = Sentiment.objects.get().valid_until
    codes = []
    for days in (0, 1, 61):
        refresh_summaries(now=start_of(end + timedelta(days=days)))
        codes.append("sentiment_due" in CustomerSummary.objects.get().need_codes)
    assert codes == [False, True, False]
    later = start_of(end + timedelta(days=5))
    opinions.set_sentiment(actor=None, now=later, customer=one, level=3, reason="好些")
    refresh_summaries(now=later)
    assert "sentiment_due" not in CustomerSummary.objects.get().need_codes
