"""Merging duplicates: what moves, what is chosen, how it is taken back, and usage as of a day."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_activity, make_contact, make_customer, make_tiers
from lake_events import arrow, days, event

from gengyun.customers.actions import customers, merging
from gengyun.customers.actions.import_lookup import Book
from gengyun.customers.calc.company_names import name_key
from gengyun.customers.models import (
    Contact,
    Customer,
    CustomerMerge,
    FieldChange,
    NotDuplicate,
    Tier,
)
from gengyun.customers.queries.duplicates import alike, duplicate_pairs
from gengyun.customers.queries.merges import (
    Joined,
    ids_of,
    joined,
    kept_by_gone,
    present_ids,
    same_pairs,
)
from gengyun.engagement.models import Activity
from gengyun.kernel.days import day_of, start_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.lake.store import Lake
from gengyun.team.models import AuditEntry
from gengyun.usage.actions.compute import compute_days
from gengyun.usage.actions.defaults import install_defaults
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.models import ProductUser
from gengyun.usage.queries import usage_line
from gengyun.usage.queries.metrics import preview, values_as_of
from gengyun.usage.queries.usage_days import usage_days

pytestmark = pytest.mark.django_db
CODE = "9144030071526726XG"


@pytest.fixture
def people():
    make_tiers()
    return People()


def _make(name, **values):
    return make_customer(name, name_key=name_key(name), tier=Tier.objects.last(), **values)


def _snapshot():
    """Everything a merge may touch, to be compared."""
    rows = Customer.objects.order_by("pk").values()
    plain = [{k: v for k, v in row.items() if k != "updated_at"} for row in rows]
    tags = sorted(Customer.tags.through.objects.values_list("customer_id", "tag__name"))
    hanging = {
        name: sorted(model.objects.values_list("pk", "customer_id"))
        for name, model in (("contacts", Contact), ("activities", Activity), ("users", ProductUser))
    }
    return plain, tags, hanging


def _pair(people):
    kept = _make("北京耕云科技有限公司", owner=people.owner, arr_minor=100, seats=10, region="北京")
    gone = _make(
        "耕云科技", owner=people.owner, arr_minor=50, seats=5, industry="软件", uscc=CODE,
        started_on=date(2025, 1, 1),
    )  # fmt: skip
    customers.tag(actor=people.admin, now=NOW, customers=[gone], names=["试点"])
    make_contact(gone, "周敏")
    make_activity(gone)
    child = _make("耕云上海", parent=gone, owner=people.owner)
    user = ProductUser.objects.create(
        external_id="u1", customer=gone, first_seen_at=NOW, last_seen_at=NOW
    )
    return kept, gone, child, user


def test_everything_goes_over_and_comes_back(people):
    kept, gone, child, user = _pair(people)
    before = _snapshot()
    merge = merging.merge_customers(
        actor=people.leader, now=NOW, kept=kept, gone=gone, choices={"arr_minor": "sum"}
    )
    for row in (kept, gone, child, user):
        row.refresh_from_db()
    assert (kept.arr_minor, kept.seats, kept.region) == (150, 10, "北京")
    # what the one that stays had no value for comes from the other
    assert (kept.industry, kept.uscc, kept.started_on) == ("软件", CODE, date(2025, 1, 1))
    assert gone.archived_at == NOW
    assert (child.parent, user.customer) == (kept, kept)
    assert [tag.name for tag in kept.tags.all()] == ["试点"]
    assert kept.contacts.count() == kept.activities.count() == 1
    assert FieldChange.objects.filter(customer=kept, field="arr_minor", value=150).exists()
    later = NOW + timedelta(hours=1)
    assert merging.undo_merge(actor=people.leader, now=later, merge=merge) == []
    assert _snapshot() == before
    assert AuditEntry.objects.filter(action="customer.merge_undone").count() == 1
    with pytest.raises(NotFound):
        merging.undo_merge(actor=people.leader, now=later, merge=merge)


def test_undo_leaves_what_was_changed_since(people):
    kept, gone, _, _ = _pair(people)
    merge = merging.merge_customers(actor=people.admin, now=NOW, kept=kept, gone=gone)
    customers.edit_customer(
        actor=people.admin, now=NOW, customer=kept, changes={"industry": "制造"}
    )
    new = make_contact(kept, "新来的")
    assert merging.undo_merge(actor=people.admin, now=NOW, merge=merge) == ["industry"]
    kept.refresh_from_db()
    assert (kept.industry, kept.uscc) == ("制造", "")
    assert list(kept.contacts.all()) == [new]
    assert [contact.name for contact in gone.contacts.all()] == ["周敏"]


def test_who_may_and_who_may_not(people):
    kept, gone, _, _ = _pair(people)
    for actor, refusal in (
        (people.owner, NotAllowed),
        (people.viewer, NotAllowed),
        (people.stranger, NotFound),
    ):
        before = _snapshot()
        with pytest.raises(refusal):
            merging.merge_customers(actor=actor, now=NOW, kept=kept, gone=gone)
        with pytest.raises(refusal):
            merging.preview_merge(actor=actor, kept=kept, gone=gone)
        assert _snapshot() == before
    merge = merging.merge_customers(actor=people.leader, now=NOW, kept=kept, gone=gone)
    with pytest.raises(NotFound):
        merging.undo_merge(actor=people.stranger, now=NOW, merge=merge)


def test_refusals_leave_everything_as_it_was(people):
    kept, gone, _, _ = _pair(people)
    third = _make("第三家", owner=people.owner, currency="USD", arr_minor=7)
    archived = _make("没了", archived_at=NOW)
    before = _snapshot()
    cases = [
        (kept, kept, {}, merging.MergeOfOne),
        (kept, archived, {}, merging.MergeOfGone),
        (kept, third, {"arr_minor": "sum"}, merging.SumOfCurrencies),
        (kept, gone, {"name": "sum"}, merging.ChoiceUnknown),
        (kept, gone, {"name": "both"}, merging.ChoiceUnknown),
    ]
    for stays, goes, choices, refusal in cases:
        with pytest.raises(refusal):
            merging.merge_customers(
                actor=people.admin, now=NOW, kept=stays, gone=goes, choices=choices
            )
    assert _snapshot() == before


def test_parent_merged_into_its_child_makes_no_circle(people):
    top = _make("集团")
    parent = _make("甲", parent=top)
    child = _make("乙", parent=parent)
    merging.merge_customers(actor=people.admin, now=NOW, kept=child, gone=parent)
    child.refresh_from_db()
    assert child.parent == top


def test_merge_under_a_later_merge_is_undone_after_it(people):
    a, b, c = _make("甲"), _make("乙"), _make("丙")
    first = merging.merge_customers(actor=people.admin, now=NOW, kept=b, gone=a)
    second = merging.merge_customers(actor=people.admin, now=NOW, kept=c, gone=b)
    assert kept_by_gone() == {a.pk: c.pk, b.pk: c.pk}
    assert ids_of(c.pk) == [c.pk, a.pk, b.pk]
    assert present_ids([a.pk, c.pk, 0]) == [c.pk, 0]
    with pytest.raises(merging.MergeBuried):
        merging.undo_merge(actor=people.admin, now=NOW, merge=first)
    merging.undo_merge(actor=people.admin, now=NOW, merge=second)
    merging.undo_merge(actor=people.admin, now=NOW, merge=first)
    assert kept_by_gone() == {}


def test_customer_that_is_part_of_another_is_not_brought_back_by_the_archive(people):
    kept, gone, _, _ = _pair(people)
    merging.merge_customers(actor=people.admin, now=NOW, kept=kept, gone=gone)
    gone.refresh_from_db()
    with pytest.raises(customers.PartOfAnother):
        customers.restore_customer(actor=people.admin, now=NOW, customer=gone)


def test_files_with_the_old_id_mean_the_customer_that_stayed(people):
    kept, gone, _, _ = _pair(people)
    merging.merge_customers(actor=people.admin, now=NOW, kept=kept, gone=gone)
    book = Book.load(None)
    assert book.by_external_id[gone.external_id] == kept.pk
    assert book.of_name("耕云科技") == [kept.pk]


# -- usage as of a day ----------------------------------------------------------------------------

D = date(2026, 2, 10)
KEYS = ["events_30d", "active_users_30d", "active_days_30d"]


def _values(lake, day, *rows):
    found = values_as_of(day, KEYS, lake=lake)
    return [tuple(found[row.pk][key] for key in KEYS) for row in rows]


@pytest.mark.django_db(transaction=True)
def test_usage_counts_for_the_other_only_as_of_days_after_the_merge(settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    lake = Lake.default()
    long_ago = start_of(D) - timedelta(days=100)
    install_defaults(now=long_ago)
    kept, gone = _make("甲", known_at=long_ago), _make("乙", known_at=long_ago)
    # both used on the same five days: two people of the one, one of the other (shared: u1)
    rows = [
        event(kept.pk, on=day, user=user)
        for day in days(date(2026, 2, 1), 5)
        for user in ("u1", "u2")
    ]
    rows += [
        event(gone.pk, on=day, user=user)
        for day in days(date(2026, 2, 3), 5)
        for user in ("u1", "u3")
    ]
    lake.append("events", arrow(rows))
    now = start_of(D) + timedelta(hours=10)
    merge = merging.merge_customers(actor=None, now=now, kept=kept, gone=gone)
    after = D + timedelta(days=1)
    compute_days([D, after], lake=lake, now=now)  # both at once: a back-test asks like this
    # as of D the merge was not known (it came during D): both as they were
    assert _values(lake, D, kept, gone) == [(10, 2, 5), (10, 2, 5)]
    # as of the next day all counts for the one that stayed; the shared person is one person
    assert _values(lake, after, kept)[0] == (20, 3, 7)
    # events under the old id still arrive, and count
    lake.append("events", arrow([event(gone.pk, on=D, user="u4")]))
    compute_days([after], lake=lake, now=now)
    assert _values(lake, after, kept)[0] == (21, 4, 8)
    line = usage_line.daily_line(kept.pk, start=date(2026, 2, 1), end=after, lake=lake)
    assert [count for _, count in line] == [2, 2, 3, 3, 3, 2, 2, 0, 0, 1]
    assert len(usage_line.recent_events(kept.pk, 100, lake=lake)) == 21
    definition = {"aggregate": "count", "events": ["report.opened"], "window_days": 30}
    assert preview(definition, as_of=after, customer_ids=[kept.pk], lake=lake) == {kept.pk: 21}
    # taken back three days later: from the day after that both are again as they were
    undone = now + timedelta(days=3)
    merging.undo_merge(actor=None, now=undone, merge=merge)
    between, last = day_of(undone), day_of(undone) + timedelta(days=1)
    compute_days([D, between, last], lake=lake, now=undone)
    assert _values(lake, D, kept, gone) == [(10, 2, 5), (10, 2, 5)]
    assert _values(lake, between, kept)[0] == (21, 4, 8)
    assert _values(lake, last, kept, gone) == [(10, 2, 5), (11, 3, 6)]


def test_pairs_and_their_days(people):
    a, b, c = _make("甲"), _make("乙"), _make("丙")
    one = merging.merge_customers(actor=None, now=NOW, kept=b, gone=a)
    later = NOW + timedelta(days=5)
    merging.merge_customers(actor=None, now=later, kept=c, gone=b)
    first, second = day_of(NOW), day_of(later)
    assert set(joined()) == {
        Joined(a.pk, b.pk, first),
        Joined(b.pk, c.pk, second),
        Joined(a.pk, c.pk, second),
    }
    assert joined([first]) == []  # it was during that day
    assert same_pairs([first]) == [([first], [])]
    standing = same_pairs([first, second + timedelta(days=1)])
    assert len(standing) == 1  # known_on alone tells the days apart
    CustomerMerge.objects.filter(pk=one.pk).update(undone_at=NOW + timedelta(days=8))
    asked = [second + timedelta(days=n) for n in (1, 4, 20)]
    groups = same_pairs(asked)
    # from the day after it was taken back on, a no longer counts
    assert [days_ for days_, _ in groups] == [[asked[0]], asked[1:]]


# -- finding them ---------------------------------------------------------------------------------


def test_duplicates_are_proposed_with_their_reason_and_by_what_one_sees(people):
    big = _make("北京耕云科技有限公司", owner=people.owner, arr_minor=900)
    short = _make("耕云科技", owner=people.owner)
    same = _make("某某", owner=people.owner, uscc=CODE)
    code = _make("完全不同", owner=people.owner, uscc=CODE)
    _make("成都耕云物流有限公司", owner=people.owner)  # the same brand in another trade and city
    _make("耕云科技", owner=people.colleague, archived_at=NOW)
    found = duplicate_pairs(people.leader)
    assert [(p.first, p.second, p.reason) for p in found] == [
        (same, code, "same_code"),
        (big, short, "short_name"),
    ]
    assert duplicate_pairs(people.stranger) == []
    merging.say_not_duplicate(actor=people.leader, now=NOW, one=short, other=big)
    assert [p.reason for p in duplicate_pairs(people.leader)] == ["same_code"]
    merging.forget_not_duplicate(actor=people.leader, now=NOW, one=big, other=short)
    assert len(duplicate_pairs(people.leader)) == 2
    assert NotDuplicate.objects.count() == 0


def test_two_registered_companies_of_one_name_are_no_duplicates(people):
    _make("北京耕云科技有限公司", uscc=CODE)
    _make("北京耕云科技有限责任公司", uscc="91310115MA1K3BTP2B")
    assert duplicate_pairs(people.admin) == []


def test_new_customer_is_compared_with_those_that_are_there(people):
    present = _make("北京耕云科技有限公司", owner=people.owner, uscc=CODE)
    (pair,) = alike(people.owner, name="耕云科技有限公司")
    assert (pair.first, pair.reason) == (present, "other_form")
    assert [p.reason for p in alike(people.owner, name="别的", uscc=CODE)] == ["same_code"]
    assert alike(people.stranger, name="耕云科技有限公司") == []
    assert alike(people.owner, name="耕云科技有限公司", besides=present.pk) == []


def test_name_written_by_an_action_is_found_again(people):
    made = customers.create_customer(
        actor=people.admin, now=NOW, values={"name": "上海云帆软件有限公司"}
    )
    other = customers.create_customer(actor=people.admin, now=NOW, values={"name": "别家"})
    customers.edit_customer(
        actor=people.admin, now=NOW, customer=other, changes={"name": "云帆软件"}
    )
    (pair,) = duplicate_pairs(people.admin)
    assert {pair.first, pair.second} == {made, other}


@pytest.mark.django_db(transaction=True)
def test_alerts_read_the_use_of_both_from_the_day_after_the_merge(settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    lake = Lake.default()
    kept, gone = _make("甲"), _make("乙")
    rows = [event(kept.pk, on=day) for day in days(date(2026, 2, 1), 3)]
    rows += [event(gone.pk, on=day, user="u9") for day in days(date(2025, 9, 1), 4)]
    rows += [event(gone.pk, on=day, user="u9") for day in days(date(2026, 2, 3), 2)]
    lake.append("events", arrow(rows))
    now = start_of(D) + timedelta(hours=10)
    roll_up(lake=lake, now=now)
    merging.merge_customers(actor=None, now=now, kept=kept, gone=gone)
    before = usage_days(D, days=14, lake=lake)
    assert list(before.customer_ids) == sorted([kept.pk, gone.pk])
    assert before.of(kept.pk).tolist()[5:10] == [1, 1, 1, 0, 0]
    after = usage_days(D + timedelta(days=1), days=14, lake=lake)
    assert list(after.customer_ids) == [kept.pk]
    assert after.of(kept.pk).tolist()[4:9] == [1, 1, 2, 1, 0]
    assert after.active_days_before.tolist() == [4]
    assert str(after.last_on[0]) == "2026-02-04"
