"""All SOPs with how many take part: a handful of statements however many there are."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Max, Q

from gengyun.sop.models import Run, Sop, SopVersion
from gengyun.sop.models.run import ACTIVE
from gengyun.team.models import User

RECENT_DAYS = 30


@dataclass(frozen=True)
class Overview:
    sop: Sop
    published: SopVersion | None
    draft: SopVersion | None
    active: int = 0  # carried out, under way
    waiting: int = 0  # of these: waiting for something
    holdout: int = 0  # in the hold-out, all there ever were
    ended: int = 0
    failed: int = 0
    entered: int = 0  # in the last 30 days, both arms
    last_entered_on: date | None = None


def overview(actor: User | None, *, today: date) -> list[Overview]:
    """In the order of the list: running, paused, drafts, stopped; by name within."""
    runs = Run.objects.visible_to(actor).order_by().values("sop_id")
    carried = Q(arm=Run.Arm.TREAT)
    counts: dict[int, dict[str, Any]] = {
        row["sop_id"]: {name: value for name, value in row.items() if name != "sop_id"}
        for row in runs.annotate(
            active=Count("pk", filter=carried & Q(state__in=ACTIVE)),
            waiting=Count("pk", filter=carried & Q(state=Run.State.WAITING)),
            holdout=Count("pk", filter=Q(arm=Run.Arm.HOLDOUT)),
            ended=Count("pk", filter=carried & ~Q(state__in=ACTIVE)),
            failed=Count("pk", filter=Q(state=Run.State.FAILED)),
            entered=Count("pk", filter=Q(entered_on__gt=today - timedelta(days=RECENT_DAYS))),
            last_entered_on=Max("entered_on"),
        )
    }
    versions: dict[int, dict[str, SopVersion]] = {}
    current = SopVersion.objects.filter(state__in=["published", "draft"])
    for version in current.select_related("published_by"):
        versions.setdefault(version.sop_id, {})[version.state] = version
    order = [Sop.State.LIVE, Sop.State.PAUSED, Sop.State.DRAFT, Sop.State.STOPPED]
    rows = sorted(
        Sop.objects.select_related("owner"),
        key=lambda sop: (order.index(Sop.State(sop.state)), sop.name, sop.pk),
    )
    return [
        Overview(
            sop,
            versions.get(sop.pk, {}).get("published"),
            versions.get(sop.pk, {}).get("draft"),
            **counts.get(sop.pk, {}),
        )
        for sop in rows
    ]
