"""A judged day: episodes open one work item each, close, cool down, stay within the budget."""

from datetime import timedelta

import pytest
from alert_days import (
    DAY,
    EARLY,
    after,
    at,
    judge,
    make_metric_rule,
    make_rules,
    put_scores,
    put_use,
    put_values,
    working_use,
)
from factories import make_contact, make_customer, make_team, make_user

from gengyun.alerts.actions.escalating import escalate_due
from gengyun.alerts.actions.evaluate import evaluate_day, evaluate_sources
from gengyun.alerts.actions.work import close, respond, snooze
from gengyun.alerts.models import Alert, AlertDay, AlertEvent, AlertPolicy, Episode, Suppression
from gengyun.customers.actions.contacts import edit_contact, mark_left
from gengyun.customers.actions.customers import assign_owner
from gengyun.kernel.clock import utc_now
from gengyun.kernel.day import steps
from gengyun.kernel.days import day_of
from gengyun.lake.store import Lake
from gengyun.portfolio.models import CustomerSummary
from gengyun.usage.models import Source, WriteKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(tmp_path):
    make_rules(only=[])
    return Lake(tmp_path / "lake")


@pytest.fixture
def person():
    return make_user("csm")


def customer(owner=None, **values):
    return make_customer(owner=owner, known_at=EARLY, **values)


def kinds(alert):
    return list(alert.events.order_by("pk").values_list("kind", flat=True))


def state():
    """Everything a second judgement of the same day could double."""
    return (
        list(Alert.objects.order_by("pk").values_list("pk", "state", "severity", "in_digest")),
        list(
            Episode.objects.order_by("pk").values_list("pk", "state", "enter_count", "exit_count")
        ),
        AlertEvent.objects.count(),
        Suppression.objects.count(),
    )


# --- opening and closing ------------------------------------------------------------------------


def test_an_episode_opens_one_work_item_and_the_same_day_again_opens_nothing(lake, person):
    rule = make_metric_rule()
    low, fine = customer(person), customer(person)
    put_values(lake, DAY, {low: 5, fine: 50})
    found = judge(lake, DAY)
    assert (found.opened, found.tickets, found.customers) == (1, 1, 2)
    alert = Alert.objects.get()
    assert (alert.customer, alert.owner, alert.family) == (low, person, "adoption")
    assert (alert.state, alert.severity, alert.rule) == ("open", 2, rule)
    assert alert.response_due_at > at(DAY)
    episode = alert.episodes.get()
    assert (episode.value, episode.opened_on) == (5.0, DAY)
    assert episode.evidence == [{"on": "2026-03-02", "value": 5.0, "severity": 2}]
    before = state()
    for _ in range(3):
        again = judge(lake, DAY, now=at(DAY) + timedelta(hours=3))
        assert (again.opened, again.joined) == (0, 0)
    assert state() == before
    assert AlertDay.objects.count() == 1


def test_a_day_of_the_past_opens_nothing_today(lake, person):
    make_metric_rule()
    low = customer(person)
    put_values(lake, DAY, {low: 50})
    put_values(lake, after(-7), {low: 5})
    judge(lake, DAY)
    found = judge(lake, after(-7), now=at(DAY))
    assert not found.is_newest
    assert not Episode.objects.exists()
    assert AlertDay.objects.get().as_of == DAY


def test_between_enter_and_exit_it_goes_on_and_beyond_exit_it_ends_after_two_days(lake, person):
    make_metric_rule()
    low = customer(person)
    for day, value in enumerate([5, 15, 15, 25, 15, 25, None, 25]):
        put_values(lake, after(day), {low: value})
        judge(lake, after(day))
        assert Alert.objects.get().state == "open", day
    put_values(lake, after(8), {low: 25})
    assert judge(lake, after(8)).closed == 1
    alert = Alert.objects.get()
    assert (alert.state, alert.close_reason, alert.verdict) == ("closed", "cleared", "")
    assert alert.is_asked  # 是你解决的吗?
    assert kinds(alert) == ["opened", "cleared"]
    assert alert.episodes.get().end == "cleared"


