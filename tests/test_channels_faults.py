"""A process that sends is killed at the worst moments: what it held is told once, by the next."""

import signal
import subprocess
import sys

import pytest
from databases import own_environment
from message_services import FEISHU_SECRET, WEBHOOK_SECRET, services_running

pytestmark = pytest.mark.slow

PREPARE = """
import django; django.setup()
from gengyun.engagement.actions import deliveries as sending
from gengyun.engagement.calc.messages import Item
from gengyun.engagement.models import Channel
from gengyun.kernel.clock import utc_now
now = utc_now()
robot = Channel.objects.create(name="robot", kind="feishu", created_at=now,
    secrets={{"url": "{address}/open-apis/bot/v2/hook/x", "sign": "{feishu}"}})
hook = Channel.objects.create(name="hook", kind="webhook", created_at=now,
    secrets={{"url": "{address}/own", "sign": "{webhook}"}})
for channel in (robot, hook):
    sending.write([sending.queue(now=now, channel=channel, key=f"{{channel.pk}}:{{n}}",
        item=Item(f"alert {{n}}", "text"), due_at=now) for n in range(3)])
"""
SEND = """
import django; django.setup()
from datetime import timedelta
from gengyun.engagement.actions.deliveries import deliver_due
from gengyun.kernel.clock import utc_now
deliver_due(now=utc_now() + timedelta(minutes={minutes}))
"""
STATES = """
import django; django.setup()
from gengyun.engagement.models import Delivery
print(",".join(Delivery.objects.order_by("pk").values_list("state", flat=True)))
"""


@pytest.fixture
def deployment(tmp_path):
    with services_running() as (services, address):
        environment = {
            **own_environment(tmp_path / "data", migrated=True),
            "DJANGO_SETTINGS_MODULE": "gengyun.config.settings",
        }

        def run(code, fault=""):
            return subprocess.run(
                [sys.executable, "-c", code],
                env={**environment, "GENGYUN_FAULT": fault},
                capture_output=True,
                text=True,
                check=False,
            )

        done = run(PREPARE.format(address=address, feishu=FEISHU_SECRET, webhook=WEBHOOK_SECRET))
        assert done.returncode == 0, done.stderr
        yield run, services


def messages(services):
    return len(services.of("feishu")), len(
        {h["webhook-id"] for n, _, h in services.got if n == "webhook"}
    )


def test_killed_before_it_left_everything_is_told_once(deployment):
    run, services = deployment
    assert run(SEND.format(minutes=0), fault="delivery.taken").returncode == -signal.SIGKILL
    assert messages(services)[0] == 0
    # another worker finds the lease run out; three notices are one message again
    for minutes in (1, 6, 7):
        assert run(SEND.format(minutes=minutes)).returncode == 0
    assert messages(services) == (1, 1)
    assert set(run(STATES).stdout.strip().split(",")) == {"sent"}


def test_killed_after_it_left_nothing_is_told_twice(deployment):
    run, services = deployment
    # the robot's message is the first, the webhook's the second
    assert run(SEND.format(minutes=0), fault="delivery.posted").returncode == -signal.SIGKILL
    assert messages(services) == (1, 0)
    for minutes in (1, 6, 7):
        assert run(SEND.format(minutes=minutes)).returncode == 0
    assert messages(services) == (1, 1)
    states = run(STATES).stdout.strip().split(",")
    assert states == ["unsure"] * 3 + ["sent"] * 3  # a person decides about the robot's


def test_killed_after_a_webhook_left_its_repeat_has_the_same_id(deployment):
    run, services = deployment
    assert run(SEND.format(minutes=0), fault="delivery.posted:2").returncode == -signal.SIGKILL
    assert run(SEND.format(minutes=6)).returncode == 0
    assert len(services.of("webhook")) == 2  # posted again, for the receiver to drop
    assert messages(services) == (1, 1)
