"""What people do with alerts: who may, what it changes, and taking it back."""

from datetime import timedelta

import pytest
from alert_days import DAY, EARLY, after, at, judge, make_metric_rule, make_rules, put_values
from factories import People, make_customer

from gengyun.alerts.actions.undoing import CannotUndo, undo
from gengyun.alerts.actions.work import (
    AlertClosed,
    AlertNotClosed,
    AlertOpenAgain,
    OwnerUnfit,
    SnoozeDayBad,
    SnoozeReasonMissing,
    VerdictMissing,
    answer,
    assign,
    close,
    reopen,
    respond,
    snooze,
    wake,
)
from gengyun.alerts.actions.work import (
    judge as give_verdict,
)
from gengyun.alerts.models import Alert, Episode, RiskCause
from gengyun.alerts.queries.detail import detail
from gengyun.alerts.queries.quality import quality
from gengyun.alerts.queries.queue import Filters, counts, get, incidents, of_customer, queue
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.lake.store import Lake
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
NOW = at(DAY)


@pytest.fixture
def people():
    return People()


@pytest.fixture
def lake(tmp_path):
    make_rules(only=[])
    return Lake(tmp_path / "lake")


@pytest.fixture
def alerts(lake, people):
    """Two alerts in the owner's book, one in the colleague's."""
    make_metric_rule()
    rows = [
        make_customer(name, owner=owner, known_at=EARLY, arr_minor=arr)
        for name, owner, arr in (
            ("甲", people.owner, 100),
            ("乙", people.owner, 900),
            ("丙", people.colleague, 500),
        )
    ]
    put_values(lake, DAY, dict.fromkeys(rows, 5))
    judge(lake, DAY)
    return [Alert.objects.get(customer=row) for row in rows]


def frozen(*alerts):
    rows = Alert.objects.filter(pk__in=[a.pk for a in alerts]).order_by("pk").values()
    left_out = {"updated_at"}
    ends = Episode.objects.filter(alert__in=alerts).order_by("pk")
    return (
        [{k: v for k, v in row.items() if k not in left_out} for row in rows],
        list(ends.values_list("pk", "state", "end", "closed_on", "close_severity", "close_value")),
    )


def press(verb, actor, ids, now=NOW):
    """One press of each button."""
    common = {"actor": actor, "now": now, "alert_ids": ids}
    if verb == "respond":
        return respond(**common)
    if verb == "snooze":
        return snooze(**common, until=after(5), reason="等客户回复")
    if verb == "close":
        cause = RiskCause.objects.get(key="slow_go_live")
        return close(**common, verdict="false", cause=cause, note="换了账号")
    return assign(**common, owner=actor)


VERBS = ["respond", "snooze", "close", "assign"]


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_only_those_who_see_the_customer_may_work_its_alerts(verb, alerts, people):
    before = frozen(*alerts)
    for stranger in (people.colleague, people.stranger):
        with pytest.raises(NotFound):
            press(verb, stranger, [alerts[0].pk])
    with pytest.raises((NotAllowed, OwnerUnfit)):
        press(verb, people.viewer, [alerts[0].pk])
    # one that may not be seen refuses all
    with pytest.raises(NotFound):
        press(verb, people.owner, [alerts[0].pk, alerts[2].pk])
    assert frozen(*alerts) == before
    for allowed in (people.leader, people.operations, people.admin):
        batch = press(verb, allowed, [alerts[0].pk])
        undo(actor=allowed, now=NOW, batch=batch)


def test_giving_an_alert_to_a_colleague_is_a_leaders_business(alerts, people):
    ids = [alerts[0].pk]
    with pytest.raises(NotAllowed):
        assign(actor=people.owner, now=NOW, alert_ids=ids, owner=people.colleague)
    assign(actor=people.leader, now=NOW, alert_ids=ids, owner=people.colleague)
    given = get(people.colleague, ids[0])  # the customer stays in the other book
    assert (given.owner, given.is_assigned) == (people.colleague, True)
    for unfit in (people.viewer, None):
        if unfit is not None:
            with pytest.raises(OwnerUnfit):
                assign(actor=people.leader, now=NOW, alert_ids=ids, owner=unfit)


