"""Renewals, upgrades, extensions, pauses, ends and corrections in the ledger."""

from datetime import date

import pytest
from factories import NOW, make_customer
from revenue_rows import (
    DAY,
    END,
    START,
    add_line,
    at,
    ledger_of,
    make_contract,
    make_product,
    new_line,
)

from gengyun.revenue.actions import corrections, ending, pausing, renewing
from gengyun.revenue.actions.lines import append_line
from gengyun.revenue.actions.refusals import (
    DayOutsideLine,
    LineAdjusted,
    LineAnswered,
    LineEnded,
    LineNotPaused,
    LinePaused,
    LineTakenOver,
    ReasonNeeded,
    RuleBroken,
)
from gengyun.revenue.models import Contract, Line, Movement
from gengyun.revenue.queries import ledger

pytestmark = pytest.mark.django_db
BY = {"actor": None, "now": NOW}
NEXT, NEXT_END = END + DAY, date(2027, 3, 31)


@pytest.fixture
def line():
    return add_line(make_contract(), seats=10).line


def arr(line, on):
    return ledger.arr_of(line.customer_id, on).get("CNY", 0)


def test_renewal_in_the_same_contract_moves_its_last_day(line):
    [posted] = renewing.renew(**BY, lines=[line], new=[renewing.same_again(line)])
    assert (posted.line.starts_on, posted.line.ends_on) == (NEXT, NEXT_END)
    assert Contract.objects.get().ends_on == NEXT_END
    assert arr(line, NEXT) == arr(line, END) == 1_200_000
    line.customer.refresh_from_db()
    assert line.customer.renews_on == NEXT_END


def test_renewal_before_the_end_is_refused_and_leaves_everything(line):
    new = new_line(starts_on=END, ends_on=NEXT_END)
    with pytest.raises(RuleBroken) as refused:
        renewing.renew(**BY, lines=[line], new=[new])
    assert refused.value.code == "renewal_overlaps"
    assert (Line.objects.count(), Movement.objects.count()) == (1, 1)


def test_line_is_renewed_once(line):
    renewing.renew(**BY, lines=[line], new=[renewing.same_again(line)])
    with pytest.raises(LineAnswered):
        renewing.renew(
            **BY, lines=[line], new=[new_line(make_product("x"), starts_on=NEXT, ends_on=NEXT_END)]
        )


def test_two_lines_into_one_and_one_into_two(line):
    other = add_line(line.contract, amount=600_000, starts_on=date(2025, 6, 1)).line
    whole = new_line(amount=2_000_000, seats=18, starts_on=NEXT, ends_on=NEXT_END)
    [posted] = renewing.renew(**BY, lines=[line, other], new=[whole])
    kinds = [row.kind for row in posted.movements]
    assert kinds == ["renew", "renew", "transfer", "upsell"]
    # ten months of 6,000 are 7,200 a year
    assert arr(line, END) == 1_200_000 + 720_000
    assert arr(line, NEXT) == 2_000_000
    halves = [
        new_line(amount=1_000_000, starts_on=date(2027, 4, 1), ends_on=date(2028, 3, 31), seats=n)
        for n in (9, 12)
    ]
    posts = renewing.renew(**BY, lines=[posted.line], new=halves)
    assert ledger.arr_of_lines(date(2027, 4, 1)) == {p.line.pk: 1_000_000 for p in posts}


def test_what_is_not_renewed_is_lost_with_its_due_amount(line):
    bi = make_product("bi")
    other = add_line(line.contract, product=bi, amount=600_000).line
    [posted] = renewing.renew(
        **BY, lines=[line, other], new=[renewing.same_again(line)], cause="roi_wrong"
    )
    lost = Movement.objects.get(line=other, arr_minor__lt=0)
    # the customer stays: the loss of a product is a downsell of the customer
    assert (lost.kind, lost.due_minor, lost.cause) == ("downsell", 600_000, "roi_wrong")
    assert lost.effective_on == NEXT
    assert arr(line, NEXT) == posted.line.arr_minor == 1_200_000


