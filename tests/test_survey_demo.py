"""The demo company's surveys: two waves, believable answers, the same for the same seed."""

import pytest
from alert_days import make_rules
from django.utils import timezone
from factories import make_contact, make_customer, make_user

from gengyun.alerts.models import Alert
from gengyun.demo.load.surveys import note_answers
from gengyun.engagement.models import Answer, Invitation, Survey, Wave
from gengyun.engagement.queries.surveys import results

pytestmark = pytest.mark.django_db


def test_demo_people_are_asked_twice_and_some_answer():
    make_rules(only=["survey_low"])
    now = timezone.now()
    owner = make_user("csm")
    customers = [make_customer(owner=owner) for _ in range(40)]
    for customer in customers:
        make_contact(customer, part="champion")
        make_contact(customer, part="decider")
    count = note_answers(customers, now=now, seed=7)
    assert count == Answer.objects.count() > 20
    waves = list(Wave.objects.order_by("opened_at"))
    assert [wave.closed_at is not None for wave in waves] == [True, False]
    assert Invitation.objects.filter(answered_at=None, sent_at__isnull=False).exists()
    assert all(one.answered_at <= now for one in Answer.objects.all())
    found = results(None, Survey.objects.get(key="nps"), now=now, days=180)
    assert found.number.is_enough
    assert 0 < found.response.value < 1
    assert Answer.objects.exclude(comment="").exists()
    assert not Alert.objects.exists()  # no day has been judged: nothing opens
