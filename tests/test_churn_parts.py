"""Large portfolios are read in parts: the same rows, the same inputs, whoever is where."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from factories import NOW, make_customer

from gengyun.churn.calc.table import NO_TIER, Feature, plain_table
from gengyun.churn.models import ChurnSettings
from gengyun.churn.queries import rows as churn_rows
from gengyun.churn.queries.observed import observed_as_of
from gengyun.customers.actions.merging import merge_customers
from gengyun.lake import tables
from gengyun.lake.store import Lake
from gengyun.usage.calc.plan import ANY_USE

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 1)


@pytest.fixture
def portfolio(tmp_path):
    """Nine customers, each there on every third day of a year in which it has its own rhythm."""
    lake = Lake(tmp_path / "lake")
    customers = [make_customer() for _ in range(9)]
    rng = np.random.default_rng(1)
    rows = [
        (customer.pk, day, int(n))
        for customer in customers
        for day, n in zip(
            np.arange("2025-11-01", "2026-11-01", 3, dtype="datetime64[D]").tolist(),
            rng.integers(1, 9, 122),
            strict=True,
        )
    ]
    who, days, counts = zip(*rows, strict=True)
    lake.append(
        "daily",
        pa.table(
            {
                "measure": [ANY_USE.key] * len(rows),
                "customer_id": who,
                "day": days,
                "known_day": days,
                "n": counts,
                "total_micro": [0] * len(rows),
            },
            schema=tables.DAILY,
        ),
    )
    return customers, lake


def test_a_part_holds_its_customers_and_what_was_joined_to_them(portfolio):
    customers, lake = portfolio
    first, last = customers[0], customers[-1]
    # of the last customer's use nothing is left in its own part: it belongs to the first now
    merge_customers(actor=None, now=NOW.replace(month=10), kept=first, gone=last)
    whole = observed_as_of(DAY, lake=lake)
    part = observed_as_of(DAY, lake=lake, only=(first.pk, customers[3].pk))
    assert part.accounts.tolist() == [customer.pk for customer in customers[:3]]

    def of_first(observed):
        mine = observed.use.taken(observed.use.account == first.pk)
        return sorted(zip(mine.day.tolist(), mine.events.tolist(), strict=True))

    assert of_first(part) == of_first(whole)
    assert len(of_first(part)) > 122
    assert set(part.use.account.tolist()) <= {*part.accounts.tolist(), last.pk}


def test_a_night_in_parts_scores_everybody_once(portfolio, monkeypatch):
    customers, lake = portfolio
    settings = ChurnSettings(pk=1, event="silent", silent_days=60)
    whole = churn_rows.held(DAY, settings=settings, lake=lake)
    monkeypatch.setattr(churn_rows, "AT_ONCE", 4)
    parts = churn_rows.held(DAY, settings=settings, lake=lake)
    assert isinstance(parts, churn_rows.InParts)
    assert len(parts.parts) == 3
    assert not parts.is_empty
    one, other = whole.live(), parts.live()
    assert other.table.account.tolist() == one.table.account.tolist()
    assert other.table.account.tolist() == [customer.pk for customer in customers]
    assert other.table.keys == one.table.keys
    assert set(other.tier_id) == {None}
    assert (other.table.tier == NO_TIER).all()
    seen = one.table.keys.index("active_weeks_52")
    assert other.table.x[:, seen] == pytest.approx(one.table.x[:, seen])
    assert len(parts.training()) == len(whole.training()) > 9
    newest = parts.training(since=date(2026, 6, 1))
    assert 0 < len(newest) < len(parts.training())
    assert (newest.at >= np.datetime64("2026-06-01")).all()


def test_years_of_which_only_contracts_are_known_do_not_blur_what_inputs_mean():
    features = (Feature("rate_28", -1, group="use"), Feature("nth", -1, group="commercial"))
    x = np.column_stack([np.arange(120.0), np.ones(120)])
    x[:40, 0] = np.nan  # imported contracts, from before the product sent anything
    y = np.tile([1.0, 0.0], 60)
    found = churn_rows.witnessed(plain_table(features, x, y))
    assert len(found) == 80
    assert not np.isnan(found.x[:, 0]).any()

    x[:80, 0] = np.nan  # 20 losses are too few to learn what use means: all rows are kept
    assert len(churn_rows.witnessed(plain_table(features, x, y))) == 120
    # so where nothing but contracts is held at all
    x[:, 0] = np.nan
    assert len(churn_rows.witnessed(plain_table(features, x, y))) == 120
