"""What the hold-out of a draft could show is said before it starts."""

from datetime import timedelta

import pytest
from django.utils import translation
from factories import NOW, make_customer, make_run, make_sop
from sop_effect_runs import DAY, form

from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.calc.form import read
from gengyun.sop.queries.effect_plan import planned
from gengyun.web.present.sop_effect_power import power

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def told(raw, sop=None):
    read_form, _ = read(raw)
    found = planned(read_form, sop=sop, today=DAY)
    return found, power(read_form, found)


def test_needed_outcomes_and_those_of_the_hold_out():
    found, text = told(form())
    assert found.when.on is None
    assert f"{found.when.needed:,} outcomes are needed" in text
    assert f"{round(found.when.needed * 0.2):,} of them of the hold-out" in text
    assert "a difference of 10 points" in text
    assert "the dry run shows it" in text


def test_half_held_out_needs_fewer():
    assert told(form(holdout=0.5))[0].when.needed < told(form(holdout=0.1))[0].when.needed


def test_the_pace_of_an_sop_that_runs_gives_the_month():
    version = make_sop(form())
    for number in range(270):
        on = DAY - timedelta(days=number % 90)
        make_run(version, make_customer(), entered_on=on, entered_at=NOW)
    found, text = told(form(), version.sop)
    assert found.per_day == 3
    expected = DAY + timedelta(days=28 + -(-found.when.needed // 3))
    assert found.when.on == expected
    assert f"about {expected:%b %Y}" in text


def test_without_a_hold_out_or_an_outcome():
    assert told(form(holdout=0)) == (
        None,
        "Without a hold-out nobody will know whether it helps.",
    )
    raw = form()
    del raw["outcome"]
    assert told(raw) == (None, "")


def test_scores_and_metrics_are_in_their_own_unit():
    assert "4.5" in told(form("health"))[1]
    for score in (50.0, 70.0, None):  # who has no score says nothing of the spread
        customer = make_customer()
        CustomerSummary.objects.create(
            customer=customer, name=customer.name, score=score, updated_at=NOW
        )
    assert "a difference of 3 " in told(form("health"))[1]
    found, text = told(form("metric", key="active_7"))
    assert found.worth is None
    assert "three tenths of the usual spread" in text
