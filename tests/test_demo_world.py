"""The simulated company: the same seed gives the same world, and the world makes sense."""

from datetime import date, timedelta

import numpy as np
import pytest

from gengyun.demo.world import calendar, tales
from gengyun.demo.world.contracts import PENDING_DAYS
from gengyun.demo.world.make import make_world
from gengyun.demo.world.product import DEEDS

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def world():
    return make_world(as_of=AS_OF, seed=5, count=60)


def test_same_seed_gives_the_same_world_and_another_seed_another(world):
    again = make_world(as_of=AS_OF, seed=5, count=60)
    other = make_world(as_of=AS_OF, seed=6, count=60)
    assert [a.name for a in again.accounts] == [a.name for a in world.accounts]
    assert np.array_equal(again.events.happened, world.events.happened)
    assert [n.body for n in again.notes] == [n.body for n in world.notes]
    assert [a.name for a in other.accounts] != [a.name for a in world.accounts]


def test_nothing_is_known_before_it_happened_or_after_the_last_day(world):
    from gengyun.demo.world.usage import midnight_us

    end = midnight_us(AS_OF, "Asia/Shanghai")
    assert (world.events.known >= world.events.happened).all()
    assert world.events.known.max() < end
    assert 0 < (world.events.known > world.events.happened).mean() < 0.01  # a few are late
    assert world.events.happened.min() >= midnight_us(world.days[0], "Asia/Shanghai")


def test_rest_days_are_quiet_and_make_up_days_are_worked(world):
    by_day = dict(zip(world.days, world.active.sum(axis=0), strict=True))
    spring = by_day[date(2026, 2, 18)]  # second day of Spring Festival
    working = by_day[date(2026, 4, 15)]
    make_up = by_day[date(2026, 10, 10)]  # a Saturday that was worked
    saturday = by_day[date(2026, 10, 17)]
    assert spring < working * 0.1
    assert make_up > saturday * 3


def test_holidays_unknown_to_the_table_fall_back_to_weekdays():
    assert calendar.base_factor(date(2099, 6, 6)) == calendar.WEEKEND  # a Saturday
    assert calendar.base_factor(date(2099, 6, 8)) > 0.8


def test_every_customer_is_consistent(world):
    brands = {account.name[2:4] for account in world.accounts}
    assert len(brands) == len(world.accounts)
    for account in world.accounts:
        assert account.started_on < AS_OF
        if account.situation != "churned":  # a few are in talks after their term ran out
            assert AS_OF - timedelta(days=PENDING_DAYS) <= account.renews_on
        days = [day for day, _, _ in account.terms]
        assert days == sorted(set(days))
        assert days[0] == account.started_on
        assert account.terms[-1][1:] == (account.seats, account.arr_yuan)
        assert account.arr_yuan > 0
        users = int((world.users.account == account.index).sum())
        assert users <= max(account.seats, 2)


def test_customers_without_data_and_with_data_that_stopped_exist(world):
    events = np.bincount(world.events.account, minlength=len(world.accounts))
    for account in world.accounts:
        if account.situation == "no_data":
            assert events[account.index] == 0
        if account.situation == "stopped":
            own = world.active[account.index]
            assert own[account.last_day :].sum() == 0
            assert own[: account.last_day].sum() > 0
    assert {a.situation for a in world.accounts} >= {"no_data", "stopped", "new", "usual"}


def test_events_name_only_modules_the_customer_uses(world):
    for account in world.accounts[:20]:
        own = world.events.deed[world.events.account == account.index]
        assert {DEEDS[k].module for k in np.unique(own)} <= set(account.modules)


def test_notes_are_complete_sentences_on_office_days_in_the_past(world):
    for note in world.notes:
        assert "{" not in note.body
        assert note.author is not None
        day = (note.happened_at + timedelta(hours=8)).date()
        assert day < AS_OF
        assert calendar.is_office_day(day)
    bodies = [n.body for n in world.notes if n.happened_at.date() > AS_OF - timedelta(days=365)]
    assert len(set(bodies)) > 0.9 * len(bodies)


