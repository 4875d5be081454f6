"""What people say about renewals: categories, amounts, the four questions, checkpoints, the past."""

from datetime import date, timedelta

import pytest
from factories import NOW, People, make_customer

from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.revenue.actions import checkpoints, renewals
from gengyun.revenue.calc.checkpoints import Facts
from gengyun.revenue.models import (
    Checkpoint,
    CheckpointState,
    ExchangeRate,
    Renewal,
    RenewalChange,
    RenewalState,
    SelfCheck,
)
from gengyun.revenue.queries import renewals as queries
from gengyun.revenue.queries.renewals import Filters
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
WAN = 1_000_000
GOOD = Facts(has_terms=True, band="A", score=88, deciders=1, decider_talk_days=5, solved=1)
BAD = Facts(has_terms=True, band="D", score=41, deciders=1, decider_talk_days=5, solved=1)


def in_base(minor, currency):
    return minor if currency == "CNY" else None


def make_renewal(customer, due_on=TODAY + timedelta(days=60), due=10 * WAN, **values):
    defaults = {"group": "core", "due_minor": due, "owner": customer.owner, "created_at": NOW}
    return Renewal.objects.create(customer=customer, due_on=due_on, **(defaults | values))


@pytest.fixture
def people():
    return People()


@pytest.fixture
def renewal(people):
    return make_renewal(make_customer("云启科技", owner=people.owner))


def say(people, renewal, **values):
    return renewals.set_forecast(actor=people.owner, now=NOW, renewal_id=renewal.pk, **values)


def fields(renewal):
    return {c.field: (c.old, c.new) for c in RenewalChange.objects.filter(renewal=renewal)}


def test_a_category_takes_the_amount_that_comes_due(people, renewal):
    say(people, renewal, category="commit", why="客户口头答应")
    renewal.refresh_from_db()
    assert (renewal.category, renewal.forecast_minor) == ("commit", 10 * WAN)
    assert fields(renewal) == {
        "category": ("unjudged", "commit"),
        "forecast_minor": (None, 10 * WAN),
    }
    change = RenewalChange.objects.filter(renewal=renewal).first()
    assert (change.actor, change.why, change.at) == (people.owner, "客户口头答应", NOW)
    entry = AuditEntry.objects.get(action="renewal.forecast")
    assert entry.changes["category"] == ["unjudged", "commit"]


def test_an_amount_alone_is_a_judgement(people, renewal):
    say(people, renewal, forecast_minor=4 * WAN)
    renewal.refresh_from_db()
    assert (renewal.category, renewal.forecast_minor) == ("expected", 4 * WAN)


def test_not_judged_has_no_amount(people, renewal):
    say(people, renewal, category="at_risk", forecast_minor=4 * WAN)
    say(people, renewal, category="unjudged")
    renewal.refresh_from_db()
    assert (renewal.category, renewal.forecast_minor) == ("unjudged", None)


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"category": "signed"}, renewals.SignedByContract),
        ({"category": "lost"}, renewals.LossNeedsCause),
        ({"category": "sure"}, renewals.CategoryUnknown),
        ({"forecast_minor": -1}, renewals.ForecastBad),
        ({"forecast_minor": 201 * 10 * WAN}, renewals.ForecastBad),
    ],
)
def test_what_cannot_be_said_leaves_everything_as_it_was(people, renewal, values, refusal):
    with pytest.raises(refusal):
        say(people, renewal, **values)
    renewal.refresh_from_db()
    assert (renewal.category, renewal.forecast_minor) == ("unjudged", None)
    assert not RenewalChange.objects.exists()


def test_only_who_sees_the_customer_may_judge(people, renewal):
    for actor in (people.colleague, people.stranger):
        with pytest.raises(NotFound):
            renewals.set_forecast(actor=actor, now=NOW, renewal_id=renewal.pk, category="commit")
    with pytest.raises(NotAllowed):
        renewals.set_forecast(
            actor=people.viewer, now=NOW, renewal_id=renewal.pk, category="commit"
        )
    renewals.set_forecast(actor=people.leader, now=NOW, renewal_id=renewal.pk, category="commit")


def test_a_decided_renewal_takes_no_forecast(people, renewal):
    Renewal.objects.update(state=RenewalState.RENEWED)
    with pytest.raises(renewals.RenewalDecided):
        say(people, renewal, category="commit")


def test_undo_puts_the_old_values_back_and_keeps_both_changes(people, renewal):
    told = say(people, renewal, category="commit", forecast_minor=3 * WAN)
    renewals.put_back(actor=people.owner, now=NOW, renewal_id=renewal.pk, told=told)
    renewal.refresh_from_db()
    assert (renewal.category, renewal.forecast_minor) == ("unjudged", None)
    assert RenewalChange.objects.filter(field="category").count() == 2


