"""What a new day does to the ledger, what merges move, which fields contracts govern."""

from datetime import date, timedelta

import pytest
from factories import NOW, make_customer, make_user
from revenue_rows import (
    DAY,
    END,
    add_line,
    at,
    ledger_of,
    make_contract,
    make_product,
    new_line,
)

from gengyun.customers.actions.customers import edit_customer
from gengyun.customers.actions.governed import FieldGoverned
from gengyun.customers.actions.merging import merge_customers, preview_merge, undo_merge
from gengyun.revenue.actions import pausing, renewing
from gengyun.revenue.actions.day import settle_day
from gengyun.revenue.actions.ending import terminate
from gengyun.revenue.models import Contract, Line, Movement
from gengyun.revenue.queries import ledger

pytestmark = pytest.mark.django_db


def run(day):
    return settle_day(as_of=day, now=at(day), report=lambda done, total: None)


def counts():
    return (Line.objects.count(), Movement.objects.count())


def test_line_ends_on_the_day_after_the_grace_days_and_only_once():
    line = add_line(make_contract()).line
    run(date(2026, 4, 30))
    assert ledger_of(line.customer) == [("new", "2025-04-01", 1_200_000)]
    run(date(2026, 5, 1))
    assert ledger_of(line.customer)[1:] == [("churn", "2026-04-01", -1_200_000)]
    line.customer.refresh_from_db()
    assert line.customer.arr_minor == 0
    before = counts()
    run(date(2026, 5, 1))
    run(date(2026, 5, 2))
    assert counts() == before


def test_contract_renews_itself_unless_notice_was_given():
    stays = add_line(make_contract(auto_renew=True, notice_days=30)).line
    leaves = add_line(make_contract(auto_renew=True, notice_days=30)).line
    terminate(actor=None, now=NOW, lines=[leaves], cause="roi_wrong")
    run(END + DAY)
    assert ledger.arr_on(END + DAY) == {stays.customer_id: {"CNY": 1_200_000}}
    assert [kind for kind, _, _ in ledger_of(stays.customer)] == [
        "new",
        "transfer",
        "renew",
        "transfer",
    ]
    assert Contract.objects.get(pk=stays.contract_id).ends_on == date(2027, 3, 31)
    before = counts()
    run(END + DAY)
    assert counts() == before


def test_contract_that_renews_itself_makes_up_the_terms_nobody_wrote():
    contract = make_contract(
        auto_renew=True, starts_on=date(2025, 10, 1), ends_on=date(2025, 10, 31)
    )
    line = add_line(
        contract, amount=100_000, starts_on=date(2025, 10, 1), ends_on=date(2025, 10, 31)
    ).line
    run(date(2026, 3, 2))
    ends = list(Line.objects.order_by("ends_on").values_list("ends_on", flat=True))
    assert ends[1] == date(2025, 11, 30)
    assert ends[-1] >= date(2026, 3, 2)
    assert len(ends) == 6
    assert ledger.arr_of(line.customer_id, date(2026, 3, 2)) == {"CNY": 1_200_000}


def test_movement_of_a_later_day_reaches_the_customer_on_its_day():
    line = add_line(make_contract()).line
    pausing.pause(actor=None, now=NOW, line=line, on=date(2026, 3, 10), until=date(2026, 3, 20))
    line.customer.refresh_from_db()
    assert line.customer.arr_minor == 1_200_000
    run(date(2026, 3, 10))
    line.customer.refresh_from_db()
    assert line.customer.arr_minor == 0
    run(date(2026, 3, 20))
    line.customer.refresh_from_db()
    assert line.customer.arr_minor == 1_200_000


def test_what_contracts_govern_is_not_written_by_hand():
    governed, free = add_line(make_contract()).line.customer, make_customer()
    governed.refresh_from_db()
    by = {"actor": None, "now": NOW}
    with pytest.raises(FieldGoverned):
        edit_customer(**by, customer=governed, changes={"arr_minor": 5})
    same = {"arr_minor": 1_200_000, "name": "新名字"}
    assert edit_customer(**by, customer=governed, changes=same).name == "新名字"
    assert edit_customer(**by, customer=free, changes={"arr_minor": 5}).arr_minor == 5


def test_merge_moves_contracts_and_renewals_and_comes_apart_again():
    leader = make_user("admin")
    one = add_line(make_contract()).line
    two = add_line(make_contract(), amount=600_000).line
    both = {"actor": leader, "kept": one.customer, "gone": two.customer}
    # what contracts write is not offered, and refused where it is asked for
    shown = {found.name: found.is_governed for found in preview_merge(**both).fields}
    assert {name for name, ruled in shown.items() if ruled} == {
        "arr_minor", "seats", "started_on", "renews_on",
    }  # fmt: skip
    with pytest.raises(FieldGoverned):
        merge_customers(**both, now=NOW, choices={"arr_minor": "sum"})
    merge = merge_customers(**both, now=NOW)
    one.customer.refresh_from_db()
    assert one.customer.arr_minor == 1_800_000
    [renewal] = one.customer.renewals.exclude(state="merged")
    assert renewal.due_minor == 1_800_000
    assert not two.customer.lines.exists()
    undo_merge(actor=leader, now=NOW + timedelta(hours=1), merge=merge)
    for line, amount in ((one, 1_200_000), (two, 600_000)):
        line.customer.refresh_from_db()
        assert line.customer.arr_minor == amount
        [renewal] = line.customer.renewals.exclude(state="merged")
        assert renewal.due_minor == amount


def test_renewal_after_the_day_ended_it_is_won_back():
    line = add_line(make_contract()).line
    run(date(2026, 5, 1))
    later = date(2026, 6, 1)
    contract = make_contract(
        line.customer, now=at(later), starts_on=later, ends_on=date(2027, 5, 31)
    )
    renewing.renew(
        actor=None,
        now=at(later),
        lines=[line],
        contract=contract,
        new=[new_line(make_product(), starts_on=later, ends_on=date(2027, 5, 31))],
    )
    row = Movement.objects.get(kind="win_back")
    assert (row.arr_minor, row.due_on, row.due_minor) == (1_200_000, END, None)


def test_edit_form_shows_what_contracts_govern_and_saves_the_rest(client):
    customer = add_line(make_contract(make_customer(seats=3))).line.customer
    client.force_login(make_user("admin"))
    path = f"/customers/{customer.pk}/edit/"
    page = client.get(path).content.decode()
    assert 'name="arr"' not in page
    assert f"/customers/{customer.pk}/contracts/" in page
    answer = client.post(path, {"name": "改名", "industry": "零售"})
    assert answer.status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.industry, customer.arr_minor) == ("改名", "零售", 1_200_000)


def test_day_after_a_finished_day_looks_at_recent_lines_only_and_finds_them():
    from gengyun.kernel.models import DayRun

    line = add_line(make_contract()).line
    DayRun.objects.create(as_of=date(2026, 4, 29), state=DayRun.State.DONE, started_at=NOW)
    run(date(2026, 5, 1))
    assert [kind for kind, _, _ in ledger_of(line.customer)] == ["new", "churn"]


def test_renewal_voided_long_after_its_day_ends_the_line_before_it():
    from gengyun.revenue.actions.corrections import void_line

    line = add_line(make_contract()).line
    [posted] = renewing.renew(actor=None, now=NOW, lines=[line], new=[renewing.same_again(line)])
    later = date(2026, 8, 1)
    void_line(actor=None, now=at(later), line=posted.line, why="没有签")
    assert ledger.arr_of(line.customer_id, later) == {}
    assert ledger_of(line.customer)[-1] == ("churn", "2026-04-01", -1_200_000)
