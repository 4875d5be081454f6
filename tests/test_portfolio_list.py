"""Summary rows, the customer list, the morning page, saved views: content, scope, refusals."""

from datetime import UTC, date, datetime, timedelta

import pytest
from factories import NOW, make_customer, make_team, make_user

from gengyun.customers.actions.customers import (
    archive_customer,
    create_customer,
    edit_customer,
    tag,
)
from gengyun.customers.actions.defaults import install_defaults as install_tiers
from gengyun.customers.models import Customer, Tier
from gengyun.engagement.actions.activities import log_activity
from gengyun.health.actions.defaults import install_defaults as install_cards
from gengyun.health.models import HealthScore, ScorecardVersion
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.portfolio.actions.needs import SnoozeDayBad, finish_need, snooze_need, undo_need
from gengyun.portfolio.actions.seen import note_seen
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.actions.views import ViewNameTaken, delete_view, save_view
from gengyun.portfolio.calc.filters import BadFilter, parse_filters
from gengyun.portfolio.models import CustomerSummary, SavedView
from gengyun.portfolio.queries import today as morning
from gengyun.portfolio.queries.customer_list import (
    SORTS,
    ListQuery,
    all_ids,
    list_page,
    search,
)
from gengyun.portfolio.queries.rank import rank_in_tier
from gengyun.portfolio.queries.views import get_view, view_tabs
from gengyun.team.models import AuditEntry
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = date(2026, 3, 2)


