"""Runs that go on with a newer version of their SOP."""

from datetime import datetime

from gengyun.sop.models import Run, SopVersion
from gengyun.sop.queries.forms import form_of, versions_in


def migrate_runs(version: SopVersion, *, now: datetime) -> int:
    """Runs under way that stand at a step which the version has too, of the same kind; the others
    finish on theirs. Hold-outs go along, so that both arms are compared in one version."""
    rows = Run.objects.active().filter(sop_id=version.sop_id).exclude(version_id=version.pk)
    moved = rows.filter(arm=Run.Arm.HOLDOUT).order_by().update(version=version)
    form = form_of(version)
    carried = rows.filter(arm=Run.Arm.TREAT).order_by()
    places = list(carried.values_list("version_id", "step_key").distinct())
    older = {pk: form_of(one) for pk, one in versions_in(pk for pk, _ in places).items()}
    for pk, key in places:
        was, there = older[pk].steps.get(key), form.steps.get(key)
        if was is None or there is None or was.kind != there.kind:
            continue
        here = carried.filter(version_id=pk, step_key=key)
        # a wait keeps its end; what it waits for may be another condition, so it is looked at
        moved += here.update(version=version, due_at=now)
    return moved
