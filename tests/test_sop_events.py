"""SOPs that start on an event: noted by the drain, acted on by the worker's loop, once."""

from datetime import timedelta

import pytest
from factories import make_contact
from test_drain import NOW, inbox, lake, post, source, track
from test_sop_engine import make_scored, make_sop

from gengyun.customers.models import Customer
from gengyun.kernel import faults
from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.actions.events import note_domain, take_hits
from gengyun.sop.actions.turn import turn
from gengyun.sop.models import EventHit, Run
from gengyun.usage.actions.drain import drain_all

pytestmark = pytest.mark.django_db
__all__ = ["inbox", "lake", "source"]  # fixtures

EXPORTED = {
    "entry": {"kind": "event", "event": "report.export"}, "reentry": {"kind": "always"},
    "steps": [{"key": "n", "kind": "note", "text": "x"}],
}  # fmt: skip


def make_known(external_id="acct_1", **values):
    customer = make_scored(**values)
    Customer.objects.filter(pk=customer.pk).update(external_id=external_id)
    return customer


def test_an_event_starts_a_run_and_its_first_step(inbox, lake, source):
    make_sop(EXPORTED)
    customer = make_known()
    post(inbox, source, track("report.export"), track("page.opened"))
    drain_all(inbox=inbox, lake=lake, now=NOW)
    assert list(EventHit.objects.values_list("name", "customer_id")) == [
        ("report.export", customer.pk)
    ]
    assert turn(now=NOW, worker="w")
    run = Run.objects.get()
    assert (run.customer_id, run.state, run.steps.count()) == (customer.pk, "done", 1)
    assert not turn(now=NOW, worker="w")
    assert not EventHit.objects.exists()


def test_the_same_event_again_and_a_killed_drain_start_nothing_twice(inbox, lake, source):
    make_sop(EXPORTED)
    make_known()
    event = track("report.export", messageId="m1")
    post(inbox, source, event)

    class Killed(BaseException):
        pass

    def kill(point):
        if point == "drain.noted":
            raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(faults, "point", kill)
        with pytest.raises(Killed):
            drain_all(inbox=inbox, lake=lake, now=NOW)
    turn(now=NOW, worker="w")
    drain_all(inbox=inbox, lake=lake, now=NOW)
    post(inbox, source, event)
    drain_all(inbox=inbox, lake=lake, now=NOW)
    turn(now=NOW, worker="w")
    assert Run.objects.count() == 1


def test_old_events_and_events_nobody_starts_on_are_not_noted(inbox, lake, source):
    make_sop(EXPORTED)
    make_known()
    post(inbox, source, track("report.export", at=NOW - timedelta(days=3)), track("other"))
    drain_all(inbox=inbox, lake=lake, now=NOW)
    assert not EventHit.objects.exists()


def test_the_condition_beside_an_event_is_asked_when_it_comes(inbox, lake, source):
    entry = {**EXPORTED["entry"], "when": {"field": "score", "op": "lt", "value": 50}}
    make_sop({**EXPORTED, "entry": entry})
    make_known(score=80.0)
    post(inbox, source, track("report.export"))
    drain_all(inbox=inbox, lake=lake, now=NOW)
    assert take_hits(now=NOW)["unfit"] == 1
    assert not Run.objects.exists()


def test_an_event_of_a_brand_new_customer_waits_for_what_is_known_of_it(inbox, lake, source):
    make_sop(EXPORTED)
    customer = make_known()
    values = CustomerSummary.objects.filter(pk=customer.pk).values().get()
    CustomerSummary.objects.all().delete()
    post(inbox, source, track("report.export"))
    drain_all(inbox=inbox, lake=lake, now=NOW)
    assert not turn(now=NOW, worker="w")
    CustomerSummary.objects.create(**values)
    turn(now=NOW, worker="w")
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    "event, score, runs", [("survey.low", 6, 1), ("survey.low", 7, 0), ("survey.answered", 9, 1)]
)
def test_an_answer_starts_an_sop(event, score, runs):
    make_sop({**EXPORTED, "entry": {"kind": "event", "event": event}})
    payload = {"customer_ids": [make_scored().pk], "survey": "nps", "kind": "nps",
               "contact_id": 1, "score": score}  # fmt: skip
    for _ in range(2):  # delivered twice
        note_domain("survey.answered", payload, NOW)
        turn(now=NOW, worker="w")
    assert Run.objects.count() == runs


def test_an_event_of_a_known_contact_lets_in_that_contact_alone(inbox, lake, source):
    make_sop({**EXPORTED, "identity": "contact"})
    customer = make_known()
    by_id = make_contact(customer, product_user_id="u1")
    by_mail = make_contact(customer, email="Two@example.cn")
    make_contact(customer)
    identify = {"type": "identify", "userId": "u2", "traits": {"email": "two@example.cn"},
                "context": {"groupId": "acct_1"}, "timestamp": NOW.isoformat()}  # fmt: skip
    post(inbox, source, identify, track("report.export"), track("report.export", user="u2"))
    post(inbox, source, track("report.export", messageId="again"))
    drain_all(inbox=inbox, lake=lake, now=NOW)
    take_hits(now=NOW)
    assert set(Run.objects.values_list("contact", flat=True)) == {by_id.pk, by_mail.pk}
    # one of nobody we know is for all of the role, as before
    post(inbox, source, track("report.export", user="u3"))
    drain_all(inbox=inbox, lake=lake, now=NOW)
    turn(now=NOW, worker="w")
    take_hits(now=NOW)
    assert Run.objects.values("contact").distinct().count() == 3


def test_a_contact_of_another_role_does_not_enter_by_its_event():
    make_sop({**EXPORTED, "identity": "contact", "contact_role": "champion"})
    customer = make_known()
    champion = make_contact(customer, part="champion")
    user = make_contact(customer, part="user")
    for contact in (user, champion):
        EventHit.objects.create(
            key=f"t:{contact.pk}", name="report.export", customer_id=customer.pk,
            contact_id=contact.pk, happened_at=NOW, created_at=NOW,
        )  # fmt: skip
        take_hits(now=NOW)
    assert list(Run.objects.values_list("contact", flat=True)) == [champion.pk]