@pytest.fixture
def ground(settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    install_tiers(now=NOW)
    install_metrics(now=NOW)
    install_cards(now=NOW)


def scored(customer, score, band, *, week_ago=None):
    version = ScorecardVersion.objects.first()

    def explained(points):
        factor = {"key": "f", "name_zh": "活跃", "name_en": "Active", "unit": "count",
                  "value": 1, "effective_weight": 1.0, "score": points, "points": points}  # fmt: skip
        groups = [{"key": "g", "points": points, "factors": [factor]}]
        return {"score": points, "raw_score": points, "band": band, "as_of": "2026-02-23",
                "version_id": version.pk, "cap": None, "groups": groups}  # fmt: skip

    HealthScore.objects.update_or_create(
        customer=customer,
        defaults={
            "as_of": TODAY, "version": version, "score": score, "raw_score": score, "band": band,
            "coverage": 1.0, "explanation": explained(score), "computed_at": NOW,
            "history": [["2026-02-23", week_ago], ["2026-03-02", score]],
            "week_ago": explained(week_ago) if week_ago is not None else None,
        },
    )  # fmt: skip


def rows(actor, *filters, sort="name", page=1):
    query = ListQuery.from_json(
        {"filters": [dict(zip(("field", "op", "value"), f, strict=False)) for f in filters],
         "sort": sort}
    )  # fmt: skip
    return list_page(actor, query, today=TODAY, page=page)


def names(actor, *filters, **rest):
    return [row.name for row in rows(actor, *filters, **rest).rows]


@pytest.fixture
def three(ground):
    """Alice's two customers and Bob's one."""
    team = make_team()
    alice, bob = make_user("csm", team=team), make_user("csm", team=team)
    tier = Tier.objects.get(key="strategic")
    shared = {"known_at": NOW - timedelta(days=10)}
    a = make_customer("杭州云启科技", owner=alice, arr_minor=48_600_000, tier=tier,
                      industry="软件", renews_on=TODAY + timedelta(days=30), **shared)  # fmt: skip
    b = make_customer("苏州澜图智能", owner=alice, arr_minor=9_200_000, region="苏州", **shared)
    c = make_customer("深圳星野物流", owner=bob, arr_minor=None, **shared)
    scored(a, 58.0, "C", week_ago=72.0)
    scored(b, 83.0, "A", week_ago=80.0)
    refresh_summaries(now=NOW)
    return {"alice": alice, "bob": bob, "team": team, "a": a, "b": b, "c": c}


def test_refresh_fills_health_line_movers_and_needs(three):
    row = CustomerSummary.objects.get(pk=three["a"].pk)
    assert (row.score, row.band, row.change_week) == (58.0, "C", -14.0)
    assert row.line == [None] * 10 + [72.0, 58.0]
    assert row.movers == [{"name_zh": "活跃", "name_en": "Active", "points": -14.0}]
    assert [need["code"] for need in row.needs] == ["renewal_near", "health_drop"]
    assert row.need_codes == ",renewal_near,health_drop,"
    before = CustomerSummary.objects.values().get(pk=row.pk)
    refresh_summaries(now=NOW)
    assert CustomerSummary.objects.values().get(pk=row.pk) == before


def test_list_shows_only_what_the_actor_may_see(three):
    leader = make_user("leader", team=three["team"])
    stranger, viewer = make_user("csm"), make_user("viewer")
    assert names(three["alice"]) == ["杭州云启科技", "苏州澜图智能"]
    assert names(three["bob"]) == ["深圳星野物流"]
    assert len(names(leader)) == len(names(viewer)) == 3
    assert names(stranger) == []
    assert search(stranger, "云启") == []
    assert all_ids(three["bob"], ListQuery(), today=TODAY) == [three["c"].pk]


def test_filters_choose_rows(three):
    alice = three["alice"]
    assert names(alice, ("text", "contains", "云启")) == ["杭州云启科技"]
    assert names(alice, ("text", "contains", "ACCT")) == ["杭州云启科技", "苏州澜图智能"]
    assert names(alice, ("band", "in", ["C", "D"])) == ["杭州云启科技"]
    assert names(alice, ("band", "not", "C")) == ["苏州澜图智能"]
    assert names(alice, ("owner", "is", "me"), ("region", "is", "苏州")) == ["苏州澜图智能"]
    assert names(alice, ("arr", "gte", 10_000_000)) == ["杭州云启科技"]
    assert names(alice, ("score", "lt", 60)) == ["杭州云启科技"]
    assert names(alice, ("change", "lt", -8)) == ["杭州云启科技"]
    assert names(alice, ("renews", "within", 30)) == ["杭州云启科技"]
    assert names(alice, ("renews", "between", ["2026-03-01", "2026-03-31"])) == []
    assert names(alice, ("renews", "none")) == ["苏州澜图智能"]
    assert len(names(alice, ("touch", "older", 5))) == 2  # never counts as long ago
    assert names(alice, ("touch", "within", 5)) == []
    assert names(alice, ("need", "is", "renewal_near")) == ["杭州云启科技"]
    assert names(alice, ("need", "is", "silent")) == []
    assert names(alice, ("tier", "none")) == ["苏州澜图智能"]
    assert names(make_user("viewer"), ("arr", "none")) == ["深圳星野物流"]


def test_tags_filter_after_tagging(three):
    tag(actor=make_user("admin"), now=NOW, customers=[three["b"]], names=["标杆"])
    assert names(three["alice"], ("tag", "has", "标杆")) == ["苏州澜图智能"]
    assert names(three["alice"], ("tag", "lacks", "标杆")) == ["杭州云启科技"]
    assert CustomerSummary.objects.get(pk=three["b"].pk).tag_names == ["标杆"]


@pytest.mark.parametrize("sort", [*SORTS, *(f"-{key}" for key in SORTS)])
def test_every_sort_puts_unknown_last(three, sort):
    viewer = make_user("viewer")
    listed = names(viewer, sort=sort)
    assert sorted(listed) == sorted(c.name for c in Customer.objects.all())
    if sort.removeprefix("-") in {"score", "arr", "change"}:
        assert listed[-1] == "深圳星野物流"


def test_totals_and_counts(three):
    found = rows(make_user("viewer"))
    assert (found.count, found.has_next) == (3, False)
    assert (found.totals.arr_minor, found.totals.arr_unknown) == (57_800_000, 1)
    assert found.totals.bands == {"A": 1, "B": 0, "C": 1, "D": 0, "N": 1}


def test_pages_of_fifty_looking_one_ahead(ground):
    viewer = make_user("viewer")
    Customer.objects.bulk_create(
        Customer(
            external_id=f"x{n}", name=f"客户{n:03}", known_at=NOW, created_at=NOW, updated_at=NOW
        )
        for n in range(101)
    )
    refresh_summaries(now=NOW)
    pages = [rows(viewer, page=n) for n in (1, 2, 3)]
    assert [len(p.rows) for p in pages] == [50, 50, 1]
    assert [p.has_next for p in pages] == [True, True, False]
    assert pages[2].rows[0].name == "客户100"
    assert pages[0].count == pages[2].count == 101


@pytest.mark.parametrize("count", [1, 30])
def test_a_page_takes_a_fixed_number_of_queries(ground, django_assert_num_queries, count):
    viewer = make_user("viewer")
    for n in range(count):
        make_customer(f"客户{n}")
    refresh_summaries(now=NOW)
    with django_assert_num_queries(2):  # keys, rows
        rows(viewer)


@pytest.mark.parametrize(
    "raw",
    [
        [{"field": "password", "op": "is", "value": 1}],
        [{"field": "band", "op": "is", "value": "Z"}],
        [{"field": "score", "op": "gte", "value": "nan"}],
        [{"field": "arr", "op": "gte", "value": 10**30}],
        [{"field": "tier", "op": "in", "value": []}],
        [{"field": "renews", "op": "between", "value": ["2026-01-01"]}],
        [{"field": "text", "op": "contains", "value": "  "}],
        [{"field": "owner", "op": "is", "value": {"a": 1}}],
        ["band"],
        "band",
        [{"field": "band", "op": "is", "value": "A"}] * 21,
    ],
)
def test_a_filter_that_is_not_understood_is_refused(raw):
    with pytest.raises(BadFilter):
        parse_filters(raw)


def test_search_puts_names_that_begin_with_it_first(ground):
    viewer = make_user("viewer")
    for name in ("上海云启", "云启软件", "北京云启数据", "别的"):
        make_customer(name)
    refresh_summaries(now=NOW)
    assert [row.name for row in search(viewer, "云启")] == ["云启软件", "上海云启", "北京云启数据"]
    assert search(viewer, "") == []


def test_rows_follow_changes_of_customers_and_activities(three):
    alice, customer = three["alice"], three["a"]
    edit_customer(actor=alice, now=NOW, customer=customer, changes={"next_step": "约会面"})
    assert CustomerSummary.objects.get(pk=customer.pk).next_step == "约会面"
    log_activity(
        actor=alice, now=NOW, customer=customer, kind="call", body="聊了聊", happened_at=NOW
    )
    row = CustomerSummary.objects.get(pk=customer.pk)
    assert (row.last_touch_at, row.last_touch_kind) == (NOW, "call")
    later = NOW + timedelta(hours=1)
    log_activity(
        actor=alice, now=later, customer=customer, kind="note", body="给自己", happened_at=later
    )
    assert CustomerSummary.objects.get(pk=customer.pk).last_touch_at == NOW
    made = create_customer(actor=make_user("admin"), now=NOW, values={"name": "新客户"})
    assert CustomerSummary.objects.filter(pk=made.pk).exists()
    archive_customer(actor=make_user("admin"), now=NOW, customer=customer)
    assert not CustomerSummary.objects.filter(pk=customer.pk).exists()


def test_the_morning_list_is_ordered_and_scoped(three):
    found = morning.need_list(three["alice"], scope="mine", today=TODAY)
    assert [item.summary.pk for item in found.items] == [three["a"].pk]
    assert found.items[0].need["code"] == "renewal_near"
    assert [need["code"] for need in found.items[0].others] == ["health_drop"]
    assert found.groups == {"alert": 0, "task": 0, "renewal": 1, "payment": 0}
    assert morning.need_list(three["bob"], scope="team", today=TODAY).items == []


def test_a_need_put_off_comes_back_on_its_day_and_when_it_gets_worse(three):
    alice, pk = three["alice"], three["a"].pk
    until = TODAY + timedelta(days=3)
    snooze_need(actor=alice, now=NOW, customer_id=pk, code="renewal_near", until=until)
    found = morning.need_list(alice, scope="mine", today=TODAY)
    assert (found.items[0].need["code"], found.put_off) == ("health_drop", 1)
    assert morning.need_list(alice, scope="mine", today=until).put_off == 0
    finish_need(actor=alice, now=NOW, customer_id=pk, code="health_drop")
    assert morning.need_list(alice, scope="mine", today=TODAY).items == []
    scored(three["a"], 45.0, "D", week_ago=72.0)  # deeper: from severity 2 to 1
    refresh_summaries(now=NOW)
    codes = [n["code"] for n in morning.open_needs_of(
        CustomerSummary.objects.get(pk=pk), today=TODAY)]  # fmt: skip
    assert "health_drop" in codes
    undo_need(actor=alice, now=NOW, customer_id=pk, code="renewal_near")
    assert morning.need_list(alice, scope="mine", today=TODAY).put_off == 0
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"need.snoozed", "need.finished", "need.reopened"} <= actions


