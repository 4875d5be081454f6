"""The journey: criteria hold or are unknown, customers move by rule or by hand, late is said."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_activity, make_contact, make_customer, make_tiers
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.actions import customers, journeys, stages
from gengyun.customers.actions.stage_defaults import DEFAULTS, fill_bare_stages
from gengyun.customers.calc import journeys as calc
from gengyun.customers.models import Stage, StageProgress, StageStay, Tier
from gengyun.customers.queries import journeys as queries
from gengyun.customers.queries.facts import fact_values, known_facts
from gengyun.kernel.day import steps
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.team.models import AuditEntry

TODAY = day_of(NOW)
FEW_DAYS = calc.Criterion("days", "lt", 10)
DONE = calc.Check("done", "好了", "Done")


# -- calc -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found, holds", [(9, True), (10, False), (None, None), ("", None), (0, True)]
)
def test_unknown_fact_neither_holds_nor_fails(found, holds):
    (verdict,) = calc.judge([FEW_DAYS], calc.Standing({"days": found}))
    assert verdict.holds is holds


def test_nothing_asked_holds_never():
    assert not calc.all_hold(())
    assert not calc.all_hold(calc.judge([FEW_DAYS], calc.Standing({})))


@pytest.mark.parametrize(
    "raw, code",
    [
        ({"fact": "seats", "op": "gte", "value": "3"}, "value_not_a_number"),
        ({"fact": "seats", "op": "gte", "value": float("nan")}, "value_not_a_number"),
        ({"fact": "seats", "op": "gte", "value": True}, "value_not_a_number"),
        ({"fact": "edition", "op": "in", "value": []}, "value_missing"),
        ({"fact": "edition", "op": "like", "value": "x"}, "condition_unknown"),
        ({"op": "known"}, "fact_missing"),
        ({"check": "Ok!", "zh": "好", "en": "ok"}, "check_without_text"),
        ({"check": "ok", "zh": "好", "en": " "}, "check_without_text"),
    ],
)
def test_criterion_that_means_nothing_is_refused(raw, code):
    with pytest.raises(ValueError, match=code):
        calc.parse_items([raw])


@given(st.integers(0, 400), st.none() | st.integers(1, 200), st.none() | st.integers(1, 400))
def test_pace_agrees_with_the_obvious_comparison(days, expected, longest):
    found = calc.pace(TODAY - timedelta(days=days), TODAY, expected, longest)
    if expected is None and longest is None:
        assert found == ""
    elif longest is not None and days > longest:
        assert found == "stuck"
    else:
        assert found == ("behind" if expected is not None and days > expected else "on_track")


def _plan(key, position, **values):
    return calc.StagePlan(key, position, **values)


def test_latest_stage_that_may_be_entered_wins_and_rule_goes_before_proposal():
    first = _plan("first", 1, exit=(DONE,), is_left_by_rule=True)
    second = _plan("second", 2, entry=(FEW_DAYS,), is_entered_by_rule=True)
    third = _plan("third", 3, entry=(FEW_DAYS,))
    here = calc.Standing({"days": 3}, checked={"done"})
    assert calc.next_step(first, [first, second, third], here).to == "second"
    hand = [first, third]
    step = calc.next_step(first, hand, here)
    assert (step.to, step.why, step.by_rule) == ("third", "exit", True)
    no_tick = calc.Standing({"days": 3})
    step = calc.next_step(first, hand, no_tick)
    assert (step.to, step.why, step.by_rule) == ("third", "entry", False)


def test_stage_taken_out_of_by_hand_is_only_proposed():
    first = _plan("first", 1)
    second = _plan("second", 2, entry=(FEW_DAYS,), is_entered_by_rule=True)
    held = calc.Standing({"days": 3}, held_off={"second"})
    assert calc.next_step(first, [first, second], held).by_rule is False


def test_exit_may_lead_back_and_the_last_stage_leads_nowhere():
    stages_ = [_plan("a", 1), _plan("b", 2, exit_to="a"), _plan("c", 3, exit_to="gone")]
    assert calc.exit_of(stages_[0], stages_) == "b"
    assert calc.exit_of(stages_[1], stages_) == "a"
    assert calc.exit_of(stages_[2], stages_) is None
    assert calc.exit_of(_plan("c", 3), [*stages_[:2], _plan("c", 3)]) is None


def test_default_stages_say_only_what_the_product_knows():
    """A fact with a slip of the pen in it would be unknown for ever."""
    metric = {"metric:seat_use_30d"}
    for content in DEFAULTS.values():
        for name in ("entry", "exit", "process_kpi", "outcome_kpi"):
            for item in calc.parse_items(content.get(name, [])):
                if isinstance(item, calc.Criterion) and item.fact not in metric:
                    assert item.fact in ALL_FACTS
        outcome = content.get("outcome_kpi", [])
        # usage lags: it is never the only outcome goal
        assert not outcome or any(not e.get("fact", "").startswith("metric:") for e in outcome)


ALL_FACTS = frozenset(
    {
        "days_since_start",
        "days_to_renewal",
        "days_in_stage",
        "has_owner",
        "decider_count",
        "champion_count",
        "activity:any",
        "activity:meeting",
        "activity:days_since_touch",
        "health:score",
    }
)


# -- with the database ----------------------------------------------------------------------------


@pytest.fixture
def tiers(db):
    return make_tiers()


def _stage(key, touch="high"):
    return Stage.objects.get(touch_model=touch, key=key)


def _customer(tiers, stage_key="", days=0, **values):
    stage = _stage(stage_key) if stage_key else None
    since = TODAY - timedelta(days=days) if stage_key else None
    customer = make_customer(tier=tiers["strategic"], stage=stage, stage_since=since, **values)
    if stage:
        StageStay.objects.create(customer=customer, stage=stage, entered_on=since, how="start")
    return customer


def _advance(now=NOW):
    return journeys.advance_journeys(as_of=day_of(now), now=now)


def test_facts_of_the_menu_have_values_or_are_unknown(tiers):
    assert set(known_facts()) >= ALL_FACTS
    customer = _customer(tiers, "kickoff", 10, renews_on=TODAY + timedelta(days=30))
    make_contact(customer, part="decider")
    make_contact(customer, part="decider", left_on=TODAY)
    make_activity(customer, kind="meeting", happened_at=NOW - timedelta(days=2))
    make_activity(customer, kind="meeting", happened_at=NOW - timedelta(days=20))
    make_activity(customer, kind="note")
    found = fact_values(ALL_FACTS, as_of=TODAY, customer_ids=[customer.pk])
    values = {key: each.get(customer.pk) for key, each in found.items()}
    assert values == {
        "days_since_start": None,
        "days_to_renewal": 30,
        "days_in_stage": 10,
        "has_owner": False,
        "decider_count": 1,
        "champion_count": 0,
        "activity:any": 1,
        "activity:meeting": 1,
        "activity:days_since_touch": 2,
        "health:score": None,
    }
    assert fact_values(ALL_FACTS, as_of=TODAY) == found


def test_renewal_that_comes_near_is_entered_and_left_by_rule(tiers):
    customer = _customer(tiers, "rollout", 40, renews_on=TODAY + timedelta(days=90))
    assert _advance().moved == 1
    customer.refresh_from_db()
    assert customer.stage.key == "renewal"
    stay = StageStay.objects.get(customer=customer, left_on=None)
    assert (stay.how, stay.moved_by, stay.entered_on) == ("rule", None, TODAY)
    assert stay.evidence == [{"fact": "days_to_renewal", "op": "lt", "value": 91, "found": 90}]
    assert _advance().moved == 0  # twice is once
    customer.renews_on += timedelta(days=365)
    customer.save()
    later = NOW + timedelta(days=30)
    assert _advance(later).moved == 1
    customer.refresh_from_db()
    assert customer.stage.key == "steady"
    assert [s.stage.key for s in queries.history_of(customer)] == ["steady", "renewal", "rollout"]


def test_customer_taken_out_by_hand_is_left_alone_for_a_while(tiers):
    people = People()
    customer = _customer(
        tiers, "steady", 200, renews_on=TODAY + timedelta(days=80), owner=people.owner
    )
    _advance()
    customer.refresh_from_db()
    assert customer.stage.key == "renewal"
    journeys.move_stage(
        actor=people.owner, now=NOW, customer=customer, stage=_stage("steady"), reason="多年合同"
    )
    for days in (1, 59):
        assert _advance(NOW + timedelta(days=days)).moved == 0
    assert StageProgress.objects.get(customer=customer).suggested == "renewal"
    assert _advance(NOW + timedelta(days=60)).moved == 1


def test_tick_completes_the_exit_and_moves_at_once(tiers):
    people = People()
    customer = _customer(tiers, "kickoff", 5, owner=people.owner)
    make_activity(customer, kind="meeting")
    tick = {"actor": people.owner, "now": NOW, "customer": customer, "key": "goals-agreed"}
    assert journeys.tick(**tick, is_done=True).moved == 1
    customer.refresh_from_db()
    assert customer.stage.key == "rollout"
    old = StageStay.objects.get(customer=customer, stage__key="kickoff")
    assert old.checked == {"goals-agreed": {"by": people.owner.name, "on": TODAY.isoformat()}}
    with pytest.raises(journeys.CheckUnknown):  # rollout asks for other things
        journeys.tick(**tick, is_done=True)


def test_tick_can_be_taken_away_and_needs_the_right_and_the_customer(tiers):
    people = People()
    customer = _customer(tiers, "kickoff", 5, owner=people.owner)
    tick = {"now": NOW, "customer": customer, "key": "goals-agreed"}
    with pytest.raises(NotFound):
        journeys.tick(actor=people.colleague, is_done=True, **tick)
    with pytest.raises(NotAllowed):
        journeys.tick(actor=people.viewer, is_done=True, **tick)
    assert journeys.tick(actor=people.owner, is_done=True, **tick).moved == 0  # no meeting yet
    journeys.tick(actor=people.owner, is_done=False, **tick)
    assert StageStay.objects.get(customer=customer, left_on=None).checked == {}
    assert AuditEntry.objects.filter(action="customer.untick").count() == 1


def test_taken_back_move_leaves_the_stay_before_going_on(tiers):
    people = People()
    customer = _customer(tiers, "steady", 30, owner=people.owner)
    moved = {"actor": people.owner, "now": NOW, "customer": customer}
    journeys.move_stage(**moved, stage=_stage("expansion"))
    new = StageStay.objects.get(customer=customer, left_on=None)
    journeys.take_back_move(**moved, stay_id=new.pk)
    customer.refresh_from_db()
    assert (customer.stage.key, customer.stage_since) == ("steady", TODAY - timedelta(days=30))
    (stay,) = StageStay.objects.filter(customer=customer)
    assert stay.left_on is None
    with pytest.raises(journeys.MoveTooOld):
        journeys.take_back_move(**moved, stay_id=new.pk)


def test_position_says_goals_pace_and_what_is_unknown(tiers):
    customer = _customer(tiers, "rollout", 100)
    before = queries.position_of(customer, TODAY)
    assert before.as_of is None
    _advance()
    found = queries.position_of(customer, TODAY)
    assert (found.days, found.pace, found.as_of) == (100, "behind", TODAY)
    assert [v.holds for v in found.process] == [None]  # no usage ever arrived
    assert [v.holds for v in found.outcome] == [False, None]
    assert found.exit_to.key == "steady"
    late = queries.position_of(customer, TODAY + timedelta(days=81))
    assert late.pace == "stuck"


def test_counts_of_a_stage_are_of_what_the_actor_sees(tiers):
    people = People()
    for days, owner in ((10, people.owner), (100, people.owner), (200, people.colleague)):
        _customer(tiers, "rollout", days, owner=owner, arr_minor=100)
    mine = {c.stage.key: c for c in queries.stage_counts(people.owner, TODAY) if c.customers}
    found = mine["rollout"]
    assert (found.customers, found.arr_minor, found.behind, found.stuck) == (2, 200, 1, 0)
    all_ = {c.stage.key: c for c in queries.stage_counts(people.leader, TODAY) if c.customers}
    assert (all_["rollout"].customers, all_["rollout"].behind, all_["rollout"].stuck) == (3, 1, 1)
    assert queries.stage_counts(people.stranger, TODAY)[0].customers == 0


def test_past_day_and_repetition_move_nobody(tiers):
    customer = _customer(tiers, "steady", 200, renews_on=TODAY + timedelta(days=80))
    step = next(step for step in steps() if step.name == "journeys")
    step.run(TODAY - timedelta(days=1), NOW, lambda done, total: None)
    customer.refresh_from_db()
    assert customer.stage.key == "steady"
    step.run(TODAY, NOW, lambda done, total: None)
    customer.refresh_from_db()
    assert customer.stage.key == "renewal"


def test_tier_of_another_touch_model_keeps_the_stay(tiers):
    people = People()
    customer = _customer(tiers, "rollout", 12, owner=people.owner)
    customers.set_tier_manually(
        actor=people.admin, now=NOW, customer=customer, tier=Tier.objects.get(key="key"), reason="x"
    )
    _advance()
    customer.refresh_from_db()
    assert (customer.stage.touch_model, customer.stage.key) == ("low", "rollout")
    assert customer.stage_since == TODAY - timedelta(days=12)


def test_stages_from_before_get_content_but_move_nobody(tiers):
    Stage.objects.update(
        work_zh="", work_en="", process_kpi=[], outcome_kpi=[], entry=[], exit=[], exit_to="",
        is_entered_by_rule=False, is_left_by_rule=False,
    )  # fmt: skip
    stages.edit_stage(actor=None, now=NOW, stage=_stage("kickoff"), changes={"name_zh": "开工"})
    assert fill_bare_stages() == 3 * len(DEFAULTS) - 1  # what was edited stays as it is
    assert _stage("renewal", "tech").entry == [{"fact": "days_to_renewal", "op": "lt", "value": 31}]
    assert not Stage.objects.filter(is_entered_by_rule=True).exists()
    assert fill_bare_stages() == 0


def test_new_customer_enters_the_first_stage_by_rule(tiers):
    new = _customer(tiers, started_on=TODAY - timedelta(days=3))
    old = _customer(tiers, started_on=date(2024, 1, 1))
    _advance()
    new.refresh_from_db()
    old.refresh_from_db()
    assert new.stage.key == "handover"
    assert old.stage is None


@pytest.mark.parametrize(
    "changes, refusal",
    [
        ({"exit": [{"fact": "weather", "op": "gte", "value": 1}]}, stages.CriterionInvalid),
        ({"entry": [{"fact": "seats", "op": "gte"}]}, stages.CriterionInvalid),
        ({"exit": [], "is_left_by_rule": True}, stages.RuleWithoutCriteria),
        ({"exit_to": "kickoff"}, stages.ExitUnknown),
        ({"exit_to": "nowhere"}, stages.ExitUnknown),
    ],
)
def test_stage_that_could_not_work_is_refused_and_stays_as_it_was(tiers, changes, refusal):
    before = Stage.objects.filter(pk=_stage("kickoff").pk).values().get()
    with pytest.raises(refusal):
        stages.edit_stage(actor=None, now=NOW, stage=_stage("kickoff"), changes=changes)
    assert Stage.objects.filter(pk=before["id"]).values().get() == before


def test_stage_keeps_what_operations_say(tiers):
    changes = {
        "work_zh": "开会",
        "exit": [
            {"fact": "seats", "op": "gte", "value": 10},
            {"check": "ok", "zh": "好", "en": "ok"},
        ],
        "is_left_by_rule": True,
        "exit_to": "steady",
    }
    row = stages.edit_stage(actor=None, now=NOW, stage=_stage("kickoff"), changes=changes)
    assert {name: getattr(row, name) for name in changes} == changes
    assert row.is_tuned
