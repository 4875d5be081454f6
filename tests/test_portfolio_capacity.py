"""What a CSM can carry, and the plan that evens the loads out."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gengyun.portfolio.calc.capacity import Band, Held, loads, rebalance

WAN = 1_000_000  # fen
SALARY = 24 * WAN  # 20 to 30 times: 4.8 to 7.2 million yuan


def held(customer, owner, arr_wan, **more):
    return Held(customer, owner, arr_wan * WAN, **more)


def test_normal_load_is_twenty_to_thirty_times_the_salary():
    assert Band().of(SALARY) == (480 * WAN, 720 * WAN)
    rows = [held(1, 1, 480), held(2, 2, 720), held(3, 3, 479), held(4, 4, 721)]
    found = loads(rows, dict.fromkeys((1, 2, 3, 4), SALARY), Band())
    assert [found[n].state for n in (1, 2, 3, 4)] == ["normal", "normal", "under", "over"]
    assert found[1].ratio == Decimal(20)
    assert found[4].room_minor == -1 * WAN


def test_without_a_salary_there_is_no_ratio_and_no_verdict():
    found = loads([held(1, 1, 500)], {1: None, 2: 0}, Band())
    assert (found[1].ratio, found[1].state, found[1].arr_minor) == (None, "unknown", 500 * WAN)
    assert (found[2].ratio, found[2].state, found[2].customers) == (None, "unknown", 0)


def test_weighted_count_adds_the_weights_of_the_tiers():
    rows = [held(1, 1, 10, weight=Decimal("2.5")), held(2, 1, 10, weight=Decimal("0.2"))]
    assert loads(rows, {1: SALARY}, Band())[1].weighted == Decimal("2.7")


def test_one_move_evens_out_what_one_move_can():
    rows = [held(1, 1, 700), held(2, 1, 100), held(3, 1, 60), held(4, 2, 400)]
    plan = rebalance(rows, {1: SALARY, 2: SALARY}, Band())
    # 140 too much on one side, 80 too little on the other: the customer of 100 helps with 180,
    # then the one of 60 with the remaining 40
    assert [(m.customer, m.source, m.target) for m in plan.moves] == [(2, 1, 2), (3, 1, 2)]
    assert {load.state for load in plan.after.values()} == {"normal"}
    assert (plan.customers, plan.arr_minor) == (2, 160 * WAN)
    assert (plan.outside(after=False), plan.outside(after=True)) == (220 * WAN, 0)


def test_who_is_fixed_stays_and_who_has_no_salary_is_left_alone():
    rows = [held(1, 1, 700), held(2, 1, 100, is_fixed=True), held(3, 2, 400), held(4, 3, 9_000)]
    plan = rebalance(rows, {1: SALARY, 2: SALARY, 3: None}, Band())
    assert plan.moves == ()
    assert plan.after == plan.before


BOOKS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 900), st.booleans()), min_size=1, max_size=30
)


@given(BOOKS, st.lists(st.sampled_from([None, 8, 16, 24]), min_size=4, max_size=4))
def test_a_plan_only_helps(rows, salaries):
    book = [held(n, owner, arr, is_fixed=fixed) for n, (owner, arr, fixed) in enumerate(rows)]
    pay = {n: s and s * WAN for n, s in enumerate(salaries, 1)}
    plan = rebalance(book, pay, Band())
    assert sum(x.arr_minor for x in plan.before.values()) == sum(
        x.arr_minor for x in plan.after.values()
    )
    assert len({m.customer for m in plan.moves}) == plan.customers  # nobody moves twice
    by_customer = {h.customer: h for h in book}
    for move in plan.moves:
        assert not by_customer[move.customer].is_fixed
        assert pay[move.source]
        assert pay[move.target]
    if plan.moves:
        assert plan.outside(after=True) < plan.outside(after=False)
    for owner, before in plan.before.items():
        if before.state == "normal":
            assert plan.after[owner].state == "normal"


@given(BOOKS)
def test_reordering_the_customers_changes_nothing(rows):
    book = [held(n, owner, arr, is_fixed=fixed) for n, (owner, arr, fixed) in enumerate(rows)]
    pay = dict.fromkeys((1, 2, 3, 4), 16 * WAN)
    assert rebalance(book, pay, Band()) == rebalance(book[::-1], pay, Band())
