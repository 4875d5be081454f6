"""The made-up SOPs of the bench are ones that the product would publish, and days go by in them."""

from datetime import UTC, datetime, timedelta

import pytest

from gengyun.cli.benches import sop, sop_world
from gengyun.kernel.days import day_of
from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.calc.check import check
from gengyun.sop.models import Run, SopVersion, StepRun
from gengyun.sop.queries.known import known

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 9, 18, 30, tzinfo=UTC)


def test_the_days_of_the_sop_bench_are_days_of_the_product(monkeypatch):
    monkeypatch.setattr(sop_world, "OWNERS", 3)
    sop_world.build(400, NOW)
    sop_world.go_live(NOW)
    forms = [version.form for version in SopVersion.objects.all()]
    assert len(forms) == sop_world.SOPS
    assert {form["entry"]["kind"] for form in forms} == {"condition", "snapshot", "date"}
    assert [check(form, known()) for form in forms] == [[] for _ in forms]
    entered = []
    now = NOW
    for number in range(3):
        now += timedelta(days=1)
        if number:
            assert 0 < sop_world.next_day(now, number) < 40
        sop._evaluate(now)
        entered.append(Run.objects.filter(entered_on=day_of(now)).count())
        sop._step(now)
    assert entered[1] > 5
    assert CustomerSummary.objects.filter(as_of=day_of(now)).count() == 400
    found, bare = sop._stepping(now + timedelta(hours=1))
    assert found["count"] == sum(found["kinds"].values())
    assert (
        {"wait", "branch", "task"}
        <= set(found["kinds"])
        <= {"wait", "branch", "task", "note", "message"}
    )
    assert bare > 0
    assert sop._bare(now) > 0
    assert StepRun.objects.filter(state="failed").count() == 0