def test_what_comes_back_soon_after_it_went_away_is_the_same_work_item(lake, person):
    make_metric_rule()
    low = customer(person)
    for day, value in enumerate([5, 25, 25, 5]):
        put_values(lake, after(day), {low: value})
        found = judge(lake, after(day))
    assert (found.opened, found.reopened) == (0, 1)
    alert = Alert.objects.get()
    assert alert.state == "open"
    assert alert.episodes.count() == 2
    assert kinds(alert) == ["opened", "cleared", "reopened"]


def test_a_rule_may_ask_for_several_days_in_a_row(lake, person):
    make_metric_rule(evaluations=3)
    low = customer(person)
    for day in (0, 1):
        put_values(lake, after(day), {low: 5})
        judge(lake, after(day))
        judge(lake, after(day))  # again: does not count twice
        assert not Alert.objects.exists()
    assert Episode.objects.get().state == "watching"
    put_values(lake, after(2), {low: 5})
    assert judge(lake, after(2)).opened == 1
    other = customer(person)
    put_values(lake, after(3), {low: 5, other: 5})
    judge(lake, after(3))
    put_values(lake, after(4), {low: 5, other: 30})
    judge(lake, after(4))
    assert not Episode.objects.filter(customer=other).exists()  # it did not last: forgotten


# --- closing by hand, snoozing --------------------------------------------------------------------


def test_a_close_by_hand_starts_a_cool_down(lake, person):
    make_metric_rule(urgent=2)
    low = customer(person)
    put_values(lake, DAY, {low: 5})
    judge(lake, DAY)
    close(actor=person, now=at(DAY), alert_ids=[Alert.objects.get().pk], verdict="true")
    assert judge(lake, DAY).opened == 0  # the same day, judged again after the close
    for day in (1, 13):
        put_values(lake, after(day), {low: 5})
        found = judge(lake, after(day))
        assert (found.opened, found.suppressed) == (0, 1)
    put_values(lake, after(14), {low: 4.8})
    assert judge(lake, after(14)).opened == 0
    reasons = list(Suppression.objects.order_by("as_of").values_list("reason", flat=True))
    assert reasons == ["cool_down", "cool_down", "cool_down", "not_worse"]
    put_values(lake, after(15), {low: 3})  # worse than at the close by more than a tenth
    assert judge(lake, after(15)).opened == 1
    assert Alert.objects.order_by("-pk").first().previous == Alert.objects.order_by("pk").first()


def test_within_the_cool_down_only_a_higher_severity_opens_again(lake, person):
    make_metric_rule(urgent=2)
    low = customer(person)
    put_values(lake, DAY, {low: 5})
    judge(lake, DAY)
    close(actor=person, now=at(DAY), alert_ids=[Alert.objects.get().pk], verdict="known")
    put_values(lake, after(1), {low: 1})
    assert judge(lake, after(1)).opened == 1
    assert Alert.objects.order_by("-pk").first().severity == 1


def test_a_snooze_silences_and_ends_on_its_day(lake, person):
    make_metric_rule()
    make_metric_rule("other", metric="events_7d", cause="activation_low")
    low = customer(person)
    put_values(lake, DAY, {low: 5})
    judge(lake, DAY)
    alert = Alert.objects.get()
    snooze(actor=person, now=at(DAY), alert_ids=[alert.pk], until=after(3), reason="等客户开会")
    put_values(lake, after(1), {low: 5})
    put_values(lake, after(1), {low: 5}, metric="events_7d")
    found = judge(lake, after(1))
    assert (found.opened, found.joined) == (0, 1)  # same family: silent evidence
    assert Suppression.objects.get().reason == "snooze"
    alert.refresh_from_db()
    assert (alert.state, alert.episodes.count()) == ("snoozed", 2)
    put_values(lake, after(3), {low: 5})
    assert judge(lake, after(3)).woken == 1
    alert.refresh_from_db()
    assert (alert.state, alert.snoozed_until) == ("open", None)


def test_a_snoozed_alert_wakes_when_it_becomes_more_urgent(lake, person):
    make_metric_rule(urgent=2)
    low = customer(person)
    put_values(lake, DAY, {low: 5})
    judge(lake, DAY)
    alert = Alert.objects.get()
    snooze(actor=person, now=at(DAY), alert_ids=[alert.pk], until=after(9), reason="等")
    put_values(lake, after(1), {low: 1})
    assert judge(lake, after(1)).raised == 1
    alert.refresh_from_db()
    assert (alert.state, alert.severity) == ("open", 1)


