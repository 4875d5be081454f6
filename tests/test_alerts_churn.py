"""Alerts from churn forecasts, noted risks, sentiment and seats, through database and lake."""

from datetime import timedelta

import pyarrow as pa
import pytest
from alert_days import (
    DAY,
    EARLY,
    after,
    at,
    judge,
    make_metric_rule,
    make_rules,
    put_use,
    put_values,
    working_use,
)
from factories import (
    make_churn_model,
    make_customer,
    make_forecast,
    make_renewal,
    make_tiers,
    make_user,
)

from gengyun.alerts.actions.evaluate import evaluate_facts
from gengyun.alerts.actions.marks import set_marks
from gengyun.alerts.actions.work import close
from gengyun.alerts.calc.losses import AlertBefore, Loss, review
from gengyun.alerts.models import Alert, AlertPolicy, AlertRule, ChurnMark, Episode
from gengyun.alerts.queries.losses import losses
from gengyun.alerts.queries.marks import marks_in_force
from gengyun.alerts.queries.preview import preview_rule
from gengyun.alerts.queries.stakes import stakes
from gengyun.alerts.queries.waiting import waiting_for
from gengyun.alerts.queries.watching import watch_list
from gengyun.churn.models import ChurnSettings
from gengyun.engagement.actions.risks import end_risk, note_risk
from gengyun.health.actions.opinions import set_sentiment
from gengyun.lake import tables
from gengyun.lake.store import Lake
from gengyun.revenue.models import RenewalSnapshot, RenewalState

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(tmp_path):
    make_rules(only=["churn_jump"])
    ChurnSettings.objects.create(pk=1, thresholds={"tier:": {"value": 0.4, "source": "董事会"}})
    return Lake(tmp_path / "lake")


@pytest.fixture
def person():
    return make_user("csm")


@pytest.fixture
def model():
    return make_churn_model(cutoff=after(-200), state="champion")


def renewal_of(person, *, days=90, due_minor=10_000_000, customer=None):
    customer = customer or make_customer(owner=person, known_at=EARLY)
    return make_renewal(customer, after(days), due_minor, created_at=EARLY)


def put_forecasts(lake, day, said, model, *, grade="B"):
    """{renewal: probability} of a judged day."""
    rows = [
        {
            "as_of": day,
            "customer_id": renewal.customer_id,
            "renewal_id": renewal.pk,
            "event": "non_renewal",
            "due_on": renewal.due_on,
            "lag_days": (renewal.due_on - day).days,
            "probability": p,
            "low": None if p is None else max(0.0, p - 0.1),
            "high": None if p is None else min(1.0, p + 0.1),
            "grade": "" if p is None else grade,
            "refused": "" if p is not None else "few_inputs",
            "drivers": "[]",
            "missing": "[]",
            "counterfactuals": "[]",
            "model_id": model.pk,
            "amount_minor": renewal.due_minor,
            "currency": "CNY",
        }
        for renewal, p in said.items()
    ]
    table = pa.Table.from_pylist(rows, schema=tables.CHURN_FORECASTS)
    lake.replace_partition("churn_forecasts", "as_of", day, table)


def tickets():
    rows = Alert.objects.order_by("pk").values_list("customer_id", "rule__key", "state")
    return [(pk, key) for pk, key, state in rows if state != "closed"]


# --- R3 ----------------------------------------------------------------------------------------


def test_a_jump_and_a_crossing_open_once_and_end(lake, person, model):
    rose, high, calm = (renewal_of(person) for _ in range(3))
    put_forecasts(lake, after(-30), {rose: 0.11, high: 0.38, calm: 0.2}, model)
    put_forecasts(lake, DAY, {rose: 0.22, high: 0.42, calm: 0.25}, model)
    judge(lake, DAY)
    assert tickets() == [(rose.customer_id, "churn_jump"), (high.customer_id, "churn_jump")]
    said = {e.customer_id: e.evidence[-1] for e in Episode.objects.all()}
    assert said[rose.customer_id]["why"] == "jump"
    assert said[high.customer_id]["why"] == "mark"
    assert said[rose.customer_id]["before_on"] == after(-30).isoformat()
    assert Episode.objects.get(customer=rose.customer_id).reference == pytest.approx(0.11)
    judge(lake, DAY)  # replayed: nothing twice
    assert Alert.objects.count() == 2
    # below the mark, but above 0.8 of it: it goes on
    put_forecasts(lake, after(1), {rose: 0.22, high: 0.35, calm: 0.25}, model)
    judge(lake, after(1))
    assert len(tickets()) == 2
    put_forecasts(lake, after(2), {rose: 0.13, high: 0.31, calm: 0.25}, model)
    judge(lake, after(2))
    assert tickets() == []


