"""Two waves of NPS and what people of the demo company's customers said."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from gengyun.alerts.actions.evaluate import evaluate_facts
from gengyun.customers.models import Contact, Customer
from gengyun.engagement.actions.survey_defaults import install_defaults
from gengyun.engagement.calc.invitations import quarter_key
from gengyun.engagement.calc.surveys import DETRACTOR_TO, PROMOTER_FROM
from gengyun.engagement.models import Answer, Invitation, Survey, Wave
from gengyun.engagement.queries.survey_links import new_nonce
from gengyun.health.models import HealthScore
from gengyun.kernel.days import day_of

ASKED = (Contact.Part.CHAMPION, Contact.Part.DECIDER)
ANSWERS = 0.45  # share of those asked
WAVES = ((112, True), (20, False))  # days ago, closed
LATEST = 12  # days after the link
WHY = {
    "why_low": (
        "报表导出要等很久，月底根本用不了。",
        "上线时说好的接口到现在没给。",
        "换了三个对接人，每次都要从头讲。",
        "一线的人嫌麻烦，还是用表格。",
    ),
    "why_middle": (
        "功能够用，手机端再快一点就好。",
        "希望有同行的做法可以参考。",
        "审批流能自己改就更好了。",
    ),
    "why_high": (
        "问题当天就有人回，省心。",
        "项目例会少开了一半。",
        "新同事半天就会用。",
    ),
}


def note_answers(customers: Sequence[Customer], *, now: datetime, seed: int) -> int:
    """Links were passed on by hand in chats; who is well answers more, and better. How many did."""
    rng = random.Random(seed)  # noqa: S311 - a simulation
    install_defaults(now=now - timedelta(days=WAVES[0][0] + 1))
    survey = Survey.objects.get(key="nps")
    health = dict(HealthScore.objects.exclude(score=None).values_list("customer_id", "score"))
    ids = [customer.pk for customer in customers]
    people = Contact.objects.filter(customer__in=ids, left_on=None, part__in=ASKED)
    known = list(people.order_by("pk"))
    count = 0
    low: set[int] = set()
    for days, is_closed in WAVES:
        sent = now - timedelta(days=days)
        wave = Wave.objects.create(
            survey=survey,
            key=quarter_key(day_of(sent)),
            opened_at=sent,
            closed_at=sent + timedelta(days=60) if is_closed else None,
        )
        asked = [_invitation(survey, wave, one, sent) for one in known if rng.random() < 0.6]
        Invitation.objects.bulk_create(asked)
        answers = [
            answer
            for one in asked
            if (answer := _answer(one, health.get(one.customer_id), rng)) is not None
        ]
        Answer.objects.bulk_create(answers)
        Invitation.objects.bulk_update([one.invitation for one in answers], ["answered_at"])
        count += len(answers)
        if not is_closed:
            low = {one.customer_id for one in answers if (one.score or 0) <= DETRACTOR_TO}
    evaluate_facts(customer_ids=low, now=now)
    return count


def _invitation(survey: Survey, wave: Wave, contact: Contact, sent: datetime) -> Invitation:
    return Invitation(
        survey=survey,
        wave=wave,
        customer_id=contact.customer_id,
        contact=contact,
        nonce=new_nonce(),
        language="zh-hans",
        created_at=sent,
        expires_at=sent + timedelta(days=survey.valid_days),
        sent_at=sent,
        sent_by_hand=True,
    )


def _answer(asked: Invitation, health: float | None, rng: random.Random) -> Answer | None:
    level = 60.0 if health is None else health
    if rng.random() > ANSWERS * (0.6 + level / 120):
        return None
    score = max(0, min(10, round(2.4 + level / 13 + rng.gauss(0, 1.7))))
    key = "why_low" if score <= DETRACTOR_TO else "why_middle"
    key = "why_high" if score >= PROMOTER_FROM else key
    values: dict[str, int | str] = {"score": score}
    if rng.random() < 0.6:
        values[key] = rng.choice(WHY[key])
    asked.answered_at = asked.created_at + timedelta(
        days=rng.randrange(LATEST), hours=rng.randrange(1, 9)
    )
    return Answer(
        survey_id=asked.survey_id,
        wave_id=asked.wave_id,
        invitation=asked,
        customer_id=asked.customer_id,
        contact_id=asked.contact_id,
        part=asked.contact.part,
        score=score,
        values=values,
        comment=str(values.get(key, "")),
        language=asked.language,
        answered_at=asked.answered_at,
    )
