"""The leakage checklist of science.md 4.4: each item a test that fails closed.

The first tests change everything that came after a day, in three ways, and want the snapshot of
that day to stay as it is to the last bit. `test_a_broken_filter_is_seen` takes the filters away one
by one and wants those tests to notice: a test that cannot fail proves nothing.
"""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from churn_world import ACCOUNTS, DAYS, START, UNTIL, day, rows, with_rows, world

from gengyun.churn.calc import snapshot_facts, snapshot_people, windows
from gengyun.churn.calc.features import FEATURES
from gengyun.churn.calc.folds import folds_for
from gengyun.churn.calc.ladder import fit
from gengyun.churn.calc.observed import ON_TIME, Columns, Facts, Observed, Use
from gengyun.churn.calc.rows import landmark_rows, live_rows, training_rows
from gengyun.churn.calc.snapshot import Reader, snapshot
from gengyun.churn.calc.table import Table
from gengyun.churn.calc.target import is_undecided, outcomes
from gengyun.churn.calc.windows import numbers

SEEDS = (1, 2, 3)
AT = 430  # day of the snapshots, from START


def seen(observed: Observed, at: int = AT):
    """x and raw of every account on a day, with and without terms."""
    row = [
        next((k for k in range(len(observed.dues)) if observed.dues.account[k] == account), -1)
        for account in ACCOUNTS
    ]
    reader = Reader.of(observed)
    told = reader.snapshot(account=ACCOUNTS, at=day(at), row=row)
    plain = reader.snapshot(account=ACCOUNTS, at=day(at))
    return np.concatenate([told.x, plain.x, *(v[:, None] for v in told.raw.values())], axis=None)


def is_later(columns: Columns, at: int):
    """Rows that had not happened, or were not known, before a day."""
    edge = day(at)
    if hasattr(columns, "month"):
        return (columns.month >= edge) | ((columns.known != ON_TIME) & (columns.known >= edge))
    happened = getattr(columns, "happened", getattr(columns, "day", None))
    known = getattr(columns, "known", happened)
    if type(columns).__name__ == "Values":
        known = happened - np.timedelta64(1, "D")  # the run of a day knows what came before it
        happened = known
    later = known >= edge
    return later if happened is None else later | (happened >= edge)


def without_later(observed: Observed, at: int) -> Observed:
    """As the deployment was on the morning of the day; bits of the month itself are cut off."""
    found = {}
    for name in ("use", "people", "parts", "facts", "states", "values", "key_users"):
        columns = getattr(observed, name)
        columns = columns.taken(~is_later(columns, at))
        if name in ("people", "parts"):
            left = np.clip((day(at) - columns.month).astype(int), 0, 31)
            columns = replace(columns, bits=columns.bits & ((np.int64(1) << left) - 1))
            columns = columns.taken(columns.bits != 0)
        if name == "facts":
            ends = np.where(columns.until < day(at), columns.until, np.datetime64("NaT", "D"))
            columns = replace(columns, until=ends)
        found[name] = columns
    return replace(observed, **found)


def shifted(observed: Observed, at: int, days: int) -> Observed:
    """Everything after the day that much later."""
    found = {}
    move = np.timedelta64(days, "D")
    for name in ("use", "facts", "states", "values", "key_users"):
        columns = getattr(observed, name)
        later = is_later(columns, at)
        moved = {
            one: np.where(later, getattr(columns, one) + move, getattr(columns, one))
            for one in ("happened", "day", "known", "until")
            if hasattr(columns, one)
        }
        if name in ("use", "facts"):  # happened before and known later: only the knowing moves
            event = "day" if name == "use" else "happened"
            early = later & (getattr(columns, event) < day(at))
            moved[event] = np.where(early, getattr(columns, event), moved[event])
        found[name] = type(columns).of(
            **{
                one: moved.get(one, getattr(columns, one))
                for one in columns.__dataclass_fields__
                if one != "optional"
            }
        )
    return replace(observed, **found)


CHANGES = {
    "deleted": without_later,
    "shifted": lambda found, at: shifted(found, at, 37),
    "happened_later": lambda found, at: with_rows(found, rows(np.random.default_rng(77), at)),
    "known_later": lambda found, at: with_rows(found, late_rows(at)),
}