def test_undo_stops_where_somebody_changed_it_meanwhile(people, renewal):
    told = say(people, renewal, category="commit")
    renewals.set_forecast(actor=people.leader, now=NOW, renewal_id=renewal.pk, category="at_risk")
    with pytest.raises(renewals.ForecastChanged):
        renewals.put_back(actor=people.owner, now=NOW, renewal_id=renewal.pk, told=told)


# --- questions, signal, checkpoints -------------------------------------------------------------


def judge(renewal, facts, as_of=TODAY):
    return checkpoints.judge_renewals(now=NOW, as_of=as_of, facts={renewal.customer_id: facts})


def test_the_day_answers_the_four_questions_and_sets_the_signal(renewal):
    assert judge(renewal, GOOD)
    renewal.refresh_from_db()
    answers = dict(SelfCheck.objects.values_list("question", "auto_answer"))
    assert answers == {1: "yes", 2: "yes", 3: "yes", 4: "yes"}
    assert (renewal.signal, renewal.gap, renewal.signal_on) == ("renew", 0, TODAY)
    assert judge(renewal, GOOD) == 0, "the same facts twice change nothing"


def test_a_commitment_against_a_risk_is_a_gap(people, renewal):
    say(people, renewal, category="commit")
    judge(renewal, BAD)
    renewal.refresh_from_db()
    assert (renewal.signal, renewal.gap) == ("risk", 3)
    say(people, renewal, category="at_risk")
    renewal.refresh_from_db()
    assert renewal.gap == 0


def test_an_answer_of_the_csm_counts_and_stays(people, renewal):
    judge(renewal, GOOD)
    for question in (3, 4):
        checkpoints.answer_question(
            actor=people.owner, now=NOW, renewal_id=renewal.pk, question=question, answer="no",
            note="采购换人了",
        )  # fmt: skip
    judge(renewal, GOOD)
    renewal.refresh_from_db()
    assert renewal.signal == "risk"
    check = SelfCheck.objects.get(question=3)
    assert (check.auto_answer, check.answer, check.by) == ("yes", "no", people.owner)
    with pytest.raises(checkpoints.QuestionUnknown):
        checkpoints.answer_question(
            actor=people.owner, now=NOW, renewal_id=renewal.pk, question=5, answer="no"
        )


def test_checkpoints_open_at_180_and_90_days_once(renewal):
    judge(renewal, GOOD, as_of=renewal.due_on - timedelta(days=181))
    assert not Checkpoint.objects.exists()
    for days in (180, 150, 90, 80):
        judge(renewal, GOOD, as_of=renewal.due_on - timedelta(days=days))
    assert list(Checkpoint.objects.values_list("days", flat=True)) == [180, 90]
    assert set(Checkpoint.objects.values_list("state", flat=True)) == {CheckpointState.WAITING}


def test_disagreement_goes_to_a_leader_and_the_forecast_follows(people, renewal):
    say(people, renewal, category="commit")
    judge(renewal, BAD)
    point = Checkpoint.objects.get()
    assert (point.days, point.signal, point.view, point.state) == (90, "risk", "renew", "disputed")
    with pytest.raises(NotAllowed):
        checkpoints.decide(
            actor=people.owner, now=NOW, checkpoint_id=point.pk, decided="risk", why="x"
        )
    with pytest.raises(checkpoints.ReasonMissing):
        checkpoints.decide(
            actor=people.leader, now=NOW, checkpoint_id=point.pk, decided="risk", why=" "
        )
    checkpoints.decide(
        actor=people.leader, now=NOW, checkpoint_id=point.pk, decided="risk", why="原决策人已走"
    )
    point.refresh_from_db()
    renewal.refresh_from_db()
    assert (point.state, point.decided_by) == ("decided", people.leader)
    assert (renewal.category, renewal.forecast_minor) == ("at_risk", 10 * WAN)
    with pytest.raises(checkpoints.CheckpointDone):
        checkpoints.give_view(actor=people.owner, now=NOW, checkpoint_id=point.pk, view="renew")


def test_a_checkpoint_follows_the_signal_until_it_is_decided(people, renewal):
    say(people, renewal, category="commit")
    judge(renewal, GOOD)
    point = Checkpoint.objects.get()
    assert (point.signal, point.state) == ("renew", CheckpointState.AGREED)
    judge(renewal, BAD)
    point.refresh_from_db()
    assert (point.signal, point.state) == ("risk", CheckpointState.DISPUTED)
    checkpoints.decide(
        actor=people.leader, now=NOW, checkpoint_id=point.pk, decided="renew", why="老板亲口说的"
    )
    judge(renewal, GOOD)
    point.refresh_from_db()
    assert (point.signal, point.state) == ("risk", CheckpointState.DECIDED)


def test_at_90_days_watch_is_refused(people, renewal):
    judge(renewal, GOOD)
    point = Checkpoint.objects.get()
    with pytest.raises(checkpoints.ViewBad):
        checkpoints.give_view(actor=people.owner, now=NOW, checkpoint_id=point.pk, view="watch")
    checkpoints.give_view(actor=people.owner, now=NOW, checkpoint_id=point.pk, view="renew")
    point.refresh_from_db()
    assert point.state == CheckpointState.AGREED
    with pytest.raises(checkpoints.NothingToDecide):
        checkpoints.decide(
            actor=people.leader, now=NOW, checkpoint_id=point.pk, decided="risk", why="x"
        )


