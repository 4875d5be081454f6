"""Who may see and change a customer: owner, colleague, leader, stranger; a refusal changes nothing."""

from datetime import date

import pytest
from factories import NOW, People, make_activity, make_contact, make_customer, make_tiers

from gengyun.customers.actions import contacts as contact_actions
from gengyun.customers.actions import customers as actions
from gengyun.customers.models import Contact, Customer, FieldChange, StageStay, Tag
from gengyun.customers.queries import customers as queries
from gengyun.engagement.actions import activities as activity_actions
from gengyun.engagement.models import Activity
from gengyun.engagement.queries import timeline
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.kernel.models import OutboxEvent
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db

SEE = {"owner": True, "colleague": False, "leader": True, "stranger": False,
       "operations": True, "viewer": True, "admin": True}  # fmt: skip


@pytest.fixture
def cast():
    people = People()
    people.tiers = make_tiers()
    people.customer = make_customer("青禾科技", owner=people.owner, tier=people.tiers["standard"])
    people.contact = make_contact(people.customer)
    people.activity = make_activity(people.customer, people.owner)
    return people


def state():
    """Everything a refused action must leave as it was."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (
            Customer,
            Contact,
            Activity,
            FieldChange,
            StageStay,
            Tag,
            AuditEntry,
            OutboxEvent,
        )
    ] + [list(Customer.tags.through.objects.values())]


@pytest.mark.parametrize("who", SEE)
def test_customer_is_seen_by_those_whose_book_it_is_in(cast, who):
    actor = getattr(cast, who)
    found = [
        lambda: queries.get(actor, cast.customer.pk),
        lambda: queries.get_many(actor, [cast.customer.pk])[0],
        lambda: queries.get_contact(actor, cast.contact.pk),
        lambda: timeline.get_activity(actor, cast.activity.pk),
    ]
    for find in found:
        if SEE[who]:
            assert find().pk
        else:
            with pytest.raises(NotFound):
                find()
    count = 1 if SEE[who] else 0
    assert queries.contacts_of(actor, cast.customer).count() == count
    assert len(timeline.timeline(cast.customer, actor).activities) == count
    assert timeline.count(cast.customer, actor) == count
    Customer.objects.filter(pk=cast.customer.pk).update(industry="制造")
    assert queries.values_in_use(actor, "industry") == ["制造"] * count


def attempts(cast, actor):
    """Every action on a customer: (name, call, roles that may)."""
    customer, contact, activity = cast.customer, cast.contact, cast.activity
    stage = queries_first_stage()
    common = {"actor": actor, "now": NOW}
    write = {"owner", "leader", "operations", "admin"}
    assign = {"leader", "operations", "admin"}
    return [
        ("edit", lambda: actions.edit_customer(**common, customer=customer, changes={"name": "新名"}), write),
        ("assign", lambda: actions.assign_owner(**common, customers=[customer], owner=cast.colleague), assign),
        ("tier", lambda: actions.set_tier_manually(**common, customer=customer, tier=cast.tiers["key"], reason="重要"), assign),
        ("clear", lambda: actions.clear_manual_tier(**common, customer=customer), assign),
        ("stage", lambda: actions.move_stage(**common, customer=customer, stage=stage), write),
        ("step", lambda: actions.set_next_step(**common, customer=customer, text="约周敏", on=date(2026, 3, 9)), write),
        ("tag", lambda: actions.tag(**common, customers=[customer], names=["试点"]), write),
        ("untag", lambda: actions.untag(**common, customers=[customer], names=["试点"]), write),
        ("archive", lambda: actions.archive_customer(**common, customer=customer), write),
        ("restore", lambda: actions.restore_customer(**common, customer=customer), write),
        ("contact", lambda: contact_actions.create_contact(**common, customer=customer, values={"name": "周敏"}), write),
        ("edit contact", lambda: contact_actions.edit_contact(**common, contact=contact, changes={"title": "总监"}), write),
        ("left", lambda: contact_actions.mark_left(**common, contact=contact, left_on=date(2026, 2, 1)), write),
        ("log", lambda: activity_actions.log_activity(**common, customer=customer, kind="call", body="通了电话", happened_at=NOW), write),
        ("edit activity", lambda: activity_actions.edit_activity(**common, activity=activity, changes={"body": "改"}), write),
        ("delete activity", lambda: activity_actions.delete_activity(**common, activity=activity), write),
        ("restore activity", lambda: activity_actions.restore_activity(**common, activity=activity), write),
        ("delete contact", lambda: contact_actions.delete_contact(**common, contact=contact), write),
    ]  # fmt: skip


def queries_first_stage():
    from gengyun.customers.queries.tiers import first_stage

    return first_stage("tech")


@pytest.mark.parametrize("who", SEE)
def test_customer_is_changed_only_by_those_who_may(cast, who):
    actor = getattr(cast, who)
    for name, attempt, allowed in attempts(cast, actor):
        if who in allowed:
            attempt()
            continue
        before = state()
        with pytest.raises((NotFound, NotAllowed)):
            attempt()
        assert state() == before, name


def test_deactivated_user_may_do_nothing(cast):
    cast.owner.is_active = False
    for _, attempt, _ in attempts(cast, cast.owner):
        with pytest.raises((NotFound, NotAllowed)):
            attempt()


def test_bulk_change_with_one_strange_customer_changes_none(cast):
    mine = cast.customer
    theirs = make_customer(owner=cast.colleague)
    before = state()
    with pytest.raises(NotFound):
        actions.tag(actor=cast.owner, now=NOW, customers=[mine, theirs], names=["试点"])
    with pytest.raises(NotFound):
        actions.assign_owner(
            actor=cast.stranger, now=NOW, customers=[mine, theirs], owner=cast.stranger
        )
    assert state() == before


def test_colleague_cannot_take_a_customer_by_editing_the_owner(cast):
    before = state()
    with pytest.raises(NotAllowed):
        actions.edit_customer(
            actor=cast.owner, now=NOW, customer=cast.customer, changes={"owner": cast.colleague}
        )
    with pytest.raises(NotAllowed):
        actions.create_customer(
            actor=cast.owner, now=NOW, values={"name": "新客户", "owner": cast.colleague}
        )
    assert state() == before


def test_contacts_of_another_customer_cannot_be_put_on_an_activity(cast):
    other = make_contact(make_customer(owner=cast.colleague))
    before = state()
    with pytest.raises(NotFound):
        activity_actions.log_activity(
            actor=cast.owner, now=NOW, customer=cast.customer, kind="call", body="x",
            happened_at=NOW, contact_ids=[other.pk],
        )  # fmt: skip
    assert state() == before


def test_words_of_others_are_changed_only_by_those_who_lead(cast):
    """The customer changed hands: the new owner reads, but does not rewrite, the old notes."""
    note = make_activity(cast.customer, cast.colleague)
    before = state()
    with pytest.raises(NotAllowed):
        activity_actions.edit_activity(
            actor=cast.owner, now=NOW, activity=note, changes={"body": "x"}
        )
    assert state() == before
    activity_actions.edit_activity(actor=cast.leader, now=NOW, activity=note, changes={"body": "x"})


def test_parent_must_be_visible(cast):
    hidden = make_customer(owner=cast.colleague)
    before = state()
    with pytest.raises(NotFound):
        actions.edit_customer(
            actor=cast.owner, now=NOW, customer=cast.customer, changes={"parent": hidden}
        )
    assert state() == before


def test_leader_of_the_upper_team_sees_the_teams_below(cast):
    from factories import make_team, make_user

    upper = make_team("全国")
    cast.north.parent = upper
    cast.north.save()
    head = make_user("leader", team=upper)
    assert queries.get(head, cast.customer.pk)
    assert list(Customer.objects.visible_to(cast.stranger)) == []
