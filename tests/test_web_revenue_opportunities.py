"""Opportunities on the screen: board, list, panel, white space, budgets, and who may what."""

from datetime import date, timedelta

import pytest
from django.test import Client
from factories import NOW, People, make_customer, make_opportunity, make_product

from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.revenue.actions.contracts import create_contract
from gengyun.revenue.actions.lines import NewLine, append_line
from gengyun.revenue.actions.opportunities import lose_opportunity, win_opportunity
from gengyun.revenue.models import (
    Line,
    Movement,
    Opportunity,
    OpportunityStage,
    WalletBudget,
)

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def people():
    return People()


@pytest.fixture
def mine(people):
    customer = make_customer("北京星辰科技", owner=people.owner, arr_minor=12_000_000)
    refresh_summaries(now=NOW)
    return make_opportunity(customer, "加购报表", amount_minor=4_860_000_00, owner=people.owner)


def log_in(user):
    client = Client()
    client.force_login(user)
    return client


def stage(key):
    return OpportunityStage.objects.get(key=key)


def text(answer):
    return answer.content.decode()


def test_the_board_has_a_column_per_stage_with_its_sum(people, mine):
    make_opportunity(mine.customer, "加购席位", amount_minor=1_400_000, owner=people.owner)
    make_opportunity(mine.customer, "不知道多少", amount_minor=None, owner=people.owner)
    page = text(log_in(people.owner).get("/opportunities/"))
    assert page.count('class="gy-stage') == OpportunityStage.objects.count()
    assert "加购报表" in page
    assert "加购席位" in page
    assert "487.4 万" in page  # 486 + 1.4: the one without an amount is in no sum
    assert "1 个没有金额" in page


def test_an_empty_board_says_what_to_do(people):
    page = text(log_in(people.viewer).get("/opportunities/"))
    assert "没有进行中的商机" in page
    assert "/opportunities/white-space/" in page


def test_the_list_filters_and_sorts(people, mine):
    other = make_opportunity(mine.customer, "迁移服务", kind="service", amount_minor=900_000)
    client = log_in(people.operations)
    page = text(client.get("/opportunities/?view=list&kind=service&scope=team"))
    assert "迁移服务" in page
    assert "加购报表" not in page
    page = text(client.get("/opportunities/?view=list&sort=amount&scope=team"))
    assert page.index("加购报表") < page.index("迁移服务")
    page = text(client.get("/opportunities/?view=list&q=迁移&scope=team"))
    assert "加购报表" not in page
    lose_opportunity(actor=None, now=NOW, opportunity=other, reason="价格")
    assert "迁移服务" not in text(client.get("/opportunities/?view=list&scope=team"))
    assert "迁移服务" in text(client.get("/opportunities/?view=list&state=lost&scope=team"))


def test_a_card_moves_and_the_move_can_be_taken_back(people, mine):
    client = log_in(people.owner)
    first = mine.stage
    wanted = {"stage": stage("proposal").pk, "from": "board"}
    answer = client.post(f"/opportunities/{mine.pk}/move/", wanted, **HTMX)
    assert answer.status_code == 200
    assert answer["HX-Trigger"] == "opportunities-changed"
    mine.refresh_from_db()
    assert mine.stage == stage("proposal")
    undo = text(answer).split('hx-post="/undo/')[1].split('"')[0]
    client.post(f"/undo/{undo}")
    mine.refresh_from_db()
    assert mine.stage == first


def test_without_script_a_move_returns_to_the_board(people, mine):
    wanted = {"stage": stage("qualified").pk, "back": "/opportunities/"}
    answer = log_in(people.owner).post(f"/opportunities/{mine.pk}/move/", wanted)
    assert (answer.status_code, answer["Location"]) == (302, "/opportunities/")


def test_winning_or_losing_is_no_plain_move(people, mine):
    for key in ("won", "lost"):
        answer = log_in(people.owner).post(
            f"/opportunities/{mine.pk}/move/", {"stage": stage(key).pk}, **HTMX
        )
        assert answer.status_code == 422
    mine.refresh_from_db()
    assert not mine.stage.is_won
    assert not mine.stage.is_lost


