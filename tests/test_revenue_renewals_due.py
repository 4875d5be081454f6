"""Renewals made by the ledger: what comes due, what a signature or a loss makes of it."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer

from gengyun.revenue.actions.contracts import create_contract
from gengyun.revenue.actions.lines import Append, NewLine, append_line, append_lines
from gengyun.revenue.actions.renewals import set_forecast
from gengyun.revenue.models import Product, Renewal, RenewalChange
from gengyun.revenue.queries import renewals as queries

pytestmark = pytest.mark.django_db
START, END = date(2025, 6, 1), date(2026, 5, 31)
WAN = 1_000_000
EARLY = NOW - timedelta(days=250)


@pytest.fixture
def people():
    return People()


@pytest.fixture
def customer(people):
    return make_customer("云启科技", owner=people.owner)


@pytest.fixture
def core(db):
    return Product.objects.create(key="core", name_zh="平台", name_en="Platform", family="core")


def sell(customer, product, *, starts=START, ends=END, amount=12 * WAN, at=EARLY, **more):
    contract = create_contract(
        actor=None, now=at, customer=customer, starts_on=starts, ends_on=ends, signed_on=starts
    )
    line = NewLine(product=product, amount_minor=amount, starts_on=starts, ends_on=ends, **more)
    return append_line(actor=None, now=at, contract=contract, line=line).line


def renew(customer, old, *, amount, starts=None, at=NOW, ends=None):
    starts = starts or old.ends_on + timedelta(days=1)
    ends = ends or date(starts.year + 1, starts.month, starts.day) - timedelta(days=1)
    contract = create_contract(
        actor=None, now=at, customer=customer, starts_on=starts, ends_on=ends,
        signed_on=date(2026, 3, 1),
    )  # fmt: skip
    new = NewLine(product=old.product, amount_minor=amount, starts_on=starts, ends_on=ends)
    one = Append(contract=contract, new=new, previous=old)
    return append_lines(actor=None, now=at, lines=[one])[0].line


def test_a_line_that_ends_makes_a_renewal(customer, core, people):
    line = sell(customer, core)
    found = Renewal.objects.get()
    assert (found.due_on, found.due_minor, found.group) == (END, 12 * WAN, "core")
    assert (found.state, found.category, found.owner, found.product) == (
        "open", "unjudged", people.owner, core
    )  # fmt: skip
    assert found.created_at == EARLY
    assert list(found.renewal_lines.values_list("line_id", "due_minor")) == [(line.pk, 12 * WAN)]


def test_lines_of_a_group_that_end_together_are_one_renewal(customer, core):
    sell(customer, core)
    sell(customer, core, amount=3 * WAN, seats=5)
    found = Renewal.objects.get()
    assert found.due_minor == 15 * WAN
    assert found.renewal_lines.count() == 2


def test_what_people_said_stays_while_the_amount_grows(customer, core, people):
    sell(customer, core)
    renewal = Renewal.objects.get()
    set_forecast(actor=people.owner, now=NOW, renewal_id=renewal.pk, category="commit")
    sell(customer, core, amount=3 * WAN, at=NOW)
    renewal.refresh_from_db()
    assert (renewal.due_minor, renewal.category, renewal.forecast_minor) == (
        15 * WAN, "commit", 12 * WAN
    )  # fmt: skip
    change = RenewalChange.objects.get(field="due_minor")
    assert (change.old, change.new, change.actor) == (12 * WAN, 15 * WAN, None)


def test_a_signed_renewal_is_decided_with_its_new_amount(customer, core):
    old = sell(customer, core)
    new = renew(customer, old, amount=15 * WAN)
    done, coming = Renewal.objects.order_by("due_on")
    assert (done.state, done.category, done.due_minor) == ("renewed", "signed", 12 * WAN)
    assert (done.outcome_minor, done.forecast_minor, done.successor) == (15 * WAN, 15 * WAN, new)
    assert done.decided_on == date(2026, 3, 1)
    assert (coming.state, coming.due_minor, coming.due_on) == ("open", 15 * WAN, new.ends_on)


def test_a_smaller_renewal_is_still_a_renewal(customer, core):
    renew(customer, sell(customer, core), amount=9 * WAN)
    done = Renewal.objects.order_by("due_on").first()
    assert (done.state, done.due_minor, done.outcome_minor) == ("renewed", 12 * WAN, 9 * WAN)


def test_a_line_that_ran_out_is_lost(customer, core):
    sell(customer, core, starts=date(2024, 6, 1), ends=date(2025, 5, 31), at=NOW)
    found = Renewal.objects.get()
    assert (found.state, found.category, found.outcome_minor) == ("lost", "lost", 0)


def test_before_it_was_decided_it_stood_open(customer, core):
    old = sell(customer, core)
    renew(customer, old, amount=15 * WAN)
    day = EARLY.date() + timedelta(days=30)
    then = {row.due_on: row for row in queries.as_of(Renewal.objects.all(), day)}
    assert set(then) == {END}, "the next due date was not known then"
    assert (then[END].state, then[END].category) == ("open", "unjudged")
    assert (then[END].forecast_minor, then[END].outcome_minor) == (None, None)


def test_a_trial_and_a_one_off_never_come_due(customer, core):
    sell(customer, core, is_trial=True)
    sell(customer, core, kind="one_off")
    assert not Renewal.objects.exists()


def test_the_same_ledger_twice_changes_nothing(customer, core):
    from gengyun.revenue.actions.book import Book

    old = sell(customer, core)
    renew(customer, old, amount=15 * WAN)
    before = list(Renewal.objects.order_by("pk").values())
    changes = RenewalChange.objects.count()
    Book(actor=None, now=NOW, customers=[customer]).close()
    assert list(Renewal.objects.order_by("pk").values()) == before
    assert RenewalChange.objects.count() == changes


# --- said lost before the grace days are over ---------------------------------------------------


def lose(people, renewal, **values):
    from gengyun.revenue.actions.renewal_outcomes import lose as do

    values = {"cause": "roi_wrong", "note": "预算砍半"} | values
    return do(actor=people.owner, now=NOW, renewal_id=renewal.pk, **values)


def test_a_loss_ends_the_lines_and_keeps_its_cause(customer, core, people):
    from gengyun.revenue.models import Movement

    sell(customer, core)
    renewal = lose(people, Renewal.objects.get(), involuntary=True)
    assert (renewal.state, renewal.category, renewal.outcome_minor) == ("lost", "lost", 0)
    assert (renewal.cause, renewal.involuntary, renewal.note) == ("roi_wrong", True, "预算砍半")
    churn = Movement.objects.get(kind="churn")
    assert (churn.effective_on, churn.arr_minor) == (END + timedelta(days=1), -12 * WAN)
    assert (churn.due_on, churn.due_minor, churn.cause) == (END, 12 * WAN, "roi_wrong")
    assert RenewalChange.objects.filter(renewal=renewal, actor=people.owner).exists()


def test_a_loss_without_a_cause_is_refused(customer, core, people):
    from gengyun.revenue.actions.renewals import LossNeedsCause
    from gengyun.revenue.models import Movement

    sell(customer, core)
    with pytest.raises(LossNeedsCause):
        lose(people, Renewal.objects.get(), cause="")
    assert not Movement.objects.filter(kind="churn").exists()


def test_a_loss_that_is_taken_back_leaves_both_in_the_ledger(customer, core, people):
    from gengyun.revenue.actions.renewal_outcomes import take_back_loss
    from gengyun.revenue.queries import ledger

    sell(customer, core)
    renewal = Renewal.objects.get()
    set_forecast(actor=people.owner, now=NOW, renewal_id=renewal.pk, category="commit")
    lose(people, renewal)
    take_back_loss(actor=people.owner, now=NOW, renewal_id=renewal.pk, why="谈回来了")
    renewal.refresh_from_db()
    assert (renewal.state, renewal.category, renewal.forecast_minor) == (
        "open", "commit", 12 * WAN
    )  # fmt: skip
    assert renewal.cause == ""
    assert ledger.arr_of(customer.pk, END + timedelta(days=1)) == {"CNY": 12 * WAN}
    with pytest.raises(Exception, match="still open"):
        take_back_loss(actor=people.owner, now=NOW, renewal_id=renewal.pk)


def test_a_renewal_that_was_said_lost_can_still_be_signed(customer, core, people):
    old = sell(customer, core)
    renewal = lose(people, Renewal.objects.get())
    renew(customer, old, amount=11 * WAN, at=NOW + timedelta(days=3))
    renewal.refresh_from_db()
    assert (renewal.state, renewal.outcome_minor, renewal.cause) == ("renewed", 11 * WAN, "")


def test_a_free_extension_moves_the_due_date_and_keeps_what_was_said(customer, core, people):
    from gengyun.revenue.actions import renewing

    line = sell(customer, core)
    renewal = Renewal.objects.get()
    set_forecast(actor=people.owner, now=NOW, renewal_id=renewal.pk, category="commit")
    renewing.extend(actor=None, now=NOW, line=line, days=30, note="上线慢，赔一个月")
    moved = Renewal.objects.get()
    assert (moved.pk, moved.category) == (renewal.pk, "commit")
    assert moved.due_on == END + timedelta(days=30)
    assert RenewalChange.objects.filter(field="due_on", old=END.isoformat()).exists()


def test_a_voided_line_takes_its_renewal_away(customer, core, people):
    from gengyun.revenue.actions.corrections import void_line

    line = sell(customer, core)
    void_line(actor=None, now=NOW, line=line, why="录错客户")
    found = Renewal.objects.get()
    assert found.state == "merged"
    assert not queries.scoped(None, queries.Filters()).exists()