def test_another_model_is_no_jump(lake, person, model):
    renewal = renewal_of(person)
    newer = make_churn_model(cutoff=after(-10))
    put_forecasts(lake, after(-30), {renewal: 0.1}, model)
    put_forecasts(lake, after(-10), {renewal: 0.3}, newer)
    put_forecasts(lake, DAY, {renewal: 0.35}, newer)
    judge(lake, DAY)
    assert tickets() == []
    put_forecasts(lake, after(1), {renewal: 0.1}, newer)
    put_forecasts(lake, after(2), {renewal: 0.39}, model)  # back to the first one
    judge(lake, after(2))
    assert Episode.objects.get().reference == pytest.approx(0.1)


def test_refused_far_and_unsure_forecasts_say_nothing(lake, person, model):
    refused, far, unsure = renewal_of(person), renewal_of(person, days=200), renewal_of(person)
    put_forecasts(lake, DAY, {refused: None, far: 0.9}, model)
    judge(lake, DAY)
    put_forecasts(lake, after(1), {unsure: 0.9}, model, grade="C")
    judge(lake, after(1))
    assert tickets() == []


def test_days_without_forecasts_end_nothing_and_an_outcome_ends_at_once(lake, person, model):
    renewal = renewal_of(person)
    put_forecasts(lake, DAY, {renewal: 0.6}, model)
    judge(lake, DAY)
    assert Alert.objects.get().severity == 1  # 60 %: one step more urgent
    judge(lake, after(9))  # the forecasts are too old to say anything
    assert len(tickets()) == 1
    make_forecast(renewal, 0.6, model, as_of=after(9))
    evaluate_facts(customer_ids=[renewal.customer_id], now=at(after(9)))
    assert len(tickets()) == 1
    renewal.state = RenewalState.RENEWED
    renewal.save()
    evaluate_facts(customer_ids=[renewal.customer_id], now=at(after(9)))
    assert tickets() == []


def test_a_change_by_day_keeps_what_the_night_had_said(lake, person, model):
    """Judged again in between, the sentence still says what it rose from."""
    renewal = renewal_of(person)
    for weeks, p in ((5, 0.12), (0, 0.24)):
        put_forecasts(lake, DAY - timedelta(weeks=weeks), {renewal: p}, model)
    judge(lake, DAY)
    line = [[(DAY - timedelta(weeks=5)).isoformat(), 0.12, None, None, model.pk]]
    make_forecast(renewal, 0.24, model, as_of=DAY, history=line)
    evaluate_facts(customer_ids=[renewal.customer_id], now=at(DAY))
    told = Episode.objects.get().evidence[-1]
    assert (told["why"], told["before"], told["before_on"]) == ("jump", 0.12, line[0][0])
    assert len(tickets()) == 1


def test_several_renewals_of_one_day_count_by_amount(lake, person, model):
    large = renewal_of(person, due_minor=9_000_000)
    small = renewal_of(person, due_minor=1_000_000, customer=large.customer)
    later = renewal_of(person, days=120, customer=large.customer)
    put_forecasts(lake, DAY, {large: 0.3, small: 0.9, later: 0.95}, model)
    judge(lake, DAY)
    assert tickets() == []  # 0.36
    put_forecasts(lake, after(1), {large: 0.4, small: 0.9, later: 0.95}, model)
    judge(lake, after(1))
    assert Episode.objects.get().value == pytest.approx(0.45)
    assert Episode.objects.get().evidence[-1]["amount_minor"] == 10_000_000