def late_rows(at: int):
    """Rows of days long before that nobody knew of until the day itself."""
    more = rows(np.random.default_rng(78), 0)
    edge = day(at)
    found = {}
    for name, columns in more.items():
        if name == "dues":
            continue
        if name == "values":
            found[name] = replace(columns, day=np.maximum(columns.day, edge + 1))
        elif hasattr(columns, "month"):
            found[name] = replace(columns, known=np.full(len(columns), edge))
        else:
            found[name] = replace(columns, known=np.maximum(columns.known, edge))
    return {name: type(one).of(**vars(one)) for name, one in found.items()}


def differs(change: str, seed: int, at: int = AT) -> bool:
    found = world(seed)
    with np.errstate(invalid="ignore"):
        before, after = seen(found, at), seen(CHANGES[change](found, at), at)
    return not np.array_equal(before, after, equal_nan=True)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("change", CHANGES)
def test_what_comes_later_changes_no_snapshot(change, seed):
    assert not differs(change, seed)


def test_a_snapshot_holds_most_inputs_so_that_the_above_says_something():
    found = world(1)
    x = snapshot(found, account=ACCOUNTS, at=day(AT), row=np.arange(len(ACCOUNTS))).x
    known = (~np.isnan(x)).any(axis=0)
    assert known.mean() > 0.95


BREAKS = {
    # filter -> how it is broken, and which change must then be noticed
    "spans_known": ("known_later", "known_later"),
    "spans_end": ("happened_later", "happened_later"),
    "presence_known": ("known_later", "known_later"),
    "presence_end": ("happened_later", "happened_later"),
    "states": ("happened_later", "happened_later"),
    "open_facts": ("deleted", "deleted"),
    "calendar": ("known_later", "known_later"),
}


def _break(name, monkeypatch):
    far = 100_000
    if name in ("spans_known", "spans_end"):
        spans = windows.Index.spans

        def broken(self, number, first, end, at):
            at = at + far
            return spans(self, number, first, end + (far if name == "spans_end" else 0), at)

        monkeypatch.setattr(windows.Index, "spans", broken)
    elif name in ("presence_known", "presence_end"):
        read = snapshot_people.PresenceReader.read

        def broken_read(self, asked, days):
            more = far if name == "presence_end" else 0
            return read(
                self, replace(asked, at=asked.at + far, end=asked.end + min(more, 200)), days
            )

        monkeypatch.setattr(snapshot_people.PresenceReader, "read", broken_read)
    elif name == "states":
        read_state = snapshot_facts.StateReader.read
        monkeypatch.setattr(
            snapshot_facts.StateReader,
            "read",
            lambda self, asked, key: read_state(self, replace(asked, at=asked.at + far), key),
        )
    elif name == "open_facts":
        monkeypatch.setattr(
            snapshot_facts.FactsSeen,
            "open",
            lambda self: self.where(lambda one: one.until == windows.NO_DAY),
        )
    elif name == "calendar":
        monkeypatch.setattr(windows, "SETTLED", 0)
        learn = windows.worth_of

        def with_everything(observed):
            use = observed.use
            return learn(replace(observed, use=replace(use, known=use.day)))

        monkeypatch.setattr("gengyun.churn.calc.snapshot.worth_of", with_everything)


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_filter_is_seen(name, monkeypatch):
    _break(name, monkeypatch)
    assert any(differs(BREAKS[name][0], seed) for seed in SEEDS)