def test_upgrade_is_co_termed_at_the_yearly_price(line):
    on = date(2025, 12, 11)
    new = renewing.coterm(line, on=on, yearly_minor=1_800_000, seats=15)
    posted = renewing.upgrade(**BY, line=line, new=new)
    assert posted.line.ends_on == END
    assert posted.line.amount_minor == round(1_800_000 * 111 / 365)
    assert (posted.line.arr_minor, posted.line.rule) == (1_800_000, "by_yearly_price")
    assert [row.kind for row in posted.movements] == ["transfer", "transfer", "upsell"]
    assert {row.due_on for row in posted.movements} == {None}
    assert arr(line, on - DAY) == 1_200_000
    assert arr(line, on) == 1_800_000
    assert [due.due_minor for due in ledger.unanswered_lines(until=END)] == [1_800_000]


def test_add_on_for_five_months_counts_a_year_and_comes_due_with_the_rest():
    contract = make_contract(starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    now = at(date(2025, 8, 1))
    add_line(
        contract, now=now, amount=12_000_000, starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31)
    )
    posted = add_line(
        contract, now=now, product=make_product("module"), amount=1_000_000,
        starts_on=date(2025, 8, 1), ends_on=date(2025, 12, 31),
    )  # fmt: skip
    assert posted.line.arr_minor == 2_400_000
    due = ledger.unanswered_lines(until=date(2025, 12, 31))
    assert sum(row.due_minor for row in due) == 14_400_000


def test_free_extension_moves_the_end_and_keeps_the_arr():
    contract = make_contract(starts_on=date(2025, 3, 1), ends_on=date(2026, 2, 28))
    line = add_line(
        contract, amount=2_400_000, starts_on=date(2025, 3, 1), ends_on=date(2026, 2, 28)
    ).line
    more = renewing.extend(**BY, line=line, months=2, note="故障补偿")
    assert (more.ends_on, more.arr_minor, more.rule) == (date(2026, 4, 30), 2_400_000, "carried_on")
    assert arr(line, date(2026, 4, 30)) == 2_400_000
    assert not Movement.objects.filter(kind="renew").exists()
    [due] = ledger.unanswered_lines(until=date(2026, 12, 31))
    assert (due.due_on, due.due_minor) == (date(2026, 4, 30), 2_400_000)


def test_pause_takes_out_and_resume_brings_back(line):
    pausing.pause(**BY, line=line, on=date(2025, 9, 1))
    assert arr(line, date(2025, 9, 1)) == 0
    with pytest.raises(LinePaused):
        pausing.pause(**BY, line=line, on=date(2025, 10, 1))
    with pytest.raises(DayOutsideLine):
        pausing.resume(**BY, line=line, on=date(2025, 8, 1))
    pausing.resume(**BY, line=line, on=date(2025, 11, 1))
    assert arr(line, date(2025, 11, 1)) == 1_200_000
    with pytest.raises(LineNotPaused):
        pausing.resume(**BY, line=line, on=date(2025, 12, 1))


def test_paused_line_that_is_renewed_comes_back_with_the_renewal(line):
    pausing.pause(**BY, line=line, on=date(2026, 2, 1))
    renewing.renew(**BY, lines=[line], new=[renewing.same_again(line)])
    assert arr(line, END) == 0
    assert arr(line, NEXT) == 1_200_000
    assert Movement.objects.get(kind="renew").due_minor == 1_200_000


def test_end_at_the_last_day_answers_what_was_due(line):
    [lost] = ending.terminate(**BY, lines=[line], cause="roi_wrong")
    assert (lost.kind, lost.effective_on, lost.arr_minor) == ("churn", NEXT, -1_200_000)
    assert (lost.due_on, lost.due_minor) == (END, 1_200_000)
    assert Contract.objects.get().ended_on == END
    assert ledger.unanswered_lines(until=NEXT_END) == []
    with pytest.raises(LineAnswered):
        ending.terminate(**BY, lines=[line])


def test_end_before_the_last_day_is_no_renewal_lost(line):
    [lost] = ending.terminate(**BY, lines=[line], last_day=date(2026, 1, 31), involuntary=True)
    assert (lost.effective_on, lost.due_on, lost.involuntary) == (date(2026, 2, 1), None, True)
    with pytest.raises(LineAnswered):
        ending.terminate(**BY, lines=[line], last_day=date(2026, 1, 31))


