"""Tier rules: first match wins, unknown is not 0, a preview says who would move."""

import pytest
from factories import NOW, People, make_customer, make_tiers
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.actions import stages, tiers
from gengyun.customers.actions.defaults import install_defaults
from gengyun.customers.calc.tiering import Condition, Rule, parse_conditions, problems, tier_for
from gengyun.customers.models import Customer, FieldChange, Stage, Tier, TierRule
from gengyun.customers.queries.tiers import stages_of, tiers_with_counts
from gengyun.kernel.errors import NotAllowed
from gengyun.team.models import AuditEntry

WAN = 10_000 * 100
BIG = Condition("arr_minor", "gte", 30 * WAN)
RULES = [
    Rule(1, (BIG, Condition("industry", "in", ("制造", "物流")))),
    Rule(2, (BIG,)),
    Rule(3, (Condition("seats", "lt", 10),)),
    Rule(4),
]


@pytest.mark.parametrize(
    "values, tier",
    [
        ({"arr_minor": 30 * WAN, "industry": "物流"}, 1),
        ({"arr_minor": 30 * WAN, "industry": ""}, 2),
        ({"arr_minor": 30 * WAN - 1, "seats": 9}, 3),
        ({"arr_minor": None, "seats": None}, 4),
        ({"arr_minor": 0, "seats": 0}, 3),
        ({}, 4),
    ],
)
def test_first_rule_whose_conditions_all_hold_wins(values, tier):
    assert tier_for(values, RULES) == tier


@given(arr=st.none() | st.integers(0, 10**12), seats=st.none() | st.integers(0, 10**6))
def test_table_with_default_places_everybody_and_agrees_with_the_obvious_search(arr, seats):
    values = {"arr_minor": arr, "seats": seats}
    expected = (
        2 if arr is not None and arr >= 30 * WAN else 3 if seats is not None and seats < 10 else 4
    )
    assert tier_for(values, RULES) == expected


def test_texts_are_compared_without_capital_letters():
    assert tier_for({"edition": "Pro"}, [Rule(1, (Condition("edition", "is", "pro"),))]) == 1


@pytest.mark.parametrize(
    "raw",
    [
        {"field": "name", "op": "is", "value": "x"},
        {"field": "arr_minor", "op": "is", "value": 1},
        {"field": "arr_minor", "op": "gte", "value": "1"},
        {"field": "arr_minor", "op": "gte", "value": True},
        {"field": "industry", "op": "is", "value": " "},
        {"field": "industry", "op": "in", "value": []},
        {"field": "industry", "op": "in", "value": "制造"},
    ],
)
def test_invalid_condition_is_refused(raw):
    with pytest.raises(ValueError, match=r"^(condition_unknown|value_missing|value_not_a_number)$"):
        parse_conditions([raw])


def test_table_needs_exactly_one_default_in_the_last_place():
    assert problems(RULES) == []
    assert [p.code for p in problems([Rule(1), Rule(2)])] == ["rule_after_default"]
    assert [p.code for p in problems([Rule(1, (BIG,))])] == ["default_missing"]
    assert [p.code for p in problems([])] == ["default_missing"]


@pytest.mark.django_db
def test_defaults_are_installed_once_and_leave_changes_alone():
    make_tiers()
    Tier.objects.filter(key="key").update(name_zh="腰部")
    Stage.objects.filter(touch_model="low", key="expansion").delete()
    TierRule.objects.filter(position=1).update(conditions=[])
    before = [list(model.objects.values()) for model in (Tier, TierRule, Stage)]
    install_defaults(now=NOW)
    assert [list(model.objects.values()) for model in (Tier, TierRule, Stage)] == before
    keys = [stage.key for stage in stages_of("high")]
    assert keys == ["handover", "kickoff", "rollout", "steady", "renewal", "expansion", "churned"]
    assert all(s.expectation_zh and s.expectation_en for s in stages_of("high"))


@pytest.fixture
def book(db):
    people = People()
    people.tiers = make_tiers()
    for arr in (1, 6, 6, 40):
        make_customer(arr_minor=arr * WAN, tier=people.tiers["standard"])
    make_customer(tier=people.tiers["standard"])
    by_hand = make_customer(arr_minor=90 * WAN, tier=people.tiers["key"])
    Customer.objects.filter(pk=by_hand.pk).update(tier_set_by=people.leader)
    return people


def table(book, limit):
    return [
        {"tier": book.tiers["strategic"], "conditions": [
            {"field": "arr_minor", "op": "gte", "value": limit * WAN}]},
        {"tier": book.tiers["standard"], "conditions": []},
    ]  # fmt: skip


@pytest.mark.django_db
def test_preview_counts_moves_and_writes_nothing(book):
    before = list(Customer.objects.values())
    preview = tiers.preview_rules(table(book, 6), actor=book.operations)
    moves = [(m.from_tier.key, m.to_tier.key, m.customer_count) for m in preview.moves]
    assert moves == [("standard", "strategic", 3)]
    assert (preview.moved_count, preview.manual_count) == (3, 1)
    assert preview.counts == {
        book.tiers["strategic"].pk: 3,
        book.tiers["standard"].pk: 2,
        book.tiers["key"].pk: 1,
    }
    assert list(Customer.objects.values()) == before


