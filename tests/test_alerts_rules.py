"""Rules, causes and policy in the hands of their owner; rules tried on history."""

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
    put_values,
)
from click.testing import CliRunner
from factories import People, make_customer, make_user

from gengyun.alerts.actions.causes import (
    CauseBad,
    CauseInUse,
    CauseNameMissing,
    PolicyBad,
    create_cause,
    edit_cause,
    edit_policy,
    restore_cause,
    retire_cause,
)
from gengyun.alerts.actions.defaults import CAUSES, RULES, install_defaults
from gengyun.alerts.actions.rules import (
    RuleFieldBad,
    RuleKindUnknown,
    RuleNameMissing,
    RuleRetired,
    build_rule,
    create_rule,
    demote_rule,
    edit_rule,
    reorder_rules,
    restore_rule,
    retire_rule,
    switch_rule,
)
from gengyun.alerts.models import Alert, AlertRule, Episode, RiskCause
from gengyun.alerts.queries.policy import families, policy
from gengyun.alerts.queries.preview import preview_rule
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.lake.store import Lake
from gengyun.team.models import AuditEntry
from gengyun.usage.actions.defaults import install_defaults as install_metrics

pytestmark = pytest.mark.django_db
NOW = at(DAY)


@pytest.fixture
def people():
    return People()


@pytest.fixture
def lake(tmp_path):
    install_metrics(now=EARLY)
    make_rules(only=[])
    return Lake(tmp_path / "lake")


def values(**rest):
    return {
        "name_zh": "活跃太低",
        "name_en": "Too little use",
        "severity": 2,
        "cause": RiskCause.objects.get(key="use_low"),
        "params": {"metric": "events_30d", "op": "lt", "enter": 10, "exit": 20},
        **rest,
    }


def test_defaults_are_installed_once_and_stay_as_they_were_made(lake):
    assert AlertRule.objects.count() == len(RULES)
    grades = dict(RiskCause.objects.values_list("key", "grade"))
    # the articles' grades (domain.md)
    high = {"sold_wrong", "roi_wrong", "decider_changed"}
    assert {grades[key] for key in high} == {"high"}
    assert {grades[key] for key in ("slow_go_live", "slow_answers")} == {"medium"}
    assert {grades[key] for key in ("champion_changed", "need_unmet")} == {"low"}
    top = families()
    for key, _, _, _, below in CAUSES:
        for cause in below:
            assert top[RiskCause.objects.get(key=cause[0]).pk] == key
    AlertRule.objects.filter(key="dormant").update(severity=4)
    assert install_defaults(now=NOW) == 0
    assert AlertRule.objects.get(key="dormant").severity == 4


def test_a_rule_is_made_edited_switched_and_retired_with_audit(lake, people):
    actor = people.operations
    rule = create_rule(actor=actor, now=NOW, kind="metric", values=values())
    assert (rule.version, rule.cool_down_days, rule.is_active) == (1, 14, True)
    changed = {"params": {"metric": "events_30d", "op": "lt", "enter": 5}}
    rule = edit_rule(actor=actor, now=NOW, rule=rule, changes=changed)
    assert (rule.version, rule.params["enter"], rule.params["exit"]) == (2, 5, None)
    rule = edit_rule(actor=actor, now=NOW, rule=rule, changes={"name_en": "Low use"})
    assert rule.version == 2  # a name judges nobody
    switch_rule(actor=actor, now=NOW, rule=rule, on=False)
    retire_rule(actor=actor, now=NOW, rule=rule)
    with pytest.raises(RuleRetired):
        edit_rule(actor=actor, now=NOW, rule=rule, changes={"severity": 1})
    restore_rule(actor=actor, now=NOW, rule=rule)
    verbs = AuditEntry.objects.filter(object_id=str(rule.pk), object_type="alerts.alertrule")
    assert list(verbs.order_by("pk").values_list("action", flat=True)) == [
        "alert_rule.created",
        "alert_rule.edited",
        "alert_rule.edited",
        "alert_rule.switched",
        "alert_rule.retired",
        "alert_rule.restored",
    ]