def test_losing_asks_why(people, mine):
    client = log_in(people.owner)
    answer = client.post(f"/opportunities/{mine.pk}/lose/", {"reason": " "}, **HTMX)
    assert answer.status_code == 422
    assert "说明" in text(answer)
    answer = client.post(f"/opportunities/{mine.pk}/lose/", {"reason": "今年没有预算"}, **HTMX)
    assert answer.status_code == 200
    assert "今年没有预算" in text(answer)
    mine.refresh_from_db()
    assert (mine.stage.key, mine.loss_reason) == ("lost", "今年没有预算")


def test_won_with_the_contract_to_follow_is_marked_until_it_is_there(people, mine):
    client = log_in(people.owner)
    answer = client.post(f"/opportunities/{mine.pk}/win/", {"how": "later"}, **HTMX)
    assert "合同未录入" in text(answer)
    mine.refresh_from_db()
    assert mine.stage.is_won
    assert mine.won_line is None
    client.post(f"/opportunities/{mine.pk}/reopen/", **HTMX)
    mine.refresh_from_db()
    assert mine.stage.key == "found"


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(people, mine):
    client = log_in(people.owner)
    form = {"name": "加购报表", "kind": "upsell", "amount": "很多", "expected_on": "下个月"}
    answer = client.post(f"/opportunities/{mine.pk}/edit/", form, **HTMX)
    assert answer.status_code == 422
    assert "很多" in text(answer)
    form |= {"amount": "52万", "expected_on": "2026-06-30", "why": "客户加了一个部门"}
    answer = client.post(f"/opportunities/{mine.pk}/edit/", form, **HTMX)
    assert answer.status_code == 200
    mine.refresh_from_db()
    assert (mine.amount_minor, mine.expected_on) == (52_000_000, date(2026, 6, 30))
    assert "客户加了一个部门" in text(answer)  # in the history


def test_a_new_one_begins_with_the_customer(people, mine):
    client = log_in(people.owner)
    assert "北京星辰科技" in text(client.get("/opportunities/new/?q=星辰"))
    product = make_product("报表", key="bi")
    page = text(
        client.get(
            f"/opportunities/new/?customer={mine.customer_id}&product={product.pk}&kind=cross_sell"
        )
    )
    assert "selected>报表" in page
    form = {
        "customer": mine.customer_id, "name": "报表模块", "kind": "cross_sell",
        "product": product.pk, "amount": "12万", "expected_on": "2026-05-31",
    }  # fmt: skip
    assert client.post("/opportunities/new/", form).status_code == 302
    made = Opportunity.objects.get(name="报表模块")
    assert (made.amount_minor, made.owner, made.stage.key) == (12_000_000, people.owner, "found")
    form |= {"amount": "0", "name": "不值钱"}
    assert client.post("/opportunities/new/", form).status_code == 422
    assert not Opportunity.objects.filter(name="不值钱").exists()


def test_who_sees_the_customer_sees_the_opportunity_and_nobody_else(people, mine):
    paths = [f"/opportunities/{mine.pk}/", f"/customers/{mine.customer_id}/opportunities/"]
    for user in (people.owner, people.leader, people.operations, people.viewer, people.admin):
        client = log_in(user)
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 200
            assert "加购报表" in text(answer)
        assert "加购报表" in text(client.get("/opportunities/?scope=team"))
    for user in (people.colleague, people.stranger):
        client = log_in(user)
        for path in paths:
            assert client.get(path).status_code == 404
        assert "加购报表" not in text(client.get("/opportunities/?scope=team"))
        assert "星辰" not in text(client.get("/opportunities/white-space/?scope=team"))
        for verb in ("edit", "move", "lose", "win", "reopen", "link"):
            answer = client.post(f"/opportunities/{mine.pk}/{verb}/", {"name": "x"})
            assert answer.status_code == 404, verb
        answer = client.post("/opportunities/new/", {"customer": mine.customer_id, "name": "x"})
        assert answer.status_code == 404