def test_severity_rises_at_most_once_in_seven_days(lake, person):
    rule = make_metric_rule(severity=3, urgent=2)
    low = customer(person)
    put_values(lake, DAY, {low: 5})
    judge(lake, DAY)
    put_values(lake, after(1), {low: 1})
    judge(lake, after(1))
    alert = Alert.objects.get()
    assert alert.severity == 2
    rule.severity = 2  # from now on 1 when urgent
    rule.save()
    put_values(lake, after(2), {low: 1})
    judge(lake, after(2))
    alert.refresh_from_db()
    assert alert.severity == 2
    put_values(lake, after(8), {low: 1})
    judge(lake, after(8))
    alert.refresh_from_db()
    assert alert.severity == 1


# --- several rules, budget -----------------------------------------------------------------------


def test_one_family_is_one_work_item_and_other_families_join_as_parts(lake, person):
    make_metric_rule("a", severity=3)
    make_metric_rule("b", severity=2, metric="events_7d", cause="activation_low")
    make_metric_rule("c", severity=1, metric="breadth_30d", cause="roi_wrong")
    low = customer(person)
    for metric in ("events_30d", "events_7d", "breadth_30d"):
        put_values(lake, DAY, {low: 5}, metric=metric)
    found = judge(lake, DAY)
    assert (found.opened, found.tickets) == (2, 1)
    ticket = Alert.objects.tickets().get()
    assert (ticket.family, ticket.severity) == ("value", 1)
    part = ticket.parts.get()
    assert (part.family, part.severity, part.episodes.count()) == ("adoption", 2, 2)


def test_a_part_goes_on_by_itself_when_its_ticket_ends(lake, person):
    make_metric_rule("a")
    make_metric_rule("b", metric="events_7d", cause="roi_wrong")
    low = customer(person)
    put_values(lake, DAY, {low: 5})
    judge(lake, DAY)
    ticket = Alert.objects.get()
    put_values(lake, after(2), {low: 5})
    put_values(lake, after(2), {low: 5}, metric="events_7d")
    judge(lake, after(2))
    assert ticket.parts.get().family == "value"
    for day in (3, 4):
        put_values(lake, after(day), {low: 30})
        put_values(lake, after(day), {low: 5}, metric="events_7d")
        judge(lake, after(day))
    ticket.refresh_from_db()
    assert ticket.state == "closed"
    assert Alert.objects.open().get().parent is None


def two_families(lake, low, *days, values=(5, 5)):
    for day in days:
        put_values(lake, after(day), {low: values[0]})
        put_values(lake, after(day), {low: values[1]}, metric="events_7d")
        judge(lake, after(day))


def test_a_ticket_and_its_part_may_end_on_the_same_day(lake, person):
    make_metric_rule("a")
    make_metric_rule("b", metric="events_7d", cause="roi_wrong")
    low = customer(person)
    two_families(lake, low, 0)
    assert Alert.objects.filter(parent__isnull=False).count() == 1
    two_families(lake, low, 1, 2, values=(30, 30))
    assert set(Alert.objects.values_list("state", "close_reason")) == {("closed", "cleared")}


def test_a_part_that_comes_back_after_its_ticket_was_closed_is_seen(lake, person):
    make_metric_rule("a", severity=1)
    make_metric_rule("b", metric="events_7d", cause="roi_wrong")
    low = customer(person)
    two_families(lake, low, 0)
    two_families(lake, low, 1, 2, values=(5, 30))
    ticket, part = Alert.objects.order_by("severity")
    assert (ticket.state, part.state, part.parent) == ("open", "closed", ticket)
    close(actor=person, now=at(after(2)), alert_ids=[ticket.pk], verdict="true")
    two_families(lake, low, 3)
    part.refresh_from_db()
    assert (part.state, part.parent) == ("open", None)


def test_after_the_days_of_a_parent_another_family_is_a_ticket_of_its_own(lake, person):
    make_metric_rule("a")
    make_metric_rule("b", metric="events_7d", cause="roi_wrong")
    low = customer(person)
    put_values(lake, DAY, {low: 5})
    judge(lake, DAY)
    put_values(lake, after(4), {low: 5})
    put_values(lake, after(4), {low: 5}, metric="events_7d")
    judge(lake, after(4))
    assert Alert.objects.tickets().count() == 2


