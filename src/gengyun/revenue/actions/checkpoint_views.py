"""What stands at a checkpoint when the CSM's view is there: agreed, or for a leader to decide."""

from datetime import datetime

from gengyun.revenue.calc import checkpoints as calc
from gengyun.revenue.models import Renewal
from gengyun.revenue.models.renewals import Checkpoint, CheckpointState
from gengyun.team.models import User

LIVE = (CheckpointState.WAITING, CheckpointState.DISPUTED, CheckpointState.AGREED)


def settle(point: Checkpoint, view: str) -> None:
    """Put the view; the row is not saved."""
    point.view = view
    if not view:
        point.state = CheckpointState.WAITING
    elif calc.disagree(point.signal, view):
        point.state = CheckpointState.DISPUTED
    else:
        point.state = CheckpointState.AGREED


def follow_category(renewal: Renewal, *, actor: User | None, now: datetime) -> None:
    """A category that was changed is the view at the checkpoints that are not decided."""
    view = calc.view_of(renewal.category)
    for point in Checkpoint.objects.filter(renewal=renewal, state__in=LIVE):
        if point.view != view:
            settle(point, view)
            point.view_by, point.view_at = actor, now
            point.save()


def close_points(renewal: Renewal) -> None:
    """The renewal has its outcome: nothing is asked any more."""
    Checkpoint.objects.filter(renewal=renewal, state__in=LIVE).update(state=CheckpointState.CLOSED)