def test_use_after_a_notice_counts_for_nothing():
    """Post-notice usage: the collapse follows from the decision and does not foretell it."""
    found = world(4)
    account, told = int(ACCOUNTS[0]), AT - 40
    notice = Facts.of(
        account=[account], kind=[found.kind("notice")], happened=day([told]), known=day([told + 5])
    )
    with_notice = replace(found, facts=found.facts.and_(notice))
    gone = replace(
        with_notice,
        use=found.use.taken((found.use.account != account) | (found.use.day <= day(told))),
        people=found.people.taken(
            (found.people.account != account) | (found.people.month <= day(told - 31))
        ),
    )
    keys = ("rate_28", "days_since_active", "active_weeks_12", "rate_trend")

    def of(observed, at=AT):
        made = snapshot(observed, account=[account], at=day([at]))
        return np.array([made.column(key)[0] for key in keys])

    assert np.allclose(of(with_notice), of(gone), equal_nan=True, rtol=0.02)
    assert not np.allclose(of(found), of(gone), equal_nan=True, rtol=0.02)
    # before it was recorded nobody knew: the use of those days counts
    assert np.array_equal(of(with_notice, told + 5), of(found, told + 5), equal_nan=True)


def test_no_input_is_made_of_the_outcome():
    """Label-derived columns: signature, what was kept, causes and early ends are no inputs."""
    found = world(5)
    rng = np.random.default_rng(9)
    other = replace(
        found.dues,
        decided=rng.permutation(found.dues.decided),
        kept_minor=rng.permutation(found.dues.kept_minor),
        ended=found.dues.due - np.timedelta64(100, "D"),
        involuntary=1 - found.dues.involuntary,
    )
    assert np.array_equal(seen(found), seen(replace(found, dues=other)), equal_nan=True)


def test_terms_that_were_not_known_yet_are_unknown():
    found = world(5)
    row = int(np.flatnonzero(found.dues.due > day(AT + 30))[0])
    late = found.dues.known.copy()
    late[row] = day(AT)
    account = found.dues.account[row]

    def of(dues):
        made = snapshot(replace(found, dues=dues), account=[account], at=day([AT]), row=[row])
        return [made.column(key)[0] for key in ("discount", "nth", "log_amount", "term_months")]

    assert not np.isnan(of(found.dues)).any()
    assert np.isnan(of(replace(found.dues, known=late))).all()


def test_tenure_is_that_of_the_snapshot_and_not_of_the_extraction():
    found = world(6)
    later = replace(found, until=UNTIL + timedelta(days=400))
    first = snapshot(found, account=ACCOUNTS, at=day(AT)).column("tenure")
    again = snapshot(later, account=ACCOUNTS, at=day(AT)).column("tenure")
    assert np.array_equal(first, again, equal_nan=True)
    grown = snapshot(found, account=ACCOUNTS, at=day(AT + 50)).raw["tenure_days"]
    assert np.allclose(grown - snapshot(found, account=ACCOUNTS, at=day(AT)).raw["tenure_days"], 50)


def test_an_outcome_is_learned_when_grace_is_over_kept_and_lost_alike():
    """Censoring: a renewal signed early is no row while its peers may still be lost."""
    dues = world(7).dues
    cutoff = START + timedelta(days=500)
    found = outcomes(dues, cutoff=cutoff, grace=60, preventable_only=False)
    ripe = dues.due + np.timedelta64(60, "D") < np.datetime64(cutoff)
    assert np.array_equal(~np.isnan(found.y), ripe)
    assert (found.known[ripe] == dues.due[ripe] + np.timedelta64(60, "D")).all()
    early = (dues.decided < np.datetime64(cutoff)) & ~ripe
    assert early.any()  # and they are not decided


def test_no_row_is_asked_once_its_outcome_is_known():
    """Stage "lost", a cause, a signature: from then on there is nothing to foretell."""
    reader = Reader.of(world(8))
    dues = reader.observed.dues
    row, at = landmark_rows(reader, np.arange(len(dues)))
    decided = numbers(dues.decided)[row]
    assert len(row)
    assert (decided >= at).all()
    assert (numbers(dues.due)[row] - at >= 30).all()
    live = live_rows(reader, as_of=START + timedelta(days=AT))
    assert (dues.decided[live.row] >= day(AT)).all()
    assert is_undecided(dues, numbers(dues.decided), np.arange(len(dues))).any()
    assert not is_undecided(dues, numbers(dues.decided) + 1, np.arange(len(dues))).any()


