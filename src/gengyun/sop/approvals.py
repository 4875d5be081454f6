"""Messages of SOPs that wait for a yes: an SOP that ended early does not want them any more."""

from collections.abc import Iterable

from gengyun.engagement.actions.touch_approvals import asker
from gengyun.sop.models import Run, run_of_key

EARLY = (Run.State.EXITED, Run.State.STOPPED)


@asker
def ended_early(sources: Iterable[str]) -> set[str]:
    """Keys of steps whose run was left or stopped. One that is done, or waits for something else
    by now, still wants what it asked for."""
    run_of = {source: run for source in sources if (run := run_of_key(source)) is not None}
    ended = Run.objects.filter(pk__among=sorted(set(run_of.values())), state__in=EARLY)
    gone = set(ended.values_list("pk", flat=True))
    return {source for source, run in run_of.items() if run in gone}
