"""As known then: what comes after day D changes nothing of the metrics and health of D."""

from datetime import date, timedelta

import pytest
from factories import make_user
from lake_events import arrow, days, event

from gengyun.customers.actions.contacts import create_contact, delete_contact, mark_left
from gengyun.customers.actions.customers import (
    archive_customer,
    assign_owner,
    create_customer,
    edit_customer,
    set_tier_manually,
)
from gengyun.customers.actions.defaults import install_defaults as install_tiers
from gengyun.customers.actions.tags import tag, untag
from gengyun.customers.models import Customer, Tier
from gengyun.engagement.actions.activities import delete_activity, log_activity
from gengyun.health.actions.defaults import install_defaults as install_scorecards
from gengyun.kernel.day import judge_day
from gengyun.kernel.days import start_of
from gengyun.lake.compaction import tidy
from gengyun.lake.store import Lake
from gengyun.usage.actions.defaults import install_defaults as install_metrics
from gengyun.usage.actions.rollups import roll_up
from gengyun.usage.queries.metrics import values_as_of

D = date(2026, 2, 10)
BEFORE, AFTER = start_of(D) - timedelta(days=90), start_of(D) + timedelta(days=2)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lake(settings, tmp_path):
    settings.LAKE_DIR = tmp_path / "lake"
    long_ago = BEFORE - timedelta(days=30)
    for install in (install_tiers, install_metrics, install_scorecards):
        install(now=long_ago)
    return Lake.default()


def make(name, **values):
    return create_customer(
        actor=None, now=BEFORE, values={"external_id": name, "name": name, **values}
    )


def use(customer, first, count, *, users=3, known=None):
    return [
        event(customer.pk, on=day, user=f"{customer.pk}-{n}", name=f"f{n % 4}", known=known)
        for day in days(first, count)
        for n in range(users)
    ]


def told_of(lake, day):
    """Everything the lake keeps of a judged day, in a fixed order."""
    return [
        lake.read(table, where=[("as_of", "=", day)]).sort_by(
            [("customer_id", "ascending"), (second, "ascending")]
        )
        for table, second in (("metric_values", "metric"), ("health_scores", "band"))
    ]


def test_nothing_that_comes_after_a_day_changes_the_day(lake):
    kept, moved, gone = make("kept", seats=10), make("moved", seats=5), make("gone", seats=8)
    contact = create_contact(actor=None, now=BEFORE, customer=kept, values={"name": "王芳"})
    note = log_activity(
        actor=(author := make_user("admin")),
        now=BEFORE,
        customer=gone,
        kind="call",
        body="谈过一次",
        happened_at=BEFORE,
    )
    first = D - timedelta(days=60)
    rows = use(kept, first, 60) + use(moved, first, 50, users=2) + use(gone, first, 30)
    lake.append("events", arrow(rows))
    judge_day(D - timedelta(days=1), now=AFTER)
    judge_day(D, now=AFTER)
    values, scores = told_of(lake, D)
    assert values.num_rows == 36
    assert scores.num_rows == 3
    assert values["value"].null_count < 10

    # moved: another owner, tier, seats, name, stage of usage
    boss = make_user("leader")
    assign_owner(actor=author, now=AFTER, customers=[kept, moved], owner=boss)
    edit_customer(actor=author, now=AFTER, customer=moved, changes={"seats": 500, "name": "新名"})
    edit_customer(actor=author, now=AFTER, customer=kept, changes={"seats": None})
    top = Tier.objects.order_by("position").first()
    set_tier_manually(actor=author, now=AFTER, customer=moved, tier=top, reason="大客户")
    tag(actor=author, now=AFTER, customers=[kept], names=["重点"])
    untag(actor=author, now=AFTER, customers=[kept], names=["重点"])
    mark_left(actor=author, now=AFTER, contact=contact, left_on=D)
    # added: events of later days, late events of earlier days, a new customer with an old past
    new = create_customer(
        actor=author, now=AFTER, values={"external_id": "new", "name": "new", "seats": 3}
    )
    rows = use(kept, D, 20) + use(new, first, 60, known=D)
    rows += use(gone, D - timedelta(days=20), 15, users=9, known=D)
    rows += use(kept, D - timedelta(days=5), 5, users=40, known=D + timedelta(days=3))
    lake.append("events", arrow(rows))
    roll_up(lake=lake, now=AFTER)
    # removed
    delete_contact(actor=author, now=AFTER, contact=contact)
    delete_activity(actor=author, now=AFTER, activity=note)
    archive_customer(actor=author, now=AFTER, customer=gone)
    tidy(lake)
    later = D + timedelta(days=15)
    judge_day(later, now=start_of(later))

    judge_day(D, now=start_of(later))
    assert told_of(lake, D) == [values, scores]
    assert told_of(lake, later)[0].num_rows == 48
    assert Customer.objects.get(pk=moved.pk).seats == 500


def test_late_events_are_seen_from_the_day_on_that_they_were_known(lake):
    customer = make("late")
    day = D - timedelta(days=3)
    lake.append("events", arrow([event(customer.pk, on=day, user="on-time")]))
    late = [
        event(customer.pk, on=day, user=f"late{n}", known=D + timedelta(days=1)) for n in (1, 2)
    ]
    lake.append("events", arrow(late))

    def view(as_of):
        judge_day(as_of, now=AFTER)
        values = values_as_of(as_of, lake=lake)[customer.pk]
        return values["events_7d"], values["active_users_7d"], values["active_days_30d"]

    assert view(D) == (1, 1, 1)
    # the day they came in does not count itself: the day after sees them, on the day they happened
    assert view(D + timedelta(days=1)) == (1, 1, 1)
    assert view(D + timedelta(days=2)) == (3, 3, 1)
    assert view(D) == (1, 1, 1)


def test_a_customer_is_unknown_until_we_heard_of_it_and_of_its_use(lake):
    silent, fresh = make("silent"), make("fresh")
    lake.append("events", arrow([event(fresh.pk, on=D - timedelta(days=1))]))
    judge_day(D - timedelta(days=1), now=AFTER)
    judge_day(D, now=AFTER)
    before = values_as_of(D - timedelta(days=1), lake=lake)
    after = values_as_of(D, lake=lake)
    assert before[fresh.pk]["events_30d"] is None
    assert after[fresh.pk]["events_30d"] == 1
    assert after[fresh.pk]["days_since_active"] == 1
    assert set(after[silent.pk].values()) == {None}
    judge_day(day := BEFORE.date() - timedelta(days=5), now=AFTER)
    assert values_as_of(day, lake=lake) == {}
