"""SOPs and their versions: drafts, publishing, pausing, stopping, going on with a newer version."""

from datetime import timedelta

import pytest
from factories import NOW, make_customer, make_user

from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.sop.actions import control, drafts
from gengyun.sop.models import Run, Sop, SopVersion, StepRun
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
LOW = {"all": [{"field": "score", "op": "lt", "value": 50}]}


def form(*steps, **more):
    steps = steps or ({"key": "wait", "kind": "wait", "days": 3, "next": None},)
    entry = {"kind": "condition", "when": LOW}
    return {"entry": entry, "steps": list(steps), "first": steps[0]["key"]} | more


@pytest.fixture
def operations():
    return make_user("operations")


def published(actor, **more):
    sop = drafts.create_sop(actor=actor, now=NOW, name="Usage drops", form=form(**more))
    drafts.publish(actor=actor, now=NOW, sop=sop)
    sop.refresh_from_db()
    return sop


def run_of(sop, customer, *, step="wait", **more):
    version = sop.versions.get(state="published")
    values = {
        "sop": sop, "version": version, "customer": customer, "identity_key": f"c:{customer.pk}",
        "entry_key": f"{sop.pk}:c:{customer.pk}:{more.get('arm', '')}", "entered_at": NOW,
        "entered_on": NOW.date(), "step_key": step, "state": "waiting",
        "due_at": NOW + timedelta(days=3), "wait_until": NOW + timedelta(days=3),
    }  # fmt: skip
    return Run.objects.create(**values | more)


def test_a_new_sop_is_a_draft_that_does_nothing(operations):
    sop = drafts.create_sop(actor=operations, now=NOW, name="  用量下降  ", form=form())
    assert (sop.name, sop.state, sop.key, sop.owner) == ("用量下降", "draft", "sop-1", operations)
    assert sop.versions.get().state == "draft"
    assert AuditEntry.objects.filter(action="sop.created").exists()
    again = drafts.create_sop(actor=operations, now=NOW, name="Usage drops", form=form())
    third = drafts.create_sop(actor=operations, now=NOW, name="Usage drops", form=form())
    assert (again.key, third.key) == ("usage-drops", "usage-drops-1")


def test_a_published_version_runs_and_a_second_one_takes_its_place(operations):
    sop = published(operations)
    assert (sop.state, sop.started_at) == ("live", NOW)
    first = sop.versions.get()
    first.evaluated_on = NOW.date()
    first.save()
    drafts.save_draft(actor=operations, now=NOW, sop=sop, form=form(holdout=0))
    second = drafts.publish(actor=operations, now=NOW, sop=sop, note="later")
    states = dict(sop.versions.values_list("number", "state"))
    assert states == {1: "retired", 2: "published"}
    assert second.evaluated_on == NOW.date()  # the same entry: nobody is looked at twice
    wider = {"all": [{"field": "score", "op": "lt", "value": 65}]}
    changed = form() | {"entry": {"kind": "condition", "when": wider}}
    drafts.save_draft(actor=operations, now=NOW, sop=sop, form=changed)
    assert drafts.publish(actor=operations, now=NOW, sop=sop).evaluated_on is None


def test_a_draft_with_faults_is_kept_but_not_published(operations):
    loop = {"key": "a", "kind": "branch", "otherwise": "a", "cases": [{"when": LOW, "next": None}]}
    sop = drafts.create_sop(actor=operations, now=NOW, name="Loop", form=form(loop))
    with pytest.raises(drafts.BadSop) as refused:
        drafts.publish(actor=operations, now=NOW, sop=sop)
    assert [problem.path for problem in refused.value.problems] == ["steps.a"]
    sop.refresh_from_db()
    assert (sop.state, sop.versions.get().state) == ("draft", "draft")


@pytest.mark.parametrize(
    "odd",
    [{"a": float("nan")}, {"a": "\ud800"}, {"a": "\x00"}, {"a": object()}, {"a": "x" * 500_000}],
)
def test_what_no_database_keeps_is_refused(operations, odd):
    sop = drafts.create_sop(actor=operations, now=NOW, name="Odd", form=form())
    with pytest.raises(drafts.SopFormUnreadable):
        drafts.save_draft(actor=operations, now=NOW, sop=sop, form=odd)


