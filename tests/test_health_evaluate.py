"""AUC against a slow obvious oracle, and outcomes per band."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gengyun.health.calc.evaluate import auc, by_band


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40))
def test_auc_counts_pairs(cases):
    yes = [risk for risk, label in cases if label]
    no = [risk for risk, label in cases if not label]
    found = auc([float(r) for r, _ in cases], [label for _, label in cases])
    if not yes or not no:
        assert found is None
        return
    pairs = sum((a > b) + (a == b) / 2 for a in yes for b in no) / (len(yes) * len(no))
    assert found == pytest.approx(pairs)


def test_by_band_counts_what_happened():
    found = by_band(["D", "A", "D", "A"], [True, False, False, False])
    assert [(b.band, b.customers, b.rate) for b in found] == [("A", 2, 0), ("D", 2, 0.5)]
