"""Outcomes, early ends, months that run on, silence, and what is kept of a night's inputs."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from churn_world import ACCOUNTS, START, UNTIL, day, world
from hypothesis import given
from hypothesis import strategies as st

from gengyun.churn.calc.evidence import EVIDENCE
from gengyun.churn.calc.features import FEATURES, catalogue, feature_hash
from gengyun.churn.calc.hazard import gamma_poisson, midterm, within
from gengyun.churn.calc.observed import Dues
from gengyun.churn.calc.rows import (
    firsts_of_months,
    landmark_rows,
    live_rows,
    quarters,
    silent_rows,
    training_rows,
)
from gengyun.churn.calc.snapshot import Reader, snapshot
from gengyun.churn.calc.target import monthly, outcomes
from gengyun.churn.queries.rows import Live
from gengyun.churn.queries.snapshots import stored

CUTOFF = date(2026, 1, 1)
MAY = np.datetime64("2025-05-31")


def due(**values):
    given = {
        "account": 1, "due": MAY, "known": "2024-06-01", "starts": "2024-06-01",
        "amount_minor": 1000,
    }  # fmt: skip
    return Dues.of(**{name: [value] for name, value in (given | values).items()})


def outcome(cutoff=CUTOFF, **values):
    found = outcomes(due(**values), cutoff=cutoff)
    return found.y[0]


def test_kept_is_what_was_signed_within_grace():
    assert outcome(decided="2025-05-01", kept_minor=1000) == 0
    assert outcome(decided=MAY + 60, kept_minor=1000) == 0
    assert outcome(decided=MAY + 61, kept_minor=1000) == 1
    assert outcome() == 1  # nobody signed and nobody said so


def test_a_tenth_kept_is_lost_and_the_rest_is_a_smaller_contract():
    assert outcome(decided=MAY, kept_minor=100) == 1
    found = outcomes(due(decided=MAY, kept_minor=400), cutoff=CUTOFF)
    assert (found.y[0], found.kept_share[0]) == (0, 0.4)


def test_nothing_is_decided_before_grace_is_over():
    last = MAY + 60
    assert np.isnan(outcome(cutoff=last.item(), decided="2025-04-01", kept_minor=1000))
    assert outcome(cutoff=(last + 1).item(), decided="2025-04-01", kept_minor=1000) == 0


def test_a_bankruptcy_teaches_nothing_but_counts_in_money():
    assert np.isnan(outcome(involuntary=1))
    dues = due(involuntary=1)
    assert outcomes(dues, cutoff=CUTOFF, preventable_only=False).y[0] == 1


def test_an_early_end_is_no_renewal_and_feeds_the_hazard():
    dues = due(ended="2024-12-01", decided="2024-11-20")
    found = outcomes(dues, cutoff=CUTOFF)
    assert np.isnan(found.y[0])
    assert found.is_midterm[0]
    assert outcome(ended="2025-05-20") == 1  # so near the end it is the non-renewal itself
    h = midterm(dues, np.array([0]), cutoff=CUTOFF)
    assert h.ends == 1
    assert h.months == pytest.approx((date(2024, 12, 1) - date(2024, 6, 1)).days / 30.4375)
    assert h.of([0])[0] > h.of([1])[0] == h.monthly  # a tier of its own is shrunk to the company


def test_the_hazard_is_the_mean_of_its_gamma():
    assert gamma_poisson(0, 0, prior=0.01, worth=50) == pytest.approx(0.01)
    assert gamma_poisson(12, 1_000, prior=0.01, worth=50) == pytest.approx(12.5 / 1_050)


@given(
    st.floats(0, 1), st.integers(-60, 400), st.floats(0, 0.2), st.integers(1, 300),
    st.integers(1, 300),
)  # fmt: skip
def test_p_within_a_horizon_grows_with_it_and_is_a_probability(p, lag, h, one, other):
    short, long = sorted((one, other))
    args = (np.array([p]), np.array([lag]), np.array([h]))
    low, high = within(*args, short)[0], within(*args, long)[0]
    assert 0 <= low <= high + 1e-12 <= 1 + 1e-9
    if lag <= short:
        assert low >= p - 1e-12  # the renewal itself is in it


def test_p_within_a_horizon_by_hand():
    p, lag, h = np.array([0.3]), np.array([60]), np.array([0.01])
    early = 1 - 0.99 ** (60 / 30.4375)
    assert within(p, lag, h, 90)[0] == pytest.approx(1 - (1 - early) * 0.7)
    assert within(p, lag, h, 30)[0] == pytest.approx(1 - 0.99 ** (30 / 30.4375))
    assert np.isnan(within(np.array([np.nan]), lag, h, 90)[0])
    assert not np.isnan(within(np.array([np.nan]), lag, h, 30)[0])
    month = np.array([1])
    thrice = within(p, np.array([10]), h, 90, period_months=month)[0]
    assert thrice == pytest.approx(1 - 0.7**3)
    assert within(p, np.array([10]), h, 5, period_months=month)[0] == 0


def test_months_follow_each_other_and_the_last_one_is_not_renewed():
    found = monthly(starts=date(2025, 1, 31), ended=date(2025, 4, 10), until=date(2025, 9, 1))
    assert [(first, goes_on) for first, _, goes_on in found] == [
        (date(2025, 1, 31), True),
        (date(2025, 2, 28), True),
        (date(2025, 3, 31), False),
    ]
    assert found[-1][1] == date(2025, 4, 29)
    for (_, last, _), (first, _, _) in pairwise(found):
        assert first - last == timedelta(days=1)
    running = monthly(starts=date(2025, 1, 1), ended=None, until=date(2025, 3, 15))
    assert [goes_on for *_, goes_on in running] == [True, True, True]


def test_a_monthly_product_is_the_same_code_with_a_period_of_a_month():
    months = monthly(starts=START, ended=START + timedelta(days=200), until=UNTIL)
    rows = [
        {"due": last, "starts": first, "known": first - timedelta(days=1),
         "decided": last if goes_on else np.datetime64("NaT"),
         "kept_minor": 1000.0 if goes_on else np.nan,
         "ended": np.datetime64("NaT") if goes_on else START + timedelta(days=200)}
        for first, last, goes_on in months
    ]  # fmt: skip
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    for name in ("due", "starts", "known", "decided", "ended"):
        columns[name] = columns[name].astype("datetime64[D]")
    dues = Dues.of(account=int(ACCOUNTS[0]), amount_minor=1000, period_months=1, **columns)
    reader = Reader.of(replace(world(1), dues=dues))
    found = training_rows(reader, cutoff=UNTIL)
    assert found.table.y.tolist() == [0.0] * (len(months) - 1) + [1.0]
    assert (found.table.lag >= 27).all()  # seen on the first day of each month
    assert live_rows(reader, as_of=START + timedelta(days=100)).table.lag.tolist() == [20]


def test_landmarks_stand_180_90_and_30_days_before():
    reader = Reader.of(world(2))
    row, at = landmark_rows(reader, np.arange(len(reader.observed.dues)))
    lag = reader.observed.dues.due[row].astype(int) - at
    assert set(lag.tolist()) == {180, 90, 30}


def test_silence_is_asked_of_those_who_are_there_and_decided_alike():
    reader = Reader.of(world(3))
    first = START + timedelta(days=300)
    found = silent_rows(reader, at=[first], cutoff=UNTIL, days=60)
    assert len(found.table) == len(ACCOUNTS)
    assert set(found.table.y.tolist()) <= {0.0, 1.0}
    early = silent_rows(reader, at=[first], cutoff=first + timedelta(days=60), days=60)
    assert np.isnan(early.table.y).all()  # not even those who came back are known to be kept
    stopped = reader.observed.use.day < day(301)
    gone = replace(reader.observed, use=reader.observed.use.taken(stopped))
    lost = silent_rows(Reader.of(gone), at=[START + timedelta(days=310)], cutoff=UNTIL, days=60)
    assert lost.table.y.tolist() == [1.0] * len(lost.table)
    assert len(silent_rows(Reader.of(gone), at=[UNTIL], cutoff=UNTIL, days=60).table) == 0


def test_months_and_quarters():
    first, last = date(2024, 2, 1), date(2024, 7, 1)
    assert firsts_of_months(first, last) == [date(2024, month, 1) for month in range(2, 8)]
    assert quarters(first, last) == [date(2024, 4, 1), date(2024, 7, 1)]


def test_every_input_has_its_evidence_and_a_hash_of_its_own():
    assert set(EVIDENCE) == {feature.key for feature in FEATURES}
    assert len({feature.key for feature in FEATURES}) == len(FEATURES)
    seen = snapshot(world(1), account=ACCOUNTS, at=day(400))
    for feature in FEATURES:
        for name in EVIDENCE[feature.key]:
            assert name in seen.raw, (feature.key, name)
    assert feature_hash(FEATURES) != feature_hash(FEATURES[:-1])
    assert feature_hash(catalogue(["a"])) != feature_hash(catalogue(["b"]))
    assert seen.fact("metric:logins", 0).keys() == {"value"}


@pytest.mark.django_db
def test_the_inputs_of_a_night_are_kept_and_read_back(tmp_path):
    from gengyun.churn.actions.snapshots import keep_snapshots
    from gengyun.lake.store import Lake

    reader = Reader.of(world(4))
    as_of = START + timedelta(days=450)
    found = live_rows(reader, as_of=as_of)
    count = len(found.table)
    live = Live(
        found.table,
        found.renewal,
        ("CNY",) * count,
        (None,) * count,
        np.full(count, 0.01),
        np.zeros(count, np.int64),
        found.snapshot.raw,
        3,
    )
    lake = Lake(tmp_path / "lake")
    for _ in range(2):
        assert keep_snapshots(live, as_of=as_of, lake=lake) == count > 5
    again = stored(as_of, lake=lake)
    assert again is not None
    here = np.lexsort([live.renewal, live.table.account])
    there = np.lexsort([again.renewal, again.table.account])
    assert np.array_equal(live.table.x[here], again.table.x[there], equal_nan=True)
    assert np.array_equal(live.table.lag[here], again.table.lag[there])
    assert live.renewal[here].tolist() == again.renewal[there].tolist()
    assert again.raw.keys() == live.raw.keys()
    assert again.data_age == 3
    assert stored(as_of + timedelta(days=1), lake=lake) is None


@pytest.mark.django_db
def test_inputs_of_another_feature_set_are_not_taken_for_these(tmp_path, monkeypatch):
    test_the_inputs_of_a_night_are_kept_and_read_back(tmp_path)
    monkeypatch.setattr("gengyun.churn.queries.snapshots.FEATURE_SET", "other")
    from gengyun.lake.store import Lake

    assert stored(START + timedelta(days=450), lake=Lake(tmp_path / "lake")) is None
