"""Renewals and overdue payments among what needs a person: the need, its end, and the alerts."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from alert_days import DAY, EARLY, after, at, judge, make_rules
from factories import NOW, make_customer, make_product, make_user

from gengyun.alerts.calc.commercial_rules import (
    DueRenewal,
    OverduePayment,
    Seats,
    payment_overdue,
    renewal_window,
    seats_reduced,
)
from gengyun.alerts.calc.params import ParamsInvalid, clean_params
from gengyun.alerts.models import Alert, AlertRule
from gengyun.alerts.queries.telling import main_episodes, names_of, tell
from gengyun.customers.actions.customers import edit_customer
from gengyun.kernel.days import day_of, start_of
from gengyun.lake.store import Lake
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.calc.needs import CustomerFacts, OverdueFact, RenewalFact, needs
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.today import calendar, need_list
from gengyun.revenue.models import Checkpoint, Invoice, Payment, Renewal, RenewalChange

TODAY = date(2026, 3, 2)
PLAIN = CustomerFacts(
    today=TODAY, touch_model="low", known_on=TODAY, as_of=None, score=None, band="",
    change_week=None, movers=(), coverage=None, below_since=None, last_event_on=None,
    last_touch_on=TODAY, last_touch_kind="call", renews_on=None, next_step="", next_step_on=None,
)  # fmt: skip


def renewal_fact(days, *, judged=False, minor=12_000_000):
    return RenewalFact(TODAY + timedelta(days=days), minor, "CNY", judged, "协同", "Suite")


def codes(facts):
    return [(need["code"], need["severity"]) for need in needs(facts)]


# --- needs, pure ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "expected"),
    [(91, []), (90, [("renewal_unjudged", 3)]), (30, [("renewal_unjudged", 2)]),
     (0, [("renewal_unjudged", 2)]), (-1, [("renewal_late", 2)]), (-31, [("renewal_late", 1)])],
)  # fmt: skip
def test_a_renewal_that_nobody_judged_needs_somebody(days, expected):
    assert codes(replace(PLAIN, renewals=[renewal_fact(days)])) == expected


def test_a_judged_renewal_needs_nobody_until_it_is_past_due():
    assert codes(replace(PLAIN, renewals=[renewal_fact(20, judged=True)])) == []
    assert codes(replace(PLAIN, renewals=[renewal_fact(-5, judged=True)])) == [("renewal_late", 2)]


def test_several_renewals_are_one_need_and_the_first_speaks():
    [need] = needs(replace(PLAIN, renewals=[renewal_fact(60), renewal_fact(25), renewal_fact(80)]))
    assert (need["facts"]["days"], need["facts"]["others"]) == (25, 2)


@pytest.mark.parametrize(("days", "severity"), [(6, None), (7, 3), (29, 3), (30, 2), (60, 1)])
def test_an_unpaid_invoice_gets_more_urgent(days, severity):
    owed = OverdueFact(days, TODAY - timedelta(days=days), "INV-1", 1, 500_000, "CNY")
    expected = [] if severity is None else [("payment_overdue", severity)]
    assert codes(replace(PLAIN, overdue=owed)) == expected


# --- rules, pure ---------------------------------------------------------------------------------


def due(days, category="unjudged", **values):
    return DueRenewal(1, 7, "suite", TODAY + timedelta(days=days), 100, "CNY", category, **values)


def window(row, **params):
    found = renewal_window([row], TODAY, clean_params("renewal_window", params), 3)
    return bool(found.entered[0]), bool(found.cleared[0]), int(found.severity[0])


def test_the_window_opens_for_what_is_not_settled():
    assert window(due(90)) == (True, False, 3)
    assert window(due(91)) == (False, False, 3)
    assert window(due(30)) == (True, False, 2)
    assert window(due(60, "commit")) == (False, True, 3)
    assert window(due(60, "commit", band="D")) == (True, False, 3)
    assert window(due(60, "at_risk")) == (True, False, 3)
    assert window(due(-1, "commit")) == (True, False, 2)  # past due without an outcome
    assert window(due(60, "commit", disagreement_days=90)) == (False, True, 3)
    chosen = {"worries": ["disagreement"]}
    assert window(due(60, disagreement_days=90), **chosen) == (True, False, 3)
    assert window(due(60), **chosen) == (False, True, 3)


@pytest.mark.parametrize(
    ("days", "entered", "severity"), [(14, False, 3), (15, True, 3), (30, True, 2), (60, True, 1)]
)
def test_payments_by_15_30_and_60_days(days, entered, severity):
    import numpy as np

    row = OverduePayment(1, days, "INV-1", TODAY - timedelta(days=days), 1, 50_000, "CNY")
    params = clean_params("payment_overdue", {})
    found = payment_overdue(np.array([1, 2, 3]), {1: row, 2: None}, params, 3)
    assert found.entered.tolist() == [entered, False, False]
    # 2 pays in time, of 3 nothing is known: that neither opens nor closes anything
    assert found.cleared.tolist() == [False, True, False]
    assert int(found.severity[0]) == severity
    least = clean_params("payment_overdue", {"least": 501})
    assert not payment_overdue(np.array([1]), {1: row}, least, 3).entered[0]


def test_seats_that_go_and_seats_that_will_go():
    import numpy as np

    nan = float("nan")
    seats = Seats(
        now=np.array([80, 100, 95, nan, 100]),
        before=np.array([100, 100, 100, 100, nan]),
        leaving=np.array([0, 40, 0, 0, 0]),
        leaves_on=[None, date(2026, 6, 1), None, None, None],
    )
    found = seats_reduced(np.arange(1, 6), seats, clean_params("seats_reduced", {}), 2)
    assert found.entered.tolist() == [True, True, False, False, False]
    assert found.cleared.tolist() == [False, False, True, False, False]
    assert found.severity.tolist() == [2, 1, 2, 2, 2]
    assert found.value[:2].tolist() == [pytest.approx(0.2), pytest.approx(0.4)]


@pytest.mark.parametrize(
    ("kind", "given"),
    [("payment_overdue", {"days": 30, "raise_days": 30}), ("seats_reduced", {"share": 0.4}),
     ("renewal_window", {"worries": []}), ("renewal_window", {"worries": ["mood"]}),
     ("payment_overdue", {"days": 0})],
)  # fmt: skip
def test_parameters_that_make_no_sense_are_refused(kind, given):
    with pytest.raises(ParamsInvalid):
        clean_params(kind, given)


# --- alerts of a judged day ----------------------------------------------------------------------


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path / "lake")


def told(alert, *, zh=True):
    names = names_of(AlertRule.objects.all())
    return tell(main_episodes([alert])[alert.pk], names=names, zh=zh, today=DAY)


def invoice(customer, days, number="INV-1", amount=5_000_000):
    return Invoice.objects.create(
        customer=customer, number=number, issued_on=DAY - timedelta(days=days + 30),
        due_on=DAY - timedelta(days=days), amount_minor=amount, known_at=EARLY,
    )  # fmt: skip


@pytest.mark.django_db
def test_an_overdue_payment_opens_rises_and_ends_with_the_money(lake):
    make_rules(only=["payment_overdue"])
    customer = make_customer(owner=make_user("csm"), known_at=EARLY)
    first = invoice(customer, days=20)
    assert judge(lake, DAY).opened == 1
    alert = Alert.objects.get()
    assert (alert.severity, alert.family) == (3, "commercial")
    assert "5 万元已逾期 20 天" in told(alert)
    assert "INV-1" in told(alert, zh=False)
    day = after(12)
    judge(lake, day)
    alert.refresh_from_db()
    assert alert.severity == 2
    Payment.objects.create(
        customer=customer, invoice=first, received_on=day, amount_minor=5_000_000, known_at=at(day)
    )
    judge(lake, day + timedelta(days=1))
    alert.refresh_from_db()
    assert alert.state == "closed"


@pytest.mark.django_db
def test_a_renewal_that_is_judged_ends_its_alert(lake):
    make_rules(only=["renewal_window"])
    customer = make_customer(owner=make_user("csm"), known_at=EARLY)
    product = make_product("协同办公")
    row = Renewal.objects.create(
        customer=customer, group="suite", product=product, due_on=after(60),
        due_minor=48_600_000, created_at=EARLY,
    )  # fmt: skip
    assert judge(lake, DAY).opened == 1
    alert = Alert.objects.get()
    assert "协同办公续约 48.6 万元 60 天后到期" in told(alert)
    assert "还没有人判断" in told(alert)
    RenewalChange.objects.create(
        renewal=row, at=at(DAY), field="category", old="unjudged", new="commit"
    )
    Renewal.objects.filter(pk=row.pk).update(category="commit")
    judge(lake, after(1))
    alert.refresh_from_db()
    assert alert.state == "closed"


@pytest.mark.django_db
def test_the_past_is_judged_by_what_was_said_then(lake):
    from gengyun.alerts.queries.commercial import due_renewals
    from gengyun.alerts.queries.day import Day

    customer = make_customer(known_at=EARLY)
    row = Renewal.objects.create(
        customer=customer, group="suite", due_on=after(60), due_minor=1, created_at=EARLY,
        category="commit",
    )  # fmt: skip
    RenewalChange.objects.create(
        renewal=row, at=at(DAY), field="category", old="unjudged", new="commit"
    )
    Checkpoint.objects.create(
        renewal=row, days=90, due_on=DAY, state="disputed", view_at=at(DAY), opened_at=EARLY
    )
    before = due_renewals(Day(DAY, now=at(DAY), lake=lake), within_days=90)
    assert [(one.category, one.disagreement_days) for one in before] == [("unjudged", None)]
    later = due_renewals(Day(after(1), now=at(after(1)), lake=lake), within_days=90)
    assert [(one.category, one.disagreement_days) for one in later] == [("commit", 90)]


@pytest.mark.django_db
def test_fewer_seats_open_an_alert(lake):
    make_rules(only=["seats_reduced"])
    customer = make_customer(owner=make_user("csm"), known_at=EARLY)
    edit_customer(actor=None, now=EARLY, customer=customer, changes={"seats": 100})
    assert judge(lake, DAY).opened == 0
    edit_customer(actor=None, now=at(DAY), customer=customer, changes={"seats": 60})
    assert judge(lake, after(1)).opened == 1
    alert = Alert.objects.get()
    assert alert.severity == 1
    assert "从 100 减到 60（少 40%）" in told(alert)


# --- Today ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_today_shows_payments_and_renewals_and_forgets_them_when_settled():
    owner = make_user("csm")
    customer = make_customer(owner=owner)
    today = day_of(NOW)
    bill = Invoice.objects.create(
        customer=customer, number="INV-9", issued_on=today - timedelta(days=70),
        due_on=today - timedelta(days=40), amount_minor=3_000_000,
        known_at=NOW - timedelta(days=70),
    )  # fmt: skip
    row = Renewal.objects.create(
        customer=customer, group="suite", due_on=today + timedelta(days=45), due_minor=1_000_000,
        created_at=NOW - timedelta(days=1),
    )  # fmt: skip
    refresh_summaries(now=NOW)
    found = need_list(owner, scope="mine", today=today, group="payment")
    assert found.groups == {"alert": 0, "task": 0, "renewal": 0, "payment": 1}
    assert found.items[0].need["facts"]["number"] == "INV-9"
    assert [need["code"] for need in found.items[0].others][:1] == ["renewal_unjudged"]
    Payment.objects.create(
        customer=customer, received_on=today, amount_minor=3_000_000, known_at=NOW
    )
    Renewal.objects.filter(pk=row.pk).update(category="expected")
    RenewalChange.objects.create(
        renewal=row, at=NOW, field="category", old="unjudged", new="expected"
    )
    refresh_summaries(now=NOW, customer_ids=[customer.pk])
    codes_now = {need["code"] for need in CustomerSummary.objects.get().needs}
    assert not codes_now & {"payment_overdue", "renewal_unjudged"}
    assert bill.pk


@pytest.mark.django_db
def test_the_calendar_shows_when_money_is_due():
    owner, other = make_user("csm"), make_user("csm")
    today = day_of(NOW)
    for person, number in ((owner, "INV-A"), (other, "INV-B")):
        Invoice.objects.create(
            customer=make_customer(owner=person), number=number, issued_on=today, due_on=today,
            amount_minor=100, known_at=start_of(today),
        )  # fmt: skip
    found = calendar(owner, scope="mine", first=today, last=today)
    assert [(entry["kind"], entry["text"]) for entry in found] == [("payment", "INV-A")]