def test_training_as_of_a_day_is_what_that_day_held():
    """The back-test of a past day learns from the rows that the day itself would have had."""
    found = world(9)
    cutoff = START + timedelta(days=600)
    held = replace(without_later(found, 600), until=cutoff)
    now = training_rows(Reader.of(found), cutoff=cutoff).table
    then = training_rows(Reader.of(held), cutoff=cutoff).table
    assert len(now) > 20
    assert np.array_equal(now.x, then.x, equal_nan=True)
    assert np.array_equal(now.y, then.y)


def test_manual_sentiment_after_the_decision_is_no_input():
    found = world(3)
    account = int(ACCOUNTS[2])
    kind = found.kind("sentiment")
    fallen = Facts.of(
        account=[account], kind=[kind], happened=day([AT]), known=day([AT]), value=[1.0]
    )
    before = seen(found)
    assert np.array_equal(
        before, seen(replace(found, facts=found.facts.and_(fallen))), equal_nan=True
    )
    the_day_before = replace(fallen, happened=day([AT - 1]), known=day([AT - 1]))
    assert not np.array_equal(
        before, seen(replace(found, facts=found.facts.and_(the_day_before))), equal_nan=True
    )


def test_rows_of_one_day_add_up_whenever_they_came():
    use = Use.of(
        account=[3, 3], day=day([5, 5]), known=day([5, 9]), events=[1.0, 2.0], users=[1, 0]
    )
    assert use.events.sum() == 3
    assert isinstance(training_rows(Reader.of(world(1)), cutoff=date(2024, 1, 1)).table, Table)
    assert DAYS > AT


def learnable(seed: int = 3, count: int = 420) -> Table:
    """Rows of 70 accounts over four years, a third of them lost."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, len(FEATURES)))
    x[rng.random(x.shape) < 0.1] = np.nan
    lean = np.nan_to_num(x[:, 0]) - np.nan_to_num(x[:, 5])
    at = np.datetime64("2021-01-01") + rng.integers(0, 1_400, count)
    return Table(
        features=FEATURES,
        x=x,
        y=(lean - 0.8 + rng.logistic(size=count) > 0).astype(float),
        account=rng.integers(0, 70, count),
        at=at,
        due=at + 90,
        known=at + 150,
        tier=np.full(count, -1),
        lag=np.full(count, 90),
        amount_minor=np.full(count, 100),
    )


def test_no_account_and_no_later_outcome_is_on_both_sides():
    table = learnable()
    found = folds_for(table)
    assert found.in_time
    for fold in found.folds:
        assert not set(table.account[fold.train]) & set(table.account[fold.judged])
        assert table.known[fold.train].max() <= table.at[fold.judged].min()


def test_a_row_is_scored_alike_whoever_stands_beside_it():
    """No scaling on what is asked: units come from training alone, and are frozen in the model."""
    table = learnable()
    model = fit(table.taken(slice(0, 300)), base_rates={}, rung="L1").model
    asked = table.taken(slice(300, None))
    together = model.predict(asked).p
    one_by_one = [model.predict(asked.taken(np.array([k]))).p[0] for k in range(0, 120, 17)]
    assert np.allclose(together[::17][: len(one_by_one)], one_by_one)
    wild = replace(asked, x=np.where(np.arange(len(asked))[:, None] == 5, 1e6, asked.x))
    again = model.predict(wild).p
    assert np.array_equal(np.delete(again, 5), np.delete(together, 5))


def test_an_outcome_that_is_not_decided_teaches_nothing():
    table = learnable()
    hidden = np.where(np.arange(len(table)) < 300, table.y, np.nan)
    with_later = fit(replace(table, y=hidden), base_rates={}, rung="L1").model
    without = fit(table.taken(slice(0, 300)), base_rates={}, rung="L1").model
    asked = table.taken(slice(300, None))
    assert np.allclose(with_later.predict(asked).p, without.predict(asked).p)


def test_nothing_is_resampled_and_accounts_are_no_inputs():
    """Oversampling would lift every probability; an encoding of accounts would know them by name."""
    table = learnable()
    model = fit(table, base_rates={}, rung="L1").model
    said = model.predict(table).p
    assert abs(said.mean() - table.y.mean()) < 0.03
    renamed = replace(table, account=table.account + 1_000, amount_minor=table.amount_minor * 7)
    assert np.array_equal(model.predict(renamed).p, said)
