"""The ARR asked of a customer for the next term: said, taken back, told to many, known from when."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from click.testing import CliRunner
from factories import NOW, People, make_customer
from test_revenue_renewals import WAN, make_renewal

from gengyun.kernel.days import day_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.revenue.actions import asking, renewals
from gengyun.revenue.actions.forecast import record_forecast
from gengyun.revenue.models import ForecastFigure, Renewal, RenewalChange, RenewalState
from gengyun.revenue.queries.forecast import expect
from gengyun.revenue.queries.odds import learn
from gengyun.team.models import AuditEntry

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 2)


@pytest.fixture
def people():
    return People()


@pytest.fixture
def renewal(people):
    return make_renewal(make_customer("云启科技", owner=people.owner))


def say(people, renewal, now=NOW, **values):
    return renewals.set_forecast(actor=people.owner, now=now, renewal_id=renewal.pk, **values)


def test_what_is_asked_is_kept_with_who_said_it_and_judges_nothing(people, renewal):
    told = say(people, renewal, asked_minor=10_600_000, why="价目表上调 6%")
    renewal.refresh_from_db()
    assert told == {"asked_minor": [None, 10_600_000]}
    assert (renewal.asked_minor, renewal.category) == (10_600_000, "unjudged")
    assert renewal.rise == pytest.approx(0.06)
    change = RenewalChange.objects.get(renewal=renewal)
    assert (change.field, change.old, change.new) == ("asked_minor", None, 10_600_000)
    assert (change.actor, change.why) == (people.owner, "价目表上调 6%")
    entry = AuditEntry.objects.get(action="renewal.forecast")
    assert entry.changes["asked_minor"] == [None, 10_600_000]


def test_a_category_takes_what_was_asked(people, renewal):
    say(people, renewal, asked_minor=11 * WAN)
    say(people, renewal, category="commit")
    renewal.refresh_from_db()
    assert renewal.forecast_minor == 11 * WAN
    say(people, renewal, asked_minor=None)
    renewal.refresh_from_db()
    assert (renewal.asked_minor, renewal.forecast_minor, renewal.rise) == (None, 11 * WAN, None)


@pytest.mark.parametrize("minor", [0, -1, 20 * 10 * WAN + 1])
def test_a_price_that_nobody_asks_is_refused(people, renewal, minor):
    with pytest.raises(renewals.AskedBad):
        say(people, renewal, asked_minor=minor)
    renewal.refresh_from_db()
    assert renewal.asked_minor is None
    assert not RenewalChange.objects.exists()


def test_a_decided_renewal_is_asked_nothing(people, renewal):
    Renewal.objects.update(state=RenewalState.LOST, outcome_minor=0)
    with pytest.raises(renewals.RenewalDecided):
        say(people, renewal, asked_minor=WAN)
    with pytest.raises(renewals.RenewalDecided):
        asking.ask_more(actor=people.owner, now=NOW, renewal_ids=[renewal.pk], more=Decimal("0.06"))


def test_undo_gives_back_what_was_asked_before(people, renewal):
    say(people, renewal, asked_minor=11 * WAN)
    told = say(people, renewal, asked_minor=12 * WAN)
    renewals.put_back(actor=people.owner, now=NOW, renewal_id=renewal.pk, told=told)
    renewal.refresh_from_db()
    assert renewal.asked_minor == 11 * WAN
    told = say(people, renewal, asked_minor=12 * WAN)
    say(people, renewal, asked_minor=13 * WAN)
    with pytest.raises(renewals.ForecastChanged):
        renewals.put_back(actor=people.owner, now=NOW, renewal_id=renewal.pk, told=told)


def test_a_list_price_rise_is_asked_of_many_to_the_minor_unit(people):
    rows = [
        make_renewal(make_customer(owner=people.owner), due=minor)
        for minor in (1_000_001, 333, 0, 20 * WAN)
    ]
    ids = [row.pk for row in rows]
    told = asking.ask_more(
        actor=people.owner, now=NOW, renewal_ids=ids, more=Decimal("0.065"), why="调价"
    )
    asked = [Renewal.objects.get(pk=pk).asked_minor for pk in ids]
    assert asked == [1_065_001, 355, None, 21_300_000]
    assert told == {ids[0]: (None, 1_065_001), ids[1]: (None, 355), ids[3]: (None, 21_300_000)}
    assert RenewalChange.objects.filter(field="asked_minor", why="调价").count() == 3
    assert AuditEntry.objects.filter(action="renewal.forecast").count() == 3
    again = asking.ask_more(
        actor=people.owner, now=NOW, renewal_ids=ids, more=Decimal("0.065"), why="调价"
    )
    assert again == {}
    asking.put_back_asked(actor=people.owner, now=NOW, told=told)
    assert not Renewal.objects.filter(asked_minor__isnull=False).exists()
    with pytest.raises(asking.AskedMeanwhile):
        asking.put_back_asked(actor=people.owner, now=NOW, told=told)


def test_many_are_asked_all_or_none_and_only_by_who_sees_them(people, monkeypatch):
    mine = make_renewal(make_customer(owner=people.owner))
    theirs = make_renewal(make_customer(owner=people.stranger))
    ids, more = [mine.pk, theirs.pk], Decimal("0.06")
    with pytest.raises(NotFound):
        asking.ask_more(actor=people.owner, now=NOW, renewal_ids=ids, more=more)
    with pytest.raises(NotAllowed):
        asking.ask_more(actor=people.viewer, now=NOW, renewal_ids=ids[:1], more=more)
    with pytest.raises(renewals.AskedBad):
        asking.ask_more(actor=people.owner, now=NOW, renewal_ids=ids[:1], more=Decimal(-1))
    monkeypatch.setattr(asking, "MOST_ASKED", 1)
    with pytest.raises(asking.TooManyAsked):
        asking.ask_more(actor=people.owner, now=NOW, renewal_ids=ids, more=more)
    assert not Renewal.objects.filter(asked_minor__isnull=False).exists()


# --- the forecast -------------------------------------------------------------------------------


def test_the_forecast_expects_what_is_asked(people):
    rows = [make_renewal(make_customer(owner=people.owner)) for _ in range(4)]
    every = Renewal.objects.all()
    sure = {row.pk: 1.0 for row in rows}
    before = expect(every, as_of=TODAY, probabilities=sure, draws=500)
    asking.ask_more(
        actor=people.owner, now=NOW, renewal_ids=[row.pk for row in rows], more=Decimal("0.10")
    )
    after = expect(every, as_of=TODAY, probabilities=sure, draws=500)
    ratio = after.forecast.total.expected_minor / before.forecast.total.expected_minor
    assert ratio == pytest.approx(1.1, abs=1e-6)
    assert (before.asked, after.asked) == (0, 4)
    gross = after.forecast.total.gross
    assert gross.expected_minor <= after.forecast.total.due_minor < after.forecast.total.p50_minor


def test_a_forecast_of_a_past_moment_knows_only_what_was_asked_by_then(people, renewal):
    Renewal.objects.update(created_at=NOW - timedelta(days=40))
    say(people, renewal, asked_minor=15 * WAN, now=NOW - timedelta(days=2))
    every = Renewal.objects.all()
    then = expect(every, as_of=TODAY, moment=NOW - timedelta(days=3), draws=500)
    now = expect(every, as_of=TODAY, moment=NOW, draws=500)
    assert [row.asked for row in then.rows] == [None]
    assert [row.asked for row in now.rows] == [1.5]


def test_what_was_asked_of_decided_renewals_teaches(people):
    for _ in range(30):
        row = make_renewal(
            make_customer(owner=people.owner), TODAY - timedelta(days=200),
            created_at=NOW - timedelta(days=400),
        )  # fmt: skip
        Renewal.objects.filter(pk=row.pk).update(
            state=RenewalState.RENEWED, outcome_minor=11 * WAN,
            decided_on=day_of(NOW) - timedelta(days=210), asked_minor=11 * WAN,
        )  # fmt: skip
    assert learn(TODAY).odds.ratios.mean() == pytest.approx(1.0)
    Renewal.objects.update(asked_minor=None)
    assert learn(TODAY).odds.ratios.mean() > 1.05


def told(*arguments):
    from gengyun.cli.renewals import command

    answer = CliRunner().invoke(command, ["--from", "2026-04-01", "--to", "2026-06-30", *arguments])
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_the_command_tells_what_was_asked_and_expected_nrr_and_grr(people, renewal, monkeypatch):
    monkeypatch.setattr("gengyun.kernel.clock.utc_now", lambda: NOW)
    say(people, renewal, asked_minor=12 * WAN, category="commit")
    line = json.loads(told("--list", "--json"))["renewals"][0]
    assert (line["asked_minor"], line["rise"]) == (12 * WAN, pytest.approx(0.2))
    assert "+20.0%" in told("--list")
    found = json.loads(told("--expected", "--json"))
    total = found["total"]
    assert found["asked"] == 1
    assert total["gross"]["expected_minor"] <= total["due_minor"]
    assert total["nrr"] == pytest.approx(total["expected_minor"] / total["due_minor"])
    assert total["grr"] == pytest.approx(total["nrr"] / 1.2, rel=0.1)
    said = told("--expected")
    assert "expected NRR" in said
    assert "of 1 the price of the next term was told" in said
    # what a week recorded has both, and one of before has no gross
    record_forecast(as_of=TODAY, now=NOW)
    kept = json.loads(told("--expected", "--json", "--as-of", "2026-03-02"))["quarter"]["2026-04"]
    assert 0 < kept["gross"]["p50_minor"] <= kept["p50_minor"]
    ForecastFigure.objects.update(gross_p50_minor=None)
    kept = json.loads(told("--expected", "--json", "--as-of", "2026-03-02"))["quarter"]["2026-04"]
    assert kept["gross"]["p50_minor"] is None
