"""What the rules about risks, sentiment and seats look at, as of the day or as it is now."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from gengyun.alerts.calc.customer_rules import LowAnswer, NotedRisk
from gengyun.alerts.calc.found import Floats
from gengyun.alerts.models import RiskCause
from gengyun.alerts.queries.commercial import moment
from gengyun.alerts.queries.day import FEW, Day
from gengyun.engagement.queries.risks import risks_at
from gengyun.engagement.queries.survey_facts import low_answers
from gengyun.health.calc.manual import SENTIMENT
from gengyun.health.models import Sentiment
from gengyun.health.queries.opinions import sentiments_as_of
from gengyun.kernel.days import day_of


def noted_risks(day: Day) -> list[NotedRisk]:
    """Known on the day and not over then. A cause that is not in the tree counts as medium."""
    members = set(day.ids.tolist())
    few = sorted(members) if len(members) <= FEW else None
    causes = {cause.key: cause for cause in RiskCause.objects.all()}
    found = []
    for row in risks_at(moment(day), customer_ids=few):
        cause = causes.get(row.cause)
        if row.customer_id in members:
            found.append(
                NotedRisk(
                    customer_id=row.customer_id,
                    risk_id=row.pk,
                    cause=row.cause,
                    cause_zh=cause.name_zh if cause else row.cause,
                    cause_en=cause.name_en if cause else row.cause,
                    grade=cause.grade if cause else RiskCause.Grade.MEDIUM,
                    happened_on=row.happened_on,
                    note=row.note,
                )
            )
    return found


def low_survey_answers(day: Day, *, days: int) -> list[LowAnswer]:
    """Known on the day, and not made good by then."""
    members = set(day.ids.tolist())
    few = sorted(members) if len(members) <= FEW else None
    return [
        LowAnswer(
            customer_id=row.customer_id,
            answer_id=row.answer_id,
            contact=row.contact,
            part=row.part,
            kind=row.kind,
            score=row.score,
            comment=row.comment,
            answered_on=day_of(row.answered_at),
        )
        for row in low_answers(moment(day), days=days, customer_ids=few)
        if row.customer_id in members
    ]


def level_and_before(day: Day, *, metric: str, days: int) -> tuple[Floats, Floats]:
    """The metric on the day and so many days before; of the CSM's sentiment the one that counts
    and the best that was said in the days before it."""
    if metric != SENTIMENT:
        return day.metric(metric), day.metric_before(metric, days)
    ids = day.ids.tolist()
    few = ids if len(ids) <= FEW else None
    now = sentiments_as_of(day.as_of, customer_ids=few, moment=moment(day))
    before = _said_before(now, days)
    return _floats([now[pk].level if pk in now else None for pk in ids]), _floats(
        [before.get(pk) for pk in ids]
    )


def _said_before(now: dict[int, Sentiment], days: int) -> dict[int, int]:
    """The best level that was said in the `days` before the one that counts."""
    found: dict[int, int] = {}
    ids = sorted(now)
    for start in range(0, len(ids), FEW):
        rows = Sentiment.objects.filter(customer_id__in=ids[start : start + FEW])
        for pk, level, known_at in rows.values_list("customer_id", "level", "known_at"):
            since = now[pk].known_at - known_at
            if timedelta(0) < since <= timedelta(days=days):
                found[pk] = max(found.get(pk, level), level)
    return found


def weekly(day: Day, *, metric: str, weeks: int) -> list[Floats]:
    """The metric on the day and on the same weekday of the weeks before, the newest first."""
    return [day.metric(metric), *(day.metric_before(metric, 7 * k) for k in range(1, weeks))]


def _floats(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if one is None else float(one) for one in values], dtype=np.float64)
