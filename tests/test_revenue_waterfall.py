"""The waterfall by events: what passes from a line to its successor is no event."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gengyun.revenue.calc.moves import Moves, balances, moves_of
from gengyun.revenue.calc.policies import choose
from gengyun.revenue.calc.waterfall import rows_of, waterfall

BY_EVENT = choose({"basis": "events", "grouping_days": 0})


def renewed() -> Moves:
    """A customer with a line of 100 that is renewed for 130, and one that follows it nowhere."""
    day = date(2026, 5, 1)
    return moves_of(
        [
            (0, date(2026, 1, 1), 100, "new"),
            (0, day, -100, "transfer"),
            (0, day, 0, "renew"),
            (0, day, 100, "transfer"),
            (0, day, 30, "upsell"),
            (1, day, 40, "new"),
        ]
    )


def test_a_transfer_is_neither_growth_nor_loss():
    moves = renewed()
    ends = [int(moves.day.min()) - 1, int(moves.day.max()) - 1, int(moves.day.max())]
    found = waterfall(moves, ends, BY_EVENT)
    told = {name: cells for name, cells in found.kinds.items() if any(cells)}
    assert told == {"new": (100, 40), "expansion": (0, 30)}
    assert found.remainder() == (0, 0)
    assert found == waterfall(moves, ends, choose({"basis": "events"}))


def test_what_goes_to_another_unit_stays_its_event():
    """By line: the old line ends, the new one begins."""
    moves = replace(renewed(), unit=np.array([0, 0, 1, 1, 1, 2]), units=3)
    ends = [int(moves.day.min()) - 1, int(moves.day.max())]
    found = waterfall(moves, ends, BY_EVENT)
    assert (found.closing, found.remainder()) == ((170,), (0,))
    assert found.kinds["churn"] == (-100,)
    assert found.kinds["new"] == (240,)
    assert found.kinds["expansion"] == (30,)


moved = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 90), st.integers(-50, 80)), min_size=1, max_size=10
)
passed = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 90), st.integers(1, 500)), max_size=6)


@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("same", ["count", "ignore"])
@given(moved, passed)
def test_transfers_change_no_event_and_the_waterfall_closes(same, moved, passed):
    rows = [(who, day, amount, 0) for who, day, amount in moved]
    pairs = [(who, day, sign * amount, 13) for who, day, amount in passed for sign in (-1, 1)]
    plain, whole = made(rows), made(rows + pairs)
    policy = choose({"basis": "events", "grouping_days": 0, "same_period": same})
    ends = [0, 30, 31, 90]
    assert waterfall(plain, ends, policy) == waterfall(whole, ends, policy)
    assert not any(waterfall(whole, ends, policy).remainder())
    assert rows_of(plain, ends, policy).amount.sum() == balances(whole, [0, 90])[:, 1].sum()


def made(rows) -> Moves:
    unit, day, amount, kind = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return Moves(unit, day, amount, kind.astype(np.int8), 3)
