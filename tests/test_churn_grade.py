"""How sure a probability may look: the worst of what it rests on."""

from datetime import UTC, datetime

import pytest

from gengyun.churn.calc.grade import Standing, grade
from gengyun.churn.models import Backtest, Event
from gengyun.churn.queries.backtests import is_unproven

SOUND = Standing("L2", 80)
KNOWN = {"missing_share": 0.1, "age_days": 0, "width": 0.2}


@pytest.mark.parametrize(
    ("standing", "more", "wanted"),
    [
        (SOUND, {}, "A"),
        (SOUND, {"width": 0.31}, "B"),
        (SOUND, {"width": 0.6}, "C"),
        (SOUND, {"missing_share": 0.3}, "B"),
        (SOUND, {"age_days": 8}, "C"),
        (Standing("L1", 30), {}, "B"),
        (Standing("L0", 80), {}, "C"),
        (Standing("L2", 80, has_signal=False), {}, "C"),
        (Standing("L2", 80, is_unproven=True), {}, "C"),
    ],
)
def test_the_worst_counts(standing, more, wanted):
    assert grade(standing, **KNOWN | more) == wanted


def report(skill):
    good = {"value": 0.7, "low": 0.6, "high": 0.8}
    return {
        "methods": {"model": {"auc": good, "skill": {"value": skill, "low": skill - 0.1,
                                                      "high": skill + 0.1},
                              "said": 0.2, "slope": dict.fromkeys(("value", "low", "high")),
                              "ece": {"value": None}, "ece_by_chance": {"value": None}}},
        "counts": {"rate": 0.2, "events": 60, "outcomes": 300},
    }  # fmt: skip


@pytest.mark.django_db
def test_a_back_test_speaks_from_the_moment_it_is_there():
    done = datetime(2026, 11, 20, 3, tzinfo=UTC)
    Backtest.objects.create(
        event=Event.NON_RENEWAL, state=Backtest.State.DONE, result=report(-0.08), settings={},
        created_at=done, finished_at=done,
    )  # fmt: skip
    assert not is_unproven(Event.NON_RENEWAL, datetime(2026, 11, 19, tzinfo=UTC))
    assert is_unproven(Event.NON_RENEWAL, datetime(2026, 11, 21, tzinfo=UTC))
    later = datetime(2026, 11, 22, tzinfo=UTC)
    Backtest.objects.create(
        event=Event.NON_RENEWAL, state=Backtest.State.DONE, result=report(0.2), settings={},
        created_at=later, finished_at=later,
    )  # fmt: skip
    assert not is_unproven(Event.NON_RENEWAL, datetime(2026, 11, 23, tzinfo=UTC))
