"""What answers and silence say about customers, as known at a moment: for health, journeys, alerts
and the model of churn."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q

from gengyun.customers.queries.facts import CHUNK, Fact, FactSource, Values, register
from gengyun.engagement.calc import invitations, surveys
from gengyun.engagement.models import Answer, Invitation, Survey
from gengyun.kernel.days import day_of, start_of

PREFIX = "survey"
NPS_SCORE, SILENT_WAVES, SINCE = (f"{PREFIX}:{name}" for name in ("nps_score", "silent", "days"))
FACTS = (
    Fact(NPS_SCORE, "最近 NPS 打分", "Last NPS score", group="survey"),
    Fact(SILENT_WAVES, "连续没有回答的问卷轮次", "Survey waves without any answer", group="survey"),
    Fact(SINCE, "距上次回答问卷天数", "Days since a survey was answered", "days", "survey"),
)
WINDOW = timedelta(days=180)  # of an NPS answer [G30]
FAR = timedelta(days=730)  # older waves say nothing about today


@dataclass(frozen=True)
class LowAnswer:
    """An answer at or below the low end of its scale, with no better one since."""

    customer_id: int
    answer_id: int
    contact_id: int
    contact: str
    part: str
    kind: str
    score: int
    comment: str
    answered_at: datetime


def nps_scores(
    moment: datetime, *, customer_ids: Collection[int] | None = None
) -> dict[int, float]:
    """Customer -> mean of the latest score of each of its contacts within the window."""
    rows = Answer.objects.filter(
        survey__kind=Survey.Kind.NPS,
        score__isnull=False,
        answered_at__lt=moment,
        answered_at__gte=moment - WINDOW,
    )
    given: dict[int, list[surveys.Given]] = {}
    for part in _parts(rows, customer_ids):
        for customer, contact, at, score in part.order_by("answered_at", "pk").values_list(
            "customer_id", "contact_id", "answered_at", "score"
        ):
            given.setdefault(customer, []).append(surveys.Given(customer, contact, at, score))
    return {pk: surveys.mean_per_customer(answers)[pk] for pk, answers in given.items()}


def silent_waves(
    moment: datetime, *, customer_ids: Collection[int] | None = None
) -> dict[int, int]:
    """Customer -> waves in a row, the newest first, that nobody answered; never asked: absent."""
    rows = Invitation.objects.filter(sent_at__lt=moment, sent_at__gte=moment - FAR)
    asked: list[invitations.Asked] = []
    for part in _parts(rows, customer_ids):
        asked += [
            invitations.Asked(customer, wave, sent, answered)
            for customer, wave, sent, answered in part.order_by().values_list(
                "customer_id", "wave_id", "sent_at", "answered_at"
            )
        ]
    return invitations.silence(asked, moment)


def survey_inputs(
    moment: datetime, wanted: Collection[str], *, customer_ids: Collection[int] | None = None
) -> dict[int, dict[str, float]]:
    """Customer -> those of `calc.survey_inputs` that are wanted and known of it."""
    found: dict[int, dict[str, float]] = {}
    if "nps_score" in wanted:
        for pk, score in nps_scores(moment, customer_ids=customer_ids).items():
            found.setdefault(pk, {})["nps_score"] = score
    if "silent_waves" in wanted:
        for pk, count in silent_waves(moment, customer_ids=customer_ids).items():
            found.setdefault(pk, {})["silent_waves"] = float(count)
    return found


def low_answers(
    moment: datetime, *, days: int, customer_ids: Collection[int] | None = None
) -> list[LowAnswer]:
    """Low answers of the last `days` and the one after; one that the same person has made good in
    a later answer of that kind of survey is left out. Oldest first."""
    low = Q()
    for kind, most in surveys.LOW_TO.items():
        low |= Q(survey__kind=kind, score__lte=most)
    since = moment - timedelta(days=days + 1)
    rows = Answer.objects.filter(answered_at__lt=moment, answered_at__gte=since)
    found: list[Answer] = []
    for part in _parts(rows.filter(low), customer_ids):
        found += part.select_related("contact", "survey").order_by("answered_at", "pk")
    better = _made_good(rows, [one.contact_id for one in found])
    return [
        LowAnswer(
            customer_id=one.customer_id,
            answer_id=one.pk,
            contact_id=one.contact_id,
            contact=one.contact.name,
            part=one.part,
            kind=one.survey.kind,
            score=one.score or 0,
            comment=one.comment,
            answered_at=one.answered_at,
        )
        for one in found
        if one.answered_at >= better.get((one.contact_id, one.survey.kind), one.answered_at)
    ]


def _made_good(rows: Any, contact_ids: Sequence[int]) -> dict[tuple[int, str], datetime]:
    """(contact, kind) -> when they last gave a score that is not low."""
    found: dict[tuple[int, str], datetime] = {}
    ids = sorted(set(contact_ids))
    for start in range(0, len(ids), CHUNK):
        part = rows.filter(contact_id__in=ids[start : start + CHUNK], score__isnull=False)
        for contact, kind, score, at in part.order_by("answered_at", "pk").values_list(
            "contact_id", "survey__kind", "score", "answered_at"
        ):
            if not surveys.is_low(kind, score):
                found[contact, kind] = at
    return found


def _parts(rows: Any, customer_ids: Collection[int] | None) -> Iterator[Any]:
    if customer_ids is None:
        yield rows
        return
    ids = sorted(customer_ids)
    for start in range(0, len(ids), CHUNK):
        yield rows.filter(customer_id__in=ids[start : start + CHUNK])


# --- criteria of journeys ----------------------------------------------------------------------


def _values(keys: Collection[str], as_of: date, customer_ids: Collection[int] | None) -> Values:
    moment = start_of(as_of + timedelta(days=1))  # what was said today counts
    found: Values = {key: {} for key in keys}
    if NPS_SCORE in found:
        scores = nps_scores(moment, customer_ids=customer_ids)
        found[NPS_SCORE].update((pk, round(score, 2)) for pk, score in scores.items())
    if SILENT_WAVES in found:
        found[SILENT_WAVES].update(silent_waves(moment, customer_ids=customer_ids))
    if SINCE in found:
        for part in _parts(Answer.objects.filter(answered_at__lt=moment), customer_ids):
            for pk, at in part.order_by("answered_at").values_list("customer_id", "answered_at"):
                found[SINCE][pk] = max((as_of - day_of(at)).days, 0)
    return found


register(FactSource(PREFIX, lambda: FACTS, _values))