def test_a_viewer_changes_nothing(people, mine):
    client = log_in(people.viewer)
    for verb in ("edit", "move", "lose", "win", "reopen", "link"):
        assert client.post(f"/opportunities/{mine.pk}/{verb}/").status_code == 403
    assert client.get("/opportunities/new/").status_code == 403
    page = text(client.get(f"/opportunities/{mine.pk}/"))
    assert "do-win" not in page


def test_white_space_shows_what_is_missing(people, mine):
    make_product("报表", key="bi")
    page = text(log_in(people.owner).get("/opportunities/white-space/"))
    assert "北京星辰科技" in page
    assert f"customer={mine.customer_id}&amp;product=" in page
    assert "预算未知" in page


def test_a_budget_carries_who_said_so(people, mine):
    client = log_in(people.owner)
    path = f"/customers/{mine.customer_id}/budgets/"
    answer = client.post(path, {"amount": "120万", "year": "2026", "said_by": ""}, **HTMX)
    assert answer.status_code == 422
    assert not WalletBudget.objects.exists()
    form = {"amount": "120万", "year": "2026", "said_by": "财务总监 陈静", "currency": "CNY"}
    answer = client.post(path, form | {"said_on": "2026-02-20"}, **HTMX)
    assert answer.status_code == 200
    assert "财务总监 陈静" in text(answer)
    row = WalletBudget.objects.get()
    assert (row.amount_minor, row.author, row.known_at.date()) == (
        120_000_000,
        people.owner,
        row.known_at.date(),
    )
    late = (date(2026, 3, 2) + timedelta(days=40_000)).isoformat()
    assert client.post(path, form | {"said_on": late}, **HTMX).status_code == 422


def test_won_ones_are_exported_with_the_rest(people, mine):
    win_opportunity(actor=None, now=NOW, opportunity=mine, line=None)
    client = log_in(people.owner)
    asked = {"listing": "opportunities", "form": "csv", "view": "list", "state": "won"}
    answer = client.post("/exports/", asked, follow=True)
    body = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "加购报表" in body
    assert "4860000.00,CNY" in body


def test_what_was_signed_becomes_a_line_and_a_movement(people, mine):
    product = make_product("报表", key="bi")
    client = log_in(people.owner)
    form = {
        "how": "sign", "contract": "", "number": "HT-X-1", "product": product.pk,
        "signed_amount": "12万", "seats": "20", "starts_on": "2026-03-01",
        "ends_on": "2026-12-31", "signed_on": "2026-03-02",
    }  # fmt: skip
    bad = client.post(f"/opportunities/{mine.pk}/win/", form | {"ends_on": "2026-02-01"}, **HTMX)
    assert bad.status_code == 422
    assert not Line.objects.exists()
    answer = client.post(f"/opportunities/{mine.pk}/win/", form, **HTMX)
    assert answer.status_code == 200, text(answer)
    mine.refresh_from_db()
    line = mine.won_line
    assert mine.stage.is_won
    # ten months of a year's 120,000: 100,000 to pay, ARR counts the year
    assert (line.amount_minor, line.arr_minor, line.seats) == (10_000_000, 12_000_000, 20)
    assert line.contract.number == "HT-X-1"
    moved = Movement.objects.get(line=line)
    assert (moved.kind, moved.arr_minor) == ("new", 12_000_000)
    assert "HT-X-1" in text(client.get(f"/opportunities/{mine.pk}/"))
    # a line that came of it keeps it won
    assert client.post(f"/opportunities/{mine.pk}/reopen/", **HTMX).status_code == 409


