"""Conditions followed from day to day by blocks of customers, against one customer at a time."""

import random
from datetime import date, timedelta

import numpy as np
import pytest
from factories import make_customer
from test_sop_conditions import LEAVES, LOW, NOW, TODAY, _book

from gengyun.portfolio.actions import following
from gengyun.portfolio.actions.following import follow, since_of
from gengyun.portfolio.calc import blocks
from gengyun.portfolio.calc.expressions import parse
from gengyun.portfolio.calc.truth import truth
from gengyun.portfolio.models import ConditionState, CustomerSummary, FieldState, Watch, WatchBlock
from gengyun.portfolio.queries.expressions import definitions_of, facts_of

CHANGED = {"changed": {"field": "band", "from": None, "to": "D"}}
HELD = {"held": {"of": LOW, "days": 2}}


def _trees(chance):
    """Two or three leaves under and / or, some of them denied; each leaf comes up."""
    leaves = [*LEAVES, *LEAVES]
    chance.shuffle(leaves)
    while leaves:
        part = [leaves.pop() for _ in range(min(len(leaves), chance.choice((1, 2, 3))))]
        part = [{"not": one} if chance.random() < 0.3 else one for one in part]
        yield parse({chance.choice(("all", "any")): part})


def _move(chance):
    """A day goes by: scores, bands and owners of some become others, some are not known."""
    for row in CustomerSummary.objects.all():
        if chance.random() < 0.4:
            row.score = chance.choice((None, 30.0, 49.9, 50.0, 80.0))
            row.band = chance.choice("ABCDN")
            row.industry = chance.choice(("", "零售", "制造"))
            row.save()


def test_blocks_say_the_same_as_one_customer_at_a_time(db):
    chance = random.Random(5)
    _book()
    exprs = {str(n): expr for n, expr in enumerate(_trees(chance))}
    definitions = definitions_of(exprs.values())
    since = {}  # (condition, customer) -> day; the slow and obvious way
    for n in range(4):
        day = TODAY + timedelta(n)
        for _ in range(2):  # looked at twice, nothing changes
            chunks = list(follow(exprs, day=day))
            ids = CustomerSummary.objects.values_list("pk", flat=True)
            facts = facts_of(ids, exprs.values(), today=day)
            for name, expr in exprs.items():
                for pk, known in facts.items():
                    is_true = truth(expr, known, today=day, definitions=definitions)
                    key = name, pk
                    since[key] = since.get(key, day) if is_true else None
                    if since[key] is None:
                        del since[key]
            assert _said(chunks) == since
        _move(chance)
    assert set(since.values()) > {TODAY, day}  # kept since the first day, and new


def _said(chunks):
    found = {}
    for chunk in chunks:
        for name, days in chunk.since.items():
            assert ((days > 0) == chunk.holds[name]).all()
            for pk, number in zip(chunk.ids.tolist(), days.tolist(), strict=True):
                if number:
                    found[name, pk] = date.fromordinal(number)
    return found


def _customer(**values):
    customer = make_customer()
    CustomerSummary.objects.create(customer=customer, name="甲", updated_at=NOW, **values)
    return customer


def _days(exprs, day):
    return {
        name: dict(zip(chunk.ids.tolist(), days.tolist(), strict=True))
        for chunk in follow(exprs, day=day)
        for name, days in chunk.since.items()
    }


def test_since_when_is_kept_lost_and_found_for_one_customer(db):
    one, expr = _customer(score=40.0), parse(LOW)
    assert since_of(expr, one.pk) is None  # nobody looked
    for n, score in enumerate((40.0, 45.0, None, 30.0)):
        CustomerSummary.objects.update(score=score)
        list(follow({"low": expr}, day=TODAY + timedelta(n)))
    assert since_of(expr, one.pk) == TODAY + timedelta(3)
    assert since_of(expr, one.pk + 1) is None
    CustomerSummary.objects.all().delete()  # archived
    list(follow({"low": expr}, day=TODAY + timedelta(4)))
    assert since_of(expr, one.pk) is None


def test_only_what_changed_is_written(db):
    one = _customer(score=40.0, band="C")
    exprs = {"low": parse(LOW), "d": parse(CHANGED), "held": parse(HELD)}
    list(follow(exprs, day=TODAY))
    before = [list(model.objects.values()) for model in (WatchBlock, ConditionState, FieldState)]
    list(follow(exprs, day=TODAY + timedelta(1)))
    after = [list(model.objects.values()) for model in (WatchBlock, ConditionState, FieldState)]
    assert after == before
    CustomerSummary.objects.update(band="D")
    days = _days(exprs, TODAY + timedelta(2))
    assert days["d"] == {one.pk: (TODAY + timedelta(2)).toordinal()}
    assert days["held"] == {one.pk: (TODAY + timedelta(2)).toordinal()}  # low for two days now


def test_a_day_of_the_past_is_not_followed(db):
    _customer(score=40.0)
    list(follow({"low": parse(LOW)}, day=TODAY))
    with pytest.raises(ValueError, match="later day"):
        list(follow({"low": parse(LOW)}, day=TODAY - timedelta(1)))


def test_for_n_days_starts_anew_after_a_long_time_without_a_look(db):
    one = _customer(score=40.0)
    exprs = {"held": parse(HELD)}
    list(follow(exprs, day=TODAY))
    short = TODAY + following.LONGEST_GAP
    assert _days(exprs, short)["held"] == {one.pk: short.toordinal()}
    long = short + following.LONGEST_GAP + timedelta(1)
    assert _days(exprs, long)["held"] == {one.pk: 0}
    assert Watch.objects.get(hash=following.fingerprint(parse(LOW))).first_on == long


def test_keys_lie_in_blocks_with_nobody_left_out(db, monkeypatch):
    monkeypatch.setattr(blocks, "SIZE", 4)
    monkeypatch.setattr(following, "SIZE", 4)
    made = [_customer(score=40.0) for _ in range(11)]
    made[4].delete()
    chunks = list(follow({"low": parse(LOW)}, day=TODAY))
    ids = np.concatenate([chunk.ids for chunk in chunks]).tolist()
    assert ids == [one.pk for n, one in enumerate(made) if n != 4]
    assert all(chunk.holds["low"].all() for chunk in chunks)


def test_a_step_is_refused_where_customers_are_asked_about(db):
    _customer()
    expr = parse({"step": {"key": "call", "is": "done"}}, with_steps=True)
    with pytest.raises(Exception, match="step"):
        list(follow({"x": expr}, day=TODAY))