def test_beyond_the_budget_it_goes_to_the_digest_and_follows_when_there_is_room(lake, person):
    AlertPolicy.objects.create(daily_budget=2)
    make_metric_rule()
    colleague = make_user("csm")
    rows = {customer(person, arr_minor=1000 * n): 5 for n in range(5)}
    rows[customer(colleague)] = 5
    put_values(lake, DAY, rows)
    found = judge(lake, DAY)
    assert (found.opened, found.tickets, found.digest) == (6, 3, 3)
    shown = Alert.objects.filter(in_digest=False, owner=person)
    assert sorted(shown.values_list("customer__arr_minor", flat=True)) == [3000, 4000]
    waiting = Alert.objects.filter(in_digest=True)
    assert set(waiting.values_list("response_due_at", flat=True)) == {None}
    assert Suppression.objects.get(reason="budget").count == 3
    assert judge(lake, DAY).from_digest == 0  # the same day again: the budget is used
    put_values(lake, after(1), rows)
    assert judge(lake, after(1)).from_digest == 2
    put_values(lake, after(2), rows)
    assert judge(lake, after(2)).from_digest == 1
    assert not Alert.objects.filter(in_digest=True).exists()


def test_the_most_urgent_passes_any_budget(lake, person):
    AlertPolicy.objects.create(daily_budget=1)
    make_metric_rule(severity=1)
    put_values(lake, DAY, {customer(person): 5 for _ in range(4)})
    assert judge(lake, DAY).tickets == 4


# --- who and what is judged ------------------------------------------------------------------------


def test_an_archived_customer_ends_its_alerts(lake, person):
    make_metric_rule()
    low = customer(person)
    put_values(lake, DAY, {low: 5})
    judge(lake, DAY)
    low.archived_at = at(DAY)
    low.save()
    judge(lake, after(1))
    alert = Alert.objects.get()
    assert (alert.state, alert.close_reason) == ("closed", "gone")
    assert not alert.is_asked


def test_a_rule_judges_its_scope_only(lake, person):
    from factories import make_tiers

    from gengyun.customers.models import FieldChange

    tiers = list(make_tiers().values())
    rule = make_metric_rule()
    rule.scope = {"tiers": [tiers[0].pk]}
    rule.save()
    inside, outside = customer(person, tier=tiers[0]), customer(person, tier=tiers[1])
    for one in (inside, outside):
        FieldChange.objects.create(customer=one, field="tier_id", value=one.tier_id, known_at=EARLY)
    put_values(lake, DAY, {inside: 5, outside: 5})
    judge(lake, DAY)
    assert Alert.objects.get().customer == inside
    FieldChange.objects.create(
        customer=inside, field="tier_id", value=tiers[1].pk, known_at=at(DAY)
    )
    put_values(lake, after(1), {inside: 5, outside: 5})
    judge(lake, after(1))
    assert Alert.objects.get().close_reason == "gone"


def test_a_stage_that_takes_too_long_is_late_by_working_time(lake, person):
    from factories import make_tiers

    from gengyun.alerts.models import AlertRule
    from gengyun.customers.models import Stage, StageStay

    make_tiers()
    stage = Stage.objects.get(key="kickoff", touch_model="high")
    Stage.objects.filter(pk=stage.pk).update(longest_days=30)
    rule = AlertRule.objects.get(key="stage_late")
    rule.is_active, rule.scope = True, {"stages": [stage.pk]}
    rule.save()
    late, just, other = customer(person), customer(person), customer(person)
    # 30 days and 14 working days are over, with a weekend more or less; over 春节 it takes longer
    end = after(60)
    since = {late: end - timedelta(days=55), just: end - timedelta(days=46)}
    for one, day in since.items():
        StageStay.objects.create(customer=one, stage=stage, entered_on=day)
    elsewhere = Stage.objects.get(key="steady", touch_model="high")
    StageStay.objects.create(customer=other, stage=elsewhere, entered_on=DAY)
    judge(lake, end)
    alert = Alert.objects.get()
    assert (alert.customer, alert.severity, alert.family) == (late, 3, "adoption")
    assert alert.episodes.get().evidence[0]["since"] == since[late].isoformat()
    StageStay.objects.filter(customer=late).update(left_on=after(61))
    StageStay.objects.create(customer=late, stage=elsewhere, entered_on=after(61))
    for day in (62, 63):
        judge(lake, after(day))
    alert.refresh_from_db()
    assert (alert.state, alert.close_reason) == ("closed", "cleared")  # it got on: asked about


