"""The contracts of the simulated company: they add up to its customers, and read like life."""

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from gengyun.demo.world.deals import with_tax
from gengyun.demo.world.make import make_world

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def world():
    return make_world(as_of=AS_OF, seed=5, count=120)


def _by_account(world):
    found = defaultdict(list)
    for deed in world.deeds:
        found[deed.account].append(deed)
    return found


def _in_force(deeds):
    """Yearly yuan after the last deed: what the last contract holds, with what grew since."""
    yearly = 0
    for deed in deeds:
        if deed.verb in {"sign", "renew"}:
            yearly = sum(part.arr_yuan for part in deed.facts["parts"])
        elif deed.verb == "grow":
            yearly += deed.facts["after"].arr_yuan - deed.facts["before"].arr_yuan
        elif deed.verb in {"lose", "end"}:
            yearly = 0
    return yearly


def test_the_same_seed_gives_the_same_deeds(world):
    again = make_world(as_of=AS_OF, seed=5, count=120)
    assert again.deeds == world.deeds
    assert len(world.deeds) > 1_000


def test_contracts_of_today_add_up_to_what_the_customer_is_worth(world):
    by_account = _by_account(world)
    for account in world.accounts:
        expected = 0 if account.situation == "churned" else account.arr_yuan
        assert _in_force(by_account[account.index]) == expected, account.external_id
    for account in world.former:
        assert _in_force(by_account[account.index]) == 0


def test_deeds_come_in_the_order_of_time_and_begin_with_a_signature(world):
    assert [d.on for d in world.deeds] == sorted(d.on for d in world.deeds)
    assert world.deeds[-1].on < AS_OF
    for deeds in _by_account(world).values():
        assert deeds[0].verb == "sign"
        renewed = [d for d in deeds if d.verb == "renew"]
        assert all((d.on - d.facts["starts"]).days < 30 for d in renewed)


def test_who_left_is_archived_after_the_loss_and_has_a_cause(world):
    for account in world.former:
        deeds = _by_account(world)[account.index]
        verbs = [d.verb for d in deeds if d.verb in {"lose", "end", "archive"}]
        assert verbs[-2:] in (["lose", "archive"], ["end", "archive"])
        gone = [d for d in deeds if d.verb in {"lose", "end"}][-1]
        assert bool(gone.facts["cause"]) != gone.facts["involuntary"]


def test_a_term_follows_the_other_without_gap_unless_somebody_left(world):
    for deeds in _by_account(world).values():
        end = None
        for deed in deeds:
            if deed.verb == "renew":
                assert deed.facts["starts"] == end + timedelta(days=1)
            if deed.verb in {"sign", "renew"}:
                assert deed.facts["starts"] <= deed.facts["ends"]
                end = deed.facts["ends"]


def test_payments_never_exceed_their_invoice_and_some_are_late_or_missing(world):
    invoices = {d.facts["number"]: d for d in world.deeds if d.verb == "invoice"}
    assert len(invoices) == sum(d.verb == "invoice" for d in world.deeds)  # numbers are unique
    paid, late = Counter(), 0
    for deed in world.deeds:
        if deed.verb == "pay":
            invoice = invoices[deed.facts["invoice"]]
            paid[deed.facts["invoice"]] += deed.facts["fen"]
            assert deed.on >= invoice.facts["issued"]
            late += deed.on > invoice.facts["due"]
    assert all(paid[number] <= deed.facts["fen"] for number, deed in invoices.items())
    assert 0.05 < late / len(paid) < 0.35
    overdue = [n for n, d in invoices.items() if d.facts["due"] < AS_OF and paid[n] == 0]
    assert 0 < len(overdue) < 0.1 * len(invoices)


def test_signatures_gather_at_the_end_of_the_year_and_some_come_late():
    world = make_world(as_of=AS_OF, seed=20_261)
    starts = Counter(d.facts["starts"].month for d in world.deeds if d.verb in {"sign", "renew"})
    assert starts[12] > 1.5 * sum(starts.values()) / 12
    assert starts[2] < sum(starts.values()) / 12
    renewed = [d for d in world.deeds if d.verb == "renew"]
    late = sum(d.facts["signed"] > d.facts["starts"] for d in renewed) / len(renewed)
    assert 0.15 < late < 0.45
    lost = sum(d.verb == "lose" for d in world.deeds)
    assert 0.1 < lost / (lost + len(renewed)) < 0.3
    assert any(d.verb == "sign" and d.facts["number"].endswith("-2") for d in world.deeds)  # back


def test_tax_of_six_per_cent_is_exact_for_prices_in_hundreds():
    assert with_tax(13_700) == 1_452_200
    assert all(with_tax(yuan) * 100 % 106 == 0 for yuan in range(100, 100_000, 100))