def test_a_guessed_id_is_not_found(alerts, people):
    with pytest.raises(NotFound):
        get(people.owner, alerts[2].pk)
    with pytest.raises(NotFound):
        respond(actor=people.owner, now=NOW, alert_ids=[10_000])
    assert of_customer(people.owner, alerts[2].customer_id) == []


# --- what it does -----------------------------------------------------------------------------------


def test_closing_keeps_verdict_cause_and_note_and_ends_the_episodes(alerts, people):
    press("close", people.owner, [alerts[0].pk, alerts[1].pk])
    alert = get(people.owner, alerts[0].pk)
    assert (alert.state, alert.verdict, alert.cause.key) == ("closed", "false", "slow_go_live")
    assert (alert.note, alert.closed_by, alert.close_reason) == ("换了账号", people.owner, "manual")
    assert alert.responded_by == people.owner
    assert not alert.is_asked
    episode = alert.episodes.get()
    assert (episode.state, episode.end, episode.close_value) == ("closed", "manual", 5.0)
    audit = AuditEntry.objects.filter(action="alert.closed")
    assert audit.count() == 2
    assert audit.first().changes["verdict"] == ["", "false"]
    with pytest.raises(AlertClosed):
        press("close", people.owner, [alerts[0].pk])


@pytest.mark.parametrize("verdict", ["", "maybe"])
def test_a_close_needs_a_verdict(alerts, people, verdict):
    with pytest.raises(VerdictMissing):
        close(actor=people.owner, now=NOW, alert_ids=[alerts[0].pk], verdict=verdict)


@pytest.mark.parametrize(("days", "reason"), [(0, "x"), (31, "x")])
def test_a_snooze_has_a_day_in_reach(alerts, people, days, reason):
    with pytest.raises(SnoozeDayBad):
        snooze(
            actor=people.owner,
            now=NOW,
            alert_ids=[alerts[0].pk],
            until=after(days),
            reason=reason,
        )


def test_a_snooze_needs_a_reason(alerts, people):
    with pytest.raises(SnoozeReasonMissing):
        snooze(actor=people.owner, now=NOW, alert_ids=[alerts[0].pk], until=after(3), reason="  ")


def test_a_snooze_can_be_ended_early(alerts, people):
    press("snooze", people.owner, [alerts[0].pk])
    assert counts(people.owner, now=NOW).tabs["snoozed"] == 1
    wake(actor=people.owner, now=NOW, alert_ids=[alerts[0].pk])
    assert counts(people.owner, now=NOW).tabs == {
        "open": 2,
        "digest": 0,
        "snoozed": 0,
        "asked": 0,
    }


def test_parts_are_closed_with_their_ticket(lake, alerts, people):
    make_metric_rule("b", metric="events_7d", cause="roi_wrong")
    customers = {alert.customer: 5 for alert in alerts}
    put_values(lake, DAY, customers)
    put_values(lake, DAY, customers, metric="events_7d")
    judge(lake, DAY)
    part = alerts[0].parts.get()
    batch = close(actor=people.owner, now=NOW, alert_ids=[alerts[0].pk], verdict="true")
    part.refresh_from_db()
    assert (part.state, part.verdict) == ("closed", "true")
    assert not Episode.objects.filter(customer=alerts[0].customer, closed_on=None).exists()
    undo(actor=people.owner, now=NOW, batch=batch)
    part.refresh_from_db()
    assert part.state == "open"