def test_both_lines_ending_together_are_churn(line):
    other = add_line(line.contract, product=make_product("bi")).line
    rows = ending.terminate(**BY, lines=[line, other])
    assert [row.kind for row in rows] == ["churn", "churn"]


def test_loss_that_is_renewed_after_all_is_taken_back(line):
    ending.terminate(**BY, lines=[line])
    renewing.renew(
        actor=None, now=at(date(2026, 4, 10)), lines=[line], new=[renewing.same_again(line)]
    )
    assert ledger_of(line.customer)[1:] == [
        ("churn", "2026-04-01", -1_200_000),
        ("correction", "2026-04-01", 1_200_000),
        ("transfer", "2026-04-01", -1_200_000),
        ("renew", "2026-04-01", 0),
        ("transfer", "2026-04-01", 1_200_000),
    ]
    assert Contract.objects.get().ended_on is None
    # before that it was known as lost, and still is for who asks as of then
    known = at(date(2026, 4, 5))
    assert ledger.arr_of(line.customer_id, date(2026, 4, 5), known_by=known) == {}
    assert arr(line, date(2026, 4, 5)) == 1_200_000


def test_open_ended_line_runs_on_for_the_notice():
    contract = make_contract(kind="open", ends_on=None, notice_days=30, billing_interval_months=1)
    line = add_line(contract, amount=100_000, ends_on=None).line
    assert line.arr_minor == 1_200_000
    [lost] = ending.terminate(**BY, lines=[line], cancelled_on=date(2026, 3, 2))
    assert (lost.effective_on, lost.due_on) == (date(2026, 4, 2), None)


def test_correction_is_known_from_now_on_and_changes_nothing_before(line):
    before = at(date(2026, 3, 1))
    Movement.objects.update(known_at=at(date(2025, 4, 1)))
    right = new_line(amount=1_000_000, seats=10)
    with pytest.raises(ReasonNeeded):
        corrections.correct_line(**BY, line=line, new=right, why=" ")
    posted = corrections.correct_line(**BY, line=line, new=right, why="抄错金额")
    assert posted.line.corrects_id == line.pk
    assert ledger_of(line.customer)[1:] == [
        ("correction", "2025-04-01", -1_200_000),
        ("correction", "2025-04-01", 1_000_000),
    ]
    for day in (START, date(2025, 8, 1), END):
        then = ledger.arr_of(line.customer_id, day, known_by=before)
        assert then == {"CNY": 1_200_000}
        assert ledger.arr_of(line.customer_id, day) == {"CNY": 1_000_000}
    line.customer.refresh_from_db()
    assert line.customer.arr_minor == 1_000_000


def test_line_with_a_successor_is_corrected_only_after_it(line):
    renewing.renew(**BY, lines=[line], new=[renewing.same_again(line)])
    with pytest.raises(LineTakenOver) as refused:
        corrections.correct_line(**BY, line=line, new=new_line(amount=1), why="x")
    said = refused.value.params
    assert said == {"day": NEXT.isoformat(), "number": line.contract.number}
    # what the refusal says to do, done
    corrections.void_line(**BY, line=Line.objects.latest("pk"), why="x")
    corrections.correct_line(**BY, line=line, new=new_line(amount=1_000_000), why="x")
    assert arr(line, END) == 1_000_000


def test_corrected_line_is_corrected_again(line):
    once = corrections.correct_line(**BY, line=line, new=new_line(amount=1_000_000), why="x").line
    twice = corrections.correct_line(**BY, line=once, new=new_line(amount=900_000), why="y").line
    assert twice.corrects_id == once.pk
    assert arr(line, END) == 900_000


def test_ended_line_says_what_to_take_back(line):
    ending.terminate(**BY, lines=[line], cause="roi_wrong")
    with pytest.raises(LineEnded) as refused:
        corrections.correct_line(**BY, line=line, new=new_line(amount=1), why="x")
    assert refused.value.params == {"day": END.isoformat()}


def test_adjusted_and_paused_lines_say_so(line):
    corrections.adjust(**BY, line=line, arr_delta_minor=-5, effective_on=date(2026, 1, 1), why="x")
    with pytest.raises(LineAdjusted):
        corrections.correct_line(**BY, line=line, new=new_line(amount=1), why="x")