def test_only_settings_editors_may_change_rules(lake, people):
    rule = make_metric_rule()
    cause = rule.cause
    for actor in (people.owner, people.leader, people.viewer):
        for act in (
            lambda actor: create_rule(actor=actor, now=NOW, kind="metric", values=values()),
            lambda actor: edit_rule(actor=actor, now=NOW, rule=rule, changes={"severity": 1}),
            lambda actor: switch_rule(actor=actor, now=NOW, rule=rule, on=False),
            lambda actor: retire_rule(actor=actor, now=NOW, rule=rule),
            lambda actor: restore_rule(actor=actor, now=NOW, rule=rule),
            lambda actor: reorder_rules(actor=actor, now=NOW, order=[rule.pk]),
            lambda actor: retire_cause(actor=actor, now=NOW, cause=cause),
            lambda actor: edit_policy(actor=actor, now=NOW, changes={"daily_budget": 9}),
        ):
            with pytest.raises(NotAllowed):
                act(actor)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"name_zh": " "}, RuleNameMissing),
        ({"severity": 5}, RuleFieldBad),
        ({"severity": "x"}, RuleFieldBad),
        ({"cool_down_days": -1}, RuleFieldBad),
        ({"cause": None}, RuleFieldBad),
        ({"params": {"metric": "nothing", "op": "lt", "enter": 1}}, RuleFieldBad),
        ({"params": {"metric": "events_30d", "op": "lt", "enter": 9, "exit": 1}}, RuleFieldBad),
        ({"scope": {"tiers": [99]}}, RuleFieldBad),
        ({"scope": {"colour": ["red"]}}, RuleFieldBad),
        ({"routes": "everywhere"}, RuleFieldBad),
        ({"is_active": False}, RuleFieldBad),
    ],
)
def test_what_a_rule_cannot_be_is_refused_and_changes_nothing(lake, people, changes, refusal):
    rule = make_metric_rule()
    before = AlertRule.objects.filter(pk=rule.pk).values().get()
    with pytest.raises(refusal):
        edit_rule(actor=people.admin, now=NOW, rule=rule, changes=changes)
    with pytest.raises(refusal):
        build_rule(kind="metric", values=values() | changes, now=NOW)
    assert AlertRule.objects.filter(pk=rule.pk).values().get() == before


def test_an_unknown_kind_is_refused(lake):
    with pytest.raises(RuleKindUnknown):
        build_rule(kind="magic", values=values(), now=NOW)


def test_switching_a_rule_off_ends_what_it_had_opened(lake, people):
    rule = make_metric_rule()
    put_values(lake, DAY, {make_customer(owner=people.owner, known_at=EARLY): 5})
    judge(lake, DAY)
    switch_rule(actor=people.admin, now=NOW, rule=rule, on=False)
    alert = Alert.objects.get()
    assert (alert.state, alert.close_reason, alert.is_asked) == ("closed", "rule", False)
    assert Episode.objects.get().end == "rule"
    assert judge(lake, after(1)).opened == 0


def test_a_poor_rule_steps_down_and_is_switched_off_in_the_end(lake, people):
    rule = make_metric_rule(severity=3)
    rule = demote_rule(actor=people.operations, now=NOW, rule=rule)
    assert (rule.severity, rule.is_active) == (4, True)
    rule = demote_rule(actor=people.operations, now=NOW, rule=rule)
    assert (rule.severity, rule.is_active) == (4, False)


def test_the_order_is_of_all_rules(lake, people):
    keys = list(AlertRule.objects.values_list("pk", flat=True))
    reorder_rules(actor=people.admin, now=NOW, order=keys[::-1])
    assert list(AlertRule.objects.values_list("pk", flat=True)) == keys[::-1]
    with pytest.raises(NotFound):
        reorder_rules(actor=people.admin, now=NOW, order=keys[1:])


# --- causes and policy ------------------------------------------------------------------------------


