"""Between nights: what events touch is measured again; kept rows and rows made anew agree."""

import json
import random
from datetime import UTC, date, datetime, timedelta

import pytest
from factories import make_customer, make_user

from gengyun.customers.actions import customers as customer_actions
from gengyun.customers.actions.defaults import install_defaults as install_tiers
from gengyun.engagement.actions.activities import log_activity
from gengyun.health.actions.defaults import install_defaults as install_cards
from gengyun.health.actions.judge import judge
from gengyun.health.models import HealthScore
from gengyun.health.queries.scores import read_scores
from gengyun.kernel.days import start_of
from gengyun.lake.inbox import Inbox, NewBatch
from gengyun.lake.store import Lake
from gengyun.portfolio.actions.live import measure_live, rebuild
from gengyun.portfolio.actions.summaries import refresh_summaries
from gengyun.portfolio.models import CustomerSummary
from gengyun.portfolio.queries.fingerprint import fingerprints
from gengyun.usage.actions.compute import compute_day
from gengyun.usage.actions.defaults import install_defaults as install_metrics
from gengyun.usage.actions.deliveries import micros
from gengyun.usage.actions.drain import drain_all
from gengyun.usage.actions.sources import create_source

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)
NIGHT = start_of(TODAY) + timedelta(hours=2, minutes=10)
NOON = start_of(TODAY) + timedelta(hours=12)
EARLY = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def world(tmp_path, settings):
    settings.INBOX_PATH, settings.LAKE_DIR = tmp_path / "inbox.sqlite3", tmp_path / "lake"
    install_tiers(now=EARLY)
    install_metrics(now=EARLY)
    install_cards(now=EARLY)
    return World(settings.INBOX_PATH, Lake(settings.LAKE_DIR))


class World:
    def __init__(self, inbox, lake):
        self.inbox, self.lake, self.count = inbox, lake, 0
        self.source = create_source(actor=None, now=EARLY, name="产品", key="product")

    def use(self, customer, at, user="u1"):
        """An event that happens and arrives at `at`; it waits for the drain."""
        self.count += 1
        body = {
            "type": "track", "event": "report", "userId": f"{customer.pk}-{user}",
            "messageId": f"m{self.count}", "timestamp": at.isoformat(),
            "context": {"groupId": customer.external_id},
        }  # fmt: skip
        with Inbox(self.inbox) as inbox:
            text = json.dumps({"batch": [body]}).encode()
            inbox.append_many([NewBatch(self.source.pk, "batch", micros(at), None, 1, text)])

    def live(self, now):
        with Inbox(self.inbox) as inbox:
            drain_all(inbox=inbox, lake=self.lake, now=now)
        return measure_live(now=now, lake=self.lake)

    def night(self, day=TODAY):
        now = start_of(day) + timedelta(hours=2, minutes=10)
        with Inbox(self.inbox) as inbox:
            drain_all(inbox=inbox, lake=self.lake, now=now)
        compute_day(day, lake=self.lake, now=now)
        judge(day, now=now, lake=self.lake)
        rebuild(now=now, lake=self.lake)


def test_a_customer_that_comes_back_is_seen_without_waiting_for_the_night(world):
    back, other = (make_customer(name=name, known_at=EARLY) for name in ("回来", "不变"))
    for customer in (back, other):
        for days in range(30, 60):
            world.use(customer, NOON - timedelta(days=days))
    world.night()
    before = CustomerSummary.objects.get(pk=back.pk)
    assert before.last_event_on == TODAY - timedelta(days=30)
    assert ",silent," in before.need_codes
    world.live(NIGHT)
    world.use(back, NOON)

    report = world.live(NOON + timedelta(seconds=10))

    assert report.customers == 1
    after = CustomerSummary.objects.get(pk=back.pk)
    assert after.last_event_on == TODAY
    assert after.active_users_7d == 1
    assert ",silent," not in after.need_codes
    assert after.score > before.score
    # the judged day itself keeps to what was known before it
    official = read_scores(TODAY, ["customer_id", "score"], lake=world.lake).to_pydict()
    assert dict(zip(*official.values(), strict=True))[back.pk] == before.score
    still = CustomerSummary.objects.get(pk=other.pk)
    assert still.last_event_on == TODAY - timedelta(days=30)


