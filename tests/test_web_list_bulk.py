"""Bulk work: any field of many customers, refused whole or done whole, and taken back."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from factories import NOW, People, make_customer, make_tiers, make_user

from gengyun.customers.actions import bulk
from gengyun.customers.actions.custom_fields import create_field
from gengyun.customers.actions.custom_values import set_values
from gengyun.customers.actions.customers import set_tier_manually, tag
from gengyun.customers.actions.fields import FieldInvalid, FieldUnknown
from gengyun.customers.models import Customer, FieldValue, Stage
from gengyun.customers.queries.custom_fields import values_of
from gengyun.kernel.clock import utc_now
from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def me():
    return make_user("admin", language="en", name="Ada")


@pytest.fixture
def web(me):
    client = Client()
    client.force_login(me, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def world(me):
    """Three customers with different values, two tiers, one custom number and one choice."""
    tiers = make_tiers()
    number = create_field(actor=None, now=NOW, kind="number", key="n", values={"name_en": "N"})
    options = [{"name_en": "High"}, {"name_en": "Low"}]
    choice = create_field(
        actor=None, now=NOW, kind="choice", key="c", values={"name_en": "C", "options": options}
    )
    tier = tiers["strategic"]
    stage = Stage.objects.filter(touch_model=tier.touch_model).first()
    made = [
        make_customer(name, owner=me, tier=tier, stage=stage, arr_minor=900_000_00, **values)
        for name, values in [
            ("A", {"industry": "软件", "seats": 5}),
            ("B", {"industry": "物流", "renews_on": NOW.date()}),
            ("C", {}),
        ]
    ]
    set_values(actor=None, now=NOW, wanted={made[0].pk: {"n": Decimal(4)}})
    refresh_summaries(now=utc_now())
    return {"rows": made, "tiers": tiers, "number": number, "choice": choice}


def state():
    """Everything a bulk change may touch."""
    names = ("industry", "arr_minor", "seats", "renews_on", "tier", "stage", "tier_set_by",
             "tier_reason", "tier_until", "next_step", "next_step_on")  # fmt: skip
    rows = {row["pk"]: row for row in Customer.objects.order_by("pk").values("pk", *names)}
    values = list(
        FieldValue.objects.order_by("customer", "field").values_list(
            "customer", "field", "text", "number"
        )
    )
    return rows, values


def posted(world, **form):
    return {"ids": [row.pk for row in world["rows"]], "step": "save", **form}


def undo_of(web, response):
    page = web.get(response["Location"]).content.decode()
    return page[page.index("/undo/") :].split('"')[0]


def test_ticked_fields_are_set_for_all_and_come_back_as_they_were(web, world):
    before = state()
    high = world["choice"].options[0]["key"]
    answer = web.post(
        "/customers/bulk/edit/",
        posted(
            world,
            **{"set.industry": "1", "industry": "教育", "set.seats": "1", "seats": "30",
               "set.renews_on": "1", "renews_on": "", "region": "not ticked",
               "set.custom_n": "1", "custom_n": "", "set.custom_c": "1", "custom_c": high},
        ),
    )  # fmt: skip
    assert answer.status_code == 302
    rows = Customer.objects.all()
    assert {(r.industry, r.seats, r.renews_on, r.region) for r in rows} == {("教育", 30, None, "")}
    held = values_of([r.pk for r in rows], [world["number"], world["choice"]])
    assert set(held) == {r.pk for r in rows}
    assert all(one == {"c": high} for one in held.values())
    web.post(undo_of(web, answer))
    assert state() == before


def test_tier_and_stage_are_set_for_all_and_come_back_with_reason_and_expiry(web, me, world):
    until = day_of(utc_now()) + timedelta(days=30)
    set_tier_manually(actor=me, now=NOW, customer=world["rows"][1], tier=world["tiers"]["key"],
                      reason="earlier", until=until)  # fmt: skip
    before = state()
    steady = Stage.objects.filter(touch_model="high").order_by("position")[2]
    answer = web.post(
        "/customers/bulk/edit/",
        posted(world, **{"set.tier": "1", "tier": world["tiers"]["strategic"].pk,
                         "tier_reason": "together", "set.stage": "1", "stage": steady.key}),
    )  # fmt: skip
    assert answer.status_code == 302
    assert set(Customer.objects.values_list("tier__key", "tier_reason", "stage__key")) == {
        ("strategic", "together", steady.key)
    }
    web.post(undo_of(web, answer))
    assert state() == before


def test_what_cannot_be_read_or_is_not_allowed_changes_nothing(web, world):
    before = state()
    for form, said in [
        ({}, "Tick what shall be changed."),
        ({"set.seats": "1", "seats": "many"}, "A whole number is needed here."),
        ({"set.custom_n": "1", "custom_n": "viel", "set.industry": "1", "industry": "x"}, "Not a number"),
        ({"set.tier": "1", "tier": str(world["tiers"]["key"].pk)}, "This is needed."),
        ({"set.industry": "1", "industry": "x" * 61}, "longer than 60 characters"),
        ({"set.stage": "1", "stage": "no-such", "set.industry": "1", "industry": "x"}, "nothing was changed"),
    ]:  # fmt: skip
        answer = web.post("/customers/bulk/edit/", posted(world, **form))
        assert answer.status_code == 422, form
        assert said in answer.content.decode(), form
        assert state() == before


def test_the_form_tells_what_is_there_now(web, world):
    page = web.post("/customers/bulk/edit/", {"ids": [row.pk for row in world["rows"]]})
    text = page.content.decode()
    assert "Edit 3 customers" in text
    assert "软件 (1)" in text
    assert "not set (2)" in text  # the custom number


def test_bulk_is_refused_whole_for_customers_out_of_reach(world):
    people = People()
    mine = make_customer(owner=people.owner)
    wanted = {mine.pk: {"industry": "x"}, world["rows"][0].pk: {"industry": "x"}}
    with pytest.raises(NotFound):
        bulk.edit_each(actor=people.owner, now=NOW, wanted=wanted)
    with pytest.raises(NotAllowed):
        bulk.edit_each(actor=people.viewer, now=NOW, wanted=wanted)
    with pytest.raises(NotAllowed):
        bulk.set_tier_for_many(
            actor=people.owner, now=NOW, customers=[mine], tier=world["tiers"]["key"], reason="x"
        )
    assert not Customer.objects.filter(industry="x").exists()
    client = Client()
    client.force_login(people.owner)
    answer = client.post(
        "/customers/bulk/edit/", posted(world, **{"set.industry": "1", "industry": "x"})
    )
    assert answer.status_code == 404


def test_names_ids_and_unknown_fields_are_not_for_many(world):
    pk = world["rows"][0].pk
    for name in ("name", "external_id", "owner", "custom_nothing"):
        with pytest.raises(FieldUnknown):
            bulk.edit_each(actor=None, now=NOW, wanted={pk: {name: "x"}})
    with pytest.raises(FieldInvalid):
        bulk.edit_each(actor=None, now=NOW, wanted={pk: {"industry": "x", "custom_n": "viel"}})
    assert Customer.objects.get(pk=pk).industry == "软件"


def test_every_changed_customer_has_its_audit_row(world):
    wanted = {row.pk: {"industry": "软件"} for row in world["rows"]}
    held = bulk.edit_each(actor=None, now=NOW, wanted=wanted)
    assert set(held) == {row.pk for row in world["rows"][1:]}  # one had it already
    told = AuditEntry.objects.filter(action="customer.edit")
    assert {entry.object_id for entry in told} == {str(pk) for pk in held}


def test_many_cost_as_many_queries_as_two(world, django_assert_max_num_queries):
    rows = [make_customer() for _ in range(60)]
    with django_assert_max_num_queries(25):
        bulk.edit_each(
            actor=None,
            now=NOW,
            wanted={row.pk: {"industry": "x", "custom_n": Decimal(1)} for row in rows},
        )


def test_a_tag_is_taken_off_and_put_back_where_it_was(web, world):
    first, second, _ = world["rows"]
    tag(actor=None, now=NOW, customers=[first, second], names=["标杆"])
    ids = [row.pk for row in world["rows"]]
    answer = web.post("/customers/bulk/", {"ids": ids, "verb": "untag", "tag": "标杆"})
    assert not Customer.objects.filter(tags__name="标杆").exists()
    web.post(undo_of(web, answer))
    assert set(Customer.objects.filter(tags__name="标杆")) == {first, second}