def test_renewal_that_should_not_have_been_written_opens_the_line_again(line):
    [posted] = renewing.renew(**BY, lines=[line], new=[renewing.same_again(line)])
    corrections.void_line(**BY, line=posted.line, why="签错了")
    assert [due.line_id for due in ledger.unanswered_lines(until=END)] == [line.pk]
    assert arr(line, NEXT) == 1_200_000  # until the grace days are over
    again = renewing.renew(**BY, lines=[line], new=[renewing.same_again(line)])
    assert sum(Movement.objects.filter(due_on=END).values_list("due_minor", flat=True)) == 1_200_000
    assert ledger.arr_of_lines(NEXT) == {again[0].line.pk: 1_200_000}


def test_refund_is_a_payment_below_zero_and_changes_no_arr(line):
    payment, [row] = corrections.refund(
        **BY, line=line, amount_minor=100_000, received_on=date(2026, 1, 5), why="停机赔付"
    )
    assert payment.amount_minor == -100_000
    assert (row.kind, row.arr_minor) == ("correction", 0)
    assert arr(line, NEXT - DAY) == 1_200_000


def test_bought_out_licence_with_maintenance():
    contract = make_contract(kind="perpetual", ends_on=None)
    posted = append_line(
        **BY, contract=contract,
        line=new_line(amount=30_000_000, ends_on=None, kind="licence", seats=50),
    )  # fmt: skip
    assert (posted.line.arr_minor, posted.line.rule, posted.movements) == (0, "licence_zero", [])
    care = append_line(
        **BY, contract=contract,
        line=new_line(
            make_product("care"), amount=3_000_000, kind="maintenance",
            maintenance_base_minor=30_000_000,
        ),
    )  # fmt: skip
    assert care.line.arr_minor == 3_000_000
    assert [flag.rule for flag in care.flags] == ["maintenance_unusual"]
    contract.customer.refresh_from_db()
    assert (contract.customer.arr_minor, contract.customer.seats) == (3_000_000, 50)


def test_trial_and_one_off_lines_have_no_arr_and_the_first_paid_line_is_new():
    customer = make_customer()
    contract = make_contract(customer)
    add_line(contract, amount=0, is_trial=True, ends_on=date(2025, 4, 30))
    add_line(contract, product=make_product("setup"), amount=800_000, kind="one_off", ends_on=None)
    assert ledger_of(customer) == []
    add_line(contract, starts_on=date(2025, 5, 1))
    assert [kind for kind, _, _ in ledger_of(customer)] == ["new"]


def test_renewal_in_another_currency_carries_over_at_the_rate_of_the_day(line):
    from decimal import Decimal

    from gengyun.revenue.actions.rates import set_rate
    from gengyun.revenue.actions.refusals import RateMissing

    dollars = make_contract(line.customer, currency="USD", starts_on=NEXT, ends_on=NEXT_END)
    new = new_line(amount=200_000, starts_on=NEXT, ends_on=NEXT_END)
    with pytest.raises(RateMissing):
        renewing.renew(**BY, lines=[line], contract=dollars, new=[new])
    set_rate(**BY, currency="USD", base="CNY", on=START, rate=Decimal("7.5"))
    renewing.renew(**BY, lines=[line], contract=dollars, new=[new])
    assert ledger.arr_of(line.customer_id, NEXT) == {"USD": 200_000}
    up = Movement.objects.get(kind="upsell")
    assert (up.currency, up.arr_minor) == ("USD", 200_000 - 160_000)


def test_renewed_line_is_corrected_without_losing_what_it_answers(line):
    [posted] = renewing.renew(**BY, lines=[line], new=[renewing.same_again(line)])
    right = new_line(amount=1_500_000, starts_on=NEXT, ends_on=NEXT_END, seats=10)
    fixed = corrections.correct_line(**BY, line=posted.line, new=right, why="抄错金额")
    assert ledger.arr_of_lines(NEXT) == {fixed.line.pk: 1_500_000}
    assert sum(
        Movement.objects.filter(due_on=END, due_minor__isnull=False).values_list(
            "due_minor", flat=True
        )
    ) == 1_200_000  # fmt: skip
    [due] = ledger.unanswered_lines(until=NEXT_END)
    assert due.line_id == fixed.line.pk