def test_a_note_about_falling_use_agrees_with_the_events():
    world = make_world(as_of=AS_OF, seed=5, count=120)
    told = [n for n in world.notes if n.body.startswith("看到日均活跃从")]
    assert told
    for note in told:
        was, now = (int("".join(c for c in part if c.isdigit())) for part in
                    note.body.split("，")[0].split("降到"))  # fmt: skip
        assert now <= was


def test_nobody_praises_what_nobody_uses(world):
    praise = ("点名表扬", "申请做标杆案例", "做得比我们的模板好")
    day_of = {day: k for k, day in enumerate(world.days)}
    for note in world.notes:
        if any(words in note.body for words in praise):
            day = day_of[(note.happened_at + timedelta(hours=8)).date()]
            assert world.active[note.account, max(day - 18, 0) : day].any()


@pytest.fixture(scope="module")
def whole():
    return make_world(as_of=AS_OF)


def use(world, account, first, last):
    """Average active users on office days, from `first` to `last` days before the end."""
    own = world.active[account.index]
    days = [
        k for k in range(len(own) - first, len(own) - last) if calendar.is_office_day(world.days[k])
    ]
    return own[days].mean()


def test_the_last_weeks_tell_five_stories(whole):
    cast = [account for account in whole.accounts if tales.TAG in account.tags]
    assert len(cast) == 4
    assert {account.owner for account in cast} == {tales.HERO}
    by_story = {}
    for account in cast:
        if use(whole, account, 14, 0) < 0.4 * use(whole, account, 160, 120):
            by_story["slide"] = account
        elif use(whole, account, 105, 90) < 0.3 * use(whole, account, 14, 0):
            by_story["rescue"] = account
        elif any(p.part == "decider" and p.left_on for p in account.persons):
            by_story["decider_left"] = account
        else:
            by_story["holiday"] = account
    assert set(by_story) == {"slide", "rescue", "decider_left", "holiday"}
    gone = by_story["decider_left"]
    assert use(whole, gone, 14, 0) > 0.8 * use(whole, gone, 120, 60)  # nothing shows in use
    calm = by_story["holiday"]
    festival = [
        k for k, day in enumerate(whole.days) if date(2026, 2, 16) <= day <= date(2026, 2, 22)
    ]
    assert whole.active[calm.index, festival].mean() < 0.3 * use(whole, calm, 120, 60)


def test_the_telephones_source_fell_silent(whole):
    from gengyun.demo.world.product import CLIENTS
    from gengyun.demo.world.usage import PHONE, client_of

    by_phone = client_of(whole.events.properties) == CLIENTS.index(PHONE)
    lag = (whole.events.known.max() - whole.events.known[by_phone].max()) / 86_400_000_000
    assert 2 < lag < 4
    assert by_phone.mean() > 0.2


def test_who_left_used_the_product_before_and_not_after(world):
    from gengyun.demo.world.former_life import LEAST_DAYS
    from gengyun.demo.world.usage import DAY_US, midnight_us

    first_us = midnight_us(world.days[0], "Asia/Shanghai")
    day = (world.events.happened - first_us) // DAY_US
    lived = [account for account in world.former if account.modules]
    recent = [a for a in world.former if (a.renews_on - world.days[0]).days > 300]
    assert len(lived) >= len(recent) > 0
    for account in lived:
        own = day[world.events.account == account.index]
        assert own.size > 0, account.external_id
        assert own.max() <= account.last_day
        assert own.min() >= max(account.first_day, 0)
        assert account.last_day >= LEAST_DAYS
        users = set(world.events.user[world.events.account == account.index].tolist())
        assert (world.users.account[list(users)] == account.index).all()
    told = {note.account for note in world.former_notes}
    assert told <= {account.index for account in lived}
    assert all(note.happened_at.date() < AS_OF for note in world.former_notes)


