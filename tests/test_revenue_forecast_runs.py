"""What the forecast says of the renewals in the database, and what is kept of it each week."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from factories import NOW, People, make_customer, make_team, make_tiers, make_user

from gengyun.kernel.day import steps
from gengyun.revenue.actions.forecast import record_forecast, team_paths
from gengyun.revenue.models import (
    ExchangeRate,
    ForecastFigure,
    ForecastRun,
    Renewal,
    RenewalChange,
    RevenueSettings,
)
from gengyun.revenue.queries.forecast import expect, quarter_start, scope_of, weeks
from gengyun.revenue.queries.odds import Cell, learn, learned, remembered
from gengyun.revenue.queries.renewals import Filters, scoped

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)  # a Monday
WAN = 1_000_000


def make_renewal(customer, due_on=date(2026, 5, 10), due=10 * WAN, **values):
    defaults = {"group": "core", "due_minor": due, "owner": customer.owner, "created_at": NOW}
    return Renewal.objects.create(customer=customer, due_on=due_on, **(defaults | values))


def decided(customer, due_on, *, kept, due=10 * WAN):
    state = "renewed" if kept else "lost"
    return make_renewal(
        customer, due_on, due, state=state, category="signed" if kept else "lost",
        outcome_minor=kept, decided_on=due_on,
    )  # fmt: skip


@pytest.fixture
def people():
    return People()


@pytest.fixture
def tiers():
    return make_tiers()


@pytest.fixture
def past(people, tiers):
    """Forty first renewals of the best tier, thirty of them renewed; due a year ago."""
    best = min(tiers.values(), key=lambda tier: tier.position)
    for k in range(40):
        customer = make_customer(owner=people.owner, tier=best)
        decided(customer, date(2025, 2, 1) + timedelta(days=k), kept=10 * WAN if k < 30 else 0)
    return best


def test_rates_are_learned_by_tier_and_first_renewal(past):
    found = learn(TODAY)
    rate = found.odds.rates[found.place(past.pk, True)]
    assert (rate.decided, rate.renewed) == (40, 30)
    other = found.odds.rates[found.place(past.pk, False)]
    assert other.decided == 0
    assert other.mean == pytest.approx(rate.pulled_to)
    assert found.is_assumed
    assert found.cells[-1] == Cell(0, False)


def test_a_later_renewal_of_a_customer_is_another_kind(past, people):
    customer = make_customer(owner=people.owner, tier=past)
    decided(customer, date(2024, 3, 1), kept=10 * WAN)
    decided(customer, date(2025, 3, 1), kept=0)
    found = learn(TODAY)
    first = found.odds.rates[found.place(past.pk, True)]
    later = found.odds.rates[found.place(past.pk, False)]
    assert (first.decided, later.decided, later.renewed) == (41, 1, 0)


def test_a_stated_rate_replaces_the_assumption(past):
    RevenueSettings.objects.create(pk=1, stated_renewal_bp=9_500)
    found = learn(TODAY)
    assert not found.is_assumed
    assert found.stated == 0.95
    assert found.odds.rates[0].stated == 0.95


def test_nothing_in_the_books_is_said_as_such(people):
    found = expect(scoped(people.owner, Filters()), as_of=TODAY)
    assert found.forecast.total.count == 0
    assert found.is_thin
    assert found.said.minor == 0


def test_forecast_of_an_actor_is_of_what_they_see(people, past):
    mine = make_customer(owner=people.owner, tier=past)
    theirs = make_customer(owner=people.colleague, tier=past)
    make_renewal(mine, due=10 * WAN)
    make_renewal(theirs, due=30 * WAN)
    due = {
        actor: expect(
            scoped(actor, Filters()).filter(due_on__gte=TODAY), as_of=TODAY
        ).forecast.total.due_minor
        for actor in (people.owner, people.colleague, people.leader, people.stranger, people.viewer)
    }
    assert list(due.values()) == [10 * WAN, 30 * WAN, 40 * WAN, 0, 40 * WAN]


def test_currencies_are_converted_or_left_out_and_counted(people, past):
    customer = make_customer(owner=people.owner, tier=past)
    make_renewal(customer, due=10 * WAN)
    make_renewal(customer, due=1 * WAN, currency="USD", group="us")
    make_renewal(customer, due=1 * WAN, currency="EUR", group="eu")
    ExchangeRate.objects.create(
        currency="USD", base="CNY", on=date(2026, 1, 1), rate=Decimal(7), known_at=NOW
    )
    found = expect(Renewal.objects.filter(due_on__gte=TODAY), as_of=TODAY)
    assert found.forecast.total.due_minor == 17 * WAN
    assert found.without_rate == {"EUR": 1}


def test_what_the_csms_say_is_beside_it(people, past):
    one, two, three, four = (make_customer(owner=people.owner, tier=past) for _ in range(4))
    make_renewal(one, category="commit", forecast_minor=9 * WAN)
    make_renewal(two)
    make_renewal(three, category="lost", forecast_minor=None)
    decided(four, date(2026, 4, 4), kept=12 * WAN)
    found = expect(Renewal.objects.filter(due_on__gte=TODAY), as_of=TODAY)
    assert found.said.minor == 21 * WAN
    assert (found.said.unjudged, found.said.unjudged_minor) == (1, 10 * WAN)
    total = found.forecast.total
    assert (total.count, total.open_count, total.settled_minor) == (4, 3, 12 * WAN)


def test_merged_renewals_count_once(people, past):
    customer = make_customer(owner=people.owner, tier=past)
    kept = make_renewal(customer)
    make_renewal(customer, group="other", state="merged", merged_into=kept)
    found = expect(Renewal.objects.filter(due_on__gte=TODAY), as_of=TODAY)
    assert found.forecast.total.count == 1


def test_a_week_is_recorded_once_with_every_cut(people, past):
    north, south = make_customer(owner=people.owner, tier=past), make_customer(tier=past)
    make_renewal(north, due=10 * WAN, category="commit", forecast_minor=8 * WAN)
    make_renewal(south, due=20 * WAN, due_on=date(2026, 8, 1))
    run = record_forecast(as_of=TODAY, now=NOW)
    assert record_forecast(as_of=TODAY + timedelta(days=3), now=NOW) is None
    assert ForecastRun.objects.count() == 1
    cuts = {
        (f.scope, f.key, f.span, f.period_on.isoformat()): (f.due_minor, f.said_minor)
        for f in run.figures.all()
    }
    assert cuts["all", 0, "quarter", "2026-04-01"] == (10 * WAN, 8 * WAN)
    assert cuts["all", 0, "month", "2026-05-01"] == (10 * WAN, 8 * WAN)
    assert cuts["all", 0, "quarter", "2026-07-01"] == (20 * WAN, 0)
    assert cuts["owner", people.owner.pk, "quarter", "2026-04-01"] == (10 * WAN, 8 * WAN)
    assert cuts["team", people.north.pk, "quarter", "2026-04-01"] == (10 * WAN, 8 * WAN)
    assert cuts["owner", 0, "quarter", "2026-07-01"] == (20 * WAN, 0)
    assert cuts["tier", past.pk, "quarter", "2026-07-01"] == (20 * WAN, 0)
    assert ("team", people.south.pk, "quarter", "2026-04-01") not in cuts
    unjudged = {f.period_on.month: f.unjudged_count for f in run.figures.filter(scope="tier")}
    assert unjudged == {4: 0, 7: 1}


def test_the_next_week_is_another_run_and_the_last_stays_as_it_was(people, past):
    customer = make_customer(owner=people.owner, tier=past)
    renewal = make_renewal(customer)
    record_forecast(as_of=TODAY, now=NOW)
    before = list(ForecastFigure.objects.order_by("pk").values())
    Renewal.objects.filter(pk=renewal.pk).update(due_minor=50 * WAN)
    later = TODAY + timedelta(days=7)
    assert record_forecast(as_of=later, now=NOW + timedelta(days=7)) is not None
    found = weeks(
        scope="all", key=0, span="quarter", period_on=date(2026, 4, 1), until=later, count=13
    )
    assert [(week.as_of, week.due_minor) for week in found] == [
        (TODAY, 10 * WAN), (later, 50 * WAN),
    ]  # fmt: skip
    assert list(ForecastFigure.objects.filter(run__as_of=TODAY).order_by("pk").values()) == before
    assert (
        weeks(scope="all", key=0, span="quarter", period_on=date(2026, 4, 1), until=TODAY)
        == found[:1]
    )


def test_a_past_night_stands_on_what_was_known_then(people, past):
    """What was decided or said later is taken back, what was made later is not there."""
    customer = make_customer(owner=people.owner, tier=past)
    renewal = make_renewal(customer, category="signed", state="renewed", outcome_minor=15 * WAN)
    after = NOW + timedelta(days=5)
    for field, old in (("state", "open"), ("category", "unjudged"), ("outcome_minor", None)):
        RenewalChange.objects.create(renewal=renewal, at=after, field=field, old=old, new="x")
    make_renewal(customer, group="later", created_at=NOW + timedelta(days=9))
    run = record_forecast(as_of=TODAY, now=NOW)
    figure = run.figures.get(scope="all", span="quarter", period_on=date(2026, 4, 1))
    assert (figure.count, figure.open_count, figure.settled_minor) == (1, 1, 0)
    assert figure.unjudged_count == 1


def test_what_a_run_learned_is_used_all_week_and_read_back_whole(people, past):
    run = record_forecast(as_of=TODAY, now=NOW)
    fresh = learn(TODAY)
    kept = remembered(run)
    assert kept.cells == fresh.cells
    assert kept.odds.rates == fresh.odds.rates
    assert kept.odds.delays.renewed_open == pytest.approx(fresh.odds.delays.renewed_open, abs=1e-4)
    assert kept.odds.spread == pytest.approx(fresh.odds.spread, abs=1e-4)
    assert kept.odds.amount_weight == pytest.approx(fresh.odds.amount_weight, abs=1e-4)
    assert kept.odds.ratio_levels == pytest.approx(fresh.odds.ratio_levels, abs=1e-4)
    for name in ("amounts", "ratio_levels"):  # a run of a version that did not know them
        del run.odds[name]
    earlier = remembered(run)
    assert len(earlier.odds.amount_weight) == len(earlier.odds.ratio_levels) == 0
    assert learned(TODAY + timedelta(days=5)).as_of == TODAY
    assert learned(TODAY + timedelta(days=9)).as_of == TODAY + timedelta(days=9)
    assert learned(TODAY - timedelta(days=1)).as_of == TODAY - timedelta(days=1)


def test_a_new_tier_is_learned_about_at_once(people, past, tiers):
    record_forecast(as_of=TODAY, now=NOW)
    last = max(tiers.values(), key=lambda tier: tier.position)
    last.pk, last.key = None, "another"
    last.save()
    make_renewal(make_customer(owner=people.owner, tier=last))
    found = expect(Renewal.objects.filter(due_on__gte=TODAY), as_of=TODAY)
    assert found.forecast.total.count == 1


def test_teams_count_in_those_above_them(people):
    below = make_team("北区一组", parent=people.north)
    member = make_user("csm", team=below)
    alone = make_user("csm")
    paths = team_paths()
    assert paths[member.pk] == (people.north.pk, below.pk)
    assert paths[people.owner.pk] == (people.north.pk,)
    assert paths[alone.pk] == ()


def test_the_recorded_cut_is_what_the_actor_sees(people):
    assert scope_of(people.viewer, None) == ("all", 0)
    assert scope_of(None, None) == ("all", 0)
    assert scope_of(people.leader, None) == ("team", people.north.pk)
    assert scope_of(people.owner, None) == ("owner", people.owner.pk)
    assert scope_of(people.leader, people.owner.pk) == ("owner", people.owner.pk)


def test_the_day_has_the_step_after_all_that_judges():
    order = {step.name: step.order for step in steps()}
    assert order["revenue"] < order["forecast"]
    assert order["health"] < order["forecast"]


def test_quarters_begin_where_they_do():
    assert quarter_start(date(2026, 3, 31)) == date(2026, 1, 1)
    assert quarter_start(date(2026, 12, 1)) == date(2026, 10, 1)


def test_the_command_says_what_the_page_says(people, past, monkeypatch):
    from click.testing import CliRunner

    from gengyun.cli import renewals as cli

    monkeypatch.setattr("gengyun.kernel.clock.utc_now", lambda: NOW)
    customer = make_customer(owner=people.owner, tier=past)
    make_renewal(customer, category="commit", forecast_minor=8 * WAN)
    record_forecast(as_of=TODAY - timedelta(days=7), now=NOW)
    asked = ["--period", "2026q2", "--expected"]
    answer = CliRunner().invoke(cli.command, [*asked, "--json"])
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.output)
    found = expect(Renewal.objects.filter(due_on__gte=TODAY), as_of=TODAY).forecast
    assert told["basis"] == "experience-based estimate"
    assert told["total"]["expected_minor"] == found.total.expected_minor
    assert told["total"]["p90_minor"] == found.total.p90_minor
    assert told["owner"][people.owner.email]["due_minor"] == 10 * WAN
    assert told["tier"][past.key]["count"] == 1
    assert list(told["month"]) == ["2026-05"]
    assert told["said"] == {"forecast_minor": 8 * WAN, "unjudged": 0}
    then = CliRunner().invoke(cli.command, [*asked, "--as-of", "2026-03-01", "--json"])
    assert json.loads(then.output)["quarter"]["2026-04"]["due_minor"] == 10 * WAN
    table = CliRunner().invoke(cli.command, asked).output
    assert "without the five largest" in table
    early = CliRunner().invoke(cli.command, [*asked, "--as-of", "2020-01-01"])
    assert early.exit_code == 1
    assert "no forecast was recorded" in early.output
