"""Opportunities: what a form may say, what they are worth, who may what, and that nothing is lost."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from factories import NOW, People, make_customer, make_opportunity, make_product
from hypothesis import given
from hypothesis import strategies as st

from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.revenue.actions import opportunities as actions
from gengyun.revenue.actions.wallet import BudgetBad, record_budget
from gengyun.revenue.actions.winning import Signed, win_with_line
from gengyun.revenue.calc.opportunities import ValueBad, clean, warnings, worth
from gengyun.revenue.calc.white_space import Budget, headroom, newest, share_of
from gengyun.revenue.models import (
    Contract,
    Line,
    Movement,
    Opportunity,
    OpportunityChange,
    OpportunityStage,
)
from gengyun.revenue.queries import opportunities as queries
from gengyun.revenue.queries import white_space
from gengyun.team.models import AuditEntry

TODAY = date(2026, 3, 2)
amounts = st.lists(
    st.tuples(
        st.sampled_from(["CNY", "USD"]),
        st.none() | st.integers(1, 10**12),
        st.sampled_from([0, 1000, 2500, 3333, 5000, 10_000]),
    ),
    max_size=30,
)

# --- pure ----------------------------------------------------------------------------------------


@given(amounts)
def test_worth_adds_up_by_currency_whatever_the_order(rows):
    found = worth(rows)
    assert found == worth(reversed(rows))
    known = [row for row in rows if row[1] is not None]
    assert (found.count, found.unknown) == (len(rows), len(rows) - len(known))
    for currency, total in found.amounts.items():
        mine = [row for row in known if row[0] == currency]
        assert total == sum(minor for _, minor, _ in mine)
        exact = sum(Decimal(minor) * bp for _, minor, bp in mine) / 10_000
        assert abs(found.weighted[currency] - exact) <= Decimal("0.5")
        assert found.weighted[currency] <= total


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [({"name": "  "}, "name", "missing"), ({"name": "x" * 201}, "name", "long"),
     ({"kind": "gift"}, "kind", "choice"), ({"amount_minor": 0}, "amount_minor", "number"),
     ({"amount_minor": -5}, "amount_minor", "number"),
     ({"amount_minor": 1.5}, "amount_minor", "number"),
     ({"amount_minor": True}, "amount_minor", "number"),
     ({"currency": "rmb!"}, "currency", "choice"),
     ({"expected_on": "tomorrow"}, "expected_on", "day")],
)  # fmt: skip
def test_values_that_cannot_be_are_named(values, field, reason):
    with pytest.raises(ValueBad) as told:
        clean(values)
    assert (told.value.field, told.value.reason) == (field, reason)


def test_warnings_say_one_thing_each():
    given_ = {
        "today": TODAY, "expected_on": None, "amount_minor": None, "next_step": "",
        "next_step_on": None, "stage_since": TODAY - timedelta(days=45),
    }  # fmt: skip
    found = warnings(**given_)
    assert (found.no_day, found.no_amount, found.no_step, found.stuck_days) == (
        True,
        True,
        True,
        45,
    )
    fine = given_ | {
        "expected_on": TODAY, "amount_minor": 1, "next_step": "报价", "next_step_on": TODAY,
        "stage_since": TODAY,
    }  # fmt: skip
    assert warnings(**fine) == type(found)()
    late = warnings(**fine | {"expected_on": TODAY - timedelta(days=1)})
    assert late.late


def budget(amount=100, *, year=2026, category="", currency="CNY"):
    return Budget(category, year, amount, currency, "CFO", None)


def test_share_of_wallet_is_honest():
    assert share_of({"CNY": 25}, budget()).value == Decimal("0.25")
    assert share_of({"CNY": 150}, budget()).value == Decimal("1.5")  # named too low: not hidden
    assert share_of({}, budget()).value == 0
    for figure in (
        share_of({"CNY": 25}, None), share_of({"USD": 25}, budget()), share_of({}, budget(0)),
    ):  # fmt: skip
        assert figure.value is None
        assert figure.reason
    assert (headroom({"CNY": 150}, budget()), headroom({}, None)) == (0, None)


def test_the_newest_statement_of_the_newest_year_holds():
    said = [(1, budget(30)), (1, budget(20)), (1, budget(99, year=2025)), (2, budget(7, year=2024))]
    assert {pk: [one.amount_minor for one in rows] for pk, rows in newest(said).items()} == {
        1: [30],
        2: [7],
    }


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [("month", date(2026, 12, 1), date(2027, 1, 1)),
     ("quarter", date(2026, 10, 1), date(2027, 1, 1)),
     ("next_quarter", date(2027, 1, 1), date(2027, 4, 1))],
)  # fmt: skip
def test_periods_end_where_the_next_begins(period, first, last):
    assert queries.bounds(period, date(2026, 12, 31)) == (first, last)


# --- actions -------------------------------------------------------------------------------------


@pytest.fixture
def people():
    return People()


@pytest.fixture
def mine(people):
    return make_opportunity(make_customer(owner=people.owner), "加购", owner=people.owner)


def everything():
    return (
        list(Opportunity.objects.order_by("pk").values()),
        OpportunityChange.objects.count(),
        AuditEntry.objects.count(),
        Line.objects.count(),
        Contract.objects.count(),
        Movement.objects.count(),
    )


@pytest.mark.django_db
def test_every_change_is_kept_with_who_and_why(people, mine):
    proposal = OpportunityStage.objects.get(key="proposal")
    actions.move_opportunity(
        actor=people.owner, now=NOW, opportunity=mine, stage=proposal, why="报价已发"
    )
    actions.edit_opportunity(
        actor=people.leader, now=NOW + timedelta(hours=1), opportunity=mine,
        changes={"amount_minor": 2_000_000, "name": "加购"}, why="多了 20 个席位",
    )  # fmt: skip
    told = [(one.field, one.old, one.new, one.why, one.actor) for one in queries.history(mine)]
    assert told == [
        ("amount_minor", 1_000_000, 2_000_000, "多了 20 个席位", people.leader),
        ("stage", "found", "proposal", "报价已发", people.owner),
        ("stage", None, "found", "", None),
    ]


@pytest.mark.django_db
def test_refusals_leave_everything_as_it_was(people, mine):
    won = OpportunityStage.objects.get(key="won")
    stranger_line = {"actor": people.stranger, "now": NOW, "opportunity": mine}
    before = everything()
    for refusal, do in [
        (NotAllowed, lambda: actions.edit_opportunity(
            actor=people.viewer, now=NOW, opportunity=mine, changes={"name": "x"})),
        (NotFound, lambda: actions.edit_opportunity(changes={"name": "x"}, **stranger_line)),
        (NotFound, lambda: actions.win_opportunity(line=None, **stranger_line)),
        (actions.OpportunityNotOpenStage, lambda: actions.move_opportunity(
            actor=people.owner, now=NOW, opportunity=mine, stage=won)),
        (actions.LossReasonMissing, lambda: actions.lose_opportunity(
            actor=people.owner, now=NOW, opportunity=mine, reason=" ")),
        (actions.OpportunityValueBad, lambda: actions.edit_opportunity(
            actor=people.owner, now=NOW, opportunity=mine, changes={"stage": won})),
        (actions.OpportunityValueBad, lambda: actions.create_opportunity(
            actor=people.owner, now=NOW, customer=mine.customer, values={"name": "x"})),
    ]:  # fmt: skip
        with pytest.raises(refusal):
            do()
        assert everything() == before


@pytest.mark.django_db
def test_a_line_that_the_ledger_refuses_leaves_the_opportunity_open(people, mine):
    from gengyun.revenue.actions.refusals import RuleBroken

    bad = Signed(
        product=make_product(), amount_minor=12_000_000, starts_on=TODAY,
        ends_on=TODAY - timedelta(days=1), number="HT-1",
    )  # fmt: skip
    before = everything()
    with pytest.raises(RuleBroken):
        win_with_line(actor=people.owner, now=NOW, opportunity=mine, signed=bad)
    assert everything() == before


@pytest.mark.django_db
def test_a_closed_one_is_not_worked_on_and_comes_back_where_it_was(people, mine):
    by = {"actor": people.owner, "now": NOW, "opportunity": mine}
    proposal = OpportunityStage.objects.get(key="proposal")
    actions.move_opportunity(stage=proposal, **by)
    actions.lose_opportunity(reason="价格", **by)
    for do in (
        lambda: actions.edit_opportunity(changes={"name": "x"}, **by),
        lambda: actions.move_opportunity(stage=proposal, **by),
        lambda: actions.win_opportunity(line=None, **by),
    ):
        with pytest.raises(actions.OpportunityClosed):
            do()
    again = actions.reopen_opportunity(**by)
    assert (again.stage, again.closed_on, again.loss_reason) == (proposal, None, "")


@pytest.mark.django_db
def test_budgets_are_statements_that_are_added_never_edited(people):
    customer = make_customer(owner=people.owner)
    said = {
        "actor": people.owner, "customer": customer, "category": "", "year": 2026,
        "currency": "CNY", "said_by": "CFO", "said_on": TODAY,
    }  # fmt: skip
    record_budget(now=NOW, amount_minor=100, **said)
    record_budget(now=NOW + timedelta(hours=1), amount_minor=300, **said)
    [row] = white_space.rows_for(people.owner, [customer], today=TODAY)
    assert [one.budget.amount_minor for one in row.wallets] == [300]
    assert len(white_space.budgets_said(people.owner, customer.pk)) == 2
    for wrong in (
        {"amount_minor": -1}, {"year": 1999}, {"said_by": " "}, {"currency": "¥"},
        {"said_on": TODAY + timedelta(days=2)},
    ):  # fmt: skip
        with pytest.raises(BudgetBad):
            record_budget(now=NOW, **{**said, "amount_minor": 1, **wrong})
    with pytest.raises(NotFound):
        record_budget(now=NOW, amount_minor=1, **{**said, "actor": people.stranger})


@pytest.mark.django_db
def test_the_board_costs_the_same_for_one_card_and_for_ten(people, django_assert_num_queries):
    customer = make_customer(owner=people.owner)
    make_opportunity(customer, "一", owner=people.owner)
    counted = []
    for extra in (0, 9):
        for n in range(extra):
            make_opportunity(customer, f"商机 {n}", owner=people.owner)
        with django_assert_num_queries(1 + 3 * 1 + 5 * 2) as seen:
            columns = queries.board(people.owner, queries.Filters(), today=TODAY)
        counted.append((len(columns[0].cards), len(seen)))
    assert [count for count, _ in counted] == [1, 10]
    assert counted[0][1] == counted[1][1]


@pytest.mark.django_db
def test_white_space_counts_what_is_in_force_and_finds_who_lacks_a_product(people):
    suite, reports = make_product(), make_product("报表", key="bi")
    buyer, nobody = make_customer(owner=people.owner), make_customer(owner=people.owner)
    deal = make_opportunity(buyer, "协同", kind="new", owner=people.owner)
    signed = Signed(product=suite, amount_minor=12_000_000, starts_on=TODAY, number="HT-W")
    win_with_line(actor=people.owner, now=NOW, opportunity=deal, signed=signed)
    rows, _ = white_space.page_of(
        people.owner, white_space.Filters(), today=TODAY, sort="arr", first=0, count=10
    )
    assert [row.customer for row in rows] == [buyer, nobody]
    has = {cell.product: cell.has_it for cell in rows[0].cells}
    assert has == {suite: True, reports: False}
    lacking = white_space.Filters(without_product=reports.pk)
    found = white_space.customers(people.owner, lacking, today=TODAY)
    assert list(found) == [buyer]  # who pays for nothing is no white space of one product
    assert not white_space.customers(
        people.owner, white_space.Filters(without_product=suite.pk), today=TODAY
    ).exists()
    yesterday = white_space.arr_by_product([buyer.pk], today=TODAY - timedelta(days=1))
    assert yesterday == {}