def test_histories_of_who_left_are_the_worse_ones():
    """Drawn by the chance of leaving that they give: bad use is no proof, but no accident."""
    from gengyun.demo.world import former_life

    world = make_world(as_of=AS_OF, seed=5, count=120)
    lived = [account for account in world.former if account.modules]
    rng = np.random.default_rng(1)
    fits = []
    for _ in range(80):
        former_life._histories(rng, lived, world.days)
        fits += [account.fit for account in lived]
    assert np.mean(fits) < -0.12  # all histories alike: -0.02
    assert np.max(fits) > 0.5  # some left who had every reason to stay


def test_histories_of_who_stayed_are_the_better_ones_at_the_days_on_which_they_stayed():
    """Else a model learns to tell the two kinds of history apart, and fears for nobody of today."""
    from gengyun.demo.world import shocks, survivors
    from gengyun.demo.world.accounts import SIZES, make_accounts
    from gengyun.demo.world.outcome import chance_of_leaving

    rng = np.random.default_rng(5)
    drawn = make_accounts(rng, as_of=AS_OF, count=600, day_count=730)
    shocks.draw_shocks(rng, drawn, 730)
    latent = shocks.engagement(rng, drawn, 730)
    days = [AS_OF - timedelta(days=730 - k) for k in range(730)]
    passed = {
        a.index: survivors.dues_passed(a, days, before=a.renews_on)
        for a in drawn
        if a.situation == "usual"
    }
    old = [a for a in drawn if passed.get(a.index)]
    assert all(0 < due <= 730 for a in old for due in passed[a.index])

    def chances(at):
        return np.array([chance_of_leaving(a, latent[a.index], at(a)) for a in old])

    was = chances(lambda a: passed[a.index][-1])
    survivors.settle(drawn, latent, days=days, seed=5)
    then, now = chances(lambda a: passed[a.index][-1]), chances(lambda a: 729)
    assert then.mean() < 0.8 * was.mean()
    assert then.max() > 0.6  # some stayed who had every reason to leave
    # what comes next is open: those of today are no chosen ones
    assert now.mean() > then.mean() + 0.02
    for size, low, high in zip(SIZES, (0.2, 0.1, 0.05), (0.38, 0.25, 0.22), strict=True):
        assert low < now[[a.size == size for a in old]].mean() < high


def test_the_first_days_are_like_the_last_and_young_customers_like_old_ones():
    """Else early renewals are learned from in a calmer world than the one that is judged."""
    from gengyun.demo.world import shocks, stories
    from gengyun.demo.world.accounts import make_accounts

    rng = np.random.default_rng(5)
    drawn = make_accounts(rng, as_of=AS_OF, count=600, day_count=730)
    shocks.draw_shocks(rng, drawn, 730)
    days = [AS_OF - timedelta(days=730 - k) for k in range(730)]
    stories.note_departures(rng, drawn, days)
    theirs = [account for account in drawn if account.situation == "usual"]
    yearly = sum(kind.yearly_rate for kind in shocks.KINDS)

    def a_year(accounts, first, last, day_of):
        there = sum(max(0, last - max(first, a.first_day + 30)) for a in accounts)
        count = sum(first <= (day_of(s) or -9999) < last for a in accounts for s in a.shocks)
        return count / there * 365

    young = [account for account in theirs if account.first_day > 365]
    assert len(young) > 50
    for accounts, first in ((theirs, -shocks.BEFORE), (theirs, 0), (theirs, 365), (young, 365)):
        assert a_year(accounts, first, 730, lambda s: s.day) == pytest.approx(yearly, rel=0.12)
    # nor do we know less of the year before the first day
    for first in (0, 365):
        known = a_year(theirs, first, first + 365, lambda s: s.recorded)
        assert known == pytest.approx(shocks.RECORDED_SHARE * yearly, rel=0.12)
    left = [p.left_on for a in theirs for p in a.persons if p.left_on]
    assert sum(days[0] - timedelta(days=200) <= day < days[0] for day in left) > 10