def test_a_draft_is_taken_back_only_where_something_runs(operations):
    sop = published(operations)
    with pytest.raises(drafts.NoSopDraft):
        drafts.discard_draft(actor=operations, now=NOW, sop=sop)
    drafts.save_draft(actor=operations, now=NOW, sop=sop, form=form(holdout=0.1))
    assert drafts.discard_draft(actor=operations, now=NOW, sop=sop)["holdout"] == 0.1
    assert sop.versions.count() == 1
    unborn = drafts.create_sop(actor=operations, now=NOW, name="Unborn", form=form())
    drafts.delete_sop(actor=operations, now=NOW, sop=unborn)
    with pytest.raises(drafts.SopHasRun):
        drafts.delete_sop(actor=operations, now=NOW, sop=sop)
    assert list(Sop.objects.values_list("pk", flat=True)) == [sop.pk]


def test_only_who_may_edit_sops_changes_them(operations):
    csm = make_user("csm")
    sop = published(operations)
    for change in (
        lambda: drafts.create_sop(actor=csm, now=NOW, name="x"),
        lambda: drafts.save_draft(actor=csm, now=NOW, sop=sop, form=form()),
        lambda: drafts.publish(actor=csm, now=NOW, sop=sop),
        lambda: drafts.rename(actor=csm, now=NOW, sop=sop, name="x"),
        lambda: control.pause(actor=csm, now=NOW, sop=sop),
        lambda: control.stop(actor=csm, now=NOW, sop=sop),
    ):
        with pytest.raises(NotAllowed):
            change()


def test_paused_goes_on_and_stopped_never_does(operations):
    sop = published(operations)
    run = run_of(sop, make_customer())
    with pytest.raises(control.SopNotPaused):
        control.resume(actor=operations, now=NOW, sop=sop)
    control.pause(actor=operations, now=NOW, sop=sop)
    control.resume(actor=operations, now=NOW, sop=sop)
    control.stop(actor=operations, now=NOW, sop=sop)
    run.refresh_from_db()
    assert (run.state, run.end_reason, run.due_at) == ("stopped", "sop_stopped", None)
    with pytest.raises(drafts.SopStopped):
        drafts.save_draft(actor=operations, now=NOW, sop=sop, form=form())


def test_one_participant_is_stopped_by_who_may_see_them(operations):
    owner, stranger = make_user("csm"), make_user("csm")
    run = run_of(published(operations), make_customer(owner=owner))
    with pytest.raises(NotFound):
        control.stop_run(actor=stranger, now=NOW, run=run)
    control.stop_run(actor=owner, now=NOW, run=run)
    line = StepRun.objects.get(run=run)
    assert (line.state, line.reason, line.told) == ("skipped", "stopped", {"by": owner.name})
    with pytest.raises(control.RunHasEnded):
        control.stop_run(actor=owner, now=NOW, run=run)


def test_runs_go_on_with_the_new_version_where_their_step_is_still_there(operations):
    other = {"key": "other", "kind": "wait", "days": 1, "next": None}
    sop = published(operations)
    stays = run_of(sop, make_customer(), step="gone")
    goes = run_of(sop, make_customer())
    held = run_of(sop, make_customer(), arm="holdout", step="")
    wait = {"key": "wait", "kind": "wait", "days": 9, "next": "other"}
    drafts.save_draft(actor=operations, now=NOW, sop=sop, form=form(wait, other))
    new = drafts.publish(actor=operations, now=NOW, sop=sop, migrate=True)
    for run in (stays, goes, held):
        run.refresh_from_db()
    assert (goes.version, held.version) == (new, new)
    assert goes.wait_until == NOW + timedelta(days=3)
    assert stays.version.number == 1
    assert SopVersion.objects.get(sop=sop, number=1).state == "retired"


def test_an_sop_speaks_only_of_what_there_is(operations):
    step = {"key": "hook", "kind": "webhook", "channel": "nobody", "next": None}
    sop = drafts.create_sop(actor=operations, now=NOW, name="Hook", form=form(step))
    with pytest.raises(drafts.BadSop):
        drafts.publish(actor=operations, now=NOW, sop=sop)