def test_causes_are_retired_never_deleted(lake, people):
    actor = people.admin
    family = RiskCause.objects.get(key="value")
    made = create_cause(
        actor=actor, now=NOW, name_zh="预算削减", name_en="Budget cut", grade="high", parent=family
    )
    edit_cause(actor=actor, now=NOW, cause=made, changes={"grade": "medium"})
    retire_cause(actor=actor, now=NOW, cause=made)
    made.refresh_from_db()
    assert (made.grade, made.retired_at) == ("medium", NOW)
    restore_cause(actor=actor, now=NOW, cause=made)
    with pytest.raises(CauseInUse):
        retire_cause(actor=actor, now=NOW, cause=family)  # causes hang below it
    with pytest.raises(CauseInUse):
        retire_cause(actor=actor, now=NOW, cause=RiskCause.objects.get(key="use_low"))
    with pytest.raises(CauseNameMissing):
        edit_cause(actor=actor, now=NOW, cause=made, changes={"name_zh": ""})
    with pytest.raises(CauseBad):
        edit_cause(actor=actor, now=NOW, cause=made, changes={"grade": "terrible"})
    with pytest.raises(CauseBad):
        create_cause(actor=actor, now=NOW, name_zh="三", name_en="3", grade="low", parent=made)


def test_the_policy_has_limits(lake, people):
    assert policy().daily_budget == 3
    edit_policy(actor=people.admin, now=NOW, changes={"daily_budget": "5", "snooze_days": 14})
    assert (policy().daily_budget, policy().snooze_days) == (5, 14)
    for bad in ({"daily_budget": 0}, {"snooze_days": "x"}, {"day_ends_hour": 5}):
        with pytest.raises(PolicyBad):
            edit_policy(actor=people.admin, now=NOW, changes=bad)
    with pytest.raises(CauseBad):
        edit_policy(actor=people.admin, now=NOW, changes={"is_active": 1})
    assert AuditEntry.objects.filter(action="alert_policy.edited").count() == 1


# --- tried on history ---------------------------------------------------------------------------------


def test_a_dry_run_says_who_is_flagged_now_and_how_many_each_week(lake, people):
    mine = make_customer("甲", owner=people.owner, known_at=EARLY, arr_minor=10)
    other = make_customer("乙", owner=people.colleague, known_at=EARLY, arr_minor=90)
    for week, (a, b) in enumerate([(50, 50), (5, 50), (5, 50), (30, 5)]):
        day = after(7 * (week - 3))
        put_values(lake, day, {mine: a, other: b})
        put_scores(lake, day, {mine: (70.0, "B")})  # the day was judged
    rule = build_rule(kind="metric", values=values(), now=NOW)
    found = preview_rule(rule, actor=people.admin, now=NOW, days=21, lake=lake)
    assert found.as_of == DAY
    assert [week.opened for week in found.weeks] == [None, 1, 0, 1]
    assert [row.customer.name for row in found.rows] == ["乙"]
    assert (found.flagged, found.tried, found.total) == (1, 2, 2)
    assert found.per_owner == {people.colleague.pk: 1}
    assert found.weekly == pytest.approx(2 / 3)
    assert not Episode.objects.exists()
    seen = preview_rule(rule, actor=people.owner, now=NOW, days=21, lake=lake)
    assert (seen.flagged, seen.total) == (0, 1)  # the other's customer is not shown


# --- on the command line -----------------------------------------------------------------------------


def run(*arguments):
    from gengyun.cli.main import cli

    return CliRunner().invoke(cli, ["alerts", *arguments], catch_exceptions=False)


def test_the_command_judges_a_day_and_lists(lake, settings, monkeypatch):
    monkeypatch.setattr(Lake, "default", classmethod(lambda cls: lake))
    make_metric_rule()
    low = make_customer("低用量", owner=make_user(), known_at=EARLY)
    put_values(lake, DAY, {low: 5})
    told = run("--as-of", "2026-03-02")
    assert told.exit_code == 0
    assert "opened 1 (1 shown, 0 in the digest)" in told.output
    assert "低用量" in told.output
    again = run("--as-of", "2026-03-02", "--json")
    assert '"opened": 0' in again.output
    earlier = run("--as-of", str(DAY - timedelta(days=3)))
    assert "a newer day has been judged" in earlier.output
    assert "low" in run("quality").output