@pytest.mark.django_db
def test_saving_rules_moves_what_the_preview_said(book):
    preview = tiers.preview_rules(table(book, 6))
    moved = tiers.save_rules(actor=book.operations, now=NOW, rules=table(book, 6))
    assert moved == preview.moved_count
    counts = {tier.pk: tier.customer_count for tier in tiers_with_counts() if tier.customer_count}
    assert counts == preview.counts
    assert FieldChange.objects.filter(field="tier_id").count() == moved
    assert AuditEntry.objects.filter(action="customer.set_tier").count() == moved
    assert AuditEntry.objects.filter(action="tier.save_rules").count() == 1
    assert tiers.save_rules(actor=book.operations, now=NOW, rules=table(book, 6)) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "broken",
    [
        [],
        [{"tier": 999_999, "conditions": []}],
        [{"tier": None, "conditions": []}],
    ],
)
def test_invalid_rules_are_refused_and_the_table_stays(book, broken):
    before = list(TierRule.objects.values())
    with pytest.raises(tiers.RulesInvalid):
        tiers.save_rules(actor=book.admin, now=NOW, rules=broken)
    assert list(TierRule.objects.values()) == before


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["owner", "colleague", "leader", "stranger", "viewer"])
def test_only_administrators_and_operations_change_tiers_and_stages(book, who):
    actor, stage = getattr(book, who), stages_of("high")[0]
    attempts = [
        lambda: tiers.save_rules(actor=actor, now=NOW, rules=table(book, 6)),
        lambda: tiers.apply_rules(actor=actor, now=NOW),
        lambda: tiers.delete_tier(actor=actor, now=NOW, tier=book.tiers["key"]),
        lambda: tiers.edit_tier(actor=actor, now=NOW, tier=book.tiers["key"], name_zh="x", name_en="x", touch_model="low"),
        lambda: tiers.create_tier(actor=actor, now=NOW, key="x", name_zh="x", name_en="x", touch_model="low"),
        lambda: stages.edit_stage(actor=actor, now=NOW, stage=stage, changes={"name_zh": "x"}),
        lambda: stages.create_stage(actor=actor, now=NOW, touch_model="low", key="x", values={"name_zh": "x", "name_en": "x"}),
        lambda: stages.delete_stage(actor=actor, now=NOW, stage=stage),
        lambda: stages.reorder_stages(actor=actor, now=NOW, touch_model="high", stages=stages_of("high")[::-1]),
    ]  # fmt: skip
    before = [list(m.objects.values()) for m in (Tier, TierRule, Stage, Customer, AuditEntry)]
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()
    assert [
        list(m.objects.values()) for m in (Tier, TierRule, Stage, Customer, AuditEntry)
    ] == before


@pytest.mark.django_db
def test_tier_and_stage_in_use_cannot_be_deleted(book):
    with pytest.raises(tiers.TierInUse):
        tiers.delete_tier(actor=book.admin, now=NOW, tier=book.tiers["key"])
    stage = stages_of("tech")[0]
    Customer.objects.filter(tier=book.tiers["standard"]).update(stage=stage)
    with pytest.raises(stages.StageInUse):
        stages.delete_stage(actor=book.admin, now=NOW, stage=stage)


@pytest.mark.django_db
def test_stages_are_added_changed_and_reordered(book):
    common = {"actor": book.admin, "now": NOW}
    made = stages.create_stage(
        **common, touch_model="tech", key="pilot", values={"name_zh": "试点", "name_en": "Pilot"}
    )
    order = [made, *[s for s in stages_of("tech") if s != made]]
    stages.reorder_stages(**common, touch_model="tech", stages=order)
    assert [s.key for s in stages_of("tech")][:2] == ["pilot", "handover"]
    stages.edit_stage(**common, stage=made, changes={"expected_days": 10, "longest_days": 20})
    with pytest.raises(stages.StageDaysInvalid):
        stages.edit_stage(**common, stage=made, changes={"longest_days": 5})
    with pytest.raises(stages.StageInvalid):
        stages.edit_stage(**common, stage=made, changes={"name_en": " "})


@pytest.mark.django_db
def test_preview_names_who_moves_what_they_pay_and_in_which_direction():
    by_key = make_tiers()
    for n in range(8):
        make_customer(f"升 {n}", tier=by_key["standard"], arr_minor=(40 + n) * WAN)
    make_customer("降", tier=by_key["strategic"], arr_minor=6 * WAN)
    make_customer("新", arr_minor=None)
    rules = [
        {"tier": by_key["strategic"], "conditions": [{"field": "arr_minor", "op": "gte", "value": 30 * WAN}]},
        {"tier": by_key["standard"], "conditions": []},
    ]  # fmt: skip
    up, down, new = tiers.preview_rules(rules).moves
    assert (up.is_up, up.customer_count, up.arr_minor) == (True, 8, sum(range(40, 48)) * WAN)
    assert [row.name for row in up.largest] == ["升 7", "升 6", "升 5", "升 4", "升 3", "升 2"]
    assert (down.is_up, [row.name for row in down.largest]) == (False, ["降"])
    assert (new.is_up, new.from_tier, new.arr_minor) == (None, None, 0)