def test_needs_of_others_cannot_be_touched(three):
    pk, until = three["a"].pk, TODAY + timedelta(days=1)
    with pytest.raises(NotFound):
        snooze_need(actor=three["bob"], now=NOW, customer_id=pk, code="health_drop", until=until)
    with pytest.raises(NotAllowed):
        finish_need(actor=make_user("viewer"), now=NOW, customer_id=pk, code="health_drop")
    with pytest.raises(NotFound):
        finish_need(actor=three["alice"], now=NOW, customer_id=pk, code="silent")
    for day in (TODAY, TODAY + timedelta(days=91)):
        with pytest.raises(SnoozeDayBad):
            snooze_need(
                actor=three["alice"], now=NOW, customer_id=pk, code="health_drop", until=day
            )
    assert morning.need_list(three["alice"], scope="mine", today=TODAY).put_off == 0


def test_counters_change_against_the_last_visit(three):
    alice = three["alice"]
    alice.visit_at = datetime(2026, 3, 1, 1, tzinfo=UTC)

    def figures():
        found = morning.counters(alice, scope="mine", today=TODAY, needs_total=1)
        return {figure.code: (figure.value, figure.change) for figure in found}

    assert figures()["customers"] == (2, None)
    note_seen(user=alice, scope="mine", values={k: v for k, (v, _) in figures().items()})
    assert figures()["customers"] == (2, None)
    make_customer(owner=alice, arr_minor=100)
    refresh_summaries(now=NOW)
    alice.visit_at = datetime(2026, 3, 2, 1, tzinfo=UTC)
    for _ in range(2):  # the same all through a visit
        assert figures()["customers"] == (3, 1)
        assert figures()["arr"] == (57_800_100, 100)
        note_seen(user=alice, scope="mine", values={k: v for k, (v, _) in figures().items()})


