"""Messages of SOPs that wait for a yes: an SOP that ended early does not want them any more."""

from collections.abc import Iterable

from gengyun.engagement.actions.touch_approvals import asker
from gengyun.sop.models import Run

EARLY = (Run.State.EXITED, Run.State.STOPPED)


@asker
def ended_early(sources: Iterable[str]) -> set[str]:
    """Keys of steps (`step_key_of`) whose run was left or stopped. One that is done, or waits for
    something else by now, still wants what it asked for."""
    run_of = {source: int(parts[1]) for source in sources if (parts := _parts(source))}
    ended = Run.objects.filter(pk__in=set(run_of.values()), state__in=EARLY)
    gone = set(ended.values_list("pk", flat=True))
    return {source for source, run in run_of.items() if run in gone}


def _parts(source: str) -> list[str]:
    parts = source.split(":")
    return parts if parts[0] == "sop" and len(parts) > 1 and parts[1].isdigit() else []
