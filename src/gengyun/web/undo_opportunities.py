"""Taking back what was done with an opportunity."""

from gengyun.revenue.actions import opportunities as actions
from gengyun.revenue.models import OpportunityStage
from gengyun.revenue.queries import opportunities as queries


def _stage(actor, now, payload):
    row = queries.get(actor, payload["pk"])
    stage = OpportunityStage.objects.get(pk=payload["stage"])
    actions.move_opportunity(actor=actor, now=now, opportunity=row, stage=stage)


def _reopen(actor, now, payload):
    row = queries.get(actor, payload["pk"])
    actions.reopen_opportunity(actor=actor, now=now, opportunity=row)


VERBS = {"opportunity_stage": _stage, "opportunity_reopen": _reopen}