def test_moves_distribution_calendar_and_rank(three):
    alice = three["alice"]
    assert [row.pk for row in morning.score_moves(alice, scope="mine")] == [
        three["a"].pk,
        three["b"].pk,
    ]
    tiers = [(tier and tier.key, bands["C"]) for tier, bands in
             morning.distribution(alice, scope="mine")]  # fmt: skip
    assert tiers == [("strategic", 1), (None, 0)]
    last = TODAY + timedelta(days=40)
    days = morning.calendar(alice, scope="mine", first=TODAY, last=last)
    assert [(entry["kind"], entry["day"]) for entry in days] == [
        ("renewal", TODAY + timedelta(days=30))
    ]
    assert rank_in_tier(alice, CustomerSummary.objects.get(pk=three["a"].pk)) == (1, 1)


def test_saved_views_are_own_or_shared_and_count_in_the_readers_scope(three):
    alice, bob = three["alice"], three["bob"]
    operations = make_user("operations")
    query = {"filters": [{"field": "band", "op": "is", "value": "C"}], "sort": "-arr"}
    own = save_view(actor=alice, now=NOW, name="风险", query=query)
    shared = save_view(actor=operations, now=NOW, name="全部 C", query=query, is_shared=True)
    assert [(t.view.pk, t.count, t.is_own) for t in view_tabs(alice, today=TODAY)] == [
        (own.pk, 1, True),
        (shared.pk, 1, False),
    ]
    assert [(t.view.pk, t.count) for t in view_tabs(bob, today=TODAY)] == [(shared.pk, 0)]
    with pytest.raises(NotFound):
        get_view(bob, own.pk)
    with pytest.raises(NotFound):
        delete_view(actor=bob, now=NOW, view=shared)
    with pytest.raises(NotFound):
        save_view(actor=bob, now=NOW, name="x", query=query, view=own)
    with pytest.raises(NotAllowed):
        save_view(actor=alice, now=NOW, name="风险", query=query, view=own, is_shared=True)
    with pytest.raises(ViewNameTaken):
        save_view(actor=alice, now=NOW, name="风险", query=query)
    with pytest.raises(BadFilter):
        save_view(actor=alice, now=NOW, name="坏", query={"filters": [{"field": "x"}]})
    assert SavedView.objects.count() == 2
    delete_view(actor=alice, now=NOW, view=own)
    assert AuditEntry.objects.filter(action="view.deleted").get().changes["name"] == "风险"
