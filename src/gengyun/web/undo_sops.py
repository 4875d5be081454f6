"""What is taken back on the pages of SOPs and segments."""

from gengyun.portfolio.actions.segments import restore_segment
from gengyun.portfolio.models import Segment
from gengyun.sop.actions import control, drafts
from gengyun.sop.models import Run, Sop


def _draft(actor, now, payload):
    """payload: {"pk", "form"} of a draft that was discarded"""
    sop = Sop.objects.get(pk=payload["pk"])
    drafts.save_draft(actor=actor, now=now, sop=sop, form=payload["form"])


def _segment(actor, now, payload):
    segment = Segment.objects.visible_to(actor).get(pk=payload)
    restore_segment(actor=actor, now=now, segment=segment)


def _started(actor, now, payload):
    """payload: keys of runs that were started by hand; what they did already stays"""
    for run in Run.objects.visible_to(actor).active().filter(pk__in=payload):
        control.stop_run(actor=actor, now=now, run=run, reason="undone")


VERBS = {"sop_draft": _draft, "segment_retired": _segment, "sop_started": _started}
