"""What the package brings to the common machinery: imports of activities, sending of notices and
of messages to customers."""

from datetime import timedelta

from django_tasks import task

from gengyun.engagement.actions import import_activities, merging, touch_sending
from gengyun.engagement.actions.deliveries import deliver_due, waits_until
from gengyun.engagement.queries import facts
from gengyun.kernel.clock import utc_now
from gengyun.kernel.jobs import add
from gengyun.kernel.jobs.schedule import Every, repeat

__all__ = ["deliver_notices", "facts", "import_activities", "merging", "send_soon", "send_touches"]

AGAIN = timedelta(seconds=20)  # when a service takes no more in this minute
TURN = timedelta(minutes=1)  # messages to customers are looked at so often
NET = timedelta(minutes=5)  # the regular turn finds what was left behind


@task()
def deliver_notices():
    """Send what is due; comes back by itself while something is due within the next minutes."""
    counts = deliver_due(now=utc_now())
    now, next_at = utc_now(), waits_until()
    if next_at is not None and next_at < now + NET:
        send_soon(after=max(next_at - now, AGAIN))
    return counts


def send_soon(*, after: timedelta = timedelta(0)) -> None:
    """Ask the worker for a turn; asked twice, one turn comes."""
    due = utc_now() + after
    # a key per slot: the job that runs now is open itself and must not swallow its successor
    slot = int(due.timestamp()) // int(AGAIN.total_seconds())
    add(deliver_notices, unique_key=f"deliver_notices:{slot}", run_after=due)


repeat("deliver_notices", Every(NET), deliver_notices)


@task()
def send_touches():
    """Send to customers what is due; comes back sooner while more is due than a turn takes."""
    counts = touch_sending.send_due(now=utc_now(), clock=utc_now)
    now, next_at = utc_now(), touch_sending.waits_until()
    if next_at is not None and next_at < now + TURN:
        due = now + max(next_at - now, AGAIN)
        slot = int(due.timestamp()) // int(AGAIN.total_seconds())
        add(send_touches, unique_key=f"send_touches:{slot}", run_after=due)
    return counts


repeat("send_touches", Every(TURN), send_touches)
