"""What the verbs on a customer write: the row, its history, stays, audit, events."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer, make_tiers, make_user

from gengyun.customers.actions import customers as actions
from gengyun.customers.actions import fields
from gengyun.customers.actions.tags import TagMissing
from gengyun.customers.models import Customer, FieldChange, StageStay, Tag
from gengyun.customers.queries.as_of import field_values
from gengyun.customers.queries.tiers import first_stage, stages_of
from gengyun.kernel.days import start_of
from gengyun.kernel.models import OutboxEvent
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
WAN = 10_000 * 100


@pytest.fixture
def cast():
    people = People()
    people.tiers = make_tiers()
    return people


def create(cast, **values):
    return actions.create_customer(actor=cast.owner, now=NOW, values={"name": "青禾科技", **values})


def test_create_writes_history_audit_and_events(cast):
    customer = create(cast, arr_minor=48 * WAN, seats=200, renews_on=date(2027, 2, 18))
    assert customer.owner == cast.owner
    assert customer.tier == cast.tiers["strategic"]
    assert customer.external_id.startswith("gy_")
    history = dict(FieldChange.objects.values_list("field", "value"))
    assert history == {
        "arr_minor": 48 * WAN,
        "seats": 200,
        "renews_on": "2027-02-18",
        "tier_id": cast.tiers["strategic"].pk,
    }
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object_label) == (
        "customer.create",
        cast.owner,
        "青禾科技",
    )
    events = list(OutboxEvent.objects.values_list("name", "payload"))
    assert events == [
        ("customer.created", {"customer_ids": [customer.pk], "external_ids": [customer.external_id]}),
        ("customer.changed", {"customer_ids": [customer.pk]}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "values, refusal",
    [
        ({"name": " "}, fields.FieldMissing),
        ({"name": "x" * 201}, fields.FieldTooLong),
        ({"arr_minor": -1}, fields.FieldInvalid),
        ({"arr_minor": 1.5}, fields.FieldInvalid),
        ({"seats": True}, fields.FieldInvalid),
        ({"currency": "元"}, fields.FieldInvalid),
        ({"renews_on": "2027-02-18"}, fields.FieldInvalid),
        ({"archived_at": NOW}, fields.FieldUnknown),
        ({"external_id": "taken"}, fields.ExternalIdTaken),
    ],
)
def test_create_refuses_bad_values_and_writes_nothing(cast, values, refusal):
    make_customer(external_id="taken")
    with pytest.raises(refusal):
        create(cast, **values)
    assert Customer.objects.count() == 1
    assert not AuditEntry.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_viewer_cannot_be_given_customers(cast):
    with pytest.raises(fields.OwnerCannotOwn):
        actions.assign_owner(actor=cast.admin, now=NOW, customers=[create(cast)], owner=cast.viewer)


def test_edit_writes_only_what_changed(cast):
    customer = create(cast, arr_minor=10 * WAN, industry="制造")
    AuditEntry.objects.all().delete()
    later = NOW + timedelta(days=1)
    changes = {"industry": "制造", "arr_minor": 40 * WAN}
    actions.edit_customer(actor=cast.owner, now=later, customer=customer, changes=changes)
    customer.refresh_from_db()
    assert (customer.arr_minor, customer.updated_at) == (40 * WAN, later)
    assert customer.tier == cast.tiers["strategic"]  # the rules follow the ARR
    entry = AuditEntry.objects.get()
    assert entry.changes == {
        "arr_minor": [10 * WAN, 40 * WAN],
        "tier": [cast.tiers["key"].pk, cast.tiers["strategic"].pk],
    }
    actions.edit_customer(actor=cast.owner, now=later, customer=customer, changes=changes)
    assert AuditEntry.objects.count() == 1


def test_unknown_arr_is_not_zero_and_falls_to_the_default_tier(cast):
    customer = create(cast)
    assert customer.arr_minor is None
    assert customer.tier == cast.tiers["standard"]


def test_manual_tier_stays_when_the_arr_moves_and_ends_with_its_day(cast):
    from gengyun.customers.actions.tiers import expire_manual_tiers

    customer = create(cast, arr_minor=1 * WAN)
    actions.set_tier_manually(
        actor=cast.leader, now=NOW, customer=customer, tier=cast.tiers["strategic"],
        reason="集团总部", until=date(2026, 3, 10),
    )  # fmt: skip
    actions.edit_customer(
        actor=cast.owner, now=NOW, customer=customer, changes={"arr_minor": 10 * WAN}
    )
    customer.refresh_from_db()
    assert (customer.tier, customer.tier_set_by) == (cast.tiers["strategic"], cast.leader)
    assert expire_manual_tiers(now=start_of(date(2026, 3, 9))) == 0
    assert expire_manual_tiers(now=start_of(date(2026, 3, 10))) == 1
    customer.refresh_from_db()
    assert (customer.tier, customer.tier_set_by) == (cast.tiers["key"], None)
    with pytest.raises(actions.ReasonMissing):
        actions.set_tier_manually(
            actor=cast.leader, now=NOW, customer=customer, tier=cast.tiers["key"], reason=" "
        )
    with pytest.raises(actions.DayPast):
        actions.set_tier_manually(
            actor=cast.leader, now=NOW, customer=customer, tier=cast.tiers["key"], reason="x",
            until=date(2026, 3, 2),
        )  # fmt: skip


def test_stages_forward_and_back_are_kept_as_stays(cast):
    handover, kickoff, *_ = stages_of("tech")
    customer = create(cast, stage=handover)
    for day, stage in ((5, kickoff), (9, handover)):
        actions.move_stage(
            actor=cast.owner, now=NOW + timedelta(days=day), customer=customer, stage=stage
        )
    stays = StageStay.objects.order_by("pk").values_list("stage__key", "entered_on", "left_on")
    assert list(stays) == [
        ("handover", date(2026, 3, 2), date(2026, 3, 7)),
        ("kickoff", date(2026, 3, 7), date(2026, 3, 11)),
        ("handover", date(2026, 3, 11), None),
    ]
    customer.refresh_from_db()
    assert customer.stage_since == date(2026, 3, 11)


def test_stage_of_another_touch_model_is_refused(cast):
    customer = create(cast)
    with pytest.raises(fields.StageOfOtherTouchModel):
        actions.move_stage(actor=cast.owner, now=NOW, customer=customer, stage=first_stage("high"))


def test_new_touch_model_keeps_the_stay_in_the_same_stage(cast):
    customer = create(cast, stage=stages_of("tech")[1])
    later = NOW + timedelta(days=20)
    actions.edit_customer(
        actor=cast.owner, now=later, customer=customer, changes={"arr_minor": 40 * WAN}
    )
    customer.refresh_from_db()
    assert (customer.stage.touch_model, customer.stage.key) == ("high", "kickoff")
    assert customer.stage_since == date(2026, 3, 2)
    stay = StageStay.objects.get()
    assert (stay.stage, stay.left_on) == (customer.stage, None)


def test_next_step_without_text_is_done(cast):
    customer = create(cast)
    step = {"actor": cast.owner, "now": NOW, "customer": customer, "on": date(2026, 3, 9)}
    actions.set_next_step(**step, text="约周敏会面")
    customer.refresh_from_db()
    assert (customer.next_step, customer.next_step_on) == ("约周敏会面", date(2026, 3, 9))
    actions.set_next_step(**step, text="")
    customer.refresh_from_db()
    assert (customer.next_step, customer.next_step_on) == ("", None)


def test_tags_are_made_when_new_and_go_when_nobody_bears_them(cast):
    first, second = create(cast), create(cast, name="蓝海物流", tags=["试点"])
    put = {"actor": cast.owner, "now": NOW, "customers": [first, second]}
    assert actions.tag(**put, names=["试点", " 已培训 "]) == 2
    assert actions.tag(**put, names=["试点"]) == 0
    assert sorted(first.tags.values_list("name", flat=True)) == ["已培训", "试点"]
    assert actions.untag(**put, names=["试点", "没有的"]) == 2
    assert list(Tag.objects.values_list("name", flat=True)) == ["已培训"]
    with pytest.raises(TagMissing):
        actions.tag(**put, names=["x" * 41])


def test_parent_cannot_be_below_its_child(cast):
    top = create(cast)
    middle = create(cast, parent=top)
    low = create(cast, parent=middle)
    for parent in (top, low):
        with pytest.raises(fields.ParentInsideItself):
            actions.edit_customer(
                actor=cast.owner, now=NOW, customer=top, changes={"parent": parent}
            )


def test_create_customers_skips_the_present_ones(cast):
    make_customer(external_id="a")
    early = NOW - timedelta(days=900)
    made = actions.create_customers(
        actor=None,
        now=NOW,
        rows=[
            {"external_id": "a"},
            {"external_id": "b", "known_at": early},
            {"external_id": "c", "name": "丙", "industry": "物流"},
        ],
    )
    assert [(c.external_id, c.name, c.known_at) for c in made] == [
        ("b", "b", early),
        ("c", "丙", NOW),
    ]


def test_archive_and_restore(cast):
    customer = create(cast)
    actions.archive_customer(actor=cast.owner, now=NOW, customer=customer)
    assert not Customer.objects.present().exists()
    actions.restore_customer(actor=cast.owner, now=NOW, customer=customer)
    assert Customer.objects.present().count() == 1


def test_field_values_are_those_known_before_the_day_began(cast):
    customer = create(cast, seats=100)  # known on 2026-03-02 10:00
    for day, seats in ((10, 120), (20, None), (30, 150)):
        actions.edit_customer(
            actor=cast.owner, now=NOW + timedelta(days=day), customer=customer,
            changes={"seats": seats},
        )  # fmt: skip

    def known(day, **kwargs):
        return field_values(fields=["seats", "tier_id", "renews_on"], as_of=day, **kwargs)["seats"]

    assert known(date(2026, 3, 2)) == {}  # that day began before anybody knew
    assert known(date(2026, 3, 3)) == {customer.pk: 100}
    assert known(date(2026, 3, 13)) == {customer.pk: 120}
    assert known(date(2026, 3, 23)) == {}  # unknown again, not 0
    assert known(date(2026, 4, 2), customer_ids=[customer.pk]) == {customer.pk: 150}
    assert known(date(2026, 4, 2), customer_ids=[customer.pk + 1]) == {}
    with pytest.raises(ValueError, match="industry"):
        field_values(fields=["industry"], as_of=date(2026, 3, 3))


def test_what_becomes_known_as_the_day_begins_is_not_of_that_day(cast):
    day = date(2026, 3, 3)
    values = {"name": "新", "seats": 5}
    customer = actions.create_customer(actor=None, now=start_of(day), values=values)
    assert field_values(fields=["seats"], as_of=day)["seats"] == {}
    assert field_values(fields=["seats"], as_of=day + timedelta(days=1))["seats"] == {
        customer.pk: 5
    }


def test_new_external_id_is_told_to_those_who_wait_for_it(cast):
    customer = create(cast)
    OutboxEvent.objects.all().delete()
    for external_id in ("acme", "acme"):
        actions.edit_customer(
            actor=cast.owner, now=NOW, customer=customer, changes={"external_id": external_id}
        )
    told = {"customer_ids": [customer.pk], "external_ids": ["acme"]}
    events = OutboxEvent.objects.filter(name="customer.id_changed")
    assert [event.payload for event in events] == [told]


def test_days_come_back_as_days(cast):
    customer = create(cast, renews_on=date(2027, 2, 18))
    values = field_values(fields=["renews_on"], as_of=date(2026, 3, 3))
    assert values == {"renews_on": {customer.pk: date(2027, 2, 18)}}


def test_everything_after_the_day_changes_nothing_of_it(cast):
    customer = create(cast, arr_minor=10 * WAN, seats=100, edition="标准版")
    names = ["arr_minor", "seats", "tier_id", "edition", "stage_id", "renews_on", "started_on"]
    day = date(2026, 3, 3)
    before = field_values(fields=names, as_of=day)
    later = NOW + timedelta(days=3)
    actions.edit_customer(
        actor=cast.owner, now=later, customer=customer,
        changes={"arr_minor": 90 * WAN, "seats": None, "edition": "", "renews_on": date(2027, 1, 1)},
    )  # fmt: skip
    actions.set_tier_manually(
        actor=cast.leader, now=later, customer=customer, tier=cast.tiers["key"], reason="x"
    )
    actions.create_customer(actor=cast.owner, now=later, values={"name": "后来的"})
    assert field_values(fields=names, as_of=day) == before


def test_leader_owns_what_they_create_and_operations_may_leave_it_unowned(cast):
    values = {"name": "新"}
    assert actions.create_customer(actor=cast.leader, now=NOW, values=values).owner == cast.leader
    assert actions.create_customer(actor=cast.operations, now=NOW, values=values).owner is None
    given = actions.create_customer(
        actor=cast.leader, now=NOW, values=values | {"owner": make_user("csm", team=cast.north)}
    )
    assert given.owner.role == "csm"