def test_a_customer_that_became_known_later_is_not_judged(lake):
    make_metric_rule()
    new = make_customer(known_at=at(DAY))
    put_values(lake, DAY, {new: 5})
    assert judge(lake, DAY).customers == 0
    assert not Alert.objects.exists()


def test_a_fall_of_band_is_told_and_the_score_before_stands_beside_it(lake, person):
    from gengyun.alerts.models import AlertRule

    AlertRule.objects.filter(key="band_d").update(is_active=True)
    fell, low = customer(person), customer(person)
    put_scores(lake, after(-28), {fell: (70.0, "B"), low: (40.0, "D")})
    put_scores(lake, DAY, {fell: (45.0, "D"), low: (40.0, "D")})
    judge(lake, DAY)
    episode = Episode.objects.get()
    assert (episode.customer, episode.value, episode.reference) == (fell, 45.0, 70.0)
    assert episode.evidence[0]["band_before"] == "B"


# --- facts ---------------------------------------------------------------------------------------


def test_a_decision_maker_who_leaves_is_told_at_once_and_settled_by_a_successor(
    lake, person, django_capture_on_commit_callbacks
):
    from gengyun.alerts.models import AlertRule

    AlertRule.objects.filter(key="decider_left").update(is_active=True)
    one = customer(person)
    chief = make_contact(one, "王总", part="decider", created_at=EARLY, updated_at=EARLY)
    make_contact(one, "李总", part="decider", created_at=EARLY, updated_at=EARLY)
    second = make_contact(one, "周经理", part="user", created_at=EARLY, updated_at=EARLY)
    judge(lake, DAY)
    assert not Alert.objects.exists()
    # the change is judged when it is delivered: now
    now = utc_now()
    with django_capture_on_commit_callbacks(execute=True):
        mark_left(actor=person, now=now, contact=chief, left_on=day_of(now))
    alert = Alert.objects.get()
    assert (alert.severity, alert.family) == (1, "relationship")
    assert alert.episodes.get().evidence[0]["name"] == "王总"
    row = CustomerSummary.objects.get(customer=one)
    assert row.needs[0]["code"] == "alert"
    assert row.needs[0]["facts"]["alert"] == alert.pk
    assert kinds(alert) == ["opened"]
    with django_capture_on_commit_callbacks(execute=True):
        edit_contact(actor=person, now=utc_now(), contact=second, changes={"part": "decider"})
    assert Alert.objects.get().state == "closed"
    assert "alert" not in CustomerSummary.objects.get(customer=one).need_codes


def test_alerts_follow_the_owner_of_the_customer_unless_given_by_hand(
    lake, person, django_capture_on_commit_callbacks
):
    make_metric_rule()
    admin, other = make_user("admin"), make_user("csm")
    low = customer(person)
    put_values(lake, DAY, {low: 5})
    judge(lake, DAY)
    with django_capture_on_commit_callbacks(execute=True):
        assign_owner(actor=admin, now=at(DAY), customers=[low], owner=other)
    assert Alert.objects.get().owner == other
    Alert.objects.update(is_assigned=True)
    with django_capture_on_commit_callbacks(execute=True):
        assign_owner(actor=admin, now=at(DAY), customers=[low], owner=person)
    assert Alert.objects.get().owner == other


# --- use: drops, holidays, outages, silent sources ------------------------------------------------


@pytest.fixture
def users(lake, person):
    from gengyun.alerts.models import AlertRule

    AlertRule.objects.filter(key__in=["usage_drop", "dormant", "outage", "source_silent"]).update(
        is_active=True
    )
    return [customer(person) for _ in range(12)]