def test_closed_by_hand_it_comes_back_only_if_it_is_worse(lake, person, model):
    renewal = renewal_of(person)
    put_forecasts(lake, DAY, {renewal: 0.42}, model)
    judge(lake, DAY)
    close(actor=person, now=at(DAY), alert_ids=[Alert.objects.get().pk], verdict="true")
    put_forecasts(lake, after(16), {renewal: 0.44}, model)
    judge(lake, after(16))
    assert tickets() == []  # after the cool-down, within 30 days, no worse than at the close
    put_forecasts(lake, after(17), {renewal: 0.47}, model)
    judge(lake, after(17))
    assert len(tickets()) == 1
    assert Alert.objects.latest("pk").previous_id == Alert.objects.earliest("pk").pk


def test_a_renewal_in_the_window_worries_when_it_is_likely_lost(lake, person, model):
    AlertRule.objects.filter(key="churn_jump").update(is_active=False)
    AlertRule.objects.filter(key="renewal_window").update(is_active=True)
    likely, calm = renewal_of(person, days=80), renewal_of(person, days=80)
    for one in (likely, calm):
        one.category = "commit"
        one.save()
    put_forecasts(lake, DAY, {likely: 0.5, calm: 0.2}, model)
    judge(lake, DAY)
    alert = Alert.objects.get()
    assert (alert.customer_id, alert.severity) == (likely.customer_id, 2)
    assert Episode.objects.get().evidence[-1]["worries"] == ["churn"]


def test_the_dry_run_judges_past_days(lake, person, model):
    renewal = renewal_of(person)
    for weeks, p in ((3, 0.2), (2, 0.2), (1, 0.45), (0, 0.45)):
        put_forecasts(lake, DAY - timedelta(weeks=weeks), {renewal: p}, model)
    rule = AlertRule.objects.get(key="churn_jump")
    found = preview_rule(rule, actor=None, now=at(DAY), days=21, lake=lake)
    assert [week.opened for week in found.weeks] == [None, 0, 1, 0]
    assert found.flagged == 1


# --- marks and ranking -------------------------------------------------------------------------


def test_marks_follow_the_budget_month_by_month(lake, person, model):
    ChurnSettings.objects.all().delete()
    tiers = make_tiers()
    tier = next(iter(tiers.values()))
    renewals = []
    for place in range(50):
        renewal = renewal_of(person)
        if place % 2:
            renewal.customer.tier = tier
            renewal.customer.save()
        renewals.append(renewal)
    put_forecasts(lake, DAY, {r: (k + 1) / 51 for k, r in enumerate(renewals)}, model)
    assert set_marks(DAY, now=at(DAY), lake=lake)
    rows = {row.tier_id: row for row in ChurnMark.objects.all()}
    assert set(rows) == {None, tier.pk}
    for row in rows.values():
        # 4 per 100 a month of 25 customers: one a month, six in the half year
        assert (row.basis, row.customers) == ("stock", 25)
        assert row.monthly <= 1
    assert not set_marks(after(1), now=at(after(1)), lake=lake)  # kept for the month
    AlertPolicy.objects.create(churn_monthly_per_hundred=8, updated_at=at(after(1)))
    put_forecasts(lake, after(2), {r: (k + 1) / 51 for k, r in enumerate(renewals)}, model)
    assert set_marks(after(2), now=at(after(2)), lake=lake)  # the budget was changed
    assert ChurnMark.objects.get(tier=None).value < rows[None].value
    ChurnSettings.objects.create(
        pk=1, thresholds={f"tier:{tier.key}": {"value": 0.33, "source": "董事会"}}
    )
    assert marks_in_force()[tier.pk] == 0.33
    assert marks_in_force()[-1] == ChurnMark.objects.get(tier=None).value


def test_without_forecasts_there_is_no_mark(lake):
    ChurnSettings.objects.all().delete()
    assert not set_marks(DAY, now=at(DAY), lake=lake)
    assert marks_in_force() == {}
    assert "churn" in waiting_for()