# --- totals and the past ------------------------------------------------------------------------


@pytest.fixture
def quarter(people):
    """Two of the owner, one of a colleague, in two months; one outside of the quarter."""
    mine = make_customer("甲", owner=people.owner)
    other = make_customer("乙", owner=people.colleague)
    return [
        make_renewal(mine, date(2026, 4, 10), 10 * WAN),
        make_renewal(mine, date(2026, 5, 20), 20 * WAN, group="bi"),
        make_renewal(other, date(2026, 5, 31), 40 * WAN),
        make_renewal(other, date(2026, 7, 1), 80 * WAN, group="bi"),
    ]


def rows_of(actor, **filters):
    return queries.within(
        actor, Filters(**filters), date(2026, 4, 1), date(2026, 6, 30), changed_since=NOW
    )


def test_totals_by_month_and_category(people, quarter):
    say(people, quarter[0], category="commit")
    found = queries.totals(rows_of(people.leader), in_base)
    assert found.months == [date(2026, 4, 1), date(2026, 5, 1)]
    assert found.of().count == 3
    assert found.of().due_minor == 70 * WAN
    assert found.of(month=date(2026, 5, 1)).due_minor == 60 * WAN
    assert found.of(categories=["commit"]).forecast_minor == 10 * WAN
    assert found.judged.count == 1
    assert queries.totals(rows_of(people.owner), in_base).of().count == 2
    assert queries.totals(rows_of(people.stranger), in_base).of().count == 0


def test_an_unknown_rate_is_said_and_not_counted_as_nothing(people, quarter):
    Renewal.objects.filter(pk=quarter[0].pk).update(currency="USD")
    found = queries.totals(rows_of(people.leader), in_base)
    assert found.without_rate == {"USD": 10 * WAN}
    assert found.of().due_minor == 60 * WAN
    ExchangeRate.objects.create(
        currency="USD", base="CNY", on=date(2026, 1, 1), rate=7, known_at=NOW
    )
    convert, base = queries.converter(TODAY)
    assert base == "CNY"
    assert queries.totals(rows_of(people.leader), convert).of().due_minor == 130 * WAN


def test_filters(people, quarter):
    say(people, quarter[0], category="commit")
    assert rows_of(people.leader, only="unjudged").count() == 2
    assert rows_of(people.leader, only="changed").get() == quarter[0]
    assert rows_of(people.leader, category="commit").get() == quarter[0]
    assert rows_of(people.leader, owner_id=people.colleague.pk).get() == quarter[2]
    assert rows_of(people.leader, text="乙").get() == quarter[2]


def test_the_week_says_by_how_much_each_category_moved(people, quarter):
    early = NOW - timedelta(days=10)
    renewals.set_forecast(
        actor=people.owner, now=early, renewal_id=quarter[0].pk, category="commit"
    )
    say(people, quarter[0], category="at_risk", forecast_minor=4 * WAN)
    say(people, quarter[1], category="expected")
    moved = queries.week_of(rows_of(people.leader), NOW - timedelta(days=1), in_base).moved
    assert moved == {
        "commit": -10 * WAN, "at_risk": 4 * WAN, "expected": 20 * WAN, "unjudged": -20 * WAN
    }  # fmt: skip


def test_the_forecast_as_it_stood_on_a_past_day(people, quarter):
    Renewal.objects.update(created_at=NOW - timedelta(days=50))
    late = quarter[1]
    Renewal.objects.filter(pk=late.pk).update(created_at=NOW)
    for back, values in (
        (30, {"category": "commit"}),
        (20, {"forecast_minor": 6 * WAN}),
        (10, {"category": "at_risk", "forecast_minor": 2 * WAN}),
    ):
        renewals.set_forecast(
            actor=people.owner, now=NOW - timedelta(days=back), renewal_id=quarter[0].pk, **values
        )
    seen = {}
    for back in (40, 29, 19, 9):
        day = TODAY - timedelta(days=back)
        rows = {row.pk: row for row in queries.as_of(rows_of(people.leader), day)}
        assert late.pk not in rows, "it was not known then"
        row = rows[quarter[0].pk]
        seen[back] = (row.category, row.forecast_minor)
    assert seen == {
        40: ("unjudged", None),
        29: ("commit", 10 * WAN),
        19: ("commit", 6 * WAN),
        9: ("at_risk", 2 * WAN),
    }
    rows = queries.as_of(rows_of(people.leader), TODAY + timedelta(days=1))
    assert queries.totals_of(rows, in_base).cells == queries.totals(
        rows_of(people.leader), in_base
    ).cells, "today's totals are the same on both ways"  # fmt: skip