def test_what_went_away_asks_whether_it_was_us(lake, alerts, people):
    fine = {alert.customer: 50 for alert in alerts}
    for day in (1, 2):
        put_values(lake, after(day), fine)
        judge(lake, after(day))
    assert counts(people.owner, now=NOW).tabs["asked"] == 2
    with pytest.raises(AlertClosed):
        respond(actor=people.owner, now=NOW, alert_ids=[alerts[0].pk])
    answer(actor=people.owner, now=NOW, alert_ids=[alerts[0].pk], was_it_us=True)
    batch = answer(actor=people.owner, now=NOW, alert_ids=[alerts[1].pk], was_it_us=False)
    yes, no = (get(people.owner, alert.pk) for alert in alerts[:2])
    assert (yes.was_it_us, yes.verdict) == (True, "true")
    assert (no.was_it_us, no.verdict) == (False, "")
    assert counts(people.owner, now=NOW).tabs["asked"] == 0
    undo(actor=people.owner, now=NOW, batch=batch)
    assert get(people.owner, alerts[1].pk).is_asked
    give_verdict(actor=people.owner, now=NOW, alert_ids=[alerts[1].pk], verdict="known")
    open_one = make_open_again(lake, alerts[2])
    with pytest.raises(AlertNotClosed):
        answer(actor=people.admin, now=NOW, alert_ids=[open_one.pk], was_it_us=True)


def make_open_again(lake, alert):
    put_values(lake, after(3), {alert.customer: 5})
    judge(lake, after(3))
    return Alert.objects.get(pk=alert.pk)


def test_reopening_goes_on_where_it_was(lake, alerts, people):
    press("close", people.owner, [alerts[0].pk])
    reopen(actor=people.owner, now=NOW, alert_ids=[alerts[0].pk])
    alert = get(people.owner, alerts[0].pk)
    assert (alert.state, alert.verdict, alert.episodes.get().state) == ("open", "", "open")
    put_values(lake, after(1), {alert.customer: 5})
    assert judge(lake, after(1)).opened == 0
    with pytest.raises(AlertNotClosed):
        reopen(actor=people.owner, now=NOW, alert_ids=[alerts[0].pk])


def test_it_cannot_be_reopened_beside_its_successor(lake, alerts, people):
    press("close", people.owner, [alerts[0].pk])
    put_values(lake, after(40), {alerts[0].customer: 5})
    assert judge(lake, after(40)).opened == 1
    with pytest.raises(AlertOpenAgain):
        reopen(actor=people.owner, now=NOW, alert_ids=[alerts[0].pk])


# --- taking back ----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_an_undo_puts_everything_back(verb, alerts, people):
    if verb == "assign":
        Alert.objects.update(owner=people.colleague)
    before = frozen(*alerts)
    batch = press(verb, people.owner, [alerts[0].pk, alerts[1].pk])
    assert frozen(*alerts) != before
    undone = undo(actor=people.owner, now=NOW + timedelta(minutes=1), batch=batch)
    assert len(undone) == 2
    assert frozen(*alerts) == before
    with pytest.raises(NotFound):
        undo(actor=people.owner, now=NOW, batch=batch)  # once
    assert AuditEntry.objects.filter(action="alert.undone").count() == 2


def test_an_undo_is_refused_when_something_else_happened(alerts, people):
    batch = press("snooze", people.owner, [alerts[0].pk])
    press("close", people.leader, [alerts[0].pk])
    before = frozen(*alerts)
    with pytest.raises(CannotUndo):
        undo(actor=people.owner, now=NOW, batch=batch)
    assert frozen(*alerts) == before


def test_nobody_takes_back_what_another_did(alerts, people):
    batch = press("close", people.owner, [alerts[0].pk])
    with pytest.raises(NotFound):
        undo(actor=people.leader, now=NOW, batch=batch)
    with pytest.raises(NotFound):
        undo(actor=people.owner, now=NOW, batch="")


def test_after_an_undone_close_the_day_judged_again_opens_nothing(lake, alerts, people):
    batch = press("close", people.owner, [alerts[0].pk])
    undo(actor=people.owner, now=NOW, batch=batch)
    assert judge(lake, DAY).opened == 0
    assert Alert.objects.count() == 3


# --- queue, precision -------------------------------------------------------------------------------