def test_alerts_are_ranked_by_expected_loss(lake, person, model):
    """The smaller contract goes first where it is more likely lost; who has no forecast counts
    with the base rate of the tier."""
    likely, large = renewal_of(person, due_minor=5_000_000), renewal_of(person)
    unknown = make_customer(owner=person, known_at=EARLY, arr_minor=10_000_000)
    make_forecast(likely, 0.6, model)
    make_forecast(large, 0.2, model)
    found = stakes([likely.customer_id, large.customer_id, unknown.pk])
    assert found[likely.customer_id] == 3_000_000
    assert found[large.customer_id] == 2_000_000
    assert 0 < found[unknown.pk] < 5_000_000


# --- R5, R9, R11 -------------------------------------------------------------------------------


def test_a_noted_risk_is_an_alert_at_once_and_ends_when_settled(lake, person):
    AlertRule.objects.update(is_active=False)
    AlertRule.objects.filter(key="risk_noted").update(is_active=True)
    customer = make_customer(owner=person, known_at=EARLY)
    judge(lake, DAY)
    note = {"cause": "competitor", "happened_on": after(-2), "note": "在试用飞鸟"}
    risk = note_risk(actor=person, now=at(DAY), customer=customer, **note)
    evaluate_facts(customer_ids=[customer.pk], now=at(DAY))
    alert = Alert.objects.get()
    assert (alert.customer_id, alert.severity) == (customer.pk, 1)  # a cause of high grade
    note_risk(actor=person, now=at(DAY), customer=customer, cause="layoff", happened_on=DAY)
    evaluate_facts(customer_ids=[customer.pk], now=at(DAY))
    assert Alert.objects.count() == 1  # the second is evidence of the same family
    judge(lake, after(1))
    for one in customer.risks.all():
        end_risk(actor=person, now=at(after(1)), risk=one, mistaken=one.pk != risk.pk)
    evaluate_facts(customer_ids=[customer.pk], now=at(after(1)))
    assert Alert.objects.get().state == "closed"


def test_a_sentiment_that_fell_is_told(lake, person):
    AlertRule.objects.update(is_active=False)
    AlertRule.objects.filter(key="sentiment_drop").update(is_active=True)
    fell, low, steady = (make_customer(owner=person, known_at=EARLY) for _ in range(3))
    by = {"actor": person, "reason": "回访", "lake": lake}
    for customer, level in ((fell, 4), (steady, 3)):
        set_sentiment(now=at(after(-20)), customer=customer, level=level, **by)
    for customer, level in ((fell, 2), (low, 1), (steady, 3)):
        set_sentiment(now=at(after(-1)), customer=customer, level=level, **by)
    judge(lake, DAY)
    assert {pk for pk, _ in tickets()} == {fell.pk, low.pk}
    set_sentiment(now=at(DAY), customer=fell, level=4, **by)
    judge(lake, after(1))
    judge(lake, after(2))
    assert {pk for pk, _ in tickets()} == {low.pk}


def test_full_seats_are_good_news_and_no_part_of_a_trouble(lake, person):
    AlertRule.objects.update(is_active=False)
    AlertRule.objects.filter(key__in=["seats_full", "risk_noted"]).update(is_active=True)
    customer, filling = (make_customer(owner=person, known_at=EARLY) for _ in range(2))
    for weeks in range(4):
        shares = {customer: 0.95, filling: 0.95 if weeks < 3 else 0.6}
        put_values(lake, DAY - timedelta(weeks=weeks), shares, metric="seat_use_30d")
    note_risk(
        actor=person,
        now=at(after(-1)),
        customer=customer,
        cause="layoff",
        happened_on=DAY - timedelta(days=1),
    )
    judge(lake, DAY)
    rows = Alert.objects.filter(customer=customer)
    assert {(row.family, row.parent_id) for row in rows} == {
        ("growth", None),
        ("relationship", None),
    }
    assert not Alert.objects.filter(customer=filling).exists()


# --- the watch-list and the review -------------------------------------------------------------