def test_today_adds_to_the_judged_windows_and_takes_nothing_away(world):
    """No customer looks worse in the morning because a window lost a day and won half a one."""
    customer = make_customer(known_at=EARLY)
    for days in range(1, 15):
        world.use(customer, NOON - timedelta(days=days), user=f"u{days % 5}")
    world.night()
    before = CustomerSummary.objects.get(pk=customer.pk)
    world.use(customer, start_of(TODAY) + timedelta(hours=7), user="u1")
    world.live(NOON)
    after = CustomerSummary.objects.get(pk=customer.pk)
    assert after.active_users_7d == before.active_users_7d == 5
    assert after.score >= before.score


def test_measuring_again_changes_nothing_and_asks_nothing(world):
    customer = make_customer(known_at=EARLY)
    world.use(customer, NOON - timedelta(days=1))
    world.night()
    world.use(customer, NOON)
    assert world.live(NOON).customers == 1
    said = fingerprints()
    assert world.live(NOON).customers == 0
    assert fingerprints() == said


def test_before_the_first_judgement_use_is_shown_and_no_score_is_made_up(world):
    customer = make_customer(known_at=EARLY)
    refresh_summaries(now=NOON)
    world.use(customer, NOON)
    report = world.live(NOON)
    assert not report.is_today_judged
    assert not HealthScore.objects.exists()
    assert CustomerSummary.objects.get(pk=customer.pk).score is None


@pytest.mark.parametrize("seed", range(2))
def test_rows_kept_from_change_to_change_are_the_rows_made_anew(
    world, seed, django_capture_on_commit_callbacks, monkeypatch
):
    dice = random.Random(seed)
    admin = make_user(role="admin")
    customers = [make_customer(name=f"客户{n}", known_at=EARLY) for n in range(8)]
    for customer in customers:
        for _ in range(dice.randrange(1, 25)):
            world.use(
                customer, NOON - timedelta(days=dice.randrange(1, 80)), user=dice.choice("ab")
            )
    world.night()
    for step in range(14):
        now = NOON + timedelta(minutes=step)
        customer = dice.choice(customers)
        customer.refresh_from_db()
        # what hangs on a change follows it at once, in the time of this story
        monkeypatch.setattr("gengyun.kernel.outbox.utc_now", lambda now=now: now)
        with django_capture_on_commit_callbacks(execute=True):
            _something(dice, world, admin, customer, now)
    end = NOON + timedelta(hours=1)
    world.live(end)
    kept, rows = fingerprints(), list(CustomerSummary.objects.order_by("pk").values())
    assert rebuild(now=end, lake=world.lake) == len(kept)
    for old, new in zip(rows, CustomerSummary.objects.order_by("pk").values(), strict=True):
        differing = {k: (v, new[k]) for k, v in old.items() if v != new[k]}
        assert differing.keys() <= {"updated_at"}, differing
    assert fingerprints() == kept


def _something(dice, world, admin, customer, now):
    match dice.randrange(6):
        case 0 | 1:
            world.use(customer, now, user=dice.choice("abc"))
        case 2:
            world.live(now)
        case 3:
            log_activity(
                actor=admin, now=now, customer=customer, kind=dice.choice(["call", "note"]),
                body="聊了续约", happened_at=now - timedelta(days=dice.randrange(20)),
            )  # fmt: skip
        case 4:
            changes = dice.choice([{"name": f"改名{now:%H%M}"}, {"seats": dice.randrange(1, 9)}])
            customer_actions.edit_customer(actor=admin, now=now, customer=customer, changes=changes)
        case 5:
            customer_actions.assign_owner(actor=admin, now=now, customers=[customer], owner=admin)