def test_the_queue_is_ordered_by_urgency_then_amount(alerts, people):
    names = [alert.customer.name for alert in queue(people.leader, now=NOW)]
    assert names == ["乙", "丙", "甲"]
    assert [a.customer.name for a in queue(people.owner, now=NOW)] == ["乙", "甲"]
    by_amount = queue(people.viewer, now=NOW, sort="amount")
    assert [alert.customer.name for alert in by_amount] == ["乙", "丙", "甲"]
    assert list(queue(people.stranger, now=NOW)) == []
    late = NOW + timedelta(days=30)
    wanted = Filters(is_late=True)
    assert queue(people.leader, now=NOW, filters=wanted).count() == 0
    assert queue(people.leader, now=late, filters=wanted).count() == 3
    assert counts(people.leader, now=late).late == 3
    assert queue(people.leader, now=NOW, filters=Filters(text="丙")).count() == 1
    assert queue(people.leader, now=NOW, filters=Filters(owner_id=0)).count() == 0
    assert queue(people.leader, now=NOW, filters=Filters(families=["value"])).count() == 0
    rule = alerts[0].rule_id
    assert queue(people.leader, now=NOW, filters=Filters(rules=[rule])).count() == 3


def test_company_wide_incidents_are_seen_by_all_and_closed_by_operations(people, lake, alerts):
    incident = Alert.objects.create(
        key="outage",
        family="data",
        rule=make_rules()["outage"],
        severity=1,
        opened_on=DAY,
        opened_at=NOW,
        last_seen_on=DAY,
        updated_at=NOW,
    )
    assert incidents(people.owner) == [incident]
    assert incident not in queue(people.admin, now=NOW)
    with pytest.raises(NotAllowed):
        press("close", people.owner, [incident.pk])
    press("close", people.operations, [incident.pk])
    assert incidents(people.owner) == []


def test_the_log_of_an_alert_tells_everything(alerts, people):
    batch = press("snooze", people.owner, [alerts[0].pk])
    undo(actor=people.owner, now=NOW, batch=batch)
    press("close", people.owner, [alerts[0].pk])
    told = detail(people.owner, get(people.owner, alerts[0].pk))
    assert [line.kind for line in told.log] == ["opened", "snoozed", "undone", "closed"]
    assert told.log[1].detail["reason"] == ["", "等客户回复"]
    assert told.log[1].undone_at is not None


def test_verdicts_make_the_precision_of_the_rule(alerts, people):
    close(actor=people.leader, now=NOW, alert_ids=[alerts[0].pk], verdict="true")
    close(actor=people.leader, now=NOW, alert_ids=[alerts[1].pk], verdict="false")
    close(actor=people.leader, now=NOW, alert_ids=[alerts[2].pk], verdict="known")
    row = next(one for one in quality(now=NOW) if one.rule.key == "low")
    found = row.precision
    assert (found.true, found.false, found.known) == (1, 1, 1)
    assert (row.open, row.opened_28d, row.is_demotion_proposed) == (0, 3, False)
    assert quality(now=NOW, since=NOW + timedelta(days=1))[-1].precision.judged == 0


def test_talking_with_the_customer_is_a_response(
    alerts, people, django_capture_on_commit_callbacks
):
    from gengyun.engagement.actions.activities import log_activity

    def talk(kind, moment):
        with django_capture_on_commit_callbacks(execute=True):
            log_activity(
                actor=people.owner,
                now=moment,
                customer=alerts[0].customer,
                kind=kind,
                body="聊了上线",
                happened_at=moment,
            )
        return get(people.owner, alerts[0].pk).responded_at

    assert talk("note", NOW + timedelta(hours=1)) is None
    assert talk("call", NOW - timedelta(days=1)) is None  # before it opened
    moment = NOW + timedelta(hours=2)
    assert talk("call", moment) == moment
    assert get(people.owner, alerts[0].pk).responded_by == people.owner
    assert get(people.owner, alerts[1].pk).responded_at is None