def test_a_slow_slide_is_listed_and_opens_no_work_item(lake, person):
    AlertRule.objects.update(is_active=False)
    AlertRule.objects.filter(key="slow_slide").update(is_active=True)
    sliding = make_customer(owner=person, known_at=EARLY)
    steady = [make_customer(owner=person, known_at=EARLY) for _ in range(8)]
    use = {one: working_use(DAY, level=40) for one in steady}
    use[sliding] = {
        day: round(n * (1 - 0.8 * max(0, 42 - (DAY - day).days) / 42))
        for day, n in working_use(DAY, level=40).items()
    }
    put_use(lake, use)
    found = judge(lake, DAY)
    assert (found.listed, found.opened) == (1, 0)
    assert [row.customer_id for row in watch_list(person)] == [sliding.pk]
    assert not watch_list(make_user("csm", email="stranger@example.com")).exists()
    assert not Alert.objects.exists()
    # somebody wants to be told of it after all: from the next one on
    AlertRule.objects.filter(key="slow_slide").update(severity=3)
    Episode.objects.all().delete()
    assert judge(lake, DAY).opened == 1


@pytest.mark.parametrize(("severity", "lifted"), [(2, 3), (1, 1)])
def test_a_part_lifts_its_ticket_once_in_the_gap(lake, person, severity, lifted):
    """Severity rises at most once in 7 days, by a part as well; the most urgent never waits."""
    AlertRule.objects.update(is_active=False)
    make_metric_rule("first", severity=3)
    make_metric_rule("second", severity=severity, cause="roi_wrong", metric="breadth_30d")
    customer = make_customer(owner=person, known_at=EARLY)
    put_values(lake, DAY, {customer: 5})
    judge(lake, DAY)
    Alert.objects.update(severity_raised_on=DAY)
    put_values(lake, after(1), {customer: 5})
    put_values(lake, after(1), {customer: 5}, metric="breadth_30d")
    judge(lake, after(1))
    part = Alert.objects.get(parent__isnull=False)
    assert (part.severity, part.parent.severity) == (severity, lifted)


def test_the_review_counts_what_came_in_time():
    def loss(*shown, hidden=()):
        alerts = [AlertBefore(k, 7, after(-days), was_shown=True) for k, days in enumerate(shown)]
        alerts += [AlertBefore(None, 8, after(-days), was_shown=False) for days in hidden]
        return Loss(1, 2, DAY, DAY, 100, "CNY", "", False, None, None, alerts)

    found = review([loss(80, 12), loss(29), loss(hidden=[90]), loss(30)])
    assert (found.losses, found.warned, found.late) == (4, 2, 1)
    assert (found.share, found.lead_days, found.by_rule) == (0.5, 30.0, {7: 2})
    assert review([]).share is None


def test_every_lost_renewal_lists_what_was_said_before(lake, person, model):
    warned, late, missed = (renewal_of(person, days=60) for _ in range(3))
    put_forecasts(lake, DAY, {warned: 0.6}, model)
    judge(lake, DAY)
    put_forecasts(lake, after(40), {late: 0.6}, model)
    judge(lake, after(40))
    for one in (warned, late, missed):
        one.state, one.decided_on, one.outcome_minor = RenewalState.LOST, after(70), 0
        one.save()
    RenewalSnapshot.objects.create(
        as_of=after(-28), renewal=warned, category="expected", due_minor=1, probability=0.31
    )
    RenewalSnapshot.objects.create(
        as_of=after(20), renewal=warned, category="expected", due_minor=1, probability=0.66
    )
    found = {one.renewal_id: one for one in losses(person, since=DAY, until=after(90))}
    assert [found[r.pk].lead_days for r in (warned, late, missed)] == [60, 20, None]
    assert [found[r.pk].is_warned for r in (warned, late, missed)] == [True, False, False]
    assert found[warned.pk].probability == pytest.approx(0.31)
    assert losses(make_user("csm", email="stranger@example.com"), since=DAY, until=after(90)) == []
    assert losses(person, since=after(61), until=after(90)) == []