def test_the_form_of_winning_says_what_arr_becomes_and_writes_nothing(people, mine):
    product = make_product("报表", key="bi")
    client = log_in(people.owner)
    path = f"/opportunities/{mine.pk}/preview/"
    form = {
        "how": "sign", "contract": "", "product": product.pk, "signed_amount": "12.72万",
        "tax": "6", "starts_on": "2026-01-01", "ends_on": "2026-12-31",
    }  # fmt: skip
    shown = client.post(path, form, **HTMX)
    assert shown.status_code == 200
    assert "+120,000" in text(shown)
    for typed, said in (
        ({"how": "later"}, "合同录入之前"),
        (form | {"signed_amount": "x"}, "能读出"),
        (form | {"ends_on": "2025-01-01"}, "2025-01-01"),  # the ledger's own refusal
    ):
        answer = client.post(path, typed, **HTMX)
        assert answer.status_code == 200
        assert said in text(answer)
        assert "+120,000" not in text(answer)
    assert not Line.objects.exists()
    mine.refresh_from_db()
    assert not mine.stage.is_won
    assert log_in(people.viewer).post(path, form).status_code == 403
    assert log_in(people.stranger).post(path, form).status_code == 404


def test_a_second_product_in_the_same_contract_is_a_cross_sell(people, mine):
    first, second = make_product("协同", key="suite"), make_product("报表", key="bi")
    client = log_in(people.owner)
    form = {
        "how": "sign", "product": first.pk, "signed_amount": "12万",
        "starts_on": "2026-01-01", "ends_on": "2026-12-31",
    }  # fmt: skip
    assert client.post(f"/opportunities/{mine.pk}/win/", form, **HTMX).status_code == 200
    contract = Line.objects.get().contract
    more = make_opportunity(mine.customer, "报表", kind="cross_sell", owner=people.owner)
    form = {
        "how": "sign", "product": second.pk, "signed_amount": "6万", "contract": contract.pk,
        "starts_on": "2026-07-01",
    }  # fmt: skip
    assert client.post(f"/opportunities/{more.pk}/win/", form, **HTMX).status_code == 200
    more.refresh_from_db()
    # co-termed: half a year costs half, ARR counts the year
    assert more.won_line.ends_on == date(2026, 12, 31)
    assert (more.won_line.amount_minor, more.won_line.arr_minor) == (3_000_000, 6_000_000)
    assert Movement.objects.get(line=more.won_line).kind == "cross_sell"
    page = text(client.get("/opportunities/white-space/"))
    assert "报表" in page


def test_a_service_brings_money_and_no_arr(people, mine):
    product = make_product("实施", key="setup")
    service = make_opportunity(mine.customer, "实施服务", kind="service", owner=people.owner)
    form = {
        "how": "sign", "product": product.pk, "signed_amount": "8万",
        "starts_on": "2026-03-01", "ends_on": "2026-05-31",
    }  # fmt: skip
    answer = log_in(people.owner).post(f"/opportunities/{service.pk}/win/", form, **HTMX)
    assert answer.status_code == 200
    service.refresh_from_db()
    line = service.won_line
    assert (line.kind, line.amount_minor, line.arr_minor) == ("one_off", 8_000_000, 0)


def test_a_won_one_is_linked_to_the_line_that_came_later(people, mine):
    product = make_product("协同", key="suite")
    client = log_in(people.owner)
    client.post(f"/opportunities/{mine.pk}/win/", {"how": "later"}, **HTMX)
    contract = create_contract(
        actor=None, now=NOW, customer=mine.customer, starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31), number="HT-LATE",
    )  # fmt: skip
    terms = NewLine(
        product=product, amount_minor=5_000_000, starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
    )  # fmt: skip
    line = append_line(actor=None, now=NOW, contract=contract, line=terms).line
    assert "HT-LATE" in text(client.get(f"/opportunities/{mine.pk}/"))
    answer = client.post(f"/opportunities/{mine.pk}/link/", {"line": line.pk}, **HTMX)
    assert answer.status_code == 200
    mine.refresh_from_db()
    assert mine.won_line == line
    other = make_opportunity(make_customer(owner=people.owner), "别家", owner=people.owner)
    client.post(f"/opportunities/{other.pk}/win/", {"how": "link", "line": line.pk}, **HTMX)
    other.refresh_from_db()
    assert not other.stage.is_won  # a line of another customer cannot be its own