def test_a_customer_that_uses_less_is_told_and_the_others_are_not(lake, users):
    end = DAY + timedelta(days=60)  # well after 春节
    use = {one: working_use(end) for one in users}
    cut = end - timedelta(days=21)
    use[users[0]] = {day: n if day < cut else n // 4 for day, n in use[users[0]].items()}
    put_use(lake, use)
    judge(lake, end)
    alert = Alert.objects.get()
    assert (alert.customer, alert.rule.key) == (users[0], "usage_drop")
    facts = alert.episodes.get().evidence[0]
    assert facts["ratio"] < 0.4
    assert facts["z"] < -3


def test_spring_festival_raises_nothing(lake, users):
    put_use(lake, {one: working_use(DAY + timedelta(days=20), count=240) for one in users})
    for day in range(-12, 12):
        judge(lake, after(day))
    assert not Alert.objects.exists()
    assert Suppression.objects.filter(reason="calendar").exists()


def test_an_outage_of_three_days_is_one_incident_and_no_tickets(lake, users):
    end = DAY + timedelta(days=59)  # a Thursday
    use = {one: working_use(end + timedelta(days=14)) for one in users}
    out = [end + timedelta(days=k) for k in range(3)]
    for days in use.values():
        for day in out:
            days[day] = 0
    put_use(lake, use)
    for day in range(12):
        judge(lake, end + timedelta(days=day))
        judge(lake, end + timedelta(days=day))
    incident = Alert.objects.get()
    assert (incident.customer, incident.rule.key, incident.state) == (None, "outage", "closed")
    assert incident.severity == 1
    assert Suppression.objects.filter(reason="outage").exists()


def test_a_silent_source_is_told_to_operations_and_silences_use(lake, users):
    end = DAY + timedelta(days=60)
    use = {one: working_use(end) for one in users}
    cut = end - timedelta(days=21)
    use[users[0]] = {day: n if day < cut else 0 for day, n in use[users[0]].items()}
    put_use(lake, use)
    source = Source.objects.create(
        key="app", name="产品", created_at=EARLY, last_event_at=at(end - timedelta(days=4))
    )
    WriteKey.objects.create(source=source, key="k1", created_at=EARLY, last_used_at=EARLY)
    judge(lake, end)
    alert = Alert.objects.get()
    assert (alert.rule.key, alert.customer, alert.owner) == ("source_silent", None, None)
    assert Suppression.objects.filter(reason="source").exists()
    Source.objects.update(last_event_at=at(end))
    evaluate_sources(now=at(end) + timedelta(minutes=10))
    assert Alert.objects.get().state == "closed"


def test_a_source_that_people_import_files_into_is_not_waited_for(lake, users):
    Source.objects.create(key="f", name="文件", created_at=EARLY, last_event_at=EARLY)
    judge(lake, DAY)
    assert not Alert.objects.exists()


# --- time limits ---------------------------------------------------------------------------------


def test_without_a_response_the_leader_is_told_once(lake):
    team = make_team()
    person, leader = make_user("csm", team=team), make_user("leader", team=team)
    make_metric_rule()
    put_values(lake, DAY, {customer(person): 5, customer(person): 6})
    judge(lake, DAY)
    first, second = Alert.objects.order_by("pk")
    respond(actor=person, now=at(DAY), alert_ids=[second.pk])
    assert escalate_due(now=first.response_due_at - timedelta(minutes=1)) == 0
    assert escalate_due(now=first.response_due_at + timedelta(minutes=1)) == 1
    assert escalate_due(now=first.response_due_at + timedelta(minutes=20)) == 0
    first.refresh_from_db()
    assert (first.escalation_level, first.escalated_to) == (1, leader)
    assert escalate_due(now=first.resolve_due_at + timedelta(minutes=1)) == 2
    second.refresh_from_db()
    assert second.escalation_level == 2


def test_the_alert_step_stands_between_health_and_the_summaries():
    order = [step.name for step in steps()]
    assert order.index("health") < order.index("alerts") < order.index("summary")


def test_a_killed_judgement_leaves_nothing_half(lake, person, monkeypatch):
    from gengyun.alerts.actions import evaluate

    make_metric_rule()
    put_values(lake, DAY, {customer(person): 5})

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "close_cleared", killed)
    with pytest.raises(KeyboardInterrupt):
        evaluate_day(DAY, now=at(DAY), lake=lake)
    monkeypatch.undo()
    assert not Alert.objects.exists()
    assert not Episode.objects.exists()
    assert judge(lake, DAY).opened == 1
