"""Settings of the churn probability: data with their sources, checked, versioned, audited."""

import pytest
from factories import NOW, make_tiers, make_user

from gengyun.churn.actions.settings import (
    BaseRateBad,
    DaysBad,
    EventBad,
    SourceMissing,
    ThresholdBad,
    WeightBad,
    edit_settings,
)
from gengyun.churn.calc.features import FEATURES, METRIC, catalogue
from gengyun.churn.models import ChurnSettings
from gengyun.churn.queries.settings import (
    as_settings,
    base_rates_by_place,
    base_rates_in_force,
    current,
    event_of,
    thresholds_in_force,
    weights_in_force,
)
from gengyun.kernel.errors import NotAllowed
from gengyun.revenue.actions.settings import edit_settings as edit_revenue
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db


def edit(actor=None, **changes):
    return edit_settings(actor=actor or make_user("operations"), now=NOW, changes=changes)


def test_a_change_is_versioned_audited_and_holds():
    row = edit(weights={"champion_left": {"weight": 3, "source": "去年的复盘"}}, grace_days=45)
    assert (row.version, row.grace_days) == (2, 45)
    entry = AuditEntry.objects.get(action="churn.settings")
    assert entry.changes["grace_days"] == [60, 45]
    weights = weights_in_force(current(), FEATURES)
    assert (weights["champion_left"].weight, weights["champion_left"].source) == (3, "去年的复盘")
    assert weights["util_28"].source == "assumption"
    edit(weights={})
    assert weights_in_force(current(), FEATURES)["champion_left"].weight == 2.0
    assert current().version == 3


def test_the_same_again_changes_nothing():
    edit(grace_days=45)
    edit(grace_days=45)
    assert ChurnSettings.objects.get().version == 2
    assert AuditEntry.objects.filter(action="churn.settings").count() == 1


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"event": "tomorrow"}, EventBad),
        ({"grace_days": 366}, DaysBad),
        ({"silent_days": 7}, DaysBad),
        ({"weights": {"util_28": {"weight": 3.1, "source": "x"}}}, WeightBad),
        ({"weights": {"util_28": {"weight": float("nan"), "source": "x"}}}, WeightBad),
        ({"weights": {"util_28": {"weight": True, "source": "x"}}}, WeightBad),
        ({"weights": {"util_28": {"weight": 1, "source": "  "}}}, SourceMissing),
        ({"base_rates": {"": {"rate": 1, "worth": 20, "source": "x"}}}, BaseRateBad),
        ({"base_rates": {"": {"rate": 0.2, "worth": -1, "source": "x"}}}, BaseRateBad),
        ({"thresholds": {"psi_warns": {"value": 99, "source": "x"}}}, ThresholdBad),
        ({"thresholds": {"unheard_of": {"value": 0.5, "source": "x"}}}, ThresholdBad),
        ({"thresholds": {"tier:key": {"value": 1, "source": "x"}}}, ThresholdBad),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(changes, refusal):
    with pytest.raises(refusal):
        edit(**changes)
    assert not ChurnSettings.objects.filter(version__gt=1).exists()


def test_only_who_edits_settings_may():
    with pytest.raises(NotAllowed):
        edit(make_user("csm"), grace_days=45)
    with pytest.raises(NotAllowed):
        edit(make_user("leader"), grace_days=45)


def test_a_stated_renewal_rate_moves_what_is_shipped_but_not_what_was_chosen():
    make_tiers()
    edit_revenue(actor=None, now=NOW, changes={"stated_renewal_bp": 9_000})
    edit(base_rates={"key": {"rate": 0.3, "worth": 50, "source": "财务"}})
    rates = base_rates_in_force(current())
    assert rates[""].rate == pytest.approx(0.10)
    assert rates[""].source == "stated"
    assert rates["strategic"].rate < 0.08  # lower as shipped, lower still
    assert (rates["key"].rate, rates["key"].worth, rates["key"].source) == (0.3, 50, "财务")


def test_base_rates_by_place_follow_the_places_of_tables():
    from gengyun.churn.queries.observed import tier_places
    from gengyun.customers.models import Tier

    make_tiers()
    rates = base_rates_by_place(current())
    for pk, place in tier_places().items():
        key = Tier.objects.get(pk=pk).key
        assert rates[place] == base_rates_in_force(current()).get(key, rates[-1])


def test_the_event_follows_what_there_is_until_somebody_chooses():
    from factories import make_customer, make_renewal

    assert event_of(current()) == "silent"
    make_renewal(make_customer(), NOW.date())
    assert event_of(current()) == "non_renewal"
    edit(event="silent")
    assert event_of(current()) == "silent"


def test_a_metric_of_the_company_has_the_weight_of_its_catalogue_until_chosen():
    features = catalogue(["seats_sold"], {"seats_sold": -1})
    key = METRIC + "seats_sold"
    assert weights_in_force(current(), features)[key].weight == 0.5
    edit(weights={key: {"weight": 0, "source": "没有意义"}})
    assert weights_in_force(current(), features)[key].weight == 0


def test_thresholds_as_shipped_and_as_chosen():
    assert thresholds_in_force(current())["jump_logit"].value == 0.7
    edit(thresholds={"jump_logit": {"value": 1, "source": "太多了"}})
    found = thresholds_in_force(current())
    assert (found["jump_logit"].value, found["psi_warns"].value) == (1, 0.25)


def test_a_model_keeps_what_it_was_made_under():
    told = as_settings(current(), FEATURES)
    assert (told["version"], told["event"], told["grace_days"]) == (1, "silent", 60)
    assert told["weights"]["util_28"] == [2.0, "assumption"]
    assert told["base_rates"][""][2] == "assumption"
