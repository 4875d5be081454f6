"""Surveys, their numbers and their answers, as far as the actor may see the customers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from gengyun.customers.models import Contact, Customer
from gengyun.engagement.calc import surveys as calc
from gengyun.engagement.calc.surveys import Given, Nps, Response, Share
from gengyun.engagement.models import Answer, Invitation, Survey, Wave
from gengyun.kernel.errors import NotFound
from gengyun.team.models import User

Number = Nps | Share
GROUPS = {  # kind -> group -> lowest and highest score
    "nps": {"promoter": (9, 10), "passive": (7, 8), "detractor": (0, 6)},
    "csat": {"high": (4, 5), "middle": (3, 3), "low": (1, 2)},
    "ces": {"high": (5, 7), "middle": (4, 4), "low": (1, 3)},
}
PART_GROUPS = {  # who decides, and who uses it
    "decider": (Contact.Part.DECIDER,),
    "champion": (Contact.Part.CHAMPION,),
    "user": (Contact.Part.USER,),
    "other": (Contact.Part.PROCUREMENT, Contact.Part.OTHER),
}
PAGE = 50
MOST_ASKED = 2_000  # people invited by one click


def get(pk: int) -> Survey:
    """Surveys themselves are for everybody who works here; whose answers they see is apart."""
    found = Survey.objects.select_related("channel").filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True)
class Results:
    """Of one survey over a window; `number` is None where nobody answered or there is no score."""

    survey: Survey
    since: datetime
    number: Number | None
    response: Response
    count: int = 0  # answers in the window, of all questions
    opened: int = 0
    unsent: int = 0  # invited, but the link went to nobody
    per_customer: Nps | None = None
    by_part: Sequence[tuple[str, Number | None]] = ()
    spread: Sequence[tuple[int, int]] = field(default_factory=list)


def number_of(kind: str, scores: Sequence[int]) -> Number | None:
    """The number of the kind; None for a short form, and without a score."""
    if kind == "nps":
        return calc.nps(scores)
    return {"csat": calc.csat, "ces": calc.ces}[kind](scores) if kind in calc.SCALES else None


def results(
    actor: User | None, survey: Survey, *, now: datetime, days: int, part: str = ""
) -> Results:
    """The latest answer per contact within the last `days`; asked: links sent in them."""
    since = now - timedelta(days=days)
    answers = Answer.objects.visible_to(actor).filter(
        survey=survey, answered_at__gte=since, answered_at__lte=now
    )
    invited = Invitation.objects.visible_to(actor).filter(survey=survey, created_at__gte=since)
    if part in PART_GROUPS:
        answers = answers.filter(part__in=PART_GROUPS[part])
        invited = invited.filter(contact__part__in=PART_GROUPS[part])
    latest = calc.latest_per_contact(_given(answers))
    asked = _asked(invited)
    scores = [one.score for one in latest]
    per_customer = calc.mean_per_customer(latest).values() if survey.kind == "nps" else []
    return Results(
        survey,
        since,
        number_of(survey.kind, scores),
        calc.response(asked["sent"], asked["answered"]),
        count=answers.count(),
        opened=asked["opened"],
        unsent=asked["unsent"],
        per_customer=calc.nps(per_customer),
        by_part=_by_part(survey.kind, latest),
        spread=calc.spread(scores, survey.kind) if scores else [],
    )


def _given(answers: Any) -> list[Given]:
    rows = answers.filter(score__isnull=False).order_by("answered_at", "pk")
    return [
        Given(customer, contact, at, score, part)
        for customer, contact, at, score, part in rows.values_list(
            "customer_id", "contact_id", "answered_at", "score", "part"
        )
    ]


def _asked(invited: Any) -> dict[str, int]:
    found: dict[str, int] = invited.order_by().aggregate(
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        opened=Count("pk", filter=Q(opened_at__isnull=False)),
        answered=Count("pk", filter=Q(answered_at__isnull=False)),
        unsent=Count("pk", filter=Q(sent_at__isnull=True)),
    )
    return found


def _by_part(kind: str, latest: Sequence[Given]) -> list[tuple[str, Number | None]]:
    """Who decides apart from who uses it: they rarely agree."""
    return [
        (name, number_of(kind, scores))
        for name, parts in PART_GROUPS.items()
        if (scores := [one.score for one in latest if one.part in parts])
    ]


@dataclass(frozen=True)
class WaveRow:
    wave: Wave
    response: Response
    number: Number | None


def waves(actor: User | None, survey: Survey, *, limit: int = 12) -> list[WaveRow]:
    """The newest waves with how many answered and their own number."""
    found = list(survey.waves.order_by("-opened_at", "-pk")[:limit])
    ids = [wave.pk for wave in found]
    counts = {
        pk: (sent, answered)
        for pk, sent, answered in Invitation.objects.visible_to(actor)
        .filter(wave__in=ids)
        .order_by()
        .values_list("wave_id")
        .annotate(
            sent=Count("pk", filter=Q(sent_at__isnull=False)),
            answered=Count("pk", filter=Q(answered_at__isnull=False)),
        )
    }
    scores: dict[int, list[int]] = {}
    answers = Answer.objects.visible_to(actor).filter(wave__in=ids, score__isnull=False)
    for pk, score in answers.order_by("pk").values_list("wave_id", "score"):
        scores.setdefault(pk, []).append(score)
    return [
        WaveRow(
            wave,
            calc.response(*counts.get(wave.pk, (0, 0))),
            number_of(survey.kind, scores.get(wave.pk, [])),
        )
        for wave in found
    ]


def answers(
    actor: User | None,
    survey: Survey,
    *,
    since: datetime,
    group: str = "",
    part: str = "",
    with_words: bool = False,
) -> QuerySet[Answer]:
    """Newest first; `group`: of `GROUPS`; `with_words`: only those with a comment."""
    rows = Answer.objects.visible_to(actor).filter(survey=survey, answered_at__gte=since)
    limits = GROUPS.get(survey.kind, {}).get(group)
    if limits:
        rows = rows.filter(score__gte=limits[0], score__lte=limits[1])
    if part in PART_GROUPS:
        rows = rows.filter(part__in=PART_GROUPS[part])
    if with_words:
        rows = rows.exclude(comment="")
    found: QuerySet[Answer] = rows.select_related("customer", "contact", "wave").order_by(
        "-answered_at", "-pk"
    )
    return found


@dataclass(frozen=True)
class OfCustomer:
    answers: Sequence[Answer]
    waiting: Sequence[Invitation]  # asked and not answered, newest first
    mean: float | None  # of the latest NPS score of each contact
    silent: int | None  # waves in a row without an answer; None: never asked


def of_customer(
    actor: User | None, customer: Customer, *, now: datetime, limit: int = 30
) -> OfCustomer:
    from gengyun.engagement.queries.survey_facts import nps_scores, silent_waves

    ids = [customer.pk]
    mine = Answer.objects.visible_to(actor).filter(customer=customer)
    asked = Invitation.objects.visible_to(actor).filter(customer=customer, answered_at=None)
    return OfCustomer(
        list(
            mine.select_related("survey", "contact", "wave").order_by("-answered_at", "-pk")[:limit]
        ),
        list(
            asked.select_related("survey", "contact", "wave").order_by(
                F("sent_at").desc(nulls_first=True), "-pk"
            )[:limit]
        ),
        nps_scores(now, customer_ids=ids).get(customer.pk),
        silent_waves(now, customer_ids=ids).get(customer.pk),
    )


def people(
    actor: User | None, *, parts: Collection[str], tier_id: int | None = None
) -> QuerySet[Contact]:
    """Who can be asked: present contacts of present customers, by their part in decisions."""
    rows = Contact.objects.visible_to(actor).filter(
        left_on__isnull=True, customer__archived_at__isnull=True
    )
    wanted = [one for name in parts for one in PART_GROUPS.get(name, ())]
    rows = rows.filter(part__in=wanted)
    if tier_id is not None:
        rows = rows.filter(customer__tier_id=tier_id)
    found: QuerySet[Contact] = rows.select_related("customer").order_by("pk")
    return found


def states_of(invitation_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """What can be said of invitations: answered or not_answered, and sent."""
    found: dict[int, frozenset[str]] = {}
    ids = sorted(invitation_ids)
    for start in range(0, len(ids), 500):
        rows = Invitation.objects.filter(pk__in=ids[start : start + 500])
        for pk, sent, answered in rows.values_list("pk", "sent_at", "answered_at"):
            said = {"answered" if answered else "not_answered"}
            found[pk] = frozenset(said | ({"sent"} if sent else set()))
    return found
